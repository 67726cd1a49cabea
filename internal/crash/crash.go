// SPDX-License-Identifier: GPL-2.0-or-later

// Package crash has things put right before a fault in the program ends it.
//
// A panic ends the process at once: deferred functions of the goroutine that panics run, those of the others, which may have a terminal
// in raw mode, do not. So whoever has something to put right says so (First), and each goroutine looks after itself (Guard). Errors that the Go
// runtime itself finds (a map that two goroutines write, no memory) run no deferred functions: against those, as against SIGKILL, nothing helps.
package crash

import "sync"

var first struct {
	mu    sync.Mutex
	calls []*func()
}

// First has f called before a crash ends the process, the last that was said first. undo takes it back. f may be called on any goroutine, and must not
// wait for others: they may have crashed.
func First(f func()) (undo func()) {
	first.mu.Lock()
	defer first.mu.Unlock()
	call := &f
	first.calls = append(first.calls, call)
	return func() {
		first.mu.Lock()
		defer first.mu.Unlock()
		for i, c := range first.calls {
			if c == call {
				first.calls = append(first.calls[:i], first.calls[i+1:]...)
				return
			}
		}
	}
}

// Prepare puts right what First was told of, each once: the process ends now.
func Prepare() {
	first.mu.Lock()
	calls := first.calls
	first.calls = nil
	first.mu.Unlock()
	for i := len(calls) - 1; i >= 0; i-- {
		(*calls[i])()
	}
}

// Guard is deferred by what begins a goroutine. A panic then goes on, and ends the process with its message and its stack, when things have been put right.
func Guard() {
	if p := recover(); p != nil {
		Prepare()
		panic(p)
	}
}
