// SPDX-License-Identifier: GPL-2.0-or-later

package live

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"netlive/internal/crash"
)

// Looks keeps tables true that are small enough to be read whole and whose changes are announced without being described:
//
//	news ---> Next ---\
//	interval ---------> Look ---> Replace ---> Draw
//
// It is the rule of Run without events: a look is the truth, and news say that it is time for one. While there are none nothing
// is read, nothing is drawn, and no timer runs.
type Looks[T any] struct {
	// Look reads the tables. Only one runs at a time, on a goroutine of its own.
	Look func(ctx context.Context) (T, error)
	// News says when to look. Nil: nobody does, and each Interval there is a look.
	News News
	// Refresh looks each Interval in spite of News: there is something that none are told of.
	Refresh  bool
	Interval time.Duration
	// Frame is the least time between two looks that News ask for, and from the first news to the look: what comes meanwhile is seen
	// by the same one. A look that takes long makes the next one later, so that looking takes a tenth of the time at most.
	Frame time.Duration
	// Settle is how long after the last news there is one more look: news may come before their deed.
	Settle time.Duration
	// Always draws each Interval, changed or not.
	Always bool
	// Redraw, when it is sent to, draws without waiting for news: somebody pressed a key.
	Redraw <-chan struct{}
}

// News tells that something changed. Close makes Next return os.ErrClosed.
type News interface {
	Next() error
	// Lost counts the news that were lost. It is asked while Next waits.
	Lost() uint64
	Close() error
}

// Change says what is new in a table.
type Change uint8

const (
	Unchanged Change = iota
	// Counted: nothing but counters, which always move and are no reason to draw out of turn.
	Counted
	// Changed: rows came, changed or went.
	Changed
)

// Board is the table and who draws it. It runs on the loop's goroutine.
type Board[T any] interface {
	// Replace takes in what a look at the instant now found.
	Replace(t T, now time.Time) Change
	// Draw shows the table as of now. again is as in Drawer; zero is never.
	Draw(s Status, now time.Time) (again time.Time, err error)
}

// look is what one Look brought.
type look[T any] struct {
	table T
	err   error
	begin time.Time
}

type looker[T any] struct {
	*Looks[T]
	board  Board[T]
	status Status

	looks   chan look[T]
	looking bool
	taken   bool // one succeeded

	// When to do what; zero is never.
	lookAt   time.Time
	settleAt time.Time // one more look
	frameAt  time.Time // the end of the interval
	againAt  time.Time // a mark ends

	notBefore time.Time // of lookAt
	frameDue  bool      // the look under way is that of the interval
}

// RunLooks keeps the board's table until ctx ends (and then returns nil), the board is done, or the news fail for good. The first
// draw comes with the first look; if that fails, so does RunLooks. News are closed in the end.
func RunLooks[T any](ctx context.Context, c Looks[T], b Board[T]) error {
	ctx, cancel := context.WithCancel(ctx)
	l := &looker[T]{Looks: &c, board: b, looks: make(chan look[T], 1)}
	news, failed, stop := l.listen()
	defer func() {
		cancel()
		stop()
		if l.looking {
			<-l.looks // what Look reads is the caller's again
		}
	}()

	timer := time.NewTimer(0)
	defer timer.Stop()
	l.lookAt = time.Now()
	for {
		var err error
		l.set(timer)
		select {
		case <-ctx.Done():
			return nil
		case err := <-failed:
			return fmt.Errorf("live: %w", err)
		case <-news:
			l.hear(time.Now())
		case r := <-l.looks:
			err = l.take(r, time.Now())
		case <-l.Redraw:
			if l.taken {
				err = l.draw(time.Now())
			}
		case <-timer.C:
			err = l.tick(ctx, time.Now())
		}
		if errors.Is(err, ErrDone) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// listen starts the goroutine that waits for news. However many there are, one waits to be heard.
func (l *looker[T]) listen() (news chan struct{}, failed chan error, stop func()) {
	news, failed = make(chan struct{}, 1), make(chan error, 1)
	if l.News == nil {
		return news, failed, func() {}
	}
	ended := make(chan struct{})
	go func() {
		defer crash.Guard()
		defer close(ended)
		for {
			err := l.News.Next()
			if errors.Is(err, os.ErrClosed) {
				return
			}
			if err != nil {
				failed <- err
				return
			}
			select {
			case news <- struct{}{}:
			default:
			}
		}
	}()
	return news, failed, func() {
		// Close is what ends a Next that waits; its error could only repeat what Next said.
		_ = l.News.Close()
		<-ended
	}
}

// set sets the timer to what is due first. A look has to wait for the one under way, whose end is heard of.
func (l *looker[T]) set(timer *time.Timer) {
	var first time.Time
	if !l.looking {
		first = l.lookAt
	}
	for _, at := range [...]time.Time{l.settleAt, l.frameAt, l.againAt} {
		if !at.IsZero() && (first.IsZero() || at.Before(first)) {
			first = at
		}
	}
	if first.IsZero() {
		timer.Stop()
	} else {
		timer.Reset(time.Until(first))
	}
}

// hear takes in that something changed.
func (l *looker[T]) hear(now time.Time) {
	if l.lookAt.IsZero() {
		l.lookNot(now.Add(l.Frame))
	}
	l.settleAt = now.Add(l.Settle)
}

// lookNot has a look made, not before at.
func (l *looker[T]) lookNot(at time.Time) {
	if at.Before(l.notBefore) {
		at = l.notBefore
	}
	if l.lookAt.IsZero() || at.Before(l.lookAt) {
		l.lookAt = at
	}
}

// tick does what is due.
func (l *looker[T]) tick(ctx context.Context, now time.Time) error {
	due := func(at *time.Time) bool {
		if at.IsZero() || now.Before(*at) {
			return false
		}
		*at = time.Time{}
		return true
	}
	draw := due(&l.againAt)
	if due(&l.frameAt) {
		if l.News == nil || l.Refresh {
			l.frameDue = true
			l.lookNot(now)
		} else {
			draw = true
		}
	}
	if due(&l.settleAt) {
		l.lookNot(now)
	}
	if !l.looking && due(&l.lookAt) {
		l.look(ctx, now)
	}
	if draw {
		return l.draw(now)
	}
	return nil
}

func (l *looker[T]) look(ctx context.Context, now time.Time) {
	l.looking = true
	go func() {
		defer crash.Guard()
		t, err := l.Look(ctx)
		l.looks <- look[T]{t, err, now}
	}()
}

// take takes in a look, and draws if there is something to show.
func (l *looker[T]) take(r look[T], now time.Time) error {
	l.looking = false
	l.notBefore = now.Add(max(l.Frame, 9*now.Sub(r.begin)))
	if !l.lookAt.IsZero() && l.lookAt.Before(l.notBefore) {
		l.lookAt = l.notBefore
	}
	draw := !l.taken
	if r.err != nil {
		if !l.taken {
			return r.err
		}
		draw = l.status.Err == nil || l.status.Err.Error() != r.err.Error()
	} else {
		l.taken = true
		change := l.board.Replace(r.table, now)
		draw = draw || l.status.Err != nil || change == Changed || change == Counted && l.frameDue
	}
	draw = draw || l.frameDue && l.Always
	l.status.Err = r.err
	if l.News != nil {
		if lost := l.News.Lost(); lost > l.status.Lost {
			// What was lost before this look began is made good by it. What was lost since has, in the queue that it found no room
			// in, news that call for the next.
			l.status.Lost = lost
			l.status.Resyncs++
			draw = true
		}
	}
	if draw || l.frameDue {
		l.frameDue = false
		l.frame(now)
	}
	if !draw {
		return nil
	}
	return l.draw(now)
}

// frame begins an interval, if there is something to be done at its end.
func (l *looker[T]) frame(now time.Time) {
	if l.Always || l.Refresh || l.News == nil {
		l.frameAt = now.Add(l.Interval)
	}
}

func (l *looker[T]) draw(now time.Time) error {
	if l.Always && l.frameAt.IsZero() && !l.frameDue {
		l.frame(now)
	}
	again, err := l.board.Draw(l.status, now)
	l.againAt = again
	return err
}
