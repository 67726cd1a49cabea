// SPDX-License-Identifier: GPL-2.0-or-later

package render

import (
	"fmt"
	"strconv"

	"netlive/internal/iface"
)

// InterfaceHistory is how many rates of an interface its sparkline shows.
const InterfaceHistory = 30

// InterfaceRates is what an interface did while it was looked at. nil is not known.
type InterfaceRates struct {
	// Rx and Tx are bytes a second between the last two looks, RxPackets and TxPackets packets a second; negative: not known.
	Rx, Tx, RxPackets, TxPackets float64
	// Errors, Drops and Overruns are those of both directions since the first look.
	Errors, Drops, Overruns uint64
	// History is the last rates, Rx and Tx together, bytes a second, the newest last; negative: not known.
	History []float32
}

// interfaceColumn is a column of interfaces on a screen that shows their rates. Those of netstat have no cell but netstat's.
type interfaceColumn struct {
	name string
	Column
	netstat int // which of Columns it is; -1 none
	cell    func(c *interfaceCells) string
}

// interfaceCells are an interface and what its cells are made of.
type interfaceCells struct {
	f     *iface.Interface
	r     *InterfaceRates
	ascii bool
}

var interfaceColumns = []interfaceColumn{
	{name: "iface", Column: Column{Head: "Iface"}, netstat: 0},
	{name: "mtu", Column: Column{Head: "MTU", Right: true, Spare: 2}, netstat: 1},
	{name: "rx", Column: Column{Head: "RX/s", Right: true}, netstat: -1, cell: func(c *interfaceCells) string { return rateCell(c.r.Rx) }},
	{name: "tx", Column: Column{Head: "TX/s", Right: true}, netstat: -1, cell: func(c *interfaceCells) string { return rateCell(c.r.Tx) }},
	{name: "rx_packets", Column: Column{Head: "RX-pkt/s", Right: true, Spare: 3}, netstat: -1,
		cell: func(c *interfaceCells) string { return rateCell(c.r.RxPackets) }},
	{name: "tx_packets", Column: Column{Head: "TX-pkt/s", Right: true, Spare: 3}, netstat: -1,
		cell: func(c *interfaceCells) string { return rateCell(c.r.TxPackets) }},
	{name: "errors", Column: Column{Head: "ERR", Right: true}, netstat: -1, cell: func(c *interfaceCells) string {
		return c.faults(c.r.Errors, func(s *iface.Stats) uint64 { return s.RxErrors + s.TxErrors })
	}},
	{name: "drops", Column: Column{Head: "DRP", Right: true}, netstat: -1, cell: func(c *interfaceCells) string {
		return c.faults(c.r.Drops, func(s *iface.Stats) uint64 { return s.RxDropped + s.TxDropped })
	}},
	{name: "overruns", Column: Column{Head: "OVR", Right: true, Spare: 1}, netstat: -1, cell: func(c *interfaceCells) string {
		return c.faults(c.r.Overruns, func(s *iface.Stats) uint64 { return s.RxFIFO + s.TxFIFO })
	}},
	{name: "rx_ok", Column: Column{Head: "RX-OK", Right: true}, netstat: 2},
	{name: "rx_err", Column: Column{Head: "RX-ERR", Right: true}, netstat: 3},
	{name: "rx_drp", Column: Column{Head: "RX-DRP", Right: true}, netstat: 4},
	{name: "rx_ovr", Column: Column{Head: "RX-OVR", Right: true, Spare: 1}, netstat: 5},
	{name: "tx_ok", Column: Column{Head: "TX-OK", Right: true}, netstat: 6},
	{name: "tx_err", Column: Column{Head: "TX-ERR", Right: true}, netstat: 7},
	{name: "tx_drp", Column: Column{Head: "TX-DRP", Right: true}, netstat: 8},
	{name: "tx_ovr", Column: Column{Head: "TX-OVR", Right: true, Spare: 1}, netstat: 9},
	{name: "flags", Column: Column{Head: "Flg"}, netstat: 10},
	{name: "rates", Column: Column{Head: "RX+TX", Spare: 4}, netstat: -1, cell: func(c *interfaceCells) string {
		return string(AppendSparkline(nil, c.r.History, InterfaceHistory, c.ascii))
	}},
}

// unknownRates are those of an interface that nothing is known of.
var unknownRates = InterfaceRates{Rx: -1, Tx: -1, RxPackets: -1, TxPackets: -1}

func rateCell(perSecond float64) string { return string(AppendRate(nil, perSecond)) }

// faults are those since the first look, of all there ever were: +3/12; 0 where there were none at all.
func (c *interfaceCells) faults(since uint64, total func(s *iface.Stats) uint64) string {
	if c.f.Stats == nil {
		return "-"
	}
	n := total(c.f.Stats)
	if n == 0 {
		return "0"
	}
	return "+" + strconv.FormatUint(since, 10) + "/" + strconv.FormatUint(n, 10)
}

// InterfaceColumns are the names of all columns that a screen may show of interfaces.
func InterfaceColumns() []string {
	names := make([]string, len(interfaceColumns))
	for i := range interfaceColumns {
		names[i] = interfaceColumns[i].name
	}
	return names
}

// InterfaceTable is the columns of a screen in their order.
type InterfaceTable struct {
	columns []*interfaceColumn
}

// NewInterfaceTable makes a table of the columns with these names. The error names the one that there is not.
func NewInterfaceTable(names []string) (t InterfaceTable, err error) {
next:
	for _, name := range names {
		for i := range interfaceColumns {
			if interfaceColumns[i].name == name {
				t.columns = append(t.columns, &interfaceColumns[i])
				continue next
			}
		}
		return InterfaceTable{}, fmt.Errorf("render: no column %q of interfaces", name)
	}
	return t, nil
}

// Columns are the heads.
func (t InterfaceTable) Columns() []Column {
	columns := make([]Column, len(t.columns))
	for i, c := range t.columns {
		columns[i] = c.Column
	}
	return columns
}

// Cells are the texts of an interface, safe to print, its sparkline in ASCII if that is asked for.
func (t InterfaceTable) Cells(f *iface.Interface, r *InterfaceRates, ascii bool) []string {
	if r == nil {
		r = &unknownRates
	}
	all := interfaceCells{f, r, ascii}
	netstat := (&Interfaces{}).Cells(f)
	cells := make([]string, len(t.columns))
	for i, c := range t.columns {
		if c.netstat >= 0 {
			cells[i] = netstat[c.netstat]
		} else {
			cells[i] = c.cell(&all)
		}
	}
	return cells
}

// RatesLine is a line of the rates of an interface, for the long form. It is safe to print.
func RatesLine(r *InterfaceRates, ascii bool) string {
	if r == nil {
		r = &unknownRates
	}
	b := AppendRate([]byte("        RX/s "), r.Rx)
	b = AppendRate(append(b, "  packets/s "...), r.RxPackets)
	b = AppendRate(append(b, "  TX/s "...), r.Tx)
	b = AppendRate(append(b, "  packets/s "...), r.TxPackets)
	return string(AppendSparkline(append(b, "  "...), r.History, InterfaceHistory, ascii))
}
