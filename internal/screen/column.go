// SPDX-License-Identifier: GPL-2.0-or-later

package screen

import (
	"slices"
	"strings"

	"github.com/charmbracelet/x/ansi"
)

// head is what a table knows of a column, whatever its rows are.
type head struct {
	// name is what the configuration and the pickers call it; text stands above it, and short does where the line is too narrow.
	name, text, short string
	right             bool
	// spare says in which turn the column goes where the line is too narrow: 1 goes first, 0 stays. From shortTurn on heads are short.
	spare int
	// steady columns stay as wide as they were: a table that jumps cannot be read.
	steady bool
	hidden bool // whatever room there is
}

// shortTurn is the turn in which long heads become short ones.
const shortTurn = 20

// cell is a text in a column, safe to print.
type cell struct {
	text string
	// part is the style of a cell whose row has none of its own; plain is its zero.
	part   Part
	styled bool
	// raw is the same for machines, where that is another text.
	raw string
}

func plain(text string) cell          { return cell{text: text} }
func styled(text string, p Part) cell { return cell{text: text, part: p, styled: true} }

// grid lays rows out in columns.
type grid struct {
	heads  []head
	widths []int // 0 is a column that is not shown
	widest map[string]int
	short  bool
	// starts are where the columns begin, in cells from the left of the whole line.
	starts []int
	total  int
}

// fit sets the widths to what the rows need; sorted is the column that has the mark of it. With all no column goes, and the line may be wider than width.
func (g *grid) fit(heads []head, rows [][]cell, width int, all bool, sorted string) {
	g.heads = heads
	if g.widest == nil {
		g.widest = map[string]int{}
	}
	most := make([]int, len(heads))
	for _, row := range rows {
		for i := range row {
			most[i] = max(most[i], ansi.StringWidth(row[i].text))
		}
	}
	for i := range heads {
		if h := &heads[i]; h.steady {
			g.widest[h.name] = max(g.widest[h.name], most[i])
			most[i] = g.widest[h.name]
		}
	}
	turns := make([]int, 0, len(heads)+2)
	turns = append(turns, 0)
	for i := range heads {
		turns = append(turns, heads[i].spare)
	}
	slices.Sort(append(turns, shortTurn))
	turns = append(turns, shortTurn)
	slices.Sort(turns)
	turns = slices.Compact(turns)
	for _, turn := range turns {
		g.short = turn >= shortTurn
		g.widths = make([]int, len(heads))
		total := 1 // the mark
		for i := range heads {
			h := &heads[i]
			if h.hidden || h.spare != 0 && h.spare <= turn && !all {
				continue
			}
			label := ansi.StringWidth(h.label(g.short))
			if h.name == sorted && sorted != "" {
				label++ // for the mark
			}
			g.widths[i] = max(most[i], label)
			total += g.widths[i] + 1
		}
		g.total = total - 1
		if g.total <= width || all {
			break
		}
	}
	g.starts = make([]int, len(heads)+1)
	at := 1
	for i, w := range g.widths {
		g.starts[i] = at
		if w > 0 {
			at += w + 1
		}
	}
	g.starts[len(heads)] = at
}

// reset forgets how wide columns were.
func (g *grid) reset() { g.widest = nil }

func (h *head) label(short bool) string {
	if short && h.short != "" {
		return h.short
	}
	return h.text
}

// at is the column at x of the whole line, -1 for none.
func (g *grid) at(x int) int {
	for i, w := range g.widths {
		if w > 0 && x >= g.starts[i] && x < g.starts[i]+w+1 {
			return i
		}
	}
	return -1
}

// headLine is the line of heads. sorted is the name of the column that the rows are sorted by.
func (g *grid) headLine(l *look, sorted string, reversed bool, width, from int) string {
	var b strings.Builder
	b.WriteByte(' ')
	for i, w := range g.widths {
		if w == 0 {
			continue
		}
		text := g.heads[i].label(g.short)
		if g.heads[i].name == sorted && sorted != "" {
			mark := l.direction(reversed)
			text += mark
		}
		b.WriteString(pad(text, w, g.heads[i].right))
		b.WriteByte(' ')
	}
	return l.paint(PartHead, fill(cut(b.String(), from, width, ""), width))
}

// line lays cells out. A row with a style has it all along; else its cells have theirs.
func (g *grid) line(l *look, mark string, cells []cell, row Part, rowStyled bool, width, from int) string {
	var b strings.Builder
	b.WriteString(mark)
	for i, w := range g.widths {
		if w == 0 {
			continue
		}
		text := pad(cells[i].text, w, g.heads[i].right)
		if cells[i].styled && !rowStyled {
			text = l.paint(cells[i].part, text)
		}
		b.WriteString(text)
		b.WriteByte(' ')
	}
	line := fill(cut(b.String(), from, width, l.glyphs.ellipsis), width)
	if rowStyled {
		return l.paint(row, line)
	}
	return line
}

// pad makes text width cells wide, or leaves it wider.
func pad(text string, width int, right bool) string {
	blanks := strings.Repeat(" ", max(width-ansi.StringWidth(text), 0))
	if right {
		return blanks + text
	}
	return text + blanks
}

// cut is what of a line is seen from a column on, in so many cells.
func cut(line string, from, width int, ellipsis string) string {
	if from > 0 {
		line = ansi.Cut(line, from, from+width)
	}
	if ansi.StringWidth(strings.TrimRight(line, " ")) <= width {
		return ansi.Truncate(line, width, "")
	}
	return ansi.Truncate(line, width, ellipsis)
}

// fill makes a line width cells wide.
func fill(line string, width int) string {
	return line + strings.Repeat(" ", max(width-ansi.StringWidth(line), 0))
}
