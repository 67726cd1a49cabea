// SPDX-License-Identifier: GPL-2.0-or-later

package config

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"netlive/internal/near"
)

// Error is one thing that is wrong with a file, and where.
type Error struct {
	Path string
	// Line counts from 1. Column too, in bytes, and is 0 for what is no error of syntax.
	Line, Column int
	// Problem is what is wrong, after the name of the setting if it is one's.
	Problem string
}

func (e *Error) Error() string {
	if e.Column > 0 {
		return fmt.Sprintf("config: %s:%d:%d: %s", shownPath(e.Path), e.Line, e.Column, e.Problem)
	}
	return fmt.Sprintf("config: %s:%d: %s", shownPath(e.Path), e.Line, e.Problem)
}

// shownPath is a path as errors have it: one that could do something to a terminal, or is more than a line, as it would be written in Go.
func shownPath(path string) string {
	if utf8.ValidString(path) && printable(path) == path {
		return path
	}
	return strconv.Quote(path)
}

// errorsMax is how many errors of a file are told: one that has more is no configuration.
const errorsMax = 100

// meant is what may be added to the error of a name: which it may be a slip of, or which there are.
func meant(name string, names []string) string {
	const shown = 16 // longer lists help nobody
	found := near.Names(name, names)
	if len(found) > 0 {
		found = found[:min(len(found), 3)]
		last := len(found) - 1
		text := found[last]
		if last > 0 {
			text = strings.Join(found[:last], ", ") + " or " + text
		}
		return " (did you mean " + text + "?)"
	}
	switch {
	case len(names) == 0:
		return "; there are none"
	case len(names) > shown:
		return "; there are " + strings.Join(names[:shown], ", ") + ", ..."
	}
	return "; there are " + strings.Join(names, ", ")
}
