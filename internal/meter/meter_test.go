// SPDX-License-Identifier: GPL-2.0-or-later

package meter

import (
	"context"
	"net"
	"net/netip"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"netlive/internal/kerneltest"
	"netlive/internal/sock"
	"netlive/internal/sockdiag"
)

// lab is a Meter in a namespace, with a clock that goes on when told to.
type lab struct {
	*Meter
	t     testing.TB
	ns    *kerneltest.NS
	clock atomic.Int64
	// opened counts the connections made.
	opened int
}

func newLab(t testing.TB) *lab {
	t.Helper()
	l := &lab{t: t, ns: kerneltest.NetNS(t)}
	l.clock.Store(int64(time.Hour))
	l.Meter = New(Config{
		Interval: time.Second,
		Now:      func() sock.Stamp { return sock.Stamp(l.clock.Load()) },
		Open: func(uint32) (c *sockdiag.Conn, err error) {
			l.ns.Do(func() { c, err = sockdiag.Open() })
			l.opened++
			return c, err
		},
	})
	t.Cleanup(func() { l.leave(func(*space) bool { return false }) })
	return l
}

func (l *lab) pass(d time.Duration) { l.clock.Add(int64(d)) }

// tick is what Run does at an interval: the clock is a second further. It reports whether there was a round.
func (l *lab) tick() bool {
	l.pass(time.Second)
	if !l.due() {
		return false
	}
	l.sample(context.Background(), true)
	return true
}

// now is what Run does about what is fresh.
func (l *lab) now() { l.sample(context.Background(), false) }

func (l *lab) get(s sock.Socket) Reading {
	l.t.Helper()
	r, ok := l.Get(s.ID)
	if !ok {
		l.t.Fatalf("no reading of %d %v %v", s.ID, s.Local, s.Remote)
	}
	return r
}

type pair struct {
	listener       *net.TCPListener
	client, server *net.TCPConn
}

func (l *lab) pair(address string) (p pair) {
	l.t.Helper()
	l.ns.Do(func() {
		var config net.ListenConfig
		config.SetMultipathTCP(false) // its socket is another than that which listens by TCP
		listener, err := config.Listen(context.Background(), "tcp", address)
		if err != nil {
			l.t.Fatal(err)
		}
		p.listener = listener.(*net.TCPListener)
		client, err := net.Dial("tcp", listener.Addr().String())
		if err != nil {
			l.t.Fatal(err)
		}
		p.client = client.(*net.TCPConn)
	})
	server, err := p.listener.AcceptTCP()
	if err != nil {
		l.t.Fatal(err)
	}
	p.server = server
	l.t.Cleanup(func() { p.listener.Close(); p.client.Close(); p.server.Close() })
	return p
}

// move writes n bytes at the client, reads them at the server, and waits until that is known to the client.
func (p pair) move(t testing.TB, n int) {
	t.Helper()
	if _, err := p.client.Write(make([]byte, n)); err != nil {
		t.Fatal(err)
	}
	for b := make([]byte, n); n > 0; {
		got, err := p.server.Read(b)
		if err != nil {
			t.Fatal(err)
		}
		n -= got
	}
	await(t, "acknowledged", func() (rests bool) {
		control(t, p.client, func(fd int) {
			left, err := unix.IoctlGetInt(fd, unix.SIOCOUTQ)
			rests = err == nil && left == 0
		})
		return rests
	})
}

func await(t testing.TB, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); !ok(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%s: not within 30 s", what)
		}
	}
}

func control(t testing.TB, c syscall.Conn, f func(fd int)) {
	t.Helper()
	raw, err := c.SyscallConn()
	if err == nil {
		err = raw.Control(func(fd uintptr) { f(int(fd)) })
	}
	if err != nil {
		t.Fatal(err)
	}
}

// socket is c as a source would tell it.
func socket(t testing.TB, c syscall.Conn) (s sock.Socket) {
	t.Helper()
	control(t, c, func(fd int) {
		cookie, err := unix.GetsockoptUint64(fd, unix.SOL_SOCKET, unix.SO_COOKIE)
		if err != nil {
			t.Fatal(err)
		}
		var st unix.Stat_t
		if err := unix.Fstat(fd, &st); err != nil {
			t.Fatal(err)
		}
		s.ID, s.Inode = sock.ID(cookie), uint32(st.Ino)
	})
	s.Proto, s.State = sock.TCP, sock.Established
	switch c := c.(type) {
	case *net.TCPConn:
		s.Local, s.Remote = ends(c.LocalAddr()), ends(c.RemoteAddr())
	case *net.TCPListener:
		s.State, s.Local, s.Remote = sock.Listen, ends(c.Addr()), netip.AddrPortFrom(netip.IPv4Unspecified(), 0)
	}
	if s.Local.Addr().Is6() {
		s.Proto = sock.TCP6
	}
	return s
}

func ends(a net.Addr) netip.AddrPort {
	p := a.(*net.TCPAddr).AddrPort()
	return netip.AddrPortFrom(p.Addr().Unmap(), p.Port())
}
