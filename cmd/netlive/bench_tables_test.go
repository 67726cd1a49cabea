// SPDX-License-Identifier: GPL-2.0-or-later

//go:build bench

package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"netlive/internal/kerneltest"
)

const (
	// slow is how long a run may take for all rounds to be made; beyond, there are slowRounds.
	slow       = 5 * time.Second
	slowRounds = 2
	// verySlow is from when on the first look is the only round.
	verySlow = time.Minute
	// ownersMost is up to how many sockets netstat and ss are asked for owners: with five times as many they take half an hour.
	ownersMost = 200_000
)

var (
	tcpTables = []string{"-tan", "-tanp", "-tanpe", "-tano", "-s"}
	nobody    = &syscall.Credential{Uid: 65534, Gid: 65534}
)

// tables prints crowds by netstat, ss and netlive.
func (b *bench) tables(t *testing.T) {
	b.printf("\n## Tables\n\nEach program writes to /dev/null, in turn, with the sockets held by several processes. First the bytes of\n" +
		"netstat and netlive are compared; where they differ the row says so.\n\n")
	b.printf("| sockets | options | netstat s | ss s | netlive s | netstat/netlive | ss/netlive | CPU s: netstat, ss, netlive | peak MB | rounds |\n")
	b.printf("|---|---|---|---|---|---|---|---|---|---|\n")
	growth := map[string][]string{}
	for _, n := range b.sizes {
		t.Run(fmt.Sprint("tcp-", n), func(t *testing.T) {
			ns := kerneltest.NetNS(t)
			defer b.crowd(t, ns, "tcp", n)()
			for _, options := range tcpTables {
				netlive := b.compare(t, ns, n, options, nil)
				growth[options] = append(growth[options], fmt.Sprintf("%s: %s", thousands(n), number(1e6*netlive/float64(n))))
			}
			if n >= bigCrowd {
				b.compare(t, ns, n, "-tan", nobody)
			}
		})
	}
	for _, c := range []struct {
		kind, options string
		sockets       int
	}{{"udp", "-uan", udpCrowd}, {"unix", "-xan", unixCrowd}} {
		t.Run(c.kind, func(t *testing.T) {
			ns := kerneltest.NetNS(t)
			defer b.crowd(t, ns, c.kind, c.sockets)()
			b.compare(t, ns, c.sockets, c.options, nil)
		})
	}
	b.printf("\nGrowth, netlive's microseconds a socket:")
	for _, options := range []string{"-tan", "-tanp"} {
		b.printf(" `%s` %s.", options, strings.Join(growth[options], "; "))
	}
	b.printf("\n")
}

// contestant is a program with what its runs gave.
type contestant struct {
	name      string
	args      []string
	wall, cpu spread // seconds
	peak      spread // MB, of the one look
}

// compare writes a row, and returns netlive's seconds.
func (b *bench) compare(t *testing.T, ns *kerneltest.NS, n int, options string, who *syscall.Credential) float64 {
	t.Helper()
	netstat := &contestant{name: "netstat", args: []string{"netstat", options}}
	ss := &contestant{name: "ss", args: []string{"ss", options}}
	netlive := &contestant{name: "netlive", args: []string{b.netlive, options}}
	all := []*contestant{netstat, ss, netlive}
	alone := n > ownersMost && strings.Contains(options, "p")
	switch {
	case alone:
		all = []*contestant{netlive}
	case options == "-s": // ss has other figures
		all = []*contestant{netstat, netlive}
	}
	longest := 0.0
	for _, c := range all {
		b.look(t, ns, c, who)
		longest = max(longest, c.wall[0])
	}
	note := ""
	if who != nil {
		note = ", as nobody"
	}
	if !alone && !b.sameBytes(t, fmt.Sprint(n, " sockets, ", options, note)) {
		note += ", **not netstat's bytes**"
	}
	if longest < verySlow.Seconds() {
		rounds := b.rounds
		if longest > slow.Seconds() {
			rounds = min(rounds, slowRounds)
		}
		race(t, ns, all, rounds, who)
	}

	cpu, peak := []string{}, []string{}
	for _, c := range []*contestant{netstat, ss, netlive} {
		cpu, peak = append(cpu, c.cpu.value()), append(peak, c.peak.value())
	}
	b.printf("| %s | `%s`%s | %s | %s | %s | %v | %v | %s | %s | %d |\n", thousands(n), options, note,
		netstat.wall.value(), ss.wall.value(), netlive.wall.value(), netstat.wall.over(netlive.wall), ss.wall.over(netlive.wall),
		strings.Join(cpu, ", "), strings.Join(peak, ", "), len(netlive.wall))
	t.Logf("%d %s%s: netstat %v, ss %v, netlive %v", n, options, note, netstat.wall, ss.wall, netlive.wall)
	return netlive.wall.median()
}

// race times the programs in turn; who is the first goes around too.
func race(t *testing.T, ns *kerneltest.NS, all []*contestant, rounds int, who *syscall.Credential) {
	t.Helper()
	for _, c := range all {
		c.wall, c.cpu = nil, nil
	}
	for round := range rounds {
		for i := range all {
			c := all[(i+round)%len(all)]
			c.time(t, ns, exec.Command(c.args[0], c.args[1:]...), who)
		}
	}
}

func (c *contestant) time(t *testing.T, ns *kerneltest.NS, cmd *exec.Cmd, who *syscall.Credential) {
	t.Helper()
	cmd.Dir, cmd.SysProcAttr = "/", &syscall.SysProcAttr{Credential: who}
	var errs bytes.Buffer
	cmd.Stderr = &errs
	var begin time.Time
	var err error
	ns.Do(func() {
		begin = time.Now()
		err = cmd.Start()
	})
	if err == nil {
		err = cmd.Wait()
	}
	took := time.Since(begin)
	if err != nil {
		t.Fatalf("%v: %v\n%s", cmd.Args, err, &errs)
	}
	c.wall = append(c.wall, took.Seconds())
	c.cpu = append(c.cpu, (cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()).Seconds())
}

// look runs a program once for what it prints and for the memory that it takes. A child's own ru_maxrss begins with that of the process that
// started it (fs/exec.c, exec_mmap), so that is a small one: time(1).
func (b *bench) look(t *testing.T, ns *kerneltest.NS, c *contestant, who *syscall.Credential) {
	t.Helper()
	out, err := os.Create(b.printed(c.name))
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	peak := filepath.Join(b.scratch, "peak")
	if err := os.WriteFile(peak, nil, 0o666); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(peak, 0o666); err != nil { // whatever the umask: nobody writes to it
		t.Fatal(err)
	}
	cmd := exec.Command("time", slices.Concat([]string{"-q", "-f", "%M", "-o", peak}, c.args)...)
	cmd.Stdout = out
	c.time(t, ns, cmd, who)
	text, err := os.ReadFile(peak)
	if err != nil {
		t.Fatal(err)
	}
	kB, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil {
		t.Fatalf("time: %v", err)
	}
	c.peak = spread{float64(kB) / 1024}
}

// printed is where a look keeps what a program prints.
func (b *bench) printed(name string) string { return filepath.Join(b.scratch, name+".out") }

// sameBytes holds what netlive printed against netstat.
func (b *bench) sameBytes(t *testing.T, what string) bool {
	t.Helper()
	var text [2][]byte
	for i, name := range []string{"netlive", "netstat"} {
		var err error
		if text[i], err = os.ReadFile(b.printed(name)); err != nil {
			t.Fatal(err)
		}
	}
	if bytes.Equal(text[0], text[1]) {
		return true
	}
	got, want := bytes.Split(text[0], []byte("\n")), bytes.Split(text[1], []byte("\n"))
	i := 0
	for i < min(len(got), len(want))-1 && bytes.Equal(got[i], want[i]) {
		i++
	}
	t.Errorf("%s: %d lines, netstat has %d; line %d is\n%s\nwant\n%s", what, len(got), len(want), i+1, got[i], want[i])
	return false
}
