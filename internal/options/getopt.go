// SPDX-License-Identifier: GPL-2.0-or-later

package options

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// hasArg says whether a long option takes an argument.
type hasArg uint8

const (
	noArgument hasArg = iota
	requiredArgument
)

// longOption is one row of a getopt_long table. Options that share val are one option to
// the caller; two rows with the same val and hasArg are never ambiguous.
type longOption struct {
	name string
	arg  hasArg
	val  int
}

// getopt is GNU getopt_long: short options bundle, options and operands mix, "--" ends
// the options, long options may be cut short as long as one can tell which is meant.
type getopt struct {
	prog  string // argv[0], which begins each message
	texts Texts
	short string // as getopt(3) has it: a letter followed by ':' takes an argument
	long  []longOption
	// exact are long options that no shortened name can mean.
	exact []longOption
	// posixly ends the options at the first operand (POSIXLY_CORRECT).
	posixly bool
}

// parse calls each with every option and its argument (for a long option without one: its
// whole name), in order, and returns the operands, and apart from them what follows "--": nil when that is not there. It stops at the
// first error, be it its own or each's.
func (g *getopt) parse(args []string, each func(val int, arg string) error) (operands, rest []string, err error) {
	for i := 0; i < len(args); i++ {
		a := args[i]
		switch {
		case a == "--":
			return operands, args[i+1:], nil
		case len(a) < 2 || a[0] != '-':
			if g.posixly {
				return append(operands, args[i:]...), nil, nil
			}
			operands = append(operands, a)
		case a[1] == '-':
			err = g.parseLong(a[2:], args, &i, each)
		default:
			err = g.parseShort(a[1:], args, &i, each)
		}
		if err != nil {
			return operands, nil, err
		}
	}
	return operands, nil, nil
}

func (g *getopt) parseShort(letters string, args []string, i *int, each func(int, string) error) error {
	for letters != "" {
		// getopt knows bytes, not characters: its message has the first byte of é.
		c, letter := letters[0], letters[:1]
		letters = letters[1:]
		at := strings.IndexByte(g.short, c)
		if at < 0 || c == ':' || c == ';' {
			return g.errorf("%s: invalid option -- '%c'\n", letter)
		}
		arg := ""
		if strings.HasPrefix(g.short[at+1:], ":") {
			switch {
			case letters != "":
				arg, letters = letters, ""
			case *i+1 < len(args):
				*i++
				arg = args[*i]
			default:
				return g.errorf("%s: option requires an argument -- '%c'\n", letter)
			}
		}
		if err := each(int(c), arg); err != nil {
			return err
		}
	}
	return nil
}

func (g *getopt) parseLong(text string, args []string, i *int, each func(int, string) error) error {
	name, arg, given := strings.Cut(text, "=")
	o, err := g.find(name, text)
	if err != nil {
		return err
	}
	switch {
	case o.arg == noArgument && given:
		return g.errorf("%s: option '%s%s' doesn't allow an argument\n", "--", o.name)
	case o.arg == requiredArgument && !given:
		if *i+1 >= len(args) {
			return g.errorf("%s: option '%s%s' requires an argument\n", "--", o.name)
		}
		*i++
		arg = args[*i]
	case o.arg == noArgument:
		arg = o.name
	}
	return each(o.val, arg)
}

// find is glibc's rule: an exact name wins; else the first that begins so, unless a later
// one that begins so differs from it in what it means. All that differ are named. Messages have the
// option as it was written, with its argument.
func (g *getopt) find(name, text string) (*longOption, error) {
	for i := range g.exact {
		if g.exact[i].name == name {
			return &g.exact[i], nil
		}
	}
	var found *longOption
	var possible []string
	for i := range g.long {
		o := &g.long[i]
		switch {
		case o.name == name:
			return o, nil
		case !strings.HasPrefix(o.name, name):
		case found == nil:
			found = o
		case o.arg != found.arg || o.val != found.val:
			possible = append(possible, o.name)
		}
	}
	switch {
	case found == nil:
		return nil, g.errorf("%s: unrecognized option '%s%s'\n", "--", text)
	case possible != nil:
		err := g.errorf("%s: option '%s%s' is ambiguous; possibilities:", "--", text)
		for _, name := range append([]string{found.name}, possible...) {
			err.message += " '--" + name + "'"
		}
		return nil, err
	}
	return found, nil
}

// getoptError is a command line that getopt refuses; the message is getopt's.
type getoptError struct{ message string }

func (e *getoptError) Error() string { return e.message }

// errorf makes glibc's message, by its own text for it: in the language of netstat's. %c is a byte there, and a string here.
func (g *getopt) errorf(text string, args ...any) *getoptError {
	format := strings.ReplaceAll(g.texts.text(text), "%c", "%s")
	if g.exact != nil { // netlive says it, and not netstat
		for i, arg := range args {
			if word, ok := arg.(string); ok {
				args[i] = shown(word)
			}
		}
	}
	return &getoptError{oneLine(fmt.Sprintf(format, append([]any{g.prog}, args...)...))}
}

// shown is a word of the command line as a message has it: one that could do something to a terminal, as it would be written in Go. (Scripts make command
// lines of what strangers have named.)
func shown(word string) string {
	if utf8.ValidString(word) && strings.IndexFunc(word, func(r rune) bool { return !unicode.IsPrint(r) }) < 0 {
		return word
	}
	quoted := strconv.Quote(word)
	return quoted[1 : len(quoted)-1]
}
