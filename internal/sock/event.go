// SPDX-License-Identifier: GPL-2.0-or-later

package sock

import "time"

// EventKind says what an Event tells.
type EventKind uint8

// The words of String are those of --event, of the field event of filters, and of JSON.
const (
	EventNone       EventKind = iota
	EventState                // the socket went from Old to Socket.State
	EventListen               // the socket listens
	EventOpen                 // a connection that this side began is established; InOld is what the handshake took
	EventAccept               // a connection that the other side began was taken by a process; InOld is how long it had waited for that
	EventFail                 // a connection that was begun was never established
	EventClose                // the end of a connection, with its life
	EventRetransmit           // a segment was sent again
	EventReset                // a reset was sent or received
	EventDrop                 // a segment of a socket was dropped
	EventOverflow             // a queue of a listener is full
	EventError                // an error was set on the socket
	EventBind                 // a socket was bound to a port
	EventLost                 // Lost events could not be delivered; nothing else is set but Time
	EventResync               // what was lost has been made good, or events are complete again; nothing else is set but Time
	EventOwner                // the socket's owner became known better; nothing else changed
	EventStale                // something changed that no event tells: the source's Stale says of what. Nothing else is set but Time

	eventCount
)

var eventKinds = [eventCount]string{
	"", "state", "listen", "open", "accept", "fail", "close", "retransmit", "reset", "drop", "overflow", "error", "bind",
	"lost", "resync", "owner", "stale",
}

func (k EventKind) String() string {
	if k < eventCount {
		return eventKinds[k]
	}
	return ""
}

// EventSet is a set of kinds.
type EventSet uint32

// Events makes a set.
func Events(kinds ...EventKind) (s EventSet) {
	for _, k := range kinds {
		s |= 1 << k
	}
	return s
}

// Has reports whether k is in the set.
func (s EventSet) Has(k EventKind) bool { return s&(1<<k) != 0 }

// Any reports whether the sets share a kind.
func (s EventSet) Any(of EventSet) bool { return s&of != 0 }

// Event is early news of one socket.
type Event struct {
	Kind EventKind
	Time time.Time // Socket.At on the wall clock
	// Socket is the socket after the change; queues and Others are not known.
	Socket Socket
	// Old is the state before; StateNone where the event is no change of state.
	Old State
	// InOld is the time spent in Old, and what EventOpen and EventAccept say; negative when the kernel was not watched
	// when it began, or the socket did not exist before.
	InOld time.Duration
	// Mini is the state in which the kernel keeps the connection as a minisocket
	// (TimeWait or FinWait2) after a change to Close; StateNone when it is gone.
	Mini State
	// Request is the ID of the request socket that the connection was until its handshake was complete; 0 when
	// it was none, or the source cannot tell.
	Request ID
	Lost    uint64
	// Detail is set for the kinds from EventFail to EventError. It is the source's, which uses it again for later events.
	Detail *Detail
	// Stack is what the kernel was doing, the innermost function first, as NAME+OFFSET, or an address where names are not to be had. Nil
	// when it was not asked for.
	Stack []string
}

// Detail is why something happened, and to what. Each kind has its own part of it.
type Detail struct {
	Life // EventFail and EventClose

	// By is who closed or reset a connection first (EventFail, EventClose), or who sent the reset (EventReset).
	By  Side
	End End // EventFail and EventClose
	// Errno is the error that the kernel set on the socket (sk_err, include/net/sock.h), 0 none: EventFail, EventClose and EventError.
	Errno uint16
	// Reason is the kernel's word for why a reset was sent (enum sk_rst_reason, include/net/rstreason.h, since 6.10) or a segment
	// dropped (enum skb_drop_reason, include/net/dropreason-core.h), without its prefix. Empty is not known.
	Reason string

	// Segment, Seq and Len say which segment was sent again (EventRetransmit) or dropped (EventDrop): its kind, its sequence number as in the
	// packet, and its bytes of data.
	Segment  Segment
	Seq, Len uint32
	// Nth is how often the data at the head of the queue has been sent again by time-outs (icsk_retransmits), of EventRetransmit.
	Nth uint8

	// Backlog and MaxBacklog are how many connections wait to be accepted, and how many may; Dropped is how many connections and segments the listener
	// dropped (sk_drops) since the last time it was looked at, below 0 not known: EventOverflow.
	Backlog, MaxBacklog uint32
	Dropped             int64
}

// Life is the whole life of a connection, as the kernel counted it.
type Life struct {
	// Duration is from the first state of the connection to its end; negative when it began before the kernel was watched.
	Duration time.Duration
	// In is the time spent in each state: negative when it is not known, 0 when it was not in that state.
	In [Closing + 1]time.Duration
	// Connect is how long the handshake took that this side began (SYN_SENT); AcceptWait how long the connection waited
	// until accept(2) returned it. Negative: not known, or not so.
	Connect, AcceptWait time.Duration
	// BytesSent is bytes of data as the process wrote them, as far as they were sent; those that were sent again count in BytesRetrans. BytesReceived
	// is those that came in order. (tcp_sock's bytes_sent, less bytes_retrans; bytes_received, less the FIN that it counts.)
	BytesSent, BytesReceived, BytesRetrans uint64
	// SegsOut and SegsIn are all segments, those without data too; Retrans is those that were sent again (total_retrans).
	SegsOut, SegsIn, Retrans uint32
	// RTT is the smoothed round-trip time at the end, MinRTT the least of the last five minutes (net.ipv4.tcp_min_rtt_wlen). 0 is not known.
	RTT, MinRTT time.Duration
	// Signal is what killed the process that held this end; Exited reports that it ended, killed or not, without having closed it.
	Signal uint8
	Exited bool
	// Peer is the owner of the other end when that is on this machine and its beginning was seen; PeerNetNS is its network namespace.
	Peer      Owner
	PeerNetNS uint32
}

// Side is one end of a connection.
type Side uint8

const (
	SideUnknown Side = iota
	SideLocal
	SideRemote
)

var sides = [...]string{"", "local", "remote"}

func (s Side) String() string {
	if int(s) < len(sides) {
		return sides[s]
	}
	return ""
}

// End is how a connection ended.
type End uint8

const (
	EndUnknown       End = iota
	EndFin               // both sides closed in order
	EndResetReceived     // the other side reset it
	EndResetSent         // this side reset it
	EndTimeout           // the other side did not answer in time (ETIMEDOUT)
	EndRefused           // nobody listened (ECONNREFUSED)
	EndError             // another error: Detail.Errno says which
	EndCanceled          // the process gave up before the connection was established
)

var ends = [...]string{"", "fin", "reset_received", "reset_sent", "timeout", "refused", "error", "canceled"}

func (e End) String() string {
	if int(e) < len(ends) {
		return ends[e]
	}
	return ""
}

// Segment is what kind of segment it was.
type Segment uint8

const (
	SegmentUnknown Segment = iota
	SegmentData
	SegmentSYN
	SegmentSYNACK
	SegmentFIN
	SegmentACK // without data
	SegmentRST
)

var segments = [...]string{"", "data", "syn", "syn-ack", "fin", "ack", "rst"}

func (s Segment) String() string {
	if int(s) < len(segments) {
		return segments[s]
	}
	return ""
}
