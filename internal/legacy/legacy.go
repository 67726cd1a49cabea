// SPDX-License-Identifier: GPL-2.0-or-later

// Package legacy is the vocabulary for the sockets of protocols that few kernels are built with, or that none has any
// more: what netstat shows of them, and what else tells them apart. Values only: no I/O, and nothing here knows how a
// socket is printed.
//
// Numbers are as wide as the kernel's own. A callsign or an address that is not there is what the kernel writes instead:
// "*", of a station that ROSE does not know "??????-?", of an interface "???".
package legacy

// Family is an address family. The order is that of netstat's tables.
type Family uint8

const (
	IPX Family = iota
	AX25
	X25
	NetROM
	ROSE

	numFamilies = iota
)

var familyNames = [numFamilies]string{"ipx", "ax25", "x25", "netrom", "rose"}

// String is netstat's word for f, as in its options.
func (f Family) String() string {
	if f < numFamilies {
		return familyNames[f]
	}
	return "unknown"
}

// List is what a file of sockets had to say.
type List[T any] struct {
	Rows []Row[T] // in the order of the file
	// Warnings are about lines that could not be used.
	Warnings []error
}

// Row is a line of a file, as far as netstat has anything to say about it.
type Row[T any] struct {
	Socket T
	// Bad is the name of the first field that is missing or wrong; "" of a good row. Of a bad one Socket says nothing.
	Bad string
}

// IPXSocket is a socket of IPX, which Linux had up to 4.17 (net/ipx/ipx_proc.c, ipx_seq_socket_show).
type IPXSocket struct {
	Local, Remote IPXAddr
	// Connected says that there is a Remote.
	Connected        bool
	TxQueue, RxQueue uint32 // bytes
	// State is one of TCP's, of which IPX has two: 1 is established and 7 is closed.
	State uint32
	UID   uint32
}

// The fields that make netstat give up on all that follows when they are bad.
const (
	BadIPXLocal  = "source port"
	BadIPXRemote = "destination port"
)

// States of IPX.
const (
	IPXEstablished = 1
	IPXClosed      = 7
)

// IPXAddr is an address of IPX.
type IPXAddr struct {
	Network uint32  // 0 is this network
	Node    [6]byte // kernels without CONFIG_IPX_INTERN do not tell the local one, which is zeros then
	Port    uint16
}

// AX25List is the sockets of AX.25.
type AX25List struct {
	List[AX25Socket]
	// Old says that the file is as in Linux 2.0, with a header.
	Old bool
}

// AX25Socket is a connection of AX.25, or a socket that waits for one (net/ax25/af_ax25.c, ax25_info_show).
type AX25Socket struct {
	Source string // callsign of this end
	// Digi says that Source repeats the frames of others (iamdigi).
	Digi   bool
	Dest   string
	Via    []string // the stations that repeat, each with an asterisk if it has done so
	Iface  string
	State  uint32 // AX25_STATE_0 to 4
	VS, VR uint32 // numbers of the next frame, sent and received
	// Attached says that a program holds it: without one there are no queues and no inode.
	Attached             bool
	SendQueue, RecvQueue uint32 // bytes, with what the kernel adds to them
	Inode                uint32 // 0 if none
}

// X25Socket is a socket of X.25 in the file of Linux 2.2 (net/x25/af_x25.c, x25_get_info).
type X25Socket struct {
	Dest, Source         string // X.121, cut to 10 digits
	Iface                string
	LCI                  uint32 // logical channel, up to 4095; 0 if none
	State                uint32 // X25_STATE_0 to 4
	VS, VR               uint32
	SendQueue, RecvQueue uint32 // bytes
	Inode                uint32 // 0 if none
}

// NetROMSocket is a socket of NET/ROM (net/netrom/af_netrom.c, nr_info_show).
type NetROMSocket struct {
	User                 string // callsign of the user
	Dest, Source         string // callsigns of the nodes
	Iface                string
	State                uint32 // NR_STATE_0 to 3
	VS, VR               uint32
	SendQueue, RecvQueue uint32 // bytes
	Inode                uint32 // 0 if none
}

// ROSESocket is a socket of ROSE (net/rose/af_rose.c, rose_info_show).
type ROSESocket struct {
	DestAddr, SourceAddr string // X.121, 10 digits
	DestCall, SourceCall string
	Iface                string
	LCI                  uint32 // logical channel, up to 4095; 0 if none
	Neighbour            uint32 // number; 0 if none
	State                uint32 // ROSE_STATE_0 to 5

	// Whole says that the line has what follows, which netstat does not read.
	Whole                bool
	VS, VR               uint32
	SendQueue, RecvQueue uint32 // bytes
	Inode                uint32 // 0 if none
}
