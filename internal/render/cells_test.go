// SPDX-License-Identifier: GPL-2.0-or-later

package render

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"strings"
	"testing"
	"time"

	"netlive/internal/iface"
	"netlive/internal/route"
)

// asRow is what the cells would be if netstat had printed them.
func asRow(cells []string) string { return strings.Join(strings.Fields(strings.Join(cells, " ")), " ") }

// The cells are what netstat's row has between its blanks, and each has a column.
func TestRouteCells(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for n := range 2000 {
		r := route.Route{Iface: "eth0", Flags: route.Flags(rng.Uint32()), Metric: rng.Uint32N(100), RefCnt: rng.Uint32N(9),
			Use: rng.Uint32N(9), MTU: rng.Uint32N(2000), Window: rng.Uint32N(9000), IRTT: rng.Uint32N(500)}
		family := route.Family(n % 2)
		if family == route.IPv4 {
			r.PrefixLen = uint8(rng.IntN(33))
			mask := ^uint32(0) << (32 - r.PrefixLen)
			r.Mask = netip.AddrFrom4([4]byte{byte(mask >> 24), byte(mask >> 16), byte(mask >> 8), byte(mask)})
			r.Dst = netip.AddrFrom4([4]byte{10, byte(rng.IntN(256))})
			r.Gateway = netip.AddrFrom4([4]byte{192, 0, 2, byte(rng.IntN(256))})
		} else {
			r.PrefixLen = uint8(rng.IntN(129))
			r.Dst, r.Gateway = netip.MustParseAddr(fmt.Sprintf("2001:db8:%x::", rng.IntN(99))), netip.MustParseAddr("fe80::1")
		}
		for _, extend := range []int{0, 1, 2, 4} {
			p := Routes{Names: Numeric{}, Extend: extend}
			appendRow := p.RouteRow
			if family == route.IPv6 {
				appendRow = p.Route6Row
			}
			want := appendRow(nil, &r)
			cells := p.Cells(family, &r)
			if got, want := asRow(cells), asRow([]string{string(want)}); got != want {
				t.Fatalf("-e %d: %q, netstat has %q", extend, got, want)
			}
			if columns := p.Columns(family); len(columns) != len(cells) {
				t.Fatalf("-e %d: %d cells in %d columns", extend, len(cells), len(columns))
			}
		}
	}
}

// The heads of the columns are netstat's.
func TestColumnHeads(t *testing.T) {
	heads := func(columns []Column) string {
		var words []string
		for _, c := range columns {
			words = append(words, c.Head)
		}
		return asRow(words)
	}
	for extend, want := range map[int]string{0: headFIB + headMSS, 1: headFIB + headMetric, 2: headFIB + headBoth, 3: headFIB + headBoth} {
		if got := heads((&Routes{Extend: extend}).Columns(route.IPv4)); got != asRow([]string{want}) {
			t.Errorf("-e %d: %q", extend, got)
		}
	}
	if got := heads((&Routes{}).Columns(route.IPv6)); got != asRow([]string{headRoutes6}) {
		t.Errorf("IPv6: %q", got)
	}
	if got := heads((&Interfaces{}).Columns()); got != asRow([]string{headInterfaces}) {
		t.Errorf("interfaces: %q", got)
	}
}

// To netstat -eee is a title without rows; a screen has all columns then.
func TestCellsOfNoDetail(t *testing.T) {
	r := route.Route{Dst: netip.MustParseAddr("10.0.0.0"), Mask: netip.MustParseAddr("255.0.0.0"), Gateway: netip.IPv4Unspecified(), Iface: "eth0"}
	p := Routes{Names: Numeric{}, Extend: 3}
	if n := len(p.Cells(route.IPv4, &r)); n != len(p.Columns(route.IPv4)) || n != 11 {
		t.Errorf("%d cells", n)
	}
}

// Names are whole where netstat cuts them, and can do nothing to the terminal.
func TestCellsOfNames(t *testing.T) {
	hostile := "evil\x1b[2J.a-very-long-name.example"
	r := route.Route{Dst: netip.MustParseAddr("10.0.0.1"), Mask: netip.MustParseAddr("255.255.255.255"), Gateway: netip.MustParseAddr("10.0.0.2"), Flags: route.FlagHost, Iface: "e\x07"}
	p := Routes{Names: oneName{hostile}}
	c := p.Cells(route.IPv4, &r)
	if want := `evil\x1b[2J.a-very-long-name.example`; c[0] != want || c[1] != want || c[len(c)-1] != `e\x07` {
		t.Errorf("%q", c)
	}
	if c := (&Interfaces{}).Cells(&iface.Interface{Name: "e\x07"}); c[0] != `e\x07` || c[2] != "-" || c[len(c)-1] != "[NO FLAGS]" {
		t.Errorf("%q", c)
	}
}

// oneName is everybody's.
type oneName struct{ name string }

func (n oneName) AppendHost(b []byte, _ netip.Addr) []byte  { return append(b, n.name...) }
func (n oneName) AppendNet(b []byte, _ netip.Prefix) []byte { return append(b, n.name...) }

func TestInterfaceCells(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	for range 500 {
		f := iface.Interface{Name: "eth0", Flags: iface.Flags(rng.Uint32()), MTU: int32(rng.Uint32()), Stats: &iface.Stats{
			RxPackets: rng.Uint64(), RxErrors: rng.Uint64(), RxDropped: rng.Uint64(), RxFIFO: rng.Uint64(),
			TxPackets: rng.Uint64(), TxErrors: rng.Uint64(), TxDropped: rng.Uint64(), TxFIFO: rng.Uint64()}}
		var p Interfaces
		cells := p.Cells(&f)
		if got, want := asRow(cells), asRow([]string{string(p.Row(nil, &f))}); got != want || len(cells) != len(p.Columns()) {
			t.Fatalf("%q, netstat has %q", got, want)
		}
	}
}

// The lines of the long form are netstat's.
func TestInterfaceLines(t *testing.T) {
	f := iface.Interface{Name: "lo", Flags: iface.FlagUp | iface.FlagLoopback, MTU: 65536}
	p := Interfaces{Extend: 1, Escape: true}
	if got, want := strings.Join(p.Lines(&f), "\n")+"\n", string(p.long(nil, &f)); got != want || !strings.HasPrefix(got, "lo: flags=") {
		t.Errorf("%q, want %q", got, want)
	}
}

// A frame of any table is one line.
func TestAppendFrameOfTable(t *testing.T) {
	moment := time.Date(2026, 3, 4, 5, 6, 7, 8900, time.UTC)
	got := string(AppendFrame(nil, moment, "rtnetlink", 7, 1, "routes", []byte("[{\"a\":\"x\\ny\"},\n{}]\n")))
	if want := `{"time":"2026-03-04T05:06:07.000008900Z","source":"rtnetlink","lost":7,"resyncs":1,"routes":[{"a":"x\ny"},{}]}` + "\n"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}
