// SPDX-License-Identifier: GPL-2.0-or-later

package lang

import (
	"maps"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// variables is an environment: LANG=de_DE LC_ALL=.
func variables(text string) environ {
	set := map[string]string{}
	for v := range strings.FieldsSeq(text) {
		name, value, _ := strings.Cut(v, "=")
		set[name] = value
	}
	return func(name string) string { return set[name] }
}

const (
	listening = "LISTENING"                               // HÖRT: what German becomes shows the charset
	table     = "Kernel IP routing table\n"               // in each catalogue
	missing   = "this text is in none of the catalogues." // English
)

func TestChoose(t *testing.T) {
	for _, c := range []struct{ env, tag, point string }{
		{"", "en", "."},
		{"LANG=", "en", "."},
		{"LANG=C", "en", "."},
		{"LANG=en_US.UTF-8", "en", "."},
		{"LANG=de_DE.UTF-8", "de", ","},
		{"LANG=de", "de", ","},
		{"LANG=de_AT@euro", "de", ","},
		{"LANG=de_CH.UTF-8", "de", "."},
		{"LANG=german", "de", ","}, // a name of locale.alias
		{"LANG=deutsch", "de", ","},
		{"LANG=cs_CZ.UTF-8", "cs", ","},
		{"LANG=et_EE.UTF-8", "et", ","},
		{"LANG=fr_CA.UTF-8", "fr", ","},
		{"LANG=ja_JP.UTF-8", "ja", "."},
		{"LANG=pt_BR.UTF-8", "pt-BR", ","},
		{"LANG=pt_PT.UTF-8", "en", ","}, // as gettext, which goes from pt_PT to pt only
		{"LANG=pt", "en", ","},
		{"LANG=zh_CN.UTF-8", "zh-CN", "."},
		{"LANG=zh_CN.GB18030", "zh-CN", "."},
		{"LANG=zh_TW.UTF-8", "zh-CN", "."}, // better than none
		{"LANG=zh", "zh-CN", "."},
		{"LANG=xx_XX.UTF-8", "en", "."},
		{"LANG=d", "en", "."},
		{"LANG=DE_DE.UTF-8", "en", "."},
		{"LANG=_DE.UTF-8", "en", "."},

		// The first that is set, and set is not empty.
		{"LC_ALL=fr_FR.UTF-8 LC_MESSAGES=de_DE.UTF-8 LANG=ja_JP.UTF-8", "fr", ","},
		{"LC_ALL= LC_MESSAGES=de_DE.UTF-8 LANG=ja_JP.UTF-8", "de", "."},
		{"LC_ALL= LC_MESSAGES= LANG=ja_JP.UTF-8", "ja", "."},
		{"LC_ALL=C LANG=de_DE.UTF-8", "en", "."},
		{"LC_ALL=POSIX LANG=de_DE.UTF-8", "en", "."},
		{"LC_ALL=C.UTF-8 LANG=de_DE.UTF-8", "en", "."},
		{"LC_MESSAGES=C LANG=de_DE.UTF-8", "en", ","},
		{"LC_MESSAGES=POSIX LANG=de_DE.UTF-8", "en", ","},
		{"LANG=de_DE.UTF-8 LC_NUMERIC=C", "de", "."},
		{"LANG=C.UTF-8 LC_NUMERIC=de_DE.UTF-8", "en", ","},

		// LANGUAGE counts only where there is a language.
		{"LANGUAGE=de", "en", "."},
		{"LANG=C LANGUAGE=de", "en", "."},
		{"LC_ALL=POSIX LANGUAGE=de", "en", "."},
		{"LC_ALL=C.UTF-8 LANGUAGE=de", "de", "."},
		{"LANG=ja_JP.UTF-8 LANGUAGE=", "ja", "."},
		{"LANG=ja_JP.UTF-8 LANGUAGE=de_CH:fr", "de", "."},
		{"LANG=ja_JP.UTF-8 LANGUAGE=:::fr:de", "fr", "."},
		{"LANG=ja_JP.UTF-8 LANGUAGE=pt_PT:tlh:cs", "cs", "."},
		{"LANG=ja_JP.UTF-8 LANGUAGE=pt_PT:tlh", "en", "."},
		{"LANG=ja_JP.UTF-8 LANGUAGE=C:de", "en", "."},
		{"LANG=ja_JP.UTF-8 LANGUAGE=tlh:POSIX:de", "en", "."},
		{"LANG=de_DE.UTF-8 LANGUAGE=zh_TW:de", "zh-CN", ","},
		// Who puts English first wants English.
		{"LANG=de_DE.UTF-8 LANGUAGE=en:de", "en", ","},
		{"LANG=de_DE.UTF-8 LANGUAGE=en_GB:de", "en", ","},
		{"LANG=de_DE.UTF-8 LANGUAGE=tlh:en:de", "en", ","},
		{"LANG=en_US.UTF-8 LANGUAGE=de:en", "de", "."},

		// A terminal whose charset nobody knows can be written in ASCII alone.
		{"LANG=de_DE.FOO", "en", ","},
		{"LANG=de_DE.UTF-8 OUTPUT_CHARSET=FOO", "en", ","},
		{"LC_ALL=de_DE.UTF-8 OUTPUT_CHARSET=ISO-8859-1//TRANSLIT", "de", ","},
	} {
		l := Choose(variables(c.env))
		if l.Tag() != c.tag || l.DecimalPoint() != c.point {
			t.Errorf("%q: %s and %q, want %s and %q", c.env, l.Tag(), l.DecimalPoint(), c.tag, c.point)
		}
		if translated := l.Text(table) != table; translated != (c.tag != "en") {
			t.Errorf("%q: %s says %q", c.env, l.Tag(), l.Text(table))
		}
		if got := l.Text(missing); got != missing {
			t.Errorf("%q: %q", c.env, got)
		}
	}
}

// The charset is LC_CTYPE's, which may be of another language than the texts.
func TestChooseCharset(t *testing.T) {
	for env, want := range map[string]string{
		"LANG=de_DE.UTF-8":                                      "HÖRT",
		"LANG=de_DE":                                            "HÖRT", // who writes so today has UTF-8
		"LANG=de_DE@euro":                                       "HÖRT",
		"LANG=de_DE.ISO-8859-1":                                 "H\xd6RT",
		"LANG=de_DE.iso88591":                                   "H\xd6RT",
		"LANG=de_DE.ISO-8859-15@euro":                           "H\xd6RT",
		"LC_MESSAGES=de_DE.UTF-8":                               "H?RT", // LC_CTYPE is C
		"LC_MESSAGES=de_DE.UTF-8 LC_CTYPE=POSIX":                "H?RT",
		"LANG=de_DE.UTF-8 LC_CTYPE=C.UTF-8":                     "HÖRT",
		"LANG=de_DE.ISO-8859-1 LC_CTYPE=C.UTF-8":                "HÖRT",
		"LANG=de_DE.ISO-8859-5":                                 "HOERT",
		"LANG=de_DE.UTF-8 LC_CTYPE=ru_RU.ISO-8859-5":            "HORT",
		"LANG=de_DE.UTF-8 OUTPUT_CHARSET=ISO-8859-1":            "H\xd6RT",
		"LANG=de_DE.UTF-8 OUTPUT_CHARSET=ASCII":                 "HOERT",
		"LANG=de_DE.UTF-8 OUTPUT_CHARSET=//TRANSLIT":            "HÖRT",
		"LC_ALL=C LC_MESSAGES=de_DE.UTF-8 OUTPUT_CHARSET=UTF-8": listening, // English
	} {
		if got := Choose(variables(env)).Text(listening); got != want {
			t.Errorf("%q: %q, want %q", env, got, want)
		}
	}
}

func TestStrict(t *testing.T) {
	dir := makeLocales(t, "C.utf8 UTF-8", "de_DE.utf8 UTF-8", "de_DE ISO-8859-1", "de_DE@euro ISO-8859-15", "cs_CZ.iso88592 ISO-8859-2",
		"fr_CH.utf8 UTF-8", "ja_JP.eucjp EUC-JP", "zh_CN.utf8 UTF-8", "en_US.utf8 UTF-8", "ru_RU.utf8 UTF-8")
	for _, c := range []struct{ env, tag, point, listening string }{
		{"", "en", ".", listening},
		{"LANG=C", "en", ".", listening},
		{"LANG=de_DE.UTF-8", "de", ",", "HÖRT"},
		{"LANG=de_DE.utf8", "de", ",", "HÖRT"},
		{"LANG=de_DE.Utf8", "de", ",", "HÖRT"},
		{"LANG=de_DE", "de", ",", "H\xd6RT"},
		{"LANG=de_DE@euro", "de", ",", "H\xd6RT"},
		{"LANG=fr_CH.UTF-8", "fr", ".", "ECOUTE"},
		{"LANG=cs_CZ.ISO-8859-2", "cs", ",", "NASLOUCHÁ"},
		{"LANG=ja_JP.eucJP", "ja", ".", "LISTENING"},

		// One locale that is not there, and setlocale(LC_ALL, "") changes none.
		{"LANG=de_AT.UTF-8", "en", ".", listening},
		{"LANG=cs_CZ.UTF-8", "en", ".", listening},
		{"LANG=de_DE.UTF-8 LC_TIME=xx_XX", "en", ".", listening},
		{"LANG=de_DE.UTF-8 LC_IDENTIFICATION=de_AT.UTF-8", "en", ".", listening},
		{"LC_ALL=de_DE.UTF-8 LC_TIME=xx_XX LANG=yy_YY", "de", ",", "HÖRT"}, // not looked at
		{"LANG=de_DE.UTF-8 LC_ALL=xx_XX", "en", ".", listening},
		{"LANG=de_DE.ISO-8859-1", "de", ",", "H\xd6RT"}, // de_DE is that
		{"LANG=de_DE.ISO-8859-15", "en", ".", listening},
		{"LANG=../de_DE.UTF-8", "en", ".", listening},

		{"LANG=de_DE.UTF-8 LC_NUMERIC=C", "de", ".", "HÖRT"},
		{"LANG=C LC_NUMERIC=de_DE.UTF-8", "en", ",", listening},
		{"LANG=ru_RU.UTF-8", "en", ",", listening},
		{"LC_ALL=C.UTF-8 LANGUAGE=de", "de", ".", "HÖRT"},
		{"LC_ALL=C LANGUAGE=de", "en", ".", listening},
		{"LC_ALL=POSIX LANGUAGE=de", "en", ".", listening},
		{"LC_MESSAGES=de_DE.UTF-8", "de", ".", "H?RT"},

		// netstat has neither Chinese nor a catalogue of English, and goes on.
		{"LANG=zh_CN.UTF-8", "en", ".", listening},
		{"LANG=zh_CN.UTF-8 LANGUAGE=zh_CN:de", "de", ".", "HÖRT"},
		{"LANG=de_DE.UTF-8 LANGUAGE=en", "en", ",", listening},
		{"LANG=de_DE.UTF-8 LANGUAGE=en:de", "de", ",", "HÖRT"},
		{"LANG=en_US.UTF-8 LANGUAGE=en_US:en:de", "de", ".", "HÖRT"},
		{"LANG=de_DE.UTF-8 LANGUAGE=C:de", "en", ",", listening},
	} {
		l := strict(variables(c.env), dir)
		if l.Tag() != c.tag || l.DecimalPoint() != c.point {
			t.Errorf("%q: %s and %q, want %s and %q", c.env, l.Tag(), l.DecimalPoint(), c.tag, c.point)
		}
		if c.tag == "de" || c.tag == "en" {
			if got := l.Text(listening); got != c.listening {
				t.Errorf("%q: %q, want %q", c.env, got, c.listening)
			}
		}
	}
	// The euro brought more letters than the euro.
	if got := strict(variables("LANG=de_DE@euro LANGUAGE=cs"), dir).Text(" User"); got != " U\xb8ivatel" {
		t.Errorf("ISO-8859-15: %q", got)
	}
	// Where there is nothing, there is English.
	if l := strict(variables("LANG=de_DE.UTF-8"), filepath.Join(dir, "none")); l.Tag() != "en" || l.DecimalPoint() != "." {
		t.Errorf("without locales: %s, %q", l.Tag(), l.DecimalPoint())
	}
	// LOCPATH is looked through first.
	if l := strict(variables("LANG=de_DE.UTF-8 LOCPATH=/none:"+dir), t.TempDir()); l.Tag() != "de" {
		t.Errorf("with LOCPATH: %s", l.Tag())
	}
}

// What is printed before there is a language is English.
func TestNil(t *testing.T) {
	var l *Language
	if l.Tag() != "en" || l.DecimalPoint() != "." || l.Text(table) != table {
		t.Errorf("%s, %q, %q", l.Tag(), l.DecimalPoint(), l.Text(table))
	}
}

// FuzzEnviron: whatever the environment is, the language is one that there is, and the same the next time.
func FuzzEnviron(f *testing.F) {
	f.Add("", "", "", "", "", "", "")
	f.Add("", "de_DE.UTF-8", "C", "de_DE@euro", "ja_JP.eucJP", "en:de", "")
	f.Add("", "", "", "", "zh_TW.Big5", "C:de", "ISO-8859-1//TRANSLIT")
	f.Add("cs_CZ.iso88592", "x", "y", "z", "..", ":::", "//")
	f.Add("de_DE.88591@x@y", "_", "@", ".", "/", "POSIX", "GB18030")
	dir := makeLocales(f, "de_DE.utf8 UTF-8", "de_DE ISO-8859-1", "cs_CZ.iso88592 ISO-8859-2", "ja_JP.eucjp EUC-JP")
	f.Fuzz(func(t *testing.T, all, messages, ctype, numeric, lang, language, output string) {
		env := func(name string) string {
			return map[string]string{
				"LC_ALL": all, "LC_MESSAGES": messages, "LC_CTYPE": ctype, "LC_NUMERIC": numeric, "LANG": lang, "LANGUAGE": language, "OUTPUT_CHARSET": output,
			}[name]
		}
		for _, choose := range []func() *Language{
			func() *Language { return Choose(env) }, func() *Language { return strict(env, dir) },
		} {
			l := choose()
			again := choose()
			if l.libc != nil && again.libc != nil {
				if !slices.Equal(l.libc.files, again.libc.files) {
					t.Errorf("%q, then %q", l.libc.files, again.libc.files)
				}
				l.libc, again.libc = nil, nil // functions cannot be compared
			}
			if !reflect.DeepEqual(l, again) {
				t.Errorf("%s, then %s", l.Tag(), again.Tag())
			}
			if !slices.Contains([]string{".", ",", "٫"}, l.point) {
				t.Errorf("decimal point %q", l.point)
			}
			name := strings.ReplaceAll(l.tag, "-", "_")
			if known := slices.Contains(slices.Collect(maps.Values(catalogues)), name); !known && name != "en" || known != (l.texts != nil) {
				t.Errorf("language %q with %d texts", l.tag, len(l.texts))
			}
			for english, text := range l.texts {
				if english == "" { // the header
					continue
				}
				if text == "" || strings.HasSuffix(english, "\n") != strings.HasSuffix(text, "\n") {
					t.Errorf("%s: %q is %q", l.tag, english, text)
				}
			}
		}
	})
}
