// SPDX-License-Identifier: GPL-2.0-or-later

package filter

import (
	"net/netip"
	"testing"
	"time"

	"netlive/internal/sock"
)

var testNames = Names{
	User: func(uid uint32) string {
		return map[uint32]string{0: "root", 33: "www-data", 1000: "1001"}[uid]
	},
	NetNS:  func(inode uint32) string { return map[uint32]string{4026531840: "host", 7: "blue"}[inode] },
	Cgroup: func(s *sock.Socket) string { return map[uint64]string{5: "/system.slice/nginx.service"}[s.Cgroup] },
	Unit: func(s *sock.Socket) string {
		return map[uint64]string{5: "nginx.service", 6: "getty@tty1.service"}[s.Cgroup]
	},
	Container: func(s *sock.Socket) string { return map[uint64]string{6: "edge-7f"}[s.Cgroup] },
	Dev:       func(s *sock.Socket) string { return map[string]string{"10.0.0.5": "eth0"}[s.Local.Addr().String()] },
}

// The sockets that the table below asks about.
var (
	web = &Values{
		Socket: &sock.Socket{
			ID: 1, Proto: sock.TCP, State: sock.Established, NetNS: 7, UID: 33, Inode: 99, Cgroup: 5,
			Local: netip.MustParseAddrPort("10.0.0.5:443"), Remote: netip.MustParseAddrPort("198.51.100.7:51022"),
			Owner:  sock.Owner{PID: 1290, Comm: sock.MakeComm("nginx"), Program: "nginx: worker"},
			Others: []sock.Owner{{PID: 1291, Comm: sock.MakeComm("Helper")}},
		},
		Names: &testNames, Known: Fields(FieldAge, FieldRTT, FieldRx, FieldTx, FieldRetrans),
		Age: 0, RTT: 18 * time.Millisecond, Rx: 2000, Tx: 1000,
	}
	syn = &Values{ // a SYN was sent: no port yet, nobody known
		Socket: &sock.Socket{
			ID: 2, Proto: sock.TCP6, State: sock.SynSent,
			Local: netip.MustParseAddrPort("[::ffff:10.0.0.5]:0"), Remote: netip.MustParseAddrPort("[::ffff:10.9.0.3]:5432"),
		},
		Event: sock.EventState, Old: sock.Close,
	}
	listener = &Values{Socket: &sock.Socket{
		ID: 3, Proto: sock.TCP6, State: sock.Listen, Local: netip.MustParseAddrPort("[::]:22"), Remote: netip.MustParseAddrPort("[::]:0"),
		Owner: sock.Owner{PID: 1, Comm: sock.MakeComm("a-name-of-fifteen-and-more")},
	}}
	refused = &Values{Socket: &sock.Socket{ID: 4, Proto: sock.TCP, State: sock.Close}, Event: sock.EventFail, Reasons: [3]string{"refused", "TCP_RST", "ECONNREFUSED"}}
	unixed  = &Values{Socket: &sock.Socket{ID: sock.LocalID, Proto: sock.Unix, State: sock.UnixConnected, Unix: &sock.UnixInfo{Path: "/run/Bus.sock"}}}
	nothing = &Values{}
)

func TestMatch(t *testing.T) {
	const y, n, u = yes, no, unknown
	for _, c := range []struct {
		text                                     string
		web, syn, listener, refused, unixed, nil truth
	}{
		{"state established", y, n, n, n, y, u},
		{"state all", y, y, y, y, y, u},
		{"state connected", y, y, n, n, y, u},
		{"old = close", u, y, u, u, u, u},
		{"event in {fail, drop}", u, n, u, y, u, u},
		{"event != fail", u, y, u, n, u, u},

		// Ports: a local one that is not known, a remote one that is none.
		{"sport = 443", y, u, n, u, n, u},
		{"sport != 443", n, u, y, u, y, u},
		{"dport = 5432", n, y, n, u, n, u},
		{"dport != 5432", y, n, y, u, y, u},
		{"dport < 1024", n, n, n, u, n, u},
		{"dport >= 0", y, y, n, u, n, u},
		{"dport = 0", n, n, n, u, n, u},
		{"not dport < 1024", y, y, y, u, y, u},
		{"port = 443", y, u, n, u, n, u},
		{"port = 5432", n, y, n, u, n, u},
		{"port != 22", y, u, n, u, y, u},
		{"port in {1-1023}", y, u, y, u, n, u},

		// Addresses.
		{"src 10/8", y, y, n, u, n, u},
		{"src != 10/8", n, n, y, u, y, u},
		{"src ::/0", n, y, y, u, n, u},
		{"src 0/0", y, y, n, u, n, u},
		{"dst 198.51.100.7:51022", y, n, n, u, n, u},
		{"dst 10.9.0.3:1-5432", n, y, n, u, n, u},
		{"src 10.0.0.5:443", y, u, n, u, n, u},
		{"src != 10.0.0.5:443", n, u, y, u, y, u},
		{"dst ::ffff:10.9.0.3", n, y, n, u, n, u},
		{"addr 10.9/16", n, y, n, u, n, u},
		{"addr :5432", n, y, n, u, n, u},
		{"dst *", y, y, y, u, n, u},
		{"dst 0.0.0.0", n, n, n, u, n, u},
		{"dst ::", n, n, y, u, n, u},

		// Owners.
		{"pid 1290", y, u, n, u, u, u},
		{"pid 1291", y, u, n, u, u, u},
		{"pid != 1291", n, u, y, u, u, u},
		{"proc nginx", y, u, n, u, u, u},
		{"proc in {'nginx: worker'}", y, u, n, u, u, u},
		{"proc ~ ^Hel", y, u, n, u, u, u},
		{"proc !~ ^Hel", n, u, y, u, u, u},
		{"proc a-name-of-fifteen-and-more", n, u, y, u, u, u},
		{"proc a-name-of-sixteen", n, u, n, u, u, u},

		// Numbers and names.
		{"uid 33", y, n, n, n, u, u},
		{"uid 0", n, y, y, y, u, u},
		{"user www-data", y, u, u, u, u, u},
		{"user 33", y, n, n, n, u, u},
		{"user != root", y, u, u, u, u, u},
		{"user ~ data", y, u, u, u, u, u},
		{"user in {5, root}", n, u, u, u, u, u},
		{"user in {0, root}", n, y, y, y, u, u},
		{"inode 99", y, n, n, n, n, u},
		{"netns blue", y, u, u, u, u, u},
		{"netns 7", y, u, u, u, u, u},
		{"netns all", y, u, u, u, u, u},
		{"netns != 8", y, u, u, u, u, u},
		{"dev eth0", y, u, u, u, u, u},
		{"cgroup /system.slice/nginx.service", y, u, u, u, u, u},
		{"unit nginx", y, u, u, u, u, u},
		{"unit nginx.service", y, u, u, u, u, u},
		{"unit nginx.socket", n, u, u, u, u, u},
		{"container ~ ^edge-", u, u, u, u, u, u},

		// What only some know, 0 included.
		{"age < 5s", y, u, u, u, u, u},
		{"retrans = 0", y, u, u, u, u, u},
		{"rtt > 17ms rtt < 18.1ms rtt 18ms", y, u, u, u, u, u},
		{"rtt >= 20ms", n, u, u, u, u, u},
		{"rx = 2k tx <= 1k bytes = 3k", y, u, u, u, u, u},
		{"reason refused", u, u, u, y, u, u},
		{"reason tcp_rst", u, u, u, y, u, u},
		{"reason != timeout", u, u, u, y, u, u},
		{"reason ~ ^ECONN", u, u, u, y, u, u},

		{"proto tcp", y, y, y, y, n, u},
		{"proto tcp6", n, y, y, n, n, u},
		{"ipv4", y, n, n, y, n, u},
		{"family unix", n, n, n, n, y, u},

		// A search knows always.
		{"NGINX", y, n, n, n, n, n},
		{"helper", y, n, n, n, n, n},
		{"!nginx", n, y, y, y, y, y},
		{"0.5:44", y, n, n, n, n, n},
		{"10.9.0", n, y, n, n, n, n},
		{"::*", n, n, y, n, n, n},
		{"'[::]'", n, n, n, n, n, n},
		{"':::*'", n, n, y, n, n, n},
		{"/run/bus", n, n, n, n, y, n},
		{"443", y, n, n, n, n, n},
		{"1291", y, n, n, n, n, n},
		{"5432", n, y, n, n, n, n},
		{"!22", y, y, n, y, y, y},

		// Kleene.
		{"pid 1290 and proc ~ x", y, u, n, u, u, u},
		{"pid 1290 or dport = 5432", y, y, n, u, u, u},
		{"not (pid 1290 or dport = 5432)", n, n, y, u, u, u},
		{"", y, y, y, y, y, y},
	} {
		f := mustParse(t, c.text)
		for i, who := range []struct {
			name string
			v    *Values
			want truth
		}{
			{"web", web, c.web}, {"syn", syn, c.syn}, {"listener", listener, c.listener},
			{"refused", refused, c.refused}, {"unix", unixed, c.unixed}, {"nothing", nothing, c.nil},
		} {
			got := yes
			if f.root != nil {
				got = f.root.eval(who.v)
			}
			if got != who.want || f.Match(who.v) != (got == yes) {
				t.Errorf("%s (%s) of %s: %d, want %d (%d)", c.text, f, who.name, got, who.want, i)
			}
		}
	}
}

// SCTP: any of an association's addresses, and the family that they have.
func TestMatchSCTP(t *testing.T) {
	v := &Values{Socket: &sock.Socket{
		Proto: sock.SCTP, State: sock.Established,
		Local: netip.MustParseAddrPort("[fd00::1]:7"), Remote: netip.MustParseAddrPort("[fd00::2]:8"),
		SCTP: &sock.SCTPInfo{
			Locals:  []netip.Addr{netip.MustParseAddr("fd00::1"), netip.MustParseAddr("10.0.0.1")},
			Remotes: []netip.Addr{netip.MustParseAddr("fd00::2"), netip.MustParseAddr("10.0.0.2")},
		},
	}}
	for text, want := range map[string]bool{
		"src 10.0.0.1": true, "src 10.0.0.2": false, "dst 10.0.0.2:8": true, "dst != 10/8": false, "ipv6": true, "proto sctp": true,
	} {
		if got := mustParse(t, text).Match(v); got != want {
			t.Errorf("%s: %v", text, got)
		}
	}
}

// Every spelling that netstat shows is a state's.
func TestStateSpellings(t *testing.T) {
	for s := sock.State(1); s < sock.StateCount; s++ {
		name := s.String()
		if name == "" || name == "UNKNOWN" || name == "CONNECTED" { // connected is a group of ss
			continue
		}
		if f := mustParse(t, "state = "+name); !f.Match(&Values{Socket: &sock.Socket{State: s}}) {
			t.Errorf("state = %s does not match %s", f, name)
		}
	}
}

func TestMatchAllocates(t *testing.T) {
	for _, text := range []string{
		"state established and dport = 51022 and src 10/8 and dst != [2001:db8::]/32:443 and port in {1-3, 443}",
		"(uid 33 or uid > 100) pid 1290 inode 99 rtt > 5ms not bytes > 1M ipv4 proto tcp retrans 0 age < 5s",
		"proc nginx nginx 443 10.0.0 !ssh :443 198.51.100.7 proc != a-name-of-fifteen-and-more",
	} {
		f := mustParse(t, text)
		if !f.Match(web) {
			t.Errorf("%s does not match", text)
		}
		if n := testing.AllocsPerRun(100, func() { f.Match(web); f.Match(syn); f.Match(listener); f.Match(unixed) }); n != 0 {
			t.Errorf("%s: %v allocations", text, n)
		}
	}
}

func BenchmarkMatch(b *testing.B) {
	for _, c := range []struct{ name, text string }{
		{"ss", "state established and dport = :51022"},
		{"hosts", "src 10/8 and dst != 193.233.7/24 and port in {80, 443, 8000-8999}"},
		{"proc", "proc = nginx and rtt > 5ms"},
		{"regexp", "proc ~ ^ngi"},
		{"word", "nginx !ssh"},
	} {
		f := mustParse(b, c.text)
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if !f.Match(web) {
					b.Fatal("no match")
				}
			}
		})
	}
}

func BenchmarkParse(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		mustParse(b, "proc = nginx and rtt > 50ms and not dst 10/8 and dport in {80, 443}")
	}
}
