// SPDX-License-Identifier: GPL-2.0-or-later

// Package netns finds the network namespaces of the machine, names them and enters them.
//
// A namespace is found by a process that is in it or by the name that ip-netns(8) gave it. One that nothing but a descriptor or
// a socket keeps alive is not found; its events have its number all the same. None is kept open between two looks,
// which would keep it alive.
package netns

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"netlive/internal/crash"
)

// namedDir is where ip-netns(8) mounts the namespaces that it names.
const namedDir = "/run/netns"

// Space is a network namespace.
type Space struct {
	inode uint32
	name  string
	path  string
}

// Inode is the number by which the kernel names it: net:[4026531840].
func (s Space) Inode() uint32 { return s.inode }

// Name is what people call it: the name that ip-netns(8) gave it; host, for that of PID 1; else the name and the PID of the first
// process in it, as in nginx/1234.
func (s Space) Name() string { return s.name }

// There reports whether it is where it was found.
func (s Space) There() bool {
	inode, err := inodeOf(s.path)
	return err == nil && inode == s.inode
}

// Do calls f on a thread that is in the namespace; that ends with f. What f starts may run on other threads. The error is f's, or wraps
// fs.ErrNotExist when the namespace has gone.
func (s Space) Do(f func() error) error {
	done := make(chan error)
	go func() {
		defer crash.Guard()
		runtime.LockOSThread() // for good: the thread is not to be used again
		if unix.Gettid() == unix.Getpid() {
			// The process's first thread cannot end: it would stay in the namespace, keep it alive and be found in it. While it waits here no other
			// goroutine is on it.
			defer runtime.UnlockOSThread()
			done <- s.Do(f)
			return
		}
		done <- s.enter(f)
	}()
	return <-done
}

func (s Space) enter(f func() error) error {
	file, err := os.Open(s.path)
	if err != nil {
		// A process that ends while its link is followed is EACCES (fs/proc/namespaces.c, proc_ns_get_link), and so is a file on which nothing is mounted any more.
		if errors.Is(err, fs.ErrPermission) && !s.There() {
			err = fs.ErrNotExist
		}
		return denied(fmt.Errorf("netns: %w", err))
	}
	var st unix.Stat_t
	err = unix.Fstat(int(file.Fd()), &st)
	if err == nil && uint32(st.Ino) != s.inode {
		err = fs.ErrNotExist // the process has another by now
	}
	if err == nil {
		err = unix.Setns(int(file.Fd()), unix.CLONE_NEWNET)
	}
	if err = errors.Join(err, file.Close()); err != nil {
		return denied(fmt.Errorf("netns: enter %s: %w", s.name, err))
	}
	return f()
}

// DeniedError says that a namespace may not be looked at, which takes CAP_SYS_PTRACE where it is found by another user's process, or not be
// entered, which takes CAP_SYS_ADMIN. It wraps os.ErrPermission.
type DeniedError struct{ err error }

func (e *DeniedError) Error() string { return e.err.Error() }

// Unwrap is what the kernel said.
func (e *DeniedError) Unwrap() error { return e.err }

// denied marks an error that is one of permission.
func denied(err error) error {
	if errors.Is(err, os.ErrPermission) {
		return &DeniedError{err}
	}
	return err
}

func inodeOf(path string) (uint32, error) {
	var st unix.Stat_t
	if err := unix.Stat(path, &st); err != nil {
		return 0, &fs.PathError{Op: "stat", Path: path, Err: err}
	}
	return uint32(st.Ino), nil
}

// All lists the namespaces in the order of their numbers. Processes whose namespace may not be looked at are left out.
func All() ([]Space, error) {
	found := map[uint32]Space{}
	add := func(path, name string) {
		if inode, err := inodeOf(path); err == nil {
			if _, ok := found[inode]; !ok {
				found[inode] = Space{inode, name, path}
			}
		}
	}
	named, err := os.ReadDir(namedDir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("netns: list names: %w", err)
	}
	for _, entry := range named {
		path := filepath.Join(namedDir, entry.Name())
		if isNamespace(path) {
			add(path, entry.Name())
		}
	}
	add(hostPath(), "host")
	pids, err := processes()
	if err != nil {
		return nil, err
	}
	for _, pid := range pids {
		path := procPath(pid)
		if inode, err := inodeOf(path); err == nil && found[inode].path == "" {
			found[inode] = Space{inode, processName(pid), path}
		}
	}
	list := make([]Space, 0, len(found))
	for _, s := range found {
		list = append(list, s)
	}
	slices.SortFunc(list, func(a, b Space) int { return int(a.inode) - int(b.inode) })
	return list, nil
}

// Find is the namespace that a word names: host, that of PID 1; a PID; or a name that ip-netns(8) gave.
func Find(word string) (Space, error) {
	path, name := filepath.Join(namedDir, word), word
	if word == "host" {
		path = hostPath()
	} else if _, err := strconv.ParseUint(word, 10, 31); err == nil {
		path, name = procPath(word), processName(word)
	} else if strings.Contains(word, "/") || word == "" || !isNamespace(path) {
		return Space{}, fmt.Errorf("netns: no network namespace %q (try all, host, a PID, or a name of ip netns list)", word)
	}
	inode, err := inodeOf(path)
	if err != nil {
		return Space{}, denied(fmt.Errorf("netns: find %s: %w", word, err))
	}
	return Space{inode, name, path}, nil
}

// hostPath is where the namespace of PID 1 is. Some do not let themselves be looked at, be it by root; the kernel's threads are in the
// initial namespace and do.
func hostPath() string {
	path := procPath("1")
	if _, err := inodeOf(path); err != nil && processName("2") == "kthreadd/2" {
		return procPath("2")
	}
	return path
}

func procPath(pid string) string { return "/proc/" + pid + "/ns/net" }

// processName is COMM/PID.
func processName(pid string) string {
	comm, err := os.ReadFile("/proc/" + pid + "/comm")
	if err != nil {
		return pid
	}
	return strings.TrimSuffix(string(comm), "\n") + "/" + pid
}

// isNamespace tells a namespace that is mounted from a file to mount one on.
func isNamespace(path string) bool {
	var st unix.Statfs_t
	return unix.Statfs(path, &st) == nil && st.Type == unix.NSFS_MAGIC
}

// processes are the PIDs there are, lowest first.
func processes() ([]string, error) {
	dir, err := os.Open("/proc")
	if err != nil {
		return nil, fmt.Errorf("netns: list processes: %w", err)
	}
	defer dir.Close()
	names, err := dir.Readdirnames(-1)
	if err != nil {
		return nil, fmt.Errorf("netns: list processes: %w", err)
	}
	names = slices.DeleteFunc(names, func(name string) bool { return name[0] < '1' || name[0] > '9' })
	slices.SortFunc(names, func(a, b string) int {
		if len(a) != len(b) {
			return len(a) - len(b)
		}
		return strings.Compare(a, b)
	})
	return names, nil
}
