// SPDX-License-Identifier: GPL-2.0-or-later

package options

import (
	_ "embed" // the texts are files, since their trailing blanks count
	"strings"
)

var (
	// HelpText is what netstat -h prints on stdout, HelpFamilies what it prints on stderr.
	//go:embed help.txt
	HelpText string
	//go:embed families.txt
	HelpFamilies string
	// VersionText is what netstat -V of net-tools 2.10 prints.
	//go:embed version.txt
	VersionText string
)

// Texts gives the translation of a text of net-tools', or that text itself.
type Texts func(english string) string

func (t Texts) text(english string) string {
	if t == nil {
		return english
	}
	return t(english)
}

// Help is what netstat -h prints on stdout and on stderr.
func Help(t Texts) (help, families string) { return t.lines(HelpText), t.families() }

// helpErrors is the help after a command line that is wrong: all on stderr.
func helpErrors(t Texts) string { return t.lines(HelpText) + t.families() }

// lines translates line by line. What is empty after a line belongs to it.
func (t Texts) lines(text string) string {
	if t == nil {
		return text
	}
	var b strings.Builder
	for text != "" {
		end := strings.IndexByte(text, '\n') + 1
		if end == 0 {
			end = len(text)
		}
		for end < len(text) && text[end] == '\n' {
			end++
		}
		b.WriteString(t(text[:end]))
		text = text[end:]
	}
	return b.String()
}

// families translates the titles of the families, which are in brackets.
func (t Texts) families() string {
	if t == nil {
		return HelpFamilies
	}
	var b strings.Builder
	for i, part := range strings.SplitAfter(HelpFamilies, "(") {
		if title, rest, ok := strings.Cut(part, ")"); ok && i > 0 {
			part = t(title) + ")" + rest
		}
		b.WriteString(part)
	}
	return b.String()
}
