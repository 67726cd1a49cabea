// SPDX-License-Identifier: GPL-2.0-or-later

// Package view picks the rows that a screen shows and puts them in order, and
// under groups. A Frame holds copies, so that it can be drawn by another goroutine while the
// table moves on.
//
// One pass over the table counts, and collects what may be in the window; only
// that is sorted. It is cheap enough to begin anew for each frame, so there
// is no order to keep up to date, but for one that is held.
package view

import (
	"math"
	"time"

	"netlive/internal/sock"
	"netlive/internal/table"
)

// Highlight is for how long a change is fresh.
const Highlight = 2 * time.Second

// Query says what to show.
type Query struct {
	Select func(*sock.Socket) bool // nil selects all
	// Match is asked about those that Select selects, and says which of them are shown; nil is all. Frames count both.
	Match func(*sock.Socket) bool
	// Offset is the first line of the window and Height the number of lines in it.
	// An Offset beyond the end moves back so that the window is full, as far as
	// there are lines.
	Offset, Height int
	Ghosts         bool // show closed rows in the place where they were

	// Compare orders rows before the default order does, which breaks its ties; nil is the default order alone. While a frame is
	// built it must not change its mind. A ghost's state is CLOSE, and Last what it was. Reverse turns Compare round, and
	// not the default order.
	Compare func(a, b *table.Row) int
	Reverse bool
	// Group, if not nil, puts rows under groups.
	Group *Grouping
	// Held, if not nil, holds the order that was: see Hold. Compare and Reverse say nothing then, and Group only what is open
	// and what is added; without Group, or when it was held without, there are no groups.
	Held *Held
	// Follow is where the bar is: the window moves so that the bar is on its line FollowLine, as far as there are
	// lines above and below. When it is not among the lines (its row is not shown, or its group is closed), Offset says.
	Follow     Place
	FollowLine int
	// Peers has Line.Peer looked up.
	Peers bool
}

// Place is what a bar can be on: a row, or the line of a group. The zero value is none.
type Place struct {
	ID sock.ID
	// Group is the group, if IsGroup; Find says here which group the row is in.
	Group   Key
	IsGroup bool
}

// Line is one line of a frame: a row or, in a grouped view, a group.
type Line struct {
	table.Row      // zero on the line of a group
	Fresh     bool // changed within the highlight time
	Ghost     bool
	// Group is set on the line of a group, whose rows follow if it is open.
	Group *Group
	// InGroup is set on the rows of a group, LastInGroup on the last of them.
	InGroup, LastInGroup bool
	// Peer holds the other end of the connection, and PeerID is that socket; zero when it is not among the table's rows,
	// whether they are shown or not, or there are several that could be it. The owner may be unknown though the socket is there.
	Peer   sock.Owner
	PeerID sock.ID
}

// Frame is what a screen shows at one instant. The same Frame can be built again and again; it keeps its memory. Who hands
// frames to another goroutine builds one and hands out Copy.
type Frame struct {
	Rows   []Line
	Offset int // of the first of Rows among the shown
	// Shown is how many lines there are to show: rows, with their ghosts if asked for. In a grouped view the lines of groups
	// count, and the rows of closed groups do not.
	Shown int
	// Total is the sockets that were selected, and Matched those of them that matched; without ghosts.
	Total, Matched int
	At             sock.Stamp // the instant
	// ByState counts the matched TCP sockets in each state, without ghosts.
	ByState [sock.StateCount]int
	// Version is the table's: while it stays and nothing fades, so does the frame.
	Version uint64

	// Again is when the frame must be built again though the table stays the
	// same: a row is fresh no more. 0 is never.
	Again sock.Stamp

	// Bar is where in Rows that is which Query.Follow names, and BarAt where among all lines; -1 when it is not there.
	Bar, BarAt int
	// Groups is how many groups there are, open or closed.
	Groups int
	// Waiting is the sockets that matched and that a held order does not have: they came since, mostly.
	Waiting int

	// groups are those of Rows, firsts their first rows.
	groups  []Group
	firsts  []table.Row
	scratch scratch
}

// scratch is what a frame is made with. Between frames it is memory only.
type scratch struct {
	picked picker
	around around
	gathered
	held    []*table.Row // by place in the held order
	entries []entry      // of the window, in a held order
	window  []segment
	peers   peers
	was     sock.Socket // a ghost as it was
}

// segment is a part of the window: lines that belong together.
type segment struct {
	group   int32 // -1 is none
	header  bool  // the line of the group comes first
	last    bool  // the last of entries is the last of the group
	entries []entry
}

func (s *scratch) end() {
	s.picked.end()
	s.around.end()
	s.gathered.end()
	clear(s.held)
	clear(s.entries)
	clear(s.window)
	s.peers.end()
	s.was = sock.Socket{}
}

// Build makes f what q shows of t at the instant now.
func Build(t *table.Table, q Query, now sock.Stamp, f *Frame) {
	Each(t, q, now, f, func(l *Line) {
		f.Rows = append(f.Rows, *l)
		if l.Group != nil {
			f.firsts = append(f.firsts, *l.Group.First)
			f.groups = append(f.groups, *l.Group)
			g := &f.groups[len(f.groups)-1]
			g.First = &f.firsts[len(f.firsts)-1]
			f.Rows[len(f.Rows)-1].Group = g
		} else if q.Held != nil {
			q.Held.keep(&l.Row)
		}
	})
}

// Each calls do with the lines that Build would put into f, which has all but them: for who wants all rows of a table and
// keeps none. The line, its group included, is do's until it returns.
func Each(t *table.Table, q Query, now sock.Stamp, f *Frame, do func(*Line)) {
	f.begin(t, now)
	f.arrange(t, &q)
	if q.Peers {
		f.scratch.peers.look(t, f.scratch.window)
	}
	f.show(do)
	f.scratch.end()
}

// All calls do with all lines that q shows of t, whatever its window: for what is saved to a file. The line, its group included,
// is do's until it returns.
func All(t *table.Table, q Query, now sock.Stamp, do func(*Line)) {
	q.Offset, q.Height, q.Follow = 0, math.MaxInt, Place{}
	Each(t, q, now, &Frame{}, do)
}

// begin empties f. Rows that are not used again must not hold on to their strings.
func (f *Frame) begin(t *table.Table, now sock.Stamp) {
	clear(f.Rows)
	clear(f.groups)
	clear(f.firsts)
	*f = Frame{
		Rows: f.Rows[:0], groups: f.groups[:0], firsts: f.firsts[:0], scratch: f.scratch,
		At: now, Version: t.Version(), Bar: -1, BarAt: -1,
	}
}

// Copy is what f shows, and nothing of the memory that the next Build of f uses.
func (f *Frame) Copy() *Frame {
	c := *f
	c.scratch, c.groups, c.firsts = scratch{}, nil, nil
	c.Rows = make([]Line, len(f.Rows))
	copy(c.Rows, f.Rows)
	for i := range c.Rows {
		if g := c.Rows[i].Group; g != nil {
			group, first := *g, *g.First
			group.First = &first
			c.Rows[i].Group = &group
		}
	}
	return &c
}

// arrange counts the rows and puts those of the window in order.
func (f *Frame) arrange(t *table.Table, q *Query) {
	f.scratch.window = f.scratch.window[:0]
	switch {
	case q.Held != nil:
		f.arrangeHeld(t, q)
	case q.Group != nil:
		f.gather(t, q)
		f.arrangeGroups(t, q)
	default:
		f.arrangeFlat(t, q)
	}
}

func (f *Frame) arrangeFlat(t *table.Table, q *Query) {
	s := &f.scratch
	most := t.Len() + table.GhostsMax
	offset, height := min(max(q.Offset, 0), most), min(max(q.Height, 0), most)
	bar := f.bar(t, q)
	if bar != nil {
		s.around.begin(q.order(), bar, height, height)
	} else {
		s.picked.begin(q.order(), offset+height)
	}
	f.each(t, q, func(r *table.Row) {
		f.Shown++
		if bar != nil {
			s.around.offer(entryOf(r))
		} else {
			s.picked.offer(entryOf(r))
		}
	})
	if bar != nil {
		f.BarAt = s.around.rank
	}
	lo, hi := f.frameWindow(q)
	switch {
	case lo == hi:
	case bar != nil:
		s.window = append(s.window, segment{group: -1, entries: s.around.window(f.BarAt-lo, hi-f.BarAt-1)})
	default:
		s.window = append(s.window, segment{group: -1, entries: s.picked.window(lo, hi)})
	}
}
