// SPDX-License-Identifier: GPL-2.0-or-later

package main

import (
	"context"
	"maps"
	"os"
	"reflect"
	"slices"
	"sync/atomic"
	"time"

	"netlive/internal/iface"
	"netlive/internal/live"
	"netlive/internal/options"
	"netlive/internal/procfallback"
	"netlive/internal/render"
	"netlive/internal/rtnl"
	"netlive/internal/screen"
	"netlive/internal/view"
)

// interfaceList is the interfaces that watch shows.
type interfaceList struct {
	o      *options.Options
	render render.Interfaces
	table  iface.Table
	rows   view.Rows[iface.Interface, string]
	// meters are of all interfaces, those that are not shown too: they may be later.
	meters map[string]*interfaceMeter
	fresh  bool // there are rates that nobody has seen yet
	shown  atomic.Pointer[interfacesShown]
}

// interfacesShown is what a reader chose to see.
type interfacesShown struct {
	table   render.InterfaceTable
	columns int // those that were chosen; the others are hidden
	ascii   bool
}

// interfaceColumns are the names of all columns that a screen can show of interfaces: rates, faults, and netstat's own.
func interfaceColumns() []string { return render.InterfaceColumns() }

// interfaceDefaults are those that it shows unless told otherwise.
var interfaceDefaults = []string{"iface", "mtu", "rx", "tx", "rx_packets", "tx_packets", "errors", "drops", "overruns", "flags", "rates"}

// watchInterfaces keeps the table of netlive -i true.
func watchInterfaces(ctx context.Context, o *options.Options, std streams) error {
	p, err := newInterfacePage(o, std, interfaceDefaults, false)
	if err != nil {
		return err
	}
	return watchTables(ctx, p)
}

// newInterfacePage is the page of interfaces, with these columns on a screen. That a counter moves is announced by nobody: they are read each interval.
func newInterfacePage(asked *options.Options, std streams, columns []string, ascii bool) (*tablePage[iface.Table], error) {
	o := optionsOf(asked, options.ModeInterfaces)
	proc := procfallback.New(os.DirFS("/proc"))
	return newTablePage(o, std, watched[iface.Table]{
		word:    "interfaces",
		groups:  rtnl.Links | rtnl.Addrs4 | rtnl.Addrs6,
		refresh: true,
		look: func(ctx context.Context) (iface.Table, error) {
			t, err := proc.Interfaces(ctx, o.Extend > 0 || o.JSON)
			switch {
			case err != nil:
				return iface.Table{}, err
			case t.NoSocket != nil:
				return iface.Table{}, t.NoSocket
			case t.NoDev != nil: // an empty table would be a lie
				return iface.Table{}, t.NoDev
			}
			return t, nil
		},
		open: func(func()) liveTable[iface.Table] { // there are no names in it that come late
			l := newInterfaceList(o, std)
			if err := l.choose(columns, ascii); err != nil {
				panic(err) // they were checked
			}
			return l
		},
	})
}

func newInterfaceList(o *options.Options, std streams) *interfaceList {
	l := &interfaceList{
		o:      o,
		render: render.Interfaces{All: o.All, Extend: o.Extend, Escape: true},
		rows: view.Rows[iface.Interface, string]{
			Key: func(i *iface.Interface) string { return i.Name }, Compare: compareInterfaces, Marked: linger,
		},
		meters: map[string]*interfaceMeter{},
	}
	if err := l.choose(interfaceDefaults, false); err != nil {
		panic(err) // the names are ours
	}
	return l
}

// choose sets which columns are shown, in that order, and whether their sparkline is ASCII. It may be called at any time. The error names
// a column that there is not.
func (l *interfaceList) choose(columns []string, ascii bool) error {
	all := slices.Clone(columns)
	for _, name := range interfaceColumns() {
		if !slices.Contains(all, name) {
			all = append(all, name)
		}
	}
	t, err := render.NewInterfaceTable(all)
	if err == nil {
		l.shown.Store(&interfacesShown{t, len(columns), ascii})
	}
	return err
}

// Replace implements liveTable.
func (l *interfaceList) Replace(t iface.Table, now time.Time) live.Change {
	l.table = t
	var shown []iface.Interface
	there := make(map[string]bool, len(t.Interfaces))
	for i := range t.Interfaces {
		f := &t.Interfaces[i]
		if f.Err != nil {
			continue
		}
		there[f.Name] = true
		l.meter(f, now)
		if l.o.All || f.Flags.Has(iface.FlagUp) {
			shown = append(shown, *f)
		}
	}
	// One that comes back is another.
	maps.DeleteFunc(l.meters, func(name string, _ *interfaceMeter) bool { return !there[name] })
	d := change(l.rows.Replace(shown, now))
	if l.fresh {
		d = max(d, live.Counted)
	}
	return d
}

// meter takes in the counters of an interface.
func (l *interfaceList) meter(f *iface.Interface, now time.Time) {
	if f.Stats == nil {
		return // an alias
	}
	m := l.meters[f.Name]
	if m == nil {
		m = &interfaceMeter{pace: pace{interval: l.o.Interval}}
		l.meters[f.Name] = m
	}
	if m.take(f.Stats, now) {
		l.fresh = true
	}
}

// rates are those of a row: nothing is known of one that is gone.
func (l *interfaceList) rates(f *iface.Interface, mark view.Mark) *render.InterfaceRates {
	if m := l.meters[f.Name]; m != nil && mark != view.MarkGone {
		return &m.InterfaceRates
	}
	return nil
}

func compareInterfaces(a, b *iface.Interface) view.Difference {
	counted := *a
	counted.Stats = b.Stats
	switch {
	case (a.Stats == nil) != (b.Stats == nil) || !reflect.DeepEqual(&counted, b):
		return view.Different
	case a.Stats != nil && *a.Stats != *b.Stats:
		return view.Counts
	}
	return view.Same
}

// print implements liveTable.
func (l *interfaceList) print(p *page) error {
	printer := interfaces{o: l.o, render: l.render} // a fresh one: the title is for each frame
	printer.printFrom(p, &l.table)
	return nil
}

// Sections implements screen.List.
func (l *interfaceList) Sections(now time.Time) ([]screen.Section, time.Time) {
	l.fresh = false
	chosen := l.shown.Load()
	n, again := l.rows.Begin(now)
	s := screen.Section{Word: "interfaces", Rows: l.rows.Len(), Lines: n}
	if l.o.Extend == 0 {
		s.Columns = chosen.table.Columns()
		for i := chosen.columns; i < len(s.Columns); i++ {
			s.Columns[i].Hidden = true
		}
		s.Line = func(i int) ([]string, view.Mark, time.Time) {
			f, mark, until := l.rows.Row(i, now)
			return chosen.table.Cells(f, l.rates(f, mark), chosen.ascii), mark, until
		}
		return []screen.Section{s}, again
	}
	type line struct {
		text  string
		mark  view.Mark
		until time.Time
	}
	var lines []line
	for i := range n {
		f, mark, until := l.rows.Row(i, now)
		texts := l.render.Lines(f)
		if f.Stats != nil { // before the empty line
			texts = slices.Insert(texts, len(texts)-1, render.RatesLine(l.rates(f, mark), chosen.ascii))
		}
		for _, text := range texts {
			lines = append(lines, line{text, mark, until})
		}
	}
	s.Lines = len(lines)
	s.Line = func(i int) ([]string, view.Mark, time.Time) {
		return []string{lines[i].text}, lines[i].mark, lines[i].until
	}
	return []screen.Section{s}, again
}

// interfaceMeter makes rates of the counters of an interface.
type interfaceMeter struct {
	pace
	last iface.Stats
	render.InterfaceRates
}

// take takes in the counters as they were found at the instant now, and reports whether a reader would see a difference.
func (m *interfaceMeter) take(s *iface.Stats, now time.Time) (seen bool) {
	first := m.at.IsZero()
	seconds, ok := m.sample(now)
	if !ok {
		return false
	}
	before := m.InterfaceRates
	last := &m.last
	if back := wentBack(last, s); back {
		seconds = 0 // a driver that began anew: none of its counters says what was since
	} else if !first {
		m.Errors += s.RxErrors + s.TxErrors - last.RxErrors - last.TxErrors
		m.Drops += s.RxDropped + s.TxDropped - last.RxDropped - last.TxDropped
		m.Overruns += s.RxFIFO + s.TxFIFO - last.RxFIFO - last.TxFIFO
	}
	m.Rx, m.Tx = rate(last.RxBytes, s.RxBytes, seconds), rate(last.TxBytes, s.TxBytes, seconds)
	m.RxPackets, m.TxPackets = rate(last.RxPackets, s.RxPackets, seconds), rate(last.TxPackets, s.TxPackets, seconds)
	m.last = *s
	if !first {
		both := float32(unknownRate)
		if m.Rx >= 0 && m.Tx >= 0 {
			both = float32(m.Rx + m.Tx)
		}
		history := append(slices.Clone(m.History), both)
		m.History = history[max(len(history)-render.InterfaceHistory, 0):]
	}
	return !reflect.DeepEqual(before, m.InterfaceRates)
}

// wentBack reports whether a counter is less than it was.
func wentBack(before, after *iface.Stats) bool {
	for _, c := range [...][2]uint64{
		{before.RxBytes, after.RxBytes}, {before.RxPackets, after.RxPackets}, {before.RxErrors, after.RxErrors},
		{before.RxDropped, after.RxDropped}, {before.RxFIFO, after.RxFIFO},
		{before.TxBytes, after.TxBytes}, {before.TxPackets, after.TxPackets}, {before.TxErrors, after.TxErrors},
		{before.TxDropped, after.TxDropped}, {before.TxFIFO, after.TxFIFO},
	} {
		if c[1] < c[0] {
			return true
		}
	}
	return false
}
