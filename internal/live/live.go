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

	"golang.org/x/sys/unix"

	"netlive/internal/crash"
	"netlive/internal/sock"
	"netlive/internal/table"
)

// Source gives snapshots. Only one runs at a time.
type Source interface {
	Snapshot(ctx context.Context, want sock.Want) (sock.Snapshot, error)
}

// Events gives news, in batches; Close makes Next return os.ErrClosed. Details of events need hold no longer than until the next Next.
type Events interface {
	Next([]sock.Event) (int, error)
	Close() error
}

// Signals tells what events do not tell: that there is something to walk for. With it nothing is walked for nothing.
type Signals interface {
	// Announced are the protocols whose sockets do not come, go or change without an event, Stale or Active saying so, and whether owners do
	// not come and go without an event or Stale.
	Announced() sock.News
	// Stale is what has changed since the last call; an EventStale says when to ask.
	Stale() sock.News
	// Active are the protocols of which data has moved since the last call.
	Active() sock.ProtoSet
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
	// Lost counts the events that were lost, Resyncs the walks that were made because of it, and Walks all.
	Lost, Resyncs, Walks uint64
	// Events counts the events taken in, of all kinds but EventLost and EventStale, those that Told alone has a use for too.
	Events uint64
	// Busy is the CPU time that it took to take them in, without reading them.
	Busy time.Duration
	// Err is why the last snapshot failed, if it did; the table is then as old as Taken.
	Err   error
	Taken sock.Stamp
}

// Config is what Run needs.
type Config struct {
	Source Source
	Events Events // nil: there are none, the table is made of snapshots alone
	// Signals says when and what to walk; nil: everything is walked at each Interval.
	Signals Signals
	Want    sock.Want
	// Interval is the time between snapshots. They refresh what no event announces: queues, the ends of minisockets and
	// half-open connections, the protocols that have no signals. A walk that takes long makes the next one later, so
	// that walking takes a tenth of the time at most.
	Interval time.Duration
	// Frame is the least time between two draws; one that takes long makes the next one later, so that drawing takes a tenth of the time at most, but with
	// Always. With Always each Frame is drawn, changed or not.
	Frame  time.Duration
	Always bool
	// Linger is how long closed sockets stay in the table.
	Linger time.Duration
	// Told is called on the loop's goroutine with each event of any kind before the table has it; nil is nobody. The event is its until it
	// returns. What it is told counts as news: there is a draw at the next frame, be the table the same, but for EventOwner and EventStale.
	Told func(*sock.Event)
	// Redraw, when it is sent to, draws without waiting for news: somebody pressed a key.
	Redraw <-chan struct{}
	Now    func() sock.Stamp // the clock of the stamps
}

const (
	// settle is how soon after a signal a walk begins: a socket is mostly bound just after it was made.
	settle = 10 * time.Millisecond
	// portless is for how long the port that a connection was given while it is in SYN_SENT may be unknown.
	portless = 200 * time.Millisecond
	// calmMax: sockets that several processes hold have their owners walked at every second interval, then at every fourth,
	// and so on up to every sixteenth, as long as nothing is heard of those processes.
	calmMax   = 4
	batchSize = 4096
	// batchCount is how many batches there are: one is applied while the other fills.
	batchCount = 2
)

// batch is what one Next brought.
type batch struct {
	events []sock.Event
	// details are copies of those of the events, which the source uses again for the batch that fills meanwhile.
	details []sock.Detail
	err     error
}

// keep makes the events' details the batch's own.
func (b *batch) keep() {
	b.details = b.details[:0]
	for i := range b.events {
		if d := b.events[i].Detail; d != nil {
			b.details = append(b.details, *d)
		}
	}
	n := 0
	for i := range b.events {
		if b.events[i].Detail != nil {
			b.events[i].Detail = &b.details[n]
			n++
		}
	}
}

// walked is what one Snapshot brought.
type walked struct {
	snap sock.Snapshot
	want sock.Want
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
	// due is what the next walk has to find, be its signal forgotten.
	due sock.News
	// hurry fires when a walk is to begin before the next interval: at hurried, if that is not 0. late says that one was under way then.
	hurry   *time.Timer
	hurried sock.Stamp
	late    bool
	rested  sock.Stamp    // no walk in a hurry before this
	queued  sock.ProtoSet // to be walked at the next interval: queues were not empty at the last walk, or it left an owner to be looked for
	present sock.ProtoSet // that had sockets at the last walk
	// Owners are walked at the interval after ownersIn more; below 0 not at all. calm is how often the last walks of
	// them in a row were for sockets that are shared, which makes the next one later.
	ownersIn, calm int

	drawn   uint64 // version of the table at the last draw
	told    bool   // Told has heard something since
	drawnAt sock.Stamp
	rest    time.Duration // from there to the next draw at least: drawing takes a tenth of the time at most
	again   sock.Stamp
	frame   *time.Timer // fires at framed, if that is not 0
	framed  sock.Stamp
}

// Run keeps the table until ctx ends (and then returns nil), the drawer is done, or a
// source fails for good. The first draw comes with the first snapshot.
func Run(ctx context.Context, c Config, d Drawer) error {
	ctx, cancel := context.WithCancel(ctx)
	l := &loop{Config: c, table: table.New(), walks: make(chan walked, 1), hurry: time.NewTimer(0), hurried: 1, ownersIn: -1}
	defer l.hurry.Stop()
	l.due = l.everything()
	full, free, stop := l.read(ctx)
	defer func() {
		cancel()
		stop()
		if l.walking {
			<-l.walks // the source is the caller's again
		}
	}()

	l.frame = time.NewTimer(l.Frame)
	defer l.frame.Stop()
	next := time.NewTimer(l.Interval)
	defer next.Stop()
	for {
		var err error
		select {
		case <-ctx.Done():
			return nil
		case b := <-full:
			if b.err != nil {
				return fmt.Errorf("live: read events: %w", b.err)
			}
			began, used := time.Now(), threadTime()
			l.apply(ctx, b.events)
			l.status.Busy += min(max(threadTime()-used, 0), time.Since(began))
			b.events = b.events[:cap(b.events)]
			free <- b
		case w := <-l.walks:
			first := l.status.Taken == 0
			if err = l.replace(ctx, w); err == nil && first {
				l.again = l.Now() // be there nothing to show, that is news too
				err = l.draw(d)
			}
			next.Reset(max(l.Interval, 10*w.took))
		case <-l.hurry.C:
			l.hurried = 0
			l.late = l.walking
			l.walk(ctx)
		case <-next.C:
			l.refresh()
			if l.walk(ctx); !l.walking {
				next.Reset(l.Interval) // there was nothing to walk for
			}
		case <-l.Redraw:
			l.again = l.Now()
			err = l.draw(d)
		case <-l.frame.C:
			l.framed = 0
			err = l.draw(d)
		}
		if errors.Is(err, ErrDone) {
			return nil
		}
		if err != nil {
			return err
		}
		l.schedule()
	}
}

// schedule sets the timer for the next draw: the next frame when there is something new, or when something that is shown has to change
// by itself. Else there is none, and the loop sleeps until it is told something.
func (l *loop) schedule() {
	if l.status.Taken == 0 {
		return
	}
	at := sock.Stamp(0)
	if l.Always || l.news() {
		at = l.drawnAt + sock.Stamp(max(l.Frame, l.rest))
	} else {
		at = l.again
		for ghost := range l.table.Ghosts() {
			if gone := ghost.Closed + sock.Stamp(l.Linger) + 1; at == 0 || gone < at {
				at = gone
			}
			break // the oldest is the first
		}
		if at != 0 {
			at = max(at, l.drawnAt+sock.Stamp(max(l.Frame, l.rest)))
		}
	}
	if at == l.framed {
		return
	}
	if l.framed = at; at == 0 {
		l.frame.Stop()
		return
	}
	l.frame.Reset(max(time.Duration(at-l.Now()), 0))
}

// news reports whether there is something that the last draw did not show.
func (l *loop) news() bool { return l.told || l.table.Version() != l.drawn }

// read starts the goroutine that waits for events. Batches come by full and must be given back by free.
func (l *loop) read(ctx context.Context) (full, free chan batch, stop func()) {
	full = make(chan batch)
	free = make(chan batch, batchCount)
	if l.Events == nil {
		return full, free, func() {}
	}
	for range batchCount {
		free <- batch{events: make([]sock.Event, batchSize)}
	}
	ended := make(chan struct{})
	go func() {
		defer crash.Guard()
		defer close(ended)
		for {
			var b batch
			select {
			case <-ctx.Done():
				return
			case b = <-free:
			}
			n, err := l.Events.Next(b.events)
			if errors.Is(err, os.ErrClosed) {
				return
			}
			b.events, b.err = b.events[:n], err
			b.keep()
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

// threadTime is the CPU time of the thread so far. A goroutine that is moved to another one meanwhile, which takes a batch of ten milliseconds, is
// measured wrongly, but never by more than the time that passed.
func threadTime() time.Duration {
	var ts unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_THREAD_CPUTIME_ID, &ts); err != nil {
		return 0
	}
	return time.Duration(ts.Nano())
}

func (l *loop) apply(ctx context.Context, events []sock.Event) {
	for i := range events {
		e := &events[i]
		if l.Told != nil {
			l.Told(e)
			l.told = l.told || e.Kind != sock.EventOwner && e.Kind != sock.EventStale
		}
		switch e.Kind {
		case sock.EventLost:
			l.status.Lost += e.Lost
			l.status.Resyncs++
			// What was lost may lie behind the walk under way: then walk once more.
			l.due = l.everything()
			l.rewalk = l.walking
			l.walk(ctx)
			continue
		case sock.EventStale:
			l.hasten(settle)
			continue
		}
		if e.Kind == sock.EventOwner {
			l.lookAtOwners(0)
		}
		l.status.Events++
		if l.Want.Protos.Has(e.Socket.Proto) {
			l.table.Apply(e)
		}
		if l.Signals != nil && e.Kind == sock.EventState && e.Socket.State == sock.SynSent && e.Socket.Local.Port() == 0 {
			l.hasten(portless)
		}
	}
}

// everything is what a walk finds that leaves nothing out.
func (l *loop) everything() sock.News { return sock.News{Protos: l.Want.Protos, Owners: true} }

// hasten has a walk begin some time from now, or as soon as walking may take no more than a tenth of the time.
func (l *loop) hasten(in time.Duration) {
	now := l.Now()
	at := max(now+sock.Stamp(in), l.rested)
	if l.hurried != 0 && l.hurried <= at {
		return
	}
	l.hurried = at
	l.hurry.Reset(time.Duration(at - now))
}

// lookAtOwners has owners walked at one of the next intervals, the one after so many.
func (l *loop) lookAtOwners(after int) {
	if l.ownersIn < 0 || l.ownersIn > after {
		l.ownersIn = after
	}
	if after == 0 {
		l.calm = 0
	}
}

// refresh adds to what is due what no signal tells of.
func (l *loop) refresh() {
	if l.Signals == nil {
		l.due = l.everything()
		return
	}
	if l.ownersIn >= 0 {
		if l.ownersIn--; l.ownersIn < 0 {
			l.due.Owners = true
		}
	}
	announced := l.Signals.Announced()
	l.due.Protos |= l.queued | l.Signals.Active() | l.Want.Protos&^announced.Protos
	l.due.Owners = l.due.Owners || !announced.Owners
	n := l.table.Counts()
	if n[sock.TimeWait]+n[sock.FinWait2]+n[sock.SynRecv] > 0 {
		l.due.Protos |= sock.ProtosTCP
	}
}

// walk starts a snapshot of what is due, if something is, unless one is under way.
func (l *loop) walk(ctx context.Context) {
	if l.walking {
		return
	}
	if l.Signals != nil {
		stale := l.Signals.Stale()
		if stale.Owners {
			l.calm = 0
		}
		l.due.Protos |= stale.Protos
		l.due.Owners = l.due.Owners || stale.Owners
	}
	if n := l.table.Counts(); n[sock.SynSent] > 0 {
		l.due.Protos |= sock.ProtosTCP // for their ports
	}
	want := sock.Want{Protos: l.due.Protos & l.Want.Protos, Owners: l.due.Owners && l.Want.Owners}
	if want.Owners && l.Signals != nil && l.status.Taken != 0 {
		want.Protos |= l.Want.Protos & (l.present | sock.ProtosTCP) // any of them may have another owner
	}
	l.due = sock.News{}
	if want.Protos == 0 && l.Signals != nil {
		return
	}
	l.walking = true
	l.status.Walks++
	go func() {
		defer crash.Guard()
		begin := l.Now()
		snap, err := l.Source.Snapshot(ctx, want)
		l.walks <- walked{snap: snap, want: want, err: err, took: time.Duration(l.Now() - begin)}
	}()
}

func (l *loop) replace(ctx context.Context, w walked) error {
	l.walking = false
	l.rested = l.Now() + sock.Stamp(10*w.took)
	l.status.Err = w.err
	if w.err != nil {
		if l.status.Taken == 0 {
			return w.err
		}
		l.due = l.everything()
	} else {
		d := l.table.Replace(&w.snap)
		l.status.Taken = w.snap.Begin
		l.queued = l.queued&^w.want.Protos | d.Queued
		l.present = l.present&^w.want.Protos | d.Present
		if w.want.Owners && d.Shared > 0 {
			l.calm = min(l.calm+1, calmMax)
			l.lookAtOwners(1<<l.calm - 1)
		}
		switch {
		case d.Unowned == 0 || !l.Want.Owners:
		case w.want.Owners: // they came during the walk, and mostly an event says whose they are
			l.queued |= d.Unowned
		default:
			l.due.Owners = true
			l.hasten(0)
		}
	}
	if l.late {
		l.late = false
		l.hasten(0)
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
	l.drawnAt = now
	// A tombstone is needed while a walk may still bring rows that are older than it.
	if !l.walking {
		l.table.Prune(now - sock.Stamp(l.Linger))
	}
	due := l.again != 0 && now >= l.again
	if !l.Always && !due && !l.news() {
		return nil
	}
	again, err := d.Draw(l.table, l.status, now)
	if !l.Always { // who is to have a frame each interval shall have it
		l.rest = 10 * time.Duration(l.Now()-now)
	}
	l.again, l.drawn, l.told = again, l.table.Version(), false
	return err
}
