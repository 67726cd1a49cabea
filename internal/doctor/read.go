// SPDX-License-Identifier: GPL-2.0-or-later

package doctor

import (
	"bufio"
	"bytes"
	"io"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"
)

// Facts are what files of the kernel say. What could not be read is empty, and its zero value means that it is not known.
type Facts struct {
	Release string // /proc/sys/kernel/osrelease
	Banner  string // /proc/version
	Self    string // the directory of this thread below proc: thread-self, or self where there is no other (gVisor); "" without /proc
	BTF     int64  // bytes of /sys/kernel/btf/vmlinux; 0 is none
	Symbols bool   // /proc/kallsyms shows addresses
	// Sysctls are those of sysctls; what is not there is "".
	Sysctls map[string]string
	// Lockdown is none, integrity, confidentiality, absent (not in this kernel), or "".
	Lockdown string

	EUID       int               // effective; -1 not known
	Groups     []int             // of this process
	Caps       map[string]uint64 // CapEff, CapPrm, CapBnd
	NoNewPrivs bool              // no program that is run gets more privileges (PR_SET_NO_NEW_PRIVS)
	Seccomp    string            // 0 none, 1 strict, 2 filter; "" not in this kernel
	Memlock    string            // soft limit of RLIMIT_MEMLOCK in bytes, or unlimited

	// Namespaces are the inode numbers of those of this thread, by the names in /proc/PID/ns; 0 is not known.
	Namespaces map[string]uint64
	HostNet    uint64 // that of PID 1
	CgroupV2   []Mount
	CgroupV1   bool
	Container  string // docker, podman, gVisor and such; "" none was seen

	HidePID string // hidepid of the mount of /proc; "" shows all
	HideGID int    // of whom it hides nothing; -1 none
	// Tracefs is where it is mounted, Accept whether the tracepoint of accept(2) may be read there.
	Tracefs string
	Accept  bool
	// MissingNet are the files of netTables that are not there.
	MissingNet []string
	IPv6       bool
}

// Mount is a mount of cgroup v2.
type Mount struct{ Dir, Root string }

// netTables are the files of /proc/net that netstat's tables are made of; those of IPv6 are absent without it.
var netTables = []string{"tcp", "udp", "raw", "unix", "route", "dev", "snmp", "netstat", "igmp"}

var sysctls = []string{
	"kernel/unprivileged_bpf_disabled", "kernel/perf_event_paranoid", "kernel/kptr_restrict",
}

// Read reads the files below root, which is that of the machine.
func Read(root fs.FS) Facts {
	r := reader{root}
	f := Facts{Sysctls: map[string]string{}, Namespaces: map[string]uint64{}, Caps: map[string]uint64{}, HideGID: -1, EUID: -1}
	f.Release, f.Banner = r.text("proc/sys/kernel/osrelease"), r.text("proc/version")
	for _, dir := range []string{"thread-self", "self"} {
		if r.has(path.Join("proc", dir, "status")) {
			f.Self = dir
			break
		}
	}
	self := path.Join("proc", f.Self)
	if info, err := fs.Stat(root, "sys/kernel/btf/vmlinux"); err == nil {
		f.BTF = info.Size()
	}
	for _, name := range sysctls {
		f.Sysctls[name] = r.text("proc/sys/" + name)
	}
	f.Symbols = r.symbols()
	r.lockdown(&f)
	if f.Self == "" {
		return f
	}
	r.status(&f, self+"/status")
	f.Memlock = r.memlock(self + "/limits")
	for _, kind := range []string{"cgroup", "net", "pid", "user"} {
		f.Namespaces[kind] = r.namespace(self + "/ns/" + kind)
	}
	f.HostNet = r.namespace("proc/1/ns/net")
	r.mounts(&f, self+"/mountinfo")
	f.Container = r.container(&f)
	for _, name := range netTables {
		if !r.has(self + "/net/" + name) {
			f.MissingNet = append(f.MissingNet, name)
		}
	}
	for _, dir := range []string{f.Tracefs, "/sys/kernel/tracing", "/sys/kernel/debug/tracing"} {
		f.Accept = f.Accept || dir != "" && r.text(path.Join(dir[1:], "events/syscalls/sys_exit_accept/id")) != ""
	}
	f.IPv6 = r.has(self + "/net/if_inet6")
	return f
}

// Has reports whether a capability is in force (CapEff).
func (f *Facts) Has(c Capability) bool { return f.Caps["CapEff"]&(1<<c) != 0 }

// InitialUser reports whether the user namespace is the kernel's first: in another, capabilities do not count for BPF.
func (f *Facts) InitialUser() bool {
	return f.Namespaces["user"] == initialUser || f.Namespaces["user"] == 0
}

// The first namespaces of a kernel (include/linux/proc_ns.h).
const (
	initialCgroup = 0xeffffffb
	initialPID    = 0xeffffffc
	initialUser   = 0xeffffffd
)

type reader struct{ root fs.FS }

func (r reader) has(name string) bool {
	_, err := fs.Stat(r.root, name)
	return err == nil
}

// text is a small file without its last newline.
func (r reader) text(name string) string {
	f, err := r.root.Open(name)
	if err != nil {
		return ""
	}
	defer f.Close()
	const most = 1 << 20 // of mountinfo, which is the longest
	b, _ := io.ReadAll(io.LimitReader(f, most))
	return string(bytes.TrimRight(b, "\n"))
}

func (r reader) namespace(name string) uint64 {
	link, err := fs.ReadLink(r.root, name)
	if err != nil {
		return 0
	}
	_, number, _ := strings.Cut(strings.TrimSuffix(link, "]"), ":[")
	n, _ := strconv.ParseUint(number, 10, 64)
	return n
}

func (r reader) status(f *Facts, name string) {
	for line := range strings.Lines(r.text(name)) {
		key, value, _ := strings.Cut(line, ":")
		value = strings.TrimSpace(value)
		switch key {
		case "CapEff", "CapPrm", "CapBnd":
			f.Caps[key], _ = strconv.ParseUint(value, 16, 64)
		case "NoNewPrivs":
			f.NoNewPrivs = value == "1"
		case "Seccomp":
			f.Seccomp = value
		case "Uid":
			if words := strings.Fields(value); len(words) > 1 {
				f.EUID, _ = strconv.Atoi(words[1])
			}
		case "Groups", "Gid":
			for _, word := range strings.Fields(value) {
				if n, err := strconv.Atoi(word); err == nil {
					f.Groups = append(f.Groups, n)
				}
			}
		}
	}
}

// memlock is the soft limit of "Max locked memory  8388608  8388608  bytes".
func (r reader) memlock(name string) string {
	for line := range strings.Lines(r.text(name)) {
		if rest, ok := strings.CutPrefix(line, "Max locked memory"); ok {
			if words := strings.Fields(rest); len(words) > 0 {
				return words[0]
			}
		}
	}
	return ""
}

// lockdown reads "none [integrity] confidentiality". Without securityfs it is not known.
func (r reader) lockdown(f *Facts) {
	const dir = "sys/kernel/security"
	if entries, err := fs.ReadDir(r.root, dir); err == nil && len(entries) > 0 {
		f.Lockdown = "absent"
	}
	text := r.text(dir + "/lockdown")
	if _, rest, ok := strings.Cut(text, "["); ok {
		f.Lockdown, _, _ = strings.Cut(rest, "]")
	} else if r.has(dir + "/lockdown") {
		f.Lockdown = "" // there, and not for us to read
	}
}

// symbols reports whether kallsyms shows addresses: for whom they are hidden all are 0.
func (r reader) symbols() bool {
	f, err := r.root.Open("proc/kallsyms")
	if err != nil {
		return false
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	const enough = 1000 // some of the first are 0 for all
	for n := 0; n < enough && lines.Scan(); n++ {
		addr, _, _ := strings.Cut(lines.Text(), " ")
		if n, err := strconv.ParseUint(addr, 16, 64); err == nil && n != 0 {
			return true
		}
	}
	return false
}

// mounts reads mountinfo: ID PARENT MAJOR:MINOR ROOT DIR OPTIONS [OPTIONAL…] - TYPE SOURCE SUPER-OPTIONS. Escapes (\040) stay, as no place that
// matters has any.
func (r reader) mounts(f *Facts, name string) {
	for line := range strings.Lines(r.text(name)) {
		mount, fsPart, ok := strings.Cut(strings.TrimSpace(line), " - ")
		words, super := strings.Fields(mount), strings.Fields(fsPart)
		if !ok || len(words) < 6 || len(super) == 0 {
			continue
		}
		root, dir := words[3], words[4]
		switch super[0] {
		case "proc":
			if dir == "/proc" && root == "/" {
				f.HidePID, f.HideGID = "", -1 // the last one is on top
				hidden(f, super[len(super)-1])
			}
		case "cgroup2":
			f.CgroupV2 = append(f.CgroupV2, Mount{Dir: dir, Root: root})
		case "cgroup":
			f.CgroupV1 = true
		case "tracefs":
			f.Tracefs = dir
		}
	}
}

// hidden reads hidepid and gid (proc(5)); since Linux 5.8 hidepid is a word.
func hidden(f *Facts, options string) {
	for option := range strings.SplitSeq(options, ",") {
		key, value, _ := strings.Cut(option, "=")
		switch {
		case key == "hidepid" && value != "0" && value != "off":
			f.HidePID = value
		case key == "gid":
			if n, err := strconv.Atoi(value); err == nil {
				f.HideGID = n
			}
		}
	}
}

// gVisorBanner is what gVisor's /proc/version has at all times (pkg/sentry/syscalls/linux/linux64.go, and dmesg says "Starting gVisor").
const gVisorBanner = "Linux version 4.4.0 #1 SMP Sun Jan 10 15:06:54 PST 2016"

// container is what this runs in, by what runtimes leave where they can be seen.
func (r reader) container(f *Facts) string {
	switch {
	case strings.HasPrefix(f.Banner, gVisorBanner):
		return "gVisor"
	case r.has("run/.containerenv"):
		return "podman"
	case r.has(".dockerenv"):
		return "docker"
	case r.has("var/run/secrets/kubernetes.io"):
		return "kubernetes"
	}
	return r.text("run/systemd/container") // systemd-nspawn, lxc, …
}

// mayLook reports whether hidepid does not hide anything from us.
func (f *Facts) mayLook() bool {
	return f.HidePID == "" || f.Has(SysPtrace) || f.HidePID != "4" && f.HidePID != "ptraceable" && f.HideGID >= 0 && slices.Contains(f.Groups, f.HideGID)
}
