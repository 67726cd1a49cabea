// SPDX-License-Identifier: GPL-2.0-or-later

package main

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"netlive/internal/kerneltest"
)

// undrawn is for how long nothing is to be written to the terminal of an idle machine.
const undrawn = 4 * time.Second

var wrote = regexp.MustCompile(`(?m)^\d+ +(\d+\.\d+) writev?\((\d+),`)

// On an idle machine the screen of sockets draws nothing: not the time, not its own cost.
func TestIdleScreen(t *testing.T) {
	kerneltest.RequireRoot(t)
	ns := idleScene(t)
	log := filepath.Join(t.TempDir(), "strace")
	term := newTerminal(t, ns, 100, 30, fmt.Sprintf("strace -f -qq -ttt -s 8 -e trace=write,writev -e signal=none -o %s netlive watch -anp --interval 200ms", log))
	term.await("ebpf", "q quit")
	begin := time.Now()
	for {
		text, err := os.ReadFile(log)
		if err != nil {
			t.Fatal(err)
		}
		var last time.Time
		for _, m := range wrote.FindAllStringSubmatch(string(text), -1) {
			if m[2] != "1" {
				continue // an eventfd, a pipe to itself
			}
			seconds, err := strconv.ParseFloat(m[1], 64)
			if err != nil {
				t.Fatal(err)
			}
			last = time.UnixMicro(int64(seconds * 1e6))
		}
		if last.IsZero() {
			t.Fatal("the screen that was seen was never written")
		}
		if time.Since(last) > undrawn {
			break
		}
		if time.Since(begin) > time.Minute {
			t.Fatalf("still drawn after a minute:\n%s\n%s", term.screen(), tailOf(string(text), 20))
		}
		time.Sleep(100 * time.Millisecond)
	}
	// It is not dead: a key is answered.
	term.press("?")
	term.await("keys: ")
	term.press("x")
	term.press("q")
	term.await("exit code 0")
}

func tailOf(text string, n int) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return strings.Join(lines[max(len(lines)-n, 0):], "\n")
}
