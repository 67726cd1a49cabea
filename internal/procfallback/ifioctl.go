// SPDX-License-Identifier: GPL-2.0-or-later

package procfallback

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"unsafe"

	"golang.org/x/sys/unix"

	"netlive/internal/iface"
)

// ifAsker answers questions about interfaces.
type ifAsker interface {
	// ioctl asks about the interface that r names, and has the answer in r.
	ioctl(request uint, r *ifreq) error
	// list returns the names that have an IPv4 address, labels of addresses among them.
	list() ([]string, error)
}

// ifreq is struct ifreq of include/uapi/linux/if.h, a name and a union of which struct ifmap is the largest.
type ifreq struct {
	name [unix.IFNAMSIZ]byte
	ifru
}

type ifru [ifmapSize]byte

const (
	wordSize  = int(unsafe.Sizeof(uintptr(0)))
	ifmapSize = 2*wordSize + 8 // two unsigned long, and eight bytes with what pads them
	ifreqSize = unix.IFNAMSIZ + ifmapSize
)

func newIfreq(name string) *ifreq {
	r := &ifreq{}
	copy(r.name[:len(r.name)-1], name)
	return r
}

func (u *ifru) uint16() uint16 { return binary.NativeEndian.Uint16(u[:]) }
func (u *ifru) int32() int32   { return int32(binary.NativeEndian.Uint32(u[:])) }

// long is the nth unsigned long.
func (u *ifru) long(n int) uint64 {
	b := u[n*wordSize:]
	if wordSize == 4 {
		return uint64(binary.NativeEndian.Uint32(b))
	}
	return binary.NativeEndian.Uint64(b)
}

// addr4 is the address in a struct sockaddr_in.
func (u *ifru) addr4() netip.Addr { return netip.AddrFrom4([4]byte(u[4:8])) }

// ifMap is struct ifmap.
func (u *ifru) ifMap() iface.Map {
	rest := u[2*wordSize:]
	return iface.Map{MemStart: u.long(0), MemEnd: u.long(1),
		BaseAddr: binary.NativeEndian.Uint16(rest), IRQ: rest[2], DMA: rest[3], Port: rest[4]}
}

// ifSocket is a socket, of whatever kind: the namespace is what counts, and to list addresses IPv4.
type ifSocket int

// openIfSocket opens a socket of IPv4, or a UNIX socket where those may not be had: then noInet is why.
func openIfSocket() (s ifSocket, noInet, err error) {
	const kind = unix.SOCK_DGRAM | unix.SOCK_CLOEXEC
	fd, noInet := unix.Socket(unix.AF_INET, kind, 0)
	if noInet != nil {
		fd, err = unix.Socket(unix.AF_UNIX, kind, 0)
	}
	return ifSocket(fd), noInet, err
}

func (s ifSocket) close() { unix.Close(int(s)) }

func (s ifSocket) ioctl(request uint, r *ifreq) error { return s.call(request, unsafe.Pointer(r)) }

func (s ifSocket) call(request uint, arg unsafe.Pointer) error {
	if _, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(s), uintptr(request), uintptr(arg)); errno != 0 {
		return errno
	}
	return nil
}

// list asks again with more room as long as what there is is filled: then there may be more.
func (s ifSocket) list() (names []string, err error) {
	for room := 64; ; room *= 2 {
		buf := make([]byte, room*ifreqSize)
		conf := struct { // struct ifconf
			length int32
			buf    *byte
		}{int32(len(buf)), &buf[0]}
		if err := s.call(unix.SIOCGIFCONF, unsafe.Pointer(&conf)); err != nil {
			return nil, err
		}
		if int(conf.length) >= len(buf) {
			continue
		}
		for at := 0; at+ifreqSize <= int(conf.length); at += ifreqSize {
			names = append(names, string(cString(buf[at:at+unix.IFNAMSIZ])))
		}
		return names, nil
	}
}

// Requests that golang.org/x/sys/unix has not, of serial lines (include/uapi/linux/if_slip.h).
const (
	siocGKeepalive = unix.SIOCDEVPRIVATE + 1
	siocGOutfill   = unix.SIOCDEVPRIVATE + 3
)

// askAbout sets what the kernel says of i. netstat asks in the same order, and takes an interface for gone if it cannot have
// its flags. All else may be missing.
func askAbout(asked ifAsker, i *iface.Interface, detail, inet bool) {
	r := newIfreq(i.Name)
	if err := asked.ioctl(unix.SIOCGIFFLAGS, r); err != nil {
		i.Err = fmt.Errorf("procfallback: SIOCGIFFLAGS: %w", err)
		return
	}
	i.Flags = iface.Flags(r.uint16())
	if asked.ioctl(unix.SIOCGIFMTU, r) == nil {
		i.MTU = r.int32()
	}
	if !detail {
		return
	}
	d := &iface.Detail{HWType: iface.HWVoid, TxQueueLen: -1}
	i.Detail = d
	// The answer is a struct sockaddr, of which the kernel leaves as it was what is longer than the address. (Of tunnels like gre0,
	// whose address is an IPv4 one, netstat shows bytes that it never set.)
	if r.ifru = (ifru{}); asked.ioctl(unix.SIOCGIFHWADDR, r) == nil {
		d.HWType = iface.HWType(r.uint16())
		copy(d.HWAddr[:], r.ifru[2:])
	}
	if d.HWType.Serial() {
		if r.ifru = (ifru{}); asked.ioctl(siocGOutfill, r) == nil {
			d.Outfill = int32(r.long(0))
		}
		if r.ifru = (ifru{}); asked.ioctl(siocGKeepalive, r) == nil {
			d.Keepalive = int32(r.long(0))
		}
	}
	if asked.ioctl(unix.SIOCGIFMAP, r) == nil {
		d.Map = r.ifMap()
	}
	if asked.ioctl(unix.SIOCGIFTXQLEN, r) == nil {
		d.TxQueueLen = r.int32()
	}
	if inet {
		d.Inet = askInet(asked, r)
	}
}

// askInet asks for the IPv4 address of that name. Where it has more the kernel takes that which is in r already (net/ipv4/devinet.c,
// devinet_ioctl), so that all answers are about one.
func askInet(asked ifAsker, r *ifreq) *iface.Inet {
	r.ifru = ifru{}
	binary.NativeEndian.PutUint16(r.ifru[:], unix.AF_INET)
	if asked.ioctl(unix.SIOCGIFADDR, r) != nil {
		return nil
	}
	a := &iface.Inet{Addr: r.addr4()}
	for _, q := range [...]struct {
		request uint
		addr    *netip.Addr
	}{{unix.SIOCGIFDSTADDR, &a.Destination}, {unix.SIOCGIFBRDADDR, &a.Broadcast}, {unix.SIOCGIFNETMASK, &a.Netmask}} {
		if asked.ioctl(q.request, r) == nil {
			*q.addr = r.addr4()
		}
	}
	return a
}
