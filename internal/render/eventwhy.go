// SPDX-License-Identifier: GPL-2.0-or-later

package render

import (
	"strconv"
	"syscall"

	"netlive/internal/sock"
)

// AppendWhy appends, in words and safe to print, what an event's numbers do not say; nothing when there is nothing to say.
func AppendWhy(b []byte, e *sock.Event) []byte { return appendWhy(b, e) }

// appendWhy appends, in words, what an event's numbers do not say; nothing when there is nothing to say.
func appendWhy(b []byte, e *sock.Event) []byte {
	d := e.Detail
	switch e.Kind {
	case sock.EventLost:
		return append(appendUint(b, "", e.Lost), " events lost: the buffer was full"...)
	case sock.EventResync:
		return append(b, "events are complete again"...)
	case sock.EventState:
		b = append(appendEventState(b, e.Old), " -> "...)
		return appendEventState(b, e.Socket.State)
	}
	if d == nil {
		return b
	}
	switch e.Kind {
	case sock.EventClose:
		return appendLifeWhy(appendCloseWhy(b, d), len(b), d)
	case sock.EventFail:
		return appendLifeWhy(appendFailWhy(b, d), len(b), d)
	case sock.EventRetransmit:
		return appendRetransmitWhy(b, e)
	case sock.EventReset:
		return appendResetWhy(b, d)
	case sock.EventDrop:
		b = appendSafe(b, d.Reason)
		if d.Segment != sock.SegmentUnknown {
			if d.Reason != "" {
				b = append(b, ": "...)
			}
			b = appendSegmentWhy(b, d)
		}
	case sock.EventOverflow:
		b = appendUint(b, "accept queue ", uint64(d.Backlog))
		b = appendUint(b, " of ", uint64(d.MaxBacklog))
		if d.Dropped > 0 {
			b = append(appendUint(b, ", ", uint64(d.Dropped)), " dropped"...)
		}
	case sock.EventError:
		b = appendErrno(b, d.Errno)
	}
	return b
}

func appendCloseWhy(b []byte, d *sock.Detail) []byte {
	switch d.End {
	case sock.EndFin:
		b = append(b, "fin"...)
		if d.By != sock.SideUnknown {
			b = append(append(append(b, ", "...), d.By.String()...), " first"...)
		}
		return b
	case sock.EndTimeout:
		return append(b, "timed out"...)
	}
	return appendEndWhy(b, d)
}

func appendFailWhy(b []byte, d *sock.Detail) []byte {
	named := func(what string) []byte {
		b = append(b, what...)
		if d.Errno != 0 {
			b = append(appendErrno(append(b, " ("...), d.Errno), ')')
		}
		return b
	}
	switch errno := syscall.Errno(d.Errno); {
	case d.End == sock.EndRefused:
		return append(named("refused"), " by peer"...)
	case d.End == sock.EndTimeout:
		return named("timed out")
	case d.End == sock.EndError && (errno == syscall.EHOSTUNREACH || errno == syscall.ENETUNREACH):
		return named("unreachable")
	}
	return appendEndWhy(b, d)
}

// appendEndWhy appends the ends that read the same whether or not there was a connection.
func appendEndWhy(b []byte, d *sock.Detail) []byte {
	switch d.End {
	case sock.EndResetReceived:
		return append(b, "reset by peer"...)
	case sock.EndResetSent:
		b = append(b, "reset sent"...)
		if d.Reason != "" {
			b = appendSafe(append(b, ": "...), d.Reason)
		}
		return b
	case sock.EndRefused:
		return append(b, "refused"...)
	case sock.EndCanceled:
		return append(b, "canceled by the process"...)
	}
	switch {
	case d.Errno != 0:
		return appendErrno(append(b, "error "...), d.Errno)
	case d.End == sock.EndError:
		return append(b, "error"...) // which one the process was told, and the socket was not
	}
	return b
}

// appendLifeWhy appends what else there is to say of a connection that ended; its end is said from at on.
func appendLifeWhy(b []byte, at int, d *sock.Detail) []byte {
	and := func() {
		if len(b) > at {
			b = append(b, ", "...)
		}
	}
	switch {
	case d.Signal != 0:
		and()
		b = append(b, "killed by "...)
		before := len(b)
		if b = appendSignal(b, d.Signal); b[before] != 'S' {
			b = strconv.AppendUint(append(b[:before], "signal "...), uint64(d.Signal), 10)
		}
	case d.Exited:
		and()
		b = append(b, "process exited"...)
	}
	if d.Retrans > 0 {
		and()
		b = append(appendUint(b, "", uint64(d.Retrans)), " retransmit"...)
		if d.Retrans > 1 {
			b = append(b, 's')
		}
	}
	if d.Peer.Known() {
		and()
		b = appendSafe(append(b, "peer "...), d.Peer.Comm.Bytes())
		b = appendUint(b, "/", uint64(d.Peer.PID))
	}
	return b
}

// segmentWords are the flags as people write them.
var segmentWords = [...]string{
	sock.SegmentUnknown: "segment", sock.SegmentData: "data", sock.SegmentSYN: "SYN", sock.SegmentSYNACK: "SYN-ACK",
	sock.SegmentFIN: "FIN", sock.SegmentACK: "ACK", sock.SegmentRST: "RST",
}

// appendSegmentWhy appends which segment it is. The number of one without data tells nobody anything.
func appendSegmentWhy(b []byte, d *sock.Detail) []byte {
	if int(d.Segment) < len(segmentWords) {
		b = append(b, segmentWords[d.Segment]...)
	}
	if d.Segment == sock.SegmentData || d.Len > 0 {
		b = appendUint(appendUint(b, " seq ", uint64(d.Seq)), " len ", uint64(d.Len))
	}
	return b
}

func appendRetransmitWhy(b []byte, e *sock.Event) []byte {
	d := e.Detail
	b = appendSegmentWhy(b, d)
	if d.Nth > 0 {
		b = appendOrdinal(append(b, ", "...), d.Nth)
	}
	// What a SYN is sent in needs no word.
	if d.Segment != sock.SegmentSYN && d.Segment != sock.SegmentSYNACK && e.Socket.State != sock.StateNone {
		b = append(append(b, ", "...), e.Socket.State.String()...)
	}
	return b
}

func appendResetWhy(b []byte, d *sock.Detail) []byte {
	at := len(b)
	switch d.By {
	case sock.SideLocal:
		b = append(b, "sent"...)
	case sock.SideRemote:
		b = append(b, "received"...)
	}
	if d.Reason == "" {
		return b
	}
	if len(b) > at {
		b = append(b, ": "...)
	}
	return appendSafe(b, d.Reason)
}

// appendOrdinal appends 1st, 2nd, 3rd, 4th, 11th.
func appendOrdinal(b []byte, n uint8) []byte {
	b = strconv.AppendUint(b, uint64(n), 10)
	if teen := n / 10 % 10; teen != 1 {
		switch n % 10 {
		case 1:
			return append(b, "st"...)
		case 2:
			return append(b, "nd"...)
		case 3:
			return append(b, "rd"...)
		}
	}
	return append(b, "th"...)
}

func appendEventState(b []byte, s sock.State) []byte {
	if s == sock.StateNone {
		return append(b, '-')
	}
	return append(b, s.String()...)
}

// AppendEnding appends how a connection ended, in the words that its event has, but for who had the other end; nothing when there is nothing
// to say.
func AppendEnding(b []byte, e *sock.Ending) []byte {
	d := sock.Detail{By: e.By, End: e.End, Errno: e.Errno, Reason: e.Reason}
	d.Signal, d.Exited, d.Retrans = e.Signal, e.Exited, e.Retrans
	kind := sock.EventClose
	if e.Failed {
		kind = sock.EventFail
	}
	return appendWhy(b, &sock.Event{Kind: kind, Detail: &d})
}
