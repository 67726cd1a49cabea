// SPDX-License-Identifier: GPL-2.0-or-later

package screen

import (
	"context"
	"slices"
	"strings"
	"sync"
	"time"

	"netlive/internal/live"
	"netlive/internal/render"
	"netlive/internal/view"
)

// List is tables that are shown one below the other. It is asked on its loop's goroutine.
type List interface {
	// Sections are the tables as of now, good until the next call, and when they look otherwise though nothing changes.
	Sections(now time.Time) (s []Section, again time.Time)
}

// Section is a table: column heads and lines.
type Section struct {
	// Word names its rows in the status line, and Rows is how many there are.
	Word string
	Rows int
	// Columns have a cell each in every line. Without columns there are no heads, and a line is one cell as it is.
	Columns []render.Column
	// Lines is how many lines there are, with those that are gone, and Line the ith of them. until is when its mark ends; zero is never.
	Lines int
	Line  func(i int) (cells []string, m view.Mark, until time.Time)
}

// ListDrawer shows a list as of now: Draw of live.Board. source names where the rows come from ("rtnetlink"), and note is what a reader should know
// of it, if anything.
type ListDrawer func(l List, source, note string, s live.Status, now time.Time) (again time.Time, err error)

// ListPage keeps a list true until ctx ends (then the error is nil), and has it drawn on the loop's goroutine: after the first look, when something
// changed, and when redraw is sent to. arrived is called when names have come that its lines want. It runs while the page is shown, again at each
// visit, and never twice at a time.
type ListPage func(ctx context.Context, redraw <-chan struct{}, arrived func(), draw ListDrawer) error

// listWish is what the terminal wants to see of a list.
type listWish struct {
	offset, height int
	sort           string // the head of a column, "" as the list is
	reverse        bool
	saving         uint64
}

// listWindow is where a list's loop finds what is wished for, and what it sends frames by.
type listWindow struct {
	redraw chan struct{}
	page   Page
	send   func(*listFrame)
	saved  uint64

	mu   sync.Mutex
	last listWish
}

func (w *listWindow) set(wish listWish) {
	w.mu.Lock()
	changed := w.last != wish
	w.last = wish
	w.mu.Unlock()
	if changed {
		w.wake()
	}
}

func (w *listWindow) get() listWish {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.last
}

func (w *listWindow) wake() {
	select {
	case w.redraw <- struct{}{}:
	default: // one is asked for already
	}
}

// draw is the list's ListDrawer.
func (w *listWindow) draw(l List, source, note string, status live.Status, now time.Time) (again time.Time, err error) {
	wish := w.get()
	f, again := newListFrame(l, wish, now)
	f.page, f.status, f.source, f.note = w.page, status, source, note
	if wish.saving != w.saved {
		w.saved = wish.saving
		f.saved, _ = newListFrame(l, listWish{height: 1 << 30, sort: wish.sort, reverse: wish.reverse}, now)
		f.saveSeq = wish.saving
	}
	w.send(f)
	return again, nil
}

// listFrame is what a list's loop hands to the terminal's goroutine: copies, nothing shared.
type listFrame struct {
	page         Page
	status       live.Status
	source, note string
	counts       []count
	offset       int // of the first of lines among all
	total        int
	// above is the section whose heads stand above the window.
	above   int
	columns [][]render.Column // of each section
	lines   []listLine
	saved   *listFrame
	saveSeq uint64
}

// count is how many rows a section has.
type count struct {
	word string
	n    int
}

// listLine is a line of a section: its heads, or cells.
type listLine struct {
	section int
	head    bool
	cells   []string
	mark    view.Mark
}

// newListFrame makes the frame of the window that is wished for, or as near as there are lines. Heads of the first section stand above the
// window and are no line of the list, those of the others are.
func newListFrame(l List, wish listWish, now time.Time) (f *listFrame, again time.Time) {
	sections, again := l.Sections(now)
	f = &listFrame{}
	for i := range sections {
		s := &sections[i]
		f.total += s.Lines + s.heads(i)
		f.columns = append(f.columns, s.Columns)
		f.counts = append(f.counts, count{s.Word, s.Rows})
	}
	height := max(min(wish.height, f.total), 0)
	f.offset = max(min(wish.offset, f.total-height), 0)
	at := 0 // of the section among the lines
	for i := range sections {
		s := &sections[i]
		heads := s.heads(i)
		order := s.order(wish)
		if at < f.offset {
			f.above = i // it begins above the window
		}
		for n := max(f.offset-at, 0); n < heads+s.Lines && at+n < f.offset+height; n++ {
			line := listLine{section: i, head: n < heads}
			if !line.head {
				var until time.Time
				line.cells, line.mark, until = s.Line(order(n - heads))
				if !until.IsZero() && (again.IsZero() || until.Before(again)) {
					again = until
				}
			}
			f.lines = append(f.lines, line)
		}
		at += heads + s.Lines
	}
	return f, again
}

// heads is how many lines the heads of the ith section take in the list.
func (s *Section) heads(i int) int {
	if i == 0 || s.Columns == nil {
		return 0
	}
	return 1
}

// order says which line is the nth.
func (s *Section) order(wish listWish) func(n int) int {
	by := slices.IndexFunc(s.Columns, func(c render.Column) bool { return c.Head == wish.sort })
	if by < 0 || wish.sort == "" {
		return func(n int) int { return n }
	}
	type keyed struct {
		line int
		key  value
	}
	lines := make([]keyed, s.Lines)
	for i := range lines {
		cells, _, _ := s.Line(i)
		lines[i] = keyed{i, valueOf(cells[by])}
	}
	slices.SortStableFunc(lines, func(a, b keyed) int {
		c := a.key.compare(b.key)
		if wish.reverse {
			return -c
		}
		return c
	})
	return func(n int) int { return lines[n].line }
}

// value is a cell as something to sort by: a number, with its unit, or a text.
type value struct {
	number bool
	n      float64
	text   string
}

func valueOf(cell string) value {
	cell = strings.TrimSpace(cell)
	n, ok := parseNumber(cell)
	return value{ok, n, cell}
}
