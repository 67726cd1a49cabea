// SPDX-License-Identifier: GPL-2.0-or-later

package main

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"netlive/internal/kerneltest"
)

// terminal is a real one: tmux, with a server of its own.
type terminal struct {
	t      *testing.T
	socket string
}

// newTerminal runs command in ns on a terminal of the given size, with these variables besides its environment's.
func newTerminal(t *testing.T, ns *kerneltest.NS, width, height int, command string, env ...string) *terminal {
	t.Helper()
	term := &terminal{t, filepath.Join(t.TempDir(), "tmux")}
	// The session outlives the command, so that what it leaves behind can be looked at.
	cmd := exec.Command("tmux", "-f", "/dev/null", "-S", term.socket, "new-session", "-d",
		"-x", fmt.Sprint(width), "-y", fmt.Sprint(height), command+"; echo exit code $?; cat")
	cmd.Env = append(append(os.Environ(), "PATH="+watchful()), env...)
	if err := ns.Start(cmd); err != nil {
		t.Fatalf("tmux: %v (make test-deps installs it)", err)
	}
	if err := cmd.Wait(); err != nil {
		t.Fatalf("tmux: %v", err)
	}
	t.Cleanup(func() { _ = exec.Command("tmux", "-S", term.socket, "kill-server").Run() })
	return term
}

func (term *terminal) screen() string {
	term.t.Helper()
	out, err := exec.Command("tmux", "-S", term.socket, "capture-pane", "-p").CombinedOutput()
	if err != nil {
		term.t.Fatalf("tmux: %v\n%s", err, out)
	}
	return string(out)
}

func (term *terminal) press(key string) {
	term.t.Helper()
	if out, err := exec.Command("tmux", "-S", term.socket, "send-keys", key).CombinedOutput(); err != nil {
		term.t.Fatalf("tmux: %v\n%s", err, out)
	}
}

// await returns the screen when it shows all of the texts.
func (term *terminal) await(texts ...string) string {
	term.t.Helper()
	screen, ok := term.awaitFor(30*time.Second, texts...)
	if !ok {
		term.t.Fatalf("the screen never showed %q:\n%s", texts, screen)
	}
	return screen
}

func (term *terminal) awaitFor(most time.Duration, texts ...string) (screen string, ok bool) {
	term.t.Helper()
	for deadline := time.Now().Add(most); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		screen = term.screen()
		ok = true
		for _, text := range texts {
			ok = ok && strings.Contains(screen, text)
		}
		if ok {
			return screen, true
		}
	}
	return screen, false
}

// awaitMark makes changes until the screen shows the texts of one: a mark fades after two seconds, in which a machine that has
// much else to do may not have looked at the screen.
func (term *terminal) awaitMark(change func(attempt int) (texts []string)) {
	term.t.Helper()
	const attempts = 8
	for attempt := range attempts {
		texts := change(attempt)
		screen, ok := term.awaitFor(4*time.Second, texts...)
		if ok {
			return
		}
		if attempt == attempts-1 {
			term.t.Fatalf("the screen never showed %q:\n%s", texts, screen)
		}
	}
}

// What a person sees: a connection appears, is marked as new, changes, lingers as closed and goes; and the
// terminal is as it was afterwards.
func TestWatchOnATerminal(t *testing.T) {
	kerneltest.RequireRoot(t)
	t.Parallel()
	for _, source := range []string{"ebpf", "procfs"} {
		t.Run(source, func(t *testing.T) {
			ns := kerneltest.NetNS(t)
			term := newTerminal(t, ns, 80, 24, "netlive watch -tanp --source "+source+" --interval 200ms")
			term.await(source, "lost 0", "q quit")
			var l net.Listener
			var client, server net.Conn
			ns.Do(func() {
				var err error
				if l, err = net.Listen("tcp4", "127.0.0.1:8080"); err != nil {
					t.Fatal(err)
				}
				if client, err = net.Dial("tcp4", "127.0.0.1:8080"); err != nil {
					t.Fatal(err)
				}
				if server, err = l.Accept(); err != nil {
					t.Fatal(err)
				}
			})
			defer l.Close()
			defer server.Close()
			from := client.LocalAddr().String()
			mark := map[string]string{"ebpf": "+tcp", "procfs": "*tcp"}[source] // /proc tells of no birth
			screen := term.await("LISTEN 1", "ESTABLISHED 2", from, mark)
			if !strings.Contains(screen, fmt.Sprintf(" %d/", os.Getpid())) {
				t.Errorf("we are not named as the owner:\n%s", screen)
			}
			if err := client.Close(); err != nil {
				t.Fatal(err)
			}
			term.await("CLOSE_WAIT 1", "FIN_WAIT2 1")
			if err := server.Close(); err != nil {
				t.Fatal(err)
			}
			term.await("-tcp", "closed")
			term.await("TIME_WAIT 1")
			term.press("q")
			screen = term.await("exit code 0")
			if strings.Contains(screen, "TIME_WAIT") {
				t.Errorf("the table was left behind:\n%s", screen)
			}
			// Raw mode would echo nothing.
			term.press("sane")
			term.await("sane")
		})
	}
}

// ^C ends it with the exit code of an interrupt.
func TestWatchInterrupted(t *testing.T) {
	kerneltest.RequireRoot(t)
	t.Parallel()
	term := newTerminal(t, kerneltest.NetNS(t), 80, 24, "netlive watch -tan")
	term.await("q quit")
	term.press("C-c")
	term.await("exit code 130")
}
