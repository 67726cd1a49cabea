// SPDX-License-Identifier: GPL-2.0-or-later

package filter

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// String is the filter in one way of writing it, which parses to an equal filter: whoever wrote it, and however, equal texts say the
// same. Names of services are numbers in it, and not stands before comparisons only. It is empty for a filter that matches everything.
func (f *Filter) String() string {
	if f.All() {
		return ""
	}
	return f.root.String()
}

func (n *node) String() string {
	if n.kind == nodeTest {
		return n.test.String()
	}
	word := " and "
	if n.kind == nodeOr {
		word = " or "
	}
	var b strings.Builder
	for i, k := range n.kids {
		if i > 0 {
			b.WriteString(word)
		}
		// A conjunction within a disjunction needs no brackets, but for a reader who does not know that.
		if k.kind != nodeTest {
			b.WriteString("(" + k.String() + ")")
			continue
		}
		b.WriteString(k.String())
	}
	return b.String()
}

var signOf = [...]string{opLt: "<", opLe: "<=", opGt: ">", opGe: ">="}

func (t *test) String() string {
	switch t.op {
	case opWord:
		return t.notPrefix() + quote(t.texts[0])
	case opNumber:
		return t.notPrefix() + strconv.FormatInt(t.spans[0].lo, 10)
	case opMatch:
		sign := " ~ "
		if t.neg {
			sign = " !~ "
		}
		return t.field.String() + sign + quote(t.re.String())
	case opEq:
		return t.set()
	}
	return fmt.Sprintf("%s%s %s %s", t.notPrefix(), t.field, signOf[t.op], t.field.kind().format(t.bound()))
}

func (t *test) notPrefix() string {
	if t.neg {
		return "not "
	}
	return ""
}

// set says an equality: field = value, or field in {value, value}.
func (t *test) set() string {
	neg, values := t.neg, t.values()
	if t.field.kind() == kindWord {
		values, neg = t.words()
	}
	switch {
	case len(values) == 1 && neg:
		return t.field.String() + " != " + values[0]
	case len(values) == 1:
		return t.field.String() + " = " + values[0]
	case neg:
		return t.field.String() + " not in {" + strings.Join(values, ", ") + "}"
	}
	return t.field.String() + " in {" + strings.Join(values, ", ") + "}"
}

// words says which words match or, with neg, which do not, whichever are fewer.
func (t *test) words() (words []string, neg bool) {
	v := t.field.vocabulary()
	match, rest := v.words(t.mask), v.words(v.all()&^t.mask)
	switch {
	case len(rest) == 0:
		return []string{wordAll}, false
	case len(match) == 0:
		return []string{wordAll}, true
	case len(rest) < len(match):
		return rest, true
	}
	return match, false
}

// values are the values of a set, but of words, in the order in which they were written.
func (t *test) values() (values []string) {
	if t.any {
		values = append(values, wordAll)
	}
	for _, s := range t.spans {
		values = append(values, t.field.kind().formatSpan(s))
	}
	for _, h := range t.hosts {
		values = append(values, h.String())
	}
	for _, s := range t.texts {
		values = append(values, text(s))
	}
	return values
}

func (k kind) formatSpan(s span) string {
	if s.lo == s.hi {
		return k.format(s.lo)
	}
	return k.format(s.lo) + "-" + k.format(s.hi)
}

func (k kind) format(n int64) string {
	switch k {
	case kindDuration:
		return time.Duration(n).String()
	case kindSize:
		for _, u := range []struct {
			size int64
			name string
		}{{1e12, "T"}, {1e9, "G"}, {1e6, "M"}, {1e3, "k"}} {
			if n != 0 && n%u.size == 0 {
				return strconv.FormatInt(n/u.size, 10) + u.name
			}
		}
	}
	return strconv.FormatInt(n, 10)
}

// String is ss's HOST.
func (h host) String() string {
	addr := ""
	if p := h.prefix; p.IsValid() {
		addr = p.Addr().String()
		if p.Addr().Is6() {
			addr = "[" + addr + "]"
		}
		if !p.IsSingleIP() {
			addr += "/" + strconv.Itoa(p.Bits())
		}
	}
	if h.ported {
		return addr + ":" + kindPort.formatSpan(h.ports)
	}
	if addr == "" {
		return "*"
	}
	return addr
}

// text is s as a value: quoted unless it is plain.
func text(s string) string {
	plain := strings.Trim(strings.ToLower(s), "abcdefghijklmnopqrstuvwxyz0123456789_./@-") == "" && !isDigits(s)
	if !plain || isReserved(token{kind: tokenWord, text: s}) || strings.EqualFold(s, wordAll) {
		return quote(s)
	}
	return s
}
