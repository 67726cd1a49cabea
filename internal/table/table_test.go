// SPDX-License-Identifier: GPL-2.0-or-later

package table

import (
	"net/netip"
	"slices"
	"testing"

	"netlive/internal/sock"
)

var (
	here  = netip.MustParseAddrPort("192.0.2.1:8080")
	there = netip.MustParseAddrPort("198.51.100.7:40000")
)

// at is a TCP socket as a source would give it.
func at(id sock.ID, stamp sock.Stamp, state sock.State) sock.Socket {
	return sock.Socket{ID: id, At: stamp, Proto: sock.TCP, State: state, Local: here, Remote: there}
}

func event(id sock.ID, stamp sock.Stamp, old, state sock.State) *sock.Event {
	return &sock.Event{Kind: sock.EventState, Socket: at(id, stamp, state), Old: old}
}

func toMini(id sock.ID, stamp sock.Stamp, old, mini sock.State) *sock.Event {
	e := event(id, stamp, old, sock.Close)
	e.Mini = mini
	return e
}

func snapshot(begin sock.Stamp, socks ...sock.Socket) *sock.Snapshot {
	return &sock.Snapshot{Begin: begin, Protos: sock.ProtosTCP, Sockets: socks}
}

func ghosts(t *Table) (ids []sock.ID) {
	for g := range t.Ghosts() {
		ids = append(ids, g.ID)
	}
	return ids
}

func TestLifeByEvents(t *testing.T) {
	tab := New()
	e := event(1, 10, sock.Close, sock.SynSent)
	e.Socket.Local = netip.AddrPortFrom(here.Addr(), 0)
	e.Socket.Owner = sock.Owner{PID: 42, FD: 3, How: sock.HowExact}
	if !tab.Apply(e) {
		t.Error("birth changes nothing")
	}
	tab.Apply(event(1, 20, sock.SynSent, sock.Established))
	r := tab.Get(1)
	if r.Born != 10 || r.Since != 20 || r.Changed != 20 || r.Local != here || r.Owner.PID != 42 {
		t.Errorf("established: %+v", r)
	}
	tab.Apply(event(1, 30, sock.Established, sock.FinWait1))
	tab.Apply(event(1, 40, sock.FinWait1, sock.FinWait2))
	e = toMini(1, 41, sock.FinWait2, sock.FinWait2)
	e.Socket.Local = netip.AddrPortFrom(here.Addr(), 0)
	tab.Apply(e)
	r = tab.Get(1)
	if r == nil || r.State != sock.FinWait2 || r.Since != 40 || r.Owner.PID != 42 || r.Local != here || r.Born != 10 {
		t.Errorf("minisocket: %+v", r)
	}
	if c := tab.Counts(); c[sock.FinWait2] != 1 || tab.Len() != 1 {
		t.Errorf("counts %v of %d", c, tab.Len())
	}
	d := tab.Replace(snapshot(50, at(1, 51, sock.TimeWait)))
	if r = tab.Get(1); r.State != sock.TimeWait || r.Resynced || d.Corrected != 0 || r.Owner.PID != 42 {
		t.Errorf("nothing announces TIME_WAIT after FIN_WAIT2, it is no correction: %+v, %+v", r, d)
	}
	d = tab.Replace(snapshot(60))
	if counts(d) != (Diff{Removed: 1}) || tab.Len() != 0 || tab.Counts() != [sock.StateCount]int{} {
		t.Errorf("end: %+v, %d left", d, tab.Len())
	}
	g := slices.Collect(tab.Ghosts())
	if len(g) != 1 || g[0].Last != sock.TimeWait || g[0].State != sock.Close || g[0].Closed != 60 || g[0].Resynced || g[0].Owner.PID != 42 {
		t.Errorf("ghosts %+v", g)
	}
}

func TestFirstSnapshotIsNoNews(t *testing.T) {
	tab := New()
	d := tab.Replace(snapshot(10, at(1, 11, sock.Listen), at(2, 12, sock.Established)))
	if counts(d) != (Diff{Added: 2}) {
		t.Errorf("first: %+v", d)
	}
	for r := range tab.Rows() {
		if r.Changed != 0 || r.Born != 0 || r.Since != 0 || r.Resynced {
			t.Errorf("seeded row is news: %+v", r)
		}
	}
	d = tab.Replace(snapshot(20, at(1, 21, sock.Listen), at(3, 22, sock.Established)))
	if counts(d) != (Diff{Added: 1, Removed: 1, Kept: 1}) {
		t.Errorf("second: %+v", d)
	}
	if r := tab.Get(3); r.Changed != 22 || r.Resynced || r.Born != 0 {
		t.Errorf("without events a new row is plain news: %+v", r)
	}
	// Another protocol is seeded on its own.
	u := at(4, 31, sock.Close)
	u.Proto = sock.UDP
	tab.Replace(&sock.Snapshot{Begin: 30, Protos: sock.ProtosUDP, Sockets: []sock.Socket{u}})
	if r := tab.Get(4); r.Changed != 0 || tab.Len() != 3 {
		t.Errorf("first UDP walk: %+v, %d rows", r, tab.Len())
	}
}

func TestCorrection(t *testing.T) {
	tab := New()
	tab.Apply(event(1, 10, sock.Close, sock.SynSent))
	d := tab.Replace(snapshot(20, at(1, 21, sock.Established), at(2, 22, sock.Established)))
	r := tab.Get(1)
	if counts(d) != (Diff{Added: 1, Kept: 1, Corrected: 1}) || !r.Resynced || r.Since != 0 || r.Changed != 21 {
		t.Errorf("%+v, %+v", d, r)
	}
	if tab.Get(2).Resynced {
		t.Error("a row of the first snapshot is no correction")
	}
	// The announcement was late, not lost.
	if !tab.Apply(event(1, 15, sock.SynSent, sock.Established)) || r.Resynced || r.Since != 15 || r.At != 21 {
		t.Errorf("late announcement: %+v", r)
	}
	n := at(1, 31, sock.Established)
	n.Queue.Recv = 7
	v := tab.Version()
	d = tab.Replace(snapshot(30, n, at(2, 32, sock.Established), at(3, 33, sock.Established)))
	if d.Corrected != 0 || r.Resynced || r.Changed != 21 || r.Queue.Recv != 7 || tab.Version() == v {
		t.Errorf("queues are no correction: %+v, %+v", d, r)
	}
	if !tab.Get(3).Resynced {
		t.Error("its opening was lost")
	}
	v = tab.Version()
	tab.Replace(snapshot(40, n, at(2, 42, sock.Established), at(3, 43, sock.Established)))
	if tab.Version() != v {
		t.Error("the version moved though nothing changed")
	}
	tab.Replace(snapshot(50))
	for g := range tab.Ghosts() {
		if !g.Resynced || g.Closed != 50 {
			t.Errorf("its close was lost: %+v", g)
		}
	}
}

func TestEqualStamps(t *testing.T) {
	for _, c := range []struct {
		name string
		play func(*Table)
		want sock.State
	}{
		{"event after row", func(tab *Table) {
			tab.Replace(snapshot(5, at(1, 10, sock.SynSent)))
			tab.Apply(event(1, 10, sock.SynSent, sock.Established))
		}, sock.Established},
		{"row after event", func(tab *Table) {
			tab.Apply(event(1, 10, sock.SynSent, sock.Established))
			tab.Replace(snapshot(5, at(1, 10, sock.SynSent)))
		}, sock.Established},
		{"close after row", func(tab *Table) {
			tab.Replace(snapshot(5, at(1, 10, sock.SynSent)))
			tab.Apply(event(1, 10, sock.SynSent, sock.Close))
		}, sock.StateNone},
		{"row after close", func(tab *Table) {
			tab.Apply(event(1, 10, sock.SynSent, sock.Close))
			tab.Replace(snapshot(5, at(1, 10, sock.SynSent)))
		}, sock.StateNone},
		{"event after close", func(tab *Table) {
			tab.Apply(event(1, 10, sock.SynSent, sock.Close))
			tab.Apply(event(1, 10, sock.Close, sock.SynSent))
		}, sock.StateNone},
		{"later of two snapshots", func(tab *Table) {
			tab.Replace(snapshot(10, at(1, 10, sock.SynSent)))
			tab.Replace(snapshot(10, at(1, 10, sock.Established)))
		}, sock.Established},
		{"absent from a walk begun at the stamp", func(tab *Table) {
			tab.Apply(event(1, 10, sock.SynSent, sock.Established))
			tab.Replace(snapshot(10))
		}, sock.Established},
	} {
		t.Run(c.name, func(t *testing.T) {
			tab := New()
			c.play(tab)
			got := sock.StateNone
			if r := tab.Get(1); r != nil {
				got = r.State
			}
			if got != c.want {
				t.Errorf("state %v, want %v", got, c.want)
			}
		})
	}
}

func TestNewLife(t *testing.T) {
	tab := New()
	e := event(1, 10, sock.Close, sock.SynSent)
	e.Socket.Owner = sock.Owner{PID: 42, How: sock.HowExact}
	tab.Apply(e)
	tab.Apply(event(1, 20, sock.SynSent, sock.Close))
	if got := ghosts(tab); !slices.Equal(got, []sock.ID{1}) {
		t.Fatalf("ghosts %v", got)
	}
	if tab.Apply(event(1, 15, sock.SynSent, sock.Established)) || tab.Get(1) != nil {
		t.Error("late event raised a ghost")
	}
	tab.Apply(event(1, 30, sock.Close, sock.SynSent))
	if r := tab.Get(1); r == nil || r.Born != 30 || r.Closed != 0 || r.Owner.Known() || len(ghosts(tab)) != 0 {
		t.Errorf("new life: %+v, ghosts %v", r, ghosts(tab))
	}
	// News of the first life says nothing of the second.
	if tab.Apply(e) || tab.Get(1).Owner.Known() {
		t.Error("owner taken from an earlier life")
	}
	// The second close is lost.
	tab.Apply(event(1, 50, sock.Close, sock.Listen))
	if r := tab.Get(1); r.Born != 50 || r.Since != 50 || tab.Len() != 1 {
		t.Errorf("third life: %+v", r)
	}
}

// A socket that was disconnected and connected again while its former connection
// is in TIME_WAIT: two rows of the walk have the same cookie.
func TestTimeWaitUnderTheSameCookie(t *testing.T) {
	for _, socks := range [][]sock.Socket{
		{at(1, 11, sock.TimeWait), at(1, 12, sock.Established)},
		{at(1, 11, sock.Established), at(1, 12, sock.TimeWait)},
	} {
		tab := New()
		d := tab.Replace(snapshot(10, socks...))
		if r := tab.Get(1); r.State != sock.Established || d.Added != 1 {
			t.Errorf("%v first: %v, %+v", socks[0].State, r.State, d)
		}
	}
}

func TestGhostsAreBounded(t *testing.T) {
	tab := New()
	const n = 3 * GhostsMax
	for id := sock.ID(1); id <= n; id++ {
		tab.Apply(event(id, sock.Stamp(id)*10, sock.Close, sock.SynSent))
		tab.Apply(event(id, sock.Stamp(id)*10+1, sock.SynSent, sock.Close))
	}
	got := ghosts(tab)
	if len(got) != GhostsMax || got[0] != n-GhostsMax+1 || got[GhostsMax-1] != n {
		t.Errorf("%d ghosts, %d to %d", len(got), got[0], got[len(got)-1])
	}
	if tab.used > GhostsMax+1 {
		t.Errorf("%d slots for %d ghosts and one row at a time", tab.used, GhostsMax)
	}
	v := tab.Version()
	tab.Prune(n * 10)
	if len(tab.tombs) != n {
		t.Errorf("%d tombstones though no walk came in", len(tab.tombs))
	}
	tab.Replace(snapshot(n*10 + 5))
	tab.Prune(n * 10)
	if got := ghosts(tab); !slices.Equal(got, []sock.ID{n}) || len(tab.tombs) != 1 || tab.Version() == v {
		t.Errorf("after Prune: ghosts %v, %d tombstones", got, len(tab.tombs))
	}
	tab.Replace(snapshot(n*10 + 6))
	tab.Prune(n*10 + 2)
	if len(tab.index) != 0 || len(tab.tombs) != 0 {
		t.Errorf("%d in the index, %d tombstones", len(tab.index), len(tab.tombs))
	}
	for i := range tab.used {
		if s := tab.at(i); s.kind != slotFree || s.ID != 0 {
			t.Fatalf("slot %d is not empty: %+v", i, s)
		}
	}
}

func TestTombstonesAreBounded(t *testing.T) {
	if testing.Short() {
		t.Skip("makes a million of them")
	}
	tab := New()
	for id := sock.ID(1); id <= tombsMax+10; id++ {
		tab.Apply(event(id, sock.Stamp(id), sock.Established, sock.Close))
	}
	tab.Prune(tombsMax)
	if len(tab.tombs) != 11 {
		t.Errorf("%d tombstones", len(tab.tombs))
	}
}

func TestFreeSlotsHoldNothing(t *testing.T) {
	tab := New()
	n := at(1, 11, sock.Established)
	n.Owner = sock.Owner{PID: 5, How: sock.HowSeeded, Program: "nginx"}
	n.Others = []sock.Owner{{PID: 6, How: sock.HowSeeded, Program: "nginx"}}
	u := sock.Socket{ID: 2, At: 11, Proto: sock.Unix, State: sock.UnixConnected, Unix: &sock.UnixInfo{Path: "/run/x"}}
	protos := sock.ProtosTCP | sock.ProtosUnix
	tab.Replace(&sock.Snapshot{Begin: 10, Protos: protos, Sockets: []sock.Socket{n, u}})
	if r := tab.Get(2); r.Unix == u.Unix || r.Unix.Path != "/run/x" {
		t.Errorf("the row holds on to the snapshot's memory: %+v", r.Unix)
	}
	tab.Replace(&sock.Snapshot{Begin: 20, Protos: protos})
	tab.Prune(100)
	for i := range tab.used {
		if s := tab.at(i); s.Others != nil || s.Unix != nil || s.Owner.Program != "" {
			t.Errorf("free slot holds %+v", s.Row)
		}
	}
	tab.Apply(event(3, 200, sock.Close, sock.SynSent))
	if r := tab.Get(3); r.Others != nil || r.Unix != nil || r.Owner.Known() || r.UID != 0 || r.Closed != 0 || r.Last != 0 {
		t.Errorf("row in a used slot: %+v", r)
	}
}

func TestShrink(t *testing.T) {
	tab := New()
	const n = 4 * shrinkMin
	socks := make([]sock.Socket, n)
	for i := range socks {
		socks[i] = at(sock.ID(i+1), 11, sock.Established)
	}
	tab.Replace(snapshot(10, socks...))
	tab.Apply(event(n, 15, sock.Established, sock.Close))
	tab.Replace(snapshot(20, at(7, 21, sock.Established), at(n-7, 21, sock.Listen)))
	before := ghosts(tab)
	tab.Prune(12)
	if len(tab.chunks)*chunkRows > 2*GhostsMax || tab.Len() != 2 || tab.Get(n-7).State != sock.Listen || tab.Get(7) == nil {
		t.Errorf("%d chunks for %d rows", len(tab.chunks), tab.Len())
	}
	if after := ghosts(tab); !slices.Equal(before, after) || len(after) != GhostsMax {
		t.Errorf("%d ghosts before, %d after", len(before), len(after))
	}
	if c := tab.Counts(); c[sock.Established] != 1 || c[sock.Listen] != 1 {
		t.Errorf("counts %v", c)
	}
}

// Nothing that a source could send may make the table panic.
func TestStrangeInput(t *testing.T) {
	tab := New()
	odd := at(1, 10, 200)
	odd.Proto = 250
	for _, e := range []sock.Event{
		{}, {Kind: sock.EventLost, Lost: 3}, {Kind: 99, Socket: odd},
		{Kind: sock.EventState, Socket: odd, Mini: 77}, {Kind: sock.EventState},
		{Kind: sock.EventOwner, Socket: at(9, 1, 0)},
	} {
		tab.Apply(&e)
	}
	d := tab.Replace(&sock.Snapshot{Protos: sock.ProtosTCP, Sockets: []sock.Socket{{}, {ID: 5, Proto: sock.UDP}, at(6, 0, 250)}})
	if tab.Get(5) != nil || d.Added != 1 {
		t.Errorf("a row of a protocol that was not walked, or without ID, came in: %+v", d)
	}
	tab.Prune(1 << 62)
}

// A request that becomes a connection has another name from then on, and is no ghost under the old one.
func TestRequestBecomesConnection(t *testing.T) {
	request := sock.Socket{ID: 7 | sock.LocalID, At: 10, Proto: sock.TCP, State: sock.SynRecv}
	birth := sock.Event{
		Kind: sock.EventState, Old: sock.Listen, Request: request.ID,
		Socket: sock.Socket{ID: 8, At: 20, Proto: sock.TCP, State: sock.SynRecv},
	}
	walk := func(tb *Table, begin sock.Stamp, rows ...sock.Socket) {
		tb.Replace(&sock.Snapshot{Begin: begin, Protos: sock.ProtosTCP, Sockets: rows})
	}
	alone := func(tb *Table, id sock.ID) {
		t.Helper()
		if tb.Len() != 1 || tb.Get(id) == nil || tb.Counts()[sock.SynRecv] != 1 {
			t.Errorf("%d rows, want %#x alone", tb.Len(), id)
		}
		for r := range tb.Ghosts() {
			t.Errorf("ghost %+v", r)
		}
	}

	// The row first, then the news.
	tb := New()
	walk(tb, 5, request)
	alone(tb, request.ID)
	if !tb.Apply(&birth) {
		t.Error("nothing changed")
	}
	alone(tb, 8)

	// The news first: the row that was walked before is on its way.
	tb = New()
	tb.Apply(&birth)
	walk(tb, 5, request)
	alone(tb, 8)

	// The same ends again, later, are another request.
	tb.Apply(&sock.Event{Kind: sock.EventState, Old: sock.SynRecv, Socket: sock.Socket{ID: 8, At: 30, Proto: sock.TCP, State: sock.Close}})
	tb.Prune(31)
	request.At = 40
	walk(tb, 35, request)
	alone(tb, request.ID)

	// News that is older than the row is of an earlier one.
	tb.Apply(&birth)
	if tb.Get(request.ID) == nil {
		t.Error("the request went with the news of an earlier one")
	}
}

// counts are the numbers of d.
func counts(d Diff) Diff {
	d.Present, d.Queued = 0, 0
	return d
}

// A connection that is given the ends of a minisocket has taken its place, be the minisocket from an event or from a walk.
func TestEndsAreUsedAgain(t *testing.T) {
	local, remote := netip.MustParseAddrPort("192.0.2.1:40000"), netip.MustParseAddrPort("198.51.100.7:80")
	connect := func(tab *Table, id sock.ID, ts sock.Stamp) {
		for i, state := range []sock.State{sock.SynSent, sock.Established} {
			e := event(id, ts+sock.Stamp(i), []sock.State{sock.Close, sock.SynSent}[i], state)
			e.Socket.Local, e.Socket.Remote = local, remote
			if state == sock.SynSent {
				e.Socket.Local = netip.AddrPortFrom(local.Addr(), 0)
			}
			tab.Apply(e)
		}
	}
	for name, begin := range map[string]func(tab *Table){
		"event": func(tab *Table) {
			connect(tab, 1, 10)
			e := event(1, 20, sock.FinWait2, sock.Close)
			e.Socket.Local, e.Socket.Remote, e.Mini = local, remote, sock.TimeWait
			tab.Apply(e)
		},
		"walk": func(tab *Table) {
			n := at(1, 20, sock.TimeWait)
			n.Local, n.Remote = local, remote
			tab.Replace(snapshot(15, n))
		},
		"event, then walk": func(tab *Table) {
			connect(tab, 1, 10)
			n := at(1, 20, sock.TimeWait)
			n.Local, n.Remote = local, remote
			tab.Replace(snapshot(15, n))
		},
	} {
		tab := New()
		begin(tab)
		if r := tab.Get(1); r == nil || r.State != sock.TimeWait || r.Local != local || len(tab.minis) != 1 {
			t.Fatalf("%s: %+v, %d", name, r, len(tab.minis))
		}
		connect(tab, 2, 30)
		if tab.Get(1) != nil || tab.Get(2) == nil || tab.Len() != 1 || len(tab.minis) != 0 {
			t.Errorf("%s: %+v, %+v, %d rows, %d minisockets", name, tab.Get(1), tab.Get(2), tab.Len(), len(tab.minis))
		}
		n := at(1, 25, sock.TimeWait)
		n.Local, n.Remote = local, remote
		tab.Replace(snapshot(24, n, at(2, 31, sock.Established)))
		if tab.Get(1) != nil {
			t.Errorf("%s: a walk from before raised it", name)
		}
	}
	// Other ends, or older ones, end nothing.
	tab := New()
	n := at(1, 40, sock.TimeWait)
	n.Local, n.Remote = local, netip.MustParseAddrPort("198.51.100.7:81")
	m := at(3, 40, sock.TimeWait)
	m.Local, m.Remote = local, remote
	tab.Replace(snapshot(35, n, m))
	connect(tab, 2, 36)
	if tab.Get(1) == nil || tab.Get(3) == nil || tab.Len() != 3 {
		t.Errorf("%d rows", tab.Len())
	}
}
