// SPDX-License-Identifier: GPL-2.0-or-later

package view

import (
	"netlive/internal/sock"
	"netlive/internal/table"
)

// Find looks for a row that want accepts: the next one after from in the order that q shows, or before it if back, all groups
// being open. After the last comes the first, and from itself is the last to be asked. Where from is not there, the first
// row is the next, or the last if back.
//
// p names the row, and in p.Group its group. index is its line as the lines are: that of its group if that is
// closed; -1 if there is no such row. want is not asked about each row, and not in order.
func Find(t *table.Table, q Query, now sock.Stamp, from Place, back bool, want func(*table.Row) bool) (p Place, index int, ok bool) {
	f := &Frame{}
	f.begin(t, now)
	q.Height = 0
	if q.Held != nil {
		p, ok = f.findHeld(t, &q, from, back, want)
	} else {
		p, ok = f.find(t, &q, from, back, want)
	}
	f.scratch.end()
	if !ok {
		return Place{}, -1, false
	}
	q.Follow = p
	Build(t, q, now, f)
	if f.BarAt < 0 {
		q.Follow.IsGroup = true // it is closed
		Build(t, q, now, f)
	}
	return p, f.BarAt, true
}

// find passes over the rows once, and asks only about those that would be better than what is found already.
func (f *Frame) find(t *table.Table, q *Query, from Place, back bool, want func(*table.Row) bool) (p Place, ok bool) {
	s := &f.scratch.gathered
	q.Follow = from
	if q.Group != nil {
		f.gather(t, q)
	} else {
		s.bar.row = f.bar(t, q)
		f.each(t, q, func(r *table.Row) { s.members = append(s.members, member{row: r}) })
	}
	o := q.order()
	compare := func(a, b member) int {
		if back {
			a, b = b, a
		}
		if a.group != b.group {
			return q.Group.compareGroups(&s.groups[a.group], &s.groups[b.group])
		}
		return o.compare(entryOf(a.row), entryOf(b.row))
	}
	// beyond reports whether a row comes after from in the direction of the search.
	beyond := func(member) bool { return true }
	if s.bar.row != nil {
		beyond = func(m member) bool { return compare(m, s.bar) > 0 }
	} else if i := s.index.find(&from.Group, s.groups); i >= 0 && from.IsGroup {
		// The line of a group is before its rows.
		beyond = func(m member) bool {
			if m.group == i {
				return !back
			}
			return compare(m, member{group: i}) > 0
		}
	}
	var next, wrapped member
	for _, m := range s.members {
		best := &wrapped
		if beyond(m) {
			best = &next
		} else if next.row != nil {
			continue
		}
		if (best.row == nil || compare(m, *best) < 0) && want(m.row) {
			*best = m
		}
	}
	if next.row == nil {
		next = wrapped
	}
	if next.row == nil {
		return Place{}, false
	}
	p.ID = next.row.ID
	if q.Group != nil {
		p.Group = s.groups[next.group].Key
	}
	return p, true
}

// findHeld asks about one row after the other.
func (f *Frame) findHeld(t *table.Table, q *Query, from Place, back bool, want func(*table.Row) bool) (p Place, ok bool) {
	f.fill(t, q)
	h, rows := q.Held, f.scratch.held
	grouped := q.heldGroups()
	step, at := 1, -1 // at is where from is, or before the first
	if back {
		step, at = -1, len(rows)
	}
	if from.IsGroup && grouped {
		for i := range h.groups {
			if g := &h.groups[i]; g.key == from.Group {
				at = int(g.begin)
				if !back {
					at-- // its line is before its rows
				}
			}
		}
	} else if r := h.index.get(from.ID); r != nil && !from.IsGroup {
		at = int(r.place)
	}
	for range rows {
		at = (at + step + len(rows)) % len(rows)
		if rows[at] == nil || !want(rows[at]) {
			continue
		}
		p.ID = rows[at].ID
		if grouped {
			p.Group = h.groups[h.index.get(p.ID).group].key
		}
		return p, true
	}
	return Place{}, false
}
