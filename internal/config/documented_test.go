// SPDX-License-Identifier: GPL-2.0-or-later

package config

import (
	"fmt"
	"maps"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// documented is docs/config.md.
func documented(t testing.TB) string {
	t.Helper()
	data, err := os.ReadFile("../../docs/config.md")
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// example is the n-th example of TOML in docs/config.md.
func example(t testing.TB, n int) string {
	t.Helper()
	all := regexp.MustCompile("(?s)```toml\n(.*?)```").FindAllStringSubmatch(documented(t), -1)
	if len(all) <= n {
		t.Fatalf("there are %d examples", len(all))
	}
	return all[n][1]
}

// documentedSchema is what docs/config.md says there is, by its text: the columns, the actions of its example and the parts.
func documentedSchema(t testing.TB) Schema {
	t.Helper()
	s := Schema{
		Screens: map[string][]string{}, Sorts: map[string][]string{}, Keys: map[string][]string{},
		Groups: []string{"none", "process", "container", "remote", "listener"},
	}
	for _, row := range regexp.MustCompile("(?m)^\\| `\\[([a-z]+)\\]` \\| (.*) \\|$").FindAllStringSubmatch(documented(t), -1) {
		for _, m := range regexp.MustCompile("`([a-z_-]+)`").FindAllStringSubmatch(row[2], -1) {
			s.Screens[row[1]] = append(s.Screens[row[1]], m[1])
		}
		switch row[1] {
		case "listeners":
			s.Screens[row[1]] = s.Screens["connections"]
		case "events":
			s.Screens[row[1]] = []string{"time", "event"}
			continue
		}
		s.Sorts[row[1]] = s.Screens[row[1]]
	}
	in := ""
	for line := range strings.Lines(example(t, 0)) {
		key, value, ok := strings.Cut(strings.TrimSpace(line), " = ")
		switch {
		case strings.HasPrefix(line, "["):
			in = strings.TrimSpace(line)
		case !ok || strings.HasPrefix(line, "#"):
		case in == "[keys]":
			s.Actions = append(s.Actions, key)
			for _, m := range regexp.MustCompile(`"([^"]+)"`).FindAllStringSubmatch(value, -1) {
				s.Keys[key] = append(s.Keys[key], m[1])
			}
		}
	}
	parts := regexp.MustCompile("The parts are ([^:]*):").FindStringSubmatch(documented(t))
	if parts == nil {
		t.Fatal("the parts are not documented")
	}
	for _, m := range regexp.MustCompile("`([a-z_]+)`").FindAllStringSubmatch(parts[1], -1) {
		s.Parts = append(s.Parts, m[1])
	}
	return s
}

// The file that docs/config.md shows is what holds without one, and names every setting.
func TestDocumented(t *testing.T) {
	s := documentedSchema(t)
	c, fail := load(t, example(t, 0), s)
	if fail != "" || !reflect.DeepEqual(c, Default(s)) {
		t.Errorf("%s\ngot  %+v\nwant %+v", fail, c, Default(s))
	}
	if tables := slices.Sorted(maps.Keys(s.Screens)); fmt.Sprint(tables) != "[connections events interfaces listeners]" || len(s.Actions) < 20 || len(s.Parts) < 5 {
		t.Errorf("%v %v %v", tables, s.Actions, s.Parts)
	}
	text := documented(t)
	for _, key := range slices.Concat(topKeys, tableSettings) {
		if !strings.Contains(example(t, 0), "\n"+key+" = ") || !strings.Contains(text, "| `"+key+"`") {
			t.Errorf("%s is not documented", key)
		}
	}
	words := slices.Concat(screens, s.Groups, colors, backgrounds)
	for _, word := range words {
		if !strings.Contains(text, "`\""+word+"\"`") {
			t.Errorf("%q is not documented", word)
		}
	}
	for _, word := range slices.Concat(namedKeys, colorNames) {
		if !strings.Contains(text, "`"+word+"`") {
			t.Errorf("%s is not documented", word)
		}
	}
	for _, a := range attributes {
		if !strings.Contains(text, "`"+a.word+"`") {
			t.Errorf("%s is not documented", a.word)
		}
	}
	if c, fail := load(t, example(t, 1), s); fail != "" || c.Keys["freeze"][0] != "space" || c.Keys["toggle"][0] != "p" {
		t.Errorf("the example of keys: %s", fail)
	}
	// What it shows behind # is right too.
	bare := strings.NewReplacer("# new =", "new =", "# bar =", "bar =", "# closed =", "closed =").Replace(example(t, 0))
	if c, fail := load(t, bare, s); fail != "" || len(c.Colors) != 3 {
		t.Errorf("the example of colours: %s %v", fail, c.Colors)
	}
}

// The errors that docs/config.md shows are those of such a file.
func TestDocumentedErrors(t *testing.T) {
	_, err := parse("/home/ana/.config/netlive/config.toml", []byte("# 1\n# 2\nlinger = 3\n# 4\n# 5\n[keys]\nfreeze = ['ctrl-x']\n[connections]\nsrot = 'rtt'\n# 10\n# 11\nsort = \"rtt\" \"rate\"\n"), small())
	if err == nil || !strings.Contains(documented(t), "\n```\n"+err.Error()+"\n```\n") {
		t.Errorf("%v", err)
	}
}
