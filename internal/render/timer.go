// SPDX-License-Identifier: GPL-2.0-or-later

package render

import (
	"strconv"
	"strings"

	"netlive/internal/sock"
)

// The texts of timers are printf's, as net-tools' catalogues have them.
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
	// printf's conversions are of one letter's kind each: seconds are the one that is %2.2f.
	numbers := []uint32{timer.Retrans, timer.Timeout}
	if text == timerOn || text == timerOthers {
		numbers = []uint32{uint32(timer.Kind), timer.Retrans, timer.Timeout}
	}
	text = t.Texts.Text(text)
	for {
		before, rest, ok := strings.Cut(text, "%")
		b = append(b, before...)
		verb := strings.IndexAny(rest, "df")
		switch {
		case !ok || verb < 0:
			return b
		case rest[verb] == 'f':
			b = t.appendSeconds(b, timer.Ticks)
		case len(numbers) > 0:
			b = strconv.AppendUint(b, uint64(numbers[0]), 10)
			numbers = numbers[1:]
		}
		text = rest[verb+1:]
	}
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
