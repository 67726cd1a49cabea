// SPDX-License-Identifier: GPL-2.0-or-later

package screen

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/charmbracelet/x/ansi"

	"netlive/internal/live"
	"netlive/internal/sock"
)

// statusLine is the first line: where the rows come from, what was lost, what netlive itself costs, how many are in which state.
func (m *model) statusLine() string {
	l := m.look
	var s *live.Status
	parts := []string{l.paint(PartTitle, "netlive")}
	if m.config.Host != "" && m.width >= 100 {
		parts = append(parts, safe(m.config.Host))
	}
	source := m.of.Source
	if f := m.lists.current(); f != nil && m.page >= Routes && m.detail == nil {
		source, s = f.source, &f.status
	} else if m.last != nil {
		s = &m.last.status
	}
	parts = append(parts, l.paint(PartTitle, source))
	switch {
	case s == nil:
		parts = append(parts, "first look "+l.glyphs.ellipsis)
	case s.Lost > 0 || s.Resyncs > 0:
		parts = append(parts, l.paint(PartBad, fmt.Sprintf("lost %d resynced %d", s.Lost, s.Resyncs)))
	default:
		parts = append(parts, "lost 0")
	}
	if m.last != nil {
		parts = append(parts, m.last.cost.String())
	}
	if m.page >= Routes && m.detail == nil {
		parts = append(parts, m.lists.counts()...)
	} else if m.last != nil {
		parts = append(parts, m.states()...)
	}
	return ansi.Truncate(strings.Join(parts, "  "), m.width, l.glyphs.ellipsis)
}

// states are how many sockets are in which state, the most first.
func (m *model) states() (parts []string) {
	type count struct {
		state sock.State
		n     int
	}
	by := m.last.states
	if m.page <= Listeners && m.last.wish.page == m.page && m.last.wish.detail == 0 {
		by = m.last.ByState // of what the filter matches
	}
	var counts []count
	for state, n := range by {
		if n > 0 {
			counts = append(counts, count{sock.State(state), n})
		}
	}
	slices.SortStableFunc(counts, func(a, b count) int { return cmp.Compare(b.n, a.n) })
	for _, c := range counts {
		parts = append(parts, fmt.Sprintf("%s %d", c.state, c.n))
	}
	return parts
}

var tabNames = [pageCount]string{"Connections", "Listeners", "Events", "Routes", "Interfaces", "Statistics", "Groups"}
var shortTabs = [pageCount]string{"Conns", "Listen", "Events", "Routes", "Ifaces", "Stats", "Groups"}

// tabs are the pages' names, with the line's cells at which each begins and ends.
func (m *model) tabs() (line string, ends [pageCount][2]int) {
	names := &tabNames
	if m.width < 150 {
		names = &shortTabs
	}
	var b strings.Builder
	at := 0
	for p, name := range names {
		// Multicast is for few: its name is the first to go.
		if Page(p) == Groups && m.width < 110 && m.page != Groups {
			continue
		}
		text := " " + m.keyOf(actConnections+action(p)) + name + " "
		part := PartTab
		if Page(p) == m.page {
			part = PartTabActive
		}
		b.WriteString(m.look.paint(part, text))
		w := ansi.StringWidth(text)
		ends[p] = [2]int{at, at + w}
		at += w
	}
	return b.String(), ends
}

// keyOf is the key of an action with a blank behind it, or nothing.
func (m *model) keyOf(a action) string {
	if key := m.keys.binds[a].Help().Key; key != "" {
		return m.keyText(key) + " "
	}
	return ""
}

// tabLine is the second line: the pages, and what is special about the one that is shown.
func (m *model) tabLine() string {
	l := m.look
	line, _ := m.tabs()
	about := m.pane().about()
	if text := m.filterWords(); text != "" {
		about = strings.TrimLeft(about+"  "+text, " ")
	}
	if about != "" {
		line += "  " + about
	}
	return ansi.Truncate(line, m.width, l.glyphs.ellipsis)
}

// filterWords say what the filter is, and how many it matches.
func (m *model) filterWords() string {
	if m.filter.Text == "" || m.page >= Routes {
		return ""
	}
	text := safe(strings.Join(strings.Fields(m.filter.Text), " "))
	switch {
	case m.detail != nil:
	case m.page == Events && m.filter.EventErr != nil || m.page != Events && m.filter.SocketErr != nil:
		return m.look.paint(PartBad, "cannot be asked here: "+text)
	case m.page != Events && m.last != nil && m.last.wish.page == m.page:
		return fmt.Sprintf("%d of %d: %s", m.last.Matched, m.last.Total, text)
	}
	return "filter: " + text
}

// keysLine is the last line: what was said, why the table is old, which rows are shown, and the keys.
func (m *model) keysLine() string {
	l := m.look
	if m.said != "" {
		return l.paint(PartKey, ansi.Truncate(m.said, m.width, l.glyphs.ellipsis))
	}
	var parts []string
	var s *live.Status
	p := m.pane()
	if text := p.count(); text != "" {
		parts = append(parts, text)
	}
	hints := p.hints()
	if f := m.lists.current(); f != nil && m.detail == nil {
		s = &f.status
	}
	if s == nil && m.last != nil {
		s = &m.last.status
	}
	note := m.of.Note
	if m.page >= Routes && m.detail == nil {
		note = m.lists.note()
	}
	var b strings.Builder
	if s != nil && s.Err != nil {
		b.WriteString(l.paint(PartBad, safe(s.Err.Error())) + "  ")
	}
	parts = slices.DeleteFunc(append(parts, note), func(text string) bool { return text == "" })
	b.WriteString(l.paint(PartHint, strings.Join(parts, "  ")))
	used := ansi.StringWidth(b.String())
	// Help and quit are the last to go.
	keys := make([]string, len(hints))
	total := used
	for i, a := range hints {
		keys[i] = "  " + m.hint(a) + " " + l.paint(PartHint, hintWord(m, a))
		if m.hint(a) == "" {
			keys[i] = ""
		}
		total += ansi.StringWidth(keys[i])
	}
	for i := len(hints) - 3; i >= 0 && total > m.width; i-- {
		total -= ansi.StringWidth(keys[i])
		keys[i] = ""
	}
	b.WriteString(strings.Join(keys, ""))
	return ansi.Truncate(strings.TrimLeft(b.String(), " "), m.width, l.glyphs.ellipsis)
}

// hintWord is what a key does, in a word.
func hintWord(m *model, a action) string {
	switch a {
	case actClosed:
		if m.page == Events {
			return "states"
		}
	case actSameProcess:
		return "its process"
	case actSameHost:
		return "its host"
	case actFollow:
		if m.page == Events {
			return "newest"
		}
	}
	return strings.ReplaceAll(bindings[a].name, "_", " ")
}
