// SPDX-License-Identifier: GPL-2.0-or-later

package main

import (
	"bytes"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"netlive/internal/kerneltest"
)

// With however few descriptors a verb gives its output or says why not, with a code that is documented, and not with Go's stacks.
func TestFewDescriptors(t *testing.T) {
	kerneltest.RequireRoot(t)
	t.Parallel()
	ns := kerneltest.NetNS(t)
	tables := runIn(t, ns, "netlive", "-tan")
	for _, c := range []struct {
		line   string
		limits []int
	}{
		{"-tan", []int{4, 6, 7, 8, 11, 12, 13, 16}},
		{"-tanp", []int{11, 12, 13}},
		{"-i", []int{6, 11, 12}}, {"-s", []int{11}}, {"-rn --json", []int{11}},
		{"-tan --netns all --json", []int{11, 12, 14}},
		{"watch -tan --count 1 --interval 10ms", []int{11, 13, 20, 34}},
		{"watch -rn --count 1 --interval 10ms", []int{11, 12, 14}},
		{"trace --for 10ms", []int{5, 13, 30}},
		{"doctor", []int{13}},
	} {
		for _, limit := range c.limits {
			code, out, errs := shell(t, ns, fmt.Sprintf("ulimit -n %d; exec netlive %s", limit, c.line))
			said := strings.Contains(errs, "too many open files")
			switch {
			case strings.Contains(errs, "goroutine"), strings.Contains(errs, "not supported"), strings.Contains(errs, "changes of state alone"): // it is not the kernel's fault
				t.Errorf("%d: %s: stderr %q", limit, c.line, errs)
			case code == exitOK && out != "" && (c.line != "-tan" || out == string(tables)):
			case code == exitFailure && said && out == "", code == exitBroken && strings.Contains(strings.ToLower(errs), "too many open files"):
			case code == exitUnsupported && c.line == "doctor" && (said || strings.Contains(out, "too many open files")):
			default:
				t.Errorf("%d: %s: exit code %d, %q, stderr %q", limit, c.line, code, out, errs)
			}
		}
	}
}

// Descriptors that run out while watch runs cost it its walks, of which it says so; events and frames go on, and when there are descriptors again all is well.
func TestDescriptorsRunOut(t *testing.T) {
	kerneltest.RequireRoot(t)
	t.Parallel()
	for _, source := range []string{"ebpf", "procfs"} {
		ns := kerneltest.NetNS(t)
		_, l := listen(t, ns)
		watch := start(t, ns, "netlive", "watch", "-tanp", "--json", "--interval", "50ms", "--source", source)
		watch.frame(time.Time{})
		pid := watch.Process.Pid
		var had unix.Rlimit
		if err := unix.Prlimit(pid, unix.RLIMIT_NOFILE, nil, &had); err != nil {
			t.Fatal(err)
		}
		if err := unix.Prlimit(pid, unix.RLIMIT_NOFILE, &unix.Rlimit{Cur: 3, Max: had.Max}, nil); err != nil {
			t.Fatal(err)
		}
		said := watch.waitErr("too many open files")
		connect(t, ns, l)
		established := func(f frameJSON) bool {
			return slices.ContainsFunc(f.Sockets, func(s socketJSON) bool { return s.State == "ESTABLISHED" })
		}
		for deadline := time.Now().Add(limit / 4); source == "ebpf"; {
			if established(watch.frame(time.Time{})) {
				break
			}
			if time.Now().After(deadline) {
				t.Fatal("no event was told")
			}
		}
		if err := unix.Prlimit(pid, unix.RLIMIT_NOFILE, &had, nil); err != nil {
			t.Fatal(err)
		}
		for deadline := time.Now().Add(limit / 4); ; {
			f := watch.frame(time.Now())
			if established(f) && slices.ContainsFunc(f.Sockets, func(s socketJSON) bool {
				return s.State == "ESTABLISHED" && len(s.Owners) > 0 && s.Owners[0].PID == os.Getpid()
			}) {
				break
			}
			if time.Now().After(deadline) {
				t.Fatalf("it never recovered: %+v", f)
			}
		}
		if code, _, errs := watch.end(unix.SIGTERM); code != exitOK || bytes.Contains(errs, []byte("goroutine")) {
			t.Errorf("exit code %d, stderr %s%s", code, said, errs)
		}
	}
}

// waitErr reads stderr up to a line with a text while frames go on, which are read too.
func (p *process) waitErr(text string) string {
	p.t.Helper()
	line := make(chan string, 1)
	go func() {
		for {
			l, err := p.err.ReadString('\n')
			if strings.Contains(l, text) || err != nil {
				line <- l
				return
			}
		}
	}()
	for {
		select {
		case l := <-line:
			if !strings.Contains(l, text) {
				p.t.Fatalf("no %q on stderr", text)
			}
			return l
		default:
			p.frame(time.Time{})
		}
	}
}
