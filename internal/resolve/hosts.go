// SPDX-License-Identifier: GPL-2.0-or-later

package resolve

import (
	"context"
	"net/netip"
	"strings"
	"sync"
)

const (
	// lookupsMax is how many lookups run at once in the background.
	lookupsMax = 8
	// waitingMax is how many addresses may wait for one; a screen has fewer rows,
	// and what finds no place now is asked for again when it is drawn again.
	waitingMax = 1024
	// namesMax is how many addresses are remembered: a program that runs for months meets more.
	namesMax = 1 << 16
)

// hosts remembers the names of addresses, and that there was none.
type hosts struct {
	lookup  func(ctx context.Context, addr string) ([]string, error)
	arrived func()

	mu      sync.Mutex
	names   map[netip.Addr]string // empty: has no name, or it is being looked up
	waiting []netip.Addr
	workers int
}

// name returns the name of a; empty when it has none or, in the background, none yet.
func (h *hosts) name(a netip.Addr) string {
	h.mu.Lock()
	defer h.mu.Unlock()
	name, ok := h.names[a]
	if ok {
		return name
	}
	if h.arrived == nil {
		// A table is printed by one goroutine, so nobody else waits for the lock.
		name = h.ask(a)
		h.remember(a, name)
		return name
	}
	if len(h.waiting) >= waitingMax {
		return ""
	}
	h.remember(a, "")
	h.waiting = append(h.waiting, a)
	if h.workers < lookupsMax {
		h.workers++
		go h.work()
	}
	return ""
}

// remember is called with mu held.
func (h *hosts) remember(a netip.Addr, name string) {
	if len(h.names) >= namesMax {
		clear(h.names) // those in use will be asked for again
	}
	h.names[a] = name
}

// work looks up what is waiting and ends when nothing is.
func (h *hosts) work() {
	for {
		h.mu.Lock()
		if len(h.waiting) == 0 {
			h.workers--
			h.mu.Unlock()
			return
		}
		a := h.waiting[0]
		h.waiting = h.waiting[1:]
		h.mu.Unlock()

		name := h.ask(a)
		if name == "" {
			continue
		}
		h.mu.Lock()
		h.remember(a, name)
		h.mu.Unlock()
		h.arrived()
	}
}

// ask is the lookup itself. An IPv4-mapped address is asked for as such: files have to
// have it literally, DNS is asked for the IPv4 address (both as in libc).
func (h *hosts) ask(a netip.Addr) string {
	ctx, cancel := context.WithTimeout(context.Background(), lookupTimeout)
	defer cancel()
	// With an error there may be names all the same: those that were well formed.
	names, _ := h.lookup(ctx, a.String())
	if len(names) == 0 {
		return ""
	}
	return strings.TrimSuffix(names[0], ".")
}
