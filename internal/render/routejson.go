// SPDX-License-Identifier: GPL-2.0-or-later

package render

import (
	"net/netip"
	"strings"

	"netlive/internal/route"
)

// The names in the JSON of routes, in all families that have such a thing:
//
//	family        netstat's word: inet, inet6, ax25, ...
//	table         "fib" or "cache"; only of inet and inet6
//	destination   an address, or what the family calls one
//	prefix_len    bits of destination that count; null of an entry of the IPv4 cache
//	gateway       the next hop; null for none
//	flags         netstat's letters, "!" being reject; flags_raw has the bits of the kernel, letter or not
//	metric, ref, use
//	iface         null for none
//	mtu, window   bytes; 0 is the default. irtt is in ms. null of inet6
//
// inet6 has source and source_prefix_len too. An entry of the IPv4 cache has source, and by its format either tos, hh_ref,
// hh_uptodate and specific_dst or hh and arp. Other families have what they alone know under their own names.

// AppendRouteJSON appends a route of IPv4 or IPv6 as one JSON object.
func AppendRouteJSON(b []byte, f route.Family, t *route.Route) []byte {
	table, letters := "fib", lettersFIB
	if f == route.IPv6 {
		letters = lettersRoutes6
		if t.Flags.Has(route.FlagCache) {
			table = "cache"
		}
	}
	b = appendRouteHead(b, f, table, t)
	b = appendUint(b, `,"prefix_len":`, uint64(t.PrefixLen))
	b = appendRouteTail(b, t, letters)
	if f == route.IPv6 {
		b = append(b, `,"mtu":null,"window":null,"irtt":null`...)
		b = appendAddrJSON(b, `,"source":`, t.Src)
		b = appendUint(b, `,"source_prefix_len":`, uint64(t.SrcLen))
	} else {
		b = appendMetricsJSON(b, t)
	}
	return append(b, '}')
}

// AppendCacheJSON appends an entry of the IPv4 cache as one JSON object.
func AppendCacheJSON(b []byte, f route.CacheFormat, e *route.CacheEntry) []byte {
	b = appendRouteHead(b, route.IPv4, "cache", &e.Route)
	b = append(b, `,"prefix_len":null`...)
	b = appendRouteTail(b, &e.Route, lettersOfCache(f))
	b = appendMetricsJSON(b, &e.Route)
	b = appendAddrJSON(b, `,"source":`, e.Src)
	if f == route.Cache20 {
		b = appendUint(b, `,"hh":`, uint64(e.HH))
		b = appendUint(b, `,"arp":`, uint64(e.ARP))
	} else {
		b = appendUint(b, `,"tos":`, uint64(e.TOS))
		b = appendUint(b, `,"hh_ref":`, uint64(e.HHRef))
		b = appendUint(b, `,"hh_uptodate":`, uint64(e.HHUptod))
		b = appendAddrJSON(b, `,"specific_dst":`, e.SpecDst)
	}
	return append(b, '}')
}

func appendRouteHead(b []byte, f route.Family, table string, t *route.Route) []byte {
	b = append(append(b, `{"family":"`...), f.String()...)
	b = append(append(b, `","table":"`...), table...)
	return appendAddrJSON(b, `","destination":`, t.Dst)
}

func appendRouteTail(b []byte, t *route.Route, letters []routeLetter) []byte {
	if t.Gateway.IsUnspecified() {
		b = append(b, `,"gateway":null`...)
	} else {
		b = appendAddrJSON(b, `,"gateway":`, t.Gateway)
	}
	b = appendFlagsJSON(b, t.Flags, letters)
	b = appendUint(b, `,"metric":`, uint64(t.Metric))
	b = appendUint(b, `,"ref":`, uint64(t.RefCnt))
	b = appendUint(b, `,"use":`, uint64(t.Use))
	iface := t.Iface
	if iface == "*" {
		iface = ""
	}
	return appendTextJSON(b, `,"iface":`, iface)
}

func appendMetricsJSON(b []byte, t *route.Route) []byte {
	b = appendUint(b, `,"mtu":`, uint64(t.MTU))
	b = appendUint(b, `,"window":`, uint64(t.Window))
	return appendUint(b, `,"irtt":`, uint64(t.IRTT))
}

func appendFlagsJSON(b []byte, f route.Flags, letters []routeLetter) []byte {
	b = append(b, `,"flags":[`...)
	first := true
	for _, l := range letters {
		if !f.Has(l.bits) {
			continue
		}
		if !first {
			b = append(b, ',')
		}
		first = false
		b = append(append(append(b, '"'), l.text...), '"')
	}
	return appendUint(append(b, ']'), `,"flags_raw":`, uint64(f))
}

// appendAddrJSON appends an address as it is: IPv4-mapped ones too.
func appendAddrJSON(b []byte, name string, a netip.Addr) []byte {
	return append(a.AppendTo(append(append(b, name...), '"')), '"')
}

// appendTextJSON appends text, or null if there is none.
func appendTextJSON(b []byte, name, text string) []byte {
	b = append(b, name...)
	if text == "" {
		return append(b, "null"...)
	}
	return appendString(b, []byte(text))
}

// object appends the beginning of the object of an old family.
func (p *routePrinter) object(f route.Family, destination, gateway, iface string) []byte {
	b := append(append(append(p.comma(), `{"family":"`...), f.String()...), '"')
	b = appendTextJSON(b, `,"destination":`, destination)
	b = appendTextJSON(b, `,"gateway":`, gateway)
	return appendTextJSON(b, `,"iface":`, strings.TrimRight(iface, " "))
}

func appendNeighbourJSON(b []byte, n *route.Neighbour) []byte {
	b = appendUint(b, `{"number":`, uint64(n.Number))
	b = appendTextJSON(b, `,"callsign":`, n.Callsign)
	b = appendTextJSON(b, `,"iface":`, strings.TrimRight(n.Iface, " "))
	return append(b, '}')
}
