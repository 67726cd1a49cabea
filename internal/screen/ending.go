// SPDX-License-Identifier: GPL-2.0-or-later

package screen

import (
	"fmt"
	"time"

	"netlive/internal/render"
	"netlive/internal/sock"
)

// endingWord is how a connection ended, in a word as short as a state's; "closed" when nothing more is known.
func endingWord(e *sock.Ending) string {
	if e != nil {
		switch e.End {
		case sock.EndResetReceived:
			return "reset"
		case sock.EndResetSent:
			return "aborted"
		case sock.EndTimeout:
			return "timed out"
		case sock.EndRefused:
			return "refused"
		case sock.EndError:
			return "error"
		case sock.EndCanceled:
			return "canceled"
		}
	}
	return "closed"
}

// endingWords say it as the line of its event does.
func endingWords(e *sock.Ending) string {
	if e == nil {
		return ""
	}
	return string(render.AppendEnding(nil, e))
}

// endingLines are all that is known of an end.
func endingLines(w *Words, e *sock.Ending) []string {
	counts := fmt.Sprintf("lived %s  sent %s  received %s  retransmits %d", lived(e.Duration), size(e.BytesSent), size(e.BytesReceived), e.Retrans)
	if e.RTT > 0 {
		counts += "  rtt " + span(e.RTT)
	}
	lines := []string{endingWords(e), counts}
	if e.Peer.Known() {
		lines = append(lines, "the other end was "+w.program(&e.Peer)+"'s")
	}
	return lines
}

// lived is a duration that is not known when it is negative.
func lived(d time.Duration) string {
	if d < 0 {
		return "-"
	}
	return span(d)
}
