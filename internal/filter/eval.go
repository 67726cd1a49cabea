// SPDX-License-Identifier: GPL-2.0-or-later

package filter

import (
	"net/netip"
	"regexp"
	"slices"
	"strings"

	"netlive/internal/sock"
)

// op is how a test compares.
type op uint8

const (
	opEq op = iota // any of a set, of one or more
	opLt           // the four compare with one number
	opLe
	opGt
	opGe
	opMatch  // by a regular expression
	opWord   // a word alone: seen anywhere
	opNumber // a number alone: a port or a PID
)

// span is a range of numbers, both ends included; empty when lo > hi.
type span struct{ lo, hi int64 }

func (s span) has(n int64) bool { return s.lo <= n && n <= s.hi }

// host is one thing that an end of a connection is compared with.
type host struct {
	prefix netip.Prefix // masked, not IPv4-mapped; invalid: any address
	ports  span
	ported bool // whether ports counts
}

// test is one comparison: a leaf of a filter. Nothing changes it once it is parsed.
type test struct {
	field Field
	op    op
	neg   bool // what is asked is that it does not hold
	// spans are the numbers that match. An order (opLt and so on) is one span.
	spans []span
	hosts []host
	mask  uint32   // of words; neg is never set beside it
	texts []string // of opWord: one, in lower case
	any   bool     // netns = all
	re    *regexp.Regexp
	off   int // where it begins in the filter's text
}

// eval is the truth of t about v.
func (t *test) eval(v *Values) truth {
	r := t.evalPositive(v)
	if t.neg {
		return r.not()
	}
	return r
}

func (t *test) evalPositive(v *Values) truth {
	switch t.op {
	case opWord:
		return truthOf(v.mentions(t.texts[0]))
	case opNumber:
		// Like a word it asks whether the number is to be seen, which is never unknown.
		return truthOf(t.port(v) == yes || t.pid(v) == yes)
	}
	switch t.field {
	case FieldSport, FieldDport, FieldPort:
		return t.port(v)
	case FieldSrc, FieldDst, FieldAddr:
		return t.host(v)
	case FieldPID:
		return t.pid(v)
	case FieldProc:
		return t.proc(v)
	case FieldReason:
		return t.reason(v)
	}
	switch t.field.kind() {
	case kindWord:
		bit, known := v.bit(t.field)
		if !known {
			return unknown
		}
		return truthOf(t.mask&(1<<bit) != 0)
	case kindName:
		return t.name(v)
	case kindText:
		return t.text(v.text(t.field))
	}
	n, known := v.number(t.field)
	if !known {
		return unknown
	}
	return truthOf(t.has(n))
}

func (t *test) has(n int64) bool {
	for _, s := range t.spans {
		if s.has(n) {
			return true
		}
	}
	return false
}

// port holds of either end when it holds of one.
func (t *test) port(v *Values) truth {
	s := v.socket()
	r := no
	if t.field != FieldDport {
		r = t.portOf(s, s.Local, unknown)
	}
	if t.field != FieldSport {
		r = max(r, t.portOf(s, s.Remote, no))
	}
	return r
}

// portOf compares the port of an end; none is what a port of 0 is.
func (t *test) portOf(s *sock.Socket, end netip.AddrPort, none truth) truth {
	switch {
	case s.Proto == sock.Unix:
		return no
	case !end.IsValid():
		return unknown
	case end.Port() == 0:
		return none
	}
	return truthOf(t.has(int64(end.Port())))
}

func (t *test) host(v *Values) truth {
	s := v.socket()
	r := no
	if t.field != FieldDst {
		r = t.hostOf(s, s.Local, unknown)
		if s.SCTP != nil {
			for _, a := range s.SCTP.Locals {
				r = max(r, t.hostOf(s, netip.AddrPortFrom(a, s.Local.Port()), unknown))
			}
		}
	}
	if t.field != FieldSrc {
		r = max(r, t.hostOf(s, s.Remote, no))
		if s.SCTP != nil {
			for _, a := range s.SCTP.Remotes {
				r = max(r, t.hostOf(s, netip.AddrPortFrom(a, s.Remote.Port()), no))
			}
		}
	}
	return r
}

func (t *test) hostOf(s *sock.Socket, end netip.AddrPort, none truth) truth {
	if s.Proto == sock.Unix {
		return no
	}
	if !end.IsValid() {
		return unknown
	}
	r := no
	for i := range t.hosts {
		r = max(r, t.hosts[i].matches(end, none))
	}
	return r
}

func (h *host) matches(end netip.AddrPort, none truth) truth {
	if h.prefix.IsValid() && !inPrefix(h.prefix, end.Addr()) {
		return no
	}
	switch {
	case !h.ported:
		return yes
	case end.Port() == 0:
		return none
	}
	return truthOf(h.ports.has(int64(end.Port())))
}

// inPrefix is ss's rule: an IPv4 prefix has the IPv4-mapped addresses of AF_INET6 sockets too, and an IPv6 prefix nothing of AF_INET,
// be it ::/0.
func inPrefix(p netip.Prefix, a netip.Addr) bool {
	if p.Addr().Is4() {
		a = a.Unmap()
	}
	return p.Contains(a.WithZone(""))
}

// pid compares with each process that holds the socket, as far as they are known.
func (t *test) pid(v *Values) truth {
	s := v.socket()
	if !s.Owner.Known() {
		return unknown
	}
	found := t.has(int64(s.Owner.PID))
	for i := range s.Others {
		found = found || t.has(int64(s.Others[i].PID))
	}
	return truthOf(found)
}

func (t *test) proc(v *Values) truth {
	s := v.socket()
	if !s.Owner.Known() {
		return unknown
	}
	found := t.owner(v, &s.Owner)
	for i := range s.Others {
		found = found || t.owner(v, &s.Others[i])
	}
	return truthOf(found)
}

// owner compares with both names of a process. The kernel's is cut to 15 bytes, which a longer name is known by as
// long as there is no better.
func (t *test) owner(v *Values, o *sock.Owner) bool {
	comm := o.Comm.Bytes()
	if t.op == opMatch && len(comm) > 0 && t.re.Match(comm) {
		return true
	}
	if t.op != opMatch && slices.ContainsFunc(t.texts, func(want string) bool { return string(comm) == want }) {
		return true
	}
	program := v.program(o)
	if t.op == opMatch {
		return program != "" && t.re.MatchString(program)
	}
	return slices.ContainsFunc(t.texts, func(want string) bool {
		cut := len(o.Comm) - 1
		return program == want || program == "" && len(comm) == cut && len(want) > cut && string(comm) == want[:cut]
	})
}

func (t *test) reason(v *Values) truth {
	r := unknown
	for _, have := range v.Reasons {
		switch {
		case have == "":
		case t.op == opMatch && t.re.MatchString(have), t.op != opMatch && slices.ContainsFunc(t.texts, func(want string) bool { return sameReason(have, want) }):
			return yes
		default:
			r = no
		}
	}
	return r
}

// sameReason lets an errno be called by what it says: refused is ECONNREFUSED, timeout ETIMEDOUT.
func sameReason(have, want string) bool {
	return strings.EqualFold(have, want) || slices.ContainsFunc(errnos[strings.ToLower(want)], func(e string) bool { return have == e })
}

// errnos are the errors that a connection ends by, in the words that people have for them.
var errnos = map[string][]string{
	"refused":     {"ECONNREFUSED"},
	"reset":       {"ECONNRESET"},
	"timeout":     {"ETIMEDOUT"},
	"unreachable": {"EHOSTUNREACH", "ENETUNREACH"},
	"aborted":     {"ECONNABORTED"},
}

// name compares with a number, its name, or both.
func (t *test) name(v *Values) truth {
	f := t.field
	if f == FieldUser {
		f = FieldUID
	}
	n, known := v.number(f)
	if !known {
		return unknown
	}
	if t.any || t.has(n) {
		return yes
	}
	if t.op != opMatch && len(t.texts) == 0 {
		return no
	}
	return t.text(v.text(t.field))
}

func (t *test) text(have string) truth {
	if have == "" {
		return unknown
	}
	if t.op == opMatch {
		return truthOf(t.re.MatchString(have))
	}
	for _, want := range t.texts {
		if have == want || t.field == FieldUnit && isService(have, want) {
			return yes
		}
	}
	return no
}

// isService reports whether unit is name.service, and name has no type of its own.
func isService(unit, name string) bool {
	return len(unit) == len(name)+len(".service") && strings.HasPrefix(unit, name) && strings.HasSuffix(unit, ".service") &&
		!strings.Contains(name, ".")
}
