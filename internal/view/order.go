// SPDX-License-Identifier: GPL-2.0-or-later

package view

import (
	"cmp"
	"math/bits"
	"slices"

	"netlive/internal/sock"
	"netlive/internal/table"
)

// entry is a row with the beginning of its place in the default order, which decides most comparisons.
type entry struct {
	place uint64
	row   *table.Row
}

func entryOf(r *table.Row) entry { return entry{place(r), r} }

// place packs what the default order looks at first: UNIX sockets after the rest, as
// netstat has them; listeners, then what lives, then TIME_WAIT, of which there may be
// thousands that nobody waits for; then protocol and local port. Rows do not move for any
// other change of state.
func place(r *table.Row) uint64 {
	state := r.State
	if r.Closed != 0 {
		state = r.Last // a ghost stays where its row was
	}
	var p uint64
	if r.Proto == sock.Unix {
		p |= 1 << 63
	}
	switch state {
	case sock.Listen, sock.UnixListening:
	case sock.TimeWait:
		p |= 2 << 61
	default:
		p |= 1 << 61
	}
	return p | uint64(r.Proto)<<16 | uint64(r.Local.Port())
}

// compare is the whole default order; no two rows are equal in it.
func compare(a, b entry) int {
	if a.place != b.place {
		return cmp.Compare(a.place, b.place)
	}
	x, y := a.row, b.row
	if x.Unix != nil && y.Unix != nil {
		if c := cmp.Compare(x.Unix.Path, y.Unix.Path); c != 0 {
			return c
		}
	}
	if c := x.Local.Addr().Compare(y.Local.Addr()); c != 0 {
		return c
	}
	if c := x.Remote.Compare(y.Remote); c != 0 {
		return c
	}
	return cmp.Compare(x.ID, y.ID)
}

// order is what a query asks for: the zero value is the default order.
type order struct {
	by      func(a, b *table.Row) int
	reverse bool // turns by round, and not what breaks its ties
	back    bool // turns all of it round
}

func (q *Query) order() order { return order{by: q.Compare, reverse: q.Reverse} }

// backwards is the same order from its end.
func (o order) backwards() order {
	o.back = !o.back
	return o
}

func (o *order) compare(a, b entry) int {
	if o.back {
		a, b = b, a
	}
	if o.by != nil {
		x, y := a.row, b.row
		if o.reverse {
			x, y = y, x
		}
		if c := o.by(x, y); c != 0 {
			return c
		}
	}
	return compare(a, b)
}

// function is compare for who calls it often.
func (o *order) function() func(a, b entry) int {
	if o.by == nil && !o.back {
		return compare
	}
	return o.compare
}

// sortWindow puts those elements at lines lo to hi that a full sort would put there. It is
// a quicksort that leaves alone the parts that do not touch the window: for a
// window of a screen's height it costs a few passes instead of a sort.
// lines is how many lines an element takes; nil is one each.
func sortWindow[E any](e []E, lo, hi int, compare func(a, b E) int, lines func(E) int) {
	for depth := 2 * bits.Len(uint(len(e))); lo < hi; depth-- {
		if len(e) <= 32 || depth == 0 {
			slices.SortFunc(e, compare)
			return
		}
		p := partition(e, compare)
		before, own := p, 1
		if lines != nil {
			before, own = 0, lines(e[p])
			for _, x := range e[:p] {
				before += lines(x)
			}
		}
		if lo < before {
			sortWindow(e[:p], lo, min(hi, before), compare, lines)
		}
		// e[p] is in its place.
		e, lo, hi = e[p+1:], max(lo-before-own, 0), hi-before-own
	}
}

// partition moves an element to its place, the lesser ones before it, and returns the place.
func partition[E any](e []E, compare func(a, b E) int) int {
	last := len(e) - 1
	m := median(e, compare)
	e[0], e[m] = e[m], e[0]
	pivot := e[0]
	i, j := 1, last
	for {
		for i <= j && compare(e[i], pivot) < 0 {
			i++
		}
		for i <= j && compare(e[j], pivot) > 0 {
			j--
		}
		if i >= j {
			break
		}
		e[i], e[j] = e[j], e[i]
		i++
		j--
	}
	e[0], e[j] = e[j], e[0]
	return j
}

// median is the index of a good pivot: the middle one of three. The table's order
// is nearly the order of arrival, so the first element would be a bad one.
func median[E any](e []E, compare func(a, b E) int) int {
	a, b, c := 0, len(e)/2, len(e)-1
	if compare(e[b], e[a]) < 0 {
		a, b = b, a
	}
	if compare(e[c], e[b]) < 0 {
		b = c
		if compare(e[b], e[a]) < 0 {
			b = a
		}
	}
	return b
}
