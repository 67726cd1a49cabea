// SPDX-License-Identifier: GPL-2.0-or-later

package doctor

import (
	"io/fs"
	"os"
	"reflect"
	"slices"
	"testing"
	"testing/fstest"
)

// tree is a machine as its files tell of it.
func tree(files map[string]string) fs.FS {
	m := fstest.MapFS{}
	for name, text := range files {
		f := &fstest.MapFile{Data: []byte(text)}
		if link, ok := cutLink(text); ok {
			f.Data, f.Mode = []byte(link), fs.ModeSymlink
		}
		m[name] = f
	}
	return m
}

// cutLink reads "-> TARGET".
func cutLink(text string) (target string, ok bool) {
	if len(text) > 3 && text[:3] == "-> " {
		return text[3:], true
	}
	return "", false
}

const self = "proc/thread-self/"

func TestRead(t *testing.T) {
	f := Read(tree(map[string]string{
		"proc/sys/kernel/osrelease":           "6.1.0-13-amd64\n",
		"proc/sys/kernel/kptr_restrict":       "1\n",
		"proc/sys/kernel/perf_event_paranoid": "3\n",
		"proc/version":                        "Linux version 6.1.0-13-amd64 (x)\n",
		"proc/kallsyms":                       "0000000000000000 A fixed_percpu_data\n0000000000000000 T _text\n",
		"sys/kernel/btf/vmlinux":              "12345",
		"sys/kernel/security/lockdown":        "none integrity [confidentiality]\n",
		"sys/kernel/security/lsm":             "lockdown",
		"run/.containerenv":                   "",
		"proc/1/ns/net":                       "-> net:[4026531840]",
		self + "status":                       "Name:\tx\nUid:\t0\t1000\t0\t0\nGid:\t7\t8\t7\t7\nGroups:\t4 24\nCapPrm:\t0000000000000001\nCapEff:\t000000c000001000\nCapBnd:\t000001ffffffffff\nNoNewPrivs:\t1\nSeccomp:\t2\nSeccomp_filters:\t1\n",
		self + "limits":                       "Limit                     Soft Limit           Hard Limit           Units     \nMax locked memory         65536                131072               bytes     \n",
		self + "ns/net":                       "-> net:[4026532591]",
		self + "ns/pid":                       "-> pid:[4026531836]",
		self + "ns/user":                      "-> user:[4026531837]",
		self + "ns/cgroup":                    "-> cgroup:[4026532000]",
		self + "mountinfo":                    "22 27 0:21 / /proc rw,relatime shared:4 - proc proc rw,gid=24,hidepid=invisible\n31 23 0:28 /docker/x /sys/fs/cgroup ro - cgroup2 cgroup rw\nbad\n32 23 0:28 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu\n40 23 0:9 / /t rw - tracefs t rw\n",
		self + "net/tcp":                      "", self + "net/udp": "", self + "net/if_inet6": "",
		"t/events/syscalls/sys_exit_accept/id": "712\n",
	}))
	want := Facts{
		Release: "6.1.0-13-amd64", Banner: "Linux version 6.1.0-13-amd64 (x)", Self: "thread-self", BTF: 5,
		Sysctls:  map[string]string{"kernel/kptr_restrict": "1", "kernel/perf_event_paranoid": "3", "kernel/unprivileged_bpf_disabled": ""},
		Lockdown: "confidentiality", EUID: 1000, Groups: []int{7, 8, 7, 7, 4, 24},
		Caps: map[string]uint64{"CapEff": 1<<BPF | 1<<Perfmon | 1<<NetAdmin, "CapPrm": 1, "CapBnd": 1<<41 - 1}, NoNewPrivs: true, Seccomp: "2", Memlock: "65536",
		Namespaces: map[string]uint64{"net": 4026532591, "pid": initialPID, "user": initialUser, "cgroup": 4026532000}, HostNet: 4026531840,
		CgroupV2: []Mount{{"/sys/fs/cgroup", "/docker/x"}}, CgroupV1: true, Container: "podman", HidePID: "invisible", HideGID: 24, Tracefs: "/t", Accept: true,
		MissingNet: []string{"raw", "unix", "route", "dev", "snmp", "netstat", "igmp"}, IPv6: true,
	}
	if !reflect.DeepEqual(f, want) {
		t.Errorf("got  %+v\nwant %+v", f, want)
	}
	if !f.mayLook() {
		t.Error("the mount's group may look")
	}
	if f.Groups = nil; f.mayLook() {
		t.Error("who is not in the mount's group may look")
	}
}

func TestReadParts(t *testing.T) {
	for name, c := range map[string]struct {
		files map[string]string
		ok    func(f *Facts) bool
	}{
		"nothing at all": {nil, func(f *Facts) bool { return f.Self == "" && f.EUID == -1 && f.Lockdown == "" && f.MissingNet == nil }},
		"gVisor": {
			map[string]string{"proc/version": gVisorBanner + "\n", "proc/self/status": "Seccomp:\t0\n"},
			func(f *Facts) bool {
				return f.Self == "self" && f.Container == "gVisor" && f.Seccomp == "0" && f.BTF == 0
			},
		},
		"symbols": {
			map[string]string{"proc/kallsyms": "0000000000000000 A a\nffffffff81000000 T _text\n"},
			func(f *Facts) bool { return f.Symbols },
		},
		"a kernel without lockdown": {
			map[string]string{"sys/kernel/security/lsm": "capability"}, func(f *Facts) bool { return f.Lockdown == "absent" },
		},
		"lockdown none": {
			map[string]string{"sys/kernel/security/lockdown": "[none] integrity confidentiality\n"}, func(f *Facts) bool { return f.Lockdown == "none" },
		},
		"the uppermost /proc counts": {
			map[string]string{self + "status": "", self + "mountinfo": "1 1 0:1 / /proc rw - proc proc rw,hidepid=2\n2 1 0:1 / /proc rw - proc proc rw,hidepid=0\n3 1 0:1 / /mnt/proc rw - proc proc rw,hidepid=2\n"},
			func(f *Facts) bool { return f.HidePID == "" },
		},
		"hidepid=4 hides from groups too": {
			map[string]string{self + "status": "Groups:\t5\n", self + "mountinfo": "1 1 0:1 / /proc rw - proc proc rw,hidepid=4,gid=5\n"},
			func(f *Facts) bool { return !f.mayLook() },
		},
		"hidepid and CAP_SYS_PTRACE": {
			map[string]string{self + "status": "CapEff:\t0000000000080000\n", self + "mountinfo": "1 1 0:1 / /proc rw - proc proc rw,hidepid=4\n"},
			func(f *Facts) bool { return f.mayLook() },
		},
		"broken": {
			map[string]string{self + "status": "Uid:\nCapEff:\tx\n:::\n", self + "limits": "Max locked memory\n", self + "mountinfo": " - \n1 2 3 - x\n", self + "ns/net": "-> net:[x]", "proc/kallsyms": "zz\n"},
			func(f *Facts) bool { return f.Namespaces["net"] == 0 && f.Caps["CapEff"] == 0 && !f.Symbols },
		},
	} {
		if f := Read(tree(c.files)); !c.ok(&f) {
			t.Errorf("%s: %+v", name, f)
		}
	}
}

// On this machine the files are there.
func TestReadHere(t *testing.T) {
	f := Read(os.DirFS("/"))
	if f.Release == "" || f.Self != "thread-self" || f.EUID != os.Geteuid() || f.Caps["CapBnd"] == 0 && f.EUID == 0 || f.Memlock == "" {
		t.Errorf("%+v", f)
	}
	for _, kind := range []string{"net", "pid", "user", "cgroup"} {
		if f.Namespaces[kind] == 0 {
			t.Errorf("no number of the %s namespace", kind)
		}
	}
	if slices.Contains(f.MissingNet, "unix") || slices.Contains(f.MissingNet, "dev") {
		t.Errorf("missing: %v", f.MissingNet)
	}
}

func TestSince(t *testing.T) {
	for release, want := range map[string]bool{
		"5.12": true, "5.12.0-rc1": true, "5.11.99": false, "6.1-x": true, "4.19.0": false, "": false, "x": false, "6": false, "6.": false, "10.0.1": true, "5.x": false,
	} {
		f := Facts{Release: release}
		if got := f.since(5, 12); got != want {
			t.Errorf("%q: %v", release, got)
		}
	}
}
