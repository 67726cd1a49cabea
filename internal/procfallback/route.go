// SPDX-License-Identifier: GPL-2.0-or-later

package procfallback

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"math"
	"math/bits"
	"net/netip"
	"slices"

	"netlive/internal/route"
)

// Routes reads the IPv4 routes of the calling thread's network namespace: those of the main
// table. A file that cannot be opened is an *fs.PathError with Op "open" in the error, here and in all that
// follow; a kernel without the family lacks the file, which is an fs.ErrNotExist.
func (s *Source) Routes(ctx context.Context) (t route.Table, err error) {
	data, warn, err := s.readRoutes(ctx, "net/route")
	if err != nil {
		return t, err
	}
	t = parseRoutes(data, &warn)
	t.Warnings = warn.list()
	return t, nil
}

// RouteCache reads the IPv4 route cache, whose file every kernel has, since 3.6 with a header alone.
func (s *Source) RouteCache(ctx context.Context) (c route.Cache, err error) {
	data, warn, err := s.readRoutes(ctx, "net/rt_cache")
	if err != nil {
		return c, err
	}
	c = parseRouteCache(data, &warn)
	c.Warnings = warn.list()
	return c, nil
}

func (s *Source) readRoutes(ctx context.Context, file string) ([]byte, warnings, error) {
	data, err := s.read(ctx, s.self()+file)
	if err != nil {
		return nil, warnings{}, fmt.Errorf("procfallback: read %s: %w", file, err)
	}
	return data, warnings{file: file}, nil
}

// column is one of those that netstat looks for in a header, and how a value of it is read.
type column struct {
	name string
	set  func(e *route.CacheEntry, f *fields) bool
}

var (
	columnIface   = column{"Iface", func(e *route.CacheEntry, f *fields) bool { return f.iface(&e.Iface) }}
	columnDst     = column{"Destination", func(e *route.CacheEntry, f *fields) bool { return f.addr4(&e.Dst) }}
	columnGateway = column{"Gateway", func(e *route.CacheEntry, f *fields) bool { return f.addr4(&e.Gateway) }}
	columnFlags   = column{"Flags", func(e *route.CacheEntry, f *fields) bool { return f.hex((*uint32)(&e.Flags), wide) }}
	columnRefCnt  = column{"RefCnt", func(e *route.CacheEntry, f *fields) bool { return f.dec(&e.RefCnt) }}
	columnUse     = column{"Use", func(e *route.CacheEntry, f *fields) bool { return f.dec(&e.Use) }}
	columnMetric  = column{"Metric", func(e *route.CacheEntry, f *fields) bool { return f.dec(&e.Metric) }}
	columnMask    = column{"Mask", func(e *route.CacheEntry, f *fields) bool { return f.addr4(&e.Mask) }}
	columnSource  = column{"Source", func(e *route.CacheEntry, f *fields) bool { return f.addr4(&e.Src) }}
	columnMTU     = column{"MTU", func(e *route.CacheEntry, f *fields) bool { return f.dec(&e.MTU) }}
	columnWindow  = column{"Window", func(e *route.CacheEntry, f *fields) bool { return f.dec(&e.Window) }}
	columnIRTT    = column{"IRTT", func(e *route.CacheEntry, f *fields) bool { return f.dec(&e.IRTT) }}
	columnTOS     = column{"TOS", func(e *route.CacheEntry, f *fields) bool { return f.dec(&e.TOS) }}
	columnHHRef   = column{"HHRef", func(e *route.CacheEntry, f *fields) bool { return f.dec(&e.HHRef) }}
	columnHHUptod = column{"HHUptod", func(e *route.CacheEntry, f *fields) bool { return f.dec(&e.HHUptod) }}
	columnSpecDst = column{"SpecDst", func(e *route.CacheEntry, f *fields) bool { return f.addr4(&e.SpecDst) }}
	columnHH      = column{"HH", func(e *route.CacheEntry, f *fields) bool { return f.dec(&e.HH) }}
	columnARP     = column{"ARP", func(e *route.CacheEntry, f *fields) bool { return f.dec(&e.ARP) }}
)

// The columns in the order in which they must occur. Others may stand between them.
var (
	columnsFIB = []column{columnIface, columnDst, columnGateway, columnFlags, columnRefCnt, columnUse,
		columnMetric, columnMask, columnMTU, columnWindow, columnIRTT}
	columnsCommon = []column{columnIface, columnDst, columnGateway, columnFlags, columnRefCnt, columnUse,
		columnMetric, columnSource, columnMTU, columnWindow, columnIRTT}
	columnsCache22 = append(slices.Clip(columnsCommon), columnTOS, columnHHRef, columnHHUptod, columnSpecDst)
	columnsCache20 = append(slices.Clip(columnsCommon), columnHH, columnARP)
)

// A row may lack values at its end: netstat asks for so many.
const (
	valuesFIB   = 10
	valuesCache = 12
)

// parseRoutes reads net/route, a header and rows of fields parted by tabs (net/ipv4/fib_trie.c,
// fib_route_seq_show).
func parseRoutes(data []byte, warn *warnings) (t route.Table) {
	header, _ := cutLine(data)
	if len(data) == 0 {
		return route.Table{Empty: true}
	}
	columns, missing := readHeader(header, columnsFIB)
	if missing != "" {
		return route.Table{MissingColumn: missing}
	}
	t.Routes = slices.Grow(t.Routes, bytes.Count(data, newline))
	for e := range rows(data, columns, valuesFIB, warn) {
		e.PrefixLen = prefixLen(e.Mask)
		t.Routes = append(t.Routes, e.Route)
	}
	return t
}

// parseRouteCache reads net/rt_cache, which is made as net/route is (net/ipv4/route.c, rt_cache_seq_show, before
// Linux 3.6).
func parseRouteCache(data []byte, warn *warnings) (c route.Cache) {
	header, _ := cutLine(data)
	if len(data) == 0 {
		return route.Cache{Empty: true}
	}
	c.Format, c.Columns = guessCache(header)
	wanted := columnsCache22
	switch c.Format {
	case route.CacheUnknown:
		return c
	case route.Cache20:
		wanted = columnsCache20
	}
	columns, missing := readHeader(header, wanted)
	if missing != "" {
		c.MissingColumn = missing
		return c
	}
	for e := range rows(data, columns, valuesCache, warn) {
		c.Entries = append(c.Entries, *e)
	}
	return c
}

// guessCache tells the format by what occurs anywhere in the header: HH in HHRef too.
func guessCache(header []byte) (f route.CacheFormat, found uint8) {
	for i, name := range [...]string{"IRTT", "TOS", "HHRef", "HHUptod", "SpecDst", "HH", "ARP"} {
		if bytes.Contains(header, []byte(name)) {
			found |= 1 << i
		}
	}
	switch found {
	case 0b0111111:
		return route.Cache22, found
	case 0b1100001:
		return route.Cache20, found
	}
	return route.CacheUnknown, found
}

// readHeader returns what each column of the header is in turn, up to the last that is wanted: a column
// without set is to be skipped. If one is not there, or out of order, missing is its name.
func readHeader(header []byte, wanted []column) (columns []column, missing string) {
	for name := range bytes.FieldsFuncSeq(header, func(r rune) bool { return r == '|' || isSpace(r) }) {
		if string(name) != wanted[0].name {
			columns = append(columns, column{})
			continue
		}
		columns = append(columns, wanted[0])
		if wanted = wanted[1:]; len(wanted) == 0 {
			return columns, ""
		}
	}
	return nil, wanted[0].name
}

func isSpace(r rune) bool { return r == ' ' || r >= '\t' && r <= '\r' }

// rows yields each row that has enough values. The rest it has from the row before, as in netstat, whose variables
// keep what they had: that of the type of service reads as decimal what the kernel wrote in hex, and so often ends
// there. An address to answer from that is missing is the source.
func rows(data []byte, columns []column, enough int, warn *warnings) func(yield func(*route.CacheEntry) bool) {
	return func(yield func(*route.CacheEntry) bool) {
		var e route.CacheEntry
		var f fields
		for line, number := range lines(data) {
			e.SpecDst = netip.Addr{}
			f.rest = line
			values := 0
			for _, c := range columns {
				if c.set == nil {
					f.word(wide)
					continue
				}
				if !c.set(&e, &f) {
					warn.bad(number, c.name, f.text)
					break
				}
				values++
			}
			if !e.SpecDst.IsValid() {
				e.SpecDst = e.Src
			}
			if values >= enough && !yield(&e) {
				return
			}
		}
	}
}

// prefixLen is the number of ones that mask begins with.
func prefixLen(mask netip.Addr) uint8 {
	m := mask.As4()
	return uint8(bits.LeadingZeros32(^binary.BigEndian.Uint32(m[:])))
}

// fields reads a line as scanf(3) does, by which netstat reads it: a number ends where its digits end, be there a
// blank or not, and one that is too large wraps as it does there.
type fields struct {
	rest []byte
	text []byte // what was read last
}

// wide is a width without bound.
const wide = math.MaxInt

// word cuts what is up to the next blank, but at most width bytes. It is empty at the end of the line.
func (f *fields) word(width int) []byte {
	f.skipSpace()
	end := 0
	for end < min(len(f.rest), width) && !isSpace(rune(f.rest[end])) {
		end++
	}
	f.text, f.rest = f.rest[:end], f.rest[end:]
	return f.text
}

func (f *fields) skipSpace() {
	for len(f.rest) > 0 && isSpace(rune(f.rest[0])) {
		f.rest = f.rest[1:]
	}
}

// digits cuts a number of at most width bytes, sign and all, and returns its digits; what follows them stays.
func (f *fields) digits(width int, hex bool) (digits []byte, minus bool) {
	f.skipSpace()
	before := f.rest
	digits = f.word(width)
	if len(digits) > 0 && (digits[0] == '-' || digits[0] == '+') {
		minus, digits = digits[0] == '-', digits[1:]
	}
	prefix := hex && len(digits) >= 2 && digits[0] == '0' && digits[1]|0x20 == 'x'
	if prefix {
		digits = digits[2:]
	}
	n := 0
	for n < len(digits) && (hex && hexDigits[digits[n]] != 0xff || '0' <= digits[n] && digits[n] <= '9') {
		n++
	}
	f.rest = before[len(f.text)-len(digits)+n:]
	if prefix && n == 0 {
		return zero, minus // glibc takes a bare 0x for 0, and the x is gone
	}
	return digits[:n], minus
}

var zero = []byte{'0'}

// dec cuts a decimal number as %d does: one that needs more than 64 bits is the largest or the smallest that does
// not, and of those the lower 32 count.
func (f *fields) dec(n *uint32) bool {
	digits, minus := f.digits(wide, false)
	if len(digits) == 0 {
		return false
	}
	value, over := int64(0), false
	for _, c := range digits {
		d := int64(c - '0')
		if over = over || value > (math.MaxInt64-d)/10; !over {
			value = value*10 + d
		}
	}
	switch {
	case over && minus:
		value = math.MinInt64
	case over:
		value = math.MaxInt64
	case minus:
		value = -value
	}
	*n = uint32(value)
	return true
}

// hex cuts a hex number of at most width bytes as %X does: one that needs more than 64 bits is the largest that does
// not, and the lower 32 count.
func (f *fields) hex(n *uint32, width int) bool {
	digits, minus := f.digits(width, true)
	if len(digits) == 0 {
		return false
	}
	value, over := uint64(0), false
	for _, c := range digits {
		over = over || value>>60 != 0
		value = value<<4 | uint64(hexDigits[c])
	}
	switch {
	case over:
		value = math.MaxUint64
	case minus:
		value = -value
	}
	*n = uint32(value)
	return true
}

// iface cuts the name of an interface. One that is there already is not allocated anew.
func (f *fields) iface(name *string) bool {
	if word := f.word(ifaceMax); string(word) != *name {
		*name = string(word)
	}
	return *name != ""
}

// ifaceMax is how long a name is at most (IFNAMSIZ less the NUL).
const ifaceMax = 15

// addr4 cuts an IPv4 address. The kernel prints it as a 32-bit number whose bytes in memory are in network order.
func (f *fields) addr4(a *netip.Addr) bool {
	digits := f.word(wide)
	if len(digits) < 8 {
		return false
	}
	n, ok := parseHex32(digits[:8])
	var b [4]byte
	binary.NativeEndian.PutUint32(b[:], n)
	*a = netip.AddrFrom4(b)
	return ok
}
