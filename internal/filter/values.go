// SPDX-License-Identifier: GPL-2.0-or-later

package filter

import (
	"time"

	"netlive/internal/sock"
)

// Values is what is known of one socket or event. The zero value of a field is unknown, except where it says otherwise.
type Values struct {
	// Socket has the ends, the state, the owners, and so on; nil when there is none. UID and Inode are known whenever
	// the protocol is, 0 included, but the UID 0 of a UNIX socket without a cookie: /proc/net/unix does not tell it. A remote port of 0
	// is not unknown: the socket has no other end, and no comparison holds of it but by != and not. The same is
	// true of the ports and addresses of UNIX sockets. A local port of 0 is unknown. The state is the one after an event, as
	// trace shows it: CLOSE, though a minisocket may stay (sock.Event.Mini).
	Socket *sock.Socket
	// Names makes names of numbers; nil when there are none. It may be shared by all.
	Names *Names
	// Event is what happened, and Old the state before.
	Event sock.EventKind
	Old   sock.State
	// Known says which of the fields below are known (FieldAge, FieldRTT, FieldRx, FieldTx, FieldRetrans), as 0 is a value of each.
	Known    FieldSet
	Age, RTT time.Duration
	Rx, Tx   uint64    // bytes
	Retrans  uint32    // segments
	Reasons  [3]string // the words that tell why, such as "reset_received", "TCP_RST", "ECONNRESET"; each may be empty
}

// Names are what people call things, each asked for only when a filter needs it. A function that is nil, or returns an empty text,
// does not know. They must be quick, or answer from a cache: Match calls them for each socket.
type Names struct {
	User  func(uid uint32) string
	NetNS func(inode uint32) string
	// Cgroup is the path below the root of cgroup v2, beginning with '/'. It, Container, Unit and Dev are given the socket, since some who
	// do not know the number of its cgroup know that of its owner.
	Cgroup, Container, Unit, Dev func(s *sock.Socket) string
	// Program is netstat's name for a process whose Owner has none, besides its comm.
	Program func(o *sock.Owner) string
}

// truth is a value of Kleene's logic: and is the lesser, or the greater of two.
type truth uint8

const (
	no truth = iota
	unknown
	yes
)

func truthOf(b bool) truth {
	if b {
		return yes
	}
	return no
}

// not of what is not known is not known.
func (t truth) not() truth { return yes - t }

var noSocket sock.Socket

func (v *Values) socket() *sock.Socket {
	if v.Socket == nil {
		return &noSocket
	}
	return v.Socket
}

// number is the value of a field that has one number.
func (v *Values) number(f Field) (n int64, known bool) {
	const top = 1<<63 - 1
	s := v.socket()
	switch f {
	case FieldUID:
		return int64(s.UID), v.knowsUID()
	case FieldNetNS:
		return int64(s.NetNS), s.NetNS != 0
	case FieldInode:
		return int64(s.Inode), s.Proto != sock.ProtoNone
	case FieldAge:
		return int64(v.Age), v.Known.Has(f)
	case FieldRTT:
		return int64(v.RTT), v.Known.Has(f)
	case FieldRetrans:
		return int64(v.Retrans), v.Known.Has(f)
	case FieldRx:
		return int64(min(v.Rx, top)), v.Known.Has(f)
	case FieldTx:
		return int64(min(v.Tx, top)), v.Known.Has(f)
	case FieldBytes:
		return int64(min(min(v.Rx, top)+min(v.Tx, top), top)), v.Known.Has(FieldRx) && v.Known.Has(FieldTx)
	}
	return 0, false
}

func (v *Values) knowsUID() bool {
	s := v.socket()
	return s.Proto != sock.ProtoNone && (s.Proto != sock.Unix || s.UID != 0 || s.ID.Cookie() != 0)
}

// bit is the value of a field of words.
func (v *Values) bit(f Field) (bit int, known bool) {
	s := v.socket()
	switch f {
	case FieldState:
		return int(s.State), s.State != sock.StateNone
	case FieldOld:
		return int(v.Old), v.Old != sock.StateNone
	case FieldEvent:
		return int(v.Event), v.Event != sock.EventNone
	case FieldProto:
		return int(s.Proto), s.Proto != sock.ProtoNone
	case FieldFamily:
		return familyOf(s)
	}
	return 0, false
}

// text is the value of a field of text, but proc and reason, which have several.
func (v *Values) text(f Field) string {
	s, n := v.socket(), v.Names
	if n == nil {
		return ""
	}
	switch f {
	case FieldUser:
		if n.User != nil && v.knowsUID() {
			return n.User(s.UID)
		}
		return ""
	case FieldNetNS:
		if n.NetNS != nil && s.NetNS != 0 {
			return n.NetNS(s.NetNS)
		}
		return ""
	}
	var name func(*sock.Socket) string
	switch f {
	case FieldCgroup:
		name = n.Cgroup
	case FieldContainer:
		name = n.Container
	case FieldUnit:
		name = n.Unit
	case FieldDev:
		name = n.Dev
	}
	if name == nil || s.Proto == sock.ProtoNone {
		return ""
	}
	return name(s)
}

// program is netstat's name of a process, empty when that is not known.
func (v *Values) program(o *sock.Owner) string {
	if o.Program == "" && v.Names != nil && v.Names.Program != nil {
		return v.Names.Program(o)
	}
	return o.Program
}
