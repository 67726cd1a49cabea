// SPDX-License-Identifier: GPL-2.0-or-later

package main

import (
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"golang.org/x/sys/unix"

	"netlive/internal/kerneltest"
)

// churn has connections come and go in ns until the test ends.
func churn(t *testing.T, ns *kerneltest.NS) {
	t.Helper()
	startStorm(t, ns, kerneltest.Storm{Workers: 1, Open: 20, Mixed: true, Pause: 5 * time.Millisecond})
}

// The screen fits any terminal, while rows change.
func TestScreenResized(t *testing.T) {
	t.Parallel()
	ns := kerneltest.NetNS(t)
	churn(t, ns)
	term := watchOn(t, ns, 80, 24, "", "-tan --interval 200ms")
	term.await("ESTABLISHED", "q quit")
	for _, c := range []struct {
		width, height int
		shows         []string
	}{
		{20, 5, []string{"netlive", "Local", "127.0.", "? help"}}, {200, 60, []string{"1 Connections", "7 Groups", "Last minute", "? help", "q quit"}}, {40, 12, []string{"Conns", "Local", "q quit"}},
		{1, 1, nil}, {80, 24, []string{"1 Conns", "Local Address", "q quit"}},
	} {
		term.tmux("resize-window", "-x", fmt.Sprint(c.width), "-y", fmt.Sprint(c.height))
		term.awaitThat(fmt.Sprintf("%q in %dx%d", c.shows, c.width, c.height), func(text string) bool {
			for line := range strings.Lines(text) {
				if utf8.RuneCountInString(strings.TrimRight(line, "\n")) > c.width {
					return false
				}
			}
			lacks := func(what string) bool { return !strings.Contains(text, what) }
			return !slices.ContainsFunc(c.shows, lacks) && (c.height == 1 || strings.HasPrefix(text, "netlive"))
		})
	}
	// tmux tells of a size a while after it has it: what is drawn for the old one in between must leave nothing behind.
	for range 5 {
		term.tmux("resize-window", "-x", "40", "-y", "12")
		term.await("netlive", "Local  ")
		term.tmux("resize-window", "-x", "80", "-y", "24")
		term.awaitThat("all lines where they belong", func(screen string) bool {
			lines := strings.Split(screen, "\n")
			return len(lines) >= 24 && strings.HasPrefix(lines[0], "netlive") && strings.HasPrefix(lines[1], " 1 Conns") && strings.HasPrefix(lines[2], " Proto") &&
				strings.HasPrefix(lines[21], "───") && strings.HasSuffix(lines[23], "q quit")
		})
	}
	for _, key := range []string{"2", "3", "4", "5", "6", "7"} {
		term.press(key)
		term.tmux("resize-window", "-x", "30", "-y", "8")
		term.await("netlive")
		term.tmux("resize-window", "-x", "100", "-y", "30")
		term.await("netlive", "q quit")
	}
	term.quit()
}

// ^Z gives the shell its terminal back, and fg takes it again.
func TestScreenSuspended(t *testing.T) {
	t.Parallel()
	ns := kerneltest.NetNS(t)
	_, l := listen(t, ns)
	term := newTerminal(t, ns, 100, 24, "bash --norc", configure(t, "").env...)
	term.typed("netlive watch -tan\n")
	for range 2 {
		term.await("LISTEN 1", "q quit")
		term.press("C-z")
		term.await("Stopped")
		term.typed("echo a$((40+2))b\n")
		if text := term.await("a42b"); strings.Contains(text, "Foreign") {
			t.Errorf("the screen was left behind:\n%s", text)
		}
		term.typed("clear; fg\n")
	}
	// It is awake again.
	connect(t, ns, l)
	term.await("ESTABLISHED 2")
	term.press("q")
	term.awaitNot("q quit")
	term.typed("echo a$((41+2))b\n")
	term.await("a43b")
	term.typed("exit\n")
	term.sane("exit code 0")
}

// What is pasted is text, be it what it may, and is no keys.
func TestScreenPaste(t *testing.T) {
	t.Parallel()
	ns := kerneltest.NetNS(t)
	term := watchOn(t, ns, 100, 24, "", "-tan")
	term.await("q quit")
	file := filepath.Join(t.TempDir(), "paste")
	line := "qqK X\r\n\x1b[31m\x1b]0;owned\x07\x1b[2J\x1b[1;1H\x03\x1a\x04port = 80\t"
	if err := os.WriteFile(file, []byte(strings.Repeat(line, 10_000/len(line)+1)), 0o644); err != nil {
		t.Fatal(err)
	}
	term.tmux("load-buffer", file)
	term.tmux("paste-buffer", "-p") // with no box there is nothing to paste into
	term.press("/")
	term.await("\n/ ", "0 of 0")
	term.tmux("paste-buffer", "-p")
	text := term.awaitThat("an error in the filter", func(screen string) bool { return strings.Contains(screen, "filter, column") })
	if !strings.HasPrefix(text, "netlive") || strings.Contains(term.tmux("display-message", "-p", "#{pane_title}"), "owned") {
		t.Errorf("the paste has done something:\n%s", text)
	}
	term.press("Escape")
	term.await("? help")
	term.press("/")
	term.await("\n/ ", "0 of 0")
	term.tmux("set-buffer", "state\nlisten")
	term.tmux("paste-buffer", "-p")
	term.await("0 of 0: state listen")
	term.press("Enter")
	term.await("? help", "0 of 0: state listen")
	term.quit()
}

// Whoever leans on the keyboard while connections come and go finds a screen that answers.
func TestScreenKeyStorm(t *testing.T) {
	t.Parallel()
	ns := kerneltest.NetNS(t)
	churn(t, ns)
	// The files that it saves are the test's.
	term := newTerminal(t, ns, 100, 30, "cd "+t.TempDir()+" && netlive watch -tanp --interval 200ms", configure(t, "").env...)
	term.await("ESTABLISHED", "q quit")
	// Not q, K, X, ^C and ^Z; a semicolon is tmux's own.
	keys := strings.Split("abcdefghijklmnoprstuvwxyzABCDEFGHIJLMNOPQRSTUVWYZ0123456789/:.,<>?*+-=()[]&|#@!%", "")
	keys = append(keys, "Enter", "Escape", "Space", "Tab", "BTab", "BSpace", "DC", "Up", "Down", "Left", "Right", "Home", "End", "PgUp", "PgDn", "F1", "F5",
		"C-a", "C-b", "C-d", "C-e", "C-f", "C-l", "C-u", "C-w", "M-x", "M-Enter", "C-Left", "S-Up",
		"Enter", "Escape", "Up", "Down", "t", "s", "C", "/", ":", "1", "2", "3")
	random := rand.New(rand.NewPCG(7, 7))
	for range 2000 / 50 {
		batch := []string{"send-keys"}
		for range 50 {
			batch = append(batch, keys[random.IntN(len(keys))])
		}
		term.tmux(batch...)
	}
	// Esc closes whatever is open.
	closed := func(screen string) bool {
		for _, open := range []string{" keys: ", " sort by: ", " columns: "} {
			if strings.Contains(screen, open) {
				return false
			}
		}
		return strings.Contains(screen, "? help")
	}
	// Of the storm there may be more to come.
	helped := false
	for deadline := time.Now().Add(limit); !helped && time.Now().Before(deadline); {
		term.press("Escape")
		calm := false
		for deadline := time.Now().Add(2 * time.Second); !calm && time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
			calm = closed(term.screen())
		}
		if !calm {
			continue
		}
		term.press("?")
		_, helped = term.awaitFor(5*time.Second, "keys: ", "Marks: ")
	}
	if !helped {
		t.Fatalf("keys do nothing any more:\n%s", term.screen())
	}
	term.press("Escape")
	term.awaitNot("Marks: ")
	term.press("6")
	term.await("Total", "counter")
	term.quit()
}

// watching is the process of netlive on a terminal.
func (term *terminal) watching() (pid int) {
	term.t.Helper()
	shell, err := strconv.Atoi(strings.TrimSpace(term.tmux("display-message", "-p", "#{pane_pid}")))
	if err != nil {
		term.t.Fatal(err)
	}
	for pid := range children(term.t, shell) {
		return pid
	}
	term.t.Fatal("nothing runs")
	return 0
}

// bpfPrograms are those that a process holds, by itself or by their links (kernel/bpf/syscall.c, bpf_prog_show_fdinfo and bpf_link_show_fdinfo).
func bpfPrograms(t *testing.T, pid int) map[string]bool {
	t.Helper()
	ids := map[string]bool{}
	files, err := filepath.Glob(fmt.Sprintf("/proc/%d/fdinfo/*", pid))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		text, _ := os.ReadFile(file) // a descriptor that was closed
		for line := range strings.Lines(string(text)) {
			if id, ok := strings.CutPrefix(line, "prog_id:"); ok {
				ids[strings.TrimSpace(id)] = true
			}
		}
	}
	return ids
}

// Who ends netlive from outside gets the terminal as it was where that can be, and nothing stays in the kernel in any case.
func TestScreenKilled(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		sig  unix.Signal
		ends string
		sane bool
	}{{unix.SIGTERM, "exit code 0", true}, {unix.SIGHUP, "exit code 0", true}, {unix.SIGINT, "exit code 130", true}, {unix.SIGKILL, "exit code 137", false}} {
		t.Run(unix.SignalName(c.sig), func(t *testing.T) {
			ns := kerneltest.NetNS(t)
			term := watchOn(t, ns, 100, 24, "", "-tan")
			term.await("q quit")
			pid := term.watching()
			var programs map[string]bool
			term.awaitThat("its programs in the kernel", func(string) bool { programs = bpfPrograms(t, pid); return len(programs) > 0 })
			if err := unix.Kill(pid, c.sig); err != nil {
				t.Fatal(err)
			}
			if c.sane {
				term.sane(c.ends)
			} else {
				term.await(c.ends)
			}
			term.awaitThat("the end of its programs", func(string) bool {
				for id := range programs {
					if exec.Command(tool(t, "bpftool"), "prog", "show", "id", id).Run() == nil {
						return false
					}
				}
				return true
			})
		})
	}
	// A terminal that goes takes netlive with it.
	term := watchOn(t, kerneltest.NetNS(t), 100, 24, "", "-tan")
	term.await("q quit")
	pid := term.watching()
	term.tmux("kill-server")
	for deadline := time.Now().Add(limit / 4); unix.Kill(pid, 0) == nil; time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("netlive goes on without its terminal")
		}
	}
}

var colored = regexp.MustCompile(`\x1b\[(?:[0-9;]*;)?(?:3[0-8]|4[0-8]|9[0-7]|10[0-7])(?:;[0-9;]*)?m`)

// The environment says what the terminal can do and what its user wants.
func TestScreenEnvironment(t *testing.T) {
	t.Parallel()
	ns := kerneltest.NetNS(t)
	_, l := listen(t, ns)
	connect(t, ns, l)
	set := configure(t, "")
	for _, c := range []struct {
		env, args string
		color     bool
		ascii     bool
	}{
		{"", "", true, false}, {"NO_COLOR=1", "", false, false}, {"", "--color never", false, false}, {"NO_COLOR=1", "--color always", true, false},
		{"LC_ALL=C.ISO-8859-1", "", true, true}, {"LC_ALL=de_DE.UTF-8", "", true, false},
	} {
		t.Run(strings.TrimSpace(c.env+" "+c.args), func(t *testing.T) {
			term := newTerminal(t, ns, 160, 30, strings.TrimSpace(c.env+" netlive watch -tan "+c.args), set.env...)
			term.await("LISTEN 1", "ESTABLISHED 2", "q quit")
			term.command("group process")
			term.await("1 by process")
			term.press("Space")
			term.rowOf(l.Addr().String(), "ESTABLISHED")
			if text := term.tmux("capture-pane", "-p", "-e"); colored.MatchString(text) != c.color || !strings.Contains(text, "\x1b[7m") {
				t.Errorf("colours: %v, want %v, and the heads reversed:\n%q", !c.color, c.color, text)
			}
			if text := term.screen(); (strings.IndexFunc(text, func(r rune) bool { return r >= utf8.RuneSelf }) < 0) != c.ascii {
				t.Errorf("ASCII alone: want %v:\n%s", c.ascii, text)
			}
			term.quit()
		})
	}
}

// Where nothing can be drawn the tables are printed, with a hint; what goes to nobody ends.
func TestScreenWithoutTerminal(t *testing.T) {
	t.Parallel()
	ns := kerneltest.NetNS(t)
	set := configure(t, "")
	for _, env := range []string{"TERM=dumb", "TERM="} {
		term := newTerminal(t, ns, 160, 30, env+" netlive watch -tan --interval 100ms", set.env...)
		term.await("netlive: this terminal cannot be drawn on (TERM is ", "the table is printed each interval", "Active Internet connections (servers and established)")
		term.press("C-c")
		term.sane("exit code 130")
	}
	// Keys come from the terminal even when the input is something else.
	term := newTerminal(t, ns, 160, 30, "netlive watch -tan </dev/null", set.env...)
	term.await("q quit")
	term.quit()

	p := start(t, ns, "bash", "-c", "set -o pipefail; netlive watch -tan --interval 10ms | head -n 1")
	if code, out, errs := p.wait(); code != 0 || strings.Count(string(out), "\n") != 1 || len(errs) > 0 {
		t.Errorf("exit code %d, %q, %q", code, out, errs)
	}
}
