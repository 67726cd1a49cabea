// SPDX-License-Identifier: GPL-2.0-or-later

package live

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"netlive/internal/sock"
)

// signals is a source that says when to walk, and remembers what it was asked for.
type signals struct {
	*script // mu guards what follows

	announced sock.News
	stale     sock.News
	active    sock.ProtoSet
	asked     []sock.Want
}

var told = sock.ProtosTCP | sock.ProtosUDP | sock.ProtosRaw

func (s *signals) Announced() sock.News {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.announced
}

func (s *signals) Stale() sock.News {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := s.stale
	s.stale = sock.News{}
	return n
}

func (s *signals) Active() sock.ProtoSet {
	s.mu.Lock()
	defer s.mu.Unlock()
	a := s.active
	s.active = 0
	return a
}

// Snapshot gives what is asked for and no more; without owners if they are not asked for.
func (s *signals) Snapshot(ctx context.Context, want sock.Want) (sock.Snapshot, error) {
	s.mu.Lock()
	s.asked = append(s.asked, want)
	s.mu.Unlock()
	snap, err := s.script.Snapshot(ctx, want)
	snap.Owners = want.Owners
	snap.Sockets = slices.DeleteFunc(snap.Sockets, func(r sock.Socket) bool { return !want.Protos.Has(r.Proto) })
	for i := range snap.Sockets {
		if !want.Owners {
			snap.Sockets[i].Owner, snap.Sockets[i].Others = sock.Owner{}, nil
		}
	}
	return snap, err
}

// announce makes news that no event tells, and says so as the kernel does: once, until it is asked what it was.
func (s *signals) announce(n sock.News) {
	s.mu.Lock()
	first := !s.stale.Any()
	s.stale.Protos |= n.Protos
	s.stale.Owners = s.stale.Owners || n.Owners
	s.mu.Unlock()
	if first {
		e := sock.Event{Kind: sock.EventStale}
		e.Socket.At = s.now()
		s.news <- []sock.Event{e}
	}
}

func (s *signals) moved(p sock.ProtoSet) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.active |= p
}

// since returns the walks since the last call, and when they were, in milliseconds.
func (s *signals) since() (asked []sock.Want, at []int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, w := range s.walks {
		at = append(at, w.Milliseconds())
	}
	asked = s.asked
	s.asked, s.walks = nil, nil
	return asked, at
}

// quietly runs the loop on a source that has nothing to say, past the first walk.
func quietly(t *testing.T, change func(*Config), rows ...sock.Socket) (*signals, *viewer) {
	t.Helper()
	s, v := &signals{script: newScript(), announced: sock.News{Protos: told, Owners: true}}, &viewer{}
	s.set(rows...)
	start(t, s.script, v, func(c *Config) {
		c.Source, c.Signals = s, s
		c.Want = sock.Want{Protos: told, Owners: true}
		if change != nil {
			change(c)
		}
	})
	after(500 * time.Millisecond) // halfway between the intervals
	if asked, _ := s.since(); len(asked) != 1 || asked[0].Protos == 0 || asked[0].Owners != true {
		t.Fatalf("first walks: %+v", asked)
	}
	return s, v
}

func expectWalks(t *testing.T, s *signals, why string, want ...sock.Want) {
	t.Helper()
	if asked, at := s.since(); !slices.Equal(asked, want) {
		t.Errorf("%s: walked for %+v at %v, want %+v", why, asked, at, want)
	}
}

// row is a socket that process 7 holds.
func row(id sock.ID, proto sock.Proto, state sock.State) sock.Socket {
	s := socket(id, state)
	s.Proto, s.Inode = proto, uint32(id)
	s.Owner = sock.Owner{PID: 7, How: sock.HowSeeded, Comm: sock.MakeComm("seven")}
	return s
}

// some are sockets of each kind, at rest.
func some() []sock.Socket {
	return []sock.Socket{row(1, sock.TCP, sock.Listen), row(2, sock.TCP, sock.Established), row(3, sock.UDP, sock.Close)}
}

func protos(p sock.ProtoSet) sock.Want     { return sock.Want{Protos: p} }
func ownersWith(p sock.ProtoSet) sock.Want { return sock.Want{Protos: p, Owners: true} }

func TestNothingIsWalkedWhenNothingIsSaid(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, _ := quietly(t, nil, some()...)
		after(24 * time.Hour)
		expectWalks(t, s, "in a day")
	})
}

// What the source does not announce is walked at each interval, and nothing else is.
func TestWhatIsNotAnnouncedIsWalked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, _ := quietly(t, func(c *Config) { c.Want.Protos |= sock.ProtosUnix }, some()...)
		after(3 * time.Second)
		unix := protos(sock.ProtosUnix)
		expectWalks(t, s, "in three intervals", unix, unix, unix)
	})
}

// Where nobody tells of second owners, owners are walked at each interval.
func TestOwnersThatAreNotAnnouncedAreWalked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, _ := quietly(t, nil, some()...)
		s.mu.Lock()
		s.announced.Owners = false
		s.mu.Unlock()
		after(2 * time.Second)
		owners := ownersWith(sock.ProtosTCP | sock.Protos(sock.UDP))
		expectWalks(t, s, "in two intervals", owners, owners)
	})
}

// What is stale is walked for at once, and nothing else is.
func TestStale(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, v := quietly(t, func(c *Config) { c.Interval = time.Hour }, some()...)
		s.set(append(some(), row(4, sock.UDP, sock.Close))...)
		s.announce(sock.News{Protos: sock.ProtosUDP})
		after(settle - 1)
		expectWalks(t, s, "before it settled")
		after(1)
		after(40 * time.Millisecond)
		if states, _, _ := v.seen(); len(states) != 4 {
			t.Errorf("%v, want 4 sockets", states)
		}
		// A UDP socket is there that has no owner: it is asked for.
		expectWalks(t, s, "a UDP socket", protos(sock.ProtosUDP), ownersWith(sock.ProtosTCP|sock.Protos(sock.UDP)))
		after(24 * time.Hour)
		expectWalks(t, s, "in a day")

		s.announce(sock.News{Protos: sock.ProtosRaw})
		after(time.Second)
		expectWalks(t, s, "a raw socket that has gone again", protos(sock.ProtosRaw))
	})
}

// The news of who holds sockets has those walked of which there are any, with owners.
func TestStaleOwners(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, _ := quietly(t, nil, some()...)
		s.announce(sock.News{Owners: true})
		after(time.Hour)
		expectWalks(t, s, "owners", ownersWith(sock.ProtosTCP|sock.Protos(sock.UDP)))
	})
}

// News that comes while a walk is under way may lie behind it: it is walked for when that is over, and not an interval later.
func TestStaleDuringAWalk(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, v := quietly(t, func(c *Config) { c.Interval = time.Hour }, some()...)
		s.cost = 50 * time.Millisecond
		s.announce(sock.News{Protos: sock.ProtosRaw})
		after(settle + 10*time.Millisecond) // the walk has read its rows and is not back yet
		s.set(append(some(), row(5, sock.Raw, sock.Close))...)
		s.announce(sock.News{Protos: sock.ProtosRaw})
		after(2 * time.Second)
		if states, _, _ := v.seen(); states[5] != sock.Close {
			_, at := s.since()
			t.Errorf("%v, walks at %v", states, at)
		}
	})
}

// What is to be walked for at once does not wait for what is to be walked for later.
func TestStaleWhileAPortIsAwaited(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, _ := quietly(t, func(c *Config) { c.Interval = time.Hour }, some()...)
		s.tellPortless(9)
		after(time.Millisecond)
		s.announce(sock.News{Protos: sock.ProtosUDP})
		after(settle)
		expectWalks(t, s, "UDP", protos(sock.ProtosUDP|sock.ProtosTCP))
	})
}

// Be there always something stale: walking takes a tenth of the time at most.
func TestStaleAllTheTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, _ := quietly(t, nil, some()...)
		s.cost = 20 * time.Millisecond
		for range 2200 {
			s.announce(sock.News{Protos: sock.ProtosUDP})
			after(time.Millisecond)
		}
		if asked, at := s.since(); len(asked) < 5 || len(asked) > 11 {
			t.Errorf("%d walks in 2.2 seconds: %v", len(asked), at)
		}
	})
}

// Queues are walked at the interval while data moves and until they are empty.
func TestQueues(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, _ := quietly(t, nil, some()...)
		s.moved(sock.ProtosTCP)
		after(400 * time.Millisecond)
		expectWalks(t, s, "before the interval")
		full := some()
		full[1].Queue.Recv = 100
		s.set(full...)
		after(600 * time.Millisecond)
		expectWalks(t, s, "data moved", protos(sock.ProtosTCP))
		for range 3 {
			after(time.Second)
			// Only the protocol whose queues were seen to be full.
			expectWalks(t, s, "a queue is full", protos(sock.Protos(sock.TCP)))
		}
		s.set(some()...)
		after(time.Second)
		expectWalks(t, s, "it was full", protos(sock.Protos(sock.TCP)))
		after(time.Hour)
		expectWalks(t, s, "it is empty")
	})
}

// The ends of minisockets and of requests are told by nothing: TCP is walked as long as there are any.
func TestWhatEndsWithoutNews(t *testing.T) {
	for _, state := range []sock.State{sock.TimeWait, sock.FinWait2, sock.SynRecv} {
		synctest.Test(t, func(t *testing.T) {
			s, v := quietly(t, nil, some()...)
			ends := row(4, sock.TCP, state)
			ends.Inode, ends.Owner = 0, sock.Owner{}
			s.set(append(some(), ends)...)
			s.tell(4, sock.Close, state)
			for range 5 {
				after(time.Second)
				expectWalks(t, s, state.String(), protos(sock.ProtosTCP))
			}
			s.set(some()...)
			after(time.Second)
			expectWalks(t, s, state.String()+"'s end", protos(sock.ProtosTCP))
			if states, _, _ := v.seen(); len(states) != 3 {
				t.Errorf("%v is still there: %v", state, states)
			}
			after(time.Hour)
			expectWalks(t, s, "after its end")
		})
	}
}

// A socket that a walk without owners found is looked for once, with owners, and not for ever if it has none.
func TestUnowned(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, _ := quietly(t, func(c *Config) { c.Interval = time.Minute }, some()...)
		nobodys := row(4, sock.UDP, sock.Close)
		nobodys.Owner = sock.Owner{}
		s.set(append(some(), nobodys)...)
		s.announce(sock.News{Protos: sock.ProtosUDP})
		after(time.Hour)
		expectWalks(t, s, "a socket of a process that is not ours", protos(sock.ProtosUDP), ownersWith(sock.ProtosTCP|sock.Protos(sock.UDP)))
		nobodys.ID = 5
		s.set(append(some(), nobodys)...)
		s.news <- []sock.Event{{Kind: sock.EventLost, Lost: 1}}
		after(time.Hour)
		expectWalks(t, s, "another, that a walk with owners found", ownersWith(told), protos(sock.Protos(sock.UDP)), ownersWith(sock.ProtosTCP|sock.Protos(sock.UDP)))
	})
}

// Owners are looked for before sockets are. Of one that was accepted between the two, and of one that was in its listener's queue until now, no
// event tells whose it is where the one that did was lost.
func TestUnownedSince(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, v := quietly(t, nil, some()...)
		waits, accepted := row(4, sock.TCP, sock.Established), row(5, sock.TCP, sock.Established)
		owner := waits.Owner
		waits.Inode, waits.Owner, accepted.Owner = 0, sock.Owner{}, sock.Owner{}
		full := row(6, sock.TCP, sock.Listen)
		full.Queue.Recv = 1
		s.set(append(some(), waits, accepted, full)...)
		s.news <- []sock.Event{{Kind: sock.EventLost, Lost: 1}}
		after(500 * time.Millisecond)
		expectWalks(t, s, "a loss", ownersWith(told))
		accepted.Owner = owner
		s.set(append(some(), waits, accepted, full)...)
		after(time.Second)
		expectWalks(t, s, "one that was accepted meanwhile", protos(sock.Protos(sock.TCP)), ownersWith(sock.ProtosTCP|sock.Protos(sock.UDP)))
		if got := v.ownerOf(5); got != owner {
			t.Errorf("its owner is %v, want %v", got, owner)
		}
		waits.Inode, waits.Owner, full.Queue.Recv = accepted.Inode, owner, 0
		s.set(append(some(), waits, accepted, full)...)
		after(time.Hour)
		expectWalks(t, s, "one that is accepted now", protos(sock.Protos(sock.TCP)), ownersWith(sock.ProtosTCP|sock.Protos(sock.UDP)))
		if got := v.ownerOf(4); got != owner {
			t.Errorf("its owner is %v, want %v", got, owner)
		}
	})
}

// Where owners are not shown nobody asks for them.
func TestOwnersAreNotWanted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, v := &signals{script: newScript(), announced: sock.News{Protos: told, Owners: true}}, &viewer{}
		s.set(some()...)
		start(t, s.script, v, func(c *Config) {
			c.Source, c.Signals, c.Want = s, s, sock.Want{Protos: told}
		})
		after(100 * time.Millisecond)
		s.announce(sock.News{Owners: true})
		s.announce(sock.News{Protos: sock.ProtosUDP})
		after(time.Hour)
		expectWalks(t, s, "in an hour", protos(told), protos(sock.ProtosUDP))
	})
}

// tellPortless is the event of a connection that has no port yet.
func (s *signals) tellPortless(id sock.ID) {
	e := sock.Event{Kind: sock.EventState, Old: sock.Close, Socket: socket(id, sock.SynSent)}
	e.Socket.Local, e.Socket.Owner = netip.AddrPortFrom(e.Socket.Local.Addr(), 0), row(id, sock.TCP, sock.SynSent).Owner
	e.Socket.At = s.now()
	s.news <- []sock.Event{e}
}

// The port of a connection that stays in SYN_SENT is looked for; that of one which is established its event has told.
func TestPortless(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, _ := quietly(t, func(c *Config) { c.Interval = time.Hour }, some()...)
		s.tellPortless(9)
		after(100 * time.Millisecond)
		s.tell(9, sock.SynSent, sock.Established)
		after(time.Minute)
		expectWalks(t, s, "an established connection")
		s.tellPortless(10)
		after(portless - 1)
		expectWalks(t, s, "a connection that waits")
		s.set(append(some(), row(10, sock.TCP, sock.SynSent))...)
		after(time.Second)
		asked, at := s.since()
		if len(asked) != 1 || !asked[0].Protos.Has(sock.TCP) {
			t.Errorf("walked for %+v at %v", asked, at)
		}
	})
}

// After a loss everything is walked at once.
func TestLossWalksEverything(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, _ := quietly(t, func(c *Config) { c.Interval = time.Hour }, some()...)
		s.news <- []sock.Event{{Kind: sock.EventLost, Lost: 1}}
		synctest.Wait()
		expectWalks(t, s, "a loss", ownersWith(told))
		after(time.Minute)
		expectWalks(t, s, "after it")
	})
}

// That one of several processes closes its copy is told by nothing: their sockets are walked less and less often, until there is news.
func TestSharedSockets(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rows := some()
		rows[0].Others = []sock.Owner{{PID: 8, How: sock.HowSeeded}}
		s, _ := quietly(t, nil, rows...)
		begin := s.start
		after(2*time.Minute - time.Since(begin))
		_, at := s.since()
		var apart []int64
		for last, next := int64(0), at; len(next) > 0; last, next = next[0], next[1:] {
			apart = append(apart, (next[0]-last)/1000)
		}
		if want := []int64{2, 4, 8, 16, 16, 16, 16, 16, 16}; len(apart) < 5 || !slices.Equal(apart, want[:min(len(apart), len(want))]) {
			t.Errorf("walks are %v seconds apart, want %v", apart, want)
		}
		s.announce(sock.News{Owners: true})
		after(100 * time.Millisecond)
		s.since()
		after(3 * time.Second)
		if _, at := s.since(); len(at) != 1 {
			t.Errorf("after news of owners: walks at %v", at)
		}
		s.set(some()...)
		s.announce(sock.News{Owners: true})
		after(time.Minute)
		s.since()
		after(time.Hour)
		expectWalks(t, s, "nothing is shared any more")
	})
}

// An owner that an event tells of may not be the only one: a walk says who else there is.
func TestOwnerEvent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, _ := quietly(t, nil, some()...)
		e := sock.Event{Kind: sock.EventOwner, Socket: row(2, sock.TCP, sock.Established)}
		e.Socket.At = s.now()
		e.Socket.Owner.PID = 8
		s.news <- []sock.Event{e}
		after(time.Hour)
		expectWalks(t, s, "another owner", ownersWith(sock.ProtosTCP|sock.Protos(sock.UDP)))
	})
}

// A walk that fails leaves what it was for undone: the next one does it.
func TestFailedWalkIsMadeAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, v := quietly(t, nil, some()...)
		s.mu.Lock()
		s.err = errors.New("no walk")
		s.mu.Unlock()
		s.announce(sock.News{Protos: sock.ProtosUDP})
		after(100 * time.Millisecond)
		s.mu.Lock()
		s.err = nil
		s.mu.Unlock()
		s.set(append(some(), row(4, sock.UDP, sock.Close))...)
		after(3 * time.Second)
		if states, _, _ := v.seen(); len(states) != 4 {
			t.Error(fmt.Sprint(states), "want 4 sockets")
		}
		s.since()
		after(time.Hour)
		expectWalks(t, s, "after it was mended")
	})
}
