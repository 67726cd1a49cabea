// SPDX-License-Identifier: GPL-2.0-or-later

package live

import (
	"context"
	"errors"
	"os"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// notice is a table that the test writes on, news of it, and a Board: all in the bubble's own time.
type notice struct {
	start time.Time
	cost  time.Duration

	mu        sync.Mutex
	text      string
	counter   int
	err       error
	lost      uint64
	looks     []time.Duration // when each began
	most, now int             // looks at once

	bell   chan error
	closed chan struct{}

	shown  noticed
	draws  []time.Duration
	texts  []string
	status Status
	again  time.Duration // after each draw
	enough int           // draws; 0 is never
}

type noticed struct {
	text    string
	counter int
}

func newNotice() *notice {
	return &notice{start: time.Now(), bell: make(chan error, 1000), closed: make(chan struct{})}
}

func (n *notice) Look(ctx context.Context) (noticed, error) {
	n.mu.Lock()
	n.looks = append(n.looks, time.Since(n.start))
	n.now++
	n.most = max(n.most, n.now)
	found, err, cost := noticed{n.text, n.counter}, n.err, n.cost
	n.mu.Unlock()
	select {
	case <-ctx.Done():
		err = ctx.Err()
	case <-time.After(cost):
	}
	n.mu.Lock()
	n.now--
	n.mu.Unlock()
	return found, err
}

// write changes the table and tells it.
func (n *notice) write(text string) {
	n.mu.Lock()
	n.text = text
	n.mu.Unlock()
	n.bell <- nil
}

func (n *notice) set(f func()) {
	n.mu.Lock()
	defer n.mu.Unlock()
	f()
}

func (n *notice) Next() error {
	select {
	case <-n.closed:
		return os.ErrClosed
	case err := <-n.bell:
		return err
	}
}

func (n *notice) Lost() uint64 {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.lost
}

func (n *notice) Close() error {
	close(n.closed)
	return nil
}

func (n *notice) Replace(t noticed, _ time.Time) Change {
	old := n.shown
	n.shown = t
	switch {
	case old.text != t.text:
		return Changed
	case old != t:
		return Counted
	}
	return Unchanged
}

func (n *notice) Draw(s Status, now time.Time) (again time.Time, err error) {
	n.draws = append(n.draws, now.Sub(n.start))
	n.texts = append(n.texts, n.shown.text)
	n.status = s
	if len(n.draws) == n.enough {
		return again, ErrDone
	}
	if n.again > 0 {
		again, n.again = now.Add(n.again), 0
	}
	return again, nil
}

const (
	tick       = 33 * time.Millisecond
	testSettle = time.Second
)

func (n *notice) config() Looks[noticed] {
	return Looks[noticed]{Look: n.Look, News: n, Interval: time.Minute, Frame: tick, Settle: testSettle}
}

// while runs RunLooks in a bubble beside what happens meanwhile.
func while(t *testing.T, setUp func(n *notice, c *Looks[noticed]), meanwhile func(n *notice)) (n *notice) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		n = newNotice()
		c := n.config()
		if setUp != nil {
			setUp(n, &c)
		}
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error)
		go func() { ended <- RunLooks(ctx, c, n) }()
		synctest.Wait()
		meanwhile(n)
		synctest.Wait()
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		if c.News != nil {
			<-n.closed
		}
		if n.most > 1 {
			t.Errorf("%d looks at once", n.most)
		}
	})
	return n
}

func expect[T comparable](t *testing.T, what string, got []T, want ...T) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s: %v, want %v", what, got, want)
	}
}

// A change shows a tick after it is told, and there is one more look when all is quiet. Then nothing is read or drawn for days.
func TestLooksNews(t *testing.T) {
	n := while(t, nil, func(n *notice) {
		time.Sleep(time.Hour)
		n.write("a")
		time.Sleep(48 * time.Hour)
	})
	expect(t, "looks", n.looks, 0, time.Hour+tick, time.Hour+testSettle)
	expect(t, "draws", n.draws, 0, time.Hour+tick)
}

// News that come before their deed are made good by the look that follows all news.
func TestLooksEarlyNews(t *testing.T) {
	n := while(t, nil, func(n *notice) {
		n.bell <- nil
		time.Sleep(tick + time.Millisecond)
		n.set(func() { n.text = "late" })
		time.Sleep(time.Minute)
	})
	expect(t, "draws", n.draws, 0, testSettle)
	expect(t, "texts", n.texts, "", "late")
}

// A storm of news costs one look a tick, and the last one sees the end.
func TestLooksStorm(t *testing.T) {
	const storm = 10 * time.Second
	n := while(t, nil, func(n *notice) {
		for range storm / time.Millisecond {
			n.write(time.Since(n.start).String())
			time.Sleep(time.Millisecond)
		}
		n.write("end")
		time.Sleep(time.Minute)
	})
	if most := int(storm/tick) + 3; len(n.looks) > most || len(n.looks) < most*9/10 {
		t.Errorf("%d looks in %v and after, want one each %v", len(n.looks), storm, tick)
	}
	if last := n.texts[len(n.texts)-1]; last != "end" {
		t.Errorf("shows %q in the end", last)
	}
}

// Looks that take long leave nine tenths of the time to others.
func TestLooksSlow(t *testing.T) {
	n := while(t, func(n *notice, _ *Looks[noticed]) { n.cost = 100 * time.Millisecond }, func(n *notice) {
		for range 100 {
			n.bell <- nil
			time.Sleep(100 * time.Millisecond)
		}
	})
	if len(n.looks) != 11 { // at 0 s and at 10 s too
		t.Errorf("%d looks of %v in 10 s", len(n.looks), n.cost)
	}
}

// What is announced while a look is under way has a look of its own.
func TestLooksNewsDuringLook(t *testing.T) {
	n := while(t, func(n *notice, c *Looks[noticed]) { n.cost, c.Settle = 100*time.Millisecond, time.Hour }, func(n *notice) {
		time.Sleep(50 * time.Millisecond)
		n.write("a")
		time.Sleep(30 * time.Minute)
	})
	expect(t, "texts", n.texts, "", "a")
	expect(t, "looks", n.looks, 0, time.Second)
}

// Counters are read each interval, and what they are drawn for is not the news of others.
func TestLooksRefresh(t *testing.T) {
	n := while(t, func(n *notice, c *Looks[noticed]) { c.Refresh = true }, func(n *notice) {
		time.Sleep(90 * time.Second) // nothing counted at 60 s
		n.set(func() { n.counter++ })
		n.bell <- nil // 90 s
		time.Sleep(time.Minute)
	})
	expect(t, "looks", n.looks, 0, time.Minute, 90*time.Second+tick, 91*time.Second, 2*time.Minute)
	// The counter was taken in at 90 s: at 120 s there is nothing new to it. It is drawn when it moves.
	expect(t, "draws", n.draws, 0)
	n = while(t, func(n *notice, c *Looks[noticed]) { c.Refresh = true }, func(n *notice) {
		time.Sleep(30 * time.Second)
		for range 2 {
			n.set(func() { n.counter++ })
			time.Sleep(time.Minute)
		}
	})
	expect(t, "draws", n.draws, 0, time.Minute, 2*time.Minute)
}

// Where each interval is drawn nothing is read for it, unless there are counters or no news.
func TestLooksAlways(t *testing.T) {
	draws := []time.Duration{0, time.Minute, 2 * time.Minute, 2*time.Minute + 30*time.Second + tick, 3*time.Minute + 30*time.Second + tick}
	for name, c := range map[string]struct {
		refresh bool
		looks   []time.Duration
	}{
		"news":     {false, []time.Duration{0, draws[3], 2*time.Minute + 30*time.Second + testSettle}},
		"counters": {true, []time.Duration{0, draws[1], draws[2], draws[3], 2*time.Minute + 30*time.Second + testSettle, draws[4]}},
	} {
		t.Run(name, func(t *testing.T) {
			n := while(t, func(n *notice, l *Looks[noticed]) { l.Always, l.Refresh = true, c.refresh }, func(n *notice) {
				time.Sleep(2*time.Minute + 30*time.Second)
				n.write("a")
				time.Sleep(time.Minute + time.Second)
			})
			expect(t, "draws", n.draws, draws...)
			expect(t, "looks", n.looks, c.looks...)
		})
	}
}

// Without news there is a look each interval, and a drawing when it finds something.
func TestLooksPolling(t *testing.T) {
	n := while(t, func(n *notice, c *Looks[noticed]) { c.News = nil }, func(n *notice) {
		time.Sleep(90 * time.Second)
		n.set(func() { n.text = "a" })
		time.Sleep(time.Minute)
	})
	expect(t, "looks", n.looks, 0, time.Minute, 2*time.Minute)
	expect(t, "draws", n.draws, 0, 2*time.Minute)
}

// A loss is told though the table is as it was.
func TestLooksLoss(t *testing.T) {
	n := while(t, nil, func(n *notice) {
		n.set(func() { n.lost = 7 })
		n.bell <- nil
		time.Sleep(time.Minute)
	})
	expect(t, "draws", n.draws, 0, tick)
	if n.status.Lost != 7 || n.status.Resyncs != 1 {
		t.Errorf("lost %d, %d resyncs", n.status.Lost, n.status.Resyncs)
	}
}

// A look that fails leaves the table as it is and says so, once; the first one must not fail.
func TestLooksError(t *testing.T) {
	bad := errors.New("bad")
	n := while(t, func(n *notice, c *Looks[noticed]) { n.text = "a" }, func(n *notice) {
		n.set(func() { n.err = bad })
		n.write("b")
		time.Sleep(time.Minute)
		synctest.Wait()
		if n.status.Err != bad {
			t.Errorf("status %v", n.status.Err)
		}
		n.set(func() { n.err = nil })
		n.bell <- nil
		time.Sleep(time.Minute)
	})
	expect(t, "texts", n.texts, "a", "a", "b")
	if n.status.Err != nil {
		t.Errorf("status %v", n.status.Err)
	}
	synctest.Test(t, func(t *testing.T) {
		n := newNotice()
		n.err = bad
		if err := RunLooks(t.Context(), n.config(), n); err != bad {
			t.Errorf("%v", err)
		}
	})
}

// News that fail for good end it.
func TestLooksNewsFail(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNotice()
		bad := errors.New("rtnl: bad")
		n.bell <- bad
		if err := RunLooks(t.Context(), n.config(), n); !errors.Is(err, bad) || err.Error() != "live: rtnl: bad" {
			t.Errorf("%v", err)
		}
	})
}

// A board has as many frames as it wants, is drawn when it asks for it and when somebody presses a key, and the look under way is
// waited for in the end.
func TestLooksBoard(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNotice()
		redraw := make(chan struct{}, 1)
		c := n.config()
		c.Redraw = redraw
		n.again, n.enough = time.Second, 3
		go func() {
			time.Sleep(5 * time.Second)
			n.set(func() { n.cost = time.Hour })
			n.bell <- nil
			time.Sleep(5 * time.Second)
			redraw <- struct{}{}
		}()
		if err := RunLooks(t.Context(), c, n); err != nil {
			t.Error(err)
		}
		expect(t, "draws", n.draws, 0, time.Second, 10*time.Second)
		if n.now != 0 {
			t.Error("a look is still under way")
		}
	})
}
