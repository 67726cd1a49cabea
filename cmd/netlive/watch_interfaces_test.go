// SPDX-License-Identifier: GPL-2.0-or-later

package main

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"netlive/internal/iface"
	"netlive/internal/kerneltest"
	"netlive/internal/live"
	"netlive/internal/options"
	"netlive/internal/procfallback"
	"netlive/internal/render"
	"netlive/internal/screen"
	"netlive/internal/view"
)

// optionsFor are the options of netlive watch.
func optionsFor(t *testing.T, words ...string) *options.Options {
	t.Helper()
	o, err := options.Parse(options.Verb, "netlive watch", words, nil)
	if err != nil {
		t.Fatal(err)
	}
	return &o
}

// textOf is what a list shows: a line for the heads of each section, and one for each of its lines, with its mark.
func textOf(l screen.List, now time.Time) string {
	var b strings.Builder
	sections, _ := l.Sections(now)
	for _, s := range sections {
		var heads []string
		shown := 0 // the others are hidden, and stand behind them
		for _, c := range s.Columns {
			if !c.Hidden {
				heads = append(heads, c.Head)
				shown++
			}
		}
		fmt.Fprintf(&b, "%s %d: %s\n", s.Word, s.Rows, strings.Join(heads, "|"))
		for i := range s.Lines {
			cells, mark, _ := s.Line(i)
			if s.Columns != nil {
				cells = cells[:shown]
			}
			b.WriteString(map[view.Mark]string{view.MarkNone: " ", view.MarkNew: "+", view.MarkChanged: "*", view.MarkGone: "-"}[mark])
			b.WriteString(strings.TrimRight(strings.Join(cells, "|"), " ") + "\n")
		}
	}
	return b.String()
}

// shows fails the test unless the list shows lines.
func shows(t *testing.T, l screen.List, now time.Time, lines ...string) {
	t.Helper()
	if got, want := textOf(l, now), strings.Join(lines, "\n")+"\n"; got != want {
		t.Errorf("the list shows\n%swant\n%s", got, want)
	}
}

// interfaceTable is a table of lo and, if it has counted something, eth0.
func interfaceTable(lo, eth0 *iface.Stats) (t iface.Table) {
	f := t.Add("lo")
	f.MTU, f.Flags, f.Stats = 65536, iface.FlagUp|iface.FlagLoopback|iface.FlagRunning, lo
	if eth0 != nil {
		f = t.Add("eth0")
		f.MTU, f.Flags, f.Stats = 1500, iface.FlagUp|iface.FlagBroadcast, eth0
	}
	return t
}

func TestInterfaceList(t *testing.T) {
	l := newInterfaceList(optionsFor(t, "-i"), streams{})
	if err := l.choose([]string{"iface", "mtu", "rx", "tx", "rx_packets", "tx_packets", "errors", "drops", "overruns", "flags", "rates", "rx_ok"}, true); err != nil {
		t.Fatal(err)
	}
	spark := func(text string) string { return strings.Repeat(" ", render.InterfaceHistory-len(text)) + text }
	now := clock
	look := func(after time.Duration, lo, eth0 *iface.Stats, want live.Change) {
		t.Helper()
		now = now.Add(after)
		if got := l.Replace(interfaceTable(lo, eth0), now); got != want {
			t.Errorf("after %v: change %v, want %v", now.Sub(clock), got, want)
		}
	}
	const heads = "Iface|MTU|RX/s|TX/s|RX-pkt/s|TX-pkt/s|ERR|DRP|OVR|Flg|RX+TX|RX-OK"
	still := &iface.Stats{RxErrors: 3}
	look(0, still, &iface.Stats{RxBytes: 1e9, RxPackets: 100, RxDropped: 4}, live.Changed)
	shows(t, l, now,
		"interfaces 2: "+heads,
		" eth0|1500|-|-|-|-|0|+0/4|0|BU|"+spark("")+"|100",
		" lo|65536|-|-|-|-|+0/3|0|0|LRU|"+spark("")+"|0")

	look(time.Second, still, &iface.Stats{RxBytes: 1e9 + 12_400_000, RxPackets: 8200, RxDropped: 6, TxErrors: 1}, live.Counted)
	shows(t, l, now,
		"interfaces 2: "+heads,
		" eth0|1500|12.4M|0|8.1K|0|+1/1|+2/6|0|BU|"+spark("#")+"|8200",
		" lo|65536|0|0|0|0|+0/3|0|0|LRU|"+spark("_")+"|0")

	// Something else was announced 100 ms later: rates stay those of the interval, the totals are those of now.
	look(100*time.Millisecond, still, &iface.Stats{RxBytes: 1e9 + 13_000_000, RxPackets: 8300, RxDropped: 6, TxErrors: 1}, live.Counted)
	shows(t, l, now,
		"interfaces 2: "+heads,
		" eth0|1500|12.4M|0|8.1K|0|+1/1|+2/6|0|BU|"+spark("#")+"|8300",
		" lo|65536|0|0|0|0|+0/3|0|0|LRU|"+spark("_")+"|0")
	look(1900*time.Millisecond, still, &iface.Stats{RxBytes: 1e9 + 12_400_000 + 4000, RxPackets: 8204, RxDropped: 6, TxErrors: 1}, live.Counted)
	shows(t, l, now,
		"interfaces 2: "+heads,
		" eth0|1500|2.0K|0|2|0|+1/1|+2/6|0|BU|"+spark("#.")+"|8204",
		" lo|65536|0|0|0|0|+0/3|0|0|LRU|"+spark("__")+"|0")

	// It goes, and what comes back under its name is another.
	look(time.Second, still, nil, live.Changed)
	shows(t, l, now,
		"interfaces 1: "+heads,
		"-eth0|1500|-|-|-|-|+0/1|+0/6|0|BU|"+spark("")+"|8204",
		" lo|65536|0|0|0|0|+0/3|0|0|LRU|"+spark("___")+"|0")
	look(time.Second, still, &iface.Stats{RxBytes: 1e12, RxDropped: 9}, live.Changed)
	shows(t, l, now,
		"interfaces 2: "+heads,
		"+eth0|1500|-|-|-|-|0|+0/9|0|BU|"+spark("")+"|0",
		" lo|65536|0|0|0|0|+0/3|0|0|LRU|"+spark("____")+"|0")
	look(time.Second, still, &iface.Stats{RxBytes: 1e12 + 500, RxPackets: 1, RxDropped: 9}, live.Counted)
	shows(t, l, now,
		"interfaces 2: "+heads,
		"+eth0|1500|500|0|1|0|0|+0/9|0|BU|"+spark("#")+"|1",
		" lo|65536|0|0|0|0|+0/3|0|0|LRU|"+spark("_____")+"|0")

	// Nobody looked for an hour: the mean of that is no rate of now, but faults are counted.
	look(time.Hour, still, &iface.Stats{RxBytes: 2e12, RxPackets: 1, RxDropped: 19}, live.Counted)
	shows(t, l, now,
		"interfaces 2: "+heads,
		" eth0|1500|-|-|-|-|0|+10/19|0|BU|"+spark("# ")+"|1",
		" lo|65536|-|-|-|-|+0/3|0|0|LRU|"+spark("_____ ")+"|0")
}

// A sample that came with news, when nothing is drawn, is drawn at the interval.
func TestInterfaceListUnseen(t *testing.T) {
	l := newInterfaceList(optionsFor(t, "-i"), streams{})
	l.Replace(interfaceTable(&iface.Stats{}, nil), clock)
	for i, want := range []live.Change{live.Counted, live.Counted, live.Counted} {
		if got := l.Replace(interfaceTable(&iface.Stats{RxBytes: 5}, nil), clock.Add(time.Second+time.Duration(i))); got != want {
			t.Errorf("look %d: %v", i, got)
		}
	}
	l.Sections(clock)
	if got := l.Replace(interfaceTable(&iface.Stats{RxBytes: 5}, nil), clock.Add(time.Second+9)); got != live.Unchanged {
		t.Errorf("drawn: %v", got)
	}
}

// An interface that is down is not shown without -a; when it is up again its rates go on.
func TestInterfaceListDown(t *testing.T) {
	l := newInterfaceList(optionsFor(t, "-i"), streams{})
	if err := l.choose([]string{"iface", "rx"}, true); err != nil {
		t.Fatal(err)
	}
	for i := range 3 {
		table := interfaceTable(&iface.Stats{RxBytes: uint64(i * 10)}, nil)
		if i == 1 {
			table.Interfaces[0].Flags = 0
		}
		l.Replace(table, clock.Add(time.Duration(i)*time.Second))
	}
	shows(t, l, clock.Add(2*time.Second), "interfaces 1: Iface|RX/s", "+lo|10")
}

func TestInterfaceListLong(t *testing.T) {
	l := newInterfaceList(optionsFor(t, "-i", "-e"), streams{})
	for i := range 2 {
		table := interfaceTable(&iface.Stats{RxBytes: uint64(i * 1000), RxPackets: uint64(i * 2)}, nil)
		table.Interfaces[0].Detail = &iface.Detail{HWType: 772, TxQueueLen: 1000}
		l.Replace(table, clock.Add(time.Duration(i)*time.Second))
	}
	text := textOf(l, clock.Add(time.Second))
	rates := "         RX/s 1.0K  packets/s 2  TX/s 0  packets/s 0  " + strings.Repeat(" ", render.InterfaceHistory-1) + "█\n \n"
	if !strings.HasPrefix(text, "interfaces 1: \n lo: flags=") || !strings.HasSuffix(text, "\n"+rates) {
		t.Errorf("%s", text)
	}
}

func TestInterfaceColumns(t *testing.T) {
	l := newInterfaceList(optionsFor(t, "-i"), streams{})
	if err := l.choose(interfaceColumns(), false); err != nil {
		t.Error(err)
	}
	if err := l.choose([]string{"iface", "speed"}, false); err == nil || len(l.shown.Load().table.Columns()) != len(interfaceColumns()) {
		t.Errorf("a column that there is not: %v", err)
	}
	// What is shown unless told otherwise fits a terminal of 80, with a sparkline, when what can be spared goes.
	if err := l.choose(interfaceDefaults, false); err != nil {
		t.Fatal(err)
	}
	width := 0
	for _, c := range l.shown.Load().table.Columns()[:l.shown.Load().columns] {
		if c.Spare == 0 || c.Spare == 4 {
			width += 1 + max(len(c.Head), len("12.4M"))
		}
	}
	if width += render.InterfaceHistory - len("RX+TX"); width > 80 {
		t.Errorf("%d cells", width)
	}
}

// sendLoop sends so many datagrams of 100 bytes over lo to a socket that takes them.
func sendLoop(t *testing.T, ns *kerneltest.NS, datagrams int) {
	t.Helper()
	ns.Do(func() {
		err := func() error {
			in, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
			if err != nil {
				return err
			}
			defer unix.Close(in)
			out, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
			if err != nil {
				return err
			}
			defer unix.Close(out)
			if err := unix.Bind(in, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err != nil {
				return err
			}
			to, err := unix.Getsockname(in)
			if err != nil {
				return err
			}
			b := make([]byte, 100)
			for range datagrams {
				if err := unix.Sendto(out, b, 0, to); err != nil {
					return err
				}
				if _, _, err := unix.Recvfrom(in, b, 0); err != nil {
					return err
				}
			}
			return nil
		}()
		if err != nil {
			t.Fatal(err)
		}
	})
}

// The rates are what the kernel counted, to the packet.
func TestInterfaceRates(t *testing.T) {
	ns := kerneltest.NetNS(t)
	proc := procfallback.New(os.DirFS("/proc"))
	l := newInterfaceList(optionsFor(t, "-ia"), streams{})
	if err := l.choose([]string{"iface", "rx", "tx", "rx_packets", "tx_packets"}, true); err != nil {
		t.Fatal(err)
	}
	now := clock
	look := func(after time.Duration) {
		t.Helper()
		ns.Do(func() {
			table, err := proc.Interfaces(t.Context(), false)
			if err != nil {
				t.Fatal(err)
			}
			now = now.Add(after)
			l.Replace(table, now)
		})
	}
	const heads = "interfaces 1: Iface|RX/s|TX/s|RX-pkt/s|TX-pkt/s"
	look(0)
	shows(t, l, now, heads, " lo|-|-|-|-")
	look(time.Second)
	shows(t, l, now, heads, " lo|0|0|0|0")
	// Of 100 bytes of data and the headers of IP and UDP; that of Ethernet is gone when lo counts (drivers/net/loopback.c, loopback_xmit).
	sendLoop(t, ns, 9)
	look(2 * time.Second)
	shows(t, l, now, heads, " lo|576|576|4.5|4.5")
	sendLoop(t, ns, 1000)
	look(time.Second)
	shows(t, l, now, heads, " lo|128K|128K|1.0K|1.0K")
	look(time.Second)
	shows(t, l, now, heads, " lo|0|0|0|0")

	ip(t, ns, "link add eth0 type veth peer name eth1")
	look(time.Second)
	shows(t, l, now, "interfaces 3: Iface|RX/s|TX/s|RX-pkt/s|TX-pkt/s", "+eth0|-|-|-|-", "+eth1|-|-|-|-", " lo|0|0|0|0")
	look(time.Second)
	shows(t, l, now, "interfaces 3: Iface|RX/s|TX/s|RX-pkt/s|TX-pkt/s", "+eth0|0|0|0|0", "+eth1|0|0|0|0", " lo|0|0|0|0")
	ip(t, ns, "link del eth0")
	look(time.Second)
	shows(t, l, now, heads, "-eth0|-|-|-|-", "-eth1|-|-|-|-", " lo|0|0|0|0")
	ip(t, ns, "link add eth0 type veth peer name eth1")
	look(time.Second)
	shows(t, l, now, "interfaces 3: Iface|RX/s|TX/s|RX-pkt/s|TX-pkt/s", "+eth0|-|-|-|-", "+eth1|-|-|-|-", " lo|0|0|0|0")
}
