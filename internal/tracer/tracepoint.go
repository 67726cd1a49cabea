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
		return unix.Faccessat(int(dir.Fd()), "events/"+tracepoint, unix.F_OK, 0) == nil
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

// hangTracepoint hangs a program on a classic tracepoint, SYSTEM/NAME, until what it returns is closed. The library does it too, but looks for tracefs where
// it is mounted, and ip-netns(8) mounts another /sys.
func hangTracepoint(tracepoint string, p *ebpf.Program) (_ io.Closer, err error) {
	dir, err := openTracefs()
	if err != nil {
		return nil, err
	}
	defer dir.Close()
	id, err := readAt(dir, "events/"+tracepoint+"/id")
	if err != nil {
		return nil, err
	}
	number, err := strconv.ParseUint(strings.TrimSpace(string(id)), 10, 64)
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
	// A link would do too, since 5.15; the program goes with the event either way.
	for _, step := range []struct{ request, value int }{{unix.PERF_EVENT_IOC_SET_BPF, p.FD()}, {unix.PERF_EVENT_IOC_ENABLE, 0}} {
		if err := unix.IoctlSetInt(fd, uint(step.request), step.value); err != nil {
			return nil, errors.Join(fmt.Errorf("hang a program on %s: %w", tracepoint, err), event.Close())
		}
	}
	return event, nil
}

// tracefs is where the kernel describes its classic tracepoints; the second place is for kernels
// before 4.1 and distributions that mount it there alone.
var tracefs = []string{"/sys/kernel/tracing", "/sys/kernel/debug/tracing"}

// openTracefs opens the root of tracefs, mounted or not.
func openTracefs() (*os.File, error) {
	for _, dir := range tracefs {
		switch _, err := os.Stat(dir + "/events"); {
		case err == nil:
			return os.Open(dir)
		case errors.Is(err, os.ErrPermission):
			return nil, err
		}
	}
	dir, err := openUnmounted("tracefs")
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errNoTracefs, err)
	}
	return dir, nil
}

var errNoTracefs = errors.New("tracefs is not mounted")

// readAt reads a small file below dir.
func readAt(dir *os.File, path string) ([]byte, error) {
	fd, err := unix.Openat(int(dir.Fd()), path, unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, &os.PathError{Op: "open", Path: path, Err: err}
	}
	f := os.NewFile(uintptr(fd), path)
	defer f.Close()
	return io.ReadAll(f)
}
