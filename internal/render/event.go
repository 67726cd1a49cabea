// SPDX-License-Identifier: GPL-2.0-or-later

package render

import (
	"strconv"
	"time"
	"unicode/utf8"

	"netlive/internal/sock"
)

// EventLines writes the lines of netlive trace: columns that stay in place, unknown shown as -.
type EventLines struct {
	Color    bool
	Location *time.Location // of the times; nil is UTC
	// Places are columns at the end.
	Places *Places
}

// The columns' widths in bytes. IPv6 ends may be longer and push their line.
const (
	widthTime    = 15
	widthProcess = 15
	widthPID     = 7
	widthEnd     = 21
	widthState   = 11
	widthInOld   = 8 // with columns behind it
)

const (
	sgrReset = "\x1b[m"
	sgrWarn  = "\x1b[1;31m"
	sgrOpen  = "\x1b[32m"
	sgrClose = "\x1b[33m"
)

// Header appends the column heads.
func (l *EventLines) Header(b []byte) []byte {
	at := len(b)
	column := func(name string, width int) {
		b = append(padTo(append(b, name...), at, width), ' ')
		at = len(b)
	}
	column("TIME", widthTime)
	column("PROCESS", widthProcess)
	b = append(b, "    PID "...)
	at = len(b)
	column("LOCAL", widthEnd)
	column("REMOTE", widthEnd)
	column("OLD", widthState)
	column("NEW", widthState)
	b = append(b, "IN-OLD"...)
	if l.Places != nil {
		b = l.Places.appendHeads(padTo(b, at, widthInOld), "NETNS", "UNIT")
	}
	return append(b, '\n')
}

// Append appends the line of e.
func (l *EventLines) Append(b []byte, e *sock.Event) []byte {
	b = append(l.appendClock(b, e.Time), ' ')
	if e.Kind == sock.EventLost {
		return l.appendLost(b, e.Lost)
	}
	s := &e.Socket
	b = append(appendProcess(b, &s.Owner), ' ')
	at := len(b)
	b = append(padTo(appendTraceEnd(b, s, false), at, widthEnd), ' ')
	at = len(b)
	b = append(padTo(appendTraceEnd(b, s, true), at, widthEnd), ' ')
	at = len(b)
	b = append(padTo(appendEventState(b, e.Old), at, widthState), ' ')
	at = len(b)
	if color := l.stateColor(s.State); color != "" {
		b = append(appendEventState(append(b, color...), s.State), sgrReset...)
		at += len(color) + len(sgrReset)
	} else {
		b = appendEventState(b, s.State)
	}
	b = append(padTo(b, at, widthState), ' ')
	at = len(b)
	if e.InOld < 0 {
		b = append(b, '-')
	} else {
		b = AppendDuration(b, e.InOld)
	}
	if l.Places != nil {
		b = l.Places.appendColumns(padTo(b, at, widthInOld), s, true)
	}
	return append(b, '\n')
}

// appendProcess appends the columns of the process.
func appendProcess(b []byte, o *sock.Owner) []byte {
	at := len(b)
	if !o.Known() {
		return append(padTo(append(b, '-'), at, widthProcess), "       -"...)
	}
	switch comm := o.Comm.Bytes(); {
	case len(comm) == 0:
		b = append(b, '-')
	case plain(comm):
		b = append(b, comm...)
	default:
		b = AppendEscaped(b, string(comm))
		at += len(b[at:]) - utf8.RuneCount(b[at:]) // a rune is one column, nearly always
	}
	return appendRight(append(padTo(b, at, widthProcess), ' '), uint64(o.PID), widthPID)
}

func appendEventState(b []byte, s sock.State) []byte {
	if s == sock.StateNone {
		return append(b, '-')
	}
	return append(b, s.String()...)
}

func (l *EventLines) stateColor(s sock.State) string {
	switch {
	case !l.Color:
	case s == sock.Established, s == sock.Listen:
		return sgrOpen
	case s == sock.Close:
		return sgrClose
	}
	return ""
}

func (l *EventLines) appendLost(b []byte, n uint64) []byte {
	if l.Color {
		b = append(b, sgrWarn...)
	}
	b = append(b, "*** "...)
	b = strconv.AppendUint(b, n, 10)
	b = append(b, " events lost: the buffer was full ***"...)
	if l.Color {
		b = append(b, sgrReset...)
	}
	return append(b, '\n')
}

func (l *EventLines) appendClock(b []byte, t time.Time) []byte {
	if l.Location == nil {
		t = t.UTC()
	} else {
		t = t.In(l.Location)
	}
	// Half of what AppendFormat costs, which reads its layout anew each time.
	hour, minute, second := t.Clock()
	b = append(b, byte('0'+hour/10), byte('0'+hour%10))
	b = appendMarked(b, ':', minute, 1e2)
	b = appendMarked(b, ':', second, 1e2)
	return appendMarked(b, '.', t.Nanosecond()/1000, 1e6)
}

// appendTraceEnd appends one end by numbers: trace waits for no resolver. IPv6 addresses have brackets,
// and a port that is not known yet is *. A socket without addresses has -.
func appendTraceEnd(b []byte, s *sock.Socket, remote bool) []byte {
	end := s.Local
	if remote {
		end = s.Remote
	}
	switch addr := end.Addr(); {
	case !addr.IsValid():
		return append(b, '-')
	case addr.Is6() && !addr.Is4In6():
		b = append(appendAddr(append(b, '['), addr), ']')
	default:
		b = appendAddr(b, addr)
	}
	return appendPort(append(b, ':'), Numeric{}, s.Proto, end.Port())
}

// AppendDuration appends d for people, in the unit that fits and the one below it, cut and not rounded: 7us,
// 1.234ms, 39.110ms, 3.210s, 2m03s, 4h05m, 3d07h.
func AppendDuration(b []byte, d time.Duration) []byte {
	const day = 24 * time.Hour
	// Two numbers, what stands between them and what after.
	two := func(n, unit time.Duration, mark byte, bound int, end string) []byte {
		b = strconv.AppendInt(b, int64(d/n), 10)
		return append(appendMarked(b, mark, int(d%n/unit), bound), end...)
	}
	switch {
	case d < time.Millisecond:
		return append(strconv.AppendInt(b, int64(d/time.Microsecond), 10), "us"...)
	case d < time.Second:
		return two(time.Millisecond, time.Microsecond, '.', 1e3, "ms")
	case d < time.Minute:
		return two(time.Second, time.Millisecond, '.', 1e3, "s")
	case d < time.Hour:
		return two(time.Minute, time.Second, 'm', 1e2, "s")
	case d < day:
		return two(time.Hour, time.Minute, 'h', 1e2, "m")
	}
	return two(day, time.Hour, 'd', 1e2, "h")
}
