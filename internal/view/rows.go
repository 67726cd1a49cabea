// SPDX-License-Identifier: GPL-2.0-or-later

package view

import (
	"slices"
	"time"
)

// Mark says what became of a row lately.
type Mark uint8

const (
	MarkNone Mark = iota
	MarkNew
	MarkChanged
	MarkGone
)

// Difference is what parts two looks at a row.
type Difference uint8

const (
	Same Difference = iota
	// Counts: nothing but counters, which is no news.
	Counts
	Different
)

// Rows is the rows of a table in the order in which its source has them, with what became of each: those that are gone stay for a while
// where they were. The zero Rows with its functions set is empty. One goroutine owns it.
type Rows[T any, K comparable] struct {
	// Key tells which rows are one in two looks. Several of one look may have the same, in their order.
	Key func(*T) K
	// Kin tells, of rows whose key none had before, which took the place of one that is gone: a route with another gateway is
	// the same route, changed. Nil: none does.
	Kin func(*T) K
	// Compare tells what parts two looks at one row.
	Compare func(a, b *T) Difference
	// Marked is how long a mark stays.
	Marked time.Duration

	live   []*kept[T]
	shown  []*kept[T] // live and ghosts
	ghosts []*kept[T] // those that went first before
	taken  bool       // something was, so that what comes is new
}

// rowGhostsMax is how many rows that are gone are kept to be shown; the oldest go first.
const rowGhostsMax = 1024

type kept[T any] struct {
	row           T
	born, changed time.Time
	gone          time.Time
	dropped       bool // no ghost any more
}

// Replace takes in what a look at the instant now found, and returns the most that it differs in from that before.
func (r *Rows[T, K]) Replace(rows []T, now time.Time) (d Difference) {
	first := !r.taken
	r.taken = true
	// Most of a long table is as it was.
	head := 0
	for head < min(len(rows), len(r.live)) && r.Compare(&r.live[head].row, &rows[head]) == Same {
		head++
	}
	if head == len(rows) && head == len(r.live) {
		return Same
	}
	tail := 0
	for tail < min(len(rows), len(r.live))-head && r.Compare(&r.live[len(r.live)-1-tail].row, &rows[len(rows)-1-tail]) == Same {
		tail++
	}
	old, rows := r.live[head:len(r.live)-tail], rows[head:len(rows)-tail]
	next := make([]*kept[T], len(rows))
	old = match(old, rows, next, r.Key)
	if r.Kin != nil {
		old = match(old, rows, next, r.Kin)
	}
	ghosts := byKey(r.ghosts, r.Key)
	for i, e := range next {
		if e == nil {
			d = Different
			if next[i] = (&kept[T]{row: rows[i]}); !first {
				next[i].born = now
				r.exorcise(ghosts, &rows[i])
			}
			continue
		}
		c := r.Compare(&e.row, &rows[i])
		if c == Different {
			e.changed = now
		}
		d, e.row = max(d, c), rows[i]
	}
	r.ghosts = slices.DeleteFunc(r.ghosts, func(e *kept[T]) bool { return e.dropped })
	for _, e := range old {
		d = Different
		e.gone = now
		r.ghosts = append(r.ghosts, e)
	}
	if d == Same {
		d = Different // their order is all that changed
	}
	r.live = slices.Concat(r.live[:head], next, r.live[len(r.live)-tail:])
	r.prune(now)
	r.merge()
	return d
}

// match sets the rows that are nil in next to those of old that have the key of the row, and returns what is left of old.
func match[T any, K comparable](old []*kept[T], rows []T, next []*kept[T], key func(*T) K) (left []*kept[T]) {
	known := byKey(old, key)
	taken := make(map[*kept[T]]bool, len(old))
	for i := range rows {
		if next[i] != nil {
			continue
		}
		k := key(&rows[i])
		if same := known[k]; len(same) > 0 {
			next[i], known[k] = same[0], same[1:]
			taken[same[0]] = true
		}
	}
	return slices.DeleteFunc(slices.Clone(old), func(e *kept[T]) bool { return taken[e] })
}

// byKey are the rows of each key, in their order.
func byKey[T any, K comparable](rows []*kept[T], key func(*T) K) map[K][]*kept[T] {
	m := make(map[K][]*kept[T], len(rows))
	for _, e := range rows {
		k := key(&e.row)
		m[k] = append(m[k], e)
	}
	return m
}

// exorcise drops the ghost of a row that came back.
func (r *Rows[T, K]) exorcise(ghosts map[K][]*kept[T], row *T) {
	k := r.Key(row)
	if same := ghosts[k]; len(same) > 0 {
		same[0].dropped, ghosts[k] = true, same[1:]
	}
}

// prune drops the ghosts whose time is over, and those that are too many.
func (r *Rows[T, K]) prune(now time.Time) (dropped bool) {
	for len(r.ghosts) > 0 {
		e := r.ghosts[0]
		if !e.dropped && len(r.ghosts) <= rowGhostsMax && now.Before(e.gone.Add(r.Marked)) {
			break
		}
		e.dropped, dropped = true, true
		r.ghosts = r.ghosts[1:]
	}
	return dropped
}

// merge puts the ghosts among the rows: each behind the row that it was behind.
func (r *Rows[T, K]) merge() {
	if len(r.ghosts) == 0 {
		r.ghosts = nil // with the room before it
		r.shown = r.live
		return
	}
	behind := map[*kept[T]][]*kept[T]{}
	var last *kept[T]
	for _, e := range r.shown {
		switch {
		case e.gone.IsZero():
			last = e
		case !e.dropped:
			behind[last] = append(behind[last], e)
		}
	}
	shown := slices.Concat(make([]*kept[T], 0, len(r.live)+len(r.ghosts)), behind[nil])
	for _, e := range r.live {
		shown = append(append(shown, e), behind[e]...)
	}
	r.shown = shown
}

// Begin makes the rows ready to be shown as of now, and returns how many there are, ghosts among them, and when a ghost goes; zero
// is never.
func (r *Rows[T, K]) Begin(now time.Time) (n int, again time.Time) {
	if r.prune(now) {
		r.merge()
	}
	if len(r.ghosts) > 0 {
		again = r.ghosts[0].gone.Add(r.Marked)
	}
	return len(r.shown), again
}

// Row is the ith row that is shown, with its mark and until when that holds; zero is for good. The row must not be kept.
func (r *Rows[T, K]) Row(i int, now time.Time) (row *T, m Mark, until time.Time) {
	e := r.shown[i]
	m, until = MarkNone, time.Time{}
	switch fresh := func(at time.Time) bool {
		until = at.Add(r.Marked)
		return !at.IsZero() && now.Before(until)
	}; {
	case !e.gone.IsZero():
		m, until = MarkGone, e.gone.Add(r.Marked)
	case fresh(e.born):
		m = MarkNew
	case fresh(e.changed):
		m = MarkChanged
	default:
		until = time.Time{}
	}
	return &e.row, m, until
}

// Len is the number of rows without ghosts.
func (r *Rows[T, K]) Len() int { return len(r.live) }
