// SPDX-License-Identifier: GPL-2.0-or-later

package procfallback

import (
	"fmt"
	"strings"
	"testing"

	"netlive/internal/sock"
)

const unixHeader = "Num       RefCount Protocol Flags    Type St Inode Path\n"

func TestParseUnixLine(t *testing.T) {
	row := func(state sock.State, inode uint32, info sock.UnixInfo) sock.Socket {
		return sock.Socket{Proto: sock.Unix, State: state, Inode: inode, Unix: &info}
	}
	tests := []struct {
		name, line string
		want       sock.Socket
	}{
		{"listening", "00000000a1b2c3d4: 00000002 00000000 00010000 0001 01   801 /run/a.sock",
			row(sock.UnixListening, 801, sock.UnixInfo{Path: "/run/a.sock", RefCnt: 2, Flags: sock.SOAcceptCon, Type: sock.UnixStream})},
		{"connected without a path", "0000000000000000: 00000003 00000000 00000000 0005 03 80200",
			row(sock.UnixConnected, 80200, sock.UnixInfo{RefCnt: 3, Type: sock.UnixSeqPacket})},
		{"datagram", "0000000000000000: 00000002 00000000 00000000 0002 01 80200 /dev/log",
			row(sock.UnixUnconnected, 80200, sock.UnixInfo{Path: "/dev/log", RefCnt: 2, Type: sock.UnixDgram})},
		{"not accepted", "0000000000000000: 00000002 00000000 00000000 0001 02     0 @name",
			row(sock.UnixConnecting, 0, sock.UnixInfo{Path: "@name", RefCnt: 2, Type: sock.UnixStream})},
		{"blanks in and around the path", "0: 1 0 0 1 01 7   a  b ",
			row(sock.UnixUnconnected, 7, sock.UnixInfo{Path: "  a  b ", RefCnt: 1, Type: sock.UnixStream})},
		{"a flag alone makes no listener", "0: 1 0 10000 1 03 7 x",
			row(sock.UnixConnected, 7, sock.UnixInfo{Path: "x", RefCnt: 1, Flags: sock.SOAcceptCon, Type: sock.UnixStream})},
		{"free", "0: 1 0 0 4 00 7", row(sock.UnixFree, 7, sock.UnixInfo{RefCnt: 1, Type: sock.UnixRDM})},
		{"disconnecting", "0: 1 0 0 3 04 7", row(sock.UnixDisconnecting, 7, sock.UnixInfo{RefCnt: 1, Type: sock.UnixRaw})},
		{"no state of Linux's is listening by its number", "0: 1 0 0 A 05 7", row(unknownState, 7, sock.UnixInfo{RefCnt: 1, Type: 10})},
		{"bytes that are no text", "0: FFFFFFFF 0 FFFFFFFF FFFF FFFFFFFF 4294967295 \xff\x1b[2J",
			row(unknownState, 4294967295, sock.UnixInfo{Path: "\xff\x1b[2J", RefCnt: 0xffffffff, Flags: 0xffffffff, Type: 0xffff})},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := sock.Socket{Proto: sock.Unix}
			if field, text := parseUnixLine([]byte(tt.line), &got); field != "" {
				t.Fatalf("bad %s %q in %q", field, text, tt.line)
			}
			if !same(&got, &tt.want) {
				t.Errorf("%q:\n got %+v %+v\nwant %+v %+v", tt.line, got, *got.Unix, tt.want, *tt.want.Unix)
			}
		})
	}
}

func TestParseUnixBadLines(t *testing.T) {
	tests := []struct{ line, warning string }{
		{"", `pointer missing`},
		{"junk", `pointer "junk"`},
		{":", `pointer ":"`},
		{"0:", `reference count missing`},
		{"0: x", `reference count "x"`},
		{"0: 1", `protocol missing`},
		{"0: 1 000000000000: 2 0 10000 1 01 7 /half/in/half", `protocol "000000000000:"`},
		{"0: 1 0 100000000", `flags "100000000"`},
		{"0: 1 0 0 10000", `type "10000"`},
		{"0: 1 0 0 1", `state missing`},
		{"0: 1 0 0 1 g", `state "g"`},
		{"0: 1 0 0 1 1", `inode missing`},
		{"0: 1 0 0 1 1 4294967296 /path", `inode "4294967296"`},
		{"0: 1 0 0 1 1 /path", `inode "/path"`},
	}
	for _, tt := range tests {
		var warn warnings
		warn.file = "net/unix"
		rows := parseUnix(nil, []byte(unixHeader+tt.line+"\n0: 1 0 0 1 1 7\n"), sock.Socket{Proto: sock.Unix}, &warn)
		if len(rows) != 1 || rows[0].Inode != 7 {
			t.Errorf("%q: %d rows, want the good one", tt.line, len(rows))
		}
		if got, want := fmt.Sprint(warn.list()), "[net/unix:2: "+tt.warning+"]"; got != want {
			t.Errorf("%q:\n got %s\nwant %s", tt.line, got, want)
		}
	}
}

func FuzzParseUnix(f *testing.F) {
	f.Add([]byte(unixHeader + "00000000a1b2c3d4: 00000002 00000000 00010000 0001 01   801 /run/a.sock\n"))
	f.Add([]byte(unixHeader + "0: 1 0 0 1 03 7 /a\nb\n0: 1 0 0 1 03 8\n"))
	f.Add([]byte("\n0: 1 0 0 1 05 4294967295  "))
	for _, data := range kernelFiles(f, "unix") {
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var warn warnings
		row := sock.Socket{Proto: sock.Unix, At: 1, NetNS: 2}
		rows := parseUnix(nil, data, row, &warn)
		checkCount(t, data, rows, &warn)
		checkAgain(t, rows, row, parseUnix)
		for i := range rows {
			s := &rows[i]
			if s.Unix == nil || s.Local.IsValid() || s.Proto != sock.Unix || s.At != 1 || s.NetNS != 2 {
				t.Fatalf("not a UNIX socket: %+v", *s)
			}
			if s.State != unknownState && (s.State < sock.UnixFree || s.State > sock.UnixListening) {
				t.Errorf("state %d", s.State)
			}
			if strings.Contains(s.Unix.Path, "\n") {
				t.Errorf("path %q goes over a line", s.Unix.Path)
			}
		}
	})
}

func BenchmarkParseUnix(b *testing.B) {
	var text strings.Builder
	text.WriteString(unixHeader)
	for i := range benchRows {
		fmt.Fprintf(&text, "0000000012345678: 00000003 00000000 00000000 0001 03 %d /run/service/socket\n", 10_000+i)
	}
	data := []byte(text.String())
	benchmarkParse(b, data, func(rows []sock.Socket, warn *warnings) []sock.Socket {
		return parseUnix(rows, data, sock.Socket{Proto: sock.Unix}, warn)
	})
}
