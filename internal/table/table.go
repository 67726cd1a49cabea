// SPDX-License-Identifier: GPL-2.0-or-later

// Package table is the live set of sockets: what the last snapshot said, with
// the news since. It is pure: it reads no clock, does no I/O, starts nothing,
// and belongs to one goroutine.
//
// Each row has the stamp of the newest fact about its state, and facts may come
// in any order: the newer stamp wins. A close leaves a tombstone, a walk leaves a
// floor, and what is older than either raises nothing. So the table is the same
// whatever the order in which a set of facts came (the model test holds it to
// that), a walk and the events that ran beside it merge without ghosts, and a
// lost event costs freshness until the next snapshot and nothing else.
// The rules, one by one, are in rules.go.
package table

import (
	"iter"
	"maps"

	"netlive/internal/sock"
)

const (
	// GhostsMax is how many closed rows are kept to be shown; the oldest go first.
	GhostsMax = 1024
	// tombsMax is how many tombstones wait for the next walk, about 30 MB of them.
	tombsMax = 1 << 20
)

// Row is one socket with its history. What its slices and pointers refer to is
// never changed in place: a copy of a Row stays true after the table has moved on.
type Row struct {
	sock.Socket
	// Since is when the socket entered State; 0 unknown.
	Since sock.Stamp
	// Changed is the last change worth a highlight: birth, state, ends, owner. Not
	// the queues, and not what was there at the first snapshot.
	Changed sock.Stamp
	// Born is when the socket was opened, if an event told; 0 unknown.
	Born sock.Stamp
	// Opened is when the connection became ESTABLISHED, if an event told; 0 unknown, or it has not.
	Opened sock.Stamp
	// Ending is how the connection ended, of ghosts and of minisockets; nil when nothing told. A row that still has another state has
	// one when the news of its end is on its way, or lost.
	Ending *sock.Ending
	// Closed is set on ghosts: when the socket went or, when no event told,
	// the begin of the walk that did not find it.
	Closed sock.Stamp
	// Last is set on ghosts: the state before the close.
	Last sock.State
	// Resynced reports that State was not announced though its protocol has
	// events: a snapshot had to tell, so news was lost or is still on its way.
	Resynced bool
}

// Table is the live set of sockets. Pointers to its rows are good until the next call that changes it.
type Table struct {
	store

	tombs       map[sock.ID]tomb
	tombsPeak   int            // their number at most since the map was made
	tombsFull   int            // the number at which they must go without a walk
	walkedSince bool           // since tombstones were last looked through
	floors      [16]sock.Stamp // per protocol: when the last walk began
	seeded      sock.ProtoSet  // have been walked before
	announced   sock.ProtoSet  // have had events: their snapshots hold no surprise unless news was lost
	walk        uint32         // number of the current Replace
	version     uint64
	lifted      rule // none but in the model test
}

// tomb is what is remembered of a socket that closed.
type tomb struct {
	at    sock.Stamp
	proto sock.Proto
}

// New returns an empty table.
func New() *Table {
	t := &Table{tombs: make(map[sock.ID]tomb), tombsFull: tombsMax}
	t.store.init()
	return t
}

// Len is the number of sockets, ghosts not counted.
func (t *Table) Len() int { return t.live }

// Counts is the number of TCP sockets in each state, ghosts not counted.
func (t *Table) Counts() [sock.StateCount]int { return t.counts }

// Version moves when anything that can be seen changes, be it a queue.
func (t *Table) Version() uint64 { return t.version }

// Get returns the live row of id, or nil.
func (t *Table) Get(id sock.ID) *Row {
	if s := t.get(id); s != nil {
		return &s.Row
	}
	return nil
}

// Rows yields the live rows in no particular order.
func (t *Table) Rows() iter.Seq[*Row] {
	return func(yield func(*Row) bool) {
		for i := range t.used {
			if s := t.at(i); s.kind == slotLive && !yield(&s.Row) {
				return
			}
		}
	}
}

// Ghosts yields the closed rows that are remembered, oldest close first.
func (t *Table) Ghosts() iter.Seq[*Row] {
	return func(yield func(*Row) bool) {
		for n := range t.ghosts.n {
			if i := t.ghosts.at(n); i >= 0 && !yield(&t.at(i).Row) {
				return
			}
		}
	}
}

// Apply takes in one event and reports whether anything that can be seen changed.
func (t *Table) Apply(e *sock.Event) bool {
	changed := false
	if e.Socket.ID != 0 {
		switch e.Kind {
		case sock.EventState:
			taken := t.takeOver(e)
			changed = t.applyState(e) || taken
		case sock.EventOwner:
			changed = t.applyOwner(&e.Socket)
		case sock.EventClose, sock.EventFail:
			changed = t.applyEnding(e)
		case sock.EventAccept, sock.EventRetransmit, sock.EventReset, sock.EventDrop, sock.EventError:
			// The process that accept(2) gave a connection to is known by now, and no EventOwner tells of it. The owner of a request that has
			// its SYN-ACK sent again is its listener's (HowListener), which netstat does not show.
			if e.Socket.Owner.How == sock.HowExact {
				changed = t.applyOwner(&e.Socket)
			}
		}
	}
	if changed {
		t.version++
	}
	return changed
}

// takeOver ends the request that a connection was until its handshake was complete: it is not closed, it has another
// name now. What was walked of it before is on its way, perhaps, and must not rise.
func (t *Table) takeOver(e *sock.Event) bool {
	if e.Request == 0 {
		return false
	}
	t.bury(&sock.Socket{ID: e.Request, Proto: e.Socket.Proto}, e.Socket.At)
	r := t.get(e.Request)
	if r == nil || r.At > e.Socket.At {
		return false
	}
	t.drop(r)
	return true
}

func (t *Table) applyState(e *sock.Event) bool {
	s := &e.Socket
	t.announced |= sock.Protos(s.Proto)
	r := t.get(s.ID)
	state := s.State
	mini := s.State == sock.Close && e.Mini != sock.StateNone && t.on(ruleMini)
	if mini {
		state = e.Mini
	}
	gone := s.State == sock.Close && !mini
	switch {
	case r == nil && gone:
		if t.on(ruleTombUnknown) {
			t.bury(s, s.At)
		}
		return false
	case r == nil && t.dead(s, ruleTombEvent):
		return false
	case r == nil:
		r = t.open(s.ID)
	case s.At < r.At && t.on(ruleOlderEvent):
		return t.applyLate(r, e, state, gone)
	case gone:
		t.bury(s, s.At)
		t.close(r, s.At)
		return true
	case s.At > r.At && e.Old == sock.Close && r.State != sock.Close:
		// The close between was lost: a new life, and nothing of the old one is true of it.
		t.bury(s, s.At-1)
		t.reopen(r)
	case s.At > r.At && !t.sameLife(r, s, state):
		// So was this life's beginning, some time after the row.
		t.bury(s, r.At)
		t.reopen(r)
	}
	if born(e) {
		r.forget(s.At - 1) // a walk may have seen this life at its very first stamp
		r.Born = s.At
	}
	t.uncount(r) // nothing, when the row is empty
	t.unindexMini(r)
	changed := r.advance(s, state, mini)
	t.count(r)
	t.indexMini(r)
	if e.Old == sock.SynSent || e.Old == sock.Listen {
		// The kernel gives the ends of a minisocket to the next connection that wants them (net/ipv4/inet_hashtables.c,
		// __inet_check_established; tcp_ipv4.c, tcp_v4_rcv), and drops it without a word.
		if m := t.replaced(r); m != nil {
			t.bury(&m.Socket, s.At)
			t.close(m, s.At)
		}
	}
	if t.own(r, &s.Owner, nil, s.At) {
		changed = true
	}
	return changed
}

// advance brings the row to the state and the ends of a newer event. What the event does not know stays.
func (r *slot) advance(s *sock.Socket, state sock.State, mini bool) bool {
	changed := r.State != state || r.Since == 0 || r.Resynced
	if r.State != state || r.Since == 0 {
		r.Since = s.At
	}
	if state == sock.Established && r.Opened == 0 {
		r.Opened = s.At
		changed = true
	}
	r.ID, r.At, r.State, r.fromEvent, r.mini, r.Resynced = s.ID, s.At, state, true, mini, false
	if s.Proto != sock.ProtoNone {
		r.Proto = s.Proto
	}
	// At SYN_SENT the port is not chosen yet, at CLOSE it may be forgotten already.
	if s.Local.Port() != 0 || r.Local.Port() == 0 {
		changed = set(&r.Local, s.Local) || changed
	}
	if s.Remote.Port() != 0 || r.Remote.Port() == 0 {
		changed = set(&r.Remote, s.Remote) || changed
	}
	if changed {
		r.Changed = s.At
	}
	if s.NetNS != 0 {
		r.NetNS = s.NetNS
	}
	if s.Cgroup != 0 {
		r.Cgroup = s.Cgroup
	}
	if mini {
		// The kernel shows minisockets so (net/ipv4/tcp_ipv4.c, get_timewait4_sock).
		r.UID, r.Inode, r.Queue = 0, 0, sock.Queue{}
		return changed
	}
	if s.UID != 0 {
		r.UID = s.UID
	}
	if s.Inode != 0 {
		r.Inode = s.Inode
	}
	setUnix(r, s.Unix)
	return changed
}

// applyLate learns from an event that is older than its row: no state, but who
// opened the socket, and that a state found by a snapshot was announced after all.
func (t *Table) applyLate(r *slot, e *sock.Event, state sock.State, gone bool) bool {
	s := &e.Socket
	if t.earlierLife(r, s) || !gone && !t.sameLife(r, s, state) {
		return false
	}
	if gone {
		// The row is a new life that came sooner than the end of the last one.
		t.bury(s, s.At)
		return r.forget(s.At)
	}
	changed := t.own(r, &s.Owner, nil, s.At)
	if born(e) && r.Born < s.At {
		t.bury(s, s.At-1)
		r.forget(s.At - 1)
		r.Born = s.At
		r.Changed = max(r.Changed, s.At)
		changed = true
	}
	// A life enters each state once, so the earliest announcement is the true one.
	if state == r.State && (r.Since == 0 || s.At < r.Since || r.Resynced) {
		r.Since, r.Resynced = s.At, false
		changed = true
	}
	if state == sock.Established && (r.Opened == 0 || s.At < r.Opened) {
		r.Opened = s.At
		changed = true
	}
	return changed
}

// forget drops what the row says of times up to a stamp: they were another life.
func (r *slot) forget(upTo sock.Stamp) bool {
	changed := false
	if r.Since <= upTo {
		changed = set(&r.Since, 0)
	}
	if r.Born <= upTo {
		changed = set(&r.Born, 0) || changed
	}
	if r.Opened <= upTo {
		changed = set(&r.Opened, 0) || changed
	}
	if r.Ending != nil && r.Ending.At <= upTo {
		changed = set(&r.Ending, nil) || changed
	}
	return changed
}

func (t *Table) applyOwner(s *sock.Socket) bool {
	r := t.get(s.ID)
	return r != nil && !t.earlierLife(r, s) && t.sameLife(r, s, s.State) && t.own(r, &s.Owner, nil, s.At)
}

// born reports whether e opens a socket: by connect or listen, or by the
// kernel for a listener (inet_csk_clone_lock leaves LISTEN for SYN_RECV). What is
// not TCP can be in CLOSE for as long as it likes.
func born(e *sock.Event) bool {
	return e.Old == sock.Close && sock.ProtosTCP.Has(e.Socket.Proto) || e.Old == sock.StateNone || e.Old == sock.Listen && e.Socket.State == sock.SynRecv
}

// sameLife reports whether s, in the given state, may be of the life that the row
// shows. It is asked where a close may have been lost. A listener never becomes
// anything else, and connections have other ends: but a port of 0 is not known,
// and the local address may change.
func (t *Table) sameLife(r *slot, s *sock.Socket, state sock.State) bool {
	if !t.on(ruleSameLife) {
		return true
	}
	if state != sock.StateNone && (state == sock.Listen) != (r.State == sock.Listen) {
		return false
	}
	a, b := r.Local.Port(), s.Local.Port()
	return (a == b || a == 0 || b == 0) &&
		(r.Remote == s.Remote || r.Remote.Port() == 0 || s.Remote.Port() == 0)
}

// dead reports whether s, which is not in the table, tells of a socket that is
// known to be gone. byTomb is the rule by which a tombstone counts.
func (t *Table) dead(s *sock.Socket, byTomb rule) bool {
	if s.At < t.floors[s.Proto&15] && t.on(ruleFloor) {
		return true
	}
	tomb, ok := t.tombs[s.ID]
	return ok && t.on(byTomb) && (s.At <= tomb.at || !t.on(ruleNewLife))
}

// earlierLife reports whether s is from before the birth of the row's socket, or
// before the last close of that ID.
func (t *Table) earlierLife(r *slot, s *sock.Socket) bool {
	if !t.on(ruleEarlierLife) {
		return false
	}
	tomb, ok := t.tombs[s.ID]
	return s.At < r.Born || ok && s.At <= tomb.at
}

// bury remembers that s closed at a stamp.
func (t *Table) bury(s *sock.Socket, at sock.Stamp) {
	if old, ok := t.tombs[s.ID]; !ok || old.at < at {
		t.tombs[s.ID] = tomb{at, s.Proto}
		t.tombsPeak = max(t.tombsPeak, len(t.tombs))
	}
}

// Prune forgets the ghosts from before a stamp, and the tombstones that are not
// needed any more, and gives memory back after a storm. A tombstone is needed
// until a walk that began after it has come in: before that, a walk may be under
// way that saw the socket alive. It is cheap enough for every frame: the tombstones
// are looked through once a walk.
func (t *Table) Prune(before sock.Stamp) {
	if t.dropGhosts(before) {
		t.version++
	}
	if t.walkedSince || len(t.tombs) > t.tombsFull {
		t.pruneTombs(before)
	}
	t.shrink()
}

func (t *Table) pruneTombs(before sock.Stamp) {
	// Without walks they must go all the same; at worst a row shows that the next walk removes.
	crowded := len(t.tombs) > t.tombsFull
	for id, tomb := range t.tombs {
		if tomb.at < before && (crowded || tomb.at < t.floors[tomb.proto&15] || !t.on(rulePruneWalked)) {
			delete(t.tombs, id)
		}
	}
	// Maps do not shrink by themselves.
	if t.tombsPeak > shrinkMin && len(t.tombs) < t.tombsPeak/4 {
		m := make(map[sock.ID]tomb, len(t.tombs))
		maps.Copy(m, t.tombs)
		t.tombs, t.tombsPeak = m, len(m)
	}
	t.walkedSince = false
	t.tombsFull = max(tombsMax, 2*len(t.tombs))
}
