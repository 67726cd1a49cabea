// SPDX-License-Identifier: GPL-2.0-or-later

package filter

import (
	"strconv"
	"strings"

	"netlive/internal/near"
)

// isReserved reports whether t is a word of the grammar, which is no name and no value unless it is quoted.
func isReserved(t token) bool {
	return t.keyword("and") || t.keyword("or") || t.keyword("not") || t.keyword("in")
}

// search is the test that a word or number alone is.
func search(word string, off int) *node {
	lowered := []byte(word)
	for i, c := range lowered {
		lowered[i] = lower(c)
	}
	return leaf(&test{op: opWord, texts: []string{string(lowered)}, off: off})
}

// ofSS are words of ss that are no fields here: to search for them would be a surprise.
var ofSS = []string{"autobound", "fwmark"}

// term is what begins with a word: a test of a field, or a word alone.
func (p *parser) term() (*node, error) {
	t := p.tok
	if isExclude(t) {
		p.advance()
		n, err := p.test(FieldState, t.off)
		if err == nil {
			n = n.not()
		}
		return n, err
	}
	if f, ok := ParseField(t.text); ok {
		p.advance()
		return p.test(f, t.off)
	}
	for _, word := range ofSS {
		if t.keyword(word) {
			return nil, p.fail(t.off, AllFields.Names(), "%s is ss's, and not known here", word)
		}
	}
	if t.keyword("ipv4") || t.keyword("ipv6") {
		mask, _ := familyWords.find(t.text)
		p.advance()
		return leaf(&test{field: FieldFamily, mask: mask, off: t.off}), nil
	}
	if name, value, ok := strings.Cut(t.text, ":"); ok {
		if f, ok := ParseField(name); ok {
			if value != "" {
				// field:value; the value's token is what is left of the word.
				p.tok.off, p.tok.text = t.off+len(name)+1, value
				return p.values(&test{field: f, off: t.off})
			}
			p.advance()
			return p.test(f, t.off)
		}
		if isIdentifier(name) && strings.Trim(strings.ToLower(name), "abcdef") != "" {
			return nil, p.unknownField(t.off, name)
		}
	}
	if next := p.peek(); isComparison(next) {
		return nil, p.unknownField(t.off, t.text)
	}
	p.advance()
	return p.alone(t)
}

func (p *parser) unknownField(off int, name string) *SyntaxError {
	names := AllFields.Names()
	expected := near.Names(name, names)
	if len(expected) == 0 {
		expected = names
	}
	e := p.fail(off, expected, "unknown field %q", name)
	e.Hint = "a word that is searched for can be quoted"
	return e
}

func isIdentifier(s string) bool {
	return s != "" && strings.Trim(strings.ToLower(s), "abcdefghijklmnopqrstuvwxyz_-") == ""
}

// alone is a word that names no field: a number, a port, an address or a word that is searched for.
func (p *parser) alone(t token) (*node, error) {
	if isDigits(t.text) {
		n, err := strconv.ParseUint(t.text, 10, 32)
		if err != nil {
			return nil, p.fail(t.off, []string{"a port", "a PID"}, "%s is no port and no PID", t.text)
		}
		return leaf(&test{op: opNumber, spans: []span{{int64(n), int64(n)}}, off: t.off}), nil
	}
	if name, ok := strings.CutPrefix(t.text, ":"); ok && name != "" && !strings.Contains(name, ":") {
		spans, err := p.span(FieldPort, t)
		if err != nil {
			return nil, err
		}
		return leaf(&test{field: FieldPort, spans: []span{spans}, off: t.off}), nil
	}
	if h, _ := p.parseHost(t.text); h != nil {
		return leaf(&test{field: FieldAddr, hosts: []host{*h}, off: t.off}), nil
	}
	return search(t.text, t.off), nil
}
