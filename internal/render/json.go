// SPDX-License-Identifier: GPL-2.0-or-later

package render

import (
	"bytes"
	"net/netip"
	"strconv"
	"time"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"

	"netlive/internal/sock"
)

// AppendSocketJSON appends s as one JSON object. A name means the same wherever it occurs; what the source
// does not know is null.
func AppendSocketJSON(b []byte, s *sock.Socket) []byte {
	b = append(b, '{')
	b = appendSocketFields(b, s, true)
	return append(b, '}')
}

// timerNames are netstat's words for the kinds of timers.
var timerNames = [...]string{"off", "on", "keepalive", "timewait", "probe"}

// SocketJSON appends s as AppendSocketJSON does, with what Timers and Context add.
func (t *Table) SocketJSON(b []byte, s *sock.Socket) []byte {
	b = append(b, '{')
	b = appendSocketFields(b, s, true)
	if t.Timers && s.Unix == nil && s.SCTP == nil {
		name := ""
		if int(s.Timer.Kind) < len(timerNames) {
			name = timerNames[s.Timer.Kind]
		}
		b = appendTextJSON(b, `,"timer":`, name)
		b = appendUint(b, `,"timer_ms":`, uint64(s.Timer.Ticks)*10)
		b = appendUint(b, `,"retransmits":`, uint64(s.Timer.Retrans))
		b = appendUint(b, `,"probes":`, uint64(s.Timer.Timeout))
	}
	if t.Context != nil {
		context := ""
		if s.Owner.Known() {
			context = t.Context(s.Owner.PID)
		}
		b = appendTextJSON(b, `,"context":`, context)
	}
	return t.Places.AppendJSON(append(b, '}'), s)
}

// appendSocketFields appends the names that sockets and events share. Queues are not news: an event has none.
func appendSocketFields(b []byte, s *sock.Socket, queues bool) []byte {
	b = append(b, `"proto":"`...)
	b = append(b, s.Proto.String()...)
	b = append(b, '"')
	if s.Unix == nil {
		b = appendEndJSON(b, `,"local_addr":`, `,"local_port":`, s.Local)
		b = appendEndJSON(b, `,"remote_addr":`, `,"remote_port":`, s.Remote)
	}
	b = appendStateJSON(b, `,"state":`, s.State, sock.StateName(s.Proto, s.State))
	if queues {
		b = appendUint(b, `,"recv_q":`, uint64(s.Queue.Recv))
		b = appendUint(b, `,"send_q":`, uint64(s.Queue.Send))
	}
	if !queues && s.ID == 0 { // a segment that came for no socket
		b = appendUintOrNull(b, `,"uid":`, uint64(s.UID))
		b = appendUintOrNull(b, `,"inode":`, uint64(s.Inode))
	} else {
		b = appendUint(b, `,"uid":`, uint64(s.UID))
		b = appendUint(b, `,"inode":`, uint64(s.Inode))
	}
	b = appendUintOrNull(b, `,"cookie":`, s.ID.Cookie())
	b = appendUintOrNull(b, `,"netns":`, uint64(s.NetNS))
	b = append(b, `,"owners":[`...)
	if s.Owner.Known() {
		b = appendOwner(b, &s.Owner)
		for i := range s.Others {
			b = appendOwner(append(b, ','), &s.Others[i])
		}
	}
	b = append(b, ']')
	if u := s.Unix; u != nil {
		b = appendString(append(b, `,"path":`...), []byte(u.Path))
		b = append(b, `,"type":"`...)
		b = append(b, u.Type.String()...)
		b = append(b, '"')
		b = appendUint(b, `,"refcnt":`, uint64(u.RefCnt))
		b = appendUint(b, `,"flags":`, uint64(u.Flags))
	}
	if s.SCTP != nil {
		b = appendSCTPFields(b, s.SCTP)
	}
	return b
}

func appendEndJSON(b []byte, addr, port string, end netip.AddrPort) []byte {
	b = append(b, addr...)
	if a := end.Addr(); a.Is4() { // as most are
		b = append(appendQuad(append(b, '"'), a.As4()), '"')
	} else {
		b = appendAddrOrNull(b, a)
	}
	return appendPortNumber(append(b, port...), end.Port())
}

// appendStateJSON appends the word for s; it may be empty, where netstat has none.
func appendStateJSON(b []byte, name string, s sock.State, word string) []byte {
	b = append(b, name...)
	if s == sock.StateNone {
		return append(b, "null"...)
	}
	return append(append(append(b, '"'), word...), '"')
}

func appendOwner(b []byte, o *sock.Owner) []byte {
	b = appendUint(b, `{"pid":`, uint64(o.PID))
	b = appendString(append(b, `,"comm":`...), o.Comm.Bytes())
	if o.Program != "" {
		b = appendString(append(b, `,"program":`...), []byte(o.Program))
	}
	if o.FD < 0 {
		b = append(b, `,"fd":null`...)
	} else {
		b = appendUint(b, `,"fd":`, uint64(o.FD))
	}
	b = appendUintOrNull(b, `,"start_ns":`, o.Start)
	b = append(b, `,"how":"`...)
	b = append(b, o.How.String()...)
	return append(b, `"}`...)
}

// AppendFrameBegin appends the head of a frame of watch --json; the sockets follow, parted by commas,
// then AppendFrameEnd.
func AppendFrameBegin(b []byte, t time.Time, source string, lost, resyncs uint64) []byte {
	return append(appendFrameHead(b, t, source, lost, resyncs), `,"sockets":[`...)
}

func appendFrameHead(b []byte, t time.Time, source string, lost, resyncs uint64) []byte {
	b = append(b, `{"time":"`...)
	b = appendTime(b, t)
	b = appendString(append(b, `","source":`...), []byte(source))
	return appendUint(appendUint(b, `,"lost":`, lost), `,"resyncs":`, resyncs)
}

// AppendFrame appends a whole frame, one line, with the array that AppendJSON of another table made under name.
func AppendFrame(b []byte, t time.Time, source string, lost, resyncs uint64, name string, array []byte) []byte {
	b = appendFrameHead(b, t, source, lost, resyncs)
	b = append(append(append(b, `,"`...), name...), `":`...)
	for _, c := range array {
		if c != '\n' { // between elements; within strings it is escaped
			b = append(b, c)
		}
	}
	return append(b, "}\n"...)
}

// AppendResynced marks the JSON object that b ends with as one of which news was lost: a walk has told its state.
func AppendResynced(b []byte) []byte { return append(b[:len(b)-len("}")], `,"resynced":true}`...) }

// AppendFrameEnd appends the end of a frame and of its line.
func AppendFrameEnd(b []byte) []byte { return append(b, "]}\n"...) }

// appendTime appends t in UTC with nanoseconds, all nine digits: RFC 3339, and as text in the order of time.
func appendTime(b []byte, t time.Time) []byte {
	// A layout with the digits in it costs three times as much: package time is quick with its own layouts alone.
	b = t.UTC().AppendFormat(b, time.RFC3339)
	return append(appendMarked(b[:len(b)-len("Z")], '.', t.Nanosecond(), 1e9), 'Z')
}

// AppendComma appends what parts an object from one that b ends with.
func AppendComma(b []byte) []byte {
	if len(b) > 0 && b[len(b)-1] == '}' {
		return append(b, ",\n"...)
	}
	return b
}

func appendUint(b []byte, name string, n uint64) []byte {
	return strconv.AppendUint(append(b, name...), n, 10)
}

func appendUintOrNull(b []byte, name string, n uint64) []byte {
	if n == 0 {
		return append(append(b, name...), "null"...)
	}
	return appendUint(b, name, n)
}

// appendString appends s as a JSON string. What is not UTF-8 becomes U+FFFD, as encoding/json does it; that
// package would allocate for each string. What AppendEscaped would not let through is escaped here too, by JSON's
// own means and thus without loss: JSON is looked at on terminals.
func appendString(b, s []byte) []byte {
	b = append(b, '"')
	if plain(s) && bytes.IndexByte(s, '"') < 0 { // as most are
		return append(append(b, s...), '"')
	}
	for len(s) > 0 {
		if c := s[0]; c < utf8.RuneSelf {
			switch {
			case c == '"' || c == '\\':
				b = append(b, '\\', c)
			case !safeByte(c):
				b = appendUnit(b, rune(c))
			default:
				b = append(b, c)
			}
			s = s[1:]
			continue
		}
		r, n := utf8.DecodeRune(s)
		s = s[n:]
		switch hi, lo := utf16.EncodeRune(r); {
		case unicode.IsPrint(r):
			b = utf8.AppendRune(b, r)
		case r > 0xffff:
			b = appendUnit(appendUnit(b, hi), lo)
		default:
			b = appendUnit(b, r)
		}
	}
	return append(b, '"')
}

// appendUnit appends a UTF-16 code unit as JSON escapes it.
func appendUnit(b []byte, u rune) []byte {
	const hex = "0123456789abcdef"
	return append(b, '\\', 'u', hex[u>>12&15], hex[u>>8&15], hex[u>>4&15], hex[u&15])
}
