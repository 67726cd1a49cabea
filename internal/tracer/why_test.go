// SPDX-License-Identifier: GPL-2.0-or-later

package tracer

import (
	"cmp"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"netlive/internal/kerneltest"
	"netlive/internal/sock"
)

// everything is all that trace can be asked for.
var everything = sock.Events(sock.EventListen, sock.EventOpen, sock.EventAccept, sock.EventFail, sock.EventClose,
	sock.EventRetransmit, sock.EventReset, sock.EventDrop, sock.EventOverflow, sock.EventError, sock.EventBind)

// plays are what happens to connections, and what must be told of it: a line an event in the words of say.
type play struct {
	name string
	play func(s *stage)
	want []string
}

var plays = []play{
	{"closed by the client", func(s *stage) {
		client, server := s.connection()
		s.exchange(client, server)
		s.close(client)
		s.read(server, 0)
		s.close(server)
	}, []string{
		"bind listener", "listen listener", "open client", "accept server",
		"close client fin by local sent 1000 received 50 peer", "close server fin by remote sent 50 received 1000 waited peer",
	}},
	{"closed by the server", func(s *stage) {
		client, server := s.connection()
		s.exchange(client, server)
		s.close(server)
		s.read(client, 0)
		s.close(client)
	}, []string{
		"bind listener", "listen listener", "open client", "accept server",
		"close server fin by local sent 50 received 1000 waited peer", "close client fin by remote sent 1000 received 50 peer",
	}},
	{"half closed", func(s *stage) {
		client, server := s.connection()
		s.must(unix.Shutdown(client, unix.SHUT_WR))
		s.read(server, 0)
		s.write(server, 70000)
		s.close(server)
		s.read(client, 70000)
		s.read(client, 0)
		s.close(client)
	}, []string{
		"bind listener", "listen listener", "open client", "accept server",
		"close client fin by local sent 0 received 70000 peer", "close server fin by remote sent 70000 received 0 waited peer",
	}},
	{"refused", func(s *stage) {
		s.listen()
		s.close(s.listener)
		client := s.socket("client")
		s.fails(unix.Connect(client, &s.addr), unix.ECONNREFUSED)
		s.close(client)
	}, []string{
		"bind listener", "listen listener",
		"reset - by local NO_SOCKET", "reset client by remote",
		"fail client refused by remote ECONNREFUSED", "error client ECONNREFUSED",
	}},
	{"reset by a client that does not linger", func(s *stage) {
		client, server := s.connection()
		s.exchange(client, server)
		s.must(unix.SetsockoptLinger(client, unix.SOL_SOCKET, unix.SO_LINGER, &unix.Linger{Onoff: 1}))
		s.close(client)
		_, err := unix.Read(server, make([]byte, 1))
		s.fails(err, unix.ECONNRESET)
		s.close(server)
	}, []string{
		"bind listener", "listen listener", "open client", "accept server",
		"close client reset_sent by local TCP_STATE sent 1000 received 50 peer",
		"reset client by local TCP_STATE", "error client ECONNRESET",
		"reset server by remote", "close server reset_received by remote ECONNRESET sent 50 received 1000 waited peer",
		"error server ECONNRESET",
	}},
	{"reset by a server that has not read", func(s *stage) {
		client, server := s.connection()
		s.write(client, 10)
		s.close(server)
		s.close(client)
	}, []string{
		"bind listener", "listen listener", "open client", "accept server",
		"close server reset_sent by local TCP_ABORT_ON_CLOSE sent 0 received 10 waited peer",
		"reset server by local TCP_ABORT_ON_CLOSE",
		"reset client by remote", "close client reset_received by remote ECONNRESET sent 10 received 0 peer",
		"error client ECONNRESET",
	}},
	{"disconnected", func(s *stage) {
		client, server := s.connection()
		// connect(2) to AF_UNSPEC dissolves the association, and the socket may connect again.
		s.disconnect(client)
		_, err := unix.Read(server, make([]byte, 1))
		s.fails(err, unix.ECONNRESET)
		s.close(server)
		s.must(unix.Connect(client, &s.addr))
		server, _, err = unix.Accept4(s.listener, unix.SOCK_CLOEXEC)
		s.must(err)
		s.named(server, "second")
		s.close(client)
		s.close(server)
	}, []string{
		"bind listener", "listen listener", "open client", "accept server",
		"close client reset_sent by local TCP_STATE sent 0 received 0 peer",
		"reset client by local TCP_STATE", "error client ECONNRESET",
		"reset server by remote", "close server reset_received by remote ECONNRESET sent 0 received 0 waited peer",
		"error server ECONNRESET",
		"open client", "accept second",
		"close client fin by local sent 0 received 0 peer", "close second fin by remote sent 0 received 0 waited peer",
	}},
	{"connected to itself", func(s *stage) {
		s.listen()
		s.close(s.listener)
		client := s.socket("client")
		s.must(unix.Bind(client, &s.addr))
		s.must(unix.Connect(client, &s.addr))
		s.named(s.datagram(), "datagram")
		s.write(client, 5)
		s.read(client, 5)
		s.close(client)
	}, []string{
		"bind listener", "listen listener", "bind client", "bind datagram", "open client", "drop client TCP_OLD_DATA syn-ack", "close client fin by local sent 5 received 5 peer",
	}},
	{"never accepted", func(s *stage) {
		s.listen()
		client := s.socket("client")
		s.must(unix.Connect(client, &s.addr))
		s.close(s.listener)
		_, err := unix.Read(client, make([]byte, 1))
		s.fails(err, unix.ECONNRESET)
		s.close(client)
	}, []string{
		"bind listener", "listen listener", "open client",
		"close - reset_sent by local TCP_STATE sent 0 received 0 peer", "reset - by local TCP_STATE", "error - ECONNRESET",
		"reset client by remote", "close client reset_received by remote ECONNRESET sent 0 received 0 peer", "error client ECONNRESET",
	}},
	{"bound to a device", func(s *stage) {
		s.listen()
		client := s.socket("client")
		s.must(unix.BindToDevice(client, "lo"))
		s.must(unix.Connect(client, &s.addr))
		s.close(client)
	}, []string{
		"bind listener", "listen listener", "open client dev 1", "close client dev 1 fin by local sent 0 received 0 peer",
	}},
	{"gave up", func(s *stage) {
		s.listen()
		s.must(unix.Listen(s.listener, 0))
		first, second, third := s.socket("first"), s.socket("second"), s.socket("third")
		s.must(unix.Connect(first, &s.addr))
		for _, fd := range []int{second, third} {
			s.must(unix.SetNonblock(fd, true))
		}
		s.fails(unix.Connect(second, &s.addr), unix.EINPROGRESS) // no answer: the queue takes one
		s.close(second)
	}, []string{
		"bind listener", "listen listener", "open first", "overflow listener 1 of 0 dropped 0", "fail second canceled by local",
	}},
	{"data after a close", func(s *stage) {
		client, server := s.connection()
		s.close(client)
		s.write(server, 10)
		_, err := unix.Read(server, make([]byte, 1))
		for err == nil {
			_, err = unix.Write(server, make([]byte, 1))
		}
		s.close(server)
	}, []string{
		// The socket was in FIN_WAIT2, and a minisocket by then.
		"bind listener", "listen listener", "open client", "accept server", "close client fin by local sent 0 received 0 peer",
		"reset client by local TCP_ABORT_ON_DATA", "drop client TCP_ABORT_ON_DATA data",
		"reset server by remote", "close server reset_received by remote EPIPE sent 10 received 0 waited peer", "error server EPIPE",
	}},
	{"full", func(s *stage) {
		s.listen()
		s.must(unix.Listen(s.listener, 0))
		first, second := s.socket("first"), s.socket("second")
		s.must(unix.Connect(first, &s.addr))
		s.must(unix.SetNonblock(second, true))
		s.fails(unix.Connect(second, &s.addr), unix.EINPROGRESS) // its SYN is dropped: the queue takes one
		_, _, err := unix.Accept4(s.listener, unix.SOCK_CLOEXEC)
		s.must(err)
		_, err = unix.Poll([]unix.PollFd{{Fd: int32(second), Events: unix.POLLOUT}}, 10_000) // the SYN is sent again after a second
		s.must(err)
	}, []string{
		"bind listener", "listen listener", "open first", "overflow listener 1 of 0 dropped 0", "accept -",
		"retransmit second syn", "overflow listener 1 of 0 dropped 1", "open second",
	}},
}

// lateOf is what is told instead, by the play's name, where the machine has so much to do that it leaves packets to ksoftirqd.
var lateOf = map[string][][]string{
	"data after a close": {{
		// The FIN was not acknowledged within close(2), so that the minisocket came then (net/ipv4/tcp_input.c, tcp_rcv_state_process).
		"bind listener", "listen listener", "open client", "accept server", "close client fin by local sent 0 received 0 peer",
		"reset - by local TCP_TIMEWAIT_SOCKET",
		"reset server by remote", "close server reset_received by remote EPIPE sent 10 received 0 waited peer", "error server EPIPE",
	}, {
		// Nor when the data came, so that there was no minisocket yet, and the kernel resets a whole one as if it had been told to (tcp_reset).
		"bind listener", "listen listener", "open client", "accept server",
		"reset client", "close client error by local ECONNRESET sent 0 received 0 peer", "reset client by local TCP_ABORT_ON_DATA", "drop client TCP_ABORT_ON_DATA data",
		"reset server by remote", "close server reset_received by remote EPIPE sent 10 received 0 waited peer", "error server EPIPE",
	}},
}

func TestWhy(t *testing.T) {
	kerneltest.RequireRoot(t)
	for _, p := range plays {
		t.Run(strings.ReplaceAll(p.name, " ", "_"), func(t *testing.T) {
			s := newStage(t, Options{Events: everything})
			s.ns.Do(func() { p.play(s) })
			got := s.told()
			s.compare(got, p.want, lateOf[p.name])
		})
	}
}

// Where kfree_skb names no socket, full queues are told and not what was dropped for them: a SYN that comes twice is none of it.
func TestOverflowWithoutDrops(t *testing.T) {
	kerneltest.RequireRoot(t)
	s := &stage{t: t, ns: kerneltest.NetNS(t), names: map[uint64]string{}}
	o := Options{Events: sock.Events(sock.EventOverflow), NetNS: s.ns.Inode()}
	spec, err := openSpec(o)
	s.must(err)
	spec.Programs[bpfProgWatchDrop].AttachTo = "no_such_tracepoint"
	s.tr, err = openTyped(spec, o)
	kerneltest.RequireBPF(t, err)
	t.Cleanup(func() { s.must(s.tr.Close()) })
	s.ns.Do(func() {
		play := slices.IndexFunc(plays, func(p play) bool { return p.name == "full" })
		plays[play].play(s)
	})
	s.compare(s.told(), []string{"overflow listener 1 of 0 dropped -1"}, nil)
}

// A namespace that has got the number of the one that was named is another: nothing is told of it, be the socket that it is told of known or not.
func TestNumberUsedAgain(t *testing.T) {
	kerneltest.RequireRoot(t)
	gone := kerneltest.NetNS(t)
	for _, p := range plays {
		t.Run(strings.ReplaceAll(p.name, " ", "_"), func(t *testing.T) {
			s := &stage{t: t, ns: kerneltest.NetNS(t), names: map[uint64]string{}}
			s.tr = open(t, Options{Events: everything, NetNS: s.ns.Inode(), Spaces: func() ([]Space, error) {
				return []Space{renumbered{space{NS: gone}, s.ns.Inode()}}, nil
			}})
			s.ns.Do(func() { p.play(s) })
			if got := s.told(); len(got) > 0 {
				t.Errorf("told\n%s", strings.Join(got, "\n"))
			}
		})
	}
}

// renumbered is a namespace that had another's number.
type renumbered struct {
	space
	inode uint32
}

func (r renumbered) Inode() uint32 { return r.inode }

// compare compares what was told. Of one socket it comes in the order of what happened; of two the tracepoints may be before or behind what
// they tell.
func (s *stage) compare(got, want []string, late [][]string) {
	s.t.Helper()
	again := func(line string) bool {
		return strings.HasPrefix(line, "retransmit ") || strings.Contains(line, " TCP_OLD_DATA ")
	}
	if kerneltest.InVM() && !slices.ContainsFunc(want, again) {
		got = slices.DeleteFunc(got, again) // an emulated machine may not answer within 200 ms
	}
	sorted := func(lines []string) []string {
		lines = slices.Clone(lines)
		slices.SortStableFunc(lines, bySocket)
		return lines
	}
	got, want = sorted(got), sorted(want)
	if !slices.Equal(got, want) && !slices.ContainsFunc(late, func(other []string) bool { return slices.Equal(got, sorted(other)) }) {
		s.t.Errorf("told\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func bySocket(a, b string) int {
	return cmp.Compare(strings.Fields(a)[1], strings.Fields(b)[1])
}

type stage struct {
	t        *testing.T
	ns       *kerneltest.NS
	tr       *Tracer
	listener int
	addr     unix.SockaddrInet4
	names    map[uint64]string
}

func newStage(t *testing.T, o Options) *stage {
	s := &stage{t: t, ns: kerneltest.NetNS(t), names: map[uint64]string{}}
	o.NetNS = s.ns.Inode()
	o.Spaces = func() ([]Space, error) { return []Space{space{s.ns, nil}}, nil }
	s.tr = open(t, o)
	if lacks := s.tr.Lacks(); lacks != 0 {
		t.Fatalf("this kernel should tell of all, and lacks %b", lacks)
	}
	if err := s.tr.SeedOwners(t.Context()); err != nil {
		t.Fatal(err)
	}
	return s
}

func (s *stage) must(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}

func (s *stage) named(fd int, name string) int {
	s.t.Helper()
	cookie, err := unix.GetsockoptUint64(fd, unix.SOL_SOCKET, unix.SO_COOKIE)
	s.must(err)
	s.names[cookie] = name
	return fd
}

func (s *stage) socket(name string) int {
	s.t.Helper()
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	s.must(err)
	return s.named(fd, name)
}

// datagram binds a UDP socket.
func (s *stage) datagram() int {
	s.t.Helper()
	fd, err := unix.Socket(unix.AF_INET6, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	s.must(err)
	s.must(unix.Bind(fd, &unix.SockaddrInet6{Addr: [16]byte{15: 1}}))
	return fd
}

func (s *stage) listen() {
	s.t.Helper()
	s.listener = s.socket("listener")
	s.must(unix.Bind(s.listener, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}))
	s.must(unix.Listen(s.listener, 8))
	sa, err := unix.Getsockname(s.listener)
	s.must(err)
	s.addr = *sa.(*unix.SockaddrInet4)
}

func (s *stage) connection() (client, server int) {
	s.t.Helper()
	s.listen()
	client = s.socket("client")
	s.must(unix.Connect(client, &s.addr))
	server, _, err := unix.Accept4(s.listener, unix.SOCK_CLOEXEC)
	s.must(err)
	return client, s.named(server, "server")
}

func (s *stage) write(fd, n int) {
	s.t.Helper()
	_, err := unix.Write(fd, make([]byte, n))
	s.must(err)
}

func (s *stage) read(fd, n int) {
	s.t.Helper()
	b := make([]byte, max(n, 1))
	for at := 0; at < max(n, 1); {
		m, err := unix.Read(fd, b[at:])
		s.must(err)
		if m == 0 {
			if at != n {
				s.t.Fatalf("read %d bytes of %d", at, n)
			}
			return
		}
		at += m
		if at == n {
			return
		}
	}
}

// exchange sends 1000 bytes there and 50 back.
func (s *stage) exchange(client, server int) {
	s.t.Helper()
	s.write(client, 1000)
	s.read(server, 1000)
	s.write(server, 50)
	s.read(client, 50)
}

func (s *stage) fails(err, want error) {
	s.t.Helper()
	if err != want {
		s.t.Fatalf("error %v, want %v", err, want)
	}
}

func (s *stage) disconnect(fd int) {
	s.t.Helper()
	unspec := unix.RawSockaddr{Family: unix.AF_UNSPEC}
	if _, _, e := unix.Syscall(unix.SYS_CONNECT, uintptr(fd), uintptr(unsafe.Pointer(&unspec)), unsafe.Sizeof(unspec)); e != 0 {
		s.t.Fatal(e)
	}
}

func (s *stage) close(fd int) {
	s.t.Helper()
	s.must(unix.Close(fd))
}

// told are the events so far.
func (s *stage) told() (lines []string) {
	s.t.Helper()
	s.hear(func(e *sock.Event) { lines = append(lines, s.say(e)) })
	return lines
}

// hear calls do with each of the events so far.
func (s *stage) hear(do func(*sock.Event)) {
	s.t.Helper()
	stream, err := s.tr.Stream()
	s.must(err)
	defer func() { s.must(stream.Close()) }()
	time.Sleep(50 * time.Millisecond)
	s.must(stream.Finish())
	buf := make([]sock.Event, 64)
	for {
		n, err := stream.Next(buf)
		if err == os.ErrClosed {
			return
		}
		s.must(err)
		for i := range buf[:n] {
			do(&buf[i])
		}
	}
}

// say says of an event what does not depend on time.
func (s *stage) say(e *sock.Event) string {
	words := []string{e.Kind.String(), cmp.Or(s.names[e.Socket.ID.Cookie()], "-")}
	add := func(ok bool, format string, args ...any) {
		if ok {
			words = append(words, fmt.Sprintf(format, args...))
		}
	}
	add(e.Socket.Dev != 0, "dev %d", e.Socket.Dev)
	d := e.Detail
	if d == nil {
		return strings.Join(words, " ")
	}
	life := e.Kind == sock.EventFail || e.Kind == sock.EventClose
	add(life, "%v", d.End)
	add(d.By != 0, "by %v", d.By)
	add(d.Errno != 0, "%s", unix.ErrnoName(unix.Errno(d.Errno)))
	add(d.Reason != "", "%s", d.Reason)
	add(d.Segment != 0, "%v", d.Segment)
	if e.Kind == sock.EventOverflow {
		add(true, "%d of %d dropped %d", d.Backlog, d.MaxBacklog, d.Dropped)
	}
	if e.Kind == sock.EventClose {
		add(true, "sent %d received %d", d.BytesSent, d.BytesReceived)
		add(d.AcceptWait >= 0, "waited")
		add(d.Peer.Known(), "peer")
		add(d.Signal != 0, "signal %d", d.Signal)
	}
	return strings.Join(words, " ")
}
