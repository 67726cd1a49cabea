// SPDX-License-Identifier: GPL-2.0-or-later

package config

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
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
		return fmt.Sprintf("config: %s:%d:%d: %s", e.Path, e.Line, e.Column, e.Problem)
	}
	return fmt.Sprintf("config: %s:%d: %s", e.Path, e.Line, e.Problem)
}

// errorsMax is how many errors of a file are told: one that has more is no configuration.
const errorsMax = 100

// meant is what may be added to the error of a name: which it may be a slip of, or which there are.
func meant(name string, names []string) string {
	const shown = 16 // longer lists help nobody
	found := near(name, names)
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

// near returns the names that name may be a slip of, the nearest first.
func near(name string, names []string) (found []string) {
	name = strings.ToLower(name)
	distance := func(n string) int { return editDistance(name, n) }
	for _, n := range names {
		// A slip in three letters is another word.
		if d := distance(n); d <= 2 && d < len(n)-1 || len(name) >= 2 && strings.HasPrefix(n, name) {
			found = append(found, n)
		}
	}
	slices.SortStableFunc(found, func(a, b string) int { return cmp.Compare(distance(a), distance(b)) })
	return found
}

// editDistance is how many letters must be put in, taken out, changed or exchanged with their neighbours to make b of a.
func editDistance(a, b string) int {
	const longest = 32 // no name is as long; a text that is stays cheap
	if len(a) > longest || len(b) > longest {
		return longest
	}
	var d [longest + 1][longest + 1]int
	for i := 0; i <= len(a); i++ {
		for j := 0; j <= len(b); j++ {
			switch {
			case i == 0 || j == 0:
				d[i][j] = i + j
				continue
			case a[i-1] == b[j-1]:
				d[i][j] = d[i-1][j-1]
			default:
				d[i][j] = 1 + min(d[i-1][j-1], d[i-1][j], d[i][j-1])
			}
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				d[i][j] = min(d[i][j], d[i-2][j-2]+1)
			}
		}
	}
	return d[len(a)][len(b)]
}
