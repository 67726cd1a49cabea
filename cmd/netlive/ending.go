// SPDX-License-Identifier: GPL-2.0-or-later

package main

import (
	"context"
	"os"
	"os/signal"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"netlive/internal/crash"
)

// endGrace is how long a verb that was told to end may take for it. It takes longer when it waits for what does not come: a reader that has
// stopped reading, a terminal whose output is stopped.
const endGrace = 3 * time.Second

// ending is how signals end a verb.
type ending struct {
	mu    sync.Mutex
	code  int         // of an end that takes too long
	timer *time.Timer // to that; nil: no signal has come
	held  bool        // there is something to wait for
}

// hear is a context that SIGINT ends with errInterrupted as its cause, SIGTERM and SIGHUP with errTerminated: a terminal that goes, or that
// stays behind, is left as it was.
func (e *ending) hear() (context.Context, func()) {
	ctx, cancel := context.WithCancelCause(context.Background())
	ends, faults := make(chan os.Signal, 1), make(chan os.Signal, 1)
	signal.Notify(ends, unix.SIGINT, unix.SIGTERM)
	if !signal.Ignored(unix.SIGHUP) { // nohup(1) has it ignored
		signal.Notify(ends, unix.SIGHUP)
	}
	signal.Notify(faults, faultSignals...)
	go func() {
		for {
			select {
			case sig := <-ends:
				cause, code := errTerminated, exitOK
				if sig == unix.SIGINT {
					cause, code = errInterrupted, exitInterrupted
				}
				cancel(cause)
				e.begin(code)
			case sig := <-faults:
				crash.Prepare()
				signal.Reset(sig)
				_ = unix.Kill(unix.Getpid(), sig.(unix.Signal))
			}
		}
	}()
	return ctx, func() {
		signal.Stop(ends)
		cancel(nil)
	}
}

// faultSignals have Go print the stacks of all goroutines and end with code 2, which is of use to who looks for a fault: but not on
// a terminal in raw mode.
var faultSignals = []os.Signal{
	unix.SIGQUIT, unix.SIGABRT, unix.SIGSEGV, unix.SIGBUS, unix.SIGFPE, unix.SIGILL, unix.SIGTRAP, unix.SIGSYS, unix.SIGXCPU,
}

// begin has the process end with code in a while. Only the first signal counts: timeout(1) sends two.
func (e *ending) begin(code int) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.timer != nil {
		return
	}
	e.code = code
	e.timer = time.AfterFunc(endGrace, e.now)
	if e.held {
		e.timer.Stop()
	}
}

// now ends the process. What it had in the kernel goes with it.
func (e *ending) now() {
	crash.Prepare()
	os.Exit(e.code)
}

// hold has the end wait for as long as it takes until release: for a command that netlive runs.
func (e *ending) hold() {
	if e == nil {
		return
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.held = true
	if e.timer != nil {
		e.timer.Stop()
	}
}

func (e *ending) release() {
	if e == nil {
		return
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.held = false
	if e.timer != nil {
		e.timer.Reset(endGrace)
	}
}
