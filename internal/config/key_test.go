// SPDX-License-Identifier: GPL-2.0-or-later

package config

import "testing"

func TestCheckKey(t *testing.T) {
	for _, key := range []string{
		"q", "Q", "?", "+", "-", "/", "ä", "Ä", "語", "1", "f1", "f5", "f63", "space", "enter", "esc", "pgup", "ctrl+x", "alt+x", "ctrl+alt+x", "ctrl++", "alt++",
		"shift+tab", "ctrl+shift+left", "ctrl+alt+shift+meta+hyper+super+f5", "ctrl+[", "alt+1", "ctrl+space", "alt+shift+a", "ctrl+-",
	} {
		if err := CheckKey(key); err != nil {
			t.Errorf("%q: %v", key, err)
		}
	}
	const any = "ctrl+x, alt+x, f5, space or the like"
	for key, right := range map[string]string{
		"ctrl-alt-x": "ctrl+alt+x", "ctrl-x": "ctrl+x", "C-x": "ctrl+x", "^x": "ctrl+x", "M-x": "alt+x", "alt+ctrl+x": "ctrl+alt+x", "Ctrl+X": "ctrl+x", "CTRL+x": "ctrl+x", "ctrl+A": "ctrl+a", "alt+A": "alt+shift+a",
		"shift+a": "A", "shift+A": "A", "shift+ä": "Ä", "Space": "space", " ": "space", "escape": "esc", "Return": "enter", "ctrl+PageUp": "ctrl+pgup", "F5": "f5",
		"ctrl+shift+A": "ctrl+shift+a",
		"":             any, "qq": any, "f0": any, "f64": any, "f05": any, "ctrl+": any, "ctrl": any, "+q": any, "ctrl+ctrl+x": any, "x+y": any, "shift+1": any, "\t": any, "\x1b": any, "\xff": any,
		"\u202e": any, "ctrl+alt+": any, "mouse1": any, "ctrl-": any, "-x": any,
	} {
		err := CheckKey(key)
		if want := quote(key) + " is no key; write " + right; err == nil || err.Error() != want {
			t.Errorf("%v, want %s", err, want)
		}
	}
}

func FuzzCheckKey(f *testing.F) {
	for _, s := range []string{"q", "ctrl+x", "shift+a", "alt+A", "ctrl-alt-x", "C-x", "+", "f63", "ß", "\xff"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		// What it says is right is right.
		if right, ok := rightKey(heldKeys(text)); ok && right != text {
			if err := CheckKey(right); err != nil {
				t.Fatalf("%q: %v", text, err)
			}
		}
		_ = CheckKey(text)
	})
}
