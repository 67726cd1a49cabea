// SPDX-License-Identifier: GPL-2.0-or-later

package screen

import (
	"netlive/internal/history"
	"netlive/internal/meter"
	"netlive/internal/sock"
	"netlive/internal/table"
	"netlive/internal/view"
)

// detail is all that is known of one socket.
type detail struct {
	row  table.Row
	gone bool // not in the table any more: as it was when it was last seen
	peer view.Line
	// ofProcess and ofHost are how many other sockets its process has, and how many connections there are with its other side's host.
	ofProcess, ofHost int
	spans             []history.Span
	events            []sock.Event
	reading           *meter.Reading
	counts            *history.ListenerCounts
	now               sock.Stamp
}

// detailEvents is how many events of a connection are shown at most.
const detailEvents = 64

// detail collects what is known of a socket; nil when it never was in the table.
func (w *window) detail(t *table.Table, id sock.ID, now sock.Stamp) *detail {
	d := &detail{now: now}
	if r := t.Get(id); r != nil {
		d.row = *r
	} else {
		found := false
		for r := range t.Ghosts() {
			if r.ID == id {
				d.row, found = *r, true
			}
		}
		last, seen := w.seen(id)
		switch {
		case found:
		case seen:
			d.row = last
		default:
			return nil
		}
		d.gone = true
	}
	w.keep(&d.row)
	d.events = w.log.Of(id, detailEvents)
	d.spans = history.Timeline(w.log, &d.row, now)
	for r := range t.Rows() {
		if r.ID == id {
			continue
		}
		if d.row.Owner.Known() && r.Owner.PID == d.row.Owner.PID && r.Owner.Start == d.row.Owner.Start {
			d.ofProcess++
		}
		if d.row.Remote.Port() != 0 && r.Remote.Port() != 0 && r.Remote.Addr() == d.row.Remote.Addr() {
			d.ofHost++
		}
	}
	if !d.gone {
		if sock.ProtosTCP.Has(d.row.Proto) && w.of.Meter != nil {
			w.of.Meter.Want([]sock.Socket{d.row.Socket}, nil)
		}
		if d.row.State == sock.Listen {
			c := w.countsOf(&d.row, now)
			d.counts = &c
		}
		d.peer = w.peer(t, &d.row, now)
	}
	if r, ok := w.reading(id); ok {
		d.reading = &r
		w.lastReading = d.reading
	} else if w.lastReading != nil && d.gone {
		d.reading = w.lastReading
	}
	return d
}

// peer is the row of the other end of a connection, when it is on this machine.
func (w *window) peer(t *table.Table, r *table.Row, now sock.Stamp) view.Line {
	var f view.Frame
	id := r.ID
	view.Build(t, view.Query{Select: func(s *sock.Socket) bool { return s.ID == id }, Height: 1, Peers: true}, now, &f)
	if len(f.Rows) == 1 {
		return f.Rows[0]
	}
	return view.Line{}
}

// keep remembers the row that is looked at: the table forgets it a while after it is closed.
func (w *window) keep(r *table.Row) {
	if w.lookedAt.ID != r.ID {
		w.lastReading = nil
	}
	w.lookedAt = *r
}

func (w *window) seen(id sock.ID) (table.Row, bool) {
	return w.lookedAt, w.lookedAt.ID == id && id != 0
}
