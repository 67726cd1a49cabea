// SPDX-License-Identifier: GPL-2.0-or-later

package sock

import "net/netip"

// SCTPInfo is what only SCTP has. Its rows are not sockets: a socket has one endpoint and, in the one-to-many style
// (SOCK_SEQPACKET), any number of associations, which all have the socket's inode, UID and State. Nobody changes an
// SCTPInfo once it is made, so that copies of a Socket may share it.
type SCTPInfo struct {
	Endpoint bool // else it is an association
	// Locals and Remotes are the addresses of either end in the kernel's order, which Socket.Local and Socket.Remote
	// have the first of, with the port that all share. Text that is no address is an invalid one. An endpoint has no Remotes.
	Locals, Remotes []netip.Addr
	// PrimaryLocal and PrimaryRemote are the addresses of the association's primary path; invalid when none is marked.
	PrimaryLocal, PrimaryRemote netip.Addr
	// AssocID is the association's, 0 of an endpoint (SCTP_FUTURE_ASSOC).
	AssocID int32
	// AssocState is the state of an association itself, where Socket.State is that of its socket.
	AssocState SCTPState
	// RawState is the number that Socket.State was made of, for one that Linux has not.
	RawState int32
}

// SCTPState is the state of an association: the kernel's number (include/net/sctp/constants.h, enum sctp_state).
type SCTPState uint8

const (
	SCTPClosed           SCTPState = 0
	SCTPCookieWait       SCTPState = 1
	SCTPCookieEchoed     SCTPState = 2
	SCTPEstablished      SCTPState = 3
	SCTPShutdownPending  SCTPState = 4
	SCTPShutdownSent     SCTPState = 5
	SCTPShutdownReceived SCTPState = 6
	SCTPShutdownAckSent  SCTPState = 7
)

var sctpStates = [...]string{
	"CLOSED", "COOKIE_WAIT", "COOKIE_ECHOED", "ESTABLISHED",
	"SHUTDOWN_PENDING", "SHUTDOWN_SENT", "SHUTDOWN_RECEIVED", "SHUTDOWN_ACK_SENT",
}

// String is the name in RFC 9260; UNKNOWN for a number that Linux does not use.
func (s SCTPState) String() string {
	if int(s) < len(sctpStates) {
		return sctpStates[s]
	}
	return "UNKNOWN"
}
