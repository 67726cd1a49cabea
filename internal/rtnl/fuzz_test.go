// SPDX-License-Identifier: GPL-2.0-or-later

package rtnl

import (
	"encoding/binary"
	"os"
	"runtime"
	"testing"

	"golang.org/x/sys/unix"

	"netlive/internal/kerneltest"
)

// speaker is a socket that speaks to the groups of rtnetlink, as a process with CAP_NET_ADMIN may (net/netlink/af_netlink.c, netlink_sendmsg).
func speaker(tb testing.TB) int {
	tb.Helper()
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.NETLINK_ROUTE)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = unix.Close(fd) })
	return fd
}

// Whatever a message says, it is an announcement, and no more than one: the kernel's own and those of processes that are allowed to speak in its place.
func FuzzNext(f *testing.F) {
	if os.Geteuid() != 0 {
		f.Skip("only root may speak to the groups of rtnetlink")
	}
	kerneltest.RequireRoot(f)
	// The subscription and the speaker are of a namespace of their own, which is that of a thread that ends with its goroutine.
	runtime.LockOSThread()
	if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
		f.Fatal(err)
	}
	s, err := Subscribe(Links, 0)
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { _ = s.Close() })
	fd := speaker(f)

	message := func(kind uint16, body ...byte) []byte {
		b := make([]byte, unix.NLMSG_HDRLEN, unix.NLMSG_HDRLEN+len(body))
		binary.NativeEndian.PutUint32(b, uint32(len(b)+len(body)))
		binary.NativeEndian.PutUint16(b[4:], kind)
		return append(b, body...)
	}
	f.Add(message(unix.RTM_NEWLINK, make([]byte, 16)...))
	f.Add(message(unix.NLMSG_ERROR, 0xff, 0xff, 0xff, 0xff))
	f.Add(message(unix.NLMSG_DONE))
	f.Add(append(message(unix.RTM_NEWROUTE), message(unix.RTM_DELROUTE)...))
	many := message(unix.RTM_NEWLINK)
	binary.NativeEndian.PutUint16(many[6:], unix.NLM_F_MULTI) // of more, which never come
	f.Add(many)
	f.Add([]byte{1})
	f.Add(message(unix.NLMSG_OVERRUN)[:12])
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) == 0 || len(b) > 1<<16 {
			return
		}
		if err := unix.Sendto(fd, b, 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK, Groups: uint32(Links)}); err != nil {
			t.Fatal(err)
		}
		if err := s.Next(); err != nil {
			t.Errorf("%x: %v", b, err)
		}
		if n := s.Lost(); n != 0 {
			t.Fatalf("%d lost", n)
		}
	})
}
