// SPDX-License-Identifier: GPL-2.0-or-later

package main

import (
	"bytes"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"netlive/internal/kerneltest"
)

// bareTerminal is a terminal without anything behind it: what is written to it can be held against what has to be, and its modes be looked at.
type bareTerminal struct {
	t      *testing.T
	ours   *os.File // the end of the terminal's program
	theirs *os.File
	before unix.Termios
	cmd    *exec.Cmd
	ended  chan struct{}

	mu   sync.Mutex
	text []byte // what was written
}

// newBareTerminal makes a terminal, and reads what is written to it.
func newBareTerminal(t *testing.T) *bareTerminal {
	t.Helper()
	b := &bareTerminal{t: t, ended: make(chan struct{})}
	b.ours, b.theirs = ptyPair(t)
	t.Cleanup(func() { _ = b.ours.Close() })
	if err := unix.IoctlSetWinsize(int(b.theirs.Fd()), unix.TIOCSWINSZ, &unix.Winsize{Row: 24, Col: 100}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = b.theirs.Close() })
	b.before = b.modes()
	go b.read()
	return b
}

func (b *bareTerminal) read() {
	buf := make([]byte, 64<<10)
	for {
		n, err := b.ours.Read(buf)
		b.mu.Lock()
		b.text = append(b.text, buf[:n]...)
		b.mu.Unlock()
		if err != nil {
			return // closed, or nobody has the other end open
		}
	}
}

func (b *bareTerminal) written() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return string(b.text)
}

func (b *bareTerminal) modes() unix.Termios {
	b.t.Helper()
	modes, err := unix.IoctlGetTermios(int(b.theirs.Fd()), unix.TCGETS)
	if err != nil {
		b.t.Fatal(err)
	}
	return *modes
}

// run runs a command of which this is the terminal, and stderr too.
func (b *bareTerminal) run(ns *kerneltest.NS, env []string, name string, args ...string) {
	b.t.Helper()
	b.cmd = exec.Command(name, args...)
	b.cmd.Stdin, b.cmd.Stdout, b.cmd.Stderr = b.theirs, b.theirs, b.theirs
	b.cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	b.cmd.Env = append(append(os.Environ(), "TERM=xterm-256color", "LC_ALL=C.UTF-8", "NO_COLOR=", "XDG_CONFIG_HOME="+b.t.TempDir()), env...)
	if err := ns.Start(b.cmd); err != nil {
		b.t.Fatal(err)
	}
	go func() {
		_ = b.cmd.Wait() // its code is what is looked at
		close(b.ended)
	}()
	b.t.Cleanup(func() {
		_ = b.cmd.Process.Kill()
		<-b.ended
	})
}

// drawn waits until the screen shows a text. Text is drawn in parts: it is one that does not change.
func (b *bareTerminal) drawn(text string) { b.t.Helper(); b.drawnAfter(0, text) }

// drawnAfter is drawn of what comes after so many bytes.
func (b *bareTerminal) drawnAfter(begin int, text string) {
	b.t.Helper()
	for deadline := time.Now().Add(limit / 4); !strings.Contains(b.written()[begin:], text); time.Sleep(5 * time.Millisecond) {
		select {
		case <-b.ended:
			b.t.Fatalf("it ended with code %d: %q", b.cmd.ProcessState.ExitCode(), b.written())
		default:
		}
		if time.Now().After(deadline) {
			b.t.Fatalf("%q was never drawn: %q; it is at\n%s", text, b.written()[begin:], kerneltest.Where(b.cmd.Process.Pid))
		}
	}
}

func (b *bareTerminal) signal(sig unix.Signal) {
	b.t.Helper()
	if err := b.cmd.Process.Signal(sig); err != nil {
		b.t.Fatal(err)
	}
}

// code waits for the end of the command.
func (b *bareTerminal) code() int {
	b.t.Helper()
	select {
	case <-b.ended:
	case <-time.After(limit / 4):
		b.t.Fatalf("it never ended: %q", b.written())
	}
	return b.cmd.ProcessState.ExitCode()
}

// drained waits until all that was written until now has been read.
func (b *bareTerminal) drained() {
	b.t.Helper()
	const mark = "all of it"
	begin := len(b.written())
	if _, err := b.theirs.WriteString(mark); err != nil {
		b.t.Fatal(err)
	}
	for deadline := time.Now().Add(limit / 4); !strings.Contains(b.written()[begin:], mark); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			b.t.Fatalf("%q never came: %q", mark, b.written()[begin:])
		}
	}
}

// cooked fails the test unless the terminal is as it was: its modes, the screen that is shown, the cursor.
func (b *bareTerminal) cooked() {
	b.t.Helper()
	if now := b.modes(); now != b.before {
		b.t.Errorf("the terminal's modes are %+v, and were %+v", now, b.before)
	}
	b.drained()
	text := []byte(b.written())
	for _, mode := range []struct{ name, on, off string }{
		{"alternate screen", "\x1b[?1049h", "\x1b[?1049l"}, {"hidden cursor", "\x1b[?25l", "\x1b[?25h"},
		{"bracketed paste", "\x1b[?2004h", "\x1b[?2004l"}, {"mouse", "\x1b[?1002h", "\x1b[?1002l"}, {"scrolled part", "\x1b[2;5r", "\x1b[r"},
	} {
		if bytes.LastIndex(text, []byte(mode.on)) > bytes.LastIndex(text, []byte(mode.off)) {
			b.t.Errorf("%s: it is left on", mode.name)
		}
	}
}
