// SPDX-License-Identifier: GPL-2.0-or-later

package iface

import "net/netip"

// Group is a multicast group that an interface listens to.
type Group struct {
	Iface string
	// Users is how many joined, sockets and the kernel itself. netstat prints it as signed.
	Users uint32
	Addr  netip.Addr
}

// Groups are the memberships of a network namespace.
type Groups struct {
	IPv4, IPv6 GroupList
}

// GroupList is what the file of one family had to say.
type GroupList struct {
	Groups []Group
	// BadLines are the numbers of the lines that could not be used. They count from 1, be it a header or not.
	BadLines []int
	// Misread says that the file was taken for one of IPv6, which it is not.
	Misread bool
	// Err is why the file could not be opened or read, nil if it was not to be. A kernel without the family, or IPv4
	// without multicast, lacks the file: an fs.ErrNotExist.
	Err error
	// Warnings are about the bad lines.
	Warnings []error
}

// GroupMemory is what netstat remembers of the files of groups that it has read so far, and by which it errs when it
// reads them again. The zero value is that of a netstat that has just begun.
type GroupMemory struct {
	// IPv6 says that a file began without a header, as those of IPv6 do: from there on all are taken for such.
	IPv6 bool
	// Index says that the interface comes second in its line, after its index (since Linux 2.1).
	Index bool
	// Iface is the interface of the IPv4 groups to come, up to a NUL if there is one.
	Iface [15]byte
	// Addr is the last IPv6 address in network order. One that is too short has its end from here, with the
	// bytes of each word the other way round where the host's order is not the network's.
	Addr [16]byte
}
