// SPDX-License-Identifier: GPL-2.0-or-later

package render

import (
	"strconv"
	"time"
)

// EventTimes says how lines tell the time of an event.
type EventTimes uint8

const (
	TimesClock    EventTimes = iota // 15:04:05.000000
	TimesAbsolute                   // 2006-01-02T15:04:05.000000+01:00
	TimesDelta                      // since the event before
)

// second is the text of the second that was written last: of many events in a second the date is made once.
type second struct {
	unix int64
	text []byte // RFC 3339
}

// dateLen is the length of a date and a time of RFC 3339, to the second. The zone follows.
const dateLen = len("2006-01-02T15:04:05")

func (s *second) of(t time.Time, zone *time.Location) []byte {
	if t.Unix() != s.unix || len(s.text) == 0 {
		s.make(t, zone)
	}
	return s.text
}

func (s *second) make(t time.Time, zone *time.Location) {
	s.unix, s.text = t.Unix(), t.In(zone).AppendFormat(s.text[:0], time.RFC3339)
}

// appendNano appends t in UTC with all nine digits, as appendTime does.
func (s *second) appendNano(b []byte, t time.Time) []byte {
	b = append(b, s.of(t, time.UTC)[:dateLen]...)
	ns := t.Nanosecond()
	b = appendMicro(b, ns/1000)
	return append(b, '0'+byte(ns/100%10), '0'+byte(ns/10%10), '0'+byte(ns%10), 'Z')
}

// appendMicro appends a point and six digits: a third of what it takes to go through strconv, for each event.
func appendMicro(b []byte, us int) []byte {
	return append(b, '.', '0'+byte(us/100_000), '0'+byte(us/10_000%10), '0'+byte(us/1000%10), '0'+byte(us/100%10), '0'+byte(us/10%10), '0'+byte(us%10))
}

// appendTime appends the time of an event as c.times has it; CSV has one form alone.
func (c *eventCells) appendTime(b []byte, t time.Time) []byte {
	switch {
	case c.raw:
		return c.second.appendNano(b, t)
	case c.times == TimesDelta:
		return c.appendSince(b, t)
	}
	text := c.second.of(t, c.zone)
	us := t.Nanosecond() / 1000
	if c.times == TimesAbsolute {
		return append(appendMicro(append(b, text[:dateLen]...), us), text[dateLen:]...)
	}
	return appendMicro(append(b, text[len("2006-01-02T"):dateLen]...), us)
}

// appendSince appends the time from the event before to t. Events of two processors may come in the other order.
func (c *eventCells) appendSince(b []byte, t time.Time) []byte {
	if c.before.IsZero() {
		return b
	}
	d := t.Sub(c.before)
	if d < 0 {
		b, d = append(b, '-'), -d
	}
	return c.appendSpan(b, d)
}

func (c *eventCells) appendSpan(b []byte, d time.Duration) []byte {
	if c.raw {
		return appendUint(b, "", uint64(d/time.Microsecond))
	}
	return AppendDuration(b, d)
}

// AppendDuration appends d for people, in the unit that fits and the one below it, cut and not rounded: 7us,
// 1.234ms, 39.110ms, 3.210s, 2m03s, 4h05m, 3d07h.
func AppendDuration(b []byte, d time.Duration) []byte {
	const day = 24 * time.Hour
	switch {
	case d < time.Millisecond:
		return append(strconv.AppendInt(b, int64(d/time.Microsecond), 10), "us"...)
	case d < time.Second:
		return append(appendThousandths(b, int(d/time.Microsecond)), "ms"...)
	case d < time.Minute:
		return append(appendThousandths(b, int(d/time.Millisecond)), 's')
	}
	// Two numbers, what stands between them and what after.
	two := func(n, unit time.Duration, mark, end byte) []byte {
		b = strconv.AppendInt(b, int64(d/n), 10)
		return append(appendMarked(b, mark, int(d%n/unit), 1e2), end)
	}
	switch {
	case d < time.Hour:
		return two(time.Minute, time.Second, 'm', 's')
	case d < day:
		return two(time.Hour, time.Minute, 'h', 'm')
	}
	return two(day, time.Hour, 'd', 'h')
}

// appendThousandths appends n/1000 with three decimals.
func appendThousandths(b []byte, n int) []byte {
	b = strconv.AppendUint(b, uint64(n/1000), 10)
	return append(b, '.', '0'+byte(n/100%10), '0'+byte(n/10%10), '0'+byte(n%10))
}

// AppendSize appends a number of bytes for people: 999, 1.2K, 88K, 3.4M. Units are decimal, as those of filters, and what does not show is cut
// and not rounded.
func AppendSize(b []byte, n uint64) []byte {
	if n < 1000 {
		return strconv.AppendUint(b, n, 10)
	}
	unit, i := uint64(1000), 0
	for ; n/unit >= 1000; i++ {
		unit *= 1000
	}
	whole := n / unit
	b = strconv.AppendUint(b, whole, 10)
	if whole < 10 {
		b = append(b, '.', '0'+byte(n%unit*10/unit))
	}
	return append(b, "KMGTPE"[i])
}
