// SPDX-License-Identifier: GPL-2.0-or-later

package config

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
)

// What is wrong with a file is told with the line and in words, all of it, and the rest holds.
func TestErrors(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		// Names.
		{"screeen = 'events'", "1: screeen: no such key (did you mean screen?)"},
		{"colour = 'auto'", "1: colour: no such key (did you mean color or colors?)"},
		{"zzz = 1", "1: zzz: no such key; there are screen, group, linger, mouse, ascii, color, background, follow, connections, events, keys, colors"},
		{"\n\n[connection]\nsort = 'x'\nmore = 1\n[events]\nfoo = 1", "3: [connection]: no such table (did you mean connections?)\n7: events.foo: no such key; there are columns, hide, sort"},
		{"[connections]\nsrot = '-rate'", "2: connections.srot: no such key (did you mean sort?)"},
		{"connection.sort = 'rtt'", "1: connection.sort: no such key (did you mean connections?)"},
		{"connections.sort.by = 'rtt'", "1: connections.sort.by: no such key; connections has no tables in it"},
		{"[keys.quit]\nx = 1", "1: [keys.quit]: no such table; there are connections, events, keys, colors"},
		{"[screen]\nx = 1", "1: [screen]: no such table; there are connections, events, keys, colors"},
		{"[[keys]]\nquit = ['x']", "1: [[keys]]: is one table; write [keys]"},
		{"keys = ['q']", "1: keys: is a table; write [keys] and its keys below"},
		{"[keys]\nquti = ['q']\nx = ['q']", "2: keys.quti: no such action (did you mean quit?)\n3: keys.x: no such action; there are quit, freeze, follow, group, expand"},
		{"[colors]\nnow = 'red'", "2: colors.now: no such part of the screen (did you mean new?)"},
		{"\"a\x7fb\" = 1", `1:3: basic strings cannot have control characters`},
		{`"a\u001b[2J" = 1`, `1: "a\x1b[2J": no such key; there are screen, group, linger, mouse, ascii, color, background, follow, connections, events, keys, colors`},
		{`"" = 1`, `1: "": no such key; there are screen, group, linger, mouse, ascii, color, background, follow, connections, events, keys, colors`},

		// Values of another kind, and words.
		{"screen = 'conections'", `1: screen: "conections" is no screen (did you mean connections?)`},
		{"screen = 3", "1: screen: wants one of connections, listeners, events, routes, interfaces, statistics, groups, not 3"},
		{"group = 'user'", `1: group: "user" is no group; there are none, process, container, remote, listener`},
		{"group = ['none']", "1: group: wants one of none, process, container, remote, listener, not a list"},
		{"color = 'alwais'", `1: color: "alwais" is no way (did you mean always?)`},
		{"background = 'blue'", `1: background: "blue" is no background; there are auto, light, dark`},
		{"mouse = 'yes'", `1: mouse: wants true or false, not "yes"`},
		{"ascii = 1", "1: ascii: wants true or false, not 1"},
		{"follow = {}", "1: follow: wants true or false, not a table"},
		{"follow = 1979-05-27", "1: follow: wants true or false, not 1979-05-27"},
		{"linger = 3", `1: linger: wants a time from "0s" to "10m", such as "3s", not 3`},
		{"linger = '3'", `1: linger: wants a time from "0s" to "10m", such as "3s", not "3"`},
		{"linger = '-1s'", `1: linger: wants a time from "0s" to "10m", such as "3s", not "-1s"`},
		{"linger = '10m1ns'", `1: linger: wants a time from "0s" to "10m", such as "3s", not "10m1ns"`},
		{"linger = '99999999999999h'", `1: linger: wants a time from "0s" to "10m", such as "3s", not "99999999999999h"`},
		{"linger = \"\\u001b[2J\"", `1: linger: wants a time from "0s" to "10m", such as "3s", not "\x1b[2J"`},
		{"linger = '" + strings.Repeat("ä", 100) + "'", `1: linger: wants a time from "0s" to "10m", such as "3s", not "` + strings.Repeat("ä", 32) + `..."`},

		// Columns.
		{"[connections]\ncolumns = [\n'proto',\n'lokal',\n3,\n'proto', 'inode'\n]\nhide = ['rtt',\n'inode']", `4: connections.columns: "lokal" is no column (did you mean local?)` +
			"\n" + `5: connections.columns: wants a list of texts, such as ["proto", "local"], not 3 in it` +
			"\n" + `6: connections.columns: "proto" twice` +
			"\n" + `9: connections.hide: "inode" is in columns, line 2, too`},
		{"[connections]\ncolumns = 'proto'", `2: connections.columns: wants a list such as ["proto", "local"], not "proto"`},
		{"[connections]\ncolumns = [['proto']]", `2: connections.columns: wants a list of texts, such as ["proto", "local"], not a list in it`},
		{"[connections]\nsort = 'proto'", `2: connections.sort: "proto" is no column to sort by; there are local, rtt, rate`},
		{"[connections]\nsort = '-rat'", `2: connections.sort: "rat" is no column to sort by (did you mean rtt or rate?)`},
		{"[connections]\nsort = ['rtt']", `2: connections.sort: wants a column such as "local" or "-local", not a list`},
		{"[connections]\nsort = '-'", `2: connections.sort: "" is no column to sort by; there are local, rtt, rate`},
		{"[events]\nsort = 'time'", "2: events.sort: events cannot be sorted"},
		{"[connections]\nhide = [" + strings.Repeat("1, ", 150) + "]", strings.Repeat(`2: connections.hide: wants a list of texts, such as ["proto", "local"], not 1 in it`+"\n", listMax) + "2: connections.hide: more than 50 in a list"},

		// Keys.
		{"[keys]\nfreeze = ['ctrl-alt-x']", `2: keys.freeze: "ctrl-alt-x" is no key; write ctrl+alt+x`},
		{"[keys]\nfreeze = ['fg']", `2: keys.freeze: "fg" is no key; write ctrl+x, alt+x, f5, space or the like`},
		{"[keys]\nfreeze = 'f'", `2: keys.freeze: wants a list such as ["q", "ctrl+c"], not "f"`},
		{"[keys]\nquit = ['x']\nfollow = ['f',\n'x']", `4: keys.follow: "x" is a key of quit already, line 2`},
		{"[keys]\ngroup = ['x']\nexpand = ['x']", `3: keys.expand: "x" is a key of group already, line 2`},
		{"[keys]\nquit = ['x', 'x']", `2: keys.quit: "x" twice`},

		// Colours.
		{"[colors]\nnew = 'gren'", `2: colors.new: "gren" is no colour and no attribute (did you mean green?)`},
		{"[colors]\nnew = 3", `2: colors.new: wants words such as "bold green", not 3`},

		// Twice.
		{"mouse = true\n\nmouse = false", "3: mouse: twice; the first is in line 1"},
		{"[keys]\n[events]\n[keys]", "3: [keys]: twice; the first is in line 1"},
		{"keys = {}\n[keys]", "2: [keys]: twice; the first is in line 1"},
		{"connections.sort = 'rtt'\n[connections]\nhide = []", "2: [connections]: twice; the first is in line 1"},
		{"connections.sort = 'rtt'\nconnections.hide = []\nconnections = {}", "3: [connections]: twice; the first is in line 1"},
		{"keys = {}\nkeys.quit = ['x']", "2:1: key keys is already defined"},
		{"[keys]\nquit = ['x']\n'quit' = ['y']", "3: keys.quit: twice; the first is in line 2"},

		// Syntax. What is before it is told too.
		{"mouse = 1\nscreen = \"events", "1: mouse: wants true or false, not 1\n2:16: unterminated basic string"},
		{"mouse = true x", `1:14: expected newline but got U+0078 'x'`},
		{"mouse true", `1:7: expected '=' after key`},
		{"mouse =", `1:7: expected value, not end of input`},
		{"mouse = yes", `1:9: unexpected character U+0079 'y' at start of value`},
		{"[keys", `1:5: expected ']' to close table name`},
		{"[keys]\nquit = ['q' 'x']", "2:13: expected ',' or ']' after array value"},
		{"[keys]\nquit = ['q'\n", "2:12: array is incomplete"},
		{"[keys]\r\nquit = ['x',\r\n'y\r\n'\r\n]", "3:3: literal strings cannot have new lines"},
		{"mouse = true\rascii = true", `1:13: expected newline but got U+000D`},
		{"screen = \"ev\xffents\"", "1:13: invalid UTF-8 character in basic string"},
		{"# \xff\nmouse = true", "1:3: invalid UTF-8 character in comment"},
		{"screen = '\x00'", `1:11: literal strings cannot have control characters`},
	} {
		got, fail := load(t, c.text, small())
		want := "config: FILE:" + strings.ReplaceAll(c.want, "\n", "\nconfig: FILE:")
		if fail != want {
			t.Errorf("%q:\n%s\nwant\n%s", c.text, fail, want)
		}
		if got.Screen != "connections" || got.Group != "none" || got.Keys == nil {
			t.Errorf("%q: %+v", c.text, got)
		}
	}
}

// A file with an error says the rest all the same.
func TestErrorsLeaveTheRest(t *testing.T) {
	got, fail := load(t, "mouse = 3\nascii = true\n[connections]\ncolumns = ['rtt', 'x', 'rate']\n[keys]\nquit = ['x', 'bad key']\n[colors]\nnew = 'x'\nclosed = 'red'", small())
	want := Default(small())
	want.ASCII = true
	want.Tables["connections"] = Table{Columns: []string{"rtt", "rate"}}
	want.Keys["quit"] = []string{"x"}
	want.Colors["closed"] = Style{Fg: Index(1)}
	if strings.Count(fail, "\n") != 3 || !reflect.DeepEqual(got, want) {
		t.Errorf("%s\ngot  %+v\nwant %+v", fail, got, want)
	}
}

// Each error can be had on its own.
func TestErrorsApart(t *testing.T) {
	_, err := parse("c.toml", []byte("mouse = 1\nascii = 2\nx"), small())
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok {
		t.Fatalf("%T", err)
	}
	var places []string
	for _, err := range joined.Unwrap() {
		var e *Error
		if !errors.As(err, &e) {
			t.Fatalf("%T", err)
		}
		places = append(places, fmt.Sprint(e.Path, " ", e.Line, " ", e.Column))
	}
	if got, want := strings.Join(places, ", "), "c.toml 1 0, c.toml 2 0, c.toml 3 1"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

// What is no configuration at all is not told line by line.
func TestTooManyErrors(t *testing.T) {
	var lines, one strings.Builder
	for i := range 50_000 {
		fmt.Fprintf(&lines, "x%d = 1\n", i)
		fmt.Fprintf(&one, "x%d = 1,", i)
	}
	for text, at := range map[string]int{lines.String(): errorsMax, "connections = {" + one.String() + "}": 1} {
		_, fail := load(t, text, small())
		told := strings.Split(fail, "\n")
		if len(told) != errorsMax+1 || told[errorsMax] != fmt.Sprintf("config: FILE:%d: there are more errors, and what follows was not looked at", at) {
			t.Errorf("%d lines, the last %q", len(told), told[len(told)-1])
		}
	}
}

// The caller's word on keys goes.
func TestCheckKeyOfSchema(t *testing.T) {
	s := small()
	s.CheckKey = func(key string) error {
		if key == "any" {
			return nil
		}
		return fmt.Errorf("%q is not any", key)
	}
	c, fail := load(t, "[keys]\nquit = ['any']\nfollow = ['q']", s)
	if want := `config: FILE:3: keys.follow: "q" is not any`; fail != want || !reflect.DeepEqual(c.Keys["quit"], []string{"any"}) {
		t.Errorf("%s %v", fail, c.Keys)
	}
}
