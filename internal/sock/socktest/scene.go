// SPDX-License-Identifier: GPL-2.0-or-later

package socktest

import (
	"errors"
	"net/netip"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"netlive/internal/sock"
)

// scene is every kind of socket in every state that can be made on one machine
// without privileges over its devices.
type scene struct {
	t           *testing.T
	sockets     []*socket
	unsupported sock.ProtoSet // this kernel has no such sockets
	dir         string        // for UNIX sockets
	self        sock.Owner    // this process
}

// socket is one of the scene, with what the kernel says of it through its descriptor.
type socket struct {
	name   string
	fd     int // -1 when no file refers to it
	want   sock.Socket
	cookie uint64       // 0 when it cannot be asked for
	owners []sock.Owner // by PID; none when no file refers to it
	queue  func() sock.Queue
}

// is reports whether seen is the row of s.
func (s *socket) is(seen *sock.Socket) bool {
	if s.want.Inode != 0 {
		return s.want.Inode == seen.Inode
	}
	if seen.Inode != 0 || seen.Proto != s.want.Proto {
		return false
	}
	if s.want.Unix != nil {
		return seen.Unix != nil && seen.Unix.Path == s.want.Unix.Path
	}
	return seen.Local == s.want.Local && seen.Remote == s.want.Remote
}

// newScene makes the sockets in the network namespace of the calling thread.
func newScene(t *testing.T) *scene {
	t.Helper()
	comm, err := os.ReadFile("/proc/self/comm")
	if err != nil {
		t.Fatalf("read our own name: %v", err)
	}
	// Not t.TempDir: with the name of the test it may exceed the 108 bytes of a path.
	dir, err := os.MkdirTemp("", "netlive")
	if err != nil {
		t.Fatalf("make a directory for sockets: %v", err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	s := &scene{t: t, dir: dir, self: sock.Owner{
		PID: uint32(os.Getpid()), Comm: sock.MakeComm(strings.TrimSuffix(string(comm), "\n")),
	}}
	s.tcp(ipv4Loopback)
	s.udp(sock.UDP, ipv4Loopback)
	if s.supports(sock.UDPLite) {
		s.udp(sock.UDPLite, ipv4Loopback)
	}
	s.raw(ipv4Loopback)
	if s.supports(sock.TCP6) {
		s.tcp(ipv6Loopback)
		s.udp(sock.UDP6, ipv6Loopback)
		if s.supports(sock.UDPLite6) {
			s.udp(sock.UDPLite6, ipv6Loopback)
		}
		s.raw(ipv6Loopback)
		s.mapped()
	} else {
		s.unsupported |= sock.Protos(sock.UDP6, sock.UDPLite6, sock.Raw6)
	}
	s.unix()
	s.shared()
	return s
}

var (
	ipv4Loopback = netip.AddrFrom4([4]byte{127, 0, 0, 1})
	ipv6Loopback = netip.IPv6Loopback()
)

// add notes an inet socket: its addresses, inode and uid are asked for.
func (s *scene) add(name string, p sock.Proto, fd int, state sock.State) *socket {
	s.t.Helper()
	sk := s.addFile(name, p, fd, state)
	sk.want.Local = s.localOf(fd)
	sk.want.Remote = s.remoteOf(fd, sk.want.Local.Addr())
	sk.queue = func() sock.Queue { return s.memQueue(fd) }
	if sock.ProtosTCP.Has(p) {
		sk.queue = func() sock.Queue { return s.tcpQueue(fd, state) }
	}
	return sk
}

// addFile notes what any socket has that a file refers to.
func (s *scene) addFile(name string, p sock.Proto, fd int, state sock.State) *socket {
	s.t.Helper()
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		s.t.Fatalf("%s: stat: %v", name, err)
	}
	owner := s.self
	owner.FD = int32(fd)
	sk := &socket{
		name:   name,
		fd:     fd,
		want:   sock.Socket{Proto: p, State: state, Inode: uint32(st.Ino), UID: st.Uid},
		owners: []sock.Owner{owner},
	}
	s.sockets = append(s.sockets, sk)
	return sk
}

// addKernels notes an inet socket that only the kernel holds.
func (s *scene) addKernels(name string, p sock.Proto, local, remote netip.AddrPort, state sock.State) *socket {
	sk := &socket{name: name, fd: -1, want: sock.Socket{Proto: p, State: state, Local: local, Remote: remote}}
	s.sockets = append(s.sockets, sk)
	return sk
}

// readQueues asks for all queues and reports whether they are what they were.
func (s *scene) readQueues() (same bool) {
	same = true
	for _, sk := range s.sockets {
		if sk.queue == nil {
			continue
		}
		q := sk.queue()
		same = same && q == sk.want.Queue
		sk.want.Queue = q
	}
	return same
}

// readCookies asks for the cookies of the sockets that are still open. The kernel gives a socket its cookie
// when it is first asked for: it must be the source that asks.
func (s *scene) readCookies() {
	for _, sk := range s.sockets {
		if sk.fd >= 0 {
			sk.cookie = s.cookie(sk.fd)
		}
	}
}

func (s *scene) cookie(fd int) uint64 {
	s.t.Helper()
	cookie, err := unix.GetsockoptUint64(fd, unix.SOL_SOCKET, unix.SO_COOKIE)
	if err != nil {
		s.t.Fatalf("SO_COOKIE: %v", err)
	}
	return cookie
}

// shared makes a socket that two processes hold, and one that we hold twice.
func (s *scene) shared() {
	s.t.Helper()
	fd := s.socket(unix.AF_INET, unix.SOCK_DGRAM, 0)
	s.bind(fd, netip.AddrPortFrom(ipv4Loopback, 0))
	sk := s.add("shared with a child", sock.UDP, fd, sock.Close)

	again, err := unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		s.t.Fatalf("duplicate a socket: %v", err)
	}
	file := os.NewFile(uintptr(again), "socket")
	defer file.Close()
	child := exec.Command("cat") // holds what it inherits until its input ends
	child.ExtraFiles = []*os.File{file}
	input, err := child.StdinPipe()
	if err != nil {
		s.t.Fatalf("make a pipe: %v", err)
	}
	if err := child.Start(); err != nil {
		s.t.Fatalf("start a child: %v", err)
	}
	s.t.Cleanup(func() {
		input.Close()
		if err := child.Wait(); err != nil {
			s.t.Errorf("child: %v", err)
		}
	})
	// exec(2) is over when Start returns: the name is the child's own by now.
	sk.owners = append(sk.owners, sock.Owner{PID: uint32(child.Process.Pid), FD: 3, Comm: sock.MakeComm("cat")})
	slices.SortFunc(sk.owners, func(a, b sock.Owner) int { return int(a.PID) - int(b.PID) })

	twice := s.socket(unix.AF_INET, unix.SOCK_DGRAM, 0)
	s.bind(twice, netip.AddrPortFrom(ipv4Loopback, 0))
	s.add("held twice by us", sock.UDP, twice, sock.Close)
	// The lowest descriptor is the one to show, wherever the kernel finds the other.
	high, err := unix.FcntlInt(uintptr(twice), unix.F_DUPFD_CLOEXEC, twice+1)
	if err != nil {
		s.t.Fatalf("duplicate a socket: %v", err)
	}
	s.closeLater(high)
}

// supports reports whether the kernel has sockets of p, and notes it if not.
func (s *scene) supports(p sock.Proto) bool {
	s.t.Helper()
	family, typ, proto := kernelNumbers(p)
	fd, err := unix.Socket(family, typ|unix.SOCK_CLOEXEC, proto)
	if errors.Is(err, unix.EAFNOSUPPORT) || errors.Is(err, unix.EPROTONOSUPPORT) {
		s.unsupported |= sock.Protos(p)
		return false
	}
	if err != nil {
		s.t.Fatalf("open a %s socket: %v", p, err)
	}
	unix.Close(fd)
	return true
}

// kernelNumbers are the arguments of socket(2) for p.
func kernelNumbers(p sock.Proto) (family, typ, proto int) {
	family = unix.AF_INET
	if p.IPv6() {
		family = unix.AF_INET6
	}
	switch p {
	case sock.TCP, sock.TCP6:
		return family, unix.SOCK_STREAM, unix.IPPROTO_TCP
	case sock.UDP, sock.UDP6:
		return family, unix.SOCK_DGRAM, unix.IPPROTO_UDP
	case sock.UDPLite, sock.UDPLite6:
		return family, unix.SOCK_DGRAM, unix.IPPROTO_UDPLITE
	case sock.Raw, sock.Raw6:
		return family, unix.SOCK_RAW, rawProto
	}
	return unix.AF_UNIX, unix.SOCK_STREAM, 0
}

// patience is how long the kernel may take. It is a bound, not a delay: most
// changes are over when the call that makes them returns.
const patience = 20 * time.Second

// wait returns when done does so with true.
func (s *scene) wait(what string, done func() bool) {
	s.t.Helper()
	deadline := time.Now().Add(patience)
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for !done() {
		if time.Now().After(deadline) {
			s.t.Fatalf("waited %s for %s", patience, what)
		}
		<-tick.C
	}
}
