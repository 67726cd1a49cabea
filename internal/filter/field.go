// SPDX-License-Identifier: GPL-2.0-or-later

package filter

import (
	"math"
	"strings"
)

// Field is something that a filter can ask about.
type Field uint8

// The fields. Their types and ranges are those of Values, which says where each comes from.
const (
	FieldNone Field = iota
	FieldState
	FieldOld
	FieldEvent
	FieldSport
	FieldDport
	FieldPort // either end
	FieldSrc
	FieldDst
	FieldAddr // either end
	FieldDev
	FieldProc
	FieldPID
	FieldUser
	FieldUID
	FieldNetNS
	FieldCgroup
	FieldContainer
	FieldUnit
	FieldAge
	FieldRTT
	FieldBytes // both directions together
	FieldRx
	FieldTx
	FieldRetrans
	FieldReason
	FieldInode
	FieldProto
	FieldFamily

	fieldCount
)

// kind is the type of a field's values.
type kind uint8

const (
	kindNumber   kind = iota // 0 to 2^32-1
	kindPort                 // 0 to 65535, or a service's name; nothing has port 0
	kindHost                 // address, prefix, port, or address and port
	kindDuration             // nanoseconds
	kindSize                 // bytes
	kindWord                 // one of a closed list, in any case
	kindText                 // any text, as it is
	kindName                 // text, or the number that the text stands for
)

// fields is what the parser, the error texts and the help know of each field. The first name is the canonical one.
var fields = [fieldCount]struct {
	kind  kind
	names []string
	doc   string
}{
	FieldState:     {kindWord, []string{"state"}, "state of the socket, as netstat or ss spells it; connected, synchronized, bucket, big and all are ss's groups"},
	FieldOld:       {kindWord, []string{"old", "old_state", "old-state"}, "state before the event"},
	FieldEvent:     {kindWord, []string{"event"}, "what happened"},
	FieldSport:     {kindPort, []string{"sport"}, "local port"},
	FieldDport:     {kindPort, []string{"dport"}, "remote port"},
	FieldPort:      {kindPort, []string{"port"}, "local or remote port"},
	FieldSrc:       {kindHost, []string{"src"}, "local address or prefix, with or without a port"},
	FieldDst:       {kindHost, []string{"dst"}, "remote address or prefix, with or without a port"},
	FieldAddr:      {kindHost, []string{"addr", "host"}, "local or remote address or prefix, with or without a port"},
	FieldDev:       {kindText, []string{"dev"}, "interface"},
	FieldProc:      {kindText, []string{"proc"}, "name of a process that holds the socket"},
	FieldPID:       {kindNumber, []string{"pid"}, "PID of a process that holds the socket"},
	FieldUser:      {kindName, []string{"user"}, "user of the socket, by name or number"},
	FieldUID:       {kindNumber, []string{"uid"}, "user of the socket, by number"},
	FieldNetNS:     {kindName, []string{"netns"}, "network namespace, by name or inode number"},
	FieldCgroup:    {kindText, []string{"cgroup"}, "path of the socket's cgroup"},
	FieldContainer: {kindText, []string{"container"}, "container of the socket"},
	FieldUnit:      {kindText, []string{"unit"}, "systemd unit of the socket; .service need not be written"},
	FieldAge:       {kindDuration, []string{"age"}, "time since the socket was made"},
	FieldRTT:       {kindDuration, []string{"rtt"}, "smoothed round-trip time"},
	FieldBytes:     {kindSize, []string{"bytes"}, "bytes sent and received"},
	FieldRx:        {kindSize, []string{"rx"}, "bytes received"},
	FieldTx:        {kindSize, []string{"tx"}, "bytes sent"},
	FieldRetrans:   {kindNumber, []string{"retrans"}, "segments sent again"},
	FieldReason:    {kindText, []string{"reason"}, "why: how it ended, the kernel's reason or the errno, in any case"},
	FieldInode:     {kindNumber, []string{"inode"}, "inode of the socket; 0 when no descriptor refers to it"},
	FieldProto:     {kindWord, []string{"proto"}, "tcp is of both families, tcp4 and tcp6 of one; udp and the others alike"},
	FieldFamily:    {kindWord, []string{"family"}, "inet, inet6 or unix; ipv4 and ipv6 alone say the same"},
}

// fieldByName has every name of every field.
var fieldByName = func() map[string]Field {
	m := map[string]Field{}
	for f := FieldNone + 1; f < fieldCount; f++ {
		for _, name := range fields[f].names {
			m[name] = f
		}
	}
	return m
}()

// ParseField returns the field of that name, in any case.
func ParseField(name string) (Field, bool) {
	f, ok := fieldByName[strings.ToLower(name)]
	return f, ok
}

// String is the field's name in a filter; empty for FieldNone.
func (f Field) String() string {
	if f == FieldNone || f >= fieldCount {
		return ""
	}
	return fields[f].names[0]
}

// Doc says in a few words what the field is, for a help text.
func (f Field) Doc() string {
	if f >= fieldCount {
		return ""
	}
	return fields[f].doc
}

func (f Field) kind() kind { return fields[f].kind }

// limit is the greatest value of a number; one below the end of int64, so that one more can be told.
func (k kind) limit() int64 {
	switch k {
	case kindNumber, kindName:
		return math.MaxUint32
	case kindPort:
		return math.MaxUint16
	}
	return math.MaxInt64 - 1
}

// FieldSet is a set of fields.
type FieldSet uint64

// AllFields has every field.
const AllFields FieldSet = 1<<fieldCount - 1<<(FieldNone+1)

// Fields returns the set of fs.
func Fields(fs ...Field) (s FieldSet) {
	for _, f := range fs {
		s |= 1 << f
	}
	return s
}

// Has reports whether f is in s.
func (s FieldSet) Has(f Field) bool { return s&(1<<f) != 0 }

// Names are the fields' names, in the order of the constants.
func (s FieldSet) Names() (names []string) {
	for f := FieldNone + 1; f < fieldCount; f++ {
		if s.Has(f) {
			names = append(names, f.String())
		}
	}
	return names
}

// ops says which comparisons a field's values know, as an error lists them.
func (k kind) ops() []string {
	switch k {
	case kindNumber, kindPort, kindDuration, kindSize:
		return []string{"=", "!=", "<", "<=", ">", ">=", "in", "not in"}
	case kindText, kindName:
		return []string{"=", "!=", "~", "!~", "in", "not in"}
	}
	return []string{"=", "!=", "in", "not in"}
}

// allows reports whether the values of k can be compared by o.
func (k kind) allows(o op) bool {
	switch o {
	case opLt, opLe, opGt, opGe:
		return k == kindNumber || k == kindPort || k == kindDuration || k == kindSize
	case opMatch:
		return k == kindText || k == kindName
	}
	return true
}

// values says what may stand after the operator, as an error lists it.
func (f Field) values() []string {
	switch f.kind() {
	case kindPort:
		return []string{"port 0 to 65535", "service name", "range as 8000-8999"}
	case kindHost:
		return []string{"address", "prefix as 10.0.0.0/8", "address:port", "[IPv6 address]:port", ":port", "*"}
	case kindDuration:
		return []string{"duration as 10ms, 3s, 2m, 1h or 1d", "range as 1s-5s"}
	case kindSize:
		return []string{"bytes as 1500, 1k, 10M or 4Ki", "range as 1k-2k"}
	case kindWord:
		return f.vocabulary().expected()
	case kindText:
		return []string{"text"}
	case kindName:
		return []string{"name", "number 0 to 4294967295"}
	}
	return []string{"number 0 to 4294967295", "range as 10-20"}
}
