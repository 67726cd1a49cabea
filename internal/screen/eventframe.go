// SPDX-License-Identifier: GPL-2.0-or-later

package screen

import "netlive/internal/sock"

// eventFrame is a window on the log.
type eventFrame struct {
	events  []sock.Event
	matches int // in the log
	// after is how many of them come after the window.
	after int
	total uint64 // ever told
}

// drawEvents makes the window on the log that is wished for.
func (w *window) drawEvents(f *frame, wish wish) {
	e := &f.events
	e.total = w.log.Total()
	var match func(*sock.Event) bool
	if wish.filter != nil {
		match = wish.filter.Event
	}
	kinds := wish.kinds &^ sock.Events(sock.EventOwner, sock.EventStale)
	skip := 0
	if wish.skip >= 0 {
		// What has come since the window stopped at its place comes after it.
		skip = wish.skip
		for i := w.log.Len() - 1; i >= 0 && e.total-uint64(w.log.Len()-1-i) > wish.anchor; i-- {
			if is := w.log.At(i); kinds.Has(is.Kind) && (match == nil || match(is)) {
				skip++
			}
		}
	}
	e.events = make([]sock.Event, max(wish.height, 0))
	n, matches := w.log.Window(e.events, skip, kinds, match)
	if n < len(e.events) && skip > 0 {
		// Beyond the oldest: the window is as far back as it can be.
		skip = max(matches-len(e.events), 0)
		n, matches = w.log.Window(e.events, skip, kinds, match)
	}
	e.events, e.matches, e.after = e.events[:n], matches, skip
	own(e.events)
	if wish.saving > w.saved {
		w.saved, f.saveSeq = wish.saving, wish.saving
		f.savedEvents = make([]sock.Event, w.log.Len())
		n, _ := w.log.Window(f.savedEvents, 0, kinds, match)
		f.savedEvents = f.savedEvents[:n]
		own(f.savedEvents)
	}
}

// own gives copies of events details of their own: those of the log are used again.
func own(events []sock.Event) {
	for i := range events {
		if d := events[i].Detail; d != nil {
			c := *d
			events[i].Detail = &c
		}
	}
}
