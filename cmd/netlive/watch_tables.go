// SPDX-License-Identifier: GPL-2.0-or-later

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync/atomic"
	"time"

	"netlive/internal/live"
	"netlive/internal/netns"
	"netlive/internal/options"
	"netlive/internal/render"
	"netlive/internal/rtnl"
	"netlive/internal/screen"
	"netlive/internal/tracer"
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

// watched is a kind of table that is kept true.
type watched[T any] struct {
	word string // for its rows in JSON
	// groups are the announcements of rtnetlink that mean a change; 0: nobody announces any, and each interval there is a look.
	groups rtnl.Groups
	// refresh says that there is more than what is announced.
	refresh bool
	look    func(ctx context.Context) (T, error)
	// open makes the table. With arrived the names of hosts come later than the rows, and are told by it.
	open func(arrived func()) liveTable[T]
}

// tablePage is a watched table of one network namespace. Its list, with what that remembers, is one for as long as netlive runs; the
// loop that keeps it true runs while somebody looks at it, and no two at a time.
type tablePage[T any] struct {
	watched[T]
	o     *options.Options
	std   streams
	space *netns.Space // whose table it is; nil is the namespace we are in
	note  string       // what a reader should know of it

	list    liveTable[T]
	arrived atomic.Pointer[func()]
}

// newTablePage makes the page of the namespace that o names. The error is that there is none such.
func newTablePage[T any](o *options.Options, std streams, w watched[T]) (*tablePage[T], error) {
	p := &tablePage[T]{watched: w, o: o, std: std}
	if o.NetNS == "all" {
		p.note = w.word + " of netlive's own network namespace alone"
		return p, nil
	}
	if o.NetNS == "" {
		return p, nil
	}
	space, err := netns.Find(o.NetNS)
	if err != nil {
		return nil, err
	}
	if own, err := tracer.NetNS(); err != nil || own != space.Inode() {
		p.space = &space
	}
	return p, nil
}

// in calls f in the page's namespace. Sockets that f makes are of it for good.
func (p *tablePage[T]) in(f func() error) error {
	if p.space == nil {
		return f()
	}
	return p.space.Do(f)
}

// open is the page's list, made the first time. From then on arrived is told of names that come late; nil, if that is so from the
// first, has the list wait for them.
func (p *tablePage[T]) open(arrived func()) liveTable[T] {
	if arrived != nil {
		p.arrived.Store(&arrived)
	}
	if p.list != nil {
		return p.list
	}
	if arrived == nil {
		p.list = p.watched.open(nil)
	} else {
		p.list = p.watched.open(func() { (*p.arrived.Load())() })
	}
	return p.list
}

// begin makes a loop that keeps the list true, which has to be run: RunLooks closes what it has subscribed to. source names
// where its looks come from, note is what a reader should know of it, if anything.
func (p *tablePage[T]) begin() (c live.Looks[T], source, note string) {
	c = live.Looks[T]{Refresh: p.refresh, Interval: p.o.Interval, Frame: frameTime, Settle: settle}
	c.Look = func(ctx context.Context) (t T, err error) {
		err = p.in(func() error {
			t, err = p.look(ctx)
			return err
		})
		return t, err
	}
	if p.groups == 0 {
		return c, "procfs", p.note
	}
	// The subscription comes before the first look, so that nothing falls between.
	var news *rtnl.Socket
	err := p.in(func() (err error) {
		news, err = subscribe(p.o, p.groups, p.std.newsBuffer)
		return err
	})
	if err == nil {
		c.News = news
		return c, "rtnetlink", p.note
	}
	note = fmt.Sprintf("polling /proc each %v: %v", p.o.Interval, err)
	if p.note != "" {
		note = p.note + "; " + note
	}
	return c, "procfs", note
}

// pageDrawer shows a page's list as of now: Draw of live.Board.
type pageDrawer func(l screen.List, source, note string, s live.Status, now time.Time) (again time.Time, err error)

// listPage is a page of whatever table.
type listPage interface {
	// show keeps the page's list true until ctx ends (then the error is nil) and has it drawn on the loop's goroutine: after the first look,
	// when something changed, and when redraw is sent to. arrived is called when names have come that its lines want.
	show(ctx context.Context, redraw <-chan struct{}, arrived func(), draw pageDrawer) error
}

func (p *tablePage[T]) show(ctx context.Context, redraw <-chan struct{}, arrived func(), draw pageDrawer) error {
	b := pageBoard[T]{liveTable: p.open(arrived), draw: draw}
	c, source, note := p.begin()
	b.source, b.note = source, note
	c.Redraw = redraw
	return live.RunLooks(ctx, c, &b)
}

// pageBoard has a page's list drawn.
type pageBoard[T any] struct {
	liveTable[T]
	draw         pageDrawer
	source, note string
}

// Draw implements live.Board.
func (b *pageBoard[T]) Draw(s live.Status, now time.Time) (again time.Time, err error) {
	return b.draw(b.liveTable, b.source, b.note, s, now)
}

// watchTables keeps the table of a page true where there is no screen: as a frame for each change and each interval.
func watchTables[T any](ctx context.Context, p *tablePage[T]) error {
	o, std := p.o, p.std
	c, source, note := p.begin()
	std.keep(0) // enter has been where it is to be
	if note != "" {
		fmt.Fprintf(std.err, "netlive: %s\n", note)
	}
	c.Always = true
	f := &tableFrames[T]{liveTable: p.open(nil), o: o, source: source, word: p.word, pump: pump{out: std.out}, err: std.err}
	if err := errors.Join(live.RunLooks(ctx, c, f), f.flush(ctx)); err != nil {
		return err
	}
	return context.Cause(ctx)
}

// optionsOf are o as a page of mode means them. One that is reached from another table has netstat's defaults: the options were meant for
// that.
func optionsOf(o *options.Options, mode options.Mode) *options.Options {
	c := *o
	if c.Mode == mode {
		return &c
	}
	c.Mode = mode
	c.All, c.FIB, c.Cache, c.Groups, c.Extend, c.NamedProtos, c.Filter = false, false, false, false, 0, 0, nil
	c.Families = nil
	for _, family := range []string{"inet", "inet6"} {
		if slices.Contains(o.Families, family) {
			c.Families = append(c.Families, family)
		}
	}
	return &c
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
