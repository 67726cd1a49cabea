// SPDX-License-Identifier: GPL-2.0-or-later

package view

import (
	"cmp"
	"flag"
	"fmt"
	"math"
	"reflect"
	"slices"
	"testing"

	"netlive/internal/sock"
	"netlive/internal/table"
)

var modelSeeds = flag.Uint64("seeds", 30, "how many seeds the model test runs")

// TestModel holds frames of tables in which much happens against a model that sorts everything.
func TestModel(t *testing.T) {
	for seed := range *modelSeeds {
		m := &model{world: newWorld(seed), frame: &Frame{}}
		for step := range 20 {
			if err := m.step(); err != nil {
				t.Fatalf("seed %d, step %d: %v", seed, step, err)
			}
		}
	}
}

type model struct {
	*world
	frame *Frame // the same for all queries: none may leave anything to the next
	held  *heldModel
}

// heldModel is what is known of a Held: the order, and what frames have shown.
type heldModel struct {
	query Query
	rows  []heldLine
	shown map[sock.ID]table.Row
}

type heldLine struct {
	id    sock.ID
	group Key
}

func (m *model) step() error {
	m.world.step()
	q := m.query()
	if err := m.check(q); err != nil {
		return err
	}
	if m.held == nil || m.rng.IntN(8) == 0 {
		m.anywhere(&q) // it must not matter
		m.hold(q)
	}
	q = m.held.query
	q.Match, q.Ghosts = m.match(), m.rng.IntN(2) == 0
	if q.Group != nil {
		g := *q.Group
		g.Open = m.opened()
		q.Group = &g
		if m.rng.IntN(5) == 0 {
			q.Group = nil
		}
	}
	return m.check(q)
}

func (m *model) hold(q Query) {
	open := q
	if q.Group != nil {
		g := *q.Group
		g.Open = nil
		open.Group = &g
	}
	open.Held = nil
	h := &heldModel{shown: map[sock.ID]table.Row{}, query: q}
	for _, l := range m.lines(&open) {
		if l.row != nil {
			h.rows = append(h.rows, heldLine{l.row.ID, l.key})
		}
	}
	h.query.Held = Hold(m.table, q, m.now)
	m.held = h
}

// check asks for several windows of what q shows.
func (m *model) check(q Query) error {
	for range 3 {
		m.anywhere(&q)
		if err := m.checkFrame(q); err != nil {
			return fmt.Errorf("%+v: %w", q, err)
		}
		if err := m.checkFind(q); err != nil {
			return fmt.Errorf("%+v: find: %w", q, err)
		}
	}
	return m.checkAll(q)
}

func (m *model) checkFrame(q Query) error {
	f := m.frame
	Build(m.table, q, m.now, f)
	lines := m.lines(&q)
	want := Frame{Shown: len(lines), At: m.now, Version: m.table.Version(), Bar: -1, BarAt: -1}
	m.count(&q, lines, &want)
	height := min(max(q.Height, 0), len(lines))
	offset := max(q.Offset, 0)
	if i := at(lines, q.Follow); i >= 0 {
		want.BarAt = i
		offset = max(i-min(max(q.FollowLine, 0), max(height-1, 0)), 0)
	}
	want.Offset = min(offset, len(lines)-height)
	if i := want.BarAt - want.Offset; want.BarAt >= 0 && i >= 0 && i < height {
		want.Bar = i
	}
	again := sock.Stamp(0)
	soon := func(changed sock.Stamp) {
		if fades := changed + sock.Stamp(Highlight); changed != 0 && m.now < fades && (again == 0 || fades < again) {
			again = fades
		}
	}
	if len(f.Rows) != height {
		return fmt.Errorf("%d lines, want %d", len(f.Rows), height)
	}
	for i, l := range lines[want.Offset : want.Offset+height] {
		if err := m.sameLine(&q, &f.Rows[i], &l); err != nil {
			return fmt.Errorf("line %d of %d: %w", i, height, err)
		}
		if l.group == nil {
			soon(l.row.Changed)
			continue
		}
		newest := sock.Stamp(0)
		for _, n := range m.openLines(q) {
			if n.row != nil && n.key == l.key {
				newest = max(newest, n.row.Changed)
			}
		}
		soon(newest)
	}
	want.Again = again
	got := *f.Copy()
	if !reflect.DeepEqual(got.Rows, f.Rows) && len(got.Rows) > 0 {
		return fmt.Errorf("the copy has %+v, want %+v", got.Rows, f.Rows)
	}
	got.Rows = nil
	if !reflect.DeepEqual(got, want) {
		return fmt.Errorf("frame %+v\nwant %+v", got, want)
	}
	for i := range f.Rows {
		if l := &f.Rows[i]; l.Group == nil && q.Held != nil {
			m.held.shown[l.ID] = l.Row
		}
	}
	return nil
}

func (m *model) openLines(q Query) []naiveLine {
	if q.Group != nil {
		g := *q.Group
		g.Open = nil
		q.Group = &g
	}
	return m.lines(&q)
}

// count fills in what a frame says of rows that it need not show.
func (m *model) count(q *Query, lines []naiveLine, f *Frame) {
	for _, r := range m.rows(false) {
		if q.Select != nil && !q.Select(&r.Socket) {
			continue
		}
		f.Total++
		if !m.shows(q, r) {
			continue
		}
		f.Matched++
		if sock.ProtosTCP.Has(r.Proto) {
			f.ByState[r.State]++
		}
		if q.Held != nil && !slices.ContainsFunc(m.held.rows, func(h heldLine) bool { return h.id == r.ID }) {
			f.Waiting++
		}
	}
	for _, l := range lines {
		if l.group != nil {
			f.Groups++
		}
	}
}

func (m *model) sameLine(q *Query, got *Line, want *naiveLine) error {
	w := Line{Group: want.group, InGroup: want.in, LastInGroup: want.last}
	if want.group != nil {
		w.Fresh = want.group.Fresh
	} else {
		w.Row, w.Ghost, w.Fresh = *want.row, want.row.Closed != 0, m.fresh(want.row)
		if p := m.peer(want.row); p != nil && q.Peers {
			w.Peer, w.PeerID = p.Owner, p.ID
		}
	}
	if !reflect.DeepEqual(*got, w) {
		return fmt.Errorf("%+v (%+v)\nwant %+v (%+v)", got, got.Group, w, w.Group)
	}
	return nil
}

func (m *model) checkAll(q Query) error {
	lines := m.lines(&q)
	n := 0
	var err error
	All(m.table, q, m.now, func(l *Line) {
		if err == nil && n < len(lines) {
			err = m.sameLine(&q, l, &lines[n])
		}
		n++
	})
	if err == nil && n != len(lines) {
		err = fmt.Errorf("%d, want %d", n, len(lines))
	}
	if err != nil {
		return fmt.Errorf("%+v: all: %w", q, err)
	}
	return nil
}

func (m *model) checkFind(q Query) error {
	from, back := m.somewhere(&q), m.rng.IntN(2) == 0
	div := 1 + uint64(m.rng.IntN(12))
	accepts := func(r *table.Row) bool { return uint64(r.ID)%div == 0 }
	p, index, ok := Find(m.table, q, m.now, from, back, accepts)

	open := m.openLines(q)
	start := at(open, from)
	if h := m.held; q.Held != nil && start < 0 {
		// It is held and not shown: its place is between those that are.
		if i := slices.IndexFunc(h.rows, func(l heldLine) bool {
			if from.IsGroup {
				return m.grouped(&q) && l.group == from.Group
			}
			return l.id == from.ID
		}); i >= 0 {
			start = len(open)
			for _, l := range h.rows[i:] {
				if n := at(open, Place{ID: l.id}); n >= 0 {
					start = n
					break
				}
			}
			if !back {
				start--
			}
		}
	}
	if start < 0 && back {
		start = 0 // the one before is the last
	}
	var want *naiveLine
	for i := 1; i <= len(open) && want == nil; i++ {
		n := start + i
		if back {
			n = start - i
		}
		n = ((n % len(open)) + len(open)) % len(open)
		if l := &open[n]; l.row != nil && accepts(l.row) {
			want = l
		}
	}
	if want == nil {
		if ok || p != (Place{}) || index != -1 {
			return fmt.Errorf("from %+v: %+v at %d, and there is nothing", from, p, index)
		}
		return nil
	}
	lines := m.lines(&q)
	wantIndex := at(lines, Place{ID: want.row.ID})
	if wantIndex < 0 {
		wantIndex = at(lines, Place{Group: want.key, IsGroup: true})
	}
	if wantPlace := (Place{ID: want.row.ID, Group: want.key}); !ok || p != wantPlace || index != wantIndex {
		return fmt.Errorf("from %+v, back %v, one of %d: %v %+v at %d, want %+v at %d", from, back, div, ok, p, index, wantPlace, wantIndex)
	}
	return nil
}

// However the rows and the groups compare, a window of groups is that of a full sort.
func TestSortWindowByLines(t *testing.T) {
	w := newWorld(9)
	for range 2000 {
		n := w.rng.IntN(200)
		e := w.rng.Perm(n)
		weights := make([]int, n)
		total := 0
		for i := range weights {
			weights[i] = 1 + w.rng.IntN(5)*w.rng.IntN(2)
			total += weights[i]
		}
		lo := w.rng.IntN(total + 1)
		hi := lo + w.rng.IntN(total-lo+1)
		sortWindow(e, lo, hi, cmp.Compare[int], func(i int) int { return weights[i] })
		at := 0
		for i, x := range e {
			if lo < hi && at+weights[x] > lo && at < hi && x != i {
				t.Fatalf("lines %d to %d of %d: %d is at %d", lo, hi, total, x, i)
			}
			at += weights[x]
		}
		if slices.Sort(e); n > 0 && (e[0] != 0 || e[n-1] != n-1) {
			t.Fatal("elements were lost")
		}
	}
}

func TestHoldForever(t *testing.T) {
	tab := filled(sample...)
	h := Hold(tab, Query{Offset: 3, Height: 1}, 100)
	tab.Replace(&sock.Snapshot{Begin: 50, Protos: all})
	tab.Prune(math.MaxInt64)
	var f Frame
	Build(tab, Query{Height: 20, Held: h}, 200, &f)
	if len(f.Rows) != 0 || f.Shown != 0 {
		t.Errorf("%d of %d are shown; none was seen", len(f.Rows), f.Shown)
	}
}
