// SPDX-License-Identifier: GPL-2.0-or-later

package view

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"testing"

	"netlive/internal/sock"
	"netlive/internal/table"
)

// owned is connections of three processes: 20 has three, 10 two, and one is nobody's.
func owned() *table.Table {
	conn := func(id sock.ID, pid uint32, queue uint32, remote string) sock.Socket {
		s := row(id, sock.TCP, sock.Established, "192.0.2.1:22", remote)
		s.Queue.Recv = queue
		if pid > 0 {
			s.Owner = sock.Owner{PID: pid, How: sock.HowSeeded}
		}
		return s
	}
	return filled(
		conn(1, 20, 5, "198.51.100.1:1"), conn(2, 10, 9, "198.51.100.1:2"), conn(3, 20, 7, "198.51.100.1:3"),
		conn(4, 0, 0, "198.51.100.1:4"), conn(5, 10, 1, "198.51.100.1:5"), conn(6, 20, 6, "198.51.100.1:6"))
}

// text is a frame in a line: groups with what is added up, rows by ID, the last of a group with a bar.
func text(f *Frame) string {
	var b strings.Builder
	for i := range f.Rows {
		l := &f.Rows[i]
		if i == f.Bar {
			b.WriteString("*")
		}
		switch {
		case l.Group != nil:
			fmt.Fprintf(&b, "%d(%d,%v) ", l.Group.Key.N, l.Group.Rows, l.Group.Sum[0])
		case l.LastInGroup:
			fmt.Fprintf(&b, "%d| ", l.ID)
		case l.InGroup:
			fmt.Fprintf(&b, "%d, ", l.ID)
		default:
			fmt.Fprintf(&b, "%d ", l.ID)
		}
	}
	return strings.TrimSpace(b.String())
}

func TestSortAndGroups(t *testing.T) {
	tab := owned()
	sum := func(a, b *Group) int { return cmp.Compare(b.Sum[0], a.Sum[0]) }
	only := func(n uint64) func(Key) bool { return func(k Key) bool { return k.N == n } }
	pid := func(n uint64) Place { return Place{Group: Key{N: n}, IsGroup: true} }
	var f Frame
	for _, c := range []struct {
		name  string
		q     Query
		group Grouping
		want  string
		shown int
	}{
		{"flat", Query{Height: 9}, Grouping{}, "1 2 3 4 5 6", 6},
		{"sorted", Query{Height: 9, Compare: byQueue}, Grouping{}, "2 3 6 1 5 4", 6},
		{"reverse", Query{Height: 9, Compare: byQueue, Reverse: true}, Grouping{}, "4 5 1 6 3 2", 6},
		{"ties keep their order in reverse", Query{Height: 9, Reverse: true, Compare: func(a, b *table.Row) int { return cmp.Compare(a.Owner.PID, b.Owner.PID) }}, Grouping{}, "1 3 6 2 5 4", 6},
		{"reverse of nothing", Query{Height: 9, Reverse: true}, Grouping{}, "1 2 3 4 5 6", 6},
		{"groups", Query{Height: 9}, Grouping{Key: byProcess}, "20(3,0) 1, 3, 6| 10(2,0) 2, 5| 0(1,0) 4|", 9},
		{"rows sorted", Query{Height: 9, Compare: byQueue}, Grouping{Key: byProcess, Add: queues}, "20(3,18) 3, 6, 1| 10(2,10) 2, 5| 0(1,0) 4|", 9},
		{"groups sorted", Query{Height: 9}, Grouping{Key: byProcess, Add: queues, Compare: sum, Reverse: true}, "0(1,0) 4| 10(2,10) 2, 5| 20(3,18) 1, 3, 6|", 9},
		{"fewer first", Query{Height: 9}, Grouping{Key: byProcess, Reverse: true}, "0(1,0) 4| 10(2,0) 2, 5| 20(3,0) 1, 3, 6|", 9},
		{"closed", Query{Height: 9}, Grouping{Key: byProcess, Open: only(1)}, "20(3,0) 10(2,0) 0(1,0)", 3},
		{"one is open", Query{Height: 9}, Grouping{Key: byProcess, Open: only(10)}, "20(3,0) 10(2,0) 2, 5| 0(1,0)", 5},
		{"window", Query{Offset: 2, Height: 4}, Grouping{Key: byProcess}, "3, 6| 10(2,0) 2,", 9},
		{"beyond the end", Query{Offset: 90, Height: 3}, Grouping{Key: byProcess}, "5| 0(1,0) 4|", 9},
		{"follow", Query{Height: 3, Follow: Place{ID: 4}, FollowLine: 1}, Grouping{}, "3 *4 5", 6},
		{"follow at the top", Query{Height: 3, Follow: Place{ID: 1}, FollowLine: 1}, Grouping{}, "*1 2 3", 6},
		{"follow at the end", Query{Height: 3, Follow: Place{ID: 6}, FollowLine: 1}, Grouping{}, "4 5 *6", 6},
		{"follow below the window", Query{Height: 2, Follow: Place{ID: 4}, FollowLine: 7}, Grouping{}, "3 *4", 6},
		{"follow what moved", Query{Height: 3, Follow: Place{ID: 4}, FollowLine: 1, Compare: byQueue}, Grouping{}, "1 5 *4", 6},
		{"follow nobody", Query{Height: 3, Offset: 1, Follow: Place{ID: 99}, FollowLine: 1}, Grouping{}, "2 3 4", 6},
		{"follow in a group", Query{Height: 3, Follow: Place{ID: 2}, FollowLine: 1}, Grouping{Key: byProcess}, "10(2,0) *2, 5|", 9},
		{"follow in the middle of a group", Query{Height: 3, Follow: Place{ID: 3}, FollowLine: 1}, Grouping{Key: byProcess}, "1, *3, 6|", 9},
		{"follow in a closed group", Query{Height: 2, Follow: Place{ID: 3}, FollowLine: 1}, Grouping{Key: byProcess, Open: only(10)}, "20(3,0) 10(2,0)", 5},
		{"follow a group", Query{Height: 3, Follow: pid(10), FollowLine: 1}, Grouping{Key: byProcess}, "6| *10(2,0) 2,", 9},
		{"follow no group", Query{Height: 1, Follow: pid(77)}, Grouping{Key: byProcess}, "20(3,0)", 9},
		{"follow a group where there are none", Query{Height: 2, Follow: pid(10)}, Grouping{}, "1 2", 6},
	} {
		if c.group.Key != nil {
			c.q.Group = &c.group
		}
		Build(tab, c.q, 100, &f)
		if got := text(&f); got != c.want || f.Shown != c.shown {
			t.Errorf("%s: %s of %d, want %s of %d", c.name, got, f.Shown, c.want, c.shown)
		}
	}
	Build(tab, Query{Follow: Place{ID: 5}, Group: &Grouping{Key: byProcess}}, 100, &f)
	if f.BarAt != 6 || f.Bar != -1 || f.Groups != 3 {
		t.Errorf("without height the bar is at %d (%d), with %d groups", f.BarAt, f.Bar, f.Groups)
	}
}

// A ghost is under its group, and counted apart.
func TestGhostsInGroups(t *testing.T) {
	tab := owned()
	const now = sock.Stamp(10 * Highlight)
	shut(tab, 3, now-5)
	shut(tab, 4, 2000)
	var f Frame
	q := Query{Height: 9, Ghosts: true, Group: &Grouping{Key: byProcess}}
	Build(tab, q, now, &f)
	if got := text(&f); got != "20(2,0) 1, 3, 6| 10(2,0) 2, 5| 0(0,0) 4|" {
		t.Error(got)
	}
	for _, l := range f.Rows {
		if g := l.Group; g != nil && (g.Ghosts != map[uint64]int{20: 1, 0: 1}[g.Key.N] || g.Fresh != (g.Key.N == 20) || l.Fresh != g.Fresh) {
			t.Errorf("%+v", g)
		}
	}
	if f.Again != now-5+sock.Stamp(Highlight) {
		t.Errorf("again at %d", f.Again)
	}
	q.Ghosts = false
	Build(tab, q, now, &f)
	if got := text(&f); got != "20(2,0) 1, 6| 10(2,0) 2, 5|" {
		t.Error(got)
	}
}

func shut(tab *table.Table, id sock.ID, at sock.Stamp) {
	e := sock.Event{Kind: sock.EventState, Old: sock.Established}
	e.Socket = sock.Socket{ID: id, At: at, Proto: sock.TCP, State: sock.Close}
	tab.Apply(&e)
}

func TestFind(t *testing.T) {
	tab := owned()
	groups := &Grouping{Key: byProcess, Open: func(k Key) bool { return k.N != 10 }}
	even := func(r *table.Row) bool { return r.ID%2 == 0 }
	none := func(*table.Row) bool { return false }
	for _, c := range []struct {
		name  string
		q     Query
		from  Place
		back  bool
		want  func(*table.Row) bool
		id    sock.ID
		group uint64
		index int
	}{
		{"first", Query{}, Place{}, false, even, 2, 0, 1},
		{"last", Query{}, Place{}, true, even, 6, 0, 5},
		{"next", Query{}, Place{ID: 2}, false, even, 4, 0, 3},
		{"previous", Query{}, Place{ID: 5}, true, even, 4, 0, 3},
		{"round the end", Query{}, Place{ID: 6}, false, even, 2, 0, 1},
		{"round the begin", Query{}, Place{ID: 2}, true, even, 6, 0, 5},
		{"itself", Query{}, Place{ID: 3}, false, func(r *table.Row) bool { return r.ID == 3 }, 3, 0, 2},
		{"nothing", Query{}, Place{ID: 3}, false, none, 0, 0, -1},
		{"sorted", Query{Compare: byQueue}, Place{ID: 2}, false, even, 6, 0, 2},
		{"in a group", Query{Group: groups}, Place{ID: 1}, false, even, 6, 20, 3},
		{"in a closed group", Query{Group: groups}, Place{ID: 6}, false, even, 2, 10, 4},
		{"from the line of a group", Query{Group: groups}, Place{Group: Key{N: 10}, IsGroup: true}, false, even, 2, 10, 4},
		{"back from the line of a group", Query{Group: groups}, Place{Group: Key{N: 10}, IsGroup: true}, true, even, 6, 20, 3},
	} {
		for _, held := range []bool{false, true} {
			q := c.q
			if held {
				q.Held = Hold(tab, q, 100)
			}
			p, index, ok := Find(tab, q, 100, c.from, c.back, c.want)
			if want := (Place{ID: c.id, Group: Key{N: c.group}}); p != want || index != c.index || ok != (c.id != 0) {
				t.Errorf("%s, held %v: %+v at %d, %v; want %+v at %d", c.name, held, p, index, ok, want, c.index)
			}
		}
	}
}

func TestHold(t *testing.T) {
	tab := owned()
	q := Query{Height: 9, Compare: byQueue, Group: &Grouping{Key: byProcess, Add: queues}}
	q.Held = Hold(tab, q, 100)
	var f Frame
	look := func(now sock.Stamp, want string, waiting int) {
		t.Helper()
		Build(tab, q, now, &f)
		if got := text(&f); got != want || f.Waiting != waiting {
			t.Fatalf("at %d: %s, %d waiting; want %s, %d", now, got, f.Waiting, want, waiting)
		}
	}
	look(100, "20(3,18) 3, 6, 1| 10(2,10) 2, 5| 0(1,0) 4|", 0)
	// The numbers go on, the order does not; 7 came.
	var socks []sock.Socket
	for r := range tab.Rows() {
		s := r.Socket
		s.At, s.Queue.Recv = 201, uint32(s.ID)
		if s.ID == 2 {
			s.Owner = sock.Owner{PID: 20, How: sock.HowSeeded}
		}
		socks = append(socks, s)
	}
	socks = append(socks, row(7, sock.TCP, sock.Established, "192.0.2.1:22", "198.51.100.1:7"))
	tab.Replace(&sock.Snapshot{Begin: 200, Protos: all, Sockets: socks})
	look(300, "20(3,10) 3, 6, 1| 10(2,7) 2, 5| 0(1,4) 4|", 1)
	// What closes stays, also when the table has forgotten it.
	shut(tab, 6, 400)
	shut(tab, 2, 401)
	look(500, "20(2,10) 3, 6, 1| 10(1,7) 2, 5| 0(1,4) 4|", 1)
	q.Offset, q.Height = 5, 1
	look(600, "2,", 1)
	shut(tab, 3, 601)
	tab.Prune(700)
	q.Offset, q.Height = 0, 9
	look(800, "20(1,10) 3, 6, 1| 10(1,7) 2, 5| 0(1,4) 4|", 1)
	for _, l := range f.Rows {
		if ghost := l.ID == 2 || l.ID == 3 || l.ID == 6; l.Ghost != ghost || l.Ghost && (l.State != sock.Close || l.Last != sock.Established) {
			t.Errorf("%d: ghost %v, %v after %v", l.ID, l.Ghost, l.State, l.Last)
		}
	}
	q.Match = func(s *sock.Socket) bool { return s.ID%2 == 0 }
	look(900, "20(0,6) 6| 10(0,2) 2| 0(1,4) 4|", 0)
	q.Group = nil
	look(900, "6 2 4", 0)
}

// Frames are copies, and hold on to nothing of the table between builds.
func TestFramesHoldNothing(t *testing.T) {
	tab := owned()
	shut(tab, 3, 50)
	q := Query{Height: 9, Ghosts: true, Peers: true, Compare: byQueue, Follow: Place{ID: 6}, Group: &Grouping{Key: byProcess, Open: func(k Key) bool { return k.N != 10 }}}
	var f Frame
	for range 2 {
		for _, by := range []*Grouping{nil, q.Group} {
			p := q
			p.Group = by
			Build(tab, p, 100, &f)
			s := &f.scratch
			for _, e := range slices.Concat(s.picked.entries, s.around.entries, s.around.before.entries, s.around.after.entries, s.entries) {
				if e.row != nil {
					t.Fatal("an entry holds on to a row")
				}
			}
			for i := range s.pickers {
				if slices.ContainsFunc(s.pickers[i].entries, func(e entry) bool { return e.row != nil }) || s.pickers[i].last.row != nil {
					t.Fatal("a picker holds on to a row")
				}
			}
			if slices.ContainsFunc(s.members[:cap(s.members)], func(m member) bool { return m.row != nil }) || s.bar.row != nil ||
				slices.ContainsFunc(s.groups[:cap(s.groups)], func(g group) bool { return g.First != nil || g.least.row != nil || g.Key != Key{} }) || s.index.used > 0 ||
				slices.ContainsFunc(s.window[:cap(s.window)], func(w segment) bool { return w.entries != nil }) ||
				slices.ContainsFunc(s.peers.wanted[:cap(s.peers.wanted)], func(w want) bool { return w.row != nil || w.peer != nil }) ||
				slices.ContainsFunc(s.held[:cap(s.held)], func(r *table.Row) bool { return r != nil }) {
				t.Fatalf("the frame holds on to rows: %+v", s)
			}
		}
		q.Held = Hold(tab, q, 100)
	}
	before := text(&f)
	c := f.Copy()
	tab.Replace(&sock.Snapshot{Begin: 500, Protos: all})
	tab.Prune(1 << 40)
	if got := text(&f); got != before || f.Rows[0].Group.First.Owner.PID != 20 {
		t.Errorf("the frame moved with the table: %s, was %s", got, before)
	}
	Build(tab, Query{Height: 9, Group: q.Group}, 600, &f)
	if got := text(c); got != before || len(f.Rows) != 0 || c.Rows[0].Group.First.Owner.PID != 20 {
		t.Errorf("the copy moved with the frame: %s, was %s", got, before)
	}
}

// What a frame allocates has nothing to do with how many rows there are.
func TestBuildAllocatesLittle(t *testing.T) {
	tab := busy(3000)
	group := &Grouping{Key: byRemote, Add: queues, Compare: func(a, b *Group) int { return cmp.Compare(a.Sum[0], b.Sum[0]) }}
	match := func(s *sock.Socket) bool { return s.ID != 7 }
	shut(tab, 9, 50)
	for _, q := range []Query{
		{}, {Compare: byQueue}, {Compare: byQueue, Follow: Place{ID: 1500}}, {Peers: true}, {Group: group}, {Group: group, Compare: byQueue, Follow: Place{ID: 1500}},
		{Held: Hold(tab, Query{}, 100)}, {Held: Hold(tab, Query{Group: group}, 100), Group: group},
	} {
		q.Height, q.Match, q.Ghosts = 50, match, true
		var f Frame
		Build(tab, q, 100, &f)
		if n := testing.AllocsPerRun(20, func() { Build(tab, q, 100, &f) }); n > 8 {
			t.Errorf("%+v: %v allocations", q, n)
		}
	}
}

// However many groups there are, each row is in the group of its key.
func TestManyGroups(t *testing.T) {
	const n = 20_000
	tab := many(n)
	key := func(r *table.Row) Key {
		k := Key{Addr: r.Remote}
		switch r.ID % 4 {
		case 0:
			k = Key{N: uint64(r.ID)}
		case 1:
			k = Key{M: uint64(r.ID)}
		case 2:
			k = Key{Text: fmt.Sprint(r.ID / 8)}
		}
		return k
	}
	var f Frame
	for range 2 {
		Build(tab, Query{Height: 2 * n, Group: &Grouping{Key: key}}, 100, &f)
		if want := n - n/8; f.Groups != want || len(f.Rows) != n+want {
			t.Fatalf("%d groups and %d lines, want %d and %d", f.Groups, len(f.Rows), want, n+want)
		}
		var g *Group
		for _, l := range f.Rows {
			if l.Group != nil {
				g = l.Group
			} else if key(&l.Row) != g.Key {
				t.Fatalf("%d is under %+v", l.ID, g.Key)
			}
		}
	}
}
