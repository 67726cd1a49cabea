// SPDX-License-Identifier: GPL-2.0-or-later

package procfallback

import (
	"fmt"
	"strings"
	"testing"

	"netlive/internal/route"
)

const (
	db8   = "20010db8000000000000000000000001"
	none6 = "00000000000000000000000000000000"
)

func routes6Text(routes []route.Route) string {
	return tableText(&route.Table{Routes: routes})
}

func TestParseRoutes6(t *testing.T) {
	const good = `2001:db8::1/invalid IP(32) from ::/0 via fe80::1 0x450003 4294967295 2 10 "eth0" 0 0 0`
	row := strings.Replace(db8+" 20 "+none6+" 00 F ffffffff 00000002 0000000a 00450003     eth0\n", "F", "fe800000000000000000000000000001", 1)
	for _, c := range []struct{ name, data, want, warnings string }{
		{"one", row, good, ""},
		{"no last newline", strings.TrimRight(row, "\n"), good, ""},
		{"nothing", "", "", ""},
		{"from, not up, too long a prefix", db8 + " ff " + db8 + " 40 " + none6 + " 0 0 0 0 lo",
			`2001:db8::1/invalid IP(255) from 2001:db8::1/64 via :: 0x0 0 0 0 "lo" 0 0 0`, ""},
		{"blanks", " " + db8 + "\t20  " + none6 + " 00 " + none6 + " 1 2 3 4 \t lo more\n",
			`2001:db8::1/invalid IP(32) from ::/0 via :: 0x4 1 2 3 "lo" 0 0 0`, ""},
		{"bad rows", "\n" + db8[1:] + " 20\n" + db8 + " x\n" + db8 + " 20 z" + none6[1:] + "\n" + db8 + " 20 " + none6 + "\n" +
			db8 + " 20 " + none6 + " 00 " + none6[:30] + "\n" + db8 + " 20 " + none6 + " 00 " + none6 + " 1 2 3\n" +
			db8 + " 20 " + none6 + " 00 " + none6 + " 1 2 3 4\n" + row, good,
			`f:1: destination missing; f:2: destination "0010db8000000000000000000000001"; f:3: prefix length "x"; ` +
				`f:4: source "z0000000000000000000000000000000"; f:5: source prefix length missing; ` +
				`f:6: next hop "000000000000000000000000000000"; f:7: flags missing; f:8: interface missing`},
	} {
		warn := warnings{file: "f"}
		if got := routes6Text(parseRoutes6([]byte(c.data), &warn)); got != c.want {
			t.Errorf("%s:\n%s\nwant\n%s", c.name, got, c.want)
		}
		checkWarnings(t, c.name, &warn, c.warnings)
	}
}

func FuzzParseRoute6(f *testing.F) {
	f.Add([]byte(db8 + " 20 " + db8 + " 40 " + none6 + " ffffffff 00000002 0000000a 00450003     eth0\n"))
	f.Add([]byte("\n" + db8 + " 20 " + none6 + " 0 " + none6 + " 1 2 3 4 lo"))
	for _, data := range kernelFiles(f, "ipv6_route") {
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		warn := warnings{file: "f"}
		routes := parseRoutes6(data, &warn)
		lines := strings.Count(string(data), "\n")
		if len(data) > 0 && data[len(data)-1] != '\n' {
			lines++
		}
		if bad := len(warn.kept) + warn.more; len(routes)+bad != lines {
			t.Fatalf("%d routes and %d warnings of %d lines", len(routes), bad, lines)
		}
		// What was read is what the kernel would print.
		var again []byte
		for _, r := range routes {
			again = fmt.Appendf(again, "%x %02x %x %02x %x %08x %08x %08x %08x %8s\n", r.Dst.AsSlice(), r.PrefixLen, r.Src.AsSlice(), r.SrcLen,
				r.Gateway.AsSlice(), r.Metric, r.RefCnt, r.Use, uint32(r.Flags), r.Iface)
		}
		if got := routes6Text(parseRoutes6(again, &warn)); got != routes6Text(routes) {
			t.Errorf("%s\nand then\n%s", routes6Text(routes), got)
		}
	})
}
