// SPDX-License-Identifier: GPL-2.0-or-later

package resolve

import (
	"bytes"
	"iter"
	"strconv"
	"strings"

	"netlive/internal/sock"
)

// serviceNameMax is where netstat cuts the name of a service.
const serviceNameMax = 63

// database is the protocol by whose services a port is named.
type database uint8

const (
	dbNone database = iota
	dbTCP
	dbUDP
	dbRaw
)

type service struct {
	db   database
	port uint16
}

func databaseOf(p sock.Proto) database {
	switch p {
	case sock.TCP, sock.TCP6:
		return dbTCP
	case sock.UDP, sock.UDP6, sock.UDPLite, sock.UDPLite6:
		return dbUDP
	case sock.Raw, sock.Raw6:
		return dbRaw
	}
	return dbNone
}

// fields yields the words of each line, without comments. Lines without words are left out.
func fields(text []byte) iter.Seq[[]string] {
	return func(yield func([]string) bool) {
		for line := range bytes.Lines(text) {
			line, _, _ = bytes.Cut(line, []byte("#"))
			if f := strings.FieldsFunc(string(line), isSpace); len(f) > 0 && !yield(f) {
				return
			}
		}
	}
}

// isSpace is C's isspace: a name may hold what Unicode calls a space.
func isSpace(r rune) bool { return r == ' ' || r >= '\t' && r <= '\r' }

// parseServices reads services(5): "name port/protocol aliases". Lines that are
// not so are skipped, as getservent does. Of several names for a port the last counts.
func parseServices(text []byte) map[service]string {
	m := make(map[service]string)
	for f := range fields(text) {
		if len(f) < 2 {
			continue
		}
		number, proto, ok := strings.Cut(f[1], "/")
		if !ok {
			continue
		}
		port, err := strconv.ParseUint(number, 10, 16)
		if err != nil {
			continue
		}
		var db database
		switch proto {
		case "tcp":
			db = dbTCP
		case "udp":
			db = dbUDP
		case "raw":
			db = dbRaw
		default:
			continue
		}
		m[service{db, uint16(port)}] = cut(f[0])
	}
	return m
}

// addProtocols adds protocols(5), "name number aliases", to the raw services: the
// port of a raw socket is the number of its protocol.
func addProtocols(m map[service]string, text []byte) {
	for f := range fields(text) {
		if len(f) < 2 {
			continue
		}
		if n, err := strconv.ParseUint(f[1], 10, 16); err == nil {
			m[service{dbRaw, uint16(n)}] = cut(f[0])
		}
	}
}

func cut(name string) string { return name[:min(len(name), serviceNameMax)] }

// parseNetworks reads networks(5): "name number aliases", where missing bytes at
// the end of the number are zero. The first name of a number counts.
func parseNetworks(text []byte) map[[4]byte]string {
	m := make(map[[4]byte]string)
next:
	for f := range fields(text) {
		if len(f) < 2 {
			continue
		}
		parts := strings.Split(f[1], ".")
		if len(parts) > 4 {
			continue
		}
		var n [4]byte
		for i, p := range parts {
			v, err := strconv.ParseUint(p, 10, 8)
			if err != nil {
				continue next
			}
			n[i] = byte(v)
		}
		if _, ok := m[n]; !ok {
			m[n] = f[0]
		}
	}
	return m
}

// parsePasswd reads passwd(5). The first name of a number counts.
func parsePasswd(text []byte) map[uint32]string {
	m := make(map[uint32]string)
	for line := range bytes.Lines(text) {
		f := strings.Split(strings.TrimSpace(string(line)), ":")
		// Names with + and - are switches of NIS, not users.
		if len(f) < 4 || f[0] == "" || strings.ContainsAny(f[0][:1], "#+-") {
			continue
		}
		uid, err := strconv.ParseUint(f[2], 10, 32)
		if err != nil {
			continue
		}
		if _, ok := m[uint32(uid)]; !ok {
			m[uint32(uid)] = f[0]
		}
	}
	return m
}
