// SPDX-License-Identifier: GPL-2.0-or-later

package main

import (
	"net/netip"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// listeners makes listeners at ports with names of all lengths, at any address and with connections that wait.
func (s *scene) listeners() {
	s.t.Helper()
	for _, port := range []int{22, 80, 5302, 5303, 5304, 5305} {
		for _, a := range []netip.Addr{netip.IPv4Unspecified(), loopback6} {
			s.listen(a, port, 7)
		}
	}
	any6, at := s.listen(netip.IPv6Unspecified(), 8000, 7)
	s.dial(loopback6, at)
	four := unix.SockaddrInet4{Port: 8000, Addr: loopback4.As4()}
	s.dial(loopback4, &four) // of both families at once
	s.accept(any6)
	s.listen(netip.MustParseAddr("10.1.0.1"), 54321, 128)
	s.listen(netip.MustParseAddr("2001:db8:1:2222:3333:4444:5555:6666"), 54321, 128)
	s.listen(netip.MustParseAddr("2001:db8:1::1"), 5305, 128)
}

// timers makes connections with a timer of each kind beside those that states have.
func (s *scene) timers() {
	s.t.Helper()
	client, server := s.connection(loopback4)
	for i, fd := range []int{client, server} {
		s.setInt(fd, unix.SOL_SOCKET, unix.SO_KEEPALIVE, 1)
		s.setInt(fd, unix.IPPROTO_TCP, unix.TCP_KEEPIDLE, 600+i*6000)
	}
}

// datagrams makes sockets of UDP and UDP-Lite, with and without a peer, and with unread data.
func (s *scene) datagrams(a netip.Addr) {
	s.t.Helper()
	for _, proto := range []int{unix.IPPROTO_UDP, unix.IPPROTO_UDPLITE} {
		server := s.socket(familyOf(a), unix.SOCK_DGRAM, proto)
		s.bind(server, a, 0)
		at, err := unix.Getsockname(server)
		s.check("getsockname", err)
		client := s.socket(familyOf(a), unix.SOCK_DGRAM, proto)
		s.check("connect", unix.Connect(client, at))
		for range 3 {
			_, err = unix.Write(client, make([]byte, 100))
			s.check("send", err)
		}
		for i, port := range []int{123, 5302, 5303} {
			s.uid = []int{0, 1000, 1003}[i]
			fd := s.socket(familyOf(a), unix.SOCK_DGRAM, proto)
			s.setInt(fd, unix.SOL_SOCKET, unix.SO_REUSEADDR, 1)
			s.bind(fd, a, port)
		}
		s.uid = 0
	}
}

func (s *scene) raw() {
	s.t.Helper()
	for _, k := range []struct{ family, proto int }{
		{unix.AF_INET, unix.IPPROTO_ICMP}, {unix.AF_INET, 89}, {unix.AF_INET, 254}, {unix.AF_INET, unix.IPPROTO_RAW},
		{unix.AF_INET6, unix.IPPROTO_ICMPV6}, {unix.AF_INET6, 90}, {unix.AF_INET6, unix.IPPROTO_RAW},
	} {
		fd := s.socket(k.family, unix.SOCK_RAW, k.proto)
		if k.proto == 254 || k.proto == 90 {
			lo := loopback4
			if k.family == unix.AF_INET6 {
				lo = loopback6
			}
			s.bind(fd, lo, 0)
			s.check("connect", unix.Connect(fd, s.sockaddr(lo, 0)))
			_, err := unix.Write(fd, make([]byte, 100))
			s.check("send", err)
		}
	}
}

// unixSockets makes UNIX sockets of all types, at paths that netstat has trouble with.
func (s *scene) unixSockets() {
	s.t.Helper()
	dir, err := os.MkdirTemp("", "netlive") // short: a path has 108 bytes
	s.check("make a directory", err)
	s.t.Cleanup(func() { _ = os.RemoveAll(dir) })
	long := filepath.Join(dir, strings.Repeat("l", 107-len(dir)-1))
	for i, path := range []string{
		filepath.Join(dir, "stream"), filepath.Join(dir, "with blanks"), long, filepath.Join(dir, "tab\there"),
		filepath.Join(dir, "odd\x01\x7f\xff\u20ac\U0001F600"), filepath.Join(dir, "new\nline"), filepath.Join(dir, "escape\x1b[31m"),
		"@abstract", "@with\x00nul\x00", "@ blank first", "@" + strings.Repeat("a", 106), "@\xff\xfe",
	} {
		typ := []int{unix.SOCK_STREAM, unix.SOCK_SEQPACKET}[i%2]
		l := s.socket(unix.AF_UNIX, typ, 0)
		at := &unix.SockaddrUnix{Name: path}
		s.check("bind", unix.Bind(l, at))
		s.check("listen", unix.Listen(l, 7))
		for n := range 3 {
			fd := s.socket(unix.AF_UNIX, typ, 0)
			s.check("connect", unix.Connect(fd, at))
			if n == 0 {
				s.accept(l)
			}
		}
		d := s.socket(unix.AF_UNIX, unix.SOCK_DGRAM, 0)
		if path[0] == '@' {
			path = path[:min(len(path), 100)] + ".d"
		} else {
			path = filepath.Join(dir, "d"+string(rune('a'+i))+" b")
		}
		s.check("bind", unix.Bind(d, &unix.SockaddrUnix{Name: path}))
		for _, typ := range []int{unix.SOCK_STREAM, unix.SOCK_DGRAM, unix.SOCK_SEQPACKET} {
			pair, err := unix.Socketpair(unix.AF_UNIX, typ|unix.SOCK_CLOEXEC, 0)
			s.check("make a pair", err)
			for _, fd := range pair {
				s.t.Cleanup(func() { _ = unix.Close(fd) })
			}
		}
		s.socket(unix.AF_UNIX, typ, 0)
	}
}

// groups joins multicast groups.
func (s *scene) groups() {
	s.t.Helper()
	to := s.sockaddr(linkLocal, 0).(*unix.SockaddrInet6)
	for _, group := range []string{"239.1.2.3", "224.0.0.251", "239.255.255.250"} {
		for range 3 {
			fd := s.socket(unix.AF_INET, unix.SOCK_DGRAM, 0)
			s.check("join "+group, unix.SetsockoptIPMreqn(fd, unix.IPPROTO_IP, unix.IP_ADD_MEMBERSHIP,
				&unix.IPMreqn{Multiaddr: netip.MustParseAddr(group).As4(), Ifindex: int32(to.ZoneId)}))
		}
	}
	for _, group := range []string{"ff02::fb", "ff05::1:3", "ff0e::1234:5678:9abc:def0"} {
		fd := s.socket(unix.AF_INET6, unix.SOCK_DGRAM, 0)
		s.check("join "+group, unix.SetsockoptIPv6Mreq(fd, unix.IPPROTO_IPV6, unix.IPV6_JOIN_GROUP,
			&unix.IPv6Mreq{Multiaddr: netip.MustParseAddr(group).As16(), Interface: to.ZoneId}))
	}
}

// owners gives sockets to other processes and users: alone, together, and under names that netstat cuts.
func (s *scene) owners() {
	s.t.Helper()
	for i, argv0 := range []string{
		"cat", "/usr/sbin/foo-bar-daemon-long", "nginx: master process /usr/sbin/nginx", "./tcp_client", "-bash", "/usr/bin/a b/c d",
		"/", "", "\u00fcn\u00efc\u00f6d\u00e9-\u00fcn\u00efc\u00f6d\u00e9", "red\x1b[31m", "/" + strings.Repeat("d", 600) + "/name", "line\nbreak",
	} {
		s.uid = []int{0, nobodyID, 1000, 1003, 4242}[i%5]
		l, at := s.listen(loopback4, 0, 7)
		client := s.dial(loopback4, at)
		server := s.accept(l)
		udp := s.socket(unix.AF_INET6, unix.SOCK_DGRAM, 0)
		s.bind(udp, loopback6, 0)
		stream := s.socket(unix.AF_UNIX, unix.SOCK_STREAM, 0)
		s.check("bind", unix.Bind(stream, &unix.SockaddrUnix{Name: "@owned" + string(rune('a'+i))}))
		s.hold(uint32(s.uid), argv0, i%4 == 3, l, client, server, udp, stream)
	}
	s.uid = 0
	shared := s.socket(unix.AF_INET, unix.SOCK_DGRAM, 0)
	s.bind(shared, loopback4, 0)
	s.hold(nobodyID, "one", true, shared)
	s.hold(nobodyID, "two", false, shared)
}
