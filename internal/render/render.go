// SPDX-License-Identifier: GPL-2.0-or-later

// Package render turns rows into bytes: net-tools' tables, event lines, JSON. Functions append
// to a slice, so that a caller who keeps it pays for no allocation per row. Nothing here
// decides what is shown; it only says how.
package render

import (
	"net/netip"
	"strconv"

	"netlive/internal/sock"
)

// Names turns numbers into names, or into their digits.
type Names interface {
	AppendHost(b []byte, a netip.Addr) []byte
	AppendPort(b []byte, p sock.Proto, port uint16) []byte
	AppendUser(b []byte, uid uint32) []byte
}

// Numeric is Names that resolves nothing, as netstat -n.
type Numeric struct{}

// AppendHost appends a as inet_ntop writes it; an IPv4-mapped address as the IPv4 address, as netstat does.
func (Numeric) AppendHost(b []byte, a netip.Addr) []byte { return a.Unmap().AppendTo(b) }

// AppendPort appends port in decimal.
func (Numeric) AppendPort(b []byte, _ sock.Proto, port uint16) []byte {
	return strconv.AppendUint(b, uint64(port), 10)
}

// AppendUser appends uid as netstat's signed number.
func (Numeric) AppendUser(b []byte, uid uint32) []byte {
	return strconv.AppendInt(b, int64(int32(uid)), 10)
}

// AppendEndpoint appends one end of a socket whole, as ADDR:PORT with * for port 0. Names of hosts are escaped:
// strangers give them.
func AppendEndpoint(b []byte, names Names, p sock.Proto, end netip.AddrPort) []byte {
	at := len(b)
	b = names.AppendHost(b, end.Addr())
	if !plain(b[at:]) {
		b = AppendEscaped(b[:at], string(b[at:]))
	}
	return appendPort(append(b, ':'), names, p, end.Port())
}

func appendPort(b []byte, names Names, p sock.Proto, port uint16) []byte {
	if port == 0 {
		return append(b, '*')
	}
	return names.AppendPort(b, p, port)
}

// padTo appends blanks until b is width bytes longer than at: printf's %-*s, which counts bytes.
func padTo(b []byte, at, width int) []byte {
	for len(b) < at+width {
		b = append(b, ' ')
	}
	return b
}

// appendRight appends n in at least width bytes, to the right: printf's %*d.
func appendRight(b []byte, n uint64, width int) []byte {
	var digits [20]byte
	d := strconv.AppendUint(digits[:0], n, 10)
	for range width - len(d) {
		b = append(b, ' ')
	}
	return append(b, d...)
}
