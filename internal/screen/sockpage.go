// SPDX-License-Identifier: GPL-2.0-or-later

package screen

import (
	"slices"
	"strings"

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
	p.awaitNext()
}

// awaitNext takes no window from frames that are older than the wish that comes next.
func (p *sockPage) awaitNext() { p.asked = p.m.seq + 1 }

// scrollTo moves the window so that a line is in it.
func (p *sockPage) scrollTo(line int) { p.offset = scrolled(line, p.offset, p.rows()) }
