// SPDX-License-Identifier: GPL-2.0-or-later

package main

import (
	"context"
	"io"
	"time"
)

// pumpGrace is for how long after the end a reader may still take the last frame.
const pumpGrace = time.Second

// pump writes frames one at a time, beside the loop that makes them: a reader that stops reading misses frames, and the
// loop no event.
type pump struct {
	out  io.Writer
	done chan error // gets the result of the write under way; nil when there is none
}

// free reports whether a frame can be written now, or why none can be any more.
func (p *pump) free() (bool, error) {
	if p.done == nil {
		return true, nil
	}
	select {
	case err := <-p.done:
		p.done = nil
		return err == nil, err
	default:
		return false, nil
	}
}

// write starts to write b, which is the pump's until free says so. It must be free.
func (p *pump) write(b []byte) {
	done := make(chan error, 1)
	p.done = done
	go func() {
		_, err := p.out.Write(b)
		done <- err
	}()
}

// flush waits until the last frame is written, but when ctx has ended no longer than pumpGrace.
func (p *pump) flush(ctx context.Context) error {
	if p.done == nil {
		return nil
	}
	select {
	case err := <-p.done:
		return err
	case <-ctx.Done():
	}
	select {
	case err := <-p.done:
		return err
	case <-time.After(pumpGrace):
		return nil
	}
}
