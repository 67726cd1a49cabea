// SPDX-License-Identifier: GPL-2.0-or-later

package screen

import (
	"bytes"
	"io"
	"sync"
	"time"

	"github.com/charmbracelet/x/ansi"
	"github.com/charmbracelet/x/term"
	"golang.org/x/sys/unix"
)

// tty is the terminal as it was before, for an end that bubbletea has no part in.
type tty struct {
	in    int // its descriptor; below 0: there is no terminal
	state *unix.Termios
	out   io.Writer // where to draw

	file  term.File  // behind out; nil: something else is
	mu    sync.Mutex // held while file is written to, and for good by restore
	drawn bool       // the screen is the alternate one
}

// newTTY remembers the state of the terminal that keys come from.
func newTTY(in io.Reader, out io.Writer) *tty {
	t := &tty{in: -1, out: out}
	if f, ok := in.(term.File); ok {
		if state, err := unix.IoctlGetTermios(int(f.Fd()), unix.TCGETS); err == nil {
			t.in, t.state = int(f.Fd()), state
		}
	}
	if f, ok := out.(term.File); ok {
		t.file = f
		t.out = ttyWriter{f, t}
	}
	return t
}

// ttyWriter is the file with a Write that ends when the terminal is restored: what another goroutine draws then would come on top.
type ttyWriter struct {
	term.File
	t *tty
}

func (w ttyWriter) Write(b []byte) (int, error) {
	w.t.mu.Lock()
	defer w.t.mu.Unlock()
	if on, off := bytes.LastIndex(b, altScreen), bytes.LastIndex(b, mainScreen); on >= 0 || off >= 0 {
		w.t.drawn = on > off
	}
	return w.File.Write(b)
}

var altScreen, mainScreen = []byte(ansi.SetModeAltScreenSaveCursor), []byte(ansi.ResetModeAltScreenSaveCursor)

// leave is what bubbletea writes when it ends (cursed_renderer.go, close), and the ends of all modes that it may have begun.
var leave = []byte(ansi.ResetModeSynchronizedOutput + wholeRegion + ansi.ResetModifyOtherKeys + ansi.PopKittyKeyboard(1) +
	ansi.ResetModeAltScreenSaveCursor + ansi.SetModeTextCursorEnable + ansi.ResetModeBracketedPaste + ansi.ResetModeFocusEvent +
	ansi.ResetModeMouseButtonEvent + ansi.ResetModeMouseAnyEvent + ansi.ResetModeMouseExtSgr + ansi.ResetModeUnicodeCore + ansi.ResetStyle)

// stuck is how long a terminal may take to be written to before it is left as it is: its output may have been stopped.
const stuck = 250 * time.Millisecond

// restore gives the terminal back. Nothing is drawn any more: the process ends.
func (t *tty) restore() {
	if t.in >= 0 {
		_ = unix.IoctlSetTermios(t.in, unix.TCSETS, t.state) // which does not wait for the output
	}
	if t.file == nil {
		return
	}
	for end := time.Now().Add(stuck); !t.mu.TryLock(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			return
		}
	}
	if !t.drawn {
		return
	}
	written := make(chan struct{})
	go func() {
		_, _ = t.file.Write(leave)
		close(written)
	}()
	select {
	case <-written:
	case <-time.After(stuck):
	}
}

// raw makes the terminal what bubbletea has made of it, after a shell has had it.
func (t *tty) raw() {
	if t.in >= 0 {
		_, _ = term.MakeRaw(uintptr(t.in))
	}
}
