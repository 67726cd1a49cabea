// SPDX-License-Identifier: GPL-2.0-or-later

package main

import (
	"context"
	"net/netip"
	"os"
	"slices"
	"time"

	"netlive/internal/live"
	"netlive/internal/options"
	"netlive/internal/procfallback"
	"netlive/internal/render"
	"netlive/internal/resolve"
	"netlive/internal/route"
	"netlive/internal/rtnl"
	"netlive/internal/screen"
	"netlive/internal/view"
)

// routeTables is what a look at the routes finds.
type routeTables struct {
	v4, v6 route.Table
	cache  route.Cache
}

// routeList is the routes that watch shows.
type routeList struct {
	o      *options.Options
	render render.Routes
	tables routeTables
	parts  []routePart
}

// routePart is a table of routes.
type routePart struct {
	family route.Family
	cache  bool
	rows   view.Rows[route.Route, routeKey]
}

// watchRoutes keeps the tables of netlive -r true.
func watchRoutes(ctx context.Context, o *options.Options, std streams) error {
	p, err := newRoutePage(o, std)
	if err != nil {
		return err
	}
	return watchTables(ctx, p)
}

// newRoutePage is the page of routes: those of netlive -r, or if o asks for another table those of IPv4 and IPv6.
func newRoutePage(asked *options.Options, std streams) (*tablePage[routeTables], error) {
	o := optionsOf(asked, options.ModeRoute)
	if asked.Mode != options.ModeRoute && len(o.Families) == 0 {
		o.Families = []string{"inet", "inet6"}
	}
	proc := procfallback.New(os.DirFS("/proc"))
	parts := newRoutePartsOf(o)
	return newTablePage(o, std, watched[routeTables]{
		word:   "routes",
		groups: routeGroups(parts),
		look:   func(ctx context.Context) (routeTables, error) { return lookAtRoutes(ctx, proc, parts) },
		open:   func(arrived func()) liveTable[routeTables] { return newRouteList(o, std, arrived) },
	})
}

func newRouteList(o *options.Options, std streams, arrived func()) *routeList {
	return &routeList{o: o, parts: newRoutePartsOf(o), render: render.Routes{
		Families: o.Families, Extend: o.Extend, FIB: o.FIB, Cache: o.Cache, Escape: true,
		Names: resolve.New(resolve.Config{Hosts: !o.NumericHosts && !o.Symbolic, Arrived: arrived}),
	}}
}

// newRoutePartsOf are the tables that o asks for, each once.
func newRoutePartsOf(o *options.Options) (parts []routePart) {
	for _, f := range routeFamilies(o) {
		for _, cache := range []bool{false, true} {
			if !cache && o.Cache && !o.FIB || cache && !o.Cache {
				continue
			}
			parts = append(parts, routePart{family: f, cache: cache, rows: view.Rows[route.Route, routeKey]{
				Key: keyOfRoute, Kin: kinOfRoute, Compare: compareRoutes, Marked: linger,
			}})
		}
	}
	return parts
}

// routeFamilies are the families of IP that o asks for, each once, in their order.
func routeFamilies(o *options.Options) (families []route.Family) {
	for _, word := range o.Families {
		if f, ok := route.ParseFamily(word); ok && f <= route.IPv6 && !slices.Contains(families, f) {
			families = append(families, f)
		}
	}
	if len(o.Families) == 0 {
		return []route.Family{route.IPv4}
	}
	return families
}

// routeGroups are the announcements of what changes the tables: routes go with links and addresses too, and not all are told.
func routeGroups(parts []routePart) rtnl.Groups {
	groups := rtnl.Links
	for i := range parts {
		if parts[i].family == route.IPv6 {
			groups |= rtnl.Routes6 | rtnl.Addrs6
		} else {
			groups |= rtnl.Routes4 | rtnl.Addrs4
		}
	}
	return groups
}

// lookAtRoutes reads the tables of parts.
func lookAtRoutes(ctx context.Context, src render.RouteSource, parts []routePart) (t routeTables, err error) {
	read6 := false
	for i := range parts {
		switch p := &parts[i]; {
		case p.family == route.IPv6 && !read6:
			t.v6, err = src.Routes6(ctx)
			read6 = true // the cache is in the same file
		case p.family == route.IPv6:
		case p.cache:
			t.cache, err = src.RouteCache(ctx)
		default:
			t.v4, err = src.Routes(ctx)
		}
		if err != nil {
			return routeTables{}, err
		}
	}
	return t, nil
}

// Replace implements liveTable.
func (l *routeList) Replace(t routeTables, now time.Time) live.Change {
	l.tables = t
	d := view.Same
	for i := range l.parts {
		p := &l.parts[i]
		d = max(d, p.rows.Replace(p.of(&t), now))
	}
	return change(d)
}

// of are the routes of the part that netstat shows.
func (p *routePart) of(t *routeTables) (routes []route.Route) {
	switch {
	case p.family == route.IPv6:
		for i := range t.v6.Routes {
			if r := &t.v6.Routes[i]; r.Flags.Has(route.FlagCache) == p.cache {
				routes = append(routes, *r)
			}
		}
	case p.cache: // empty since Linux 3.6
		for i := range t.cache.Entries {
			routes = append(routes, t.cache.Entries[i].Route)
		}
	default:
		for i := range t.v4.Routes {
			if r := &t.v4.Routes[i]; r.Flags.Has(route.FlagUp) {
				routes = append(routes, *r)
			}
		}
	}
	return routes
}

// routeKey is what routes differ in: those of IPv4 in their type of service too, which /proc does not show.
type routeKey struct {
	dst, src      netip.Addr
	bits, srcBits uint8
	metric        uint32
	gateway       netip.Addr
	iface         string
}

func keyOfRoute(r *route.Route) routeKey {
	k := kinOfRoute(r)
	k.gateway, k.iface = r.Gateway, r.Iface
	return k
}

// kinOfRoute is what stays of a route that ip route replace gives another way.
func kinOfRoute(r *route.Route) routeKey {
	return routeKey{dst: r.Dst, src: r.Src, bits: r.PrefixLen, srcBits: r.SrcLen, metric: r.Metric}
}

func compareRoutes(a, b *route.Route) view.Difference {
	if *a == *b {
		return view.Same
	}
	counted := *a
	counted.RefCnt, counted.Use = b.RefCnt, b.Use
	if counted == *b {
		return view.Counts
	}
	return view.Different
}

// print implements liveTable.
func (l *routeList) print(p *page) error {
	printer := routes{o: l.o, render: l.render}
	return printer.printFrom(context.Background(), p, heldRoutes{tables: &l.tables})
}

// heldRoutes is a look, as a source of routes. Families that announce nothing are not asked for.
type heldRoutes struct {
	render.RouteSource
	tables *routeTables
}

func (h heldRoutes) Routes(context.Context) (route.Table, error)     { return h.tables.v4, nil }
func (h heldRoutes) Routes6(context.Context) (route.Table, error)    { return h.tables.v6, nil }
func (h heldRoutes) RouteCache(context.Context) (route.Cache, error) { return h.tables.cache, nil }

// Sections implements screen.List.
func (l *routeList) Sections(now time.Time) (sections []screen.Section, again time.Time) {
	for i := range l.parts {
		p := &l.parts[i]
		n, goes := p.rows.Begin(now)
		again = earlier(again, goes)
		s := screen.Section{Word: "routes", Rows: p.rows.Len(), Columns: l.render.Columns(p.family), Lines: n}
		s.Line = func(i int) ([]string, view.Mark, time.Time) {
			r, mark, until := p.rows.Row(i, now)
			return l.render.Cells(p.family, r), mark, until
		}
		if len(l.parts) > 1 {
			s.Word = p.family.String()
		}
		if p.cache {
			s.Word += " cache"
		}
		sections = append(sections, s)
	}
	return sections, again
}

// earlier is the earlier of two times, of which zero is never.
func earlier(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}
