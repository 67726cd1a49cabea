// SPDX-License-Identifier: GPL-2.0-or-later

package main

import (
	"path/filepath"
	"testing"

	"netlive/internal/kerneltest"
)

// Where there are so many sockets that the kernel's iterators are asked in place of /proc, the bytes are the same.
func TestManySockets(t *testing.T) {
	kerneltest.RequireRoot(t)
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
}
