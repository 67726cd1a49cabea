// SPDX-License-Identifier: GPL-2.0-or-later

package main

import (
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
	frameTime = time.Second / 30
)

// runWatch keeps the tables that o asks for true: on the screen, or as a frame every
// interval where there is no terminal or JSON is asked for.
func runWatch(ctx context.Context, o *options.Options, std streams) (err error) {
	src, err := openSource(o)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, src.Close()) }()

	c := live.Config{
		Source:   src,
		Want:     sock.Want{Protos: o.Protos(), Owners: o.Programs || o.JSON},
		Interval: o.Interval,
		Frame:    o.Interval,
		Always:   true,
		Linger:   linger,
		Now:      tracer.Now,
	}
	if src.tracer != nil {
		if c.Events, err = src.tracer.Stream(); err != nil {
			return err
		}
	}
	note := ""
	if src.why != nil {
		note = fmt.Sprintf("polling /proc each %v: %v", o.Interval, src.why)
	}
	if std.outTTY && !o.JSON && o.Count == 0 {
		c.Frame, c.Always = frameTime, false
		return screen.Run(ctx, screen.Config{
			Select: o.Shows, Extend: o.Extend > 0, Programs: o.Programs,
			Names: func(arrived func()) render.Names { return names(o, resolve.Config{Arrived: arrived}) }, Program: newPrograms().name,
			Source: src.name(), Note: note,
			In: std.in, Out: std.out, Env: std.env,
		}, c)
	}
	if note != "" {
		fmt.Fprintf(std.err, "netlive: %s\n", note)
	}
	layout := newTable(o, src.proc, names(o, resolve.Config{}), std, words{})
	d := &frames{o: o, source: src.name(), out: std.out, table: layout}
	if err := live.Run(ctx, c, d); err != nil {
		return err
	}
	return context.Cause(ctx)
}

// frames draws the whole table each time: as an object a line, or as netstat's tables under a status line.
type frames struct {
	o      *options.Options
	source string
	out    io.Writer
	table  *render.Table
	frame  view.Frame
	buf    []byte
	drawn  int
}

// Draw implements live.Drawer.
func (f *frames) Draw(t *table.Table, s live.Status, now sock.Stamp) (sock.Stamp, error) {
	view.Build(t, view.Query{Select: f.o.Shows, Height: math.MaxInt}, now, &f.frame)
	b := f.buf[:0]
	if f.o.JSON {
		b = render.AppendFrameBegin(b, time.Now(), f.source, s.Lost)
		for i := range f.frame.Rows {
			if i > 0 {
				b = append(b, ',')
			}
			b = render.AppendSocketJSON(b, &f.frame.Rows[i].Socket)
		}
		b = render.AppendFrameEnd(b)
	} else {
		b = fmt.Appendf(b, "%s  %s  lost %d\n", time.Now().Format(time.TimeOnly), f.source, s.Lost)
		b = appendTables(b, f.table, f.o, func(yield func(*sock.Socket) bool) {
			for i := range f.frame.Rows {
				if !yield(&f.frame.Rows[i].Socket) {
					return
				}
			}
		})
		b = append(b, '\n')
	}
	f.buf = b
	if _, err := f.out.Write(b); err != nil {
		return 0, err
	}
	if f.drawn++; f.drawn == f.o.Count {
		return 0, live.ErrDone
	}
	return 0, nil
}
