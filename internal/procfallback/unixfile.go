// SPDX-License-Identifier: GPL-2.0-or-later

package procfallback

import (
	"bytes"
	"math"
	"slices"

	"netlive/internal/sock"
)

// parseUnix appends the rows of /proc/net/unix to rows. Each starts as a copy of
// row. The format is that of net/unix/af_unix.c, unix_seq_show:
//
//	POINTER: REFCNT PROTOCOL FLAGS TYPE STATE INODE[ PATH]
//
// all hex but INODE. A path may hold any byte, a line feed too, and the kernel
// does not escape it: the rest of such a path is a line of its own and becomes a
// warning, or whatever row its owner wrote there. Only the kernel's own walk can
// tell.
func parseUnix(rows []sock.Socket, data []byte, row sock.Socket, warn *warnings) []sock.Socket {
	rows = slices.Grow(rows, bytes.Count(data, newline))
	for line, number := range tableLines(data) {
		rows = append(rows, row)
		if field, text := parseUnixLine(line, &rows[len(rows)-1]); field != "" {
			rows = rows[:len(rows)-1]
			warn.bad(number, field, text)
		}
	}
	return rows
}

// parseUnixLine sets what line says of s. When it cannot, it returns the name and
// the text of the first bad field.
func parseUnixLine(line []byte, s *sock.Socket) (field string, text []byte) {
	text, rest := nextField(line)
	if len(text) < 2 || text[len(text)-1] != ':' {
		return "pointer", text
	}
	var info sock.UnixInfo
	var ok bool
	text, rest = nextField(rest)
	if info.RefCnt, ok = parseHex32(text); !ok {
		return "reference count", text
	}
	text, rest = nextField(rest)
	if _, ok = parseHex32(text); !ok {
		return "protocol", text
	}
	text, rest = nextField(rest)
	if info.Flags, ok = parseHex32(text); !ok {
		return "flags", text
	}
	text, rest = nextField(rest)
	typ, ok := parseHex32(text)
	if !ok || typ > math.MaxUint16 {
		return "type", text
	}
	info.Type = sock.UnixType(typ)
	text, rest = nextField(rest)
	state, ok := parseHex32(text)
	if !ok {
		return "state", text
	}
	s.State = unixState(state, info.Flags)
	text, rest = nextField(rest)
	if s.Inode, ok = parseDec32(text); !ok {
		return "inode", text
	}
	info.Path = string(rest)
	s.Unix = &info
	return "", nil
}

// unixState maps an SS_* number. The kernel has no number for a listening socket:
// it is an unconnected one with a flag.
func unixState(n, flags uint32) sock.State {
	state := sock.UnixFree + sock.State(n)
	switch {
	case n > uint32(sock.UnixDisconnecting-sock.UnixFree):
		return unknownState
	case state == sock.UnixUnconnected && flags&sock.SOAcceptCon != 0:
		return sock.UnixListening
	}
	return state
}
