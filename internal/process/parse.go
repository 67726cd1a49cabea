// SPDX-License-Identifier: GPL-2.0-or-later

package process

import (
	"bytes"
	"strconv"
	"strings"
)

// tick is a clock tick of /proc in nanoseconds: USER_HZ is 100 everywhere netlive runs (include/asm-generic/param.h).
const tick = 1e9 / 100

// stat is what is wanted of /proc/PID/stat.
type stat struct {
	pid, ppid uint32
	comm      string
	state     byte
	threads   int
	ticks     uint64 // field 22, in the time namespace of whoever reads
	start     uint64 // the same in nanoseconds, in nobody's
}

// Fields of /proc/PID/stat, counted from the state, which follows the name (fs/proc/array.c, do_task_stat).
const (
	fieldState   = 0
	fieldPPID    = 1
	fieldThreads = 17
	fieldStart   = 19
)

// parseStat reads PID (NAME) STATE PPID ... A name may hold anything, ") R 1 (" and ends of lines too, and is not escaped here as it is
// in status; what follows it is numbers, so the last bracket is its end.
func parseStat(data []byte) (s stat, ok bool) {
	open, end := bytes.IndexByte(data, '('), bytes.LastIndexByte(data, ')')
	if open < 1 || end < open || data[open-1] != ' ' {
		return stat{}, false
	}
	f := strings.Fields(string(data[end+1:]))
	if len(f) <= fieldStart || len(f[fieldState]) != 1 {
		return stat{}, false
	}
	state := f[fieldState][0]
	if state < 'A' || state > 'z' || state > 'Z' && state < 'a' {
		return stat{}, false
	}
	pid, err1 := strconv.ParseUint(string(data[:open-1]), 10, 32)
	ppid, err2 := strconv.ParseUint(f[fieldPPID], 10, 32)
	threads, err3 := strconv.ParseInt(f[fieldThreads], 10, 32)
	ticks, err4 := strconv.ParseUint(f[fieldStart], 10, 64)
	for _, err := range []error{err1, err2, err3, err4} {
		if err != nil {
			return stat{}, false
		}
	}
	return stat{
		pid: uint32(pid), ppid: uint32(ppid), comm: string(data[open+1 : end]),
		// A process that has just ended has no threads (num_threads is 0 then).
		state: state, threads: max(int(threads), 1), ticks: ticks,
	}, true
}

// splitArgs makes arguments of /proc/PID/cmdline: each ends with a NUL, and empty ones count. A process that has written its title over
// them (setproctitle(3)) may leave one without an end, and a tail of NULs, which are no arguments.
func splitArgs(data []byte) []string {
	if data = bytes.TrimSuffix(data, []byte{0}); len(data) == 0 {
		return nil
	}
	args := strings.Split(string(data), "\x00")
	if tail := len(args) - 1; tail > 0 && args[tail] == "" && args[tail-1] == "" {
		for tail > 0 && args[tail] == "" {
			tail--
		}
		args = args[:tail+1]
	}
	return args
}

// cgroupPath finds the line of cgroup v2, "0::PATH", in /proc/PID/cgroup. Its path holds no end of line (cgroup_mkdir refuses it). A cgroup
// that was removed has " (deleted)" behind it (proc_cgroup_show).
func cgroupPath(data []byte) string {
	for line := range bytes.Lines(data) {
		if path, ok := bytes.CutPrefix(bytes.TrimSuffix(line, []byte{'\n'}), []byte("0::")); ok {
			return strings.TrimSuffix(string(path), " (deleted)")
		}
	}
	return ""
}

// effectiveUID finds the second of the four users in the line "Uid:" of /proc/PID/status, where the name is escaped and ends
// no line early (task_state, proc_task_name).
func effectiveUID(data []byte) (uid uint32, ok bool) {
	for line := range bytes.Lines(data) {
		users, ok := bytes.CutPrefix(line, []byte("Uid:"))
		if !ok {
			continue
		}
		f := bytes.Fields(users)
		if len(f) != 4 {
			return 0, false
		}
		n, err := strconv.ParseUint(string(f[1]), 10, 32)
		return uint32(n), err == nil
	}
	return 0, false
}
