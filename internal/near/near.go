// SPDX-License-Identifier: GPL-2.0-or-later

// Package near finds what a word that is not known may have been meant to be.
package near

import (
	"cmp"
	"slices"
	"strings"
)

// Names returns those of names that name may be a slip of, in any case of its letters, the nearest first.
func Names(name string, names []string) (found []string) {
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
