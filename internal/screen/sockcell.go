// SPDX-License-Identifier: GPL-2.0-or-later

package screen

import (
	"cmp"
	"fmt"
	"strconv"
	"time"

	"netlive/internal/history"
	"netlive/internal/meter"
	"netlive/internal/render"
	"netlive/internal/sock"
	"netlive/internal/table"
)

func queueCell(of func(sock.Queue) uint32) func(*Words, *look, *row) cell {
	return func(_ *Words, _ *look, r *row) cell {
		if r.Ghost || r.Unix != nil {
			return plain("")
		}
		return plain(fmt.Sprint(of(r.Queue)))
	}
}

func stateCell(_ *Words, _ *look, r *row) cell {
	if r.Ghost {
		return plain(endingWord(r.Ending))
	}
	text := sock.StateName(r.Proto, r.State)
	switch {
	case !sock.ProtosTCP.Has(r.Proto):
	case r.State == sock.Established || r.State == sock.Listen:
		return styled(text, PartOpen)
	case r.State != sock.TimeWait:
		return styled(text, PartClosing)
	}
	return plain(text)
}

func readingCell(of func(*meter.Reading) cell) func(*Words, *look, *row) cell {
	return func(_ *Words, _ *look, r *row) cell {
		switch {
		case r.Ghost || !sock.ProtosTCP.Has(r.Proto):
			return plain("")
		case r.State == sock.Listen:
			return plain("")
		case r.reading == nil:
			return plain("-")
		}
		return of(r.reading)
	}
}

func rateCell(of func(*meter.Reading) float64) func(*Words, *look, *row) cell {
	return readingCell(func(r *meter.Reading) cell { return rawCell(rate(of(r)), int64(of(r)+0.5)) })
}

func countCell(of func(*history.ListenerCounts) cell) func(*Words, *look, *row) cell {
	return func(_ *Words, _ *look, r *row) cell {
		switch {
		case r.State != sock.Listen || r.Ghost:
			return plain("")
		case r.counts == nil:
			return plain("-")
		}
		return of(r.counts)
	}
}

func byReading(of func(*meter.Reading) float64) func(*measures, *table.Row, *table.Row) int {
	return func(m *measures, a, b *table.Row) int {
		value := func(r *table.Row) float64 {
			reading, ok := m.reading(r.ID)
			if !ok {
				return -2 // less than what is not known of one that was measured
			}
			return of(&reading)
		}
		return cmp.Compare(value(a), value(b))
	}
}

func byCounts(of func(history.ListenerCounts) float64) func(*measures, *table.Row, *table.Row) int {
	return func(m *measures, a, b *table.Row) int {
		value := func(r *table.Row) float64 {
			if m.counts == nil || r.State != sock.Listen {
				return -1
			}
			return of(m.counts(r))
		}
		return cmp.Compare(value(a), value(b))
	}
}

// rawCell is a number for people with the same for machines; below 0 it is not known.
func rawCell(text string, n int64) cell {
	c := plain(text)
	if c.raw = "-"; n >= 0 {
		c.raw = strconv.FormatInt(n, 10)
	}
	return c
}

// span is a duration for people, in four or five characters: 55us, 1.23ms, 39ms, 2.8s, 12s, 2m03s, 4h05m, 3d07h.
func span(d time.Duration) string {
	decimals := func(unit time.Duration, name string) string {
		value := float64(d) / float64(unit)
		if value < 9.95 {
			return strconv.FormatFloat(value, 'f', 1, 64) + name
		}
		return strconv.FormatInt(int64(value+0.5), 10) + name
	}
	switch {
	case d < time.Millisecond:
		return strconv.FormatInt(d.Microseconds(), 10) + "us"
	case d < time.Second-time.Millisecond/2:
		return decimals(time.Millisecond, "ms")
	case d < time.Minute-time.Second/2:
		return decimals(time.Second, "s")
	}
	return string(render.AppendDuration(nil, d))
}
func size(n uint64) string { return string(render.AppendSize(nil, n)) }

// age is how old something is that grows older, no finer than what is worth drawing the screen anew for, and in what time it reads otherwise.
func age(d time.Duration) (text string, again time.Duration) {
	const day = 24 * time.Hour
	unit, name := time.Second, "s"
	switch {
	case d >= day:
		unit, name = day, "d"
	case d >= time.Hour:
		unit, name = time.Hour, "h"
	case d >= time.Minute:
		unit, name = time.Minute, "m"
	}
	return strconv.FormatInt(int64(d/unit), 10) + name, unit - d%unit
}

// rate is bytes a second for people; negative is not known.
func rate(bytesPerSecond float64) string {
	if bytesPerSecond < 0 {
		return "-"
	}
	return size(uint64(bytesPerSecond + 0.5))
}

// sparkline draws what was sent and received together, the newest on the right.
func sparkline(r *meter.Reading, width int, ascii bool) string {
	n := min(len(r.Tx), len(r.Rx), width)
	values := make([]float32, n)
	for i := range values {
		values[i] = r.Tx[len(r.Tx)-n+i] + r.Rx[len(r.Rx)-n+i]
	}
	return string(render.AppendSparkline(nil, values, width, ascii))
}
