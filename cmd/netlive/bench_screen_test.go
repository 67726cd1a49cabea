// SPDX-License-Identifier: GPL-2.0-or-later

//go:build bench

package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"netlive/internal/kerneltest"
)

const (
	screenCrowd = 50_000
	// screenPause makes some 830 connections a second, which have six changes of state each: 5,000.
	screenPause   = 1100 * time.Microsecond
	screenSeconds = 10
)

// screens is what the screens take of a processor with many sockets of which some come and go.
func (b *bench) screens(t *testing.T) {
	b.printf("\n## Screens\n\n%s sockets, and some 5,000 changes of state a second; a terminal of 120x40, an interval of a second, %d seconds.\n\n", thousands(screenCrowd), screenSeconds)
	b.printf("| what is shown | netlive's CPU, of one core | the terminal's (tmux) | resident MB |\n|---|---|---|---|\n")
	ns := kerneltest.NetNS(t)
	defer b.crowd(t, ns, "tcp", screenCrowd)()
	storm := startStorm(t, ns, kerneltest.Storm{Workers: 1, Pause: screenPause, Mixed: true})
	for _, c := range []struct {
		name    string
		command string
	}{{"connections", ""}, {"the last ones, followed", "follow"}, {"sorted by TX/s", "sort -tx"}, {"grouped by process", "group process"}, {"events", "events"}} {
		file := filepath.Join(b.scratch, "pid")
		term := newTerminal(t, ns, 120, 40, fmt.Sprintf("sh -c 'echo $$ >%s; exec %s watch -tanp'", file, b.netlive))
		term.await("ESTABLISHED 5", "q quit")
		if c.command != "" {
			term.command(c.command)
		}
		if c.command == "follow" {
			term.press("G")
		}
		pid := pidIn(t, file)
		server, err := strconv.Atoi(strings.TrimSpace(term.tmux("display-message", "-p", "#{pid}")))
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(3 * time.Second)
		before, tmux := cpuTime(t, pid), cpuTime(t, server)
		time.Sleep(screenSeconds * time.Second)
		after, shown := cpuTime(t, pid), cpuTime(t, server)
		m := residentOf(t, pid)
		b.printf("| %s | %s %% | %s %% | %s |\n", c.name, number((after-before).Seconds()*100/screenSeconds), number((shown-tmux).Seconds()*100/screenSeconds), number(m.all))
		t.Logf("%s: %v of %d s", c.name, after-before, screenSeconds)
		term.press("q")
		term.await("exit code 0")
	}
	storm.end(unix.SIGKILL)
}

func pidIn(t *testing.T, file string) int {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil {
		t.Fatal(err)
	}
	return pid
}
