// SPDX-License-Identifier: GPL-2.0-or-later

package main

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"

	"netlive/internal/kerneltest"
	"netlive/internal/options"
	"netlive/internal/privilege"
	"netlive/internal/tracer"
)

// The same is shown as with all privileges: owners of other users, namespaces, units, names where /proc hides them.
func TestNothingIsLost(t *testing.T) {
	kerneltest.RequireRoot(t)
	ns := kerneltest.NetNS(t)
	ready(t, start(t, ns, "tenant", "still"), "")
	other := ready(t, start(t, kerneltest.NetNS(t), "tenant", "still"), "")
	away := " --netns " + fmt.Sprint(other.tenant.Process.Pid)
	program, err := publicCopy(t, "listener")
	if err != nil {
		t.Fatal(err)
	}
	stranger := append(asNobody("bpf"), program, "7777") // with a capability that we have not
	ready(t, start(t, ns, stranger[0], stranger[1:]...), "")
	hidden := []string{"unshare", "--mount", "sh", "-c", `mount -t proc -o hidepid=2 proc /proc && exec "$@"`, "sh"}

	for _, c := range []struct {
		before []string
		args   string
	}{
		{nil, "-anpe"},
		{nil, "-anp --json --unit"},
		{nil, "-tanp" + away},
		{nil, "-tan netns = " + fmt.Sprint(ns.Inode())},
		{hidden, "-anp"},
		{nil, "watch -an --json --count 1 --unit"},
		{nil, "watch -an --json --count 1" + away},
		{hidden, "watch -an --json --count 1 --unit proc = listener"},
		{nil, "watch -anp --json --count 1 --source procfs"},
		{nil, "watch -anp --json --count 1 --source procfs" + away},
		{nil, "watch -ie --json --count 1"},
	} {
		t.Run(fmt.Sprint(c.args, len(c.before)), func(t *testing.T) {
			t.Parallel()
			shown := func(program string) string {
				command := append(append(slices.Clone(c.before), program), strings.Fields(c.args)...)
				text := runIn(t, ns, command[0], command[1:]...)
				if rest, ok := bytes.CutPrefix(text, []byte(`{"time":"`)); ok {
					_, text, _ = bytes.Cut(rest, []byte(`"`))
				}
				return strings.ReplaceAll(string(text), "},{", "},\n{")
			}
			got, want := shown("netlive"), shown("netlive-with-all")
			if got != want {
				t.Errorf("restricted\n%s\nwith all privileges\n%s", got, want)
			}
			for _, holder := range []string{"tenant", "listener"} {
				if strings.Contains(c.args, "-anp") && !strings.Contains(c.args, away) && !strings.Contains(got, holder) {
					t.Errorf("no %s in\n%s", holder, got)
				}
			}
		})
	}
}

// Who looks into no process is confined by Landlock; the others could not look any more.
func TestConfined(t *testing.T) {
	if !privilege.Name.Confined() {
		t.Skip("/proc hides processes here")
	}
	kernel := &source{tracer: &tracer.Tracer{}}
	proc := &source{}
	for what, c := range map[string]struct {
		uses privilege.Use
		want bool
	}{
		"trace":                      {traceUses(&options.Options{Stack: true, Unit: true}, false), true},
		"trace a command":            {traceUses(&options.Options{}, true), true},
		"trace of namespaces":        {traceUses(&options.Options{NetNS: "all"}, false), false},
		"trace with their names":     {traceUses(&options.Options{Columns: []string{"time", "netnsname"}}, false), false},
		"watch by events":            {watchUses(&options.Options{}, kernel, true), true},
		"watch by events, elsewhere": {watchUses(&options.Options{NetNS: "x"}, kernel, true), false},
		"watch of /proc":             {watchUses(&options.Options{}, proc, false), true},
		"watch of /proc with owners": {watchUses(&options.Options{}, proc, true), false},
		"a screen":                   {screenUses(&options.Options{ReadOnly: true}, kernel), false},
		"a table":                    {tableUses(&options.Options{}), true},
		"a table with owners":        {tableUses(&options.Options{Programs: true}), false},
		"a table, elsewhere":         {tableUses(&options.Options{NetNS: "x"}), false},
	} {
		if got := c.uses.Confined(); got != c.want {
			t.Errorf("%s: confined %v", what, got)
		}
	}
}
