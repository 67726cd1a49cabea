// SPDX-License-Identifier: GPL-2.0-or-later

package config

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// modifiers may stand before a key, in this order, in which terminal libraries write them (ultraviolet, Key.Keystroke).
var modifiers = []string{"ctrl", "alt", "shift", "meta", "hyper", "super"}

// namedKeys are the keys that write nothing, besides f1 to f63.
var namedKeys = []string{
	"enter", "tab", "backspace", "esc", "space", "up", "down", "left", "right", "begin", "find", "insert", "delete", "select", "pgup", "pgdown", "home", "end",
	"capslock", "scrolllock", "numlock", "printscreen", "pause", "menu",
}

// otherNames are what some call these keys.
var otherNames = map[string]string{
	"escape": "esc", "return": "enter", "ret": "enter", "cr": "enter", "del": "delete", "ins": "insert", "bs": "backspace", "spacebar": "space",
	"pageup": "pgup", "page-up": "pgup", "pagedown": "pgdown", "page-down": "pgdown", "pgdn": "pgdown", " ": "space",
}

// otherModifiers are what some call these modifiers; one letter as Emacs has them.
var otherModifiers = map[string]string{"control": "ctrl", "c": "ctrl", "m": "alt", "option": "alt", "s": "shift", "win": "super", "cmd": "super"}

// CheckKey says what is wrong with the name of a key. One that is right is the letter that it writes, or the name of a key that writes none, with the keys that
// are held with it before it: q, Q, ?, f5, space, ctrl+x, ctrl+alt+left. It is as bubbletea's Key.String, so that a key can be compared with it.
func CheckKey(text string) error {
	right, ok := rightKey(heldKeys(text))
	switch {
	case !ok:
		return fmt.Errorf("%s is no key; write ctrl+x, alt+x, f5, space or the like", quote(text))
	case right != text:
		return fmt.Errorf("%s is no key; write %s", quote(text), right)
	}
	return nil
}

// heldKeys takes the modifiers off, in any writing.
func heldKeys(text string) (held []string, key string) {
	if key = text; len(key) > 1 && key[0] == '^' {
		return []string{"ctrl"}, key[1:]
	}
	for {
		i := strings.IndexAny(key, "+-")
		if i < 0 || i == len(key)-1 {
			return held, key
		}
		m := strings.ToLower(key[:i])
		if name, ok := otherModifiers[m]; ok {
			m = name
		}
		if !slices.Contains(modifiers, m) {
			return held, key
		}
		held, key = append(held, m), key[i+1:]
	}
}

// rightKey is how a key is written; false when there is no such key.
func rightKey(held []string, key string) (right string, ok bool) {
	sorted := make([]string, 0, len(held))
	for _, m := range held {
		if slices.Contains(sorted, m) {
			return "", false
		}
		sorted = append(sorted, m)
	}
	slices.SortFunc(sorted, func(a, b string) int { return slices.Index(modifiers, a) - slices.Index(modifiers, b) })
	if r, n := utf8.DecodeRuneInString(key); n == len(key) && n > 0 && unicode.IsGraphic(r) && !unicode.IsSpace(r) && r != utf8.RuneError {
		switch {
		case len(sorted) == 0:
		case len(sorted) == 1 && sorted[0] == "shift": // it is known by what it writes
			if r = unicode.ToUpper(r); r == unicode.ToLower(r) {
				return "", false // which key writes what with shift is the keyboard's to say
			}
			sorted = nil
		case unicode.IsUpper(r):
			// Terminals that tell shift from no shift here say so, and all others tell ctrl+X as ctrl+x.
			r = unicode.ToLower(r)
			if !slices.Contains(sorted, "ctrl") && !slices.Contains(sorted, "shift") {
				return rightKey(append(held, "shift"), string(r))
			}
		}
		key = string(r)
	} else {
		key = strings.ToLower(key)
		if name, ok := otherNames[key]; ok {
			key = name
		}
		if !slices.Contains(namedKeys, key) && !functionKey(key) {
			return "", false
		}
	}
	return strings.Join(append(sorted, key), "+"), true
}

// functionKey reports whether key is f1 to f63.
func functionKey(key string) bool {
	n, err := strconv.ParseUint(strings.TrimPrefix(key, "f"), 10, 8)
	return err == nil && n >= 1 && n <= 63 && key == "f"+strconv.FormatUint(n, 10)
}
