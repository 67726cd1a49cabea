// SPDX-License-Identifier: GPL-2.0-or-later

package render

import (
	"net/netip"
	"strings"
	"testing"

	"netlive/internal/iface"
)

func TestInterfaceTable(t *testing.T) {
	up := iface.FlagUp | iface.FlagRunning | iface.FlagBroadcast | iface.FlagMulticast
	f := iface.Interface{Name: "eth0", MTU: 1500, Flags: up, Stats: &iface.Stats{
		RxBytes: 1e9, RxPackets: 5, RxErrors: 2, RxDropped: 10, RxFIFO: 1, TxPackets: 6, TxErrors: 1, TxDropped: 2, TxFIFO: 0}}
	r := InterfaceRates{Rx: 12_400_000, Tx: 310_000, RxPackets: 8123, TxPackets: 0.4, Errors: 1, Drops: 12, History: []float32{0, 1, -1, 7}}
	blanks := strings.Repeat(" ", InterfaceHistory-4)
	alias := iface.Interface{Name: "eth0:\x1b", MTU: 1500, Flags: up}
	quiet := iface.Interface{Name: "lo", MTU: 65536, Flags: iface.FlagUp, Stats: &iface.Stats{}}
	live := []string{"iface", "rx", "tx", "rx_packets", "tx_packets", "errors", "drops", "overruns", "flags", "rates"}
	for _, c := range []struct {
		names []string
		f     *iface.Interface
		r     *InterfaceRates
		ascii bool
		want  string
	}{
		{live, &f, &r, false, "eth0|12.4M|310K|8.1K|0.4|+1/3|+12/12|+0/1|BMRU|" + blanks + "▁▂ █"},
		{live, &f, &r, true, "eth0|12.4M|310K|8.1K|0.4|+1/3|+12/12|+0/1|BMRU|" + blanks + "_. #"},
		{live, &f, nil, false, "eth0|-|-|-|-|+0/3|+0/12|+0/1|BMRU|" + blanks + "    "},
		{live, &alias, nil, false, `eth0:\x1b|-|-|-|-|-|-|-|BMRU|` + blanks + "    "},
		{live, &quiet, &InterfaceRates{}, false, "lo|0|0|0|0|0|0|0|U|" + blanks + "    "},
		{[]string{"flags", "mtu", "rx_ok", "tx_drp"}, &f, &r, false, "BMRU|1500|5|2"},
		{nil, &f, &r, false, ""},
	} {
		table, err := NewInterfaceTable(c.names)
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.Join(table.Cells(c.f, c.r, c.ascii), "|"); got != c.want {
			t.Errorf("%s: %q, want %q", c.f.Name, got, c.want)
		}
		if n := len(table.Columns()); n != len(c.names) {
			t.Errorf("%d columns of %d", n, len(c.names))
		}
	}
	if _, err := NewInterfaceTable([]string{"iface", "colour"}); err == nil || err.Error() != `render: no column "colour" of interfaces` {
		t.Errorf("%v", err)
	}
	if got, want := RatesLine(&r, true), "        RX/s 12.4M  packets/s 8.1K  TX/s 310K  packets/s 0.4  "+blanks+"_. #"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

// All of netstat's columns can be had, with its cells.
func TestInterfaceTableOfNetstat(t *testing.T) {
	var names []string
	for _, c := range interfaceColumns {
		if c.netstat >= 0 {
			names = append(names, c.name)
		}
		if (c.netstat >= 0) == (c.cell != nil) {
			t.Errorf("%s: two cells or none", c.name)
		}
	}
	table, err := NewInterfaceTable(names)
	if err != nil {
		t.Fatal(err)
	}
	f := iface.Interface{Name: "eth0", MTU: 1500, Flags: iface.FlagUp, Stats: &iface.Stats{RxPackets: 1, RxErrors: 2, RxDropped: 3, RxFIFO: 4, TxPackets: 5, TxErrors: 6, TxDropped: 7, TxFIFO: 8}}
	var netstat Interfaces
	if got, want := strings.Join(table.Cells(&f, nil, false), "|"), strings.Join(netstat.Cells(&f), "|"); got != want {
		t.Errorf("%q, want %q", got, want)
	}
	for i, c := range netstat.Columns() {
		if got := table.Columns()[i]; got.Head != c.Head || got.Right != c.Right {
			t.Errorf("%+v, want %+v", got, c)
		}
	}
	if n := len(InterfaceColumns()); n != len(interfaceColumns) {
		t.Errorf("%d names", n)
	}
}

func TestGroupCells(t *testing.T) {
	name := strings.Repeat("n", 200) + "\x1b"
	g := Groups{Names: oneHost{name: name}}
	m := iface.Group{Iface: "e\x07", Users: 1<<32 - 1, Addr: netip.MustParseAddr("224.0.0.1")}
	cells := g.Cells(&m)
	if got, want := strings.Join(cells, "|"), `e\x07|-1|`+name[:200]+`\x1b`; got != want || len(GroupColumns()) != len(cells) {
		t.Errorf("%q, want %q", got, want)
	}
	g.Names = Numeric{}
	if cells := g.Cells(&m); cells[2] != "224.0.0.1" {
		t.Errorf("%q", cells)
	}
}

// oneHost is every host's name.
type oneHost struct {
	Numeric
	name string
}

func (n oneHost) AppendHost(b []byte, _ netip.Addr) []byte { return append(b, n.name...) }
