// SPDX-License-Identifier: GPL-2.0-or-later

package lang

import (
	"os"
	"path/filepath"
	"strings"
	"sync"

	"golang.org/x/text/encoding/ianaindex"
)

// messagesDir is where the C library has its catalogues, whatever LOCPATH says.
const messagesDir = "/usr/share/locale"

// libcTexts are the texts that the C library says in netstat's name: those of getopt and strerror. German has all of them.
var libcTexts = sync.OnceValue(func() map[string]string {
	data, err := files.ReadFile("po/libc/de.po")
	if err != nil {
		panic(err) // embedded
	}
	texts := map[string]string{}
	read(data, texts)
	return texts
})

// libc is the C library's catalogues of this machine, which netstat has such texts from: in Chinese too, and not at all where
// they are not installed (Debian: libc-l10n).
type libc struct {
	files   []string
	convert func(string) (string, bool)
	read    func() map[string]string
}

// newLibc is nil when there are none. They are read when they are first needed, which is when something is wrong.
func newLibc(languages []string, c charset) *libc {
	convert, ok := c.converter()
	if !ok {
		return nil
	}
	l := &libc{convert: convert}
	for _, entry := range languages {
		for _, name := range parseLocale(entry).catalogueFiles() {
			path := filepath.Join(messagesDir, name, "LC_MESSAGES", "libc.mo")
			if _, err := os.Stat(path); err == nil {
				l.files = append(l.files, path)
				break
			}
		}
	}
	if l.files == nil {
		return nil
	}
	l.read = sync.OnceValue(l.load)
	return l
}

// catalogueFiles are the directories that gettext looks into, but for those with a codeset: nobody has such.
func (l locale) catalogueFiles() (names []string) {
	for _, name := range []string{l.place(), l.language} {
		if strings.Contains(name, "/") || name == "" {
			continue
		}
		if l.modifier != "" && !strings.Contains(l.modifier, "/") {
			names = append(names, name+"@"+l.modifier)
		}
		names = append(names, name)
	}
	return names
}

// text is what stands for an English one: that itself when there is nothing else.
func (l *libc) text(english string) string {
	if l == nil || libcTexts()[english] == "" {
		return english
	}
	if text, ok := l.read()[english]; ok {
		return text
	}
	return english
}

func (l *libc) load() map[string]string {
	texts := map[string]string{}
	for i := len(l.files) - 1; i >= 0; i-- { // the first language has the last word
		data, err := os.ReadFile(l.files[i])
		if err != nil {
			continue
		}
		all := readMo(data)
		from, err := ianaindex.IANA.Encoding(iana(moCharset(all[""])))
		if err != nil || from == nil {
			continue
		}
		for english := range libcTexts() {
			utf8, err := from.NewDecoder().String(all[english])
			if err != nil || utf8 == "" {
				continue
			}
			if text, ok := l.convert(utf8); ok {
				texts[english] = text
			}
		}
	}
	return texts
}
