// SPDX-License-Identifier: GPL-2.0-or-later

package main

import (
	"context"
	"fmt"
	"io"
	"os"

	"golang.org/x/sys/unix"
)

// filesLeast is how many descriptors a table takes, those of Go's poller included: without them Go ends the process with its stacks.
const filesLeast = 8

// roomForFiles reports whether as many files can be opened as nothing goes without.
func roomForFiles() error {
	var fds [filesLeast]int
	n := 0
	defer func() {
		for _, fd := range fds[:n] {
			_ = unix.Close(fd)
		}
	}()
	for ; n < filesLeast; n++ {
		fd, err := unix.FcntlInt(0, unix.F_DUPFD_CLOEXEC, 0) // Go has the first three opened, if nobody else has
		if err != nil {
			return fmt.Errorf("it needs %d descriptors besides those it was given, and may have %d (ulimit -n): %w", filesLeast, n, err)
		}
		fds[n] = fd
	}
	return nil
}

// hungUp reports whether out is a pipe that nobody reads any more, or a terminal that has gone: EIO is then what reading it and writing to it give
// (drivers/tty/tty_io.c, hung_up_tty_write), which may be heard of before whileRead does.
func hungUp(out io.Writer) bool {
	f, ok := out.(*os.File)
	if !ok {
		return false
	}
	gone, err := unread(int(f.Fd()), 0)
	return err == nil && gone
}

// unread waits for so many milliseconds, -1 for good, until nobody can read what is written to fd any more, and reports whether that is so.
func unread(fd, wait int) (gone bool, err error) {
	poll := []unix.PollFd{{Fd: int32(fd)}} // which asks for POLLERR and POLLHUP alone
	_, err = unix.Poll(poll, wait)
	return poll[0].Revents&(unix.POLLERR|unix.POLLHUP) != 0, err
}

// whileRead is ctx, which ends with errUnread when nobody can read out any more: a pipe's reader or a terminal has gone. Who has nothing to write would not
// hear of it. It takes a thread that sleeps.
func whileRead(ctx context.Context, out io.Writer) (context.Context, func()) {
	f, ok := out.(*os.File)
	if !ok {
		return ctx, func() {}
	}
	if st, err := f.Stat(); err != nil || st.Mode().IsRegular() {
		return ctx, func() {}
	}
	ctx, cancel := context.WithCancelCause(ctx)
	fd := int(f.Fd())
	go func() {
		for {
			gone, err := unread(fd, -1)
			if err == unix.EINTR {
				continue
			}
			if err == nil && gone {
				cancel(errUnread)
			}
			return
		}
	}()
	return ctx, func() { cancel(nil) }
}
