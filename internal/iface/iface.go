// SPDX-License-Identifier: GPL-2.0-or-later

// Package iface is the vocabulary for network interfaces and the multicast groups they listen to, as netstat -i and -g
// show them. Values only: no I/O, and nothing here knows how an interface is printed.
package iface

import (
	"cmp"
	"math"
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

// Flags are the IFF_ flags of an interface that SIOCGIFFLAGS shows: 16 bits, and of those of the device some are
// changed (net/core/dev.c, dev_get_flags): RUNNING says that there is a carrier, PROMISC and ALLMULTI what a user set.
type Flags uint16

// The names are those of include/uapi/linux/if.h with IFF_ before them.
const (
	FlagUp           Flags = 1 << iota
	FlagBroadcast          // has a broadcast address
	FlagDebug              // no meaning to the kernel but a driver's
	FlagLoopback           //
	FlagPointToPoint       // has one peer
	FlagNoTrailers         //
	FlagRunning            // has a carrier
	FlagNoARP              // has no address resolution
	FlagPromisc            // receives what is for others too
	FlagAllMulti           // receives all multicasts
	FlagMaster             // of slaves
	FlagSlave              // of a bond
	FlagMulticast          // can send to groups
	FlagPortSel            // can select a medium: Map.Port
	FlagAutoMedia          // and does so by itself
	FlagDynamic            // has addresses that go when it goes down
)

var flagNames = [...]string{"UP", "BROADCAST", "DEBUG", "LOOPBACK", "POINTOPOINT", "NOTRAILERS", "RUNNING", "NOARP", "PROMISC",
	"ALLMULTI", "MASTER", "SLAVE", "MULTICAST", "PORTSEL", "AUTOMEDIA", "DYNAMIC"}

// Has reports whether f has any flag of set.
func (f Flags) Has(set Flags) bool { return f&set != 0 }

// Names yields the names of the flags of f, without IFF_, from the lowest bit on.
func (f Flags) Names(yield func(string) bool) {
	for i, name := range flagNames {
		if f.Has(1<<i) && !yield(name) {
			return
		}
	}
}

// Interface is a network interface, or an alias of one: a label of some of its IPv4 addresses, as eth0:1 (Linux has had no
// interfaces of that kind since 2.2). An alias has the numbers of the interface, addresses of its own and no statistics.
type Interface struct {
	Name string
	// Err is why nothing is known of the interface but its name: it is gone, ENODEV, or may not be asked.
	Err error

	Flags Flags
	MTU   int32 // bytes; the kernel's is an unsigned number, which netstat prints as this one. 0 if not known.
	// Stats is nil if there are no statistics.
	Stats *Stats
	// Detail is nil if it was not asked for.
	Detail *Detail
}

// IsAlias reports whether i is an alias.
func (i *Interface) IsAlias() bool { return strings.Contains(i.Name, ":") }

// Detail is what is known of an interface besides what all tables show.
type Detail struct {
	HWType HWType
	// HWAddr is the hardware address. SIOCGIFHWADDR does not say how many of its bytes count, and cuts those that are longer.
	HWAddr [14]byte
	// TxQueueLen is in packets; -1 if it is not known.
	TxQueueLen int32
	Map        Map
	// Outfill and Keepalive are seconds, of serial lines (SLIP) alone. 0 is off.
	Outfill, Keepalive int32
	// Inet is nil if the interface has no IPv4 address under its name.
	Inet  *Inet
	Inet6 []Addr6
}

// HWType is a type of hardware (include/uapi/linux/if_arp.h, ARPHRD_).
type HWType uint16

// The types to which there is more than an address.
const (
	HWSLIP     HWType = 256
	HWCSLIP    HWType = 257
	HWSLIP6    HWType = 258
	HWCSLIP6   HWType = 259
	HWAdaptive HWType = 264
	HWVoid     HWType = 0xffff // not known
)

// Serial reports whether t is a serial line's.
func (t HWType) Serial() bool { return HWSLIP <= t && t <= HWCSLIP6 || t == HWAdaptive }

// Map is the resources of a device: zero where there are none, and so of nearly every device of our times.
type Map struct {
	MemStart, MemEnd uint64
	BaseAddr         uint16 // of I/O ports
	IRQ, DMA         uint8
	Port             uint8 // which medium (include/uapi/linux/netdevice.h, IF_PORT_)
}

// Inet is an IPv4 address of an interface, the first under a name. One that the kernel would not give is the zero
// Addr; 0.0.0.0 is none.
type Inet struct {
	Addr, Netmask, Broadcast, Destination netip.Addr
}

// Addr6 is an IPv6 address of an interface.
type Addr6 struct {
	Addr      netip.Addr
	PrefixLen uint8 // bits
	Scope     Scope
}

// Scope is how far an IPv6 address reaches, as net/if_inet6 has it (include/net/ipv6.h, IPV6_ADDR_).
type Scope uint8

const (
	ScopeGlobal   Scope = 0x00
	ScopeHost     Scope = 0x10 // loopback
	ScopeLink     Scope = 0x20
	ScopeSite     Scope = 0x40
	ScopeCompatV4 Scope = 0x80 // ::/96, beside another
)

// Stats are the counters of an interface since it was made (Documentation/networking/statistics.rst).
type Stats struct {
	RxBytes, RxPackets uint64
	RxErrors           uint64
	RxDropped          uint64 // with rx_missed_errors
	RxFIFO             uint64
	RxFrame            uint64 // with those of length, overrun and checksum
	RxCompressed       uint64
	RxMulticast        uint64

	TxBytes, TxPackets uint64
	TxErrors           uint64
	TxDropped          uint64
	TxFIFO             uint64
	TxCollisions       uint64
	TxCarrier          uint64 // with those of aborted, window and heartbeat
	TxCompressed       uint64
}

// Table is the interfaces of a network namespace.
type Table struct {
	// Interfaces are in netstat's order.
	Interfaces []Interface
	// NoSocket is why there is no socket to ask for interfaces by, so that none are known; NoInet why there is none of IPv4.
	NoSocket, NoInet error
	// NoDev is why net/dev could not be opened or read, so that there are no statistics and only interfaces with
	// an IPv4 address. NoConf is why those could not be listed.
	NoDev, NoConf error
	// Warnings are about lines that could not be used.
	Warnings []error
}

// Add returns the interface with that name, which it adds in its place if it is not there. The pointer is good until the
// next Add.
func (t *Table) Add(name string) *Interface {
	at, found := slices.BinarySearchFunc(t.Interfaces, name, func(i Interface, name string) int { return Compare(i.Name, name) })
	if !found {
		t.Interfaces = slices.Insert(t.Interfaces, at, Interface{Name: name})
	}
	return &t.Interfaces[at]
}

// Compare tells in which order netstat shows two interfaces: less than 0 if a comes first, 0 if they are one. Numbers at
// the end of a name, and those of aliases, count as numbers: eth2 comes before eth10, and eth10:2 before eth10:10.
func Compare(a, b string) int {
	a, aliasA := cutAlias(a)
	b, aliasB := cutAlias(b)
	headA, headB := head(a), head(b)
	c := cmp.Or(
		strings.Compare(headA, headB),
		cmp.Compare(number(a[len(headA):]), number(b[len(headB):])),
		strings.Compare(a, b),
		cmp.Compare(aliasNumber(aliasA), aliasNumber(aliasB)))
	if c == 0 && aliasA != "" && aliasB != "" {
		return strings.Compare(aliasA, aliasB)
	}
	return c
}

// cutAlias parts an alias, which is a number, from the name of its interface. A label that is no number is part of a name.
func cutAlias(name string) (device, alias string) {
	device = head(name)
	if device != name && strings.HasSuffix(device, ":") {
		return device[:len(device)-1], name[len(device):]
	}
	return name, ""
}

// head is a name without the digits at its end.
func head(name string) string { return strings.TrimRight(name, "0123456789") }

func aliasNumber(alias string) int32 {
	if alias == "" {
		return -1
	}
	return number(alias)
}

// number is the lower 32 bits of digits, as netstat takes them: only a name of ten digits or more has others.
func number(digits string) int32 {
	n, err := strconv.ParseInt(digits, 10, 64)
	if err != nil && digits != "" {
		n = math.MaxInt64
	}
	return int32(n)
}
