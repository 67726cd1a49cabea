// SPDX-License-Identifier: GPL-2.0-or-later

package procfallback

import (
	"bytes"
	"encoding/binary"
	"math"
	"net/netip"
	"slices"

	"netlive/internal/sock"
)

// parseInet appends the rows of a tcp, udp, udplite or raw table, IPv4 or IPv6,
// to rows. Each starts as a copy of row, whose Proto says which family to expect.
//
// All these files begin alike (net/ipv4/tcp_ipv4.c, get_tcp4_sock; udp.c,
// udp4_format_sock; raw.c, raw_sock_seq_show; net/ipv6 has the same):
//
//	sl: LOCAL:PORT REMOTE:PORT ST TX:RX TR:WHEN RETRNSMT UID TIMEOUT INODE ...
//
// with blanks between the fields, and everything in hex up to RETRNSMT.
func parseInet(rows []sock.Socket, data []byte, row sock.Socket, warn *warnings) []sock.Socket {
	rows = slices.Grow(rows, bytes.Count(data, newline))
	for line, number := range tableLines(data) {
		rows = append(rows, row)
		if field, text := parseInetLine(line, &rows[len(rows)-1]); field != "" {
			rows = rows[:len(rows)-1]
			warn.bad(number, field, text)
		}
	}
	return rows
}

var newline = []byte{'\n'}

// tablePiece is what netstat has room for of a line of a table of sockets (net-tools, netstat.c, INFO_GUTS1). The kernel writes none that
// is half as long; of one that is longer the rest counts as more lines, so that no file makes a table of bad lines take more room than that.
const tablePiece = 8191

// tableLines yields each line after the header of a table of sockets, or piece of one, with the number of its line in the file.
func tableLines(data []byte) func(yield func([]byte, int) bool) {
	return func(yield func([]byte, int) bool) {
		header, number := true, 1
		for piece := range pieces(data, tablePiece) {
			line, whole := bytes.CutSuffix(piece, newline)
			if !header && !yield(line, number) {
				return
			}
			if header = false; whole {
				number++
			}
		}
	}
}

// lines yields each line after the header with its number in the file.
func lines(data []byte) func(yield func([]byte, int) bool) {
	return func(yield func([]byte, int) bool) {
		for number := 1; len(data) > 0; number++ {
			line := data
			if i := bytes.IndexByte(data, '\n'); i >= 0 {
				line, data = data[:i], data[i+1:]
			} else {
				data = nil
			}
			if number > 1 && !yield(line, number) {
				return
			}
		}
	}
}

// parseInetLine sets what line says of s. When it cannot, it returns the name and
// the text of the first bad field. These are not yet an error, because building
// one would cost the good lines their speed: it would not be inlined.
func parseInetLine(line []byte, s *sock.Socket) (field string, text []byte) {
	text, rest := nextField(line)
	if len(text) < 2 || text[len(text)-1] != ':' {
		return "slot", text
	}
	var ok bool
	text, rest = nextField(rest)
	if s.Local, ok = parseAddrPort(text, s.Proto.IPv6()); !ok {
		return "local address", text
	}
	text, rest = nextField(rest)
	if s.Remote, ok = parseAddrPort(text, s.Proto.IPv6()); !ok {
		return "remote address", text
	}
	text, rest = nextField(rest)
	state, ok := parseHex32(text)
	if !ok {
		return "state", text
	}
	s.State = inetState(state)
	text, rest = nextField(rest)
	if s.Queue, ok = parseQueues(text); !ok {
		return "queues", text
	}
	text, rest = nextField(rest)
	if s.Timer.Kind, s.Timer.Ticks, ok = parseTimer(text); !ok {
		return "timer", text
	}
	text, rest = nextField(rest)
	if s.Timer.Retrans, ok = parseHex32(text); !ok {
		return "retransmits", text
	}
	text, rest = nextField(rest)
	if s.UID, ok = parseDec32(text); !ok {
		return "uid", text
	}
	text, rest = nextField(rest)
	if s.Timer.Timeout, ok = parseDec32(text); !ok {
		return "timeout", text
	}
	text, _ = nextField(rest)
	if s.Inode, ok = parseDec32(text); !ok {
		return "inode", text
	}
	return "", nil
}

// unknownState stands for any number that is no state of Linux's. It is not the
// number itself, because that might be the State of another family.
const unknownState sock.State = math.MaxUint8

func inetState(n uint32) sock.State {
	if n <= uint32(sock.NewSynRecv) {
		return sock.State(n)
	}
	return unknownState
}

// nextField cuts the first field from b. Just one blank after it is cut too, so that what is
// left may begin with blanks that belong to a UNIX path.
func nextField(b []byte) (field, rest []byte) {
	for len(b) > 0 && b[0] == ' ' {
		b = b[1:]
	}
	if i := bytes.IndexByte(b, ' '); i >= 0 {
		return b[:i], b[i+1:]
	}
	return b, nil
}

// parseAddrPort reads 0100007F:1F90, or 32 digits and a port for IPv6. The kernel
// prints the address as one or four 32-bit numbers whose bytes in memory are in
// network order: on a little-endian host the text is reversed word by word. The
// port is a plain number.
func parseAddrPort(b []byte, ipv6 bool) (ap netip.AddrPort, ok bool) {
	digits := 8
	if ipv6 {
		digits = 32
	}
	if len(b) < digits+2 || b[digits] != ':' {
		return ap, false
	}
	port, ok := parseHex32(b[digits+1:])
	if !ok || port > math.MaxUint16 {
		return ap, false
	}
	var a [16]byte
	for i := 0; i < digits; i += 8 {
		word, ok := parseHex32(b[i : i+8])
		if !ok {
			return ap, false
		}
		binary.NativeEndian.PutUint32(a[i/2:], word)
	}
	if ipv6 {
		return netip.AddrPortFrom(netip.AddrFrom16(a), uint16(port)), true
	}
	return netip.AddrPortFrom(netip.AddrFrom4([4]byte(a[:4])), uint16(port)), true
}

// parseQueues reads TX:RX. The file has the send queue first.
func parseQueues(b []byte) (q sock.Queue, ok bool) {
	i := bytes.IndexByte(b, ':')
	if i < 0 {
		return q, false
	}
	send, sendOK := parseHex32(b[:i])
	recv, recvOK := parseHex32(b[i+1:])
	return sock.Queue{Recv: recv, Send: send}, sendOK && recvOK
}

// parseTimer reads TR:WHEN.
func parseTimer(b []byte) (kind uint8, ticks uint32, ok bool) {
	i := bytes.IndexByte(b, ':')
	if i < 0 {
		return 0, 0, false
	}
	n, kindOK := parseHex32(b[:i])
	ticks, ticksOK := parseHex32(b[i+1:])
	return uint8(n), ticks, kindOK && ticksOK && n <= math.MaxUint8
}

// hexDigits has the value of each hex digit and 0xff for all other bytes.
var hexDigits = func() (t [256]byte) {
	for i := range t {
		t[i] = 0xff
	}
	for i, c := range "0123456789abcdef" {
		t[c] = byte(i)
	}
	for i, c := range "ABCDEF" {
		t[c] = byte(10 + i)
	}
	return t
}()

// parseHex32 reads a hex number; one that does not fit 32 bits is refused.
func parseHex32(b []byte) (n uint32, ok bool) {
	for _, c := range b {
		d := hexDigits[c]
		if d == 0xff || n>>28 != 0 {
			return 0, false
		}
		n = n<<4 | uint32(d)
	}
	return n, len(b) > 0
}

// parseDec32 reads a decimal number; one that does not fit 32 bits is refused. All
// of the kernel's own do: inodes of sockets come from get_next_ino, an unsigned
// int, and the overflow uid of "none" is 4294967295.
func parseDec32(b []byte) (n uint32, ok bool) {
	var wide uint64
	for _, c := range b {
		if c < '0' || c > '9' {
			return 0, false
		}
		if wide = wide*10 + uint64(c-'0'); wide > math.MaxUint32 {
			return 0, false
		}
	}
	return uint32(wide), len(b) > 0
}
