// SPDX-License-Identifier: GPL-2.0-or-later

package screen

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"

	"netlive/internal/render"
	"netlive/internal/view"
)

// listView is what the terminal keeps of a list page.
type listView struct {
	m       *model
	page    Page
	window  *listWindow
	frame   *listFrame
	grids   map[int]*grid // of the sections
	offset  int
	bar     int // line among all
	sort    string
	reverse bool
	hidden  map[string]bool // columns that were chosen or not; the others are as they are
	saving  uint64
}

func (v *listView) rows() int { return max(v.m.bodyHeight()-1, 0) }

func (v *listView) renew() {
	v.window.set(listWish{offset: v.offset, height: v.rows(), sort: v.sort, reverse: v.reverse, saving: v.saving})
}

func (v *listView) take(f *listFrame) tea.Cmd {
	v.frame = f
	v.bar = max(min(v.bar, f.total-1), 0)
	if last := max(f.total-v.rows(), 0); v.offset > last {
		v.offset = last // the list has shrunk under the window
		v.renew()
	}
	if f.saved != nil {
		return v.m.saveList(f)
	}
	return nil
}

func (v *listView) move(by int) {
	total := 0
	if v.frame != nil {
		total = v.frame.total
	}
	v.bar = max(min(v.bar+by, total-1), 0)
	v.offset = scrolled(v.bar, v.offset, v.rows())
}

// act implements pane. Who calls it, or what changes the view otherwise, renews the model's wish afterwards, and the list's with it.
func (v *listView) act(a action) (tea.Cmd, bool) {
	if by, moves := moved(a, v.rows()); moves {
		v.move(by)
		return nil, true
	}
	switch a {
	case actToggle:
		return v.act(actPageDown) // as less does
	case actReverse:
		v.reverse = !v.reverse
	case actSort:
		v.m.pick(v.picker())
	case actSortLeft, actSortRight:
		names := append([]string{""}, v.heads()...)
		by := map[action]int{actSortLeft: -1, actSortRight: 1}[a]
		v.setSort(neighbour(names, v.sort, by))
	case actColumns:
		v.m.pick(v.columnPicker())
	case actCopy:
		if text := v.copied(); text != "" {
			return v.m.copy(text), true
		}
	case actSave:
		return v.m.ask(newSaveBox(v.m, v.page, func() { v.saving = v.m.number() })), true
	default:
		return nil, false
	}
	return nil, true
}

func (v *listView) setSort(name string) {
	if v.sort == name && name != "" {
		v.reverse = !v.reverse
	} else {
		v.sort, v.reverse = name, v.right(name)
	}
	v.offset, v.bar = 0, 0
}

// right reports whether a column has numbers: the largest come first.
func (v *listView) right(name string) bool {
	c, ok := v.column(name)
	return ok && c.Right
}

// column is the column of that name in the first section that has one.
func (v *listView) column(name string) (render.Column, bool) {
	if v.frame != nil {
		for _, columns := range v.frame.columns {
			for _, c := range columns {
				if c.Head == name {
					return c, true
				}
			}
		}
	}
	return render.Column{}, false
}

// heads are the names of all columns.
func (v *listView) heads() (names []string) {
	if v.frame == nil {
		return nil
	}
	for _, columns := range v.frame.columns {
		for _, c := range columns {
			if !slices.Contains(names, c.Head) {
				names = append(names, c.Head)
			}
		}
	}
	return names
}

func (v *listView) picker() *picker {
	pk := &picker{title: "sort by", done: v.setSort, items: []item{{"", "default", "as netstat has it"}}}
	for _, name := range v.heads() {
		pk.items = append(pk.items, item{name, name, ""})
	}
	pk.at = max(slices.IndexFunc(pk.items, func(i item) bool { return i.name == v.sort }), 0)
	return pk
}

func (v *listView) columnPicker() *picker {
	pk := &picker{title: "columns", many: true, chosen: map[string]bool{}}
	for _, name := range v.heads() {
		pk.items = append(pk.items, item{name, name, ""})
		pk.chosen[name] = !v.hides(name)
	}
	pk.doneMany = func(names []string) {
		v.hidden = map[string]bool{}
		for _, name := range v.heads() {
			v.hidden[name] = !slices.Contains(names, name)
		}
		v.grids = nil
	}
	if len(pk.items) == 0 {
		pk.items = []item{{"", "there are no columns here", ""}}
	}
	return pk
}

// hides reports whether a column is not shown.
func (v *listView) hides(name string) bool {
	if hidden, chosen := v.hidden[name]; chosen {
		return hidden
	}
	c, ok := v.column(name)
	return ok && c.Hidden
}

// gridOf lays a section out.
func (v *listView) gridOf(section, width int) *grid {
	if v.grids == nil {
		v.grids = map[int]*grid{}
	}
	g := v.grids[section]
	if g == nil {
		g = &grid{}
		v.grids[section] = g
	}
	f := v.frame
	var heads []head
	for _, c := range f.columns[section] {
		heads = append(heads, head{name: c.Head, text: c.Head, right: c.Right, spare: c.Spare, steady: true, hidden: v.hides(c.Head)})
	}
	var rows [][]cell
	for _, line := range f.lines {
		if line.section == section && !line.head {
			rows = append(rows, v.row(line.cells))
		}
	}
	g.fit(heads, rows, width, false, v.sort)
	return g
}

func (v *listView) row(cells []string) []cell {
	row := make([]cell, len(cells))
	for i, text := range cells {
		row[i] = plain(text)
	}
	return row
}

func (v *listView) body(width, height int) []string {
	f, l := v.frame, v.m.look
	if f == nil {
		return nil
	}
	grids := make([]*grid, len(f.columns))
	for i, columns := range f.columns {
		if columns != nil {
			grids[i] = v.gridOf(i, width)
		}
	}
	var lines []string
	if len(grids) > 0 && grids[f.above] != nil {
		lines = append(lines, grids[f.above].headLine(l, v.sort, v.reverse, width, 0))
	} else {
		lines = append(lines, l.paint(PartHead, fill("", width)))
	}
	for i, line := range f.lines {
		if len(lines) >= height {
			break
		}
		g := grids[line.section]
		if line.head {
			lines = append(lines, g.headLine(l, v.sort, v.reverse, width, 0))
			continue
		}
		mark, part, has := " ", Part(0), false
		switch line.mark {
		case view.MarkNew:
			mark, part, has = markNew, PartNew, true
		case view.MarkChanged:
			mark, part, has = markChange, PartChanged, true
		case view.MarkGone:
			mark, part, has = markGone, PartClosed, true
		}
		if f.offset+i == v.bar {
			part, has = PartBar, true
		}
		if g == nil {
			text := fill(ansi.Truncate(mark+line.cells[0], width, l.glyphs.ellipsis), width)
			if has {
				text = l.paint(part, text)
			}
			lines = append(lines, text)
			continue
		}
		lines = append(lines, g.line(l, mark, v.row(line.cells), part, has, width, 0))
	}
	return lines
}

func (v *listView) copied() string {
	if v.frame == nil {
		return ""
	}
	i := v.bar - v.frame.offset
	if i < 0 || i >= len(v.frame.lines) || v.frame.lines[i].head {
		return ""
	}
	return strings.Join(slices.DeleteFunc(slices.Clone(v.frame.lines[i].cells), func(text string) bool { return text == "" }), "  ")
}

func (v *listView) about() string {
	if v.sort == "" {
		return ""
	}
	return "sort " + v.sort + v.m.look.direction(v.reverse)
}

func (v *listView) hints() []action {
	return []action{actSort, actReverse, actColumns, actCopy, actSave, actHelp, actQuit}
}

func (v *listView) count() string {
	if v.frame == nil {
		return ""
	}
	f := v.frame
	return fmt.Sprintf("%d-%d of %d", min(f.offset+1, f.total), f.offset+len(f.lines), f.total)
}

func (v *listView) click(x, y int, _ bool) tea.Cmd {
	if y == 0 {
		if v.frame != nil && v.grids[v.frame.above] != nil {
			if g := v.grids[v.frame.above]; g.at(x) >= 0 {
				v.setSort(g.heads[g.at(x)].name)
			}
		}
		return nil
	}
	v.move(v.offset + y - 1 - v.bar)
	return nil
}

// compare puts numbers before texts.
func (a value) compare(b value) int {
	switch {
	case a.number && b.number:
		return cmp.Compare(a.n, b.n)
	case a.number:
		return 1
	case b.number:
		return -1
	}
	return strings.Compare(a.text, b.text)
}

// parseNumber reads a number with a decimal unit behind it, as AppendSize writes it: 12.4M.
func parseNumber(text string) (float64, bool) {
	if text == "" {
		return 0, false
	}
	unit := 1.0
	if i := strings.IndexByte("KMGTPE", text[len(text)-1]); i >= 0 {
		for range i + 1 {
			unit *= 1000
		}
		text = text[:len(text)-1]
	}
	n, err := strconv.ParseFloat(strings.TrimPrefix(text, "+"), 64)
	return n * unit, err == nil
}
