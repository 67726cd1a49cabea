// SPDX-License-Identifier: GPL-2.0-or-later

package render

import (
	"net/netip"
	"strconv"
	"syscall"
	"time"
	"unicode/utf8"

	"golang.org/x/sys/unix"

	"netlive/internal/sock"
)

// widthEnd is that of an IPv4 end. IPv6 ends may be longer and push their line.
const widthEnd = len("255.255.255.255:65535")

// orUnknown is n, of a value whose 0 says that it is not known.
func orUnknown[T ~int64](n T) T {
	if n == 0 {
		return -1
	}
	return n
}

// number makes a cell of a number, size one of a number of bytes, span one of a duration. What is negative is not known.
func number(of func(e *sock.Event) int64) func(c *eventCells, b []byte, e *sock.Event) []byte {
	return func(_ *eventCells, b []byte, e *sock.Event) []byte {
		n := of(e)
		if n < 0 {
			return b
		}
		return strconv.AppendUint(b, uint64(n), 10)
	}
}

func size(of func(e *sock.Event) int64) func(c *eventCells, b []byte, e *sock.Event) []byte {
	return func(c *eventCells, b []byte, e *sock.Event) []byte {
		switch n := of(e); {
		case n < 0:
			return b
		case c.raw:
			return strconv.AppendUint(b, uint64(n), 10)
		default:
			return AppendSize(b, uint64(n))
		}
	}
}

func span(of func(e *sock.Event) time.Duration) func(c *eventCells, b []byte, e *sock.Event) []byte {
	return func(c *eventCells, b []byte, e *sock.Event) []byte {
		d := of(e)
		if d < 0 {
			return b
		}
		return c.appendSpan(b, d)
	}
}

// ofLife is f of the life of a connection.
func ofLife[T ~int64](f func(l *sock.Life) T) func(e *sock.Event) T {
	return ofDetail(func(d *sock.Detail) T { return f(&d.Life) })
}

func ofDetail[T ~int64](f func(d *sock.Detail) T) func(e *sock.Event) T {
	return func(e *sock.Event) T {
		if e.Detail == nil {
			return -1
		}
		return f(e.Detail)
	}
}

// ofSegment is f of a segment that is known.
func ofSegment(f func(d *sock.Detail) int64) func(e *sock.Event) int64 {
	return ofDetail(func(d *sock.Detail) int64 {
		if d.Segment == sock.SegmentUnknown {
			return -1
		}
		return f(d)
	})
}

func ofDetailText(f func(c *eventCells, b []byte, d *sock.Detail) []byte) func(c *eventCells, b []byte, e *sock.Event) []byte {
	return func(c *eventCells, b []byte, e *sock.Event) []byte {
		if e.Detail == nil {
			return b
		}
		return f(c, b, e.Detail)
	}
}

func duration(e *sock.Event) time.Duration {
	switch {
	case !kindsLife.Has(e.Kind):
		return e.InOld
	case e.Detail == nil:
		return -1
	}
	return e.Detail.Duration
}

func connect(e *sock.Event) time.Duration {
	switch {
	case !kindsLife.Has(e.Kind):
		return e.InOld
	case e.Detail == nil:
		return -1
	}
	return e.Detail.Connect
}

func acceptWait(e *sock.Event) time.Duration {
	switch {
	case !kindsLife.Has(e.Kind):
		return e.InOld
	case e.Detail == nil:
		return -1
	}
	return e.Detail.AcceptWait
}

// appendSafe appends what a stranger may have named so that it can do nothing to a terminal.
func (c *eventCells) appendSafe(b, name []byte) []byte {
	if plain(name) {
		return append(b, name...)
	}
	at := len(b)
	b = AppendEscaped(b, string(name))
	c.skew += len(b[at:]) - utf8.RuneCount(b[at:]) // a rune is one column of a terminal, nearly always
	return b
}

// appendPlace appends the name of a place as netstat's tables have it.
func (c *eventCells) appendPlace(b []byte, name string) []byte {
	at := len(b)
	b = appendName(b, []byte(name), true)
	c.skew += len(b[at:]) - utf8.RuneCount(b[at:])
	return b
}

func cellProcess(c *eventCells, b []byte, e *sock.Event) []byte {
	if !e.Socket.Owner.Known() {
		return b
	}
	return c.appendSafe(b, e.Socket.Owner.Comm.Bytes())
}

// ofSocket is n, of what 0 is a value of where there is a socket. Some segments come for none.
func ofSocket(s *sock.Socket, n uint32) int64 {
	if n == 0 && s.ID == 0 {
		return -1
	}
	return int64(n)
}

func cellUser(c *eventCells, b []byte, e *sock.Event) []byte {
	if ofSocket(&e.Socket, e.Socket.UID) < 0 {
		return b
	}
	at := len(b)
	if b = c.names.AppendUser(b, e.Socket.UID); !plain(b[at:]) {
		b = c.appendSafe(b[:at], []byte(string(b[at:])))
	}
	return b
}

func cellSpace(c *eventCells, b []byte, e *sock.Event) []byte {
	if !c.places.gives(needSpace) {
		return b
	}
	return c.appendPlace(b, c.places.Space(e.Socket.NetNS))
}

func cellCgroup(c *eventCells, b []byte, e *sock.Event) []byte {
	if !c.places.gives(needUnit) {
		return b
	}
	path, _ := c.places.Unit(&e.Socket)
	return c.appendPlace(b, path)
}

func cellUnit(c *eventCells, b []byte, e *sock.Event) []byte {
	if !c.places.gives(needUnit) {
		return b
	}
	_, unit := c.places.Unit(&e.Socket)
	return c.appendPlace(b, unit)
}

func cellStack(c *eventCells, b []byte, e *sock.Event) []byte {
	for i, frame := range e.Stack {
		if i > 0 {
			b = append(b, ';')
		}
		b = c.appendSafe(b, []byte(frame))
	}
	return b
}

func cellExited(_ *eventCells, b []byte, d *sock.Detail) []byte {
	if d.Exited {
		return append(b, "yes"...)
	}
	return append(b, "no"...)
}

func cellPeer(c *eventCells, b []byte, d *sock.Detail) []byte {
	if !d.Peer.Known() {
		return b
	}
	return strconv.AppendUint(append(c.appendSafe(b, d.Peer.Comm.Bytes()), '/'), uint64(d.Peer.PID), 10)
}

// appendErrno appends the name of an error of the kernel, or its number; nothing for 0.
func appendErrno(b []byte, errno uint16) []byte {
	if errno == 0 {
		return b
	}
	if name := unix.ErrnoName(syscall.Errno(errno)); name != "" {
		return append(b, name...)
	}
	return strconv.AppendUint(b, uint64(errno), 10)
}

// appendSignal appends the name of a signal, or its number; nothing for 0.
func appendSignal(b []byte, signal uint8) []byte {
	if signal == 0 {
		return b
	}
	if name := unix.SignalName(syscall.Signal(signal)); name != "" {
		return append(b, name...)
	}
	return strconv.AppendUint(b, uint64(signal), 10)
}

// appendTraceEnd appends one end by numbers: trace waits for no resolver. IPv6 addresses have brackets,
// and a port that is not known yet is *. A socket without addresses has nothing.
func appendTraceEnd(b []byte, end netip.AddrPort) []byte {
	switch addr := end.Addr(); {
	case !addr.IsValid():
		return b
	case addr.Is4():
		b = appendQuad(b, addr.As4())
	case addr.Is4In6():
		b = appendAddr(b, addr)
	default:
		b = append(appendAddr(append(b, '['), addr), ']')
	}
	if end.Port() == 0 {
		return append(b, ":*"...)
	}
	return appendPortNumber(append(b, ':'), end.Port())
}

// appendQuad appends an IPv4 address, in half the time that it takes netip.
func appendQuad(b []byte, quad [4]byte) []byte {
	for _, n := range quad {
		switch {
		case n >= 100:
			b = append(b, '0'+n/100, '0'+n/10%10, '0'+n%10, '.')
		case n >= 10:
			b = append(b, '0'+n/10, '0'+n%10, '.')
		default:
			b = append(b, '0'+n, '.')
		}
	}
	return b[:len(b)-1]
}

// appendPortNumber appends a port, in half the time that it takes strconv: most have five digits.
func appendPortNumber(b []byte, n uint16) []byte {
	if n < 10000 {
		return strconv.AppendUint(b, uint64(n), 10)
	}
	return append(b, '0'+byte(n/10000), '0'+byte(n/1000%10), '0'+byte(n/100%10), '0'+byte(n/10%10), '0'+byte(n%10))
}

// appendAddrCell appends the address of an end as JSON has it: one of IPv4 stays mapped on a socket of IPv6.
func appendAddrCell(b []byte, end netip.AddrPort) []byte {
	if !end.Addr().IsValid() {
		return b
	}
	return end.Addr().AppendTo(b)
}
