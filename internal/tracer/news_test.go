// SPDX-License-Identifier: GPL-2.0-or-later

package tracer

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"netlive/internal/kerneltest"
	"netlive/internal/sock"
)

// newsLimit bounds the wait for news.
const newsLimit = 20 * time.Second

// newsroom is a tracer for one namespace, opened in it as netlive is.
type newsroom struct {
	*Tracer
	t  *testing.T
	ns *kerneltest.NS
}

func openNewsroom(t *testing.T) *newsroom { return openNewsroomFor(t, 0) }

func openNewsroomFor(t *testing.T, events sock.EventSet) *newsroom {
	t.Helper()
	kerneltest.RequireRoot(t)
	n := &newsroom{t: t, ns: kerneltest.NetNS(t)}
	n.ns.Do(func() { n.Tracer = open(t, Options{NetNS: n.ns.Inode(), Table: true, Events: events}) })
	want := sock.ProtosTCP | sock.ProtosUDP | sock.ProtosUDPLite | sock.ProtosRaw | sock.ProtosSCTP
	if got := n.Announced(); got != (sock.News{Protos: want, Owners: true}) {
		t.Fatalf("announced: %+v, want %b and owners", got, want)
	}
	return n
}

// besideEvents runs a test of news for a table alone and for one that hears of all events.
func besideEvents(t *testing.T, test func(t *testing.T, n *newsroom)) {
	t.Run("alone", func(t *testing.T) { test(t, openNewsroom(t)) })
	t.Run("beside_events", func(t *testing.T) { test(t, openNewsroomFor(t, everything)) })
}

// look walks, so that holders of sockets are known, and forgets the news until now. It takes two walks until those of before are forgotten.
func (n *newsroom) look() (snap sock.Snapshot) {
	n.t.Helper()
	for range 2 {
		n.ns.Do(func() {
			var err error
			if snap, err = n.Snapshot(n.t.Context(), sock.Want{Protos: Protos, Owners: true}); err != nil {
				n.t.Fatal(err)
			}
		})
	}
	n.Stale()
	n.Active()
	return snap
}

// stale waits for news of want and of nothing else.
func (n *newsroom) stale(why string, want sock.News) {
	n.t.Helper()
	var got sock.News
	for deadline := time.Now().Add(newsLimit); time.Now().Before(deadline); {
		s := n.Stale()
		got.Protos |= s.Protos
		got.Owners = got.Owners || s.Owners
		if got.Protos&want.Protos == want.Protos && (got.Owners || !want.Owners) {
			break
		}
	}
	if got != want {
		n.t.Errorf("%s: news of %+v, want %+v", why, got, want)
	}
}

// quiet calls what makes no news.
func (n *newsroom) quiet(why string, what func()) {
	n.t.Helper()
	n.look()
	what()
	if stale, active := n.Stale(), n.Active(); stale.Any() || active&^sock.ProtosUnix != 0 {
		n.t.Errorf("%s: news of %+v, data of %b", why, stale, active)
	}
}

// holder is a shell that may hold descriptors of ours, as 3 and so on. It says a line for each command that is done.
type holder struct {
	*exec.Cmd
	t   *testing.T
	in  io.WriteCloser
	out *bufio.Reader
}

func startHolder(t *testing.T, ns *kerneltest.NS, fds ...int) *holder {
	t.Helper()
	h := &holder{Cmd: exec.Command("bash"), t: t}
	for _, fd := range fds {
		h.ExtraFiles = append(h.ExtraFiles, os.NewFile(uintptr(fd), "socket"))
	}
	var err error
	if h.in, err = h.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	out, err := h.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	h.out = bufio.NewReader(out)
	if err := ns.Start(h.Cmd); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = h.Process.Kill()
		_ = h.Wait()
	})
	return h
}

// close closes our copies of what the holder has.
func (h *holder) close() {
	for _, f := range h.ExtraFiles {
		f.Close()
	}
}

// do has the shell do something and say a word.
func (h *holder) do(command string) string {
	h.t.Helper()
	if _, err := io.WriteString(h.in, command+"\n"); err != nil {
		h.t.Fatal(err)
	}
	line, err := h.out.ReadString('\n')
	if err != nil {
		h.t.Fatalf("%s: %v", command, err)
	}
	return strings.TrimSuffix(line, "\n")
}

// fork has the shell make a child that runs the same program and does nothing. It ends with the test.
func (h *holder) fork() (pid int) {
	h.t.Helper()
	if _, err := fmt.Sscan(h.do("(kill -STOP $BASHPID) & echo $!"), &pid); err != nil {
		h.t.Fatal(err)
	}
	h.t.Cleanup(func() { _ = unix.Kill(pid, unix.SIGKILL) })
	return pid
}

func socketIn(t *testing.T, ns *kerneltest.NS, kind, protocol int) (fd int) {
	t.Helper()
	ns.Do(func() {
		var err error
		if fd, err = unix.Socket(unix.AF_INET, kind|unix.SOCK_CLOEXEC, protocol); err != nil {
			t.Fatal(err)
		}
	})
	return fd
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// listenerIn is a descriptor of a listener on loopback, and where it is.
func listenerIn(t *testing.T, ns *kerneltest.NS) (fd int, at unix.Sockaddr) {
	t.Helper()
	fd = socketIn(t, ns, unix.SOCK_STREAM, 0)
	must(t, unix.Bind(fd, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}))
	must(t, unix.Listen(fd, 8))
	at, err := unix.Getsockname(fd)
	must(t, err)
	return fd, at
}

func pids(s *sock.Socket) (list []uint32) {
	for _, o := range append([]sock.Owner{s.Owner}, s.Others...) {
		list = append(list, o.PID)
	}
	return list
}

// Fork, exec and exit of a process that holds a socket are news of owners; a walk has them then.
func TestNewsOfHolders(t *testing.T) {
	n := openNewsroom(t)
	fd, _ := listenerIn(t, n.ns)
	h := startHolder(t, n.ns, fd)
	h.close()
	h.do("echo here")
	owners := func(why string, want ...uint32) sock.Socket {
		t.Helper()
		for _, s := range n.look().Sockets {
			if s.State == sock.Listen {
				if got := pids(&s); fmt.Sprint(got) != fmt.Sprint(want) {
					t.Errorf("%s: owners %v, want %v", why, got, want)
				}
				if s.Owner.Start == 0 {
					t.Errorf("%s: nobody knows since when %+v", why, s.Owner)
				}
				return s
			}
		}
		t.Fatalf("%s: no listener", why)
		panic("unreachable")
	}
	ours := uint32(h.Process.Pid)
	first := owners("at first", ours)

	child := h.fork()
	n.stale("fork", sock.News{Owners: true})
	owners("fork", ours, uint32(child))

	must(t, unix.Kill(child, unix.SIGKILL))
	n.stale("exit", sock.News{Owners: true})
	h.do(fmt.Sprintf("wait %d; echo gone", child)) // the news comes just before its files are closed (kernel/exit.c, do_exit)
	owners("exit", ours)

	if _, err := io.WriteString(h.in, "exec cat\n"); err != nil {
		t.Fatal(err)
	}
	n.stale("exec", sock.News{Owners: true})
	if s := owners("exec", ours); s.Owner.Comm.String() != "cat" || s.Owner.Start != first.Owner.Start {
		t.Errorf("owner %+v, was %+v", s.Owner, first.Owner)
	}
}

// What processes do that hold no sockets, or sockets in other namespaces, is no news. Neither is what happens to those.
func TestNoNewsOfOthers(t *testing.T) {
	n := openNewsroom(t)
	other := kerneltest.NetNS(t)
	fd, at := listenerIn(t, n.ns) // there is something to be wrong about
	h := startHolder(t, n.ns, fd)
	h.close()
	idle := startHolder(t, n.ns)
	n.quiet("a process without sockets", func() {
		idle.do("(:); /bin/true; (exec /bin/true); echo done")
	})
	theirs, _ := listenerIn(t, other)
	foreign := startHolder(t, other, theirs)
	foreign.close()
	n.quiet("a process with sockets elsewhere", func() {
		foreign.do("(:); /bin/true; (exec /bin/true); echo done")
	})
	n.quiet("sockets elsewhere", func() {
		other.Do(func() { useSockets(t) })
	})
	// The same here is news.
	n.look()
	n.ns.Do(func() { useSockets(t) })
	n.stale("sockets here", sock.News{Protos: newsProtos[newsUDP] | newsProtos[newsRaw]})
	if active := n.Active(); active&sock.ProtosUDP == 0 || active&sock.ProtosTCP == 0 {
		t.Errorf("data of %b", active)
	}
	_ = at
}

// useSockets makes sockets, moves data and closes them, in the calling thread's namespace.
func useSockets(t *testing.T) {
	t.Helper()
	here := &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}
	for _, c := range []struct{ kind, protocol int }{{unix.SOCK_DGRAM, 0}, {unix.SOCK_DGRAM, unix.IPPROTO_UDPLITE}, {unix.SOCK_RAW, unix.IPPROTO_ICMP}} {
		fd, err := unix.Socket(unix.AF_INET, c.kind|unix.SOCK_CLOEXEC, c.protocol)
		if c.protocol == unix.IPPROTO_UDPLITE && err == unix.EPROTONOSUPPORT {
			continue // some kernels since 7.1 have none
		}
		must(t, err)
		must(t, unix.Bind(fd, here))
		if c.kind == unix.SOCK_DGRAM {
			to, err := unix.Getsockname(fd)
			must(t, err)
			must(t, unix.Sendto(fd, []byte("data"), 0, to))
		}
		must(t, unix.Close(fd))
	}
	l, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	must(t, err)
	must(t, unix.Bind(l, here))
	must(t, unix.Listen(l, 8))
	to, err := unix.Getsockname(l)
	must(t, err)
	c, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	must(t, err)
	must(t, unix.Connect(c, to))
	a, _, err := unix.Accept4(l, unix.SOCK_CLOEXEC)
	must(t, err)
	_, err = unix.Write(c, []byte("data"))
	must(t, err)
	_, err = unix.Read(a, make([]byte, 8))
	must(t, err)
	for _, fd := range []int{c, a, l} {
		must(t, unix.Close(fd))
	}
}

// That a socket of another protocol than TCP is made, bound or closed is news of its protocol alone, each time.
func TestNewsOfSockets(t *testing.T) {
	n := openNewsroom(t)
	here4, here6 := &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}, &unix.SockaddrInet6{Addr: [16]byte{15: 1}}
	for _, c := range []struct {
		name                   string
		family, kind, protocol int
		news                   int
	}{
		{"udp", unix.AF_INET, unix.SOCK_DGRAM, 0, newsUDP},
		{"udp6", unix.AF_INET6, unix.SOCK_DGRAM, 0, newsUDP},
		{"udplite", unix.AF_INET, unix.SOCK_DGRAM, unix.IPPROTO_UDPLITE, newsUDP},
		{"raw", unix.AF_INET, unix.SOCK_RAW, unix.IPPROTO_ICMP, newsRaw},
		{"raw6", unix.AF_INET6, unix.SOCK_RAW, unix.IPPROTO_ICMPV6, newsRaw},
	} {
		want := sock.News{Protos: newsProtos[c.news]}
		n.look()
		var fd int
		var err error
		n.ns.Do(func() { fd, err = unix.Socket(c.family, c.kind|unix.SOCK_CLOEXEC, c.protocol) })
		if c.protocol == unix.IPPROTO_UDPLITE && err == unix.EPROTONOSUPPORT {
			continue
		}
		must(t, err)
		n.stale(c.name+" made", want)
		switch {
		case c.kind == unix.SOCK_RAW: // has no port, and no hook for a bind
		case c.family == unix.AF_INET:
			must(t, unix.Bind(fd, here4))
			n.stale(c.name+" bound", want)
		default:
			must(t, unix.Bind(fd, here6))
			n.stale(c.name+" bound", want)
		}
		if s := n.Stale(); s.Any() {
			t.Errorf("%s: news of %+v while nothing happens", c.name, s)
		}
		must(t, unix.Close(fd))
		n.stale(c.name+" closed", want)
	}
}

// That there is something stale is told by one event, and by the next when it has been asked what.
func TestStaleIsTold(t *testing.T) {
	n := openNewsroom(t)
	n.look()
	stales := func(all []sock.Event) (count int) {
		for i := range all {
			if all[i].Kind == sock.EventStale {
				count++
			}
		}
		return count
	}
	churn := func() {
		for range 5 {
			must(t, unix.Close(socketIn(t, n.ns, unix.SOCK_DGRAM, 0)))
		}
	}
	s, err := n.Stream()
	must(t, err)
	defer s.Close()
	hung := time.AfterFunc(newsLimit, func() { _ = s.Close() })
	defer hung.Stop()
	buf := make([]sock.Event, 64)
	next := func() int {
		count := 0
		for count == 0 {
			k, err := s.Next(buf)
			must(t, err)
			count += stales(buf[:k])
		}
		return count
	}
	for n.Stale().Any() { // what look made stale
	}
	for i := range 3 {
		churn()
		if got := next(); i > 0 && got != 1 {
			t.Errorf("%d: told %d times", i, got)
		}
		churn()
		n.stale("sockets", sock.News{Protos: newsProtos[newsUDP]})
	}
}

// A connection that a second process uses is news of owners, and so is a descriptor that comes over a UNIX socket.
func TestNewsOfPassedSockets(t *testing.T) { besideEvents(t, passSockets) }

func passSockets(t *testing.T, n *newsroom) {
	l, at := listenerIn(t, n.ns)
	client := socketIn(t, n.ns, unix.SOCK_STREAM, 0)
	must(t, unix.Connect(client, at))
	server, _, err := unix.Accept4(l, unix.SOCK_CLOEXEC)
	must(t, err)
	defer unix.Close(server)
	must(t, unix.Close(l))
	first := startHolder(t, n.ns, client)
	child := startHolder(t, n.ns, client)
	first.close()
	first.do("echo one >&3; echo done")
	n.look()
	n.quiet("its owner goes on", func() { first.do("echo two >&3; echo done"); n.Active() })

	child.do("echo three >&3; echo done")
	n.stale("another uses it", sock.News{Owners: true})
	n.quiet("they take turns", func() {
		first.do("echo four >&3; echo done")
		child.do("echo five >&3; echo done")
		n.Active()
	})
	for _, s := range n.look().Sockets {
		if sa, ok := at.(*unix.SockaddrInet4); ok && int(s.Remote.Port()) == sa.Port && len(s.Others) != 1 {
			t.Errorf("owners %v", pids(&s))
		}
	}

	foreign, _ := listenerIn(t, kerneltest.NetNS(t))
	defer unix.Close(foreign)
	files := make([]int, 2)
	must(t, unix.Pipe2(files, unix.O_CLOEXEC))
	defer unix.Close(files[0])
	defer unix.Close(files[1])
	path := filepath.Join(t.TempDir(), "socket")
	named, err := net.Listen("unix", path)
	must(t, err)
	defer named.Close()
	inode, err := unix.Open(path, unix.O_PATH|unix.O_CLOEXEC, 0)
	must(t, err)
	defer unix.Close(inode)
	n.quiet("pipes, a socket's name and a socket of elsewhere were passed", func() { pass(t, files[0], foreign, inode, files[1]) })
	n.look()
	pass(t, files[0], inode, server)
	n.stale("a socket was passed", sock.News{Owners: true})
}

// pass passes descriptors to ourselves.
func pass(t *testing.T, fds ...int) {
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	must(t, err)
	defer unix.Close(pair[0])
	defer unix.Close(pair[1])
	must(t, unix.Sendmsg(pair[0], []byte{0}, unix.UnixRights(fds...), nil, 0))
	oob := make([]byte, unix.CmsgSpace(4*len(fds)))
	_, size, _, _, err := unix.Recvmsg(pair[1], make([]byte, 1), oob, unix.MSG_CMSG_CLOEXEC)
	must(t, err)
	messages, err := unix.ParseSocketControlMessage(oob[:size])
	must(t, err)
	got, err := unix.ParseUnixRights(&messages[0])
	must(t, err)
	if len(got) != len(fds) {
		t.Errorf("passed %d of %d", len(got), len(fds))
	}
	for _, fd := range got {
		must(t, unix.Close(fd))
	}
}

// Data that moves is told by its protocol.
func TestActive(t *testing.T) { besideEvents(t, moveData) }

func moveData(t *testing.T, n *newsroom) {
	udp := socketIn(t, n.ns, unix.SOCK_DGRAM, 0)
	defer unix.Close(udp)
	must(t, unix.Bind(udp, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}))
	to, err := unix.Getsockname(udp)
	must(t, err)
	l, at := listenerIn(t, n.ns)
	defer unix.Close(l)
	client := socketIn(t, n.ns, unix.SOCK_STREAM, 0)
	defer unix.Close(client)
	must(t, unix.Connect(client, at))
	inet := func() sock.ProtoSet { return n.Active() &^ sock.ProtosUnix } // UNIX sockets are everybody's: of all namespaces, but filtered
	n.look()
	if got := inet(); got != 0 {
		t.Errorf("while nothing moves: %b", got)
	}
	must(t, unix.Sendto(udp, []byte("data"), 0, to))
	if got := inet(); got != newsProtos[newsUDP] {
		t.Errorf("a datagram: %b", got)
	}
	_, err = unix.Write(client, []byte("data"))
	must(t, err)
	if got := inet(); got != newsProtos[newsTCP] {
		t.Errorf("a write: %b", got)
	}
	if got := inet(); got != 0 {
		t.Errorf("nothing since: %b", got)
	}
}
