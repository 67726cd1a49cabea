// SPDX-License-Identifier: GPL-2.0-or-later

package render

import (
	"bytes"

	"netlive/internal/sock"
)

// EventCSV writes events as CSV (RFC 4180, but that lines end as Unix's do): a head with the columns' names, then numbers without units (microseconds, bytes),
// times in UTC as JSON has them, and nothing for what is not known. What a stranger named is escaped as it is in lines. Its fields are set before the
// first use.
type EventCSV struct {
	// Columns are what a record has; nil is CSVColumns of changes of state.
	Columns EventColumns
	// Places and Names are asked by the columns that need them; without Names users are numbers.
	Places *Places
	Names  Names

	cells eventCells
	ready bool
}

// Select sets the columns: those that are named, or without names those that CSVColumns has for the kinds. Places is set before.
func (c *EventCSV) Select(kinds sock.EventSet, names []string) (err error) {
	c.Columns, err = selectColumns(names, CSVColumns(kinds, c.Places))
	return err
}

func (c *EventCSV) prepare() {
	if c.ready {
		return
	}
	c.ready = true
	columns := c.Columns
	if columns == nil {
		columns = CSVColumns(sock.Events(sock.EventState), c.Places)
	}
	c.cells = newEventCells(columns, c.Places, c.Names)
	c.cells.raw = true
}

// Header appends the columns' names.
func (c *EventCSV) Header(b []byte) []byte {
	c.prepare()
	for i := range c.cells.columns {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, c.cells.columns[i].Name...)
	}
	return append(b, '\n')
}

// Append appends the record of e. What was lost, and that it was made good, are records too.
func (c *EventCSV) Append(b []byte, e *sock.Event) []byte {
	c.prepare()
	begin := len(b)
	for i := range c.cells.columns {
		col := &c.cells.columns[i]
		if i > 0 {
			b = append(b, ',')
		}
		at := len(b)
		if col.kinds.Has(e.Kind) {
			b = col.cell(&c.cells, b, e)
		}
		if col.free {
			b = quote(b, at)
		}
	}
	c.cells.before = e.Time
	if len(b) == begin {
		b = append(b, `""`...) // an empty line would be no record
	}
	return append(b, '\n')
}

// quote puts quotes around the field that begins at at, if it needs them.
func quote(b []byte, at int) []byte {
	field := b[at:]
	if len(field) == 0 || field[0] != ' ' && bytes.IndexByte(field, ',') < 0 && bytes.IndexByte(field, '"') < 0 {
		return b // ends of lines are escaped
	}
	end := len(b)
	b = appendBlanks(b, 2+bytes.Count(field, []byte{'"'}))
	to := len(b) - 1
	b[to] = '"'
	for from := end - 1; from >= at; from-- {
		to--
		b[to] = b[from]
		if b[from] == '"' {
			to--
			b[to] = '"'
		}
	}
	b[at] = '"'
	return b
}
