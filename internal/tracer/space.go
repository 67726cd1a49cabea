// SPDX-License-Identifier: GPL-2.0-or-later

package tracer

import (
	"errors"
	"os"

	"netlive/internal/sock"
)

// Space is a network namespace.
type Space interface {
	// Inode is the number by which the kernel names it: net:[4026531840].
	Inode() uint32
	// Do calls f on a thread that is in it. The error is f's, or wraps os.ErrNotExist when the namespace has gone.
	Do(f func() error) error
}

// inSpaces calls walk in each namespace that is to be walked, in the calling thread's own when none is named.
func (t *Tracer) inSpaces(walk func() error) error {
	if t.spaces == nil {
		return walk()
	}
	spaces, err := t.spaces()
	if err != nil {
		return err
	}
	for _, s := range spaces {
		// One that ended meanwhile has no sockets.
		if err := s.Do(walk); err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
	}
	return nil
}

// byProto puts sockets that were walked namespace by namespace into the order of snapshots.
func byProto(a, b sock.Socket) int { return int(a.Proto) - int(b.Proto) }
