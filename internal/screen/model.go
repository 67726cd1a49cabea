// SPDX-License-Identifier: GPL-2.0-or-later

package screen

import (
	"strings"

	tea "charm.land/bubbletea/v2"

	"netlive/internal/render"
)

// model is the state of the terminal: which rows are wanted, what was drawn last.
type model struct {
	config *Config
	names  render.Names
	window *window
	frame  *frame

	width, height int
	offset        int
	widths        widths // of the columns in the frame
	widest        widths // that they had since the last resize
	hidden        [columns]bool
}

func newModel(c *Config, w *window, names render.Names) *model {
	return &model{config: c, window: w, names: names}
}

// The lines around the rows: status, column heads, and the line of keys.
const aroundRows = 3

func (m *model) rows() int { return max(m.height-aroundRows, 0) }

// Init implements tea.Model.
func (m *model) Init() tea.Cmd { return nil }

// Update implements tea.Model.
func (m *model) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	switch msg := msg.(type) {
	case tea.WindowSizeMsg:
		m.width, m.height = msg.Width, msg.Height
		m.widest = widths{}
		m.window.ask(m.offset, m.rows())
	case *frame:
		m.frame = msg
		// The table may have shrunk under the window.
		m.scrollTo(m.offset)
	case tea.KeyPressMsg:
		return m, m.press(msg.String())
	}
	return m, nil
}

func (m *model) press(key string) tea.Cmd {
	page := max(m.rows()-1, 1)
	switch key {
	case "q":
		return tea.Quit
	case "ctrl+c":
		return tea.Interrupt
	case "ctrl+z":
		return tea.Suspend
	case "down", "j":
		m.scrollTo(m.offset + 1)
	case "up", "k":
		m.scrollTo(m.offset - 1)
	case "pgdown", "space", "ctrl+f":
		m.scrollTo(m.offset + page)
	case "pgup", "ctrl+b":
		m.scrollTo(m.offset - page)
	case "ctrl+d":
		m.scrollTo(m.offset + page/2)
	case "ctrl+u":
		m.scrollTo(m.offset - page/2)
	case "home", "g":
		m.scrollTo(0)
	case "end", "G":
		m.scrollTo(1 << 30)
	}
	return nil
}

// scrollTo moves the window to begin at row to, or as near as the table's length allows.
func (m *model) scrollTo(to int) {
	last := 0
	if m.frame != nil {
		last = m.frame.Shown - m.rows()
	}
	m.offset = max(min(to, last), 0)
	m.window.ask(m.offset, m.rows())
}

// View implements tea.Model.
func (m *model) View() tea.View {
	v := tea.NewView("")
	v.AltScreen = true
	v.WindowTitle = "netlive watch"
	if m.width == 0 || m.height == 0 {
		return v
	}
	lines := make([]string, 0, m.height)
	lines = append(lines, m.statusLine())
	if m.frame != nil {
		lines = append(lines, m.tableLines()...)
	}
	for len(lines) < m.height-1 {
		lines = append(lines, "")
	}
	lines = append(lines[:m.height-1], m.keysLine())
	v.SetContent(strings.Join(lines, "\n"))
	return v
}
