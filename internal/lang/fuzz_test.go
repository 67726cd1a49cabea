// SPDX-License-Identifier: GPL-2.0-or-later

package lang

import (
	"bytes"
	"encoding/binary"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/leonelquinteros/gotext"
	"golang.org/x/text/encoding/ianaindex"
)

// catalogueOf is a catalogue as msgfmt(1) makes it.
func catalogueOf(order binary.AppendByteOrder, texts ...[2]string) []byte {
	b := order.AppendUint32(nil, moMagic)
	n := uint32(len(texts))
	const head = 28
	for _, v := range []uint32{0, n, head, head + n*moString, 0, 0} {
		b = order.AppendUint32(b, v)
	}
	at := head + 2*n*moString
	var data []byte
	for i := range 2 {
		for _, t := range texts {
			b = order.AppendUint32(b, uint32(len(t[i])))
			b = order.AppendUint32(b, at+uint32(len(data)))
			data = append(append(data, t[i]...), 0)
		}
	}
	return append(b, data...)
}

// Real catalogues have the texts that gotext finds in them.
func TestReadMo(t *testing.T) {
	files, err := filepath.Glob(messagesDir + "/*/LC_MESSAGES/libc.mo")
	if err != nil || len(files) == 0 {
		t.Fatalf("no catalogues of the C library (apt install libc-l10n): %v", err)
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		mo := gotext.NewMo()
		mo.Parse(data)
		want, got := map[string]string{}, readMo(data)
		add(mo.GetDomain(), want)
		for english, text := range want {
			if got[english] != text {
				t.Errorf("%s: %q is %q, want %q", file, english, got[english], text)
			}
		}
		if len(got) < len(want) || moCharset(got[""]) == "" {
			t.Errorf("%s: %d texts, want %d, in %q", file, len(got), len(want), moCharset(got[""]))
		}
	}
}

// A catalogue that is broken costs no more than its size, and what is read of it stands in it.
func FuzzReadMo(f *testing.F) {
	head := [2]string{"", "Content-Type: text/plain; charset=ISO-8859-1\n"}
	for _, order := range []binary.AppendByteOrder{binary.LittleEndian, binary.BigEndian} {
		b := catalogueOf(order, head, [2]string{"Success", "Erfolg"}, [2]string{"%d file\x00%d files", "%d Datei\x00%d Dateien"})
		f.Add(b)
		f.Add(b[:len(b)-9])
	}
	negative := catalogueOf(binary.LittleEndian, head) // ended the program
	binary.LittleEndian.PutUint32(negative[28+8:], 1<<31)
	f.Add(negative)
	huge := catalogueOf(binary.LittleEndian, head) // took 64 GiB
	binary.LittleEndian.PutUint32(huge[8:], ^uint32(0))
	f.Add(huge)
	f.Fuzz(func(t *testing.T, data []byte) {
		total := 0
		for english, text := range readMo(data) {
			total += len(english) + len(text)
			if !bytes.Contains(data, []byte(english)) || !bytes.Contains(data, []byte(text)) || strings.Contains(english+text, "\x00") {
				t.Errorf("%q is %q", english, text)
			}
		}
		if total > len(data) {
			t.Errorf("%d bytes of texts in %d", total, len(data))
		}
		_ = moCharset(string(data))
	})
}

// What a catalogue has is what was put into it.
func FuzzCatalogue(f *testing.F) {
	f.Add("Content-Type: text/plain; charset=UTF-8\n", "Success", "Erfolg", true)
	f.Add("content-type:x;charset=", "\xff", "", false)
	f.Fuzz(func(t *testing.T, head, english, text string, big bool) {
		if strings.Contains(head+english+text, "\x00") || english == "" {
			return
		}
		order := binary.AppendByteOrder(binary.LittleEndian)
		if big {
			order = binary.BigEndian
		}
		got := readMo(catalogueOf(order, [2]string{"", head}, [2]string{english, text}))
		if len(got) != 2 || got[""] != head || got[english] != text {
			t.Errorf("%q", got)
		}
		if c := moCharset(head); strings.TrimSpace(c) != c || !strings.Contains(head, c) {
			t.Errorf("charset %q", c)
		}
	})
}

// A text is written in a charset such that it can be read again, but for letters that others stand for; or not at all.
func FuzzConvert(f *testing.F) {
	for _, c := range []string{"UTF-8", "ISO-8859-1", "8859-15", "EUC-JP", "SJIS", "GB18030", "Big5", "KOI8-R", "ASCII", "", "UTF-16", "UTF-7", "utf8//TRANSLIT", "cp125", "iso8859", "\xff"} {
		f.Add(c, "de", "Hört «ß» 状態 €\n")
	}
	f.Fuzz(func(t *testing.T, name, language, text string) {
		c := charset{name: name, language: language}
		convert, ok := c.converter()
		again, same := c.converter()
		if same != ok {
			t.Fatalf("%q is known: %v, %v", name, ok, same)
		}
		if !ok {
			return
		}
		got, ok := convert(text)
		if got2, ok2 := again(text); got2 != got || ok2 != ok {
			t.Errorf("%q in %q: %q, and then %q", text, name, got, got2)
		}
		if !ok || got == "" || !utf8.ValidString(text) || strings.ContainsRune(text, utf8.RuneError) {
			return
		}
		if slices.ContainsFunc([]rune(text), func(r rune) bool { _, ok := c.substitute(r); return ok }) {
			return
		}
		e, err := ianaindex.IANA.Encoding(iana(name))
		if err != nil || e == nil {
			return // ASCII
		}
		if back, err := e.NewDecoder().String(got); err != nil || back != text {
			t.Errorf("%q in %q is %q, which is %q, %v", text, name, got, back, err)
		}
	})
}

// The charset of a locale is what stands in its file, or is not known.
func FuzzCodeset(f *testing.F) {
	var file []byte
	for _, v := range []uint32{0x20090720, 86} {
		file = binary.NativeEndian.AppendUint32(file, v)
	}
	for range 15 {
		file = binary.NativeEndian.AppendUint32(file, 17*4)
	}
	f.Add(append(slices.Clone(file), "UTF-8\x00"...))
	f.Add(file)
	f.Add(append(slices.Clone(file), strings.Repeat("x", 100)...))
	path := filepath.Join(f.TempDir(), "LC_CTYPE")
	f.Fuzz(func(t *testing.T, data []byte) {
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		if name, ok := codeset(path); !bytes.Contains(data, []byte(name)) || len(name) > 64 || strings.Contains(name, "\x00") || !ok && len(name) > 64 {
			t.Errorf("%q", name)
		}
	})
}

// The name of a locale is what its parts make, and no file outside of its directory is looked for.
func FuzzLocale(f *testing.F) {
	for _, s := range []string{"de_DE.UTF-8@euro", "C", "", "_.@", "../../etc", "de_DE.@x", "a@b.c_d", "\x00"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, name string) {
		l := parseLocale(name)
		if again := parseLocale(l.file(l.codeset, l.modifier)); again != l && l.language+l.territory != "" {
			t.Errorf("%q is %+v, and then %+v", name, l, again)
		}
		if n := normalized(name); normalized(n) != n || strings.Trim(n, "abcdefghijklmnopqrstuvwxyz0123456789") != "" {
			t.Errorf("%q is %q", name, n)
		}
		if !sameCharset(name, name) {
			t.Errorf("%q is another charset than itself", name)
		}
		for _, file := range l.catalogueFiles() {
			if strings.Contains(file, "/") {
				t.Errorf("%q: %q", name, file)
			}
		}
		if (locales{dir: f.Name()}).has(name) && !plain(name) {
			t.Errorf("%q is there", name)
		}
	})
}
