// SPDX-License-Identifier: GPL-2.0-or-later

package screen

import (
	"time"

	tea "charm.land/bubbletea/v2"
)

// doubleClick is the time within which a second click on the same line is one of two.
const doubleClick = 500 * time.Millisecond

func (m *model) mouse(msg tea.MouseMsg) tea.Cmd {
	at := msg.Mouse()
	switch msg.(type) {
	case tea.MouseWheelMsg:
		a := actNone
		switch at.Button {
		case tea.MouseWheelUp:
			a = actUp
		case tea.MouseWheelDown:
			a = actDown
		}
		if a == actNone {
			return nil
		}
		if m.over != nil {
			return m.over.act(m, a, "")
		}
		const lines = 3
		for range lines {
			m.act(a)
		}
		return nil
	case tea.MouseClickMsg:
	default:
		return nil
	}
	if at.Button != tea.MouseLeft || m.over != nil || m.box != nil {
		return nil
	}
	tops := m.tops()
	if tops == 2 && at.Y == 1 {
		_, ends := m.tabs()
		for p, end := range ends {
			if at.X >= end[0] && at.X < end[1] {
				m.turn(Page(p))
			}
		}
		return nil
	}
	y := at.Y - tops
	if y < 0 || y >= m.bodyHeight() || m.detail != nil {
		return nil
	}
	now := m.config.Now()
	double := m.clicked.y == at.Y && now.Sub(m.clicked.at) < doubleClick
	m.clicked.y, m.clicked.at = at.Y, now
	cmd := m.pane().click(at.X, y, double)
	m.renew()
	return cmd
}
