// SPDX-License-Identifier: GPL-2.0-or-later

package process

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"os"
	"strconv"

	"golang.org/x/sys/unix"
)

// ErrUnknownStart says that a process cannot be told from a later one with its number.
var ErrUnknownStart = errors.New("when it started is not known")

// Signal sends sig to the process pid that started at start, in nanoseconds of CLOCK_BOOTTIME. The error wraps ErrGone when that process is not
// there any more, ErrUnknownStart when start is 0 (Lineage tells it), os.ErrPermission when we may not, and errors.ErrUnsupported when the
// kernel has no pidfd (before 5.3): then nothing was sent. A signal 0 asks whether it could be sent.
func Signal(pid uint32, start uint64, sig unix.Signal) error {
	if err := send(pid, start, sig); err != nil {
		return fmt.Errorf("process: signal %d: %w", pid, err)
	}
	return nil
}

// send opens the process before it looks at it. Whichever process the descriptor is of, it stays of that one: if that has ended, the
// signal goes nowhere, even when all that /proc said was of a later one.
func send(pid uint32, start uint64, sig unix.Signal) error {
	if start == 0 {
		return ErrUnknownStart
	}
	if pid == 0 || pid > math.MaxInt32 { // no process has these, and to the kernel they mean others
		return ErrGone
	}
	fd, err := unix.PidfdOpen(int(pid), 0)
	switch err {
	case nil:
	case unix.ESRCH, unix.EINVAL, unix.ENOENT: // none; or a thread that is no process: EINVAL, ENOENT of later kernels (kernel/fork.c, pidfd_prepare)
		return ErrGone
	default:
		return err
	}
	defer unix.Close(fd)
	r := newReader(os.DirFS("/proc"))
	if err := r.sameNamespace(fd, pid); err != nil {
		return err
	}
	s, err := r.stat(pid)
	if err != nil {
		return err
	}
	if !r.same(s.start, start) {
		return ErrGone
	}
	if err := unix.PidfdSendSignal(fd, sig, nil, 0); err == unix.ESRCH {
		return ErrGone
	} else if err != nil {
		return err
	}
	return nil
}

// sameNamespace reports whether /proc is of the PID namespace that we are in, without which pid is one process to the kernel and another in
// /proc. A pidfd's fdinfo has the number of its process as that procfs counts (pidfd_show_fdinfo): -1 when it has ended.
func (r *reader) sameNamespace(fd int, pid uint32) error {
	data, err := r.head("self/fdinfo/"+strconv.Itoa(fd), 4<<10)
	if err != nil {
		return err
	}
	for line := range bytes.Lines(data) {
		number, ok := bytes.CutPrefix(line, []byte("Pid:"))
		if !ok {
			continue
		}
		switch string(bytes.TrimSpace(number)) {
		case strconv.FormatUint(uint64(pid), 10):
			return nil
		case "-1":
			return ErrGone
		}
		return errors.New("/proc is of another PID namespace")
	}
	return errors.New("its descriptor is no pidfd")
}
