// SPDX-License-Identifier: GPL-2.0-or-later

package main

import (
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"netlive/internal/kerneltest"
)

// Where there are so many sockets that the kernel's iterators are asked in place of /proc, the bytes are the same.
func TestManySockets(t *testing.T) {
	kerneltest.RequireRoot(t)
	t.Parallel()
	ns := kerneltest.NetNS(t)
	storm := startStorm(t, ns, kerneltest.Storm{Workers: 2, Open: 2000})
	underWay(t, ns, 2*4000)
	storm.freeze()
	holdIn(t, ns)
	ns.Do(func() {
		if n := howMany(); n < walkedMin {
			t.Fatalf("%d sockets, want %d", n, walkedMin)
		}
	})
	etc := tree(t, filepath.Join("testdata", "conformance", "etc.txtar"))
	s := newStage(t, "many", findPrograms(t), ns, [2]string{"/etc", etc})
	tally := newTally()
	for _, text := range []string{
		"-tan", "-tanp", "-tanpe", "-tn", "-tln", "-tlnp", "-an", "-anp", "-ane", "-6tan", "-4tanp", "-tuwxan", "-xan", "-xap --numeric-hosts", "-uan",
		"-uanpe", "-tanW", "-ta --numeric-hosts", "-tane --numeric-hosts --numeric-users", "-an -A inet,unix", "-tuan --udplite", "-San", "-ltnx",
		"LC_ALL=C.UTF-8 LANGUAGE=de -tan", "-tano", "-at --numeric-ports -n",
	} {
		if text == "-tano" {
			s.mask = maskTimers
		}
		s.compare(tally, parseLine(text))
	}
	s.nobody = true
	s.compare(tally, parseLine("-tanp"))
	tally.report(t)

	// Filtered rows are those that match, in the same order, be they taken from the iterator or, for their owners, from a snapshot.
	for _, c := range []struct {
		options, filter string
		keep            *regexp.Regexp
	}{
		{"-tan", "sport gt :30000", regexp.MustCompile(`^tcp6? +\d+ +\d+ \S+:[3-6]\d{4} `)},
		{"-tan", "state listen", regexp.MustCompile(`LISTEN`)},
		{"-tanp", "ipv6", regexp.MustCompile(`^tcp6 `)},
		{"-tanp", "proc = sockets", regexp.MustCompile(`\d/sockets`)},
	} {
		want := ""
		for line := range strings.Lines(string(runIn(t, ns, "netlive", c.options))) {
			if !strings.HasPrefix(line, "tcp") || c.keep.MatchString(line) {
				want += line
			}
		}
		if got := string(runIn(t, ns, "netlive", c.options, c.filter)); got != want || strings.Count(want, "\n") < 5 {
			t.Errorf("%s %s: %d rows: %s", c.options, c.filter, strings.Count(got, "\n"), difference(got, want))
		}
	}
}
