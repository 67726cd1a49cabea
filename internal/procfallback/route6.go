// SPDX-License-Identifier: GPL-2.0-or-later

package procfallback

import (
	"bytes"
	"context"
	"encoding/hex"
	"net/netip"
	"slices"

	"netlive/internal/route"
)

// Routes6 reads the IPv6 routes of the calling thread's network namespace, those of the cache (FlagCache) among
// them: since Linux 4.2 that has hardly any.
func (s *Source) Routes6(ctx context.Context) (t route.Table, err error) {
	data, warn, err := s.readRoutes(ctx, "net/ipv6_route")
	if err != nil {
		return t, err
	}
	t.Routes = parseRoutes6(data, &warn)
	t.Warnings = warn.list()
	return t, nil
}

// parseRoutes6 reads net/ipv6_route, which has no header (net/ipv6/ip6_fib.c, ipv6_route_native_seq_show):
//
//	DST LEN SRC LEN GATEWAY METRIC REFCNT USE FLAGS IFACE
//
// all in hex without colons, but for the name. netstat fills a row that is not whole from the row before; here it is
// a warning.
func parseRoutes6(data []byte, warn *warnings) (routes []route.Route) {
	routes = slices.Grow(routes, bytes.Count(data, newline))
	iface := ""
	for number := 1; len(data) > 0; number++ {
		var line []byte
		line, data = cutLine(data)
		r := route.Route{Iface: iface}
		f := fields{rest: line}
		if column := parseRoute6(&f, &r); column != "" {
			warn.bad(number, column, f.text)
			continue
		}
		iface = r.Iface
		routes = append(routes, r)
	}
	return routes
}

// parseRoute6 sets what a line says of r. When it cannot, it returns the name of the first bad field.
func parseRoute6(f *fields, r *route.Route) (column string) {
	var length uint32
	if !f.addr6(&r.Dst) {
		return "destination"
	}
	if !f.hex(&length, 2) {
		return "prefix length"
	}
	r.PrefixLen = uint8(length)
	if !f.addr6(&r.Src) {
		return "source"
	}
	if !f.hex(&length, 2) {
		return "source prefix length"
	}
	r.SrcLen = uint8(length)
	if !f.addr6(&r.Gateway) {
		return "next hop"
	}
	for _, n := range [...]struct {
		column string
		to     *uint32
	}{{"metric", &r.Metric}, {"reference count", &r.RefCnt}, {"use", &r.Use}, {"flags", (*uint32)(&r.Flags)}} {
		if !f.hex(n.to, 8) {
			return n.column
		}
	}
	if !f.iface(&r.Iface) {
		return "interface"
	}
	return ""
}

// addr6 cuts an IPv6 address: its bytes in network order.
func (f *fields) addr6(a *netip.Addr) bool {
	var b [16]byte
	if n, err := hex.Decode(b[:], f.word(hex.EncodedLen(len(b)))); err != nil || n < len(b) {
		return false
	}
	*a = netip.AddrFrom16(b)
	return true
}
