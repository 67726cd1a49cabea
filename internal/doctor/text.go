// SPDX-License-Identifier: GPL-2.0-or-later

package doctor

import (
	"fmt"
	"strings"

	"netlive/internal/render"
)

// width is how many columns the text has. A word that is longer, as a path, is not cut.
const width = 80

// The marks say without colour what colour says again.
var marks = [...]struct{ word, color string }{
	OK: {"ok", "\x1b[32m"}, Lacking: {"LACKS", "\x1b[31m"}, Unknown: {"?", "\x1b[33m"},
}

const (
	bold  = "\x1b[1m"
	plain = "\x1b[m"

	markWidth = 7
	nameWidth = 25
	indent    = 2
	column    = indent + markWidth + nameWidth
	verbWidth = 13
)

var headings = map[string]string{
	GroupKernel: "Kernel", GroupBPF: "BPF", GroupPrograms: "Programs, each loaded on trial", GroupPrivileges: "Privileges of this process",
	GroupNamespaces: "Namespaces", GroupSources: "Other sources",
}

// text is written into b, in colour or not.
type text struct {
	b     []byte
	color bool
	// said is by which name a remedy was told first.
	said map[string]string
}

// Text is the report for people.
func (r *Report) Text(color bool) []byte {
	t := text{color: color, said: map[string]string{}}
	for _, group := range Groups {
		t.heading(headings[group])
		for i := range r.Checks {
			if c := &r.Checks[i]; c.Group == group {
				t.check(c)
			}
		}
	}
	t.heading("What the verbs use here")
	for i := range r.Uses {
		t.use(&r.Uses[i])
	}
	n := r.Lacking()
	switch n {
	case 0:
		t.b = append(t.b, "\nAll that netlive can use is there.\n"...)
	case 1:
		t.b = append(t.b, "\n1 thing is missing that netlive can use.\n"...)
	default:
		t.b = fmt.Appendf(t.b, "\n%d things are missing that netlive can use.\n", n)
	}
	return t.b
}

func (t *text) heading(words string) {
	if len(t.b) > 0 {
		t.b = append(t.b, '\n')
	}
	t.paint(bold, words)
	t.b = append(t.b, '\n')
}

func (t *text) paint(color, words string) {
	if t.color {
		words = color + words + plain
	}
	t.b = append(t.b, words...)
}

// check is a line, and where something is wrong what it is needed for and what would mend it.
func (t *text) check(c *Check) {
	mark := marks[c.State]
	t.b = fmt.Appendf(t.b, "%*s", indent, "")
	t.paint(mark.color, mark.word)
	t.b = fmt.Appendf(t.b, "%*s%-*s", markWidth-len(mark.word), "", nameWidth, c.Name)
	if len(c.Name) >= nameWidth {
		t.b = fmt.Appendf(t.b, "\n%*s", column, "")
	}
	t.wrap(c.Found, column)
	if c.State == Lacking {
		t.detail("for", c.For)
	}
	if words := t.remedy(c.Remedy, c.Name); words != "" && (c.State == Lacking || words == c.Remedy) {
		t.detail("remedy", words)
	}
}

// remedy is a remedy, or where it was told before.
func (t *text) remedy(remedy, name string) string {
	if first, ok := t.said[remedy]; ok && remedy != "" {
		return "that of " + first
	}
	t.said[remedy] = name
	return remedy
}

// detail is a line below a check.
func (t *text) detail(word, words string) {
	const at = indent + markWidth
	t.b = fmt.Appendf(t.b, "%*s%-8s", at, "", word)
	t.wrap(words, at+8)
}

func (t *text) use(u *Use) {
	source := u.Source
	if source == "" {
		source = "cannot be had"
	}
	t.b = fmt.Appendf(t.b, "%*s%-*s", indent, "", verbWidth, u.Verb)
	at := indent + verbWidth
	t.wrap(source, at)
	if len(u.Events) > 0 {
		t.below("tells: "+strings.Join(u.Events, ", "), at)
	}
	if u.Note != "" {
		t.below(u.Note, at)
	}
	if words := t.remedy(u.Remedy, u.Verb); words != "" {
		t.below("remedy: "+words, at)
	}
}

func (t *text) below(words string, at int) {
	t.b = fmt.Appendf(t.b, "%*s", at, "")
	t.wrap(words, at)
}

// wrap writes words from a column on, and ends the line.
func (t *text) wrap(words string, at int) {
	col := at
	for i, word := range strings.Fields(words) {
		word = string(render.AppendEscaped(nil, word))
		switch {
		case i == 0:
		case col+1+len(word) > width:
			t.b = fmt.Appendf(t.b, "\n%*s", at, "")
			col = at
		default:
			t.b = append(t.b, ' ')
			col++
		}
		t.b = append(t.b, word...)
		col += len(word)
	}
	t.b = append(t.b, '\n')
}
