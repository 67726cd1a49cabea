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
func (Numeric) AppendHost(b []byte, a netip.Addr) []byte { return appendAddr(b, a) }

// AppendPort appends port in decimal.
func (Numeric) AppendPort(b []byte, _ sock.Proto, port uint16) []byte {
	return strconv.AppendUint(b, uint64(port), 10)
}

// AppendUser appends uid as netstat's signed number.
func (Numeric) AppendUser(b []byte, uid uint32) []byte {
	return strconv.AppendInt(b, int64(int32(uid)), 10)
}

// AppendEndpoint appends one end of a socket whole, as ADDR:PORT with * for port 0. Names of hosts and services are escaped:
// strangers give them.
func AppendEndpoint(b []byte, names Names, p sock.Proto, end netip.AddrPort) []byte {
	at := len(b)
	b = names.AppendHost(b, end.Addr())
	if !plain(b[at:]) {
		b = AppendEscaped(b[:at], string(b[at:]))
	}
	at = len(b) + len(":")
	if b = appendPort(append(b, ':'), names, p, end.Port()); !plain(b[at:]) {
		b = AppendEscaped(b[:at], string(b[at:]))
	}
	return b
}

func appendPort(b []byte, names Names, p sock.Proto, port uint16) []byte {
	if port == 0 {
		return append(b, '*')
	}
	return names.AppendPort(b, p, port)
}

// appendAddr appends a as inet_ntop writes it, and of an IPv4-mapped address the IPv4 part alone. netip agrees with
// inet_ntop but for ::/96, which inet_ntop writes with a quad (::192.0.2.1) unless the quad's first half is zero too.
func appendAddr(b []byte, a netip.Addr) []byte {
	a = a.Unmap()
	if a.Is6() {
		h := a.As16()
		if [12]byte(h[:12]) == [12]byte{} && (h[12] != 0 || h[13] != 0) {
			a, b = netip.AddrFrom4([4]byte(h[12:])), append(b, "::"...)
		}
	}
	return a.AppendTo(b)
}

// padTo appends blanks until b is width bytes longer than at: printf's %-*s, which counts bytes.
func padTo(b []byte, at, width int) []byte {
	return appendBlanks(b, at+width-len(b))
}

// appendBlanks appends n blanks; none when n is negative.
func appendBlanks(b []byte, n int) []byte {
	const blanks = "                                "
	for ; n > len(blanks); n -= len(blanks) {
		b = append(b, blanks...)
	}
	return append(b, blanks[:max(n, 0)]...)
}

// appendRight appends n in at least width bytes, to the right: printf's %*d.
func appendRight(b []byte, n uint64, width int) []byte {
	digits := 1
	for m := n; m >= 10; m /= 10 {
		digits++
	}
	return strconv.AppendUint(appendBlanks(b, width-digits), n, 10)
}

// appendMarked appends mark and the digits of n, which is less than bound, a power of ten: as many digits as
// that has zeros.
func appendMarked(b []byte, mark byte, n, bound int) []byte {
	at := len(b)
	b = strconv.AppendUint(b, uint64(bound+n), 10) // with a 1 before the zeros, where mark goes
	b[at] = mark
	return b
}
