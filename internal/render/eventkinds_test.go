// SPDX-License-Identifier: GPL-2.0-or-later

package render

import (
	"time"

	"netlive/internal/sock"
)

// of is an event of the connection of closed.
func of(kind sock.EventKind, change func(e *sock.Event, d *sock.Detail)) sock.Event {
	e := closed()
	e.Kind, e.Old, e.InOld = kind, sock.StateNone, -1
	d := &sock.Detail{Life: sock.Life{Duration: -1, Connect: -1, AcceptWait: -1}}
	if change != nil {
		change(&e, d)
	}
	if kind >= sock.EventFail && kind <= sock.EventError {
		e.Detail = d
	}
	return e
}

// lived is the end of a connection of which all is known.
func lived(end sock.End, change func(d *sock.Detail)) sock.Event {
	return of(sock.EventClose, func(_ *sock.Event, d *sock.Detail) {
		*d = sock.Detail{
			Life: sock.Life{
				Duration: 184_512 * time.Microsecond, Connect: 39_110 * time.Microsecond, AcceptWait: -1,
				BytesSent: 1_234, BytesReceived: 88_765, BytesRetrans: 1_448, SegsOut: 66, SegsIn: 71, Retrans: 1,
				RTT: 41_007 * time.Microsecond, MinRTT: 38_250 * time.Microsecond,
			},
			By: sock.SideLocal, End: end,
		}
		d.In[sock.SynSent], d.In[sock.Established], d.In[sock.FinWait1] = 39_110*time.Microsecond, 145_402*time.Microsecond, -1
		if change != nil {
			change(d)
		}
	})
}

func failed(end sock.End, errno uint16) sock.Event {
	return of(sock.EventFail, func(e *sock.Event, d *sock.Detail) {
		d.Duration, d.End, d.Errno = 1_042*time.Microsecond, end, errno
		d.In[sock.SynSent] = d.Duration
	})
}

// The numbers of errors and signals, which are the same on all architectures that BPF runs on but for MIPS and SPARC.
const (
	econnreset   = 104
	etimedout    = 110
	econnrefused = 111
	ehostunreach = 113
	sigkill      = 9
)

func peer(comm string) func(d *sock.Detail) {
	return func(d *sock.Detail) {
		d.Peer, d.PeerNetNS = sock.Owner{PID: 28883, FD: -1, How: sock.HowExact, Comm: sock.MakeComm(comm), Start: 5}, 4026531840
	}
}

// ofEveryKind are events of all kinds, each with what it can say.
func ofEveryKind() []sock.Event {
	segment := func(s sock.Segment, seq, n uint32, nth uint8) func(*sock.Event, *sock.Detail) {
		return func(e *sock.Event, d *sock.Detail) {
			e.Socket.State, d.Segment, d.Seq, d.Len, d.Nth = sock.Established, s, seq, n, nth
		}
	}
	return []sock.Event{
		closed(),
		of(sock.EventListen, func(e *sock.Event, _ *sock.Detail) {
			e.Socket.State = sock.Listen
			between("0.0.0.0:80", "0.0.0.0:0")(e)
		}),
		of(sock.EventBind, func(e *sock.Event, _ *sock.Detail) { between("0.0.0.0:80", "0.0.0.0:0")(e) }),
		of(sock.EventBind, func(e *sock.Event, _ *sock.Detail) {
			e.Socket.Proto = sock.UDP6
			between("[::]:53", "[::]:0")(e)
		}),
		of(sock.EventOpen, func(e *sock.Event, _ *sock.Detail) {
			e.Socket.State, e.InOld = sock.Established, 39_110*time.Microsecond
		}),
		of(sock.EventAccept, func(e *sock.Event, _ *sock.Detail) {
			e.Socket.State, e.InOld = sock.Established, 999_999*time.Microsecond
			between("255.255.255.255:65535", "255.255.255.255:65535")(e)
		}),
		failed(sock.EndRefused, econnrefused),
		failed(sock.EndTimeout, etimedout),
		failed(sock.EndError, ehostunreach),
		failed(sock.EndError, 1),
		failed(sock.EndError, 0),
		failed(sock.EndResetReceived, econnreset),
		failed(sock.EndCanceled, 0),
		lived(sock.EndFin, nil),
		lived(sock.EndFin, func(d *sock.Detail) { d.By, d.Retrans = sock.SideRemote, 0 }),
		lived(sock.EndFin, func(d *sock.Detail) { d.By, d.Retrans = sock.SideUnknown, 12 }),
		lived(sock.EndResetReceived, func(d *sock.Detail) { d.Errno, d.Retrans = econnreset, 0 }),
		lived(sock.EndResetSent, func(d *sock.Detail) { d.Reason, d.Signal, d.Exited = "TCP_ABORT_ON_CLOSE", sigkill, true }),
		lived(sock.EndResetSent, func(d *sock.Detail) { d.Retrans, d.Exited = 0, true }),
		lived(sock.EndTimeout, func(d *sock.Detail) { d.Errno, d.Signal = etimedout, 64 }),
		lived(sock.EndError, func(d *sock.Detail) { d.Errno, d.Retrans = ehostunreach, 0 }),
		lived(sock.EndUnknown, func(d *sock.Detail) {
			d.By, d.Retrans, d.Exited = sock.SideUnknown, 0, true
			d.Duration, d.RTT, d.MinRTT = -1, 0, 0
			d.BytesSent, d.BytesReceived = 0, 18_446_744_073_709
		}),
		lived(sock.EndUnknown, func(d *sock.Detail) { d.By, d.Retrans = sock.SideUnknown, 0 }),
		lived(sock.EndFin, peer("nginx")),
		of(sock.EventRetransmit, segment(sock.SegmentSYN, 1, 0, 2)),
		of(sock.EventRetransmit, segment(sock.SegmentData, 4_294_967_295, 1448, 0)),
		of(sock.EventRetransmit, segment(sock.SegmentFIN, 7, 0, 11)),
		of(sock.EventRetransmit, func(e *sock.Event, d *sock.Detail) { e.Socket.State, d.Segment = sock.SynRecv, sock.SegmentSYNACK }),
		of(sock.EventReset, func(_ *sock.Event, d *sock.Detail) { d.By, d.Reason = sock.SideLocal, "NO_SOCKET" }),
		of(sock.EventReset, func(e *sock.Event, d *sock.Detail) { // in answer to a segment for no socket
			e.Socket = sock.Socket{Proto: sock.TCP, NetNS: 7, Local: e.Socket.Local, Remote: e.Socket.Remote}
			d.By, d.Reason = sock.SideLocal, "NO_SOCKET"
		}),
		of(sock.EventReset, func(_ *sock.Event, d *sock.Detail) { d.By = sock.SideRemote }),
		of(sock.EventReset, nil),
		of(sock.EventDrop, func(_ *sock.Event, d *sock.Detail) {
			d.Reason, d.Segment, d.Seq, d.Len = "TCP_ZEROWINDOW", sock.SegmentData, 123, 1448
		}),
		of(sock.EventDrop, func(_ *sock.Event, d *sock.Detail) { d.Reason = "LISTEN_OVERFLOW" }),
		of(sock.EventDrop, func(_ *sock.Event, d *sock.Detail) { d.Segment = sock.SegmentRST }),
		of(sock.EventOverflow, func(_ *sock.Event, d *sock.Detail) { d.Backlog, d.MaxBacklog, d.Dropped = 129, 128, 37 }),
		of(sock.EventOverflow, func(_ *sock.Event, d *sock.Detail) { d.Backlog, d.MaxBacklog = 5, 4 }),
		of(sock.EventError, func(_ *sock.Event, d *sock.Detail) { d.Errno = econnreset }),
		of(sock.EventError, func(_ *sock.Event, d *sock.Detail) { d.Errno = 524 }), // ENOTSUPP, the kernel's own
		{Kind: sock.EventLost, Time: moment, Lost: 42},
		{Kind: sock.EventResync, Time: moment},
	}
}

// hostile names what strangers name so that a terminal would do something.
func hostile() sock.Event {
	e := lived(sock.EndResetSent, func(d *sock.Detail) {
		peer("b\x1b[2J\n,\"")(d)
		d.Reason = "\u202e,\"\n"
	})
	e.Socket.Owner.Comm = sock.MakeComm(" a\x1b[m,\"\x07")
	e.Socket.NetNS, e.Socket.Cgroup = 9, 9
	e.Stack = []string{"a\x1b[2J\n,\"+0x1", "\u202e"}
	return e
}
