// SPDX-License-Identifier: GPL-2.0-or-later

package main

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"netlive/internal/render"
)

// shown is a message of some lines as it is printed: what names in it could do to a terminal is escaped.
func shown(message string) string {
	lines := strings.Split(message, "\n")
	for i, l := range lines {
		lines[i] = shownWord(l)
	}
	return strings.Join(lines, "\n")
}

// shownWord is shown for what is to be in one line.
func shownWord(word string) string {
	if utf8.ValidString(word) && strings.IndexFunc(word, func(r rune) bool { return !unicode.IsPrint(r) }) < 0 {
		return word
	}
	return string(render.AppendEscaped(nil, word))
}
