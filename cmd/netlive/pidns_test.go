// SPDX-License-Identifier: GPL-2.0-or-later

package main

import (
	"os"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"netlive/internal/kerneltest"
)

// In a PID namespace of its own netlive numbers processes as those in it do, and names none outside.
func TestPIDNamespace(t *testing.T) {
	kerneltest.RequireRoot(t)
	ns := kerneltest.NetNS(t)
	trace := start(t, ns, "unshare", "--pid", "--fork", "--mount-proc", "--kill-child", "netlive", "trace", "--json", "--event", "state")
	trace.awaitBegin()
	children, err := os.ReadFile("/proc/" + strconv.Itoa(trace.Process.Pid) + "/task/" + strconv.Itoa(trace.Process.Pid) + "/children")
	if err != nil {
		t.Fatal(err)
	}
	first := strings.TrimSpace(string(children)) // which is netlive, and PID 1 in there

	const five = `{"Connections":5,"Workers":1}`
	for _, command := range [][]string{{"storm", five}, {"nsenter", "--target", first, "--pid", "--", "storm", five}} {
		storm := start(t, ns, command[0], command[1:]...)
		storm.report()
		_ = storm.stdin.Close()
		if code, _, errs := storm.wait(); code != 0 {
			t.Fatalf("storm: %d, %s", code, errs)
		}
	}
	pid, err := strconv.Atoi(first)
	if err != nil {
		t.Fatal(err)
	}
	if err := unix.Kill(pid, unix.SIGINT); err != nil {
		t.Fatal(err)
	}
	_, out, _ := trace.wait()
	named := map[int]int{}
	nameless := 0
	for _, e := range decodeEvents(t, out) {
		switch {
		case len(e.Owners) == 0:
			nameless++
		case e.Owners[0].Comm != "storm":
			t.Errorf("owner %+v", e.Owners[0])
		default:
			named[e.Owners[0].PID]++
		}
	}
	const told = 6*5 + 2
	if nameless != told || len(named) != 1 {
		t.Errorf("%d events without an owner, want %d; owners %v, want one", nameless, told, named)
	}
	for pid, n := range named {
		if n != told || pid < 2 || pid > 50 {
			t.Errorf("%d events of PID %d, want %d of a low one", n, pid, told)
		}
	}
}
