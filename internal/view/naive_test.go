// SPDX-License-Identifier: GPL-2.0-or-later

package view

import (
	"cmp"
	"slices"

	"netlive/internal/sock"
	"netlive/internal/table"
)

// naiveLine is a line of the whole view.
type naiveLine struct {
	group *Group
	row   *table.Row
	key   Key // of the group, for a row too
	in    bool
	last  bool
}

func (m *model) shows(q *Query, r *table.Row) bool {
	s := r.Socket
	if r.Closed != 0 {
		s.State = r.Last
	}
	return (q.Select == nil || q.Select(&s)) && (q.Match == nil || q.Match(&s))
}

func (m *model) rows(ghosts bool) (rows []*table.Row) {
	rows = slices.Collect(m.table.Rows())
	if ghosts {
		rows = slices.AppendSeq(rows, m.table.Ghosts())
	}
	return rows
}

func (m *model) grouped(q *Query) bool {
	return q.Group != nil && (q.Held == nil || m.held.query.Group != nil)
}

// lines is the whole view.
func (m *model) lines(q *Query) (lines []naiveLine) {
	var keys []Key
	members := map[Key][]*table.Row{}
	add := func(k Key, r *table.Row) {
		if members[k] == nil {
			keys = append(keys, k)
		}
		members[k] = append(members[k], r)
	}
	grouped := m.grouped(q)
	if q.Held != nil {
		for _, h := range m.held.rows {
			if r := m.heldRow(q, h.id); r != nil {
				if grouped {
					add(h.group, r)
				} else {
					add(Key{}, r)
				}
			}
		}
	} else {
		var rows []*table.Row
		for _, r := range m.rows(q.Ghosts) {
			if m.shows(q, r) {
				rows = append(rows, r)
			}
		}
		slices.SortFunc(rows, func(a, b *table.Row) int {
			c := 0
			if q.Compare != nil {
				c = q.Compare(a, b)
			}
			if q.Reverse {
				c = -c
			}
			return cmp.Or(c, compare(entryOf(a), entryOf(b)))
		})
		for _, r := range rows {
			if grouped {
				add(q.Group.Key(r), r)
			} else {
				add(Key{}, r)
			}
		}
	}
	if !grouped {
		for _, r := range members[Key{}] {
			lines = append(lines, naiveLine{row: r})
		}
		return lines
	}
	var groups []*Group
	for _, k := range keys {
		groups = append(groups, m.group(q, k, members[k]))
	}
	if q.Held == nil {
		slices.SortFunc(groups, func(a, b *Group) int {
			c := 0
			if q.Group.Compare != nil {
				c = q.Group.Compare(a, b)
			} else {
				c = b.Rows - a.Rows
			}
			if q.Group.Reverse {
				c = -c
			}
			least := func(g *Group) entry {
				return entryOf(slices.MinFunc(members[g.Key], func(a, b *table.Row) int { return compare(entryOf(a), entryOf(b)) }))
			}
			return cmp.Or(c, compare(least(a), least(b)))
		})
	}
	for _, g := range groups {
		lines = append(lines, naiveLine{group: g, key: g.Key})
		if q.Group.Open != nil && !q.Group.Open(g.Key) {
			continue
		}
		for i, r := range members[g.Key] {
			lines = append(lines, naiveLine{row: r, key: g.Key, in: true, last: i == len(members[g.Key])-1})
		}
	}
	return lines
}

func (m *model) group(q *Query, k Key, rows []*table.Row) *Group {
	g := &Group{Key: k, First: rows[0]}
	for _, r := range rows {
		if r.Closed != 0 {
			g.Ghosts++
		} else {
			g.Rows++
		}
		if r.Born != 0 && (g.Oldest == 0 || r.Born < g.Oldest) {
			g.Oldest = r.Born
		}
		g.Fresh = g.Fresh || m.fresh(r)
		if q.Group.Add != nil {
			q.Group.Add(g, r)
		}
	}
	return g
}

func (m *model) fresh(r *table.Row) bool {
	return r.Changed != 0 && m.now < r.Changed+sock.Stamp(Highlight)
}

// heldRow is what a held row is now; nil is not shown.
func (m *model) heldRow(q *Query, id sock.ID) *table.Row {
	for _, r := range m.rows(true) {
		if r.ID != id {
			continue
		}
		if _, ok := m.held.shown[id]; ok && r.Closed != 0 {
			m.held.shown[id] = *r
		}
		if m.shows(q, r) {
			return r
		}
		return nil
	}
	r, ok := m.held.shown[id]
	if !ok {
		return nil
	}
	if r.Closed == 0 {
		r.Last, r.State, r.Closed = r.State, sock.Close, m.now
		m.held.shown[id] = r
	}
	if m.shows(q, &r) {
		return &r
	}
	return nil
}

// peer looks at all rows for the other end of one.
func (m *model) peer(r *table.Row) *table.Row {
	var near, far []*table.Row
	for _, p := range m.rows(true) {
		if !connected(r) || !connected(p) || (r.Proto+1)/2 != (p.Proto+1)/2 ||
			unmapped(r.Local) != unmapped(p.Remote) || unmapped(r.Remote) != unmapped(p.Local) {
			continue
		}
		if p.Closed != 0 && p.Closed < r.Born || r.Closed != 0 && r.Closed < p.Born {
			continue
		}
		if p.NetNS == r.NetNS {
			near = append(near, p)
		} else if !r.Local.Addr().Unmap().IsLoopback() && !r.Remote.Addr().Unmap().IsLoopback() {
			far = append(far, p)
		}
	}
	rows := near
	if len(near) == 0 {
		rows = far
	}
	if slices.ContainsFunc(rows, func(r *table.Row) bool { return r.Closed == 0 }) {
		rows = slices.DeleteFunc(rows, func(r *table.Row) bool { return r.Closed != 0 })
	}
	if len(rows) == 0 || slices.ContainsFunc(rows, func(r *table.Row) bool { return r.NetNS != rows[0].NetNS }) {
		return nil
	}
	return slices.MaxFunc(rows, func(a, b *table.Row) int {
		known := func(r *table.Row) int { return int(min(r.Owner.PID, 1)) }
		return cmp.Or(known(a)-known(b), cmp.Compare(a.At, b.At), cmp.Compare(a.ID, b.ID))
	})
}

// at is which of the lines a place is.
func at(lines []naiveLine, p Place) int {
	return slices.IndexFunc(lines, func(l naiveLine) bool {
		if p.IsGroup {
			return l.group != nil && l.key == p.Group
		}
		return l.row != nil && l.row.ID == p.ID
	})
}
