// SPDX-License-Identifier: GPL-2.0-or-later

package table

import (
	"encoding/binary"
	"maps"

	"netlive/internal/sock"
)

const (
	// chunkRows rows are allocated at a time: growing copies nothing and wastes at most one chunk. So many of them are whole pages.
	chunkRows = 512
	// shrinkMin is the size below which memory is not given back: it is not worth the copy.
	shrinkMin = 8192
)

type slotKind uint8

const (
	slotFree slotKind = iota
	slotLive
	slotGhost
)

// slot is a place for a row.
type slot struct {
	Row
	ownerAt   sock.Stamp // as of when Owner and Others are known
	walk      uint32     // the last Replace that had this row
	kind      slotKind
	fromEvent bool // At is an event's
	mini      bool // the full socket is gone
	search    search
}

// store keeps rows in chunks that do not move, and finds them by ID.
type store struct {
	chunks []*[chunkRows]slot
	used   int32   // slots ever handed out
	free   []int32 // those that were given back
	index  map[sock.ID]int32
	ghosts ring
	// minis finds the minisockets by their ends: whoever is given these again has taken their place.
	minis  map[endsKey]sock.ID
	live   int
	counts [sock.StateCount]int
}

func (t *store) init() {
	t.index = make(map[sock.ID]int32)
	t.minis = make(map[endsKey]sock.ID)
}

// endsKey is a hash of the namespace and both ends of a connection.
type endsKey uint64

func keyOf(s *sock.Socket) endsKey {
	// FNV-1a, by words.
	const offset, prime = 14695981039346656037, 1099511628211
	h := uint64(offset)
	local, remote := s.Local.Addr().As16(), s.Remote.Addr().As16()
	for _, w := range [...]uint64{
		binary.NativeEndian.Uint64(local[:]), binary.NativeEndian.Uint64(local[8:]),
		binary.NativeEndian.Uint64(remote[:]), binary.NativeEndian.Uint64(remote[8:]),
		uint64(s.Local.Port())<<48 | uint64(s.Remote.Port())<<32 | uint64(s.NetNS),
	} {
		h = (h ^ w) * prime
		h ^= h >> 32 // a word's high bits must reach the low ones
	}
	return endsKey(h)
}

// indexMini and unindexMini keep minis: unindexMini before a change of a row's state or ends, or its end, indexMini after it.
func (t *store) indexMini(s *slot) {
	if s.isMini() {
		t.minis[keyOf(&s.Socket)] = s.ID
	}
}

func (t *store) unindexMini(s *slot) {
	if !s.isMini() {
		return
	}
	if key := keyOf(&s.Socket); t.minis[key] == s.ID {
		delete(t.minis, key)
	}
}

// isMini reports whether the row is a minisocket's. FIN_WAIT2 of one that was walked cannot be told from a full socket's.
func (s *slot) isMini() bool {
	return s.kind == slotLive && sock.ProtosTCP.Has(s.Proto) && (s.mini || s.State == sock.TimeWait)
}

// replaced is the minisocket whose place a connection has taken, of the same ends; nil if there was none.
func (t *store) replaced(r *slot) *slot {
	if len(t.minis) == 0 {
		return nil
	}
	m := t.get(t.minis[keyOf(&r.Socket)])
	if m == nil || m == r || m.At >= r.At || m.Local != r.Local || m.Remote != r.Remote || m.NetNS != r.NetNS {
		return nil
	}
	return m
}

func (t *store) at(i int32) *slot { return &t.chunks[i/chunkRows][i%chunkRows] }

// get returns the live slot of id, or nil.
func (t *store) get(id sock.ID) *slot {
	if i, ok := t.index[id]; ok {
		if s := t.at(i); s.kind == slotLive {
			return s
		}
	}
	return nil
}

// open returns an empty live slot for id, not counted yet. The ghost of an earlier life makes
// place: nobody wants to see the same socket twice.
func (t *store) open(id sock.ID) *slot {
	i, ok := t.index[id]
	if ok {
		t.ghosts.remove(i)
		*t.at(i) = slot{}
	} else {
		i = t.alloc()
		t.index[id] = i
	}
	t.live++
	s := t.at(i)
	s.ID, s.kind = id, slotLive
	return s
}

// reopen empties a live slot, uncounted, for another life of the same socket.
func (t *store) reopen(s *slot) {
	t.uncount(s)
	t.unindexMini(s)
	*s = slot{Row: Row{Socket: sock.Socket{ID: s.ID}}, walk: s.walk, kind: slotLive}
}

// close makes a ghost of a live slot.
func (t *store) close(s *slot, at sock.Stamp) {
	t.uncount(s)
	t.unindexMini(s)
	t.live--
	s.Last, s.State = s.State, sock.Close
	s.Closed, s.Changed = at, at
	s.kind = slotGhost
	if t.ghosts.n == GhostsMax {
		t.dropOldest()
	}
	t.ghosts.push(t.index[s.ID])
}

// drop frees a live slot without a ghost.
func (t *store) drop(s *slot) {
	t.uncount(s)
	t.unindexMini(s)
	t.live--
	i := t.index[s.ID]
	delete(t.index, s.ID)
	*s = slot{}
	t.free = append(t.free, i)
}

func (t *store) dropOldest() {
	if i := t.ghosts.pop(); i >= 0 {
		s := t.at(i)
		delete(t.index, s.ID)
		*s = slot{} // strings and slices must not outlive their row
		t.free = append(t.free, i)
	}
}

// dropGhosts forgets the ghosts that closed before a stamp, up to the first that
// did not, and reports whether there were any.
func (t *store) dropGhosts(before sock.Stamp) bool {
	n := t.ghosts.n
	for t.ghosts.n > 0 {
		if i := t.ghosts.at(0); i >= 0 && t.at(i).Closed >= before {
			break
		}
		t.dropOldest()
	}
	return t.ghosts.n != n
}

func (t *store) alloc() int32 {
	if n := len(t.free); n > 0 {
		i := t.free[n-1]
		t.free = t.free[:n-1]
		return i
	}
	if int(t.used) == len(t.chunks)*chunkRows {
		t.chunks = append(t.chunks, new([chunkRows]slot))
	}
	t.used++
	return t.used - 1
}

// count and uncount keep the TCP states' numbers: uncount before a change of State or Proto, count after it.
func (t *store) count(s *slot)   { t.tally(s, 1) }
func (t *store) uncount(s *slot) { t.tally(s, -1) }

func (t *store) tally(s *slot, n int) {
	if sock.ProtosTCP.Has(s.Proto) && s.State.Valid() {
		t.counts[s.State] += n
	}
}

// shrink packs the rows when most slots are free.
func (t *store) shrink() {
	if int(t.used) <= shrinkMin || len(t.index) > int(t.used)/4 {
		return
	}
	old := *t
	*t = store{live: old.live, counts: old.counts, index: make(map[sock.ID]int32, len(old.index)), minis: make(map[endsKey]sock.ID, len(old.minis))}
	maps.Copy(t.minis, old.minis)
	move := func(i int32) int32 {
		s := old.at(i)
		n := t.alloc()
		*t.at(n) = *s
		t.index[s.ID] = n
		return n
	}
	for i := range old.used {
		if old.at(i).kind == slotLive {
			move(i)
		}
	}
	for n := range old.ghosts.n {
		if i := old.ghosts.at(n); i >= 0 {
			t.ghosts.push(move(i))
		}
	}
}

// ring is the queue of ghosts, oldest first. A ghost that lives again leaves -1 in its place.
type ring struct {
	slots   [GhostsMax]int32
	head, n int32
}

func (r *ring) at(n int32) int32 { return r.slots[(r.head+n)%GhostsMax] }

func (r *ring) push(i int32) {
	r.slots[(r.head+r.n)%GhostsMax] = i
	r.n++
}

func (r *ring) pop() int32 {
	i := r.slots[r.head]
	r.head = (r.head + 1) % GhostsMax
	r.n--
	return i
}

func (r *ring) remove(i int32) {
	for n := range r.n {
		if p := &r.slots[(r.head+n)%GhostsMax]; *p == i {
			*p = -1
			return
		}
	}
}
