// SPDX-License-Identifier: GPL-2.0-or-later

package render

import (
	"strconv"
	"strings"

	"netlive/internal/sock"
)

// The texts of timers are printf's, as net-tools' catalogues have them. What comes before the bracket is all that
// languages change.
const (
	timerOff    = "off (0.00/%ld/%d)"
	timerOn     = "on%d (%2.2f/%ld/%d)" // of UDP and raw sockets
	timerOthers = "unkn-%d (%2.2f/%ld/%d)"
)

var timersTCP = [...]string{
	1: "on (%2.2f/%ld/%d)", 2: "keepalive (%2.2f/%ld/%d)", 3: "timewait (%2.2f/%ld/%d)", 4: "probe (%2.2f/%ld/%d)",
}

// appendTimer appends the timer as netstat words it: KIND (SECONDS/RETRANSMITS/PROBES). UDP has no retransmits, whatever
// the kernel writes there.
func (t *Table) appendTimer(b []byte, s *sock.Socket) []byte {
	timer := s.Timer
	tcp := sock.ProtosTCP.Has(s.Proto)
	if !tcp && !sock.ProtosRaw.Has(s.Proto) {
		timer.Retrans = 0
	}
	text := timerOthers
	switch k := timer.Kind; {
	case k == 0:
		text = timerOff
	case tcp && int(k) < len(timersTCP):
		text = timersTCP[k]
	case !tcp && k <= 2:
		text = timerOn
	}
	word, _, _ := strings.Cut(t.Texts.Text(text), " (")
	before, after, numbered := strings.Cut(word, "%d")
	b = append(b, before...)
	if numbered {
		b = append(strconv.AppendUint(b, uint64(timer.Kind), 10), after...)
	}
	b = append(b, " ("...)
	if timer.Kind == 0 {
		b = append(b, "0.00"...) // in the text itself: a point everywhere
	} else {
		b = t.appendSeconds(b, timer.Ticks)
	}
	b = strconv.AppendUint(append(b, '/'), uint64(timer.Retrans), 10)
	b = strconv.AppendUint(append(b, '/'), uint64(timer.Timeout), 10)
	return append(b, ')')
}

// appendSeconds appends 1/100 s as seconds.
func (t *Table) appendSeconds(b []byte, ticks uint32) []byte {
	b = strconv.AppendUint(b, uint64(ticks/100), 10)
	if t.DecimalPoint == "" {
		b = append(b, '.')
	} else {
		b = append(b, t.DecimalPoint...)
	}
	return append(b, '0'+byte(ticks/10%10), '0'+byte(ticks%10))
}
