// SPDX-License-Identifier: GPL-2.0-or-later

package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
)

type verdict uint8

const (
	equal     verdict = iota
	different         // on purpose
	failed
	verdicts
)

// tally counts what both rigs find.
type tally struct {
	mu     sync.Mutex
	counts map[string]*[verdicts]int // by rig
	met    map[string]int            // lines, by the reason of a known difference
}

func newTally() *tally {
	return &tally{counts: map[string]*[verdicts]int{}, met: map[string]int{}}
}

func (c *tally) judge(s *stage, line commandLine, got, want outcome) (v verdict) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case want.code < 0:
		v = failed // netstat crashed: it is no measure of anything
	case got == want:
		v = equal
	case c.known(s.name, line, got, want):
		v = different
	default:
		v = failed
	}
	if c.counts[s.name] == nil {
		c.counts[s.name] = new([verdicts]int)
	}
	c.counts[s.name][v]++
	return v
}

// known reports whether the differences are all in the list, and remembers those that were met.
func (c *tally) known(rig string, line commandLine, got, want outcome) bool {
	var met []string
	whole := false
	for _, d := range deliberate {
		if !d.concerns(rig, line, got, want) {
			continue
		}
		if d.hide == nil {
			whole = true
			met = append(met, d.reason)
			continue
		}
		less, than := d.hidden(got), d.hidden(want)
		if less != got || than != want {
			met = append(met, d.reason)
		}
		got, want = less, than
	}
	if !whole && got != want {
		return false
	}
	for _, reason := range met {
		c.met[reason]++
	}
	return true
}

// concerns reports whether d may be seen in a line.
func (d *differs) concerns(rig string, line commandLine, got, want outcome) bool {
	switch {
	case !strings.HasPrefix(rig, d.rig),
		d.line != nil && !d.line.MatchString(line.String()),
		d.says != nil && !d.says.MatchString(got.err) && !d.says.MatchString(want.err),
		!d.strict && line.strict():
		return false
	}
	return true
}

// hidden is o without what d is about.
func (d *differs) hidden(o outcome) outcome {
	o.out, o.err = d.hide.ReplaceAllString(o.out, ""), d.hide.ReplaceAllString(o.err, "")
	return o
}

// close reports the counts, and what is out of date in the list of what may differ.
func (c *tally) close(t *testing.T) {
	t.Helper()
	for _, d := range deliberate {
		if c.met[d.reason] == 0 {
			t.Errorf("no difference any more: %s", d.reason)
		}
	}
	c.report(t)
}

// report tells the counts.
func (c *tally) report(t *testing.T) {
	t.Helper()
	var b strings.Builder
	var all [verdicts]int
	row := func(name string, n *[verdicts]int) {
		fmt.Fprintf(&b, "\n%-24s %5d lines, %5d equal, %3d different on purpose, %3d failed", name,
			n[equal]+n[different]+n[failed], n[equal], n[different], n[failed])
	}
	for _, rig := range slices.Sorted(maps.Keys(c.counts)) {
		row(rig, c.counts[rig])
		for i, n := range c.counts[rig] {
			all[i] += n
		}
	}
	row("all", &all)
	t.Log(b.String())
}
