// SPDX-License-Identifier: GPL-2.0-or-later

package procfallback

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"net/netip"
	"strconv"
	"strings"

	"netlive/internal/sock"
)

// sctpFiles are the two files of SCTP's table, in netstat's order.
var sctpFiles = [...]struct {
	name  string
	parse func(rows []sock.Socket, data []byte, row sock.Socket, warn *warnings) []sock.Socket
}{{"eps", parseSCTPEndpoints}, {"assocs", parseSCTPAssocs}}

// readSCTP appends the rows of net/sctp, or of net/sctp6, which netstat looks for and no kernel has: IPv6 is in net/sctp.
// The table is missing when neither file can be opened.
func (s *Source) readSCTP(ctx context.Context, self string, row sock.Socket, snap *sock.Snapshot, warn *warnings) error {
	missing := 0
	for _, f := range sctpFiles {
		file := "net/" + row.Proto.String() + "/" + f.name
		data, err := s.read(ctx, self+file)
		var unopened *fs.PathError
		switch {
		case errors.As(err, &unopened) && unopened.Op == "open":
			missing++
			snap.Unopened = append(snap.Unopened, sock.Unopened{Proto: row.Proto, File: file, Err: unopened.Err})
			warn.unopened(file, unopened.Err)
			continue
		case err != nil:
			return fmt.Errorf("procfallback: read %s: %w", file, err)
		}
		warn.begin(file)
		snap.Sockets = f.parse(snap.Sockets, data, row, warn)
	}
	if missing == len(sctpFiles) {
		snap.Missing |= sock.Protos(row.Proto)
	} else {
		snap.Protos |= sock.Protos(row.Proto)
	}
	return nil
}

// parseSCTPEndpoints appends the rows of an eps to rows; each starts as a copy of row (net/sctp/proc.c,
// sctp_eps_seq_show):
//
//	ENDPT SOCK STY SST HBKT LPORT UID INODE LADDRS
//
// all decimal but the pointers. What netstat takes, we take: a line is bad when a column before the addresses is
// missing, and of a number that is none the digits before the first other byte count.
func parseSCTPEndpoints(rows []sock.Socket, data []byte, row sock.Socket, warn *warnings) []sock.Socket {
	var columns [8][]byte
	for line, number := range tableLines(data) {
		rest, missing := cutColumns(line, columns[:])
		if missing >= 0 {
			warn.bad(number, sctpEndpointColumns[missing], nil)
			continue
		}
		s, info := row, &sock.SCTPInfo{Endpoint: true}
		s.SCTP = info
		setSCTPState(&s, columns[3])
		s.UID, s.Inode = decimal(columns[6]), decimal(columns[7])
		text, _ := cutAny(rest, "\t\n")
		info.Locals, info.PrimaryLocal = parseSCTPAddrs(text, false)
		s.Local = sctpEnd(info.Locals, columns[5])
		rows = append(rows, s)
	}
	return rows
}

// parseSCTPAssocs appends the rows of an assocs to rows; each starts as a copy of row (net/sctp/proc.c,
// sctp_assocs_seq_show):
//
//	ASSOC SOCK STY SST ST HBKT ASSOC-ID TX_QUEUE RX_QUEUE UID INODE LPORT RPORT LADDRS <-> RADDRS \t ...
//
// A primary address has a * before it. After the tab kernels have had more and more columns. Bad is what is bad in
// parseSCTPEndpoints; a line may lack even the arrow.
func parseSCTPAssocs(rows []sock.Socket, data []byte, row sock.Socket, warn *warnings) []sock.Socket {
	var columns [13][]byte
	for line, number := range tableLines(data) {
		rest, missing := cutColumns(line, columns[:])
		if missing >= 0 {
			warn.bad(number, sctpAssocColumns[missing], nil)
			continue
		}
		s, info := row, &sock.SCTPInfo{AssocID: int32(decimal(columns[6]))}
		s.SCTP = info
		setSCTPState(&s, columns[3])
		info.AssocState = sock.SCTPState(min(decimal(columns[4]), math.MaxUint8))
		s.Queue = sock.Queue{Send: decimal(columns[7]), Recv: decimal(columns[8])}
		s.UID, s.Inode = decimal(columns[9]), decimal(columns[10])
		const ends = "<->\t\n"
		text, rest := cutAny(rest, ends)
		info.Locals, info.PrimaryLocal = parseSCTPAddrs(text, true)
		text, _ = cutAny(rest, ends)
		info.Remotes, info.PrimaryRemote = parseSCTPAddrs(text, true)
		s.Local, s.Remote = sctpEnd(info.Locals, columns[11]), sctpEnd(info.Remotes, columns[12])
		rows = append(rows, s)
	}
	return rows
}

var (
	sctpEndpointColumns = [...]string{"pointer", "socket", "type", "state", "bucket", "local port", "uid", "inode"}
	sctpAssocColumns    = [...]string{
		"pointer", "socket", "type", "state", "association state", "bucket", "association id", "send queue", "receive queue",
		"uid", "inode", "local port", "remote port",
	}
)

// cutColumns fills columns with the fields that a line begins with. missing is the first that it has not, or -1.
func cutColumns(line []byte, columns [][]byte) (rest []byte, missing int) {
	for i := range columns {
		if columns[i], line = cutAny(line, " \t\n"); len(columns[i]) == 0 {
			return line, i
		}
	}
	return line, -1
}

// cutAny cuts from b what is before the next of the bytes of ends, and those before it, as strtok(3) does.
func cutAny(b []byte, ends string) (text, rest []byte) {
	b = bytes.TrimLeft(b, ends)
	if i := bytes.IndexAny(b, ends); i >= 0 {
		return b[:i], b[i+1:]
	}
	return b, nil
}

// decimal reads a number as atoi(3) does: 0 if there is none.
func decimal(text []byte) (n uint32) {
	f := fields{rest: text}
	f.dec(&n)
	return n
}

// setSCTPState sets the state of an association's or endpoint's socket, which has TCP's numbers (net/sctp/constants.h,
// enum sctp_sock_state).
func setSCTPState(s *sock.Socket, text []byte) {
	n := decimal(text)
	s.SCTP.RawState, s.State = int32(n), unknownState
	if n <= uint32(sock.Closing) {
		s.State = sock.State(n)
	}
}

// sctpEnd is the first address with the port of all of them. netstat takes the lower 16 bits.
func sctpEnd(addrs []netip.Addr, port []byte) netip.AddrPort {
	var first netip.Addr
	if len(addrs) > 0 {
		first = addrs[0]
	}
	return netip.AddrPortFrom(first, uint16(decimal(port)))
}

// parseSCTPAddrs reads addresses parted by blanks; marks says that one may be marked as primary.
func parseSCTPAddrs(text []byte, marks bool) (addrs []netip.Addr, primary netip.Addr) {
	for {
		var word []byte
		if word, text = cutAny(text, " \t\n"); len(word) == 0 {
			return addrs, primary
		}
		bare, marked := word, false
		if marks {
			bare, marked = bytes.CutPrefix(word, []byte("*"))
		}
		a := parseSCTPAddr(string(bare))
		if marked {
			primary = a
		}
		addrs = append(addrs, a)
	}
}

// parseSCTPAddr reads a dotted quad (%pI4) or eight groups of four digits (%pI6). What is none of them, and no other
// way to write an address, is the invalid address.
func parseSCTPAddr(text string) netip.Addr {
	a, err := netip.ParseAddr(text)
	if err != nil {
		return parseAton(text)
	}
	return a.WithZone("")
}

// parseAton reads the ways to write an IPv4 address that inet_aton(3) has beyond the quad: fewer parts of which the
// last is the rest of the address, octal and hex.
func parseAton(text string) netip.Addr {
	var b [4]byte
	for i := range b {
		part, rest, more := strings.Cut(text, ".")
		limit := uint64(1) << 8
		if !more {
			limit <<= 8 * (3 - i)
		}
		n, err := strconv.ParseUint(part, 0, 32)
		if err != nil || n >= limit {
			break
		}
		if !more {
			for j := 3; j >= i; j, n = j-1, n>>8 {
				b[j] = byte(n)
			}
			return netip.AddrFrom4(b)
		}
		b[i], text = byte(n), rest
	}
	return netip.Addr{}
}
