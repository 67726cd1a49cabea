// SPDX-License-Identifier: GPL-2.0-or-later

package resolve

import (
	"context"
	"net/netip"
	"strings"
	"sync"
	"time"

	"netlive/internal/crash"
)

const (
	// lookupsMax is how many lookups run at once.
	lookupsMax = 32
	// waitingMax is how many addresses may wait for one ahead of their rows; a screen has fewer rows, and what finds no place
	// is asked for when it is drawn.
	waitingMax = 1024
	// namesMax is how many addresses are remembered: a program that runs for months meets more.
	namesMax = 1 << 16
	// patience is how long a name is waited for before whoever waits is told so.
	patience = 20 * time.Millisecond
)

// hosts remembers the names of addresses, and that there was none.
type hosts struct {
	ctx              context.Context
	lookup           func(ctx context.Context, addr string) ([]string, error)
	arrived, waiting func()

	mu      sync.Mutex
	names   map[netip.Addr]*host
	queue   []*host
	workers int
}

// host is what is known of an address.
type host struct {
	addr netip.Addr
	name string        // empty when it has none; of those who look it up until done is closed
	done chan struct{} // closed when the lookup has ended
}

// name returns the name of a; empty when it has none or, in the background, none yet.
func (h *hosts) name(a netip.Addr) string {
	background := h.arrived != nil
	found := h.get(a, background)
	if found == nil {
		return ""
	}
	select {
	case <-found.done:
		return found.name
	default:
	}
	if background {
		return ""
	}
	if h.waiting != nil {
		timer := time.NewTimer(patience)
		defer timer.Stop()
		select {
		case <-found.done:
			return found.name
		case <-timer.C:
			h.waiting()
		}
	}
	<-found.done
	return found.name
}

// get finds what is known of an address, and has it looked up if that is nothing. With bounded, the answer is nil when too
// many wait for their lookups already.
func (h *hosts) get(a netip.Addr, bounded bool) *host {
	h.mu.Lock()
	defer h.mu.Unlock()
	found := h.names[a]
	if found != nil {
		return found
	}
	if bounded && len(h.queue) >= waitingMax {
		return nil
	}
	if len(h.names) >= namesMax {
		clear(h.names) // those in use will be asked for again
	}
	found = &host{addr: a, done: make(chan struct{})}
	h.names[a] = found
	h.queue = append(h.queue, found)
	if h.workers < lookupsMax {
		h.workers++
		go h.work()
	}
	return found
}

// work looks up what is in the queue and ends when nothing is.
func (h *hosts) work() {
	defer crash.Guard()
	for {
		h.mu.Lock()
		if len(h.queue) == 0 {
			h.workers--
			h.mu.Unlock()
			return
		}
		found := h.queue[0]
		h.queue = h.queue[1:]
		h.mu.Unlock()

		found.name = h.ask(found.addr)
		close(found.done)
		if found.name != "" && h.arrived != nil {
			h.arrived()
		}
	}
}

// ask is the lookup itself. An IPv4-mapped address is asked for as such: files have to
// have it literally, DNS is asked for the IPv4 address (both as in libc).
func (h *hosts) ask(a netip.Addr) string {
	ctx, cancel := context.WithTimeout(h.ctx, lookupTimeout)
	defer cancel()
	// With an error there may be names all the same: those that were well formed.
	names, _ := h.lookup(ctx, a.String())
	if len(names) == 0 {
		return ""
	}
	return strings.TrimSuffix(names[0], ".")
}
