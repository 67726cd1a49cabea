// SPDX-License-Identifier: GPL-2.0-or-later

package filter

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

type tokenKind uint8

const (
	tokenEnd tokenKind = iota
	tokenWord
	tokenQuoted // text is without the quotes
	tokenSign   // an operator, a bracket or a comma
	tokenOpen   // a quote that is never closed
)

// token is one piece of a filter. It begins at off and ends before end, in bytes.
type token struct {
	kind     tokenKind
	text     string
	off, end int
}

// is reports whether t is that sign.
func (t token) is(sign string) bool { return t.kind == tokenSign && t.text == sign }

// keyword reports whether t is that word, unquoted and in any case.
func (t token) keyword(word string) bool {
	return t.kind == tokenWord && strings.EqualFold(t.text, word)
}

// signs are longest first. Nothing else ends a word but white space and quotes, so addresses, paths and names need none.
var signs = []string{"==", "!=", "!~", "<=", ">=", "&&", "||", "=", "!", "<", ">", "~", "&", "|", "(", ")", "{", "}", ","}

const notInWords = `=!<>~&|(){},"'`

// lex returns the token that begins at or after off.
func lex(text string, off int) token {
	off += len(text[off:]) - len(strings.TrimLeftFunc(text[off:], unicode.IsSpace))
	rest := text[off:]
	if rest == "" {
		return token{kind: tokenEnd, off: off, end: off}
	}
	if rest[0] == '"' || rest[0] == '\'' {
		return lexQuoted(text, off)
	}
	for _, s := range signs {
		if strings.HasPrefix(rest, s) {
			return token{kind: tokenSign, text: s, off: off, end: off + len(s)}
		}
	}
	n := strings.IndexFunc(rest, func(r rune) bool { return unicode.IsSpace(r) || strings.ContainsRune(notInWords, r) })
	if n < 0 {
		n = len(rest)
	}
	return token{kind: tokenWord, text: rest[:n], off: off, end: off + n}
}

// lexQuoted takes a quoted text. What is in single quotes stands for itself. In double quotes \\, \" and \xNN (a byte) stand
// for one character; any other backslash stands for itself, so that regular expressions can be written as they are.
func lexQuoted(text string, off int) token {
	quote := text[off]
	var b []byte
	for i := off + 1; i < len(text); i++ {
		c := text[i]
		switch {
		case c == quote:
			return token{kind: tokenQuoted, text: string(b), off: off, end: i + 1}
		case c != '\\' || quote == '\'' || i+1 == len(text):
		case text[i+1] == '\\' || text[i+1] == '"':
			i++
			c = text[i]
		case text[i+1] == 'x' && i+3 < len(text) && isHex(text[i+2]) && isHex(text[i+3]):
			c = unhex(text[i+2])<<4 | unhex(text[i+3])
			i += 3
		}
		b = append(b, c)
	}
	return token{kind: tokenOpen, text: string(quote), off: off, end: len(text)}
}

// lexRegexp takes a regular expression, which is not made of tokens: up to white space, or up to a bracket that closes what was
// opened before it, as in ( proc ~ ^(a|b)$ ). It may be quoted.
func lexRegexp(text string, off int) token {
	t := lex(text, off)
	if t.kind == tokenEnd || t.kind == tokenQuoted || t.kind == tokenOpen {
		return t
	}
	depth, class := 0, false
	i := t.off
scan:
	for i < len(text) {
		r, n := utf8.DecodeRuneInString(text[i:])
		switch {
		case unicode.IsSpace(r):
			break scan
		case r == '\\' && i+1 < len(text):
			_, after := utf8.DecodeRuneInString(text[i+1:])
			n += after
		case class:
			class = r != ']'
		case r == '[':
			class = true
		case r == '(':
			depth++
		case r == ')':
			if depth == 0 {
				break scan
			}
			depth--
		}
		i += n
	}
	if i == t.off {
		return t
	}
	return token{kind: tokenQuoted, text: text[t.off:i], off: t.off, end: i}
}

// quote is the reverse of lexQuoted.
func quote(s string) string {
	b := []byte{'"'}
	for _, r := range s {
		if r == utf8.RuneError || !unicode.IsPrint(r) {
			return quoteBytes(s)
		}
		if r == '"' || r == '\\' {
			b = append(b, '\\')
		}
		b = utf8.AppendRune(b, r)
	}
	return string(append(b, '"'))
}

// quoteBytes quotes what is not all printable: each byte that is not ASCII is told by its number.
func quoteBytes(s string) string {
	const digits = "0123456789abcdef"
	b := []byte{'"'}
	for i := range len(s) {
		switch c := s[i]; {
		case c == '"' || c == '\\':
			b = append(b, '\\', c)
		case c < ' ' || c > '~':
			b = append(b, '\\', 'x', digits[c>>4], digits[c&15])
		default:
			b = append(b, c)
		}
	}
	return string(append(b, '"'))
}

func isHex(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'f' || 'A' <= c && c <= 'F'
}

func unhex(c byte) byte {
	switch {
	case c >= 'a':
		return c - 'a' + 10
	case c >= 'A':
		return c - 'A' + 10
	}
	return c - '0'
}
