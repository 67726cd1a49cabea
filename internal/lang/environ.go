// SPDX-License-Identifier: GPL-2.0-or-later

package lang

import (
	"cmp"
	"strings"
)

// environ gives the variables of the environment, "" for those that are not set: the C library makes no difference.
type environ func(string) string

// categories are those of setlocale(LC_ALL, "").
var categories = [...]string{
	"LC_CTYPE", "LC_NUMERIC", "LC_TIME", "LC_COLLATE", "LC_MONETARY", "LC_MESSAGES", "LC_PAPER", "LC_NAME", "LC_ADDRESS",
	"LC_TELEPHONE", "LC_MEASUREMENT", "LC_IDENTIFICATION",
}

// category is the name of the locale for a category.
func (env environ) category(name string) string {
	return cmp.Or(env("LC_ALL"), env(name), env("LANG"), "C")
}

// locales are the names of the locales of all categories.
func (env environ) locales() []string {
	if name := env("LC_ALL"); name != "" {
		return []string{name}
	}
	var names []string
	for _, c := range categories {
		names = append(names, env.category(c))
	}
	return names
}

// plain reports whether a locale is the one without a language, for which gettext translates nothing. C.UTF-8 is another.
func plain(locale string) bool { return locale == "C" || locale == "POSIX" }

// catalogue is the name of the catalogue to use, "" for English.
//
// gettext looks each text up in all languages of LANGUAGE, and so mixes those whose catalogues are not complete. Here it is
// the first language that there is: no table is in two.
func (env environ) catalogue(strict bool) string {
	for _, entry := range env.languages() {
		l := parseLocale(entry)
		if name := l.catalogue(); name != "" && (!strict || netstats(name)) {
			return name
		}
		// gettext has no catalogue of English and goes on to the next: LANGUAGE=en:de is German for netstat. Whoever
		// wrote that wants English.
		if l.language == "en" && !strict {
			return ""
		}
	}
	return ""
}

// languages are the names of the locales whose texts are wanted, the best first.
func (env environ) languages() []string {
	locale := env.category("LC_MESSAGES")
	if plain(locale) {
		return nil
	}
	var list []string
	for entry := range strings.SplitSeq(cmp.Or(env("LANGUAGE"), locale), ":") {
		if plain(entry) {
			break
		}
		list = append(list, entry)
	}
	return list
}

// charset is what texts are to be written in. unnamed is for locales whose names have no charset, as de_DE: their
// charset is in their files. It was ISO 8859-1 when names were so short, but who writes one today has a terminal with
// UTF-8.
func (env environ) charset(unnamed string) charset {
	locale := env.category("LC_CTYPE")
	l := parseLocale(locale)
	c := charset{language: l.language, name: cmp.Or(l.codeset, unnamed)}
	if plain(locale) {
		c = charset{name: "ASCII"}
	}
	// gettext's own; iconv's //TRANSLIT after it is what is done anyway.
	if name, _, _ := strings.Cut(env("OUTPUT_CHARSET"), "//"); name != "" {
		c.name = name
	}
	return c
}

// locale is the name of a locale: language[_TERRITORY][.codeset][@modifier].
type locale struct{ language, territory, codeset, modifier string }

func parseLocale(name string) (l locale) {
	name, l.modifier, _ = strings.Cut(name, "@")
	name, l.codeset, _ = strings.Cut(name, ".")
	l.language, l.territory, _ = strings.Cut(name, "_")
	return l
}

// place is the name without codeset and modifier.
func (l locale) place() string {
	if l.territory == "" {
		return l.language
	}
	return l.language + "_" + l.territory
}
