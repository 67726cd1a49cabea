// SPDX-License-Identifier: GPL-2.0-or-later

package view

import (
	"netlive/internal/sock"
	"netlive/internal/table"
)

// each calls do with the rows that q shows, in no particular order, and counts what they are of.
func (f *Frame) each(t *table.Table, q *Query, do func(*table.Row)) {
	for r := range t.Rows() {
		if f.count(q, r) {
			do(r)
		}
	}
	if !q.Ghosts {
		return
	}
	for r := range t.Ghosts() {
		if f.ghost(q, r) {
			do(r)
		}
	}
}

// count counts a live row and reports whether it matches.
func (f *Frame) count(q *Query, r *table.Row) bool {
	if q.Select != nil && !q.Select(&r.Socket) {
		return false
	}
	f.Total++
	if q.Match != nil && !q.Match(&r.Socket) {
		return false
	}
	f.Matched++
	if sock.ProtosTCP.Has(r.Proto) && r.State.Valid() {
		f.ByState[r.State]++
	}
	return true
}

// ghost asks about the row as it was: a filter by state should show
// what becomes of the sockets that it showed.
func (f *Frame) ghost(q *Query, r *table.Row) bool {
	if q.Select == nil && q.Match == nil {
		return true
	}
	s := &f.scratch.was
	*s = r.Socket
	s.State = r.Last
	return (q.Select == nil || q.Select(s)) && (q.Match == nil || q.Match(s))
}

// bar is the row that the bar is on, or nil when q does not show it.
func (f *Frame) bar(t *table.Table, q *Query) *table.Row {
	if q.Follow.IsGroup || q.Follow.ID == 0 {
		return nil
	}
	if r := t.Get(q.Follow.ID); r != nil {
		if (q.Select == nil || q.Select(&r.Socket)) && (q.Match == nil || q.Match(&r.Socket)) {
			return r
		}
		return nil
	}
	if q.Ghosts {
		for r := range t.Ghosts() {
			if r.ID == q.Follow.ID && f.ghost(q, r) {
				return r
			}
		}
	}
	return nil
}

// frameWindow says which lines are in the window, once it is known how many there are and which is the bar's.
func (f *Frame) frameWindow(q *Query) (lo, hi int) {
	height := min(max(q.Height, 0), f.Shown)
	offset := max(q.Offset, 0)
	if f.BarAt >= 0 {
		offset = max(f.BarAt-max(min(q.FollowLine, height-1), 0), 0)
	}
	f.Offset = min(offset, f.Shown-height)
	lo, hi = f.Offset, f.Offset+height
	if lo <= f.BarAt && f.BarAt < hi {
		f.Bar = f.BarAt - lo
	}
	return lo, hi
}

// show calls do with the lines of the window.
func (f *Frame) show(do func(*Line)) {
	var l Line
	s := &f.scratch
	n := 0
	for _, w := range s.window {
		if w.header {
			l = f.groupLine(&s.groups[w.group])
			do(&l)
		}
		for i, e := range w.entries {
			l = f.line(e.row)
			l.InGroup = w.group >= 0
			l.LastInGroup = w.last && i == len(w.entries)-1
			if n < len(s.peers.wanted) {
				if p := s.peers.wanted[n].found(); p != nil {
					l.Peer, l.PeerID = p.Owner, p.ID
				}
				n++
			}
			do(&l)
		}
	}
}

func (f *Frame) line(r *table.Row) Line {
	return Line{Row: *r, Ghost: r.Closed != 0, Fresh: f.fresh(r.Changed)}
}

func (f *Frame) groupLine(g *group) Line {
	g.Fresh = f.fresh(g.newest)
	return Line{Group: &g.Group, Fresh: g.Fresh}
}

// fresh reports whether a change is, and sees to it that its end is shown.
func (f *Frame) fresh(changed sock.Stamp) bool {
	fades := changed + sock.Stamp(Highlight)
	if changed == 0 || f.At >= fades {
		return false
	}
	if f.Again == 0 || fades < f.Again {
		f.Again = fades
	}
	return true
}
