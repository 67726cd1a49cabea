// SPDX-License-Identifier: GPL-2.0-or-later

// Package rtnl tells when routes, links and addresses of a network namespace change: rtnetlink announces each change to the
// groups that a socket has joined, with no privilege. What has changed is not looked at: /proc, where netstat reads,
// is the truth, and an announcement says that it is time to read it again. So there is no second way to decode a route, and a lost
// announcement costs no more than its freshness.
//
// An announcement may come before its deed. A link that goes down is told before its IPv4 routes go (net/core/dev.c,
// __dev_notify_flags), and that they go is told by nothing (net/ipv4/fib_trie.c, fib_table_flush); an address is told to
// be gone before the routes that prefer it as their source (net/ipv4/devinet.c, __inet_del_ifa). Whoever reads at once may be too
// early, and must read once more a while later.
package rtnl

import (
	"errors"
	"fmt"
	"os"
	"sync/atomic"
	"syscall"
	"unsafe"

	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"
)

// Groups are multicast groups of rtnetlink, a bit each.
type Groups uint32

const (
	// Links: interfaces are made, deleted, renamed, go up, down or to another namespace, gain or lose the carrier, or change
	// their MTU, hardware address, flags or queue.
	Links Groups = 1 << (unix.RTNLGRP_LINK - 1)
	// Addrs4 and Addrs6: addresses of interfaces come and go.
	Addrs4 Groups = 1 << (unix.RTNLGRP_IPV4_IFADDR - 1)
	Addrs6 Groups = 1 << (unix.RTNLGRP_IPV6_IFADDR - 1)
	// Routes4 and Routes6: routes come and go, by themselves or with the nexthop object that they refer to, which is told in
	// their place (since Linux 5.3; the kernel ignores groups that it does not have).
	Routes4 Groups = 1<<(unix.RTNLGRP_IPV4_ROUTE-1) | nexthops
	Routes6 Groups = 1<<(unix.RTNLGRP_IPV6_ROUTE-1) | nexthops

	nexthops Groups = 1 << (unix.RTNLGRP_NEXTHOP - 1)
)

// DefaultBuffer is the room for announcements that wait, in bytes. The kernel charges about 1 KiB for one of a route and
// allows twice of what is asked for: some 16,000 wait without a loss. Without CAP_NET_ADMIN it is net.core.rmem_max, which
// by default holds some 400.
const DefaultBuffer = 8 << 20

// Socket is a subscription. Next is for one goroutine, the other methods are for any.
type Socket struct {
	conn *netlink.Conn
	raw  syscall.RawConn

	closed   atomic.Bool
	overruns atomic.Uint64 // that Next has seen
}

// Subscribe joins groups in the network namespace of the calling thread, with room for so many bytes of announcements (0 is
// DefaultBuffer). What changes from then on is announced.
func Subscribe(groups Groups, buffer int) (*Socket, error) {
	if buffer == 0 {
		buffer = DefaultBuffer
	}
	conn, err := netlink.Dial(unix.NETLINK_ROUTE, &netlink.Config{Groups: uint32(groups)})
	if err != nil {
		return nil, fmt.Errorf("rtnl: subscribe: %w", err)
	}
	s := &Socket{conn: conn}
	if err = conn.SetReadBuffer(buffer); err == nil {
		s.raw, err = conn.SyscallConn()
	}
	if err != nil {
		return nil, fmt.Errorf("rtnl: subscribe: %w", errors.Join(err, conn.Close()))
	}
	return s, nil
}

// Next waits for an announcement. That some were lost is one too: Lost has then grown. After Close it is os.ErrClosed.
//
// What it says is not even taken from the kernel, but for a byte: of a message that finds no room the rest is dropped. A process with CAP_NET_ADMIN may
// speak in the kernel's place, and what it says can do no more than have /proc read.
func (s *Socket) Next() error {
	var err error
	failed := s.raw.Read(func(fd uintptr) bool {
		var b [1]byte
		for {
			if _, err = unix.Read(int(fd), b[:]); err != unix.EINTR {
				return err != unix.EAGAIN
			}
		}
	})
	if failed != nil {
		err = failed
	}
	switch {
	case err == nil:
		return nil
	case s.closed.Load():
		return os.ErrClosed
	case errors.Is(err, unix.ENOBUFS):
		s.overruns.Add(1)
		return nil
	}
	return fmt.Errorf("rtnl: receive: %w", err)
}

// Lost is how many announcements found no room. Once there was none the kernel drops all that come until the queue is empty,
// and says so just once, by ENOBUFS (net/netlink/af_netlink.c, netlink_overrun): it counts them in sk_drops. Linux before 4.12
// does not tell that number, and each ENOBUFS counts as one.
func (s *Socket) Lost() uint64 {
	var drops uint32
	known := false
	err := s.raw.Control(func(fd uintptr) { drops, known = socketDrops(fd) })
	if err != nil || !known {
		return s.overruns.Load()
	}
	return uint64(drops)
}

// socketDrops reads sk_drops.
func socketDrops(fd uintptr) (drops uint32, ok bool) {
	const drop = 8 // SK_MEMINFO_DROPS of include/uapi/linux/sock_diag.h
	var info [drop + 1]uint32
	size := uint32(unsafe.Sizeof(info))
	_, _, errno := unix.Syscall6(unix.SYS_GETSOCKOPT, fd, unix.SOL_SOCKET, unix.SO_MEMINFO,
		uintptr(unsafe.Pointer(&info)), uintptr(unsafe.Pointer(&size)), 0)
	return info[drop], errno == 0 && size == uint32(unsafe.Sizeof(info))
}

// Close ends the subscription, and a Next that waits.
func (s *Socket) Close() error {
	s.closed.Store(true)
	if err := s.conn.Close(); err != nil {
		return fmt.Errorf("rtnl: close: %w", err)
	}
	return nil
}
