// SPDX-License-Identifier: GPL-2.0-or-later

package screen

import (
	"slices"

	tea "charm.land/bubbletea/v2"
)

// far is more lines than there are.
const far = 1 << 30

// moved is by how many lines a key moves the bar in a window of so many rows.
func moved(a action, rows int) (by int, moves bool) {
	switch a {
	case actUp:
		return -1, true
	case actDown:
		return 1, true
	case actPageUp:
		return -max(rows-1, 1), true
	case actPageDown:
		return max(rows-1, 1), true
	case actHalfUp:
		return -max(rows/2, 1), true
	case actHalfDown:
		return max(rows/2, 1), true
	case actTop:
		return -far, true
	case actBottom:
		return far, true
	}
	return 0, false
}

// scrolled is where a window of so many rows that begins at offset has to begin for a line to be in it.
func scrolled(line, offset, rows int) int {
	return max(min(offset, line), line-max(rows, 1)+1, 0)
}

// neighbour is the name that stands so many places after another in a list that goes round; one that is not there counts as the first.
func neighbour(names []string, name string, by int) string {
	at := max(slices.Index(names, name), 0)
	return names[(at+by+len(names))%len(names)]
}

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
