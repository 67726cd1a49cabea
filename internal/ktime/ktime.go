// SPDX-License-Identifier: GPL-2.0-or-later

// Package ktime is the kernel's monotonic clock as BPF programs read it (bpf_ktime_get_ns): that of the machine. clock_gettime(2) adds to it what our time namespace
// says (time_namespaces(7): containers that were moved, unshare --time), and stamps of the two cannot be held against each other.
package ktime

import (
	"bytes"
	"os"
	"strconv"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"netlive/internal/sock"
)

// Now is the instant.
func Now() sock.Stamp { return sock.Stamp(Monotonic()) }

// Monotonic is Now in plain nanoseconds.
func Monotonic() int64 { return Read(unix.CLOCK_MONOTONIC) - added() }

// Read is any of the clocks that every Linux has, as our time namespace has it.
func Read(id int32) int64 {
	var ts unix.Timespec
	_ = unix.ClockGettime(id, &ts) // there is no error to have
	return ts.Nano()
}

// added is what our time namespace adds. It does not change once a process is in it.
var added = sync.OnceValue(func() int64 {
	// The file is about the namespace of our children. One that differs from ours has been made by this process, or the one before it was executed
	// (before Linux 6.3 that does not enter it): ours is then the one we came from, which nothing tells the offsets of; as good as ever it is the machine's.
	own, err := os.Readlink("/proc/self/ns/time")
	if err != nil {
		return 0 // before 5.6
	}
	if children, err := os.Readlink("/proc/self/ns/time_for_children"); err != nil || children != own {
		return 0
	}
	text, err := os.ReadFile("/proc/self/timens_offsets")
	if err != nil {
		return 0
	}
	return offset(text, "monotonic")
})

// offset reads lines of CLOCK SECONDS NANOSECONDS.
func offset(text []byte, clock string) int64 {
	for line := range bytes.Lines(text) {
		f := bytes.Fields(line)
		if len(f) != 3 || string(f[0]) != clock {
			continue
		}
		sec, err1 := strconv.ParseInt(string(f[1]), 10, 32)
		nsec, err2 := strconv.ParseInt(string(f[2]), 10, 32)
		if err1 == nil && err2 == nil {
			return sec*int64(time.Second) + nsec
		}
	}
	return 0
}
