// SPDX-License-Identifier: GPL-2.0-or-later

// Package view picks the rows that a screen shows and puts them in order. A
// Frame holds copies, so that it can be drawn by another goroutine while the
// table moves on.
//
// One pass over the table counts, and collects what may be in the window; only
// that is sorted. It is cheap enough to begin anew for each frame, so there
// is no order to keep up to date.
package view

import (
	"time"

	"netlive/internal/sock"
	"netlive/internal/table"
)

// Highlight is for how long a change is fresh.
const Highlight = 2 * time.Second

// Query says what to show.
type Query struct {
	Select func(*sock.Socket) bool // nil selects all
	// Match is asked about those that Select selects, and says which of them are shown; nil is all. Frames count both.
	Match func(*sock.Socket) bool
	// Offset is the first row of the window and Height the number of rows in it.
	// An Offset beyond the end moves back so that the window is full, as far as
	// there are rows.
	Offset, Height int
	Ghosts         bool // show closed rows in the place where they were
}

// Line is one row of a frame.
type Line struct {
	table.Row
	Fresh bool // changed within the highlight time
	Ghost bool
}

// Frame is what a screen shows at one instant. The same Frame can be built again and again; it keeps its memory.
type Frame struct {
	Rows   []Line
	Offset int // of the first of Rows among the shown
	Shown  int // rows that there are to show, with their ghosts if asked for
	// Total is the sockets that were selected, and Matched those of them that matched; without ghosts.
	Total, Matched int
	At             sock.Stamp // the instant
	// ByState counts the matched TCP sockets in each state, without ghosts.
	ByState [sock.StateCount]int
	// Version is the table's: while it stays and nothing fades, so does the frame.
	Version uint64

	// Again is when the frame must be built again though the table stays the
	// same: a row is fresh no more. 0 is never.
	Again sock.Stamp

	picked picker
}

// Build makes f what q shows of t at the instant now.
func Build(t *table.Table, q Query, now sock.Stamp, f *Frame) {
	Each(t, q, now, f, func(l *Line) { f.Rows = append(f.Rows, *l) })
}

// Each calls do with the rows that Build would put into f, which has all but them: for who wants all rows of a table and
// keeps none. The line is do's until it returns.
func Each(t *table.Table, q Query, now sock.Stamp, f *Frame, do func(*Line)) {
	// Rows that are not used again must not hold on to their strings.
	clear(f.Rows)
	f.Rows = f.Rows[:0]
	f.At, f.Again, f.Version = now, 0, t.Version()
	f.ByState = [sock.StateCount]int{}
	most := t.Len() + table.GhostsMax
	offset, height := min(max(q.Offset, 0), most), min(max(q.Height, 0), most)
	f.picked.begin(offset + height)
	f.Total, f.Matched = 0, 0
	for r := range t.Rows() {
		if q.Select != nil && !q.Select(&r.Socket) {
			continue
		}
		f.Total++
		if q.Match != nil && !q.Match(&r.Socket) {
			continue
		}
		f.Matched++
		if sock.ProtosTCP.Has(r.Proto) && r.State.Valid() {
			f.ByState[r.State]++
		}
		f.picked.offer(r)
	}
	f.Shown = f.Matched
	if q.Ghosts {
		for r := range t.Ghosts() {
			if q.ghost(r) {
				f.Shown++
				f.picked.offer(r)
			}
		}
	}
	height = min(height, f.Shown)
	f.Offset = min(offset, f.Shown-height)
	var l Line
	for _, e := range f.picked.window(f.Offset, f.Offset+height) {
		l = f.line(e.row)
		do(&l)
	}
	f.picked.end()
}

func (f *Frame) line(r *table.Row) Line {
	l := Line{Row: *r, Ghost: r.Closed != 0}
	if fades := r.Changed + sock.Stamp(Highlight); r.Changed != 0 && f.At < fades {
		l.Fresh = true
		if f.Again == 0 || fades < f.Again {
			f.Again = fades
		}
	}
	return l
}

// ghost asks about the row as it was: a filter by state should show
// what becomes of the sockets that it showed.
func (q *Query) ghost(r *table.Row) bool {
	s := r.Socket
	s.State = r.Last
	return (q.Select == nil || q.Select(&s)) && (q.Match == nil || q.Match(&s))
}
