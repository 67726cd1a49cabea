// SPDX-License-Identifier: GPL-2.0-or-later

package screen

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/charmbracelet/x/ansi"

	"netlive/internal/live"
	"netlive/internal/render"
	"netlive/internal/sock"
	"netlive/internal/view"
)

// Attributes alone say much; colour is the terminal's own 16, and the mark in the first
// column says the same where there is neither.
const (
	sgrReset  = "\x1b[m"
	sgrBold   = "\x1b[1m"
	sgrDim    = "\x1b[2m"
	sgrHeads  = "\x1b[7m"
	sgrNew    = "\x1b[1;32m"
	sgrChange = "\x1b[1;33m"
	sgrWarn   = "\x1b[1;31m"
)

const (
	markNew    = "+"
	markChange = "*"
	markGone   = "-"
	markResync = "~"
)

// statusLine is the first line: where the rows come from, what was lost, how many match the filter, how many are in which state.
func (m *model) statusLine() string {
	if m.frame == nil {
		return statusBegin(m.config.Source, nil)
	}
	var b strings.Builder
	b.WriteString(statusBegin(m.config.Source, &m.frame.status))
	if m.config.Match != nil {
		// A third of the line: how many are in which state is of use too.
		text := string(render.AppendEscaped(nil, strings.Join(strings.Fields(m.config.Filter), " ")))
		fmt.Fprintf(&b, "  %d of %d: %s", m.frame.Matched, m.frame.Total, ansi.Truncate(text, max(m.width/3, 12), "…"))
	}
	type count struct {
		state sock.State
		n     int
	}
	var counts []count
	for state, n := range m.frame.ByState {
		if n > 0 {
			counts = append(counts, count{sock.State(state), n})
		}
	}
	slices.SortStableFunc(counts, func(a, b count) int { return cmp.Compare(b.n, a.n) })
	for _, c := range counts {
		fmt.Fprintf(&b, "  %s %d", c.state, c.n)
	}
	return ansi.Truncate(b.String(), m.width, "…")
}

// keysLine is the last line: what can be done, and what a reader should know of the source.
func (m *model) keysLine() string {
	var s *live.Status
	var parts []string
	if f := m.frame; f != nil {
		s = &f.status
		parts = append(parts, fmt.Sprintf("%d-%d of %d", min(f.Offset+1, f.Shown), f.Offset+len(f.Rows), f.Shown))
	}
	if m.config.Note != "" {
		parts = append(parts, m.config.Note)
	}
	marks := "+ new * changed - closed"
	if s != nil && s.Resyncs > 0 {
		marks += " ~ resynced"
	}
	parts = append(parts, "q quit", "↑↓ PgUp PgDn scroll", marks)
	return keysText(m.width, s, parts...)
}

// The columns, left to right.
const (
	colProto = iota
	colRecv
	colSend
	colLocal
	colRemote
	colState
	colUser
	colInode
	colProgram
	colSpace
	colUnit
	columns
)

// widths are the columns' widths in cells; 0 is a column that is not shown.
type widths [columns]int

var heads = [columns]string{
	"Proto", "Recv-Q", "Send-Q", "Local Address", "Foreign Address", "State", "User", "Inode", "PID/Program name",
	"Netns", "Unit",
}

// shortHeads serve where the line is too narrow for netstat's.
var shortHeads = [columns]string{"Proto", "RQ", "SQ", "Local", "Foreign", "State", "User", "Inode", "PID/Program", "Netns", "Unit"}

func (c *Config) shows(col int) bool {
	switch col {
	case colUser, colInode:
		return c.Extend
	case colProgram:
		return c.Programs
	case colSpace:
		return c.Places != nil && c.Places.Space != nil
	case colUnit:
		return c.Places != nil && c.Places.Unit != nil
	}
	return true
}

// tableLines are the column heads and a line for each row of the frame.
func (m *model) tableLines() []string {
	rows := make([][columns]string, len(m.frame.Rows))
	for i := range m.frame.Rows {
		rows[i] = m.cells(&m.frame.Rows[i])
	}
	used := m.layout(rows)
	lines := make([]string, 0, len(rows)+1)
	lines = append(lines, sgrHeads+m.line(" ", used)+sgrReset)
	for i := range rows {
		mark, style := " ", ""
		switch r := &m.frame.Rows[i]; {
		case r.Ghost:
			mark, style = markGone, sgrDim
		case r.Fresh && r.Born != 0 && m.frame.At-r.Born < sock.Stamp(view.Highlight):
			mark, style = markNew, sgrNew
		case r.Fresh && r.Resynced:
			mark, style = markResync, sgrWarn
		case r.Fresh:
			mark, style = markChange, sgrChange
		}
		line := m.line(mark, &rows[i])
		if style != "" {
			line = style + line + sgrReset
		}
		lines = append(lines, line)
	}
	return lines
}

// cells are a row's texts, safe to print.
func (m *model) cells(l *view.Line) (c [columns]string) {
	s := &l.Socket
	names := m.names
	c[colProto] = s.Proto.String()
	if s.Unix != nil {
		c[colLocal] = string(render.AppendEscaped(nil, s.Unix.Path))
		c[colRemote] = s.Unix.Type.String()
	} else {
		c[colLocal] = string(render.AppendEndpoint(nil, names, s.Proto, s.Local))
		c[colRemote] = string(render.AppendEndpoint(nil, names, s.Proto, s.Remote))
		c[colRecv], c[colSend] = fmt.Sprint(s.Queue.Recv), fmt.Sprint(s.Queue.Send)
	}
	c[colState] = sock.StateName(s.Proto, s.State)
	if l.Ghost {
		c[colState] = "closed"
		c[colRecv], c[colSend] = "", ""
	}
	c[colUser] = string(names.AppendUser(nil, s.UID))
	c[colInode] = fmt.Sprint(s.Inode)
	c[colProgram] = m.program(&s.Owner)
	if m.config.shows(colSpace) {
		c[colSpace] = placeName(m.config.Places.Space(s.NetNS))
	}
	if m.config.shows(colUnit) {
		_, unit := m.config.Places.Unit(s)
		c[colUnit] = placeName(unit)
	}
	return c
}

// placeName is the name of a namespace or of a unit, which strangers give.
func placeName(name string) string {
	if name == "" {
		return "-"
	}
	return string(render.AppendEscaped(nil, name))
}

func (m *model) program(o *sock.Owner) string {
	if !o.Known() {
		return "-"
	}
	name := o.Program
	if name == "" && m.config.Program != nil {
		name = m.config.Program(o)
	}
	if name == "" {
		name = o.Comm.String()
	}
	// No more of it than netstat prints.
	return ansi.Truncate(fmt.Sprintf("%d/%s", o.PID, render.AppendEscaped(nil, name)), programWidth, "")
}

// programWidth is where netstat cuts PID/NAME.
const programWidth = 19

// layout sets the columns' widths to what the rows need and returns the heads to use. Where the line is too narrow
// it is tried with short heads, then without the inode, then without the user.
func (m *model) layout(rows [][columns]string) *[columns]string {
	if m.fit(rows, &heads) {
		return &heads
	}
	for _, without := range []int{-1, colInode, colUser} {
		if without >= 0 {
			m.hidden[without] = true
		}
		if m.fit(rows, &shortHeads) {
			break
		}
	}
	m.hidden = [columns]bool{}
	return &shortHeads
}

// fit widens the columns for the rows and reports whether a line fits. A column that was wide
// before stays so: a table that jumps cannot be read.
func (m *model) fit(rows [][columns]string, heads *[columns]string) bool {
	total := 1
	for col := range columns {
		if !m.config.shows(col) || m.hidden[col] {
			m.widths[col] = 0
			continue
		}
		w := ansi.StringWidth(heads[col])
		for i := range rows {
			w = max(w, ansi.StringWidth(rows[i][col]))
		}
		// Numbers and names come and go; they may not take the place of addresses for good.
		if col == colLocal || col == colRemote || col == colState {
			m.widest[col] = max(m.widest[col], w)
			w = m.widest[col]
		}
		m.widths[col] = w
		total += w + 1
	}
	return total-1 <= m.width
}

// line lays the cells out in their columns.
func (m *model) line(mark string, cells *[columns]string) string {
	var b strings.Builder
	b.WriteString(mark)
	for col, w := range m.widths {
		if w == 0 {
			continue
		}
		pad := strings.Repeat(" ", max(w-ansi.StringWidth(cells[col]), 0))
		if col == colRecv || col == colSend {
			b.WriteString(pad + cells[col])
		} else {
			b.WriteString(cells[col] + pad)
		}
		b.WriteByte(' ')
	}
	line := ansi.Truncate(strings.TrimRight(b.String(), " "), m.width, "…")
	return line + strings.Repeat(" ", max(m.width-ansi.StringWidth(line), 0))
}
