// SPDX-License-Identifier: GPL-2.0-or-later

package config

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"netlive/internal/kerneltest"
)

// small is a schema for tests.
func small() Schema {
	return Schema{
		Screens: map[string][]string{"connections": {"proto", "local", "remote", "rtt", "rate", "inode"}, "events": {"time", "event"}},
		Sorts:   map[string][]string{"connections": {"local", "rtt", "rate"}},
		Actions: []string{"quit", "freeze", "follow", "group", "expand"},
		Parts:   []string{"new", "closed"},
		Groups:  []string{"none", "process", "container", "remote", "listener"},
		Keys:    map[string][]string{"quit": {"q", "ctrl+c"}, "freeze": {"p"}, "group": {"t"}, "expand": {"space", "+"}},
	}
}

// load loads a text as a file, whose name the errors have as FILE.
func load(t *testing.T, text string, s Schema) (Config, string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "config.toml")
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	c, err := Load(path, true, s)
	if err == nil {
		return c, ""
	}
	return c, strings.ReplaceAll(err.Error(), path, "FILE")
}

func TestLoad(t *testing.T) {
	for _, c := range []struct {
		text string
		want func(*Config)
	}{
		{"", func(*Config) {}},
		{"# nothing\r\n\r\n", func(*Config) {}},
		{"\ufeffmouse = false\n", func(c *Config) { c.Mouse = false }},
		{"screen = 'events'\r\ngroup = \"process\"\r\nlinger = \"1m30s\"\r\nmouse = false\r\nascii = true\r\n" +
			"color = 'never'\r\nbackground = 'light'\r\nfollow = true",
			func(c *Config) {
				c.Screen, c.Group, c.Linger, c.Mouse, c.ASCII = "events", "process", 90*time.Second, false, true
				c.Color, c.Background, c.Follow = "never", "light", true
			}},
		{`linger = "0s"`, func(c *Config) { c.Linger = 0 }},
		{`linger = "10m"`, func(c *Config) { c.Linger = LingerMax }},
		{"[connections]\ncolumns = [\n  \"rate\", # first\n  'proto',\n]\nhide = [\"inode\"]\nsort = \"-rate\"\n[events]\nhide = ['time']\n", func(c *Config) {
			c.Tables["connections"] = Table{Columns: []string{"rate", "proto"}, Hide: []string{"inode"}, Sort: "-rate"}
			c.Tables["events"] = Table{Hide: []string{"time"}}
		}},
		{"connections.sort = 'rtt'\nconnections.hide = []\nkeys = { quit = ['x'], freeze = [] }\ncolors.closed = ''\n", func(c *Config) {
			c.Tables["connections"] = Table{Sort: "rtt"}
			c.Keys["quit"], c.Keys["freeze"] = []string{"x"}, []string{}
			c.Colors["closed"] = Style{}
		}},
		{"[keys]\nfreeze = [\"q\"]\nquit = [\"p\", \"ctrl+c\", \"ä\", \"f5\"]\n[colors]\nnew = \"bright-red on #00ff7f underline\"\n", func(c *Config) {
			c.Keys["freeze"], c.Keys["quit"] = []string{"q"}, []string{"p", "ctrl+c", "ä", "f5"}
			c.Colors["new"] = Style{Fg: Index(9), Bg: RGB(0, 255, 127), Underline: true}
		}},
		// A key that is given to another is its old action's no more.
		{"[keys]\nfreeze = [\"q\", \"space\", \"t\"]\n", func(c *Config) {
			c.Keys["freeze"], c.Keys["quit"], c.Keys["group"], c.Keys["expand"] = []string{"q", "space", "t"}, []string{"ctrl+c"}, []string{}, []string{"+"}
		}},
		{"[keys]\nfreeze = [\"q\"]\nquit = [\"p\"]\n", func(c *Config) { c.Keys["freeze"], c.Keys["quit"] = []string{"q"}, []string{"p"} }},
		{"[connections]\n[events]\n[keys]\n[colors]\n", func(*Config) {}},
	} {
		got, err := load(t, c.text, small())
		want := Default(small())
		c.want(&want)
		if err != "" || !reflect.DeepEqual(got, want) {
			t.Errorf("%q:\n%s\ngot  %+v\nwant %+v", c.text, err, got, want)
		}
	}
}

// What is not this package's to change, and who gets it.
func TestDefault(t *testing.T) {
	s := small()
	c := Default(s)
	want := Config{
		Screen: "connections", Group: "none", Linger: 3 * time.Second, Mouse: true, Color: "auto", Background: "auto",
		Tables: map[string]Table{"connections": {}, "events": {}}, Keys: s.Keys, Colors: map[string]Style{},
	}
	if !reflect.DeepEqual(c, want) {
		t.Errorf("got %+v", c)
	}
	c.Keys["quit"][0], c.Colors["new"] = "x", Style{}
	if !reflect.DeepEqual(s, small()) {
		t.Error("the schema has changed with it")
	}
	if c := Default(Schema{}); c.Group != "" || len(c.Tables)+len(c.Keys)+len(c.Colors) != 0 {
		t.Errorf("of nothing: %+v", c)
	}
	if column, reverse := (Table{Sort: "-rate"}).Order(); column != "rate" || !reverse {
		t.Errorf("-rate: %q %v", column, reverse)
	}
	if column, reverse := (Table{Sort: "rate"}).Order(); column != "rate" || reverse {
		t.Errorf("rate: %q %v", column, reverse)
	}
}

func TestPath(t *testing.T) {
	for _, c := range []struct{ xdg, home, want string }{
		{"/x", "/home/ana", "/x/netlive/config.toml"},
		{"", "/home/ana", "/home/ana/.config/netlive/config.toml"},
		{"x", "/home/ana", "/home/ana/.config/netlive/config.toml"},
		{"", "", ""},
		{"", "home", ""},
		{"/x/", "", "/x/netlive/config.toml"},
	} {
		env := map[string]string{"XDG_CONFIG_HOME": c.xdg, "HOME": c.home}
		if got := Path(func(name string) string { return env[name] }); got != c.want {
			t.Errorf("%q %q: %q, want %q", c.xdg, c.home, got, c.want)
		}
	}
}

// Files that are not there, or cannot be read.
func TestLoadFiles(t *testing.T) {
	kerneltest.NoLeaks(t)
	dir := t.TempDir()
	file := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	big := file("big.toml", strings.Repeat("#", 10<<20))
	most := file("most.toml", "mouse = false\n#"+strings.Repeat("x", sizeMax-len("mouse = false\n#")))
	fine := file("fine.toml", "mouse = false\n")
	for _, c := range []struct {
		of, path string
		must     bool
		fail     string
		is       error
	}{
		{"missing", dir + "/none.toml", false, "", nil},
		{"in a missing directory", dir + "/none/none.toml", false, "", nil},
		{"in what is no directory", fine + "/none.toml", false, "", nil},
		{"no path", "", false, "", nil},
		{"missing, asked for", dir + "/none.toml", true, "config: open DIR/none.toml: no such file or directory", fs.ErrNotExist},
		{"in what is no directory, asked for", fine + "/none.toml", true, "config: open DIR/fine.toml/none.toml: not a directory", nil},
		{"no path, asked for", "", true, "config: open : no such file or directory", fs.ErrNotExist},
		{"a directory", dir, false, "config: read DIR: is a directory", nil},
		{"10 MB", big, false, "config: DIR/big.toml: more than 1 MB", nil},
		{"endless", "/dev/zero", true, "config: /dev/zero: more than 1 MB", nil},
		{"no file", "/dev/null", true, "", nil},
	} {
		got, err := Load(c.path, c.must, small())
		text := ""
		if err != nil {
			text = strings.ReplaceAll(err.Error(), dir, "DIR")
		}
		if text != c.fail || c.is != nil && !errors.Is(err, c.is) {
			t.Errorf("%s: %v", c.of, err)
		}
		if !reflect.DeepEqual(got, Default(small())) {
			t.Errorf("%s: %+v", c.of, got)
		}
	}
	if c, err := Load(most, true, small()); err != nil || c.Mouse {
		t.Errorf("1 MB: %v", err)
	}
}

func TestLoadDenied(t *testing.T) {
	kerneltest.RequireRoot(t)
	path := filepath.Join(t.TempDir(), "config.toml")
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		runtime.LockOSThread() // it ends with the goroutine: nothing else runs on it
		// Of this thread alone; a user who is not root has no right to read everything either (capabilities(7)).
		if _, err := unix.SetfsuidRetUid(65534); err != nil {
			t.Error(err)
			return
		}
		_, err := Load(path, false, small())
		if !errors.Is(err, fs.ErrPermission) || err.Error() != "config: open "+path+": permission denied" {
			t.Errorf("%v", err)
		}
	}()
	<-done
}
