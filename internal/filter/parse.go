// SPDX-License-Identifier: GPL-2.0-or-later

package filter

import (
	"context"
	"fmt"
	"net"
)

// deepest is how many brackets may be open at once: more than people write, less than a stack holds.
const deepest = 100

// Parser parses filters. Its zero value knows no services.
type Parser struct {
	// Service returns the port of a service's name.
	Service func(name string) (port uint16, ok bool)
}

// Parse parses with the names of /etc/services, which it reads when the text has one. An error is a *SyntaxError.
func Parse(text string) (*Filter, error) {
	return Parser{Service: services}.Parse(text)
}

// services looks in /etc/services and at nothing else: no name service is asked.
func services(name string) (uint16, bool) {
	r := net.Resolver{PreferGo: true}
	for _, network := range []string{"tcp", "udp"} {
		if port, err := r.LookupPort(context.Background(), network, name); err == nil && port > 0 {
			return uint16(port), true
		}
	}
	return 0, false
}

// Parse returns the filter that text says. An error is a *SyntaxError.
func (ps Parser) Parse(text string) (*Filter, error) {
	p := &parser{Parser: ps, text: text}
	p.advance()
	f := &Filter{text: text}
	if p.tok.kind == tokenEnd {
		return f, nil
	}
	n, err := p.or(true)
	if err != nil {
		return nil, err
	}
	if p.tok.kind != tokenEnd {
		return nil, p.leftover("and", "or", "end")
	}
	f.root = n
	return f, nil
}

type parser struct {
	Parser
	text  string
	tok   token
	depth int
}

func (p *parser) advance() { p.tok = lex(p.text, p.tok.end) }

// peek is the token after the current one.
func (p *parser) peek() token { return lex(p.text, p.tok.end) }

func (p *parser) fail(off int, expected []string, format string, args ...any) *SyntaxError {
	return &SyntaxError{Text: p.text, Column: column(p.text, off), Problem: fmt.Sprintf(format, args...), Expected: expected}
}

// unexpected is the error at a token that cannot stand where it does.
func (p *parser) unexpected(expected ...string) *SyntaxError {
	switch p.tok.kind {
	case tokenEnd:
		return p.fail(len(p.text), expected, "ends too early")
	case tokenOpen:
		return p.fail(p.tok.off, []string{p.tok.text}, "a quote that is not closed")
	}
	return p.fail(p.tok.off, expected, "unexpected %q", p.tok.text)
}

// leftover is the error after a test.
func (p *parser) leftover(expected ...string) *SyntaxError {
	e := p.unexpected(expected...)
	switch {
	case p.tok.is(","):
		e.Hint = "a set is written {80, 443}"
	case p.tok.is(")"):
		e.Hint = "no bracket is open"
	}
	return e
}

var termStarts = []string{"a field", "a word", "a number", "an address", "not", "("}

// or = and { ("or" | "|" | "||") and } .
func (p *parser) or(first bool) (*node, error) {
	var kids []*node
	for {
		n, err := p.and(first && kids == nil)
		if err != nil {
			return nil, err
		}
		kids = append(kids, n)
		if !p.tok.keyword("or") && !p.tok.is("|") && !p.tok.is("||") {
			return join(nodeOr, kids), nil
		}
		p.advance()
	}
}

// and = not { [ "and" | "&" | "&&" ] not } . Where the filter begins, ss's states may come before.
func (p *parser) and(first bool) (*node, error) {
	var kids []*node
	if first {
		n, err := p.stateFilter()
		if err != nil {
			return nil, err
		}
		if n != nil {
			kids = append(kids, n)
		}
	}
	for {
		switch joined := p.tok.keyword("and") || p.tok.is("&") || p.tok.is("&&"); {
		case joined && kids == nil:
			return nil, p.unexpected(termStarts...)
		case joined:
			p.advance()
		case kids != nil && !p.startsTerm():
			return join(nodeAnd, kids), nil
		}
		n, err := p.not()
		if err != nil {
			return nil, err
		}
		kids = append(kids, n)
	}
}

// startsTerm reports whether a test, a bracket or a not begins here. A quote that is not closed does, so that it is told.
func (p *parser) startsTerm() bool {
	switch p.tok.kind {
	case tokenWord:
		return !p.tok.keyword("or")
	case tokenQuoted, tokenOpen:
		return true
	}
	return p.tok.is("!") || p.tok.is("(")
}

// stateFilter is ss's STATE-FILTER: state and exclude, one after the other where the filter begins, are added to and taken from one
// set (misc/ss.c, main), where anywhere else they would all have to hold. Nil when there is none.
func (p *parser) stateFilter() (*node, error) {
	var n *node
	for {
		include := p.tok.keyword("state")
		if !include && !isExclude(p.tok) {
			return n, nil
		}
		if next := p.peek(); next.kind != tokenWord || isOperatorWord(next) {
			return n, nil
		}
		off := p.tok.off
		p.advance()
		mask, err := p.word(FieldState, p.tok)
		if err != nil {
			return nil, err
		}
		p.advance()
		switch {
		case n == nil && !include:
			mask = maskAnyState &^ mask
		case n == nil:
		case include:
			mask |= n.test.mask
		default:
			mask = n.test.mask &^ mask
		}
		if n != nil {
			off = n.test.off
		}
		n = leaf(&test{field: FieldState, mask: mask, off: off})
	}
}

func isExclude(t token) bool { return t.keyword("exclude") || t.keyword("excl") }

// not = { "not" | "!" } primary .
func (p *parser) not() (*node, error) {
	neg := false
	for p.tok.keyword("not") || p.tok.is("!") {
		neg = !neg
		p.advance()
	}
	n, err := p.primary()
	if err == nil && neg {
		n = n.not()
	}
	return n, err
}

// primary = "(" or ")" | test | word .
func (p *parser) primary() (*node, error) {
	switch {
	case p.tok.is("("):
		return p.brackets()
	case p.tok.kind == tokenQuoted:
		if p.tok.text == "" {
			return nil, p.fail(p.tok.off, []string{"a word"}, "an empty word")
		}
		n := search(p.tok.text, p.tok.off)
		p.advance()
		return n, nil
	case p.tok.kind == tokenWord && !isReserved(p.tok):
		return p.term()
	}
	return nil, p.unexpected(termStarts...)
}

func (p *parser) brackets() (*node, error) {
	open := p.tok.off
	if p.depth++; p.depth > deepest {
		return nil, p.fail(open, nil, "more than %d brackets in each other", deepest)
	}
	p.advance()
	n, err := p.or(false)
	if err != nil {
		return nil, err
	}
	if !p.tok.is(")") {
		e := p.unexpected("and", "or", ")")
		e.Hint = fmt.Sprintf("for the bracket in column %d", column(p.text, open))
		return nil, e
	}
	p.depth--
	p.advance()
	return n, nil
}
