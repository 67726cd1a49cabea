// SPDX-License-Identifier: GPL-2.0-or-later

package live

import (
	"context"
	"errors"
	"net/netip"
	"os"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"netlive/internal/sock"
	"netlive/internal/table"
)

// script is a source whose sockets the test sets, and which takes its time.
type script struct {
	start time.Time
	cost  time.Duration

	mu    sync.Mutex
	rows  []sock.Socket
	err   error
	walks []time.Duration // when each began

	news   chan []sock.Event
	closed chan struct{}
}

func newScript() *script {
	return &script{start: time.Now(), news: make(chan []sock.Event, 16), closed: make(chan struct{})}
}

// now is the kernel's clock in the test: never 0, which is unknown.
func (s *script) now() sock.Stamp { return sock.Stamp(time.Since(s.start)) + 1 }

func (s *script) Snapshot(ctx context.Context, want sock.Want) (sock.Snapshot, error) {
	s.mu.Lock()
	s.walks = append(s.walks, time.Since(s.start))
	snap := sock.Snapshot{Begin: s.now(), Protos: want.Protos, Sockets: slices.Clone(s.rows)}
	err := s.err
	s.mu.Unlock()
	for i := range snap.Sockets {
		snap.Sockets[i].At = snap.Begin
	}
	select {
	case <-ctx.Done():
		return sock.Snapshot{}, ctx.Err()
	case <-time.After(s.cost):
	}
	return snap, err
}

func (s *script) set(rows ...sock.Socket) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.rows = rows
}

func (s *script) Next(buf []sock.Event) (int, error) {
	select {
	case <-s.closed:
		return 0, os.ErrClosed
	case e := <-s.news:
		return copy(buf, e), nil
	}
}

func (s *script) Close() error {
	close(s.closed)
	return nil
}

// tell makes an event that is true now.
func (s *script) tell(id sock.ID, old, state sock.State) {
	e := sock.Event{Kind: sock.EventState, Old: old, Socket: socket(id, state)}
	e.Socket.At = s.now()
	s.news <- []sock.Event{e}
}

func socket(id sock.ID, state sock.State) sock.Socket {
	return sock.Socket{
		ID: id, Proto: sock.TCP, State: state,
		Local: netip.MustParseAddrPort("127.0.0.1:80"), Remote: netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), uint16(id)),
	}
}

// viewer keeps what it was shown.
type viewer struct {
	mu     sync.Mutex
	states map[sock.ID]sock.State
	owners map[sock.ID]sock.Owner
	status Status
	ghosts int
	draws  int
	stop   int // the draw that ends it; 0 none
	again  sock.Stamp
}

func (v *viewer) Draw(t *table.Table, s Status, _ sock.Stamp) (sock.Stamp, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.states, v.owners = map[sock.ID]sock.State{}, map[sock.ID]sock.Owner{}
	for r := range t.Rows() {
		v.states[r.ID], v.owners[r.ID] = r.State, r.Owner
	}
	v.ghosts = 0
	for range t.Ghosts() {
		v.ghosts++
	}
	v.status = s
	v.draws++
	if v.draws == v.stop {
		return 0, ErrDone
	}
	return v.again, nil
}

func (v *viewer) seen() (map[sock.ID]sock.State, Status, int) {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.states, v.status, v.draws
}

func (v *viewer) ownerOf(id sock.ID) sock.Owner {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.owners[id]
}

func (v *viewer) lingering() int {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.ghosts
}

// start runs the loop until the test ends.
func start(t *testing.T, s *script, v *viewer, change func(*Config)) {
	t.Helper()
	c := Config{
		Source: s, Events: s, Want: sock.Want{Protos: sock.ProtosTCP},
		Interval: time.Second, Frame: 33 * time.Millisecond, Linger: 3 * time.Second, Now: s.now,
	}
	if change != nil {
		change(&c)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- Run(ctx, c, v) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("Run: %v", err)
		}
	})
}

// after lets the bubble's clock go on and everything settle.
func after(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

func TestEventsShowAtTheNextFrame(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, v := newScript(), &viewer{}
		start(t, s, v, nil)
		after(100 * time.Millisecond)
		s.tell(7, sock.Close, sock.SynSent)
		s.tell(7, sock.SynSent, sock.Established)
		after(33 * time.Millisecond)
		states, status, _ := v.seen()
		if states[7] != sock.Established || status.Events != 2 {
			t.Errorf("%v after %d events", states, status.Events)
		}
	})
}

func TestNothingIsDrawnWhenNothingChanged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, v := newScript(), &viewer{}
		s.set(socket(1, sock.Established))
		start(t, s, v, nil)
		after(10*time.Second + time.Millisecond)
		if _, _, draws := v.seen(); draws != 1 {
			t.Errorf("%d draws, want the first alone", draws)
		}
	})
}

func TestDrawAgainWhenAsked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, v := newScript(), &viewer{again: sock.Stamp(500 * time.Millisecond)}
		start(t, s, v, nil)
		after(400 * time.Millisecond)
		_, _, early := v.seen()
		after(200 * time.Millisecond)
		if _, _, late := v.seen(); early != 1 || late <= 1 {
			t.Errorf("%d draws before the time, %d after", early, late)
		}
	})
}

// Each frame is drawn where they are asked for at a fixed rate, and the first comes with the first snapshot.
func TestFramesAtAnInterval(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, v := newScript(), &viewer{stop: 3}
		s.cost = 5 * time.Millisecond
		begin := time.Now()
		err := Run(t.Context(), Config{
			Source: s, Events: s, Want: sock.Want{Protos: sock.ProtosTCP},
			Interval: time.Second, Frame: time.Second, Always: true, Now: s.now,
		}, v)
		if took := time.Since(begin); err != nil || took != 2005*time.Millisecond {
			t.Errorf("three frames: %v after %v", err, took)
		}
	})
}

// What no event tells is healed by the next walk.
func TestSnapshotHeals(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, v := newScript(), &viewer{}
		s.set(socket(1, sock.TimeWait), socket(2, sock.Established))
		start(t, s, v, nil)
		after(500 * time.Millisecond)
		s.set(socket(2, sock.Established))
		after(600 * time.Millisecond)
		if states, _, _ := v.seen(); len(states) != 1 {
			t.Errorf("%v, want socket 2 alone", states)
		}
	})
}

// Loss is told, and healed at once and not when the interval is over.
func TestLossIsHealedAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, v := newScript(), &viewer{}
		s.cost = 10 * time.Millisecond
		s.set(socket(1, sock.Established))
		start(t, s, v, func(c *Config) { c.Interval = time.Hour })
		after(100 * time.Millisecond)
		s.set(socket(2, sock.Established))
		s.news <- []sock.Event{{Kind: sock.EventLost, Lost: 5}}
		after(100 * time.Millisecond)
		states, status, _ := v.seen()
		if len(states) != 1 || states[2] != sock.Established || status.Lost != 5 || status.Resyncs != 1 {
			t.Errorf("%v, lost %d, resyncs %d", states, status.Lost, status.Resyncs)
		}
	})
}

// What is lost while a walk is under way may lie behind it: one more walk follows.
func TestLossDuringAWalk(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, v := newScript(), &viewer{}
		s.cost = 50 * time.Millisecond
		start(t, s, v, func(c *Config) { c.Interval = time.Hour })
		after(10 * time.Millisecond) // the first walk has read its rows and is not back yet
		s.set(socket(3, sock.Established))
		s.news <- []sock.Event{{Kind: sock.EventLost, Lost: 1}}
		after(200 * time.Millisecond)
		if states, _, _ := v.seen(); states[3] != sock.Established {
			t.Errorf("%v, walks at %v", states, s.walks)
		}
	})
}

// Walking takes a tenth of the time at most.
func TestSlowWalksAreFarBetween(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, v := newScript(), &viewer{}
		s.cost = time.Second
		start(t, s, v, nil)
		after(30*time.Second + time.Millisecond)
		if len(s.walks) != 3 { // at 0, 11 and 22 seconds
			t.Errorf("walks at %v", s.walks)
		}
	})
}

func TestFirstSnapshotFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScript()
		s.err = errors.New("no walk")
		err := Run(t.Context(), Config{Source: s, Events: s, Interval: time.Second, Frame: time.Second, Now: s.now}, &viewer{})
		if !errors.Is(err, s.err) {
			t.Errorf("Run: %v", err)
		}
	})
}

// A later one that fails is told and the table stays; the next one mends it.
func TestLaterSnapshotFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, v := newScript(), &viewer{}
		s.set(socket(1, sock.Established))
		start(t, s, v, func(c *Config) { c.Always = true })
		after(500 * time.Millisecond)
		s.mu.Lock()
		s.err = errors.New("no walk")
		s.mu.Unlock()
		after(time.Second)
		if states, status, _ := v.seen(); status.Err == nil || len(states) != 1 {
			t.Errorf("%v, error %v", states, status.Err)
		}
		s.mu.Lock()
		s.err = nil
		s.mu.Unlock()
		after(time.Second)
		if _, status, _ := v.seen(); status.Err != nil {
			t.Errorf("error %v", status.Err)
		}
	})
}

// A closed socket can be seen for as long as it lingers, and no longer.
func TestClosedSocketsLinger(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, v := newScript(), &viewer{}
		s.set(socket(1, sock.Established))
		start(t, s, v, func(c *Config) { c.Always = true })
		after(100 * time.Millisecond)
		s.set()
		s.tell(1, sock.Established, sock.Close)
		after(time.Second)
		if states, _, _ := v.seen(); len(states) != 0 || v.lingering() != 1 {
			t.Errorf("%v and %d ghosts, want a ghost alone", states, v.lingering())
		}
		after(3 * time.Second)
		if n := v.lingering(); n != 0 {
			t.Errorf("%d ghosts, want none", n)
		}
	})
}

// events is a source whose details are used again, as the tracer's are.
type events struct {
	*script
	detail sock.Detail
}

func (s *events) Next(buf []sock.Event) (int, error) {
	n, err := s.script.Next(buf)
	for i := range buf[:n] {
		if d := buf[i].Detail; d != nil {
			s.detail = *d
			buf[i].Detail = &s.detail
		}
	}
	return n, err
}

// All that the source tells is told to who asked for it, before the table has it, and is news though the table stays as it is. Only changes of state are
// taken for changes of state.
func TestTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, v := &events{script: newScript()}, &viewer{}
		s.set(socket(1, sock.Established))
		var told []sock.EventKind
		var reasons []string
		start(t, s.script, v, func(c *Config) {
			c.Events = s
			c.Told = func(e *sock.Event) {
				time.Sleep(time.Millisecond) // in which the source goes on
				told = append(told, e.Kind)
				if e.Detail != nil {
					reasons = append(reasons, e.Detail.Reason)
				}
			}
		})
		after(100 * time.Millisecond)
		tell := func(kind sock.EventKind, reason string) {
			e := sock.Event{Kind: kind, Socket: socket(1, sock.Close)}
			e.Socket.At = s.now()
			if reason != "" {
				e.Detail = &sock.Detail{Reason: reason}
			}
			s.news <- []sock.Event{e}
		}
		for _, reason := range []string{"one", "two", "three"} {
			tell(sock.EventRetransmit, reason)
		}
		after(time.Second)
		states, status, drawn := v.seen()
		if !slices.Equal(reasons, []string{"one", "two", "three"}) {
			t.Errorf("told of %v", reasons)
		}
		if status.Events != 3 || drawn < 2 || states[1] != sock.Established {
			t.Errorf("%d events, %d draws, %v", status.Events, drawn, states)
		}
		tell(sock.EventOwner, "")
		tell(sock.EventStale, "")
		after(time.Second)
		if _, status, draws := v.seen(); status.Events != 3 || draws != drawn {
			t.Errorf("owners and signals: %d events, %d draws, want %d", status.Events, draws, drawn)
		}
		tell(sock.EventClose, "four")
		after(time.Second)
		states, status, draws := v.seen()
		if status.Events != 5 || draws != drawn+1 || states[1] != sock.Established || v.lingering() != 0 {
			t.Errorf("an ending: %d events, %d draws, %v", status.Events, draws, states)
		}
		s.news <- []sock.Event{{Kind: sock.EventLost, Lost: 1}}
		after(time.Second)
		want := []sock.EventKind{
			sock.EventRetransmit, sock.EventRetransmit, sock.EventRetransmit, sock.EventOwner, sock.EventStale, sock.EventClose, sock.EventLost,
		}
		if !slices.Equal(told, want) {
			t.Errorf("told %v, want %v", told, want)
		}
	})
}

// A refused connection to no port makes no walk but by its change of state.
func TestOtherKindsAreNoStates(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, _ := quietly(t, func(c *Config) { c.Interval = time.Hour }, some()...)
		e := sock.Event{Kind: sock.EventRetransmit, Socket: socket(9, sock.SynSent)}
		e.Socket.Local = netip.AddrPortFrom(e.Socket.Local.Addr(), 0)
		e.Socket.At = s.now()
		s.news <- []sock.Event{e}
		after(time.Minute)
		expectWalks(t, s, "a retransmission")
	})
}
