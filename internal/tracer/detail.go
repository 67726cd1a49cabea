// SPDX-License-Identifier: GPL-2.0-or-later

package tracer

import (
	"fmt"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"netlive/internal/sock"
)

// enum past_flags of records.h.
const (
	pastResetReceived = 1 << 0
	pastResetSent     = 1 << 1
	pastFinReceived   = 1 << 2
	pastExited        = 1 << 3
	pastShut          = 1 << 4
)

// The flags of a TCP header (RFC 9293, 3.1).
const (
	tcpFIN = 1 << 0
	tcpSYN = 1 << 1
	tcpRST = 1 << 2
	tcpACK = 1 << 4
)

// decodeDetail reads what follows the event e in its record into d, without allocation but for a stack. A record without detail is fine.
func (s *Stream) decodeDetail(b []byte, e *sock.Event, d *sock.Detail) error {
	var r bpfStackRecord
	switch len(b) {
	case int(unsafe.Sizeof(r.Detail.Event)):
		return nil
	case int(unsafe.Sizeof(r.Detail)):
		copyRecord(b, &r.Detail)
	case int(unsafe.Sizeof(r)):
		copyRecord(b, &r)
		e.Stack = s.t.symbols.stack(r.Stack[:])
	default:
		return fmt.Errorf("event record of %d bytes", len(b))
	}
	if e.Kind < sock.EventFail || e.Kind > sock.EventError {
		return nil
	}
	r.Detail.detail(e, d)
	d.Reason = s.t.names.reason(e.Kind, r.Detail.Reason)
	e.Detail = d
	return nil
}

func (r *bpfDetailRecord) detail(e *sock.Event, d *sock.Detail) {
	*d = sock.Detail{
		By:      sock.Side(r.By),
		Errno:   r.Error,
		Segment: segment(r.TcpFlags, r.EndSeq-r.Seq),
		Seq:     r.Seq,
		Len:     r.EndSeq - r.Seq,
		Nth:     r.Nth,
		Backlog: r.Backlog,
		Dropped: int64(int32(r.Dropped)), // ~0 becomes -1
	}
	d.MaxBacklog = r.MaxBacklog
	if r.TcpFlags&(tcpSYN|tcpFIN) != 0 && d.Len > 0 {
		d.Len-- // each takes a number
	}
	if e.Kind != sock.EventFail && e.Kind != sock.EventClose {
		return
	}
	d.Life = sock.Life{
		Duration:      time.Duration(r.DurationNs),   // ~0 becomes -1
		AcceptWait:    time.Duration(r.AcceptWaitNs), // the same
		Connect:       -1,
		BytesSent:     r.BytesSent - min(r.BytesRetrans, r.BytesSent),
		BytesReceived: r.BytesReceived,
		BytesRetrans:  r.BytesRetrans,
		SegsOut:       r.SegsOut, SegsIn: r.SegsIn, Retrans: r.Retrans,
		RTT:    time.Duration(r.RttUs) * time.Microsecond,
		Signal: r.Signal,
		Exited: r.Flags&pastExited != 0,
	}
	for i, ns := range r.InNs {
		if state := sock.State(i); state < sock.State(len(d.In)) && state != sock.StateNone {
			d.In[state] = time.Duration(ns)
		}
	}
	if d.In[sock.SynSent] > 0 && e.Kind == sock.EventClose {
		d.Connect = d.In[sock.SynSent]
	}
	if r.MinRttUs != ^uint32(0) {
		d.MinRTT = time.Duration(r.MinRttUs) * time.Microsecond
	}
	if r.Flags&pastFinReceived != 0 && d.BytesReceived > 0 {
		d.BytesReceived--
	}
	if r.PeerPid != 0 {
		d.Peer = sock.Owner{PID: r.PeerPid, FD: -1, How: sock.How(r.PeerHow), Comm: r.PeerComm, Start: r.PeerStartNs}
		d.PeerNetNS = r.PeerNetns
	}
	d.End = r.end(e)
	if d.By != sock.SideUnknown {
		return
	}
	switch d.End {
	case sock.EndRefused, sock.EndResetReceived:
		d.By = sock.SideRemote
	case sock.EndResetSent, sock.EndCanceled:
		d.By = sock.SideLocal
	}
}

// end says how a connection ended, or the attempt to make one.
func (r *bpfDetailRecord) end(e *sock.Event) sock.End {
	switch {
	case r.Error == uint16(unix.ECONNREFUSED):
		return sock.EndRefused
	case r.Flags&pastResetReceived != 0:
		return sock.EndResetReceived
	case r.Error == uint16(unix.ETIMEDOUT): // that of keepalive sends a reset too
		return sock.EndTimeout
	case r.Flags&pastResetSent != 0:
		return sock.EndResetSent
	case r.Error != 0:
		return sock.EndError
	case e.Kind == sock.EventFail && r.Flags&pastShut != 0:
		return sock.EndCanceled
	case e.Kind == sock.EventFail:
		return sock.EndError // connect(2) said which, and the socket does not (net/ipv4/tcp_ipv4.c, tcp_v4_connect)
	case e.Mini != sock.StateNone, e.Old == sock.LastAck, e.Old == sock.Closing:
		return sock.EndFin
	}
	return sock.EndUnknown
}

// segment is what kind of segment that is, of so many sequence numbers.
func segment(flags uint8, length uint32) sock.Segment {
	switch {
	case flags == 0:
		return sock.SegmentUnknown
	case flags&tcpRST != 0:
		return sock.SegmentRST
	case flags&(tcpSYN|tcpACK) == tcpSYN|tcpACK:
		return sock.SegmentSYNACK
	case flags&tcpSYN != 0:
		return sock.SegmentSYN
	case flags&tcpFIN != 0 && length == 1:
		return sock.SegmentFIN
	case length > 0:
		return sock.SegmentData
	}
	return sock.SegmentACK
}
