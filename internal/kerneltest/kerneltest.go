// SPDX-License-Identifier: GPL-2.0-or-later

// Package kerneltest helps tests that need the real kernel: network namespaces
// of their own, skips that say what is missing, and a check for leaked
// descriptors. It is imported by tests only.
package kerneltest

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"netlive/internal/vm"
)

// InVM reports whether the test runs in a virtual machine that has few programs besides (internal/kernels, tools.go): what compares with another
// program's word then compares with the rest alone.
func InVM() bool { return vm.Inside() }

// Since reports whether this kernel is of that version or a later one. It is for what a test expects; netlive looks at what there is.
func Since(major, minor int) bool {
	var name unix.Utsname
	var a, b int
	if err := unix.Uname(&name); err != nil {
		panic(err)
	}
	if _, err := fmt.Sscanf(unix.ByteSliceToString(name.Release[:]), "%d.%d", &a, &b); err != nil {
		panic(err)
	}
	return a > major || a == major && b >= minor
}

// RequireRoot skips the test unless it runs as root.
func RequireRoot(t testing.TB) {
	t.Helper()
	if uid := os.Geteuid(); uid != 0 {
		t.Skipf("needs root, effective uid is %d", uid)
	}
}

// MountTracefs mounts tracefs where it is not, as systemd does on other machines: the classic tracepoints need it.
func MountTracefs(t testing.TB) {
	t.Helper()
	const dir = "/sys/kernel/tracing"
	if _, err := os.Stat(dir + "/events"); err == nil {
		return
	}
	// EBUSY: another test's process was first.
	if err := unix.Mount("tracefs", dir, "tracefs", 0, ""); err != nil && !errors.Is(err, unix.EBUSY) {
		t.Fatalf("mount tracefs: %v", err)
	}
}

// vmlinuxBTF is where a kernel with CONFIG_DEBUG_INFO_BTF describes its types.
const vmlinuxBTF = "/sys/kernel/btf/vmlinux"

// RequireBPF judges err, the outcome of loading BPF programs. Root on a kernel
// that describes its types must be able to: there an error fails the test. A
// machine that lacks either skips it, and the reason names what is missing.
func RequireBPF(t testing.TB, err error) {
	t.Helper()
	if err == nil {
		return
	}
	var lacks []string
	if uid := os.Geteuid(); uid != 0 {
		lacks = append(lacks, fmt.Sprintf("root (effective uid is %d)", uid))
	}
	if _, statErr := os.Stat(vmlinuxBTF); statErr != nil {
		lacks = append(lacks, vmlinuxBTF)
	}
	if len(lacks) == 0 {
		t.Fatalf("this kernel and these privileges should allow BPF: %v", err)
	}
	t.Skipf("needs %s: %v", strings.Join(lacks, " and "), err)
}

// NoLeaks fails the test if, when it and its later cleanups are over, descriptors
// are open that were not open now. Call it first, and not in a test that runs in
// parallel with others: descriptors belong to the whole process.
func NoLeaks(t testing.TB) {
	t.Helper()
	// The runtime opens its own epoll and eventfd with the first pollable file and
	// never closes them. Let that be now.
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatalf("open a pipe: %v", err)
	}
	r.Close()
	w.Close()
	before := openFiles(t)
	t.Cleanup(func() {
		if leaked := newFiles(before, openFiles(t)); len(leaked) > 0 {
			t.Errorf("leaked descriptors: %s", strings.Join(leaked, ", "))
		}
	})
}

// openFiles maps the descriptors of this process to what they refer to.
func openFiles(t testing.TB) map[string]string {
	t.Helper()
	const dir = "/proc/self/fd"
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatalf("list open files: %v", err)
	}
	files := make(map[string]string, len(entries))
	for _, e := range entries {
		// The descriptor that listed the directory is closed by now.
		if link, err := os.Readlink(dir + "/" + e.Name()); err == nil {
			files[e.Name()] = link
		}
	}
	return files
}

// newFiles lists what is in after and was not in before. A descriptor that was
// closed and another of that number opened is new if it refers to something else.
func newFiles(before, after map[string]string) []string {
	var leaked []string
	for fd, link := range after {
		if before[fd] != link {
			leaked = append(leaked, fd+" -> "+link)
		}
	}
	slices.Sort(leaked)
	return leaked
}
