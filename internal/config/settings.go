// SPDX-License-Identifier: GPL-2.0-or-later

package config

import (
	"slices"
	"strings"
	"time"

	"github.com/pelletier/go-toml/v2/unstable"
)

// setting is a key with its value.
type setting struct {
	p     *parser
	name  string
	line  int
	value *unstable.Node
}

// topKeys are the settings that are in no table.
var topKeys = []string{"screen", "group", "linger", "mouse", "ascii", "color", "background", "follow"}

// top sets one of topKeys.
func (p *parser) top(v setting) {
	c := &p.config
	switch v.name {
	case "screen":
		v.word(&c.Screen, "screen", screens)
	case "group":
		v.word(&c.Group, "group", p.schema.Groups)
	case "linger":
		v.linger(&c.Linger)
	case "mouse":
		v.flag(&c.Mouse)
	case "ascii":
		v.flag(&c.ASCII)
	case "color":
		v.word(&c.Color, "way", colors)
	case "background":
		v.word(&c.Background, "background", backgrounds)
	case "follow":
		v.flag(&c.Follow)
	default:
		v.failf("no such key%s", meant(v.name, slices.Concat(topKeys, p.tables())))
	}
}

// tableSettings are the settings of a table of the schema.
var tableSettings = []string{"columns", "hide", "sort"}

// column sets one of tableSettings.
func (p *parser) column(v setting, table, key string) {
	t, columns := p.config.Tables[table], p.schema.Screens[table]
	switch key {
	case "columns":
		v.columns(&t.Columns, columns)
	case "hide":
		v.columns(&t.Hide, columns)
	case "sort":
		v.sort(&t.Sort, table)
	default:
		v.failf("no such key%s", meant(key, tableSettings))
	}
	p.config.Tables[table] = t
}

// bind gives an action its keys.
func (p *parser) bind(v setting, action string) {
	if !slices.Contains(p.schema.Actions, action) {
		v.failf("no such action%s", meant(action, p.schema.Actions))
		return
	}
	items, ok := v.list(`["q", "ctrl+c"]`)
	if !ok {
		return
	}
	check := p.schema.CheckKey
	if check == nil {
		check = CheckKey
	}
	keys := make([]string, 0, len(items)) // not nil: no keys are other than those it has
	for _, it := range items {
		if err := check(it.text); err != nil {
			p.failf(it.line, v.name, "%v", err)
			continue
		}
		keys = append(keys, it.text)
		p.binds = append(p.binds, bind{action, it.text, it.line})
	}
	p.config.Keys[action] = keys
}

// paint gives a part of the screen its look.
func (p *parser) paint(v setting, part string) {
	if !slices.Contains(p.schema.Parts, part) {
		v.failf("no such part of the screen%s", meant(part, p.schema.Parts))
		return
	}
	if text, ok := v.text(`words such as "bold green"`); ok {
		s, err := ParseStyle(text)
		if err != nil {
			v.failf("%v", err)
			return
		}
		p.config.Colors[part] = s
	}
}

func (v setting) failf(format string, args ...any) { v.p.failf(v.line, v.name, format, args...) }

// wants is the error for a value of another kind.
func (v setting) wants(what string) { v.failf("wants %s, not %s", what, shown(v.value)) }

// shown is a value as an error repeats it.
func shown(value *unstable.Node) string {
	switch value.Kind {
	case unstable.String:
		return quote(string(value.Data))
	case unstable.Array:
		return "a list"
	case unstable.InlineTable:
		return "a table"
	}
	return cut(string(value.Data))
}

func (v setting) text(what string) (string, bool) {
	if v.value.Kind != unstable.String {
		v.wants(what)
		return "", false
	}
	return string(v.value.Data), true
}

// word is one of a few words.
func (v setting) word(to *string, what string, words []string) {
	text, ok := v.text("one of " + strings.Join(words, ", "))
	switch {
	case !ok:
	case slices.Contains(words, text):
		*to = text
	default:
		v.failf("%s is no %s%s", quote(text), what, meant(text, words))
	}
}

func (v setting) flag(to *bool) {
	if v.value.Kind != unstable.Bool {
		v.wants("true or false")
		return
	}
	*to = string(v.value.Data) == "true"
}

func (v setting) linger(to *time.Duration) {
	const what = `a time from "0s" to "10m", such as "3s"`
	if text, ok := v.text(what); ok {
		d, err := time.ParseDuration(text)
		if err != nil || d < 0 || d > LingerMax {
			v.wants(what)
			return
		}
		*to = d
	}
}

// columns is a list of columns, each once. No columns are nil.
func (v setting) columns(to *[]string, columns []string) {
	items, ok := v.list(`["proto", "local"]`)
	if !ok {
		return
	}
	var names []string
	for _, it := range items {
		if !slices.Contains(columns, it.text) {
			v.p.failf(it.line, v.name, "%s is no column%s", quote(it.text), meant(it.text, columns))
			continue
		}
		names = append(names, it.text)
	}
	*to = names
}

func (v setting) sort(to *string, table string) {
	sorts := v.p.schema.Sorts[table]
	if len(sorts) == 0 {
		v.failf("%s cannot be sorted", table)
		return
	}
	if text, ok := v.text(`a column such as "` + sorts[0] + `" or "-` + sorts[0] + `"`); ok {
		column, _ := Table{Sort: text}.Order()
		if text != "" && !slices.Contains(sorts, column) {
			v.failf("%s is no column to sort by%s", quote(column), meant(column, sorts))
			return
		}
		*to = text
	}
}

// listMax is how many texts a list may have.
const listMax = 50

// list is a list of texts, each once.
func (v setting) list(such string) (items []item, ok bool) {
	if v.value.Kind != unstable.Array {
		v.wants("a list such as " + such)
		return nil, false
	}
	line := v.line // a list or table in the list has no place of its own: it is near what was before
	n := 0
	for c := v.value.Children(); c.Next(); {
		e := c.Node()
		if e.Raw.Length > 0 {
			line = v.p.line(int(e.Raw.Offset))
		}
		if n++; n > listMax {
			v.p.failf(line, v.name, "more than %d in a list", listMax)
			break
		}
		text := string(e.Data)
		switch {
		case e.Kind != unstable.String:
			v.p.failf(line, v.name, "wants a list of texts, such as %s, not %s in it", such, shown(e))
		case slices.ContainsFunc(items, func(it item) bool { return it.text == text }):
			v.p.failf(line, v.name, "%s twice", quote(text))
		default:
			items = append(items, item{text, line})
		}
	}
	v.p.lists[v.name] = items
	return items, true
}

// hidden finds columns that are asked for and hidden.
func (p *parser) hidden() {
	for table, t := range p.config.Tables {
		for _, it := range p.lists[dotted(table, "hide")] {
			if slices.Contains(t.Columns, it.text) {
				p.failf(it.line, dotted(table, "hide"), "%s is in columns, line %d, too", quote(it.text), p.lines[dotted(table, "columns")])
			}
		}
	}
}

// conflicts finds keys that would do two things by the file. One that an action has of itself is not its any more when the file gives it to
// another.
func (p *parser) conflicts() {
	for i, b := range p.binds {
		for _, other := range p.binds[:i] {
			if other.key == b.key {
				p.failf(b.line, dotted(tableKeys, b.action), "%s is a key of %s already, line %d", quote(b.key), other.action, other.line)
			}
		}
	}
	for action, keys := range p.config.Keys {
		if _, set := p.lines[dotted(tableKeys, action)]; !set {
			p.config.Keys[action] = slices.DeleteFunc(keys, func(key string) bool {
				return slices.ContainsFunc(p.binds, func(b bind) bool { return b.key == key })
			})
		}
	}
}
