// SPDX-License-Identifier: GPL-2.0-or-later

package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"netlive/internal/options"
	"netlive/internal/render"
	"netlive/internal/sock"
	"netlive/internal/tracer"
)

// traceBatch is how many events are taken at once; their lines go out in one write.
const traceBatch = 4096

// runTrace prints a line for each change of state of a TCP socket until ctx ends.
func runTrace(ctx context.Context, o *options.Options, std streams) (err error) {
	places, err := newPlaces(o)
	if err != nil {
		return err
	}
	t, err := openTracer(tracer.Options{TCP: o.Protos() & sock.ProtosTCP, Ring: o.Ring}, places)
	if err != nil {
		return fmt.Errorf("trace needs events, which only BPF gives: %w", err)
	}
	defer func() { err = errors.Join(err, t.Close()) }()
	if err := t.SeedOwners(ctx); err != nil {
		return err
	}
	s, err := t.Stream()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	// What has happened before the end is told.
	stop := context.AfterFunc(ctx, func() { _ = s.Finish() })
	defer stop()
	fmt.Fprintf(std.err, "netlive: tracing TCP by %s, ^C ends\n", t.Hook())

	out := bufio.NewWriterSize(std.out, 64<<10)
	p := eventPrinter{json: o.JSON, lines: render.EventLines{Color: std.color(), Location: time.Local, Places: places.columns(o)}}
	if !p.json {
		if _, err := out.Write(p.lines.Header(nil)); err != nil {
			return err
		}
		if err := out.Flush(); err != nil {
			return err
		}
	}
	events := make([]sock.Event, traceBatch)
	for {
		n, err := s.Next(events)
		if errors.Is(err, os.ErrClosed) && ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if err != nil {
			return err
		}
		if err := p.print(out, events[:n], o); err != nil {
			return err
		}
	}
}

type eventPrinter struct {
	json    bool
	objects render.EventJSON
	lines   render.EventLines
	buf     []byte
}

// print writes the events that o selects and flushes, so that each batch is out before the next is awaited.
func (p *eventPrinter) print(out *bufio.Writer, events []sock.Event, o *options.Options) error {
	for i := range events {
		e := &events[i]
		switch {
		case e.Kind == sock.EventLost:
		case e.Kind != sock.EventState || !o.Protos().Has(e.Socket.Proto):
			continue
		}
		p.buf = p.buf[:0]
		if p.json {
			p.buf = p.objects.Append(p.buf, e)
			if e.Kind == sock.EventState {
				p.buf = p.lines.Places.AppendJSON(p.buf, &e.Socket)
			}
			p.buf = append(p.buf, '\n')
		} else {
			p.buf = p.lines.Append(p.buf, e)
		}
		if _, err := out.Write(p.buf); err != nil {
			return err
		}
	}
	return out.Flush()
}
