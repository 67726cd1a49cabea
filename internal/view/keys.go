// SPDX-License-Identifier: GPL-2.0-or-later

package view

import (
	"encoding/binary"
	"hash/maphash"
	"math/bits"
)

// keyIndex finds the group of a key: a hash table with open addresses. It is asked about each row of each frame, and with a
// map a frame takes a third longer.
type keyIndex struct {
	slots []keySlot
	used  int
}

// keySlot has the group's number from 1 on, 0 being free, and the hash of its key: other keys are mostly passed by unseen.
type keySlot struct {
	hash  uint32
	group int32
}

// find returns the number of the group of k, or -1.
func (x *keyIndex) find(k *Key, groups []group) int32 {
	if len(x.slots) == 0 {
		return -1
	}
	if s := x.slot(k.hash(), k, groups); s.group > 0 {
		return s.group - 1
	}
	return -1
}

// findOrAdd returns the number of the group of k. When it is len(groups) the key is new, and the caller appends its group.
func (x *keyIndex) findOrAdd(k *Key, groups []group) int32 {
	if 4*(x.used+1) > 3*len(x.slots) {
		x.grow()
	}
	h := k.hash()
	s := x.slot(h, k, groups)
	if s.group == 0 {
		*s = keySlot{h, int32(len(groups)) + 1}
		x.used++
	}
	return s.group - 1
}

// slot is where the key of a hash is, or would be.
func (x *keyIndex) slot(h uint32, k *Key, groups []group) *keySlot {
	for i := x.first(h); ; i++ {
		s := &x.slots[i&(len(x.slots)-1)]
		if s.group == 0 || s.hash == h && groups[s.group-1].Key == *k {
			return s
		}
	}
}

func (x *keyIndex) first(h uint32) int { return int(h) & (len(x.slots) - 1) }

func (x *keyIndex) grow() {
	old := x.slots
	x.slots = make([]keySlot, max(2*len(old), 64)) // a power of two
	for _, s := range old {
		if s.group == 0 {
			continue
		}
		i := x.first(s.hash)
		for x.slots[i].group != 0 {
			i = (i + 1) & (len(x.slots) - 1)
		}
		x.slots[i] = s
	}
}

func (x *keyIndex) end() {
	clear(x.slots)
	x.used = 0
}

// The seeds are secret: a stranger can choose addresses, and must not know which of them meet.
var (
	textSeed = maphash.MakeSeed()
	seeds    = [3]uint64{maphash.String(textSeed, "a"), maphash.String(textSeed, "b"), maphash.String(textSeed, "c") | 1}
)

func (k *Key) hash() uint32 {
	h := mix(k.N^seeds[0], k.M^seeds[1])
	if k.Addr.IsValid() {
		a := k.Addr.Addr().As16()
		h = mix(h^binary.NativeEndian.Uint64(a[:]), binary.NativeEndian.Uint64(a[8:])^seeds[0]) + uint64(k.Addr.Port())
	}
	if k.Text != "" {
		h ^= maphash.String(textSeed, k.Text)
	}
	h = mix(h^seeds[1], seeds[2])
	return uint32(h)
}

// mix folds a product, as wyhash does and the runtime's own hash (runtime/hash64.go).
func mix(a, b uint64) uint64 {
	hi, lo := bits.Mul64(a, b)
	return hi ^ lo
}
