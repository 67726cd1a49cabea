// SPDX-License-Identifier: GPL-2.0-or-later

package screen

import (
	"fmt"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"

	"netlive/internal/sock"
)

// detailPage shows all that is known of one socket.
type detailPage struct {
	m       *model
	of      sock.Socket // as it was when it was chosen
	detail  *detail
	lineage []string
	offset  int
}

// lineageMsg is who an owner is, which takes reading /proc.
type lineageMsg struct {
	id    sock.ID
	lines []string
}

// openDetail opens the detail of a socket.
func (m *model) openDetail(s sock.Socket) tea.Cmd {
	m.detail = &detailPage{m: m, of: s}
	m.renew()
	if m.config.Lineage == nil || !s.Owner.Known() {
		return nil
	}
	return func() tea.Msg { return lineageMsg{s.ID, m.config.Lineage(&s.Owner)} }
}

func (p *detailPage) show(f *frame) {
	if f.wish.detail == p.of.ID && f.detail != nil {
		p.detail = f.detail
	}
}

func (p *detailPage) socket() *sock.Socket {
	if p.detail != nil {
		return &p.detail.row.Socket
	}
	return &p.of
}

func (p *detailPage) act(a action) (tea.Cmd, bool) {
	rows := p.m.bodyHeight()
	switch a {
	case actUp:
		p.offset--
	case actDown:
		p.offset++
	case actPageUp, actHalfUp:
		p.offset -= rows / 2
	case actPageDown, actHalfDown:
		p.offset += rows / 2
	case actTop:
		p.offset = 0
	case actBottom:
		p.offset = 1 << 30
	case actCopy:
		return p.m.copy(ansi.Strip(strings.Join(p.lines(100), "\n"))), true
	case actSameProcess:
		if o := &p.socket().Owner; o.Known() {
			return p.m.jump(fmt.Sprintf("pid = %d", o.PID)), true
		}
		p.m.say("its process is not known")
	case actSameHost:
		if r := p.socket().Remote; r.Port() != 0 {
			return p.m.jump("dst = " + r.Addr().Unmap().String()), true
		}
		p.m.say("it has no other side")
	case actKill:
		return p.m.askKill(p.socket()), true
	case actDestroy:
		return p.m.askDestroy(p.socket()), true
	case actDetail:
	default:
		return nil, false
	}
	return nil, true
}

func (p *detailPage) body(width, height int) []string {
	lines := p.lines(width)
	p.offset = max(min(p.offset, len(lines)-height), 0)
	return lines[p.offset:min(p.offset+height, len(lines))]
}

// lines are all that there are.
func (p *detailPage) lines(width int) []string {
	l, w := p.m.look, &p.m.words
	s := p.socket()
	local, remote := w.ends(s)
	state := sock.StateName(s.Proto, s.State)
	d := p.detail
	if d != nil && d.gone {
		state = "closed"
		if d.row.Ending != nil {
			state = "closed: " + endingWords(d.row.Ending)
		}
	}
	var lines []string
	add := func(format string, args ...any) {
		lines = append(lines, ansi.Truncate(" "+fmt.Sprintf(format, args...), width, l.glyphs.ellipsis))
	}
	section := func(name string) {
		line := l.paint(PartBorder, l.line(1)+" ") + l.paint(PartGroup, name) + " " + l.paint(PartBorder, l.line(width-len(name)-3))
		lines = append(lines, ansi.Truncate(line, width, ""))
	}
	title := local
	if s.Remote.Port() != 0 {
		title += " " + l.glyphs.joined + " " + remote
	}
	add("%s  %s  %s", l.paint(PartTitle, title), s.Proto, state)
	who := []string{w.program(&s.Owner)}
	if s.Owner.FD > 0 {
		who = append(who, fmt.Sprintf("fd %d", s.Owner.FD))
	}
	who = append(who, "user "+safe(string(w.Names.AppendUser(nil, s.UID))))
	if s.Inode != 0 {
		who = append(who, fmt.Sprintf("inode %d", s.Inode))
	}
	if s.Owner.Known() {
		who = append(who, "known by "+s.Owner.How.String())
	}
	if p.m.config.Netns && w.Space != nil && s.NetNS != 0 {
		who = append(who, "netns "+known(w.Space(s.NetNS)))
	}
	if w.Unit != nil {
		if unit := w.Unit(s); unit != "" {
			who = append(who, "unit "+safe(unit))
		}
	}
	if s.ID.Cookie() != 0 {
		who = append(who, fmt.Sprintf("cookie %d", s.ID.Cookie()))
	}
	add("%s", strings.Join(who, "  "))
	if n := len(s.Others); n > 0 {
		var others []string
		for i := range s.Others {
			others = append(others, w.program(&s.Others[i]))
		}
		add("held by %d more: %s", n, strings.Join(others, " "))
	}
	if d == nil {
		add("%s", l.paint(PartHint, "looking …"))
		return lines
	}
	if len(d.spans) > 0 {
		section("states")
		lines = append(lines, p.timeline(width)...)
	}
	if d.row.Ending != nil {
		section("end")
		for _, text := range endingLines(w, d.row.Ending) {
			add("%s", text)
		}
	}
	if d.reading != nil && d.reading.Info != nil && sock.ProtosTCP.Has(s.Proto) {
		if s.State == sock.Listen {
			section("queue")
			add("%s wait for accept, %s may", number(d.reading.RecvQ), number(d.reading.SendQ))
		} else {
			section("counters")
			for _, text := range counterLines(l, d.reading, max(min(width-40, 60), 8)) {
				add("%s", text)
			}
			section("timers")
			add("%s", timerWords(d.reading))
			section("options")
			for _, text := range optionLines(d.reading) {
				add("%s", text)
			}
		}
	} else if !d.gone && s.Unix == nil {
		section("queues")
		add("received and not read %d bytes, sent and not acknowledged %d", s.Queue.Recv, s.Queue.Send)
	}
	if d.counts != nil && p.m.of.Kinds != 0 {
		section("accepts")
		dropped := "-" // not known
		if d.counts.Overflows >= 0 {
			dropped = fmt.Sprint(d.counts.Overflows)
		}
		add("%.1f a second, %d since netlive began, %s dropped for a full queue", d.counts.AcceptsPerSecond, d.counts.Accepted, dropped)
	}
	section("peers")
	if d.peer.Peer.Known() {
		add("the other end is %s's, on this machine", w.program(&d.peer.Peer))
	} else if d.row.Ending != nil && d.row.Ending.Peer.Known() {
		add("the other end was %s's, on this machine", w.program(&d.row.Ending.Peer))
	}
	add("%s  %d more sockets of this process", p.m.hint(actSameProcess), d.ofProcess)
	if s.Remote.Port() != 0 {
		add("%s  %d more connections with this host", p.m.hint(actSameHost), d.ofHost)
	}
	if s.Owner.Known() {
		section("why it is open")
		if p.lineage == nil {
			add("%s", l.paint(PartHint, "looking …"))
		}
		for i, text := range p.lineage {
			add("%s%s", strings.Repeat("  ", i), safe(text))
		}
	}
	section("events")
	if len(d.events) == 0 {
		add("%s", l.paint(PartHint, p.noEvents()))
	}
	printer := p.m.events.printer(width - 1)
	printer.Columns = nil
	_ = printer.Select(p.m.of.Kinds|sock.Events(sock.EventState), []string{"time", "event", "state", "duration", "why"}) // they are columns
	for i := range d.events {
		e := &d.events[i]
		e.Stack = nil
		add("%s", strings.TrimRight(string(printer.Append(nil, e)), "\n"))
	}
	return lines
}

func (p *detailPage) noEvents() string {
	if p.m.of.Kinds == 0 {
		return p.m.of.NoEvents
	}
	return fmt.Sprintf("none among the last %d", logSize)
}

// timeline draws a bar for each state on an axis of time.
func (p *detailPage) timeline(width int) []string {
	d, l := p.detail, p.m.look
	width = min(width-2, 120)
	spans := d.spans
	first, last := spans[0].From, spans[len(spans)-1].To
	begin := p.m.config.Now().Add(-time.Duration(d.now - first))
	end := p.m.config.Now().Add(-time.Duration(d.now - last))
	left, right := begin.In(p.m.zone()).Format("15:04:05.000"), end.In(p.m.zone()).Format("15:04:05.000")
	if !spans[0].FromKnown {
		left = "before " + left
	}
	if spans[len(spans)-1].Open {
		right = "now " + right
	}
	axis := " " + left + strings.Repeat(" ", max(width-len(left)-len(right), 1)) + right
	cells := share(spans, width)
	var bar, legend strings.Builder
	bar.WriteByte(' ')
	for i, s := range spans {
		part := PartClosing
		switch s.State {
		case sock.Established, sock.Listen:
			part = PartOpen
		case sock.SynSent, sock.SynRecv:
			part = PartGraph
		}
		glyph := l.glyphs.states[i%len(l.glyphs.states)]
		switch {
		case s.State == sock.Established || s.State == sock.Listen:
			glyph = l.glyphs.states[1]
		case i%len(l.glyphs.states) == 1:
			glyph = l.glyphs.states[0]
		}
		bar.WriteString(l.paint(part, strings.Repeat(glyph, cells[i])))
		took := span(time.Duration(s.To - s.From))
		switch {
		case !s.FromKnown && s.To == s.From:
			took = "-"
		case !s.FromKnown:
			took = "over " + took
		}
		name := s.State.String()
		if s.State == sock.StateNone {
			name = "handshake" // which states it had is forgotten
		}
		fmt.Fprintf(&legend, " %s %s %s ", l.paint(part, glyph), name, took)
	}
	return []string{ansi.Truncate(axis, width+1, ""), ansi.Truncate(bar.String(), width+1, ""), ansi.Truncate(legend.String(), width+1, l.glyphs.ellipsis)}
}

func (p *detailPage) about() string { return "detail" }

func (p *detailPage) count() string { return "" }

func (p *detailPage) click(int, int, bool) tea.Cmd { return nil }

func (p *detailPage) hints() []action {
	return []action{actBack, actSameProcess, actSameHost, actCopy, actKill, actDestroy, actHelp, actQuit}
}
