// SPDX-License-Identifier: GPL-2.0-or-later

package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"netlive/internal/kerneltest"
)

const (
	// settled is the frame by which the first walks are over: what the making of the sockets made stale is walked for once more.
	settled = 2
	// idleFrames is how many more are looked at.
	idleFrames = 5
)

var (
	wasRead = regexp.MustCompile(`^\d+ +(\d+\.\d+) openat\([^,]*, "(/proc/[^"]*)"`)
	loaded  = regexp.MustCompile(`prog_name="(dump_[a-z_]+)".*\) = (\d+)`)
	walking = regexp.MustCompile(`^\d+ +(\d+\.\d+) bpf\(BPF_LINK_CREATE, \{link_create=\{prog_fd=(\d+),.*BPF_TRACE_ITER`)
)

// idleScene has some sockets of each kind, and nothing happens to them.
func idleScene(t *testing.T) *kerneltest.NS {
	t.Helper()
	ns := kerneltest.NetNS(t)
	ready(t, start(t, ns, "tenant", "still"), "")
	return ns
}

// On an idle machine nothing is read from /proc and of the iterators that of UNIX sockets alone, as nothing announces those.
func TestIdle(t *testing.T) {
	kerneltest.RequireRoot(t)
	ns := idleScene(t)
	log := filepath.Join(t.TempDir(), "strace")
	watch := start(t, ns, "strace", "-f", "-qq", "-ttt", "-s", "128", "-e", "trace=openat,bpf", "-e", "signal=none", "-o", log,
		"netlive", "watch", "-a", "--json", "--interval", "1s", "--count", strconv.Itoa(settled+idleFrames))
	var from, to time.Time
	for i := range settled + idleFrames {
		f := watch.frame(time.Time{})
		if f.Source != "ebpf" || len(f.Sockets) < 2 {
			t.Fatalf("source %s, %d sockets", f.Source, len(f.Sockets))
		}
		if i+1 == settled {
			from = f.Time
		}
		to = f.Time
	}
	if code, _, errs := watch.wait(); code != 0 || len(errs) > 0 {
		t.Fatalf("exit code %d, stderr %q", code, errs)
	}
	text, err := os.ReadFile(log)
	if err != nil {
		t.Fatal(err)
	}
	within := func(stamp string) bool {
		seconds, err := strconv.ParseFloat(stamp, 64)
		if err != nil {
			t.Fatal(err)
		}
		at := time.UnixMicro(int64(seconds * 1e6))
		return at.After(from) && at.Before(to)
	}
	programs, walks, early := map[string]string{}, map[string]int{}, map[string]int{}
	for line := range strings.Lines(string(text)) {
		if m := loaded.FindStringSubmatch(line); m != nil {
			programs[m[2]] = m[1]
		}
		if m := walking.FindStringSubmatch(line); m != nil && within(m[1]) {
			walks[programs[m[2]]]++
		} else if m != nil {
			early[programs[m[2]]]++
		}
		if m := wasRead.FindStringSubmatch(line); m != nil && within(m[1]) {
			t.Errorf("%s was read", m[2])
		} else if m != nil {
			early["/proc"]++
		}
	}
	for _, what := range []string{"dump_tcp", "dump_udp", "dump_unix", "dump_task_file", "/proc"} {
		if early[what] == 0 {
			t.Errorf("%s was not seen even at first: %v", what, early)
		}
	}
	if walks["dump_unix"] < idleFrames-1 {
		t.Errorf("UNIX sockets were walked %d times in %d intervals", walks["dump_unix"], idleFrames)
	}
	if delete(walks, "dump_unix"); len(walks) > 0 {
		t.Errorf("walked in between: %v", walks)
	}
	t.Logf("until %v: %v", from, early)
}

// What an idle watch costs, for the record.
func TestIdleCost(t *testing.T) {
	kerneltest.RequireRoot(t)
	ns := idleScene(t)
	for _, line := range []string{"watch -atuw --json --interval 1s", "watch -a --json --interval 1s"} {
		watch := start(t, ns, "netlive", strings.Fields(line)...)
		for range settled {
			watch.frame(time.Time{})
		}
		begin, before := time.Now(), cpuTime(t, watch.Process.Pid)
		for range idleFrames {
			watch.frame(time.Time{})
		}
		took, used := time.Since(begin), cpuTime(t, watch.Process.Pid)-before
		t.Logf("%s: %v of CPU in %v, %.2f %%", line, used, took.Round(time.Millisecond), 100*used.Seconds()/took.Seconds())
		if code, _, errs := watch.end(unix.SIGINT); code != exitInterrupted || len(errs) > 0 {
			t.Errorf("exit code %d, stderr %q", code, errs)
		}
	}
}

// cpuTime is what the threads of a process have used, in the scheduler's nanoseconds (proc(5), schedstat).
func cpuTime(t *testing.T, pid int) (sum time.Duration) {
	t.Helper()
	tasks, err := filepath.Glob("/proc/" + strconv.Itoa(pid) + "/task/*/schedstat")
	if err != nil {
		t.Fatal(err)
	}
	for _, task := range tasks {
		text, err := os.ReadFile(task)
		if err != nil {
			continue // a thread that has ended
		}
		ns, err := strconv.ParseInt(strings.Fields(string(text))[0], 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		sum += time.Duration(ns)
	}
	return sum
}
