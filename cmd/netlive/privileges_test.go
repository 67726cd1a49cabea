// SPDX-License-Identifier: GPL-2.0-or-later

package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"netlive/internal/kerneltest"
	"netlive/internal/privilege"
)

// capNumbers are those that netlive keeps for anything.
var capNumbers = map[string]uint{
	"cap_bpf": unix.CAP_BPF, "cap_perfmon": unix.CAP_PERFMON, "cap_net_admin": unix.CAP_NET_ADMIN, "cap_sys_ptrace": unix.CAP_SYS_PTRACE,
	"cap_dac_read_search": unix.CAP_DAC_READ_SEARCH, "cap_dac_override": unix.CAP_DAC_OVERRIDE, "cap_kill": unix.CAP_KILL,
	"cap_sys_admin": unix.CAP_SYS_ADMIN, "cap_sys_resource": unix.CAP_SYS_RESOURCE, "cap_syslog": unix.CAP_SYSLOG,
}

// capSet is a set as /proc shows it, of what the tests have themselves.
func capSet(t *testing.T, names ...string) string {
	t.Helper()
	bits := uint64(0)
	for _, name := range names {
		n, ok := capNumbers[name]
		if !ok {
			t.Fatalf("no capability %q", name)
		}
		bits |= 1 << n
	}
	var own uint64
	if _, err := fmt.Sscanf(threads(t, os.Getpid())[0]["CapPrm"], "%x", &own); err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("%016x", bits&own)
}

// threads are the privileges of the threads of a process, those that differ.
func threads(t *testing.T, pid int) (list []map[string]string) {
	t.Helper()
	tasks, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/status", pid))
	if err != nil {
		t.Fatal(err)
	}
	for _, task := range tasks {
		text, err := os.ReadFile(task)
		if err != nil {
			continue // it has ended
		}
		lines := map[string]string{}
		for line := range strings.Lines(string(text)) {
			if key, value, _ := strings.Cut(line, ":"); strings.HasPrefix(key, "Cap") || key == "NoNewPrivs" {
				lines[key] = strings.TrimSpace(value)
			}
		}
		if !slices.ContainsFunc(list, func(l map[string]string) bool { return reflect.DeepEqual(l, lines) }) {
			list = append(list, lines)
		}
	}
	return list
}

// awaitKept waits until every thread of a process has those capabilities and no others, and no way to get some.
func awaitKept(t *testing.T, pid int, names ...string) {
	t.Helper()
	caps, none := capSet(t, names...), capSet(t)
	want := map[string]string{"CapEff": caps, "CapPrm": caps, "CapInh": none, "CapAmb": none, "CapBnd": threads(t, os.Getpid())[0]["CapBnd"], "NoNewPrivs": "1"}
	var got []map[string]string
	for deadline := time.Now().Add(limit / 4); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		if got = threads(t, pid); len(got) == 1 && reflect.DeepEqual(got[0], want) {
			return
		}
	}
	t.Fatalf("privileges\n got %v\nwant %v: %v", got, want, names)
}

// looking is what it takes to look into processes for what they hold, finding for where they are.
var (
	looking = []string{"cap_sys_ptrace", "cap_dac_read_search"}
	finding = []string{"cap_sys_ptrace"}
)

// loading is what it takes to load programs.
var loading = []string{"cap_bpf", "cap_perfmon", "cap_net_admin", "cap_dac_read_search", "cap_sys_admin", "cap_sys_resource"}

// Each verb has what it has use for once it is under way, and no more, be it root's.
func TestPrivilegesKept(t *testing.T) {
	kerneltest.RequireRoot(t)
	ns := kerneltest.NetNS(t)
	inside := ready(t, start(t, ns, "tenant", "still"), "")
	pid := fmt.Sprint(inside.tenant.Process.Pid)
	walking := privilege.Walk.Capabilities() // of old kernels

	for _, c := range []struct {
		args string
		want []string
	}{
		{"trace", nil},
		{"trace --stack --json", []string{"cap_syslog"}},
		{"trace --columns time,netnsname", finding},
		{"trace netns = host", finding},
		{"trace --netns all --unit", finding},
		{"trace -- cat", []string{"cap_kill"}},
		{"watch -tanp", walking},
		{"watch -an --json --unit", walking},
		{"watch -tan --source procfs", nil},
		{"watch -tanp --source procfs", looking},
		{"watch -an --json --netns all", append([]string{"cap_sys_admin"}, append(finding, walking...)...)},
		{"watch -an --netns " + pid, append([]string{"cap_sys_admin"}, append(finding, walking...)...)},
		{"watch -rn", nil},
		{"watch -rn --netns " + pid, nil},
		{"watch -i", nil},
		{"watch -s", nil},
		{"watch -g", nil},
		{"-tanpc", append(loading, looking...)},
		{"-rnc", nil},
	} {
		t.Run(c.args, func(t *testing.T) {
			t.Parallel()
			at := ns
			if strings.HasSuffix(c.args, pid) {
				at = kerneltest.NetNS(t)
			}
			p := start(t, at, "netlive", strings.Fields(c.args)...)
			if strings.HasPrefix(c.args, "trace -- ") {
				p.awaitErr("TIME") // and no word on how it ends, which is the command's
			} else if _, err := p.out.ReadString('\n'); err != nil { // the table, or what is before the first event
				_, _, errs := p.wait()
				t.Fatalf("%v\n%s", err, errs)
			}
			awaitKept(t, p.Process.Pid, c.want...)
			if _, _, errs := p.end(unix.SIGTERM); bytes.Contains(errs, []byte("permi")) {
				t.Errorf("it says %s", errs)
			}
		})
	}
}

// A table that is printed once is without what it does not need while it is made: here it waits for a reader.
func TestPrivilegesOfTables(t *testing.T) {
	kerneltest.RequireRoot(t)
	ns := kerneltest.NetNS(t)
	ready(t, start(t, ns, "tenant", "still"), "")
	for args, want := range map[string][]string{
		"-tan": nil, "-rn": nil, "-s": nil, "-tanp": looking, "-tan --unit": looking, "-tan --netns all": append([]string{"cap_sys_admin"}, finding...),
	} {
		t.Run(args, func(t *testing.T) {
			var full [2]int
			if err := unix.Pipe2(full[:], unix.O_CLOEXEC|unix.O_NONBLOCK); err != nil {
				t.Fatal(err)
			}
			r, w := os.NewFile(uintptr(full[0]), "r"), os.NewFile(uintptr(full[1]), "w")
			defer r.Close()
			var err error
			for err == nil {
				_, err = unix.Write(full[1], make([]byte, 4096))
			}
			if err := unix.SetNonblock(full[1], false); err != nil {
				t.Fatal(err)
			}
			cmd := exec.Command("netlive", strings.Fields(args)...)
			cmd.Stdout = w
			if err := ns.Start(cmd); err != nil {
				t.Fatal(err)
			}
			defer func() { _ = cmd.Process.Kill(); _ = cmd.Wait() }()
			_ = w.Close()
			awaitKept(t, cmd.Process.Pid, want...)
		})
	}
}

// The command of a trace has what netlive was given: it may be sudo, or write files.
func TestCommandKeepsPrivileges(t *testing.T) {
	kerneltest.RequireRoot(t)
	ns := kerneltest.NetNS(t)
	file := filepath.Join(t.TempDir(), "written")
	script := `grep -E "^(Cap|NoNewPrivs|Seccomp)" /proc/self/status; mkdir "$0"`
	without := runIn(t, ns, "sh", "-c", script, file+"1")
	within := runIn(t, ns, "netlive", "trace", "--", "sh", "-c", script, file+"2")
	if !bytes.Equal(without, within) || !bytes.Contains(within, []byte("NoNewPrivs:\t0")) {
		t.Errorf("without netlive\n%swithin\n%s", without, within)
	}

	// It ends as netlive does, also when it has become another user.
	p := start(t, ns, "netlive", append([]string{"trace", "--"}, append(asNobody(""), "sh", "-c", "echo begun; exec sleep 1000")...)...)
	if line, err := p.out.ReadString('\n'); line != "begun\n" {
		t.Fatalf("%q, %v", line, err)
	}
	awaitKept(t, p.Process.Pid, "cap_kill")
	if code, _, errs := p.end(unix.SIGTERM); code != signaled+int(unix.SIGTERM) {
		t.Errorf("exit code %d, %s", code, errs)
	}
}
