// SPDX-License-Identifier: GPL-2.0-or-later

package render

import (
	"strconv"
	"strings"

	"netlive/internal/iface"
	"netlive/internal/route"
)

// Column is a column of a table on a screen. The cells are netstat's, but whole: a screen knows how wide its columns have to be.
type Column struct {
	Head  string
	Right bool // to the right, as numbers are
	// Spare says in which turn the column goes where the line is too narrow: 1 goes first, 0 stays.
	Spare int
	// Hidden columns are shown when somebody chooses them.
	Hidden bool
}

// The columns of the tables. Each has as many as its rows have cells.
var (
	columnsFIB     = []Column{{Head: "Destination"}, {Head: "Gateway"}, {Head: "Genmask"}, {Head: "Flags"}}
	columnsMetric  = []Column{{Head: "Metric", Right: true}, {Head: "Ref", Right: true, Spare: 2}, {Head: "Use", Right: true, Spare: 1}, {Head: "Iface"}}
	columnsMSS     = []Column{{Head: "MSS", Right: true, Spare: 3}, {Head: "Window", Right: true, Spare: 4}, {Head: "irtt", Right: true, Spare: 5}}
	columnsRoutes6 = []Column{{Head: "Destination"}, {Head: "Next Hop"}, {Head: "Flag"}, {Head: "Met", Right: true, Spare: 3},
		{Head: "Ref", Right: true, Spare: 2}, {Head: "Use", Right: true, Spare: 1}, {Head: "If"}}
	columnsInterfaces = []Column{{Head: "Iface"}, {Head: "MTU", Right: true},
		{Head: "RX-OK", Right: true}, {Head: "RX-ERR", Right: true}, {Head: "RX-DRP", Right: true}, {Head: "RX-OVR", Right: true, Spare: 1},
		{Head: "TX-OK", Right: true}, {Head: "TX-ERR", Right: true}, {Head: "TX-DRP", Right: true}, {Head: "TX-OVR", Right: true, Spare: 2},
		{Head: "Flg"}}
)

// screenDetail is the level of the columns on a screen: netstat's, but for -eee, to which it prints no rows at all.
func (r *Routes) screenDetail() int {
	if level := routeDetail(r.Extend); level != detailNone {
		return level
	}
	return detailBoth
}

// Columns are those of the routes of IPv4 or IPv6.
func (r *Routes) Columns(f route.Family) []Column {
	if f == route.IPv6 {
		return columnsRoutes6
	}
	c := columnsFIB[:len(columnsFIB):len(columnsFIB)]
	switch r.screenDetail() {
	case detailMetric:
		return append(c, columnsMetric...)
	case detailMSS:
		return append(append(c, columnsMSS...), columnsMetric[len(columnsMetric)-1])
	}
	return append(append(c, columnsMetric...), columnsMSS...)
}

// Cells are the texts of a route of IPv4 or IPv6, safe to print.
func (r *Routes) Cells(f route.Family, t *route.Route) []string {
	if f == route.IPv6 {
		return []string{
			cell(r.appendHost6(r.cell[:0], t.Dst)) + "/" + strconv.Itoa(int(t.PrefixLen)), cell(r.appendHost6(r.cell[:0], t.Gateway)),
			string(appendLetters(nil, t.Flags, lettersRoutes6, false)), signed(t.Metric), signed(t.RefCnt), signed(t.Use), cell([]byte(t.Iface)),
		}
	}
	gateway, ref, name := "-", "-", "-"
	mtu, window, irtt := "-", "-", "-"
	c := []string{cell(r.destination(t)), "", t.Mask.String(), string(appendLetters(nil, t.Flags, lettersFIB, true))}
	if !t.Flags.Has(route.FlagReject) {
		gateway, ref, name = cell(r.Names.AppendHost(r.cell[:0], t.Gateway)), signed(t.RefCnt), cell([]byte(t.Iface))
		mtu, window, irtt = signed(t.MTU), signed(t.Window), signed(t.IRTT)
	}
	c[1] = gateway
	switch r.screenDetail() {
	case detailMetric:
		return append(c, signed(t.Metric), ref, signed(t.Use), name)
	case detailMSS:
		return append(c, mtu, window, irtt, name)
	}
	return append(c, signed(t.Metric), ref, signed(t.Use), name, mtu, window, irtt)
}

// Columns are those of the interfaces in the short form.
func (p *Interfaces) Columns() []Column { return columnsInterfaces }

// Cells are the texts of an interface in the short form, safe to print.
func (p *Interfaces) Cells(f *iface.Interface) []string {
	c := []string{cell([]byte(f.Name)), signed(uint32(f.MTU))}
	if s := f.Stats; s != nil {
		for _, n := range [...]uint64{s.RxPackets, s.RxErrors, s.RxDropped, s.RxFIFO, s.TxPackets, s.TxErrors, s.TxDropped, s.TxFIFO} {
			c = append(c, strconv.FormatUint(n, 10))
		}
	} else {
		for range 8 {
			c = append(c, "-")
		}
	}
	if f.Flags == 0 {
		return append(c, noFlags)
	}
	var flags []byte
	for _, l := range ifaceLetters {
		if f.Flags.Has(l.flag) {
			flags = append(flags, l.letter)
		}
	}
	return append(c, string(flags))
}

// Lines are the lines of an interface in the long form, with the empty one after them. They are safe to print if Escape is set.
func (p *Interfaces) Lines(f *iface.Interface) []string {
	return strings.Split(strings.TrimSuffix(string(p.long(nil, f)), "\n"), "\n")
}

// cell is a name that can do nothing to a terminal.
func cell(name []byte) string { return string(appendName(nil, name, true)) }

// signed is a number as netstat shows it.
func signed(n uint32) string { return strconv.Itoa(int(int32(n))) }
