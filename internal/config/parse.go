// SPDX-License-Identifier: GPL-2.0-or-later

package config

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/pelletier/go-toml/v2"
	"github.com/pelletier/go-toml/v2/unstable"
)

// parser goes over a document once. go-toml's decoder stops at the first value that does not fit, and its errors have its own words; its
// parser tells where each key and value is.
type parser struct {
	path   string
	starts []int // where lines start
	schema Schema
	config Config
	errs   []*Error
	more   bool // there are more than errorsMax

	lines map[string]int    // where keys and tables were set
	lists map[string][]item // the lists that were set, by their keys
	binds []bind            // the keys of actions, as they come
}

// item is a text of a list.
type item struct {
	text string
	line int
}

// bind is a key of an action.
type bind struct {
	action, key string
	line        int
}

// byteOrderMark begins files of some editors.
var byteOrderMark = []byte("\ufeff")

func parse(path string, data []byte, s Schema) (Config, error) {
	p := &parser{path: path, schema: s, config: Default(s), lines: map[string]int{}, lists: map[string][]item{}}
	data = bytes.TrimPrefix(data, byteOrderMark)
	p.starts = []int{0}
	for i, b := range data {
		if b == '\n' {
			p.starts = append(p.starts, i+1)
		}
	}
	p.document(data)
	p.hidden()
	p.conflicts()
	if len(p.errs) == 0 {
		p.verify(data)
	}
	return p.config, p.joined()
}

// document goes over the keys and tables, up to the first error of syntax.
func (p *parser) document(data []byte) {
	var (
		t     unstable.Parser
		table []string
		known = true
	)
	t.Reset(data)
	for t.NextExpression() {
		if p.more {
			return
		}
		switch e := t.Expression(); e.Kind {
		case unstable.Table, unstable.ArrayTable:
			var line int
			table, line = p.key(e)
			known = p.table(table, line, e.Kind == unstable.ArrayTable)
		case unstable.KeyValue:
			if known { // a table that is unknown is one error, and not one for each key
				p.keyValue(table, e)
			}
		}
	}
	var e *unstable.ParserError
	if errors.As(t.Error(), &e) {
		p.syntax(int(t.Range(e.Highlight).Offset), e.Message)
	}
}

// verify lets go-toml's decoder have the last word on a file that has no error so far: on tables that are written in two ways which TOML does not
// let them have together. What it decodes then is small; it takes time in the square of the keys of an inline table.
func (p *parser) verify(data []byte) {
	var all map[string]any
	err := toml.Unmarshal(data, &all)
	var e *toml.DecodeError
	if !errors.As(err, &e) {
		if err != nil { // none is known that is no DecodeError
			p.fail(1, err.Error())
		}
		return
	}
	line, column := e.Position()
	p.failAt(line, column, printable(strings.TrimPrefix(e.Error(), "toml: ")))
}

func (p *parser) fail(line int, problem string) { p.failAt(line, 0, problem) }

func (p *parser) failAt(line, column int, problem string) {
	if p.more = len(p.errs) >= errorsMax; !p.more {
		p.errs = append(p.errs, &Error{Path: p.path, Line: line, Column: column, Problem: problem})
	}
}

func (p *parser) failf(line int, name, format string, args ...any) {
	p.fail(line, cut(name)+": "+fmt.Sprintf(format, args...))
}

// syntax is an error at a byte of the document.
func (p *parser) syntax(at int, problem string) {
	line := p.line(at)
	p.failAt(line, at-p.starts[line-1]+1, printable(problem))
}

// joined makes one error of all, in the order of their lines; nil when there are none.
func (p *parser) joined() error {
	if len(p.errs) == 0 {
		return nil
	}
	slices.SortStableFunc(p.errs, func(a, b *Error) int { return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column)) })
	errs := make([]error, 0, len(p.errs)+1)
	for _, e := range p.errs {
		errs = append(errs, e)
	}
	if p.more {
		errs = append(errs, &Error{Path: p.path, Line: p.errs[len(p.errs)-1].Line, Problem: "there are more errors, and what follows was not looked at"})
	}
	return errors.Join(errs...)
}

// line is the line of a byte, from 1.
func (p *parser) line(at int) int {
	n, found := slices.BinarySearch(p.starts, at)
	if found {
		n++
	}
	return n
}

// key is the name of a table or value, in parts, and its line.
func (p *parser) key(e *unstable.Node) (parts []string, line int) {
	for k := e.Key(); k.Next(); {
		if parts == nil {
			line = p.line(int(k.Node().Raw.Offset))
		}
		parts = append(parts, string(k.Node().Data))
	}
	return parts, line
}

// table begins a table and reports whether there is such a one.
func (p *parser) table(parts []string, line int, array bool) (known bool) {
	name := dotted(parts...)
	switch {
	case len(parts) > 1 || !slices.Contains(p.tables(), parts[0]):
		p.failf(line, "["+name+"]", "no such table%s", meant(name, p.tables()))
		return false
	case array:
		p.failf(line, "[["+name+"]]", "is one table; write [%s]", name)
		return true
	}
	p.once("["+name+"]", line)
	return true
}

// once reports whether a key or table is set for the first time.
func (p *parser) once(name string, line int) bool {
	if first, ok := p.lines[name]; ok {
		p.failf(line, name, "twice; the first is in line %d", first)
		return false
	}
	p.lines[name] = line
	return true
}

// keyValue sets what a line KEY = VALUE says in a table.
func (p *parser) keyValue(table []string, e *unstable.Node) {
	parts, line := p.key(e)
	parts = slices.Concat(table, parts)
	name, value := dotted(parts...), e.Value()
	if len(parts) == 1 && slices.Contains(p.tables(), name) {
		if value.Kind != unstable.InlineTable {
			p.failf(line, name, "is a table; write [%s] and its keys below", name)
			return
		}
		if p.once("["+name+"]", line) {
			for c := value.Children(); c.Next() && !p.more; {
				p.keyValue(parts, c.Node())
			}
		}
		return
	}
	if !p.once(name, line) {
		return
	}
	if table == nil && len(parts) > 1 { // such a key begins the table, which cannot begin again
		if begun := "[" + dotted(parts[0]) + "]"; p.lines[begun] == 0 {
			p.lines[begun] = line
		}
	}
	switch v := (setting{p, name, line, value}); {
	case len(parts) == 1:
		p.top(v)
	case !slices.Contains(p.tables(), parts[0]):
		p.failf(line, name, "no such key%s", meant(parts[0], slices.Concat(p.tables(), topKeys)))
	case len(parts) > 2:
		p.failf(line, name, "no such key; %s has no tables in it", parts[0])
	case parts[0] == tableKeys:
		p.bind(v, parts[1])
	case parts[0] == tableColors:
		p.paint(v, parts[1])
	default:
		p.column(v, parts[0], parts[1])
	}
}

const (
	tableKeys   = "keys"
	tableColors = "colors"
)

// tables are the names of all tables.
func (p *parser) tables() []string {
	all := make([]string, 0, len(p.schema.Screens)+2)
	for name := range p.schema.Screens {
		all = append(all, name)
	}
	slices.Sort(all)
	return append(all, tableKeys, tableColors)
}

// dotted is a name as it is written.
func dotted(parts ...string) string {
	var b strings.Builder
	for i, part := range parts {
		if i > 0 {
			b.WriteByte('.')
		}
		bare := part != "" && strings.IndexFunc(part, func(r rune) bool {
			return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '-' && r != '_'
		}) < 0
		if !bare {
			part = strconv.Quote(part)
		}
		b.WriteString(part)
	}
	return b.String()
}

// quotedMax bounds what an error repeats of a file, in bytes.
const quotedMax = 64

// quote shows a text of a file, so that a terminal is not told anything.
func quote(s string) string { return strconv.Quote(cut(s)) }

func cut(s string) string {
	if len(s) <= quotedMax {
		return s
	}
	end := quotedMax
	for end > quotedMax-utf8.UTFMax && !utf8.RuneStart(s[end]) { // of what is no UTF-8 no byte need begin a character
		end--
	}
	return s[:end] + "..."
}

// printable is a message of go-toml, which may have a name of the file in it.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if !strconv.IsPrint(r) {
			return '?'
		}
		return r
	}, s)
}
