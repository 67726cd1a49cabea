// SPDX-License-Identifier: GPL-2.0-or-later

package doctor

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"

	"netlive/internal/sock"
	"netlive/internal/tracer"
)

func (j *judge) privileges() {
	j.group = GroupPrivileges
	for _, c := range capabilities {
		state, found := OK, "effective"
		switch {
		case len(j.Caps) == 0:
			state, found = Unknown, "no /proc/PID/status"
		case !j.InitialUser():
			state, found = Lacking, "in a user namespace, where it does not count"
		case (c.cap == BPF || c.cap == Perfmon) && !j.Has(c.cap) && j.Has(SysAdmin):
			found = "by cap_sys_admin"
		case !j.Has(c.cap) && j.Caps["CapBnd"]&(1<<c.cap) == 0:
			state, found = Lacking, "not effective, and not in the bounding set"
		case !j.Has(c.cap):
			state, found = Lacking, "not effective"
		}
		j.add(c.name, state, found, c.adds, j.grant(j.self, c.cap))
	}

	state, found := OK, cmp.Or(j.Memlock, "not known")
	switch limit, err := strconv.ParseUint(j.Memlock, 10, 64); {
	case j.since(5, 11):
		found += "; no matter since Linux 5.11"
	case err == nil && limit < memlockMin && !j.Has(sysResource):
		state = Lacking
	}
	j.add("RLIMIT_MEMLOCK", state, found, "trace before Linux 5.11: memory of BPF counts", "ulimit -l unlimited, as root; LimitMEMLOCK=infinity of the systemd unit")

	paranoid := j.Sysctls["kernel/perf_event_paranoid"]
	state, found = OK, cmp.Or(paranoid, "not there")
	// 3 and more are of Debian, Ubuntu and Android: nobody may then, or with CAP_SYS_ADMIN alone.
	if level, err := strconv.Atoi(paranoid); err == nil && level > 2 && j.Accept && errors.Is(j.accept(), os.ErrPermission) && j.privileged() {
		state = Lacking
	}
	j.add("kernel.perf_event_paranoid", state, found, "trace: the instant of accept(2)", "sudo sysctl kernel.perf_event_paranoid=2")

	restrict := j.Sysctls["kernel/kptr_restrict"]
	state, found = OK, fmt.Sprintf("%s, and /proc/kallsyms has addresses", cmp.Or(restrict, "not there"))
	remedy := j.grant(j.self, Syslog)
	if !j.Symbols {
		state, found = Lacking, fmt.Sprintf("%s, and /proc/kallsyms has none for us", cmp.Or(restrict, "not there"))
		if restrict == "2" {
			remedy = "sudo sysctl kernel.kptr_restrict=1; then " + remedy
		}
	}
	j.add("kernel.kptr_restrict", state, found, "trace --stack: the kernel's functions by name, else by address", remedy)

	state, found = OK, "none"
	switch {
	case j.Seccomp == "":
		found = "not in this kernel"
	case j.Seccomp == "0":
	case j.t.BPF.Ring == nil:
		found = "a filter, and it lets bpf(2) pass"
	case errors.Is(j.t.BPF.Ring, os.ErrPermission) && j.privileged():
		state, found = Lacking, "a filter, and bpf(2) is refused"
	default:
		state, found = Unknown, "a filter; bpf(2) is "+notTried
	}
	j.add("seccomp", state, found, "watch by events, trace: bpf(2) and perf_event_open(2)", unfilter)

	found = fmt.Sprintf("version %d", j.t.Landlock)
	if j.t.Landlock == 0 {
		found = "not in this kernel; capabilities are given up all the same" // which takes nothing from anybody, so it is no lack
	}
	j.add("landlock", OK, found, "giving up files, programs and TCP once attached, where nothing is lost by it", "Linux 5.13 or newer, booted with landlock among lsm=")
}

const (
	sysResource Capability = 24
	// memlockMin is what the ring and the tables take at most, in bytes.
	memlockMin = 64 << 20
)

// accept is the error of hanging up the programs of accept(2).
func (j *judge) accept() error {
	var err error
	for i := range j.t.BPF.Programs {
		if p := &j.t.BPF.Programs[i]; strings.HasPrefix(p.Hook, "tracepoint/syscalls/") {
			err = cmp.Or(err, p.Err)
		}
	}
	return err
}

// acceptable is what mends the error of accept.
func (j *judge) acceptable(err error) string {
	switch denied := errors.Is(err, os.ErrPermission); {
	case denied && !j.Accept && j.Tracefs == "" && !j.Has(SysAdmin):
		return "sudo mount -t tracefs tracefs /sys/kernel/tracing; " + j.grant(j.self, DACReadSearch)
	case denied && !j.Accept:
		return j.grant(j.self, DACReadSearch)
	case denied:
		return "sudo sysctl kernel.perf_event_paranoid=2"
	}
	return "sudo mount -t tracefs tracefs /sys/kernel/tracing; a kernel with CONFIG_FTRACE_SYSCALLS=y"
}

// destroy is the error of closing a connection. The kernel looks for the socket before it asks who wants that (net/ipv4/tcp_diag.c,
// tcp_diag_destroy), so there being none says nothing of the privilege.
func (j *judge) destroy() error {
	if err := j.t.Destroy; err != nil || j.Has(NetAdmin) || len(j.Caps) == 0 {
		return err
	}
	return fmt.Errorf("sockdiag: destroy: CAP_NET_ADMIN: %w", os.ErrPermission)
}

func (j *judge) namespaces() {
	j.group = GroupNamespaces
	of := func(kind string, initial uint64, needed, remedy string) {
		state, found := OK, "the first of the kernel"
		switch j.Namespaces[kind] {
		case initial:
		case 0:
			state, found = Unknown, "not known"
		default:
			state, found = Lacking, fmt.Sprintf("one of its own, %d", j.Namespaces[kind])
		}
		j.add(kind, state, found, needed, remedy)
	}
	of("pid", initialPID, "watch, trace, -p: processes outside of it are not named", "docker run --pid=host, or run it outside of the PID namespace")
	of("user", initialUser, "watch by events, trace: capabilities in it do not count for BPF", "run it as root of the host, outside of the user namespace")

	state, found, remedy := OK, "that of PID 1", ""
	switch own := j.Namespaces["net"]; {
	case own == 0 || j.HostNet == 0:
		state, found = Unknown, "whether it is that of PID 1 may not be looked at"
		if !j.Has(SysPtrace) {
			remedy = j.grant(j.self, SysPtrace, SysAdmin)
		}
		if own != 0 {
			found = fmt.Sprintf("%d; %s", own, found)
		}
	case own != j.HostNet:
		found = fmt.Sprintf("%d, not that of PID 1", own)
	}
	j.add("net", state, found, "--netns host, --netns all; without --netns sockets of this one alone are shown", remedy)
	j.cgroup()
}

// cgroup is about the root of cgroup v2, at which programs hang.
func (j *judge) cgroup() {
	const needed = "watch: news of UDP and raw sockets, else they are walked each interval; trace --event bind; --unit, container and cgroup"
	found, whole := "not mounted", false
	for _, m := range j.CgroupV2 {
		if !whole {
			found, whole = "v2 at "+m.Dir, m.Root == "/"
		}
	}
	if j.CgroupV1 {
		found += ", v1 beside it"
	}
	var remedy string
	own := j.Namespaces["cgroup"] != initialCgroup && j.Namespaces["cgroup"] != 0
	switch {
	case own:
		found, remedy = found+", a namespace of its own", "docker run --cgroupns=host"
	case !whole:
		remedy = "sudo mount -t cgroup2 cgroup2 /sys/fs/cgroup/unified, or boot with systemd.unified_cgroup_hierarchy=1"
	}
	state := OK
	switch open := j.t.Watch; {
	case j.typed() && !open.Lacks.Has(sock.EventBind):
		if remedy != "" {
			found += "; reached all the same"
		}
	case j.typed():
		state, found = Lacking, fmt.Sprintf("%s; %v", found, oneLine(open.Why))
		remedy = cmp.Or(remedy, j.grant(j.self, NetAdmin))
	case remedy != "":
		state = Lacking
	default:
		state, found = Unknown, found+"; programs at its root: "+notTried
	}
	j.add("cgroup", state, found, needed, remedy)
}

func (j *judge) sources() {
	j.group = GroupSources
	state, found := OK, fmt.Sprintf("/proc/%s/net: %s", j.Self, strings.Join(netTables, " "))
	switch {
	case j.Self == "":
		state, found = Lacking, "no /proc"
	case len(j.MissingNet) > 0:
		state, found = Lacking, "/proc/net without "+strings.Join(j.MissingNet, " ")
	case !j.IPv6:
		found += "; no IPv6 here"
	}
	remedy := "sudo mount -t proc proc /proc"
	if j.Self != "" {
		remedy = "a kernel that has them: they are not here (" + cmp.Or(j.Container, "CONFIG_INET, CONFIG_UNIX, CONFIG_PROC_FS") + ")"
	}
	j.add("procfs", state, found, "netlive, watch without BPF: the tables", remedy)

	state, found = OK, "no"
	if j.HidePID != "" {
		found = "hidepid=" + j.HidePID + ", not from us"
	}
	if !j.mayLook() {
		state, found = Lacking, "hidepid="+j.HidePID
	}
	j.add("hidepid", state, found, "netlive -p, watch without BPF, --netns: processes of other users", "sudo mount -o remount,hidepid=0 /proc, or "+j.grant(j.self, SysPtrace))

	err := j.accept()
	remedy = j.acceptable(err)
	state, found = OK, "accept(2) is told"
	switch {
	case err == nil:
	case j.t.BPF.Ring != nil && j.Accept, errors.Is(err, tracer.ErrUnsupported) && j.BTF == 0:
		state, found, remedy = Unknown, notTried, ""
	case j.t.BPF.Ring != nil:
		state, found = Unknown, "not to be read by us; "+notTried
	default:
		state, found = Lacking, oneLine(err)
	}
	j.add("tracefs", state, found, "trace: the instant of accept(2) and how long a connection waited for it; else the first use tells who, and not when", remedy)

	j.asked("sock_diag", j.t.Diag, "watch: rates, round-trip times, retransmits and the detail of a connection", "sudo modprobe -a tcp_diag, or a kernel with CONFIG_INET_DIAG=y")
	destroy := "a kernel with CONFIG_INET_DIAG_DESTROY=y"
	if errors.Is(j.destroy(), os.ErrPermission) {
		destroy = j.grant(j.self, NetAdmin)
	}
	if j.destroy() == nil && !j.InitialUser() {
		j.add("sock_destroy", Unknown, noneElse, closing, "")
	} else {
		j.asked("sock_destroy", j.destroy(), closing, destroy)
	}
	j.asked("rtnetlink", j.t.Rtnl, "watch -r, watch -i: changes are told at once; else they are looked for each interval", "a kernel with CONFIG_NET; no filter on netlink sockets (RestrictAddressFamilies= of the systemd unit)")
}

const (
	closing  = "watch: closing a connection (X)"
	noneElse = "in network namespaces that belong to this user namespace, and no other"
)

// asked adds what came of asking the kernel for something that takes no BPF.
func (j *judge) asked(name string, err error, needed, remedy string) {
	state, found := OK, "answers"
	if err != nil {
		state, found = Lacking, oneLine(err)
	}
	j.add(name, state, found, needed, remedy)
}

// oneLine is an error in one line: joined ones have several.
func oneLine(err error) string { return strings.ReplaceAll(err.Error(), "\n", "; ") }
