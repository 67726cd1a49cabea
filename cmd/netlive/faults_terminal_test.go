// SPDX-License-Identifier: GPL-2.0-or-later

package main

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"netlive/internal/kerneltest"
)

// screened shows netlive watch on a terminal.
func screened(t *testing.T, ns *kerneltest.NS, args ...string) *bareTerminal {
	t.Helper()
	b := newBareTerminal(t)
	b.run(ns, nil, "netlive", append([]string{"watch", "-tan"}, args...)...)
	b.drawn("lost 0")
	return b
}

// panicAt are the places at which a netlive that is made for it panics, when a file by that name is there: one for each kind of goroutine that a screen has.
var panicAt = []struct{ name, file, before string }{
	{"the terminal's", "internal/screen/model.go", "\tm.width, m.height = msg.Width, msg.Height\n"},
	{"a command of it", "internal/screen/term.go", "\t\tmsg := cmd()\n"},
	{"the loop", "internal/live/live.go", "\tdue := l.again != 0 && now >= l.again\n"},
	{"a walk", "internal/live/live.go", "\t\tsnap, err := l.Source.Snapshot(ctx, want)\n"},
	{"events", "internal/live/live.go", "\t\t\tb.events, b.err = b.events[:n], err\n"},
	{"the meter", "internal/meter/run.go", "\tnow := m.Now() // before the question: what moves after it counts for the next\n"},
	{"a look", "internal/live/looks.go", "\t\tt, err := l.Look(ctx)\n"},
}

// frail is a netlive that panics where it is told to, in the directory NETLIVE_PANIC.
func frail(t *testing.T) (program string) {
	t.Helper()
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	texts := map[string]string{}
	for i, at := range panicAt {
		path := filepath.Join(root, at.file)
		if texts[path] == "" {
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			texts[path] = string(text)
		}
		if strings.Count(texts[path], at.before) != 1 {
			t.Fatalf("%s has not once %q", at.file, at.before)
		}
		texts[path] = strings.Replace(texts[path], at.before, fmt.Sprintf("\tfrail(%q)\n%s", fmt.Sprint(i), at.before), 1)
	}
	var overlay struct{ Replace map[string]string }
	overlay.Replace = map[string]string{}
	for path, text := range texts {
		pkg := filepath.Dir(path)
		texts[filepath.Join(pkg, "frail.go")] = "package " + filepath.Base(pkg) + `

import "os"

func frail(at string) {
	if _, err := os.Stat(os.Getenv("NETLIVE_PANIC") + "/" + at); err == nil {
		panic("a fault was made, " + at)
	}
}
`
		texts[path] = text
	}
	n := 0
	for path, text := range texts {
		n++
		to := filepath.Join(dir, fmt.Sprint(n, ".go"))
		if err := os.WriteFile(to, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		overlay.Replace[path] = to
	}
	list, err := json.Marshal(overlay)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "overlay.json")
	if err := os.WriteFile(file, list, 0o644); err != nil {
		t.Fatal(err)
	}
	program = filepath.Join(dir, "netlive")
	build := exec.Command("go", "build", "-overlay", file, "-o", program, ".")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	return program
}

// A panic on any goroutine gives the terminal back before it is told, and nothing stays in the kernel.
func TestPanicRestoresTheTerminal(t *testing.T) {
	kerneltest.RequireRoot(t)
	t.Parallel()
	program := frail(t)
	for i, at := range panicAt {
		t.Run(at.name, func(t *testing.T) {
			ns := kerneltest.NetNS(t)
			_, l := listen(t, ns)
			connect(t, ns, l)
			dir := t.TempDir()
			b := newBareTerminal(t)
			b.run(ns, []string{"NETLIVE_PANIC=" + dir}, program, "watch", "-tan", "--interval", "100ms")
			b.drawn("lost 0")
			b.drawn("ESTABLISHED")
			held := heldBy(t, b.cmd.Process.Pid)
			if err := os.WriteFile(filepath.Join(dir, fmt.Sprint(i)), nil, 0o644); err != nil {
				t.Fatal(err)
			}
			// Something for each of them to do: another page and back, a size, connections.
			if _, err := b.ours.WriteString("5"); err != nil {
				t.Fatal(err)
			}
			for more, end := true, time.Now().Add(limit/4); more && time.Now().Before(end); {
				connect(t, ns, l)
				_, _ = b.ours.WriteString("51")
				_ = unix.IoctlSetWinsize(int(b.ours.Fd()), unix.TIOCSWINSZ, &unix.Winsize{Row: 30, Col: 110})
				select {
				case <-b.ended:
					more = false
				case <-time.After(100 * time.Millisecond):
				}
			}
			if code := b.code(); code != exitUsage {
				t.Errorf("exit code %d", code)
			}
			b.cooked()
			text := b.written()
			_, after, _ := strings.Cut(text[strings.LastIndex(text, "\x1b[?1049h"):], "\x1b[?1049l")
			if !strings.Contains(after, "panic: a fault was made, "+fmt.Sprint(i)) || !strings.Contains(after, "goroutine ") {
				t.Errorf("no panic in %q", after)
			}
			held.gone(t)
		})
	}
}

// SIGQUIT and the like tell what all goroutines do, on a terminal on which it can be read.
func TestFaultSignalsRestoreTheTerminal(t *testing.T) {
	kerneltest.RequireRoot(t)
	t.Parallel()
	for _, sig := range []unix.Signal{unix.SIGQUIT, unix.SIGABRT} {
		b := screened(t, kerneltest.NetNS(t))
		b.signal(sig)
		if code := b.code(); code != exitUsage {
			t.Errorf("%v: exit code %d", sig, code)
		}
		b.cooked()
		if text := b.written(); !strings.Contains(text, "SIG") || !strings.Contains(text, "goroutine ") {
			t.Errorf("%v: no stacks: %q", sig, text)
		}
	}
}
