// SPDX-License-Identifier: GPL-2.0-or-later

// Package config reads the file that says how watch looks and which keys it has: docs/config.md.
package config

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"time"
)

// Config is what the file says, or what holds without one.
type Config struct {
	// Screen is the first screen when the options ask for none: connections, listeners, events, routes, interfaces, statistics or groups.
	Screen string
	// Group is how connections are grouped at first, one of Schema.Groups.
	Group string
	// Linger is how long closed sockets stay, from 0 to LingerMax.
	Linger time.Duration
	Mouse  bool
	// ASCII asks for borders, marks and sparklines of ASCII alone.
	ASCII bool
	// Color is auto, always or never.
	Color string
	// Background is auto, light or dark.
	Background string
	// Follow asks for the bar to stay on its row.
	Follow bool
	// Tables has the settings of each table of Schema.Screens.
	Tables map[string]Table
	// Keys has the keys of actions: those of Schema.Keys but for what the file gives to others, and for an action that the file names those
	// of the file, which may be none.
	Keys map[string][]string
	// Colors has the look of the parts of the screen that the file names.
	Colors map[string]Style
}

// Table is what is shown of a table.
type Table struct {
	// Columns are those that are shown, in this order; nil: those that fit.
	Columns []string
	// Hide are columns that are not shown.
	Hide []string
	// Sort is a column, with - before it for the other way round; "" is the order that the table has of itself.
	Sort string
}

// Order is the column that t is sorted by and whether it is the other way round; "" is the order that the table has of itself.
func (t Table) Order() (column string, reverse bool) {
	if len(t.Sort) > 0 && t.Sort[0] == '-' {
		return t.Sort[1:], true
	}
	return t.Sort, false
}

// LingerMax is the longest Linger.
const LingerMax = 10 * time.Minute

// Schema is what there is to set: the names that a file may use.
type Schema struct {
	// Screens maps the name of a table, such as connections, to the names of its columns.
	Screens map[string][]string
	// Sorts maps the name of a table to the columns that it can be sorted by; one without a line cannot be sorted.
	Sorts map[string][]string
	// Actions are what keys can do.
	Actions []string
	// Parts are the parts of the screen that have colours.
	Parts []string
	// Groups are the ways to group connections; the first is that of no file.
	Groups []string
	// Keys are those that actions have of themselves.
	Keys map[string][]string
	// CheckKey says what is wrong with the name of a key, as `"ctrl-x" is no key; write ctrl+x`; nil is the package's CheckKey.
	CheckKey func(string) error
}

// Default is what holds without a file.
func Default(s Schema) Config {
	c := Config{
		Screen: screens[0], Linger: 3 * time.Second, Mouse: true, Color: colors[0], Background: backgrounds[0],
		Tables: map[string]Table{}, Keys: map[string][]string{}, Colors: map[string]Style{},
	}
	if len(s.Groups) > 0 {
		c.Group = s.Groups[0]
	}
	for name := range s.Screens {
		c.Tables[name] = Table{}
	}
	for action, keys := range s.Keys {
		c.Keys[action] = slices.Clone(keys)
	}
	return c
}

// The words of settings that are words. The first is that of no file.
var (
	screens     = []string{"connections", "listeners", "events", "routes", "interfaces", "statistics", "groups"}
	colors      = []string{"auto", "always", "never"}
	backgrounds = []string{"auto", "light", "dark"}
)

// Path is where the file is: $XDG_CONFIG_HOME/netlive/config.toml, or ~/.config/netlive/config.toml; "" when neither is known. getenv is
// os.Getenv. A directory that is not absolute does not count, as the XDG Base Directory Specification has it.
func Path(getenv func(string) string) string {
	dir := getenv("XDG_CONFIG_HOME")
	if !filepath.IsAbs(dir) {
		home := getenv("HOME")
		if !filepath.IsAbs(home) {
			return ""
		}
		dir = filepath.Join(home, ".config")
	}
	return filepath.Join(dir, "netlive", "config.toml")
}

// sizeMax bounds a file, in bytes. A full one has four thousand.
const sizeMax = 1 << 20

// Load reads a file. One that is not there is an error if it must be, otherwise it says nothing. The error joins all that is wrong
// with the file, each an *Error, in the order of the lines; what follows the first error of syntax is not looked at. With an error the Config has
// what is right.
func Load(path string, must bool, s Schema) (Config, error) {
	data, err := readFile(path)
	switch {
	case err == nil:
		return parse(path, data, s)
	// HOME may be /dev/null: then a part of the path is no directory.
	case !must && (path == "" || errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR)):
		return Default(s), nil
	}
	if at := (*fs.PathError)(nil); errors.As(err, &at) {
		at.Path = shownPath(at.Path)
	}
	return Default(s), fmt.Errorf("config: %w", err)
}

func readFile(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, sizeMax+1))
	if err == nil && len(data) > sizeMax {
		err = fmt.Errorf("%s: more than 1 MB", shownPath(path))
	}
	return data, err
}
