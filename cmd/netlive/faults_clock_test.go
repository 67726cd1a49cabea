// SPDX-License-Identifier: GPL-2.0-or-later

package main

import (
	"encoding/json"
	"os"
	"slices"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"netlive/internal/kerneltest"
)

// In a time namespace, as containers have that were moved from another machine, the clocks that netlive reads are not those of the kernel's stamps. Events count
// all the same, between walks that are an hour apart, and have the time on the wall.
func TestTimeNamespace(t *testing.T) {
	kerneltest.RequireRoot(t)
	t.Parallel()
	if _, err := os.Stat("/proc/self/ns/time"); err != nil {
		t.Skipf("needs time namespaces (Linux 5.6): %v", err)
	}
	for _, shift := range []string{"86400", "-5"} { // not before the boot
		ns := kerneltest.NetNS(t)
		_, l := listen(t, ns)
		shifted := func(args ...string) *process {
			return start(t, ns, "unshare", append([]string{"--time", "--monotonic", shift, "--boottime", shift, "netlive"}, args...)...)
		}
		watch := shifted("watch", "-tan", "--json", "--interval", "100ms")
		watch.frame(time.Time{})
		rare := shifted("watch", "-rn", "--interval", "1h") // it begins all the same
		trace := shifted("trace", "--json", "--event", "open,close")
		trace.awaitBegin()
		from := time.Now()
		c := connect(t, ns, l)
		for _, want := range []bool{true, false} {
			for deadline := time.Now().Add(limit / 4); ; {
				f := watch.frame(time.Now())
				if slices.ContainsFunc(f.Sockets, func(s socketJSON) bool { return s.State == "ESTABLISHED" }) == want {
					break
				}
				if time.Now().After(deadline) {
					t.Fatalf("%s s: ESTABLISHED is not %t: %+v", shift, want, f)
				}
			}
			c.close()
		}
		for _, kind := range []string{"open", "close"} {
			line, err := trace.out.ReadBytes('\n')
			if err != nil {
				t.Fatal(err)
			}
			var e struct {
				Event    string
				Time     time.Time
				Duration int64 `json:"duration_us"`
			}
			if err := json.Unmarshal(line, &e); err != nil || e.Event != kind {
				t.Fatalf("%v, want %s: %s", err, kind, line)
			}
			if e.Time.Before(from.Add(-time.Second)) || e.Time.After(time.Now().Add(time.Second)) || e.Duration > time.Since(from).Microseconds() {
				t.Errorf("%s s: %s at %v, lasted %d us; it was after %v", shift, kind, e.Time, e.Duration, from)
			}
		}
		trace.interrupt()
		watch.interrupt()
		rare.interrupt()
	}
}

// A netlive that was asleep, by SIGSTOP or with the machine, counts what it missed and heals.
func TestStoppedForAWhile(t *testing.T) {
	kerneltest.RequireRoot(t)
	t.Parallel()
	ns := kerneltest.NetNS(t)
	watch := start(t, ns, "netlive", "watch", "-4tan", "--json", "--interval", "100ms", "--ring", "64K")
	watch.frame(time.Time{})
	if err := watch.Process.Signal(unix.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	storm := startStorm(t, ns, kerneltest.Storm{Workers: 1, Connections: 2000, Open: 100})
	storm.report()
	if err := watch.Process.Signal(unix.SIGCONT); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(limit / 4); ; {
		before := ss(t, ns)
		f := watch.frame(time.Now())
		after := ss(t, ns)
		if ghosts, missed, wrong := f.states(t).compare(before, after); len(ghosts)+len(missed)+len(wrong) == 0 && *f.Lost > 0 {
			break
		}
		if time.Now().After(deadline) {
			f.states(t).check(t, before, after, "ss")
			t.Fatalf("lost %d", *f.Lost)
		}
	}
	watch.interrupt()
}
