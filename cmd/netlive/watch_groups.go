// SPDX-License-Identifier: GPL-2.0-or-later

package main

import (
	"context"
	"errors"
	"io/fs"
	"net/netip"
	"os"
	"time"

	"netlive/internal/iface"
	"netlive/internal/live"
	"netlive/internal/options"
	"netlive/internal/procfallback"
	"netlive/internal/render"
	"netlive/internal/resolve"
	"netlive/internal/screen"
	"netlive/internal/view"
)

// groupList is the multicast groups that watch shows.
type groupList struct {
	o      *options.Options
	render render.Groups
	groups iface.Groups
	parts  []groupPart
}

// groupPart is the groups of a family.
type groupPart struct {
	ipv6 bool
	rows view.Rows[iface.Group, groupKey]
}

// groupKey is what memberships differ in.
type groupKey struct {
	iface string
	addr  netip.Addr
}

// watchGroups keeps the table of netlive -g true.
func watchGroups(ctx context.Context, o *options.Options, std streams) error {
	p, err := newGroupPage(o, std)
	if err != nil {
		return err
	}
	return watchTables(ctx, p)
}

// newGroupPage is the page of groups. That one is joined or left is announced by nobody: they are read each interval.
func newGroupPage(o *options.Options, std streams) (*tablePage[iface.Groups], error) {
	v4, v6 := groupFamilies(o)
	proc := procfallback.New(os.DirFS("/proc"))
	return newTablePage(o, std, watched[iface.Groups]{
		word: "groups",
		look: func(ctx context.Context) (iface.Groups, error) {
			g, err := proc.Groups(ctx, v4, v6)
			if err == nil {
				err = unreadableGroups(&g, v4, v6)
			}
			return g, err
		},
		open: func(arrived func()) liveTable[iface.Groups] { return newGroupList(o, std, arrived) },
	})
}

// groupFamilies are the families that o asks for, both if it names none.
func groupFamilies(o *options.Options) (v4, v6 bool) {
	c := *o
	c.Groups = true
	sel := c.Select()
	return sel.Groups, sel.Groups6
}

// unreadableGroups is why there is nothing to show, where an empty table would be a lie. A kernel without a family is no fault while
// there is the other.
func unreadableGroups(g *iface.Groups, v4, v6 bool) error {
	for _, err := range []error{g.IPv4.Err, g.IPv6.Err} {
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	if v4 && g.IPv4.Err == nil || v6 && g.IPv6.Err == nil {
		return nil
	}
	return errors.Join(g.IPv4.Err, g.IPv6.Err)
}

func newGroupList(o *options.Options, std streams, arrived func()) *groupList {
	v4, v6 := groupFamilies(o)
	l := &groupList{o: o, render: render.Groups{
		IPv4: v4, IPv6: v6, Unnamed: o.Select().Implied, Names: names(o, resolve.Config{Arrived: arrived}), Escape: true,
	}}
	for _, ipv6 := range []bool{false, true} {
		if ipv6 && !v6 || !ipv6 && !v4 {
			continue
		}
		l.parts = append(l.parts, groupPart{ipv6: ipv6, rows: view.Rows[iface.Group, groupKey]{
			Key: func(g *iface.Group) groupKey { return groupKey{g.Iface, g.Addr} },
			Compare: func(a, b *iface.Group) view.Difference {
				if *a == *b {
					return view.Same
				}
				return view.Different // somebody joined or left
			},
			Marked: linger,
		}})
	}
	return l
}

// Replace implements liveTable.
func (l *groupList) Replace(g iface.Groups, now time.Time) live.Change {
	l.groups = g
	d := view.Same
	for i := range l.parts {
		p := &l.parts[i]
		list := &g.IPv4
		if p.ipv6 {
			list = &g.IPv6
		}
		d = max(d, p.rows.Replace(list.Groups, now))
	}
	return change(d)
}

// print implements liveTable.
func (l *groupList) print(p *page) (err error) {
	ctx := context.Background()
	if l.o.JSON {
		p.out = append(p.out, '[')
		p.out, p.errs, p.code, err = l.render.AppendJSON(ctx, p.out, p.errs, heldGroups{&l.groups})
		p.out = append(p.out, ']')
	} else {
		p.out, p.errs, p.code, err = l.render.Append(ctx, p.out, p.errs, heldGroups{&l.groups})
	}
	return err
}

// heldGroups is a look, as a source of groups.
type heldGroups struct{ groups *iface.Groups }

func (h heldGroups) Groups(context.Context, bool, bool) (iface.Groups, error) { return *h.groups, nil }

// Sections implements screen.List.
func (l *groupList) Sections(now time.Time) (sections []screen.Section, again time.Time) {
	for i := range l.parts {
		p := &l.parts[i]
		n, goes := p.rows.Begin(now)
		again = earlier(again, goes)
		s := screen.Section{Word: "groups", Rows: p.rows.Len(), Columns: render.GroupColumns(), Lines: n}
		s.Line = func(i int) ([]string, view.Mark, time.Time) {
			g, mark, until := p.rows.Row(i, now)
			return l.render.Cells(g), mark, until
		}
		if len(l.parts) > 1 {
			s.Word = map[bool]string{false: "IPv4", true: "IPv6"}[p.ipv6]
		}
		sections = append(sections, s)
	}
	return sections, again
}
