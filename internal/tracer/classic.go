// SPDX-License-Identifier: GPL-2.0-or-later

package tracer

import (
	"time"

	"netlive/internal/sock"
)

// classicLives tells the sockets of the classic tracepoint apart. It gives a
// socket's address only, which the kernel uses again at once for the next
// socket; but a socket's first events are known, so each of them begins a new life
// at its address. An entry ends with CLOSE; one whose CLOSE was lost
// stays until its address is used again, so there are never more entries than there are sockets at a time.
type classicLives map[sock.ID]classicLife

type classicLife struct {
	id    sock.ID
	since sock.Stamp
}

// apply replaces the address in e by an identity of its own and adds the time in the old state.
func (lives classicLives) apply(e *sock.Event) {
	address := e.Socket.ID
	life, known := lives[address]
	newborn := e.Old == sock.Close || e.Old == sock.Listen && e.Socket.State == sock.SynRecv
	if newborn || !known {
		// The address and the instant of birth: no two sockets share both.
		life = classicLife{id: (address<<20 ^ sock.ID(e.Socket.At)) | sock.LocalID}
	} else {
		e.InOld = time.Duration(e.Socket.At - life.since)
	}
	e.Socket.ID = life.id
	e.Mini = sock.StateNone
	if e.Socket.State == sock.Close {
		delete(lives, address)
		return
	}
	life.since = e.Socket.At
	lives[address] = life
}
