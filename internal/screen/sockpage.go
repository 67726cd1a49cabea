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

// sockPage shows sockets: connections or listeners.
type sockPage struct {
	m    *model
	page Page
	grid grid

	frame  *frame
	offset int // of the window, among all lines
	bar    int // the line that the bar is on, among all
	// on is what the bar was put on; with follow it stays there.
	on      view.Place
	follow  bool
	frozen  bool
	closed  bool
	group   grouping
	opened  *opened
	sort    string
	reverse bool
	wide    bool
	left    int // columns scrolled to the left, when wide
	chosen  []string
	hidden  map[string]bool
	find    string
	finding uint64
	from    view.Place
	back    bool
	seek    view.Place // what was found, until the bar is on it
	saving  uint64
	// asked is the wish after which on is known: a frame of an older one has another window.
	asked uint64
}

func newSockPage(m *model, page Page) *sockPage {
	s := &m.config.Settings
	p := &sockPage{m: m, page: page, closed: true, follow: s.Follow, chosen: s.Columns[page.String()], hidden: map[string]bool{}}
	for _, name := range s.Hide[page.String()] {
		p.hidden[name] = true
	}
	if by := s.Sort[page.String()]; by != "" {
		p.sort, p.reverse = strings.TrimPrefix(by, "-"), strings.HasPrefix(by, "-")
	}
	if page == Connections {
		p.group = groupOf(s.Group)
	}
	return p
}

func (p *sockPage) rows() int { return max(p.m.bodyHeight()-1, 0) }

func (p *sockPage) wish(w *wish) {
	w.offset, w.height = p.offset, p.rows()
	w.sort, w.reverse, w.group, w.opened = p.sort, p.reverse, p.group, p.opened
	w.closed, w.frozen, w.peers, w.ages = p.closed, p.frozen, p.shows("peer"), p.shows("age")
	switch {
	case p.seek != view.Place{}:
		w.follow, w.followLine = p.seek, p.rows()/2
	case p.follow:
		w.follow, w.followLine = p.on, p.bar-p.offset
	}
	w.find, w.finding, w.from, w.back = p.find, p.finding, p.from, p.back
	w.saving = p.saving
}

// shows reports whether a column is shown, were there room for it.
func (p *sockPage) shows(name string) bool { return slices.Contains(p.columns(), name) }

func (p *sockPage) show(f *frame) {
	if f.wish.page != p.page || f.wish.detail != 0 {
		return
	}
	p.frame = f
	if f.wish.seq < p.asked {
		return // the window has moved since
	}
	p.offset = f.Offset
	if f.Bar >= 0 {
		p.bar = f.Offset + f.Bar
	}
	if p.seek != (view.Place{}) && f.wish.follow == p.seek {
		p.on, p.seek = p.seek, view.Place{}
	}
	if fd := f.found; fd != nil && fd.finding == p.finding {
		p.goTo(fd)
	}
	p.bar = max(min(p.bar, f.Shown-1), 0)
	if p.bar < p.offset || p.bar >= p.offset+max(p.rows(), 1) {
		p.scrollTo(p.bar)
		p.m.renew()
	}
	if l := p.selected(); l != nil && (!p.follow || p.on == (view.Place{}) || f.Bar < 0) {
		p.on = placeOf(l)
	}
}

// goTo puts the bar on what was found, in a group that was closed too.
func (p *sockPage) goTo(f *found) {
	p.finding = 0
	if !f.ok {
		p.m.say("nothing has " + safe(p.find))
		return
	}
	if p.group != groupNone && !p.opened.has(f.place.Group) {
		p.opened = p.opened.toggled(f.place.Group)
	}
	p.seek = view.Place{ID: f.place.ID}
	p.m.renew()
	p.asked = p.m.seq
}

func placeOf(l *view.Line) view.Place {
	if l.Group != nil {
		return view.Place{Group: l.Group.Key, IsGroup: true}
	}
	return view.Place{ID: l.ID}
}

// selected is the line that the bar is on, nil none.
func (p *sockPage) selected() *view.Line {
	if p.frame == nil {
		return nil
	}
	i := p.bar - p.frame.Offset
	if i < 0 || i >= len(p.frame.Rows) {
		return nil
	}
	return &p.frame.Rows[i]
}

// socket is the socket that the bar is on, nil none.
func (p *sockPage) socket() *sock.Socket {
	if l := p.selected(); l != nil && l.Group == nil {
		return &l.Socket
	}
	return nil
}

func (p *sockPage) move(by int) {
	shown := 0
	if p.frame != nil {
		shown = p.frame.Shown
	}
	p.bar = max(min(p.bar+by, shown-1), 0)
	p.scrollTo(p.bar)
	if l := p.selected(); l != nil {
		p.on = placeOf(l)
	} else {
		p.on = view.Place{} // it is known when the frame comes
	}
	p.m.renew()
	p.asked = p.m.seq
}

// scrollTo moves the window so that a line is in it.
func (p *sockPage) scrollTo(line int) {
	rows := max(p.rows(), 1)
	switch {
	case line < p.offset:
		p.offset = line
	case line >= p.offset+rows:
		p.offset = line - rows + 1
	}
	p.offset = max(p.offset, 0)
}

func (p *sockPage) act(a action) (tea.Cmd, bool) {
	rows := p.rows()
	switch a {
	case actUp:
		p.move(-1)
	case actDown:
		p.move(1)
	case actPageUp:
		p.move(-max(rows-1, 1))
	case actPageDown:
		p.move(max(rows-1, 1))
	case actHalfUp:
		p.move(-max(rows/2, 1))
	case actHalfDown:
		p.move(max(rows/2, 1))
	case actTop:
		p.move(-1 << 40)
	case actBottom:
		p.move(1 << 40)
	case actLeft:
		p.left = max(p.left-8, 0)
	case actRight:
		if p.wide || p.chosen != nil {
			p.left = max(min(p.left+8, p.grid.total-p.m.width), 0)
		}
	case actWide:
		p.wide, p.left = !p.wide, 0
	case actDetail:
		l := p.selected()
		switch {
		case l == nil:
		case l.Group != nil:
			p.toggle(l.Group.Key)
		default:
			return p.m.openDetail(l.Socket), true
		}
	case actToggle:
		if l := p.selected(); l != nil && l.Group != nil {
			p.toggle(l.Group.Key)
		} else {
			p.move(max(rows-1, 1)) // as less does
		}
	case actToggleAll:
		p.opened = &opened{all: p.opened == nil || !p.opened.all}
		p.m.renew()
	case actFreeze:
		p.frozen = !p.frozen
		p.m.renew()
	case actFollow:
		p.follow = !p.follow
		p.m.renew()
	case actClosed:
		p.closed = !p.closed
		p.m.renew()
	case actReverse:
		p.reverse = !p.reverse
		p.m.renew()
	case actSortLeft:
		p.sortBeside(-1)
	case actSortRight:
		p.sortBeside(1)
	case actSort:
		p.m.pick(p.sortPicker())
	case actColumns:
		p.m.pick(p.columnPicker())
	case actGroup:
		if p.page == Connections {
			p.setGroup((p.group + 1) % groupings)
		}
	case actFind:
		return p.m.ask(&findBox{page: p}), true
	case actFindNext, actFindPrevious:
		p.findMore(a == actFindPrevious)
	case actCopy:
		if text := p.copied(); text != "" {
			return p.m.copy(text), true
		}
	case actSave:
		return p.m.ask(newSaveBox(p.m, p.page, func() { p.saving = p.m.number() })), true
	case actKill:
		if s := p.victim(); s != nil {
			return p.m.askKill(s), true
		}
	case actDestroy:
		if s := p.socket(); s != nil {
			return p.m.askDestroy(s), true
		}
	default:
		return nil, false
	}
	return nil, true
}

// victim is the socket whose process is meant: that of a row, or the first of a process's group.
func (p *sockPage) victim() *sock.Socket {
	l := p.selected()
	switch {
	case l == nil:
		return nil
	case l.Group == nil:
		return &l.Socket
	case p.group == groupProcess:
		return &l.Group.First.Socket
	}
	return nil
}

func (p *sockPage) setGroup(g grouping) {
	if g == groupContainer && p.m.config.Container == nil {
		g++
	}
	p.group, p.opened, p.bar, p.offset, p.on = g, nil, 0, 0, view.Place{}
	p.m.renew()
	p.asked = p.m.seq
}

func (p *sockPage) toggle(k view.Key) {
	p.opened = p.opened.toggled(k)
	p.m.renew()
}

func (p *sockPage) findMore(back bool) {
	if p.find == "" {
		p.m.ask(&findBox{page: p})
		return
	}
	p.from, p.back, p.finding = p.on, back, p.m.number()
	p.m.renew()
}

// setSort sorts by a column, or the other way round when it is sorted by that already. Numbers are the largest first, names from A.
func (p *sockPage) setSort(name string) {
	if p.sort == name && name != "" {
		p.reverse = !p.reverse
	} else {
		p.sort, p.reverse = name, false
		if c := socketColumn(name); c != nil && c.right {
			p.reverse = true
		}
	}
	p.m.renew()
}

// sortBeside sorts by the next column that is shown.
func (p *sockPage) sortBeside(by int) {
	names := []string{""}
	for i, h := range p.grid.heads {
		if c := socketColumn(h.name); p.grid.widths[i] > 0 && c.compare != nil {
			names = append(names, h.name)
		}
	}
	at := max(slices.Index(names, p.sort), 0)
	p.setSort(names[(at+by+len(names))%len(names)])
}

// columns are the names of those that are shown, were there room.
func (p *sockPage) columns() []string {
	names := p.chosen
	if len(names) == 0 {
		names = p.usual()
	}
	return slices.DeleteFunc(slices.Clone(names), func(name string) bool { return p.hidden[name] })
}

// usual are the columns when none are chosen: netstat's, which its options choose, and others as there is room.
func (p *sockPage) usual() []string {
	c := p.m.config
	names := strings.Fields("proto recv_q send_q local remote state")
	if p.page == Listeners && p.m.width < 110 {
		names = strings.Fields("proto recv_q local state") // they have nothing else to send, and no other side
	}
	if c.Extend {
		names = append(names, "user", "inode")
	}
	if c.Programs {
		names = append(names, "program")
	}
	if c.Netns {
		names = append(names, "netns")
	}
	if c.Unit {
		names = append(names, "unit")
	}
	if p.page == Listeners {
		if p.m.of.Meter != nil {
			names = append(names, "backlog")
		}
		if p.m.of.Kinds != 0 {
			names = append(names, "accepts", "accepted", "overflows")
		}
		return append(names, "age")
	}
	if p.m.of.Meter != nil {
		names = append(names, "tx", "rx", "rtt", "retrans")
	}
	if p.m.of.Kinds != 0 {
		names = append(names, "age", "peer", "why")
	} else {
		names = append(names, "peer")
	}
	if p.m.of.Meter != nil {
		names = append(names, "graph")
	}
	return names
}

func (p *sockPage) sortPicker() *picker {
	pk := &picker{title: "sort by", done: func(name string) { p.setSort(name) }}
	pk.items = append(pk.items, item{"", "default", "listeners first, then by protocol and port"})
	for i := range socketColumns {
		if c := &socketColumns[i]; c.compare != nil {
			pk.items = append(pk.items, item{c.name, c.text, c.doc})
		}
	}
	pk.at = max(slices.IndexFunc(pk.items, func(i item) bool { return i.name == p.sort }), 0)
	return pk
}

func (p *sockPage) columnPicker() *picker {
	pk := &picker{title: "columns", many: true, chosen: map[string]bool{}}
	for i := range socketColumns {
		c := &socketColumns[i]
		pk.items = append(pk.items, item{c.name, c.text, c.doc})
	}
	for _, name := range p.columns() {
		pk.chosen[name] = true
	}
	pk.doneMany = func(names []string) {
		// In the order of the table; those that are shown already stay where they are.
		p.chosen, p.hidden = names, map[string]bool{}
		p.m.renew()
	}
	return pk
}

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
	p.grid.fit(heads, cells, width, whole)
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
		mark := p.m.look.glyphs.sorted
		if p.reverse {
			mark = p.m.look.glyphs.reversed
		}
		parts = append(parts, "sort "+p.sort+mark)
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
