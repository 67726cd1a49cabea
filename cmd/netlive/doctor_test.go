// SPDX-License-Identifier: GPL-2.0-or-later

package main

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"
	"unsafe"

	"github.com/cilium/ebpf"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"golang.org/x/sys/unix"

	"netlive/internal/doctor"
	"netlive/internal/kerneltest"
)

// diagnosis is what netlive doctor --json prints.
type diagnosis struct {
	Lacking int
	Checks  []struct{ Group, Name, State, Found, Remedy string }
	Verbs   []struct {
		Verb, Source, Note, Remedy string
		Events                     []string
		NotTold                    []string `json:"not_told"`
	}
}

func (d *diagnosis) state(name string) string {
	for _, c := range d.Checks {
		if c.Name == name {
			return c.State
		}
	}
	return "not there"
}

func (d *diagnosis) remedy(name string) string {
	for _, c := range d.Checks {
		if c.Name == name {
			return c.Remedy
		}
	}
	return ""
}

func (d *diagnosis) source(verb string) string {
	for _, v := range d.Verbs {
		if v.Verb == verb {
			return v.Source
		}
	}
	return "not there"
}

func (d *diagnosis) notTold(verb string) string {
	for _, v := range d.Verbs {
		if v.Verb == verb {
			return strings.Join(v.NotTold, " ")
		}
	}
	return ""
}

// lacking are the names of what lacks but for programs.
func (d *diagnosis) lacking() string {
	var names []string
	for _, c := range d.Checks {
		if c.State == "lacking" && c.Group != "programs" {
			names = append(names, c.Name)
		}
	}
	return strings.Join(names, " ")
}

// examine runs a doctor in ns and holds what it prints against the schema, and its exit code against what it prints.
func examine(t *testing.T, ns *kerneltest.NS, command ...string) (d diagnosis) {
	t.Helper()
	p := start(t, ns, command[0], append(command[1:], "doctor", "--json")...)
	_ = p.stdin.Close()
	code, out, errs := p.wait()
	if len(errs) > 0 {
		t.Fatalf("%v says %s", command, errs)
	}
	schema, err := jsonschema.NewCompiler().Compile("../../docs/" + doctor.Schema + ".schema.json")
	if err != nil {
		t.Fatal(err)
	}
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(out))
	if err == nil {
		err = schema.Validate(v)
	}
	if err == nil {
		err = json.Unmarshal(out, &d)
	}
	if err != nil {
		t.Fatalf("%v: %v\n%s", command, err, out)
	}
	want := exitOK
	if d.Lacking > 0 {
		want = exitUnsupported
	}
	if code != want {
		t.Errorf("%v: exit code %d, want %d: lacking %s", command, code, want, d.lacking())
	}
	return d
}

// asNobody is a command that runs another as nobody, with no capabilities but those.
func asNobody(caps string) []string {
	set := "-all"
	if caps != "" {
		set += ",+" + strings.ReplaceAll(caps, ",", ",+")
	}
	return []string{"setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--bounding-set=" + set, "--inh-caps=" + set, "--ambient-caps=" + set}
}

// What the doctor says is the truth, whatever is taken from it: the lack is named, what needs it, and what stays as it is.
func TestDoctor(t *testing.T) {
	kerneltest.RequireRoot(t)
	kerneltest.MountTracefs(t)
	ns := kerneltest.NetNS(t)
	program, err := publicCopy(t, "netlive")
	if err != nil {
		t.Fatal(err)
	}
	whole := examine(t, ns, program)
	if whole.source("watch") != "ebpf" || whole.state("btf") != "ok" {
		t.Skipf("needs BPF as root: watch by %s, lacking %s", whole.source("watch"), whole.lacking())
	}
	// What lacks here anyway is not what a case takes away.
	here := strings.Fields(whole.lacking())
	documented := lacksTable(t)

	for name, c := range map[string]struct {
		command []string
		lacking string // besides, but for programs
		watch   string
		trace   string
		notTold string // by trace
		remedy  [2]string
		states  map[string]string
	}{
		"root": {watch: "ebpf", trace: "tp_btf", states: map[string]string{"watch_tcp_state": "ok", "inet_bind4": "ok", "sock_destroy": "ok", "cap_bpf": "ok", "iterators": "ok"}},
		"nobody": {
			command: asNobody(""), watch: "procfs", notTold: allKinds,
			lacking: "cap_bpf cap_perfmon cap_net_admin cap_sys_ptrace cap_dac_read_search cap_sys_admin cap_syslog kernel.kptr_restrict sock_destroy",
			remedy:  [2]string{"cap_bpf", "run as root, or once: sudo setcap cap_bpf,cap_perfmon+ep " + program},
			states:  map[string]string{"watch_tcp_state": "unknown", "ring_buffer": "unknown", "sock_diag": "ok", "rtnetlink": "ok", "procfs": "ok"},
		},
		"nobody with CAP_BPF and CAP_PERFMON": {
			command: asNobody("bpf,perfmon"), watch: "ebpf", trace: "tp_btf", notTold: "bind",
			lacking: "cap_net_admin cap_sys_ptrace cap_dac_read_search cap_sys_admin cap_syslog kernel.kptr_restrict cgroup tracefs sock_destroy",
			remedy:  [2]string{"cgroup", "sudo setcap cap_bpf,cap_perfmon,cap_net_admin+ep " + program},
			states:  map[string]string{"watch_tcp_state": "ok", "dump_task_file": "ok", "inet_bind4": "lacking", "watch_accept": "lacking", "socket_storage": "ok"},
		},
		"nobody with more": {
			command: asNobody("bpf,perfmon,net_admin,dac_read_search,syslog"), watch: "ebpf", trace: "tp_btf",
			lacking: "cap_sys_ptrace cap_sys_admin",
			states:  map[string]string{"watch_tcp_state": "ok", "inet_bind4": "ok", "watch_accept": "ok", "tracefs": "ok", "sock_destroy": "ok", "cgroup": "ok"},
		},
		"a PID namespace": {
			command: []string{"unshare", "--pid", "--fork", "--mount-proc", "--kill-child"}, watch: "ebpf", trace: "tp_btf", lacking: "pid",
			remedy: [2]string{"pid", "docker run --pid=host"},
		},
		"a cgroup namespace": {
			command: []string{"unshare", "--cgroup"}, watch: "ebpf", trace: "tp_btf", lacking: "cgroup", notTold: "bind", remedy: [2]string{"cgroup", "docker run --cgroupns=host"},
		},
		"a user namespace": {
			command: []string{"unshare", "--user", "--map-root-user"}, watch: "procfs", notTold: allKinds,
			lacking: "cap_bpf cap_perfmon cap_net_admin cap_sys_ptrace cap_dac_read_search cap_sys_admin cap_syslog kernel.kptr_restrict user",
			states:  map[string]string{"ring_buffer": "unknown", "sock_destroy": "unknown"},
		},
		"no BTF": {
			command: []string{"unshare", "--mount", "sh", "-c", `mount -t tmpfs none /sys/kernel/btf && exec "$0" "$@"`}, watch: "procfs", trace: "tracepoint",
			lacking: "btf tp_btf", notTold: strings.TrimPrefix(allKinds, "state "), remedy: [2]string{"btf", "CONFIG_DEBUG_INFO_BTF=y"},
			states: map[string]string{"watch_tcp_state": "unknown", "watch_tcp_state_classic": "ok", "tracepoint": "ok", "ring_buffer": "ok"},
		},
		"no BTF, tracefs not mounted": {
			command: []string{
				"unshare", "--mount", "sh", "-c", `mount -t tmpfs none /sys/kernel/btf &&
				for m in /sys/kernel/tracing /sys/kernel/debug; do ! mountpoint -q $m || umount --lazy --recursive $m || exit; done && exec "$0" "$@"`,
			}, watch: "procfs", trace: "tracepoint",
			lacking: "btf tp_btf", notTold: strings.TrimPrefix(allKinds, "state "), states: map[string]string{"tracepoint": "ok"},
		},
		"a hidden /proc": {
			command: []string{
				"unshare", "--mount", "sh", "-c",
				`mount -t proc -o hidepid=2 proc /proc && exec "$@"`, "sh", "setpriv", "--bounding-set=-sys_ptrace", "--inh-caps=-sys_ptrace",
			}, watch: "ebpf", trace: "tp_btf", lacking: "cap_sys_ptrace hidepid", remedy: [2]string{"hidepid", "sudo mount -o remount,hidepid=0 /proc"},
		},
		"no_new_privs": {command: []string{"setpriv", "--no-new-privs"}, watch: "ebpf", trace: "tp_btf"},
		"nobody with CAP_BPF alone": {
			command: asNobody("bpf"), watch: "procfs", notTold: allKinds,
			lacking: "cap_perfmon cap_net_admin cap_sys_ptrace cap_dac_read_search cap_sys_admin cap_syslog kernel.kptr_restrict sock_destroy tracefs",
			states:  map[string]string{"ring_buffer": "ok", "tracepoint": "unknown"},
		},
		"no bpf(2)": {
			command: []string{"without-bpf"}, watch: "procfs", notTold: allKinds, lacking: "bpf(2) iterators ring_buffer seccomp socket_cookie socket_storage tp_btf tracepoint",
			states: map[string]string{"sock_diag": "ok", "rtnetlink": "ok", "procfs": "ok", "sock_destroy": "ok"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			d := examine(t, ns, append(c.command, program)...)
			want := append(strings.Fields(c.lacking), here...)
			got := strings.Fields(d.lacking())
			slices.Sort(want)
			slices.Sort(got)
			if want = slices.Compact(want); !slices.Equal(got, want) {
				t.Errorf("lacking\n got %v\nwant %v", got, want)
			}
			if w, tr := d.source("watch"), d.source("trace"); w != c.watch || tr != c.trace {
				t.Errorf("watch by %q, trace by %q, want %q, %q", w, tr, c.watch, c.trace)
			}
			if got := d.notTold("trace"); got != c.notTold {
				t.Errorf("not told: %s, want %s", got, c.notTold)
			}
			if got := d.remedy(c.remedy[0]); !strings.Contains(got, c.remedy[1]) {
				t.Errorf("remedy of %s: %q, want %q in it", c.remedy[0], got, c.remedy[1])
			}
			for name, want := range c.states {
				if got := d.state(name); got != want {
					t.Errorf("%s is %s, want %s", name, got, want)
				}
			}
			if got, want := documented[name], lacksRow(&d); got != want {
				t.Errorf("docs/kernels.md has of it\n%q, this is\n%q", got, want)
			}
			delete(documented, name)
		})
	}
	for name := range documented {
		t.Errorf("docs/kernels.md has %s, which was not tried", name)
	}
}

// lacksRow is what a diagnosis says of the verbs, as the table in docs/kernels.md has it.
func lacksRow(d *diagnosis) string {
	word := func(verb string) string {
		source, not := cmp.Or(d.source(verb), "no"), d.notTold(verb)
		switch {
		case source == "no" || source == "procfs" || not == "":
			return source
		case source == "tracepoint":
			return source + ", only state"
		}
		return source + ", not " + not
	}
	return strings.Join([]string{word("netlive"), word("watch"), word("trace"), word("watch -r"), word("watch rates"), word("watch close")}, " | ")
}

// lacksTable are the rows of docs/kernels.md that say what each lack costs, by what they take away.
func lacksTable(t *testing.T) map[string]string {
	t.Helper()
	doc, err := os.ReadFile("../../docs/kernels.md")
	if err != nil {
		t.Fatal(err)
	}
	_, text, _ := strings.Cut(string(doc), "\n| taken away |")
	text, _, _ = strings.Cut(text, "\n\n")
	rows := map[string]string{}
	for line := range strings.Lines(text) {
		cells := strings.SplitN(strings.Trim(strings.TrimSpace(line), "|"), "|", 3) // what, how, and the rest
		if len(cells) == 3 && !strings.HasPrefix(cells[0], "-") && strings.HasPrefix(line, "| ") {
			rows[strings.TrimSpace(cells[0])] = strings.TrimSpace(cells[2])
		}
	}
	return rows
}

// mainWithoutBPF runs a command to which bpf(2) is refused, as the filters of system calls do that containers have.
func mainWithoutBPF() {
	const allow, refuse = 0x7fff0000, 0x00050000 // SECCOMP_RET_ALLOW, SECCOMP_RET_ERRNO (linux/seccomp.h)
	filter := []unix.SockFilter{
		{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, K: 0}, // struct seccomp_data begins with the number of the call
		{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, K: unix.SYS_BPF, Jf: 1},
		{Code: unix.BPF_RET | unix.BPF_K, K: refuse | uint32(unix.EPERM)},
		{Code: unix.BPF_RET | unix.BPF_K, K: allow},
	}
	program := unix.SockFprog{Len: uint16(len(filter)), Filter: &filter[0]}
	runtime.LockOSThread() // the filter is this thread's, and exec is to be called by it
	err := unix.Prctl(unix.PR_SET_SECCOMP, unix.SECCOMP_MODE_FILTER, uintptr(unsafe.Pointer(&program)), 0, 0)
	if err == nil {
		err = unix.Exec(os.Args[1], os.Args[1:], os.Environ())
	}
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}

const allKinds = "state listen open accept fail close retransmit reset drop overflow error bind"

// The verbs say in the doctor's words why they fall back, and what would mend it.
func TestDoctorsWords(t *testing.T) {
	kerneltest.RequireRoot(t)
	ns := kerneltest.NetNS(t)
	program, err := publicCopy(t, "netlive")
	if err != nil {
		t.Fatal(err)
	}
	for _, command := range [][]string{asNobody(""), {"unshare", "--user", "--map-root-user"}} {
		d := examine(t, ns, append(command, program)...)
		said := map[string]string{}
		for verb, args := range map[string][]string{"trace": {"trace"}, "watch": {"watch", "-tan", "--count", "1"}} {
			p := start(t, ns, command[0], append(append(slices.Clone(command[1:]), program), args...)...)
			_ = p.stdin.Close()
			_, _, errs := p.wait()
			said[verb] = string(errs)
		}
		for _, v := range d.Verbs {
			switch v.Verb {
			case "trace":
				if want := "netlive: " + v.Note + "\nnetlive: " + v.Remedy + "\n"; said["trace"] != want {
					t.Errorf("trace says %q, the doctor %q", said["trace"], want)
				}
			case "watch":
				_, why, _ := strings.Cut(v.Note, ": ")
				if !strings.HasSuffix(said["watch"], ": "+why+"\n") {
					t.Errorf("watch says %q, the doctor %q", said["watch"], v.Note)
				}
			}
		}
	}
}

// The text has the same truth; where it goes nobody cares, it is not cut or coloured there.
func TestDoctorText(t *testing.T) {
	kerneltest.RequireRoot(t)
	ns := kerneltest.NetNS(t)
	program, err := publicCopy(t, "netlive")
	if err != nil {
		t.Fatal(err)
	}
	command := append(asNobody(""), program, "doctor")
	p := start(t, ns, command[0], command[1:]...)
	code, out, errs := p.wait()
	if code != exitUnsupported || len(errs) > 0 {
		t.Errorf("exit code %d, %s", code, errs)
	}
	for _, want := range []string{"\n  LACKS  cap_bpf ", "\n  trace        cannot be had\n", " things are missing that netlive can use.\n"} {
		if !strings.Contains(string(out), want) {
			t.Errorf("no %q in\n%s", want, out)
		}
	}
	if bytes.Contains(out, []byte("\x1b")) {
		t.Error("colour where there is no terminal")
	}
	p = start(t, ns, command[0], append(command[1:], "--color", "always")...)
	if _, out, _ := p.wait(); !bytes.Contains(out, []byte("  \x1b[31mLACKS\x1b[m  cap_bpf ")) {
		t.Errorf("no colour with --color always:\n%s", out)
	}

	for _, args := range [][]string{{"me"}, {"--color", "red"}, {"--wrong"}} {
		p := start(t, ns, program, append([]string{"doctor"}, args...)...)
		if code, out, errs := p.wait(); code != exitUsage || len(out) > 0 || !bytes.HasPrefix(errs, []byte("netlive doctor: ")) {
			t.Errorf("%v: exit code %d, %q, %q", args, code, out, errs)
		}
	}
}

// Nothing of ours is in the kernel when a doctor has gone.
func TestDoctorLeavesNothing(t *testing.T) {
	kerneltest.RequireRoot(t)
	ns := kerneltest.NetNS(t)
	program, err := publicCopy(t, "netlive")
	if err != nil {
		t.Fatal(err)
	}
	before := ours(t)
	examine(t, ns, program)
	// The kernel frees when nobody uses them any more. Other tests' come and go meanwhile: a leak is what stays.
	left := ours(t)
	for deadline := time.Now().Add(limit); len(left) > 0 && time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		now := ours(t)
		for what := range left {
			if !now[what] || before[what] {
				delete(left, what)
			}
		}
	}
	for what := range left {
		t.Errorf("left in the kernel: %+v", what)
	}
}

// object is a program or a map in the kernel.
type object struct {
	id   uint32
	name string
}

// ours are the programs and maps of netlive's names in the kernel. Names are cut at 15 bytes.
func ours(t *testing.T) map[object]bool {
	t.Helper()
	found := map[object]bool{}
	gone := func(err error) bool { return errors.Is(err, fs.ErrNotExist) }
	id := ebpf.ProgramID(0)
	for {
		next, err := ebpf.ProgramGetNextID(id)
		if gone(err) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		id = next
		p, err := ebpf.NewProgramFromID(id)
		if err != nil {
			continue // it went meanwhile
		}
		if info, err := p.Info(); err == nil && slices.ContainsFunc([]string{"watch_", "dump_", "inet_"}, func(prefix string) bool { return strings.HasPrefix(info.Name, prefix) }) {
			found[object{uint32(id), info.Name}] = true
		}
		_ = p.Close()
	}
	mapID := ebpf.MapID(0)
	for {
		next, err := ebpf.MapGetNextID(mapID)
		if gone(err) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		mapID = next
		m, err := ebpf.NewMapFromID(mapID)
		if err != nil {
			continue
		}
		if info, err := m.Info(); err == nil && slices.Contains([]string{"events", "lives", "pasts", "ends", "followed", "unix_records"}, info.Name) {
			found[object{uint32(mapID), info.Name}] = true
		}
		_ = m.Close()
	}
	return found
}
