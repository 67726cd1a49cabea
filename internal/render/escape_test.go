// SPDX-License-Identifier: GPL-2.0-or-later

package render

import (
	"strconv"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

func TestAppendEscaped(t *testing.T) {
	for s, want := range map[string]string{
		"":                      "",
		"nginx: worker process": "nginx: worker process",
		"~ !\"'":                "~ !\"'",
		"r\u00e9sum\u00e9":      "r\u00e9sum\u00e9",
		"\u65e5\u672c":          "\u65e5\u672c",
		"\U0001f600":            "\U0001f600",
		"\x00\x01\x1f":          `\x00\x01\x1f`,
		"a\nb\tc\rd":            `a\nb\tc\x0dd`,
		"\x7f":                  `\x7f`,
		"\x1b[31mred\x1b[m":     `\x1b[31mred\x1b[m`,
		"\x1b]0;title\x07":      `\x1b]0;title\x07`,
		"\u0080\u009b2J\u009f":  `\u0080\u009b2J\u009f`,     // C1: \u009b is CSI in one character
		"\x9b2J":                `\x9b2J`,                   // and in one byte, on a terminal that is not UTF-8
		`\x1b`:                  `\\x1b`,                    // not to be taken for an escape of ours
		"\u202egnp.exe\u2066":   `\u202egnp.exe\u2066`,      // bidirectional controls
		"a\u200bb\ufeffc\u00ad": `a\u200bb\ufeffc\u00ad`,    // nothing to be seen of these
		"a\u00a0b\u3000c\u2028": `a\u00a0b\u3000c\u2028`,    // blanks and ends of lines that are not what they seem
		"\U000e0041\U0010ffff":  `\U000e0041\U0010ffff`,     // tags, and what is no character
		"\xc3":                  `\xc3`,                     // cut in the middle
		"\xc0\x80\xed\xa0\x80":  `\xc0\x80\xed\xa0\x80`,     // overlong, surrogate
		"\ufffd\xff":            "\ufffd" + `\xff`,          // the replacement character itself is a character
		"\xf0\x9f\x98":          `\xf0\x9f\x98`,             // each byte of a cut one
		"\u00e9\x1b\u00e9\\\n":  "\u00e9\\x1b\u00e9\\\\\\n", // mixed
	} {
		if got := AppendEscaped([]byte("\x1b"), s); string(got) != "\x1b"+want {
			t.Errorf("%q: %q, want %q", s, got[1:], want)
		}
	}
}

// unescape is the reverse of AppendEscaped, whose escapes are those of Go's strings.
func unescape(t *testing.T, s string) string {
	t.Helper()
	s, err := strconv.Unquote(`"` + strings.ReplaceAll(s, `"`, `\"`) + `"`)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// FuzzAppendEscaped checks that nothing but printable characters comes out, and that what went in
// can be told from it: no two names are written the same.
func FuzzAppendEscaped(f *testing.F) {
	for _, s := range []string{"", `\`, "\n", `\n`, "\x1b[31m", "\u009b", "\x9b", "\u202e", `\u202e`, "\xff", `"`, "\U000e0041", "\xf0\x9f\x98", "\ufffd"} {
		f.Add(s, "sshd")
		f.Add(s, `\`+s)
		f.Add(s, string(AppendEscaped(nil, s)))
	}
	f.Fuzz(func(t *testing.T, one, other string) {
		escaped := make([]string, 0, 2)
		for _, s := range []string{one, other} {
			e := string(AppendEscaped(nil, s))
			if !utf8.ValidString(e) {
				t.Errorf("%q: %q is not UTF-8", s, e)
			}
			for _, r := range e {
				if !unicode.IsPrint(r) {
					t.Errorf("%q: %U in %q", s, r, e)
				}
			}
			if harmless([]byte(s)) != (strings.ReplaceAll(e, `\\`, `\`) == s) {
				t.Errorf("%q: harmless: %v, escaped: %q", s, harmless([]byte(s)), e)
			}
			if plain([]byte(s)) && e != s {
				t.Errorf("%q is plain and became %q", s, e)
			}
			if back := unescape(t, e); back != s {
				t.Errorf("%q: %q, from which comes %q", s, e, back)
			}
			escaped = append(escaped, e)
		}
		if one != other && escaped[0] == escaped[1] {
			t.Errorf("%q and %q both became %q", one, other, escaped[0])
		}
	})
}
