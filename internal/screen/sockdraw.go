// SPDX-License-Identifier: GPL-2.0-or-later

package screen

import (
	"fmt"
	"slices"
	"strings"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"

	"netlive/internal/sock"
	"netlive/internal/view"
)

// socketCells are the rows' cells, and their heads.
func socketCells(k *look, f *frame, lines []view.Line, w *Words, names []string) (heads []head, cells [][]cell) {
	var columns []*column
	for _, name := range names {
		if c := socketColumn(name); c != nil {
			columns = append(columns, c)
			heads = append(heads, c.head)
		}
	}
	cells = make([][]cell, len(lines))
	for i := range lines {
		l := &lines[i]
		if l.Group != nil {
			continue
		}
		r := row{Line: l, now: f.now, reading: f.readings[l.ID], counts: f.counts[l.ID]}
		cells[i] = make([]cell, len(columns))
		for j, c := range columns {
			cells[i][j] = c.cell(w, k, &r)
		}
	}
	return heads, cells
}

func (p *sockPage) body(width, height int) []string {
	l := p.m.look
	if p.frame == nil {
		return nil
	}
	f := p.frame
	names := p.columns()
	if width < narrow && p.chosen == nil {
		names = slices.DeleteFunc(names, func(name string) bool { return name == "proto" || name == "recv_q" || name == "send_q" })
	}
	heads, cells := socketCells(l, f, f.Rows, &p.m.words, names)
	if p.group != groupNone {
		indent(l, f.Rows, cells)
	}
	whole := p.wide || p.chosen != nil
	p.grid.fit(heads, cells, width, whole, p.sort)
	if !whole {
		p.left = 0
	}
	p.left = max(min(p.left, p.grid.total-width), 0)
	lines := []string{p.grid.headLine(l, p.sort, p.reverse, width, p.left)}
	for i := range f.Rows {
		if len(lines) >= height {
			break
		}
		r := &f.Rows[i]
		onBar := f.Offset+i == p.bar
		if r.Group != nil {
			text := fill(ansi.Truncate(" "+groupLine(&p.m.words, l, p.group, r.Group, p.opened.has(r.Group.Key), f.now), width, l.glyphs.ellipsis), width)
			part := PartGroup
			if onBar {
				part = PartBar
			}
			lines = append(lines, l.paint(part, text))
			continue
		}
		mark, part, has := markOf(r, f)
		if onBar {
			part, has = PartBar, true
		}
		lines = append(lines, p.grid.line(l, mark, cells[i], part, has, width, p.left))
	}
	return lines
}

// narrow is the width below which the queues and the protocol go.
const narrow = 70

// indent draws the rows of a group as its branches.
func indent(l *look, rows []view.Line, cells [][]cell) {
	for i := range rows {
		if !rows[i].InGroup || len(cells[i]) == 0 {
			continue
		}
		branch := l.glyphs.branch
		if rows[i].LastInGroup {
			branch = l.glyphs.last
		}
		cells[i][0].text = branch + " " + cells[i][0].text
	}
}

// The marks say without colour what the styles say.
const (
	markNew    = "+"
	markChange = "*"
	markGone   = "-"
	markResync = "~"
)

// markOf is the mark of a row and its style, if it has one.
func markOf(r *view.Line, f *frame) (mark string, part Part, has bool) {
	switch {
	case r.Ghost:
		return markGone, PartClosed, true
	case r.Fresh && r.Born != 0 && f.At-r.Born < sock.Stamp(view.Highlight):
		return markNew, PartNew, true
	case r.Fresh && r.Resynced:
		return markResync, PartResynced, true
	case r.Fresh:
		return markChange, PartChanged, true
	}
	return " ", 0, false
}

// copied is the text of the row that the bar is on.
func (p *sockPage) copied() string {
	l := p.selected()
	switch {
	case l == nil:
		return ""
	case l.Group != nil:
		return groupLine(&p.m.words, p.m.look, p.group, l.Group, true, p.frame.now)
	}
	_, cells := socketCells(p.m.look, p.frame, []view.Line{*l}, &p.m.words, p.columns())
	var texts []string
	for _, c := range cells[0] {
		if c.text != "" {
			texts = append(texts, c.text)
		}
	}
	return strings.Join(texts, "  ")
}

// stripLines is how many lines the strip about the row that the bar is on has.
const stripLines = 2

// strip says of the row that the bar is on what its line may have no room for.
func (p *sockPage) strip(width int) []string {
	l := p.m.look
	lines := []string{l.paint(PartBorder, l.line(width)), ""}
	at := p.selected()
	if at == nil || at.Group != nil {
		return lines
	}
	r := row{Line: at, now: p.frame.now, reading: p.frame.readings[at.ID], counts: p.frame.counts[at.ID]}
	var parts []string
	add := func(names ...string) {
		for _, name := range names {
			c := socketColumn(name)
			if is := c.cell(&p.m.words, l, &r); is.text != "" && is.text != "-" {
				parts = append(parts, l.paint(PartHint, c.text)+" "+is.text)
			}
		}
	}
	switch {
	case at.State == sock.Listen:
		add("recv_q", "backlog", "accepts", "accepted", "overflows")
	case sock.ProtosTCP.Has(at.Proto):
		add("tx", "rx", "sent", "received", "rtt", "retrans")
	}
	add("age", "peer", "why")
	if p.m.words.Unit != nil {
		add("unit")
	}
	if n := len(at.Others); n > 0 {
		parts = append(parts, fmt.Sprintf("%s %d more", l.paint(PartHint, "held by"), n))
	}
	if parts == nil {
		parts = []string{l.paint(PartHint, "nothing more is known of it")}
	}
	lines[1] = ansi.Truncate(" "+strings.Join(parts, "  "), width, l.glyphs.ellipsis)
	return lines
}

func (p *sockPage) about() string {
	f := p.frame
	if f == nil {
		return ""
	}
	var parts []string
	if p.group != groupNone {
		parts = append(parts, fmt.Sprintf("%d by %s", f.Groups, groupNames[p.group]))
	}
	if p.sort != "" {
		parts = append(parts, "sort "+p.sort+p.m.look.direction(p.reverse))
	}
	if p.frozen {
		text := "FROZEN"
		if f.Waiting > 0 {
			text += fmt.Sprintf(" +%d new", f.Waiting)
		}
		parts = append(parts, p.m.look.paint(PartBad, text))
	}
	if p.follow {
		parts = append(parts, "follow")
	}
	if !p.closed {
		parts = append(parts, "closed hidden")
	}
	return strings.Join(parts, "  ")
}

// count is which rows are shown, of how many.
func (p *sockPage) count() string {
	if p.frame == nil {
		return ""
	}
	f := p.frame
	return fmt.Sprintf("%d-%d of %d", min(f.Offset+1, f.Shown), f.Offset+len(f.Rows), f.Shown)
}

func (p *sockPage) click(x, y int, double bool) tea.Cmd {
	if y == 0 {
		if i := p.grid.at(x + p.left); i >= 0 && socketColumn(p.grid.heads[i].name).compare != nil {
			p.setSort(p.grid.heads[i].name)
		}
		return nil
	}
	if p.frame == nil || y > len(p.frame.Rows) {
		return nil
	}
	p.move(p.frame.Offset + y - 1 - p.bar)
	if l := p.selected(); l != nil && (double || l.Group != nil) {
		cmd, _ := p.act(actDetail)
		return cmd
	}
	return nil
}

func (p *sockPage) hints() []action {
	hints := []action{actFilter, actSort, actDetail, actFreeze, actFollow, actClosed, actColumns, actCopy, actSave, actHelp, actQuit}
	if p.page == Connections {
		hints = slices.Insert(hints, 1, actGroup)
	}
	if p.group != groupNone {
		hints = slices.Insert(hints, 2, actToggle)
	}
	return hints
}
