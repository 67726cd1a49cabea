// SPDX-License-Identifier: GPL-2.0-or-later

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"netlive/internal/options"
)

const (
	// commandGrace is how long the last connections of a command that has ended may take to close: their FINs are answered by the other end.
	commandGrace = time.Second
	// commandNotFound and commandRefused are what a shell, env(1) and timeout(1) say of a command that could not be run.
	commandNotFound = 127
	commandRefused  = 126
	// signaled and a signal's number are what a shell says of a command that a signal ended.
	signaled = 128
)

// exitError ends netlive with the code of the command that it ran.
type exitError struct {
	code int
	text string // "" when the command has said itself what is wrong
}

func (e *exitError) Error() string { return e.text }

// command is the program whose connections are traced. It is begun when everything is attached, so nothing of it is missed: the
// kernel's programs follow what this process forks.
type command struct {
	cmd  *exec.Cmd
	std  streams
	done chan struct{} // closed when it has ended
	err  error         // then: how
}

// newCommand looks for the command of o; nil when there is none.
func newCommand(o *options.Options, std streams) (*command, error) {
	if o.Command == nil {
		return nil, nil
	}
	path, err := exec.LookPath(o.Command[0])
	if err != nil {
		code := commandRefused
		if errors.Is(err, exec.ErrNotFound) || errors.Is(err, os.ErrNotExist) {
			code = commandNotFound
		}
		return nil, &exitError{code, "trace: run " + shownWord(err.Error())}
	}
	cmd := &exec.Cmd{Path: path, Args: o.Command, Stdin: os.Stdin, Stdout: std.out, Stderr: std.err}
	return &command{cmd: cmd, std: std, done: make(chan struct{})}, nil
}

// start begins the command. When it has ended, and its connections have or a second is over, finish is called. Signals that end
// ctx are the command's.
func (c *command) start(ctx context.Context, finish func(), alive func() bool) error {
	c.std.end.hold()
	if err := c.cmd.Start(); err != nil {
		c.std.end.release()
		return &exitError{commandRefused, "trace: run " + shownWord(err.Error())}
	}
	go func() {
		c.err = c.cmd.Wait()
		c.std.end.release()
		close(c.done)
	}()
	go func() {
		select {
		case <-ctx.Done():
			c.signal(context.Cause(ctx))
			<-c.done
		case <-c.done:
		}
		for end := time.Now().Add(commandGrace); alive() && time.Now().Before(end); {
			time.Sleep(10 * time.Millisecond)
		}
		finish()
	}()
	return nil
}

// signal hands on what was to end netlive. A terminal has sent its ^C to the command too.
func (c *command) signal(cause error) {
	sig := unix.SIGTERM
	if errors.Is(cause, errInterrupted) {
		if inForeground() {
			return
		}
		sig = unix.SIGINT
	}
	_ = c.cmd.Process.Signal(sig) // it may have ended just now
}

// inForeground reports whether we are in the foreground of a terminal, and so is what we began.
func inForeground() bool {
	tty, err := os.Open("/dev/tty")
	if err != nil {
		return false
	}
	defer tty.Close()
	group, err := unix.IoctlGetUint32(int(tty.Fd()), unix.TIOCGPGRP) // a pid_t: IoctlGetInt's int is wider, which shows where the high bits come first
	return err == nil && int(group) == unix.Getpgrp()
}

// result waits for the end of the command and is its exit code as an error; nil for 0.
func (c *command) result() error {
	<-c.done
	var exit *exec.ExitError
	switch {
	case c.err == nil:
		return nil
	case !errors.As(c.err, &exit):
		return fmt.Errorf("trace: run %s: %w", c.cmd.Path, c.err)
	}
	if status, ok := exit.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		return &exitError{code: signaled + int(status.Signal())}
	}
	return &exitError{code: exit.ExitCode()}
}
