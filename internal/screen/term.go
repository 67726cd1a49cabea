// SPDX-License-Identifier: GPL-2.0-or-later

package screen

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	tea "charm.land/bubbletea/v2"
	"golang.org/x/sys/unix"

	"netlive/internal/crash"
)

// Terminal is where a screen is shown.
type Terminal struct {
	In  io.Reader
	Out io.Writer
	// Env is the environment that says what the terminal can do (TERM, NO_COLOR).
	Env []string
}

// ErrInterrupted is returned by Run when the user interrupted it.
var ErrInterrupted = errors.New("interrupted")

// FramesPerSecond is how often the terminal is written to at most. bubbletea's clock ticks so often even when there is nothing to
// write, and is most of what an idle screen costs: 0.2 ms of CPU each time, in waking up.
const FramesPerSecond = 10

// run shows a model, and what the loop sends it, until one of them ends.
func run(ctx context.Context, on Terminal, m tea.Model, loop func(ctx context.Context, send func(tea.Msg)) error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	in, closeIn, err := keyboard(on.In)
	if err != nil {
		return err
	}
	defer closeIn()
	tty := newTTY(in, on.Out)
	defer crash.First(tty.restore)()
	defer crash.Guard()
	jobs := newJobs(tty)
	// Signals are ctx's. bubbletea would hear them too, and waits for ever where it ends while it tells itself of one (tea.go, handleSignals).
	// Nor has it ctx, by which it would end without waiting for what reads the keyboard (tea.go, shutdown).
	// A panic is to be one, with Go's exit code, and not bubbletea's own report, which may be cut off by the end of the process.
	program := tea.NewProgram(guarded{m}, tea.WithoutSignalHandler(), tea.WithoutCatchPanics(),
		tea.WithInput(in), tea.WithOutput(tty.out), tea.WithEnvironment(on.Env), tea.WithFPS(FramesPerSecond), tea.WithFilter(jobs.filter))
	defer jobs.hear(program.Send)()
	defer context.AfterFunc(ctx, program.Quit)()
	ended := make(chan error, 1)
	go func() {
		defer crash.Guard()
		err := loop(ctx, program.Send)
		if err != nil || ctx.Err() == nil {
			program.Quit()
		}
		ended <- err
	}()
	_, err = program.Run()
	cancel()
	if loopErr := <-ended; loopErr != nil {
		return loopErr
	}
	if m, ok := m.(*model); ok && m.interrupted && err == nil {
		return ErrInterrupted
	}
	return err
}

// guarded is a model whose commands are guarded: bubbletea runs each on a goroutine of its own.
type guarded struct{ tea.Model }

func (g guarded) Init() tea.Cmd { return guard(g.Model.Init()) }

func (g guarded) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	_, cmd := g.Model.Update(msg) // which is always the same
	return g, guard(cmd)
}

func guard(cmd tea.Cmd) tea.Cmd {
	if cmd == nil {
		return nil
	}
	return func() tea.Msg {
		defer crash.Guard()
		msg := cmd()
		if batch, ok := msg.(tea.BatchMsg); ok {
			for i := range batch {
				batch[i] = guard(batch[i])
			}
		}
		return msg
	}
}

// keyboard is where keys come from: the input, or the terminal itself when the input is a file or a pipe.
func keyboard(in io.Reader) (keys io.Reader, done func(), err error) {
	file, ok := in.(*os.File)
	if !ok {
		return in, func() {}, nil
	}
	if _, err := unix.IoctlGetTermios(int(file.Fd()), unix.TCGETS); err == nil {
		return in, func() {}, nil
	}
	tty, err := os.OpenFile("/dev/tty", os.O_RDWR, 0)
	if err != nil {
		return nil, nil, fmt.Errorf("the input is no terminal to take keys from: %w", err)
	}
	return tty, func() { _ = tty.Close() }, nil
}
