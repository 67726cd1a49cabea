// SPDX-License-Identifier: GPL-2.0-or-later

package sockdiag

import (
	"math"
	"time"
)

// fields is the rest of a struct of the kernel's, read field by field. What is beyond its end is -1, and all that follows.
type fields []byte

func (f *fields) take(n int) []byte {
	if len(*f) < n {
		*f = nil
		return nil
	}
	b := (*f)[:n]
	*f = (*f)[n:]
	return b
}

func (f *fields) u8() int64 {
	if b := f.take(1); b != nil {
		return int64(b[0])
	}
	return -1
}

func (f *fields) u16() int64 {
	if b := f.take(2); b != nil {
		return int64(native.Uint16(b))
	}
	return -1
}

func (f *fields) u32() int64 {
	if b := f.take(4); b != nil {
		return int64(native.Uint32(b))
	}
	return -1
}

// u64 has no room for numbers that only mean that there is no limit: they are -1.
func (f *fields) u64() int64 {
	if b := f.take(8); b != nil {
		return max(int64(native.Uint64(b)), -1)
	}
	return -1
}

// bitfields takes what C calls bit fields, the first two of a byte, of those widths: compilers begin at the low bits on a little-endian
// machine and at the high ones on a big-endian. -1 each of no byte.
func bitfields(b int64, first, second int) [2]int8 {
	if b < 0 {
		return [2]int8{-1, -1}
	}
	at, next := 0, first
	if bigEndian {
		at, next = 8-first, 8-first-second
	}
	return [2]int8{int8(b >> at & (1<<first - 1)), int8(b >> next & (1<<second - 1))}
}

var bigEndian = native.Uint16([]byte{0, 1}) == 1

func microseconds(n int64) time.Duration { return duration(n, time.Microsecond) }
func milliseconds(n int64) time.Duration { return duration(n, time.Millisecond) }

func duration(n int64, unit time.Duration) time.Duration {
	if n < 0 || n > math.MaxInt64/int64(unit) {
		return -1
	}
	return time.Duration(n) * unit
}

// nothing is an Info of which nothing is known.
var nothing = Info{
	TimerExpires: -1, RecvQ: -1, SendQ: -1,
	CAState: -1, Cwnd: -1, Ssthresh: -1, Reordering: -1, PacingRate: -1, MaxPacingRate: -1, DeliveryRate: -1,
	BBR: BBR{-1, -1, -1, -1}, DCTCP: DCTCP{-1, -1, -1, -1, -1}, Vegas: Vegas{-1, -1, -1, -1},
	Options: -1, SndWscale: -1, RcvWscale: -1, FastOpenFail: -1,
	RTT: -1, RTTVar: -1, MinRTT: -1, RcvRTT: -1, RTO: -1, ATO: -1,
	SndMSS: -1, RcvMSS: -1, AdvMSS: -1, PMTU: -1, SndWnd: -1, RcvWnd: -1, RcvSpace: -1, RcvSsthresh: -1,
	Unacked: -1, Sacked: -1, Lost: -1, Retrans: -1, Fackets: -1, Retransmits: -1, Backoff: -1, Probes: -1,
	BytesSent: -1, BytesAcked: -1, BytesReceived: -1, BytesRetrans: -1, SegsOut: -1, SegsIn: -1, DataSegsOut: -1, DataSegsIn: -1,
	TotalRetrans: -1, Delivered: -1, DeliveredCE: -1, DSACKDups: -1, ReordSeen: -1, RcvOOOPack: -1, Rehash: -1,
	TotalRTO: -1, TotalRTORecoveries: -1, TotalRTOTime: -1, NotsentBytes: -1, BusyTime: -1, RwndLimited: -1, SndbufLimited: -1,
	LastDataSent: -1, LastDataRecv: -1, LastAckRecv: -1,
	ReceivedCE: -1, DeliveredE1Bytes: -1, DeliveredE0Bytes: -1, DeliveredCEBytes: -1, ReceivedE1Bytes: -1, ReceivedE0Bytes: -1, ReceivedCEBytes: -1,
	AccECNFailMode: -1, AccECNOptSeen: -1,
	SkMem: SkMem{-1, -1, -1, -1, -1, -1, -1, -1, -1},
	TOS:   -1, TClass: -1, V6Only: -1, Mark: -1, ClassID: -1, Shutdown: -1, Cgroup: -1,
}
