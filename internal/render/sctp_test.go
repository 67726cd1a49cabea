// SPDX-License-Identifier: GPL-2.0-or-later

package render

import (
	"encoding/json"
	"net/netip"
	"strings"
	"testing"

	"netlive/internal/sock"
)

func addrs(texts ...string) (list []netip.Addr) {
	for _, text := range texts {
		if text == "" {
			list = append(list, netip.Addr{})
		} else {
			list = append(list, netip.MustParseAddr(text))
		}
	}
	return list
}

// sctp is a row with the ports of local and remote.
func sctp(state sock.State, local, remote uint16, info sock.SCTPInfo) sock.Socket {
	s := sock.Socket{Proto: sock.SCTP, State: state, UID: 1000, Inode: 4711, SCTP: &info}
	end := func(list []netip.Addr, port uint16) netip.AddrPort {
		if len(list) == 0 {
			return netip.AddrPortFrom(netip.Addr{}, port)
		}
		return netip.AddrPortFrom(list[0], port)
	}
	s.Local, s.Remote = end(info.Locals, local), end(info.Remotes, remote)
	return s
}

var (
	sctpListener = sctp(sock.Listen, 9899, 0, sock.SCTPInfo{Endpoint: true, RawState: 10, Locals: addrs("127.0.0.1", "2001:db8::1")})
	sctpAssoc    = with(sctp(sock.Established, 9899, 40000, sock.SCTPInfo{
		RawState: 1, AssocID: 7, AssocState: sock.SCTPShutdownPending, Locals: addrs("127.0.0.1"), PrimaryLocal: addrs("127.0.0.1")[0],
		Remotes: addrs(wide6, "203.0.113.250"), PrimaryRemote: addrs("203.0.113.250")[0],
	}), func(s *sock.Socket) { s.Queue = sock.Queue{Recv: 5, Send: 1234567} })
)

func TestSCTPRow(t *testing.T) {
	far := fakeNames{hosts: map[string]string{"203.0.113.250": strings.Repeat("0123456789", 7), "127.0.0.1": "localhost", "255.255.255.255": "all"},
		ports: map[uint16]string{9899: "wrong"}}
	state := func(state sock.State, raw int32) sock.Socket {
		return sctp(state, 0, 0, sock.SCTPInfo{Endpoint: true, RawState: raw, Locals: addrs("127.0.0.1")})
	}
	tests := []struct {
		name  string
		table Table
		row   sock.Socket
		want  string
	}{
		{"endpoint", Table{Names: Numeric{}}, sctpListener,
			"sctp                127.0.0.1:9899                                  LISTEN     \n" +
				"                    2001:db8::1:9899                                           \n"},
		{"association", Table{Names: Numeric{}}, sctpAssoc,
			"sctp       5 1234567 127.0.0.1:9899          2001:db8:1111:2222:3333:4444:5555:6666:40000 ESTABLISHED\n" +
				"                                            203.0.113.250                      \n"},
		{"of IPv6", Table{Names: Numeric{}}, with(sctpListener, func(s *sock.Socket) { s.Proto = sock.SCTP6 }),
			"sctp                127.0.0.1:9899                                  LISTEN     \n" +
				"                    2001:db8::1:9899                                           \n"},
		{"all columns", Table{Names: Numeric{}, Extend: 1, Programs: true, Timers: true}, with(sctpListener, func(s *sock.Socket) {
			s.Owner = sock.Owner{PID: 7, How: sock.HowProcfs, Program: "sctpd"}
		}),
			"sctp                127.0.0.1:9899                                  LISTEN     \n" +
				"                    2001:db8::1:9899                                            1000       4711       7/sctpd              \n"},
		{"wide changes nothing", Table{Names: far, Wide: true}, sctpAssoc,
			"sctp       5 1234567 localhost:9899          2001:db8:1111:2222:3333:4444:5555:6666:40000 ESTABLISHED\n" +
				"                                            012345678901234567890123456789012345678901234567890123456789012            \n"},
		{"names of its own", Table{Names: far, SCTPNames: Numeric{}}, sctpListener,
			"sctp                127.0.0.1:9899                                  LISTEN     \n" +
				"                    2001:db8::1:9899                                           \n"},
		{"no addresses", Table{Names: Numeric{}}, sctp(sock.Listen, 9899, 0, sock.SCTPInfo{Endpoint: true}), "\n"},
		{"no addresses but more columns", Table{Names: Numeric{}, Extend: 1, Timers: true}, sctp(sock.Listen, 9899, 5, sock.SCTPInfo{}),
			" 1000       4711       \n"},
		{"no local address", Table{Names: Numeric{}}, sctp(sock.CloseWait, 9899, 5, sock.SCTPInfo{Remotes: addrs("10.0.0.1")}),
			"sctp       0      0                         10.0.0.1:5              CLOSE_WAIT \n"},
		{"more local addresses", Table{Names: Numeric{}}, sctp(sock.Close, 9899, 5, sock.SCTPInfo{Locals: addrs("10.0.0.1", "10.0.0.2"), Remotes: addrs("10.0.0.3")}),
			"sctp       0      0 10.0.0.1:9899           10.0.0.3:5              CLOSE      \n" +
				"                    10.0.0.2                                                   \n"},
		{"not an address", Table{Names: far}, sctp(sock.Close, 0, 0, sock.SCTPInfo{Endpoint: true, Locals: addrs("")}),
			"sctp                all:*                                           CLOSE      \n"},
		{"no state", Table{Names: Numeric{}}, state(sock.StateNone, 0),
			"sctp                127.0.0.1:*                                                \n"},
		{"unknown state", Table{Names: Numeric{}}, state(255, 99),
			"sctp                127.0.0.1:*                                     UNKNOWN(99)\n"},
		{"negative state", Table{Names: Numeric{}}, state(255, -12345),
			"sctp                127.0.0.1:*                                     UNKNOWN(-12345)\n"},
	}
	for _, tt := range tests {
		if got := string(tt.table.SCTPRow(nil, &tt.row)); got != tt.want {
			t.Errorf("%s:\n got %q\nwant %q", tt.name, got, tt.want)
		}
	}
}

// The cut at 63 bytes comes before the escape, as in other rows.
func TestSCTPRowEscape(t *testing.T) {
	table := Table{Escape: true, Names: fakeNames{hosts: map[string]string{"127.0.0.1": "\x1b]0;owned\x07" + strings.Repeat("x", 100)}}}
	row := sctp(sock.Listen, 80, 0, sock.SCTPInfo{Endpoint: true, Locals: addrs("127.0.0.1")})
	want := `sctp                \x1b]0;owned\x07` + strings.Repeat("x", hostMax-len("\x1b]0;owned\x07")) + ":80 LISTEN     \n"
	if got := string(table.SCTPRow(nil, &row)); got != want {
		t.Errorf("got %q\nwant %q", got, want)
	}
}

func TestSCTPRowAllocates(t *testing.T) {
	table := Table{Extend: 1, Programs: true, Timers: true, Names: Numeric{}, Escape: true}
	b := make([]byte, 0, 1024)
	if n := testing.AllocsPerRun(100, func() { b = table.SCTPRow(table.SCTPRow(b[:0], &sctpAssoc), &sctpListener) }); n != 0 {
		t.Errorf("SCTPRow allocates %v times", n)
	}
}

func TestSCTPJSON(t *testing.T) {
	tests := []struct {
		row  sock.Socket
		want string
	}{
		{sctpListener, `{"proto":"sctp","local_addr":"127.0.0.1","local_port":9899,"remote_addr":null,"remote_port":0,"state":"LISTEN",` +
			`"recv_q":0,"send_q":0,"uid":1000,"inode":4711,"cookie":null,"netns":null,"owners":[],"kind":"endpoint",` +
			`"local_addrs":["127.0.0.1","2001:db8::1"],"remote_addrs":[],"primary_local_addr":null,"primary_remote_addr":null,` +
			`"assoc_id":null,"assoc_state":null}`},
		{sctpAssoc, `{"proto":"sctp","local_addr":"127.0.0.1","local_port":9899,"remote_addr":"` + wide6 + `","remote_port":40000,` +
			`"state":"ESTABLISHED","recv_q":5,"send_q":1234567,"uid":1000,"inode":4711,"cookie":null,"netns":null,"owners":[],` +
			`"kind":"association","local_addrs":["127.0.0.1"],"remote_addrs":["` + wide6 + `","203.0.113.250"],` +
			`"primary_local_addr":"127.0.0.1","primary_remote_addr":"203.0.113.250","assoc_id":7,"assoc_state":"SHUTDOWN_PENDING"}`},
		{sctp(sock.Close, 1, 0, sock.SCTPInfo{AssocID: -1, AssocState: 99, Locals: addrs("", "::ffff:10.0.0.1")}),
			`{"proto":"sctp","local_addr":null,"local_port":1,"remote_addr":null,"remote_port":0,"state":"CLOSE",` +
				`"recv_q":0,"send_q":0,"uid":1000,"inode":4711,"cookie":null,"netns":null,"owners":[],"kind":"association",` +
				`"local_addrs":[null,"::ffff:10.0.0.1"],"remote_addrs":[],"primary_local_addr":null,"primary_remote_addr":null,` +
				`"assoc_id":-1,"assoc_state":"UNKNOWN"}`},
	}
	for _, tt := range tests {
		got := AppendSocketJSON(nil, &tt.row)
		if string(got) != tt.want {
			t.Errorf("got %s\nwant %s", got, tt.want)
		}
		if !json.Valid(got) {
			t.Errorf("not JSON: %s", got)
		}
	}
}
