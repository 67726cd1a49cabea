// SPDX-License-Identifier: GPL-2.0-or-later

package main

import (
	"fmt"
	"regexp"
	"strings"
	"testing"

	"netlive/internal/kerneltest"
)

// The conformance suite: called as netstat, netlive gives netstat's bytes on stdout and stderr and its exit code, for
// some hundred command lines each on real sockets, interfaces and routes, and on made-up /proc trees that have what this
// kernel has not.

// differs is a difference that is known.
type differs struct {
	rig  string         // of the rigs whose name begins so
	line *regexp.Regexp // of the command line, blanks between its words; nil is any
	// says is what one of the two says on stderr; nil is anything.
	says *regexp.Regexp
	// hide is what is taken out of both streams, after which nothing may differ; nil is everything.
	hide *regexp.Regexp
	// strict says that it differs with NETLIVE_COMPAT=strict too: what netstat does there is not defined.
	strict bool
	reason string
}

// deliberate are the differences that are meant. Each must be met, or it is out of date.
var deliberate = []differs{
	{
		rig:    "tree malformed_routes",
		line:   regexp.MustCompile(`-\w*r|--rou`),
		strict: true,
		reason: "a route that cannot be read is left out; netstat prints what an earlier route left in its variables, or whatever was in memory",
	},
	{
		rig:    "tree halves",
		line:   regexp.MustCompile(`-\w*i|--interfaces`),
		says:   regexp.MustCompile(`(?m)^ghost0: `),
		reason: "an interface that is gone before it is asked about is left out; netstat ends there",
	},
	{
		rig:    "tree families",
		hide:   regexp.MustCompile(`(?m)^IPX .*\n`),
		reason: "ports of IPX are what they are; netstat swaps their bytes on little-endian machines (fixed after 2.10)",
	},
	{
		rig:    "tree families",
		hide:   regexp.MustCompile(`(?m)^(2080175520|\*         |          ) `),
		reason: "ROSE's addresses are there; netstat overwrites the first with the NUL of the next",
	},
	{
		rig:    "tree faults",
		hide:   regexp.MustCompile(`(?m)^1234567890 .*\n`),
		reason: "an X.25 source has all of its ten digits; netstat cuts the last",
	},
	{
		rig:    "tree faults",
		line:   regexp.MustCompile(`-\w*i|--interfaces`),
		hide:   regexp.MustCompile(`(?m)^abcdefghijklmno.*\n(?: .*\n)*`),
		reason: "an interface whose name has 15 letters has its counters; netstat does not find them and shows zeros",
	},
	{
		rig:    "tree faults",
		line:   regexp.MustCompile(`-gnc`),
		reason: "each pass of -gc shows the same groups; netstat takes those of IPv4 for IPv6's from the second pass on",
	},
}

func TestConformance(t *testing.T) {
	kerneltest.RequireRoot(t)
	tally := newTally()
	p := findPrograms(t)
	t.Run("rigs", func(t *testing.T) {
		t.Run("scene", func(t *testing.T) {
			t.Parallel()
			conformScene(t, p, tally)
		})
		t.Run("locales", func(t *testing.T) {
			t.Parallel()
			conformLocales(t, p, tally)
		})
		for _, made := range trees {
			t.Run(made.name, func(t *testing.T) {
				t.Parallel()
				conformTree(t, p, tally, made)
			})
		}
	})
	tally.close(t)
}

// judge compares netlive with netstat for one command line, and with netstat's faults too where they show.
func (s *stage) judge(tally *tally, line commandLine) {
	s.t.Helper()
	if s.compare(tally, line) == different {
		s.compare(tally, line.strictly())
	}
}

// compare runs both. What two runs of netstat do not agree about, for it moves by itself, is asked for again. So is who holds sockets: a child that this
// process has just forked holds its sockets until it runs another program, and comes first where process numbers have begun anew.
func (s *stage) compare(tally *tally, line commandLine) verdict {
	s.t.Helper()
	const tries = 8
	var want, got, again outcome
	for range tries {
		want = s.run(s.netstat, line)
		if want.code < 0 {
			continue // it writes over its own stack, for ROSE's addresses, and sometimes dies of it
		}
		got = s.run(s.netlive, line)
		if got == want {
			break
		}
		if again = s.run(s.netstat, line); again == want && !strings.Contains(line.String(), "p") {
			break
		}
	}
	verdict := tally.judge(s, line, got, want)
	if verdict == failed {
		word := "differs"
		if again != want {
			word = "never stands still"
		}
		s.t.Errorf("%s: netstat %s: %s:\n%s", s.name, line, word, got.against(want))
	}
	return verdict
}

// outcome is what a program leaves behind.
type outcome struct {
	out, err string
	code     int
}

// against tells where got and want part.
func (got outcome) against(want outcome) string {
	var b strings.Builder
	if got.code != want.code {
		fmt.Fprintf(&b, "exit code %d, want %d\n", got.code, want.code)
	}
	if got.out != want.out {
		fmt.Fprintf(&b, "stdout:\n%s\n", difference(got.out, want.out))
	}
	if got.err != want.err {
		fmt.Fprintf(&b, "stderr:\n%s\n", difference(got.err, want.err))
	}
	return b.String()
}
