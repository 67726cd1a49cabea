// SPDX-License-Identifier: GPL-2.0-or-later

package table

import (
	"math/rand/v2"
	"net/netip"
	"slices"

	"netlive/internal/sock"
)

// toyKernel is a kernel as far as a table can see one: sockets that open, change,
// close, are used again, linger as minisockets, and an iterator that walks them
// while all that goes on.
type toyKernel struct {
	rng     *rand.Rand
	now     sock.Stamp
	socks   []*toySock
	closed  []*toySock // that a descriptor still refers to and that may connect again
	nextID  sock.ID
	nextPID uint32
	port    uint16 // the last one given; no two lives have the same
	history map[sock.ID][]toyFact
	again   map[sock.ID]bool // two lives had the same ends: only the close between tells them apart
	emit    func(sock.Event)

	walk   *sock.Snapshot // under way
	bucket int            // the walker's position
}

const toyBuckets = 6

type toySock struct {
	sock.Socket
	bucket  int // of the hash that is walked; others are before or behind the walker
	mini    bool
	holders []uint32
}

// toyFact is the state a socket went to; StateNone when it went away.
type toyFact struct {
	at    sock.Stamp
	state sock.State
}

func newToyKernel(rng *rand.Rand, emit func(sock.Event)) *toyKernel {
	return &toyKernel{rng: rng, now: 1000, nextPID: 100, history: map[sock.ID][]toyFact{}, again: map[sock.ID]bool{}, emit: emit}
}

// tick moves the clock, or not: events of one socket and rows of others may share a stamp.
func (k *toyKernel) tick() { k.now += sock.Stamp(k.rng.IntN(3)) }

// step does one thing at random.
func (k *toyKernel) step() {
	k.tick()
	switch n := k.rng.IntN(100); {
	case n < 30 || len(k.socks) == 0:
		k.open()
	case n < 36:
		k.reuse()
	case n < 42:
		k.fork(k.pick())
	default:
		k.change(k.pick())
	}
}

func (k *toyKernel) pick() *toySock { return k.socks[k.rng.IntN(len(k.socks))] }

func (k *toyKernel) pid() uint32 { k.nextPID++; return k.nextPID }

var (
	toyLocal  = netip.MustParseAddr("192.0.2.1")
	toyRemote = netip.MustParseAddr("198.51.100.1")
)

// connect gives the socket ends of its own, as each connection has.
func (k *toyKernel) connect(s *toySock) {
	k.port++
	s.Local = netip.AddrPortFrom(toyLocal, k.port)
	s.Remote = netip.AddrPortFrom(toyRemote, k.port)
}

func (k *toyKernel) open() {
	k.nextID++
	s := &toySock{bucket: k.rng.IntN(toyBuckets), holders: []uint32{k.pid()}}
	s.ID, s.Proto, s.Inode, s.UID = k.nextID, sock.TCP, uint32(k.nextID)+5000, 7
	k.connect(s)
	switch k.rng.IntN(8) {
	case 0:
		s.Proto, s.Inode = sock.UDP, 0
		k.socks = append(k.socks, s)
		k.record(s, sock.Close)
	case 1, 2:
		s.Remote = netip.AddrPortFrom(netip.IPv4Unspecified(), 0)
		k.socks = append(k.socks, s)
		k.set(s, sock.Close, sock.Listen, sock.StateNone)
	case 3:
		s.Proto = sock.TCP6
		fallthrough
	case 4, 5:
		k.socks = append(k.socks, s)
		k.set(s, sock.Close, sock.SynSent, sock.StateNone)
	default:
		k.socks = append(k.socks, s)
		k.set(s, sock.Listen, sock.SynRecv, sock.StateNone)
	}
}

// reuse connects a closed socket, or listens on it, again: the same cookie, another life.
func (k *toyKernel) reuse() {
	if len(k.closed) == 0 {
		return
	}
	i := k.rng.IntN(len(k.closed))
	s := k.closed[i]
	k.closed = slices.Delete(k.closed, i, i+1)
	s.bucket = k.rng.IntN(toyBuckets)
	k.socks = append(k.socks, s)
	if s.Remote.Port() == 0 && k.rng.IntN(2) == 0 {
		k.again[s.ID] = true
		k.set(s, sock.Close, sock.Listen, sock.StateNone)
		return
	}
	k.connect(s)
	k.set(s, sock.Close, sock.SynSent, sock.StateNone)
}

// fork lets another process hold the socket; sometimes the kernel hears of it, sometimes the first lets go.
func (k *toyKernel) fork(s *toySock) {
	if s.mini {
		return
	}
	p := k.pid()
	s.holders = append(s.holders, p)
	if k.rng.IntN(2) == 0 {
		s.holders = s.holders[1:]
	}
	if k.rng.IntN(2) == 0 && s.Proto != sock.UDP {
		k.later(s)
		e := sock.Event{Kind: sock.EventOwner, Socket: s.Socket}
		if k.rng.IntN(3) == 0 {
			e.Kind = sock.EventAccept // which tells of an owner too
		}
		e.Socket.At = k.now
		e.Socket.Owner = sock.Owner{PID: p, FD: -1, How: sock.HowExact}
		k.emit(e)
	}
}

func (k *toyKernel) change(s *toySock) {
	if s.Proto == sock.UDP { // nothing announces it
		k.later(s)
		switch {
		case k.rng.IntN(3) == 0:
			k.remove(s)
			k.record(s, sock.StateNone)
		case s.State == sock.Close:
			k.record(s, sock.Established)
		default:
			k.record(s, sock.Close)
		}
		return
	}
	if s.mini { // nor this
		k.later(s)
		if s.State == sock.FinWait2 && k.rng.IntN(2) == 0 {
			k.record(s, sock.TimeWait)
			return
		}
		k.remove(s)
		k.record(s, sock.StateNone)
		return
	}
	if k.rng.IntN(6) == 0 { // reset
		k.close(s, sock.StateNone)
		return
	}
	switch s.State {
	case sock.SynSent, sock.SynRecv:
		k.set(s, s.State, sock.Established, sock.StateNone)
	case sock.Established:
		k.set(s, s.State, []sock.State{sock.FinWait1, sock.CloseWait}[k.rng.IntN(2)], sock.StateNone)
	case sock.FinWait1:
		k.set(s, s.State, sock.FinWait2, sock.StateNone)
	case sock.FinWait2:
		k.close(s, []sock.State{sock.FinWait2, sock.TimeWait}[k.rng.IntN(2)])
	case sock.CloseWait:
		k.set(s, s.State, sock.LastAck, sock.StateNone)
	default:
		k.close(s, sock.StateNone)
	}
}

func (k *toyKernel) close(s *toySock, mini sock.State) {
	k.set(s, s.State, sock.Close, mini)
	if mini != sock.StateNone {
		s.mini, s.Inode, s.UID, s.holders = true, 0, 0, nil
		return
	}
	k.remove(s)
	if k.rng.IntN(2) == 0 {
		k.closed = append(k.closed, s)
	}
}

// set changes the state as tcp_set_state does, and tells.
func (k *toyKernel) set(s *toySock, old, state, mini sock.State) {
	k.later(s)
	switch {
	case state != sock.Close:
		k.record(s, state)
	default:
		k.record(s, mini)
	}
	e := sock.Event{Kind: sock.EventState, Socket: s.Socket, Old: old, Mini: mini}
	e.Socket.At, e.Socket.State = k.now, state
	e.Socket.UID = 0
	if k.rng.IntN(2) == 0 {
		e.Socket.Inode = 0
	}
	if state == sock.SynSent || state == sock.Close { // not chosen yet, forgotten already
		e.Socket.Local = netip.AddrPortFrom(toyLocal, 0)
	}
	if len(s.holders) > 0 && k.rng.IntN(4) > 0 {
		e.Socket.Owner = sock.Owner{PID: s.holders[0], FD: -1, How: sock.HowListener}
		if state == sock.SynSent || state == sock.Listen {
			e.Socket.Owner.How = sock.HowExact
		}
	}
	k.emit(e)
	if state == sock.Close && old != sock.Listen {
		k.emit(k.ending(e))
	}
}

// ending is what is told of the end of a connection after the change e: which life it was, in numbers that no other has.
func (k *toyKernel) ending(e sock.Event) sock.Event {
	e.Kind = sock.EventClose
	if e.Old == sock.SynSent || e.Old == sock.SynRecv {
		e.Kind = sock.EventFail
	}
	life, _ := k.lifeAt(e.Socket.ID, e.Socket.At-1)
	e.Detail = &sock.Detail{Life: sock.Life{BytesSent: uint64(life), BytesReceived: uint64(e.Socket.At)}}
	return e
}

// later gives each change of one socket a stamp of its own, as the socket's lock does.
func (k *toyKernel) later(s *toySock) {
	if h := k.history[s.ID]; len(h) > 0 && h[len(h)-1].at == k.now {
		k.now++
	}
}

func (k *toyKernel) record(s *toySock, state sock.State) {
	s.State = state
	k.history[s.ID] = append(k.history[s.ID], toyFact{k.now, state})
}

func (k *toyKernel) remove(s *toySock) {
	i := slices.Index(k.socks, s)
	k.socks = slices.Delete(k.socks, i, i+1)
}

// walkSome begins a walk or goes on with it, and returns the snapshot when it is done.
func (k *toyKernel) walkSome() *sock.Snapshot {
	if k.walk == nil {
		k.tick()
		protos := sock.Protos(sock.TCP, sock.TCP6, sock.UDP)
		if k.rng.IntN(4) == 0 {
			protos = sock.Protos([]sock.Proto{sock.TCP, sock.TCP6, sock.UDP}[k.rng.IntN(3)])
		}
		k.walk, k.bucket = &sock.Snapshot{Begin: k.now, Protos: protos}, 0
		return nil
	}
	owners := k.rng.IntN(2) == 0
	for n := 1 + k.rng.IntN(2); n > 0 && k.bucket < toyBuckets; n-- {
		k.visit(k.walk, k.bucket, owners)
		k.bucket++
	}
	if k.bucket < toyBuckets {
		return nil
	}
	w := k.walk
	k.walk = nil
	return w
}

// still walks all sockets while nothing happens.
func (k *toyKernel) still(owners bool) *sock.Snapshot {
	k.now++
	w := &sock.Snapshot{Begin: k.now, Protos: sock.Protos(sock.TCP, sock.TCP6, sock.UDP)}
	for b := range toyBuckets {
		k.visit(w, b, owners)
	}
	k.now++
	return w
}

func (k *toyKernel) visit(w *sock.Snapshot, bucket int, owners bool) {
	for _, s := range k.socks {
		if s.bucket != bucket || !w.Protos.Has(s.Proto) {
			continue
		}
		n := s.Socket
		n.At = k.now
		if owners && len(s.holders) > 0 {
			n.Owner, n.Others = toyOwners(s.holders)
		}
		w.Sockets = append(w.Sockets, n)
	}
	k.tick()
}

// toyOwners is what a walk of the descriptors makes of the processes that hold a socket.
func toyOwners(pids []uint32) (first sock.Owner, others []sock.Owner) {
	for i, p := range slices.Sorted(slices.Values(pids)) {
		o := sock.Owner{PID: p, FD: 3, How: sock.HowSeeded}
		if i == 0 {
			first = o
		} else {
			others = append(others, o)
		}
	}
	return first, others
}
