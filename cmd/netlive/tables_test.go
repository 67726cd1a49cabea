// SPDX-License-Identifier: GPL-2.0-or-later

package main

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"netlive/internal/kerneltest"
)

// holdIn starts a process with some twenty sockets of each kind in ns.
func holdIn(t *testing.T, ns *kerneltest.NS) *process {
	t.Helper()
	// A path short enough for sun_path, which the test's own directory is not.
	p := start(t, ns, "sockets", t.TempDir())
	if line, err := p.out.ReadString('\n'); line != "ready\n" {
		_, _, errs := p.wait()
		t.Fatalf("sockets: %q, %v\n%s", line, err, errs)
	}
	return p
}

// The tables are netstat's, to the byte, in a namespace with some twenty sockets of each kind.
func TestTablesAreNetstats(t *testing.T) {
	kerneltest.RequireRoot(t)
	t.Parallel()
	ns := kerneltest.NetNS(t)
	p := holdIn(t, ns)
	p.hung.Reset(5 * limit) // it stays for all of the lines
	for _, line := range []string{
		"-tanp", "-uanp", "-xan", // what people type most
		"-an", "-n", "-ln", "-tulpn", "-tapen", "-xanp", "-xln", "-x", "-tan -W", "-4an", "-6an", "-t6n", "-u4n", "-A inet,unix -n",
		"-wan", "-Uan", "-tane", "-uanee", "-a", "-ap", "-l", "-te", "-a --numeric-hosts", "-a --numeric-ports", "-ae --numeric-users",
		"--inet -a", "-4 -x -n", "-A ip6 -a", "--protocol=unix", "foo -tn bar -- -x",
	} {
		args := strings.Fields(line)
		// The sockets are still: netstat before and after agree, or what lies between proves nothing. They may not have been at first.
		var before, got, after []byte
		for range 5 {
			before, got, after = runIn(t, ns, "netstat", args...), runIn(t, ns, "netlive-as-netstat", args...), runIn(t, ns, "netstat", args...)
			if bytes.Equal(before, after) {
				break
			}
		}
		if !bytes.Equal(before, after) {
			t.Fatalf("netstat %s changed its mind five times", line)
		}
		if !bytes.Equal(got, before) {
			t.Errorf("%s:\n%s", line, difference(string(got), string(before)))
		}
	}
	if err := p.stdin.Close(); err != nil {
		t.Fatal(err)
	}
}

// difference is the first line in which got and want differ.
func difference(got, want string) string {
	g, w := strings.Split(got, "\n"), strings.Split(want, "\n")
	for i := range min(len(g), len(w)) {
		if g[i] != w[i] {
			return "got  " + g[i] + "|\nwant " + w[i] + "|"
		}
	}
	return "one ends before the other"
}

// JSON has the same sockets, from /proc and from the kernel, and the same owners.
func TestJSONOfBothSources(t *testing.T) {
	kerneltest.RequireRoot(t)
	t.Parallel()
	ns := kerneltest.NetNS(t)
	p := holdIn(t, ns)
	var list []map[string]any
	if err := json.Unmarshal(runIn(t, ns, "netlive", "-a", "--json"), &list); err != nil {
		t.Fatal(err)
	}
	proc := asLines(t, list)
	for _, source := range []string{"ebpf", "procfs"} {
		var frame struct {
			Source  string
			Sockets []map[string]any
		}
		text := runIn(t, ns, "netlive", "watch", "-a", "--json", "--count", "1", "--source", source)
		if err := json.Unmarshal(text, &frame); err != nil {
			t.Fatal(err)
		}
		if frame.Source != source {
			t.Errorf("source %q, want %q", frame.Source, source)
		}
		if got := asLines(t, frame.Sockets); !slices.Equal(got, proc) {
			t.Errorf("%s: %d sockets, want %d:\n%s", source, len(got), len(proc), difference(strings.Join(got, "\n"), strings.Join(proc, "\n")))
		}
	}
	if len(proc) < 60 {
		t.Errorf("only %d sockets", len(proc))
	}
	_ = p
}

// asLines is a line for each socket without what differs between sources on purpose: the cookie, which /proc has
// not, the evidence for the owner, when it started, and argv[0].
func asLines(t *testing.T, sockets []map[string]any) []string {
	t.Helper()
	var lines []string
	for _, s := range sockets {
		delete(s, "cookie")
		owners, ok := s["owners"].([]any)
		if !ok {
			t.Fatalf("owners: %v", s)
		}
		for _, o := range owners {
			delete(o.(map[string]any), "how")
			delete(o.(map[string]any), "program")
			delete(o.(map[string]any), "start_ns")
		}
		line, err := json.Marshal(s)
		if err != nil {
			t.Fatal(err)
		}
		lines = append(lines, string(line))
	}
	slices.Sort(lines)
	return lines
}
