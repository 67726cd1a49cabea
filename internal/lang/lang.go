// SPDX-License-Identifier: GPL-2.0-or-later

// Package lang translates what netlive prints into the language that the environment asks for, by the rules of GNU
// gettext.
//
// The catalogues are po/*.po, and po/libc/*.po for what the C library says in netstat's name. Their msgids are net-tools' own English texts, byte for byte, headings as whole lines with
// their line feed. Those of the languages that net-tools 2.10 has are
// its own, with their faults, as netstat prints them; Chinese is ours.
//
// To add a language: copy po/zh_CN.po to po/NAME.po, where NAME is what gettext calls the language (fr, pt_BR); write
// each msgstr with the printf verbs of its msgid in their order and with the same line feeds at its end; keep the columns
// of headings where they are, counted as a terminal shows them, and leave in English what scripts look for: states,
// protocols, flags. Then give NAME its line in catalogues (catalogue.go). The tests find what does not fit.
package lang

import (
	"maps"
	"strings"
)

// Language is the words of a language in the character set of a terminal. nil is English.
type Language struct {
	tag   string
	texts map[string]string
	// libc is the C library's own catalogue on this machine: Strict alone has it.
	libc  *libc
	point string
}

// Choose gives the language that env, as os.Getenv, asks for. Whether the C library knows a locale of that name, without
// which netstat speaks English, does not matter.
func Choose(env func(string) string) *Language {
	l := &Language{tag: "en", point: environ(env).decimalPoint()}
	if name := environ(env).catalogue(false); name != "" {
		l.load(name, environ(env).charset("UTF-8"))
		delete(l.texts, header)
	}
	return l
}

// Strict gives the language that netstat of net-tools 2.10 would speak, if netlive has it: not Chinese, and only if the C
// library has all locales that env asks for. That is a look at files; what cannot be read is not there.
func Strict(env func(string) string) *Language {
	return strict(environ(env), localeDir)
}

func strict(env environ, dir string) *Language {
	l := &Language{tag: "en", point: "."}
	have := locales{dir: dir, path: env("LOCPATH")}
	for _, name := range env.locales() {
		if !have.has(name) {
			return l // setlocale fails as a whole
		}
	}
	l.point = env.decimalPoint()
	// What German locales without a charset in their names are installed with, and so those next to them.
	unnamed := "ISO-8859-1"
	if strings.HasSuffix(env.category("LC_CTYPE"), "@euro") {
		unnamed = "ISO-8859-15"
	}
	charset := env.charset(unnamed)
	if name := env.catalogue(true); name != "" {
		l.load(name, charset)
		maps.DeleteFunc(l.texts, func(english, _ string) bool { return libcTexts()[english] != "" })
		if text, ok := l.texts[header]; ok {
			l.texts[""] = text
			delete(l.texts, header)
		}
	}
	l.libc = newLibc(env.languages(), charset)
	return l
}

// header is the msgid of a catalogue's own header, which gettext gives for an empty text.
const header = "(header)"

// Text is what stands for an English text of net-tools: that itself when it has no translation.
func (l *Language) Text(english string) string {
	if l == nil {
		return english
	}
	if text, ok := l.texts[english]; ok {
		return text
	}
	return l.libc.text(english)
}

// Translates reports whether Text may give something else than English.
func (l *Language) Translates() bool { return l != nil && (l.texts != nil || l.libc != nil) }

// Tag is the BCP 47 tag of the language, as in en or zh-CN.
func (l *Language) Tag() string {
	if l == nil {
		return "en"
	}
	return l.tag
}

// DecimalPoint is what parts the fraction of a number: a point, a comma, Pashto's own. It goes by its own variable and may differ
// from what is usual in the language.
func (l *Language) DecimalPoint() string {
	if l == nil {
		return "."
	}
	return l.point
}
