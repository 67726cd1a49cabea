// SPDX-License-Identifier: GPL-2.0-or-later

package screen

import (
	"slices"
	"strings"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"
)

// helpPane lists the keys of the page that it lies over.
type helpPane struct{ offset int }

// The keys that each page has, by what they are about.
var (
	helpEverywhere = []action{actConnections, actNext, actPrevious, actHelp, actBack, actCommand, actFilter, actFilterUser, actNumeric, actPorts, actRedraw, actSuspend, actQuit, actInterrupt}
	helpMoving     = []action{actUp, actDown, actPageUp, actPageDown, actHalfUp, actHalfDown, actTop, actBottom}
	helpSockets    = []action{actDetail, actGroup, actToggle, actToggleAll, actSort, actReverse, actSortLeft, actSortRight, actColumns, actWide, actLeft, actRight, actClosed,
		actFreeze, actFollow, actFind, actFindNext, actFindPrevious, actCopy, actSave, actKill, actDestroy}
	helpEvents = []action{actDetail, actFollow, actFreeze, actClosed, actCopy, actSave}
	helpLists  = []action{actSort, actReverse, actColumns, actCopy, actSave}
	helpDetail = []action{actBack, actSameProcess, actSameHost, actCopy, actKill, actDestroy}
)

func (h *helpPane) act(m *model, a action, key string) tea.Cmd {
	switch a {
	case actDown:
		h.offset++
	case actUp:
		h.offset--
	case actPageDown:
		h.offset += 10
	case actPageUp:
		h.offset -= 10
	default:
		m.close()
	}
	return nil
}

func (h *helpPane) lines(m *model, width, height int) []string {
	l := m.look
	of, name := helpSockets, m.page.String()
	switch {
	case m.detail != nil:
		of, name = helpDetail, "detail"
	case m.page == Events:
		of = helpEvents
	case m.page >= Routes:
		of = helpLists
	}
	if m.page == Listeners {
		of = slices.DeleteFunc(slices.Clone(of), func(a action) bool { return a == actGroup || a == actToggle || a == actToggleAll })
	}
	var texts []string
	list := func(title string, actions []action) {
		texts = append(texts, l.paint(PartGroup, title))
		for _, a := range actions {
			keys := m.keys.binds[a].Keys()
			if len(keys) == 0 {
				continue
			}
			names := make([]string, len(keys))
			for i, k := range keys {
				names[i] = m.keyText(keyName(k))
			}
			does := bindings[a].does
			switch {
			case a == actConnections:
				names, does = []string{"1-7"}, "the screens"
			case a == actClosed && m.page == Events:
				does = "changes of state too"
			case a == actFollow && m.page == Events:
				does = "stay at the newest"
			}
			texts = append(texts, " "+l.paint(PartKey, pad(strings.Join(names, " "), 11, false))+" "+does)
		}
	}
	list(name, of)
	columns := 1
	if width >= 100 {
		columns = 2
	}
	texts = append(texts, "")
	list("moving", helpMoving)
	texts = append(texts, "")
	list("everywhere", helpEverywhere)
	texts = append(texts, "", " Marks: "+markNew+" new  "+markChange+" changed  "+markGone+" closed  "+markResync+" told by a walk, for news of it was lost",
		" A filter is as on the command line: netlive help filters")
	if columns == 2 {
		texts = beside(texts, (width-6)/2)
	}
	inner := 0
	for _, t := range texts {
		inner = max(inner, ansi.StringWidth(t)+1)
	}
	inner = min(inner, width-2)
	room := max(height-2, 1)
	h.offset = max(min(h.offset, len(texts)-room), 0)
	texts = texts[h.offset:min(h.offset+room, len(texts))]
	for i := range texts {
		texts[i] = ansi.Truncate(texts[i], inner, l.glyphs.ellipsis)
	}
	title := "keys: any other closes this"
	if h.offset > 0 || len(texts) == room {
		title = "keys: " + m.keyText("↑") + " " + m.keyText("↓") + " scroll, any other closes this"
	}
	return frameOf(l, title, texts, inner)
}

// beside puts the second half of lines beside the first.
func beside(lines []string, width int) []string {
	half := (len(lines) + 1) / 2
	out := make([]string, half)
	for i := range half {
		out[i] = fill(ansi.Truncate(lines[i], width, ""), width)
		if half+i < len(lines) {
			out[i] += " " + lines[half+i]
		}
	}
	return out
}
