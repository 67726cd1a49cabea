// SPDX-License-Identifier: GPL-2.0-or-later

package sockdiag

import (
	"encoding/binary"
	"math"
	"net/netip"

	"golang.org/x/sys/unix"

	"netlive/internal/sock"
)

var native = binary.NativeEndian

// Attributes (include/uapi/linux/inet_diag.h). The first eight can be asked for, by bit N-1.
const (
	attrInfo      = 2
	attrVegasInfo = 3 // asks for DCTCPInfo and BBRInfo too
	attrCong      = 4
	attrTOS       = 5
	attrTClass    = 6 // asks for ClassID too
	attrSkMemInfo = 7
	attrShutdown  = 8
	attrDCTCPInfo = 9
	attrV6Only    = 11
	attrMark      = 15
	attrBBRInfo   = 16
	attrClassID   = 17
	attrULPInfo   = 19
	attrCgroupID  = 21

	ulpName = 1 // INET_ULP_INFO_NAME

	extInfo = 1 << (attrInfo - 1)
	extAll  = extInfo | 1<<(attrVegasInfo-1) | 1<<(attrCong-1) | 1<<(attrTOS-1) | 1<<(attrTClass-1) | 1<<(attrSkMemInfo-1)
)

const (
	sockidLen = 48                 // struct inet_diag_sockid
	msgLen    = 4 + sockidLen + 20 // struct inet_diag_msg
	attrLen   = 4                  // struct nlattr

	infiniteSsthresh = 0x7fffffff // TCP_INFINITE_SSTHRESH of include/net/tcp.h
	noMinRTT         = 1<<32 - 1  // what tcp_min_rtt is before it was measured
)

// decode reads a message that follows a netlink header. false: it is none of a TCP socket.
func decode(b []byte, i *Info) (local, remote netip.AddrPort, ok bool) {
	*i = nothing
	if len(b) < msgLen {
		return local, remote, false
	}
	family, state := b[0], sock.State(b[1])
	if state == sock.StateNone || state > sock.NewSynRecv {
		return local, remote, false
	}
	i.State, i.Timer, i.TimerRetrans = state, Timer(b[2]), b[3]
	if local, remote, ok = decodeEnds(family, b[4:4+sockidLen]); !ok {
		return local, remote, false
	}
	i.Iface = native.Uint32(b[40:])
	i.ID = sock.ID(uint64(native.Uint32(b[44:])) | uint64(native.Uint32(b[48:]))<<32) // sock_diag_save_cookie: the low half first, on all machines
	i.TimerExpires = -1
	if i.Timer != TimerNone {
		i.TimerExpires = milliseconds(int64(native.Uint32(b[52:])))
	}
	i.RecvQ, i.SendQ = int64(native.Uint32(b[56:])), int64(native.Uint32(b[60:]))
	i.UID, i.Inode = native.Uint32(b[64:]), native.Uint32(b[68:])
	for kind, value := range attributes(b[msgLen:]) {
		i.attribute(kind, value)
	}
	return local, remote, true
}

func decodeEnds(family uint8, id []byte) (local, remote netip.AddrPort, ok bool) {
	var src, dst netip.Addr
	switch family {
	case unix.AF_INET:
		src, dst = netip.AddrFrom4([4]byte(id[4:])), netip.AddrFrom4([4]byte(id[20:]))
	case unix.AF_INET6:
		src, dst = netip.AddrFrom16([16]byte(id[4:])), netip.AddrFrom16([16]byte(id[20:]))
	default:
		return local, remote, false
	}
	sport, dport := binary.BigEndian.Uint16(id), binary.BigEndian.Uint16(id[2:])
	return netip.AddrPortFrom(src, sport), netip.AddrPortFrom(dst, dport), true
}

// attributes goes over netlink attributes. It ends before one that is cut off.
func attributes(b []byte) func(yield func(kind uint16, value []byte) bool) {
	return func(yield func(kind uint16, value []byte) bool) {
		for len(b) >= attrLen {
			n := int(native.Uint16(b))
			if n < attrLen || n > len(b) || !yield(native.Uint16(b[2:])&0x3fff, b[attrLen:n]) { // NLA_TYPE_MASK
				return
			}
			b = b[min((n+3)&^3, len(b)):]
		}
	}
}

func (i *Info) attribute(kind uint16, value []byte) {
	f := fields(value)
	switch kind {
	case attrInfo:
		i.tcpInfo(f)
	case attrCong:
		copy(i.CongestionControl[:], value)
	case attrTOS:
		i.TOS = int16(f.u8())
	case attrTClass:
		i.TClass = int16(f.u8())
	case attrShutdown:
		i.Shutdown = int8(f.u8() & 3)
	case attrV6Only:
		i.V6Only = int8(f.u8() & 1)
	case attrMark:
		i.Mark = f.u32()
	case attrClassID:
		i.ClassID = f.u32()
	case attrCgroupID:
		i.Cgroup = f.u64()
	case attrSkMemInfo:
		i.SkMem = SkMem{f.u32(), f.u32(), f.u32(), f.u32(), f.u32(), f.u32(), f.u32(), f.u32(), f.u32()}
	case attrULPInfo:
		for kind, value := range attributes(value) {
			if kind == ulpName {
				copy(i.ULP[:], value)
			}
		}
	case attrVegasInfo:
		i.Vegas = Vegas{f.u32(), f.u32(), microseconds(f.u32()), microseconds(f.u32())}
	case attrDCTCPInfo:
		i.DCTCP = DCTCP{f.u16(), f.u16(), f.u32(), f.u32(), f.u32()}
	case attrBBRInfo:
		i.bbr(f)
	}
}

// bbr reads struct tcp_bbr_info. Gains are in 1/256.
func (i *Info) bbr(f fields) {
	lo, hi := f.u32(), f.u32()
	minRTT, pacing, cwnd := f.u32(), f.u32(), f.u32()
	if cwnd < 0 || hi > math.MaxInt32 {
		return
	}
	i.BBR = BBR{lo | hi<<32, microseconds(minRTT), float64(pacing) / 256, float64(cwnd) / 256}
}

// tcpInfo reads struct tcp_info, which has grown with the kernel and is as long as the kernel has it.
func (i *Info) tcpInfo(f fields) {
	if i.State == sock.Listen {
		return // tcp_get_info leaves most of it 0, and gives other fields another meaning
	}
	f.u8() // the state: the message has it
	i.CAState = CAState(min(f.u8(), math.MaxInt8))
	i.Retransmits, i.Probes, i.Backoff = f.u8(), f.u8(), f.u8()
	i.Options = Options(f.u8())
	wscale, flags := bitfields(f.u8(), 4, 4), bitfields(f.u8(), 1, 2)
	if i.Options.Has(OptWscale) {
		i.SndWscale, i.RcvWscale = wscale[0], wscale[1]
	}
	i.AppLimited, i.FastOpenFail = flags[0] == 1, flags[1]
	i.RTO, i.ATO = microseconds(f.u32()), microseconds(f.u32())
	i.SndMSS, i.RcvMSS = f.u32(), f.u32()
	i.Unacked, i.Sacked, i.Lost, i.Retrans, i.Fackets = f.u32(), f.u32(), f.u32(), f.u32(), f.u32()
	i.LastDataSent = milliseconds(f.u32())
	f.u32() // tcpi_last_ack_sent: "Not remembered, sorry."
	i.LastDataRecv, i.LastAckRecv = milliseconds(f.u32()), milliseconds(f.u32())
	i.PMTU, i.RcvSsthresh = f.u32(), f.u32()
	i.RTT, i.RTTVar = microseconds(f.u32()), microseconds(f.u32())
	if i.RTT <= 0 {
		i.RTT, i.RTTVar = -1, -1 // srtt_us is 0 until a segment was acknowledged; the variation has a default
	}
	if i.Ssthresh = f.u32(); i.Ssthresh >= infiniteSsthresh {
		i.Ssthresh = -1
	}
	i.Cwnd, i.AdvMSS, i.Reordering = f.u32(), f.u32(), f.u32()
	if i.RcvRTT = microseconds(f.u32()); i.RcvRTT == 0 {
		i.RcvRTT = -1
	}
	i.RcvSpace, i.TotalRetrans = f.u32(), f.u32()
	i.PacingRate, i.MaxPacingRate = f.u64(), f.u64()                                        // all bits are set without a limit
	i.BytesAcked, i.BytesReceived, i.SegsOut, i.SegsIn = f.u64(), f.u64(), f.u32(), f.u32() // Linux 4.2
	i.NotsentBytes = f.u32()                                                                // 4.6
	if rtt := f.u32(); rtt != noMinRTT {
		i.MinRTT = microseconds(rtt)
	}
	i.DataSegsIn, i.DataSegsOut = f.u32(), f.u32()
	i.DeliveryRate = f.u64()                                                                                         // 4.9
	i.BusyTime, i.RwndLimited, i.SndbufLimited = microseconds(f.u64()), microseconds(f.u64()), microseconds(f.u64()) // 4.10
	i.Delivered, i.DeliveredCE = f.u32(), f.u32()                                                                    // 4.18
	i.BytesSent, i.BytesRetrans, i.DSACKDups, i.ReordSeen = f.u64(), f.u64(), f.u32(), f.u32()                       // 4.19
	i.RcvOOOPack, i.SndWnd = f.u32(), f.u32()                                                                        // 5.4
	i.RcvWnd, i.Rehash = f.u32(), f.u32()                                                                            // 6.2
	i.TotalRTO, i.TotalRTORecoveries, i.TotalRTOTime = f.u16(), f.u16(), milliseconds(f.u32())                       // 6.7
	i.ReceivedCE = f.u32()                                                                                           // 6.18
	i.DeliveredE1Bytes, i.DeliveredE0Bytes, i.DeliveredCEBytes = f.u32(), f.u32(), f.u32()
	i.ReceivedE1Bytes, i.ReceivedE0Bytes, i.ReceivedCEBytes = f.u32(), f.u32(), f.u32()
	i.AccECNFailMode, i.AccECNOptSeen = f.u16(), f.u16()
}
