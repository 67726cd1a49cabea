// SPDX-License-Identifier: GPL-2.0-or-later

package view

import (
	"slices"

	"netlive/internal/table"
)

// picker collects the entries that are first in the order, up to a number of them.
// It never holds many more than that, so a window near the top costs little memory and
// a comparison a row.
type picker struct {
	order   order
	entries []entry
	keep    int
	full    bool
	last    entry // once full: what comes after it is not among the first
}

// spare is how many entries more than needed are collected before the last are dropped.
const spare = 256

func (p *picker) begin(o order, keep int) {
	p.order, p.entries, p.keep, p.full = o, p.entries[:0], keep, false
}

func (p *picker) offer(e entry) {
	if p.keep == 0 || p.full && p.order.compare(e, p.last) > 0 {
		return
	}
	p.entries = append(p.entries, e)
	if len(p.entries) >= 2*p.keep+spare {
		sortWindow(p.entries, p.keep-1, p.keep, p.order.function(), nil)
		p.entries = p.entries[:p.keep]
		p.last, p.full = p.entries[p.keep-1], true
	}
}

// window returns the entries from lo to hi in order. hi is at most the number that was to be kept.
func (p *picker) window(lo, hi int) []entry {
	sortWindow(p.entries, lo, hi, p.order.function(), nil)
	return p.entries[lo:hi]
}

// end lets go of the table's rows: they are not ours to hold.
func (p *picker) end() {
	clear(p.entries[:cap(p.entries)])
	p.last, p.order = entry{}, order{}
}

// around collects the entries next to one, the bar, on either side of it, and counts those before it: so a
// window that follows the bar is as cheap in the middle as at the top.
type around struct {
	bar           entry
	before, after picker // before has the nearest first
	rank          int    // entries that come before the bar
	entries       []entry
}

// begin is for a bar that is offered like the rest.
func (a *around) begin(o order, bar *table.Row, before, after int) {
	a.bar, a.rank = entryOf(bar), 0
	a.before.begin(o.backwards(), before)
	a.after.begin(o, after)
}

func (a *around) offer(e entry) {
	switch {
	case e.row == a.bar.row:
	case a.after.order.compare(e, a.bar) < 0:
		a.rank++
		a.before.offer(e)
	default:
		a.after.offer(e)
	}
}

// window returns the bar with so many entries before and after it, in order.
func (a *around) window(before, after int) []entry {
	w := append(a.entries[:0], a.before.window(0, before)...)
	slices.Reverse(w)
	w = append(w, a.bar)
	a.entries = append(w, a.after.window(0, after)...)
	return a.entries
}

func (a *around) end() {
	a.before.end()
	a.after.end()
	clear(a.entries[:cap(a.entries)])
	a.bar = entry{}
}
