// SPDX-License-Identifier: GPL-2.0-or-later

package render

import (
	"fmt"

	"netlive/internal/legacy"
)

// The names in the JSON of these sockets, in all families:
//
//	proto           "ipx", "ax25", "x25", "netrom", "rose"
//	local, remote   what the family calls an address; null for none
//	state           netstat's word, null if it has none; state_raw is the kernel's number
//	recv_q, send_q  bytes
//	uid             only of ipx
//	inode           not of ipx
//	device          null for none, and of ipx
//
// ipx has local_port and remote_port too. ax25, x25, netrom and rose have vs and vr, the numbers of the next frame. ax25 has
// via, the stations that repeat (with an asterisk if they have), and digi, whether this one does; netrom user; x25 and
// rose lci, the logical channel; rose local_call, remote_call and neighbour, a number. What is not known is null.

func appendIPXJSON(b []byte, s *legacy.IPXSocket) []byte {
	b = appendLegacyHead(b, legacy.IPX, ipxFull(&s.Local), ipxFull(&s.Remote), s.Connected)
	word := ""
	switch s.State {
	case legacy.IPXEstablished:
		word = "ESTAB"
	case legacy.IPXClosed:
		word = "CLOSE" // netstat leaves it out
	}
	b = appendTextJSON(b, `,"state":`, word)
	b = appendUint(b, `,"state_raw":`, uint64(s.State))
	b = appendUint(b, `,"recv_q":`, uint64(s.RxQueue))
	b = appendUint(b, `,"send_q":`, uint64(s.TxQueue))
	b = appendUint(b, `,"uid":`, uint64(s.UID))
	b = append(b, `,"inode":null,"device":null`...)
	b = appendUint(b, `,"local_port":`, uint64(s.Local.Port))
	if s.Connected {
		b = appendUint(b, `,"remote_port":`, uint64(s.Remote.Port))
	} else {
		b = append(b, `,"remote_port":null`...)
	}
	return append(b, '}')
}

// ipxFull is NETWORK:NODE, or NETWORK if the node is not known.
func ipxFull(a *legacy.IPXAddr) string {
	if a.Node == [6]byte{} {
		return fmt.Sprintf("%08X", a.Network)
	}
	return fmt.Sprintf("%08X:%X", a.Network, a.Node[:])
}

func appendAX25JSON(b []byte, s *legacy.AX25Socket) []byte {
	b = appendLegacyHead(b, legacy.AX25, s.Source, s.Dest, true)
	b = appendLegacyTail(b, &legacyTail{statesAX25, s.State, s.Attached, s.SendQueue, s.RecvQueue, s.Inode, s.Iface, true, s.VS, s.VR})
	b = append(b, `,"via":[`...)
	for i, call := range s.Via {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendString(b, []byte(call))
	}
	return fmt.Appendf(b, `],"digi":%t}`, s.Digi)
}

func appendX25JSON(b []byte, s *legacy.X25Socket) []byte {
	b = appendLegacyHead(b, legacy.X25, s.Source, s.Dest, true)
	b = appendLegacyTail(b, &legacyTail{statesX25, s.State, true, s.SendQueue, s.RecvQueue, s.Inode, s.Iface, true, s.VS, s.VR})
	return append(appendUint(b, `,"lci":`, uint64(s.LCI)), '}')
}

func appendNetROMJSON(b []byte, s *legacy.NetROMSocket) []byte {
	b = appendLegacyHead(b, legacy.NetROM, s.Source, s.Dest, true)
	b = appendLegacyTail(b, &legacyTail{statesNetROM, s.State, true, s.SendQueue, s.RecvQueue, s.Inode, s.Iface, true, s.VS, s.VR})
	return append(appendTextJSON(b, `,"user":`, known(s.User)), '}')
}

func appendROSEJSON(b []byte, s *legacy.ROSESocket) []byte {
	b = appendLegacyHead(b, legacy.ROSE, s.SourceAddr, s.DestAddr, true)
	b = appendLegacyTail(b, &legacyTail{statesNetROM, s.State, s.Whole, s.SendQueue, s.RecvQueue, s.Inode, s.Iface, s.Whole, s.VS, s.VR})
	b = appendTextJSON(b, `,"local_call":`, known(s.SourceCall))
	b = appendTextJSON(b, `,"remote_call":`, known(s.DestCall))
	b = appendUint(b, `,"lci":`, uint64(s.LCI))
	return append(appendUintOrNull(b, `,"neighbour":`, uint64(s.Neighbour)), '}')
}

// known is a name, "" of what the kernel writes when there is none.
func known(name string) string {
	switch name {
	case "*", "???", "??????-?":
		return ""
	}
	return name
}

func appendLegacyHead(b []byte, f legacy.Family, local, remote string, connected bool) []byte {
	b = append(append(append(b, `{"proto":"`...), f.String()...), '"')
	b = appendTextJSON(b, `,"local":`, known(local))
	if !connected {
		remote = ""
	}
	return appendTextJSON(b, `,"remote":`, known(remote))
}

// legacyTail is what all families but IPX have.
type legacyTail struct {
	states     []string
	state      uint32
	queues     bool // there are any
	send, recv uint32
	inode      uint32
	iface      string
	numbers    bool // there are vs and vr
	vs, vr     uint32
}

func appendLegacyTail(b []byte, t *legacyTail) []byte {
	b = appendTextJSON(b, `,"state":`, legacyState(t.states, t.state))
	b = appendUint(b, `,"state_raw":`, uint64(t.state))
	if t.queues {
		b = appendUint(b, `,"recv_q":`, uint64(t.recv))
		b = appendUint(b, `,"send_q":`, uint64(t.send))
	} else {
		b = append(b, `,"recv_q":null,"send_q":null`...)
	}
	b = appendUintOrNull(append(b, `,"uid":null`...), `,"inode":`, uint64(t.inode))
	b = appendTextJSON(b, `,"device":`, known(t.iface))
	if !t.numbers {
		return append(b, `,"vs":null,"vr":null`...)
	}
	b = appendUint(b, `,"vs":`, uint64(t.vs))
	return appendUint(b, `,"vr":`, uint64(t.vr))
}
