// SPDX-License-Identifier: GPL-2.0-or-later

package screen

import (
	"context"
	"fmt"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"

	"netlive/internal/live"
	"netlive/internal/render"
	"netlive/internal/view"
)

// List is tables that are shown one below the other. It is asked on the loop's goroutine.
type List interface {
	// Sections are the tables as of now, good until the next call, and when they look otherwise though nothing changes.
	Sections(now time.Time) (s []Section, again time.Time)
}

// Section is a table: column heads and lines.
type Section struct {
	// Word names its rows in the status line, and Rows is how many there are.
	Word string
	Rows int
	// Columns have a cell each in every line. Without columns there are no heads, and a line is one cell as it is.
	Columns []render.Column
	// Lines is how many lines there are, with those that are gone, and Line the ith of them. until is when its mark ends; zero is never.
	Lines int
	Line  func(i int) (cells []string, m view.Mark, until time.Time)
}

// ListConfig says where a list is shown and what is said of its source.
type ListConfig struct {
	// Source names where the rows come from ("rtnetlink"), Note says what a reader should know of it, if anything.
	Source, Note string
	Terminal
}

// RunList shows the list that the loop keeps until the user quits (nil) or interrupts, ctx ends or the loop fails. open makes the list:
// arrived is to be called when names have come that its lines want. The terminal is as it was before when RunList returns.
func RunList[T any, L interface {
	List
	Replace(t T, now time.Time) live.Change
}](ctx context.Context, c ListConfig, open func(arrived func()) L, loop live.Looks[T]) error {
	p := newPlace()
	loop.Redraw = p.redraw
	w := &listWindow[T, L]{place: p, list: open(p.wake)}
	return run(ctx, c.Terminal, newListModel(&c, p), func(ctx context.Context, send func(tea.Msg)) error {
		w.send = func(f *listFrame) { send(f) }
		return live.RunLooks(ctx, loop, w)
	})
}

// listWindow is the loop's Board: it has the lines made that the terminal asks for.
type listWindow[T any, L interface {
	List
	Replace(t T, now time.Time) live.Change
}] struct {
	*place
	list L
	send func(*listFrame)
}

// Replace implements live.Board.
func (w *listWindow[T, L]) Replace(t T, now time.Time) live.Change { return w.list.Replace(t, now) }

// Draw implements live.Board.
func (w *listWindow[T, L]) Draw(s live.Status, now time.Time) (again time.Time, err error) {
	offset, height := w.asked()
	f, again := newListFrame(w.list, offset, height, now)
	f.status = s
	w.send(f)
	return again, nil
}

// listFrame is what the loop hands to the terminal's goroutine: copies, nothing shared.
type listFrame struct {
	status live.Status
	counts string
	offset int // of the first of lines among all
	total  int
	// above is the section whose heads stand above the window.
	above   int
	columns [][]render.Column // of each section
	lines   []listLine
}

// listLine is a line of a section: its heads, or cells.
type listLine struct {
	section int
	head    bool
	cells   []string
	mark    view.Mark
}

// newListFrame makes the frame of the window at offset, or as near as there are lines. Heads of the first section stand above the
// window and are no line of the list, those of the others are.
func newListFrame(l List, offset, height int, now time.Time) (f *listFrame, again time.Time) {
	sections, again := l.Sections(now)
	f = &listFrame{}
	for i := range sections {
		s := &sections[i]
		f.total += s.Lines + s.heads(i)
		f.columns = append(f.columns, s.Columns)
		f.counts += fmt.Sprintf("  %s %d", s.Word, s.Rows)
	}
	height = max(min(height, f.total), 0)
	f.offset = max(min(offset, f.total-height), 0)
	at := 0 // of the section among the lines
	for i := range sections {
		s := &sections[i]
		heads := s.heads(i)
		if at < f.offset {
			f.above = i // it begins above the window
		}
		for n := max(f.offset-at, 0); n < heads+s.Lines && at+n < f.offset+height; n++ {
			line := listLine{section: i, head: n < heads}
			if !line.head {
				var until time.Time
				line.cells, line.mark, until = s.Line(n - heads)
				if !until.IsZero() && (again.IsZero() || until.Before(again)) {
					again = until
				}
			}
			f.lines = append(f.lines, line)
		}
		at += heads + s.Lines
	}
	return f, again
}

// heads is how many lines the heads of the ith section take in the list.
func (s *Section) heads(i int) int {
	if i == 0 || s.Columns == nil {
		return 0
	}
	return 1
}

// listModel is the state of the terminal that shows a list.
type listModel struct {
	config *ListConfig
	place  *place
	frame  *listFrame

	width, height int
	offset        int
	widest        map[int][]int // that the columns of each section had since the last resize
}

func newListModel(c *ListConfig, p *place) *listModel {
	return &listModel{config: c, place: p, widest: map[int][]int{}}
}

func (m *listModel) rows() int { return max(m.height-aroundRows, 0) }

// Init implements tea.Model.
func (m *listModel) Init() tea.Cmd { return nil }

// Update implements tea.Model.
func (m *listModel) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	switch msg := msg.(type) {
	case tea.WindowSizeMsg:
		m.width, m.height = msg.Width, msg.Height
		m.widest = map[int][]int{}
		m.place.ask(m.offset, m.rows())
	case *listFrame:
		m.frame = msg
		// The list may have shrunk under the window.
		m.scrollTo(m.offset)
	case tea.KeyPressMsg:
		return m, m.press(msg.String())
	}
	return m, nil
}

func (m *listModel) press(key string) tea.Cmd {
	if cmd := ending(key); cmd != nil {
		return cmd
	}
	m.scrollTo(scrolled(key, m.offset, m.rows()))
	return nil
}

// scrollTo moves the window to begin at line to, or as near as the list's length allows.
func (m *listModel) scrollTo(to int) {
	last := 0
	if m.frame != nil {
		last = m.frame.total - m.rows()
	}
	m.offset = max(min(to, last), 0)
	m.place.ask(m.offset, m.rows())
}

// View implements tea.Model.
func (m *listModel) View() tea.View {
	f := m.frame
	if f == nil {
		return page(m.width, m.height, statusBegin(m.config.Source, nil), nil, m.keysLine(nil))
	}
	status := ansi.Truncate(statusBegin(m.config.Source, &f.status)+f.counts, m.width, "…")
	return page(m.width, m.height, status, m.tableLines(f), m.keysLine(f))
}

func (m *listModel) keysLine(f *listFrame) string {
	var s *live.Status
	var parts []string
	if f != nil {
		s = &f.status
		parts = append(parts, fmt.Sprintf("%d-%d of %d", min(f.offset+1, f.total), f.offset+len(f.lines), f.total))
	}
	if m.config.Note != "" {
		parts = append(parts, m.config.Note)
	}
	return keysText(m.width, s, append(parts, "q quit", "↑↓ PgUp PgDn scroll", "+ new * changed - gone")...)
}

// tableLines are the heads above the window, and its lines.
func (m *listModel) tableLines(f *listFrame) []string {
	layouts := make([][]int, len(f.columns))
	for i := range f.columns {
		layouts[i] = m.layout(f, i)
	}
	heads := func(section int) string {
		cells := make([]string, len(f.columns[section]))
		for i, c := range f.columns[section] {
			cells[i] = c.Head
		}
		return sgrHeads + m.line(" ", cells, f.columns[section], layouts[section]) + sgrReset
	}
	var lines []string
	if len(f.columns) > 0 && f.columns[f.above] != nil {
		lines = append(lines, heads(f.above))
	}
	for _, l := range f.lines {
		if l.head {
			lines = append(lines, heads(l.section))
			continue
		}
		mark, style := " ", ""
		switch l.mark {
		case view.MarkNew:
			mark, style = markNew, sgrNew
		case view.MarkChanged:
			mark, style = markChange, sgrChange
		case view.MarkGone:
			mark, style = markGone, sgrDim
		}
		line := m.line(mark, l.cells, f.columns[l.section], layouts[l.section])
		if style != "" {
			line = style + line + sgrReset
		}
		lines = append(lines, line)
	}
	return lines
}

// layout returns the widths of a section's columns in cells; 0 is a column that is not shown, for want of room.
func (m *listModel) layout(f *listFrame, section int) []int {
	columns := f.columns[section]
	if columns == nil {
		return nil
	}
	widths := make([]int, len(columns))
	copy(widths, m.widest[section]) // a table that jumps cannot be read
	total, spare := 0, 0
	for i, c := range columns {
		widths[i] = max(widths[i], ansi.StringWidth(c.Head))
		for _, l := range f.lines {
			if l.section == section && !l.head {
				widths[i] = max(widths[i], ansi.StringWidth(l.cells[i]))
			}
		}
		total += widths[i] + 1 // the mark, or what parts it from the column before
		spare = max(spare, c.Spare)
	}
	m.widest[section] = widths
	shown := append([]int(nil), widths...)
	for turn := 1; turn <= spare && total > m.width; turn++ {
		for i, c := range columns {
			if c.Spare == turn {
				total -= shown[i] + 1
				shown[i] = 0
			}
		}
	}
	return shown
}

// line lays cells out in the columns; without columns the one cell is the line.
func (m *listModel) line(mark string, cells []string, columns []render.Column, widths []int) string {
	var b strings.Builder
	b.WriteString(mark)
	if columns == nil {
		b.WriteString(cells[0])
	}
	first := true
	for i, w := range widths {
		if w == 0 {
			continue
		}
		if !first {
			b.WriteByte(' ')
		}
		first = false
		pad := strings.Repeat(" ", max(w-ansi.StringWidth(cells[i]), 0))
		if columns[i].Right {
			b.WriteString(pad + cells[i])
		} else {
			b.WriteString(cells[i] + pad)
		}
	}
	line := ansi.Truncate(strings.TrimRight(b.String(), " "), m.width, "…")
	return line + strings.Repeat(" ", max(m.width-ansi.StringWidth(line), 0))
}
