// SPDX-License-Identifier: GPL-2.0-or-later

package doctor

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"netlive/internal/sock"
	"netlive/internal/tracer"
)

const allCaps = 1<<41 - 1

// whole is a machine on which nothing lacks.
func whole() (Facts, Trials) {
	f := Facts{
		Release: "6.18.1", Self: "thread-self", BTF: 5 << 20, Symbols: true, Lockdown: "none", EUID: 0,
		Sysctls: map[string]string{"kernel/unprivileged_bpf_disabled": "2", "kernel/perf_event_paranoid": "2", "kernel/kptr_restrict": "1"},
		Caps:    map[string]uint64{"CapEff": allCaps, "CapPrm": allCaps, "CapBnd": allCaps},
		Seccomp: "0", Memlock: "8388608", HostNet: 7, CgroupV2: []Mount{{"/sys/fs/cgroup", "/"}}, HideGID: -1, Accept: true, Tracefs: "/sys/kernel/tracing", IPv6: true,
		Namespaces: map[string]uint64{"cgroup": initialCgroup, "pid": initialPID, "user": initialUser, "net": 7},
	}
	t := Trials{Machine: "x86_64", Bits: 64, Root: true}
	typed := Opened{Hook: tracer.HookTyped, Announced: sock.News{Protos: sock.ProtosTCP | sock.ProtosUDP | sock.ProtosUDPLite | sock.ProtosRaw, Owners: true}}
	t.Watch, t.Trace = typed, typed
	all := tracer.AllEvents &^ sock.Events(sock.EventBind)
	t.BPF.Programs = []tracer.ProgramTrial{
		{Name: "dump_holders", Hook: "iter/task_file", Need: tracer.Need{Rows: true}},
		{Name: "dump_tcp", Hook: "iter/tcp", Need: tracer.Need{Table: true}},
		{Name: "dump_udp", Hook: "iter/udp", Need: tracer.Need{Table: true}},
		{Name: "dump_unix", Hook: "iter/unix", Need: tracer.Need{Table: true}},
		{Name: "inet_bind4", Hook: "cgroup/post_bind4", Need: tracer.Need{Table: true, Events: sock.Events(sock.EventBind)}},
		{Name: "watch_accept", Hook: "tracepoint/syscalls/sys_exit_accept", Need: tracer.Need{Events: sock.Events(sock.EventAccept)}},
		{Name: "watch_drop", Hook: "tp_btf/kfree_skb", Need: tracer.Need{Events: sock.Events(sock.EventDrop)}},
		{Name: "watch_tcp_state", Hook: "tp_btf/inet_sock_set_state", Need: tracer.Need{Events: all, Table: true}},
		{Name: "watch_tcp_state_classic", Hook: "tracepoint/sock/inet_sock_set_state", Need: tracer.Need{Classic: true}},
	}
	return f, t
}

var (
	errDenied      = fmt.Errorf("tracer: make a ring buffer: %w", os.ErrPermission)
	errUnsupported = fmt.Errorf("tracer: load: %w: line one\nline two", tracer.ErrUnsupported)
)

// refuse has everything of BPF fail.
func (t *Trials) refuse(err error) {
	t.BPF.Ring, t.BPF.Cookie, t.BPF.Storage, t.Classic = err, err, err, err
	t.Watch, t.Trace = Opened{Err: err}, Opened{Err: err}
	for i := range t.BPF.Programs {
		t.BPF.Programs[i].Err = err
	}
}

func (t *Trials) program(name string) *tracer.ProgramTrial {
	return &t.BPF.Programs[slices.IndexFunc(t.BPF.Programs, func(p tracer.ProgramTrial) bool { return p.Name == name })]
}

func (f *Facts) drop(caps ...Capability) {
	f.EUID = 1000
	for _, c := range caps {
		f.Caps["CapEff"] &^= 1 << c
	}
}

// Each thing that is taken away is named, and nothing else is; and so is what would bring it back.
func TestJudge(t *testing.T) {
	const setcap = "sudo setcap cap_bpf,cap_perfmon"
	for name, c := range map[string]struct {
		change  func(f *Facts, t *Trials)
		lacking string // names
		remedy  string // of the first of them
		unknown string
		sources string // of netlive, watch, watch -r, rates, trace
	}{
		"nothing": {change: func(*Facts, *Trials) {}},
		"no BTF": {
			func(f *Facts, t *Trials) {
				f.BTF = 0
				t.refuse(errUnsupported)
				t.BPF.Ring, t.Classic, t.program("watch_tcp_state_classic").Err = nil, nil, nil
				t.Watch = Opened{Hook: tracer.HookClassic, Lacks: tracer.AllEvents &^ sock.Events(sock.EventState), Why: errUnsupported}
				t.Trace = t.Watch
			},
			"btf tp_btf", "CONFIG_DEBUG_INFO_BTF=y",
			"cgroup socket_cookie socket_storage iterators dump_holders dump_tcp dump_udp dump_unix inet_bind4 watch_accept watch_drop watch_tcp_state tracefs",
			"procfs procfs rtnetlink sock_diag tracepoint",
		},
		"an old kernel": {
			func(f *Facts, t *Trials) {
				f.Release = "5.10.0"
				t.BPF.Cookie, t.program("watch_tcp_state").Err, t.Watch, t.Trace = errUnsupported, errUnsupported, Opened{Err: errUnsupported}, Opened{Err: errUnsupported}
			},
			"release socket_cookie tp_btf watch_tcp_state", "Linux 5.12", "cgroup", "procfs procfs rtnetlink sock_diag -",
		},
		"no tracepoint of 6.3": {
			func(f *Facts, t *Trials) {
				t.program("watch_drop").Err = errUnsupported
				t.Trace.Lacks, t.Trace.Why = sock.Events(sock.EventDrop), tracer.ErrUnsupported
			}, "watch_drop", "Linux 5.17 or newer", "", "",
		},
		"no bpf(2)": {
			func(f *Facts, t *Trials) {
				t.Syscall = unix.ENOSYS
				t.refuse(fmt.Errorf("tracer: make a ring buffer: %w", unix.ENOSYS))
			},
			"bpf(2) ring_buffer socket_cookie socket_storage tp_btf tracepoint iterators dump_holders dump_tcp dump_udp dump_unix inet_bind4 watch_accept watch_drop watch_tcp_state watch_tcp_state_classic",
			"CONFIG_BPF_SYSCALL", "cgroup tracefs", "procfs procfs rtnetlink sock_diag -",
		},
		"no capability": {
			func(f *Facts, t *Trials) {
				f.Caps["CapEff"], f.EUID, f.Symbols, f.Accept = 0, 1000, false, false
				t.Syscall = unix.EPERM
				t.refuse(errDenied)
			},
			"cap_bpf cap_perfmon cap_net_admin cap_sys_ptrace cap_dac_read_search cap_sys_admin cap_syslog kernel.kptr_restrict sock_destroy",
			"run as root, or once: " + setcap + "+ep /bin/netlive",
			"cgroup bpf(2) ring_buffer socket_cookie socket_storage tp_btf tracepoint iterators dump_holders dump_tcp dump_udp dump_unix inet_bind4 watch_accept watch_drop watch_tcp_state watch_tcp_state_classic tracefs",
			"procfs procfs rtnetlink sock_diag -",
		},
		"no CAP_NET_ADMIN": {
			func(f *Facts, t *Trials) {
				f.drop(NetAdmin)
				t.program("inet_bind4").Err = errDenied
				t.Watch.Lacks, t.Watch.Why, t.Watch.Announced = sock.Events(sock.EventBind), errDenied, sock.News{Protos: sock.ProtosTCP, Owners: true}
			},
			"cap_net_admin cgroup inet_bind4 sock_destroy", setcap + ",cap_net_admin+ep", "", "",
		},
		"no CAP_SYS_PTRACE, hidepid": {
			func(f *Facts, t *Trials) { f.drop(SysPtrace); f.HidePID, f.HostNet = "2", 0 },
			"cap_sys_ptrace hidepid", setcap + ",cap_sys_ptrace+ep", "net", "",
		},
		"tracefs is not for us": {
			func(f *Facts, t *Trials) {
				f.drop(DACReadSearch)
				f.Accept, t.program("watch_accept").Err = false, errDenied
			},
			"cap_dac_read_search watch_accept tracefs", setcap + ",cap_dac_read_search+ep", "", "",
		},
		"perf_event_paranoid": {
			func(f *Facts, t *Trials) {
				f.Sysctls["kernel/perf_event_paranoid"], t.program("watch_accept").Err = "4", errDenied
			},
			"kernel.perf_event_paranoid watch_accept tracefs", "sudo sysctl kernel.perf_event_paranoid=2", "", "",
		},
		"kptr_restrict": {
			func(f *Facts, t *Trials) { f.Symbols, f.Sysctls["kernel/kptr_restrict"] = false, "2" },
			"kernel.kptr_restrict", "sudo sysctl kernel.kptr_restrict=1", "", "",
		},
		"the capabilities for BPF by CAP_SYS_ADMIN": {change: func(f *Facts, t *Trials) { f.drop(BPF, Perfmon) }},
		"a container's root": {
			func(f *Facts, t *Trials) {
				f.Caps["CapBnd"] &^= 1 << NetAdmin
				f.Caps["CapEff"] &^= 1 << NetAdmin
			}, "cap_net_admin sock_destroy", "docker run --cap-add=NET_ADMIN, or CapabilityBoundingSet=", "", "",
		},
		"no_new_privs": {
			func(f *Facts, t *Trials) { f.drop(SysAdmin); f.NoNewPrivs = true }, "cap_sys_admin", "not under no_new_privs", "", "",
		},
		"lockdown": {
			func(f *Facts, t *Trials) {
				f.Lockdown = "confidentiality"
				t.Watch, t.Trace = Opened{Err: errDenied}, Opened{Err: errDenied}
			},
			"lockdown tp_btf", "lockdown=confidentiality", "cgroup", "procfs procfs rtnetlink sock_diag -",
		},
		"lockdown that does no harm": {change: func(f *Facts, t *Trials) { f.Lockdown = "integrity" }},
		"lockdown that is not known": {change: func(f *Facts, t *Trials) { f.Lockdown = "" }},
		"a filter of system calls": {
			func(f *Facts, t *Trials) {
				f.Seccomp = "2"
				t.Watch.Err, t.BPF.Ring, t.Syscall = errDenied, errDenied, unix.EPERM
			},
			"seccomp bpf(2) ring_buffer tp_btf", "let the seccomp filter pass bpf", "cgroup", "procfs procfs rtnetlink sock_diag tp_btf",
		},
		"a PID namespace": {
			func(f *Facts, t *Trials) { f.Namespaces["pid"] = 4026532999 }, "pid", "docker run --pid=host", "", "",
		},
		"another network namespace": {change: func(f *Facts, t *Trials) { f.Namespaces["net"] = 8 }},
		"a user namespace": {
			func(f *Facts, t *Trials) { f.Namespaces["user"] = 4026532999; t.refuse(errDenied) },
			"cap_bpf cap_perfmon cap_net_admin cap_sys_ptrace cap_dac_read_search cap_sys_admin cap_syslog user", "outside of this user namespace",
			"cgroup ring_buffer socket_cookie socket_storage tp_btf tracepoint iterators dump_holders dump_tcp dump_udp dump_unix inet_bind4 watch_accept watch_drop watch_tcp_state watch_tcp_state_classic tracefs sock_destroy",
			"procfs procfs rtnetlink sock_diag -",
		},
		"a cgroup namespace": {
			func(f *Facts, t *Trials) {
				f.Namespaces["cgroup"] = 4026532999
				t.Watch.Lacks, t.Watch.Why = sock.Events(sock.EventBind), errors.New("the root of cgroup v2 is not in sight")
			}, "cgroup", "--cgroupns=host", "", "",
		},
		"cgroup v1 alone": {
			func(f *Facts, t *Trials) {
				f.CgroupV2, f.CgroupV1 = nil, true
				t.Watch.Lacks, t.Watch.Why = sock.Events(sock.EventBind), errors.New("x")
			}, "cgroup", "mount -t cgroup2", "", "",
		},
		"cgroup v2 that is not mounted and had all the same": {change: func(f *Facts, t *Trials) { f.CgroupV2 = nil }},
		"no sock_diag": {
			func(f *Facts, t *Trials) { t.Diag, t.Destroy = unix.ENOENT, unix.ENOENT },
			"sock_diag sock_destroy", "modprobe -a tcp_diag", "", "procfs ebpf rtnetlink - tp_btf",
		},
		"no INET_DIAG_DESTROY": {
			func(f *Facts, t *Trials) { t.Destroy = unix.EOPNOTSUPP }, "sock_destroy", "CONFIG_INET_DIAG_DESTROY=y", "", "",
		},
		"no rtnetlink": {
			func(f *Facts, t *Trials) { t.Rtnl = unix.EAFNOSUPPORT }, "rtnetlink", "RestrictAddressFamilies", "", "procfs ebpf procfs sock_diag tp_btf",
		},
		"files of /proc/net": {func(f *Facts, t *Trials) { f.MissingNet = []string{"igmp"} }, "procfs", "a kernel that has them", "", ""},
		"no IPv6":            {change: func(f *Facts, t *Trials) { f.IPv6 = false }},
		"no /proc": {
			func(f *Facts, _ *Trials) { *f = Read(tree(map[string]string{"sys/kernel/btf/vmlinux": "x"})) },
			"kernel.kptr_restrict procfs", "", "cap_bpf cap_perfmon cap_net_admin cap_sys_ptrace cap_dac_read_search cap_sys_admin cap_syslog pid user net",
			"- ebpf rtnetlink sock_diag tp_btf",
		},
		"RLIMIT_MEMLOCK before 5.11": {
			func(f *Facts, _ *Trials) { f.drop(sysResource); f.Release, f.Memlock = "5.10.1", "65536" }, "RLIMIT_MEMLOCK", "ulimit -l unlimited", "", "",
		},
		"RLIMIT_MEMLOCK that is none": {change: func(f *Facts, _ *Trials) { f.drop(sysResource); f.Release, f.Memlock = "5.10.1", "unlimited" }},
		"32 bits":                     {func(f *Facts, t *Trials) { t.Bits = 32 }, "64-bit", "64-bit kernel", "", ""},
		"a 32-bit kernel":             {func(f *Facts, t *Trials) { t.Machine = "armv7l" }, "64-bit", "64-bit kernel", "", ""},
		"other machines":              {change: func(f *Facts, t *Trials) { t.Machine = "s390x" }},
		"arm64":                       {change: func(f *Facts, t *Trials) { t.Machine = "aarch64" }},
	} {
		f, trials := whole()
		c.change(&f, &trials)
		r := Judge(&f, &trials, "/bin/netlive")
		checkSound(t, name, &r)
		lacking, unknown := names(&r, Lacking), names(&r, Unknown)
		if got := strings.Join(lacking, " "); got != c.lacking || r.Lacking() != len(lacking) {
			t.Errorf("%s: lacking\n got %s\nwant %s", name, got, c.lacking)
		}
		if got := strings.Join(unknown, " "); got != c.unknown {
			t.Errorf("%s: unknown\n got %s\nwant %s", name, got, c.unknown)
		}
		for i := range r.Checks {
			if k := &r.Checks[i]; k.State == Lacking {
				if !strings.Contains(k.Remedy, c.remedy) {
					t.Errorf("%s: the remedy of %s is %q, want %q in it", name, k.Name, k.Remedy, c.remedy)
				}
				break
			}
		}
		if c.sources == "" {
			c.sources = "procfs ebpf rtnetlink sock_diag tp_btf"
		}
		if got := sources(&r); got != c.sources {
			t.Errorf("%s: sources %s, want %s", name, got, c.sources)
		}
	}
}

func names(r *Report, s State) (list []string) {
	for i := range r.Checks {
		if r.Checks[i].State == s {
			list = append(list, r.Checks[i].Name)
		}
	}
	return list
}

func sources(r *Report) string {
	var list []string
	for i := range r.Uses {
		u := &r.Uses[i]
		source := u.Source
		if source == "" {
			source = "-"
		}
		if u.Verb != "watch -i" && u.Verb != "watch close" {
			list = append(list, source)
		}
	}
	return strings.Join(list, " ")
}

// checkSound holds what is true of every report.
func checkSound(t *testing.T, name string, r *Report) {
	t.Helper()
	seen := map[string]bool{}
	for i := range r.Checks {
		c := &r.Checks[i]
		switch {
		case c.Found == "" || c.For == "" || c.Name == "" || !slices.Contains(Groups, c.Group):
			t.Errorf("%s: %+v is not whole", name, *c)
		case seen[c.Name]:
			t.Errorf("%s: %s is there twice", name, c.Name)
		case c.State == Lacking && c.Remedy == "":
			t.Errorf("%s: %s lacks, and nothing is said to mend it: %s", name, c.Name, c.Found)
		case c.State == OK && c.Remedy != "":
			t.Errorf("%s: %s is ok, and is to be mended by %s", name, c.Name, c.Remedy)
		case strings.ContainsAny(c.Found+c.For+c.Remedy, "\n\t"):
			t.Errorf("%s: %s has several lines: %q", name, c.Name, c.Found)
		}
		seen[c.Name] = true
	}
	for i := range r.Uses {
		if u := &r.Uses[i]; u.Source == "" && u.Note == "" {
			t.Errorf("%s: %s cannot be had, and nobody knows why", name, u.Verb)
		}
	}
}

// What verbs say when they fall back is what the doctor says of them.
func TestRemedy(t *testing.T) {
	f, _ := whole()
	for name, c := range map[string]struct {
		change func()
		err    error
		want   string
	}{
		"as root":         {func() {}, errDenied, ""},
		"no privilege":    {func() { f.drop(BPF, SysAdmin) }, errDenied, "run as root, or once: sudo setcap cap_bpf,cap_perfmon+ep /bin/netlive"},
		"an old kernel":   {func() { f.Release = "5.4" }, errUnsupported, newer},
		"no types":        {func() { f.BTF = 0 }, errUnsupported, typeless},
		"lockdown":        {func() { f.Lockdown = "confidentiality" }, errDenied, unlock},
		"seccomp":         {func() { f.Seccomp = "2" }, errDenied, unfilter},
		"32 bits":         {func() {}, fmt.Errorf("tracer: %w", tracer.ErrNarrow), wider},
		"anything else":   {func() {}, errors.New("x"), ""},
		"root, some lack": {func() { f.Caps["CapEff"] &^= 1<<BPF | 1<<SysAdmin }, errDenied, "run it with all capabilities of root, as sudo does"},
	} {
		f, _ = whole()
		c.change()
		if got := f.remedy(c.err, "/bin/netlive"); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
	if got := Remedy(nil, "x"); got != "" {
		t.Errorf("no error: %q", got)
	}
	if got := Remedy(errors.New("x"), "x"); got != "" {
		t.Errorf("another error: %q", got)
	}
	if got := Remedy(errUnsupported, "x"); got == "" {
		t.Error("nothing for a kernel that does not support it")
	}
}

func TestNeedWords(t *testing.T) {
	for _, c := range []struct {
		need tracer.Need
		want string
	}{
		{tracer.Need{Table: true, Events: tracer.AllEvents &^ sock.Events(sock.EventBind)}, "watch by events; trace"},
		{tracer.Need{Events: sock.Events(sock.EventReset, sock.EventClose)}, "trace --event close,reset"},
		{tracer.Need{Table: true, Follow: true}, "watch by events; trace -- COMMAND"},
		{tracer.Need{Rows: true}, "netlive with 5,000 sockets and more"},
		{tracer.Need{Classic: true}, "trace where there is no tp_btf"},
	} {
		if got := NeedWords(c.need); got != c.want {
			t.Errorf("%+v: %q, want %q", c.need, got, c.want)
		}
	}
}
