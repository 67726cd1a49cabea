// SPDX-License-Identifier: GPL-2.0-or-later

// Package process says what /proc knows of a process and of those it came from, and ends one without hitting another that
// was given its number.
package process

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// Process is a process as /proc shows it. Its texts are bytes of the process's own choice: they are escaped before they reach a
// terminal. What may not be looked at is empty.
type Process struct {
	// PID is the thread group's, PPID its parent's; 0 when the parent is outside of the PID namespace.
	PID, PPID uint32
	// Start is when it started, in nanoseconds of CLOCK_BOOTTIME as sock.Owner has it, but at the begin of its clock tick (10 ms):
	// /proc tells no more.
	Start uint64
	// Comm is the kernel's name of it: 15 bytes, more for kernel threads.
	Comm string
	// Args is its command line, the first 4 KiB of it: the last may be cut. Kernel threads and zombies have none.
	Args []string
	// Exe is the program's file, with " (deleted)" behind it when that is no more there, as the kernel writes it; Cwd is its directory.
	Exe, Cwd string
	// UID is the effective user, as ps(1) has it.
	UID uint32
	// Cgroup is the path of its cgroup v2 below the root of our cgroup namespace; "" without cgroup v2.
	Cgroup string
	// State is the kernel's letter (fs/proc/array.c, task_state_array): R S D T t X Z P I.
	State byte
	// Threads is how many there are, at least 1.
	Threads int
	// Began is Start by the clock on the wall, as that is set now.
	Began time.Time
}

// ErrGone says that a process has ended, even if another has its number now.
var ErrGone = errors.New("the process has ended")

// lineageMax bounds a lineage. Real ones have some ten.
const lineageMax = 64

// Lineage returns pid and its ancestors, the nearest first, up to the first process of the PID namespace or as far as /proc shows them: at
// most 64. fsys is /proc. start, if it is not 0, is when pid started in nanoseconds of CLOCK_BOOTTIME: the error wraps ErrGone
// if a process that started then is not there any more.
func Lineage(fsys fs.FS, pid uint32, start uint64) ([]Process, error) {
	r := newReader(fsys)
	p, err := r.look(pid)
	if err == nil && start != 0 && !r.same(p.Start, start) {
		err = ErrGone
	}
	if err != nil {
		return nil, fmt.Errorf("process: look at %d: %w", pid, err)
	}
	found := []Process{p}
	for len(found) < lineageMax {
		parent, ok := r.parent(&found[len(found)-1])
		if !ok {
			break
		}
		found = append(found, parent)
	}
	return found, nil
}

// reader reads one procfs.
type reader struct {
	fsys   fs.FS
	offset int64     // what a time namespace adds to CLOCK_BOOTTIME
	booted time.Time // when that clock was 0
}

func newReader(fsys fs.FS) *reader {
	r := &reader{fsys: fsys}
	r.offset = bootOffset(r.read("self/timens_offsets", 256))
	var now unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_BOOTTIME, &now); err == nil { // it fails on no Linux
		// The clock has the namespace's offset, which Start has not.
		r.booted = time.Now().Add(time.Duration(r.offset - now.Nano()))
	}
	return r
}

// bootOffset reads the nanoseconds that the time namespace adds to CLOCK_BOOTTIME, from /proc/self/timens_offsets: lines of CLOCK
// SECONDS NANOSECONDS. Without time namespaces (before 5.6) there is no such file, and it is 0.
func bootOffset(data []byte) int64 {
	for line := range bytes.Lines(data) {
		f := strings.Fields(string(line))
		if len(f) != 3 || f[0] != "boottime" {
			continue
		}
		sec, err1 := strconv.ParseInt(f[1], 10, 32)
		nsec, err2 := strconv.ParseInt(f[2], 10, 32)
		if err1 == nil && err2 == nil {
			return sec*int64(time.Second) + nsec
		}
	}
	return 0
}

// same reports whether two starts are in the same clock tick. /proc cuts off the rest after it has added the offset
// (do_task_stat: nsec_to_clock_t(timens_add_boottime_ns(start_boottime))).
func (r *reader) same(a, b uint64) bool {
	return (a+uint64(r.offset))/tick == (b+uint64(r.offset))/tick
}

// parent returns the parent of p, and false when it has none that can be seen. A parent is waited for only after its children
// have been given to another (exit_notify, forget_original_parent): one that p still names after it was looked at was p's all the
// time, and no later process with its number.
func (r *reader) parent(p *Process) (Process, bool) {
	for range 4 { // parents that end while they are looked at
		if p.PPID == 0 {
			return Process{}, false
		}
		parent, err := r.look(p.PPID)
		again, gone := r.stat(p.PID)
		switch {
		case gone != nil || again.start != p.Start:
			return Process{}, false
		case again.ppid == p.PPID:
			return parent, err == nil
		}
		p.PPID = again.ppid
	}
	return Process{}, false
}

const (
	argsMax   = 4 << 10
	cgroupMax = 64 << 10 // a line for each hierarchy of cgroup v1, and a path of at most 4 KiB in each
)

// look reads one process. /proc/PID is of whatever process has the number at that moment, so the start is read first and last.
func (r *reader) look(pid uint32) (Process, error) {
	s, err := r.stat(pid)
	if err != nil {
		return Process{}, err
	}
	dir := strconv.FormatUint(uint64(pid), 10) + "/"
	p := Process{PID: pid, PPID: s.ppid, Start: s.start, Comm: s.comm, State: s.state, Threads: s.threads}
	p.Began = r.booted.Add(time.Duration(s.start))
	p.Args = splitArgs(r.read(dir+"cmdline", argsMax))
	p.Cgroup = cgroupPath(r.read(dir+"cgroup", cgroupMax))
	p.Exe, _ = fs.ReadLink(r.fsys, dir+"exe") // asks for ptrace_may_access: other users' are denied
	p.Cwd, _ = fs.ReadLink(r.fsys, dir+"cwd")
	uid, known := effectiveUID(r.read(dir+"status", 4<<10))
	again, err := r.stat(pid)
	switch {
	case err != nil:
		return Process{}, err
	case again.start != s.start:
		return Process{}, ErrGone
	case !known:
		return Process{}, fmt.Errorf("%sstatus has no Uid", dir) // 0 would say it is root's
	}
	p.UID = uid
	return p, nil
}

// stat reads what /proc/PID/stat says.
func (r *reader) stat(pid uint32) (stat, error) {
	name := strconv.FormatUint(uint64(pid), 10) + "/stat"
	data, err := r.head(name, 4<<10)
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, unix.ESRCH): // no such directory, or its process went since it was opened
		return stat{}, ErrGone
	case err != nil:
		return stat{}, err
	}
	s, ok := parseStat(data)
	if !ok || s.pid != pid {
		return stat{}, fmt.Errorf("%s: bad text %.80q", name, data)
	}
	s.start = s.ticks*tick - uint64(r.offset)
	return s, nil
}

// read is head for files whose absence says nothing.
func (r *reader) read(name string, most int64) []byte {
	data, _ := r.head(name, most)
	return data
}

// head returns at most so many bytes of a file.
func (r *reader) head(name string, most int64) ([]byte, error) {
	f, err := r.fsys.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, most))
}
