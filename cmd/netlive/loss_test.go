// SPDX-License-Identifier: GPL-2.0-or-later

package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"netlive/internal/kerneltest"
)

// losses is how often watch is made to lose events.
const losses = 3

// A ring with room for some dozen events loses most of a storm: that is told, and costs freshness until the next walk and no truth.
func TestLossIsHealed(t *testing.T) {
	kerneltest.RequireRoot(t)
	for i := range turns(losses) {
		ns := kerneltest.NetNS(t)
		watch := start(t, ns, "netlive", "watch", "-4tan", "--json", "--interval", "500ms", "--ring", "4K")
		watch.frame(time.Time{})
		storm := startStorm(t, ns, kerneltest.Storm{Workers: 2, Open: 300, Mixed: true})
		underWay(t, ns, 2*600)
		during := watch.frame(time.Now())
		report := storm.freeze()
		frozen := time.Now()
		held := truth(report)
		lost := uint64(0)
		for {
			before := ss(t, ns)
			f := watch.frame(time.Now())
			after := ss(t, ns)
			lost = *f.Lost
			ghosts, missed, wrong := f.states(t).compare(before, after)
			var strange []socketJSON // of whom others hold, or nobody
			for _, s := range f.Sockets {
				if len(s.Owners) == 0 && s.State != "TIME_WAIT" && s.State != "FIN_WAIT2" ||
					len(s.Owners) > 0 && s.Owners[0].PID != storm.Process.Pid {
					strange = append(strange, s)
				}
			}
			if len(ghosts)+len(missed)+len(wrong)+len(strange) > 0 && time.Since(frozen) < limit/12 {
				continue
			}
			f.states(t).check(t, before, after, "ss")
			if len(strange) > 0 {
				t.Errorf("%d: owners of %+v", i, strange)
			}
			for e, state := range f.states(t) {
				if held[e] == "" && state != "TIME_WAIT" && state != "FIN_WAIT2" {
					t.Errorf("%d: nobody holds %v", i, e)
				}
			}
			t.Logf("%d: lost %d, %d of them in the storm, of %d connections; healed %v after it", i, lost, *during.Lost, report.Made, time.Since(frozen).Round(time.Millisecond))
			break
		}
		if lost == 0 || *during.Lost == 0 {
			t.Errorf("%d: lost %d, %d in the storm", i, lost, *during.Lost)
		}
		watch.interrupt()
	}
}

// What trace tells and what it says it lost add up to what happened.
func TestTraceCountsLosses(t *testing.T) {
	kerneltest.RequireRoot(t)
	const connections = 2000
	// Each connection six changes, the listener two.
	const happened = 6*connections + 2
	ns := kerneltest.NetNS(t)
	trace := start(t, ns, "netlive", "trace", "--json", "--event", "state", "--ring", "4K")
	trace.awaitBegin()
	storm := startStorm(t, ns, kerneltest.Storm{Connections: connections, Workers: 1})
	storm.report()
	if err := storm.stdin.Close(); err != nil {
		t.Fatal(err)
	}
	if code, _, errs := storm.wait(); code != 0 {
		t.Fatalf("storm: %d %s", code, errs)
	}
	events, lost, losses, resyncs := 0, 0, 0, 0
	count := func(line []byte) {
		var e eventJSON
		if err := json.Unmarshal(line, &e); err != nil {
			t.Fatalf("%v: %s", err, line)
		}
		switch e.Event {
		case "lost":
			losses++
			lost += e.Count
			if e.Count == 0 || e.Time.IsZero() {
				t.Errorf("%s", line)
			}
		case "resync":
			if resyncs++; resyncs > losses || e.Time.IsZero() {
				t.Errorf("%s", line)
			}
		default:
			events++
		}
	}
	for events+lost < happened {
		line, err := trace.out.ReadBytes('\n')
		if err != nil {
			t.Fatal(err)
		}
		count(line)
	}
	code, rest, errs := trace.end(unix.SIGINT)
	for line := range bytes.Lines(rest) {
		count(line)
	}
	if code != exitInterrupted || len(errs) > 0 {
		t.Errorf("exit code %d, stderr %q", code, errs)
	}
	if events+lost != happened || lost == 0 || events == 0 {
		t.Errorf("%d events and %d lost, want %d together", events, lost, happened)
	}
	t.Logf("%d events, %d lost in %d lots", events, lost, losses)
}

// A reader of frames that stops reading misses frames, and no event: the table goes on being kept.
func TestStoppedReader(t *testing.T) {
	kerneltest.RequireRoot(t)
	// The default ring has room for the events of 22,000.
	const connections = 40000
	ns := kerneltest.NetNS(t)
	// A frame of so many sockets does not fit into a pipe.
	crowd := startStorm(t, ns, kerneltest.Storm{Workers: 1, Open: 1000, Mixed: true})
	underWay(t, ns, 1000)
	crowd.freeze()
	watch := start(t, ns, "netlive", "watch", "-4tan", "--json", "--interval", "50ms")
	watch.frame(time.Time{})
	watch.fillsPipe()
	startStorm(t, ns, kerneltest.Storm{Connections: connections, Workers: 1, Port: 7001}).report()
	// The last events may still be on their way.
	for over := time.Now(); ; {
		before := ss(t, ns)
		f := watch.frame(time.Now())
		after := ss(t, ns)
		ghosts, missed, wrong := f.states(t).compare(before, after)
		if len(ghosts)+len(missed)+len(wrong) > 0 && time.Since(over) < limit/12 {
			continue
		}
		f.states(t).check(t, before, after, "ss")
		if *f.Lost != 0 {
			t.Errorf("%d events lost", *f.Lost)
		}
		break
	}

	// Nor does it keep watch from ending.
	watch.fillsPipe()
	if err := watch.Process.Signal(unix.SIGINT); err != nil {
		t.Fatal(err)
	}
	if err := unix.Waitid(unix.P_PID, watch.Process.Pid, nil, unix.WEXITED|unix.WNOWAIT, nil); err != nil {
		t.Fatal(err)
	}
	if code, _, errs := watch.wait(); code != exitInterrupted || len(errs) > 0 {
		t.Errorf("exit code %d, stderr %q", code, errs)
	}
}

// fillsPipe waits until what p has written to stdout is half of what fits there.
func (p *process) fillsPipe() {
	p.t.Helper()
	fd, err := unix.Open(fmt.Sprintf("/proc/%d/fd/1", p.Process.Pid), unix.O_RDONLY|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		p.t.Fatal(err)
	}
	defer unix.Close(fd)
	size, err := unix.FcntlInt(uintptr(fd), unix.F_GETPIPE_SZ, 0)
	if err != nil {
		p.t.Fatal(err)
	}
	for deadline := time.Now().Add(limit); time.Now().Before(deadline); time.Sleep(time.Millisecond) {
		n, err := unix.IoctlGetInt(fd, unix.TIOCINQ)
		if err != nil {
			p.t.Fatal(err)
		}
		if n >= size/2 {
			return
		}
	}
	p.t.Fatal("the pipe was never full")
}
