// SPDX-License-Identifier: GPL-2.0-or-later

//go:build soak

package main

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"os"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"netlive/internal/kerneltest"
)

const (
	// soakSpaces is the number of namespaces, with a storm in each.
	soakSpaces = 4
	// sampled is the time between two looks at what watch uses.
	sampled = 10 * time.Second
	// stunned is how long watch is stopped, so that its ring overflows.
	stunned = 5 * time.Second
)

// For SOAK's time connections come and go in four namespaces, and in the middle watch is stopped until it has lost events. In the
// end the table is what ss and the storms say, and watch uses no more than it did.
func TestSoak(t *testing.T) {
	kerneltest.RequireRoot(t)
	length, err := time.ParseDuration(os.Getenv("SOAK"))
	if err != nil {
		t.Fatalf("SOAK: %v", err)
	}
	home := kerneltest.NetNS(t)
	watch := startFor(t, length, home, "netlive", "watch", "-4tan", "--json", "--netns", "all", "--interval", "1s", "--ring", "4M")
	frames := readFresh(watch)
	frames.next()

	var spaces []*kerneltest.NS
	var storms []*process
	for range soakSpaces {
		ns := kerneltest.NetNS(t)
		text, err := json.Marshal(kerneltest.Storm{Workers: 1, Open: 200, Mixed: true, Pause: 2 * time.Millisecond})
		if err != nil {
			t.Fatal(err)
		}
		spaces, storms = append(spaces, ns), append(storms, startFor(t, length, ns, "storm", string(text)))
	}
	begin, stun := time.Now(), length/2
	var use []usage
	lostBefore, lostAfter, rows := uint64(0), uint64(0), 0
	for time.Since(begin) < length {
		time.Sleep(min(sampled, length-time.Since(begin)))
		f := frames.next()
		u := usageOf(t, watch.Process.Pid)
		use = append(use, u)
		rows = len(f.Sockets)
		t.Logf("%4.0f s: %d rows, %d lost, %d resyncs, %d kB resident, %d descriptors, %d threads, %.1f %% of CPU",
			time.Since(begin).Seconds(), rows, f.Lost, f.Resyncs, u.resident, u.descriptors, u.threads, 100*u.cpu.Seconds()/time.Since(begin).Seconds())
		if stun > 0 && time.Since(begin) >= stun {
			stun, lostBefore = 0, f.Lost
			stop(t, watch)
			// The first frame may be drawn before the ring is looked at.
			for deadline := time.Now().Add(sampled); lostAfter == 0 && time.Now().Before(deadline); {
				lostAfter = frames.next().Lost
			}
			lostAfter = frames.next().Lost
			t.Logf("stopped for %v: %d lost", stunned, lostAfter-lostBefore)
		}
	}
	if lostBefore != 0 || lostAfter == 0 {
		t.Errorf("%d events were lost before watch was stopped, %d when it was", lostBefore, lostAfter)
	}

	made := 0
	for i, storm := range storms {
		r := storm.freeze()
		storms[i].reported = r
		made += r.Made
	}
	var ghosts, missed, wrong, strangers []string
	end := time.Now()
	for {
		before := make([]stateOf, soakSpaces)
		for i, ns := range spaces {
			before[i] = ss(t, ns)
		}
		frames.next() // which may have been walked before that look
		f := frames.next()
		ghosts, missed, wrong, strangers = nil, nil, nil, nil
		for i, ns := range spaces {
			states, owners := f.of(ns.Inode(), storms[i].Process.Pid)
			g, m, w := states.compare(before[i], ss(t, ns))
			ghosts, missed, wrong = append(ghosts, g...), append(missed, m...), append(wrong, w...)
			strangers = append(strangers, owners...)
			for e, state := range truth(storms[i].reported) {
				if got := states[e]; got != state {
					wrong = append(wrong, fmt.Sprintf("%v is %s, the storm says %s", e, got, state))
				}
			}
		}
		if f.Lost != lostAfter {
			t.Errorf("%d events were lost after watch went on", f.Lost-lostAfter)
		}
		if len(ghosts)+len(missed)+len(wrong)+len(strangers) == 0 || time.Since(end) > limit/4 {
			rows = len(f.Sockets)
			break
		}
	}
	some := func(list []string) []string { return list[:min(len(list), 3)] }
	t.Logf("%d connections; at the end %d rows: ghosts %d, missed %d, wrong state %d, wrong owner %d", made, rows, len(ghosts), len(missed), len(wrong), len(strangers))
	if len(ghosts)+len(missed)+len(wrong)+len(strangers) > 0 {
		t.Errorf("ghosts %q, missed %q, wrong %q, owners %q", some(ghosts), some(missed), some(wrong), some(strangers))
	}
	last := usageOf(t, watch.Process.Pid)
	if len(use) > 2 && last.descriptors > use[0].descriptors+8 {
		t.Errorf("%d descriptors, %d at first", last.descriptors, use[0].descriptors)
	}
	frames.interrupt()
}

// TIME_WAIT of a crowd over the whole of its minute, to the end of the last.
func TestSoakTimeWait(t *testing.T) {
	kerneltest.RequireRoot(t)
	ns := kerneltest.NetNS(t)
	frames, crowd := startCrowd(t, ns, "1s")
	for begin := time.Now(); ; {
		n := frames.crowdAgrees(ns, crowd.Process.Pid)
		t.Logf("%3.0f s: %d in TIME_WAIT", time.Since(begin).Seconds(), n)
		if n == 0 {
			break
		}
	}
	frames.interrupt()
}

// startFor is start, for a process that is to run for longer than others.
func startFor(t *testing.T, length time.Duration, ns *kerneltest.NS, name string, args ...string) *process {
	t.Helper()
	p := start(t, ns, name, args...)
	p.hung.Reset(length + limit)
	return p
}

// stop keeps watch from running for some time.
func stop(t *testing.T, watch *process) {
	t.Helper()
	if err := watch.Process.Signal(unix.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	time.Sleep(stunned)
	if err := watch.Process.Signal(unix.SIGCONT); err != nil {
		t.Fatal(err)
	}
}

// of are the rows of a namespace, and what is wrong with their owners: those that are known are the storm's, and only a minisocket whose
// close was lost may have none.
func (f placedFrame) of(inode uint32, pid int) (states stateOf, wrong []string) {
	states = stateOf{}
	for _, s := range f.Sockets {
		if s.NetNS != inode {
			continue
		}
		e := ends{netip.AddrPortFrom(s.LocalAddr, s.LocalPort), netip.AddrPortFrom(s.RemoteAddr, s.RemotePort)}
		if states[e] != "" {
			wrong = append(wrong, fmt.Sprint(e, " is there twice"))
		}
		states[e] = s.State
		mini := s.State == "TIME_WAIT" || s.State == "FIN_WAIT2"
		if len(s.Owners) == 0 && !mini || len(s.Owners) > 0 && s.Owners[0].PID != pid {
			wrong = append(wrong, fmt.Sprintf("%v %s: %+v", e, s.State, s.Owners))
		}
	}
	return states, wrong
}

// usage is what a process uses.
type usage struct {
	resident, descriptors, threads int // kB
	cpu                            time.Duration
}

func usageOf(t *testing.T, pid int) (u usage) {
	t.Helper()
	dir := fmt.Sprintf("/proc/%d/", pid)
	text, err := os.ReadFile(dir + "status")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		_, _ = fmt.Sscanf(line, "VmRSS: %d kB", &u.resident) // other lines do not match
		_, _ = fmt.Sscanf(line, "Threads: %d", &u.threads)
	}
	fds, err := os.ReadDir(dir + "fd")
	if err != nil {
		t.Fatal(err)
	}
	u.descriptors, u.cpu = len(fds), cpuTime(t, pid)
	return u
}
