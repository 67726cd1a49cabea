// SPDX-License-Identifier: GPL-2.0-or-later

package view

import (
	"cmp"
	"math/rand/v2"
	"net/netip"
	"slices"

	"netlive/internal/sock"
	"netlive/internal/table"
)

// world is a table in which sockets come, change, go and are forgotten.
type world struct {
	rng   *rand.Rand
	table *table.Table
	now   sock.Stamp
	socks []sock.Socket
	next  sock.ID
}

func newWorld(seed uint64) *world {
	w := &world{rng: rand.New(rand.NewPCG(seed, 0x76696577)), table: table.New(), now: 1000, next: 1}
	for range w.rng.IntN(60) {
		w.socks = append(w.socks, w.socket())
	}
	w.walk()
	return w
}

// addrs are few, so that ends meet. Some are one address in two families.
var addrs = []netip.Addr{
	netip.MustParseAddr("127.0.0.1"), netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("192.0.2.2"),
	netip.MustParseAddr("::ffff:192.0.2.2"), netip.MustParseAddr("::ffff:127.0.0.1"), netip.MustParseAddr("2001:db8::1"), netip.MustParseAddr("::1"),
}

func pick[T any](rng *rand.Rand, s []T) T { return s[rng.IntN(len(s))] }

func (w *world) socket() sock.Socket {
	s := sock.Socket{ID: w.next, At: w.now + 1, NetNS: w.rng.Uint32N(3), Queue: sock.Queue{Recv: w.rng.Uint32N(5)}}
	w.next++
	if pid := w.rng.Uint32N(6); pid > 0 {
		s.Owner = sock.Owner{PID: pid, How: sock.HowSeeded}
	}
	if w.rng.IntN(12) == 0 {
		s.Proto, s.State, s.Unix = sock.Unix, sock.UnixConnected, &sock.UnixInfo{Path: pick(w.rng, []string{"", "/a", "/b"})}
		return s
	}
	end := func() netip.AddrPort { return netip.AddrPortFrom(pick(w.rng, addrs), 1+uint16(w.rng.IntN(3))) }
	s.Local, s.Remote = end(), end()
	s.Proto = pick(w.rng, []sock.Proto{sock.TCP, sock.TCP, sock.UDP, sock.Raw})
	s.State = pick(w.rng, []sock.State{sock.Established, sock.CloseWait, sock.TimeWait})
	if s.Proto != sock.TCP {
		s.State = sock.Close
	}
	if s.Local.Addr().Is6() {
		s.Proto++
	}
	if w.rng.IntN(6) == 0 {
		s.Remote = netip.AddrPortFrom(netip.IPv4Unspecified(), 0)
	}
	return s
}

func (w *world) walk() {
	snap := sock.Snapshot{Begin: w.now, Protos: all}
	for _, s := range w.socks {
		s.At = w.now + 1
		snap.Sockets = append(snap.Sockets, s)
	}
	w.table.Replace(&snap)
}

// step lets some time pass.
func (w *world) step() {
	w.now += sock.Stamp(w.rng.Int64N(int64(Highlight)))
	for range w.rng.IntN(8) {
		if w.rng.IntN(3) > 0 {
			w.open()
		} else if len(w.socks) > 0 {
			w.shut(w.rng.IntN(len(w.socks)))
		}
	}
	for i := range w.socks {
		s := &w.socks[i]
		switch w.rng.IntN(20) {
		case 0:
			s.Queue.Recv = w.rng.Uint32N(5)
		case 1:
			s.Owner = sock.Owner{PID: 1 + w.rng.Uint32N(6), How: sock.HowSeeded}
		case 2:
			if sock.ProtosTCP.Has(s.Proto) {
				s.State = pick(w.rng, []sock.State{sock.Established, sock.CloseWait, sock.TimeWait})
			}
		}
	}
	if w.rng.IntN(3) > 0 {
		w.now += 5
		w.walk()
	}
	if w.rng.IntN(2) == 0 {
		w.table.Prune(w.now - sock.Stamp(w.rng.Int64N(2*int64(Highlight))))
	}
	w.now += 2
}

func (w *world) open() {
	w.now++
	s := w.socket()
	s.At = w.now
	if sock.ProtosTCP.Has(s.Proto) {
		e := sock.Event{Kind: sock.EventState, Old: sock.Close, Socket: s}
		w.table.Apply(&e)
	}
	w.socks = append(w.socks, s) // others wait for the walk
}

func (w *world) shut(i int) {
	w.now++
	s := w.socks[i]
	if sock.ProtosTCP.Has(s.Proto) && w.rng.IntN(2) == 0 {
		e := sock.Event{Kind: sock.EventState, Old: s.State, Socket: s}
		e.Socket.State, e.Socket.At = sock.Close, w.now
		w.table.Apply(&e)
		if w.rng.IntN(4) == 0 { // a new life
			e.Old, e.Socket.State = sock.Close, sock.SynSent
			w.now++
			e.Socket.At = w.now
			w.table.Apply(&e)
			w.socks[i].State = sock.SynSent
			return
		}
	}
	w.socks = slices.Delete(w.socks, i, i+1)
}

// query makes up what to show, but for where.
func (w *world) query() Query {
	q := Query{Ghosts: w.rng.IntN(3) > 0, Peers: w.rng.IntN(2) == 0, Reverse: w.rng.IntN(2) == 0}
	q.Select = pick(w.rng, []func(*sock.Socket) bool{nil, nil, func(s *sock.Socket) bool { return s.Proto != sock.UDP }})
	q.Match = w.match()
	q.Compare = pick(w.rng, []func(a, b *table.Row) int{nil, byQueue, func(a, b *table.Row) int { return cmp.Compare(a.Owner.PID, b.Owner.PID) }})
	if w.rng.IntN(3) == 0 {
		return q
	}
	q.Group = &Grouping{Reverse: w.rng.IntN(2) == 0}
	q.Group.Key = pick(w.rng, []func(*table.Row) Key{byProcess, byRemote, byState, func(*table.Row) Key { return Key{} }})
	q.Group.Compare = pick(w.rng, []func(a, b *Group) int{nil, func(a, b *Group) int { return cmp.Compare(a.Sum[0], b.Sum[0]) }})
	q.Group.Add = pick(w.rng, []func(*Group, *table.Row){nil, queues})
	q.Group.Open = w.opened()
	return q
}

func byState(r *table.Row) Key { return Key{Text: r.State.String()} }

func (w *world) match() func(*sock.Socket) bool {
	return pick(w.rng, []func(*sock.Socket) bool{
		nil, nil,
		func(s *sock.Socket) bool { return s.State == sock.Established },
		func(s *sock.Socket) bool { return s.Owner.PID%2 == 0 },
	})
}

func (w *world) opened() func(Key) bool {
	salt := w.rng.Uint64()
	return pick(w.rng, []func(Key) bool{
		nil,
		func(Key) bool { return false },
		func(k Key) bool {
			h := k.N*31 + uint64(len(k.Text)) + uint64(k.Addr.Port())
			for _, b := range k.Addr.Addr().AsSlice() {
				h = h*31 + uint64(b)
			}
			return h^salt&1 == 0
		},
	})
}

// anywhere puts the window and the bar anywhere, mostly where there is something.
func (w *world) anywhere(q *Query) {
	n := w.table.Len() + 10
	q.Offset, q.Height = w.rng.IntN(n)-3, w.rng.IntN(n)-2
	q.FollowLine = w.rng.IntN(n) - 3
	q.Follow = w.somewhere(q)
}

func (w *world) somewhere(q *Query) Place {
	id := sock.ID(w.rng.IntN(int(w.next)) + 1)
	switch w.rng.IntN(4) {
	case 0:
		return Place{}
	case 1:
		if r := w.table.Get(id); r != nil && q.Group != nil {
			return Place{Group: q.Group.Key(r), IsGroup: true}
		}
	}
	return Place{ID: id}
}
