// SPDX-License-Identifier: GPL-2.0-or-later

package socktest

import (
	"errors"
	"net/netip"

	"golang.org/x/sys/unix"

	"netlive/internal/sock"
)

// tcp makes TCP sockets in all states at lo, the loopback address of a family.
func (s *scene) tcp(lo netip.Addr) {
	s.t.Helper()
	p := sock.TCP
	if lo.Is6() {
		p = sock.TCP6
	}
	c := &tcpScene{s, p, lo}
	c.backlog()
	c.samePort()
	c.established()
	c.halfClosed()
	c.timeWait()
	c.synSent()
	c.synRecv()
	c.finWait1()
	c.closing()
	c.lastAck()
}

type tcpScene struct {
	*scene
	p  sock.Proto
	lo netip.Addr
}

func (c *tcpScene) note(name string, fd int, state sock.State) *socket {
	c.t.Helper()
	c.waitState(fd, state)
	return c.add(c.p.String()+" "+name, c.p, fd, state)
}

func (c *tcpScene) stream() int {
	c.t.Helper()
	family, typ, proto := kernelNumbers(c.p)
	return c.scene.socket(family, typ, proto)
}

func (c *tcpScene) listen(backlog int) (fd int, at netip.AddrPort) {
	c.t.Helper()
	fd = c.stream()
	c.bind(fd, netip.AddrPortFrom(c.lo, 0))
	if err := unix.Listen(fd, backlog); err != nil {
		c.t.Fatalf("listen: %v", err)
	}
	return fd, c.localOf(fd)
}

// connection makes two connected ends, and no more than that: the listener is
// closed, and an accepted connection does not need it.
func (c *tcpScene) connection() (client, server int) {
	c.t.Helper()
	l := c.stream()
	c.bind(l, netip.AddrPortFrom(c.lo, 0))
	// A small buffer, inherited by the server's end, so that little data fills it.
	c.setInt(l, unix.SOL_SOCKET, unix.SO_RCVBUF, 4096)
	if err := unix.Listen(l, 1); err != nil {
		c.t.Fatalf("listen: %v", err)
	}
	client = c.stream()
	c.connect(client, c.localOf(l))
	server = c.accept(l)
	// Closing alone would free the number, and the cleanup would close another's.
	if err := unix.Shutdown(l, unix.SHUT_RDWR); err != nil {
		c.t.Fatalf("stop listening: %v", err)
	}
	return client, server
}

// backlog makes a listener with a connection that nobody accepted, and one that
// has nothing to do and belongs to somebody else.
func (c *tcpScene) backlog() {
	c.t.Helper()
	idle, _ := c.listen(7)
	c.give(idle, strangerUID)
	c.note("idle listener", idle, sock.Listen)

	l, at := c.listen(7)
	client := c.stream()
	c.connect(client, at)
	c.wait("a connection to be queued", func() bool { return c.tcpQueue(l, sock.Listen).Recv == 1 })
	c.note("listener with a backlog", l, sock.Listen)
	c.note("client that waits", client, sock.Established)
	c.addKernels(c.p.String()+" connection not accepted", c.p, at, c.localOf(client), sock.Established)
}

// samePort makes two listeners whose ends are the same.
func (c *tcpScene) samePort() {
	c.t.Helper()
	at := netip.AddrPortFrom(c.lo, 0)
	for range 2 {
		l := c.stream()
		c.setInt(l, unix.SOL_SOCKET, unix.SO_REUSEPORT, 1)
		c.bind(l, at)
		at = c.localOf(l)
		if err := unix.Listen(l, 7); err != nil {
			c.t.Fatalf("listen: %v", err)
		}
		c.note("listener that shares its port", l, sock.Listen)
	}
}

// strangerUID is nobody's that the tests run as.
const strangerUID = 54321

// established makes a connection with unread data.
func (c *tcpScene) established() {
	c.t.Helper()
	client, server := c.connection()
	c.write(client, 1234)
	c.wait("data to arrive", func() bool { return c.ioctlInt(server, unix.SIOCINQ) == 1234 })
	c.give(client, strangerUID)
	c.note("client", client, sock.Established)
	c.note("server with unread data", server, sock.Established)
}

// halfClosed makes a connection of which the client has no more to say.
func (c *tcpScene) halfClosed() {
	c.t.Helper()
	client, server := c.connection()
	c.write(client, 5)
	c.finish(client)
	c.waitState(server, sock.CloseWait)
	c.note("client that has finished", client, sock.FinWait2)
	c.note("server that has not", server, sock.CloseWait)
}

// timeWait leaves a TIME_WAIT minisocket. It takes the cookie of the connection,
// if that was asked for in time.
func (c *tcpScene) timeWait() {
	c.t.Helper()
	client, server := c.connection()
	local, remote := c.localOf(client), c.localOf(server)
	cookie := c.cookie(client)
	c.finish(client)
	c.waitState(server, sock.CloseWait)
	c.finish(server)
	// The minisocket has taken over when the descriptor's own socket is closed.
	c.waitState(client, sock.Close)
	c.waitState(server, sock.Close)
	c.addKernels(c.p.String()+" minisocket", c.p, local, remote, sock.TimeWait).cookie = cookie
}

// synSent makes a connection attempt that is not answered: a full backlog drops
// the SYN (net/ipv4/tcp_input.c, tcp_conn_request). A backlog of 0 has room for one.
func (c *tcpScene) synSent() {
	c.t.Helper()
	l, at := c.listen(0)
	first := c.stream()
	c.connect(first, at)
	c.wait("a connection to be queued", func() bool { return c.tcpQueue(l, sock.Listen).Recv == 1 })
	c.note("full listener", l, sock.Listen)
	c.note("client that fills it", first, sock.Established)
	c.addKernels(c.p.String()+" connection that fills it", c.p, at, c.localOf(first), sock.Established)

	second := c.stream()
	if err := unix.SetNonblock(second, true); err != nil {
		c.t.Fatalf("set non-blocking: %v", err)
	}
	if err := unix.Connect(second, sockaddr(at)); !errors.Is(err, unix.EINPROGRESS) {
		c.t.Fatalf("connect to a full listener: %v", err)
	}
	c.note("client not answered", second, sock.SynSent).want.Remote = at // getpeername refuses
}

// synRecv makes a half-open connection: with TCP_DEFER_ACCEPT a request becomes a
// connection with the first data, though the client has been answered.
func (c *tcpScene) synRecv() {
	c.t.Helper()
	l, at := c.listen(7)
	c.setInt(l, unix.IPPROTO_TCP, unix.TCP_DEFER_ACCEPT, 120)
	client := c.stream()
	c.connect(client, at)
	c.note("deferring listener", l, sock.Listen)
	c.note("silent client", client, sock.Established)
	c.addKernels(c.p.String()+" request", c.p, at, c.localOf(client), sock.SynRecv)
}

// stuck makes a connection whose client has more to send than the server takes.
func (c *tcpScene) stuck() (client, server int) {
	c.t.Helper()
	client, server = c.connection()
	if err := unix.SetNonblock(client, true); err != nil {
		c.t.Fatalf("set non-blocking: %v", err)
	}
	chunk := make([]byte, 4096)
	for {
		_, err := unix.Write(client, chunk)
		if errors.Is(err, unix.EAGAIN) {
			return client, server
		}
		if err != nil {
			c.t.Fatalf("fill a connection: %v", err)
		}
	}
}

// finWait1 leaves a FIN waiting behind the data.
func (c *tcpScene) finWait1() {
	c.t.Helper()
	client, server := c.stuck()
	c.finish(client)
	c.note("client stuck finishing", client, sock.FinWait1)
	c.note("server that does not read", server, sock.Established)
}

// closing lets the FIN of the server, which has nothing to send, pass the one that waits.
func (c *tcpScene) closing() {
	c.t.Helper()
	client, server := c.stuck()
	c.finish(client)
	c.waitState(client, sock.FinWait1)
	c.finish(server)
	c.note("client that closes", client, sock.Closing)
	c.note("server that closes first", server, sock.FinWait2)
}

// lastAck lets the server finish before the client does.
func (c *tcpScene) lastAck() {
	c.t.Helper()
	client, server := c.stuck()
	c.finish(server)
	c.waitState(client, sock.CloseWait)
	c.finish(client)
	c.note("client that closes last", client, sock.LastAck)
	c.note("server that closed", server, sock.FinWait2)
}

// mapped makes IPv6 sockets that speak IPv4.
func (s *scene) mapped() {
	s.t.Helper()
	c := &tcpScene{s, sock.TCP6, netip.IPv6Unspecified()}
	l, at := c.listen(7)
	c.note("listener of both families", l, sock.Listen)

	old := s.socket(unix.AF_INET, unix.SOCK_STREAM, 0)
	s.connect(old, netip.AddrPortFrom(ipv4Loopback, at.Port()))
	s.add("tcp client of an IPv6 server", sock.TCP, old, sock.Established)
	c.note("server of an IPv4 client", s.accept(l), sock.Established)

	both := c.stream()
	s.connect(both, netip.AddrPortFrom(mappedLoopback, at.Port()))
	c.note("client at a mapped address", both, sock.Established)
	c.note("server at a mapped address", s.accept(l), sock.Established)

	udp := s.socket(unix.AF_INET6, unix.SOCK_DGRAM, 0)
	s.connect(udp, netip.AddrPortFrom(mappedLoopback, 9))
	s.add("udp6 at a mapped address", sock.UDP6, udp, sock.Established)
}

var mappedLoopback = netip.AddrFrom16(ipv4Loopback.As16())

// udp makes sockets of UDP or UDP-Lite.
func (s *scene) udp(p sock.Proto, lo netip.Addr) {
	s.t.Helper()
	if !s.supports(p) {
		return
	}
	family, typ, proto := kernelNumbers(p)
	server := s.socket(family, typ, proto)
	s.bind(server, netip.AddrPortFrom(lo, 0))
	client := s.socket(family, typ, proto)
	s.connect(client, s.localOf(server))
	s.write(client, 100)
	s.wait("a datagram to arrive", func() bool { return s.memQueue(server).Recv > 0 })
	s.give(server, strangerUID)
	s.add(p.String()+" server with unread data", p, server, sock.Close)
	s.add(p.String()+" client", p, client, sock.Established)

	wild := s.socket(family, typ, proto)
	s.bind(wild, netip.AddrPortFrom(unspecified(lo), 0))
	s.add(p.String()+" at any address", p, wild, sock.Close)
}

// rawProto is a protocol number for experiments (RFC 3692); rawProto-1 is another.
const rawProto = 254

// raw makes raw sockets, whose local port is their protocol. A connected one talks to itself.
func (s *scene) raw(lo netip.Addr) {
	s.t.Helper()
	p := sock.Raw
	if lo.Is6() {
		p = sock.Raw6
	}
	if !s.supports(p) {
		return
	}
	family, typ, proto := kernelNumbers(p)
	open := s.socket(family, typ, proto-1)
	s.give(open, strangerUID)
	s.add(p.String()+" unbound", p, open, sock.Close)

	fd := s.socket(family, typ, proto)
	s.bind(fd, netip.AddrPortFrom(lo, 0))
	s.connect(fd, netip.AddrPortFrom(lo, 0))
	s.write(fd, 100)
	s.wait("a packet to arrive", func() bool { return s.memQueue(fd).Recv > 0 })
	// getpeername refuses where the port of the peer is 0.
	s.add(p.String()+" connected", p, fd, sock.Established).want.Remote = netip.AddrPortFrom(lo, 0)
}
