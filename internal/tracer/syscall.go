// SPDX-License-Identifier: GPL-2.0-or-later

package tracer

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/link"
	"golang.org/x/sys/unix"
)

// noSuchCall reports whether a program hangs on a system call that this architecture does not have, though it has the other of that kind: s390x has no accept(2),
// which its C libraries make of accept4.
func noSuchCall(program string) bool {
	own, ok := syscallPrograms[program]
	if !ok {
		return false
	}
	dir, err := openTracefs()
	if err != nil {
		return false
	}
	defer dir.Close()
	is := func(tracepoint string) bool {
		return unix.Faccessat(int(dir.Fd()), "events/syscalls/"+tracepoint, unix.F_OK, 0) == nil
	}
	if is(own) {
		return false
	}
	for _, other := range syscallPrograms {
		if is(other) {
			return true
		}
	}
	return false
}

// hangSyscall hangs a program on the tracepoint of that name at a system call. The library does it too, but looks for tracefs where it is mounted, and
// ip-netns(8) mounts another /sys.
func hangSyscall(tracepoint string, p *ebpf.Program) (_ link.Link, err error) {
	dir, err := openTracefs()
	if err != nil {
		return nil, err
	}
	defer dir.Close()
	id, err := readAt(dir, "events/syscalls/"+tracepoint+"/id")
	if err != nil {
		return nil, err
	}
	number, err := strconv.ParseUint(strings.TrimSpace(id), 10, 64)
	if err != nil {
		return nil, fmt.Errorf("the number of %s: %w", tracepoint, err)
	}
	attr := unix.PerfEventAttr{Type: unix.PERF_TYPE_TRACEPOINT, Config: number, Sample: 1, Wakeup: 1, Sample_type: unix.PERF_SAMPLE_RAW}
	// The program is the tracepoint's and runs on all processors, whichever the event is of (kernel/trace/bpf_trace.c, perf_event_attach_bpf_prog).
	fd, err := unix.PerfEventOpen(&attr, -1, 0, -1, unix.PERF_FLAG_FD_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("open the event of %s: %w", tracepoint, err)
	}
	event := os.NewFile(uintptr(fd), tracepoint)
	raw, err := link.AttachRawLink(link.RawLinkOptions{Target: fd, Program: p, Attach: ebpf.AttachPerfEvent}) // since 5.15
	if err != nil {
		return nil, errors.Join(err, event.Close())
	}
	if err := unix.IoctlSetInt(fd, unix.PERF_EVENT_IOC_ENABLE, 0); err != nil {
		return nil, errors.Join(err, raw.Close(), event.Close())
	}
	return perfLink{raw, event}, nil
}

// perfLink closes the event with its link.
type perfLink struct {
	link.Link
	event *os.File
}

func (l perfLink) Close() error { return errors.Join(l.Link.Close(), l.event.Close()) }

// openTracefs opens the root of tracefs, mounted or not.
func openTracefs() (*os.File, error) {
	for _, dir := range tracefs {
		if _, err := os.Stat(dir + "/events"); err == nil {
			return os.Open(dir)
		}
	}
	return openUnmounted("tracefs")
}

// readAt reads a small file below dir.
func readAt(dir *os.File, path string) (string, error) {
	fd, err := unix.Openat(int(dir.Fd()), path, unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return "", fmt.Errorf("%s: %w", path, err)
	}
	f := os.NewFile(uintptr(fd), path)
	defer f.Close()
	text, err := io.ReadAll(f)
	return string(text), err
}
