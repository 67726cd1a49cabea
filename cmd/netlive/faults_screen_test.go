// SPDX-License-Identifier: GPL-2.0-or-later

package main

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"netlive/internal/kerneltest"
)

// A terminal that goes ends netlive, even when SIGHUP is ignored, and there is nothing to be written.
func TestTerminalGoes(t *testing.T) {
	kerneltest.RequireRoot(t)
	t.Parallel()
	for _, c := range []struct{ env, line, shows string }{
		{"TERM=xterm", "netlive watch -tan", "lost 0"},
		{"TERM=dumb", "netlive watch -tan --interval 1h", "Active Internet connections"},
		{"TERM=xterm", "netlive trace", "tracing"},
	} {
		b := newBareTerminal(t)
		b.run(kerneltest.NetNS(t), []string{c.env}, "sh", "-c", `trap "" HUP; exec `+c.line)
		b.drawn(c.shows)
		held := heldBy(t, b.cmd.Process.Pid)
		if err := b.theirs.Close(); err != nil { // both ends, of which it holds one
			t.Fatal(err)
		}
		if err := b.ours.Close(); err != nil {
			t.Fatal(err)
		}
		if code := b.code(); code != exitOK {
			t.Errorf("%s: exit code %d", c.line, code)
		}
		held.gone(t)
	}
}

// A terminal that takes no more output (^S, a dead link) keeps nobody from ending netlive, and its modes are restored.
func TestTerminalStuck(t *testing.T) {
	kerneltest.RequireRoot(t)
	t.Parallel()
	ns := kerneltest.NetNS(t)
	churn(t, ns)
	b := screened(t, ns)
	if err := unix.IoctlSetInt(int(b.theirs.Fd()), unix.TCXONC, 0); err != nil { // TCOOFF, as ^S does
		t.Fatal(err)
	}
	for deadline := time.Now().Add(limit / 4); !b.blocked(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("it never waited for its terminal")
		}
	}
	b.signal(unix.SIGTERM)
	if code := b.code(); code != exitOK {
		t.Errorf("exit code %d", code)
	}
	if b.modes() != b.before {
		t.Error("the terminal is raw")
	}
}

// blocked reports whether a thread is in write(2) to stdout.
func (b *bareTerminal) blocked() bool {
	tasks, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/syscall", b.cmd.Process.Pid))
	if err != nil {
		b.t.Fatal(err)
	}
	for _, task := range tasks {
		text, _ := os.ReadFile(task) // of a thread that has ended
		if strings.HasPrefix(string(text), fmt.Sprintf("%d 0x1 ", unix.SYS_WRITE)) {
			return true
		}
	}
	return false
}

// Who stops netlive by SIGSTOP gives the terminal to a shell that netlive knows nothing of. When it goes on it takes it again, and draws all of it.
func TestScreenStopped(t *testing.T) {
	kerneltest.RequireRoot(t)
	t.Parallel()
	ns := kerneltest.NetNS(t)
	_, l := listen(t, ns)
	b := screened(t, ns)
	raw := b.modes()
	b.signal(unix.SIGSTOP)
	var info unix.Siginfo
	if err := unix.Waitid(unix.P_PID, b.cmd.Process.Pid, &info, unix.WSTOPPED|unix.WNOWAIT, nil); err != nil {
		t.Fatal(err)
	}
	if err := unix.IoctlSetTermios(int(b.theirs.Fd()), unix.TCSETS, &b.before); err != nil {
		t.Fatal(err)
	}
	connect(t, ns, l)
	begin := len(b.written())
	b.signal(unix.SIGCONT)
	b.drawnAfter(begin, "lost 0")
	b.drawnAfter(begin, "ESTABLISHED")
	if b.modes() != raw {
		t.Errorf("modes %+v, and were %+v", b.modes(), raw)
	}
	b.quit()
}

// quit has it end by its key.
func (b *bareTerminal) quit() {
	b.t.Helper()
	if _, err := b.ours.WriteString("q"); err != nil {
		b.t.Fatal(err)
	}
	if code := b.code(); code != exitOK {
		b.t.Errorf("exit code %d: %q", code, b.written())
	}
	b.cooked()
}

// ^Z where there is no shell to wake it again stops nothing.
func TestSuspendWithoutAShell(t *testing.T) {
	kerneltest.RequireRoot(t)
	t.Parallel()
	b := screened(t, kerneltest.NetNS(t))
	if _, err := b.ours.WriteString("\x1a"); err != nil {
		t.Fatal(err)
	}
	b.drawn("there is no shell that could wake it again")
	b.signal(unix.SIGTSTP)
	b.quit()
}

// harmless are the signals that change nothing.
var harmless = []unix.Signal{
	unix.SIGWINCH, unix.SIGCONT, unix.SIGUSR1, unix.SIGUSR2, unix.SIGPIPE, unix.SIGURG, unix.SIGCHLD, unix.SIGALRM, unix.SIGIO, unix.SIGTTOU, unix.SIGTSTP,
}

// Whatever storms of signals come, the screen shows what happens after them; and however often it is told to end, it ends once, in good order.
func TestScreenSignalStorm(t *testing.T) {
	kerneltest.RequireRoot(t)
	t.Parallel()
	ns := kerneltest.NetNS(t)
	_, l := listen(t, ns)
	for _, ends := range [][]unix.Signal{{unix.SIGINT, unix.SIGINT}, {unix.SIGHUP, unix.SIGTERM, unix.SIGINT}, {unix.SIGTERM, unix.SIGWINCH, unix.SIGCONT, unix.SIGTSTP}} {
		b := screened(t, ns)
		held := heldBy(t, b.cmd.Process.Pid)
		for range 100 {
			for _, sig := range harmless {
				b.signal(sig)
			}
		}
		begin := len(b.written())
		port := connect(t, ns, l).client.LocalAddr().(*net.TCPAddr)
		b.drawnAfter(begin, port.String()[len("127.0.0.1"):])
		for i := range 40 {
			_ = b.cmd.Process.Signal(ends[i%len(ends)]) // until it has ended
		}
		want := exitOK
		if ends[0] == unix.SIGINT {
			want = exitInterrupted
		}
		if code := b.code(); code != want && !slices.Contains(ends, unix.SIGINT) {
			t.Errorf("%v: exit code %d", ends, code)
		}
		b.cooked()
		held.gone(t)
	}
}
