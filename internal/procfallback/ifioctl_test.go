// SPDX-License-Identifier: GPL-2.0-or-later

package procfallback

import (
	"encoding/binary"
	"errors"
	"net/netip"
	"os"
	"strings"
	"syscall"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"

	"netlive/internal/iface"
	"netlive/internal/kerneltest"
)

// fakeAsker has interfaces that answers say all about. The others are gone.
type fakeAsker struct {
	names   []string
	err     error // of list
	known   map[string]bool
	answers map[uint]ifru
	short   int // bytes of the answer to SIOCGIFHWADDR, if not all
	asked   []uint
	before  map[uint]ifru // what there was instead of the answer
}

func (a *fakeAsker) list() ([]string, error) {
	if a.err != nil {
		return nil, a.err
	}
	return a.names, nil
}

func (a *fakeAsker) ioctl(request uint, r *ifreq) error {
	a.asked = append(a.asked, request)
	if a.before == nil {
		a.before = map[uint]ifru{}
	}
	a.before[request] = r.ifru
	answer, ok := a.answers[request]
	switch {
	case !a.known[string(cString(r.name[:]))]:
		return unix.ENODEV
	case ok && request == unix.SIOCGIFHWADDR && a.short > 0:
		copy(r.ifru[:a.short], answer[:])
	case ok:
		r.ifru = answer
	case request != unix.SIOCGIFFLAGS:
		// Nothing of this may be taken for an answer.
		r.ifru = ifru{0: 0xff, 7: 0xff, ifmapSize - 1: 0xff}
		return unix.EINVAL
	}
	return nil
}

func words(w ...uint32) (u ifru) {
	for i, n := range w {
		binary.NativeEndian.PutUint32(u[4*i:], n)
	}
	return u
}

func sockaddr(family uint16, data ...byte) (u ifru) {
	binary.NativeEndian.PutUint16(u[:], family)
	copy(u[2:], data)
	return u
}

func sockaddr4(a string) ifru {
	b := netip.MustParseAddr(a).As4()
	return sockaddr(unix.AF_INET, 0, 0, b[0], b[1], b[2], b[3])
}

func fullAnswers() map[uint]ifru {
	var m ifru
	if wordSize == 8 {
		binary.NativeEndian.PutUint64(m[:], 0x1_0000_0002)
		binary.NativeEndian.PutUint64(m[8:], 3)
	} else {
		m = words(2, 3)
	}
	binary.NativeEndian.PutUint16(m[2*wordSize:], 0xfe04)
	m[2*wordSize+2], m[2*wordSize+3], m[2*wordSize+4] = 5, 6, 7
	return map[uint]ifru{
		unix.SIOCGIFFLAGS:   sockaddr(0x9043),
		unix.SIOCGIFMTU:     words(0xffffffff),
		unix.SIOCGIFHWADDR:  sockaddr(uint16(iface.HWCSLIP), 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14),
		unix.SIOCGIFMAP:     m,
		unix.SIOCGIFTXQLEN:  words(1234),
		unix.SIOCGIFADDR:    sockaddr4("10.0.0.1"),
		unix.SIOCGIFDSTADDR: sockaddr4("10.0.0.2"),
		unix.SIOCGIFBRDADDR: sockaddr4("10.0.0.255"),
		unix.SIOCGIFNETMASK: sockaddr4("255.255.255.0"),
	}
}

func TestAskAbout(t *testing.T) {
	a := &fakeAsker{known: map[string]bool{"sl0": true}, answers: fullAnswers()}
	i := iface.Interface{Name: "sl0"}
	askAbout(a, &i, true, true)
	d := i.Detail
	wantMap := iface.Map{MemStart: 0x1_0000_0002, MemEnd: 3, BaseAddr: 0xfe04, IRQ: 5, DMA: 6, Port: 7}
	if wordSize == 4 {
		wantMap.MemStart = 2
	}
	switch {
	case i.Err != nil || i.Flags != 0x9043 || i.MTU != -1:
		t.Errorf("%+v", i)
	case d.HWType != iface.HWCSLIP || d.HWAddr != [14]byte{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14} || d.TxQueueLen != 1234 || d.Map != wantMap || d.Outfill != 0 || d.Keepalive != 0:
		t.Errorf("%+v", d)
	}
	addr := netip.MustParseAddr
	if want := (iface.Inet{Addr: addr("10.0.0.1"), Netmask: addr("255.255.255.0"), Broadcast: addr("10.0.0.255"), Destination: addr("10.0.0.2")}); *d.Inet != want {
		t.Errorf("%+v", d.Inet)
	}
	// Nothing of this is asked of what is no serial line.
	a.answers[siocGOutfill], a.answers[siocGKeepalive] = words(8, 0), words(9, 0)
	if binary.NativeEndian.Uint16([]byte{0, 1}) == 1 {
		a.answers[siocGOutfill], a.answers[siocGKeepalive] = words(0, 8), words(0, 9)
	}
	if askAbout(a, &i, true, true); wordSize == 8 && (i.Detail.Outfill != 8 || i.Detail.Keepalive != 9) {
		t.Errorf("%+v", i.Detail)
	}
	a.answers[unix.SIOCGIFHWADDR] = sockaddr(1)
	if askAbout(a, &i, true, true); i.Detail.Outfill != 0 || i.Detail.Keepalive != 0 || i.Detail.HWType != 1 {
		t.Errorf("%+v", i.Detail)
	}
	// The kernel says no more of an address than its length.
	a.answers[unix.SIOCGIFHWADDR], a.short = sockaddr(778, 10, 0, 0, 1, 0xff), 6
	if askAbout(a, &i, true, true); i.Detail.HWAddr != [14]byte{10, 0, 0, 1} {
		t.Errorf("%x", i.Detail.HWAddr)
	}
	// An address that is there already says which is wanted.
	if before := a.before[unix.SIOCGIFADDR]; before != sockaddr(unix.AF_INET) {
		t.Errorf("asked for the address with %x", before)
	}
	a.asked = nil
	if i = (iface.Interface{Name: "sl0"}); true {
		askAbout(a, &i, false, true)
	}
	if len(a.asked) != 2 || i.Detail != nil || i.MTU != -1 {
		t.Errorf("without details: asked %#x, %+v", a.asked, i)
	}
	if askAbout(a, &i, true, false); i.Detail.Inet != nil {
		t.Errorf("without IPv4: %+v", i.Detail.Inet)
	}
}

func TestAskAboutWhatIsNotKnown(t *testing.T) {
	a := &fakeAsker{known: map[string]bool{"x": true}}
	i := iface.Interface{Name: "x"}
	askAbout(a, &i, true, true)
	if d := i.Detail; i.Err != nil || i.MTU != 0 || d.HWType != iface.HWVoid || d.HWAddr != [14]byte{} || d.TxQueueLen != -1 || d.Map != (iface.Map{}) || d.Inet != nil {
		t.Errorf("%+v %+v", i, d)
	}
	// An address of which nothing else is known.
	a.answers = map[uint]ifru{unix.SIOCGIFADDR: sockaddr4("10.0.0.1")}
	askAbout(a, &i, true, true)
	if d := i.Detail; d.Inet == nil || *d.Inet != (iface.Inet{Addr: netip.MustParseAddr("10.0.0.1")}) {
		t.Errorf("%+v", d.Inet)
	}
	gone := iface.Interface{Name: "gone"}
	if askAbout(a, &gone, true, true); !errors.Is(gone.Err, syscall.ENODEV) || gone.Detail != nil {
		t.Errorf("%+v", gone)
	}
}

func TestIfreq(t *testing.T) {
	if size := unsafe.Sizeof(ifreq{}); size != uintptr(ifreqSize) || size != unsafe.Sizeof(unix.Ifreq{}) {
		t.Errorf("%d bytes, the kernel's has %d", size, unsafe.Sizeof(unix.Ifreq{}))
	}
	if r := newIfreq("abcdefghijklmnopq"); string(r.name[:]) != "abcdefghijklmno\x00" {
		t.Errorf("%q", r.name)
	}
}

// There are more names than the first question has room for.
func TestIfSocketList(t *testing.T) {
	kerneltest.NetNS(t).Do(func() {
		s, noInet, err := openIfSocket()
		if err != nil || noInet != nil {
			t.Fatal(err, noInet)
		}
		defer s.close()
		if names, err := s.list(); err != nil || strings.Join(names, " ") != "lo" {
			t.Errorf("%q, %v", names, err)
		}
		const many = 200
		for n := range many {
			r := newIfreq("lo:" + string(rune('a'+n%26)) + string(rune('a'+n/26)))
			r.ifru = sockaddr4(netip.AddrFrom4([4]byte{127, 1, 0, byte(n)}).String())
			if err := s.ioctl(unix.SIOCSIFADDR, r); err != nil {
				t.Fatal(err)
			}
		}
		names, err := s.list()
		if err != nil || len(names) != many+1 || names[0] != "lo" || names[1] != "lo:aa" || names[many] != "lo:rh" {
			t.Errorf("%d names, %v: %q", len(names), err, names)
		}
		// The whole, with aliases.
		table, err := New(os.DirFS("/proc")).Interfaces(t.Context(), true)
		if err != nil || len(table.Interfaces) < many+1 {
			t.Fatalf("%d, %v", len(table.Interfaces), err)
		}
		for _, i := range table.Interfaces {
			if i.Name == "lo:bc" && (i.Detail.Inet == nil || i.Detail.Inet.Addr != netip.MustParseAddr("127.1.0.53") || i.Flags != table.Interfaces[len(table.Interfaces)-1].Flags) {
				t.Errorf("%+v %+v", i, i.Detail.Inet)
			}
		}
	})
}
