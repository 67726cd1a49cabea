// SPDX-License-Identifier: GPL-2.0-or-later

package filter

import (
	"fmt"
	"net/netip"
	"slices"

	"netlive/internal/sock"
)

// How much a Kernel holds of a kind: a program looks at all of it for each event, in loops that the verifier must see the end of.
const (
	MaxRanges   = 8
	MaxPrefixes = 8
)

// Kernel is what a program in the kernel decides of a filter, about the events of TCP sockets and the binding of others: a value, to
// be put into constants or a map as it is. An event passes when everything that is set lets it. The zero value lets everything pass.
//
// The program knows what is in the record it would send, and must judge it as Passes does. Two things it may not know, and lets
// pass for Go to decide: the local port, which is 0 until a connection in SYN_SENT has been given one, and the owner. Whoever tells
// Go of more owners than the record has (sock.Socket.Others) must clear PIDs.
type Kernel struct {
	// Never says that no event can match, so none passes.
	Never bool
	// Families has FamilyInet, FamilyInet6, or both; 0 is both.
	Families uint8
	// States and OldStates have the bit 1<<state of each state after and before the event that passes; 0 is all.
	States, OldStates uint32
	// Ports, of the local end, the remote end, and of either. The remote port 0 is a value like others: no port.
	LocalPorts, RemotePorts, EitherPorts Ranges
	UIDs, PIDs, NetNS                    Ranges
	// The local address must be in one of Local, and so on; and in none of NotLocal.
	Local, Remote, Either, NotLocal, NotRemote Prefixes
}

// The bits of Kernel.Families.
const (
	FamilyInet  uint8 = 1 << familyInet
	FamilyInet6 uint8 = 1 << familyInet6
)

// Range is the numbers from Lo to Hi.
type Range struct{ Lo, Hi uint32 }

// Ranges is the first N of R, in ascending order and without a touch; no N: any number.
type Ranges struct {
	N uint32
	R [MaxRanges]Range
}

// Has reports whether n is in one of the ranges, or there are none.
func (r *Ranges) Has(n uint32) bool {
	for _, x := range r.R[:r.N] {
		if x.Lo <= n && n <= x.Hi {
			return true
		}
	}
	return r.N == 0
}

// Prefix is the first Bits of an address, in the order of packets. An IPv4 prefix is of IPv4-mapped addresses (::ffff:a.b.c.d, with
// 96 more bits), which the addresses of AF_INET sockets are compared as. Only6 is of AF_INET6 sockets only: ::/0 has
// no IPv4, where 0.0.0.0/0 has the IPv4-mapped addresses of either kind of socket.
type Prefix struct {
	Addr  [16]byte
	Bits  uint8
	Only6 bool
}

// Prefixes is the first N of P. As a condition to be in one of them, no N is no condition.
type Prefixes struct {
	N uint32
	P [MaxPrefixes]Prefix
}

// has reports whether a is in one of the prefixes.
func (ps *Prefixes) has(a netip.Addr) bool {
	return slices.ContainsFunc(ps.P[:ps.N], func(p Prefix) bool {
		if p.Only6 && a.Is4() {
			return false
		}
		b := a.As16()
		for bit := range int(p.Bits) {
			if (b[bit/8]^p.Addr[bit/8])&(0x80>>(bit%8)) != 0 {
				return false
			}
		}
		return true
	})
}

// Passes is what the program must compute: whether an event, after which the socket is s and before which its state was old, is to be
// sent. The judge of a program, not for use on a stream.
func (k *Kernel) Passes(s *sock.Socket, old sock.State) bool {
	family := FamilyInet
	if s.Proto.IPv6() {
		family = FamilyInet6
	}
	local, remote := s.Local.Addr(), s.Remote.Addr()
	lport, rport := uint32(s.Local.Port()), uint32(s.Remote.Port())
	switch {
	case k.Never,
		k.Families != 0 && k.Families&family == 0,
		k.States != 0 && k.States&(1<<s.State) == 0,
		k.OldStates != 0 && k.OldStates&(1<<old) == 0,
		lport != 0 && !k.LocalPorts.Has(lport),
		!k.RemotePorts.Has(rport),
		lport != 0 && !k.EitherPorts.Has(lport) && !k.EitherPorts.Has(rport),
		!k.UIDs.Has(s.UID),
		s.Owner.PID != 0 && !k.PIDs.Has(s.Owner.PID),
		!k.NetNS.Has(s.NetNS),
		k.Local.N > 0 && !k.Local.has(local),
		k.Remote.N > 0 && !k.Remote.has(remote),
		k.Either.N > 0 && !k.Either.has(local) && !k.Either.has(remote),
		k.NotLocal.has(local), k.NotRemote.has(remote):
		return false
	}
	return true
}

// Kernel splits f: an event of TCP matches f when it passes the first part and matches the second, and no event that matches f fails
// to pass. What the kernel decides for good is not in the rest.
func (f *Filter) Kernel() (Kernel, *Filter) {
	k, parts := f.split()
	var rest []*node
	for _, p := range parts {
		if p.who != byKernel {
			rest = append(rest, p.node)
		}
	}
	switch len(rest) {
	case 0:
		return k, &Filter{text: f.Text()}
	case 1:
		return k, &Filter{text: f.text, root: rest[0]}
	}
	return k, &Filter{text: f.text, root: &node{kind: nodeAnd, kids: rest}}
}

// decider is who decides a part of a filter.
type decider uint8

const (
	byGo     decider = iota
	byBoth           // the kernel when it knows, Go when the kernel does not
	byKernel         // Go need not look
)

type part struct {
	node *node
	who  decider
}

func (f *Filter) split() (k Kernel, parts []part) {
	switch {
	case f.All():
	case f.root.kind == nodeAnd:
		for _, n := range f.root.kids {
			parts = append(parts, part{n, k.take(n)})
		}
	default:
		parts = []part{{f.root, k.take(f.root)}}
	}
	return k, parts
}

// Explain says in lines which part of the filter the kernel decides about an event and which is left to Go.
func (f *Filter) Explain() []string {
	labels := [...]string{byKernel: "kernel:", byBoth: "kernel if it knows:", byGo: "netlive:"}
	k, parts := f.split()
	if len(parts) == 0 {
		return []string{"everything matches"}
	}
	var lines []string
	for _, who := range []decider{byKernel, byBoth, byGo} {
		for _, p := range parts {
			if p.who == who {
				s := p.node.String()
				if p.node.kind == nodeOr && len(parts) > 1 {
					s = "(" + s + ")"
				}
				lines = append(lines, fmt.Sprintf("%-19s %s", labels[who], s))
			}
		}
	}
	if k.Never {
		lines = append(lines, "no event can match: the kernel sends none")
	}
	return lines
}
