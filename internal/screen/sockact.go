// SPDX-License-Identifier: GPL-2.0-or-later

package screen

import (
	tea "charm.land/bubbletea/v2"

	"netlive/internal/sock"
	"netlive/internal/view"
)

// act implements pane. Who calls it, or what changes the page otherwise, renews the wish afterwards.
func (p *sockPage) act(a action) (tea.Cmd, bool) {
	if by, moves := moved(a, p.rows()); moves {
		p.move(by)
		return nil, true
	}
	switch a {
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
			return p.act(actPageDown) // as less does
		}
	case actToggleAll:
		p.opened = &opened{all: p.opened == nil || !p.opened.all}
	case actFreeze:
		p.frozen = !p.frozen
	case actFollow:
		p.follow = !p.follow
	case actClosed:
		p.closed = !p.closed
	case actReverse:
		p.reverse = !p.reverse
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
		p.m.say(noRow)
	case actSave:
		return p.m.ask(newSaveBox(p.m, p.page, func() { p.saving = p.m.number() })), true
	case actKill:
		return p.m.askKill(p.victim()), true
	case actDestroy:
		return p.m.askDestroy(p.socket()), true
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
		s := l.Group.First.Socket
		s.Owner = *oldest(&s)
		return &s
	}
	return nil
}

func (p *sockPage) setGroup(g grouping) {
	if g == groupContainer && p.m.config.Container == nil {
		g++
	}
	p.group, p.opened, p.bar, p.offset, p.on = g, nil, 0, 0, view.Place{}
	p.awaitNext()
}

func (p *sockPage) toggle(k view.Key) { p.opened = p.opened.toggled(k) }

func (p *sockPage) findMore(back bool) {
	if p.find == "" {
		p.m.ask(&findBox{page: p})
		return
	}
	p.from, p.back, p.finding = p.on, back, p.m.number()
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
}

// sortBeside sorts by the next column that is shown.
func (p *sockPage) sortBeside(by int) {
	names := []string{""}
	for i, h := range p.grid.heads {
		if c := socketColumn(h.name); p.grid.widths[i] > 0 && c.compare != nil {
			names = append(names, h.name)
		}
	}
	p.setSort(neighbour(names, p.sort, by))
}
