// SPDX-License-Identifier: GPL-2.0-or-later

package main

import (
	"context"
	"flag"
	"io"
	"path/filepath"
	"strings"
	"testing"

	"netlive/internal/kerneltest"
)

// madeTree is a made-up /proc tree.
type madeTree struct {
	name   string
	madeUp int  // lines beside the known ones
	nobody bool // as nobody; to root nothing is closed
}

// allLines has each line tried on each tree. Else the smaller ones go without every third: which, differs from tree to tree.
var allLines = flag.Bool("all-lines", false, "conformance: each line on each tree")

var trees = []madeTree{
	{name: "full", madeUp: 200},
	{name: "families", madeUp: 100},
	{name: "malformed"},
	{name: "malformed_families"},
	{name: "malformed_routes"},
	{name: "old"},
	{name: "halves"},
	{name: "loops"},
	{name: "empty"},
	{name: "faults"},
	{name: "none"},
	{name: "closed", nobody: true},
	{name: "unseen", nobody: true},
}

// treeStage is a stage where /proc is a made-up tree.
func treeStage(t *testing.T, name string, p pair, made string) *stage {
	t.Helper()
	archive := func(name string) string { return filepath.Join("testdata", "conformance", name+".txtar") }
	ns := kerneltest.NetNS(t)
	ip(t, ns, `
link add veth1 address 02:00:00:00:00:01 type veth peer name veth10
link set veth1 mtu 1400 arp off
link add abcdefghijklmno type veth peer name abcdefghijklmn
`)
	return newStage(t, name, p, ns, [2]string{"/etc", tree(t, archive("etc"))}, [2]string{"/proc", tree(t, archive(made))})
}

// conformTree compares on a made-up /proc tree, in a network namespace with little but a loopback device: interfaces
// are not read from /proc alone.
func conformTree(t *testing.T, p pair, tally *tally, made madeTree) {
	s := treeStage(t, "tree "+made.name, p, made.name)
	s.nobody = made.nobody
	for i, line := range lines(made.madeUp) {
		if !*allLines && made.madeUp == 0 && i%3 == len(made.name)%3 {
			continue
		}
		s.judge(tally, line)
		if i%5 == 0 {
			s.compare(tally, line.strictly())
		}
	}
	for _, line := range spoken(made.madeUp > 0) {
		s.judge(tally, line)
	}
	for title, text := range continuousLines[made.name] {
		line := parseLine(text)
		s.judgeContinuous(tally, line, title)
		s.judgeContinuous(tally, line.strictly(), title)
	}
}

// continuousLines have no end, by the tree and by a text that each of their passes has once.
var continuousLines = map[string]map[string]string{
	"full": {
		"Active Internet":   "-tnc",
		"Kernel IP routing": "-rnc",
		"Iface  ":           "-ic",
		"---------------":   "-gnc4",
		"prot   expire":     "-Mnc",
	},
	"faults": {"---------------": "-gnc"},
}

// judgeContinuous compares the first two passes of a line with -c. Each pass comes a second after the one before.
func (s *stage) judgeContinuous(tally *tally, line commandLine, title string) {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	begin := func(program string) <-chan outcome {
		cmd := s.command(ctx, program, line)
		var errs strings.Builder
		cmd.Stderr = &errs
		out, err := cmd.StdoutPipe()
		if err != nil {
			s.t.Fatal(err)
		}
		s.start(cmd)
		answer := make(chan outcome, 1)
		go func() {
			text := s.mask(until(out, title))
			_ = cmd.Process.Kill()
			_ = cmd.Wait()
			code := cmd.ProcessState.ExitCode()
			if code < 0 {
				code = 0 // killed; else it has ended by itself, with a code to compare
			}
			answer <- outcome{text, errs.String(), code}
		}()
		return answer
	}
	wants, gots := begin(s.netstat), begin(s.netlive)
	want, got := <-wants, <-gots
	if tally.judge(s, line, got, want) == failed {
		s.t.Errorf("%s: netstat %s: differs:\n%s", s.name, line, got.against(want))
	}
}

// until reads up to the third title, or to the end.
func until(r io.Reader, title string) string {
	var text strings.Builder
	buf := make([]byte, 4096)
	for {
		n, err := r.Read(buf)
		text.Write(buf[:n])
		if parts := strings.SplitN(text.String(), title, 4); len(parts) == 4 {
			return strings.Join(parts[:3], title)
		}
		if err != nil {
			return text.String()
		}
	}
}
