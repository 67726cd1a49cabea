// SPDX-License-Identifier: GPL-2.0-or-later

package doctor

import (
	"fmt"
	"strings"
)

// Capability is the number of one of capabilities(7).
type Capability uint8

// Those that netlive has use for.
const (
	DACReadSearch Capability = 2
	NetAdmin      Capability = 12
	SysPtrace     Capability = 19
	SysAdmin      Capability = 21
	Syslog        Capability = 34
	Perfmon       Capability = 38
	BPF           Capability = 39
)

// capabilities are what each adds.
var capabilities = []struct {
	cap  Capability
	name string
	adds string
}{
	{BPF, "cap_bpf", "watch by events, trace: loads the programs (before Linux 5.8 that takes CAP_SYS_ADMIN)"},
	{Perfmon, "cap_perfmon", "watch by events, trace: tracing programs, iterators and reading the kernel's memory"},
	{NetAdmin, "cap_net_admin", "watch: news of UDP and raw sockets, closing a connection (X); trace --event bind; many announcements of rtnetlink at once"},
	{SysPtrace, "cap_sys_ptrace", "netlive -p, watch without BPF: processes of other users; --netns: namespaces of other users' processes"},
	{DACReadSearch, "cap_dac_read_search", "netlive -p, watch without BPF: processes of other users; trace: the instant of accept(2), from tracefs"},
	{SysAdmin, "cap_sys_admin", "--netns: entering other network namespaces; tracefs and cgroup v2 where they are not mounted"},
	{Syslog, "cap_syslog", "trace --stack: the kernel's functions by name"},
}

func (c Capability) String() string {
	for i := range capabilities {
		if capabilities[i].cap == c {
			return capabilities[i].name
		}
	}
	return fmt.Sprintf("capability %d", uint8(c))
}

// privileged reports whether the capabilities for BPF are in force; before Linux 5.8 they were CAP_SYS_ADMIN's, which still has both.
func (f *Facts) privileged() bool {
	return f.InitialUser() && (f.Has(SysAdmin) || f.Has(BPF) && f.Has(Perfmon))
}

// grant says how to get capabilities besides CAP_BPF and CAP_PERFMON: setcap(8) replaces all that a file has. Where that will not do it says
// what stands in the way.
func (f *Facts) grant(self string, caps ...Capability) string {
	all := []Capability{BPF, Perfmon}
	for _, c := range caps {
		if c != BPF && c != Perfmon {
			all = append(all, c)
		}
	}
	var names, options []string
	for _, c := range all {
		names = append(names, c.String())
		if f.Caps["CapBnd"]&(1<<c) == 0 {
			options = append(options, "--cap-add="+strings.ToUpper(strings.TrimPrefix(c.String(), "cap_")))
		}
	}
	bounded := fmt.Sprintf("docker run %s, or CapabilityBoundingSet= of the systemd unit", strings.Join(options, " "))
	if len(f.Caps) == 0 {
		options = nil // without /proc nothing is known of it
	}
	switch {
	case !f.InitialUser():
		return "run it outside of this user namespace: capabilities within do not count"
	case f.EUID == 0 && len(options) > 0:
		return bounded
	case f.EUID == 0:
		return "run it with all capabilities of root, as sudo does"
	}
	text := fmt.Sprintf("run as root, or once: sudo setcap %s+ep %s", strings.Join(names, ","), self)
	switch {
	case len(options) > 0:
		text += "; the bounding set must allow it: " + bounded
	case f.NoNewPrivs:
		text += "; not under no_new_privs (NoNewPrivileges= of the systemd unit)"
	}
	return text
}
