// SPDX-License-Identifier: GPL-2.0-or-later

package main

import (
	"context"
	"os"
	"reflect"
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
}

// watchInterfaces keeps the table of netlive -i true. That a counter moves is announced by nobody: they are read each interval.
func watchInterfaces(ctx context.Context, o *options.Options, std streams) error {
	proc := procfallback.New(os.DirFS("/proc"))
	return watchTables(ctx, o, std, watched[iface.Table]{
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
		open: func(func()) liveTable[iface.Table] { return newInterfaceList(o, std) }, // there are no names in it
	})
}

func newInterfaceList(o *options.Options, std streams) *interfaceList {
	return &interfaceList{
		o:      o,
		render: render.Interfaces{All: o.All, Extend: o.Extend, Escape: std.outTTY},
		rows: view.Rows[iface.Interface, string]{
			Key: func(i *iface.Interface) string { return i.Name }, Compare: compareInterfaces, Marked: linger,
		},
	}
}

// Replace implements liveTable.
func (l *interfaceList) Replace(t iface.Table, now time.Time) live.Change {
	l.table = t
	var shown []iface.Interface
	for i := range t.Interfaces {
		if f := &t.Interfaces[i]; f.Err == nil && (l.o.All || f.Flags.Has(iface.FlagUp)) {
			shown = append(shown, *f)
		}
	}
	return change(l.rows.Replace(shown, now))
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
	n, again := l.rows.Begin(now)
	s := screen.Section{Word: "interfaces", Rows: l.rows.Len(), Lines: n}
	if l.o.Extend == 0 {
		s.Columns = l.render.Columns()
		s.Line = func(i int) ([]string, view.Mark, time.Time) {
			f, mark, until := l.rows.Row(i, now)
			return l.render.Cells(f), mark, until
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
		for _, text := range l.render.Lines(f) {
			lines = append(lines, line{text, mark, until})
		}
	}
	s.Lines = len(lines)
	s.Line = func(i int) ([]string, view.Mark, time.Time) {
		return []string{lines[i].text}, lines[i].mark, lines[i].until
	}
	return []screen.Section{s}, again
}
