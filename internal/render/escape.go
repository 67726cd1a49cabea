// SPDX-License-Identifier: GPL-2.0-or-later

package render

import (
	"fmt"
	"unicode"
	"unicode/utf8"
)

// AppendEscaped appends s so that it cannot do anything to a terminal: control characters, invalid UTF-8
// and the marks that turn the direction of writing become visible escapes (\n, \x1b, \u202e), and so does the
// backslash, so that no two strings are written the same.
func AppendEscaped(b []byte, s string) []byte {
	for len(s) > 0 {
		r, n := utf8.DecodeRuneInString(s)
		switch {
		case r == utf8.RuneError && n == 1:
			b = fmt.Appendf(b, `\x%02x`, s[0])
		case r == '\\':
			b = append(b, `\\`...)
		case r == '\n':
			b = append(b, `\n`...)
		case r == '\t':
			b = append(b, `\t`...)
		case r < 0x80 && !safeByte(byte(r)):
			b = fmt.Appendf(b, `\x%02x`, r)
		case r >= 0x80 && !unicode.IsPrint(r):
			// Format characters, among them the bidirectional controls, are not printable.
			if r > 0xffff {
				b = fmt.Appendf(b, `\U%08x`, r)
			} else {
				b = fmt.Appendf(b, `\u%04x`, r)
			}
		default:
			b = append(b, s[:n]...)
		}
		s = s[n:]
	}
	return b
}

func safeByte(c byte) bool { return c >= ' ' && c < 0x7f }

// plain reports whether AppendEscaped would leave b as it is; it does most names.
func plain(b []byte) bool {
	for _, c := range b {
		if !safeByte(c) || c == '\\' {
			return false
		}
	}
	return true
}

// harmless reports whether b can do nothing to a terminal. In netstat's tables such names stay as they are, backslashes
// (systemd has many) too.
func harmless(b []byte) bool {
	for len(b) > 0 {
		r, n := utf8.DecodeRune(b)
		if r == utf8.RuneError && n == 1 || !unicode.IsPrint(r) {
			return false
		}
		b = b[n:]
	}
	return true
}

// escapeFrom escapes what b has from at on, which a stranger named, if that is wanted and could do something to a terminal.
func escapeFrom(b []byte, at int, escape bool) []byte {
	if escape && !harmless(b[at:]) {
		b = AppendEscaped(b[:at], string(b[at:]))
	}
	return b
}

// appendName appends what a stranger named, as it is or with escape so that it can do nothing to a terminal.
func appendName(b, name []byte, escape bool) []byte {
	if !escape || harmless(name) {
		return append(b, name...)
	}
	return AppendEscaped(b, string(name))
}
