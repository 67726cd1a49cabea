// SPDX-License-Identifier: GPL-2.0-or-later

package table

import (
	"cmp"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"netlive/internal/sock"
)

var modelSeeds = flag.Uint64("model.seeds", 5000, "seeds to run the model with")

// modelSteps is the length of a run.
const modelSteps = 120

// delivery is how news reaches the table.
type delivery uint8

const (
	prompt delivery = iota // at once: the table must be the kernel after every step
	late                   // all of it, in any order
	lossy                  // late, and a quarter never
	deliveries
)

// model plays a toy kernel to a table and knows what the table must be.
type model struct {
	rng       *rand.Rand
	how       delivery
	kernel    *toyKernel
	table     *Table
	events    []sock.Event     // on their way
	snapshots []*sock.Snapshot // likewise
	best      map[sock.ID]bestFact
	floors    [16]sock.Stamp
	owned     map[sock.ID]sock.Stamp // the life in which the row had an owner
}

// bestFact is the newest fact that was delivered about a socket. An event beats a
// row of the same stamp. A table is right when it says the same as this, which
// does not know in which order facts came.
type bestFact struct {
	at    sock.Stamp
	event bool
	state sock.State // StateNone: closed
	proto sock.Proto
}

func (f bestFact) less(g bestFact) bool {
	return f.at < g.at || f.at == g.at && !f.event && g.event
}

// runModel runs one seed with some rules lifted and says what went wrong.
func runModel(seed uint64, lifted rule) error {
	m := &model{
		rng:   rand.New(rand.NewPCG(seed, 0x6e65746c697665)),
		how:   delivery(seed % uint64(deliveries)),
		table: New(),
		best:  map[sock.ID]bestFact{},
		owned: map[sock.ID]sock.Stamp{},
	}
	m.table.lifted = lifted
	m.kernel = newToyKernel(m.rng, func(e sock.Event) {
		if m.how != lossy || m.rng.IntN(4) > 0 {
			m.events = append(m.events, e)
		}
	})
	for i := range modelSteps {
		if err := m.step(); err != nil {
			return fmt.Errorf("seed %d, step %d: %w", seed, i, err)
		}
	}
	if err := m.settle(); err != nil {
		return fmt.Errorf("seed %d, at the end: %w", seed, err)
	}
	return nil
}

func (m *model) step() error {
	switch n := m.rng.IntN(100); {
	case n < 65:
		m.kernel.step()
	case n < 95:
		if s := m.kernel.walkSome(); s != nil {
			m.snapshots = append(m.snapshots, s)
		}
	case n < 97:
		before := m.horizon()
		if m.how == lossy { // what the rows say of their past may suffer, no more
			before = m.kernel.now
		}
		m.table.Prune(before)
	default:
		if m.how != prompt {
			return m.settle()
		}
	}
	if err := m.deliver(); err != nil {
		return err
	}
	if m.how == prompt {
		if err := errors.Join(m.sameAsKernel(false), m.allTold()); err != nil {
			return err
		}
	}
	return nil
}

// deliver hands over what has arrived, checking after each piece.
func (m *model) deliver() error {
	for len(m.events) > 0 && (m.how == prompt || m.rng.IntN(3) == 0) {
		i := 0
		if m.how != prompt {
			i = m.rng.IntN(len(m.events))
		}
		if err := m.apply(i); err != nil {
			return err
		}
	}
	for len(m.snapshots) > 0 && (m.how == prompt || m.rng.IntN(3) == 0) {
		s := m.snapshots[0]
		m.snapshots = m.snapshots[1:]
		if err := m.replace(s); err != nil {
			return err
		}
	}
	return nil
}

func (m *model) apply(i int) error {
	e := m.events[i]
	m.events = slices.Delete(m.events, i, i+1)
	before := m.table.Version()
	changed := m.table.Apply(&e)
	if e.Detail != nil {
		*e.Detail = sock.Detail{} // the source uses it again
	}
	if changed != (m.table.Version() != before) {
		return fmt.Errorf("Apply = %v, and the version moved from %d to %d", changed, before, m.table.Version())
	}
	if e.Kind == sock.EventState {
		f := bestFact{at: e.Socket.At, event: true, state: e.Socket.State, proto: e.Socket.Proto}
		if f.state == sock.Close {
			f.state = e.Mini
		}
		m.learn(e.Socket.ID, f)
	}
	if err := m.check(); err != nil {
		return fmt.Errorf("after event %v %v at %d (mini %v): %w", e.Socket.ID, e.Socket.State, e.Socket.At, e.Mini, err)
	}
	return nil
}

func (m *model) replace(s *sock.Snapshot) error {
	before := m.table.Len()
	d := m.table.Replace(s)
	seen := map[sock.ID]bool{}
	for _, n := range s.Sockets {
		if seen[n.ID] && n.State == sock.TimeWait {
			continue // of two rows with one cookie the living is the one that counts
		}
		seen[n.ID] = true
		m.learn(n.ID, bestFact{at: n.At, state: n.State, proto: n.Proto})
	}
	for p := range sock.Proto(len(m.floors)) {
		if s.Protos.Has(p) {
			m.floors[p] = max(m.floors[p], s.Begin)
		}
	}
	if got := m.table.Len() - before; got != d.Added-d.Removed {
		return fmt.Errorf("the table grew by %d, diff %+v", got, d)
	}
	if m.how == prompt && d.Corrected > 0 {
		return fmt.Errorf("%d states corrected though no news was lost", d.Corrected)
	}
	for i := range s.Sockets {
		if err := m.helped(&s.Sockets[i]); err != nil {
			return err
		}
	}
	if err := m.check(); err != nil {
		return fmt.Errorf("after snapshot of %d at %d: %w", len(s.Sockets), s.Begin, err)
	}
	return nil
}

// helped reports whether the table learned from a snapshot's row what events do
// not know, however old the row is.
func (m *model) helped(n *sock.Socket) error {
	r := m.table.Get(n.ID)
	if r == nil || r.State == sock.TimeWait || r.State == sock.FinWait2 {
		return nil
	}
	was, _ := m.kernel.lifeAt(n.ID, n.At)
	is, _ := m.kernel.lifeAt(r.ID, r.At)
	if was == is && (n.Owner.Known() && !r.Owner.Known() || n.Inode != 0 && r.Inode == 0) {
		return fmt.Errorf("%v: owner or inode of the row at %d not taken", n.ID, n.At)
	}
	return nil
}

// settle takes a still snapshot: whatever was lost or is late, the table is the
// kernel then, and stays it when the late news arrives.
func (m *model) settle() error {
	for _, s := range m.snapshots {
		if err := m.replace(s); err != nil {
			return err
		}
	}
	m.snapshots = nil
	m.kernel.walk = nil
	if err := m.replace(m.kernel.still(true)); err != nil {
		return err
	}
	if err := m.sameAsKernel(true); err != nil {
		return fmt.Errorf("after a still snapshot: %w", err)
	}
	for len(m.events) > 0 {
		if err := m.apply(m.rng.IntN(len(m.events))); err != nil {
			return err
		}
		if err := m.sameAsKernel(true); err != nil {
			return fmt.Errorf("late event after a still snapshot: %w", err)
		}
	}
	if m.how == lossy {
		return nil
	}
	for r := range m.table.Rows() { // nothing is on its way any more
		life, _ := m.kernel.lifeAt(r.ID, r.At)
		if err := m.checkHistory(r, life); err != nil {
			return fmt.Errorf("%v, all told: %w", r.ID, err)
		}
	}
	return nil
}

// learn takes the fact if it is the newest.
func (m *model) learn(id sock.ID, f bestFact) {
	if old, ok := m.best[id]; !ok || old.less(f) {
		m.best[id] = f
	}
}

// horizon is the stamp before which nothing is on its way.
func (m *model) horizon() sock.Stamp {
	h := m.kernel.now
	for i := range m.events {
		h = min(h, m.events[i].Socket.At)
	}
	for _, s := range m.snapshots {
		h = min(h, s.Begin)
	}
	if m.kernel.walk != nil {
		h = min(h, m.kernel.walk.Begin)
	}
	return h
}

// check compares the table with the newest facts and looks for what must never be.
func (m *model) check() error {
	live := 0
	for id, f := range m.best {
		r := m.table.Get(id)
		want := f.state != sock.StateNone && f.at >= m.floors[f.proto]
		switch {
		case r == nil && want:
			return fmt.Errorf("%v is missing; it was %v at %d", id, f.state, f.at)
		case r != nil && !want:
			return fmt.Errorf("ghost row %v: %v at %d, but it was gone at %d", id, r.State, r.At, max(f.at, m.floors[f.proto]))
		case r == nil:
			delete(m.owned, id)
			continue
		case r.State != f.state || r.At != f.at:
			return fmt.Errorf("%v: %v at %d, want %v at %d", id, r.State, r.At, f.state, f.at)
		}
		live++
		if err := m.checkRow(r); err != nil {
			return fmt.Errorf("%v: %w", id, err)
		}
	}
	if live != m.table.Len() {
		return fmt.Errorf("%d rows, %d of them accounted for", m.table.Len(), live)
	}
	ghosts := 0
	for g := range m.table.Ghosts() {
		if ghosts++; m.table.Get(g.ID) != nil || g.State != sock.Close || g.Closed == 0 {
			return fmt.Errorf("bad ghost %v %v, closed %d", g.ID, g.State, g.Closed)
		}
		if err := m.checkEnding(g, g.Last); err != nil {
			return fmt.Errorf("ghost %v: %w", g.ID, err)
		}
	}
	if len(m.table.index) != live+ghosts {
		return fmt.Errorf("index of %d for %d rows and %d ghosts", len(m.table.index), live, ghosts)
	}
	return nil
}

// checkRow holds one row to the kernel's history.
func (m *model) checkRow(r *Row) error {
	life, ok := m.kernel.lifeAt(r.ID, r.At)
	if !ok {
		return fmt.Errorf("was not alive at %d", r.At)
	}
	if !m.kernel.again[r.ID] || m.how == prompt {
		if err := m.checkHistory(r, life); err != nil {
			return err
		}
	}
	if m.owned[r.ID] == life && !r.Owner.Known() {
		return fmt.Errorf("owner forgotten")
	}
	if r.Owner.Known() {
		m.owned[r.ID] = life
	}
	return nil
}

// checkHistory holds what the row says of its past to what happened.
func (m *model) checkHistory(r *Row, life sock.Stamp) error {
	if r.Born != 0 && r.Born != life {
		return fmt.Errorf("born at %d, said to be %d", life, r.Born)
	}
	if r.Opened != 0 && (r.Opened < life || !slices.Contains(m.kernel.history[r.ID], toyFact{r.Opened, sock.Established})) {
		return fmt.Errorf("born at %d, said to be established at %d", life, r.Opened)
	}
	if err := m.checkEnding(r, r.State); err != nil {
		return err
	}
	if r.Since == 0 {
		return nil
	}
	if r.Since < life {
		return fmt.Errorf("born at %d, %v since %d", life, r.State, r.Since)
	}
	if m.how != lossy && !slices.Contains(m.kernel.history[r.ID], toyFact{r.Since, r.State}) {
		return fmt.Errorf("%v since %d, which never happened", r.State, r.Since)
	}
	return nil
}

// checkEnding holds what a row, or a ghost that was in a state, says of its end to what happened.
func (m *model) checkEnding(r *Row, state sock.State) error {
	e := r.Ending
	if e == nil {
		return nil
	}
	life, _ := m.kernel.lifeAt(r.ID, r.At)
	if e.BytesSent != uint64(life) || e.BytesReceived != uint64(e.At) {
		return fmt.Errorf("%v: the life of %d ended, said to be that of %d at %d", state, life, e.BytesSent, e.BytesReceived)
	}
	if m.how == prompt && r.Closed == 0 && state != sock.TimeWait && state != sock.FinWait2 {
		return fmt.Errorf("%v, and it ended at %d", state, e.At)
	}
	return nil
}

// allTold reports what rows and ghosts do not say of their past though all has been told at once.
func (m *model) allTold() error {
	for g := range m.table.Ghosts() {
		if g.Ending == nil && g.Last != sock.Listen && g.Proto != sock.UDP {
			return fmt.Errorf("ghost %v of %v has no ending", g.ID, g.Last)
		}
	}
	for r := range m.table.Rows() {
		if r.Proto == sock.UDP {
			continue
		}
		if r.State == sock.TimeWait && r.Ending == nil {
			return fmt.Errorf("%v in TIME_WAIT has no ending", r.ID)
		}
		life, _ := m.kernel.lifeAt(r.ID, r.At)
		for _, f := range m.kernel.history[r.ID] {
			if f.state == sock.Established && f.at >= life && r.Opened != f.at {
				return fmt.Errorf("%v established at %d, said to be %d", r.ID, f.at, r.Opened)
			}
		}
	}
	return nil
}

// lifeAt is when the life of id began that was going on at a stamp.
func (k *toyKernel) lifeAt(id sock.ID, at sock.Stamp) (begin sock.Stamp, ok bool) {
	for _, f := range k.history[id] {
		if f.at > at {
			break
		}
		if f.state == sock.StateNone {
			// A row that was walked at the very stamp of the close came before it.
			ok = f.at == at
			continue
		}
		if !ok {
			begin = f.at
		}
		ok = true
	}
	return begin, ok
}

// sameAsKernel compares the table with the kernel. Unless after a still snapshot,
// what nothing announces may lag behind: UDP, and the fate of minisockets.
func (m *model) sameAsKernel(still bool) error {
	seen := 0
	for _, s := range m.kernel.socks {
		r := m.table.Get(s.ID)
		if !still && (s.Proto == sock.UDP || s.mini) {
			if s.mini && r == nil {
				return fmt.Errorf("minisocket %v is missing", s.ID)
			}
			continue
		}
		if r == nil {
			return fmt.Errorf("%v %v is missing", s.ID, s.State)
		}
		seen++
		if r.State != s.State || r.Proto != s.Proto {
			return fmt.Errorf("%v: %v %v, want %v %v", s.ID, r.Proto, r.State, s.Proto, s.State)
		}
		if known := still || s.State != sock.SynSent; known && (r.Local != s.Local || r.Remote != s.Remote) {
			return fmt.Errorf("%v: %v %v, want %v %v", s.ID, r.Local, r.Remote, s.Local, s.Remote)
		}
		if !still {
			continue
		}
		if r.Inode != s.Inode || r.UID != s.UID {
			return fmt.Errorf("%v: inode %d uid %d, want %d %d", s.ID, r.Inode, r.UID, s.Inode, s.UID)
		}
		if err := m.sameOwners(r, s); err != nil {
			return fmt.Errorf("%v: %w", s.ID, err)
		}
	}
	if still && seen != m.table.Len() {
		return fmt.Errorf("%d rows for %d sockets", m.table.Len(), seen)
	}
	if !still {
		for r := range m.table.Rows() {
			silent := r.Proto == sock.UDP || r.State == sock.TimeWait || r.State == sock.FinWait2
			if !silent && !slices.ContainsFunc(m.kernel.socks, func(s *toySock) bool { return s.ID == r.ID }) {
				return fmt.Errorf("%v %v is not in the kernel", r.ID, r.State)
			}
		}
	}
	return nil
}

func (m *model) sameOwners(r *Row, s *toySock) error {
	if len(s.holders) == 0 {
		return nil
	}
	got := []uint32{r.Owner.PID}
	for _, o := range r.Others {
		got = append(got, o.PID)
	}
	if want := slices.SortedFunc(slices.Values(s.holders), cmp.Compare[uint32]); !slices.Equal(got, want) {
		return fmt.Errorf("owners %v, want %v", got, want)
	}
	return nil
}

func TestModel(t *testing.T) {
	seeds := *modelSeeds
	if testing.Short() {
		seeds /= 10
	}
	for seed := range seeds {
		if err := runModel(seed, 0); err != nil {
			t.Fatal(err)
		}
	}
}
