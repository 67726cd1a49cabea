// SPDX-License-Identifier: GPL-2.0-or-later

//go:build conformance

package main

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"netlive/internal/kerneltest"
	"netlive/internal/options"
)

// The conformance suite: called as netstat, netlive gives netstat's bytes on stdout and stderr and its exit code, for
// some hundred command lines each on real sockets, interfaces and routes, and on made-up /proc trees that have what this
// kernel has not.

// refusedModes are the options that netlive may refuse with "not supported" without failing the suite, as it names them
// in that message. A line that is refused for anything else fails. Empty it when all of netstat is there.
var refusedModes = []string{"-r", "-i", "-g", "-M", "-S", "-F", "-C", "-N", "-2", "-f", "address family"}

// differs is a difference that is known.
type differs struct {
	rig  string         // of the rigs whose name begins so
	line *regexp.Regexp // of the command line, blanks between its words; nil is any
	// says is what one of the two says on stderr; nil is anything.
	says *regexp.Regexp
	// hide is what is taken out of both streams, after which nothing may differ; nil is everything.
	hide   *regexp.Regexp
	reason string
}

// deliberate are the differences that are meant. Each must be met, or it is out of date.
var deliberate = []differs{}

// pending are differences that are to go.
var pending = []differs{
	{
		hide:   regexp.MustCompile(`(?m)^(warning, got bogus .*|netlive: net/.*)\n`),
		reason: "netlive has words of its own for lines that it cannot read",
	},
	{
		rig:    "tree loops",
		says:   regexp.MustCompile(`(?m)^/proc/net/.*: Too many levels of symbolic links$`),
		reason: "a table that is there and cannot be opened is missing to netlive; netstat says why and ends with 255",
	},
	{
		rig:    "tree halves",
		says:   regexp.MustCompile(`procfallback: read net/\w+6: .*: too many levels of symbolic links`),
		reason: "a table of IPv6 that cannot be opened ends netlive; to netstat it is empty",
	},
	{
		rig:    "tree halves",
		says:   regexp.MustCompile("no support for `AF INET \\(udp\\)'"),
		reason: "netlive ends at a missing table of IPv4; netstat reads that of IPv6 first",
	},
	{
		rig:    "tree closed",
		says:   regexp.MustCompile("no support for `"),
		reason: "netlive does not say that a table may not be read",
	},
	{
		rig:    "tree unseen",
		says:   regexp.MustCompile("no support for `"),
		reason: "netlive does not say that no table may be read",
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
		for _, made := range trees {
			t.Run(made.name, func(t *testing.T) {
				t.Parallel()
				conformTree(t, p, tally, made)
			})
		}
	})
	tally.close(t)
}

// judge compares netlive with netstat for one command line. still says that what netstat reads moves by itself: what
// two runs of netstat do not agree about is asked for again.
func (s *stage) judge(tally *tally, line commandLine) {
	s.t.Helper()
	const tries = 8
	var want, got, again outcome
	for range tries {
		want = s.run(s.netstat, line)
		got = s.run(s.netlive, line)
		if got == want {
			break
		}
		if again = s.run(s.netstat, line); again == want {
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

// refusals are the modes that netlive says it refuses, nil if it does not.
func (got outcome) refusals() (modes []string) {
	if got.code != 1 || got.out != "" {
		return nil
	}
	for line := range strings.Lines(got.err) {
		_, list, ok := strings.Cut(strings.TrimSuffix(line, "\n"), ": not supported: ")
		if !ok {
			continue
		}
		for mode := range strings.SplitSeq(list, ", ") {
			mode, _, _ = strings.Cut(mode, " (")
			if strings.HasPrefix(mode, "address family ") {
				mode = "address family"
			}
			modes = append(modes, mode)
		}
	}
	return modes
}

// unasked are the modes that a line brings along on this stage without naming them: tables that netlive leaves out as
// long as it refuses those modes by name.
func (s *stage) unasked(line commandLine) (modes []string) {
	args := line.args
	if i := slices.IndexFunc(args, func(a string) bool { return !strings.HasPrefix(a, "-") }); i >= 0 && len(line.env) > 0 {
		args = args[:i] // POSIXLY_CORRECT
	}
	o, _ := options.Parse(options.Netstat, "netstat", args) // what is refused is parsed nevertheless
	if sel := o.Select(); s.families && sel.SCTP {
		modes = append(modes, "-S")
	} else if s.families && len(sel.Others) > 0 {
		modes = append(modes, "address family")
	}
	return modes
}

// mayRefuse reports whether all of modes may be refused, and there is one.
func mayRefuse(modes []string) bool {
	return len(modes) > 0 && !slices.ContainsFunc(modes, func(m string) bool { return !slices.Contains(refusedModes, m) })
}

func TestMayRefuse(t *testing.T) {
	for message, want := range map[string]bool{
		"netstat: not supported: -Z (SELinux)\n":      false,
		"netstat: not supported: -t\n":                false,
		"netstat: no such thing\n":                    false,
		"netstat: not supported: -q, -r (routes)\n":   false,
		"a warning\nnetstat: not supported: -y (z)\n": false,
	} {
		if got := mayRefuse(outcome{err: message, code: 1}.refusals()); got != want {
			t.Errorf("%q: %v", message, got)
		}
	}
	if mayRefuse((outcome{err: "netstat: not supported: -r (routes)\n", code: 3}).refusals()) {
		t.Error("a refusal with another exit code")
	}
}
