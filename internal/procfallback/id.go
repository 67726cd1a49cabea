// SPDX-License-Identifier: GPL-2.0-or-later

package procfallback

import (
	"encoding/binary"
	"math/bits"
	"net/netip"

	"netlive/internal/sock"
)

// assignIDs gives every row an ID of our own, the same for the same socket in
// every snapshot as far as /proc lets it be known, and no ID twice.
//
// A TCP connection is known by its ends alone. Its inode would make three sockets
// of it: /proc shows inode 0 before accept(2) and again in TIME_WAIT. All other
// sockets may share their ends (SO_REUSEPORT, raw sockets, two UNIX sockets without a path), so the
// inode counts; UNIX sockets without one, those that wait to be accepted, are
// told apart by path and order only. The pointer columns would not help: %pK
// hides them, and the address of a sock is reused within milliseconds.
func (s *Source) assignIDs(rows []sock.Socket) {
	s.ids.reset(len(rows))
	for i := range rows {
		h := hashSocket(&rows[i])
		for !s.ids.add(h | uint64(sock.LocalID)) {
			h = mix(h, 1)
		}
		rows[i].ID = sock.ID(h) | sock.LocalID
	}
}

// hashSocket is the same in every run and on every machine, so that JSON of two
// runs can be compared.
func hashSocket(s *sock.Socket) uint64 {
	h := mix(uint64(s.NetNS), uint64(s.Proto))
	if s.Unix != nil {
		h = mix(h, uint64(s.Inode))
		if s.Inode == 0 {
			for i := range len(s.Unix.Path) {
				h = mix(h, uint64(s.Unix.Path[i]))
			}
		}
		return h
	}
	h = mixAddrPort(h, s.Local)
	h = mixAddrPort(h, s.Remote)
	if sock.ProtosTCP.Has(s.Proto) && s.Remote.Port() != 0 {
		return h
	}
	return mix(h, uint64(s.Inode))
}

func mixAddrPort(h uint64, ap netip.AddrPort) uint64 {
	a := ap.Addr().As16()
	h = mix(h, binary.BigEndian.Uint64(a[:8]))
	h = mix(h, binary.BigEndian.Uint64(a[8:]))
	return mix(h, uint64(ap.Port()))
}

// mix folds v into h by one wide multiplication, as wyhash does. The constants
// are wyhash's: odd, with half of their bits set.
func mix(h, v uint64) uint64 {
	hi, lo := bits.Mul64(h^0xa0761d6478bd642f, v^0xe7037ed1a0b428db)
	return hi ^ lo
}

// idSet is a set of IDs with open addressing. A map[uint64]struct{} takes several
// times as long to fill, for a set that is only ever filled.
type idSet struct {
	slots []uint64 // 0 is free: IDs have the top bit set
}

// reset empties the set and makes room for n IDs, at most half full.
func (s *idSet) reset(n int) {
	size := 1 << bits.Len(uint(2*n))
	if len(s.slots) != size {
		s.slots = make([]uint64, size)
		return
	}
	clear(s.slots)
}

// add reports whether id was new.
func (s *idSet) add(id uint64) bool {
	mask := uint64(len(s.slots) - 1)
	for i := id & mask; ; i = (i + 1) & mask {
		switch s.slots[i] {
		case 0:
			s.slots[i] = id
			return true
		case id:
			return false
		}
	}
}
