// SPDX-License-Identifier: GPL-2.0-or-later

package procfallback

import (
	"encoding/binary"
	"fmt"
	"math"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"netlive/internal/sock"
)

const inetHeader = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"

// addrText is an address as the kernel of this host prints it.
func addrText(s string) string {
	a := netip.MustParseAddr(s)
	b := a.AsSlice()
	var text strings.Builder
	for i := 0; i < len(b); i += 4 {
		fmt.Fprintf(&text, "%08X", binary.NativeEndian.Uint32(b[i:]))
	}
	return text.String()
}

func endText(ap string) string {
	end := netip.MustParseAddrPort(ap)
	return fmt.Sprintf("%s:%04X", addrText(end.Addr().String()), end.Port())
}

func inetLine(local, remote, rest string) string {
	return "   0: " + endText(local) + " " + endText(remote) + " " + rest
}

func TestParseInetLine(t *testing.T) {
	const tail = "00000000:00000000 00:00000000 00000000  1000        0 4711 1 0000000000000000 100 0 0 10 0"
	row := func(p sock.Proto, state sock.State, local, remote string, q sock.Queue, uid, inode uint32) sock.Socket {
		return sock.Socket{
			Proto: p, State: state, Queue: q, UID: uid, Inode: inode,
			Local: netip.MustParseAddrPort(local), Remote: netip.MustParseAddrPort(remote),
		}
	}
	tests := []struct {
		name, line string
		want       sock.Socket
	}{
		{"listener", inetLine("127.0.0.1:8080", "0.0.0.0:0", "0A 00000080:00000007 00:00000000 00000000     0        0 1001 1"),
			row(sock.TCP, sock.Listen, "127.0.0.1:8080", "0.0.0.0:0", sock.Queue{Recv: 7, Send: 128}, 0, 1001)},
		{"time wait", inetLine("10.0.0.1:22", "10.0.0.2:50000", "06 00000000:00000000 03:000006B2 00000000     0        0 0 3 0000000000000000"),
			row(sock.TCP, sock.TimeWait, "10.0.0.1:22", "10.0.0.2:50000", sock.Queue{}, 0, 0)},
		{"ipv6", inetLine("[2001:db8::1]:443", "[fe80::1234:5678]:54321", "01 "+tail),
			row(sock.TCP6, sock.Established, "[2001:db8::1]:443", "[fe80::1234:5678]:54321", sock.Queue{}, 1000, 4711)},
		{"mapped stays mapped", inetLine("[::ffff:192.0.2.1]:80", "[::ffff:192.0.2.2]:81", "01 "+tail),
			row(sock.TCP6, sock.Established, "[::ffff:192.0.2.1]:80", "[::ffff:192.0.2.2]:81", sock.Queue{}, 1000, 4711)},
		{"udp", inetLine("0.0.0.0:53", "0.0.0.0:0", "07 00000000:00000300 00:00000000 00000000   101        0 5000 2 0000000000000000 0"),
			row(sock.UDP, sock.Close, "0.0.0.0:53", "0.0.0.0:0", sock.Queue{Recv: 768}, 101, 5000)},
		{"long slot", "12345678: " + endText("0.0.0.0:1") + " " + endText("0.0.0.0:0") + " 07 " + tail,
			row(sock.Raw, sock.Close, "0.0.0.0:1", "0.0.0.0:0", sock.Queue{}, 1000, 4711)},
		{"highest values", inetLine("255.255.255.255:65535", "255.255.255.255:65535", "0C FFFFFFFF:FFFFFFFF 05:FFFFFFFF FFFFFFFF 4294967295 99 4294967295"),
			row(sock.TCP, sock.NewSynRecv, "255.255.255.255:65535", "255.255.255.255:65535",
				sock.Queue{Recv: math.MaxUint32, Send: math.MaxUint32}, math.MaxUint32, math.MaxUint32)},
		{"state that Linux has not", inetLine("0.0.0.0:1", "0.0.0.0:0", "15 "+tail),
			row(sock.TCP, unknownState, "0.0.0.0:1", "0.0.0.0:0", sock.Queue{}, 1000, 4711)},
		{"nothing after the inode", inetLine("0.0.0.0:1", "0.0.0.0:0", "07 00000000:00000000 00:00000000 00000000 0 0 9"),
			row(sock.UDP, sock.Close, "0.0.0.0:1", "0.0.0.0:0", sock.Queue{}, 0, 9)},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := sock.Socket{Proto: tt.want.Proto}
			if field, text := parseInetLine([]byte(tt.line), &got); field != "" {
				t.Fatalf("bad %s %q in %q", field, text, tt.line)
			}
			if !same(&got, &tt.want) {
				t.Errorf("%q:\n got %+v\nwant %+v", tt.line, got, tt.want)
			}
		})
	}
}

// same compares what the parsers set. Others is never theirs.
func same(a, b *sock.Socket) bool {
	x, y := *a, *b
	if (x.Unix == nil) != (y.Unix == nil) || x.Unix != nil && *x.Unix != *y.Unix {
		return false
	}
	return x.ID == y.ID && x.At == y.At && x.Proto == y.Proto && x.State == y.State &&
		x.Local == y.Local && x.Remote == y.Remote && x.Queue == y.Queue && x.NetNS == y.NetNS &&
		x.UID == y.UID && x.Inode == y.Inode && x.Owner == y.Owner && slices.Equal(x.Others, y.Others)
}

func TestParseInetBadLines(t *testing.T) {
	end := endText("127.0.0.1:22")
	long := endText("[::1]:22")
	tests := []struct{ line, warning string }{
		{"", `slot missing`},
		{"garbage line", `slot "garbage"`},
		{"0: zz:0016", `local address "zz:0016"`},
		{"0:", `local address missing`},
		{"0: " + long + " " + long, `local address "` + long + `"`},
		{"0: 0100007F", `local address "0100007F"`},
		{"0: 0100007F:", `local address "0100007F:"`},
		{"0: 0100007F:10000", `local address "0100007F:10000"`},
		{"0: 0100007G:0016", `local address "0100007G:0016"`},
		{"0: " + end, `remote address missing`},
		{"0: " + end + " " + end + " 0x", `state "0x"`},
		{"0: " + end + " " + end + " 100000001", `state "100000001"`},
		{"0: " + end + " " + end + " 01 0", `queues "0"`},
		{"0: " + end + " " + end + " 01 100000000:0", `queues "100000000:0"`},
		{"0: " + end + " " + end + " 01 0:0", `timer missing`},
		{"0: " + end + " " + end + " 01 0:0 0:0", `retransmits missing`},
		{"0: " + end + " " + end + " 01 0:0 0:0 0", `uid missing`},
		{"0: " + end + " " + end + " 01 0:0 0:0 0 -1", `uid "-1"`},
		{"0: " + end + " " + end + " 01 0:0 0:0 0 4294967296", `uid "4294967296"`},
		{"0: " + end + " " + end + " 01 0:0 0:0 0 0", `timeout missing`},
		{"0: " + end + " " + end + " 01 0:0 0:0 0 0 0", `inode missing`},
		{"0: " + end + " " + end + " 01 0:0 0:0 0 0 0 4294967296", `inode "4294967296"`},
		{"0: " + end + " " + end + " 01 0:0 0:0 0 0 0 99999999999999999999999", `inode "99999999999999999999999"`},
		{"\x1b[31m" + strings.Repeat("x", 100), `slot "\x1b[31m` + strings.Repeat("x", maxQuoted-5) + `"`},
	}
	for _, tt := range tests {
		good := inetLine("127.0.0.1:22", "0.0.0.0:0", "0A 0:0 0:0 0 0 0 7 1") + "\n"
		var warn warnings
		warn.file = "net/tcp"
		rows := parseInet(nil, []byte(inetHeader+good+tt.line+"\n"+good), sock.Socket{Proto: sock.TCP}, &warn)
		if len(rows) != 2 || rows[0].Inode != 7 || rows[1].Inode != 7 {
			t.Errorf("%q: %d rows, want the 2 good ones", tt.line, len(rows))
		}
		if got, want := fmt.Sprint(warn.list()), "[net/tcp:3: "+tt.warning+"]"; got != want {
			t.Errorf("%q:\n got %s\nwant %s", tt.line, got, want)
		}
	}
}

func TestParseInetWholeFiles(t *testing.T) {
	line := inetLine("127.0.0.1:22", "0.0.0.0:0", "0A 0:0 0:0 0 0 0 7 1")
	tests := []struct {
		name, data string
		rows, bad  int
	}{
		{"empty file", "", 0, 0},
		{"header alone", inetHeader, 0, 0},
		{"header without end", strings.TrimSuffix(inetHeader, "\n"), 0, 0},
		{"last line without end", inetHeader + line, 1, 0},
		{"first line is never a row", line + "\n" + line + "\n", 1, 0},
		{"empty lines", inetHeader + "\n\n", 0, 2},
		{"cut short", inetHeader + line[:40], 0, 1},
		{"many bad lines", inetHeader + strings.Repeat("x\n", 1000), 0, maxWarnings + 1},
	}
	for _, tt := range tests {
		var warn warnings
		rows := parseInet(nil, []byte(tt.data), sock.Socket{Proto: sock.TCP}, &warn)
		if len(rows) != tt.rows || len(warn.list()) != tt.bad {
			t.Errorf("%s: %d rows, %d warnings, want %d and %d", tt.name, len(rows), len(warn.list()), tt.rows, tt.bad)
		}
	}
}

func TestWarningsAreCounted(t *testing.T) {
	var warn warnings
	for i := range maxWarnings + 5 {
		warn.bad(i, "slot", nil)
	}
	list := warn.list()
	if got := list[len(list)-1].Error(); got != ": 5 more bad lines" {
		t.Errorf("the last warning is %q", got)
	}
}

func FuzzParseInet(f *testing.F) {
	f.Add(false, []byte(inetHeader+inetLine("127.0.0.1:22", "0.0.0.0:0", "0A 0:0 0:0 0 0 0 7 1")))
	f.Add(true, []byte(inetHeader+inetLine("[::1]:22", "[::ffff:1.2.3.4]:9", "0C 1:2 0:0 0 4294967295 0 4294967295 1")+"\n\n"))
	f.Add(false, []byte("\n0:\n"))
	for _, name := range []string{"tcp", "tcp6", "udp", "udp6", "udplite", "udplite6", "raw", "raw6"} {
		for _, data := range kernelFiles(f, name) {
			f.Add(strings.HasSuffix(name, "6"), data)
		}
	}
	f.Fuzz(func(t *testing.T, ipv6 bool, data []byte) {
		row := sock.Socket{Proto: sock.UDP, At: 1, NetNS: 2}
		if ipv6 {
			row.Proto = sock.UDP6
		}
		var warn warnings
		rows := parseInet(nil, data, row, &warn)
		checkCount(t, data, rows, &warn)
		checkAgain(t, rows, row, parseInet)
		for i := range rows {
			s := &rows[i]
			if s.Local.Addr().Is4() == ipv6 || s.Remote.Addr().Is4() == ipv6 || !s.Local.IsValid() || !s.Remote.IsValid() {
				t.Errorf("ends %s and %s, IPv6 is %t", s.Local, s.Remote, ipv6)
			}
			if s.Proto != row.Proto || s.At != 1 || s.NetNS != 2 || s.Unix != nil {
				t.Errorf("not a copy of the given row: %+v", *s)
			}
			if !s.State.Valid() && s.State != unknownState || s.State >= sock.UnixFree && s.State != unknownState {
				t.Errorf("state %d", s.State)
			}
		}
	})
}

// checkCount checks that every line but the first became a row or a warning.
func checkCount(t *testing.T, data []byte, rows []sock.Socket, warn *warnings) {
	t.Helper()
	want := 0
	for range pieces(data, tablePiece) {
		want++
	}
	if want = max(want-1, 0); len(rows)+len(warn.kept)+warn.more != want {
		t.Errorf("%d rows and %d warnings from %d lines", len(rows), len(warn.kept)+warn.more, want)
	}
	if len(warn.list()) > maxWarnings+1 {
		t.Errorf("%d warnings were kept", len(warn.list()))
	}
}

const benchRows = 100_000

func BenchmarkParseInet(b *testing.B) {
	for _, bm := range []struct {
		proto  sock.Proto
		remote string
	}{{sock.TCP, "192.0.2.1"}, {sock.TCP6, "2001:db8::1"}} {
		b.Run(bm.proto.String(), func(b *testing.B) {
			var text strings.Builder
			text.WriteString(inetHeader)
			addr := addrText(bm.remote)
			for i := range benchRows {
				fmt.Fprintf(&text, "%4d: %s:%04X %s:%04X 01 00000000:00000000 00:00000000 00000000  1000        0 %d 1 0000000012345678 20 4 30 10 -1\n",
					i, addr, i>>16, addr, i&0xffff, 10_000+i)
			}
			data := []byte(text.String())
			benchmarkParse(b, data, func(rows []sock.Socket, warn *warnings) []sock.Socket {
				return parseInet(rows, data, sock.Socket{Proto: bm.proto}, warn)
			})
		})
	}
}

// benchmarkParse appends to the same memory each time: allocation of the rows is not parsing.
func benchmarkParse(b *testing.B, data []byte, parse func([]sock.Socket, *warnings) []sock.Socket) {
	b.ReportAllocs()
	b.SetBytes(int64(len(data)))
	var rows []sock.Socket
	var warn warnings
	for b.Loop() {
		rows = parse(rows[:0], &warn)
	}
	if len(rows) != benchRows || len(warn.kept) > 0 {
		b.Fatalf("%d rows, warnings %v", len(rows), warn.kept)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/benchRows, "ns/row")
}

func BenchmarkAssignIDs(b *testing.B) {
	rows := make([]sock.Socket, benchRows)
	for i := range rows {
		end := netip.AddrPortFrom(netip.MustParseAddr("192.0.2.1"), uint16(i))
		rows[i] = sock.Socket{Proto: sock.TCP, Local: end, Remote: end, Inode: uint32(i)}
	}
	s := New(nil)
	b.ReportAllocs()
	for b.Loop() {
		s.assignIDs(rows)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/benchRows, "ns/row")
}
