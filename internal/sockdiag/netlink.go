// SPDX-License-Identifier: GPL-2.0-or-later

package sockdiag

import (
	"encoding/binary"
	"errors"
	"net/netip"

	"golang.org/x/sys/unix"

	"netlive/internal/sock"
)

// Messages of sock_diag (include/uapi/linux/sock_diag.h).
const (
	byFamily = 20 // SOCK_DIAG_BY_FAMILY
	destroy  = 21 // SOCK_DESTROY
)

const (
	requestLen = unix.NLMSG_HDRLEN + 8 + sockidLen // struct inet_diag_req_v2

	// bufferLen is more than the kernel ever puts into one answer: a dump's are 32 KiB at most (net/netlink/af_netlink.c, netlink_dump).
	bufferLen = 64 << 10

	noCookie = 1<<64 - 1 // INET_DIAG_NOCOOKIE, twice
)

var errMalformed = errors.New("malformed message")

// request is struct inet_diag_req_v2 and its header.
type request struct {
	kind   uint16
	flags  uint16
	family uint8
	ext    uint8
	states uint32
	// What follows is the whole identity for one socket; for a dump it is a filter of ports, 0 being any.
	local, remote netip.AddrPort
	iface         uint32
	cookie        uint64
}

func familyOf(p sock.Proto) uint8 {
	if p.IPv6() {
		return unix.AF_INET6
	}
	return unix.AF_INET
}

// identify says which socket is meant.
func (r *request) identify(s *sock.Socket) {
	r.family = familyOf(s.Proto)
	r.local, r.remote, r.iface = s.Local, s.Remote, s.Dev
	if r.cookie = s.ID.Cookie(); r.cookie == 0 {
		r.cookie = noCookie
	}
}

func (r *request) encode(b []byte, seq uint32) {
	clear(b[:requestLen])
	native.PutUint32(b[0:], requestLen)
	native.PutUint16(b[4:], r.kind)
	native.PutUint16(b[6:], r.flags|unix.NLM_F_REQUEST)
	native.PutUint32(b[8:], seq)
	b = b[unix.NLMSG_HDRLEN:]
	b[0], b[1], b[2] = r.family, unix.IPPROTO_TCP, r.ext
	native.PutUint32(b[4:], r.states)
	b = b[8:]
	binary.BigEndian.PutUint16(b[0:], r.local.Port())
	binary.BigEndian.PutUint16(b[2:], r.remote.Port())
	putAddr(b[4:20], r.local.Addr())
	putAddr(b[20:36], r.remote.Addr())
	native.PutUint32(b[36:], r.iface)
	native.PutUint32(b[40:], uint32(r.cookie)) // the low half first, on all machines
	native.PutUint32(b[44:], uint32(r.cookie>>32))
}

// putAddr leaves 0 for an address that is invalid, as unspecified ones are.
func putAddr(b []byte, a netip.Addr) {
	switch {
	case a.Is4():
		a4 := a.As4()
		copy(b, a4[:])
	case a.Is6():
		a16 := a.As16()
		copy(b, a16[:])
	}
}

// ask sends a request, having read away what is left of an answer that was not read to its end: the kernel makes one dump a socket at a
// time (EBUSY).
func (c *Conn) ask(r *request) error {
	for c.dumping {
		if _, _, err := c.next(); err != nil && c.dumping {
			return err
		}
	}
	c.seq++
	r.encode(c.out[:], c.seq)
	if err := c.raw.Control(c.write); err != nil {
		return err
	}
	if c.err == nil {
		c.dumping = r.flags&unix.NLM_F_DUMP == unix.NLM_F_DUMP
	}
	return c.err
}

// next is the body of the next message that answers the last request, until it is read again; more is false at the end, and with it
// the error that the kernel answered.
func (c *Conn) next() (body []byte, more bool, err error) {
	for {
		if len(c.rest) == 0 {
			if err := c.raw.Control(c.read); err != nil {
				return nil, false, err
			}
			if c.err != nil {
				return nil, false, c.err
			}
		}
		header, body, ok := c.cut()
		if !ok {
			c.rest = nil
			return nil, false, errMalformed
		}
		if header.Seq != c.seq {
			continue // answers a request whose answer was given up
		}
		switch header.Type {
		case unix.NLMSG_NOOP:
		case unix.NLMSG_ERROR, unix.NLMSG_DONE:
			c.dumping = false
			return nil, false, verdict(body)
		case byFamily:
			return body, true, nil
		default:
			return nil, false, errMalformed
		}
	}
}

// cut takes the first message off what was read.
func (c *Conn) cut() (header unix.NlMsghdr, body []byte, ok bool) {
	if len(c.rest) < unix.NLMSG_HDRLEN {
		return header, nil, false
	}
	header = unix.NlMsghdr{Len: native.Uint32(c.rest), Type: native.Uint16(c.rest[4:]), Seq: native.Uint32(c.rest[8:])}
	n := int64(header.Len)
	if n < unix.NLMSG_HDRLEN || n > int64(len(c.rest)) {
		return header, nil, false
	}
	body = c.rest[unix.NLMSG_HDRLEN:n]
	c.rest = c.rest[min((n+3)&^3, int64(len(c.rest))):]
	return header, body, true
}

// verdict is the error that ends an answer: both kinds of end begin with its number, or 0. The end of a dump has none before Linux 4.13.
func verdict(body []byte) error {
	if len(body) < 4 {
		return nil
	}
	if n := int32(native.Uint32(body)); n < 0 {
		return unix.Errno(-n)
	}
	return nil
}

// io makes the two functions that Control is given, once: a function that is made where it is used would be allocated each time. Neither waits: the
// kernel answers before write returns, and goes on with a dump before read returns (net/netlink/af_netlink.c, netlink_rcv_skb and netlink_recvmsg).
func (c *Conn) io() {
	c.write = func(fd uintptr) {
		_, c.err = retry(unix.Write, fd, c.out[:])
	}
	c.read = func(fd uintptr) {
		var n int
		n, c.err = retry(unix.Read, fd, c.in[:])
		c.rest = c.in[:max(n, 0)]
	}
}

func retry(call func(int, []byte) (int, error), fd uintptr, b []byte) (n int, err error) {
	for {
		if n, err = call(int(fd), b); err != unix.EINTR {
			return n, err
		}
	}
}
