// SPDX-License-Identifier: GPL-2.0-or-later

package config

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// Color is a colour of the terminal: none, one of its 256, or red, green and blue.
type Color uint32

// Index is a colour of the terminal's palette: 0 to 7 and, bright, 8 to 15 are those that have names.
func Index(n uint8) Color { return indexed | Color(n) }

// RGB is a colour by its parts.
func RGB(r, g, b uint8) Color { return mixed | Color(r)<<16 | Color(g)<<8 | Color(b) }

const (
	indexed Color = 1 << 24
	mixed   Color = 2 << 24
)

// Index returns the number in the palette, and false for no such colour.
func (c Color) Index() (n uint8, ok bool) { return uint8(c), c>>24 == indexed>>24 }

// RGB returns the parts, and false for no such colour.
func (c Color) RGB() (r, g, b uint8, ok bool) {
	return uint8(c >> 16), uint8(c >> 8), uint8(c), c>>24 == mixed>>24
}

// String is how c is written in a file; "" for none.
func (c Color) String() string {
	if n, ok := c.Index(); ok {
		switch {
		case n < 8:
			return colorNames[n]
		case n < 16:
			return bright + colorNames[n-8]
		}
		return strconv.Itoa(int(n))
	}
	if _, _, _, ok := c.RGB(); ok {
		return fmt.Sprintf("#%06x", uint32(c&0xffffff))
	}
	return ""
}

// colorNames are the names of the first eight colours of the palette (ECMA-48, SGR 30 to 37).
var colorNames = []string{"black", "red", "green", "yellow", "blue", "magenta", "cyan", "white"}

const bright = "bright-"

// Style is how a part of the screen looks. The zero value is plain.
type Style struct {
	Fg, Bg                                        Color
	Bold, Dim, Italic, Underline, Reverse, Strike bool
}

// attributes are the words that are no colours, each with what it sets.
var attributes = []struct {
	word string
	of   func(*Style) *bool
}{
	{"bold", func(s *Style) *bool { return &s.Bold }},
	{"dim", func(s *Style) *bool { return &s.Dim }},
	{"italic", func(s *Style) *bool { return &s.Italic }},
	{"underline", func(s *Style) *bool { return &s.Underline }},
	{"reverse", func(s *Style) *bool { return &s.Reverse }},
	{"strike", func(s *Style) *bool { return &s.Strike }},
}

// String is how s is written in a file.
func (s Style) String() string {
	var words []string
	for _, a := range attributes {
		if *a.of(&s) {
			words = append(words, a.word)
		}
	}
	if s.Fg != 0 {
		words = append(words, s.Fg.String())
	}
	if s.Bg != 0 {
		words = append(words, "on", s.Bg.String())
	}
	return strings.Join(words, " ")
}

// ParseStyle reads the words of a style, in any order: bold dim italic underline reverse strike, a colour for the letters, and on COLOR for what is behind
// them. A colour is a name (black red green yellow blue magenta cyan white, each with bright- before it too), a number from 0 to 255
// or #rrggbb. No words are a plain style.
func ParseStyle(text string) (s Style, err error) {
	words := strings.Fields(text)
	for i := 0; i < len(words); i++ {
		word := words[i]
		if flag := attribute(&s, word); flag != nil {
			if *flag {
				return Style{}, fmt.Errorf("%q twice", word)
			}
			*flag = true
			continue
		}
		to := &s.Fg
		if word == "on" {
			if i++; i == len(words) || words[i] == "on" {
				return Style{}, errors.New(`no colour after "on"`)
			}
			word, to = words[i], &s.Bg
		}
		c, err := parseColor(word)
		switch {
		case err != nil:
			return Style{}, err
		case *to != 0 && to == &s.Bg:
			return Style{}, fmt.Errorf(`two colours behind the letters, "on %s" and "on %s"`, *to, c)
		case *to != 0:
			return Style{}, fmt.Errorf(`two colours, "%s" and "%s"; the one behind the letters has "on" before it`, *to, c)
		}
		*to = c
	}
	return s, nil
}

// attribute is what a word sets in s; nil when it is no attribute.
func attribute(s *Style, word string) *bool {
	for _, a := range attributes {
		if a.word == word {
			return a.of(s)
		}
	}
	return nil
}

func parseColor(word string) (Color, error) {
	if hex, ok := strings.CutPrefix(word, "#"); ok {
		n, err := strconv.ParseUint(hex, 16, 32)
		if err != nil || len(hex) != 6 {
			return 0, fmt.Errorf(`%q is no colour; write "#rrggbb", two hex digits each for red, green and blue`, word)
		}
		return mixed | Color(n), nil
	}
	if strings.Trim(word, "0123456789") == "" {
		n, err := strconv.ParseUint(word, 10, 8)
		if err != nil {
			return 0, fmt.Errorf("%s is no colour; numbers are from 0 to 255", word)
		}
		return Index(uint8(n)), nil
	}
	name, base := word, uint8(0)
	if n, ok := strings.CutPrefix(word, bright); ok {
		name, base = n, 8
	}
	for i, n := range colorNames {
		if n == name {
			return Index(base + uint8(i)), nil
		}
	}
	return 0, fmt.Errorf("%q is no colour and no attribute%s", word, meant(word, styleWords()))
}

// styleWords are all words of a style.
func styleWords() []string {
	words := append([]string{}, colorNames...)
	for _, n := range colorNames {
		words = append(words, bright+n)
	}
	for _, a := range attributes {
		words = append(words, a.word)
	}
	return append(words, "on")
}
