// SPDX-License-Identifier: GPL-2.0-or-later

package main

import (
	"bytes"
	"context"
	"fmt"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"netlive/internal/kerneltest"
	"netlive/internal/live"
	"netlive/internal/options"
	"netlive/internal/screen"
)

// namedByPID starts a process that does nothing in ns, by whose PID --netns finds it.
func namedByPID(t *testing.T, ns *kerneltest.NS) string {
	t.Helper()
	cmd := exec.Command("sleep", "infinity")
	if err := ns.Start(cmd); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait() // that it was killed is no news
	})
	return strconv.Itoa(cmd.Process.Pid)
}

// framesOf has run write count frames with options, to a pipe, and returns what it wrote. each is called after each frame.
func framesOf(t *testing.T, run func(context.Context, *options.Options, streams) error, count int, each func(frame int), words ...string) string {
	t.Helper()
	var out pipe
	var errs bytes.Buffer
	out.each = each
	o := optionsFor(t, append([]string{"--interval", "50ms", "--count", strconv.Itoa(count)}, words...)...)
	if err := run(t.Context(), o, streams{out: &out, err: &errs}); err != nil || errs.Len() > 0 {
		t.Fatalf("%v: %v\n%s", words, err, errs.String())
	}
	return out.String()
}

// pipe is written a frame at a time.
type pipe struct {
	bytes.Buffer
	each   func(frame int)
	frames int
}

func (p *pipe) Write(b []byte) (int, error) {
	n, err := p.Buffer.Write(b)
	if p.each != nil {
		p.each(p.frames)
	}
	p.frames++
	return n, err
}

// A page shows the namespace that it is told without anybody having to be in it, keeps its list from one visit to the next, and can be
// shown beside others.
func TestPages(t *testing.T) {
	kerneltest.NoLeaks(t)
	ns := quietNet(t)
	o := optionsFor(t, "-tulpne", "-a", "--interval", "20ms", "--netns", namedByPID(t, ns))
	routes, err := newRoutePage(o, streams{})
	if err != nil {
		t.Fatal(err)
	}
	interfaces, err := newInterfacePage(o, streams{}, interfaceDefaults, false)
	if err != nil {
		t.Fatal(err)
	}
	statistics, err := newStatisticsPage(o, streams{})
	if err != nil {
		t.Fatal(err)
	}
	// until shows a page until it shows the text.
	until := func(p listPage, source, text string) (shown string) {
		t.Helper()
		ctx, cancel := context.WithTimeout(t.Context(), limit)
		defer cancel()
		err := p.show(ctx, nil, func() {}, func(l screen.List, from, note string, s live.Status, now time.Time) (time.Time, error) {
			if from != source || note != "" || s.Err != nil {
				return time.Time{}, fmt.Errorf("source %q, note %q, %w", from, note, s.Err)
			}
			if shown = textOf(l, now); strings.Contains(shown, text) {
				return time.Time{}, live.ErrDone
			}
			return time.Time{}, nil
		})
		if err != nil || !strings.Contains(shown, text) {
			t.Fatalf("no %q: %v\n%s", text, err, shown)
		}
		return shown
	}
	shown := until(routes, "rtnetlink", "192.0.2.0|0.0.0.0")
	if !strings.Contains(shown, "inet6 ") || !strings.Contains(shown, "2001:db8::/64") {
		t.Errorf("the routes of IPv6 are not there:\n%s", shown)
	}
	until(interfaces, "rtnetlink", "peer0|1500|")
	until(statistics, "procfs", "Udp counter")
	ip(t, ns, "route add 198.51.100.0/24 via 192.0.2.2\nlink set peer0 mtu 1400")
	sendLoop(t, ns, 9)
	until(routes, "rtnetlink", "+198.51.100.0|192.0.2.2")
	until(interfaces, "rtnetlink", "*peer0|1400|")
	// What was counted between two visits is a change.
	until(statistics, "procfs", "|+9|9|packets sent\n")

	// The rest of what a page is told goes with the namespace: its end is an error that is shown.
	gone := optionsFor(t, "-r", "--netns", "no-such-namespace")
	if _, err := newRoutePage(gone, streams{}); err == nil {
		t.Error("a namespace that there is not")
	}
	all, err := newInterfacePage(optionsFor(t, "-t", "--netns", "all"), streams{}, interfaceDefaults, false)
	if err != nil {
		t.Fatal(err)
	}
	c, source, note := all.begin()
	if err := c.News.Close(); err != nil {
		t.Error(err)
	}
	if source != "rtnetlink" || note != "interfaces of netlive's own network namespace alone" {
		t.Errorf("--netns all: %q, %q", source, note)
	}
	polled, err := newRoutePage(optionsFor(t, "-r", "--source", "procfs", "--netns", "all"), streams{})
	if err != nil {
		t.Fatal(err)
	}
	if c, source, note := polled.begin(); c.News != nil || source != "procfs" ||
		note != "routes of netlive's own network namespace alone; polling /proc each 1s: --source procfs" {
		t.Errorf("--source procfs: %q, %q", source, note)
	}
}

// What options mean to a page that is not the one they were given for.
func TestOptionsOf(t *testing.T) {
	for _, c := range []struct {
		words    string
		mode     options.Mode
		families string
		extend   int
		all      bool
	}{
		{"-r -ee -4 -6", options.ModeRoute, "inet inet6", 2, false},
		{"-taee -4", options.ModeRoute, "inet", 0, false},
		{"-xa", options.ModeInterfaces, "", 0, false},
		{"-ia -e", options.ModeInterfaces, "", 1, true},
		{"-ia -e", options.ModeStatistics, "", 0, false},
		{"-x -6", options.ModeStatistics, "inet6", 0, false},
	} {
		asked := optionsFor(t, strings.Fields(c.words)...)
		before := *asked
		o := optionsOf(asked, c.mode)
		if o.Mode != c.mode || strings.Join(o.Families, " ") != c.families || o.Extend != c.extend || o.All != c.all {
			t.Errorf("%s: %+v", c.words, o)
		}
		if asked.Mode != before.Mode || asked.Extend != before.Extend || len(asked.Families) != len(before.Families) {
			t.Errorf("%s: changed", c.words)
		}
	}
}
