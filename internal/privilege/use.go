// SPDX-License-Identifier: GPL-2.0-or-later

package privilege

import (
	"slices"

	"kernel.org/pub/linux/libs/security/libcap/cap"
)

// Use is what a verb may still do that can need a privilege.
type Use uint16

const (
	// Load: BPF programs are loaded and hung up.
	Load Use = 1 << iota
	// Walk: iterators that are loaded walk over sockets.
	Walk
	// Name: processes are called by their names, and put into their cgroups.
	Name
	// Look: descriptors of processes are looked at, to find owners.
	Look
	// Find: namespaces are looked for, by the processes in them.
	Find
	// Enter: other network namespaces are entered.
	Enter
	// Subscribe: rtnetlink announces changes.
	Subscribe
	// Measure: sock_diag is asked about connections.
	Measure
	// Signal: processes are ended that may be of other users.
	Signal
	// Destroy: connections are closed.
	Destroy
	// Save: files are written where root may.
	Save
	// Symbols: the kernel's functions are called by their names.
	Symbols
	// Track: connections that are masqueraded are read.
	Track
)

// need is what a use needs.
type need struct {
	use Use
	// looks: into processes that are not ours, which who is in a domain of Landlock may not.
	looks bool
	caps  []cap.Value
	// when says of a kernel or a machine that it asks for it; nil: all do.
	when func() bool
}

// needs has the capabilities of each use, and why: the places are the kernel's.
var needs = []need{
	// CAP_SYS_ADMIN has been what CAP_BPF and CAP_PERFMON are since Linux 5.8, makes tracefs and cgroup v2 visible where they are not mounted, and
	// opens events of perf where kernel.perf_event_paranoid is 3. CAP_SYS_RESOURCE raises RLIMIT_MEMLOCK, which BPF counts on until Linux 5.11,
	// CAP_DAC_READ_SEARCH reads tracefs, CAP_NET_ADMIN hangs programs up in the root of cgroup v2.
	{use: Load, caps: []cap.Value{cap.BPF, cap.PERFMON, cap.NET_ADMIN, cap.DAC_READ_SEARCH, cap.SYS_ADMIN, cap.SYS_RESOURCE}},
	{use: Walk, caps: []cap.Value{cap.BPF}, when: allOfBPF},
	{use: Walk, caps: []cap.Value{cap.SYS_ADMIN}, when: onlyAdmin},
	{use: Name, looks: true, caps: []cap.Value{cap.SYS_PTRACE}, when: hiddenProc},
	// /proc/PID/fd is for the process's user (CAP_DAC_READ_SEARCH), what its links and those of ns say for who could trace it
	// (ptrace_may_access): of one with capabilities that we have not, that takes CAP_SYS_PTRACE be it of our user.
	{use: Look, looks: true, caps: []cap.Value{cap.SYS_PTRACE, cap.DAC_READ_SEARCH}},
	{use: Find, looks: true, caps: []cap.Value{cap.SYS_PTRACE}},
	{use: Enter, looks: true, caps: []cap.Value{cap.SYS_ADMIN, cap.SYS_PTRACE}}, // net/core/net_namespace.c, netns_install
	{use: Subscribe, caps: []cap.Value{cap.NET_ADMIN}},                          // SO_RCVBUFFORCE: more than net.core.rmem_max waits
	{use: Measure, caps: []cap.Value{cap.NET_ADMIN}},                            // net/ipv4/inet_diag.c, inet_diag_msg_attrs_fill: it alone is told SO_MARK
	{use: Destroy, caps: []cap.Value{cap.NET_ADMIN}},                            // net/core/sock_diag.c, SOCK_DESTROY
	{use: Signal, caps: []cap.Value{cap.KILL}},
	{use: Save, caps: []cap.Value{cap.DAC_OVERRIDE}}, // who is root by sudo saves in a directory of his own
	{use: Symbols, caps: []cap.Value{cap.SYSLOG}},    // kernel/ksyms_common.c, kallsyms_show_value: asked when the file is opened
	{use: Track, caps: []cap.Value{cap.DAC_READ_SEARCH}},
}

// needs are the capabilities that uses need on this machine, and whether they look into processes.
func (uses Use) needs() (caps []cap.Value, looks bool) {
	for _, n := range needs {
		if uses&n.use == 0 || n.when != nil && !n.when() {
			continue
		}
		looks = looks || n.looks
		for _, c := range n.caps {
			if !slices.Contains(caps, c) {
				caps = append(caps, c)
			}
		}
	}
	return caps, looks
}

// Capabilities are those that Restrict keeps of what there is, by the names of capabilities(7).
func (uses Use) Capabilities() (names []string) {
	caps, _ := uses.needs()
	for _, c := range caps {
		names = append(names, c.String())
	}
	slices.Sort(names)
	return names
}

// Confined reports whether Restrict enters a domain of Landlock, where there is one to enter.
func (uses Use) Confined() bool {
	_, looks := uses.needs()
	return !looks
}
