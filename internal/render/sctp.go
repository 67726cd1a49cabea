// SPDX-License-Identifier: GPL-2.0-or-later

package render

import (
	"net/netip"
	"strconv"

	"netlive/internal/sock"
)

// hostMax is where netstat cuts the name of a host in SCTP's rows. There it knows no other cut, and -W changes nothing.
const hostMax = 63

// SCTPRow appends the row of an endpoint or an association, which has a line for each of its addresses. One without
// any is the columns that options add, and no more.
func (t *Table) SCTPRow(b []byte, s *sock.Socket) []byte {
	lines := max(len(s.SCTP.Locals), len(s.SCTP.Remotes))
	for i := range lines {
		if i > 0 {
			b = appendBlanks(append(b, '\n'), 20)
		} else if s.SCTP.Endpoint {
			b = append(b, "sctp                "...)
		} else {
			b = append(b, "sctp  "...)
			b = append(appendRight(b, uint64(s.Queue.Recv), 6), ' ')
			b = append(appendRight(b, uint64(s.Queue.Send), 6), ' ')
		}
		if s.SCTP.Endpoint {
			b = t.appendSCTPEnd(b, s.SCTP.Locals, i, s.Local.Port(), true, 47)
		} else {
			b = append(t.appendSCTPEnd(b, s.SCTP.Locals, i, s.Local.Port(), i == 0, 23), ' ')
			b = t.appendSCTPEnd(b, s.SCTP.Remotes, i, s.Remote.Port(), i == 0, 23)
		}
		b = append(b, ' ')
		at := len(b)
		if i == 0 {
			b = appendSCTPState(b, s)
		}
		b = padTo(b, at, 11)
	}
	return t.appendTail(b, s)
}

// appendSCTPEnd appends the ith of addrs, if there is one, in at least width bytes. The port is a number: netstat has
// no services of SCTP.
func (t *Table) appendSCTPEnd(b []byte, addrs []netip.Addr, i int, port uint16, withPort bool, width int) []byte {
	at := len(b)
	if i < len(addrs) {
		b = t.appendSCTPHost(b, addrs[i])
		if withPort {
			b = appendPort(append(b, ':'), Numeric{}, sock.SCTP, port)
		}
	}
	return padTo(b, at, width)
}

func (t *Table) appendSCTPHost(b []byte, a netip.Addr) []byte {
	names := t.SCTPNames
	if names == nil {
		names = t.Names
	}
	if !a.IsValid() {
		a = netip.AddrFrom4([4]byte{255, 255, 255, 255}) // netstat shows the error of inet_addr(3), INADDR_NONE
	}
	t.host = names.AppendHost(t.host[:0], a)
	return appendName(b, t.host[:min(len(t.host), hostMax)], t.Escape)
}

func appendSCTPState(b []byte, s *sock.Socket) []byte {
	if s.State <= sock.Closing {
		return append(b, s.State.String()...)
	}
	b = strconv.AppendInt(append(b, "UNKNOWN("...), int64(s.SCTP.RawState), 10)
	return append(b, ')')
}

// appendSCTPFields appends the names that SCTP alone has:
//
//	kind                       "endpoint" or "association"
//	local_addrs, remote_addrs  all addresses; local_addr and remote_addr are the first of them
//	primary_local_addr, primary_remote_addr
//	                           the path in use; null of an endpoint
//	assoc_id, assoc_state      null of an endpoint; state is the socket's
func appendSCTPFields(b []byte, i *sock.SCTPInfo) []byte {
	if i.Endpoint {
		b = append(b, `,"kind":"endpoint"`...)
	} else {
		b = append(b, `,"kind":"association"`...)
	}
	b = appendAddrsJSON(b, `,"local_addrs":[`, i.Locals)
	b = appendAddrsJSON(b, `,"remote_addrs":[`, i.Remotes)
	b = appendAddrOrNull(append(b, `,"primary_local_addr":`...), i.PrimaryLocal)
	b = appendAddrOrNull(append(b, `,"primary_remote_addr":`...), i.PrimaryRemote)
	if i.Endpoint {
		return append(b, `,"assoc_id":null,"assoc_state":null`...)
	}
	b = strconv.AppendInt(append(b, `,"assoc_id":`...), int64(i.AssocID), 10)
	b = append(append(b, `,"assoc_state":"`...), i.AssocState.String()...)
	return append(b, '"')
}

func appendAddrsJSON(b []byte, name string, addrs []netip.Addr) []byte {
	b = append(b, name...)
	for i, a := range addrs {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendAddrOrNull(b, a)
	}
	return append(b, ']')
}

func appendAddrOrNull(b []byte, a netip.Addr) []byte {
	if !a.IsValid() {
		return append(b, "null"...)
	}
	return append(a.AppendTo(append(b, '"')), '"')
}
