// SPDX-License-Identifier: GPL-2.0-or-later

package screen

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"

	"netlive/internal/render"
	"netlive/internal/sock"
)

// player plays bytes on a stage: each is a message of a terminal, and those that follow say which.
type player struct {
	*stage
	script []byte
}

func (p *player) next() byte {
	if len(p.script) == 0 {
		return 0
	}
	b := p.script[0]
	p.script = p.script[1:]
	return b
}

// letter is the next character of the script.
func (p *player) letter() rune {
	r, n := utf8.DecodeRune(p.script)
	p.script = p.script[n:]
	if _, saving := p.m.box.(*saveBox); saving && r == '/' {
		return '_' // nothing is written but here
	}
	return r
}

var specialKeys = []string{"enter", "esc", "tab", "up", "down", "left", "right", "pgup", "pgdown", "home", "end", "space", "backspace", "shift+tab"}

// play makes one message of the script and gives it to the screen.
func (p *player) play() {
	switch op := p.next(); op % 16 {
	case 0:
		p.do(keys[specialKeys[int(p.next())%len(specialKeys)]])
	case 1:
		p.do(tea.KeyPressMsg{Code: 'a' + rune(p.next()%26), Mod: tea.ModCtrl})
	case 2:
		p.do(tea.MouseClickMsg{X: int(p.next()), Y: int(p.next()), Button: tea.MouseButton(p.next() % 4)})
	case 3:
		p.do(tea.MouseWheelMsg{X: int(p.next()), Y: int(p.next()), Button: tea.MouseWheelUp + tea.MouseButton(p.next()%4)})
	case 4:
		p.do(tea.WindowSizeMsg{Width: int(p.next()), Height: int(p.next() % 100)})
	case 5:
		var text strings.Builder
		for range p.next() % 32 {
			text.WriteRune(p.letter())
		}
		p.do(tea.PasteMsg{Content: text.String()})
	case 6:
		p.now += sock.Stamp(p.next()) * second / 8
		p.do(tea.ResumeMsg{})
	case 7: // a command by its name
		names := ActionNames()
		p.do(tea.KeyPressMsg{Code: ':', Text: ":"})
		for _, r := range names[int(p.next())%len(names)] {
			p.do(tea.KeyPressMsg{Code: r, Text: string(r)})
		}
	case 8:
		p.do(tea.KeyPressMsg{Code: rune(p.next())<<8 | rune(p.next()), Mod: tea.KeyMod(p.next())})
	default:
		if r := p.letter(); r != utf8.RuneError {
			p.do(tea.KeyPressMsg{Code: r, Text: string(r)})
		}
	}
}

var sgr = regexp.MustCompile(`\x1b\[[0-9;:]*m`) // colours and the like

// checkSafe holds a screen to its size and to what may be sent to a terminal: of escapes those of colours alone, and of other characters those that are seen.
func (s *stage) checkSafe(what string) {
	s.t.Helper()
	content := s.m.View().Content
	if (s.m.width == 0 || s.m.height == 0) && content == "" {
		return
	}
	lines := strings.Split(content, "\n")
	if len(lines) != s.m.height {
		s.t.Fatalf("%s: %d lines, want %d", what, len(lines), s.m.height)
	}
	for i, l := range lines {
		if w := ansi.StringWidth(l); w > s.m.width {
			s.t.Fatalf("%s: line %d of %d is %d wide, want %d: %q", what, i, len(lines), w, s.m.width, l)
		}
		plain := sgr.ReplaceAllString(l, "")
		if !utf8.ValidString(plain) || strings.ContainsFunc(plain, func(r rune) bool { return !unicode.IsPrint(r) }) {
			s.t.Fatalf("%s: line %d has %q", what, i, plain)
		}
	}
}

// hostile are names of all that strangers can name.
type hostile struct{ fakeNames }

const hostileName = "evil\x1b[2J\u202e\u009b31m\xff\nname"

func (hostile) AppendPort(b []byte, p sock.Proto, port uint16) []byte {
	return append(b, hostileName...)
}
func (hostile) AppendUser(b []byte, uid uint32) []byte { return append(b, hostileName...) }

// Whatever is typed, clicked, scrolled, pasted and resized, the screen is as large as the terminal, and sends it nothing but text and colours, be all that
// it shows named by strangers.
func FuzzScreen(f *testing.F) {
	say := func(text string) (script []byte) {
		for _, r := range text {
			script = append(append(script, 15), string(r)...)
		}
		return script
	}
	enter, escape := []byte{0, 0}, []byte{0, 1}
	for _, script := range [][]byte{
		nil, say("1jjj"), say("?jj"), say("/port 80"), slices.Concat(say("/"), []byte{5, 5}, []byte("\x1b[2J\u202e"), enter, escape),
		slices.Concat(say(":sort remote"), enter, say("g"), enter), slices.Concat(say("j"), enter, say("cky"), escape), {4, 0, 0, 4, 1, 1, 4, 255, 99, 4, 20, 3, 4, 80, 24},
		slices.Concat(say("3"), []byte{3, 1, 5, 0, 2, 5, 6, 1, 2, 5, 6, 1}, say("H")), slices.Concat(say(":find \u202e"), enter, say("nN")),
		slices.Concat(say("s"), []byte{0, 12, 0, 12}, enter), {7, 3, 0, 0, 7, 9, 0, 0, 7, 20, 0, 0, 6, 200}, slices.Concat(say("4567"), []byte{0, 2, 0, 13, 1, 11, 8, 1, 2, 3}),
		slices.Concat(say(":filter x\u202e"), enter, say(":nosuch"), enter, escape),
	} {
		f.Add(script, uint8(80), uint8(24))
	}
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, script []byte, width, height uint8) {
		if err := os.Chdir(dir); err != nil { // what is saved is saved here
			t.Fatal(err)
		}
		if len(script) > 100 {
			return
		}
		s := newStage(t, int(width), int(height%100), func(c *Config) {
			c.Words = func(n Numeric, _ func()) Words {
				return Words{Names: hostile{fakeNames{n}}, Program: func(*sock.Owner) string { return hostileName }, Unit: func(*sock.Socket) string { return hostileName },
					Space: func(uint32) string { return hostileName }}
			}
			c.Host = hostileName
			c.Container = func(*sock.Socket) string { return hostileName }
			c.Lineage = func(*sock.Owner) []string {
				return []string{string(render.AppendEscaped(nil, hostileName)), "systemd[1]"}
			}
		}).scene().draw()
		s.checkSafe("at first")
		p := player{s, script}
		for len(p.script) > 0 && !p.quit {
			p.play()
			p.checkSafe("before it is drawn")
			p.draw()
		}
		p.checkSafe("when it is drawn")
	})
}
