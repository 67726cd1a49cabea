// SPDX-License-Identifier: GPL-2.0-or-later

package options

import (
	"fmt"
	"slices"

	"netlive/internal/sock"
)

// socketFiles are the tables of sockets in the order in which netstat prints them: their files in /proc/net and what
// netstat calls what the kernel lacks. A missing file of IPv6 beside one of IPv4 is never mentioned.
var socketFiles = []struct {
	proto  sock.Proto // of those that netlive has
	family string     // of otherFamilies
	file   string
	name   string
}{
	{proto: sock.TCP, file: "tcp", name: "AF INET (tcp)"},
	{file: "sctp/assocs", name: "AF INET (sctp)"},
	{proto: sock.UDP, file: "udp", name: "AF INET (udp)"},
	{proto: sock.UDPLite, file: "udplite", name: "AF INET (udplite)"},
	{proto: sock.Raw, file: "raw", name: "AF INET (raw)"},
	{proto: sock.Unix, file: "unix", name: "AF UNIX"},
	{family: "ipx", file: "ipx", name: "AF IPX"},
	{family: "ax25", file: "ax25", name: "AF AX25"},
	{family: "x25", file: "x25", name: "AF X25"},
	{family: "netrom", file: "nr", name: "AF NETROM"},
	{family: "rose", file: "rose", name: "AF ROSE"},
}

// Lacking is what netstat says of the tables that are selected and that this kernel has not: has reports whether
// there is /proc/net/FILE. It asks for all of them only with -v; a table that was asked for by name is missed without
// -v too, and there netstat ends: end is the protocol before whose rows, and after whose header, it exits with 1.
// end is sock.ProtoNone when it goes on. (Tables that netlive has not got are not asked for by name: Parse refuses them.)
func (o *Options) Lacking(has func(file string) bool) (lines []string, end sock.Proto) {
	s := o.Select()
	if s.Implied || !s.Explicit && !o.Verbose {
		return nil, sock.ProtoNone
	}
	for _, f := range socketFiles {
		selected := s.SCTP
		switch {
		case f.proto != sock.ProtoNone:
			selected = s.Protos.Has(f.proto)
		case f.family != "":
			selected = slices.Contains(s.Others, f.family)
		}
		if !selected || has(f.file) {
			continue
		}
		lines = append(lines, fmt.Sprintf("netstat: no support for `%s' on this system.", f.name))
		if s.Explicit {
			return lines, f.proto
		}
	}
	return lines, sock.ProtoNone
}
