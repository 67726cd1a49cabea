// SPDX-License-Identifier: GPL-2.0-or-later

package view

import (
	"cmp"
	"math/bits"
	"slices"

	"netlive/internal/sock"
	"netlive/internal/table"
)

// entry is a row with the beginning of its place in the order, which decides most comparisons.
type entry struct {
	place uint64
	row   *table.Row
}

// place packs what the order looks at first: UNIX sockets after the rest, as
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

// compare is the whole order; no two rows are equal in it.
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

// picker collects the entries that are first in the order, up to a number of them.
// It never holds many more than that, so a window near the top costs little memory and
// a comparison a row.
type picker struct {
	entries []entry
	keep    int
	full    bool
	last    entry // once full: what comes after it is not among the first
}

// spare is how many entries more than needed are collected before the last are dropped.
const spare = 256

func (p *picker) begin(keep int) { p.entries, p.keep, p.full = p.entries[:0], keep, false }

func (p *picker) offer(r *table.Row) {
	e := entry{place(r), r}
	if p.keep == 0 || p.full && compare(e, p.last) > 0 {
		return
	}
	p.entries = append(p.entries, e)
	if len(p.entries) >= 2*p.keep+spare {
		sortWindow(p.entries, p.keep-1, p.keep)
		p.entries = p.entries[:p.keep]
		p.last, p.full = p.entries[p.keep-1], true
	}
}

// window returns the entries from lo to hi in order. hi is at most the number that was to be kept.
func (p *picker) window(lo, hi int) []entry {
	sortWindow(p.entries, lo, hi)
	return p.entries[lo:hi]
}

// end lets go of the table's rows: they are not ours to hold.
func (p *picker) end() {
	clear(p.entries[:cap(p.entries)])
	p.last = entry{}
}

// sortWindow puts those entries in lo..hi that a full sort would put there. It is
// a quicksort that leaves alone the parts that do not touch the window: for a
// window of a screen's height it costs a few passes instead of a sort.
func sortWindow(e []entry, lo, hi int) {
	for depth := 2 * bits.Len(uint(len(e))); lo < hi; depth-- {
		if len(e) <= 32 || depth == 0 {
			slices.SortFunc(e, compare)
			return
		}
		p := partition(e)
		if lo < p {
			sortWindow(e[:p], lo, min(hi, p))
		}
		// e[p] is in its place.
		e, lo, hi = e[p+1:], max(lo-p-1, 0), hi-p-1
	}
}

// partition moves an entry to its place, the lesser ones before it, and returns the place.
func partition(e []entry) int {
	last := len(e) - 1
	e[0], e[median(e)] = e[median(e)], e[0]
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
// is nearly the order of arrival, so the first entry would be a bad one.
func median(e []entry) int {
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
