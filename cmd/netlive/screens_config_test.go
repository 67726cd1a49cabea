// SPDX-License-Identifier: GPL-2.0-or-later

package main

import (
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"netlive/internal/config"
	"netlive/internal/kerneltest"
	"netlive/internal/screen"
)

// The configuration has its say of keys, columns, order and colours, and the command line goes before it.
func TestScreenConfiguration(t *testing.T) {
	t.Parallel()
	ns := kerneltest.NetNS(t)
	_, l := listen(t, ns)
	p := connect(t, ns, l)
	const settings = `
group = "none"
linger = "1m"
[connections]
columns = ["remote", "local", "state", "age"]
hide = ["age"]
sort = "-state"
[interfaces]
columns = ["iface", "mtu", "flags"]
sort = "-mtu"
[keys]
quit = ["Q"]
freeze = ["space"]
toggle = ["p"]
find = []
[colors]
title = "underline"
bar = "black on 208"
`
	set := configure(t, strings.Replace(settings, `, "age"]`, `]`, 1))
	term := newTerminal(t, ns, 100, 24, "netlive watch -tan", set.env...)
	text := term.await(" Foreign Address", " Local Address", "sort state▼", "Q quit", "ESTABLISHED 2")
	if strings.Contains(text, "Proto") || strings.Contains(text, "Age") || !strings.Contains(text, p.from()+" ") {
		t.Errorf("other columns than were asked for:\n%s", text)
	}
	if colors := term.tmux("capture-pane", "-p", "-e"); !strings.Contains(colors, "48;5;208") || !strings.Contains(colors, "\x1b[4mnetlive") {
		t.Errorf("other colours than were asked for:\n%q", colors)
	}
	term.press("Space")
	term.await("FROZEN")
	term.press("Space")
	term.awaitNot("FROZEN")
	for _, key := range []string{"q", "f"} { // they are nothing's
		term.press(key)
	}
	term.command("sort -remote")
	term.await("sort remote▼")
	term.press("5")
	term.await(" Iface ", " MTU▼ Flg", "sort MTU▼")
	term.press("Q")
	term.sane("exit code 0")

	term = newTerminal(t, ns, 100, 24, "netlive watch -tan --columns local,remote,state --sort local", set.env...)
	if text := term.await("sort local▲", "Q quit"); strings.Index(text, " Local Address") > strings.Index(text, " Foreign Address") {
		t.Errorf("the command line does not go before:\n%s", text)
	}
	term.press("Q")
	term.sane("exit code 0")
}

// All that is wrong with a configuration is told with its line, and the terminal is left alone.
func TestScreenBadConfiguration(t *testing.T) {
	kerneltest.RequireRoot(t)
	t.Parallel()
	ns := kerneltest.NetNS(t)
	set := configure(t, "linger = 3\n\n[keys]\nfreeze = [\"ctrl-x\"]\nfreze = [\"x\"]\n[connections]\ncolumns = [\"locl\"]\n[colors]\nbar = \"blak\"\n")
	want := []string{
		set.file + ":1: linger: ", set.file + ":4: keys.freeze: \"ctrl-x\" is no key; write ctrl+x", set.file + ":5: keys.freze: ", "did you mean freeze?", set.file + ":7: connections.columns: ",
		"did you mean local?", set.file + ":9: colors.bar: ", "did you mean black or blue?",
	}
	for _, args := range []string{"-tan", "-rn", "--config " + set.file} {
		term := newTerminal(t, ns, 300, 40, "netlive watch "+args, set.env...)
		text := term.await("exit code 2")
		for _, w := range want {
			if !strings.Contains(text, w) {
				t.Errorf("%s: no %q in\n%s", args, w, text)
			}
		}
		term.sane("exit code 2")
	}
	term := newTerminal(t, ns, 300, 40, "netlive watch --config /nowhere/at/all", set.env...)
	term.await("netlive: ", "/nowhere/at/all", "no such file", "exit code 2")
	// Without a file everything is as it is.
	if err := os.Remove(set.file); err != nil {
		t.Fatal(err)
	}
	term = newTerminal(t, ns, 100, 40, "netlive watch -tan", set.env...)
	term.await("q quit")
	term.quit()
}

// docs/config.md shows what holds without a file, and names all that can be named.
func TestScreenConfigurationDocumented(t *testing.T) {
	t.Parallel()
	data, err := os.ReadFile("../../docs/config.md")
	if err != nil {
		t.Fatal(err)
	}
	text := string(data)
	example := regexp.MustCompile("(?s)```toml\n(.*?)```").FindStringSubmatch(text)
	if example == nil {
		t.Fatal("there is no example")
	}
	schema := configSchema()
	read := func(text string) config.Config {
		t.Helper()
		file := filepath.Join(t.TempDir(), "config.toml")
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		c, err := config.Load(file, true, schema)
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	// A table without columns has those that fit.
	if got, want := read(example[1]), config.Default(schema); !reflect.DeepEqual(got, want) {
		t.Errorf("the example\n%+v\nwithout a file\n%+v", got, want)
	}
	read(regexp.MustCompile(`(?m)^# ([a-z_]+ = ")`).ReplaceAllString(example[1], "$1")) // what it shows behind # too

	keys := regexp.MustCompile(`(?s)\n\[keys\]\n(.*?)\n\[`).FindStringSubmatch(example[1])[1]
	var actions []string
	for _, m := range regexp.MustCompile(`(?m)^([a-z_]+) = \[`).FindAllStringSubmatch(keys, -1) {
		actions = append(actions, m[1])
	}
	if want := screen.ActionNames(); !slices.Equal(slices.Sorted(slices.Values(actions)), slices.Sorted(slices.Values(want))) {
		t.Errorf("actions %q, there are %q", actions, want)
	}
	names := func(pattern string) (names []string) {
		t.Helper()
		line := regexp.MustCompile(pattern).FindStringSubmatch(text)
		if line == nil {
			t.Fatalf("nothing is like %s", pattern)
		}
		for _, m := range regexp.MustCompile("`\"?([a-z_]+)\"?`").FindAllStringSubmatch(line[1], -1) {
			names = append(names, m[1])
		}
		return names
	}
	for what, c := range map[string]struct{ got, want []string }{
		"columns":               {names("(?m)^\\| `\\[connections\\]` \\| (.*) \\|$"), screen.SocketColumns()},
		"columns of interfaces": {names("(?m)^\\| `\\[interfaces\\]` \\| (.*) \\|$"), interfaceColumns()},
		"parts":                 {names("The parts are ([^:]*):"), screen.PartNames()},
		"groups":                {names("(?m)^\\| `group` \\| (.*) \\| .* \\|$"), screen.GroupNames()},
	} {
		if !slices.Equal(c.got, c.want) {
			t.Errorf("%s: documented %q, there are %q", what, c.got, c.want)
		}
	}
}
