// SPDX-License-Identifier: GPL-2.0-or-later

package screen

import (
	"image/color"
	"strings"

	"charm.land/lipgloss/v2"
)

// Part is a part of the screen that has a style of its own; the names are those of [colors] in the configuration.
type Part uint8

const (
	PartTitle Part = iota
	PartTab
	PartTabActive
	PartHead
	PartHeadSorted
	PartBar
	PartNew
	PartChanged
	PartClosed
	PartResynced
	PartGroup
	PartOpen    // states of what is in use: ESTABLISHED, LISTEN
	PartClosing // states on the way to the end
	PartBad     // losses, errors, overflows
	PartHint
	PartKey
	PartGraph
	PartBorder

	partCount
)

var partNames = [partCount]string{
	"title", "tab", "tab_active", "head", "head_sorted", "bar", "new", "changed", "closed", "resynced", "group", "open", "closing", "bad",
	"hint", "key", "graph", "border",
}

// PartNames are the names of all parts.
func PartNames() []string { return partNames[:] }

// PartOf is the part of that name.
func PartOf(name string) (Part, bool) {
	for i, n := range partNames {
		if n == name {
			return Part(i), true
		}
	}
	return 0, false
}

// Style is how a part looks.
type Style struct {
	Foreground, Background                        color.Color // nil is the terminal's own
	Bold, Dim, Italic, Underline, Reverse, Strike bool
}

// Theme is a style for each part that is not to look as it does without one.
type Theme map[Part]Style

// look is a theme made ready for a terminal.
type look struct {
	styles [partCount]lipgloss.Style
	glyphs glyphs
}

// glyphs are the characters that are not letters.
type glyphs struct {
	ascii                                           bool
	open, shut, branch, last, vertical, ellipsis    string
	horizontal, sorted, reversed, joined, dot, gone string
	states                                          []string // of the bar of a timeline
	border                                          lipgloss.Border
}

var (
	unicodeGlyphs = glyphs{
		open: "▾", shut: "▸", branch: "├", last: "└", vertical: "│", ellipsis: "…", horizontal: "─", sorted: "▲", reversed: "▼", joined: "⇄", dot: "·",
		gone: "✗", states: []string{"░", "█", "▒", "▓", "▚", "▞"}, border: lipgloss.NormalBorder(),
	}
	asciiGlyphs = glyphs{
		ascii: true, open: "v", shut: ">", branch: "|", last: "`", vertical: "|", ellipsis: "~", horizontal: "-", sorted: "^", reversed: "v", joined: "<->", dot: ".",
		gone: "x", states: []string{".", "#", "=", "+", "%", ":"}, border: lipgloss.ASCIIBorder(),
	}
)

// newLook makes the look for a terminal with a dark or a light background. The colours are the terminal's own sixteen, which its user
// has chosen to be readable; what they say is said by a mark, a word or an attribute too.
func newLook(dark, ascii bool, t Theme) *look {
	l := &look{glyphs: unicodeGlyphs}
	if ascii {
		l.glyphs = asciiGlyphs
	}
	// Yellow and bright colours cannot be read on white.
	pick := lipgloss.LightDark(dark)
	green, yellow, red := pick(lipgloss.Green, lipgloss.BrightGreen), pick(lipgloss.Magenta, lipgloss.Yellow), pick(lipgloss.Red, lipgloss.BrightRed)
	cyan := pick(lipgloss.Blue, lipgloss.Cyan)
	plain := lipgloss.NewStyle()
	l.styles = [partCount]lipgloss.Style{
		PartTitle: plain.Bold(true), PartTab: plain, PartTabActive: plain.Bold(true).Reverse(true), PartHead: plain.Reverse(true),
		PartHeadSorted: plain.Reverse(true).Bold(true).Underline(true), PartBar: plain.Reverse(true), PartNew: plain.Bold(true).Foreground(green),
		PartChanged: plain.Bold(true).Foreground(yellow), PartClosed: plain.Faint(true), PartResynced: plain.Bold(true).Foreground(red),
		PartGroup: plain.Bold(true), PartOpen: plain.Foreground(green), PartClosing: plain.Foreground(yellow), PartBad: plain.Bold(true).Foreground(red),
		PartHint: plain.Faint(true), PartKey: plain.Bold(true), PartGraph: plain.Foreground(cyan), PartBorder: plain.Faint(true),
	}
	for part, s := range t {
		style := plain.Bold(s.Bold).Faint(s.Dim).Italic(s.Italic).Underline(s.Underline).Reverse(s.Reverse).Strikethrough(s.Strike)
		if s.Foreground != nil {
			style = style.Foreground(s.Foreground)
		}
		if s.Background != nil {
			style = style.Background(s.Background)
		}
		l.styles[part] = style
	}
	for i := range l.styles {
		// Rows are of the width that they have to be; nothing is to be wrapped or its blanks taken for tabs.
		l.styles[i] = l.styles[i].Inline(true)
	}
	return l
}

// paint gives text the style of a part.
func (l *look) paint(p Part, text string) string {
	if text == "" {
		return ""
	}
	return l.styles[p].Render(text)
}

// line is so many horizontal strokes.
func (l *look) line(n int) string { return strings.Repeat(l.glyphs.horizontal, max(n, 0)) }

// direction is the mark of how rows are sorted.
func (l *look) direction(reverse bool) string {
	if reverse {
		return l.glyphs.reversed
	}
	return l.glyphs.sorted
}
