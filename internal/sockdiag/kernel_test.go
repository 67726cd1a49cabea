// SPDX-License-Identifier: GPL-2.0-or-later

package sockdiag

import (
	"context"
	"errors"
	"net/netip"
	"os"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"netlive/internal/kerneltest"
	"netlive/internal/sock"
)

// Bytes are counted exactly, for each family and for IPv4 on an IPv6 socket.
func TestGet(t *testing.T) {
	kerneltest.NoLeaks(t)
	ns := kerneltest.NetNS(t)
	c := open(t, ns) // used on other threads, which are in another namespace
	for _, address := range []string{"127.0.0.1:0", "[::1]:0", "[::ffff:127.0.0.1]:0"} {
		t.Run(address, func(t *testing.T) {
			var client, server end
			ns.Do(func() {
				l := listener(t, address, 8)
				client, server = connect(l), l.accept()
			})
			client.move(server, 300_000)
			server.move(client, 12_345)
			await(t, "all is acknowledged", func() bool { return c.mustGet(t, client).SendQ == 0 && c.mustGet(t, server).SendQ == 0 })
			i := c.mustGet(t, client)
			for _, f := range []struct {
				name      string
				got, want int64
			}{
				{"state", int64(i.State), int64(sock.Established)},
				{"sent", i.Sent(), 300_000},
				{"received", i.Received(), 12_345},
				{"received there", ptr(c.mustGet(t, server)).Received(), 300_000},
				{"sent there", ptr(c.mustGet(t, server)).Sent(), 12_345},
				{"id", int64(i.ID), int64(client.socket().ID)},
				{"inode", int64(i.Inode), int64(client.socket().Inode)},
				{"uid", int64(i.UID), int64(os.Geteuid())},
				{"receive queue", i.RecvQ, 0},
				{"not sent", i.NotsentBytes, 0},
				{"shutdown", int64(i.Shutdown), 0},
			} {
				if f.got != f.want {
					t.Errorf("%s: %d, want %d", f.name, f.got, f.want)
				}
			}
			if i.RTT <= 0 || i.MinRTT <= 0 || i.Cwnd <= 0 || i.SndMSS <= 0 || i.SkMem.RcvBuf <= 0 || i.SegsOut <= 0 || i.RTO <= 0 {
				t.Errorf("not known: %+v", i)
			}
			if name, err := unix.GetsockoptString(client.fd, unix.IPPROTO_TCP, unix.TCP_CONGESTION); err != nil || i.CongestionControl.String() != name {
				t.Errorf("congestion control %q, want %q (%v)", i.CongestionControl, name, err)
			}
			if _, err := unix.Write(client.fd, []byte("four")); err != nil {
				t.Fatal(err)
			}
			await(t, "receive queue", func() bool { return c.mustGet(t, server).RecvQ == 4 })
			client.check("shutdown", unix.Shutdown(client.fd, unix.SHUT_WR))
			await(t, "the FIN", func() bool { return c.mustGet(t, server).State == sock.CloseWait })
			if i := c.mustGet(t, server); i.Received() != 300_004 || i.BytesReceived != 300_005 {
				t.Errorf("received %d of %d with the FIN, want 300004 and 300005", i.Received(), i.BytesReceived)
			}
		})
	}
}

func ptr[T any](v T) *T { return &v }

// A listener's queues are connections, and the rest is not known: not 0.
func TestListener(t *testing.T) {
	ns := kerneltest.NetNS(t)
	c := open(t, ns)
	for _, address := range []string{"127.0.0.1:0", "0.0.0.0:0", "[::1]:0", "[::]:0"} {
		var l end
		ns.Do(func() {
			l = listener(t, address, 17)
			for range 3 {
				connect(l)
			}
		})
		await(t, "three wait", func() bool { return c.mustGet(t, l).RecvQ == 3 })
		i := c.mustGet(t, l)
		if i.State != sock.Listen || i.SendQ != 17 || i.RTT >= 0 || i.BytesSent >= 0 || i.Cwnd >= 0 || i.Sent() >= 0 || i.Received() >= 0 || i.Options >= 0 {
			t.Errorf("%s: %+v", address, i)
		}
		// One that is bound to an address takes no other family either (net/ipv6/af_inet6.c, __inet6_bind).
		if want := map[string]int8{"[::1]:0": 1, "[::]:0": 0}; strings.HasPrefix(address, "[") && i.V6Only != want[address] {
			t.Errorf("%s: V6Only %d", address, i.V6Only)
		}
		l.accept()
		if n := c.mustGet(t, l).RecvQ; n != 2 {
			t.Errorf("%s: %d wait, want 2", address, n)
		}
	}
}

// What is not there is ErrGone, be it that another has its ends now.
func TestGone(t *testing.T) {
	ns := kerneltest.NetNS(t)
	c := open(t, ns)
	var client, l end
	ns.Do(func() {
		l = listener(t, "127.0.0.1:0", 8)
		client = connect(l)
		l.accept()
	})
	s := client.socket()
	i := Info{Cwnd: 7}
	for name, change := range map[string]func(s *sock.Socket){
		"cookie":            func(s *sock.Socket) { s.ID++ },
		"port":              func(s *sock.Socket) { s.Remote = netip.AddrPortFrom(s.Remote.Addr(), s.Remote.Port()+1) },
		"inode, no cookie":  func(s *sock.Socket) { s.ID = sock.LocalID | 1; s.Inode++ },
		"listener's cookie": func(s *sock.Socket) { *s = *l.socket(); s.ID++ },
		"family":            func(s *sock.Socket) { s.Proto = sock.TCP6 },
		"local addr, listens": func(s *sock.Socket) {
			*s = *l.socket()
			s.ID = sock.LocalID
			s.Local = netip.AddrPortFrom(s.Remote.Addr(), s.Local.Port())
		},
	} {
		other := *s
		change(&other)
		if err := c.Get(&other, &i); err != ErrGone || i.Cwnd != -1 {
			t.Errorf("%s: %v, cwnd %d", name, err, i.Cwnd)
		}
		if err := c.Find(&other, &i); err != ErrGone {
			t.Errorf("find, %s: %v", name, err)
		}
	}
	s.ID, s.Inode = sock.LocalID|1, 0
	if err := c.Get(s, &i); err != nil || i.ID != client.socket().ID {
		t.Errorf("by its ends: %v, %d", err, i.ID)
	}
	s = client.socket()
	client.check("shutdown", unix.Shutdown(client.fd, unix.SHUT_RDWR))
	client.check("linger", unix.SetsockoptLinger(client.fd, unix.SOL_SOCKET, unix.SO_LINGER, &unix.Linger{Onoff: 1}))
	client.check("close", unix.Dup3(l.fd, client.fd, unix.O_CLOEXEC)) // the number stays taken
	if err := c.Get(s, &i); err != ErrGone {
		t.Errorf("closed: %v", err)
	}
}

// Why there is no Conn is an error that callers can ask.
func TestRefused(t *testing.T) {
	var before unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &before); err != nil {
		t.Fatal(err)
	}
	if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &unix.Rlimit{Cur: 0, Max: before.Max}); err != nil {
		t.Fatal(err)
	}
	_, err := Open()
	if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &before); err != nil {
		t.Fatal(err)
	}
	if !errors.Is(err, unix.EMFILE) || !strings.HasPrefix(err.Error(), "sockdiag: open: ") {
		t.Errorf("%v", err)
	}
	lacks := unsupported{unix.ENOENT}
	if !errors.Is(lacks, errors.ErrUnsupported) || !errors.Is(lacks, unix.ENOENT) || lacks.Error() != unix.ENOENT.Error() {
		t.Errorf("%v", lacks)
	}
}

// A minisocket has the connection's cookie, and no more than its ends and its timer.
func TestTimeWait(t *testing.T) {
	ns := kerneltest.NetNS(t)
	c := open(t, ns)
	var client, server end
	ns.Do(func() {
		l := listener(t, "127.0.0.1:0", 8)
		client, server = connect(l), l.accept()
	})
	s := client.socket()
	client.check("shutdown", unix.Shutdown(client.fd, unix.SHUT_WR))
	server.check("shutdown", unix.Shutdown(server.fd, unix.SHUT_WR))
	var i Info
	await(t, "TIME_WAIT", func() bool { return c.Get(s, &i) == nil && i.State == sock.TimeWait })
	if i.ID != s.ID || i.Timer != TimerTimeWait || i.TimerExpires <= 0 || i.Cwnd >= 0 || i.Received() >= 0 {
		t.Errorf("%+v", i)
	}
}

// A socket that is bound to an interface, and one of several that share a port.
func TestFind(t *testing.T) {
	ns := kerneltest.NetNS(t)
	c := open(t, ns)
	var bound end
	var shared []end
	ns.Do(func() {
		l := listener(t, "127.0.0.1:0", 8)
		bound = newEnd(t, unix.AF_INET)
		bound.check("SO_BINDTODEVICE", unix.BindToDevice(bound.fd, "lo"))
		bound.check("connect", unix.Connect(bound.fd, sockaddr(l.local())))
		address := netip.MustParseAddrPort("127.0.0.1:7777")
		for range 8 {
			l := newEnd(t, unix.AF_INET)
			l.set(unix.SOL_SOCKET, unix.SO_REUSEPORT, 1)
			l.check("bind", unix.Bind(l.fd, sockaddr(address)))
			l.check("listen", unix.Listen(l.fd, 8))
			shared = append(shared, l)
		}
	})
	s := bound.socket()
	var i Info
	if err := c.Get(s, &i); err != ErrGone {
		t.Errorf("get without its interface: %v", err)
	}
	if err := c.Find(s, &i); err != nil || i.Iface != 1 || i.ID != s.ID || i.CongestionControl == (Name{}) {
		t.Errorf("find: %v, %+v", err, i)
	}
	s.Dev = i.Iface
	if err := c.Get(s, &i); err != nil || i.ID != s.ID {
		t.Errorf("get with its interface: %v", err)
	}
	for n, l := range shared {
		if got := c.mustGet(t, l); got.ID != l.socket().ID {
			t.Errorf("listener %d: %d", n, got.ID)
		}
		s := l.socket()
		s.ID = sock.LocalID // by its inode
		if err := c.Get(s, &i); err != nil || i.ID != l.socket().ID {
			t.Errorf("listener %d without its cookie: %v, %d", n, err, i.ID)
		}
	}
	s = bound.socket()
	if err := c.Destroy(s); err != nil {
		t.Errorf("destroy the bound one: %v", err)
	}
	for n, l := range shared {
		s := l.socket()
		if err := c.Destroy(s); err != nil {
			t.Errorf("destroy listener %d: %v", n, err)
		}
		if err := c.Get(s, &i); err != ErrGone {
			t.Errorf("listener %d after that: %v", n, err)
		}
	}
}

func TestDestroy(t *testing.T) {
	ns := kerneltest.NetNS(t)
	c := open(t, ns)
	var client, server end
	ns.Do(func() {
		l := listener(t, "127.0.0.1:0", 8)
		client, server = connect(l), l.accept()
	})
	for name, id := range map[string]sock.ID{"none": 0, "made": sock.LocalID | 5} {
		s := *client.socket()
		s.ID = id
		if err := c.Destroy(&s); !errors.Is(err, ErrNoCookie) {
			t.Errorf("%s: %v", name, err)
		}
	}
	s := client.socket()
	other := *s
	other.ID++
	if err := c.Destroy(&other); err != ErrGone {
		t.Errorf("another cookie: %v", err)
	}
	if err := c.Destroy(s); err != nil {
		t.Fatal(err)
	}
	if _, err := unix.Read(client.fd, make([]byte, 1)); err != unix.ECONNABORTED {
		t.Errorf("its process got %v", err)
	}
	if _, err := unix.Read(server.fd, make([]byte, 1)); err != unix.ECONNRESET {
		t.Errorf("the other side got %v", err)
	}
	if err := c.Destroy(s); err != ErrGone {
		t.Errorf("twice: %v", err)
	}
}

// unprivileged runs f with no capability in force. The goroutine must be bound to its thread.
func unprivileged(t *testing.T, f func()) {
	t.Helper()
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var had, none [2]unix.CapUserData
	err := unix.Capget(&header, &had[0])
	if none = had; err == nil {
		none[0].Effective, none[1].Effective = 0, 0
		err = unix.Capset(&header, &none[0])
	}
	if err != nil {
		t.Fatalf("drop capabilities: %v", err)
	}
	defer func() {
		if err := unix.Capset(&header, &had[0]); err != nil {
			t.Errorf("take capabilities again: %v", err)
		}
	}()
	f()
}

// Reading needs no privilege; only the mark is not told.
func TestUnprivileged(t *testing.T) {
	ns := kerneltest.NetNS(t)
	root := open(t, ns)
	var client end
	ns.Do(func() {
		l := listener(t, "127.0.0.1:0", 8)
		client = connect(l)
	})
	client.set(unix.SOL_SOCKET, unix.SO_MARK, 4711)
	if i := root.mustGet(t, client); i.Mark != 4711 {
		t.Errorf("mark %d", i.Mark)
	}
	ns.Do(func() {
		unprivileged(t, func() {
			c, err := Open()
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			if i := c.mustGet(t, client); i.Mark != -1 || i.RTT <= 0 {
				t.Errorf("%+v", i)
			}
			n := 0
			if err := c.Dump(context.Background(), sock.ProtosTCP, func(sock.ID, netip.AddrPort, netip.AddrPort, *Info) { n++ }); err != nil || n != 3 {
				t.Errorf("%d sockets: %v", n, err)
			}
			if err := c.Destroy(client.socket()); !errors.Is(err, os.ErrPermission) || !strings.HasPrefix(err.Error(), "sockdiag: destroy: ") {
				t.Errorf("destroy: %v", err)
			}
			if err := c.Get(client.socket(), new(Info)); err != nil {
				t.Errorf("closed without privilege: %v", err)
			}
		})
	})
}
