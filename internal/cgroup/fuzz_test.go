// SPDX-License-Identifier: GPL-2.0-or-later

package cgroup

import (
	"os"
	"strings"
	"testing"

	"github.com/moby/sys/mountinfo"
)

// A mount of cgroup v2 is found as the kernel writes it, whatever directory it is mounted on, and in no line that is of another file system.
func FuzzMount(f *testing.F) {
	f.Add("24 30 0:22 / /proc rw,relatime shared:4 - proc proc rw,gid=24,hidepid=invisible\n", "/sys/fs/cgroup", "/")
	f.Add("41 31 0:38 /x /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\nnonsense\n", "/a b\t\\c\n\x1b", "/machine.slice")
	f.Add("1 2 3:4 / / rw", "", "")
	if text, err := os.ReadFile("/proc/self/mountinfo"); err == nil {
		f.Add(string(text), "/mnt", "/")
	}
	// fs/proc_namespace.c, show_mountinfo: these are written in octal.
	octal := strings.NewReplacer(" ", `\040`, "\t", `\011`, "\n", `\012`, `\`, `\134`)
	f.Fuzz(func(t *testing.T, others, dir, root string) {
		read := func(text string) ([]*mountinfo.Info, error) {
			return mountinfo.GetMountsFromReader(strings.NewReader(text), mountinfo.FSTypeFilter("cgroup2"))
		}
		if mounts, err := read(others); err == nil {
			if at, _ := pick(mounts); at != "" && !strings.Contains(others, "cgroup2") {
				t.Errorf("%q of %q", at, others)
			}
		}
		if dir == "" || root == "" || strings.ContainsAny(dir+root, "\x00\r") || len(dir)+len(root) > 8<<10 {
			return
		}
		mounts, err := read("41 31 0:38 " + octal.Replace(root) + " " + octal.Replace(dir) + " rw,nosuid shared:9 - cgroup2 cgroup2 rw\n")
		if gotDir, gotRoot := pick(mounts); err != nil || gotDir != dir || gotRoot != root {
			t.Errorf("%q %q, want %q %q: %v", gotDir, gotRoot, dir, root, err)
		}
	})
}
