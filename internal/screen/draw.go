// SPDX-License-Identifier: GPL-2.0-or-later

package screen

import (
	"strings"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"
)

// View implements tea.Model.
func (m *model) View() tea.View {
	v := tea.NewView("")
	v.AltScreen = true
	v.WindowTitle = "netlive watch"
	if m.config.Settings.Mouse {
		v.MouseMode = tea.MouseModeCellMotion
	}
	if m.width <= 0 || m.height <= 0 {
		return v
	}
	lines := make([]string, 0, m.height)
	tops := []string{m.statusLine(), m.tabLine()}
	lines = append(lines, tops[:m.tops()]...)
	height := m.bodyHeight()
	if height > 0 {
		body := m.pane().body(m.width, height)
		lines = append(lines, body[:min(len(body), height)]...)
	}
	if m.strips() {
		for len(lines) < m.height-1-stripLines {
			lines = append(lines, "")
		}
		strip := m.events.strip
		if m.page <= Listeners {
			strip = m.sockets[m.page].strip
		}
		lines = append(lines, strip(m.width)...)
	}
	last := 1
	if m.box != nil && m.box.problem(m.width) != "" {
		last++
	}
	for len(lines) < m.height-last {
		lines = append(lines, "")
	}
	if len(lines) > m.height-last {
		lines = lines[:max(m.height-last, 0)]
	}
	if m.over != nil {
		lines = lay(lines, m.over.lines(m, m.width, m.height-last), m.width)
	}
	if m.box != nil {
		if problem := m.box.problem(m.width); problem != "" {
			lines = append(lines, m.look.paint(PartBad, ansi.Truncate(problem, m.width, m.look.glyphs.ellipsis)))
		}
		text, cursor := m.box.line(m, m.width)
		lines = append(lines, text)
		if cursor >= 0 {
			v.Cursor = tea.NewCursor(min(cursor, m.width-1), len(lines)-1)
		}
	} else {
		lines = append(lines, m.keysLine())
	}
	lines = lines[:min(len(lines), m.height)]
	if m.width < sentence {
		for i, l := range lines {
			lines[i] = ansi.Truncate(l, m.width, "")
		}
	}
	v.SetContent(strings.Join(lines, "\n"))
	return v
}

// sentence is how wide what is said once may be: tables, titles and keys are made for the width that there is.
const sentence = 80

// lay puts a pane over lines, in the middle.
func lay(lines, pane []string, width int) []string {
	w := 0
	for _, l := range pane {
		w = max(w, ansi.StringWidth(l))
	}
	x, y := max((width-w)/2, 0), max((len(lines)-len(pane))/2, 0)
	for i, l := range pane {
		if y+i >= len(lines) {
			break
		}
		under := fill(lines[y+i], width)
		lines[y+i] = ansi.Truncate(under, x, "") + "\x1b[m" + fill(l, w) + "\x1b[m" + ansi.TruncateLeft(under, x+w, "")
	}
	return lines
}

// hint is a key with what it does, as hints show it.
func (m *model) hint(a action) string {
	h := m.keys.binds[a].Help()
	if h.Key == "" {
		return ""
	}
	return m.look.paint(PartKey, m.keyText(h.Key))
}

func (m *model) keyText(key string) string {
	if !m.look.glyphs.ascii {
		return key
	}
	return strings.NewReplacer("⏎", "enter", "↑", "up", "↓", "down", "←", "left", "→", "right").Replace(key)
}
