// SPDX-License-Identifier: GPL-2.0-or-later

package lang

import (
	"bytes"
	"maps"
	"slices"
	"strings"
	"testing"
)

func TestConverter(t *testing.T) {
	for _, c := range []struct{ charset, language, text, want string }{
		{"UTF-8", "de", "Hört ß «日本» ✓", "Hört ß «日本» ✓"},
		{"utf8", "", "Hört", "Hört"},
		{"ISO-8859-1", "de", "Hört «ß»", "H\xf6rt \xab\xdf\xbb"},
		{"ISO8859-1", "de", "ö", "\xf6"},
		{"iso88591", "de", "ö", "\xf6"},
		{"8859-1", "de", "ö", "\xf6"},
		{"ISO-8859-15", "de", "Hört «ß»", "H\xf6rt \xab\xdf\xbb"},
		{"ISO-8859-15", "de", "€", "\xa4"},
		{"CP1252", "de", "„Hört“", "\x84H\xf6rt\x93"},
		{"KOI8-R", "de", "Gerät", "Geraet"},
		{"ISO-8859-2", "cs", "Aktivní spojení č ř ů", "Aktivn\xed spojen\xed \xe8 \xf8 \xf9"},
		{"ISO-8859-2", "de", "HÖRT «ä»", "H\xd6RT <<\xe4>>"},
		{"EUC-JP", "ja", "状態", "\xbe\xf5\xc2\xd6"},
		{"eucJP", "ja", "カ", "\xa5\xab"},
		{"Shift_JIS", "ja", "状態", "\x8f\xf3\x91\xd4"},
		{"SJIS", "ja", "カ", "\x83J"},
		{"GB18030", "zh", "状态", "\xd7\xb4\xcc\xac"},
		{"GB2312", "zh", "路由", "\xc2\xb7\xd3\xc9"},
		{"EUC-CN", "zh", "路由", "\xc2\xb7\xd3\xc9"},
		{"Big5", "zh", "路由", "\xb8\xf4\xa5\xd1"},

		// What stands for letters goes by the language of the charset's locale.
		{"ASCII", "", "Hört «ß» LISTEN", "H?rt <<ss>> LISTEN"},
		{"ANSI_X3.4-1968", "", "ä ö ü Ä Ö Ü", "? ? ? ? ? ?"},
		{"US-ASCII", "de", "ä ö ü Ä Ö Ü", "ae oe ue AE OE UE"},
		{"ISO-8859-5", "ru", "ä ö ü Ä Ö Ü", "a o u A O U"},
		{"EUC-JP", "ja", "Gerät", "Ger\x8f\xab\xa3t"},

		{"ISO-8859-2", "cs", "„-6“ … –", ",,-6\" ... -"},

		// What nothing stands for.
		{"ASCII", "", "状態", ""},
		{"ISO-8859-1", "ja", "状態", ""},
		{"ISO-8859-1", "cs", "Směrování", ""},
		{"ASCII", "de", "plain", "plain"},
	} {
		convert, ok := charset{name: c.charset, language: c.language}.converter()
		if !ok {
			t.Errorf("%s is not known", c.charset)
			continue
		}
		if got, ok := convert(c.text); got != c.want || ok != (c.want != "") {
			t.Errorf("%s of %q: %q in %s, %v, want %q", c.language, c.text, got, c.charset, ok, c.want)
		}
	}
	for _, name := range []string{"", "FOO", "UTF-9", "ISO-8859-99", "ISO-8859-", "88591x", "UTF-8\x00", "../UTF-8"} {
		if _, ok := (charset{name: name}).converter(); ok && normalized(name) != "utf8" {
			t.Errorf("%q is known", name)
		}
	}
}

func TestNormalized(t *testing.T) {
	for name, want := range map[string]string{
		"": "", "UTF-8": "utf8", "ISO_8859-1:1987": "iso885911987", "8859-1": "iso88591", "eucJP": "eucjp", "-": "", "Ö": "", "646": "iso646",
	} {
		if got := normalized(name); got != want {
			t.Errorf("%q: %q, want %q", name, got, want)
		}
	}
}

func TestSameCharset(t *testing.T) {
	for pair, want := range map[[2]string]bool{
		{"UTF-8", "utf8"}: true, {"ISO-8859-1", "8859-1"}: true, {"eucJP", "EUC-JP"}: true, {"SJIS", "SHIFT_JIS"}: true,
		{"ANSI_X3.4-1968", "US-ASCII"}: true, {"ISO-8859-1", "ISO-8859-15"}: false, {"UTF-8", "FOO"}: false, {"", "UTF-8"}: false,
	} {
		if sameCharset(pair[0], pair[1]) != want || sameCharset(pair[1], pair[0]) != want {
			t.Errorf("%q: %v", pair, !want)
		}
	}
}

// compareIconv compares each text of each catalogue with the C library's iconv, of which gettext is a user. Texts that it
// would make question marks of are English instead.
func compareIconv(t *testing.T, dir string) {
	iconv := tool(t, "iconv", "libc-bin")
	for _, c := range []struct {
		name, locale, charset string
		least                 int // texts that the charset can write, in percent
	}{
		{"de", "de_DE", "ISO-8859-1", 100},
		{"de", "de_DE@euro", "ISO-8859-15", 100},
		{"de", "cs_CZ.ISO-8859-2", "ISO-8859-2", 100},
		{"de", "ru_RU.ISO-8859-5", "ISO-8859-5", 100},
		{"de", "de_DE.UTF-8", "ASCII", 100},
		{"de", "fr_CH.UTF-8", "ASCII", 100},
		{"de", "C", "ANSI_X3.4-1968", 100},
		{"de", "C.UTF-8", "UTF-8", 100},
		{"cs", "cs_CZ.ISO-8859-2", "ISO-8859-2", 100}, // „ and “ are not in it
		{"cs", "cs_CZ.UTF-8", "ISO-8859-1", 10},
		{"et", "de_DE@euro", "ISO-8859-15", 100},
		{"fr", "de_DE", "ISO-8859-1", 100},
		{"pt_BR", "pt_BR.UTF-8", "ISO-8859-1", 100},
		{"ja", "ja_JP.EUC-JP", "EUC-JP", 100},
		{"ja", "ja_JP.EUC-JP", "SHIFT_JIS", 95},
		{"ja", "C.UTF-8", "UTF-8", 100},
		{"zh_CN", "zh_CN.UTF-8", "GB18030", 100},
		{"zh_CN", "zh_CN.UTF-8", "GBK", 100},
	} {
		l := parseLocale(c.locale)
		if plain(c.locale) || l.language == "C" {
			l.language = ""
		}
		convert, ok := charset{name: c.charset, language: l.language}.converter()
		if !ok {
			t.Fatalf("%s is not known", c.charset)
		}
		texts := slices.Sorted(maps.Values(parse(c.name)))
		out, errs := run(t, "LOCPATH="+dir+" LC_ALL="+c.locale, []byte(strings.Join(texts, "\x00")), iconv, "-f", "UTF-8", "-t", c.charset+"//TRANSLIT")
		real := bytes.Split(out, []byte{0})
		if len(real) != len(texts) {
			t.Errorf("%s in %s, %s: %d texts of %d: %s", c.name, c.locale, c.charset, len(real), len(texts), errs)
			continue
		}
		written := 0
		for i, text := range texts {
			got, ok := convert(text)
			if !ok {
				continue
			}
			written++
			if got != string(real[i]) {
				t.Errorf("%s in %s, %s: %q is %q, C's %q", c.name, c.locale, c.charset, text, got, real[i])
			}
		}
		if written*100 < len(texts)*c.least {
			t.Errorf("%s in %s, %s: %d texts of %d", c.name, c.locale, c.charset, written, len(texts))
		}
	}
}
