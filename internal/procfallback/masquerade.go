// SPDX-License-Identifier: GPL-2.0-or-later

package procfallback

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"net/netip"
	"strconv"

	"netlive/internal/masq"
)

// Masquerade reads the masqueraded connections, for which no kernel since Linux 2.4 has a file. One that cannot be opened
// is an *fs.PathError with Op "open" in the error.
func (s *Source) Masquerade(ctx context.Context) (t masq.Table, err error) {
	const file = "net/ip_masquerade"
	data, err := s.read(ctx, s.self()+file)
	if err != nil {
		return t, fmt.Errorf("procfallback: read %s: %w", file, err)
	}
	warn := warnings{file: file}
	t = parseMasquerade(data, &warn)
	t.Warnings = warn.list()
	return t, nil
}

// masqHeaderMax is how much of the first line netstat takes for the header. The rest would be entries.
const masqHeaderMax = 255

// parseMasquerade reads net/ip_masquerade, a header and entries (net/ipv4/ip_masq.c, ip_msqhst_procinfo, of Linux 2.2;
// net/ipv4/netfilter/ip_fw_compat_masq.c, masq_procinfo, of 2.4), in hex but for the last three:
//
//	PROTO SRC:PORT DST:PORT PORT INITSEQ DELTA [PDELTA] EXPIRES
//
// It reads as netstat does, to which line feeds are blanks, and ends at the first entry that is not whole.
func parseMasquerade(data []byte, warn *warnings) (t masq.Table) {
	if len(data) == 0 {
		warn.bad(1, "header", nil)
		t.Fault = masq.NoHeader
		return t
	}
	header, _ := cutLine(data)
	header = header[:min(len(header), masqHeaderMax)]
	t.PrevDelta = bytes.Contains(cString(header), []byte("PDelta"))
	f := fields{rest: data[len(header):]}
	for {
		f.skipSpace()
		if len(f.rest) == 0 {
			return t
		}
		// Counting lines is for the one that is bad.
		at := len(data) - len(f.rest)
		var e masq.Entry
		if fault, field := parseMasqEntry(&f, &e, t.PrevDelta); fault != masq.NoFault {
			warn.bad(1+bytes.Count(data[:at], newline), field, f.text)
			t.Fault = fault
			return t
		}
		t.Entries = append(t.Entries, e)
	}
}

// parseMasqEntry cuts an entry. When it cannot, it returns the name of the first bad field.
func parseMasqEntry(f *fields, e *masq.Entry, prevDelta bool) (fault masq.Fault, field string) {
	proto := f.word(wide)
	var ok bool
	switch {
	case !f.endpoint(&e.Src):
		return masq.BadFormat, "source"
	case !f.endpoint(&e.Dst):
		return masq.BadFormat, "destination"
	case !f.hex16(&e.MasqPort):
		return masq.BadFormat, "port"
	case !f.hex64(&e.InitSeq):
		return masq.BadFormat, "initial sequence number"
	case !f.dec16(&e.Delta):
		return masq.BadFormat, "delta"
	case prevDelta && !f.dec16(&e.PrevDelta):
		return masq.BadFormat, "previous delta"
	}
	if e.Expires, f.rest, ok = cutUint(f.rest); !ok {
		f.word(wide)
		return masq.BadFormat, "expiry"
	}
	if e.Proto, ok = masqProtos[string(cString(proto))]; !ok {
		f.text = proto
		return masq.UnknownProto, "protocol"
	}
	return masq.NoFault, ""
}

var masqProtos = map[string]masq.Proto{
	"IP": masq.IP, "TCP": masq.TCP, "UDP": masq.UDP, "ICMP": masq.ICMP, "GRE": masq.GRE, "ESP": masq.ESP,
}

// endpoint cuts ADDRESS:PORT in hex, both numbers as people read them.
func (f *fields) endpoint(a *netip.AddrPort) bool {
	var addr uint32
	var port uint16
	if !f.hex(&addr, wide) || len(f.rest) == 0 || f.rest[0] != ':' {
		return false
	}
	f.rest = f.rest[1:]
	if !f.hex16(&port) {
		return false
	}
	var b [4]byte
	binary.BigEndian.PutUint32(b[:], addr)
	*a = netip.AddrPortFrom(netip.AddrFrom4(b), port)
	return true
}

// hex16 cuts a hex number, of which the lower 16 bits count.
func (f *fields) hex16(n *uint16) bool {
	var long uint32
	ok := f.hex(&long, wide)
	*n = uint16(long)
	return ok
}

// dec16 cuts a decimal number, of which the lower 16 bits count.
func (f *fields) dec16(n *int16) bool {
	var long uint32
	ok := f.dec(&long)
	*n = int16(long)
	return ok
}

// hex64 cuts a hex number; one that needs more than 64 bits is the largest that does not.
func (f *fields) hex64(n *uint64) bool {
	digits, minus := f.digits(wide, true)
	value, err := strconv.ParseUint(string(digits), 16, 64)
	if minus && err == nil {
		value = -value
	}
	*n = value // of a number that is too large it is what we want, with an error
	return len(digits) > 0
}
