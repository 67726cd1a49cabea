// SPDX-License-Identifier: GPL-2.0-or-later

package filter

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// SyntaxError is why a text is no filter, or none that can be answered, and where.
type SyntaxError struct {
	// Text is the whole filter.
	Text string
	// Column is where in Text, in characters from 1; one past the last when something is missing at the end.
	Column int
	// Problem is what is wrong there, in a few words.
	Problem string
	// Expected is what could have stood there, the likeliest first; it may be empty.
	Expected []string
	// Hint is advice, or empty.
	Hint string
}

// shownExpected is how many of Expected an error's line tells: a list of thirty fields helps nobody.
const shownExpected = 16

// Error is one line, without what Caret shows.
func (e *SyntaxError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "filter, column %d: %s", e.Column, e.Problem)
	if len(e.Expected) > 0 {
		b.WriteString(": expected ")
		b.WriteString(strings.Join(e.Expected[:min(len(e.Expected), shownExpected)], ", "))
		if len(e.Expected) > shownExpected {
			b.WriteString(", …")
		}
	}
	if e.Hint != "" {
		b.WriteString(" (" + e.Hint + ")")
	}
	return b.String()
}

// Caret is the filter on one line and a caret below the column, without an end of line. What cannot be printed is a '?', so that
// the caret is where it should be and a terminal is not told anything.
func (e *SyntaxError) Caret() string {
	var b strings.Builder
	for _, r := range e.Text {
		switch {
		case unicode.IsSpace(r):
			r = ' '
		case !unicode.IsPrint(r) || r == utf8.RuneError:
			r = '?'
		}
		b.WriteRune(r)
	}
	b.WriteByte('\n')
	b.WriteString(strings.Repeat(" ", e.Column-1))
	b.WriteByte('^')
	return b.String()
}

// column is the character at a byte offset, from 1.
func column(text string, offset int) int {
	return utf8.RuneCountInString(text[:offset]) + 1
}
