// SPDX-License-Identifier: GPL-2.0-or-later

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"netlive/internal/live"
	"netlive/internal/options"
	"netlive/internal/render"
	"netlive/internal/rtnl"
	"netlive/internal/screen"
	"netlive/internal/view"
)

// settle is how long after the last announcement there is one more look: rtnetlink may announce before the deed is done.
const settle = time.Second

// liveTable is a table that looks are taken into, and that is shown on a screen or printed as netlive without a verb prints it.
type liveTable[T any] interface {
	screen.List
	Replace(t T, now time.Time) live.Change
	// print makes the page of one frame: text, or with --json an array.
	print(p *page) error
}

// watched is a kind of table whose changes rtnetlink announces.
type watched[T any] struct {
	word   string // for its rows in JSON
	groups rtnl.Groups
	// refresh says that there is more than what is announced.
	refresh bool
	look    func(ctx context.Context) (T, error)
	// open makes the table. With arrived the names of hosts come later than the rows, and are told by it.
	open func(arrived func()) liveTable[T]
}

// watchTables keeps a table true: on the screen, or as a frame for each change and each interval where there is no terminal or JSON
// is asked for.
func watchTables[T any](ctx context.Context, o *options.Options, std streams, w watched[T]) error {
	c := live.Looks[T]{Look: w.look, Refresh: w.refresh, Interval: o.Interval, Frame: frameTime, Settle: settle}
	source, note := "rtnetlink", ""
	// The subscription comes before the first look, so that nothing falls between.
	news, err := subscribe(o, w.groups, std.newsBuffer)
	if err != nil {
		source, note = "procfs", fmt.Sprintf("polling /proc each %v: %v", o.Interval, err)
	} else {
		c.News = news // RunLooks closes it
	}
	if std.outTTY && !o.JSON && o.Count == 0 {
		return screen.RunList(ctx, screen.ListConfig{
			Source: source, Note: note, Terminal: screen.Terminal{In: std.in, Out: std.out, Env: std.screenEnv()},
		}, w.open, c)
	}
	if note != "" {
		fmt.Fprintf(std.err, "netlive: %s\n", note)
	}
	c.Always = true
	f := &tableFrames[T]{liveTable: w.open(nil), o: o, source: source, word: w.word, pump: pump{out: std.out}, err: std.err}
	if err := errors.Join(live.RunLooks(ctx, c, f), f.flush(ctx)); err != nil {
		return err
	}
	return context.Cause(ctx)
}

// subscribe has changes announced, unless o asks for polling. The error is why they are not.
func subscribe(o *options.Options, groups rtnl.Groups, buffer int) (*rtnl.Socket, error) {
	if o.Source == options.SourceProcfs {
		return nil, errors.New("--source procfs")
	}
	return rtnl.Subscribe(groups, buffer)
}

// tableFrames draws the whole table each time: as an object a line, or as netstat's table under a status line.
type tableFrames[T any] struct {
	liveTable[T]
	pump
	o            *options.Options
	source, word string
	err          io.Writer
	buf          []byte
	said         string // on err
	drawn        int
}

// Draw implements live.Board.
func (f *tableFrames[T]) Draw(s live.Status, now time.Time) (again time.Time, err error) {
	if free, err := f.free(); !free {
		return now.Add(frameTime), err
	}
	var p page
	if err := f.print(&p); err != nil {
		return again, err
	}
	// What is wrong is told once, not with each frame.
	said := string(p.notes) + string(p.errs)
	if s.Err != nil {
		said += fmt.Sprintf("netlive: %v\n", s.Err)
	}
	if said != f.said {
		f.said = said
		if _, err := io.WriteString(f.err, said); err != nil {
			return again, err
		}
	}
	if f.o.JSON {
		f.buf = render.AppendFrame(f.buf[:0], time.Now(), f.source, s.Lost, s.Resyncs, f.word, p.out)
	} else {
		f.buf = fmt.Appendf(f.buf[:0], "%s  %s  lost %d\n", time.Now().Format(time.TimeOnly), f.source, s.Lost)
		f.buf = append(append(f.buf, p.out...), '\n')
	}
	f.write(f.buf)
	if f.drawn++; f.drawn == f.o.Count {
		return again, live.ErrDone
	}
	return again, nil
}

// change is what a difference of rows means to the loop.
func change(d view.Difference) live.Change {
	switch d {
	case view.Counts:
		return live.Counted
	case view.Different:
		return live.Changed
	}
	return live.Unchanged
}
