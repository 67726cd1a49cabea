// SPDX-License-Identifier: GPL-2.0-or-later

package kerneltest

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"testing"

	"golang.org/x/sys/unix"

	"netlive/internal/vm"
)

// init binds the main goroutine to the process's first thread, so that tests, which
// run in other goroutines, are never on it. /proc/self and /proc/net show the
// namespaces of that thread: they must not change under a test, and code that
// reads them where it should read /proc/thread-self must not be right by chance.
//
// In a virtual machine the first process is a test's binary: it does init's work, and its children are the tests.
func init() {
	vm.Guest()
	runtime.LockOSThread()
}

// NS is a network namespace that lives as long as a test.
type NS struct {
	t     testing.TB
	file  *os.File // of nsfs: keeps the namespace alive
	inode uint32
}

// NetNS makes a network namespace that holds nothing but a lo that is up. The
// test is skipped if it does not run as root, or as a root that may not make
// namespaces.
func NetNS(t testing.TB) *NS {
	t.Helper()
	RequireRoot(t)
	ns := &NS{t: t}
	err := onThread(func() error { return unix.Unshare(unix.CLONE_NEWNET) }, func() error {
		if err := vm.LoUp(); err != nil {
			return err
		}
		var err error
		ns.file, err = os.Open(threadNetNS)
		return err
	})
	if errors.Is(err, unix.EPERM) || errors.Is(err, unix.EINVAL) {
		t.Skipf("needs CAP_SYS_ADMIN and CONFIG_NET_NS to make a network namespace: %v", err)
	}
	if err != nil {
		t.Fatalf("make a network namespace: %v", err)
	}
	t.Cleanup(func() { ns.file.Close() })
	var st unix.Stat_t
	if err := unix.Fstat(int(ns.file.Fd()), &st); err != nil {
		t.Fatalf("stat a network namespace: %v", err)
	}
	ns.inode = uint32(st.Ino)
	return ns
}

// Inode is the number by which the kernel names the namespace: net:[4026531840].
func (ns *NS) Inode() uint32 { return ns.inode }

// Do calls f with the calling goroutine bound to a thread in the namespace.
// Sockets that f makes are of the namespace for good, wherever they are used
// later. Goroutines and subtests that f starts are not in it. f may call t.Fatal.
func (ns *NS) Do(f func()) {
	ns.t.Helper()
	enter := func() error { return unix.Setns(int(ns.file.Fd()), unix.CLONE_NEWNET) }
	if err := onThread(enter, func() error { f(); return nil }); err != nil {
		ns.t.Fatalf("enter a network namespace: %v", err)
	}
}

// Start starts cmd in the namespace: a child is forked from the calling thread and
// inherits what that is in.
func (ns *NS) Start(cmd *exec.Cmd) (err error) {
	ns.t.Helper()
	ns.Do(func() { err = cmd.Start() })
	return err
}

// threadNetNS and not /proc/self/ns/net: that is of the process's first thread.
const threadNetNS = "/proc/thread-self/ns/net"

// onThread binds the goroutine to its thread, moves that by enter, calls f, and
// moves it back, even if f panics or ends the goroutine. A thread that cannot be
// moved back stays bound, so that it ends with the goroutine and no other ever
// runs on it.
func onThread(enter, f func() error) (err error) {
	runtime.LockOSThread()
	home, err := os.Open(threadNetNS)
	if err != nil {
		runtime.UnlockOSThread()
		return err
	}
	defer home.Close()
	if err := enter(); err != nil {
		runtime.UnlockOSThread()
		return err
	}
	defer func() {
		if back := unix.Setns(int(home.Fd()), unix.CLONE_NEWNET); back != nil {
			err = errors.Join(err, fmt.Errorf("leave a network namespace: %w", back))
			return
		}
		runtime.UnlockOSThread()
	}()
	return f()
}
