// SPDX-License-Identifier: GPL-2.0-or-later

package tracer

import (
	"errors"
	"net"
	"os"
	"testing"
	"time"

	"netlive/internal/kerneltest"
	"netlive/internal/sock"
)

// What finds no room in the ring is counted, and told at the place where it is missing.
func TestLostIsCounted(t *testing.T) {
	kerneltest.RequireRoot(t)
	const connections = 1000
	ns := kerneltest.NetNS(t)
	tr := open(t, Options{NetNS: ns.Inode(), Ring: os.Getpagesize()})
	storm(t, ns, kerneltest.Storm{Connections: connections, Workers: 1})
	const told = 6*connections + 2 // and the listener's two
	var lost, seen uint64
	events := collect(t, tr, func(all []sock.Event) bool {
		lost, seen = 0, 0
		for i := range all {
			if all[i].Kind == sock.EventLost {
				lost += all[i].Lost
			} else {
				seen++
			}
		}
		return lost+seen >= told
	})
	if lost+seen != told || lost == 0 || seen == 0 {
		t.Errorf("%d lost and %d seen, want %d together", lost, seen, told)
	}
	if events[0].Kind != sock.EventLost {
		t.Errorf("first event: %+v, want the loss", events[0])
	}
}

// Records that came without a wakeup, before the first Next, are there for it.
func TestEventsBeforeTheFirstNext(t *testing.T) {
	kerneltest.RequireRoot(t)
	ns := kerneltest.NetNS(t)
	tr := open(t, Options{NetNS: ns.Inode()})
	s, err := tr.Stream()
	if err != nil {
		t.Fatal(err)
	}
	storm(t, ns, kerneltest.Storm{Connections: 1, Workers: 1})
	hung := time.AfterFunc(30*time.Second, func() { _ = s.Close() })
	n, err := s.Next(make([]sock.Event, 16))
	if n != 8 || err != nil {
		t.Errorf("%d events, %v, want 8", n, err)
	}
	if !hung.Stop() {
		t.Fatal("Next waited for a wakeup that nobody owed it")
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}

// A reader that sleeps is woken by the first event, whenever that comes.
func TestSleeperIsWoken(t *testing.T) {
	kerneltest.RequireRoot(t)
	ns := kerneltest.NetNS(t)
	tr := open(t, Options{NetNS: ns.Inode()})
	s, err := tr.Stream()
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	buf := make([]sock.Event, 16)
	for range 3 {
		got := make(chan error, 1)
		go func() {
			for {
				n, err := s.Next(buf)
				if err != nil || closed(buf[:n]) > 0 {
					got <- err
					return
				}
			}
		}()
		asleep(t, tr)
		ns.Do(func() {
			l, err := net.Listen("tcp4", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			if err := l.Close(); err != nil {
				t.Fatal(err)
			}
		})
		if err := <-got; err != nil {
			t.Fatal(err)
		}
	}
}

// asleep returns when the reader of tr has asked to be woken.
func asleep(t *testing.T, tr *Tracer) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); time.Sleep(time.Millisecond) {
		var sleeps uint32
		if err := tr.coll.Variables[bpfVarReaderSleeps].Get(&sleeps); err != nil {
			t.Fatal(err)
		}
		if sleeps == 1 {
			return
		}
	}
	t.Fatal("the reader never went to sleep")
}

// What has happened before Finish is told, and then comes the end, be there as many more as there like.
func TestFinishTellsTheRest(t *testing.T) {
	kerneltest.RequireRoot(t)
	ns := kerneltest.NetNS(t)
	tr := open(t, Options{NetNS: ns.Inode()})
	s, err := tr.Stream()
	if err != nil {
		t.Fatal(err)
	}
	storm(t, ns, kerneltest.Storm{Connections: 10, Workers: 1})
	if err := s.Finish(); err != nil {
		t.Fatal(err)
	}
	const told = 6*10 + 2
	seen := 0
	for buf := make([]sock.Event, 16); ; {
		n, err := s.Next(buf)
		if errors.Is(err, os.ErrClosed) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if seen += n; seen == 16 {
			storm(t, ns, kerneltest.Storm{Connections: 10, Workers: 1}) // too late
		}
	}
	if seen != told {
		t.Errorf("%d events, want %d", seen, told)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}

func TestCloseEndsNext(t *testing.T) {
	kerneltest.RequireRoot(t)
	kerneltest.NoLeaks(t)
	ns := kerneltest.NetNS(t)
	tr := open(t, Options{NetNS: ns.Inode()})
	s, err := tr.Stream()
	if err != nil {
		t.Fatal(err)
	}
	got := make(chan error, 1)
	go func() {
		_, err := s.Next(make([]sock.Event, 16))
		got <- err
	}()
	asleep(t, tr)
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if err := <-got; !errors.Is(err, os.ErrClosed) {
		t.Errorf("Next: %v, want %v", err, os.ErrClosed)
	}
	if _, err := s.Next(make([]sock.Event, 16)); !errors.Is(err, os.ErrClosed) {
		t.Errorf("Next after Close: %v, want %v", err, os.ErrClosed)
	}
}
