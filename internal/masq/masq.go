// SPDX-License-Identifier: GPL-2.0-or-later

// Package masq is the vocabulary for masqueraded connections as they were with ipfwadm and ipchains, up to Linux 2.4: later
// kernels have connection tracking alone, which netstat does not read. Values only: no I/O.
package masq

import "net/netip"

// Proto is a protocol that can be masqueraded.
type Proto uint8

const (
	IP Proto = iota
	TCP
	UDP
	ICMP
	GRE
	ESP

	protoCount
)

var protoNames = [protoCount]string{"ip", "tcp", "udp", "icmp", "gre", "esp"}

// String is netstat's spelling: ip, tcp, ...
func (p Proto) String() string {
	if p < protoCount {
		return protoNames[p]
	}
	return ""
}

// Entry is a masqueraded connection. Protocols without ports have other numbers there.
type Entry struct {
	Proto    Proto
	Src, Dst netip.AddrPort // inside, outside
	MasqPort uint16         // what stands for Src's outside

	// From InitSeq on Delta is added to sequence numbers, and before that PrevDelta: masquerading a protocol that names
	// addresses in its text changes lengths. PrevDelta is there if Table.PrevDelta says so.
	InitSeq          uint64
	Delta, PrevDelta int16

	Expires uint64 // from now, in 1/100 s
}

// Table is what net/ip_masquerade had to say.
type Table struct {
	Entries []Entry
	// PrevDelta says that the entries have one; all but the first kernels with masquerading do.
	PrevDelta bool
	// Fault is where the file stopped making sense: Entries are those before that.
	Fault Fault
	// Warnings tell where that was.
	Warnings []error
}

// Fault is how a file of entries is broken.
type Fault uint8

const (
	NoFault      Fault = iota
	NoHeader           // not even a first line
	BadFormat          // an entry has not all of its fields
	UnknownProto       // an entry is of none of the known protocols
)
