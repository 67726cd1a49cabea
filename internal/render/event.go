// SPDX-License-Identifier: GPL-2.0-or-later

package render

import (
	"strconv"
	"time"

	"netlive/internal/sock"
)

// EventLines writes the lines of netlive trace: columns that stay in place, unknown shown as -.
type EventLines struct {
	Color    bool
	Location *time.Location // of the times; nil is UTC
}

// The columns' widths in bytes. IPv6 ends may be longer and push their line.
const (
	widthTime    = 15
	widthProcess = 15
	widthPID     = 7
	widthEnd     = 21
	widthState   = 11
)

const (
	sgrReset = "\x1b[m"
	sgrDim   = "\x1b[2m"
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
	return append(b, "IN-OLD\n"...)
}

// Append appends the line of e.
func (l *EventLines) Append(b []byte, e *sock.Event) []byte {
	b = append(l.appendClock(b, e.Time), ' ')
	if e.Kind == sock.EventLost {
		return l.appendLost(b, e.Lost)
	}
	s := &e.Socket
	at := len(b)
	if s.Owner.Known() {
		if comm := s.Owner.Comm.Bytes(); plain(comm) {
			b = append(b, comm...)
		} else {
			b = AppendEscaped(b, string(comm))
		}
		b = append(padTo(b, at, widthProcess), ' ')
		b = appendRight(b, uint64(s.Owner.PID), widthPID)
	} else {
		b = append(padTo(append(b, '-'), at, widthProcess), "       -"...)
	}
	b = append(b, ' ')
	at = len(b)
	b = append(padTo(appendTraceEnd(b, s, false), at, widthEnd), ' ')
	at = len(b)
	b = append(padTo(appendTraceEnd(b, s, true), at, widthEnd), ' ')
	at = len(b)
	b = append(padTo(append(b, e.Old.String()...), at, widthState), ' ')
	at = len(b)
	if color := l.stateColor(s.State); color != "" {
		b = append(append(append(b, color...), s.State.String()...), sgrReset...)
		at += len(color) + len(sgrReset)
	} else {
		b = append(b, s.State.String()...)
	}
	b = append(padTo(b, at, widthState), ' ')
	if e.InOld < 0 {
		b = append(b, '-')
	} else {
		b = AppendDuration(b, e.InOld)
	}
	return append(b, '\n')
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
	return t.AppendFormat(b, "15:04:05.000000")
}

// appendTraceEnd appends one end by numbers: trace waits for no resolver. IPv6 addresses have brackets,
// and a port that is not known yet is *.
func appendTraceEnd(b []byte, s *sock.Socket, remote bool) []byte {
	end := s.Local
	if remote {
		end = s.Remote
	}
	addr := end.Addr().Unmap()
	if addr.Is6() {
		b = append(addr.AppendTo(append(b, '[')), ']')
	} else {
		b = addr.AppendTo(b)
	}
	return appendPort(append(b, ':'), Numeric{}, s.Proto, end.Port())
}

// AppendDuration appends d for people: four digits or so, in the unit that fits. 7us, 1.234ms, 39.11ms,
// 3.210s, 2m03s, 4h05m, 3d07h.
func AppendDuration(b []byte, d time.Duration) []byte {
	two := func(n int64) {
		b = append(b, byte('0'+n/10), byte('0'+n%10))
	}
	switch {
	case d < time.Millisecond:
		return append(strconv.AppendInt(b, int64(d/time.Microsecond), 10), "us"...)
	case d < time.Second:
		return append(strconv.AppendFloat(b, float64(d.Truncate(time.Microsecond))/float64(time.Millisecond), 'f', 3, 64), "ms"...)
	case d < time.Minute:
		return append(strconv.AppendFloat(b, float64(d.Truncate(time.Millisecond))/float64(time.Second), 'f', 3, 64), 's')
	case d < time.Hour:
		b = append(strconv.AppendInt(b, int64(d/time.Minute), 10), 'm')
		two(int64(d % time.Minute / time.Second))
		return append(b, 's')
	case d < 24*time.Hour:
		b = append(strconv.AppendInt(b, int64(d/time.Hour), 10), 'h')
		two(int64(d % time.Hour / time.Minute))
		return append(b, 'm')
	}
	b = append(strconv.AppendInt(b, int64(d/(24*time.Hour)), 10), 'd')
	two(int64(d % (24 * time.Hour) / time.Hour))
	return append(b, 'h')
}
