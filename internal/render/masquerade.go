// SPDX-License-Identifier: GPL-2.0-or-later

package render

import (
	"context"
	"errors"
	"io/fs"
	"net/netip"
	"strconv"

	"netlive/internal/masq"
	"netlive/internal/sock"
)

// Masquerade is net-tools 2.10's netstat -M, byte for byte.
type Masquerade struct {
	Extend int // how many -e; more than 0 adds what is done to sequence numbers
	Names  Names
	Texts  Texts
	// Escape makes names of hosts safe for a terminal, where netstat would let them through.
	Escape bool

	// Warnings say which line Append or AppendJSON could not use.
	Warnings []error

	cell []byte // one name at a time
}

// MasqueradeSource is where masqueraded connections come from. A file that cannot be opened is an *fs.PathError with Op
// "open".
type MasqueradeSource interface {
	Masquerade(ctx context.Context) (masq.Table, error)
}

const (
	titleMasquerade      = "IP masquerading entries\n"
	headMasquerade       = "prot   expire source               destination          ports\n"
	headMasqueradeExtend = "prot   expire    initseq delta prevd source               destination          ports\n"
)

// Append appends to out what netstat prints on stdout, which is nothing at all if there are no entries or any is broken,
// and to errs what it prints on stderr. The error is ctx's; all others netstat has words for.
func (m *Masquerade) Append(ctx context.Context, out, errs []byte, src MasqueradeSource) (_, _ []byte, exitCode int, err error) {
	t, errs, exitCode, err := m.read(ctx, errs, src)
	if len(t.Entries) == 0 {
		return out, errs, exitCode, err
	}
	out = append(out, m.Texts.Text(titleMasquerade)...)
	if m.Extend > 0 {
		out = append(out, m.Texts.Text(headMasqueradeExtend)...)
	} else {
		out = append(out, m.Texts.Text(headMasquerade)...)
	}
	for i := range t.Entries {
		out = m.Row(out, &t.Entries[i], t.PrevDelta)
	}
	return out, errs, exitCode, err
}

// AppendJSON appends to out one JSON array of the connections that Append would print, and to errs what ails them.
func (m *Masquerade) AppendJSON(ctx context.Context, out, errs []byte, src MasqueradeSource) (_, _ []byte, exitCode int, err error) {
	t, errs, exitCode, err := m.read(ctx, errs, src)
	if err != nil {
		return out, errs, exitCode, err
	}
	out = append(out, '[')
	for i := range t.Entries {
		if i > 0 {
			out = append(out, ",\n"...)
		}
		out = AppendMasqueradeJSON(out, &t.Entries[i], t.PrevDelta)
	}
	return append(out, "]\n"...), errs, exitCode, err
}

// read returns what is to be printed, and appends to errs why that is nothing.
func (m *Masquerade) read(ctx context.Context, errs []byte, src MasqueradeSource) (t masq.Table, _ []byte, exitCode int, err error) {
	t, err = src.Masquerade(ctx)
	m.Warnings = t.Warnings
	switch {
	case ctx.Err() != nil:
		return masq.Table{}, errs, 0, ctx.Err()
	case notOpened(err) && errors.Is(err, fs.ErrNotExist):
		errs = m.Texts.AppendUnsupported(errs, "ip_masquerade")
		return masq.Table{}, errs, exitFailed, nil
	case notOpened(err):
		return masq.Table{}, m.Texts.AppendPerror(errs, "/proc/net/ip_masquerade", err), exitBroken, nil
	case err != nil:
		t.Fault = masq.NoHeader
	}
	switch t.Fault {
	case masq.NoFault:
		return t, errs, 0, nil
	case masq.NoHeader:
		errs = append(errs, "masq_info: Internal Error `fgets() failed'.\n"...)
	case masq.BadFormat:
		errs = append(errs, "masq_info.c: Internal Error `ip_masquerade format error'.\n"...)
	case masq.UnknownProto:
		errs = append(errs, "masq_info.c: Internal Error `ip_masquerade unknown type'.\n"...)
	}
	return masq.Table{}, errs, exitBroken, nil
}

// Row appends an entry.
func (m *Masquerade) Row(b []byte, e *masq.Entry, prevDelta bool) []byte {
	const hostWidth = 20
	at := len(b)
	b = padTo(append(b, e.Proto.String()...), at, 4)
	b = appendRight(b, e.Expires/6000, 3)
	b = appendMarked(b, ':', int(e.Expires/100%60), 100)
	b = append(appendMarked(b, '.', int(e.Expires%100), 100), ' ')
	if m.Extend > 0 {
		b = append(appendRight(b, e.InitSeq, 10), ' ')
		b = append(appendSigned(b, uint32(e.Delta), 5), ' ')
		if prevDelta {
			b = append(appendSigned(b, uint32(e.PrevDelta), 5), ' ')
		} else {
			b = append(b, "    - "...)
		}
	}
	for _, end := range [...]netip.AddrPort{e.Src, e.Dst} {
		at = len(b)
		m.cell = appendHostMax(m.cell[:0], m.Names, end.Addr())
		b = append(padTo(appendName(b, m.cell, m.Escape), at, hostWidth), ' ')
	}
	b = append(m.appendPort(b, e.Proto, e.Src.Port()), " -> "...)
	b = append(m.appendPort(b, e.Proto, e.Dst.Port()), " ("...)
	return append(m.appendPort(b, e.Proto, e.MasqPort), ")\n"...)
}

// appendPort appends a port. Other protocols than these have numbers alone.
func (m *Masquerade) appendPort(b []byte, p masq.Proto, port uint16) []byte {
	named := sock.ProtoNone
	switch p {
	case masq.TCP:
		named = sock.TCP
	case masq.UDP:
		named = sock.UDP
	}
	at := len(b)
	return escapeFrom(appendPort(b, m.Names, named, port), at, m.Escape)
}

// AppendMasqueradeJSON appends an entry as one JSON object:
//
//	proto           "tcp", "udp", "icmp", ...
//	source_addr, source_port, destination_addr, destination_port
//	masq_port       what stands for source_port outside
//	init_seq        the sequence number from which on delta is added, and previous_delta before it; that
//	                may be null
//	expires_cs      in how many hundredths of a second
func AppendMasqueradeJSON(b []byte, e *masq.Entry, prevDelta bool) []byte {
	b = append(append(append(b, `{"proto":"`...), e.Proto.String()...), '"')
	b = appendEndJSON(b, `,"source_addr":`, `,"source_port":`, e.Src)
	b = appendEndJSON(b, `,"destination_addr":`, `,"destination_port":`, e.Dst)
	b = appendUint(b, `,"masq_port":`, uint64(e.MasqPort))
	b = appendUint(b, `,"init_seq":`, e.InitSeq)
	b = strconv.AppendInt(append(b, `,"delta":`...), int64(e.Delta), 10)
	b = append(b, `,"previous_delta":`...)
	if prevDelta {
		b = strconv.AppendInt(b, int64(e.PrevDelta), 10)
	} else {
		b = append(b, "null"...)
	}
	return append(appendUint(b, `,"expires_cs":`, e.Expires), '}')
}
