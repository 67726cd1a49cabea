// SPDX-License-Identifier: GPL-2.0-or-later

// Package screen is the terminal face of netlive watch: the live table, drawn
// in place. It holds no sockets; it asks the loop for the window that fits and shows
// the frame it is given.
package screen

import (
	"context"
	"errors"
	"io"
	"sync"

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
	// Extend adds user and inode, Programs the process.
	Extend, Programs bool
	// Names gives what turns numbers into names. A name that comes later than the row is drawn with calls arrived.
	Names func(arrived func()) render.Names
	// Program gives the name netstat has for a process that the kernel calls comm; nil shows comm.
	Program func(o *sock.Owner) string
	// Source names where the sockets come from ("ebpf"), Note says what a reader should know of it, if anything.
	Source, Note string

	In  io.Reader
	Out io.Writer
	// Env is the environment that says what the terminal can do (TERM, NO_COLOR).
	Env []string
}

// ErrInterrupted is returned by Run when the user interrupted it.
var ErrInterrupted = errors.New("interrupted")

// Run shows the table that the loop keeps until the user quits (nil) or interrupts, ctx ends or the loop
// fails. The terminal is as it was before when Run returns.
func Run(ctx context.Context, c Config, loop live.Config) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	w := &window{config: &c, redraw: make(chan struct{}, 1)}
	names := c.Names(w.wake)
	loop.Redraw = w.redraw
	program := tea.NewProgram(newModel(&c, w, names),
		tea.WithContext(ctx), tea.WithInput(c.In), tea.WithOutput(c.Out), tea.WithEnvironment(c.Env), tea.WithFPS(framesPerSecond))
	w.send = func(f *frame) { program.Send(f) }

	ended := make(chan error, 1)
	go func() {
		err := live.Run(ctx, loop, w)
		if err != nil || ctx.Err() == nil {
			program.Quit()
		}
		ended <- err
	}()
	_, err := program.Run()
	cancel()
	if loopErr := <-ended; loopErr != nil {
		return loopErr
	}
	switch {
	case errors.Is(err, tea.ErrInterrupted):
		return ErrInterrupted
	case errors.Is(err, tea.ErrProgramKilled) && ctx.Err() != nil && !errors.Is(err, tea.ErrProgramPanic):
		return nil // ctx ended it, which is a way to stop
	}
	return err
}

// framesPerSecond bounds how often the terminal is written to: no eye follows more.
const framesPerSecond = 30

// frame is what the loop hands to the terminal's goroutine: copies, nothing shared.
type frame struct {
	view.Frame
	status live.Status
	now    sock.Stamp
}

// window is what the terminal asks for, and the loop's Drawer. Its fields are set by the
// terminal's goroutine and read by the loop's.
type window struct {
	config *Config
	redraw chan struct{}
	send   func(*frame)

	mu             sync.Mutex
	offset, height int
}

// ask sets the rows that are wanted and has them drawn.
func (w *window) ask(offset, height int) {
	w.mu.Lock()
	changed := w.offset != offset || w.height != height
	w.offset, w.height = offset, height
	w.mu.Unlock()
	if changed {
		w.wake()
	}
}

// wake has the window drawn soon.
func (w *window) wake() {
	select {
	case w.redraw <- struct{}{}:
	default: // one is asked for already
	}
}

// Draw implements live.Drawer.
func (w *window) Draw(t *table.Table, s live.Status, now sock.Stamp) (again sock.Stamp, err error) {
	w.mu.Lock()
	q := view.Query{Select: w.config.Select, Offset: w.offset, Height: w.height, Ghosts: true}
	w.mu.Unlock()
	f := &frame{status: s, now: now}
	view.Build(t, q, now, &f.Frame)
	w.send(f)
	return f.Again, nil
}
