// SPDX-License-Identifier: GPL-2.0-or-later

package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"time"

	"netlive/internal/live"
	"netlive/internal/options"
	"netlive/internal/render"
	"netlive/internal/resolve"
	"netlive/internal/screen"
	"netlive/internal/sock"
	"netlive/internal/table"
	"netlive/internal/tracer"
	"netlive/internal/view"
)

const (
	// linger is how long closed sockets stay on the screen.
	linger = 3 * time.Second
	// frameTime is the least time between two drawings of the screen.
	frameTime = time.Second / screen.FramesPerSecond
)

// runWatch keeps the tables that o asks for true: on the screen, or as a frame every
// interval where there is no terminal or JSON is asked for.
func runWatch(ctx context.Context, o *options.Options, std streams) (err error) {
	ctx, stop := whileRead(ctx, std.out)
	defer stop()
	if onScreen(o, std) {
		return watchScreen(ctx, o, std)
	}
	if option := screenOnly(o); option != "" {
		return options.Usage("netlive watch: %s is for the screen; there is none with --json and --count, or where the output is no terminal that can be drawn on", option)
	}
	if std.outTTY && !o.JSON && o.Count == 0 {
		fmt.Fprintln(std.err, "netlive: this terminal cannot be drawn on (TERM is "+cmp.Or(std.getenv("TERM"), "not set")+"): the table is printed each interval")
	}
	if err := enter(o, std, "netlive"); err != nil {
		return err
	}
	switch o.Mode {
	case options.ModeRoute:
		return watchRoutes(ctx, o, std)
	case options.ModeInterfaces:
		return watchInterfaces(ctx, o, std)
	case options.ModeStatistics:
		return watchStatistics(ctx, o, std)
	}
	if o.Groups {
		return watchGroups(ctx, o, std)
	}
	p, err := newPlaces(o)
	if err == nil {
		err = p.enterable()
	}
	if err != nil {
		return err
	}
	src, err := openSource(o, p, 0)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, src.Close()) }()

	c := live.Config{
		Source:   src,
		Want:     sock.Want{Protos: o.Protos(), Owners: o.Programs || o.JSON || needsOwners(o)},
		Interval: o.Interval,
		Frame:    o.Interval,
		Always:   true,
		Linger:   linger,
		Now:      tracer.Now,
	}
	if src.tracer != nil {
		c.Signals = src.tracer
		if c.Events, err = src.tracer.Stream(); err != nil {
			return err
		}
	}
	chosen := newChosen(o, src.places)
	note := ""
	if src.why != nil {
		note = fmt.Sprintf("polling /proc each %v: %v", o.Interval, src.why)
	}
	if note != "" {
		fmt.Fprintf(std.err, "netlive: %s\n", note)
	}
	w, err := newWords(std, false)
	if err != nil {
		return err
	}
	layout := newTable(o, src.proc, names(o, resolve.Config{Context: ctx}), std, w)
	layout.Escape = true // a name with a line feed would be a row of its own; netstat has no frames whose bytes these could be
	layout.Places = src.places.columns(o)
	d := &frames{o: o, errs: std.err, match: chosen.match(), source: src.name(), pump: pump{out: std.out}, table: layout, program: newPrograms().name}
	std.keep(watchUses(o, src, c.Want.Owners))
	if err := errors.Join(live.Run(ctx, c, d), d.flush(ctx)); err != nil {
		return err
	}
	if d.match != nil && o.Count > 0 && d.drawn == o.Count && !d.matched {
		return errNothing
	}
	return context.Cause(ctx)
}

// frames draws the whole table each time: as an object a line, or as netstat's tables under a status line.
type frames struct {
	pump
	o      *options.Options
	match  func(*sock.Socket) bool // the filter; nil is none
	source string
	table  *render.Table
	// program is what netstat calls an owner that the kernel told of by its comm.
	program func(*sock.Owner) string
	frame   view.Frame
	errs    io.Writer
	said    string // on errs
	buf     []byte
	drawn   int
	matched bool // something in one of them did
}

// rows calls do with each row, its owner named as netstat names it where that is shown.
func (f *frames) rows(t *table.Table, now sock.Stamp, do func(*view.Line)) {
	view.Each(t, view.Query{Select: f.o.Shows, Match: f.match, Height: math.MaxInt}, now, &f.frame, func(row *view.Line) {
		if o := &row.Owner; f.o.Programs && o.Known() && o.Program == "" {
			o.Program = f.program(o)
		}
		do(row)
	})
}

// Draw implements live.Drawer.
func (f *frames) Draw(t *table.Table, s live.Status, now sock.Stamp) (sock.Stamp, error) {
	if free, err := f.free(); !free {
		return 0, err // what it would show, the next one will
	}
	said := ""
	if s.Err != nil {
		said = fmt.Sprintf("netlive: the table is not read again: %v\n", s.Err)
	}
	if said != f.said {
		f.said = said
		_, _ = io.WriteString(f.errs, said) // frames go on, be there a stderr or not
	}
	b := f.buf[:0]
	if f.o.JSON {
		b = render.AppendFrameBegin(b, time.Now(), f.source, s.Lost, s.Resyncs)
		first := true
		f.rows(t, now, func(row *view.Line) {
			if !first {
				b = append(b, ',')
			}
			first = false
			if b = f.table.SocketJSON(b, &row.Socket); row.Resynced {
				b = render.AppendResynced(b)
			}
		})
		b = render.AppendFrameEnd(b)
	} else {
		b = fmt.Appendf(b, "%s  %s  lost %d  resynced %d\n", time.Now().Format(time.TimeOnly), f.source, s.Lost, s.Resyncs)
		b = appendTables(b, f.table, f.o, func(yield func(*sock.Socket)) {
			f.rows(t, now, func(row *view.Line) { yield(&row.Socket) })
		})
		b = append(b, '\n')
	}
	f.buf = b
	f.write(b)
	f.matched = f.matched || f.frame.Matched > 0
	if f.drawn++; f.drawn == f.o.Count {
		return 0, live.ErrDone
	}
	return 0, nil
}
