// SPDX-License-Identifier: GPL-2.0-or-later

package lang

import (
	"cmp"
	"errors"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/encoding/ianaindex"
)

// charset is what a terminal shows.
type charset struct {
	name string
	// language is that of the ctype locale, "" for C: the C library's locales say what stands for letters that the charset
	// lacks.
	language string
}

// aliases are names that the C library knows and IANA does not, as normalized writes them.
var aliases = map[string]string{
	"ascii": "US-ASCII", "usascii": "US-ASCII", "ansix341968": "US-ASCII", // C's
	"utf8": "UTF-8", "eucjp": "EUC-JP", "euckr": "EUC-KR", "koi8r": "KOI8-R", "koi8u": "KOI8-U", "sjis": "Shift_JIS",
	// Subsets of what there is.
	"gb2312": "GBK", "euccn": "GBK", "big5hkscs": "Big5", "euctw": "Big5",
}

// encoder gives a function that turns UTF-8 into the charset and errs at what the charset lacks; nil when that is not known.
func (c charset) encoder() func(string) (string, error) {
	name := iana(c.name)
	if name == "US-ASCII" { // which x/text has not
		return encodeASCII
	}
	e, err := ianaindex.IANA.Encoding(name)
	if err != nil || e == nil {
		return nil
	}
	return func(text string) (string, error) {
		b, err := e.NewEncoder().String(text)
		// The library's GB18030 writes letters of private use as the bytes of others.
		if err == nil && strings.ContainsFunc(text, func(r rune) bool { return unicode.Is(unicode.Co, r) }) {
			if back, err := e.NewDecoder().String(b); err != nil || back != text {
				return "", errPrivate
			}
		}
		return b, err
	}
}

var errPrivate = errors.New("a letter of private use")

var errNotASCII = errors.New("not ASCII")

func encodeASCII(text string) (string, error) {
	if strings.ContainsFunc(text, func(r rune) bool { return r >= utf8.RuneSelf }) {
		return "", errNotASCII
	}
	return text, nil
}

// iana is the name of a charset as IANA knows it.
func iana(name string) string {
	key := normalized(name)
	if n, ok := strings.CutPrefix(key, "iso8859"); ok {
		return "ISO-8859-" + n
	}
	if n, ok := strings.CutPrefix(key, "cp125"); ok {
		return "windows-125" + n
	}
	return cmp.Or(aliases[key], name)
}

// sameCharset reports whether two names are of one charset.
func sameCharset(a, b string) bool {
	return normalized(a) == normalized(b) || strings.EqualFold(iana(a), iana(b))
}

// normalized is how the C library compares names of charsets, and writes them in the names of locales' files: letters in
// lower case and digits (_nl_normalize_codeset in intl/l10nflist.c).
func normalized(name string) string {
	key := strings.Map(func(r rune) rune {
		switch {
		case 'A' <= r && r <= 'Z':
			return r - 'A' + 'a'
		case 'a' <= r && r <= 'z', '0' <= r && r <= '9':
			return r
		}
		return -1
	}, name)
	if key != "" && strings.Trim(key, "0123456789") == "" {
		return "iso" + key
	}
	return key
}

// converter gives a function that turns UTF-8 into the charset, false when the charset is not known. That function says
// false of texts that the charset cannot write.
func (c charset) converter() (func(string) (string, bool), bool) {
	encode := c.encoder()
	if encode == nil {
		return nil, false
	}
	if normalized(c.name) == "utf8" {
		return func(text string) (string, bool) { return text, true }, true
	}
	return func(text string) (string, bool) {
		if b, err := encode(text); err == nil {
			return b, true
		}
		return c.transliterate(encode, text)
	}, true
}

// transliterate writes a text letter by letter, with others for those that the charset lacks.
func (c charset) transliterate(encode func(string) (string, error), text string) (string, bool) {
	var b strings.Builder
	for _, r := range text {
		s, err := encode(string(r))
		if err != nil {
			ok := false
			if s, ok = c.substitute(r); !ok {
				return "", false
			}
		}
		b.WriteString(s)
	}
	return b.String(), true
}

// umlauts are what stands for a letter in locales of German and in others.
var umlauts = map[rune][2]string{
	'ä': {"ae", "a"}, 'ö': {"oe", "o"}, 'ü': {"ue", "u"}, 'Ä': {"AE", "A"}, 'Ö': {"OE", "O"}, 'Ü': {"UE", "U"},
}

// substitute is what the C library's iconv writes for a letter of our catalogues that a charset lacks (//TRANSLIT, which
// gettext asks for): seen with 2.36. Where it would write a question mark for each letter of a text, the text is better
// English: false.
func (c charset) substitute(r rune) (string, bool) {
	switch r {
	case 'ß':
		return "ss", true
	case '«':
		return "<<", true
	case '»':
		return ">>", true
	case '„':
		return ",,", true
	case '“', '”':
		return `"`, true
	case '…':
		return "...", true
	case '–':
		return "-", true
	}
	u, ok := umlauts[r]
	switch {
	case !ok:
		return "", false
	case c.language == "":
		return "?", true
	case c.language == "de":
		return u[0], true
	}
	return u[1], true
}
