// SPDX-License-Identifier: GPL-2.0-or-later

package view

import (
	"encoding/binary"
	"math"
	"math/rand/v2"
	"net/netip"
	"slices"
	"testing"

	"netlive/internal/sock"
	"netlive/internal/table"
)

func row(id sock.ID, p sock.Proto, state sock.State, local, remote string) sock.Socket {
	return sock.Socket{ID: id, At: 11, Proto: p, State: state,
		Local: netip.MustParseAddrPort(local), Remote: netip.MustParseAddrPort(remote)}
}

func unix(id sock.ID, state sock.State, path string) sock.Socket {
	return sock.Socket{ID: id, At: 11, Proto: sock.Unix, State: state, Unix: &sock.UnixInfo{Path: path}}
}

const all = sock.ProtoSet(0xffff)

func filled(socks ...sock.Socket) *table.Table {
	t := table.New()
	t.Replace(&sock.Snapshot{Begin: 10, Protos: all, Sockets: socks})
	return t
}

// sample is in the order in which it must be shown.
var sample = []sock.Socket{
	row(8, sock.TCP, sock.Listen, "0.0.0.0:22", "0.0.0.0:0"),
	row(3, sock.TCP, sock.Listen, "127.0.0.1:25", "0.0.0.0:0"),
	row(5, sock.TCP, sock.Listen, "192.0.2.1:25", "0.0.0.0:0"),
	row(2, sock.TCP6, sock.Listen, "[::]:22", "[::]:0"),
	row(9, sock.TCP, sock.Established, "192.0.2.1:22", "198.51.100.1:50000"),
	row(4, sock.TCP, sock.CloseWait, "192.0.2.1:22", "198.51.100.2:40000"),
	row(1, sock.TCP, sock.Established, "192.0.2.1:80", "198.51.100.1:1"),
	row(6, sock.UDP, sock.Close, "0.0.0.0:53", "0.0.0.0:0"),
	row(10, sock.UDP, sock.Close, "0.0.0.0:53", "0.0.0.0:0"),
	row(7, sock.TCP, sock.TimeWait, "192.0.2.1:22", "198.51.100.1:50001"),
	unix(14, sock.UnixListening, "/run/b"),
	unix(11, sock.UnixConnected, ""),
	unix(12, sock.UnixConnected, "/run/a"),
	unix(13, sock.UnixConnected, "/run/a"),
}

func ids(f *Frame) (ids []sock.ID) {
	for i := range f.Rows {
		ids = append(ids, f.Rows[i].ID)
	}
	return ids
}

func idsOf(socks []sock.Socket) (ids []sock.ID) {
	for i := range socks {
		ids = append(ids, socks[i].ID)
	}
	return ids
}

func shuffled(socks []sock.Socket) []sock.Socket {
	socks = slices.Clone(socks)
	rand.New(rand.NewPCG(3, 4)).Shuffle(len(socks), func(i, j int) { socks[i], socks[j] = socks[j], socks[i] })
	return socks
}

func TestWindows(t *testing.T) {
	tab := filled(shuffled(sample)...)
	n := len(sample)
	var f Frame
	for _, c := range []struct {
		name                string
		offset, height      int
		wantOffset, wantLen int
	}{
		{"all", 0, n, 0, n},
		{"more than all", 0, n + 100, 0, n},
		{"top", 0, 3, 0, 3},
		{"middle", 4, 5, 4, 5},
		{"end", n - 2, 2, n - 2, 2},
		{"across the end", n - 1, 4, n - 4, 4},
		{"beyond the end", n + 50, 4, n - 4, 4},
		{"far beyond the end", math.MaxInt, math.MaxInt, 0, n},
		{"before the begin", -7, 4, 0, 4},
		{"no height", 3, 0, 3, 0},
		{"negative height", 3, -1, 3, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			Build(tab, Query{Offset: c.offset, Height: c.height}, 100, &f)
			want := idsOf(sample[c.wantOffset : c.wantOffset+c.wantLen])
			if got := ids(&f); !slices.Equal(got, want) || f.Offset != c.wantOffset {
				t.Errorf("at %d: %v, want %v at %d", f.Offset, got, want, c.wantOffset)
			}
			if f.Shown != n || f.Total != n {
				t.Errorf("%d shown of %d, want %d", f.Shown, f.Total, n)
			}
		})
	}
}

func TestEmptyTable(t *testing.T) {
	var f Frame
	Build(filled(sample...), Query{Height: 5}, 100, &f)
	Build(table.New(), Query{Offset: 5, Height: 5, Ghosts: true}, 100, &f)
	if len(f.Rows) != 0 || f.Shown != 0 || f.Total != 0 || f.Offset != 0 || f.ByState != [sock.StateCount]int{} {
		t.Errorf("%+v", f)
	}
}

func TestSelect(t *testing.T) {
	var f Frame
	udp := func(s *sock.Socket) bool { return s.Proto == sock.UDP || s.State == sock.TimeWait }
	Build(filled(sample...), Query{Select: udp, Height: 20}, 100, &f)
	if got := ids(&f); !slices.Equal(got, []sock.ID{6, 10, 7}) || f.Shown != 3 || f.Total != 3 || f.Matched != 3 {
		t.Errorf("%v, %d of %d", got, f.Shown, f.Total)
	}
	if f.ByState != [sock.StateCount]int{sock.TimeWait: 1} {
		t.Errorf("states of the selected: %v; UDP has none", f.ByState)
	}
	// What matches is counted beside what it was chosen from.
	notUDP := func(s *sock.Socket) bool {
		if !udp(s) {
			t.Errorf("%d is not selected, and needs no match", s.ID)
		}
		return s.Proto != sock.UDP
	}
	Build(filled(sample...), Query{Select: udp, Match: notUDP, Height: 20}, 100, &f)
	if got := ids(&f); !slices.Equal(got, []sock.ID{7}) || f.Shown != 1 || f.Matched != 1 || f.Total != 3 {
		t.Errorf("%v, %d of %d", got, f.Matched, f.Total)
	}
}

func TestGhostsStayInPlace(t *testing.T) {
	tab := filled(sample...)
	closed := func(id sock.ID, at sock.Stamp, last sock.State) {
		e := sock.Event{Kind: sock.EventState, Old: last}
		e.Socket = sock.Socket{ID: id, At: at, Proto: sock.TCP, State: sock.Close}
		tab.Apply(&e)
	}
	const now = sock.Stamp(10 * Highlight)
	closed(3, 1000, sock.Listen)
	closed(4, now-1000, sock.CloseWait)
	var f Frame
	q := Query{Height: 20, Ghosts: true}
	Build(tab, q, now, &f)
	if got := ids(&f); !slices.Equal(got, idsOf(sample)) {
		t.Errorf("%v, want %v", got, idsOf(sample))
	}
	if f.Shown != len(sample) || f.Total != len(sample)-2 {
		t.Errorf("%d shown of %d", f.Shown, f.Total)
	}
	for _, l := range f.Rows {
		if ghost, fresh := l.ID == 3 || l.ID == 4, l.ID == 4; l.Ghost != ghost || l.Fresh != fresh {
			t.Errorf("%d: ghost %v, fresh %v", l.ID, l.Ghost, l.Fresh)
		}
	}
	q.Select = func(s *sock.Socket) bool { return s.State == sock.Listen }
	Build(tab, q, now, &f)
	if got := ids(&f); !slices.Equal(got, []sock.ID{8, 3, 5, 2}) || f.ByState[sock.Listen] != 3 {
		t.Errorf("listeners and their ghosts: %v, %v", got, f.ByState)
	}
	q.Match, q.Select = q.Select, nil
	Build(tab, q, now, &f)
	if got := ids(&f); !slices.Equal(got, []sock.ID{8, 3, 5, 2}) || f.Shown != 4 || f.Matched != 3 || f.Total != len(sample)-2 {
		t.Errorf("listeners and their ghosts, matched: %v, %d of %d", got, f.Matched, f.Total)
	}
	q.Ghosts = false
	Build(tab, q, now, &f)
	if got := ids(&f); !slices.Equal(got, []sock.ID{8, 5, 2}) {
		t.Errorf("without ghosts: %v", got)
	}
}

func TestFresh(t *testing.T) {
	tab := filled(row(1, sock.TCP, sock.SynSent, "192.0.2.1:1", "192.0.2.2:2"), row(2, sock.TCP, sock.Listen, "192.0.2.1:1", "0.0.0.0:0"))
	e := sock.Event{Kind: sock.EventState, Old: sock.SynSent, Socket: row(1, sock.TCP, sock.Established, "192.0.2.1:1", "192.0.2.2:2")}
	const changed, fades = 500, 500 + sock.Stamp(Highlight)
	e.Socket.At = changed
	tab.Apply(&e)
	var f Frame
	for _, c := range []struct {
		now, again sock.Stamp
		fresh      bool
	}{{changed, fades, true}, {fades - 1, fades, true}, {fades, 0, false}, {100 * fades, 0, false}} {
		Build(tab, Query{Height: 2}, c.now, &f)
		if f.Rows[0].Fresh || f.Rows[1].Fresh != c.fresh || f.Again != c.again {
			t.Errorf("at %d: %v and %v, again at %d; what was there at first is never fresh", c.now, f.Rows[0].Fresh, f.Rows[1].Fresh, f.Again)
		}
	}
}

func TestFrameHoldsCopies(t *testing.T) {
	tab := filled(sample...)
	var f Frame
	Build(tab, Query{Height: 20}, 100, &f)
	tab.Replace(&sock.Snapshot{Begin: 50, Protos: all})
	tab.Prune(1 << 40)
	tab.Replace(&sock.Snapshot{Begin: 60, Protos: all, Sockets: []sock.Socket{{ID: 99, At: 61, Proto: sock.TCP}}})
	if got := ids(&f); !slices.Equal(got, idsOf(sample)) || f.Rows[10].Unix.Path != "/run/b" {
		t.Errorf("the frame moved with the table: %v", got)
	}
	for _, e := range f.scratch.picked.entries[:cap(f.scratch.picked.entries)] {
		if e.row != nil {
			t.Fatal("the frame holds on to the table's rows")
		}
	}
}

// However many rows there are, the window is that of the whole order.
func TestManyRows(t *testing.T) {
	const n = 5000
	tab := many(n)
	var whole, f Frame
	Build(tab, Query{Height: n}, 100, &whole)
	if !slices.IsSortedFunc(whole.Rows, func(a, b Line) int {
		return compare(entry{place(&a.Row), &a.Row}, entry{place(&b.Row), &b.Row})
	}) {
		t.Fatal("not in order")
	}
	for _, c := range []Query{{Height: 1}, {Height: 20}, {Offset: 100, Height: 20}, {Offset: 2500, Height: 700}, {Offset: n - 1, Height: 1}, {Offset: n, Height: 30}} {
		Build(tab, c, 100, &f)
		offset := min(c.Offset, n-c.Height)
		if got, want := ids(&f), ids(&whole)[offset:offset+c.Height]; !slices.Equal(got, want) || f.Shown != n {
			t.Errorf("%d at %d: %v, want %v", c.Height, c.Offset, got, want)
		}
	}
}

// The window of a partial sort is that of a full one, whatever the order before.
func TestSortWindow(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	for range 3000 {
		n := rng.IntN(400)
		e := make([]entry, n)
		for i := range e {
			// Few ports, so that places are alike and the ID decides.
			e[i] = entry{uint64(rng.IntN(1 + rng.IntN(50))), &table.Row{Socket: sock.Socket{ID: sock.ID(i)}}}
		}
		switch rng.IntN(4) {
		case 0:
			slices.SortFunc(e, compare)
		case 1:
			slices.SortFunc(e, func(a, b entry) int { return compare(b, a) })
		}
		want := slices.SortedFunc(slices.Values(e), compare)
		lo := rng.IntN(n + 1)
		hi := lo + rng.IntN(n-lo+1)
		sortWindow(e, lo, hi, compare, nil)
		if !slices.Equal(e[lo:hi], want[lo:hi]) {
			t.Fatalf("window %d to %d of %d is not sorted", lo, hi, n)
		}
		if slices.SortFunc(e, compare); !slices.Equal(e, want) {
			t.Fatal("entries were lost")
		}
	}
}

func many(n int) *table.Table {
	socks := make([]sock.Socket, n)
	for i := range socks {
		var a [4]byte
		binary.BigEndian.PutUint32(a[:], uint32(i*7919%n)|10<<24)
		socks[i] = sock.Socket{ID: sock.ID(i + 1), At: 11, Proto: sock.TCP, State: sock.Established,
			Local: netip.MustParseAddrPort("192.0.2.1:443"), Remote: netip.AddrPortFrom(netip.AddrFrom4(a), 40000)}
	}
	return filled(socks...)
}

// All connections to one port are the worst case: the place decides nothing.
func BenchmarkBuild200k(b *testing.B) {
	tab := many(200_000)
	for _, c := range []struct {
		name           string
		offset, height int
	}{{"top", 0, 50}, {"middle", 100_000, 50}, {"all", 0, 200_000}} {
		b.Run(c.name, func(b *testing.B) {
			var f Frame
			q := Query{Offset: c.offset, Height: c.height, Ghosts: true}
			b.ReportAllocs()
			for b.Loop() {
				Build(tab, q, 100, &f)
			}
		})
	}
}
