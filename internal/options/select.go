// SPDX-License-Identifier: GPL-2.0-or-later

package options

import (
	"slices"

	"netlive/internal/sock"
)

// protosInet are the protocols that share netstat's internet table.
var protosInet = sock.ProtosTCP | sock.ProtosSCTP | sock.ProtosUDP | sock.ProtosUDPLite | sock.ProtosRaw

var protosV4 = sock.Protos(sock.TCP, sock.SCTP, sock.UDP, sock.UDPLite, sock.Raw)

// otherFamilies have a list of sockets in netstat, printed in this order after the
// UNIX sockets. The families ddp, ec and ash have none, and so select nothing.
var otherFamilies = []string{"ipx", "ax25", "x25", "netrom", "rose", "bluetooth"}

// Selection is which tables of sockets a command line selects, by netstat's rules.
type Selection struct {
	// Explicit says that at least one table was asked for: only such are shown, and one that the
	// kernel lacks is an error. Else all are shown, and what the kernel lacks is mentioned with -v.
	Explicit bool
	// Implied says that the internet protocols follow from a family, so that nobody misses one that the kernel lacks.
	Implied bool
	// Inet is whether the internet table's header is printed, be there rows or not.
	Inet bool
	// Groups is the table of multicast groups, of IPv4 and of IPv6.
	Groups, Groups6 bool
	// Unix is whether the table of UNIX sockets is printed.
	Unix bool
	// Protos are the sockets of those tables.
	Protos sock.ProtoSet
	// Others are the families of further tables, in the order in which netstat prints them.
	Others []string
}

// Select applies the rules: a family alone means all its protocols, a protocol alone both its families, and
// nothing at all everything.
func (o *Options) Select() (s Selection) {
	has := func(family string) bool { return slices.Contains(o.Families, family) }
	inet, inet6 := has("inet"), has("inet6")
	named := o.NamedProtos
	if (inet || inet6 || o.Mode == ModeStatistics) && named == 0 {
		named, s.Implied = protosInet, true
	}
	s.Inet = named != 0
	if (s.Inet || o.Groups) && !inet && !inet6 {
		inet, inet6 = true, true
	}
	s.Unix, s.Groups, s.Groups6 = has("unix"), o.Groups && inet, o.Groups && inet6
	for _, f := range otherFamilies {
		if has(f) || f == "bluetooth" && (o.L2CAP || o.RFCOMM) {
			s.Others = append(s.Others, f)
		}
	}
	s.Explicit = s.Inet || s.Unix || o.Groups || len(s.Others) > 0
	if !s.Explicit {
		inet, inet6, named = true, true, protosInet
		s.Inet, s.Unix = true, true
		s.Others = slices.Clone(otherFamilies)
	}
	if inet {
		s.Protos |= named & protosV4
	}
	if inet6 {
		s.Protos |= named &^ protosV4
	}
	if s.Unix {
		s.Protos |= sock.ProtosUnix
	}
	return s
}

// Named reports whether an option named a protocol of set.
func (o *Options) Named(set sock.ProtoSet) bool {
	return o.NamedProtos.Any(set) || set.Any(sock.ProtosUnix) && slices.Contains(o.Families, "unix")
}

// Protos are the protocols whose sockets are asked for.
func (o *Options) Protos() sock.ProtoSet { return o.selected }

// Shows reports whether s is one of the sockets asked for: netstat's rules for -a, -l and
// neither, which look at the remote end and never at a TCP socket's state.
func (o *Options) Shows(s *sock.Socket) bool {
	if !o.selected.Has(s.Proto) {
		return false
	}
	if o.All {
		return true
	}
	var listening bool
	switch {
	case s.Proto == sock.Unix:
		listening = s.State == sock.UnixListening
	case s.SCTP != nil:
		listening = s.SCTP.Endpoint
	case sock.ProtosTCP.Has(s.Proto):
		listening = s.Remote.Port() == 0
	default:
		listening = s.Remote.Addr().IsUnspecified()
	}
	return listening == o.Listening
}
