// SPDX-License-Identifier: GPL-2.0-or-later

package sock

// Proto is a protocol with its family, as netstat's first column tells them apart.
type Proto uint8

const (
	ProtoNone Proto = iota
	TCP
	TCP6
	SCTP
	SCTP6
	UDP
	UDP6
	UDPLite
	UDPLite6
	Raw
	Raw6
	Unix

	protoCount
)

var protoNames = [protoCount]string{"", "tcp", "tcp6", "sctp", "sctp6", "udp", "udp6", "udplite", "udplite6", "raw", "raw6", "unix"}

// String is the JSON spelling: tcp, tcp6, …, unix; empty for ProtoNone.
func (p Proto) String() string {
	if p < protoCount {
		return protoNames[p]
	}
	return ""
}

// ParseProto is the reverse of String.
func ParseProto(s string) (Proto, bool) {
	for p := ProtoNone + 1; p < protoCount; p++ {
		if protoNames[p] == s {
			return p, true
		}
	}
	return ProtoNone, false
}

// IPv6 reports whether the socket is of AF_INET6. SCTP's table has sockets of both families, and no kernel has fed
// SCTP6's.
func (p Proto) IPv6() bool {
	return p == TCP6 || p == SCTP6 || p == UDP6 || p == UDPLite6 || p == Raw6
}

// ProtoSet is a set of protocols.
type ProtoSet uint16

// Protos returns the set of ps.
func Protos(ps ...Proto) (s ProtoSet) {
	for _, p := range ps {
		s |= 1 << p
	}
	return s
}

// Sets that belong together.
var (
	ProtosTCP     = Protos(TCP, TCP6)
	ProtosSCTP    = Protos(SCTP, SCTP6)
	ProtosUDP     = Protos(UDP, UDP6)
	ProtosUDPLite = Protos(UDPLite, UDPLite6)
	ProtosRaw     = Protos(Raw, Raw6)
	ProtosUnix    = Protos(Unix)
)

// Has reports whether p is in s.
func (s ProtoSet) Has(p Proto) bool { return s&(1<<p) != 0 }

// Any reports whether s and t share a protocol.
func (s ProtoSet) Any(t ProtoSet) bool { return s&t != 0 }

// UnixType is the type of a UNIX domain socket: the kernel's SOCK_* number.
type UnixType uint16

const (
	UnixStream    UnixType = 1
	UnixDgram     UnixType = 2
	UnixRaw       UnixType = 3
	UnixRDM       UnixType = 4
	UnixSeqPacket UnixType = 5
)

var unixTypes = [...]string{1: "STREAM", 2: "DGRAM", 3: "RAW", 4: "RDM", 5: "SEQPACKET"}

// String is netstat's spelling; UNKNOWN for a number that Linux does not use.
func (t UnixType) String() string {
	if t >= 1 && int(t) < len(unixTypes) {
		return unixTypes[t]
	}
	return "UNKNOWN"
}

// SOAcceptCon is __SO_ACCEPTCON (include/linux/net.h): the flag of a listening UNIX socket.
const SOAcceptCon = 0x10000
