// SPDX-License-Identifier: GPL-2.0-or-later

package render

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strconv"

	"netlive/internal/route"
)

// Routes is net-tools 2.10's netstat -r, byte for byte.
type Routes struct {
	// Families are the address families asked for, in netstat's own words and in that order, as often as they were
	// named; none is inet.
	Families []string
	Extend   int // how many -e
	// FIB and Cache are -F and -C. Without either it is the FIB. Only inet and inet6 have caches.
	FIB, Cache bool
	Names      RouteNames
	Texts      Texts
	// Escape makes what strangers named safe for a terminal, where netstat would let it through.
	Escape bool

	// Warnings are about lines that Append or AppendJSON could not use. netstat has none.
	Warnings []error

	cell []byte // one name at a time
}

// RouteSource is where routes come from. A file that cannot be opened is an *fs.PathError with Op "open".
type RouteSource interface {
	Routes(ctx context.Context) (route.Table, error)
	RouteCache(ctx context.Context) (route.Cache, error)
	Routes6(ctx context.Context) (route.Table, error)
	AX25Routes(ctx context.Context) (route.List[route.AX25Route], error)
	NetROMRoutes(ctx context.Context) (route.NetROMTable, error)
	ROSERoutes(ctx context.Context) (route.List[route.ROSENode], error)
	X25Routes(ctx context.Context) (route.List[route.X25Route], error)
	IPXRoutes(ctx context.Context) (route.List[route.IPXRoute], error)
	DDPRoutes(ctx context.Context) (route.List[route.DDPRoute], error)
}

// Append appends to out what netstat prints on stdout and to errs what it prints on stderr. The error is ctx's; all
// others netstat has words for.
func (r *Routes) Append(ctx context.Context, out, errs []byte, src RouteSource) (_, _ []byte, exitCode int, err error) {
	p := routePrinter{Routes: r, ctx: ctx, src: src, out: out, errs: errs}
	exitCode = p.families()
	return p.out, p.errs, exitCode, ctx.Err()
}

// AppendJSON appends to out one JSON array of the routes that Append would print, and to errs what ails them.
func (r *Routes) AppendJSON(ctx context.Context, out, errs []byte, src RouteSource) (_, _ []byte, exitCode int, err error) {
	p := routePrinter{Routes: r, ctx: ctx, src: src, out: append(out, '['), errs: errs, json: true, first: true}
	exitCode = p.families()
	return append(p.out, "]\n"...), p.errs, exitCode, ctx.Err()
}

// routePrinter is one run of Append or AppendJSON.
type routePrinter struct {
	*Routes
	ctx       context.Context
	src       RouteSource
	out, errs []byte
	json      bool
	first     bool // no object yet
}

// families prints each family in turn; the first that fails is the last.
func (p *routePrinter) families() (exitCode int) {
	words := p.Families
	if len(words) == 0 {
		words = []string{route.IPv4.String()}
	}
	p.Warnings = nil
	for _, word := range words {
		if exitCode = p.family(word); exitCode != 0 || p.ctx.Err() != nil {
			return exitCode
		}
	}
	return 0
}

func (p *routePrinter) family(word string) (exitCode int) {
	f, ok := route.ParseFamily(word)
	if !ok {
		switch word {
		case "unix", "ec", "ash":
			p.errs = fmt.Appendf(p.errs, p.Texts.Text("No routing for address family `%s'.\n"), word)
		default:
			p.errs = fmt.Appendf(p.errs, p.Texts.Text("Address family `%s' not supported.\n"), word)
		}
		return exitNoFamily
	}
	table, cache := p.FIB || !p.Cache, p.Cache
	switch f {
	case route.IPv4:
		if table {
			exitCode = p.fib()
		}
		if cache && exitCode == 0 {
			exitCode = p.cache()
		}
	case route.IPv6:
		if table {
			exitCode = p.routes6(false)
		}
		if cache && exitCode == 0 {
			exitCode = p.routes6(true)
		}
	case route.AX25:
		return p.ax25()
	case route.NetROM:
		return p.netrom()
	case route.ROSE:
		return p.rose()
	case route.X25:
		return p.x25()
	case route.IPX:
		return p.ipx()
	case route.DDP:
		return p.ddp()
	}
	return exitCode
}

// fib prints the IPv4 routes.
func (p *routePrinter) fib() (exitCode int) {
	const file = "/proc/net/route"
	t, err := p.src.Routes(p.ctx)
	if notOpened(err) {
		return p.unconfigured(file, err, "INET (IPv4) not configured in this system.\n")
	}
	p.print(titleFIB)
	p.print(routeHead(headFIB, routeDetail(p.Extend)))
	p.Warnings = append(p.Warnings, t.Warnings...)
	switch {
	case err != nil || t.Empty:
		return exitFailed
	case t.MissingColumn != "":
		p.missing(file, t.MissingColumn)
		return exitFailed
	}
	for i := range t.Routes {
		switch e := &t.Routes[i]; {
		case !e.Flags.Has(route.FlagUp):
		case p.json:
			p.out = AppendRouteJSON(p.comma(), route.IPv4, e)
		default:
			p.out = p.RouteRow(p.out, e)
		}
	}
	return 0
}

// cache prints the IPv4 cache.
func (p *routePrinter) cache() (exitCode int) {
	const file = "/proc/net/rt_cache"
	c, err := p.src.RouteCache(p.ctx)
	if notOpened(err) {
		return p.unconfigured(file, err, "INET (IPv4) not configured in this system.\n")
	}
	p.print(titleCache)
	p.Warnings = append(p.Warnings, c.Warnings...)
	switch {
	case err != nil || c.Empty:
		if err == nil {
			err = fs.ErrNotExist // what netstat finds in errno, which nobody set
		}
		p.perror(file, err)
		return exitBroken
	case c.Format == route.CacheUnknown:
		p.complain("ERROR: proc_guess_fmt(" + file + ",... returned: " + strconv.Itoa(int(c.Columns)) + "\n")
	}
	p.print(cacheHead(c.Format, routeDetail(p.Extend)))
	if c.MissingColumn != "" {
		p.missing(file, c.MissingColumn)
	}
	for i := range c.Entries {
		if p.json {
			p.out = AppendCacheJSON(p.comma(), c.Format, &c.Entries[i])
		} else {
			p.out = p.CacheRow(p.out, c.Format, &c.Entries[i])
		}
	}
	return 0
}

// routes6 prints the IPv6 routes, or those of the cache. (Linux 2.0 and 2.1 had a file of neighbours, net/ndisc, which
// netstat would show as the cache.)
func (p *routePrinter) routes6(cache bool) (exitCode int) {
	t, err := p.src.Routes6(p.ctx)
	if notOpened(err) {
		return p.unconfigured("/proc/net/ipv6_route", err, "INET6 (IPv6) not configured in this system.\n")
	}
	if cache {
		p.print(titleCache6)
	} else {
		p.print(titleRoutes6)
	}
	p.print(headRoutes6)
	p.Warnings = append(p.Warnings, t.Warnings...)
	for i := range t.Routes {
		switch e := &t.Routes[i]; {
		case e.Flags.Has(route.FlagCache) != cache:
		case p.json:
			p.out = AppendRouteJSON(p.comma(), route.IPv6, e)
		default:
			p.out = p.Route6Row(p.out, e)
		}
	}
	return 0
}

// notOpened tells a file that could not be opened from one that could not be read: that netstat takes for empty.
func notOpened(err error) bool {
	path := (*fs.PathError)(nil)
	return errors.As(err, &path) && path.Op == "open"
}

// unconfigured says that the kernel lacks a family.
func (p *routePrinter) unconfigured(file string, err error, text string) (exitCode int) {
	p.perror(file, err)
	p.complain(text)
	return exitFailed
}

// missing says that a header lacks a column.
func (p *routePrinter) missing(file, column string) {
	p.errs = fmt.Appendf(p.errs, "warning: %s does not contain required field %s\n", file, column)
}

func (p *routePrinter) perror(file string, err error) {
	p.errs = p.Texts.AppendPerror(p.errs, file, err)
}

// print prints what is for readers of text alone.
func (p *routePrinter) print(text string) {
	if !p.json {
		p.out = append(p.out, p.Texts.Text(text)...)
	}
}

// complain prints what netstat prints on stdout where it has no table.
func (p *routePrinter) complain(text string) {
	if p.json {
		p.errs = append(p.errs, text...)
	} else {
		p.out = append(p.out, p.Texts.Text(text)...)
	}
}

// comma appends what parts a JSON object from that before it.
func (p *routePrinter) comma() []byte {
	if !p.first {
		p.out = append(p.out, ",\n"...)
	}
	p.first = false
	return p.out
}
