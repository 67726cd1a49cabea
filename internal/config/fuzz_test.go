// SPDX-License-Identifier: GPL-2.0-or-later

package config

import (
	"errors"
	"reflect"
	"strings"
	"testing"
	"unicode"

	"github.com/pelletier/go-toml/v2"
)

// written is a Config as a file: every setting, as it is.
func written(t *testing.T, c Config) []byte {
	t.Helper()
	file := map[string]any{
		"screen": c.Screen, "group": c.Group, "linger": c.Linger.String(), "mouse": c.Mouse, "ascii": c.ASCII, "color": c.Color, "background": c.Background,
		"follow": c.Follow, "keys": c.Keys,
	}
	styles := map[string]string{}
	for part, s := range c.Colors {
		styles[part] = s.String()
	}
	file["colors"] = styles
	for name, table := range c.Tables {
		set := map[string]any{"columns": append([]string{}, table.Columns...), "hide": append([]string{}, table.Hide...)}
		if table.Sort != "" {
			set["sort"] = table.Sort
		}
		file[name] = set
	}
	data, err := toml.Marshal(file)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// No text makes Load panic; one that loads says the same when it is written anew; errors are lines, with their places, in their order.
func FuzzLoad(f *testing.F) {
	f.Add(example(f, 0))
	f.Add(example(f, 1))
	for _, s := range []string{
		"screen = 'events'\r\nlinger = \"1m30s\"\r\n", "connections = {columns = ['rtt', 'rate'], sort = '-rate'}", "[keys]\nquit = [\"\\u00e4\", 'ctrl+x']", "[colors]\nnew = '9 on #ff8700'",
		"[connections]\ncolumns = [[\n{a = 1}, 'x'\n", "mouse = 1\nmouse = 2\n[[keys]]\n[keys.x]", "a.b.c = 1979-05-27T07:32:00Z", "\ufeff\xff\x00", "x = '''\na\n''' y", "linger = \"\"\"\\\n 3s\"\"\"",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		s := small()
		// Behind the text is other memory, as behind what is read of a file.
		data := append([]byte(text), "[keys]\nquit = 1"...)[:len(text)]
		c, err := parse("c.toml", data, s)
		if err == nil {
			again, err := parse("c.toml", written(t, c), s)
			if err != nil || !reflect.DeepEqual(again, c) {
				t.Fatalf("%q: %+v\nthen %v %+v", text, c, err, again)
			}
			return
		}
		last := 1
		for _, err := range err.(interface{ Unwrap() []error }).Unwrap() {
			var e *Error
			if !errors.As(err, &e) || e.Line < last || e.Line > strings.Count(text, "\n")+1 || e.Column < 0 || e.Problem == "" {
				t.Fatalf("%q: %+v after line %d", text, err, last)
			}
			if i := strings.IndexFunc(e.Error(), func(r rune) bool { return !unicode.IsPrint(r) }); i >= 0 {
				t.Fatalf("%q: %q is not one line of letters", text, e.Error())
			}
			last = e.Line
		}
		// What is right of it holds as well as if it stood alone.
		if _, err := parse("c.toml", written(t, c), s); err != nil && !strings.Contains(err.Error(), " is a key of ") && !strings.Contains(err.Error(), " too") {
			t.Fatalf("%q: the rest is %+v: %v", text, c, err)
		}
	})
}
