// SPDX-License-Identifier: GPL-2.0-or-later

package config

import "testing"

func TestParseStyle(t *testing.T) {
	for _, c := range []struct {
		text    string
		want    Style
		written string
	}{
		{"", Style{}, ""},
		{"  ", Style{}, ""},
		{"bold green", Style{Fg: Index(2), Bold: true}, "bold green"},
		{"green bold", Style{Fg: Index(2), Bold: true}, "bold green"},
		{"black on bright-white", Style{Fg: Index(0), Bg: Index(15)}, "black on bright-white"},
		{"on blue", Style{Bg: Index(4)}, "on blue"},
		{"on #FF8700 dim #0080fF", Style{Fg: RGB(0, 0x80, 0xff), Bg: RGB(0xff, 0x87, 0), Dim: true}, "dim #0080ff on #ff8700"},
		{"0", Style{Fg: Index(0)}, "black"},
		{"9", Style{Fg: Index(9)}, "bright-red"},
		{"255 on 016", Style{Fg: Index(255), Bg: Index(16)}, "255 on 16"},
		{"#000000", Style{Fg: RGB(0, 0, 0)}, "#000000"},
		{"bold dim italic underline strike reverse", Style{Bold: true, Dim: true, Italic: true, Underline: true, Reverse: true, Strike: true}, "bold dim italic underline reverse strike"},
	} {
		got, err := ParseStyle(c.text)
		if err != nil || got != c.want || got.String() != c.written {
			t.Errorf("%q: %+v %v, as %q", c.text, got, err, got.String())
		}
	}
	for text, want := range map[string]string{
		"on":                `no colour after "on"`,
		"bold on":           `no colour after "on"`,
		"on on red":         `no colour after "on"`,
		"on bold":           `"bold" is no colour and no attribute (did you mean bold?)`,
		"bold bold":         `"bold" twice`,
		"red blue":          `two colours, "red" and "blue"; the one behind the letters has "on" before it`,
		"on red on 20":      `two colours behind the letters, "on red" and "on 20"`,
		"#12345":            `"#12345" is no colour; write "#rrggbb", two hex digits each for red, green and blue`,
		"#1234567":          `"#1234567" is no colour; write "#rrggbb", two hex digits each for red, green and blue`,
		"#12345g":           `"#12345g" is no colour; write "#rrggbb", two hex digits each for red, green and blue`,
		"#+12345":           `"#+12345" is no colour; write "#rrggbb", two hex digits each for red, green and blue`,
		"256":               "256 is no colour; numbers are from 0 to 255",
		"-1":                `"-1" is no colour and no attribute; there are black, red, green, yellow, blue, magenta, cyan, white, bright-black, bright-red, bright-green, bright-yellow, bright-blue, bright-magenta, bright-cyan, bright-white, ...`,
		"brigth-red":        `"brigth-red" is no colour and no attribute (did you mean bright-red?)`,
		"Bold":              `"Bold" is no colour and no attribute (did you mean bold?)`,
		"bright-bright-red": `"bright-bright-red" is no colour and no attribute`,
	} {
		got, err := ParseStyle(text)
		if err == nil || got != (Style{}) {
			t.Errorf("%q: %+v %v", text, got, err)
		} else if text != "bright-bright-red" && err.Error() != want {
			t.Errorf("%q: %v, want %s", text, err, want)
		}
	}
}

func TestColor(t *testing.T) {
	if n, ok := Index(0).Index(); n != 0 || !ok {
		t.Error("black is a colour")
	}
	if r, g, b, ok := RGB(1, 2, 3).RGB(); r != 1 || g != 2 || b != 3 || !ok {
		t.Error("its parts")
	}
	for c, want := range map[Color][2]bool{0: {false, false}, Index(255): {true, false}, RGB(255, 255, 255): {false, true}} {
		_, index := c.Index()
		_, _, _, rgb := c.RGB()
		if index != want[0] || rgb != want[1] {
			t.Errorf("%#x: %v %v", uint32(c), index, rgb)
		}
	}
}

func FuzzStyle(f *testing.F) {
	for _, s := range []string{"bold green on #ff8700", "255 on 0", "on", "#", "bright-red dim", "\x1b"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		s, err := ParseStyle(text)
		if err != nil {
			return
		}
		if again, err := ParseStyle(s.String()); err != nil || again != s {
			t.Fatalf("%q: %+v, as %q %+v %v", text, s, s.String(), again, err)
		}
	})
}
