// SPDX-License-Identifier: GPL-2.0-or-later

package sockdiag

import (
	"testing"
	"time"

	"netlive/internal/sock"
)

func us(d time.Duration) int64 {
	if d < 0 {
		return -1
	}
	return d.Microseconds()
}

func ms(d time.Duration) int64 {
	if d < 0 {
		return -1
	}
	return d.Milliseconds()
}

// tcpInfoFields is struct tcp_info as BTF describes it on Linux 6.18: 280 bytes. decode reads it in order; the places here are its check.
var tcpInfoFields = []struct {
	name         string
	offset, size int
	get          func(i *Info) int64
}{
	{"ca_state", 1, 1, func(i *Info) int64 { return int64(i.CAState) }},
	{"retransmits", 2, 1, func(i *Info) int64 { return i.Retransmits }},
	{"probes", 3, 1, func(i *Info) int64 { return i.Probes }},
	{"backoff", 4, 1, func(i *Info) int64 { return i.Backoff }},
	{"options", 5, 1, func(i *Info) int64 { return int64(i.Options) }},
	{"rto", 8, 4, func(i *Info) int64 { return us(i.RTO) }},
	{"ato", 12, 4, func(i *Info) int64 { return us(i.ATO) }},
	{"snd_mss", 16, 4, func(i *Info) int64 { return i.SndMSS }},
	{"rcv_mss", 20, 4, func(i *Info) int64 { return i.RcvMSS }},
	{"unacked", 24, 4, func(i *Info) int64 { return i.Unacked }},
	{"sacked", 28, 4, func(i *Info) int64 { return i.Sacked }},
	{"lost", 32, 4, func(i *Info) int64 { return i.Lost }},
	{"retrans", 36, 4, func(i *Info) int64 { return i.Retrans }},
	{"fackets", 40, 4, func(i *Info) int64 { return i.Fackets }},
	{"last_data_sent", 44, 4, func(i *Info) int64 { return ms(i.LastDataSent) }},
	{"last_data_recv", 52, 4, func(i *Info) int64 { return ms(i.LastDataRecv) }},
	{"last_ack_recv", 56, 4, func(i *Info) int64 { return ms(i.LastAckRecv) }},
	{"pmtu", 60, 4, func(i *Info) int64 { return i.PMTU }},
	{"rcv_ssthresh", 64, 4, func(i *Info) int64 { return i.RcvSsthresh }},
	{"rtt", 68, 4, func(i *Info) int64 { return us(i.RTT) }},
	{"rttvar", 72, 4, func(i *Info) int64 { return us(i.RTTVar) }},
	{"snd_ssthresh", 76, 4, func(i *Info) int64 { return i.Ssthresh }},
	{"snd_cwnd", 80, 4, func(i *Info) int64 { return i.Cwnd }},
	{"advmss", 84, 4, func(i *Info) int64 { return i.AdvMSS }},
	{"reordering", 88, 4, func(i *Info) int64 { return i.Reordering }},
	{"rcv_rtt", 92, 4, func(i *Info) int64 { return us(i.RcvRTT) }},
	{"rcv_space", 96, 4, func(i *Info) int64 { return i.RcvSpace }},
	{"total_retrans", 100, 4, func(i *Info) int64 { return i.TotalRetrans }},
	{"pacing_rate", 104, 8, func(i *Info) int64 { return i.PacingRate }},
	{"max_pacing_rate", 112, 8, func(i *Info) int64 { return i.MaxPacingRate }},
	{"bytes_acked", 120, 8, func(i *Info) int64 { return i.BytesAcked }},
	{"bytes_received", 128, 8, func(i *Info) int64 { return i.BytesReceived }},
	{"segs_out", 136, 4, func(i *Info) int64 { return i.SegsOut }},
	{"segs_in", 140, 4, func(i *Info) int64 { return i.SegsIn }},
	{"notsent_bytes", 144, 4, func(i *Info) int64 { return i.NotsentBytes }},
	{"min_rtt", 148, 4, func(i *Info) int64 { return us(i.MinRTT) }},
	{"data_segs_in", 152, 4, func(i *Info) int64 { return i.DataSegsIn }},
	{"data_segs_out", 156, 4, func(i *Info) int64 { return i.DataSegsOut }},
	{"delivery_rate", 160, 8, func(i *Info) int64 { return i.DeliveryRate }},
	{"busy_time", 168, 8, func(i *Info) int64 { return us(i.BusyTime) }},
	{"rwnd_limited", 176, 8, func(i *Info) int64 { return us(i.RwndLimited) }},
	{"sndbuf_limited", 184, 8, func(i *Info) int64 { return us(i.SndbufLimited) }},
	{"delivered", 192, 4, func(i *Info) int64 { return i.Delivered }},
	{"delivered_ce", 196, 4, func(i *Info) int64 { return i.DeliveredCE }},
	{"bytes_sent", 200, 8, func(i *Info) int64 { return i.BytesSent }},
	{"bytes_retrans", 208, 8, func(i *Info) int64 { return i.BytesRetrans }},
	{"dsack_dups", 216, 4, func(i *Info) int64 { return i.DSACKDups }},
	{"reord_seen", 220, 4, func(i *Info) int64 { return i.ReordSeen }},
	{"rcv_ooopack", 224, 4, func(i *Info) int64 { return i.RcvOOOPack }},
	{"snd_wnd", 228, 4, func(i *Info) int64 { return i.SndWnd }},
	{"rcv_wnd", 232, 4, func(i *Info) int64 { return i.RcvWnd }},
	{"rehash", 236, 4, func(i *Info) int64 { return i.Rehash }},
	{"total_rto", 240, 2, func(i *Info) int64 { return i.TotalRTO }},
	{"total_rto_recoveries", 242, 2, func(i *Info) int64 { return i.TotalRTORecoveries }},
	{"total_rto_time", 244, 4, func(i *Info) int64 { return ms(i.TotalRTOTime) }},
	{"received_ce", 248, 4, func(i *Info) int64 { return i.ReceivedCE }},
	{"delivered_e1_bytes", 252, 4, func(i *Info) int64 { return i.DeliveredE1Bytes }},
	{"delivered_e0_bytes", 256, 4, func(i *Info) int64 { return i.DeliveredE0Bytes }},
	{"delivered_ce_bytes", 260, 4, func(i *Info) int64 { return i.DeliveredCEBytes }},
	{"received_e1_bytes", 264, 4, func(i *Info) int64 { return i.ReceivedE1Bytes }},
	{"received_e0_bytes", 268, 4, func(i *Info) int64 { return i.ReceivedE0Bytes }},
	{"received_ce_bytes", 272, 4, func(i *Info) int64 { return i.ReceivedCEBytes }},
	{"accecn_fail_mode", 276, 2, func(i *Info) int64 { return i.AccECNFailMode }},
	{"accecn_opt_seen", 278, 2, func(i *Info) int64 { return i.AccECNOptSeen }},
}

// value is what a test puts into a field: different ones into all of a size.
func value(offset, size int) uint64 {
	switch size {
	case 1:
		return uint64(offset) + 1
	case 2:
		return uint64(offset) + 1000
	}
	return uint64(offset) + 100_000
}

// Each field comes from its place, and is not known where the kernel's struct ends before it.
func TestLayout(t *testing.T) {
	const whole = 280
	b := make([]byte, whole)
	for _, f := range tcpInfoFields {
		switch v := value(f.offset, f.size); f.size {
		case 1:
			b[f.offset] = byte(v)
		case 2:
			native.PutUint16(b[f.offset:], uint16(v))
		case 4:
			native.PutUint32(b[f.offset:], uint32(v))
		case 8:
			native.PutUint64(b[f.offset:], v)
		}
	}
	for n := 0; n <= whole+8; n++ { // a newer kernel's is longer
		i := nothing
		i.State = sock.Established
		i.tcpInfo(append(make([]byte, 0, whole+8), b...)[:n])
		for _, f := range tcpInfoFields {
			want := int64(-1)
			if f.offset+f.size <= n {
				want = int64(value(f.offset, f.size))
			}
			if got := f.get(&i); got != want && (f.name != "rttvar" || n < 72) {
				t.Fatalf("%d bytes: %s is %d, want %d", n, f.name, got, want)
			}
		}
	}
}
