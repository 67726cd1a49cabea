// SPDX-License-Identifier: GPL-2.0-or-later

package filter

import (
	"regexp"
	"strings"
)

// comparison is an operator as it is written: how it compares, and whether what it says is that it does not hold.
type comparison struct {
	op  op
	neg bool
}

var comparisons = map[string]comparison{
	"=": {opEq, false}, "==": {opEq, false}, "eq": {opEq, false},
	"!=": {opEq, true}, "ne": {opEq, true}, "neq": {opEq, true},
	"<": {opLt, false}, "lt": {opLt, false},
	"<=": {opLe, false}, "le": {opLe, false}, "leq": {opLe, false},
	">": {opGt, false}, "gt": {opGt, false},
	">=": {opGe, false}, "ge": {opGe, false}, "geq": {opGe, false},
	"~": {opMatch, false}, "!~": {opMatch, true},
}

// isOperatorWord reports whether t is ss's eq, ne and so on, or in or not.
func isOperatorWord(t token) bool {
	if t.kind != tokenWord {
		return false
	}
	_, ok := comparisons[strings.ToLower(t.text)]
	return ok || t.keyword("in") || t.keyword("not")
}

// isComparison reports whether t compares, which makes a field of the word before it.
func isComparison(t token) bool {
	_, ok := comparisons[strings.ToLower(t.text)]
	return ok && (t.kind == tokenSign || t.kind == tokenWord) || t.keyword("in")
}

// test = FIELD [ OPERATOR | [ "not" ] "in" ] values . The field is behind; without an operator it is =, as in ss.
func (p *parser) test(f Field, off int) (*node, error) {
	t := &test{field: f, off: off}
	at := p.tok
	if c, ok := comparisons[strings.ToLower(at.text)]; ok && (at.kind == tokenSign || at.kind == tokenWord) {
		t.op, t.neg = c.op, c.neg
		if !f.kind().allows(c.op) {
			return nil, p.fail(at.off, f.kind().ops(), "%s cannot be compared by %s", f, at.text)
		}
		if t.op == opMatch {
			return p.regexp(t)
		}
		p.advance()
		return p.values(t)
	}
	if at.keyword("not") && p.peek().keyword("in") {
		t.neg = true
		p.advance()
	}
	if !p.tok.keyword("in") {
		return p.values(t)
	}
	p.advance()
	if !p.tok.is("{") && !p.tok.is("(") {
		return nil, p.unexpected("{", "(")
	}
	return p.values(t)
}

// values = value | ("{" | "(") value { "," value } ("}" | ")") .
func (p *parser) values(t *test) (*node, error) {
	closing := ""
	switch {
	case p.tok.is("{"):
		closing = "}"
	case p.tok.is("("):
		closing = ")"
	}
	if closing != "" && t.op != opEq {
		return nil, p.unexpected(t.field.values()...)
	}
	if closing == "" {
		if err := p.value(t); err != nil {
			return nil, err
		}
		return p.finish(t), nil
	}
	for {
		p.advance() // the bracket or comma
		if err := p.value(t); err != nil {
			return nil, err
		}
		if p.tok.is(closing) {
			p.advance()
			return p.finish(t), nil
		}
		if !p.tok.is(",") {
			return nil, p.unexpected(",", closing)
		}
	}
}

// finish makes the node of a test that has its values.
func (p *parser) finish(t *test) *node {
	if t.field.kind() == kindWord && t.neg {
		t.mask, t.neg = t.field.vocabulary().all()&^t.mask, false
	}
	return leaf(t)
}

// value adds one value to t.
func (p *parser) value(t *test) error {
	tok, f := p.tok, t.field
	if tok.kind != tokenQuoted && (tok.kind != tokenWord || isReserved(tok)) {
		e := p.unexpected(f.values()...)
		if isReserved(tok) {
			e.Hint = "a name that is a word of the language is quoted"
		}
		return e
	}
	switch f.kind() {
	case kindWord:
		mask, err := p.word(f, tok)
		if err != nil {
			return err
		}
		t.mask |= mask
	case kindHost:
		h, problem := p.parseHost(tok.text)
		if h == nil {
			return p.fail(tok.off, f.values(), "%s", problem)
		}
		t.hosts = append(t.hosts, *h)
	case kindText, kindName:
		return p.name(t, tok)
	default:
		s, err := p.span(f, tok)
		if err != nil {
			return err
		}
		if t.op != opEq {
			if s.lo != s.hi {
				return p.fail(tok.off, f.values(), "%q is a range, which only = and in take", tok.text)
			}
			s = ordered(t.op, s.lo, f.kind().limit())
		}
		t.spans = append(t.spans, s)
	}
	p.advance()
	return nil
}

// ordered is the numbers that compare so with n, up to limit.
func ordered(o op, n, limit int64) span {
	switch o {
	case opLt:
		return span{0, n - 1}
	case opLe:
		return span{0, n}
	case opGt:
		return span{n + 1, limit}
	}
	return span{n, limit}
}

// bound is the reverse of ordered: what the numbers are compared with.
func (t *test) bound() int64 {
	switch s := t.spans[0]; t.op {
	case opLt:
		return s.hi + 1
	case opLe:
		return s.hi
	case opGt:
		return s.lo - 1
	default:
		return s.lo
	}
}

// name adds a text. Of a field that is a number too, a number in quotes is a name.
func (p *parser) name(t *test, tok token) error {
	if tok.text == "" {
		return p.fail(tok.off, t.field.values(), "an empty text")
	}
	switch {
	case t.field.kind() != kindName || tok.kind == tokenQuoted:
		t.texts = append(t.texts, tok.text)
	case t.field == FieldNetNS && tok.keyword(wordAll):
		t.any = true
	case isDigits(tok.text):
		s, err := p.span(t.field, tok)
		if err != nil {
			return err
		}
		t.spans = append(t.spans, s)
	default:
		t.texts = append(t.texts, tok.text)
	}
	p.advance()
	return nil
}

// regexp = "~" expression . The operator is the current token.
func (p *parser) regexp(t *test) (*node, error) {
	p.tok = lexRegexp(p.text, p.tok.end)
	if p.tok.kind != tokenQuoted {
		return nil, p.unexpected("regular expression")
	}
	re, err := regexp.Compile(p.tok.text)
	if err != nil {
		return nil, p.fail(p.tok.off, []string{"regular expression"}, "%s", strings.TrimPrefix(err.Error(), "error parsing regexp: "))
	}
	t.re = re
	p.advance()
	return leaf(t), nil
}

func (p *parser) word(f Field, tok token) (uint32, error) {
	v := f.vocabulary()
	if mask, ok := v.find(tok.text); ok {
		return mask, nil
	}
	return 0, p.fail(tok.off, v.candidates(tok.text), "unknown %s %q", f, tok.text)
}
