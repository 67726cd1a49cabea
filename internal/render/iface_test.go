// SPDX-License-Identifier: GPL-2.0-or-later

package render

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"net/netip"
	"strings"
	"syscall"
	"testing"

	"netlive/internal/iface"
)

var (
	someStats = iface.Stats{RxBytes: 1, RxPackets: 2, RxErrors: 3, RxDropped: 4, RxFIFO: 5, RxFrame: 6, RxCompressed: 7, RxMulticast: 8,
		TxBytes: 9, TxPackets: 10, TxErrors: 11, TxDropped: 12, TxFIFO: 13, TxCollisions: 14, TxCarrier: 15, TxCompressed: 16}
	wideStats = iface.Stats{RxBytes: 1<<64 - 1, RxPackets: 123456789, RxErrors: 1234567, RxDropped: 1234567, RxFIFO: 1234567,
		TxBytes: 1 << 60, TxPackets: 1<<64 - 1, TxErrors: 1234567, TxDropped: 1234567, TxFIFO: 1234567}
)

const shortHead = "Kernel Interface table\nIface             MTU    RX-OK RX-ERR RX-DRP RX-OVR    TX-OK TX-ERR TX-DRP TX-OVR Flg\n"

func TestInterfacesRow(t *testing.T) {
	for _, c := range []struct {
		i    iface.Interface
		want string
	}{
		{iface.Interface{Name: "lo", Flags: 0x49, MTU: 65536, Stats: &someStats},
			"lo              65536        2      3      4 5            10     11     12     13 LRU\n"},
		{iface.Interface{Name: "abcdefghijklmno", Flags: 0x1043, MTU: -1, Stats: &wideStats},
			"abcdefghijklmno    -1 123456789 1234567 1234567 1234567 18446744073709551615 1234567 1234567 1234567 BMRU\n"},
		{iface.Interface{Name: "eth0:1", Flags: 0x1043, MTU: 1500}, "eth0:1           1500      - no statistics available -                        BMRU\n"},
		{iface.Interface{Name: "x", Stats: &iface.Stats{}}, "x                   0        0      0      0 0             0      0      0      0 [NO FLAGS]\n"},
		{iface.Interface{Name: "all", Flags: 0xffff, MTU: 123456}, "all             123456      - no statistics available -                        ABDLMdPNOPsmRU\n"},
		{iface.Interface{Name: "medium", Flags: iface.FlagPortSel | iface.FlagAutoMedia}, "medium              0      - no statistics available -                        \n"},
	} {
		p := Interfaces{}
		if got := string(p.Row(nil, &c.i)); got != c.want {
			t.Errorf("\n%swant\n%s", got, c.want)
		}
	}
}

// allDetails has one of each kind.
func allDetails() *iface.Detail {
	addr := netip.MustParseAddr
	return &iface.Detail{
		HWType: iface.HWCSLIP, TxQueueLen: 10, Outfill: 7, Keepalive: -9,
		Map:  iface.Map{MemStart: 0xfe000000, MemEnd: 1 << 40, BaseAddr: 0x100, IRQ: 11, DMA: 12, Port: 5},
		Inet: &iface.Inet{Addr: addr("10.0.0.1"), Netmask: addr("255.255.255.0"), Broadcast: addr("10.0.0.255"), Destination: addr("10.0.0.2")},
		Inet6: []iface.Addr6{
			{Addr: addr("fe80::1"), PrefixLen: 64, Scope: iface.ScopeLink}, {Addr: addr("::1"), PrefixLen: 128, Scope: iface.ScopeHost},
			{Addr: addr("2001:db8::1"), PrefixLen: 0}, {Addr: addr("fec0::1"), PrefixLen: 10, Scope: iface.ScopeSite},
			{Addr: addr("::10.0.0.1"), PrefixLen: 96, Scope: iface.ScopeCompatV4}, {Addr: addr("::ffff:10.0.0.1"), PrefixLen: 96, Scope: 0xf0}, {Addr: addr("::a:1"), Scope: 5},
		},
	}
}

// These are what netstat printed when it was told so.
func TestInterfacesLong(t *testing.T) {
	for name, c := range map[string]struct {
		i    iface.Interface
		want string
	}{
		"everything": {iface.Interface{Name: "sl0", Flags: 0xffff, MTU: 296, Stats: &someStats, Detail: allDetails()}, `sl0: flags=-1<UP,BROADCAST,DEBUG,LOOPBACK,POINTOPOINT,NOTRAILERS,RUNNING,NOARP,PROMISC,ALLMULTI,SLAVE,MASTER,MULTICAST,DYNAMIC>  mtu 296  outfill 7  keepalive -9
        inet 10.0.0.1  netmask 255.255.255.0  broadcast 10.0.0.255  destination 10.0.0.2
        inet6 fe80::1  prefixlen 64  scopeid 0x20<link>
        inet6 ::1  prefixlen 128  scopeid 0x10<host>
        inet6 2001:db8::1  prefixlen 0  scopeid 0x0<global>
        inet6 fec0::1  prefixlen 10  scopeid 0x40<site>
        inet6 ::10.0.0.1  prefixlen 96  scopeid 0x80<compat,global>
        inet6 10.0.0.1  prefixlen 96  scopeid 0xf0<compat,link,site,host>
        inet6 ::0.10.0.1  prefixlen 0  scopeid 0x5
        cslip  txqueuelen 10  (VJ Serial Line IP)
        media 100baseTX` + `autoselect
        RX packets 2  bytes 1 (1.0 B)
        RX compressed:7
        RX errors 3  dropped 4  overruns 5  frame 6
        TX packets 10  bytes 9 (9.0 B)
        TX compressed 16
        TX errors 11  dropped 12 overruns 13  carrier 15  collisions 14
        device interrupt 11  base 0x100  memory 0xfe000000-10000000000    dma 0xc

`},
		"nothing": {iface.Interface{Name: "x", Detail: &iface.Detail{TxQueueLen: -1, HWType: 772, Map: iface.Map{BaseAddr: 0xff, MemEnd: 1}}}, "x: flags=0<  mtu 0\n        loop  (Local Loopback)\n\n"},
		"no names": {iface.Interface{Name: "x", Flags: iface.FlagPortSel, MTU: -5, Detail: &iface.Detail{TxQueueLen: -2, HWType: 1, Map: iface.Map{Port: 7, DMA: 1}}},
			"x: flags=8192  mtu -5\n        ether 00:00:00:00:00:00  txqueuelen -2  (Ethernet)\n        media (null)\n        device   dma 0x1\n\n"},
		"not known": {iface.Interface{Name: "x", Flags: 0x11, Detail: &iface.Detail{Inet: &iface.Inet{}}},
			"x: flags=17<UP,POINTOPOINT>  mtu 0\n        inet [NONE SET]  netmask [NONE SET]  destination [NONE SET]\n        netrom   txqueuelen 0  (AMPR NET/ROM)\n\n"},
		"not asked for": {iface.Interface{Name: "x", Flags: 1}, "x: flags=1<UP>  mtu 0\n        unspec 00-00-00-00-00-00-00-00-00-00-00-00-00-00-00-00  (UNSPEC)\n\n"},
	} {
		p := Interfaces{Extend: 1}
		if got := string(p.long(nil, &c.i)); got != c.want {
			t.Errorf("%s:\n%swant\n%s", name, got, c.want)
		}
	}
}

// Each flag by itself.
func TestInterfacesFlags(t *testing.T) {
	letters := map[string]string{"UP": "U", "BROADCAST": "B", "DEBUG": "D", "LOOPBACK": "L", "POINTOPOINT": "P", "NOTRAILERS": "N", "RUNNING": "R", "NOARP": "O",
		"PROMISC": "P", "ALLMULTI": "A", "MASTER": "m", "SLAVE": "s", "MULTICAST": "M", "DYNAMIC": "d"}
	for bit := range 16 {
		f := iface.Flags(1 << bit)
		for name := range f.Names {
			want := fmt.Sprintf("flags=%d<%s>", int16(f), name)
			if letters[name] == "" {
				want = fmt.Sprintf("flags=%d", f)
			}
			row := string((&Interfaces{}).Row(nil, &iface.Interface{Flags: f}))
			if got := (&Interfaces{}).flags(f); got != want || !strings.HasSuffix(row, " "+letters[name]+"\n") {
				t.Errorf("%s: %s, want %s; %q", name, got, want, row)
			}
		}
	}
}

func TestInterfacesHardware(t *testing.T) {
	low, high := [14]byte{1, 2, 3, 4, 0x85, 0xa6, 0xc7, 0xd8, 0xe9, 0xfa}, [14]byte{}
	for i := range high {
		high[i] = 0x80
	}
	call := [14]byte{0x82, 0x84, 0x86, 0x88, 0x40, 0x40, 0x1e}
	for _, c := range []struct {
		hw   iface.HWType
		addr [14]byte
		want string
	}{
		{0, low, "netrom -3  (AMPR NET/ROM)"}, {0, high, "netrom @@@@@@  (AMPR NET/ROM)"}, {3, call, "ax25 ABCD-15  (AMPR AX.25)"}, {3, [14]byte{}, "ax25   (AMPR AX.25)"},
		{1, low, "ether 01:02:03:04:85:a6  (Ethernet)"}, {7, high, "arcnet 80  (ARCnet)"}, {7, [14]byte{}, "arcnet 00  (ARCnet)"},
		{27, low, "eui64 01:02:03:04:85:A6:C7:D8  (Generic EUI-64)"}, {256, low, "slip  (Serial Line IP)"}, {257, low, "cslip  (VJ Serial Line IP)"},
		{258, low, "slip6  (6-bit Serial Line IP)"}, {259, low, "cslip6  (VJ 6-bit Serial Line IP)"}, {264, low, "adaptive  (Adaptive Serial Line IP)"},
		{270, low, "rose 0102030485  (AMPR ROSE)"}, {271, low, "x25 \x01\x02\x03\x04\x85\xa6\xc7\xd8  (generic X.25)"}, {271, [14]byte{'1', '2'}, "x25 12  (generic X.25)"},
		{512, low, "ppp  (Point-to-Point Protocol)"}, {513, low, "hdlc  ((Cisco)-HDLC)"}, {516, low, "lapb  (LAPB)"}, {768, low, "tunnel   (IPIP Tunnel)"},
		{770, low, "frad  (Frame Relay Access Device)"}, {772, low, "loop  (Local Loopback)"}, {774, low, "fddi 01-02-03-04-85-A6  (Fiber Distributed Data Interface)"},
		{776, low, "sit  (IPv6-in-IPv4)"}, {780, low, "hippi 01:02:03:04:85:A6  (HIPPI)"}, {781, low, "ash [1234ffff" + strings.Repeat("0", 56) + "]  (Ash)"},
		{781, [14]byte{0, 0x7f, 0x80, 0x10}, "ash [07f1" + strings.Repeat("0", 60) + "]  (Ash)"}, {781, [14]byte{8: 1}, "ash  (Ash)"},
		{782, low, "ec  (Econet)"}, {783, low, "irda 04:03:02:01  (IrLAP)"}, {783, high, "irda ffffff80:ff  (IrLAP)"}, {783, [14]byte{0, 0x80, 0x86}, "irda 00:ffffff86  (IrLAP)"},
		{65534, low, "unspec 01-02-03-04-85-A6-C7-D8-00-00-00-00-00-00-00-00  (UNSPEC)"}, {260, [14]byte{}, "unspec 00-00-00-00-00-00-00-00-00-00-00-00-00-00-00-00  (UNSPEC)"},
		{32, high, "unspec 80-80-80-80-80-80-80-80-00-00-00-00-00-00-00-00  (UNSPEC)"},
	} {
		p := Interfaces{}
		got := string(p.appendHardware(nil, 0, &iface.Detail{HWType: c.hw, HWAddr: c.addr, TxQueueLen: -1}))
		if want := "        " + c.want + "\n"; got != want {
			t.Errorf("%d: %q, want %q", c.hw, got, want)
		}
	}
	for _, c := range []struct{ lo, hi byte }{{2, 1}, {0, 0x80}} { // -32640 and 513 are netstat's, of two bytes in the host's order
		d := iface.Detail{HWType: 15, HWAddr: [14]byte{c.lo, c.hi}, TxQueueLen: -1}
		got := string((&Interfaces{}).appendHardware(nil, 0, &d))
		little, big := int16(uint16(c.lo)|uint16(c.hi)<<8), int16(uint16(c.hi)|uint16(c.lo)<<8)
		if got != fmt.Sprintf("        dlci %d  (Frame Relay DLCI)\n", little) && got != fmt.Sprintf("        dlci %d  (Frame Relay DLCI)\n", big) {
			t.Errorf("dlci: %q", got)
		}
	}
}

func TestHumanBytes(t *testing.T) {
	for n, want := range map[uint64]string{
		0: "0.0 B", 1: "1.0 B", 1023: "1023.0 B", 1024: "1024.0 B", 1025: "1.0 KiB", 2047: "1.9 KiB", 1 << 20: "1024.0 KiB", 1<<20 + 1: "1.0 MiB", 1<<30 + 1: "1.0 GiB",
		1 << 40: "1024.0 GiB", 1<<40 + 1: "1.0 TiB", 1<<50 + 1: "1.0 PiB", 1 << 60: "1024.0 PiB", 1<<60 + 1: "1.0 EiB", 1<<64 - 1: "16.0 EiB", 1536: "1.5 KiB",
	} {
		whole, tenth, unit := humanBytes(n)
		if got := fmt.Sprintf("%d.%d %s", whole, tenth, unit); got != want {
			t.Errorf("%d: %s, want %s", n, got, want)
		}
	}
}

// someInterfaces are three, of which one is down, one gone and one up.
func someInterfaces(err error) *iface.Table {
	return &iface.Table{Interfaces: []iface.Interface{
		{Name: "down", MTU: 1, Stats: &someStats}, {Name: "gone", Err: fmt.Errorf("asked: %w", err)}, {Name: "abcdefghijklmno", Flags: 1, MTU: 2, Stats: &someStats}}}
}

const (
	rowDown   = "down                1        2      3      4 5            10     11     12     13 [NO FLAGS]\n"
	rowUp     = "abcdefghijklmno     2        2      3      4 5            10     11     12     13 U\n"
	rowZeros  = "abcdefghijklmno     2        0      0      0 0             0      0      0      0 U\n"
	noneThere = "missing interface information: No such device\n"
)

func TestInterfacesAppend(t *testing.T) {
	loop := fmt.Errorf("read: %w", &fs.PathError{Op: "open", Path: "net/dev", Err: syscall.ELOOP})
	directory := fmt.Errorf("read: %w", &fs.PathError{Op: "read", Path: "net/dev", Err: syscall.EISDIR})
	family := fmt.Errorf("socket: %w", syscall.EAFNOSUPPORT)
	one := func(t iface.Table) *iface.Table {
		t.Interfaces = []iface.Interface{{Name: "abcdefghijklmno", Flags: 1, MTU: 2, Stats: &someStats}}
		return &t
	}
	const closed = "SIOCGIFCONF: Operation not permitted\n"
	for name, c := range map[string]struct {
		p         Interfaces
		t         *iface.Table
		out, errs string
		code      int
	}{
		"up":           {Interfaces{}, someInterfaces(syscall.ENODEV), shortHead + rowUp, "", 0},
		"all":          {Interfaces{All: true}, someInterfaces(syscall.ENODEV), shortHead + rowDown + rowUp, "", 0},
		"strict":       {Interfaces{All: true, Strict: true}, someInterfaces(syscall.ENODEV), shortHead + rowDown, "gone: error fetching interface information: Device not found\n" + noneThere, 1},
		"strict, down": {Interfaces{Strict: true}, someInterfaces(syscall.ENODEV), shortHead, "gone: error fetching interface information: Device not found\n" + noneThere, 1},
		"strict, none": {Interfaces{Strict: true}, one(iface.Table{}), shortHead + rowZeros, "", 0},
		"another error": {Interfaces{}, someInterfaces(syscall.EPERM), shortHead + rowUp,
			"gone: error fetching interface information: Operation not permitted\n", 1},
		"strict, another error": {Interfaces{Strict: true}, someInterfaces(syscall.EPERM), shortHead,
			"gone: error fetching interface information: Operation not permitted\nmissing interface information: Operation not permitted\n", 1},
		"no file":            {Interfaces{}, one(iface.Table{NoDev: loop}), shortHead + rowUp, "Warning: cannot open /proc/net/dev (Too many levels of symbolic links). Limited output.\n", 0},
		"a directory":        {Interfaces{}, one(iface.Table{NoDev: directory}), shortHead + rowUp, "/proc/net/dev: Is a directory\n", 0},
		"no list":            {Interfaces{}, one(iface.Table{NoConf: syscall.EPERM}), shortHead + rowUp, closed, 0},
		"no file and list":   {Interfaces{}, one(iface.Table{NoConf: syscall.EPERM, NoDev: directory}), shortHead, "/proc/net/dev: Is a directory\n" + closed + "missing interface information: Operation not permitted\n", 1},
		"no IPv4":            {Interfaces{}, one(iface.Table{NoInet: family}), shortHead + rowUp, "warning: no inet socket available: Address family not supported by protocol\n", 0},
		"strict, no IPv4":    {Interfaces{Strict: true}, one(iface.Table{NoInet: family}), shortHead + rowZeros, "warning: no inet socket available: No such file or directory\n", 0},
		"no sockets":         {Interfaces{}, &iface.Table{NoSocket: family}, "", "No usable address families found.\nsocket: Address family not supported by protocol\n", 1},
		"strict, no sockets": {Interfaces{Strict: true}, &iface.Table{NoSocket: family}, "", "No usable address families found.\nsocket: No such file or directory\n", 1},
		"long":               {Interfaces{Extend: 2}, &iface.Table{}, "Kernel Interface table\n", "", 0},
	} {
		out, errs, code := c.p.Append(nil, nil, c.t)
		if string(out) != c.out || string(errs) != c.errs || code != c.code {
			t.Errorf("%s: code %d\n%s%s\nwant %d\n%s%s", name, code, out, errs, c.code, c.out, c.errs)
		}
	}
}

// The title comes once.
func TestInterfacesAgain(t *testing.T) {
	table := someInterfaces(syscall.ENODEV)
	var p Interfaces
	out, _, _ := p.Append(nil, nil, table)
	if again, _, _ := p.Append(out, nil, table); string(again) != shortHead+rowUp+strings.SplitAfterN(shortHead, "\n", 2)[1]+rowUp {
		t.Errorf("%s", again)
	}
	table.NoSocket = syscall.EMFILE
	p = Interfaces{Extend: 1}
	p.Append(nil, nil, table)
	if table.NoSocket = nil; p.titled {
		t.Error("a title without a table")
	}
	out, _, _ = p.Append(nil, nil, table)
	if again, _, _ := p.Append(nil, nil, table); string(out) != "Kernel Interface table\n"+string(again) || len(again) == 0 {
		t.Errorf("%s%s", out, again)
	}
}

func TestInterfacesTextsAndEscape(t *testing.T) {
	table := &iface.Table{Interfaces: []iface.Interface{
		{Name: "\x1b[1m", Flags: 0, Detail: &iface.Detail{HWType: 271, HWAddr: [14]byte{0x1b}, Inet: &iface.Inet{}, TxQueueLen: -1}},
		{Name: "\u202ex", Err: syscall.EPERM},
	}}
	p := Interfaces{All: true, Extend: 1, Escape: true, Texts: func(text string) string { return strings.ReplaceAll(text, "e", "%%") }}
	out, errs, _ := p.Append(nil, nil, table)
	wantOut := "K%%rn%%l Int%%rfac%% tabl%%\n\\x1b[1m: flags=0<  mtu 0\n        inet [NONE SET]  n%tmask [NONE SET]\n        x25 \\x1b  (g%%n%%ric X.25)\n\n"
	if got := string(out); got != wantOut {
		t.Errorf("%q\nwant %q", got, wantOut)
	}
	if got, want := string(errs), "\\u202ex: %rror f%tching int%rfac% information: Op%%ration not p%%rmitt%%d\n"; got != want {
		t.Errorf("%q\nwant %q", got, want)
	}
	p = Interfaces{All: true, Escape: true}
	table.Interfaces[0].Name = `a\b`
	if out, _, _ = p.Append(nil, nil, table); !strings.Contains(string(out), "\na\\b                 0      - no ") {
		t.Errorf("%s", out)
	}
	if p.Escape = false; !strings.HasPrefix(string(p.Row(nil, &iface.Interface{Name: "\x1b"})), "\x1b  ") {
		t.Error("escaped")
	}
}

func TestInterfacesJSON(t *testing.T) {
	table := &iface.Table{Interfaces: []iface.Interface{
		{Name: "down", MTU: -1, Detail: &iface.Detail{HWType: iface.HWVoid, TxQueueLen: -1}},
		{Name: "gone", Err: syscall.ENODEV},
		{Name: "sl0", Flags: 0xa041, MTU: 296, Stats: &someStats, Detail: allDetails()},
		{Name: "eth0", Flags: 1, Detail: &iface.Detail{HWType: 1, HWAddr: [14]byte{2, 0, 0, 0, 0, 0xa}}},
		{Name: "eth0:\"1", Flags: 1, Detail: &iface.Detail{HWType: 65534}},
		{Name: "short", Flags: 1},
	}}
	const nulls = `"rx_bytes":null,"rx_packets":null,"rx_errors":null,"rx_dropped":null,"rx_fifo":null,"rx_frame":null,"rx_compressed":null,"rx_multicast":null,` +
		`"tx_bytes":null,"tx_packets":null,"tx_errors":null,"tx_dropped":null,"tx_fifo":null,"tx_collisions":null,"tx_carrier":null,"tx_compressed":null}`
	const noMap = `"irq":0,"base_addr":0,"mem_start":0,"mem_end":0,"dma":0,"port":0,`
	const down = `{"name":"down","flags":[],"flags_raw":0,"mtu":4294967295,"type":null,"type_raw":null,"hwaddr":null,"txqueuelen":null,"inet":null,"inet6":[],` + noMap + nulls
	const up = `{"name":"sl0","flags":["UP","RUNNING","PORTSEL","DYNAMIC"],"flags_raw":41025,"mtu":296,"type":"cslip","type_raw":257,"hwaddr":null,"txqueuelen":10,` +
		`"inet":{"address":"10.0.0.1","netmask":"255.255.255.0","broadcast":"10.0.0.255","destination":"10.0.0.2"},"inet6":[` +
		`{"address":"fe80::1","prefix_len":64,"scope":"link","scope_raw":32},{"address":"::1","prefix_len":128,"scope":"host","scope_raw":16},` +
		`{"address":"2001:db8::1","prefix_len":0,"scope":"global","scope_raw":0},{"address":"fec0::1","prefix_len":10,"scope":"site","scope_raw":64},` +
		`{"address":"::a00:1","prefix_len":96,"scope":"global","scope_raw":128},{"address":"::ffff:10.0.0.1","prefix_len":96,"scope":null,"scope_raw":240},` +
		`{"address":"::a:1","prefix_len":0,"scope":null,"scope_raw":5}],"irq":11,"base_addr":256,"mem_start":4261412864,"mem_end":1099511627776,"dma":12,"port":5,` +
		`"rx_bytes":1,"rx_packets":2,"rx_errors":3,"rx_dropped":4,"rx_fifo":5,"rx_frame":6,"rx_compressed":7,"rx_multicast":8,` +
		`"tx_bytes":9,"tx_packets":10,"tx_errors":11,"tx_dropped":12,"tx_fifo":13,"tx_collisions":14,"tx_carrier":15,"tx_compressed":16},
{"name":"eth0","flags":["UP"],"flags_raw":1,"mtu":0,"type":"ether","type_raw":1,"hwaddr":"02:00:00:00:00:0a","txqueuelen":0,"inet":null,"inet6":[],` + noMap + nulls + `,
{"name":"eth0:\"1","flags":["UP"],"flags_raw":1,"mtu":0,"type":"unspec","type_raw":65534,"hwaddr":null,"txqueuelen":0,"inet":null,"inet6":[],` + noMap + nulls + `,
{"name":"short","flags":["UP"],"flags_raw":1,"mtu":0,"type":null,"type_raw":null,"hwaddr":null,"txqueuelen":null,"inet":null,"inet6":null,` +
		`"irq":null,"base_addr":null,"mem_start":null,"mem_end":null,"dma":null,"port":null,` + nulls
	for _, c := range []struct {
		all  bool
		want string
	}{{false, "[" + up + "]\n"}, {true, "[" + down + ",\n" + up + "]\n"}} {
		got := AppendInterfacesJSON([]byte("x"), table, c.all)[1:]
		if string(got) != c.want || !json.Valid(got) {
			t.Errorf("%s\nwant %s", got, c.want)
		}
		p := Interfaces{All: c.all, Strict: true}
		out, errs, code := p.AppendJSON(nil, nil, table)
		if string(out) != c.want || len(errs) > 0 || code != 0 || p.titled {
			t.Errorf("%s%s, code %d", out, errs, code)
		}
	}
	p := Interfaces{}
	out, errs, code := p.AppendJSON(nil, nil, &iface.Table{NoSocket: syscall.EMFILE})
	if string(out) != "[]\n" || len(errs) == 0 || code != 1 {
		t.Errorf("%s%s, code %d", out, errs, code)
	}
}
