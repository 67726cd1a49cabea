// SPDX-License-Identifier: GPL-2.0-or-later

package sock

// State is the state of a socket. TCP states have the kernel's numbers
// (include/net/tcp_states.h), which UDP and raw sockets share; UNIX states have
// the kernel's SS_* numbers (include/uapi/linux/net.h) from UnixFree on.
type State uint8

const (
	StateNone   State = 0
	Established State = 1
	SynSent     State = 2
	SynRecv     State = 3
	FinWait1    State = 4
	FinWait2    State = 5
	TimeWait    State = 6
	Close       State = 7 // also an unconnected UDP or raw socket
	CloseWait   State = 8
	LastAck     State = 9
	Listen      State = 10
	Closing     State = 11
	// NewSynRecv is the kernel's own name for a request socket; it is shown as SYN_RECV.
	NewSynRecv State = 12

	UnixFree          State = 16
	UnixUnconnected   State = 17
	UnixConnecting    State = 18
	UnixConnected     State = 19
	UnixDisconnecting State = 20
	// UnixListening is UnixUnconnected with SOAcceptCon set.
	UnixListening State = 21

	stateCount = 22
)

// StateCount bounds the states: an array of that length can be indexed by any State that Valid accepts.
const StateCount = stateCount

var stateNames = [stateCount]string{
	Established: "ESTABLISHED", SynSent: "SYN_SENT", SynRecv: "SYN_RECV",
	FinWait1: "FIN_WAIT1", FinWait2: "FIN_WAIT2", TimeWait: "TIME_WAIT", Close: "CLOSE",
	CloseWait: "CLOSE_WAIT", LastAck: "LAST_ACK", Listen: "LISTEN", Closing: "CLOSING",
	NewSynRecv: "SYN_RECV",
	UnixFree:   "FREE", UnixUnconnected: "", UnixConnecting: "CONNECTING",
	UnixConnected: "CONNECTED", UnixDisconnecting: "DISCONNECTING", UnixListening: "LISTENING",
}

// String is netstat's spelling (SYN_SENT, FIN_WAIT2, LISTENING). It is empty for
// StateNone and UnixUnconnected, as netstat's column is, and UNKNOWN for a
// number that Linux does not use.
func (s State) String() string {
	if s.Valid() {
		return stateNames[s]
	}
	return "UNKNOWN"
}

// Valid reports whether s is a state of this package.
func (s State) Valid() bool { return s < stateCount }

// ParseState is the reverse of String for TCP states.
func ParseState(name string) (State, bool) {
	for s := Established; s <= Closing; s++ {
		if stateNames[s] == name {
			return s, true
		}
	}
	return StateNone, false
}

// StateName is the state of a socket of protocol p in netstat's words: only TCP
// and SCTP have a CLOSE, an unconnected UDP or raw socket (the same number) has no word.
func StateName(p Proto, s State) string {
	if s == Close && !(ProtosTCP | ProtosSCTP).Has(p) {
		return ""
	}
	return s.String()
}
