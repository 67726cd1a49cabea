// SPDX-License-Identifier: GPL-2.0-or-later

// Package live is the one loop that keeps a table of sockets true:
//
//	events ----> Next ----> batch --Apply----\
//	                                          table --Draw--> screen, JSON frames
//	sockets ---> Snapshot --------Replace----/
//
// One goroutine, the caller's of Run, owns the table: it applies events, takes
// in snapshots and draws, so nothing here is locked. Events make the table early; snapshots
// make it right. Drawing happens on a tick and only when there is something new,
// never per event.
package live

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"netlive/internal/sock"
	"netlive/internal/table"
)

// Source gives snapshots. Only one runs at a time.
type Source interface {
	Snapshot(ctx context.Context, want sock.Want) (sock.Snapshot, error)
}

// Events gives news, in batches; Close makes Next return os.ErrClosed.
type Events interface {
	Next([]sock.Event) (int, error)
	Close() error
}

// Drawer is shown the table. It runs on the loop's goroutine: it may read t until it returns, and
// must not keep it.
type Drawer interface {
	// Draw shows t as of now. again is when it wants to be called again although nothing
	// changed (a highlight that ends); 0 is never.
	Draw(t *table.Table, s Status, now sock.Stamp) (again sock.Stamp, err error)
}

// ErrDone is returned by a Drawer that has seen enough; Run then returns nil.
var ErrDone = errors.New("done")

// Status is what a reader of the table should know of its making.
type Status struct {
	// Lost counts the events that were lost, Resyncs the walks that were made because of it.
	Lost, Resyncs uint64
	// Events counts the events taken in.
	Events uint64
	// Err is why the last snapshot failed, if it did; the table is then as old as Taken.
	Err   error
	Taken sock.Stamp
}

// Config is what Run needs.
type Config struct {
	Source Source
	Events Events // nil: there are none, the table is made of snapshots alone
	Want   sock.Want
	// Interval is the time between snapshots. They refresh what no event announces: queues, UDP
	// and UNIX sockets, the end of TIME_WAIT. A walk that takes long makes the next one later, so that walking
	// takes a tenth of the time at most.
	Interval time.Duration
	// Frame is the least time between two draws. With Always each Frame is drawn, changed or not.
	Frame  time.Duration
	Always bool
	// Linger is how long closed sockets stay in the table.
	Linger time.Duration
	// Redraw, when it is sent to, draws without waiting for news: somebody pressed a key.
	Redraw <-chan struct{}
	Now    func() sock.Stamp // the clock of the stamps
}

const (
	batchSize = 4096
	// batchCount is how many batches there are: one is applied while the other fills.
	batchCount = 2
)

// batch is what one Next brought.
type batch struct {
	events []sock.Event
	err    error
}

// walked is what one Snapshot brought.
type walked struct {
	snap sock.Snapshot
	err  error
	took time.Duration
}

type loop struct {
	Config
	table  *table.Table
	status Status

	walks   chan walked
	walking bool
	rewalk  bool // events were lost since the walk under way began

	drawn uint64 // version of the table at the last draw
	again sock.Stamp
}

// Run keeps the table until ctx ends (and then returns nil), the drawer is done, or a
// source fails for good. The first draw comes with the first snapshot.
func Run(ctx context.Context, c Config, d Drawer) error {
	ctx, cancel := context.WithCancel(ctx)
	l := &loop{Config: c, table: table.New(), walks: make(chan walked, 1)}
	full, free, stop := l.read(ctx)
	defer func() {
		cancel()
		stop()
		if l.walking {
			<-l.walks // the source is the caller's again
		}
	}()

	frame := time.NewTicker(l.Frame)
	defer frame.Stop()
	next := time.NewTimer(l.Interval)
	defer next.Stop()
	l.walk(ctx)
	for {
		var err error
		select {
		case <-ctx.Done():
			return nil
		case b := <-full:
			if b.err != nil {
				return fmt.Errorf("live: read events: %w", b.err)
			}
			l.apply(ctx, b.events)
			free <- b.events[:cap(b.events)]
		case w := <-l.walks:
			first := l.status.Taken == 0
			if err = l.replace(ctx, w); err == nil && first {
				frame.Reset(l.Frame)
				l.again = l.Now() // be there nothing to show, that is news too
				err = l.draw(d)
			}
			next.Reset(max(l.Interval, 10*w.took))
		case <-next.C:
			l.walk(ctx)
		case <-l.Redraw:
			l.again = l.Now()
			err = l.draw(d)
		case <-frame.C:
			err = l.draw(d)
		}
		if errors.Is(err, ErrDone) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// read starts the goroutine that waits for events. Batches come by full and must be given back by free.
func (l *loop) read(ctx context.Context) (full chan batch, free chan []sock.Event, stop func()) {
	full = make(chan batch)
	free = make(chan []sock.Event, batchCount)
	if l.Events == nil {
		return full, free, func() {}
	}
	for range batchCount {
		free <- make([]sock.Event, batchSize)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for {
			var b batch
			select {
			case <-ctx.Done():
				return
			case b.events = <-free:
			}
			n, err := l.Events.Next(b.events)
			if errors.Is(err, os.ErrClosed) {
				return
			}
			b.events, b.err = b.events[:n], err
			select {
			case <-ctx.Done():
				return
			case full <- b:
			}
			if err != nil {
				return
			}
		}
	}()
	return full, free, func() {
		// Close is what ends a Next that waits; its error could only repeat what Next said.
		_ = l.Events.Close()
		<-ended
	}
}

func (l *loop) apply(ctx context.Context, events []sock.Event) {
	for i := range events {
		e := &events[i]
		if e.Kind == sock.EventLost {
			l.status.Lost += e.Lost
			l.status.Resyncs++
			// What was lost may lie behind the walk under way: then walk once more.
			l.rewalk = l.walking
			l.walk(ctx)
			continue
		}
		l.status.Events++
		if l.Want.Protos.Has(e.Socket.Proto) {
			l.table.Apply(e)
		}
	}
}

// walk starts a snapshot unless one is under way.
func (l *loop) walk(ctx context.Context) {
	if l.walking {
		return
	}
	l.walking = true
	go func() {
		begin := l.Now()
		snap, err := l.Source.Snapshot(ctx, l.Want)
		l.walks <- walked{snap: snap, err: err, took: time.Duration(l.Now() - begin)}
	}()
}

func (l *loop) replace(ctx context.Context, w walked) error {
	l.walking = false
	l.status.Err = w.err
	if w.err != nil {
		if l.status.Taken == 0 {
			return w.err
		}
	} else {
		l.table.Replace(&w.snap)
		l.status.Taken = w.snap.Begin
	}
	if l.rewalk {
		l.rewalk = false
		l.walk(ctx)
	}
	return nil
}

func (l *loop) draw(d Drawer) error {
	if l.status.Taken == 0 {
		return nil
	}
	now := l.Now()
	// A tombstone is needed while a walk may still bring rows that are older than it.
	if !l.walking {
		l.table.Prune(now - sock.Stamp(l.Linger))
	}
	due := l.again != 0 && now >= l.again
	if !l.Always && !due && l.table.Version() == l.drawn {
		return nil
	}
	again, err := d.Draw(l.table, l.status, now)
	l.again, l.drawn = again, l.table.Version()
	return err
}
