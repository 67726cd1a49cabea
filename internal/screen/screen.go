// SPDX-License-Identifier: GPL-2.0-or-later

// Package screen is the terminal face of netlive watch: the live table, drawn
// in place. It holds no sockets; it asks the loop for the window that fits and shows
// the frame it is given.
package screen

import (
	"context"

	tea "charm.land/bubbletea/v2"

	"netlive/internal/live"
	"netlive/internal/render"
	"netlive/internal/sock"
	"netlive/internal/table"
	"netlive/internal/view"
)

// Config says what to show and where.
type Config struct {
	// Select chooses the rows; nil shows all.
	Select func(*sock.Socket) bool
	// Match chooses among those by Filter, which the first line tells with how many it matches; nil is no filter.
	Match  func(*sock.Socket) bool
	Filter string
	// Extend adds user and inode, Programs the process.
	Extend, Programs bool
	// Names gives what turns numbers into names. A name that comes later than the row is drawn with calls arrived.
	Names func(arrived func()) render.Names
	// Program gives the name netstat has for a process that the kernel calls comm; nil shows comm.
	Program func(o *sock.Owner) string
	// Places are columns that say where a socket belongs; nil is none.
	Places *render.Places
	// Source names where the sockets come from ("ebpf"), Note says what a reader should know of it, if anything.
	Source, Note string

	Terminal
}

// Run shows the table that the loop keeps until the user quits (nil) or interrupts, ctx ends or the loop
// fails. The terminal is as it was before when Run returns.
func Run(ctx context.Context, c Config, loop live.Config) error {
	w := &window{config: &c, place: newPlace()}
	names := c.Names(w.wake)
	loop.Redraw = w.redraw
	return run(ctx, c.Terminal, newModel(&c, w, names), func(ctx context.Context, send func(tea.Msg)) error {
		w.send = func(f *frame) { send(f) }
		return live.Run(ctx, loop, w)
	})
}

// frame is what the loop hands to the terminal's goroutine: copies, nothing shared.
type frame struct {
	view.Frame
	status live.Status
	now    sock.Stamp
}

// window is what the terminal asks for, and the loop's Drawer.
type window struct {
	*place
	config *Config
	send   func(*frame)
}

// Draw implements live.Drawer.
func (w *window) Draw(t *table.Table, s live.Status, now sock.Stamp) (again sock.Stamp, err error) {
	offset, height := w.asked()
	q := view.Query{Select: w.config.Select, Match: w.config.Match, Offset: offset, Height: height, Ghosts: true}
	f := &frame{status: s, now: now}
	view.Build(t, q, now, &f.Frame)
	w.send(f)
	return f.Again, nil
}
