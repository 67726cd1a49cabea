// SPDX-License-Identifier: GPL-2.0-or-later

package socktest

import (
	"errors"
	"net/netip"
	"unsafe"

	"golang.org/x/sys/unix"

	"netlive/internal/sock"
)

// The system calls of the scene. Each ends the test when it fails.

func (s *scene) socket(family, typ, proto int) int {
	s.t.Helper()
	fd, err := unix.Socket(family, typ|unix.SOCK_CLOEXEC, proto)
	if err != nil {
		s.t.Fatalf("open a socket: %v", err)
	}
	s.closeLater(fd)
	return fd
}

func (s *scene) closeLater(fd int) { s.t.Cleanup(func() { unix.Close(fd) }) }

func (s *scene) bind(fd int, to netip.AddrPort) {
	s.t.Helper()
	if err := unix.Bind(fd, sockaddr(to)); err != nil {
		s.t.Fatalf("bind to %s: %v", to, err)
	}
}

func (s *scene) connect(fd int, to netip.AddrPort) {
	s.t.Helper()
	if err := unix.Connect(fd, sockaddr(to)); err != nil {
		s.t.Fatalf("connect to %s: %v", to, err)
	}
}

func (s *scene) accept(fd int) int {
	s.t.Helper()
	conn, _, err := unix.Accept4(fd, unix.SOCK_CLOEXEC)
	if err != nil {
		s.t.Fatalf("accept: %v", err)
	}
	s.closeLater(conn)
	return conn
}

func (s *scene) write(fd int, n int) {
	s.t.Helper()
	if m, err := unix.Write(fd, make([]byte, n)); m != n || err != nil {
		s.t.Fatalf("wrote %d bytes of %d: %v", m, n, err)
	}
}

// finish sends a FIN and keeps the descriptor.
func (s *scene) finish(fd int) {
	s.t.Helper()
	if err := unix.Shutdown(fd, unix.SHUT_WR); err != nil {
		s.t.Fatalf("shutdown: %v", err)
	}
}

func (s *scene) setInt(fd, level, opt, value int) {
	s.t.Helper()
	if err := unix.SetsockoptInt(fd, level, opt, value); err != nil {
		s.t.Fatalf("set option %d of level %d: %v", opt, level, err)
	}
}

// give makes uid the owner of the socket: fchown(2) sets sk_uid too (net/socket.c, sockfs_setattr).
func (s *scene) give(fd, uid int) {
	s.t.Helper()
	if err := unix.Fchown(fd, uid, -1); err != nil {
		s.t.Fatalf("give a socket to uid %d: %v", uid, err)
	}
}

func (s *scene) localOf(fd int) netip.AddrPort {
	s.t.Helper()
	sa, err := unix.Getsockname(fd)
	if err != nil {
		s.t.Fatalf("getsockname: %v", err)
	}
	return addrPort(sa)
}

// remoteOf is port 0 of the unspecified address for a socket that has no peer:
// the fields of the kernel's struct sock are zero then.
func (s *scene) remoteOf(fd int, local netip.Addr) netip.AddrPort {
	s.t.Helper()
	sa, err := unix.Getpeername(fd)
	if errors.Is(err, unix.ENOTCONN) {
		return netip.AddrPortFrom(unspecified(local), 0)
	}
	if err != nil {
		s.t.Fatalf("getpeername: %v", err)
	}
	return addrPort(sa)
}

func unspecified(like netip.Addr) netip.Addr {
	if like.Is4() {
		return netip.IPv4Unspecified()
	}
	return netip.IPv6Unspecified()
}

func sockaddr(ap netip.AddrPort) unix.Sockaddr {
	if ap.Addr().Is4() {
		return &unix.SockaddrInet4{Port: int(ap.Port()), Addr: ap.Addr().As4()}
	}
	return &unix.SockaddrInet6{Port: int(ap.Port()), Addr: ap.Addr().As16()}
}

// addrPort keeps an IPv4-mapped address mapped.
func addrPort(sa unix.Sockaddr) netip.AddrPort {
	switch sa := sa.(type) {
	case *unix.SockaddrInet4:
		return netip.AddrPortFrom(netip.AddrFrom4(sa.Addr), uint16(sa.Port))
	case *unix.SockaddrInet6:
		return netip.AddrPortFrom(netip.AddrFrom16(sa.Addr), uint16(sa.Port))
	}
	return netip.AddrPort{}
}

// tcpState is the state as TCP_INFO has it.
func (s *scene) tcpState(fd int) sock.State {
	s.t.Helper()
	info, err := unix.GetsockoptTCPInfo(fd, unix.IPPROTO_TCP, unix.TCP_INFO)
	if err != nil {
		s.t.Fatalf("TCP_INFO: %v", err)
	}
	return sock.State(info.State)
}

// waitState waits until the descriptor's own socket is in state.
func (s *scene) waitState(fd int, state sock.State) {
	s.t.Helper()
	s.wait(state.String(), func() bool { return s.tcpState(fd) == state })
}

// tcpQueue asks for the queues of a TCP socket.
func (s *scene) tcpQueue(fd int, state sock.State) sock.Queue {
	s.t.Helper()
	switch state {
	case sock.Listen:
		// tcpi_unacked of a listener is sk_ack_backlog (net/ipv4/tcp.c, tcp_get_info).
		info, err := unix.GetsockoptTCPInfo(fd, unix.IPPROTO_TCP, unix.TCP_INFO)
		if err != nil {
			s.t.Fatalf("TCP_INFO: %v", err)
		}
		return sock.Queue{Recv: info.Unacked}
	case sock.SynSent:
		// The SYN takes a sequence number, but SIOCOUTQ answers 0 in this state.
		return sock.Queue{Send: 1}
	}
	q := sock.Queue{Recv: s.ioctlInt(fd, unix.SIOCINQ), Send: s.ioctlInt(fd, unix.SIOCOUTQ)}
	switch state {
	case sock.CloseWait, sock.LastAck, sock.Closing:
		// So does the peer's FIN, which SIOCINQ leaves out (tcp_inq).
		q.Recv++
	}
	return q
}

func (s *scene) ioctlInt(fd int, req uint) uint32 {
	s.t.Helper()
	n, err := unix.IoctlGetUint32(fd, req)
	if err != nil {
		s.t.Fatalf("ioctl %#x: %v", req, err)
	}
	return n
}

// Indexes into the answer of SO_MEMINFO (include/uapi/linux/sock_diag.h).
const (
	memRecvAlloc = 0
	memSendAlloc = 2
	memCount     = 9
)

// memQueue asks for the memory that the queues of a datagram or raw socket take:
// what /proc shows is not the payload but the size of its buffers.
func (s *scene) memQueue(fd int) sock.Queue {
	s.t.Helper()
	var mem [memCount]uint32
	size := uint32(unsafe.Sizeof(mem))
	_, _, errno := unix.Syscall6(unix.SYS_GETSOCKOPT, uintptr(fd), unix.SOL_SOCKET, unix.SO_MEMINFO,
		uintptr(unsafe.Pointer(&mem)), uintptr(unsafe.Pointer(&size)), 0)
	if errno != 0 {
		s.t.Fatalf("SO_MEMINFO: %v", errno)
	}
	return sock.Queue{Recv: mem[memRecvAlloc], Send: mem[memSendAlloc]}
}
