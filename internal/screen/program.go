// SPDX-License-Identifier: GPL-2.0-or-later

package screen

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"

	"netlive/internal/live"
	"netlive/internal/render"
)

// Terminal is where a screen is shown.
type Terminal struct {
	In  io.Reader
	Out io.Writer
	// Env is the environment that says what the terminal can do (TERM, NO_COLOR).
	Env []string
}

// ErrInterrupted is returned by Run and RunList when the user interrupted it.
var ErrInterrupted = errors.New("interrupted")

// FramesPerSecond is how often the terminal is written to at most. bubbletea's clock ticks so often even when there is nothing to
// write, and is most of what an idle screen costs: 0.2 ms of CPU each time, in waking up.
const FramesPerSecond = 10

// run shows a model, and what the loop sends it, until one of them ends.
func run(ctx context.Context, on Terminal, m tea.Model, loop func(ctx context.Context, send func(tea.Msg)) error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	program := tea.NewProgram(m,
		tea.WithContext(ctx), tea.WithInput(on.In), tea.WithOutput(on.Out), tea.WithEnvironment(on.Env), tea.WithFPS(FramesPerSecond))
	ended := make(chan error, 1)
	go func() {
		err := loop(ctx, program.Send)
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

// place is what the terminal asks for: it is set by the terminal's goroutine and read by the loop's.
type place struct {
	redraw chan struct{}

	mu             sync.Mutex
	offset, height int
}

func newPlace() *place { return &place{redraw: make(chan struct{}, 1)} }

// ask sets the rows that are wanted and has them drawn.
func (p *place) ask(offset, height int) {
	p.mu.Lock()
	changed := p.offset != offset || p.height != height
	p.offset, p.height = offset, height
	p.mu.Unlock()
	if changed {
		p.wake()
	}
}

// asked is what was asked for last.
func (p *place) asked() (offset, height int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.offset, p.height
}

// wake has the window drawn soon.
func (p *place) wake() {
	select {
	case p.redraw <- struct{}{}:
	default: // one is asked for already
	}
}

// The lines around the rows: status, column heads, and the line of keys.
const aroundRows = 3

// ending is the command of a key that ends or suspends the program, nil for others.
func ending(key string) tea.Cmd {
	switch key {
	case "q":
		return tea.Quit
	case "ctrl+c":
		return tea.Interrupt
	case "ctrl+z":
		return tea.Suspend
	}
	return nil
}

// scrolled is where a key takes a window of so many rows that begins at offset.
func scrolled(key string, offset, rows int) int {
	page := max(rows-1, 1)
	switch key {
	case "down", "j":
		return offset + 1
	case "up", "k":
		return offset - 1
	case "pgdown", "space", "ctrl+f":
		return offset + page
	case "pgup", "ctrl+b":
		return offset - page
	case "ctrl+d":
		return offset + page/2
	case "ctrl+u":
		return offset - page/2
	case "home", "g":
		return 0
	case "end", "G":
		return 1 << 30
	}
	return offset
}

// page is a screen of so many lines: the first, those of the table, and the last.
func page(width, height int, status string, table []string, keys string) tea.View {
	v := tea.NewView("")
	v.AltScreen = true
	v.WindowTitle = "netlive watch"
	if width == 0 || height == 0 {
		return v
	}
	lines := make([]string, 0, height)
	lines = append(append(lines, status), table...)
	for len(lines) < height-1 {
		lines = append(lines, "")
	}
	v.SetContent(strings.Join(append(lines[:height-1], keys), "\n"))
	return v
}

// statusBegin is what the first line begins with: where the rows come from and what was lost.
func statusBegin(source string, s *live.Status) string {
	text := "netlive  " + sgrBold + source + sgrReset
	switch {
	case s == nil:
		return text + "  first look …"
	case s.Lost > 0:
		return text + fmt.Sprintf("%s  lost %d resynced %d%s", sgrWarn, s.Lost, s.Resyncs, sgrReset)
	}
	return text + "  lost 0"
}

// keysText is the last line: why the table is old, if it is, then parts.
func keysText(width int, s *live.Status, parts ...string) string {
	text := strings.Join(parts, "  ")
	if s != nil && s.Err != nil {
		text = sgrWarn + string(render.AppendEscaped(nil, s.Err.Error())) + sgrReset + sgrDim + "  " + text
	}
	return sgrDim + ansi.Truncate(text, width, "…") + sgrReset
}
