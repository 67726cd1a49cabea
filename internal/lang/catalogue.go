// SPDX-License-Identifier: GPL-2.0-or-later

package lang

import (
	"cmp"
	"embed"
	"strings"

	"github.com/leonelquinteros/gotext"
)

//go:embed po/*.po po/libc/*.po
var files embed.FS

// catalogues says which languages and which of their places have which catalogue. german and deutsch are in the C
// library's locale.alias.
var catalogues = map[string]string{
	"de": "de", "german": "de", "deutsch": "de",
	"cs": "cs", "et": "et", "fr": "fr", "ja": "ja", "pt_BR": "pt_BR",
	"zh": "zh_CN",
}

// netstats reports whether a catalogue is of a language that Debian's net-tools 2.10 has. Ours of those are theirs.
func netstats(name string) bool { return name != "zh_CN" }

// catalogue is the name of the catalogue for a locale, "" when there is none.
func (l locale) catalogue() string { return cmp.Or(catalogues[l.place()], catalogues[l.language]) }

// load makes the language that of a catalogue, as far as its charset can write it.
func (l *Language) load(name string, c charset) {
	convert, ok := c.converter()
	if !ok {
		return // as gettext does
	}
	l.tag = strings.ReplaceAll(name, "_", "-")
	l.texts = map[string]string{}
	for english, text := range parse(name) {
		if text, ok := convert(text); ok {
			l.texts[english] = text
		}
	}
}

// parse reads a catalogue, which must be there, and that of the C library's texts if there is one.
func parse(name string) map[string]string {
	data, err := files.ReadFile("po/" + name + ".po")
	if err != nil {
		panic(err) // embedded
	}
	texts := map[string]string{}
	read(data, texts)
	if data, err := files.ReadFile("po/libc/" + name + ".po"); err == nil {
		read(data, texts)
	}
	return texts
}

func read(po []byte, texts map[string]string) {
	file := gotext.NewPo()
	file.Parse(po)
	add(file.GetDomain(), texts)
}

// add adds what a domain has to texts.
func add(d *gotext.Domain, texts map[string]string) {
	for english, t := range d.GetTranslations() {
		if english != "" && t.IsTranslated() {
			texts[english] = t.Get()
		}
	}
}
