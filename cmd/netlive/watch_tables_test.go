// SPDX-License-Identifier: GPL-2.0-or-later

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"os"
	"reflect"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"netlive/internal/kerneltest"
	"netlive/internal/live"
	"netlive/internal/options"
	"netlive/internal/procfallback"
	"netlive/internal/rtnl"
)

// row is an element of a table's JSON.
type row = map[string]any

// tableFrame is a frame of netlive watch -r or -i.
type tableFrame struct {
	Time       time.Time
	Source     string
	Lost       *uint64
	Routes     []row
	Interfaces []row
}

// counters move by themselves, and are announced by nobody: those of interfaces, and the references to IPv6 routes.
func counter(name string) bool {
	return strings.HasPrefix(name, "rx_") || strings.HasPrefix(name, "tx_") || name == "ref" || name == "use"
}

// withoutCounters takes the counters out of rows, and puts IPv6 addresses in order: the kernel has that of a hash.
func withoutCounters(rows []row) []row {
	for _, r := range rows {
		if addrs, ok := r["inet6"].([]any); ok {
			slices.SortFunc(addrs, func(a, b any) int { return strings.Compare(fmt.Sprint(a), fmt.Sprint(b)) })
		}
		for name := range r {
			if counter(name) {
				delete(r, name)
			}
		}
	}
	return rows
}

// watchedTable is netlive watch beside the one-shot table that it has to agree with.
type watchedTable struct {
	*process
	ns     *kerneltest.NS
	frames *json.Decoder
	table  []string
	last   tableFrame
}

// watchTable starts netlive watch with options and waits for the first frame. Between frames is an hour: what comes before came by itself.
func watchTable(t *testing.T, ns *kerneltest.NS, program string, options ...string) *watchedTable {
	t.Helper()
	p := start(t, ns, program, append([]string{"watch", "--json", "--interval", "1h"}, options...)...)
	w := &watchedTable{process: p, ns: ns, frames: json.NewDecoder(p.out), table: append(options, "--json")}
	w.next()
	return w
}

// next waits for a frame.
func (w *watchedTable) next() []row {
	w.t.Helper()
	w.last = tableFrame{}
	if err := w.frames.Decode(&w.last); err != nil {
		_, _, errs := w.end(unix.SIGTERM)
		w.t.Fatalf("read a frame: %v\n%s", err, errs)
	}
	if w.last.Source != "rtnetlink" || w.last.Lost == nil || w.last.Time.IsZero() || (w.last.Routes == nil) == (w.last.Interfaces == nil) {
		w.t.Fatalf("frame: %+v", w.last)
	}
	return append(w.last.Routes, w.last.Interfaces...)
}

// now is the table as netlive without a verb has it.
func (w *watchedTable) now() (rows []row) {
	w.t.Helper()
	text := runIn(w.t, w.ns, "netlive", w.table...)
	if err := json.Unmarshal(text, &rows); err != nil {
		w.t.Fatalf("%v\n%s", err, text)
	}
	return rows
}

// agree waits for the frame that shows s and equals the table as it is by then: a link that finds its carrier may have changed more.
// One that never comes is met by the limit of the process.
func (w *watchedTable) agree(s networkStep) {
	w.t.Helper()
	for {
		rows := withoutCounters(w.next())
		if *w.last.Lost != 0 {
			w.t.Errorf("after %s: %d lost", s.change, *w.last.Lost)
		}
		if has(rows, s.row) != s.gone && reflect.DeepEqual(rows, withoutCounters(w.now())) {
			return
		}
		w.t.Logf("after %q, not yet: %v", s.change, rows)
	}
}

// has reports whether a row has all the values.
func has(rows []row, values row) bool {
	return slices.ContainsFunc(rows, func(r row) bool {
		for name, v := range values {
			if !reflect.DeepEqual(r[name], v) {
				return false
			}
		}
		return true
	})
}

// networkStep is a change of a network, and what a row has afterwards or has no more.
type networkStep struct {
	change string
	row    row
	gone   bool
}

// follow makes the changes, each of which must be seen before the next.
func (w *watchedTable) follow(steps []networkStep) {
	w.t.Helper()
	for _, s := range steps {
		before := withoutCounters(w.now())
		if has(before, s.row) != s.gone { // so that what is waited for is news
			w.t.Fatalf("before %q: %v", s.change, before)
		}
		ip(w.t, w.ns, s.change)
		w.agree(s)
	}
}

// quietNet is a namespace whose links send nothing by themselves.
func quietNet(t *testing.T) *kerneltest.NS {
	t.Helper()
	ns := kerneltest.NetNS(t)
	ns.Do(func() {
		for _, name := range []string{"accept_dad", "router_solicitations", "accept_ra"} {
			if err := os.WriteFile("/proc/sys/net/ipv6/conf/default/"+name, []byte("0"), 0); err != nil {
				t.Fatal(err)
			}
		}
	})
	ip(t, ns, "link add eth0 type veth peer name peer0\nlink set peer0 up\nlink set eth0 up\naddr add 192.0.2.1/24 dev eth0\naddr add 2001:db8::1/64 dev eth0 nodad")
	return ns
}

// Each change of a route is in a frame at once, and the frame is what netlive -r prints then.
func TestWatchRoutes(t *testing.T) {
	t.Parallel()
	to := func(destination string) row { return row{"destination": destination} }
	for name, c := range map[string]struct {
		options []string
		steps   []networkStep
	}{
		"IPv4": {[]string{"-rn"}, []networkStep{
			{"route add 198.51.100.0/24 via 192.0.2.2", to("198.51.100.0"), false},
			{"route replace 198.51.100.0/24 via 192.0.2.3", row{"destination": "198.51.100.0", "gateway": "192.0.2.3"}, false},
			{"route del 198.51.100.0/24", to("198.51.100.0"), true},
			{"route add unreachable 203.0.113.0/24 metric 7", row{"destination": "203.0.113.0", "iface": nil, "metric": 7.}, false},
			{"addr add 10.7.0.1/16 dev eth0", to("10.7.0.0"), false},
			// The route goes with the address that it prefers, and nobody tells.
			{"route add 198.51.100.0/24 via 192.0.2.2 src 10.7.0.1", to("198.51.100.0"), false},
			{"addr del 10.7.0.1/16 dev eth0", to("198.51.100.0"), true},
			{"nexthop add id 7 via 192.0.2.2 dev eth0\nroute add 198.51.100.0/24 nhid 7", to("198.51.100.0"), false},
			{"nexthop del id 7", to("198.51.100.0"), true},
			{"link add eth1 type veth peer name peer1\nlink set eth1 up\nroute add 198.51.100.0/24 dev eth1", row{"iface": "eth1"}, false},
			{"link set eth1 down", row{"iface": "eth1"}, true}, // that nobody tells either
			{"link set eth1 up\nroute add 198.51.100.0/24 dev eth1", row{"iface": "eth1"}, false},
			{"link set eth1 down\nlink set eth1 name eth2\nlink set eth2 up\nroute add 198.51.100.0/24 dev eth2", row{"iface": "eth2"}, false},
			{"link del eth2", to("198.51.100.0"), true},
			{"route del unreachable 203.0.113.0/24", to("203.0.113.0"), true},
		}},
		"IPv6": {[]string{"-rn", "-6"}, []networkStep{
			{"route add 2001:db8:1::/48 via 2001:db8::2", to("2001:db8:1::"), false},
			{"route replace 2001:db8:1::/48 via 2001:db8::3", row{"destination": "2001:db8:1::", "gateway": "2001:db8::3"}, false},
			{"route del 2001:db8:1::/48", to("2001:db8:1::"), true},
			{"addr add 2001:db8:7::1/64 dev eth0 nodad", to("2001:db8:7::"), false},
			{"addr del 2001:db8:7::1/64 dev eth0", to("2001:db8:7::"), true},
			{"route add 2001:db8:1::/48 dev peer0", to("2001:db8:1::"), false},
			{"link set peer0 down", to("2001:db8:1::"), true},
		}},
		"both": {[]string{"-rn", "-4", "-6", "-ee"}, []networkStep{
			{"route add 198.51.100.0/24 dev lo\nroute add 2001:db8:9::/48 dev lo", to("2001:db8:9::"), false},
			{"route del 198.51.100.0/24", to("198.51.100.0"), true},
		}},
	} {
		t.Run(name, func(t *testing.T) {
			w := watchTable(t, quietNet(t), "netlive", c.options...)
			w.follow(c.steps)
			if code, _, errs := w.end(unix.SIGINT); code != exitInterrupted || len(errs) > 0 {
				t.Errorf("exit code %d: %s", code, errs)
			}
		})
	}
}

// Each change of a link or an address is in a frame at once.
func TestWatchInterfaces(t *testing.T) {
	t.Parallel()
	name := func(name string) row { return row{"name": name} }
	inet := func(text string) row {
		var r row
		if err := json.Unmarshal([]byte(text), &r); err != nil {
			t.Fatal(err)
		}
		return r
	}
	for test, c := range map[string]struct {
		options []string
		steps   []networkStep
	}{
		"up": {[]string{"-i"}, []networkStep{
			{"link add eth1 type veth peer name peer1\nlink set eth1 up", name("eth1"), false},
			{"link set eth1 mtu 1400", row{"name": "eth1", "mtu": 1400.}, false},
			{"link set eth1 down", name("eth1"), true},
			{"link set eth1 up", name("eth1"), false},
			{"addr add 198.51.100.1/24 dev eth1 label eth1:x", name("eth1:x"), false},
			{"addr del 198.51.100.1/24 dev eth1", name("eth1:x"), true},
			{"addr add 198.51.100.1/24 dev eth1", inet(`{"inet": {"address": "198.51.100.1", "netmask": "255.255.255.0", "broadcast": "0.0.0.0", "destination": "198.51.100.1"}}`), false},
			{"link del eth1", name("eth1"), true},
		}},
		"all": {[]string{"-ia", "-e"}, []networkStep{
			{"link add eth1 type veth peer name peer1", name("eth1"), false},
			{"link set eth1 name long0", name("long0"), false},
			{"link set long0 name eth1", name("long0"), true},
			{"link set eth1 up", row{"name": "eth1", "flags": []any{"UP", "BROADCAST", "MULTICAST"}}, false},
			{"addr add 2001:db8:1::1/64 dev lo nodad", inet(`{"name": "lo", "inet6": [
				{"address": "2001:db8:1::1", "prefix_len": 64, "scope": "global", "scope_raw": 0}, {"address": "::1", "prefix_len": 128, "scope": "host", "scope_raw": 16}]}`), false},
			{"addr del 2001:db8:1::1/64 dev lo", inet(`{"name": "lo", "inet6": [{"address": "::1", "prefix_len": 128, "scope": "host", "scope_raw": 16}]}`), false},
			{"link set eth1 down", row{"name": "eth1", "flags": []any{"BROADCAST", "MULTICAST"}}, false},
			{"link del eth1", name("eth1"), true},
		}},
	} {
		t.Run(test, func(t *testing.T) {
			w := watchTable(t, quietNet(t), "netlive", c.options...)
			w.follow(c.steps)
			if code, _, errs := w.end(unix.SIGTERM); code != exitOK || len(errs) > 0 {
				t.Errorf("exit code %d: %s", code, errs)
			}
		})
	}
}

// Thousands of changes that find no room cost nothing but freshness: the loss is told, and the table is right.
func TestWatchRoutesOverrun(t *testing.T) {
	t.Parallel()
	ns := quietNet(t)
	w := watchTable(t, ns, "netlive-without-room", "-rn")
	const routes = 5000
	var storm strings.Builder
	for i := range routes {
		fmt.Fprintf(&storm, "route add 10.%d.%d.0/24 via 192.0.2.2\n", i/256, i%256)
		if i%2 == 0 {
			fmt.Fprintf(&storm, "route del 10.%d.%d.0/24\n", i/256, i%256)
		}
	}
	// As a machine that is too busy to let it run.
	if err := w.Process.Signal(unix.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	ip(t, ns, storm.String())
	if err := w.Process.Signal(unix.SIGCONT); err != nil {
		t.Fatal(err)
	}
	want := withoutCounters(w.now())
	if len(want) != routes/2+1 {
		t.Fatalf("%d routes", len(want))
	}
	for !reflect.DeepEqual(withoutCounters(w.next()), want) || *w.last.Lost == 0 {
		t.Logf("a frame of %d routes, %d lost", len(w.last.Routes), *w.last.Lost)
	}
	// How many there is room for is the kernel's matter: a few.
	if lost := *w.last.Lost; lost < routes || lost > routes*3/2 {
		t.Errorf("%d lost of %d", lost, routes*3/2)
	}
	if text := runIn(t, ns, "netstat", "-rn"); bytes.Count(text, []byte("\n")) != len(want)+2 {
		t.Errorf("netstat has %d lines for %d routes", bytes.Count(text, []byte("\n")), len(want))
	}
	if code, _, errs := w.end(unix.SIGTERM); code != exitOK || len(errs) > 0 {
		t.Errorf("exit code %d: %s", code, errs)
	}
}

// countedFS counts what is opened.
type countedFS struct {
	fs.FS
	opened atomic.Int64
}

func (c *countedFS) Open(name string) (fs.File, error) {
	c.opened.Add(1)
	return c.FS.Open(name)
}

// stopAfter is frames that are enough after so many, and says how often.
type stopAfter struct {
	*tableFrames[routeTables]
	draws int
	each  func(draw int)
}

func (s *stopAfter) Draw(st live.Status, now time.Time) (time.Time, error) {
	if s.each(s.draws); s.draws == 20 {
		return time.Time{}, live.ErrDone
	}
	s.draws++
	return s.tableFrames.Draw(st, now)
}

// While nothing changes frames come each interval and nothing of /proc is read for them.
func TestWatchRoutesIdle(t *testing.T) {
	kerneltest.NoLeaks(t)
	ns := kerneltest.NetNS(t) // links find their carrier a while after they were set up
	o, err := options.Parse(options.Verb, "netlive watch", []string{"-rn", "-4", "-6"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	var news *rtnl.Socket
	parts := newRoutePartsOf(&o)
	ns.Do(func() { news, err = rtnl.Subscribe(routeGroups(parts), 0) })
	if err != nil {
		t.Fatal(err)
	}
	counted := &countedFS{FS: os.DirFS("/proc")}
	proc := procfallback.New(counted)
	var first int64
	board := &stopAfter{
		tableFrames: &tableFrames[routeTables]{liveTable: newRouteList(&o, streams{}, nil), o: &o, pump: pump{out: io.Discard}, err: t.Output()},
		each: func(draw int) {
			switch opened := counted.opened.Load(); {
			case draw == 0:
				first = opened
			case opened != first:
				t.Errorf("frame %d: %d files opened, were %d", draw, opened, first)
			}
		},
	}
	err = live.RunLooks(t.Context(), live.Looks[routeTables]{
		Look: func(ctx context.Context) (r routeTables, err error) {
			ns.Do(func() { r, err = lookAtRoutes(ctx, proc, parts) })
			return r, err
		},
		News: news, Interval: 10 * time.Millisecond, Frame: time.Millisecond, Settle: time.Millisecond, Always: true,
	}, board)
	if err != nil || first == 0 {
		t.Errorf("%v, %d files opened at first", err, first)
	}
}

// What a person sees: a route appears, changes its way and goes, with their marks; and the terminal is as it was afterwards.
func TestWatchRoutesOnATerminal(t *testing.T) {
	t.Parallel()
	for _, source := range []string{"rtnetlink", "procfs"} {
		t.Run(source, func(t *testing.T) {
			ns := quietNet(t)
			command := "netlive watch -rn --interval 100ms"
			if source == "procfs" {
				command += " --source procfs"
			}
			term := newTerminal(t, ns, 80, 24, command)
			term.await("netlive  "+source+"  lost 0  routes 1", " Destination Gateway Genmask", " 192.0.2.0   0.0.0.0", "q quit")
			ip(t, ns, "route add 198.51.100.0/24 via 192.0.2.2")
			term.await("routes 2", "+198.51.100.0 192.0.2.2")
			gateway := ""
			term.awaitMark(func(attempt int) []string {
				gateway = fmt.Sprintf("192.0.2.%d", 3+attempt)
				ip(t, ns, "route replace 198.51.100.0/24 via "+gateway)
				return []string{"routes 2", "*198.51.100.0 " + gateway}
			})
			term.await("\n 198.51.100.0 " + gateway) // the mark goes
			ip(t, ns, "route del 198.51.100.0/24")
			term.await("routes 1", "-198.51.100.0 "+gateway)
			screen := term.await("1-1 of 1") // and so does the row
			if strings.Contains(screen, "198.51.100.0") {
				t.Errorf("the route is still there:\n%s", screen)
			}
			if polls := strings.Contains(screen, "polling /proc each 100ms: --source procfs"); polls != (source == "procfs") {
				t.Errorf("says that it polls: %v\n%s", polls, screen)
			}
			term.press("q")
			term.await("exit code 0")
		})
	}
}

func TestWatchInterfacesOnATerminal(t *testing.T) {
	t.Parallel()
	ns := quietNet(t)
	term := newTerminal(t, ns, 120, 24, "netlive watch -ia --interval 100ms")
	term.await("  rtnetlink  lost 0  interfaces 3", " Iface   MTU RX/s TX/s RX-pkt/s", " eth0   1500", "q quit")
	ip(t, ns, "link add eth1 type veth peer name peer1")
	term.await("interfaces 5", "+eth1   1500", "+peer1")
	term.awaitMark(func(attempt int) []string {
		mtu := 1400 + attempt
		ip(t, ns, fmt.Sprintf("link set eth1 up mtu %d", mtu))
		return []string{fmt.Sprintf("*eth1   %d", mtu), "BMU"}
	})
	ip(t, ns, "link del eth1")
	term.await("interfaces 3", "-eth1   14")
	term.await("1-3 of 3")
	term.press("q")
	term.await("exit code 0")

	// Counters are not announced: they are read each interval. A rate stays in the sparkline for thirty of them.
	term = newTerminal(t, ns, 80, 24, "netlive watch -i --interval 100ms")
	term.await(" Iface RX/s TX/s RX-pkt/s", " RX+TX", " eth0", " lo", "q quit")
	term.awaitMark(func(int) []string {
		countOne(t, ns)
		return []string{"█"}
	})
	term.press("q")
	term.await("exit code 0")

	term = newTerminal(t, ns, 80, 24, "netlive watch -i -e --interval 100ms")
	term.await(" eth0: flags=4163<UP,BROADCAST,RUNNING,MULTICAST>  mtu 1500", "inet 192.0.2.1  netmask 255.255.255.0", " lo: flags=73")
	ip(t, ns, "addr add 2001:db8:5::5/64 dev eth0 nodad")
	term.await("*eth0: flags=", "*        inet6 2001:db8:5::5  prefixlen 64")
	term.press("G")
	term.await("peer0: flags=", "        RX/s ")
	term.press("q")
	term.await("exit code 0")
}

// countOne has a packet counted on lo.
func countOne(t *testing.T, ns *kerneltest.NS) {
	t.Helper()
	ns.Do(func() {
		fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
		if err == nil {
			defer unix.Close(fd)
			err = unix.Sendto(fd, []byte("x"), 0, &unix.SockaddrInet4{Port: 9, Addr: [4]byte{127, 0, 0, 1}})
		}
		if err != nil {
			t.Fatal(err)
		}
	})
}
