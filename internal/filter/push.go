// SPDX-License-Identifier: GPL-2.0-or-later

package filter

import (
	"cmp"
	"math"
	"net/netip"
	"slices"

	"netlive/internal/sock"
)

// take puts a part of the filter's conjunction into k and says who decides it then. What does not fit, or is more than
// a test, is left to Go. (Disjunctions of one field are one test by then.)
func (k *Kernel) take(n *node) decider {
	if n.kind != nodeTest {
		return byGo
	}
	t := n.test
	switch t.op {
	case opMatch, opWord, opNumber:
		return byGo
	}
	switch t.field {
	case FieldFamily:
		return k.takeFamilies(t.mask & uint32(FamilyInet|FamilyInet6))
	case FieldProto:
		return k.takeProtos(t.mask)
	case FieldState:
		k.narrow(&k.States, t.mask, maskAnyState)
		return byKernel
	case FieldOld:
		k.narrow(&k.OldStates, t.mask, maskAnyState)
		return byKernel
	case FieldUID:
		return k.takeNumbers(&k.UIDs, t.numbers(0, math.MaxUint32), byKernel)
	case FieldUser:
		if len(t.texts) > 0 {
			return byGo
		}
		return k.takeNumbers(&k.UIDs, t.numbers(0, math.MaxUint32), byKernel)
	case FieldPID:
		return k.takeNumbers(&k.PIDs, t.numbers(1, math.MaxUint32), byBoth)
	case FieldNetNS:
		if t.any || len(t.texts) > 0 {
			return byGo
		}
		return k.takeNumbers(&k.NetNS, t.numbers(1, math.MaxUint32), byKernel)
	case FieldSport, FieldDport, FieldPort:
		return k.takePorts(t)
	case FieldSrc, FieldDst, FieldAddr:
		return k.takeHosts(t)
	}
	return byGo
}

// narrow takes from a mask, of which 0 is all, what is not in with.
func (k *Kernel) narrow(mask *uint32, with, all uint32) {
	if *mask == 0 {
		*mask = all
	}
	*mask &= with
	k.Never = k.Never || *mask == 0
}

func (k *Kernel) takeFamilies(with uint32) decider {
	families := uint32(k.Families)
	k.narrow(&families, with, uint32(FamilyInet|FamilyInet6))
	k.Families = uint8(families)
	return byKernel
}

// takeProtos takes the families that the protocols of a mask are of. Within a family Go tells them apart: the events of binding are of others
// than TCP too.
func (k *Kernel) takeProtos(mask uint32) decider {
	var families, all uint32
	for family, list := range map[uint8][]sock.Proto{
		FamilyInet:  {sock.TCP, sock.UDP, sock.UDPLite, sock.Raw},
		FamilyInet6: {sock.TCP6, sock.UDP6, sock.UDPLite6, sock.Raw6},
	} {
		if protos := uint32(sock.Protos(list...)); mask&protos != 0 {
			families |= uint32(family)
			all |= protos
		}
	}
	if who := k.takeFamilies(families); mask&all == all {
		return who
	}
	return byBoth
}

// numbers are the numbers from lo to hi of which t is true, in order and without a touch.
func (t *test) numbers(lo, hi int64) []span {
	s := intersect(union(t.spans), []span{{lo, hi}})
	if t.neg {
		s = complement(s, lo, hi)
	}
	return s
}

// takeNumbers narrows r, unless there is no room; who decides when there is.
func (k *Kernel) takeNumbers(r *Ranges, with []span, who decider) decider {
	narrowed, fits := r.narrowed(with)
	switch {
	case !fits:
		return byGo
	case narrowed.N == 0:
		k.Never = true
	}
	*r = narrowed
	return who
}

// narrowed is what r and with share; it does not fit when that is too many ranges.
func (r *Ranges) narrowed(with []span) (n Ranges, fits bool) {
	if r.N > 0 {
		var have []span
		for _, x := range r.R[:r.N] {
			have = append(have, span{int64(x.Lo), int64(x.Hi)})
		}
		with = intersect(have, with)
	}
	if len(with) > MaxRanges {
		return n, false
	}
	for _, s := range with {
		n.R[n.N] = Range{uint32(s.lo), uint32(s.hi)}
		n.N++
	}
	return n, true
}

// localPorts are the ports of which t is true; 0 is unknown. remotePorts has 0 when t is true of a socket that has no other end: of
// that nothing holds, so what is denied does.
func (t *test) localPorts() []span { return t.numbers(1, math.MaxUint16) }

func (t *test) remotePorts() []span {
	s := intersect(union(t.spans), []span{{1, math.MaxUint16}})
	if t.neg {
		s = complement(s, 0, math.MaxUint16)
	}
	return s
}

func (k *Kernel) takePorts(t *test) decider {
	switch {
	case t.field == FieldSport:
		return k.takeNumbers(&k.LocalPorts, t.localPorts(), byBoth)
	case t.field == FieldDport:
		return k.takeNumbers(&k.RemotePorts, t.remotePorts(), byKernel)
	case t.neg: // neither end
		_, fitsLocal := k.LocalPorts.narrowed(t.localPorts())
		_, fitsRemote := k.RemotePorts.narrowed(t.remotePorts())
		if !fitsLocal || !fitsRemote {
			return byGo
		}
		k.takeNumbers(&k.LocalPorts, t.localPorts(), byBoth)
		return k.takeNumbers(&k.RemotePorts, t.remotePorts(), byBoth)
	case k.EitherPorts.N > 0: // one condition may hold of one end, the other of the other
		return byGo
	}
	return k.takeNumbers(&k.EitherPorts, t.remotePorts(), byBoth)
}

// takeHosts takes a set of prefixes, a set of ports, or one prefix with a port: a pair among others is more than k can say.
func (k *Kernel) takeHosts(t *test) decider {
	var prefixes []netip.Prefix
	ports := *t
	ports.spans = nil
	for _, h := range t.hosts {
		if h.prefix.IsValid() {
			prefixes = append(prefixes, h.prefix)
		}
		if h.ported {
			ports.spans = append(ports.spans, h.ports)
		}
	}
	switch n := len(t.hosts); {
	case len(prefixes) == n && len(ports.spans) == 0:
		return k.takePrefixes(t.field, t.neg, prefixes)
	case len(ports.spans) == n && len(prefixes) == 0:
		ports.field = portOf[t.field]
		return k.takePorts(&ports)
	case n > 1 || t.neg || t.field == FieldAddr || len(prefixes) == 0:
		return byGo
	}
	ports.field = portOf[t.field]
	was := *k
	inPorts, inPrefixes := k.takePorts(&ports), k.takePrefixes(t.field, false, prefixes)
	if inPorts == byGo || inPrefixes == byGo {
		*k = was
		return byGo
	}
	return min(inPorts, inPrefixes)
}

var portOf = map[Field]Field{FieldSrc: FieldSport, FieldDst: FieldDport, FieldAddr: FieldPort}

func (k *Kernel) takePrefixes(f Field, neg bool, list []netip.Prefix) decider {
	in, notIn := []*Prefixes{&k.Local}, []*Prefixes{&k.NotLocal}
	switch f {
	case FieldDst:
		in, notIn = []*Prefixes{&k.Remote}, []*Prefixes{&k.NotRemote}
	case FieldAddr:
		in, notIn = []*Prefixes{&k.Either}, []*Prefixes{&k.NotLocal, &k.NotRemote} // neither end
	}
	if !neg {
		if in[0].N > 0 || len(list) > MaxPrefixes {
			return byGo // the address must be in both sets, which two fields would be needed for
		}
		in[0].add(list)
		return byKernel
	}
	for _, ps := range notIn {
		if int(ps.N)+len(list) > MaxPrefixes {
			return byGo
		}
	}
	for _, ps := range notIn {
		ps.add(list)
	}
	return byKernel
}

func (ps *Prefixes) add(list []netip.Prefix) {
	for _, p := range list {
		x := Prefix{Addr: p.Addr().As16(), Bits: uint8(p.Bits()), Only6: p.Addr().Is6()}
		if p.Addr().Is4() {
			x.Bits += 96
		}
		ps.P[ps.N] = x
		ps.N++
	}
}

// union puts spans in order and makes one of those that overlap or touch.
func union(spans []span) (u []span) {
	sorted := slices.Clone(spans)
	slices.SortFunc(sorted, func(a, b span) int { return cmp.Compare(a.lo, b.lo) })
	for _, s := range sorted {
		switch last := len(u) - 1; {
		case s.lo > s.hi:
		case last >= 0 && s.lo <= u[last].hi+1:
			u[last].hi = max(u[last].hi, s.hi)
		default:
			u = append(u, s)
		}
	}
	return u
}

// intersect is what a and b share; both are in order, and so is the result.
func intersect(a, b []span) (both []span) {
	for i, j := 0, 0; i < len(a) && j < len(b); {
		if s := (span{max(a[i].lo, b[j].lo), min(a[i].hi, b[j].hi)}); s.lo <= s.hi {
			both = append(both, s)
		}
		if a[i].hi < b[j].hi {
			i++
		} else {
			j++
		}
	}
	return both
}

// complement is the numbers from lo to hi that are not in s, which is in order and within lo and hi.
func complement(s []span, lo, hi int64) (rest []span) {
	for _, x := range s {
		if lo < x.lo {
			rest = append(rest, span{lo, x.lo - 1})
		}
		lo = x.hi + 1
	}
	if lo <= hi {
		rest = append(rest, span{lo, hi})
	}
	return rest
}
