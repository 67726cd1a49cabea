// SPDX-License-Identifier: GPL-2.0-or-later

package screen

import tea "charm.land/bubbletea/v2"

// missing is the page that is not to be had.
type missing struct{ m *model }

func (p missing) act(action) (tea.Cmd, bool) { return nil, false }

func (p missing) body(int, int) []string {
	return []string{p.m.look.paint(PartHint, " there is nothing of this here")}
}

func (p missing) about() string                { return "" }
func (p missing) count() string                { return "" }
func (p missing) click(int, int, bool) tea.Cmd { return nil }
func (p missing) hints() []action              { return []action{actHelp, actQuit} }
