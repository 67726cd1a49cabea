// SPDX-License-Identifier: GPL-2.0-or-later

package procfallback

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"os"
	"strings"
	"syscall"
	"testing"
	"testing/fstest"

	"netlive/internal/route"
)

const (
	headerFIB     = "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT     \n"
	headerCache22 = "Iface\tDestination\tGateway \tFlags\t\tRefCnt\tUse\tMetric\tSource\t\tMTU\tWindow\tIRTT\tTOS\tHHRef\tHHUptod\tSpecDst\n"
	headerCache20 = "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tSource\t\tMTU\tWindow\tIRTT\tHH\tARP\n"
)

// kernelAddr is how the kernel prints an IPv4 address, whatever the host's order of bytes.
func kernelAddr(text string) string {
	a := netip.MustParseAddr(text).As4()
	return fmt.Sprintf("%08X", binary.NativeEndian.Uint32(a[:]))
}

// line makes a row of what stands between blanks, with addresses as the kernel has them.
func line(text string) string {
	f := strings.Fields(text)
	for i, word := range f {
		if a, err := netip.ParseAddr(word); err == nil && a.Is4() {
			f[i] = kernelAddr(word)
		}
	}
	return strings.Join(f, "\t") + "   \n"
}

func routeText(r *route.Route) string {
	return fmt.Sprintf("%v/%v(%d) from %v/%d via %v %#x %d %d %d %q %d %d %d", r.Dst, r.Mask, r.PrefixLen, r.Src, r.SrcLen, r.Gateway,
		uint32(r.Flags), r.Metric, r.RefCnt, r.Use, r.Iface, r.MTU, r.Window, r.IRTT)
}

func tableText(t *route.Table) string {
	var rows []string
	for i := range t.Routes {
		rows = append(rows, routeText(&t.Routes[i]))
	}
	if t.MissingColumn != "" {
		rows = append(rows, "missing "+t.MissingColumn)
	}
	if t.Empty {
		rows = append(rows, "empty")
	}
	return strings.Join(rows, "\n")
}

func TestParseRoutes(t *testing.T) {
	const good = "10.1.0.0/255.255.0.0(16) from invalid IP/0 via 10.0.0.1 0x3 7 0 0 \"eth0\" 1400 5000 300"
	row := line("eth0 10.1.0.0 10.0.0.1 0003 0 0 7 255.255.0.0 1400 5000 300")
	for _, c := range []struct{ name, data, want, warnings string }{
		{"one", headerFIB + row, good, ""},
		{"no last newline", headerFIB + strings.TrimRight(row, "\n"), good, ""},
		{"nothing", "", "empty", ""},
		{"header alone", headerFIB, "", ""},
		{"more columns", "Foo\t" + strings.Replace(headerFIB, "Mask", "Bar|Mask", 1) +
			line("x eth0 10.1.0.0 10.0.0.1 0003 0 0 7 y 255.255.0.0 1400 5000 300 z"), good, ""},
		{"no such column", strings.Replace(headerFIB, "Use", "Used", 1) + row, "missing Use", ""},
		{"wrong order", strings.Replace(headerFIB, "Iface\tDestination", "Destination\tIface", 1) + row, "missing Destination", ""},
		{"blank header", "\n" + row, "missing Iface", ""},
		{"numbers that wrap", headerFIB + line("* 0.0.0.0 0.0.0.0 1FFFFFFFF -1 4294967296 4294967295 0.0.0.0 "+
			"99999999999999999999 -99999999999999999999 +5"),
			`0.0.0.0/0.0.0.0(0) from invalid IP/0 via 0.0.0.0 0xffffffff 4294967295 4294967295 0 "*" 4294967295 0 5`, ""},
		{"flags", headerFIB + line("* 0.0.0.0 0.0.0.0 0x11 0 0 0 0.0.0.0 0 0 0") + line("* 0.0.0.0 0.0.0.0 -1 0 0 0 0.0.0.0 0 0 0") +
			line("* 0.0.0.0 0.0.0.0 11112222333344445 0 0 0 0.0.0.0 0 0 0"),
			`0.0.0.0/0.0.0.0(0) from invalid IP/0 via 0.0.0.0 0x11 0 0 0 "*" 0 0 0` + "\n" +
				`0.0.0.0/0.0.0.0(0) from invalid IP/0 via 0.0.0.0 0xffffffff 0 0 0 "*" 0 0 0` + "\n" +
				`0.0.0.0/0.0.0.0(0) from invalid IP/0 via 0.0.0.0 0xffffffff 0 0 0 "*" 0 0 0`, ""},
		{"a mask with a hole", headerFIB + line("lo 10.0.0.1 0.0.0.0 1 0 0 0 255.0.0.1 0 0 0"),
			`10.0.0.1/255.0.0.1(8) from invalid IP/0 via 0.0.0.0 0x1 0 0 0 "lo" 0 0 0`, ""},
		{"the last value may be missing", headerFIB + row + line("eth1 10.0.0.0 0.0.0.0 1 0 0 0 255.0.0.0 1 2"),
			good + "\n" + `10.0.0.0/255.0.0.0(8) from invalid IP/0 via 0.0.0.0 0x1 0 0 0 "eth1" 1 2 300`, "f:3: IRTT missing"},
		{"bad rows", headerFIB + "\n" + line("eth1") + line("eth0 10.1.0 0.0.0.0 1 0 0 0 0.0.0.0 0 0 0") +
			line("eth0 0.0.0.0 0.0.0.0 x 0 0 0 0.0.0.0 0 0 0") + line("eth0 0.0.0.0 0.0.0.0 1 0 0 0 0.0.0.0 1x 0 0") + row,
			good, `f:2: Iface missing; f:3: Destination missing; f:4: Destination "10.1.0"; f:5: Flags "x"; f:6: Window "x"`},
		{"an interface of 16 bytes is two", headerFIB + line("abcdefghijklmnop 10.0.0.0 0.0.0.0 1 0 0 0 0.0.0.0 0 0 0") + row,
			good, `f:2: Destination "p"`},
	} {
		warn := warnings{file: "f"}
		table := parseRoutes([]byte(c.data), &warn)
		if got := tableText(&table); got != c.want {
			t.Errorf("%s:\n%s\nwant\n%s", c.name, got, c.want)
		}
		checkWarnings(t, c.name, &warn, c.warnings)
	}
}

func cacheText(c *route.Cache) string {
	rows := []string{fmt.Sprintf("format %d, columns %#x", c.Format, c.Columns)}
	for i := range c.Entries {
		e := &c.Entries[i]
		rows = append(rows, fmt.Sprintf("%v > %v via %v %#x %q tos %d %d %d %v hh %d %d", e.Src, e.Dst, e.Gateway, uint32(e.Flags), e.Iface,
			e.TOS, e.HHRef, e.HHUptod, e.SpecDst, e.HH, e.ARP))
	}
	if c.MissingColumn != "" {
		rows = append(rows, "missing "+c.MissingColumn)
	}
	if c.Empty {
		rows = append(rows, "empty")
	}
	return strings.Join(rows, "\n")
}

func TestParseRouteCache(t *testing.T) {
	for _, c := range []struct{ name, data, want, warnings string }{
		{"2.2", headerCache22 + line("eth0 10.0.0.2 10.0.0.9 80000000 0 1 2 10.0.0.1 1500 0 300 10 3 1 10.0.0.4"),
			"format 2, columns 0x3f\n" + `10.0.0.1 > 10.0.0.2 via 10.0.0.9 0x80000000 "eth0" tos 10 3 1 10.0.0.4 hh 0 0`, ""},
		{"2.0", headerCache20 + line("eth0 10.0.0.2 10.0.0.9 5 0 1 2 10.0.0.1 1500 0 300 1 1"),
			"format 1, columns 0x61\n" + `10.0.0.1 > 10.0.0.2 via 10.0.0.9 0x5 "eth0" tos 0 0 0 10.0.0.1 hh 1 1`, ""},
		{"this kernel", headerCache22, "format 2, columns 0x3f", ""},
		// The type of service is hex: after its decimal part the rest is as in the row before.
		{"hex", headerCache22 + line("a 10.0.0.2 10.0.0.9 0 0 1 2 10.0.0.1 1500 0 300 10 3 1 10.0.0.4") +
			line("b 10.0.0.3 10.0.0.9 0 0 1 2 10.0.0.8 1500 0 300 1C 5 0 10.0.0.5"),
			"format 2, columns 0x3f\n" + `10.0.0.1 > 10.0.0.2 via 10.0.0.9 0x0 "a" tos 10 3 1 10.0.0.4 hh 0 0` + "\n" +
				`10.0.0.8 > 10.0.0.3 via 10.0.0.9 0x0 "b" tos 1 3 1 10.0.0.8 hh 0 0`, `f:3: HHRef "C"`},
		{"too short", headerCache22 + line("a 10.0.0.2 10.0.0.9 0 0 1 2 10.0.0.1 1500 0 300"), "format 2, columns 0x3f", "f:2: TOS missing"},
		{"no format", "Iface IRTT\n" + line("a b"), "format 0, columns 0x1", ""},
		{"no column", strings.Replace(headerCache22, "Metric", "Metrik", 1), "format 2, columns 0x3f\nmissing Metric", ""},
		{"nothing", "", "format 0, columns 0x0\nempty", ""},
	} {
		warn := warnings{file: "f"}
		cache := parseRouteCache([]byte(c.data), &warn)
		if got := cacheText(&cache); got != c.want {
			t.Errorf("%s:\n%s\nwant\n%s", c.name, got, c.want)
		}
		checkWarnings(t, c.name, &warn, c.warnings)
	}
}

// What cannot be opened, and what cannot be read, are told apart by the error.
func TestRoutesOfFilesThatFail(t *testing.T) {
	root := fstest.MapFS{"net/route": file(headerFIB), "net/ipv6_route": file(""), "net/rt_cache": file(headerCache22)}
	calls := map[string]func(s *Source, ctx context.Context) error{
		"net/route":      func(s *Source, ctx context.Context) error { _, err := s.Routes(ctx); return err },
		"net/ipv6_route": func(s *Source, ctx context.Context) error { _, err := s.Routes6(ctx); return err },
		"net/rt_cache":   func(s *Source, ctx context.Context) error { _, err := s.RouteCache(ctx); return err },
		"net/ax25_route": func(s *Source, ctx context.Context) error { _, err := s.AX25Routes(ctx); return err },
	}
	canceled, cancel := context.WithCancel(t.Context())
	cancel()
	for name, call := range calls {
		if name != "net/ax25_route" {
			if err := call(New(root), t.Context()); err != nil {
				t.Errorf("%s: %v", name, err)
			}
			if err := call(New(root), canceled); !errors.Is(err, context.Canceled) {
				t.Errorf("%s canceled: %v", name, err)
			}
			if err := call(New(faulty{FS: root, name: name, read: syscall.EIO}), t.Context()); !errors.Is(err, syscall.EIO) {
				t.Errorf("%s unreadable: %v", name, err)
			}
		}
		err := call(New(fstest.MapFS{}), t.Context())
		path := (*fs.PathError)(nil)
		if !errors.Is(err, fs.ErrNotExist) || !errors.As(err, &path) || path.Op != "open" {
			t.Errorf("%s missing: %v", name, err)
		}
		if want := "procfallback: read " + name + ": "; err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestRoutesOfThisKernel(t *testing.T) {
	s := New(os.DirFS("/proc"))
	v4, err := s.Routes(t.Context())
	if err != nil || v4.Empty || v4.MissingColumn != "" || len(v4.Warnings) > 0 {
		t.Errorf("%v, %+v", err, v4)
	}
	v6, err := s.Routes6(t.Context())
	if errors.Is(err, fs.ErrNotExist) {
		return // a kernel without IPv6
	}
	if err != nil || len(v6.Warnings) > 0 {
		t.Errorf("%v, %v", err, v6.Warnings)
	}
	for i := range v6.Routes {
		if r := &v6.Routes[i]; r.PrefixLen > 128 || r.Iface == "" {
			t.Errorf("%s", routeText(r))
		}
	}
}

func FuzzParseRoute(f *testing.F) {
	f.Add([]byte(headerFIB + line("eth0 10.1.0.0 10.0.0.1 0003 0 0 4294967295 255.255.0.0 1400 5000 300")))
	f.Add([]byte("Foo|" + headerFIB + line("x * 10.1.0.0 0.0.0.0 0x205 -1 +2 3x 255.255.0.0 1400")))
	f.Add([]byte(headerCache22 + line("eth0 10.0.0.2 10.0.0.9 80000000 0 1 2 10.0.0.1 1500 0 300 1C 3 1 10.0.0.4")))
	f.Add([]byte(headerCache20 + line("eth0 10.0.0.2 10.0.0.9 5 0 1 2 10.0.0.1 1500 0 300 1 1")))
	for _, name := range []string{"route", "rt_cache"} {
		for _, data := range kernelFiles(f, name) {
			f.Add(data)
		}
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		warn := warnings{file: "f"}
		table := parseRoutes(data, &warn)
		lines := max(0, strings.Count(strings.TrimSuffix(string(data), "\n"), "\n"))
		if n := len(table.Routes); n > lines || n+len(warn.kept)+warn.more < lines && table.MissingColumn == "" && !table.Empty {
			t.Fatalf("%d routes and %d warnings of %d lines", n, len(warn.kept)+warn.more, lines)
		}
		// What was read is what the kernel would print.
		again := []byte(headerFIB)
		for _, r := range table.Routes {
			again = fmt.Appendf(again, "%s\t%s\t%s\t%04X\t%d\t%d\t%d\t%s\t%d\t%d\t%d\n", r.Iface, kernelAddr(r.Dst.String()),
				kernelAddr(r.Gateway.String()), uint32(r.Flags), int32(r.RefCnt), r.Use, int32(r.Metric), kernelAddr(r.Mask.String()), r.MTU, r.Window, r.IRTT)
		}
		var none warnings
		twice := parseRoutes(again, &none)
		if len(table.Routes) > 0 && tableText(&twice) != tableText(&table) {
			t.Errorf("%s\nand then\n%s", tableText(&table), tableText(&twice))
		}
		cache := parseRouteCache(data, &none)
		if n := len(cache.Entries); n > lines || n > 0 && cache.Format == route.CacheUnknown {
			t.Errorf("%d entries of %d lines, format %d", n, lines, cache.Format)
		}
	})
}

func BenchmarkParseRoutes(b *testing.B) {
	const n = 10_000
	data := []byte(headerFIB + strings.Repeat(line("eth0 10.1.0.0 10.0.0.1 0003 0 0 100 255.255.0.0 0 0 0"), n))
	b.ReportAllocs()
	for b.Loop() {
		var warn warnings
		if t := parseRoutes(data, &warn); len(t.Routes) != n {
			b.Fatal(len(t.Routes), warn.list())
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/n, "ns/route")
}
