// SPDX-License-Identifier: GPL-2.0-or-later

package screen

import (
	"fmt"
	"strings"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"

	"netlive/internal/render"
	"netlive/internal/sock"
)

// eventPage shows the log, the newest last.
type eventPage struct {
	m *model
	// tail says that the window stays at the newest.
	tail   bool
	skip   int
	anchor uint64
	bar    int // line of the window
	frame  *frame
	saving uint64
	// states says that changes of state and owners are shown too, of which there are many.
	states bool
}

func newEventPage(m *model) *eventPage { return &eventPage{m: m, tail: true} }

func (p *eventPage) wish(w *wish) {
	w.skip, w.anchor = p.skip, p.anchor
	if p.tail {
		w.skip = -1
	}
	w.kinds = p.kinds()
	w.saving = p.saving
}

func (p *eventPage) kinds() sock.EventSet {
	kinds := p.m.of.Kinds | sock.Events(sock.EventLost, sock.EventResync)
	if !p.states {
		kinds &^= sock.Events(sock.EventState)
	}
	return kinds
}

func (p *eventPage) show(f *frame) {
	if f.wish.page != Events || f.wish.detail != 0 {
		return
	}
	p.frame = f
	p.bar = max(min(p.bar, len(f.events.events)-1), 0)
	if p.tail {
		p.bar = len(f.events.events) - 1
	}
}

func (p *eventPage) act(a action) (tea.Cmd, bool) {
	if by, moves := moved(a, p.m.bodyHeight()-1); moves && a != actBottom {
		p.move(by)
		return nil, true
	}
	switch a {
	case actBottom, actFollow:
		p.tail, p.skip = !p.tail || a == actBottom, 0
		p.hold()
	case actFreeze:
		p.tail = !p.tail
		p.hold()
	case actClosed:
		p.states = !p.states
	case actDetail:
		if e := p.selected(); e != nil && e.Socket.ID != 0 {
			return p.m.openDetail(e.Socket), true
		}
	case actCopy:
		if e := p.selected(); e != nil {
			return p.m.copy(strings.TrimRight(string(p.printer(0).Append(nil, e)), "\n")), true
		}
	case actSave:
		return p.m.ask(newSaveBox(p.m, Events, func() { p.saving = p.m.number() })), true
	default:
		return nil, false
	}
	return nil, true
}

// hold makes the window stay where it is.
func (p *eventPage) hold() {
	if p.frame != nil {
		p.anchor, p.skip = p.frame.events.total, p.frame.events.after
	}
}

// move moves the bar, and the window with it at its ends. A window that has been moved away from the newest stays with its events.
func (p *eventPage) move(by int) {
	if p.frame == nil {
		return
	}
	e := &p.frame.events
	to := p.bar + by
	last := len(e.events) - 1
	p.hold()
	switch {
	case to < 0:
		p.tail = false
		p.skip = min(p.skip-to, max(e.matches-len(e.events), 0))
		to = 0
	case to > last:
		p.skip -= to - last
		if p.skip <= 0 {
			p.skip, p.tail = 0, true
		}
		to = last
	default:
		p.tail = p.tail && to == last
	}
	p.bar = max(to, 0)
}

func (p *eventPage) selected() *sock.Event {
	if p.frame == nil || p.bar >= len(p.frame.events.events) || p.bar < 0 {
		return nil
	}
	return &p.frame.events.events[p.bar]
}

// The widths from which on a line of events has room for who has the local end, and for all of its usual columns and a reason.
const (
	mediumEvents = 110
	wideEvents   = 160
)

func (p *eventPage) printer(width int) *render.EventLines {
	l := &render.EventLines{Color: width > 0, Location: p.m.zone(), Width: width, Names: p.m.words.Names, Places: p.m.places()}
	names := p.m.columnsOf(Events)
	switch {
	case names != nil || width == 0 || width >= wideEvents:
	case width >= mediumEvents:
		names = []string{"time", "event", "process", "local", "remote", "duration", "why"}
	default:
		names = []string{"time", "event", "process", "remote", "why"}
	}
	if err := l.Select(p.kinds()&^sock.Events(sock.EventLost, sock.EventResync), names); err != nil {
		l.Columns = nil
	}
	return l
}

func (p *eventPage) body(width, height int) []string {
	if p.m.of.Kinds == 0 {
		return []string{p.m.look.paint(PartHint, ansi.Truncate(" no events: "+p.m.of.NoEvents, width, p.m.look.glyphs.ellipsis))}
	}
	printer := p.printer(width)
	l := p.m.look
	short := width < mediumEvents && p.m.columnsOf(Events) == nil
	lines := []string{l.paint(PartHead, fill(ansi.Truncate(" "+shorter(short, string(printer.Header(nil))), width, ""), width))}
	if p.frame == nil {
		return lines
	}
	for i := range p.frame.events.events {
		if len(lines) >= height {
			break
		}
		e := &p.frame.events.events[i]
		e.Stack = nil
		text := ansi.Truncate(" "+shorter(short, string(printer.Append(nil, e))), width, l.glyphs.ellipsis)
		if i == p.bar {
			text = l.paint(PartBar, fill(ansi.Strip(text), width))
		}
		lines = append(lines, text)
	}
	if len(p.frame.events.events) == 0 {
		text := " nothing has happened yet"
		if p.m.filter.Text != "" && p.frame.events.total > 0 {
			text = " nothing of what happened matches the filter"
		}
		lines = append(lines, l.paint(PartHint, text))
	}
	return lines
}

// shorter is a line without its end, and where room is short without the microseconds of its time, with which it begins.
func shorter(short bool, line string) string {
	const milliseconds, microseconds = len("15:04:05.000"), len("15:04:05.000000")
	line = strings.TrimRight(line, "\n")
	if short && len(line) > microseconds {
		return line[:milliseconds] + line[microseconds:]
	}
	return line
}

// strip says of the event that the bar is on what its line may have no room for.
func (p *eventPage) strip(width int) []string {
	l, w := p.m.look, &p.m.words
	lines := []string{l.paint(PartBorder, l.line(width)), ""}
	e := p.selected()
	if e == nil {
		return lines
	}
	var parts []string
	if s := &e.Socket; s.Local.IsValid() {
		local, remote := w.ends(s)
		parts = append(parts, w.program(&s.Owner), local+" "+l.glyphs.joined+" "+remote)
	}
	if d := e.Detail; d != nil && (e.Kind == sock.EventClose || e.Kind == sock.EventFail) {
		parts = append(parts, "lived "+lived(d.Duration), "sent "+size(d.BytesSent), "received "+size(d.BytesReceived))
	}
	if why := render.AppendWhy(nil, e); len(why) > 0 {
		parts = append(parts, string(why))
	}
	lines[1] = ansi.Truncate(" "+strings.Join(parts, "  "), width, l.glyphs.ellipsis)
	return lines
}

func (p *eventPage) about() string {
	if p.frame == nil || p.m.of.Kinds == 0 {
		return ""
	}
	e := &p.frame.events
	text := fmt.Sprintf("%d events", e.matches)
	switch {
	case p.tail:
		text += "  following"
	case e.after > 0:
		text += fmt.Sprintf("  +%d after", e.after)
	}
	return text
}

func (p *eventPage) click(_, y int, double bool) tea.Cmd {
	if p.frame == nil || y < 1 || y > len(p.frame.events.events) {
		return nil
	}
	p.hold()
	p.bar, p.tail = y-1, false
	if double {
		cmd, _ := p.act(actDetail)
		return cmd
	}
	return nil
}

func (p *eventPage) hints() []action {
	return []action{actFilter, actFollow, actClosed, actDetail, actCopy, actSave, actHelp, actQuit}
}

func (p *eventPage) count() string { return "" }
