// SPDX-License-Identifier: GPL-2.0-or-later

package screen

import (
	"maps"
	"net/netip"
	"slices"
	"time"

	"netlive/internal/history"
	"netlive/internal/live"
	"netlive/internal/meter"
	"netlive/internal/sock"
	"netlive/internal/table"
	"netlive/internal/view"
)

// logSize is how many events are remembered.
const logSize = 16384

// frame is what the loop hands to the terminal: copies, nothing shared.
type frame struct {
	wish   wish
	status live.Status
	now    sock.Stamp
	cost   cost
	view.Frame
	readings map[sock.ID]*meter.Reading
	counts   map[sock.ID]*history.ListenerCounts
	// states counts the TCP sockets of the whole table in each state.
	states [sock.StateCount]int

	events eventFrame
	detail *detail
	found  *found
	// saved is all that is shown, for wish.saving.
	saved       []view.Line
	savedEvents []sock.Event
	saveSeq     uint64
}

// found is the answer to wish.find.
type found struct {
	finding uint64
	place   view.Place
	index   int
	ok      bool
}

// window is the loop's Drawer: it makes frames of what is wished for.
type window struct {
	*wishes
	config *Config
	send   func(*frame)
	of     Sockets
	// visited is closed when sockets are wanted for the first time.
	visited chan struct{}

	log       *history.Log
	listeners *history.Listeners
	costs     costMeter
	held      *view.Held
	heldFor   wish // the wish that it was held for
	answered  uint64
	saved     uint64
	spare     view.Frame // keeps its memory from frame to frame
	// lookedAt is the socket whose detail was shown last, and lastReading what was measured of it last.
	lookedAt    table.Row
	lastReading *meter.Reading
	// spaces are the namespaces of the rows, as of spacesAt.
	spaces   []uint32
	spacesAt sock.Stamp
}

func newWindow(c *Config) *window {
	return &window{wishes: newWishes(), visited: make(chan struct{}), config: c, log: history.NewLog(logSize), listeners: history.NewListeners()}
}

// told hears every event.
func (w *window) told(e *sock.Event) {
	w.log.Add(e)
	w.listeners.Add(e)
}

// Draw implements live.Drawer.
func (w *window) Draw(t *table.Table, s live.Status, now sock.Stamp) (again sock.Stamp, err error) {
	wish := w.get()
	f := &frame{wish: wish, status: s, now: now, states: t.Counts()}
	f.cost, again = w.costs.take(now, &s)
	switch {
	case wish.detail != 0:
		f.detail = w.detail(t, wish.detail, now)
		again = soonest(again, now+sock.Stamp(time.Second)) // ages move
	case wish.page == Events:
		w.drawEvents(f, wish)
	case wish.page <= Listeners:
		again = soonest(again, w.drawSockets(t, f, wish, now))
	}
	w.send(f)
	return again, nil
}

// soonest is the earlier of two instants; 0 is never.
func soonest(a, b sock.Stamp) sock.Stamp {
	if a == 0 || b != 0 && b < a {
		return b
	}
	return a
}

func (w *window) query(wish *wish, now sock.Stamp) view.Query {
	q := view.Query{
		Select: w.config.Select[wish.page], Offset: wish.offset, Height: wish.height, Ghosts: wish.closed,
		Follow: wish.follow, FollowLine: wish.followLine, Peers: wish.peers, Reverse: wish.reverse,
	}
	if wish.filter != nil {
		q.Match = wish.filter.Socket
	}
	m := &measures{reading: w.reading, counts: func(r *table.Row) history.ListenerCounts { return w.countsOf(r, now) }, now: now}
	if c := socketColumn(wish.sort); c != nil && c.compare != nil {
		q.Compare = func(a, b *table.Row) int { return c.compare(m, a, b) }
	}
	if wish.group != groupNone {
		q.Group = &view.Grouping{Key: wish.group.key(w.config), Open: wish.opened.has, Add: w.sum, Compare: compareGroups(wish.sort), Reverse: wish.reverse && groupSorted(wish.sort)}
	}
	return q
}

// reading is what was measured of a socket.
func (w *window) reading(id sock.ID) (meter.Reading, bool) {
	if w.of.Meter == nil {
		return meter.Reading{}, false
	}
	return w.of.Meter.Get(id)
}

// sum adds a row to the sums of its group.
func (w *window) sum(g *view.Group, r *table.Row) {
	if r.State == sock.TimeWait || r.Closed != 0 || !sock.ProtosTCP.Has(r.Proto) {
		return // nobody measures those
	}
	reading, ok := w.reading(r.ID)
	if !ok {
		return
	}
	if reading.TxRate >= 0 {
		g.Sum[sumMeasured]++
		g.Sum[sumTX] += reading.TxRate
		g.Sum[sumRX] += max(reading.RxRate, 0)
	}
	g.Sum[sumRetrans] += float64(max(reading.Retrans, 0))
}

// groupSorted reports whether groups have a value of the column that rows are sorted by.
func groupSorted(sort string) bool {
	return sort == "tx" || sort == "rx" || sort == "retrans" || sort == "age"
}

// compareGroups orders groups by their sums where rows are sorted by what is summed; nil is by the number of their rows.
func compareGroups(sort string) func(a, b *view.Group) int {
	sums := map[string]int{"tx": sumTX, "rx": sumRX, "retrans": sumRetrans}
	if i, ok := sums[sort]; ok {
		return func(a, b *view.Group) int {
			switch {
			case a.Sum[i] < b.Sum[i]:
				return -1
			case a.Sum[i] > b.Sum[i]:
				return 1
			}
			return 0
		}
	}
	if sort == "age" {
		return func(a, b *view.Group) int {
			switch {
			case a.Oldest > b.Oldest:
				return -1
			case a.Oldest < b.Oldest:
				return 1
			}
			return 0
		}
	}
	return nil
}

func (w *window) drawSockets(t *table.Table, f *frame, wish wish, now sock.Stamp) (again sock.Stamp) {
	q := w.query(&wish, now)
	w.hold(t, &q, &wish, now)
	view.Build(t, q, now, &w.spare)
	f.Frame = *w.spare.Copy()
	f.readings = map[sock.ID]*meter.Reading{}
	f.counts = map[sock.ID]*history.ListenerCounts{}
	var shown []sock.Socket
	for i := range f.Rows {
		l := &f.Rows[i]
		if l.Group != nil || l.Ghost {
			continue
		}
		if sock.ProtosTCP.Has(l.Proto) {
			shown = append(shown, l.Socket)
		}
		if wish.ages && l.Born != 0 {
			_, older := age(time.Duration(now - l.Born))
			again = soonest(again, now+sock.Stamp(older))
		}
		w.measured(f, l, now)
		if c := f.counts[l.ID]; c != nil && c.AcceptsPerSecond > 0 {
			again = soonest(again, now+sock.Stamp(time.Second)) // it falls by itself
		}
	}
	w.measure(t, &wish, shown, now)
	if wish.finding > w.answered {
		w.answered = wish.finding
		f.found = w.find(t, q, &wish, now)
	}
	if wish.saving > w.saved {
		w.saved = wish.saving
		f.saveSeq = wish.saving
		if q.Group != nil {
			whole := *q.Group
			whole.Open = nil // the rows of groups that are closed too
			q.Group = &whole
		}
		view.All(t, q, now, func(l *view.Line) {
			if l.Group != nil {
				return
			}
			f.saved = append(f.saved, *l)
			w.measured(f, l, now)
		})
	}
	return soonest(again, f.Again)
}

// measured puts into a frame what is known of a row besides it.
func (w *window) measured(f *frame, l *view.Line, now sock.Stamp) {
	if r, ok := w.reading(l.ID); ok {
		f.readings[l.ID] = &r
	}
	if l.State == sock.Listen && w.of.Kinds != 0 {
		c := w.countsOf(&l.Row, now)
		f.counts[l.ID] = &c
	}
}

// countsOf is what is known of a listener's queue.
func (w *window) countsOf(r *table.Row, now sock.Stamp) history.ListenerCounts {
	n := w.listeners.Of(r, now)
	if !w.of.Kinds.Any(sock.Events(sock.EventOverflow)) {
		n.Overflows = -1 // this kernel does not tell
	}
	return n
}

// hold makes or drops the order that is held.
func (w *window) hold(t *table.Table, q *view.Query, wish *wish, now sock.Stamp) {
	if !wish.frozen {
		w.held = nil
		return
	}
	// An order is held until another one is asked for.
	if h := &w.heldFor; w.held == nil || h.page != wish.page || h.sort != wish.sort || h.reverse != wish.reverse || h.group != wish.group || h.closed != wish.closed {
		all := *q
		all.Match = nil // the filter may be another one while the order is held
		w.held = view.Hold(t, all, now)
		w.heldFor = *wish
	}
	q.Held = w.held
}

// measure tells the meter what is shown. When rows are in the order of what is measured, or summed, all of them are.
func (w *window) measure(t *table.Table, wish *wish, shown []sock.Socket, now sock.Stamp) {
	if w.of.Meter == nil {
		return
	}
	c := socketColumn(wish.sort)
	if wish.group == groupNone && (c == nil || !c.sampled) {
		w.of.Meter.Want(shown, nil)
		return
	}
	if w.spacesAt == 0 || now-w.spacesAt > sock.Stamp(time.Second) {
		spaces := map[uint32]bool{}
		for r := range t.Rows() {
			if sock.ProtosTCP.Has(r.Proto) {
				spaces[r.NetNS] = true
			}
		}
		w.spaces, w.spacesAt = slices.Sorted(maps.Keys(spaces)), now
	}
	w.of.Meter.Want(shown, w.spaces)
}

func (w *window) find(t *table.Table, q view.Query, wish *wish, now sock.Stamp) *found {
	words := w.config.Words(Numeric{Hosts: true, Ports: true, Users: true}, func() {})
	f := &found{finding: wish.finding}
	f.place, f.index, f.ok = view.Find(t, q, now, wish.from, wish.back, func(r *table.Row) bool { return mentions(&words, r, wish.find) })
	return f
}

// addrAlone is an address without its port.
func addrAlone(end netip.AddrPort) netip.AddrPort { return netip.AddrPortFrom(end.Addr().Unmap(), 0) }
