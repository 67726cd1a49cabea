// SPDX-License-Identifier: GPL-2.0-or-later

package procfallback

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/netip"
	"os"
	"strings"
	"syscall"
	"testing"
	"testing/fstest"

	"golang.org/x/sys/unix"

	"netlive/internal/iface"
	"netlive/internal/kerneltest"
)

const (
	devHeader   = "Inter-|   Receive                                                |  Transmit\n face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed\n"
	devHeader21 = "Inter-|   Receive                           |  Transmit\n face |bytes    packets errs drop fifo frame|bytes    packets errs drop fifo colls carrier\n"
	devHeader20 = "Inter-|   Receive                  |  Transmit\n face |packets errs drop fifo frame|packets errs drop fifo colls carrier\n"
)

// statsText is what the interfaces of t have counted, a name before it.
func statsText(t *iface.Table) string {
	var b strings.Builder
	for _, i := range t.Interfaces {
		fmt.Fprintf(&b, "%q", i.Name)
		if s := i.Stats; s != nil {
			fmt.Fprint(&b, " ", []uint64{s.RxBytes, s.RxPackets, s.RxErrors, s.RxDropped, s.RxFIFO, s.RxFrame, s.RxCompressed, s.RxMulticast,
				s.TxBytes, s.TxPackets, s.TxErrors, s.TxDropped, s.TxFIFO, s.TxCollisions, s.TxCarrier, s.TxCompressed})
		}
		b.WriteString("; ")
	}
	return strings.TrimSuffix(b.String(), "; ")
}

func warningsText(warn []error) string {
	var texts []string
	for _, w := range warn {
		texts = append(texts, w.Error())
	}
	return strings.Join(texts, "; ")
}

func TestParseDev(t *testing.T) {
	const counted, sixteen = " 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16\n", " [1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16]"
	const zeros = " [0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0]"
	for _, c := range []struct{ name, data, want, warnings string }{
		{"kernel", devHeader + "    lo:" + counted + "eth10:" + counted + "  eth2: 18446744073709551615 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0\nabcdefghijklmno:" + counted,
			`"abcdefghijklmno"` + sixteen + `; "eth2" [18446744073709551615 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0]; "eth10"` + sixteen + `; "lo"` + sixteen, ""},
		{"no blank", devHeader + "lo:1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16", `"lo"` + sixteen, ""},
		{"Linux 2.1", devHeader21 + "lo: 1 2 3 4 5 6 9 10 11 12 13 14 15 16 17\n", `"lo" [1 2 3 4 5 6 0 0 9 10 11 12 13 14 15 0]`, ""},
		{"Linux 2.0", devHeader20 + "lo: 2 3 4 5 6 10 11 12 13 14 15 16\nlo:1: 2 3 4 5 6 10 11 12 13 14 15\n",
			`"lo" [0 2 3 4 5 6 0 0 0 10 11 12 13 14 15 0]; "lo:1" [0 2 3 4 5 6 0 0 0 10 11 12 13 14 15 0]`, ""},
		{"nothing", "", "", ""},
		{"one line", "compressed\n", "", ""},
		{"header", devHeader, "", ""},
		{"short", devHeader + "lo: 1 2 3\neth0: 1 2 x\n", `"eth0" [1 2 0 0 0 0 0 0 0 0 0 0 0 0 0 0]; "lo" [1 2 3 0 0 0 0 0 0 0 0 0 0 0 0 0]`,
			`f:3: dropped received missing; f:4: errors received "x"`},
		{"again", devHeader + "lo:" + counted + "lo: 7 8\n", `"lo" [7 8 3 4 5 6 7 8 9 10 11 12 13 14 15 16]`, "f:4: errors received missing"},
		{"no colon", devHeader + "lo" + counted, `"lo"` + sixteen, ""},
		{"no name", devHeader + ":" + counted + "\n", `""` + sixteen, "f:3: interface missing; f:4: interface missing; f:4: bytes received missing"},
		{"numbers", devHeader + "lo: 18446744073709551616 -1 +3 4x\n", `"lo" [18446744073709551615 18446744073709551615 3 4 0 0 0 0 0 0 0 0 0 0 0 0]`, `f:3: fifo received "x"`},
		{"NUL", devHeader + "lo: 1 2\x00 3 4\n\x00\n", `""` + zeros + `; "lo" [1 2 0 0 0 0 0 0 0 0 0 0 0 0 0 0]`,
			"f:3: errors received missing; f:4: interface missing; f:4: bytes received missing"},
		{"too long", devHeader + "lo: 1 2" + strings.Repeat(" ", 511-7) + "eth0: 3\neth1:" + counted,
			`"eth0" [3 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0]; "eth1"` + sixteen + `; "lo" [1 2 0 0 0 0 0 0 0 0 0 0 0 0 0 0]`,
			"f:3: errors received missing; f:3: packets received missing"},
		{"one name", devHeader + "a:4294967295: 1\na: 2\n", `"a:4294967295" [2 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0]`, "f:3: packets received missing; f:4: packets received missing"},
	} {
		var table iface.Table
		warn := warnings{file: "f"}
		parseDev(&table, []byte(c.data), &warn)
		if got := statsText(&table); got != c.want {
			t.Errorf("%s: %s\nwant %s", c.name, got, c.want)
		}
		if got := warningsText(warn.list()); got != c.warnings {
			t.Errorf("%s: warnings %s\nwant %s", c.name, got, c.warnings)
		}
	}
}

func TestCutIfName(t *testing.T) {
	for _, c := range []struct{ line, name, rest string }{
		{"lo: 1", "lo", " 1"}, {" \t\vlo:1", "lo", "1"}, {"lo 1", "lo", " 1"}, {"lo\n", "lo", "\n"}, {"lo", "lo", ""}, {"", "", ""}, {"\n", "", ""}, {":1", "", "1"},
		{"lo:", "lo", ""}, {"lo:12", "lo", "12"}, {"lo:12 3", "lo", "12 3"}, {"lo:12: 3", "lo:12", " 3"}, {"lo:: 3", "lo:", " 3"}, {"lo:x: 3", "lo", "x: 3"},
		{"abcdefghijklmno: 1", "abcdefghijklmno", " 1"}, {"abcdefghijklmno 1", "abcdefghijklmno", " 1"}, {"abcdefghijklmno", "abcdefghijklmno", ""},
		{"abcdefghijklmno1: 2", "abcdefghijklmno", "1: 2"}, {"abcdefghijklmno:1: 2", "abcdefghijklmno", "1: 2"},
		{"abcdefghijklmn:1: 2", "abcdefghijklmn:", "1: 2"}, {"abcdefghijklmn:: 2", "abcdefghijklmn:", " 2"}, {"abcdefghijklmn:1 2", "abcdefghijklmn", "1 2"},
		{"abcdefghijklm:1: 2", "abcdefghijklm:1", " 2"}, {"abcdefghijklm:12: 3", "abcdefghijklm:1", "2: 3"},
	} {
		if name, rest := cutIfName([]byte(c.line)); string(name) != c.name || string(rest) != c.rest {
			t.Errorf("%q: %q and %q, want %q and %q", c.line, name, rest, c.name, c.rest)
		}
	}
}

func TestParseIfInet6(t *testing.T) {
	const one = "00000000000000000000000000000001"
	bad := one + "\n" + one + " 1\n" + one + " 1 2\n" + one + " 1 2 3\n" + one + " 1 2 3 4\nx\n\n" + one + " x 2 3 4 lo\n" + one + "0 1 2 3 4 lo\n" + one[1:] + " 1 2 3 4 lo\n"
	table := iface.Table{Interfaces: []iface.Interface{{Name: "lo", Detail: &iface.Detail{}}, {Name: "eth0", Detail: &iface.Detail{}}, {Name: "gone"}}}
	warn := warnings{file: "f"}
	parseIfInet6(&table, []byte(one+" 01 80 10 80       lo\nfe800000000000001234000000000001 12345678 40 20 80     eth0\n"+
		one+" 03 40 00 80     gone\n"+one+" 04 40 00 80    other\n"+bad+"20010db8000100000000000000000001 02 40 a0 80 eth0"), &warn)
	var got []string
	for _, i := range table.Interfaces[:2] {
		for _, a := range i.Detail.Inet6 {
			got = append(got, fmt.Sprintf("%s %v/%d %#x", i.Name, a.Addr, a.PrefixLen, uint8(a.Scope)))
		}
	}
	if got, want := strings.Join(got, "; "), "lo ::1/128 0x10; eth0 fe80::1234:0:0:1/64 0x20; eth0 2001:db8:1::1/64 0xa0"; got != want {
		t.Errorf("%s\nwant %s", got, want)
	}
	const want = "f:5: index missing; f:6: prefix length missing; f:7: scope missing; f:8: flags missing; f:9: interface missing; " +
		`f:10: address "x"; f:11: address missing; f:12: index "x"; f:14: address "0000000000000000000000000000001"`
	if got := warningsText(warn.list()); got != want {
		t.Errorf("warnings %s\nwant %s", got, want)
	}
}

func FuzzParseDev(f *testing.F) {
	f.Add([]byte(devHeader + "    lo:    1025      12    1    2    3     4          5         6  1048577      13    7    8    9    10      11         12\n"))
	f.Add([]byte(devHeader20 + "abcdefghijklm:12: 1 2\n\n:: 3\n"))
	for _, data := range kernelFiles(f, "dev") {
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var table iface.Table
		var warn warnings
		parseDev(&table, data, &warn)
		for i := range table.Interfaces {
			if n := table.Interfaces[i].Name; len(n) > ifaceMax || strings.ContainsAny(n, space+"\x00") {
				t.Errorf("name %q", n)
			}
			if i > 0 && iface.Compare(table.Interfaces[i-1].Name, table.Interfaces[i].Name) >= 0 {
				t.Errorf("%q before %q", table.Interfaces[i-1].Name, table.Interfaces[i].Name)
			}
		}
		// Every piece after the header has a name.
		rest := 0
		for range pieces(data, devPiece) {
			rest++
		}
		if n := len(table.Interfaces); n > max(rest-2, 0) || rest > 2 && n == 0 {
			t.Errorf("%d interfaces of %d pieces", n, rest)
		}
	})
}

func FuzzParseIfInet6(f *testing.F) {
	f.Add([]byte("00000000000000000000000000000001 01 80 10 80       lo\nfe80000000000000 02 40 20 80 eth0\n"))
	for _, data := range kernelFiles(f, "if_inet6") {
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		table := iface.Table{Interfaces: []iface.Interface{{Name: "lo", Detail: &iface.Detail{}}, {Name: "eth0"}}}
		var warn warnings
		parseIfInet6(&table, data, &warn)
		if n := strings.Count(string(data), "\n") + 1; len(table.Interfaces[0].Detail.Inet6)+len(warn.list()) > n {
			t.Errorf("%d addresses, %d warnings of %d lines", len(table.Interfaces[0].Detail.Inet6), len(warn.list()), n)
		}
	})
}

func TestInterfacesFiles(t *testing.T) {
	asked := &fakeAsker{names: []string{"lo", "lo:1"}, known: map[string]bool{"lo": true, "lo:1": true}}
	tree := func() fstest.MapFS {
		return fstest.MapFS{
			"thread-self/net/dev":      file(devHeader + "lo: 1 2\ngone: 1\n"),
			"thread-self/net/if_inet6": file("00000000000000000000000000000001 01 80 10 80 lo\nx\n"),
		}
	}
	table, err := New(tree()).interfaces(t.Context(), asked, iface.Table{}, true)
	if err != nil || len(table.Interfaces) != 3 || table.NoDev != nil || table.NoConf != nil {
		t.Fatalf("%+v, %v", table, err)
	}
	gone, lo, alias := &table.Interfaces[0], &table.Interfaces[1], &table.Interfaces[2]
	if gone.Name != "gone" || !errors.Is(gone.Err, syscall.ENODEV) || gone.Detail != nil {
		t.Errorf("%+v", gone)
	}
	if lo.Err != nil || lo.Stats == nil || len(lo.Detail.Inet6) != 1 || alias.Name != "lo:1" || alias.Stats != nil || len(alias.Detail.Inet6) != 0 {
		t.Errorf("%+v %+v", lo, alias)
	}
	const want = "net/dev:3: errors received missing; net/dev:4: packets received missing; net/if_inet6:2: address \"x\""
	if got := warningsText(table.Warnings); got != want {
		t.Errorf("warnings %s\nwant %s", got, want)
	}
	if table, err = New(tree()).interfaces(t.Context(), asked, iface.Table{}, false); err != nil || len(table.Interfaces) != 3 || table.Interfaces[1].Detail != nil || len(table.Warnings) != 2 {
		t.Errorf("without details: %+v, %v", table, err)
	}
	asked.answers = map[uint]ifru{unix.SIOCGIFADDR: sockaddr4("127.0.0.1")}
	for _, noInet := range []error{nil, syscall.EAFNOSUPPORT} {
		table, err = New(tree()).interfaces(t.Context(), asked, iface.Table{NoInet: noInet}, true)
		if i := table.Interfaces[1].Detail.Inet; err != nil || (i == nil) != (noInet != nil) {
			t.Errorf("%+v, %v", i, err)
		}
	}
	asked.err = syscall.EPERM
	if table, err = New(fstest.MapFS{}).interfaces(t.Context(), asked, iface.Table{}, true); err != nil || len(table.Interfaces) != 0 || len(table.Warnings) != 0 {
		t.Errorf("without files: %+v, %v", table, err)
	}
	path := (*fs.PathError)(nil)
	if !errors.Is(table.NoDev, fs.ErrNotExist) || !errors.As(table.NoDev, &path) || path.Op != "open" || !errors.Is(table.NoConf, syscall.EPERM) {
		t.Errorf("%v, %v", table.NoDev, table.NoConf)
	}
	looped := faulty{FS: tree(), name: "thread-self/net/if_inet6", open: syscall.ELOOP}
	if table, err = New(looped).interfaces(t.Context(), asked, iface.Table{}, true); err != nil || !strings.HasSuffix(warningsText(table.Warnings), "net/if_inet6: open thread-self/net/if_inet6: "+syscall.ELOOP.Error()) {
		t.Errorf("%v, %v", table.Warnings, err)
	}
	unread := faulty{FS: tree(), name: "thread-self/net/dev", read: syscall.EIO}
	if table, err = New(unread).interfaces(t.Context(), asked, iface.Table{}, true); err != nil || !errors.Is(table.NoDev, syscall.EIO) {
		t.Errorf("%v, %v", table.NoDev, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if table, err = New(tree()).Interfaces(ctx, true); !errors.Is(err, context.Canceled) || len(table.Interfaces) > 0 {
		t.Errorf("%+v, %v", table, err)
	}
}

// A new namespace has lo, and one of each tunnel that the kernel was built with.
func TestInterfacesHere(t *testing.T) {
	kerneltest.NetNS(t).Do(func() {
		table, err := New(os.DirFS("/proc")).Interfaces(t.Context(), true)
		if err != nil || table.NoDev != nil || table.NoConf != nil || table.NoSocket != nil || table.NoInet != nil || len(table.Warnings) > 0 {
			t.Fatalf("%+v, %v", table, err)
		}
		list, err := net.Interfaces()
		if err != nil || len(list) != len(table.Interfaces) {
			t.Fatalf("%d interfaces, not %d: %v", len(table.Interfaces), len(list), err)
		}
		for _, i := range list {
			known := table.Add(i.Name)
			if int(known.MTU) != i.MTU || known.Flags.Has(iface.FlagUp) != (i.Flags&net.FlagUp != 0) || known.Stats == nil {
				t.Errorf("%+v, want %+v", known, i)
			}
		}
		lo := table.Add("lo")
		d := lo.Detail
		const loopback, flags = 772, iface.FlagUp | iface.FlagLoopback | iface.FlagRunning
		if lo.Flags != flags || lo.MTU != 65536 || lo.Stats == nil || d.HWType != loopback || d.TxQueueLen != 1000 || d.Map != (iface.Map{}) {
			t.Errorf("%+v %+v", lo, d)
		}
		inet := iface.Inet{Addr: netip.MustParseAddr("127.0.0.1"), Netmask: netip.MustParseAddr("255.0.0.0"), Broadcast: netip.IPv4Unspecified(), Destination: netip.MustParseAddr("127.0.0.1")}
		if d.Inet == nil || *d.Inet != inet {
			t.Errorf("%+v, want %+v", d.Inet, inet)
		}
		if want := (iface.Addr6{Addr: netip.IPv6Loopback(), PrefixLen: 128, Scope: iface.ScopeHost}); len(d.Inet6) > 1 || len(d.Inet6) == 1 && d.Inet6[0] != want {
			t.Errorf("%+v", d.Inet6)
		}
	})
}
