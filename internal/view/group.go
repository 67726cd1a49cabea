// SPDX-License-Identifier: GPL-2.0-or-later

package view

import (
	"cmp"
	"net/netip"

	"netlive/internal/sock"
	"netlive/internal/table"
)

// Grouping puts rows under groups. Its functions run while a frame is built; they may read what they are given until they return.
type Grouping struct {
	// Key says which group a row is in. It is called for each row of each frame.
	Key func(*table.Row) Key
	// Compare orders groups; nil puts those with more rows first. Its ties are broken by the default order of the groups'
	// rows, of each the one that is first in it. Reverse turns Compare round, nil too, and not the ties.
	Compare func(a, b *Group) int
	Reverse bool
	// Add, if not nil, is called with each row of a group, in no particular order, and may add to g.Sum. Rows, Ghosts, First
	// and Oldest are those of the rows so far.
	Add func(g *Group, r *table.Row)
	// Open reports whether the rows of a group are shown; nil shows all.
	Open func(Key) bool
}

// Key names a group. What its fields are is for who makes it to say.
type Key struct {
	N, M uint64
	Addr netip.AddrPort
	Text string
}

// Group is the rows that have a key in common, as far as the query shows them.
type Group struct {
	Key    Key
	Rows   int // without ghosts
	Ghosts int
	// First is the first of its rows in the order. Of a group in a frame it is a copy, else the table's own.
	First *table.Row
	// Sum is what Grouping.Add added, ghosts included if it added them.
	Sum    [4]float64
	Oldest sock.Stamp // the least of its rows' Born that is known; 0 unknown
	Fresh  bool       // something in it changed within the highlight time
}

// group is a Group while a frame is built.
type group struct {
	Group
	firstPlace uint64 // of First: in the default order or, if the order is held, in that
	least      entry  // the first in the default order, which breaks ties; not kept when First is that
	newest     sock.Stamp
	open       bool
	picker     int32 // 1 and more: who picks its rows for the window; -1: around does
}

// member is a row that is shown, and its group.
type member struct {
	row   *table.Row
	group int32
}

// gathered is the groups of all rows that are shown, and which row is in which.
type gathered struct {
	index   keyIndex
	groups  []group
	members []member
	sorted  []int32
	pickers []picker
	bar     member // what is followed, if it is a row
}

func (s *gathered) end() {
	s.index.end()
	clear(s.groups)
	clear(s.members)
	for i := range s.pickers {
		s.pickers[i].end()
	}
	s.bar = member{}
}

// gather finds the groups and what they amount to.
func (f *Frame) gather(t *table.Table, q *Query) {
	s := &f.scratch.gathered
	s.groups, s.members = s.groups[:0], s.members[:0]
	bar, o := f.bar(t, q), q.order()
	f.each(t, q, func(r *table.Row) {
		k := q.Group.Key(r)
		i := s.index.findOrAdd(&k, s.groups)
		if int(i) == len(s.groups) {
			s.groups = append(s.groups, group{Group: Group{Key: k}})
		}
		m := member{r, i}
		s.members = append(s.members, m)
		if r == bar {
			s.bar = m
		}
		g := &s.groups[i]
		g.rank(r, &o)
		g.add(r, q.Group)
	})
}

// rank makes r the first of the group if it is.
func (g *group) rank(r *table.Row, o *order) {
	e := entryOf(r)
	if g.First == nil || o.compare(e, g.first()) < 0 {
		g.First, g.firstPlace = r, e.place
	}
	if o.by != nil && (g.least.row == nil || compare(e, g.least) < 0) {
		g.least = e
	}
}

func (g *group) first() entry { return entry{g.firstPlace, g.First} }

// add counts r, which is ranked.
func (g *group) add(r *table.Row, by *Grouping) {
	if r.Closed != 0 {
		g.Ghosts++
	} else {
		g.Rows++
	}
	if r.Born != 0 && (g.Oldest == 0 || r.Born < g.Oldest) {
		g.Oldest = r.Born
	}
	g.newest = max(g.newest, r.Changed)
	if by.Add != nil {
		by.Add(&g.Group, r)
	}
}

// lines is how many lines the group takes.
func (g *group) lines() int {
	rows := g.Rows + g.Ghosts
	switch {
	case rows == 0:
		return 0 // in a held order there are such
	case g.open:
		return 1 + rows
	}
	return 1
}

// compareGroups is a whole order too.
func (by *Grouping) compareGroups(a, b *group) int {
	x, y := a, b
	if by.Reverse {
		x, y = y, x
	}
	c := 0
	if by.Compare != nil {
		c = by.Compare(&x.Group, &y.Group)
	} else {
		c = cmp.Compare(y.Rows, x.Rows)
	}
	if c != 0 {
		return c
	}
	return compare(a.tieBreak(), b.tieBreak())
}

func (g *group) tieBreak() entry {
	if g.least.row != nil {
		return g.least
	}
	return g.first()
}

// arrangeGroups puts the groups of the window in order, and the rows of each that are in it.
func (f *Frame) arrangeGroups(t *table.Table, q *Query) {
	s := &f.scratch
	f.openGroups(q)
	compare := func(a, b int32) int { return q.Group.compareGroups(&s.groups[a], &s.groups[b]) }
	lines := func(i int32) int { return s.groups[i].lines() }
	o := q.order()
	barRank := 0 // of the bar in its group
	barGroup := int32(-1)
	if q.Follow.IsGroup {
		if barGroup = s.index.find(&q.Follow.Group, s.groups); barGroup >= 0 {
			f.BarAt = 0
		}
	} else if s.bar.row != nil && s.groups[s.bar.group].open {
		barGroup = s.bar.group
		bar := entryOf(s.bar.row)
		for _, m := range s.members {
			if m.group == barGroup && m.row != bar.row && o.compare(entryOf(m.row), bar) < 0 {
				barRank++
			}
		}
		f.BarAt = 1 + barRank
	}
	s.sorted = s.sorted[:0]
	for i := range int32(len(s.groups)) {
		s.sorted = append(s.sorted, i)
		if barGroup >= 0 && i != barGroup && compare(i, barGroup) < 0 {
			f.BarAt += lines(i)
		}
	}
	lo, hi := f.frameWindow(q)
	sortWindow(s.sorted, lo, hi, compare, lines)
	pickers := 0
	f.lay(lo, hi, func(w *segment, g *group, from, to int) {
		switch {
		case from == to:
		case w.group == s.bar.group && s.bar.row != nil && from <= barRank && barRank < to:
			s.around.begin(o, s.bar.row, barRank-from, to-barRank-1)
			g.picker = -1
		default:
			if pickers == len(s.pickers) {
				s.pickers = append(s.pickers, picker{})
			}
			s.pickers[pickers].begin(o, to)
			pickers++
			g.picker = int32(pickers)
		}
	})
	s.pick()
	f.lay(lo, hi, func(w *segment, g *group, from, to int) {
		switch {
		case g.picker > 0:
			w.entries = s.pickers[g.picker-1].window(from, to)
		case g.picker < 0:
			w.entries = s.around.window(barRank-from, to-barRank-1)
		}
	})
}

// pick has the rows picked of those groups that have a picker.
func (s *scratch) pick() {
	any := false
	for _, w := range s.window {
		any = any || s.groups[w.group].picker != 0
	}
	if !any {
		return // all that is in the window is closed
	}
	for _, m := range s.members {
		switch p := s.groups[m.group].picker; {
		case p > 0:
			s.pickers[p-1].offer(entryOf(m.row))
		case p < 0:
			s.around.offer(entryOf(m.row))
		}
	}
}

// openGroups asks which groups are open, and counts the lines.
func (f *Frame) openGroups(q *Query) {
	s := &f.scratch
	for i := range s.groups {
		g := &s.groups[i]
		g.open = q.Group.Open == nil || q.Group.Open(g.Key)
		n := g.lines()
		f.Shown += n
		if n > 0 {
			f.Groups++
		}
	}
}

// lay makes the window of the lines lo to hi. The groups up to its last are in order; rows says which rows of a group are
// in it, from and to counting from the group's first.
func (f *Frame) lay(lo, hi int, rows func(w *segment, g *group, from, to int)) {
	s := &f.scratch
	s.window = s.window[:0]
	at := 0
	for _, i := range s.sorted {
		if at >= hi {
			break
		}
		g := &s.groups[i]
		n := g.lines()
		if n > 0 && at+n > lo {
			s.window = append(s.window, segment{group: i, header: at >= lo, last: at+n <= hi})
			rows(&s.window[len(s.window)-1], g, max(lo-at-1, 0), min(hi-at, n)-1)
		}
		at += n
	}
}
