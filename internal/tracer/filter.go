// SPDX-License-Identifier: GPL-2.0-or-later

package tracer

import (
	"encoding/binary"

	"netlive/internal/filter"
)

// filterPart is k as bpf/filter.bpf.h has it.
func filterPart(k *filter.Kernel) (f bpfFilterPart) {
	if k == nil || *k == (filter.Kernel{}) {
		return f // everything passes
	}
	f.Active = 1
	if k.Never {
		f.Never = 1
	}
	f.Families = uint32(k.Families)
	f.States, f.OldStates = k.States, k.OldStates
	setRanges((*bpfFilterRanges)(&f.LocalPorts), &k.LocalPorts)
	setRanges((*bpfFilterRanges)(&f.RemotePorts), &k.RemotePorts)
	setRanges((*bpfFilterRanges)(&f.EitherPorts), &k.EitherPorts)
	setRanges((*bpfFilterRanges)(&f.Uids), &k.UIDs)
	setRanges((*bpfFilterRanges)(&f.Pids), &k.PIDs)
	setRanges((*bpfFilterRanges)(&f.Netns), &k.NetNS)
	setPrefixes((*bpfFilterPrefixes)(&f.Local), &k.Local)
	setPrefixes((*bpfFilterPrefixes)(&f.Remote), &k.Remote)
	setPrefixes((*bpfFilterPrefixes)(&f.Either), &k.Either)
	setPrefixes((*bpfFilterPrefixes)(&f.NotLocal), &k.NotLocal)
	setPrefixes((*bpfFilterPrefixes)(&f.NotRemote), &k.NotRemote)
	return f
}

func setRanges(to *bpfFilterRanges, from *filter.Ranges) {
	to.N = from.N
	for i, r := range from.R[:from.N] {
		to.R[i].Lo, to.R[i].Hi = r.Lo, r.Hi
	}
}

func setPrefixes(to *bpfFilterPrefixes, from *filter.Prefixes) {
	to.N = from.N
	for i, p := range from.P[:from.N] {
		if p.Only6 {
			to.Only6 |= 1 << i
		}
		var mask [16]byte
		for bit := range int(p.Bits) {
			mask[bit/8] |= 0x80 >> (bit % 8)
		}
		to.P[i].Mask = words(mask)
		to.P[i].Addr = words(p.Addr)
	}
}

// words are the bytes of an address as the kernel's program loads them.
func words(b [16]byte) [2]uint64 {
	return [2]uint64{binary.NativeEndian.Uint64(b[:8]), binary.NativeEndian.Uint64(b[8:])}
}
