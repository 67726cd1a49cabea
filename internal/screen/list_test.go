// SPDX-License-Identifier: GPL-2.0-or-later

package screen

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"

	"netlive/internal/live"
	"netlive/internal/render"
	"netlive/internal/view"
)

// cells is a List of ready-made lines.
type cells struct {
	sections []Section
	again    time.Time
}

func (c *cells) Sections(time.Time) ([]Section, time.Time) { return c.sections, c.again }

func (c *cells) Replace(struct{}, time.Time) live.Change { return live.Unchanged }

// section makes a table of lines of "MARK|cell|cell".
func section(word string, columns []render.Column, lines ...string) Section {
	return Section{Word: word, Rows: len(lines), Columns: columns, Lines: len(lines), Line: func(i int) ([]string, view.Mark, time.Time) {
		c := strings.Split(lines[i], "|")
		mark := view.Mark(strings.Index(" +*-", c[0]))
		var until time.Time
		if mark != view.MarkNone {
			until = time.Unix(int64(10+i), 0)
		}
		return c[1:], mark, until
	}}
}

// routeLists are the tables of -rn -4 -6.
func routeLists() *cells {
	r := render.Routes{Names: render.Numeric{}}
	return &cells{sections: []Section{
		section("inet", r.Columns(0),
			" |0.0.0.0|192.0.2.254|0.0.0.0|UG|0|0|0|eth0",
			"+|198.51.100.0|192.0.2.3|255.255.255.0|UG|0|0|0|eth0",
			"-|203.0.113.0|-|255.255.255.0|!|-|-|-|-",
			"*|10.0.0.0|0.0.0.0|255.0.0.0|U|1400|0|300|enp0s31f6"),
		section("inet6", r.Columns(1),
			" |2001:db8::/64|::|U|256|1|0|eth0",
			"+|2001:db8:1:2222:3333:4444:5555:6666/128|fe80::1234:5678:9abc:def0|UGH|1024|1|0|eth0",
			" |::1/128|::|Un|0|4|0|lo"),
	}}
}

// shownList is a model of the given size that shows l.
func shownList(t *testing.T, c *ListConfig, l *cells, s live.Status, width, height int) (*listModel, *listWindow[struct{}, *cells]) {
	t.Helper()
	w := &listWindow[struct{}, *cells]{place: newPlace(), list: l}
	m := newListModel(c, w.place)
	m.Update(tea.WindowSizeMsg{Width: width, Height: height})
	w.send = func(f *listFrame) { m.Update(f) }
	drawList(t, w, s)
	return m, w
}

func drawList(t *testing.T, w *listWindow[struct{}, *cells], s live.Status) (again time.Time) {
	t.Helper()
	again, err := w.Draw(s, time.Unix(9, 0))
	if err != nil {
		t.Fatal(err)
	}
	return again
}

func (m *listModel) text() string { return ansi.Strip(m.View().Content) }

func TestListScreens(t *testing.T) {
	for _, size := range []struct {
		name          string
		width, height int
		status        live.Status
		note          string
	}{
		{"list-80x24", 80, 24, live.Status{}, ""},
		{"list-120x12", 120, 12, live.Status{Lost: 12, Resyncs: 1, Err: errors.New("procfallback: read\x1b[2J net/route: bad")}, ""},
		{"list-48x7-procfs", 48, 7, live.Status{}, "polling /proc each 1s: rtnl: subscribe: permission denied"},
	} {
		t.Run(size.name, func(t *testing.T) {
			m, _ := shownList(t, &ListConfig{Source: "rtnetlink", Note: size.note}, routeLists(), size.status, size.width, size.height)
			got := m.text()
			lines := strings.Split(got, "\n")
			if len(lines) != size.height {
				t.Errorf("%d lines, want %d", len(lines), size.height)
			}
			for i, l := range lines {
				if w := ansi.StringWidth(l); w > size.width {
					t.Errorf("line %d is %d wide", i, w)
				}
				if strings.ContainsFunc(l, func(r rune) bool { return r < ' ' || r == 0x7f }) {
					t.Errorf("line %d has a control character: %q", i, l)
				}
			}
			golden(t, size.name, got)
		})
	}
}

// The lines of a section without columns are shown as they are.
func TestListLines(t *testing.T) {
	l := &cells{sections: []Section{section("interfaces", nil, "+|eth0: flags=4163<UP>  mtu 1500", "+|        inet 192.0.2.1", "+|", " |lo: flags=73<UP>")}}
	m, _ := shownList(t, &ListConfig{Source: "rtnetlink"}, l, live.Status{}, 80, 9)
	golden(t, "list-lines", m.text())
}

// A mark that ends is when to draw again: the first of those that are shown, or what the list says.
func TestListAgain(t *testing.T) {
	l := routeLists()
	_, w := shownList(t, &ListConfig{}, l, live.Status{}, 80, 24)
	if again := drawList(t, w, live.Status{}); !again.Equal(time.Unix(11, 0)) {
		t.Errorf("%v", again)
	}
	l.again = time.Unix(10, 0)
	if again := drawList(t, w, live.Status{}); !again.Equal(l.again) {
		t.Errorf("%v", again)
	}
	w.ask(0, 1) // the first line has no mark
	l.again = time.Time{}
	if again := drawList(t, w, live.Status{}); !again.IsZero() {
		t.Errorf("%v", again)
	}
}

// The heads above the window are those of its first line, and the window stays within the list.
func TestListScrolling(t *testing.T) {
	numbers := func(word string, n int) Section {
		lines := make([]string, n)
		for i := range lines {
			lines[i] = fmt.Sprintf(" |%s %d", word, i)
		}
		return section(word, []render.Column{{Head: "The " + word}}, lines...)
	}
	l := &cells{sections: []Section{numbers("a", 30), numbers("b", 40)}} // 71 lines
	m, w := shownList(t, &ListConfig{Source: "rtnetlink"}, l, live.Status{}, 40, 13)
	for _, step := range []struct {
		key         string
		offset      int
		head, first string
	}{
		{"k", 0, "The a", "a 0"}, {"j", 1, "The a", "a 1"}, {"pgdown", 10, "The a", "a 10"}, {"G", 61, "The b", "b 30"}, {"j", 61, "The b", "b 30"},
		{"pgup", 52, "The b", "b 21"}, {"ctrl+u", 48, "The b", "b 17"}, {"ctrl+b", 39, "The b", "b 8"}, {"pgup", 30, "The a", "The b"}, {"down", 31, "The b", "b 0"},
		{"up", 30, "The a", "The b"}, {"home", 0, "The a", "a 0"}, {"end", 61, "The b", "b 30"}, {"x", 61, "The b", "b 30"},
	} {
		m.press(step.key)
		drawList(t, w, live.Status{})
		lines := strings.Split(m.text(), "\n")
		if m.offset != step.offset || strings.TrimSpace(lines[1]) != step.head || strings.TrimSpace(lines[2]) != step.first || len(m.frame.lines) != 10 {
			t.Errorf("after %s: at %d, %q and %q, %d lines", step.key, m.offset, lines[1], lines[2], len(m.frame.lines))
		}
		if where := fmt.Sprintf("%d-%d of 71", step.offset+1, step.offset+10); !strings.HasPrefix(lines[12], where) {
			t.Errorf("after %s: %q, want %s", step.key, lines[12], where)
		}
	}
	// The list shrinks under the window, and the terminal to nothing.
	l.sections = []Section{numbers("a", 3)}
	drawList(t, w, live.Status{})
	drawList(t, w, live.Status{})
	if m.offset != 0 || !strings.Contains(m.text(), "1-3 of 3") {
		t.Errorf("at %d\n%s", m.offset, m.text())
	}
	l.sections = nil
	for _, size := range [][2]int{{1, 1}, {3, 2}, {0, 0}, {300, 3}} {
		m.Update(tea.WindowSizeMsg{Width: size[0], Height: size[1]})
		drawList(t, w, live.Status{})
		m.text()
	}
}

// Before the first frame there is a screen too, and keys that end it do.
func TestListFirst(t *testing.T) {
	m := newListModel(&ListConfig{Source: "rtnetlink"}, newPlace())
	if got := m.View().Content; got != "" {
		t.Errorf("without a size: %q", got)
	}
	m.Update(tea.WindowSizeMsg{Width: 80, Height: 24})
	if got := m.text(); !strings.Contains(got, "first look") || strings.Count(got, "\n") != 23 {
		t.Errorf("%q", got)
	}
	for key, want := range map[string]tea.Msg{"q": tea.QuitMsg{}, "ctrl+c": tea.InterruptMsg{}, "ctrl+z": tea.SuspendMsg{}} {
		if cmd := m.press(key); cmd == nil || cmd() != want {
			t.Errorf("%s does not end", key)
		}
	}
}
