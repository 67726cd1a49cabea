// SPDX-License-Identifier: GPL-2.0-or-later

package screen

import (
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
	if cmd := ending(key); cmd != nil {
		return cmd
	}
	m.scrollTo(scrolled(key, m.offset, m.rows()))
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
	var table []string
	if m.frame != nil {
		table = m.tableLines()
	}
	return page(m.width, m.height, m.statusLine(), table, m.keysLine())
}
