// SPDX-License-Identifier: GPL-2.0-or-later

package main

import (
	"math/rand/v2"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"netlive/internal/kerneltest"
)

// However many netlives there are, each tells all; one that is killed takes nothing from the others.
func TestManyAtOnce(t *testing.T) {
	kerneltest.RequireRoot(t)
	t.Parallel()
	const many, connections = 5, 200
	ns := kerneltest.NetNS(t)
	traces := make([]*process, many)
	for i := range traces {
		traces[i] = start(t, ns, "netlive", "trace", "--json", "--event", "state")
	}
	watch := start(t, ns, "netlive", "watch", "-4tan", "--json", "--interval", "50ms")
	watch.frame(time.Time{})
	for _, p := range traces {
		p.awaitBegin()
	}
	storm := startStorm(t, ns, kerneltest.Storm{Workers: 1, Connections: connections, Pause: time.Millisecond})
	if _, err := traces[0].out.ReadBytes('\n'); err != nil {
		t.Fatal(err)
	}
	held := heldBy(t, traces[0].Process.Pid)
	if err := traces[0].Process.Kill(); err != nil {
		t.Fatal(err)
	}
	storm.report()
	_ = storm.stdin.Close()
	storm.wait()
	for _, p := range traces[1:] {
		told := 0
		for told < 6*connections+2 {
			if _, err := p.out.ReadBytes('\n'); err != nil {
				t.Fatal(err)
			}
			told++
		}
		if _, out, _ := p.end(unix.SIGINT); len(out) > 0 {
			t.Errorf("more was told: %s", out)
		}
	}
	held.gone(t)
	watch.interrupt()
}

// A netlive that is told to end while it begins, or walks, ends, and nothing stays.
func TestEndedAtAnyTime(t *testing.T) {
	kerneltest.RequireRoot(t)
	t.Parallel()
	ns := kerneltest.NetNS(t)
	startStorm(t, ns, kerneltest.Storm{Workers: 1, Open: 500, Mixed: true, Pause: time.Millisecond})
	random := rand.New(rand.NewPCG(8, 8))
	verbs := [][]string{{"trace"}, {"watch", "-anp", "--interval", "10ms"}, {"doctor"}, {"watch", "-i", "--interval", "10ms"}}
	for i := range 16 {
		p := start(t, ns, "netlive", verbs[i%len(verbs)]...)
		time.Sleep(time.Duration(random.IntN(400)) * time.Millisecond)
		h := holds(t, p.Process.Pid)
		// Before there is a handler the signal itself ends it: -1.
		if code, _, errs := p.end(unix.SIGTERM); code != exitOK && code != -1 && (code != exitUnsupported || p.Args[1] != "doctor") {
			t.Errorf("%v: exit code %d, stderr %q", p.Args, code, errs)
		}
		h.gone(t)
	}
}
