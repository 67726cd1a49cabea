// SPDX-License-Identifier: GPL-2.0-or-later

package view

import (
	"math"
	"math/bits"

	"netlive/internal/sock"
	"netlive/internal/table"
)

// Held is an order that stays as it was, of rows and of groups, while what the rows say goes on. It belongs to the goroutine
// that builds frames with it. It takes 22 bytes a row, 72 a group, and copies of the rows that frames showed.
type Held struct {
	index heldIndex
	rows  int
	// groups are in order, and their rows follow one another; nil when the order was flat.
	groups []heldGroup
	// shown has the rows as frames had them last, by their place: the table forgets what is closed.
	shown map[int32]*table.Row
}

type heldGroup struct {
	key        Key
	begin, end int32 // of its rows
}

// Hold fixes the order that q has at the instant now, closed groups included; its window says nothing. Frames of a query with
// Held show its rows and groups, in its order, with their present values, as far as they are selected and match now. What is
// not held is not shown: who holds without Match can have any filter later.
//
// A row that has closed since stays in its place as a ghost, whatever Query.Ghosts says. When the table has forgotten it, it
// is as it was in the last frame that Build showed it in; if there was none it is dropped.
func Hold(t *table.Table, q Query, now sock.Stamp) *Held {
	q.Offset, q.Height, q.Follow, q.Held = 0, math.MaxInt, Place{}, nil
	if q.Group != nil {
		g := *q.Group
		g.Open = nil
		q.Group = &g
	}
	f := &Frame{}
	f.begin(t, now)
	f.arrange(t, &q)
	h := &Held{shown: map[int32]*table.Row{}}
	window := f.scratch.window
	for i := range window {
		h.rows += len(window[i].entries)
	}
	h.index.init(h.rows)
	if q.Group != nil {
		h.groups = make([]heldGroup, 0, len(window))
	}
	n := int32(0)
	for i, w := range window {
		for _, e := range w.entries {
			h.index.put(heldRow{e.row.ID, n, int32(i)})
			n++
		}
		if q.Group != nil {
			h.groups = append(h.groups, heldGroup{f.scratch.groups[w.group].Key, n - int32(len(w.entries)), n})
		}
	}
	return h
}

// keep copies a row that a frame shows.
func (h *Held) keep(r *table.Row) {
	at := h.index.get(r.ID).place
	c := h.shown[at]
	if c == nil {
		c = new(table.Row)
		h.shown[at] = c
	}
	*c = *r
}

// hidden stands for a row that the table has and q does not show.
var hidden table.Row

// fill finds what the held rows are now, nil those that are not shown, and counts them in their groups if these are shown.
func (f *Frame) fill(t *table.Table, q *Query) {
	h, s := q.Held, &f.scratch
	if cap(s.held) < h.rows {
		s.held = make([]*table.Row, h.rows)
	}
	s.held, s.groups = s.held[:h.rows], s.groups[:0]
	if q.heldGroups() {
		for i := range h.groups {
			s.groups = append(s.groups, group{Group: Group{Key: h.groups[i].key}})
		}
	}
	for r := range t.Rows() {
		matched := f.count(q, r)
		if at := h.index.get(r.ID); at != nil {
			f.put(q, at, r, matched)
		} else if matched {
			f.Waiting++
		}
	}
	for r := range t.Ghosts() {
		at := h.index.get(r.ID)
		if at == nil {
			continue
		}
		if c := h.shown[at.place]; c != nil {
			*c = *r // the table will forget it
		}
		f.put(q, at, r, f.ghost(q, r))
	}
	for n, c := range h.shown {
		if s.held[n] != nil {
			continue
		}
		if c.Closed == 0 {
			// It has closed unseen: when is known as little as of what a walk does not find.
			c.Last, c.State, c.Closed = c.State, sock.Close, f.At
		}
		f.put(q, h.index.get(c.ID), c, f.ghost(q, c))
	}
	for n, r := range s.held {
		if r == &hidden {
			s.held[n] = nil
		}
	}
}

// put puts r in its place.
func (f *Frame) put(q *Query, at *heldRow, r *table.Row, shown bool) {
	s := &f.scratch
	if !shown {
		s.held[at.place] = &hidden
		return
	}
	s.held[at.place] = r
	if len(s.groups) > 0 {
		g := &s.groups[at.group]
		if g.First == nil || uint64(at.place) < g.firstPlace {
			g.First, g.firstPlace = r, uint64(at.place)
		}
		g.add(r, q.Group)
	}
}

// heldGroups reports whether the held order is shown with its groups.
func (q *Query) heldGroups() bool { return q.Held.groups != nil && q.Group != nil }

// followed is where the row that is followed is in the held order, or -1.
func (f *Frame) followed(q *Query) int {
	at := q.Held.index.get(q.Follow.ID)
	if at == nil || q.Follow.IsGroup || f.scratch.held[at.place] == nil {
		return -1
	}
	return int(at.place)
}

func (f *Frame) arrangeHeld(t *table.Table, q *Query) {
	f.fill(t, q)
	s := &f.scratch
	s.entries = s.entries[:0]
	if q.heldGroups() {
		f.arrangeHeldGroups(q)
		return
	}
	bar := f.followed(q)
	for n, r := range s.held {
		if n == bar {
			f.BarAt = f.Shown
		}
		if r != nil {
			f.Shown++
		}
	}
	lo, hi := f.frameWindow(q)
	if entries := s.take(0, len(s.held), lo, hi); len(entries) > 0 {
		s.window = append(s.window, segment{group: -1, entries: entries})
	}
}

// take returns the rows from the one to the other among those that are there between two places of the held order.
func (s *scratch) take(begin, end, from, to int) []entry {
	first, n := len(s.entries), 0
	for _, r := range s.held[begin:end] {
		if n >= to {
			break
		}
		if r == nil {
			continue
		}
		if n >= from {
			s.entries = append(s.entries, entry{row: r})
		}
		n++
	}
	return s.entries[first:]
}

func (f *Frame) arrangeHeldGroups(q *Query) {
	h, s := q.Held, &f.scratch
	s.sorted = s.sorted[:0]
	for i := range h.groups {
		s.sorted = append(s.sorted, int32(i))
	}
	f.openGroups(q)
	bar, at := f.followed(q), 0
	for i := range s.groups {
		g, of := &s.groups[i], &h.groups[i]
		switch {
		case g.lines() == 0:
		case q.Follow.IsGroup && q.Follow.Group == g.Key:
			f.BarAt = at
		case g.open && int(of.begin) <= bar && bar < int(of.end):
			f.BarAt = at + 1
			for _, r := range s.held[of.begin:bar] {
				if r != nil {
					f.BarAt++
				}
			}
		}
		at += g.lines()
	}
	lo, hi := f.frameWindow(q)
	f.lay(lo, hi, func(w *segment, _ *group, from, to int) {
		of := &h.groups[w.group]
		w.entries = s.take(int(of.begin), int(of.end), from, to)
	})
}

// heldRow is where a row is in a held order.
type heldRow struct {
	id           sock.ID // 0 is a free slot
	place, group int32
}

// heldIndex finds rows by ID: a hash table with open addresses that is filled once. A map would take twice the memory.
type heldIndex []heldRow

func (x *heldIndex) init(n int) { *x = make(heldIndex, n+n/3+1) } // three of four are taken

// slot is where id is, or would be. IDs are mostly counted up: the golden ratio spreads them.
func (x heldIndex) slot(id sock.ID) *heldRow {
	hi, _ := bits.Mul64(uint64(id)*0x9e3779b97f4a7c15, uint64(len(x)))
	for i := int(hi); ; {
		if s := &x[i]; s.id == 0 || s.id == id {
			return s
		}
		if i++; i == len(x) {
			i = 0
		}
	}
}

func (x heldIndex) put(r heldRow) { *x.slot(r.id) = r }

// get returns nil for what is not held.
func (x heldIndex) get(id sock.ID) *heldRow {
	if s := x.slot(id); s.id == id && id != 0 {
		return s
	}
	return nil
}
