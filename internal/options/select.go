// SPDX-License-Identifier: GPL-2.0-or-later

package options

import (
	"fmt"
	"slices"
	"strings"

	"netlive/internal/sock"
)

// protosInet are the protocols that share netstat's internet table.
var protosInet = sock.ProtosTCP | sock.ProtosUDP | sock.ProtosUDPLite | sock.ProtosRaw

var protosV4 = sock.Protos(sock.TCP, sock.UDP, sock.UDPLite, sock.Raw)

// explicit reports whether a table was asked for by name: then only such are shown.
func (o *Options) explicit() bool {
	return o.named != 0 || len(o.families) > 0
}

// Named reports whether an option named a protocol of set.
func (o *Options) Named(set sock.ProtoSet) bool {
	return o.named.Any(set) || set.Any(sock.ProtosUnix) && slices.Contains(o.families, "unix")
}

// Protos are the protocols whose sockets are asked for.
func (o *Options) Protos() sock.ProtoSet {
	inet, inet6 := slices.Contains(o.families, "inet"), slices.Contains(o.families, "inet6")
	named := o.named
	switch {
	case !o.explicit():
		return protosInet | sock.ProtosUnix
	case named == 0 && (inet || inet6):
		named = protosInet
	case named != 0 && !inet && !inet6:
		inet, inet6 = true, true
	}
	var set sock.ProtoSet
	if inet {
		set |= named & protosV4
	}
	if inet6 {
		set |= named &^ protosV4
	}
	if slices.Contains(o.families, "unix") {
		set |= sock.ProtosUnix
	}
	return set
}

// ShowsInet reports whether the internet table is printed, be it empty.
func (o *Options) ShowsInet() bool { return o.Protos().Any(protosInet) }

// ShowsUnix reports whether the table of UNIX sockets is printed, be it empty.
func (o *Options) ShowsUnix() bool { return o.Protos().Any(sock.ProtosUnix) }

// Shows reports whether s is one of the sockets asked for: netstat's rules for -a, -l and
// neither, which look at the remote end and never at a TCP socket's state.
func (o *Options) Shows(s *sock.Socket) bool {
	if !o.Protos().Has(s.Proto) {
		return false
	}
	if o.All {
		return true
	}
	var listening bool
	switch {
	case s.Proto == sock.Unix:
		listening = s.State == sock.UnixListening
	case sock.ProtosTCP.Has(s.Proto):
		listening = s.Remote.Port() == 0
	default:
		listening = s.Remote.Addr().IsUnspecified()
	}
	return listening == o.Listening
}

// refused are the options of netstat's that this program has no table for.
var refused = []struct {
	val  int
	what string
}{
	{'r', "-r (routes)"}, {'i', "-i (interfaces)"}, {'g', "-g (groups)"}, {'s', "-s (statistics)"},
	{'M', "-M (masquerading)"}, {'o', "-o (timers)"}, {'S', "-S (SCTP)"}, {'Z', "-Z (SELinux)"},
	{'F', "-F"}, {'C', "-C"}, {'N', "-N"}, {'2', "-2 (Bluetooth)"}, {'f', "-f (Bluetooth)"},
}

// refuse is the error for options that mean something to netstat and nothing here: an option is
// never ignored.
func (o *Options) refuse(prog string) error {
	var list []string
	for _, r := range refused {
		if o.letters[r.val] {
			list = append(list, r.what)
		}
	}
	for _, f := range o.families {
		if f != "inet" && f != "inet6" && f != "unix" {
			list = append(list, "address family "+f)
		}
	}
	if len(list) == 0 {
		return nil
	}
	return &Error{
		Message:  fmt.Sprintf("%s: not supported: %s", prog, strings.Join(list, ", ")),
		ExitCode: exitFailure,
	}
}
