// SPDX-License-Identifier: GPL-2.0-or-later

package render

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"testing/fstest"
	"unicode/utf8"

	"netlive/internal/procfallback"
	"netlive/internal/route"
)

// routeNames has two hosts and three networks.
type routeNames struct{}

var routeHosts = map[string]string{
	"10.0.0.1": "gateway.example.org", "127.0.0.1": "localhost", "2001:db8::1": "a-name-that-is-longer-than-its-column.example.org",
	// As long as a name may be, longer, and so long that the prefix length has no room.
	"10.0.0.9": strings.Repeat("x.", 63) + "xy", "2001:db8::": strings.Repeat("y.", 63) + "yz",
	"2001:db8:1111:2222:3333:4444:5555:6666": strings.Repeat("z.", 62) + "z",
}

var routeNetworks = map[string]string{"127.0.0.0": "loopback", "169.254.0.0": "link-local", "10.91.0.0": "net91-is-longer-than-15"}

func (routeNames) AppendHost(b []byte, a netip.Addr) []byte {
	if name, ok := routeHosts[a.String()]; ok {
		return append(b, name...)
	}
	if a.Is6() && a.IsUnspecified() {
		return append(b, "[::]"...)
	}
	return appendAddr(b, a)
}

func (routeNames) AppendNet(b []byte, network netip.Prefix) []byte {
	name, ok := routeNetworks[network.Addr().String()]
	switch {
	case network == netip.PrefixFrom(netip.IPv4Unspecified(), 0):
		return append(b, "default"...)
	case ok:
		return append(b, name...)
	}
	return network.Addr().AppendTo(b)
}

// routeTrees are made-up trees of /proc. IPv4 addresses stand in them as people write them.
var routeTrees = map[string]map[string]string{
	"full": {
		"net/route": `Iface Destination Gateway Flags RefCnt Use Metric Mask MTU Window IRTT
			eth0 0.0.0.0 10.0.0.1 0003 0 0 100 0.0.0.0 0 0 0
			eth0 0.0.0.0 0.0.0.0 0005 0 0 100 255.255.255.255 0 0 0
			eth0 0.0.0.0 0.0.0.0 0001 0 0 0 128.0.0.0 0 0 0
			eth0 10.0.0.5 0.0.0.0 0005 3 77 100 255.255.255.255 1400 65000 300
			eth0 10.0.0.1 0.0.0.0 0001 0 0 0 255.255.255.255 0 0 0
			eth0 10.0.0.1 0.0.0.0 0001 0 0 0 255.255.255.0 0 0 0
			* 10.0.0.6 0.0.0.0 0205 0 8 7 255.255.255.255 0 0 0
			* 11.0.0.0 10.0.0.1 0203 0 8 4294967295 255.0.0.0 0 0 0
			* 12.0.0.0 0.0.0.0 0001 0 0 0 255.0.0.0 0 0 0
			long-name-of-15 254.254.254.254 253.253.253.253 05FF 12345 123456789 -1 255.255.255.255 123456 1234567 12345678
			eth0 7.0.0.0 0.0.0.0 0000 0 0 0 255.0.0.0 0 0 0
			eth0 169.254.0.0 0.0.0.0 0001 0 0 1000 255.255.0.0 0 0 0
			lo 127.0.0.0 127.0.0.1 0001 0 0 0 255.0.0.0 0 4294967295 0
			lo 127.0.0.0 0.0.0.0 0005 0 0 0 255.0.0.0 0 0 0
			x 10.91.0.0 0.0.0.0 FFFFFDFF 0 0 0 255.255.0.0 0 0 0
			y 10.91.0.0 0.0.0.0 FFFFFFFF 0 0 0 255.255.0.0 0 0 0
			z 10.92.0.0 0.0.0.0 0001 0 0 0 255.255.0.0 1 2
			short 10.93.0.0 0.0.0.0 0001 0 0
			`,
		"net/rt_cache": `Iface Destination Gateway Flags RefCnt Use Metric Source MTU Window IRTT TOS HHRef HHUptod SpecDst
			eth0 10.0.0.1 10.0.0.1 0 1 22 0 10.0.0.2 1500 0 33 10 2 1 10.0.0.2
			long-name-of-15 10.0.0.2 0.0.0.0 80000000 0 5 3 127.0.0.1 16436 7 0 1C -1 0 10.0.0.1
			eth0 255.255.255.255 255.255.255.255 FFFFFFFF 0 5 3 10.0.0.1 16436 7 0 0 -1 0 255.255.255.254
			eth0 10.0.0.9 10.0.0.1 FFFFFDFF 0 5 3 10.0.0.1 16436 7 0 0 -1 0 10.0.0.1
			short 10.0.0.9 10.0.0.1 0 0 5 3 10.0.0.1 16436 7 0
			`,
		"net/ipv6_route": strings.NewReplacer("NONE", strings.Repeat("0", 32), "ONE", "20010db8000000000000000000000001", "\t", "").Replace(
			`20010db8000000000000000000000000 20 NONE 00 NONE 00000100 00000001 00000000 00000001     eth0
			20010db8111122223333444455556666 80 NONE 00 20010db8aaaabbbbccccddddeeeeffff ffffffff 00000011 ffffffff 8f7f0fff     eth0
			NONE 00 NONE 00 ONE 00000400 00000002 0000000a 00450003     eth0
			ONE 80 ONE 40 NONE 00000000 00000003 00000000 80200001       lo
			NONE 00 NONE 00 NONE ffffffff 00000001 00000000 00200200       lo
			00000000000000000000ffff0a000000 68 NONE 00 00000000000000000000ffff0a000001 00000400 00000002 0000000a 01450003     eth0
			00000000000000000000000001020304 80 NONE 00 NONE 00000000 00000000 00000000 00000000 long-name-of-15
			`),
		"net/ax25_route": "callsign  dev  mode digipeaters\nN0CALL-9  ax0  *\ndefault   ax12 v DIGI\nN0CALL-15 ax1   123456\n",
		"net/nr_neigh": "addr  callsign  dev  qual lock count failed digipeaters\n" +
			"00001 N0CALL-7  ax0   192    0     1      0\n00002 N0CALL-15 ax12  192    0     1      0\n",
		"net/nr_nodes": "callsign  mnemonic w n qual neigh obs qual neigh obs qual neigh obs\n" +
			"N0CALL-4  ABCDEF   1 1  192   6 00001\nN0CALL-6  *        1 1  192   6 00009\n" +
			"N0CALL-5  XYZ      2 3  192   6 00001   10   5 00002    7   5 00001\n",
		"net/rose_neigh": "addr  callsign  dev  count use mode restart  t0  tf digipeaters\n" +
			"00001 RSLOOP-0  ???    1   1  DCE     yes   0   0\n00002 F6BVP-11  ax12   1   1  DTE      no   0   0\n",
		"net/rose_nodes": "address    mask n neigh neigh neigh\n" +
			"2080175520 0010 3 00002 00001 00003\n2080175521 0010 1 loopback\n2080175522 0010 0\n",
		"net/x25/route":   "Address          Digits  Device\n123450000000000  5       x25asy0\n000000000000000  0       lapb0\n123456789012345  15      lapb1\n",
		"net/ipx/route":   "Network    Router_Net   Router_Node\n00000001   Directly     Connected\n0000ABCD   00000002     0000C0123456\n00000000   FFFFFFFF     000000000000\n",
		"net/atalk_route": "Target        Router  Flags Dev\nDefault     00FF:01  1     eth0\n0002:00     0000:00  5     lo\n0002:00     0000:00  512   lo\n0002:00     0000:00  2147483647  ltalk0\n",
	},
	"old": {
		"net/rt_cache": `Iface Destination Gateway Flags RefCnt Use Metric Source MTU Window IRTT HH ARP
			eth0 10.0.0.1 10.0.0.1 5 1 22 0 10.0.0.2 1500 0 33 1 0
			eth0 255.255.255.255 0.0.0.0 FFFFFFFF 0 5 3 10.0.0.1 16436 7 0 -1 1
			eth0 10.0.0.9 10.0.0.1 FFFFFDFF 0 5 3 10.0.0.1 16436 7 0 0 1
			`,
		"net/route":      "Iface Destination Gateway Flags RefCnt Use Metrik Mask MTU Window IRTT\neth0 0.0.0.0 10.0.0.1 0003 0 0 100 0.0.0.0 0 0 0\n",
		"net/x25_routes": "Address          Digits  Device\n100000000000000  1       lapb0\n",
		"net/ipx_route":  "Network    Router_Net   Router_Node\n",
		"net/nr_nodes":   "callsign  mnemonic w n qual neigh obs qual neigh obs qual neigh obs\n",
	},
	"missing": {},
	"headers": {
		"net/route": "Iface Destination Gateway Flags RefCnt Use Metric Mask MTU Window IRTT\n", "net/ipv6_route": "",
		"net/rt_cache":   "Iface Destination Gateway Flags RefCnt Use Metric Source MTU Window IRTT TOS HHRef HHUptod SpecDst\n",
		"net/ax25_route": "", "net/nr_neigh": "", "net/rose_nodes": "", "net/rose_neigh": "", "net/x25/route": "",
	},
	"broken": {
		"net/route": "", "net/rt_cache": "",
	},
	"cache of no format": {
		"net/route": "\n", "net/rt_cache": "Source Destination\n",
	},
	"cache without a column": {
		"net/rt_cache": "Iface Destination Gateway Flags RefCnt Use Source MTU Window IRTT TOS HHRef HHUptod SpecDst Metric\n",
	},
}

var quad = regexp.MustCompile(`\b\d+\.\d+\.\d+\.\d+\b`)

// routeFile is a file of routeTrees as the kernel has it, whatever the order of bytes in this host's numbers.
func routeFile(text string) string {
	text = quad.ReplaceAllStringFunc(text, func(q string) string {
		a := netip.MustParseAddr(q).As4()
		return fmt.Sprintf("%08X", binary.NativeEndian.Uint32(a[:]))
	})
	return strings.ReplaceAll(text, "\t\t\t", "")
}

func routeFS(tree map[string]string) fstest.MapFS {
	root := fstest.MapFS{}
	for name, text := range tree {
		root[name] = &fstest.MapFile{Data: []byte(routeFile(text))}
	}
	return root
}

// routeCommands are what is asked of each tree.
var routeCommands = strings.Fields(`-r -rn -re -rne -ree -rnee -rneee -rneeee -rneeeee -rneeeeee -rneeeeeee
	-rnF -rC -rnC -reC -rneC -reeC -rneeC -rneeeC -rnCF -6r -6rn -6rnee -6rneee -6rC -6rnC -6rnCF -46rn -64rnCF
	-r,ax25 -rC,netrom -r,rose -re,x25 -r,ipx -reee,ddp -rn,inet,ddp,inet -r,unix -r,ec -r,ash -r,bluetooth -rn,inet6,unix,inet`)

// asRoutes is what a command asks for, and how netstat is to be asked. What follows a comma is a family.
func asRoutes(command string) (r Routes, args []string) {
	words := strings.Split(command, ",")
	args = words[:1:1]
	r = Routes{Names: routeNames{}, FIB: strings.Contains(words[0], "F"), Cache: strings.Contains(words[0], "C")}
	for _, c := range words[0] {
		switch c {
		case 'n':
			r.Names = Numeric{}
		case 'e':
			r.Extend++
		case '4':
			r.Families = append(r.Families, "inet")
		case '6':
			r.Families = append(r.Families, "inet6")
		}
	}
	for _, f := range words[1:] {
		r.Families = append(r.Families, f)
		if f == "ec" {
			f = "econet"
		}
		args = append(args, "-A", f)
	}
	return r, args
}

// sayRoutes is what we say of a tree.
func sayRoutes(t *testing.T, r *Routes, src RouteSource) said {
	t.Helper()
	out, errs, code, err := r.Append(t.Context(), nil, nil, src)
	if err != nil {
		t.Fatal(err)
	}
	return said{string(out), string(errs), code}
}

func TestRoutes(t *testing.T) {
	for name, tree := range routeTrees {
		src := procfallback.New(routeFS(tree))
		var b []byte
		for _, command := range routeCommands {
			r, args := asRoutes(command)
			s := sayRoutes(t, &r, src)
			b = fmt.Appendf(b, "$ netstat %s\n%s", strings.Join(args, " "), s.out)
			if s.errs != "" {
				b = fmt.Appendf(b, "(stderr)\n%s", s.errs)
			}
			b = fmt.Appendf(b, "(exit code %d)\n\n", s.code)
		}
		golden(t, "routes_"+strings.ReplaceAll(name, " ", "_"), b)
	}
}

// Names that strangers gave are made safe, after they were cut.
func TestRoutesEscape(t *testing.T) {
	root := fstest.MapFS{
		"net/route":      {Data: []byte(routeFile("Iface Destination Gateway Flags RefCnt Use Metric Mask MTU Window IRTT\n\x1b[31m\xff 10.0.0.0 0.0.0.0 1 0 0 0 255.0.0.0 0 0 0\n"))},
		"net/ipv6_route": {Data: []byte(strings.Repeat("0", 32) + " 00 " + strings.Repeat("0", 32) + " 00 " + strings.Repeat("0", 32) + " 0 0 0 1 \x1b[2J\n")},
		"net/ax25_route": {Data: []byte("h\n\x1b[2Jabcde ax\x07  *\n")},
	}
	r := Routes{Families: []string{"inet", "inet6", "ax25"}, Extend: 2, Names: Numeric{}, Escape: true}
	s := sayRoutes(t, &r, procfallback.New(root))
	for _, want := range []string{`\x1b[31m\xff   0`, `\x1b[2J` + "\n", `\x1b[2Jabcde    ax\x07`} {
		if !strings.Contains(s.out, want) {
			t.Errorf("no %q in\n%q", want, s.out)
		}
	}
	if strings.ContainsAny(s.out, "\x1b\x07") || !utf8.ValidString(s.out) {
		t.Errorf("%q", s.out)
	}
	r.Escape = false
	if s := sayRoutes(t, &r, procfallback.New(root)); !strings.Contains(s.out, "\x1b[31m\xff   0") {
		t.Errorf("%q", s.out)
	}
}

func TestRoutesJSON(t *testing.T) {
	for name, tree := range routeTrees {
		for _, command := range routeCommands {
			r, args := asRoutes(command)
			src := procfallback.New(routeFS(tree))
			text := sayRoutes(t, &r, src)
			out, errs, code, err := r.AppendJSON(t.Context(), nil, nil, src)
			var list []map[string]any
			if err := errors.Join(err, json.Unmarshal(out, &list)); err != nil {
				t.Fatalf("%s, %v: %v\n%s", name, args, err, out)
			}
			if code != text.code || (code != 0) != (len(errs) > 0) && len(list) > 0 {
				t.Errorf("%s, %v: exit code %d and %d, stderr %q", name, args, code, text.code, errs)
			}
			if name == "missing" && (string(out) != "[]\n" || len(errs) == 0) {
				t.Errorf("%s, %v: %q, stderr %q", name, args, out, errs)
			}
			for _, o := range list {
				if o["family"] == nil || o["destination"] == nil && o["family"] != "x25" && o["family"] != "ipx" {
					t.Errorf("%s, %v: %v", name, args, o)
				}
			}
		}
	}
	mask := netip.MustParseAddr("255.255.0.0")
	four := route.Route{Dst: netip.MustParseAddr("10.1.0.0"), Mask: mask, PrefixLen: 16, Gateway: netip.MustParseAddr("10.0.0.1"),
		Flags: route.FlagUp | route.FlagGateway | route.FlagPrefixRt, Metric: 1<<32 - 1, Iface: "e\"\x1b", MTU: 1400, Window: 5, IRTT: 300}
	six := route.Route{Dst: netip.MustParseAddr("::ffff:10.0.0.0"), PrefixLen: 104, Src: netip.MustParseAddr("2001:db8::"), SrcLen: 32,
		Gateway: netip.IPv6Unspecified(), Flags: route.FlagReject | route.FlagCache, RefCnt: 1, Use: 2, Iface: "*"}
	entry := route.CacheEntry{Route: four, TOS: 16, HHRef: 1, HHUptod: 1, SpecDst: four.Dst, HH: 1, ARP: 1}
	entry.Src, entry.Flags, entry.Gateway = four.Dst, route.Flags(route.CacheLocal), netip.IPv4Unspecified()
	for _, c := range []struct {
		got  []byte
		want string
	}{
		{AppendRouteJSON([]byte("> "), route.IPv4, &four), `> {"family":"inet","table":"fib","destination":"10.1.0.0","prefix_len":16,"gateway":"10.0.0.1",` +
			`"flags":["U","G"],"flags_raw":524291,"metric":4294967295,"ref":0,"use":0,"iface":"e\"\u001b","mtu":1400,"window":5,"irtt":300}`},
		{AppendRouteJSON(nil, route.IPv6, &six), `{"family":"inet6","table":"cache","destination":"::ffff:10.0.0.0","prefix_len":104,"gateway":null,` +
			`"flags":["!","C"],"flags_raw":16777728,"metric":0,"ref":1,"use":2,"iface":null,"mtu":null,"window":null,"irtt":null,` +
			`"source":"2001:db8::","source_prefix_len":32}`},
		{AppendCacheJSON(nil, route.Cache22, &entry), `{"family":"inet","table":"cache","destination":"10.1.0.0","prefix_len":null,"gateway":null,` +
			`"flags":["l"],"flags_raw":2147483648,"metric":4294967295,"ref":0,"use":0,"iface":"e\"\u001b","mtu":1400,"window":5,"irtt":300,` +
			`"source":"10.1.0.0","tos":16,"hh_ref":1,"hh_uptodate":1,"specific_dst":"10.1.0.0"}`},
		{AppendCacheJSON(nil, route.Cache20, &entry), `{"family":"inet","table":"cache","destination":"10.1.0.0","prefix_len":null,"gateway":null,` +
			`"flags":["l"],"flags_raw":2147483648,"metric":4294967295,"ref":0,"use":0,"iface":"e\"\u001b","mtu":1400,"window":5,"irtt":300,` +
			`"source":"10.1.0.0","hh":1,"arp":1}`},
	} {
		if string(c.got) != c.want {
			t.Errorf("got  %s\nwant %s", c.got, c.want)
		}
	}
}

// Bad lines are told to who asks, once, and what is canceled ends.
func TestRoutesWarningsAndCancel(t *testing.T) {
	src := procfallback.New(routeFS(routeTrees["full"]))
	r := Routes{Families: []string{"inet", "inet6"}, FIB: true, Cache: true, Names: Numeric{}}
	sayRoutes(t, &r, src)
	const want = "[net/route:18: IRTT missing net/route:19: Metric missing net/rt_cache:3: HHRef \"C\" net/rt_cache:6: TOS missing]"
	for range 2 {
		if got := fmt.Sprint(r.Warnings); got != want {
			t.Errorf("%s\nwant %s", got, want)
		}
		sayRoutes(t, &r, src)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, _, _, err := r.Append(ctx, nil, nil, src); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	if _, _, _, err := r.AppendJSON(ctx, nil, nil, src); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	if notOpened(syscall.ENOENT) || notOpened(nil) {
		t.Error("an error without a path is not of a file that could not be opened")
	}
}

func BenchmarkRouteRow(b *testing.B) {
	src := procfallback.New(routeFS(routeTrees["full"]))
	table, err := src.Routes(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	r := Routes{Names: Numeric{}}
	b.ReportAllocs()
	var out []byte
	for i := 0; b.Loop(); i++ {
		out = r.RouteRow(out[:0], &table.Routes[i%len(table.Routes)])
	}
}
