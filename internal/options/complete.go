// SPDX-License-Identifier: GPL-2.0-or-later

package options

import (
	"maps"
	"slices"
	"strings"
)

// Option is an option as it can be typed.
type Option struct {
	Name     string // with its dashes
	Argument bool   // the next word is its argument
}

// List is all options of a face: letters, then long ones. That there is an option does not say that a verb takes it.
func List(face Face) (list []Option) {
	for i, c := range shortOptions {
		if c != ':' {
			list = append(list, Option{"-" + string(c), strings.HasPrefix(shortOptions[i+1:], ":")})
		}
	}
	g := newGetopt(face, "", nil)
	for _, o := range slices.Concat(g.long, g.exact) {
		option := Option{"--" + o.name, o.arg == requiredArgument}
		if !slices.Contains(list, option) { // --unix is in netstat's table twice
			list = append(list, option)
		}
	}
	return list
}

// Next is what the word after some others is going to be.
type Next struct {
	// Argument is the option whose argument it is, by its long name; empty when it is none.
	Argument string
	// Command says that it is one of the command of a Runner, Operand that it is no option, whatever it begins with.
	Command, Operand bool
	// Operands are the words before it that are no options.
	Operands []string
}

// After reads args, and says what the word after them is. ok is false where args are wrong by getopt's rules: then nobody knows.
func After(face Face, args []string) (next Next, ok bool) {
	const word = "\x00" // no argument of a program has a NUL
	g := newGetopt(face, "", nil)
	operands, rest, err := g.parse(append(slices.Clone(args), word), func(val int, arg string) error {
		if arg == word {
			next.Argument = g.nameOf(val)
		}
		return nil
	})
	if err != nil {
		return Next{}, false
	}
	if slices.Contains(rest, word) {
		next.Command, next.Operand = face == Runner, face != Runner
		operands = append(operands, rest...)
	}
	next.Operands = slices.DeleteFunc(operands, func(s string) bool { return s == word })
	return next, true
}

// nameOf is the long name of the option that has val.
func (g *getopt) nameOf(val int) string {
	for _, o := range slices.Concat(g.long, g.exact) {
		if o.val == val {
			return o.name
		}
	}
	return ""
}

// Families are the words that -A takes.
func Families() []string { return slices.Sorted(maps.Keys(families)) }
