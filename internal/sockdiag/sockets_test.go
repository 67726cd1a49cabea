// SPDX-License-Identifier: GPL-2.0-or-later

package sockdiag

import (
	"net/netip"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"netlive/internal/kerneltest"
	"netlive/internal/sock"
)

// An end is a TCP socket of a test.
type end struct {
	t  testing.TB
	fd int
}

func (e end) check(what string, err error) {
	e.t.Helper()
	if err != nil {
		e.t.Fatalf("%s: %v", what, err)
	}
}

// newEnd makes a socket in the calling thread's namespace.
func newEnd(t testing.TB, family int) end {
	t.Helper()
	fd, err := unix.Socket(family, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	e := end{t, fd}
	e.check("socket", err)
	t.Cleanup(func() { _ = unix.Close(fd) })
	return e
}

// listener listens on address and a port of the kernel's choice.
func listener(t testing.TB, address string, backlog int) end {
	t.Helper()
	a := netip.MustParseAddrPort(address)
	e := newEnd(t, family(a))
	e.check("bind", unix.Bind(e.fd, sockaddr(a)))
	e.check("listen", unix.Listen(e.fd, backlog))
	return e
}

func family(a netip.AddrPort) int {
	if a.Addr().Is4() {
		return unix.AF_INET
	}
	return unix.AF_INET6
}

func sockaddr(a netip.AddrPort) unix.Sockaddr {
	if a.Addr().Is4() {
		return &unix.SockaddrInet4{Port: int(a.Port()), Addr: a.Addr().As4()}
	}
	return &unix.SockaddrInet6{Port: int(a.Port()), Addr: a.Addr().As16()}
}

func addrPort(sa unix.Sockaddr) netip.AddrPort {
	switch sa := sa.(type) {
	case *unix.SockaddrInet4:
		return netip.AddrPortFrom(netip.AddrFrom4(sa.Addr), uint16(sa.Port))
	case *unix.SockaddrInet6:
		return netip.AddrPortFrom(netip.AddrFrom16(sa.Addr), uint16(sa.Port))
	}
	return netip.AddrPort{}
}

// connect connects a new socket to l. It must be called in the namespace of l.
func connect(l end) end {
	l.t.Helper()
	to := l.local()
	c := newEnd(l.t, family(to))
	c.check("connect", unix.Connect(c.fd, sockaddr(to)))
	return c
}

func (e end) accept() end {
	e.t.Helper()
	fd, _, err := unix.Accept4(e.fd, unix.SOCK_CLOEXEC)
	e.check("accept", err)
	e.t.Cleanup(func() { _ = unix.Close(fd) })
	return end{e.t, fd}
}

func (e end) local() netip.AddrPort {
	e.t.Helper()
	sa, err := unix.Getsockname(e.fd)
	e.check("getsockname", err)
	return addrPort(sa)
}

// socket is the end as a source would tell it.
func (e end) socket() *sock.Socket {
	e.t.Helper()
	s := &sock.Socket{Proto: sock.TCP, State: sock.Established, Local: e.local()}
	cookie, err := unix.GetsockoptUint64(e.fd, unix.SOL_SOCKET, unix.SO_COOKIE)
	e.check("SO_COOKIE", err)
	s.ID = sock.ID(cookie)
	if !s.Local.Addr().Is4() {
		s.Proto = sock.TCP6
	}
	if sa, err := unix.Getpeername(e.fd); err == nil {
		s.Remote = addrPort(sa)
	} else {
		s.State = sock.Listen
		s.Remote = netip.AddrPortFrom(netip.IPv4Unspecified(), 0)
		if s.Proto == sock.TCP6 {
			s.Remote = netip.AddrPortFrom(netip.IPv6Unspecified(), 0)
		}
	}
	var st unix.Stat_t
	e.check("fstat", unix.Fstat(e.fd, &st))
	s.Inode = uint32(st.Ino)
	return s
}

func (e end) set(level, option, value int) {
	e.t.Helper()
	e.check("setsockopt", unix.SetsockoptInt(e.fd, level, option, value))
}

// move writes n bytes at one end and reads them at the other.
func (e end) move(to end, n int) {
	e.t.Helper()
	b := make([]byte, min(n, 64<<10))
	for n > 0 {
		wrote, err := unix.Write(e.fd, b[:min(n, len(b))])
		e.check("write", err)
		n -= wrote
		for wrote > 0 {
			read, err := unix.Read(to.fd, b[:min(wrote, len(b))])
			e.check("read", err)
			wrote -= read
		}
	}
}

// open opens a Conn in ns.
func open(t testing.TB, ns *kerneltest.NS) (c *Conn) {
	t.Helper()
	ns.Do(func() {
		var err error
		if c, err = Open(); err != nil {
			t.Fatal(err)
		}
	})
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
	return c
}

func (c *Conn) mustGet(t testing.TB, e end) Info {
	t.Helper()
	var i Info
	if err := c.Get(e.socket(), &i); err != nil {
		t.Fatalf("get: %v", err)
	}
	return i
}

// await waits until ok, which is what the kernel does by itself in a moment.
func await(t testing.TB, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); !ok(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%s: not within 30 s", what)
		}
	}
}
