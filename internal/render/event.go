// SPDX-License-Identifier: GPL-2.0-or-later

package render

import (
	"time"

	"netlive/internal/sock"
)

// EventLines writes the lines of netlive trace: columns that stay in place, unknown shown as -. Its fields are set before the first use.
type EventLines struct {
	Color    bool
	Location *time.Location // of the times; nil is UTC
	Times    EventTimes
	// Width is how many columns the terminal has, 0 when there is none. Select looks at it.
	Width int
	// Columns are what a line has; nil is LineColumns of changes of state.
	Columns EventColumns
	// Places and Names are asked by the columns that need them; without Names users are numbers.
	Places *Places
	Names  Names

	cells eventCells
	time  EventColumn // as Times has it
	ready bool
	stack bool // a column has the stack
}

const (
	sgrReset   = "\x1b[m"
	sgrWarn    = "\x1b[1;31m"
	sgrBad     = "\x1b[31m"
	sgrOpen    = "\x1b[32m"
	sgrClose   = "\x1b[33m"
	sgrRetrans = "\x1b[35m"
)

// The widths of times.
const (
	widthAbsolute = len("2006-01-02T15:04:05.000000+01:00")
	widthDelta    = len("999.999ms")
)

// Select sets the columns: those that are named, or without names those that LineColumns has for the kinds. Places is set before.
func (l *EventLines) Select(kinds sock.EventSet, names []string) (err error) {
	l.Columns, err = selectColumns(names, LineColumns(kinds, l.Places, l.Width))
	return err
}

func selectColumns(names []string, without EventColumns) (EventColumns, error) {
	if len(names) == 0 {
		return without, nil
	}
	return ParseEventColumns(names)
}

func (l *EventLines) prepare() {
	l.ready = true
	columns := l.Columns
	if len(columns) == 0 {
		columns = LineColumns(sock.Events(sock.EventState), l.Places, 0)
	}
	columns = append(EventColumns(nil), columns...)
	l.time = *eventColumns.find("time")
	switch l.Times {
	case TimesAbsolute:
		l.time.width = widthAbsolute
	case TimesDelta:
		l.time.head, l.time.width, l.time.right = "DELTA", widthDelta, true
	}
	for i := range columns {
		if columns[i].Name == l.time.Name {
			columns[i] = l.time
		}
	}
	if last := &columns[len(columns)-1]; !last.right && !last.full {
		last.width = 0
	}
	l.cells = newEventCells(columns, l.Places, l.Names)
	l.cells.times = l.Times
	if l.Location != nil {
		l.cells.zone = l.Location
	}
	l.stack = columns.Has("stack")
}

// Header appends the column heads.
func (l *EventLines) Header(b []byte) []byte {
	if !l.ready {
		l.prepare()
	}
	columns := l.cells.columns
	for i := range columns {
		at := len(b)
		b = columns[i].pad(append(b, columns[i].head...), at, len(columns[i].head))
	}
	b[len(b)-1] = '\n'
	return b
}

// Append appends the line of e, and below it the lines of its stack.
func (l *EventLines) Append(b []byte, e *sock.Event) []byte {
	if !l.ready {
		l.prepare()
	}
	switch e.Kind {
	case sock.EventLost, sock.EventResync:
		b = l.appendNotice(b, e)
	default:
		b = l.appendCells(b, e)
	}
	l.cells.before = e.Time
	return b
}

func (l *EventLines) appendCells(b []byte, e *sock.Event) []byte {
	for i := range l.cells.columns {
		c := &l.cells.columns[i]
		at := len(b)
		if c.kinds.Has(e.Kind) {
			b = c.cell(&l.cells, b, e)
		}
		if len(b) == at {
			b = append(b, '-')
		}
		width := len(b) - at - l.cells.skew
		l.cells.skew = 0
		if l.Color && c.paint != paintNone {
			b = appendColored(b, at, c.paint.color(e))
		}
		b = c.pad(b, at, width)
	}
	b[len(b)-1] = '\n' // it was a blank before the next column
	if !l.stack {
		for _, frame := range e.Stack {
			b = append(b, "    "...)
			b = append(appendSafe(b, frame), '\n')
		}
	}
	return b
}

// appendColored puts color before what begins at at, and its end behind it.
func appendColored(b []byte, at int, color string) []byte {
	if color == "" {
		return b
	}
	end := len(b)
	b = append(append(b, color...), sgrReset...)
	copy(b[at+len(color):], b[at:end])
	copy(b[at:], color)
	return b
}

// pad fills the column whose text begins at at and is width characters wide, and appends the blank before the next. What is coloured is to the left.
func (c *EventColumn) pad(b []byte, at, width int) []byte {
	blanks := max(c.width-width, 0)
	b = appendBlanks(b, blanks+1)
	if c.right {
		copy(b[at+blanks:], b[at:len(b)-1-blanks])
		for i := range blanks {
			b[at+i] = ' '
		}
		b[len(b)-1] = ' '
	}
	return b
}

// appendNotice appends the line of what is no socket's.
func (l *EventLines) appendNotice(b []byte, e *sock.Event) []byte {
	at := len(b)
	if b = l.cells.appendTime(b, e.Time); len(b) == at {
		b = append(b, '-') // a first delta
	}
	b = l.time.pad(b, at, len(b)-at)
	color := l.Color && e.Kind == sock.EventLost
	if color {
		b = append(b, sgrWarn...)
	}
	b = append(appendWhy(append(b, "*** "...), e), " ***"...)
	if color {
		b = append(b, sgrReset...)
	}
	return append(b, '\n')
}

// eventColors are the colours of kinds of events.
var eventColors = [...]string{
	sock.EventListen: sgrOpen, sock.EventOpen: sgrOpen, sock.EventAccept: sgrOpen,
	sock.EventClose: sgrClose, sock.EventRetransmit: sgrRetrans,
	sock.EventFail: sgrBad, sock.EventReset: sgrBad, sock.EventDrop: sgrBad, sock.EventOverflow: sgrBad, sock.EventError: sgrBad,
	sock.EventLost: sgrWarn,
}

func (p paint) color(e *sock.Event) string {
	switch s := e.Socket.State; {
	case p == paintEvent && int(e.Kind) < len(eventColors):
		return eventColors[e.Kind]
	case p == paintState && (s == sock.Established || s == sock.Listen):
		return sgrOpen
	case p == paintState && s == sock.Close:
		return sgrClose
	}
	return ""
}

// appendSafe appends what a stranger may have named so that it can do nothing to a terminal.
func appendSafe[T string | []byte](b []byte, name T) []byte {
	at := len(b)
	b = append(b, name...)
	if plain(b[at:]) {
		return b
	}
	return AppendEscaped(b[:at], string(name))
}
