// SPDX-License-Identifier: GPL-2.0-or-later

package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
)

// report is what is read of netlive doctor --json (docs/netlive.doctor.v1.schema.json).
type report struct {
	Kernel struct{ Release, Machine string }
	Checks []struct{ Group, Name, State, Found string }
	Verbs  []struct {
		Verb, Source string
		Events       []string
		NotTold      []string `json:"not_told"`
	}
}

func readReport(text string) (r report, err error) {
	// The console may have put a line of its own before it.
	if at := strings.IndexByte(text, '{'); at > 0 {
		text = text[at:]
	}
	err = json.NewDecoder(strings.NewReader(text)).Decode(&r)
	return r, err
}

// uses is what a verb reads there.
func (r *report) uses(verb string) string {
	for _, v := range r.Verbs {
		if v.Verb != verb {
			continue
		}
		if v.Source == "" {
			return "-"
		}
		if len(v.NotTold) > 0 {
			return v.Source + ", not " + strings.Join(v.NotTold, " ")
		}
		return v.Source
	}
	return "-"
}

// lacks lists what the doctor says lacks.
func (r *report) lacks() (names []string) {
	for _, c := range r.Checks {
		if c.State == "lacking" {
			names = append(names, c.Name)
		}
	}
	return names
}

// table is the matrix in Markdown.
func table(outcomes []outcome) []byte {
	var b bytes.Buffer
	b.WriteString("| kernel | machine | tests | seconds | trace | watch | rates | lacking |\n|---|---|---|---|---|---|---|---|\n")
	for _, o := range outcomes {
		r, err := readReport(o.outcomes[doctorName].Output)
		if err != nil {
			fmt.Fprintf(&b, "| %s | | %d of %d | %.0f | | | | doctor: %v |\n", o.kernel.id(), o.passed, o.expected, o.took.Seconds(), err)
			continue
		}
		missing := strings.Join(r.lacks(), ", ")
		if missing == "" {
			missing = "nothing"
		}
		release := r.Kernel.Release
		if o.kernel.Name == ownName { // whose release says more of whoever made it than of Linux
			release, _, _ = strings.Cut(release, "-")
			release += " of this machine"
		}
		fmt.Fprintf(&b, "| %s | %s | %d of %d | %.0f | %s | %s | %s | %s |\n", release, r.Kernel.Machine, o.passed, o.expected,
			o.took.Seconds(), r.uses("trace"), r.uses("watch"), r.uses("watch rates"), missing)
	}
	return b.Bytes()
}

const (
	tableFile  = "docs/kernels.md"
	tableBegin = "<!-- begin: make test-kernels -->\n"
	tableEnd   = "<!-- end -->\n"
)

// merge are the rows of a table with those of another of the same kernel, by its release, in their places, and the rest of the other after them.
func merge(table, other []byte) []byte {
	rows := bytes.SplitAfter(table, []byte("\n"))
	is := func(row []byte) string { // | RELEASE | MACHINE |
		cells := strings.SplitN(string(row), "|", 4)
		return strings.Join(cells[:min(len(cells), 3)], "|")
	}
	for row := range bytes.Lines(other) {
		at := slices.IndexFunc(rows, func(r []byte) bool { return is(r) == is(row) })
		if at < 0 {
			at = len(rows) - 1 // before what is after the last line feed, which is nothing
			rows = slices.Insert(rows, at, nil)
		}
		rows[at] = row
	}
	return bytes.Join(rows, nil)
}

// writeTable puts the table into the document; where it is of some kernels alone, the rows of the others stay.
func writeTable(text []byte, some bool) error {
	doc, err := os.ReadFile(tableFile)
	if err != nil {
		return err
	}
	before, rest, ok1 := bytes.Cut(doc, []byte(tableBegin))
	old, after, ok2 := bytes.Cut(rest, []byte(tableEnd))
	if !ok1 || !ok2 {
		return fmt.Errorf("%s has no place for the table", tableFile)
	}
	if some {
		text = merge(old, text)
	}
	return os.WriteFile(tableFile, bytes.Join([][]byte{before, []byte(tableBegin), text, []byte(tableEnd), after}, nil), 0o644)
}
