// SPDX-License-Identifier: GPL-2.0-or-later

package render

// Texts gives the words of a language: the translation of a text, which is net-tools' own English one, or that
// text itself when the language has none. Headings are texts as whole lines with their line feed. nil is English.
type Texts func(text string) string

// Text is what stands for an English text.
func (t Texts) Text(english string) string {
	if t == nil || english == "" {
		return english
	}
	return t(english)
}

// unnamed is what netstat prints for a TCP state that has no name: gettext gives the header of its catalogue for an empty text.
func (t Texts) unnamed() string {
	if t == nil {
		return ""
	}
	return t("")
}
