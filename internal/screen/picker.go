// SPDX-License-Identifier: GPL-2.0-or-later

package screen

import (
	"strings"

	tea "charm.land/bubbletea/v2"
	"charm.land/lipgloss/v2"
	"github.com/charmbracelet/x/ansi"
)

// item is what can be picked.
type item struct{ name, text, doc string }

// picker is a list of which one is picked, or many.
type picker struct {
	title    string
	items    []item
	at       int
	many     bool
	chosen   map[string]bool
	done     func(name string)
	doneMany func(names []string)
	offset   int
}

func (p *picker) act(m *model, a action, key string) tea.Cmd {
	switch {
	case a == actUp:
		p.at--
	case a == actDown:
		p.at++
	case a == actTop:
		p.at = 0
	case a == actBottom:
		p.at = len(p.items) - 1
	case a == actPageDown:
		p.at += 10
	case a == actPageUp:
		p.at -= 10
	case key == "space" && p.many:
		p.flip()
	case key == "enter":
		p.pick()
		m.close()
	case a == actBack || a == actQuit || key == "esc":
		m.close()
	}
	p.at = max(min(p.at, len(p.items)-1), 0)
	return nil
}

func (p *picker) flip() {
	name := p.items[p.at].name
	p.chosen[name] = !p.chosen[name]
}

func (p *picker) pick() {
	if !p.many {
		p.done(p.items[p.at].name)
		return
	}
	var names []string
	for _, i := range p.items {
		if p.chosen[i.name] {
			names = append(names, i.name)
		}
	}
	if len(names) > 0 {
		p.doneMany(names)
	}
}

func (p *picker) lines(m *model, width, height int) []string {
	l := m.look
	room := max(height-2, 1)
	if p.at < p.offset {
		p.offset = p.at
	}
	if p.at >= p.offset+room {
		p.offset = p.at - room + 1
	}
	wide, docs := 0, 0
	for _, i := range p.items {
		wide, docs = max(wide, ansi.StringWidth(i.text)), max(docs, ansi.StringWidth(i.doc))
	}
	inner := max(min(wide+docs+8, width-2), 0)
	var lines []string
	for i := p.offset; i < min(p.offset+room, len(p.items)); i++ {
		it := p.items[i]
		mark := " "
		if p.many {
			mark = "[ ]"
			if p.chosen[it.name] {
				mark = "[x]"
			}
		}
		text := fill(ansi.Truncate(" "+mark+" "+pad(it.text, wide, false)+"  "+it.doc, inner, l.glyphs.ellipsis), inner)
		if i == p.at {
			text = l.paint(PartBar, text)
		}
		lines = append(lines, text)
	}
	title := p.title + ": " + m.keyText("⏎")
	if p.many {
		title = p.title + ": space chooses, " + m.keyText("⏎") + " takes"
	}
	return frameOf(l, title, lines, inner)
}

// frameOf draws a border with a title around lines of a width.
func frameOf(l *look, title string, lines []string, inner int) []string {
	b := l.glyphs.border
	inner = max(inner, 0)
	title = ansi.Truncate(" "+title+" ", inner, "")
	out := []string{l.paint(PartBorder, b.TopLeft) + l.paint(PartTitle, title) + l.paint(PartBorder, strings.Repeat(b.Top, max(inner-lipgloss.Width(title), 0))+b.TopRight)}
	for _, line := range lines {
		out = append(out, l.paint(PartBorder, b.Left)+fill(line, inner)+l.paint(PartBorder, b.Right))
	}
	return append(out, l.paint(PartBorder, b.BottomLeft+strings.Repeat(b.Bottom, inner)+b.BottomRight))
}
