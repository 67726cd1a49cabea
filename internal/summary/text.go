// SPDX-License-Identifier: GPL-2.0-or-later

package summary

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// width is that of the text.
const width = 80

// AppendText appends s for people: some lines of no more than 80 columns.
func (s *Summary) AppendText(b []byte) []byte {
	n := s.events(func(string, uint64) {})
	b = fmt.Appendf(b, "summary of %s\n", plural(n, "event"))
	b = appendList(b, "events", func(each func(string, uint64)) { s.events(each) })
	if s.lost > 0 {
		b = fmt.Appendf(b, "  lost      %s for want of room; the rest is too low\n", plural(s.lost, "event"))
	}
	b = appendList(b, "closes", s.eachClose)
	b = appendList(b, "fails", s.eachFail)
	if s.bytesSent+s.bytesReceived > 0 {
		b = appendScaled(append(b, "  data      "...), s.bytesSent, sizes)
		b = appendScaled(append(b, " sent, "...), s.bytesReceived, sizes)
		b = append(b, " received\n"...)
	}
	if s.retrans > 0 {
		b = appendScaled(append(b, "  resent    "...), s.bytesRetrans, sizes)
		b = fmt.Appendf(b, " in %s\n", plural(s.retrans, "segment"))
	}
	headed := false
	s.eachLatency(func(name string, l *latency) {
		if l.count() == 0 {
			return
		}
		if !headed {
			headed = true
			b = fmt.Appendf(b, "  %-12s %10s", "", "count")
			for _, p := range percentiles {
				b = fmt.Appendf(b, " %8s", p.name)
			}
			b = fmt.Appendf(b, " %8s\n", "max")
		}
		b = fmt.Appendf(b, "  %-12s %10d", strings.ReplaceAll(name, "_", " "), l.count())
		for _, p := range percentiles {
			b = fmt.Appendf(b, " %8s", appendTime(nil, l.at(p.quantile)))
		}
		b = fmt.Appendf(b, " %8s\n", appendTime(nil, l.max))
	})
	return b
}

// appendList appends a line of numbers with their names, or more lines when one does not hold them; none when there are none.
func appendList(b []byte, name string, each func(func(name string, n uint64))) []byte {
	lead := fmt.Sprintf("  %-9s", name)
	column := 0
	each(func(word string, n uint64) {
		text := " " + strconv.FormatUint(n, 10) + " " + word
		switch {
		case column == 0:
			b = append(b, lead...)
			column = len(lead)
		case column+len(",")+len(text)+len(",") > width:
			b = fmt.Appendf(b, ",\n%*s", len(lead), "")
			column = len(lead)
		default:
			b = append(b, ',')
			column++
		}
		b = append(b, text...)
		column += len(text)
	})
	if column > 0 {
		b = append(b, '\n')
	}
	return b
}

func plural(n uint64, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return strconv.FormatUint(n, 10) + " " + noun + "s"
}

var (
	sizes = []string{"", "K", "M", "G", "T", "P", "E"}
	times = []string{"us", "ms", "s"}
)

// appendScaled appends n with three digits, cut, in the unit of a thousand that fits: more a percentile does not have.
func appendScaled(b []byte, n uint64, units []string) []byte {
	unit := uint64(1)
	i := 0
	for ; n/unit >= 1000 && i < len(units)-1; i++ {
		unit *= 1000
	}
	whole := n / unit
	b = strconv.AppendUint(b, whole, 10)
	if i > 0 && whole < 100 {
		decimals := 2
		part := n % unit / (unit / 100) // hundredths
		if whole >= 10 {
			decimals, part = 1, part/10
		}
		b = fmt.Appendf(b, ".%0*d", decimals, part)
	}
	return append(b, units[i]...)
}

// appendTime appends microseconds: 66us, 1.23ms, 39.1ms, 3.21s, 2m03s, 4h05m, 3d07h.
func appendTime(b []byte, us int64) []byte {
	d := time.Duration(us) * time.Microsecond
	const day = 24 * time.Hour
	switch {
	case d < time.Minute:
		return appendScaled(b, uint64(us), times)
	case d < time.Hour:
		return fmt.Appendf(b, "%dm%02ds", d/time.Minute, d%time.Minute/time.Second)
	case d < day:
		return fmt.Appendf(b, "%dh%02dm", d/time.Hour, d%time.Hour/time.Minute)
	}
	return fmt.Appendf(b, "%dd%02dh", d/day, d%day/time.Hour)
}
