// SPDX-License-Identifier: GPL-2.0-or-later

package render

import (
	"encoding/binary"
	"net/netip"
	"strconv"

	"netlive/internal/route"
)

// RouteNames turns the addresses of routes into names, or into digits. Names has AppendHost too.
type RouteNames interface {
	AppendHost(b []byte, a netip.Addr) []byte
	// AppendNet appends the name of an IPv4 network: of 0.0.0.0/0 "default", of others what networks(5) calls
	// them whatever their length, or else the address without the length.
	AppendNet(b []byte, network netip.Prefix) []byte
}

// AppendNet appends the address.
func (Numeric) AppendNet(b []byte, network netip.Prefix) []byte { return appendAddr(b, network.Addr()) }

// Detail levels of IPv4 routes, as netstat numbers them.
const (
	detailNone   = iota // just the title
	detailMetric        // as route(8) has it
	detailMSS           // as BSD's netstat has it
	detailBoth
)

const (
	titleFIB     = "Kernel IP routing table\n"
	titleCache   = "Kernel IP routing cache\n"
	titleRoutes6 = "Kernel IPv6 routing table\n"
	titleCache6  = "Kernel IPv6 routing cache\n"

	headFIB     = "Destination     Gateway         Genmask        "
	headCache   = "Source          Destination     Gateway        "
	headRoutes6 = "Destination                    Next Hop                   Flag Met Ref  Use If\n"
	headMetric  = " Flags Metric Ref    Use Iface"
	headMSS     = " Flags   MSS Window  irtt Iface"
	headBoth    = headMetric + "    MSS   Window irtt"
)

const (
	routeAddrMax  = 15 // where names are cut in the FIB
	routeIfaceMax = 6  // where interfaces are cut with detailBoth
	routeNameMax  = 127
)

// routeDetail is the level for a number of -e.
func routeDetail(extend int) int {
	switch extend {
	case 0:
		return detailMSS
	case 1:
		return detailMetric
	}
	return (extend + 1) % 4
}

// routeHead is the line of column heads, after those of the addresses.
func routeHead(addresses string, detail int) string {
	switch detail {
	case detailMetric:
		return addresses + headMetric + "\n"
	case detailMSS:
		return addresses + headMSS + "\n"
	case detailBoth:
		return addresses + headBoth + "\n"
	}
	return ""
}

// cacheHead is the line of column heads of the IPv4 cache; with all details it shows the format.
func cacheHead(f route.CacheFormat, detail int) string {
	switch {
	case detail != detailBoth:
		return routeHead(headCache, detail)
	case f == route.Cache22:
		return headCache + headBoth + "  TOS HHRef HHUptod     SpecDst\n"
	case f == route.Cache20:
		return headCache + headBoth + "  HH  Arp\n"
	}
	return ""
}

// routeLetter is what netstat shows for flags.
type routeLetter struct {
	bits route.Flags
	text string
}

// routeReject is in the tables of IPv4 as the letter that replaces those before it.
const routeReject = "!"

var lettersFIB = []routeLetter{
	{route.FlagUp, "U"}, {route.FlagGateway, "G"}, {route.FlagReject, routeReject}, {route.FlagHost, "H"},
	{route.FlagReinstate, "R"}, {route.FlagDynamic, "D"}, {route.FlagModified, "M"}, {route.FlagDefault, "d"},
	{route.FlagAllOnLink, "a"}, {route.FlagAddrConf, "c"}, {route.FlagNoNextHop, "o"}, {route.FlagExpires, "e"},
	{route.FlagCache, "c"}, {route.FlagFlow, "f"}, {route.FlagPolicy, "p"}, {route.FlagLocal, "l"},
	{route.FlagMSS, "u"}, {route.FlagWindow, "w"}, {route.FlagIRTT, "i"}, {route.FlagNotCached, "n"},
}

var lettersRoutes6 = []routeLetter{
	{route.FlagUp, "U"}, {route.FlagReject, routeReject}, {route.FlagGateway, "G"}, {route.FlagHost, "H"},
	{route.FlagDefault, "D"}, {route.FlagAddrConf, "A"}, {route.FlagCache, "C"}, {route.FlagAllOnLink, "a"},
	{route.FlagExpires, "e"}, {route.FlagModified, "m"}, {route.FlagNoNextHop, "n"}, {route.FlagFlow, "f"},
}

// lettersCache are those of both formats. Each has more of its own.
var lettersCache = []routeLetter{
	{route.Flags(route.CacheNotify), "n"}, {route.Flags(route.CacheDirectDst), "d"}, {route.Flags(route.CacheTProxy), "t"},
	{route.Flags(route.CacheFast), "f"}, {route.Flags(route.CacheMasq), "q"}, {route.Flags(route.CacheSNAT), "Ns"},
	{route.Flags(route.CacheDoRedirect), "r"}, {route.Flags(route.CacheDirectSrc), "i"}, {route.Flags(route.CacheDNAT), "Nd"},
	{route.Flags(route.CacheBroadcast), "b"}, {route.Flags(route.CacheMulticast), "m"}, {route.Flags(route.CacheReject), "#"},
	{route.Flags(route.CacheLocal), "l"},
}

var lettersCache22 = append([]routeLetter{
	{route.FlagGateway, "G"}, {route.FlagReject, routeReject}, {route.FlagReinstate, "R"}, {route.FlagDynamic, "D"},
	{route.FlagModified, "M"}, {route.Flags(route.CacheDead), "-"}, {route.Flags(route.CacheOnLink), "o"},
}, lettersCache...)

var lettersCache20 = append([]routeLetter{
	{route.FlagUp, "U"}, {route.FlagHost, "H"}, {route.FlagGateway, "G"}, {route.FlagReject, routeReject},
	{route.FlagReinstate, "R"}, {route.FlagDynamic, "D"}, {route.FlagModified, "M"},
}, lettersCache...)

// lettersOfCache is the table for a format.
func lettersOfCache(f route.CacheFormat) []routeLetter {
	if f == route.Cache20 {
		return lettersCache20
	}
	return lettersCache22
}

// appendLetters appends the letters of f. With replace, that for reject takes the place of those before it.
func appendLetters(b []byte, f route.Flags, letters []routeLetter, replace bool) []byte {
	at := len(b)
	for _, l := range letters {
		if !f.Has(l.bits) {
			continue
		}
		if replace && l.text == routeReject {
			b = b[:at]
		}
		b = append(b, l.text...)
	}
	return b
}

// RouteRow appends an IPv4 route.
func (r *Routes) RouteRow(b []byte, t *route.Route) []byte {
	level := routeDetail(r.Extend)
	if level == detailNone {
		return b
	}
	name := r.destination(t)
	b = r.appendName(b, name[:min(len(name), routeAddrMax)], routeAddrMax)
	if t.Flags.Has(route.FlagReject) {
		b = appendCell(b, "-", routeAddrMax)
		b = r.appendMaskAndFlags(b, t)
		switch level {
		case detailMetric:
			b = append(appendLeft(b, t.Metric, 6), "-  "...)
			return append(appendSigned(b, t.Use, 7), " -\n"...)
		case detailMSS:
			return append(b, "    - -          - -\n"...)
		}
		b = append(appendLeft(b, t.Metric, 6), "-  "...)
		return append(appendSigned(b, t.Use, 7), " -        -     -      -\n"...)
	}
	r.cell = r.Names.AppendHost(r.cell[:0], t.Gateway)
	b = r.appendName(b, r.cell[:min(len(r.cell), routeAddrMax)], routeAddrMax)
	b = r.appendMaskAndFlags(b, t)
	b = r.appendDetails(b, t, level)
	if level == detailBoth {
		b = strconv.AppendInt(b, int64(int32(t.IRTT)), 10)
	}
	return append(b, '\n')
}

func (r *Routes) appendMaskAndFlags(b []byte, t *route.Route) []byte {
	at := len(b)
	b = append(padTo(t.Mask.AppendTo(b), at, routeAddrMax), ' ')
	at = len(b)
	return append(padTo(appendLetters(b, t.Flags, lettersFIB, true), at, 5), ' ')
}

// appendDetails appends what is between the flags and the end of an IPv4 row; with all details the last column is to
// follow.
func (r *Routes) appendDetails(b []byte, t *route.Route, level int) []byte {
	iface := append(r.cell[:0], t.Iface...)
	r.cell = iface
	switch level {
	case detailMetric:
		b = appendLeft(b, t.Metric, 6)
		b = appendLeft(b, t.RefCnt, 2)
		b = append(appendSigned(b, t.Use, 7), ' ')
		return appendName(b, iface, r.Escape)
	case detailMSS:
		b = append(appendSigned(b, t.MTU, 5), ' ')
		b = appendLeft(b, t.Window, 5)
		b = append(appendSigned(b, t.IRTT, 6), ' ')
		return appendName(b, iface, r.Escape)
	}
	b = appendLeft(b, t.Metric, 6)
	b = appendLeft(b, t.RefCnt, 3)
	b = append(appendSigned(b, t.Use, 6), ' ')
	b = append(r.appendName(b, iface[:min(len(iface), routeIfaceMax)], routeIfaceMax), "  "...)
	b = appendLeft(b, t.MTU, 5)
	return appendLeft(b, t.Window, 6)
}

// destination is the name of what an IPv4 route leads to: a network's, unless it is a host by its flag or by having
// bits outside the mask. 0.0.0.0 with a mask is a network without a name.
func (r *Routes) destination(t *route.Route) []byte {
	d, m := t.Dst.As4(), t.Mask.As4()
	dst, mask := binary.BigEndian.Uint32(d[:]), binary.BigEndian.Uint32(m[:])
	everything := dst == 0 && mask == 0
	if !everything && (dst == 0 || t.Flags.Has(route.FlagHost) || dst&^mask != 0) {
		r.cell = r.Names.AppendHost(r.cell[:0], t.Dst)
	} else {
		r.cell = r.Names.AppendNet(r.cell[:0], netip.PrefixFrom(t.Dst, int(t.PrefixLen)))
	}
	return r.cell
}

// CacheRow appends an entry of the IPv4 cache. A rejected one is like any other there, and names have room.
func (r *Routes) CacheRow(b []byte, f route.CacheFormat, e *route.CacheEntry) []byte {
	level := routeDetail(r.Extend)
	if level == detailNone {
		return b
	}
	for _, a := range [...]netip.Addr{e.Src, e.Dst, e.Gateway} {
		r.cell = r.Names.AppendHost(r.cell[:0], a)
		b = r.appendName(b, r.cell[:min(len(r.cell), routeNameMax)], routeAddrMax)
	}
	at := len(b)
	b = append(padTo(appendLetters(b, e.Flags, lettersOfCache(f), true), at, 5), ' ')
	b = r.appendDetails(b, &e.Route, level)
	if level == detailBoth {
		b = appendLeft(b, e.IRTT, 5)
		if f == route.Cache20 {
			b = appendLeft(b, e.HH, 3)
			b = strconv.AppendInt(b, int64(int32(e.ARP)), 10)
		} else {
			b = appendLeft(b, e.TOS, 3)
			b = append(appendLeft(b, e.HHRef, 3), "  "...)
			b = appendLeft(b, e.HHUptod, 3)
			r.cell = r.Names.AppendHost(r.cell[:0], e.SpecDst)
			r.cell = r.cell[:min(len(r.cell), routeNameMax)]
			b = appendName(appendBlanks(b, routeAddrMax-len(r.cell)), r.cell, r.Escape)
		}
	}
	return append(b, '\n')
}

// appendHost6 appends the name of an IPv6 address, or the address if netstat has no room for its name.
func (r *Routes) appendHost6(b []byte, a netip.Addr) []byte {
	at := len(b)
	if b = r.Names.AppendHost(b, a); len(b)-at > routeNameMax {
		return appendAddr(b[:at], a)
	}
	return b
}

// Route6Row appends an IPv6 route. Names are as long as they are, and details are always the same.
func (r *Routes) Route6Row(b []byte, t *route.Route) []byte {
	r.cell = append(r.appendHost6(r.cell[:0], t.Dst), '/')
	r.cell = strconv.AppendUint(r.cell, uint64(t.PrefixLen), 10)
	b = r.appendName(b, r.cell[:min(len(r.cell), routeNameMax)], 30)
	r.cell = r.appendHost6(r.cell[:0], t.Gateway)
	b = r.appendName(b, r.cell, 26)
	at := len(b)
	b = append(padTo(appendLetters(b, t.Flags, lettersRoutes6, false), at, 4), ' ')
	b = appendLeft(b, t.Metric, 3)
	b = appendLeft(b, t.RefCnt, 1)
	b = append(appendSigned(b, t.Use, 6), ' ')
	r.cell = append(r.cell[:0], t.Iface...)
	return append(appendName(b, r.cell, r.Escape), '\n')
}

// appendName appends a name in width bytes, to the left, and a blank.
func (r *Routes) appendName(b, name []byte, width int) []byte {
	at := len(b)
	return append(padTo(appendName(b, name, r.Escape), at, width), ' ')
}

// appendCell appends text in width bytes, to the left, and a blank.
func appendCell(b []byte, text string, width int) []byte {
	return append(appendBlanks(append(b, text...), width-len(text)), ' ')
}

// appendLeft appends n as netstat's signed number in width bytes, to the left, and a blank.
func appendLeft(b []byte, n uint32, width int) []byte {
	at := len(b)
	return append(padTo(strconv.AppendInt(b, int64(int32(n)), 10), at, width), ' ')
}

// appendSigned appends n as netstat's signed number in width bytes, to the right.
func appendSigned(b []byte, n uint32, width int) []byte {
	var digits [11]byte
	d := strconv.AppendInt(digits[:0], int64(int32(n)), 10)
	return append(appendBlanks(b, width-len(d)), d...)
}
