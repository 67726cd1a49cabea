// SPDX-License-Identifier: GPL-2.0-or-later

package sockdiag

import (
	"time"

	"netlive/internal/sock"
)

// Info is what the kernel says of one TCP socket: struct inet_diag_msg and the attributes that follow it (include/uapi/linux/inet_diag.h),
// struct tcp_info among them (include/uapi/linux/tcp.h, as of Linux 6.18).
//
// One rule holds for what is not known, because the kernel is older, the socket is a minisocket or a listener, privilege is missing, it was not
// asked for, or it was never measured: a number or duration is negative, a name is empty, a bool is false. 0 is 0.
type Info struct {
	ID    sock.ID // the socket's cookie
	State sock.State
	UID   uint32
	Inode uint32 // 0: no file refers to the socket
	Iface uint32 // index of the interface that the socket is bound to; 0 none

	// Timer is which timer runs, TimerExpires how long until it does, TimerRetrans what it has sent in vain: segments, or probes.
	Timer        Timer
	TimerExpires time.Duration
	TimerRetrans uint8

	// RecvQ and SendQ are bytes: received and not read, written and not acknowledged. Of a listener they are connections: those that wait to be accepted, and
	// how many may wait.
	RecvQ, SendQ int64

	// The algorithm that keeps the network from congestion, and where it is.
	CongestionControl Name
	CAState           CAState
	Cwnd              int64 // segments
	Ssthresh          int64 // segments; negative too while it has no bound (TCP_INFINITE_SSTHRESH)
	Reordering        int64 // segments
	PacingRate        int64 // bytes a second; negative too without a limit
	MaxPacingRate     int64 // bytes a second (SO_MAX_PACING_RATE); negative too without a limit
	DeliveryRate      int64 // bytes a second, as last measured
	AppLimited        bool  // DeliveryRate was limited by what the process wrote
	BBR               BBR
	DCTCP             DCTCP
	Vegas             Vegas

	// What was agreed on in the handshake.
	Options              Options
	SndWscale, RcvWscale int8 // bits; negative too when not agreed
	FastOpenFail         int8 // why the client had no fast open (enum tcp_fastopen_client_fail); 0 nothing known

	RTT, RTTVar time.Duration // smoothed; negative too before the first measurement
	MinRTT      time.Duration // the least of the last five minutes (net.ipv4.tcp_min_rtt_wlen)
	RcvRTT      time.Duration // as the receiver estimates it
	RTO         time.Duration // after which a segment is sent again
	ATO         time.Duration // for which an ACK may be held back; 0 not yet

	SndMSS, RcvMSS, AdvMSS, PMTU int64 // bytes
	SndWnd, RcvWnd               int64 // bytes, scaled: what the other side lets us send, what we let it send
	RcvSpace, RcvSsthresh        int64 // bytes: of the receive buffer's tuning, and the largest window to offer

	// Segments on their way.
	Unacked, Sacked, Lost, Retrans, Fackets int64
	// Retransmits, Backoff and Probes count time-outs in a row that are not answered: of segments, doublings of the RTO, and
	// probes (of a closed window, or keepalive).
	Retransmits, Backoff, Probes int64

	// Since the connection began. BytesSent counts data that was sent again too: Sent does not. BytesReceived counts the FIN as one: Received
	// does not. BytesAcked counts the SYN and the FIN as one each.
	BytesSent, BytesAcked, BytesReceived, BytesRetrans   int64
	SegsOut, SegsIn, DataSegsOut, DataSegsIn             int64
	TotalRetrans                                         int64 // segments
	Delivered, DeliveredCE                               int64 // segments that have arrived, and of them those with a congestion mark
	DSACKDups, ReordSeen, RcvOOOPack                     int64 // duplicates of ours that arrived; reorderings seen; segments that came out of order
	Rehash                                               int64 // other paths that were tried (of the flow label)
	TotalRTO, TotalRTORecoveries                         int64
	TotalRTOTime                                         time.Duration
	NotsentBytes                                         int64         // written and never sent
	BusyTime                                             time.Duration // with data to send
	RwndLimited, SndbufLimited                           time.Duration // of BusyTime: kept back by the other side's window, by the send buffer
	LastDataSent, LastDataRecv, LastAckRecv              time.Duration // since
	ReceivedCE                                           int64         // segments, of accurate ECN (RFC 9768), as is what follows; bytes
	DeliveredE1Bytes, DeliveredE0Bytes, DeliveredCEBytes int64
	ReceivedE1Bytes, ReceivedE0Bytes, ReceivedCEBytes    int64
	AccECNFailMode, AccECNOptSeen                        int64 // flags

	SkMem SkMem

	TOS      int16 // the IPv4 header's
	TClass   int16 // the IPv6 header's
	V6Only   int8  // of an IPv6 listener: 1 it takes no IPv4, 0 it does
	Mark     int64 // SO_MARK; told with CAP_NET_ADMIN only
	ClassID  int64 // of net_cls, or SO_PRIORITY
	Shutdown int8  // ShutdownRcv, ShutdownSnd
	Cgroup   int64 // inode number of the directory of the cgroup v2 that the socket was made in
	ULP      Name  // what is between TCP and the process: tls, mptcp, espintcp
}

// Sent is the bytes of data that were sent, each once; negative before Linux 4.19.
func (i *Info) Sent() int64 {
	if i.BytesSent < 0 || i.BytesRetrans < 0 {
		return -1
	}
	return max(i.BytesSent-i.BytesRetrans, -1)
}

// Received is the bytes of data that came in order.
func (i *Info) Received() int64 {
	switch i.State {
	case sock.CloseWait, sock.LastAck, sock.Closing: // the FIN has come, and bytes_received counts what rcv_nxt goes on by (tcp_rcv_nxt_update)
		return max(i.BytesReceived-1, -1)
	}
	return i.BytesReceived
}

// Name is a name as the kernel has it (TCP_CA_NAME_MAX, TCP_ULP_NAME_MAX: 16 bytes with the closing NUL). An array, so that it is decoded
// without allocation. A module of the kernel chose it.
type Name [16]byte

// Bytes returns the name without the padding. It aliases n.
func (n *Name) Bytes() []byte {
	for i, b := range n {
		if b == 0 {
			return n[:i]
		}
	}
	return n[:]
}

func (n Name) String() string { return string(n.Bytes()) }

// Timer is which of a socket's timers runs (net/ipv4/inet_diag.c, inet_sk_diag_fill).
type Timer uint8

const (
	TimerNone      Timer = 0
	TimerRetrans   Timer = 1 // segments that are not acknowledged
	TimerKeepalive Timer = 2 // and others of the socket: the end of FIN_WAIT2
	TimerTimeWait  Timer = 3
	TimerPersist   Timer = 4 // probes of a window that is closed
)

var timers = [...]string{"", "on", "keepalive", "timewait", "persist"}

// String is ss(8)'s word; empty without a timer, unknown for a number that Linux does not use.
func (t Timer) String() string {
	if int(t) < len(timers) {
		return timers[t]
	}
	return "unknown"
}

// CAState is a state of congestion avoidance (enum tcp_ca_state).
type CAState int8

const (
	CAOpen     CAState = 0
	CADisorder CAState = 1
	CACWR      CAState = 2
	CARecovery CAState = 3
	CALoss     CAState = 4
)

var caStates = [...]string{"open", "disorder", "cwr", "recovery", "loss"}

// String is the kernel's word; empty when it is not known.
func (s CAState) String() string {
	if s >= 0 && int(s) < len(caStates) {
		return caStates[s]
	}
	return ""
}

// Options are what both sides agreed on (TCPI_OPT_*); negative is not known.
type Options int16

const (
	OptTimestamps Options = 1 << iota
	OptSACK
	OptWscale
	OptECN     // ECN was agreed on
	OptECNSeen // and a packet with ECN came
	OptSYNData // data in our SYN was acknowledged: fast open
	OptUsecTS  // timestamps in microseconds
	OptTFOChild
)

// Has reports whether all of o were agreed on.
func (s Options) Has(o Options) bool { return s >= 0 && s&o == o }

// Info.Shutdown has these (RCV_SHUTDOWN and SEND_SHUTDOWN of include/net/sock.h).
const (
	ShutdownRcv = 1 // nothing more is received: the other side is done, or this one does not want it
	ShutdownSnd = 2 // nothing more is sent
)

// SkMem is what memory a socket holds, in bytes (SK_MEMINFO_*).
type SkMem struct {
	RmemAlloc, RcvBuf  int64 // received, and its bound
	WmemAlloc, SndBuf  int64 // handed to the device, and the bound of WmemQueued
	FwdAlloc           int64 // allowed and not used yet
	WmemQueued, OptMem int64 // to be sent or acknowledged; options, filters and the like
	Backlog, Drops     int64 // received while the socket was in use; segments dropped (not bytes), of a listener connections too
}

// BBR is what bbr tells of itself.
type BBR struct {
	Bandwidth            int64 // bytes a second
	MinRTT               time.Duration
	PacingGain, CwndGain float64
}

// DCTCP is what dctcp tells of itself (struct tcp_dctcp_info).
type DCTCP struct{ Enabled, CEState, Alpha, AbECN, AbTot int64 }

// Vegas is what vegas, westwood, veno and illinois tell of themselves (struct tcpvegas_info).
type Vegas struct {
	Enabled, RTTCount int64
	RTT, MinRTT       time.Duration
}
