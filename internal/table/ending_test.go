// SPDX-License-Identifier: GPL-2.0-or-later

package table

import (
	"net/netip"
	"testing"
	"time"

	"netlive/internal/sock"
)

// end tells how the connection id ended at a stamp; sent is what tells it from others.
func end(id sock.ID, stamp sock.Stamp, sent uint64) *sock.Event {
	e := event(id, stamp, sock.Established, sock.Close)
	e.Kind = sock.EventClose
	e.Detail = &sock.Detail{
		End: sock.EndResetReceived, By: sock.SideRemote, Errno: 104, Reason: "TCP_STATE",
		Life: sock.Life{Duration: 5, BytesSent: sent, BytesReceived: 2, Retrans: 3, RTT: time.Second, Signal: 9, Exited: true, Peer: by(7, sock.HowExact)},
	}
	return e
}

// open are the first events of a connection.
func open(id sock.ID, stamp sock.Stamp) []*sock.Event {
	return []*sock.Event{event(id, stamp, sock.Close, sock.SynSent), event(id, stamp+1, sock.SynSent, sock.Established)}
}

// elsewhere gives a connection another other end.
func elsewhere(s sock.Socket) sock.Socket {
	s.Remote = netip.AddrPortFrom(there.Addr(), 9)
	return s
}

func opened(t *Table) {
	for _, e := range open(1, 10) {
		t.Apply(e)
	}
}

func TestEndings(t *testing.T) {
	shut := event(1, 20, sock.Established, sock.Close)
	other := end(1, 20, 1)
	other.Socket = elsewhere(other.Socket)
	retransmit := end(1, 20, 1)
	retransmit.Kind = sock.EventRetransmit
	bare := end(1, 20, 1)
	bare.Detail = nil
	for _, c := range []struct {
		name string
		news []any // *sock.Event or *sock.Snapshot
		want uint64
	}{
		{"a ghost's", []any{shut, end(1, 20, 1)}, 1},
		{"before the close", []any{end(1, 20, 1), shut}, 1},
		{"before the close, which is lost", []any{end(1, 20, 1), snapshot(30)}, 1},
		{"a ghost's that a walk made", []any{snapshot(15), end(1, 20, 1)}, 1},
		{"a minisocket's", []any{toMini(1, 20, sock.FinWait2, sock.TimeWait), end(1, 20, 1)}, 1},
		{"a minisocket's that was walked", []any{snapshot(30, at(1, 31, sock.TimeWait)), end(1, 20, 1)}, 1},
		{"a minisocket's that is gone", []any{toMini(1, 20, sock.FinWait2, sock.FinWait2), snapshot(30), end(1, 20, 1)}, 1},
		{"told twice", []any{shut, end(1, 20, 1), end(1, 20, 2)}, 1},
		{"of an earlier life", []any{end(1, 9, 1)}, 0},
		{"of an earlier life, of a ghost", []any{shut, end(1, 9, 1)}, 0},
		{"of a row that lives on", []any{event(1, 25, sock.Established, sock.CloseWait), end(1, 20, 1)}, 0},
		{"of other ends", []any{shut, other}, 0},
		{"another kind", []any{shut, retransmit}, 0},
		{"without detail", []any{shut, bare}, 0},
		{"a new life", []any{shut, end(1, 20, 1), event(1, 30, sock.Close, sock.SynSent)}, 0},
		{"a new life whose begin was lost", []any{end(1, 20, 1), event(1, 30, sock.Close, sock.SynSent)}, 0},
		{"a late close", []any{snapshot(30, at(1, 31, sock.Established)), end(1, 20, 1), shut}, 0},
		{"a socket of other ends was walked", []any{end(1, 20, 1), snapshot(30, elsewhere(at(1, 31, sock.Established)))}, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			tab := New()
			opened(tab)
			for _, n := range c.news {
				if e, ok := n.(*sock.Event); ok {
					version := tab.Version()
					if changed := tab.Apply(e); changed != (tab.Version() != version) {
						t.Errorf("Apply = %v, and the version moved by %d", changed, tab.Version()-version)
					}
					continue
				}
				tab.Replace(n.(*sock.Snapshot))
			}
			r := tab.Get(1)
			for g := range tab.Ghosts() {
				r = g
			}
			if r == nil {
				t.Fatal("no row")
			}
			got := uint64(0)
			if r.Ending != nil {
				got = r.Ending.BytesSent
			}
			if got != c.want {
				t.Errorf("the ending of %d, want %d: %+v", got, c.want, r)
			}
		})
	}
}

// The source's Detail is copied, and a copy of a row keeps its ending.
func TestEndingIsCopied(t *testing.T) {
	tab := New()
	opened(tab)
	e := end(1, 20, 1)
	tab.Apply(event(1, 20, sock.Established, sock.Close))
	tab.Apply(e)
	var row Row
	for g := range tab.Ghosts() {
		row = *g
	}
	*e.Detail = sock.Detail{}
	tab.Apply(event(1, 30, sock.Close, sock.SynSent))
	want := sock.Ending{
		At: 20, End: sock.EndResetReceived, By: sock.SideRemote, Errno: 104, Reason: "TCP_STATE",
		Signal: 9, Exited: true, Duration: 5, BytesSent: 1, BytesReceived: 2, Retrans: 3, RTT: time.Second, Peer: by(7, sock.HowExact),
	}
	if row.Ending == nil || *row.Ending != want {
		t.Errorf("ending %+v, want %+v", row.Ending, want)
	}
}

func TestOpened(t *testing.T) {
	up := event(1, 11, sock.SynSent, sock.Established)
	for _, c := range []struct {
		name string
		news []*sock.Event
		want sock.Stamp
	}{
		{"not yet", []*sock.Event{event(1, 10, sock.Close, sock.SynSent)}, 0},
		{"established", open(1, 10), 11},
		{"and closing", append(open(1, 10), event(1, 20, sock.Established, sock.FinWait1)), 11},
		{"told late", []*sock.Event{event(1, 20, sock.Established, sock.FinWait1), up}, 11},
		{"told late, and the begin later", []*sock.Event{event(1, 20, sock.Established, sock.FinWait1), up, event(1, 10, sock.Close, sock.SynSent)}, 11},
		{"a new life", append(open(1, 10), event(1, 30, sock.Close, sock.SynSent)), 0},
		{"older than the events", []*sock.Event{event(1, 20, sock.Established, sock.CloseWait)}, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			tab := New()
			for _, e := range c.news {
				tab.Apply(e)
			}
			if got := tab.Get(1).Opened; got != c.want {
				t.Errorf("opened at %d, want %d", got, c.want)
			}
		})
	}
}

// Other news of a connection tells who has accepted it, and nothing else.
func TestOwnerByOtherNews(t *testing.T) {
	for _, c := range []struct {
		kind sock.EventKind
		how  sock.How
		want uint32
	}{
		{sock.EventAccept, sock.HowExact, 7},
		{sock.EventRetransmit, sock.HowExact, 7},
		{sock.EventReset, sock.HowExact, 7},
		{sock.EventDrop, sock.HowExact, 7},
		{sock.EventError, sock.HowExact, 7},
		{sock.EventRetransmit, sock.HowListener, 5},
		{sock.EventOpen, sock.HowExact, 5},
		{sock.EventOverflow, sock.HowExact, 5},
	} {
		tab := New()
		for _, e := range open(1, 10) {
			e.Socket.Owner = by(5, sock.HowListener)
			tab.Apply(e)
		}
		e := event(1, 20, sock.StateNone, sock.CloseWait)
		e.Kind, e.Socket.Owner = c.kind, by(7, c.how)
		changed := tab.Apply(e)
		if r := tab.Get(1); r.Owner.PID != c.want || changed != (c.want == 7) || r.State != sock.Established {
			t.Errorf("%v (%v): owner %d, want %d; changed %v; %v", c.kind, c.how, r.Owner.PID, c.want, changed, r.State)
		}
	}
}
