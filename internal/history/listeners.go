// SPDX-License-Identifier: GPL-2.0-or-later

package history

import (
	"net/netip"
	"slices"
	"time"

	"netlive/internal/sock"
	"netlive/internal/table"
)

const (
	// rateSlot and rateSlots are how finely connections are counted, and for how long: a rate is that of the last four seconds.
	rateSlot  = 250 * time.Millisecond
	rateSlots = 16
	// endsMax is how many local ends are counted apart, some 200 bytes each. Whoever can send to a whole network of addresses that are
	// ours could have no end of them: beyond, connections count to the wildcard address of their port.
	endsMax = 4096
	// idsMax is how many sockets that listen at the same end (SO_REUSEPORT) are remembered.
	idsMax = 256
)

// ListenerCounts is what became of those who wanted to connect to a listener, since netlive watches.
type ListenerCounts struct {
	// AcceptsPerSecond is how many connections a second were completed in the last four seconds.
	AcceptsPerSecond float64
	// Accepted is how many were completed.
	Accepted uint64
	// Overflows is how many connections (and segments of such) the listener dropped, for want of room in its queue mostly (Detail.Dropped of
	// EventOverflow); below 0 not known: its queue was full, and the kernel does not tell.
	Overflows int64
	// LastOverflow is when its queue was told to be full last, whether or not something was dropped; 0 never.
	LastOverflow sock.Stamp
}

// Listeners counts for each listening socket. A connection is counted when its handshake is complete (SYN_RECV to ESTABLISHED), which is when the kernel
// puts it into the listener's queue: a table's reader hears of that always and once, while EventAccept needs hooks that not every kernel lets us have and
// that io_uring does not pass. The difference waits in the queue.
//
// An event does not say whose child a connection is, so that counts are by local end: sockets that share one (SO_REUSEPORT) have the sum of all, and a
// wildcard listener has what was for addresses at which no listener is known that is more specific. Listeners are known by events and by having been
// asked for (Of).
type Listeners struct {
	ends  map[end]*endCounts
	ports map[end][]*endCounts // the same by port: the address is the wildcard of the family
	began sock.Stamp           // when the first event was
}

// end is a local end. The namespaces' own addresses are told apart by netns; the address is of the socket's family.
type end struct {
	netns uint32
	local netip.AddrPort
}

func endOf(s *sock.Socket) end { return end{s.NetNS, s.Local} }

// wildcard is the end of a listener that takes what e is for when nobody does who is more specific.
func (e end) wildcard() end {
	any := netip.IPv4Unspecified()
	if !e.local.Addr().Is4() {
		any = netip.IPv6Unspecified()
	}
	return end{e.netns, netip.AddrPortFrom(any, e.local.Port())}
}

// endCounts is what is counted of one end.
type endCounts struct {
	end       end
	listeners []sock.ID // that are known to listen here
	accepted  uint64
	overflows int64 // below 0 not known
	overflow  sock.Stamp
	slots     [rateSlots]uint32 // connections by time, the newest of them in slot newest
	newest    int64
}

// NewListeners returns a Listeners that has heard nothing.
func NewListeners() *Listeners {
	return &Listeners{ends: map[end]*endCounts{}, ports: map[end][]*endCounts{}}
}

// Add takes in an event of any kind.
func (l *Listeners) Add(e *sock.Event) {
	s := &e.Socket
	if l.began == 0 {
		l.began = s.At
	}
	switch {
	case e.Kind == sock.EventOverflow && e.Detail != nil:
		if c := l.at(endOf(s)); c != nil {
			c.overflows = add(c.overflows, e.Detail.Dropped)
			c.overflow = max(c.overflow, s.At)
		}
	case e.Kind != sock.EventState:
	case e.Old == sock.SynRecv && s.State == sock.Established:
		k := endOf(s)
		c := l.at(k)
		if c == nil {
			c = l.ends[k.wildcard()]
		}
		if c != nil {
			c.accepted++
			c.tick(s.At)
		}
	case s.State == sock.Listen:
		if c := l.at(endOf(s)); c != nil {
			c.listens(s.ID)
		}
	case e.Old == sock.Listen && s.State == sock.Close:
		l.close(endOf(s), s.ID)
	}
}

// Of is what is counted for a listener as of now.
func (l *Listeners) Of(r *table.Row, now sock.Stamp) (n ListenerCounts) {
	k := endOf(&r.Socket)
	own := l.ends[k]
	if r.State == sock.Listen && r.Closed == 0 && r.ID.Cookie() != 0 { // others are of a snapshot, or not there any more
		if own = l.at(k); own != nil {
			own.listens(r.ID)
		}
	}
	l.sum(&n, own, now)
	if k == k.wildcard() {
		for _, c := range l.ports[k] {
			if c != own && len(c.listeners) == 0 {
				l.sum(&n, c, now)
			}
		}
	}
	return n
}

func (l *Listeners) sum(n *ListenerCounts, c *endCounts, now sock.Stamp) {
	if c == nil {
		return
	}
	n.AcceptsPerSecond += c.rate(now, l.began)
	n.Accepted += c.accepted
	n.Overflows = add(n.Overflows, c.overflows)
	n.LastOverflow = max(n.LastOverflow, c.overflow)
}

// add adds counts, of which those below 0 are not known.
func add(a, b int64) int64 {
	if a < 0 || b < 0 {
		return -1
	}
	return a + b
}

// at is what is counted of an end; nil when there is no room for another.
func (l *Listeners) at(k end) *endCounts {
	c := l.ends[k]
	if c == nil && len(l.ends) < endsMax {
		c = &endCounts{end: k}
		l.ends[k] = c
		w := k.wildcard()
		l.ports[w] = append(l.ports[w], c)
	}
	return c
}

// close forgets a listener that has closed, and when it was the last that is known at its end, what was counted for it: another
// one begins anew.
func (l *Listeners) close(k end, id sock.ID) {
	if c := l.ends[k]; c != nil {
		c.listeners = slices.DeleteFunc(c.listeners, func(other sock.ID) bool { return other == id })
		if len(c.listeners) > 0 {
			return
		}
	}
	w := k.wildcard()
	kept := slices.DeleteFunc(l.ports[w], func(c *endCounts) bool {
		gone := c.end == k || k == w && len(c.listeners) == 0
		if gone {
			delete(l.ends, c.end)
		}
		return gone
	})
	if l.ports[w] = kept; len(kept) == 0 {
		delete(l.ports, w)
	}
}

func (c *endCounts) listens(id sock.ID) {
	if len(c.listeners) < idsMax && !slices.Contains(c.listeners, id) {
		c.listeners = append(c.listeners, id)
	}
}

// tick counts a connection for the rate.
func (c *endCounts) tick(at sock.Stamp) {
	slot := int64(at) / int64(rateSlot)
	if slot > c.newest {
		for old := max(c.newest+1, slot-rateSlots+1); old <= slot; old++ {
			c.slots[old%rateSlots] = 0
		}
		c.newest = slot
	}
	if slot > c.newest-rateSlots {
		c.slots[slot%rateSlots]++
	}
}

// rate is how many a second there were in the last seconds, or since began if that is later.
func (c *endCounts) rate(now, began sock.Stamp) float64 {
	last := max(int64(now)/int64(rateSlot), c.newest) // events may be some microseconds ahead of now
	first := last - rateSlots + 1
	sum := uint64(0)
	for slot := max(first, c.newest-rateSlots+1, 0); slot <= c.newest; slot++ {
		sum += uint64(c.slots[slot%rateSlots])
	}
	over := max(time.Duration(now-max(sock.Stamp(first*int64(rateSlot)), began)), rateSlot)
	return float64(sum) / over.Seconds()
}
