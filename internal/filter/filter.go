// SPDX-License-Identifier: GPL-2.0-or-later

// Package filter is the language in which people say which sockets and events they mean, the same for tables, watch and trace:
// ss(8)'s grammar, which those who know netstat mostly know, with fields for what ss does not know.
//
//	state established and dport = :443
//	( sport = :http or sport = :https ) dst 193.233.7/24
//	proc = nginx and rtt > 50ms and not dst 10/8
//	pid in {812, 813} or container ~ ^edge-
//	port:443 proc:firefox state=listen nginx !ssh
//
// A filter is parsed and checked before anything is opened: what is wrong is told with its column. Matching allocates nothing for
// numbers, addresses and states, for it is done for each socket of each frame.
//
// # Grammar
//
// An empty text matches everything. Names of fields, words of the grammar, states and the like may be in any case.
//
//	filter     = [ states ] [ or ] .
//	states     = { ( "state" | "exclude" ) WORD } .      (one set, where the filter begins)
//	or         = and { ( "or" | "||" | "|" ) and } .
//	and        = not { [ "and" | "&&" | "&" ] not } .
//	not        = { "not" | "!" } primary .
//	primary    = "(" or ")" | test | "ipv4" | "ipv6" | alone .
//	test       = FIELD [ ":" ] [ comparison | [ "not" ] "in" ] values | "exclude" values .
//	comparison = "=" | "==" | "eq" | "!=" | "ne" | "neq" | "<" | "lt" | "<=" | "le" | "leq"
//	           | ">" | "gt" | ">=" | "ge" | "geq" | "~" | "!~" .
//	values     = value | "{" value { "," value } "}" | "(" value { "," value } ")" .
//	value      = TEXT | QUOTED | NUMBER [ "-" NUMBER ] | PORT [ "-" PORT ] | HOST | DURATION | SIZE | WORD | REGEXP .
//	alone      = NUMBER | ":" PORT | ADDRESS | PREFIX | TEXT | QUOTED .
//
// Which value it is, and which comparisons there are, is the field's: see [Field]. A number alone is a port or a PID; a text alone is
// searched for, in any case, in the names of processes, the addresses as netstat prints them, and the paths of UNIX sockets.
// Single quotes keep everything; in double quotes \", \\ and \xNN stand for one character, and other backslashes for themselves.
//
// # Unknown is unknown
//
// A comparison with a value that is not known is neither true nor false, and so is its negation, be it by != or by not: a socket whose
// owner is not known is shown neither by proc = nginx nor by proc != nginx. And, or and not follow Kleene: false and
// unknown is false, true or unknown is true. Only what is true matches. A value that a socket has not, such as the remote port of a
// listener, is another thing: it is known that no comparison holds of it, so != does. A word or number alone searches what is known,
// which is never unknown: !ssh keeps the sockets without a known owner.
//
// A field with several values (port, addr, and proc and pid of a socket that several processes hold) compares true when one
// of them does. That makes port != 443 true when neither port is 443.
//
// # Kernel and Go
//
// [Filter.Kernel] splits off what a program in the kernel can decide about an event, and never more than that: an event that the
// filter matches is never lost to the kernel's part.
package filter

import (
	"fmt"
	"slices"
)

// Filter is a parsed filter. It is never changed, and may be used by any number of goroutines. Nil matches everything.
type Filter struct {
	text string
	root *node // nil: everything
}

// And returns the filter that matches what all of filters match: (a) and (b) is its text. Nil is that of none, or of such
// as match everything.
func And(filters ...*Filter) *Filter {
	var parts []*Filter
	for _, f := range filters {
		if !f.All() {
			parts = append(parts, f)
		}
	}
	switch len(parts) {
	case 0:
		return nil
	case 1:
		return parts[0]
	}
	text := ""
	nodes := make([]*node, len(parts))
	for i, f := range parts {
		if i > 0 {
			text += " and "
		}
		text += "("
		nodes[i] = f.root.moved(len(text))
		text += f.text + ")"
	}
	return &Filter{text: text, root: join(nodeAnd, nodes)}
}

// moved is n in a text in which its own begins at by.
func (n *node) moved(by int) *node {
	if n.kind == nodeTest {
		t := *n.test
		t.off += by
		return leaf(&t)
	}
	m := &node{kind: n.kind, kids: make([]*node, len(n.kids))}
	for i, k := range n.kids {
		m.kids[i] = k.moved(by)
	}
	return m
}

type nodeKind uint8

const (
	nodeTest nodeKind = iota
	nodeAnd
	nodeOr
)

// node is a test, or a conjunction or disjunction of at least two nodes that are not of its own kind. There is none for not: it
// is moved down to the tests, which Kleene's logic allows (De Morgan), so that a conjunction is seen to be one.
type node struct {
	kind nodeKind
	kids []*node
	test *test
}

func leaf(t *test) *node { return &node{kind: nodeTest, test: t} }

// join makes one node of nodes. Tests of a set of the same field become one test: any of these, or none of these.
func join(kind nodeKind, nodes []*node) *node {
	var kids []*node
	add := func(n *node) {
		if n.kind == nodeTest {
			for i, k := range kids {
				if k.kind == nodeTest && k.test.mergeable(n.test, kind) {
					kids[i] = leaf(k.test.merge(n.test, kind))
					return
				}
			}
		}
		kids = append(kids, n)
	}
	for _, n := range nodes {
		if n.kind == kind {
			for _, k := range n.kids {
				add(k)
			}
			continue
		}
		add(n)
	}
	if len(kids) == 1 {
		return kids[0]
	}
	return &node{kind: kind, kids: kids}
}

// mergeable reports whether t and u, joined by kind, are one test: = by or and != by and, of the same field; words by both.
func (t *test) mergeable(u *test, kind nodeKind) bool {
	if t.field != u.field || t.op != opEq || u.op != opEq {
		return false
	}
	return t.field.kind() == kindWord || t.neg == u.neg && t.neg == (kind == nodeAnd)
}

func (t *test) merge(u *test, kind nodeKind) *test {
	m := *t
	m.spans = slices.Concat(t.spans, u.spans)
	m.hosts = slices.Concat(t.hosts, u.hosts)
	m.texts = slices.Concat(t.texts, u.texts)
	m.any = t.any || u.any
	if kind == nodeOr {
		m.mask |= u.mask
	} else {
		m.mask &= u.mask
	}
	return &m
}

// not returns the node that is true where n is false.
func (n *node) not() *node {
	if n.kind == nodeTest {
		return leaf(n.test.not())
	}
	kids := make([]*node, len(n.kids))
	for i, k := range n.kids {
		kids[i] = k.not()
	}
	return join(nodeAnd+nodeOr-n.kind, kids)
}

func (t *test) not() *test {
	m := *t
	if t.field.kind() == kindWord && t.op == opEq {
		m.mask = t.field.vocabulary().all() &^ t.mask
	} else {
		m.neg = !t.neg
	}
	return &m
}

func (n *node) eval(v *Values) truth {
	switch n.kind {
	case nodeAnd:
		r := yes
		for _, k := range n.kids {
			if r = min(r, k.eval(v)); r == no {
				break
			}
		}
		return r
	case nodeOr:
		r := no
		for _, k := range n.kids {
			if r = max(r, k.eval(v)); r == yes {
				break
			}
		}
		return r
	}
	return n.test.eval(v)
}

// each calls fn for every test of n, in the order of the text as far as tests were not merged.
func (n *node) each(fn func(*test)) {
	if n.kind == nodeTest {
		fn(n.test)
	}
	for _, k := range n.kids {
		k.each(fn)
	}
}

// Match reports whether the filter is true of v. It keeps nothing of v.
func (f *Filter) Match(v *Values) bool {
	return f.All() || f.root.eval(v) == yes
}

// All reports whether the filter matches everything, as that of an empty text does.
func (f *Filter) All() bool { return f == nil || f.root == nil }

// Text is what was parsed.
func (f *Filter) Text() string {
	if f == nil {
		return ""
	}
	return f.text
}

// uses are the fields that t compares with; a word alone searches names and addresses.
func (t *test) uses() FieldSet {
	switch {
	case t.op == opWord:
		return Fields(FieldProc, FieldAddr)
	case t.op == opNumber:
		return Fields(FieldPort, FieldPID)
	case t.field == FieldBytes:
		return Fields(FieldBytes, FieldRx, FieldTx)
	}
	return Fields(t.field)
}

// Fields are the fields whose values the filter looks at: a caller may spare itself the others.
func (f *Filter) Fields() (s FieldSet) {
	if !f.All() {
		f.root.each(func(t *test) { s |= t.uses() })
	}
	return s
}

// Require returns an error (*SyntaxError) when the filter asks about a field that is not among known, and so could
// never be answered. Words and numbers alone search what is known, and want nothing.
func (f *Filter) Require(known FieldSet) error {
	if f.All() {
		return nil
	}
	if known.Has(FieldRx) && known.Has(FieldTx) {
		known |= Fields(FieldBytes)
	}
	var first *test
	f.root.each(func(t *test) {
		if t.op != opWord && t.op != opNumber && !known.Has(t.field) && (first == nil || t.off < first.off) {
			first = t
		}
	})
	if first == nil {
		return nil
	}
	return &SyntaxError{
		Text: f.text, Column: column(f.text, first.off),
		Problem: fmt.Sprintf("%s is not known here", first.field), Expected: known.Names(),
	}
}
