// SPDX-License-Identifier: GPL-2.0-or-later

package privilege

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"testing"
	"time"

	"golang.org/x/sys/unix"
	"kernel.org/pub/linux/libs/security/libcap/cap"

	"netlive/internal/kerneltest"
)

// restrict has a child take steps.
func restrict(t *testing.T, s steps, as ...string) (states []state) {
	t.Helper()
	kerneltest.RequireRoot(t)
	dir, err := os.MkdirTemp("", "privilege")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	s.Dir = dir
	program := filepath.Join(dir, "child")
	text, err := os.ReadFile(os.Args[0])
	if err == nil {
		err = errors.Join(os.WriteFile(program, text, 0o755), os.Chmod(dir, 0o777))
	}
	if err != nil {
		t.Fatal(err)
	}
	arg, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	words := append(slices.Clone(as), program)
	cmd := exec.Command(words[0], words[1:]...)
	cmd.Env = append(os.Environ(), stepsKey+"="+string(arg))
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := kerneltest.NetNS(t).Start(cmd); err != nil {
		t.Fatal(err)
	}
	stuck := time.AfterFunc(2*time.Minute, func() {
		t.Errorf("a child is stuck at\n%s", kerneltest.Where(cmd.Process.Pid))
		_ = cmd.Process.Signal(unix.SIGQUIT) // for Go's stacks
	})
	defer stuck.Stop()
	if err := cmd.Wait(); err != nil {
		t.Fatalf("%v\n%s", err, errs.String())
	}
	for decoder := json.NewDecoder(&out); decoder.More(); {
		var now state
		if err := decoder.Decode(&now); err != nil {
			t.Fatal(err)
		}
		states = append(states, now)
	}
	return states
}

// set is what /proc shows of capabilities.
func set(caps ...cap.Value) string {
	bits := uint64(0)
	for _, c := range caps {
		bits |= 1 << c
	}
	return fmt.Sprintf("%016x", bits)
}

// check holds a state against what is wanted of it: all threads are alike.
func (s *state) check(t *testing.T, what string, want map[string]string, tried map[string]string) {
	t.Helper()
	if len(s.Threads) != 1 {
		t.Errorf("%s: threads differ: %v", what, s.Threads)
	}
	for key, value := range want {
		if got := s.Threads[0][key]; got != value {
			t.Errorf("%s: %s is %s, want %s", what, key, got, value)
		}
	}
	// Be it root's: no more than what runs it has, although the bounding set is full.
	if caps := want["CapPrm"]; s.Gained != "" && s.Gained != set() && caps != "" && s.Gained != caps {
		t.Errorf("%s: a program that is run has %s, want %s or none", what, s.Gained, caps)
	}
	for thing, err := range tried {
		if got, ok := s.Tried[thing]; !ok || got != err {
			t.Errorf("%s: %s: %q, want %q", what, thing, got, err)
		}
	}
}

// free are the things that nobody is kept from.
var free = map[string]string{
	"write what is open": "", "make": "", "write": "", "read": "", "mkdir": "", "run": "", "connect": "ECONNREFUSED", "connect to 53": "ECONNREFUSED",
	"udp": "", "bind": "", "its name": "", "look into itself": "",
}

// confined are the things that can be done within the domain.
func confined() map[string]string {
	if Landlock() == 0 {
		return free
	}
	m := map[string]string{
		"write what is open": "", "make": "EACCES", "write": "EACCES", "read": "", "mkdir": "EACCES", "run": "EACCES", "connect": "EACCES",
		"connect to 53": "ECONNREFUSED", "udp": "", "bind": "EACCES", "look into another": "EACCES", "its descriptors": "EACCES", "its name": "", "look into itself": "",
	}
	if Landlock() < 4 {
		m["connect"], m["bind"] = "ECONNREFUSED", ""
	}
	return m
}

// All threads of root keep what the uses need and nothing else, and what was opened before goes on.
func TestRestrict(t *testing.T) {
	none := set()
	for name, c := range map[string]struct {
		uses  Use
		caps  []cap.Value
		tried map[string]string
	}{
		"nothing":              {0, nil, confined()},
		"names":                {Name, nil, confined()},
		"the kernel's symbols": {Symbols, []cap.Value{cap.SYSLOG}, confined()},
		"owners":               {Look, []cap.Value{cap.SYS_PTRACE, cap.DAC_READ_SEARCH}, with(free, "look into another", "")},
		"names of namespaces":  {Find, []cap.Value{cap.SYS_PTRACE}, with(free, "look into another", "")},
		"namespaces":           {Enter, []cap.Value{cap.SYS_PTRACE, cap.SYS_ADMIN}, with(free, "its descriptors", "")},
		"a screen": {
			Name | Look | Subscribe | Measure | Destroy | Signal | Save,
			[]cap.Value{cap.SYS_PTRACE, cap.DAC_READ_SEARCH, cap.NET_ADMIN, cap.KILL, cap.DAC_OVERRIDE}, free,
		},
	} {
		t.Run(name, func(t *testing.T) {
			states := restrict(t, steps{Uses: []Use{c.uses}})
			states[0].check(t, "before", map[string]string{"NoNewPrivs": "0"}, with(free, "look into another", ""))
			if states[0].Threads[0]["CapEff"] == none {
				t.Error("root begins with nothing")
			}
			caps := set(c.caps...)
			states[1].check(t, "after", map[string]string{
				"CapEff": caps, "CapPrm": caps, "CapInh": none, "CapBnd": states[0].Threads[0]["CapBnd"], "CapAmb": none, "NoNewPrivs": "1", "Uid": states[0].Threads[0]["Uid"],
			}, c.tried)
		})
	}
}

// with is m with one more.
func with(m map[string]string, key, value string) map[string]string {
	n := map[string]string{key: value}
	for k, v := range m {
		n[k] = v
	}
	return n
}

// What is given up does not come back, and more can be given up later.
func TestNarrow(t *testing.T) {
	states := restrict(t, steps{Uses: []Use{Load | Look, Look, Look | Load, 0, Look}})
	load := set(cap.SYS_PTRACE, cap.DAC_READ_SEARCH, cap.BPF, cap.PERFMON, cap.NET_ADMIN, cap.SYS_ADMIN)
	look := set(cap.SYS_PTRACE, cap.DAC_READ_SEARCH)
	bounding := states[0].Threads[0]["CapBnd"]
	if resource, err := cap.GetProc().GetFlag(cap.Permitted, cap.SYS_RESOURCE); err == nil && resource {
		load = set(cap.SYS_PTRACE, cap.DAC_READ_SEARCH, cap.BPF, cap.PERFMON, cap.NET_ADMIN, cap.SYS_ADMIN, cap.SYS_RESOURCE)
	}
	for i, caps := range []string{load, look, look, set(), set()} {
		tried := free
		if i >= 3 {
			tried = confined()
		}
		states[i+1].check(t, fmt.Sprint("step ", i), map[string]string{"CapEff": caps, "CapPrm": caps, "CapBnd": bounding, "NoNewPrivs": "1"}, tried)
	}
}

// Who is not root keeps what it was given of what is needed.
func TestRestrictNobody(t *testing.T) {
	const given = "-all,+bpf,+perfmon,+kill,+sys_ptrace"
	as := []string{"setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--bounding-set=" + given, "--inh-caps=" + given, "--ambient-caps=" + given}
	states := restrict(t, steps{Uses: []Use{Load | Look, Look, 0}}, as...)
	all := set(cap.BPF, cap.PERFMON, cap.KILL, cap.SYS_PTRACE)
	states[0].check(t, "before", map[string]string{"CapEff": all, "CapPrm": all, "CapInh": all, "CapAmb": all, "NoNewPrivs": "0"}, nil)
	for i, caps := range []string{set(cap.BPF, cap.PERFMON, cap.SYS_PTRACE), set(cap.SYS_PTRACE), set()} {
		states[i+1].check(t, fmt.Sprint("step ", i), map[string]string{
			"CapEff": caps, "CapPrm": caps, "CapInh": set(), "CapAmb": set(), "CapBnd": all, "NoNewPrivs": "1", "Uid": "65534\t65534\t65534\t65534",
		}, nil)
	}
	states[3].check(t, "at last", nil, confined())
}

// Who may look into its own processes alone, of those into all whose capabilities it has, keeps them while it does.
func TestRestrictOwn(t *testing.T) {
	const given = "-all,+bpf,+perfmon"
	as := []string{"setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--bounding-set=" + given, "--inh-caps=" + given, "--ambient-caps=" + given}
	states := restrict(t, steps{Uses: []Use{Look, Find}}, as...)
	for i, caps := range []string{set(cap.BPF, cap.PERFMON), set()} {
		states[i+1].check(t, fmt.Sprint("step ", i), map[string]string{"CapEff": caps, "CapPrm": caps, "CapInh": set(), "CapAmb": set(), "NoNewPrivs": "1"}, free)
	}
}

// Why those that look into processes are in no domain: there not even root with all capabilities may. Should a kernel allow it one day, they can be.
func TestDomainHidesProcesses(t *testing.T) {
	if Landlock() == 0 {
		t.Skip("needs a kernel with Landlock")
	}
	states := restrict(t, steps{Alone: true})
	states[0].check(t, "before", nil, map[string]string{"look into another": "", "its descriptors": ""})
	states[1].check(t, "within", map[string]string{"CapEff": states[0].Threads[0]["CapEff"]}, map[string]string{"look into another": "EACCES", "its descriptors": "EACCES"})
}

// Where /proc hides processes their names take CAP_SYS_PTRACE, and no domain.
func TestHiddenProcesses(t *testing.T) {
	hide := []string{"unshare", "--mount", "sh", "-c", `mount -t proc -o hidepid=2 proc /proc && exec "$@"`, "sh"}
	states := restrict(t, steps{Uses: []Use{Name, 0}}, hide...)
	states[1].check(t, "names", map[string]string{"CapEff": set(cap.SYS_PTRACE)}, free)
	states[2].check(t, "nothing", map[string]string{"CapEff": set()}, with(confined(), "its name", "ENOENT"))
}

// Who asks whether the kernel wants CAP_BPF for all of bpf(2) has all that it had before.
func TestAllOfBPF(t *testing.T) {
	kerneltest.RequireRoot(t)
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	before := cap.GetProc().String()
	got := allOfBPF()
	if after := cap.GetProc().String(); after != before {
		t.Errorf("%s before, %s after", before, after)
	}
	text, err := os.ReadFile("/proc/sys/kernel/unprivileged_bpf_disabled")
	if errors.Is(err, os.ErrNotExist) {
		t.Skip("needs a kernel with bpf(2)")
	}
	if err != nil {
		t.Fatal(err)
	}
	if want := string(text) != "0\n" && !kerneltest.Since(5, 19); got != want {
		t.Errorf("%v, want %v: kernel.unprivileged_bpf_disabled %s", got, want, text)
	}
}
