// SPDX-License-Identifier: GPL-2.0-or-later

package render

import (
	"fmt"
	"strings"
	"time"

	"netlive/internal/sock"
)

// EventColumn is a column of event lines and of CSV. Those that there are: ParseEventColumns, AllEventColumns.
type EventColumn struct {
	// Name is what --columns takes and CSV has for a head; Doc says what it is, in a few words, for a help text.
	Name, Doc string

	head  string
	width int
	// right: to the right, as numbers are. full: to its width at the end of a line too. free: it may have any characters, the user's or the kernel's.
	right, full, free bool
	paint             paint
	// derived: CSV has it when it is asked for by name alone, because other columns say the same.
	derived bool
	needs   need
	// kinds are those of which the column is known.
	kinds sock.EventSet
	// cell appends the value; nothing when it is not known.
	cell func(c *eventCells, b []byte, e *sock.Event) []byte
}

// need says which function of Places a column asks.
type need uint8

const (
	needNothing need = iota
	needSpace
	needUnit
)

func (p *Places) gives(n need) bool {
	switch n {
	case needSpace:
		return p != nil && p.Space != nil
	case needUnit:
		return p != nil && p.Unit != nil
	}
	return true
}

// paint says whose colour a column has.
type paint uint8

const (
	paintNone paint = iota
	paintEvent
	paintState
)

// EventColumns are columns in their order.
type EventColumns []EventColumn

// Has reports whether c has a column of that name.
func (c EventColumns) Has(name string) bool { return c.find(name) != nil }

func (c EventColumns) find(name string) *EventColumn {
	for i := range c {
		if c[i].Name == name {
			return &c[i]
		}
	}
	return nil
}

// Names are the columns' names.
func (c EventColumns) Names() []string {
	names := make([]string, len(c))
	for i := range c {
		names[i] = c[i].Name
	}
	return names
}

// AllEventColumns are all columns that there are, in the order of CSV.
func AllEventColumns() EventColumns { return eventColumns[:len(eventColumns):len(eventColumns)] }

// ParseEventColumns finds columns by their names, in any case; - and _ within them mean nothing, so that JSON's min_rtt is minrtt. The error says
// which there are.
func ParseEventColumns(names []string) (EventColumns, error) {
	columns := make(EventColumns, 0, len(names))
	for _, name := range names {
		c := eventColumns.find(strings.NewReplacer("-", "", "_", "").Replace(strings.ToLower(strings.TrimSpace(name))))
		if c == nil {
			return nil, fmt.Errorf("no column is called %q; there are %s", name, strings.Join(eventColumns.Names(), ", "))
		}
		columns = append(columns, *c)
	}
	if len(columns) == 0 {
		return nil, fmt.Errorf("no column is named; there are %s", strings.Join(eventColumns.Names(), ", "))
	}
	return columns, nil
}

// newsOnly are the kinds that have no columns of their own, or no line.
const newsOnly sock.EventSet = 1<<sock.EventLost | 1<<sock.EventResync | 1<<sock.EventOwner | 1<<sock.EventStale

// wideLines is from how many columns of the terminal on a line of the usual columns has room for a reason.
const wideLines = 116

// LineColumns are the columns of lines for those kinds of events, when nothing else is asked for: those of changes of state when there is nothing
// else, or those of connections. width is what the terminal has, 0 any: on a narrow one the local end, the PID and the bytes go.
func LineColumns(kinds sock.EventSet, places *Places, width int) EventColumns {
	narrow := width > 0 && width < wideLines
	names := "time event process pid local remote duration sent received netnsname unit why"
	switch states := kinds&^newsOnly&^sock.Events(sock.EventState) == 0; {
	case states && narrow:
		names = "time process remote old new netnsname unit"
	case states:
		names = "time process pid local remote old new inold netnsname unit"
	case narrow:
		names = "time event process remote duration netnsname unit why"
	}
	var columns EventColumns
	for name := range strings.FieldsSeq(names) {
		c := *eventColumns.find(name)
		if name == "event" {
			c.width = len("accept")
			for k := sock.EventNone; k <= sock.EventBind; k++ {
				if kinds.Has(k) {
					c.width = max(c.width, len(k.String()))
				}
			}
		}
		if places.gives(c.needs) {
			columns = append(columns, c)
		}
	}
	return columns
}

// CSVColumns are the columns of CSV for those kinds of events, when nothing else is asked for: all that these kinds have values for, in one order whatever the
// kinds, but for columns that say again what others say.
func CSVColumns(kinds sock.EventSet, places *Places) EventColumns {
	var columns EventColumns
	kinds |= sock.Events(sock.EventLost, sock.EventResync) // nobody asks for those
	for _, c := range eventColumns {
		if !c.derived && c.kinds.Any(kinds) && places.gives(c.needs) {
			columns = append(columns, c)
		}
	}
	return columns
}

// eventCells are the values of columns.
type eventCells struct {
	columns EventColumns
	places  *Places
	names   Names
	raw     bool // numbers without units, for machines
	times   EventTimes
	zone    *time.Location
	second  second
	before  time.Time // of the event before
	skew    int       // by how many the bytes of the last cell are more than its characters
}

func newEventCells(columns EventColumns, places *Places, names Names) eventCells {
	if names == nil {
		names = Numeric{}
	}
	return eventCells{columns: columns, places: places, names: names, zone: time.UTC}
}
