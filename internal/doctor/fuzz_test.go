// SPDX-License-Identifier: GPL-2.0-or-later

package doctor

import (
	"testing"
	"unicode"
	"unicode/utf8"
)

// Whatever the kernel's files have, there is a report, which does nothing to a terminal and is as the schema says.
func FuzzRead(f *testing.F) {
	f.Add("Uid:\t0\t1000\t0\t0\nGroups:\t4 24\nCapEff:\t000000c000001000\nCapBnd:\t000001ffffffffff\nNoNewPrivs:\t1\nSeccomp:\t2\n",
		"22 27 0:21 / /proc rw,relatime shared:4 - proc proc rw,gid=24,hidepid=invisible\n41 31 0:38 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n40 23 0:9 / /t rw - tracefs t rw\n",
		"Max locked memory         65536                131072               bytes     \n", "0000000000000000 A a\nffffffff81000000 T _text [x]\n", "none [integrity] confidentiality\n", "6.1.0-13-amd64\n")
	f.Add("Uid:", " - ", "Max locked memory", "", "[", "6.\x1b[2J")
	f.Fuzz(func(t *testing.T, status, mounts, limits, symbols, lockdown, release string) {
		facts := Read(tree(map[string]string{
			self + "status": status, self + "mountinfo": mounts, self + "limits": limits, "proc/kallsyms": symbols,
			"sys/kernel/security/lockdown": lockdown, "proc/sys/kernel/osrelease": release, "run/systemd/container": release,
			"proc/sys/kernel/perf_event_paranoid": limits, self + "ns/net": "-> " + status,
		}))
		_, trials := whole()
		r := Judge(&facts, &trials, "netlive")
		text := string(r.Text(false))
		for _, c := range text {
			if c != '\n' && !unicode.IsPrint(c) {
				t.Errorf("%q in the text of %q", c, release)
			}
		}
		if !utf8.ValidString(text) {
			t.Errorf("no UTF-8 of %q", release)
		}
		if _, err := r.JSON(moment, "1.0"); err != nil {
			t.Error(err)
		}
	})
}
