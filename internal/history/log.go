// SPDX-License-Identifier: GPL-2.0-or-later

// Package history is what a screen remembers of events: the last of them, what they say of each listener, and the states that a
// connection went through. It reads no clock and locks nothing: it belongs to the goroutine that owns the table.
package history

import "netlive/internal/sock"

// chunkEvents events are allocated at a time: a log takes memory as it fills.
const chunkEvents = 256

// Log is the last events, as many as it has room for. An event takes 336 bytes, and 304 more if it has a Detail; nothing is allocated for one
// when the log is full, but where there have never been so many with a Detail in it.
type Log struct {
	chunks  []*[chunkEvents]sock.Event
	size    int
	head, n int // the place of the oldest, and how many there are
	total   uint64
	began   sock.Stamp     // when the first event of all was
	free    []*sock.Detail // of events that have gone
}

// NewLog makes a log of so many events, at least one.
func NewLog(size int) *Log { return &Log{size: max(size, 1)} }

// Add takes a copy of e, its Detail too, its Stack not. EventOwner and EventStale, which say nothing to people, are left out.
func (l *Log) Add(e *sock.Event) {
	if e.Kind == sock.EventOwner || e.Kind == sock.EventStale {
		return
	}
	if l.total++; l.total == 1 {
		l.began = e.Socket.At
	}
	if l.n == l.size {
		l.head = (l.head + 1) % l.size
		l.n--
	}
	at := (l.head + l.n) % l.size
	l.n++
	if at/chunkEvents == len(l.chunks) {
		l.chunks = append(l.chunks, new([chunkEvents]sock.Event))
	}
	to := l.at(at)
	if to.Detail != nil {
		l.free = append(l.free, to.Detail)
	}
	*to = *e
	to.Stack = nil
	if e.Detail != nil {
		to.Detail = l.newDetail()
		*to.Detail = *e.Detail
	}
}

func (l *Log) newDetail() *sock.Detail {
	n := len(l.free)
	if n == 0 {
		return new(sock.Detail)
	}
	d := l.free[n-1]
	l.free = l.free[:n-1]
	return d
}

// at is the event in a place.
func (l *Log) at(place int) *sock.Event { return &l.chunks[place/chunkEvents][place%chunkEvents] }

// Len is how many events are in the log.
func (l *Log) Len() int { return l.n }

// Total is how many were ever added.
func (l *Log) Total() uint64 { return l.total }

// At is an event, 0 the oldest and Len()-1 the newest. It is good until the next Add.
func (l *Log) At(i int) *sock.Event { return l.at((l.head + i) % l.size) }

// Of is copies of the last events of a socket, at most so many, oldest first. Those of the request that a connection was until its handshake was
// complete (a SYN-ACK that was sent again) are its own.
func (l *Log) Of(id sock.ID, most int) []sock.Event {
	if id == 0 || most <= 0 {
		return nil
	}
	var found []int
	request := sock.ID(0)
	for i := l.n - 1; i >= 0 && len(found) < most; i-- {
		e := l.At(i)
		switch {
		case e.Socket.ID == id:
			if e.Request != 0 {
				request = e.Request
			}
		case request != 0 && e.Socket.ID == request:
		case request != 0 && e.Request == request:
			request = 0 // an earlier connection of the same ends: from here on they were its own
			continue
		default:
			continue
		}
		found = append(found, i)
	}
	if len(found) == 0 {
		return nil
	}
	copies := make([]sock.Event, len(found))
	for n, i := range found {
		e := &copies[len(found)-1-n]
		if *e = *l.At(i); e.Detail != nil {
			d := *e.Detail
			e.Detail = &d
		}
	}
	return copies
}

// Window fills dst with copies of events of some kinds that match, oldest first: the newest of them but for skip still newer ones, and as many as there
// are and dst has room for. It says how many these are, and how many in the log match in all. The copies are the caller's, their Details too. No
// kinds are all kinds, and a nil match matches all.
func (l *Log) Window(dst []sock.Event, skip int, kinds sock.EventSet, match func(*sock.Event) bool) (n, matches int) {
	skip = max(skip, 0)
	var details []sock.Detail
	for i := l.n - 1; i >= 0; i-- {
		e := l.At(i)
		if kinds != 0 && !kinds.Has(e.Kind) || match != nil && !match(e) {
			continue
		}
		matches++
		if matches <= skip || n == len(dst) {
			continue
		}
		n++
		to := &dst[len(dst)-n]
		*to = *e
		if e.Detail != nil {
			if details == nil {
				details = make([]sock.Detail, 0, min(len(dst)-n+1, i+1))
			}
			details = append(details, *e.Detail)
			to.Detail = &details[len(details)-1]
		}
	}
	copy(dst, dst[len(dst)-n:])
	clear(dst[n:])
	return n, matches
}
