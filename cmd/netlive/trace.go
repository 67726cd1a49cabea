// SPDX-License-Identifier: GPL-2.0-or-later

package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"netlive/internal/filter"
	"netlive/internal/options"
	"netlive/internal/sock"
	"netlive/internal/summary"
	"netlive/internal/tracer"
)

// traceBatch is how many events are taken at once; their lines go out in one write.
const traceBatch = 4096

// traceDefault is what is told when nothing is named: the life of connections, and who waits for them.
var traceDefault = sock.Events(sock.EventListen, sock.EventOpen, sock.EventAccept, sock.EventFail, sock.EventClose)

// errFor ends a trace when the time of --for is over, errCount when it has told as many events as --count says.
var (
	errFor   = errors.New("the time is over")
	errCount = errors.New("that many were told")
)

// runTrace prints a line for each event of TCP until ctx ends.
func runTrace(ctx context.Context, o *options.Options, std streams) (err error) {
	places, err := newPlaces(o)
	if err != nil {
		return err
	}
	p, err := newEventPrinter(o, std, places)
	if err != nil {
		return err
	}
	c, err := newCommand(o, std)
	if err != nil {
		return err
	}
	if c == nil {
		var stop func()
		ctx, stop = whileRead(ctx, std.out)
		defer stop()
	}
	t, err := p.open(c != nil, places)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, t.Close()) }()
	if err := t.SeedOwners(ctx); err != nil {
		if ctx.Err() != nil {
			return context.Cause(ctx) // it was told to end
		}
		return err
	}
	s, err := t.Stream()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()

	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	// What has happened before the end is told.
	finish := func() { _ = s.Finish() }
	if c == nil {
		stop := context.AfterFunc(ctx, finish)
		defer stop()
		fmt.Fprintf(std.err, "netlive: tracing TCP by %s, ^C ends\n", t.Hook())
	}
	if o.For > 0 {
		timer := time.AfterFunc(o.For, func() { cancel(errFor) })
		defer timer.Stop()
	}
	if err := p.begin(t.Hook().String()); err != nil {
		return err
	}
	if c != nil {
		if err := c.start(ctx, finish, t.Alive); err != nil {
			return err
		}
	}
	std.keep(traceUses(o, c != nil)) // what the command may is not ours to take
	events := make([]sock.Event, traceBatch)
	for {
		n, err := s.Next(events)
		if err == nil {
			err = p.print(events[:n])
		}
		switch {
		case err == nil:
			continue
		case errors.Is(err, errCount) && c != nil:
			// The command goes on to its end.
		case errors.Is(err, os.ErrClosed), errors.Is(err, errCount):
		default:
			return err
		}
		return p.end(ctx, c)
	}
}

func kindNames(kinds sock.EventSet) string {
	var names []string
	for k := sock.EventNone + 1; k.String() != ""; k++ {
		if kinds.Has(k) {
			names = append(names, k.String())
		}
	}
	return strings.Join(names, ", ")
}

// eventPrinter prints the events that are asked for.
type eventPrinter struct {
	o       *options.Options
	usual   bool // nobody said which events
	std     streams
	out     *bufio.Writer
	form    eventForm
	rest    *filter.Filter // what the kernel has not decided
	values  filter.Values
	summary summary.Summary
	buf     []byte
	told    int  // events, those that say of losses not counted
	gap     bool // events were lost, and not yet is it said that they are complete again
}

func newEventPrinter(o *options.Options, std streams, places *places) (*eventPrinter, error) {
	usual := o.Events == 0
	if usual {
		o.Events = traceDefault
	}
	out := std.out
	if o.Command != nil {
		out = std.err // the command has the other for itself
	}
	form, err := newEventForm(o, std, places)
	if err != nil {
		return nil, options.Usage("netlive trace: %v", err)
	}
	return &eventPrinter{
		o: o, usual: usual, std: std, out: bufio.NewWriterSize(out, 64<<10), form: form,
		values: filter.Values{Names: places.filterNames()},
	}, nil
}

// open attaches what tells of the events. follow: of those of what we begin alone.
func (p *eventPrinter) open(follow bool, places *places) (*tracer.Tracer, error) {
	o := p.o
	kernel, rest := o.Filter.Kernel()
	t, err := openTracer(tracer.Options{
		TCP: o.Protos() & sock.ProtosTCP, Ring: o.Ring, Events: o.Events, Filter: &kernel, Follow: follow, Stack: o.Stack,
	}, places)
	if err != nil {
		return nil, fmt.Errorf("trace needs events, which only BPF gives: %w", err)
	}
	p.rest = rest
	if t.Hook() == tracer.HookClassic {
		p.rest = o.Filter // it knows too little to decide anything
	}
	switch lacks := t.Lacks(); {
	case lacks == 0:
	case o.Events&^lacks != 0:
		fmt.Fprintf(p.std.err, "netlive: not told: %s: %v\n", kindNames(lacks), t.Why())
		o.Events &^= lacks
	case p.usual: // the classic tracepoint knows states alone
		fmt.Fprintf(p.std.err, "netlive: this kernel tells of changes of state alone\n")
		o.Events = sock.Events(sock.EventState)
		if p.form, err = newEventForm(o, p.std, places); err != nil {
			return nil, errors.Join(err, t.Close())
		}
	default:
		return nil, errors.Join(fmt.Errorf("trace: %s: %w", kindNames(lacks), t.Why()), t.Close())
	}
	return t, nil
}

// begin prints what comes first.
func (p *eventPrinter) begin(hook string) error {
	p.buf = p.form.begin(p.buf[:0], hook)
	if _, err := p.out.Write(p.buf); err != nil {
		return err
	}
	return p.out.Flush()
}

// print writes the events that match and flushes, so that each batch is out before the next is awaited.
func (p *eventPrinter) print(events []sock.Event) error {
	gap := p.gap
	p.gap = false
	for i := range events {
		e := &events[i]
		switch {
		case e.Kind == sock.EventLost:
			p.gap = true
		case !p.matches(e):
			continue
		}
		if gap && !p.gap {
			gap = false
			if err := p.write(&sock.Event{Kind: sock.EventResync, Time: e.Time}); err != nil {
				return err
			}
		}
		if err := p.write(e); err != nil {
			return err
		}
		if e.Kind == sock.EventLost {
			continue
		}
		if p.told++; p.told == p.o.Count {
			return errors.Join(errCount, p.out.Flush())
		}
	}
	return p.out.Flush()
}

func (p *eventPrinter) matches(e *sock.Event) bool {
	if !p.o.Protos().Has(e.Socket.Proto) {
		return false
	}
	if p.rest.All() {
		return true
	}
	p.values.SetEvent(e)
	return p.rest.Match(&p.values)
}

func (p *eventPrinter) write(e *sock.Event) error {
	if p.o.Summary {
		p.summary.Add(e)
	}
	p.buf = p.form.append(p.buf[:0], e)
	_, err := p.out.Write(p.buf)
	return err
}

// end prints what comes last, and says how the trace ended.
func (p *eventPrinter) end(ctx context.Context, c *command) error {
	if p.o.Summary {
		if err := p.form.end(p, &p.summary); err != nil {
			return err
		}
	}
	if err := p.out.Flush(); err != nil {
		return err
	}
	if c != nil {
		return c.result()
	}
	cause := context.Cause(ctx)
	switch {
	case p.told > 0 && p.told == p.o.Count:
		return nil
	case errors.Is(cause, errFor) && p.told == 0 && !p.o.Filter.All():
		return errNothing
	case errors.Is(cause, errFor):
		return nil
	}
	return cause
}
