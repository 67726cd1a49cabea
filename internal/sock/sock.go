// SPDX-License-Identifier: GPL-2.0-or-later

// Package sock is the vocabulary of netlive: what a socket is, what can happen
// to it and what a source of sockets hands over. It holds values only: no I/O,
// no clock, and it imports nothing of netlive. The kernel's own words are used
// (local and remote, recv_q and send_q), one word for one thing from the C
// field to the JSON key.
package sock

import "net/netip"

// ID names one socket for as long as it lives. From the kernel it is the socket
// cookie (net/core/sock_diag.c, __sock_gen_cookie): unique since boot, the same
// in the tracepoint, the iterators and sock_diag, and kept when a request socket
// becomes a connection and when a connection becomes a TIME_WAIT minisocket.
// procfallback has no cookie and makes IDs of its own, with the top bit set, that hold within one
// snapshot only. 0 is no socket. A request socket (SYN_RECV) has a made ID from the kernel too: it gets a cookie only when
// somebody asks for it, and its child may have been cloned just before.
type ID uint64

// LocalID is the bit that marks an ID as made by a source rather than by the
// kernel. Kernel cookies are counters and never reach it.
const LocalID ID = 1 << 63

// Cookie returns the kernel's socket cookie, or 0 when the source had none.
func (id ID) Cookie() uint64 {
	if id&LocalID != 0 {
		return 0
	}
	return uint64(id)
}

// Stamp is an instant of the kernel's monotonic clock in nanoseconds since boot
// (CLOCK_MONOTONIC, bpf_ktime_get_ns). Facts about a socket are ordered by it;
// people are shown the time.Time beside it. 0 is before everything.
type Stamp int64

// Queue holds the two queue columns of netstat, in bytes; for a listening TCP
// socket Recv is the number of connections that wait to be accepted.
type Queue struct {
	Recv, Send uint32
}

// Timer is the timer columns of /proc/net/tcp and its like (net/ipv4/tcp_ipv4.c, get_tcp4_sock). The zero value is
// no timer, or a source that does not read it: iterators do not.
type Timer struct {
	Kind    uint8  // TCP: 1 retransmit, 2 keepalive, 3 TIME_WAIT, 4 zero window probe; 0 none
	Ticks   uint32 // until it expires, in 1/100 s (USER_HZ)
	Retrans uint32 // retransmits that were not answered
	Timeout uint32 // unanswered zero window or keepalive probes
}

// Socket is one socket as a source saw it. The zero value of each field means
// that the source does not know it, except where 0 is a value of the kernel's.
type Socket struct {
	ID    ID
	At    Stamp // when this was true
	Proto Proto
	State State
	// Local and Remote are the two ends. The address is of the socket's family:
	// an IPv4-mapped address stays mapped on an AF_INET6 socket. Invalid for UNIX.
	Local, Remote netip.AddrPort
	Queue         Queue
	Timer         Timer
	NetNS         uint32 // inode number of the network namespace; 0 unknown
	UID           uint32
	Inode         uint32 // sockfs inode; 0 when no file refers to the socket: not yet accepted, orphaned, TIME_WAIT
	// Dev is the index of the network interface that the socket is bound to (SO_BINDTODEVICE), in its namespace; 0 none. Only events have it.
	Dev uint32
	// Cgroup is the cgroup v2 that the socket was made in: the inode number of its directory (cgroup(7), kernfs
	// node id); 0 unknown. It stays when the process moves.
	Cgroup uint64
	// Owner is the process that netstat would print: the one with the lowest PID
	// among those that hold the socket. The rest of them are in Others.
	Owner  Owner
	Others []Owner
	Unix   *UnixInfo // set for Proto Unix alone
	SCTP   *SCTPInfo // set for Proto SCTP and SCTP6 alone
}

// UnixInfo is what only a UNIX domain socket has.
type UnixInfo struct {
	Path   string // as the kernel has it; abstract names begin with '@' and have '@' for NUL, as in /proc/net/unix
	RefCnt uint32
	Flags  uint32   // as in /proc/net/unix: 0x10000 (__SO_ACCEPTCON) when listening
	Type   UnixType // SOCK_STREAM and so on
}

// Owner is a process that holds a socket.
type Owner struct {
	PID  uint32 // thread group id; 0: no owner is known
	FD   int32  // a descriptor it is open at; -1 unknown
	How  How
	Comm Comm
	// Start is when the process started, in nanoseconds of CLOCK_BOOTTIME; 0 unknown. A PID is used again, the
	// two together are not.
	Start uint64
	// Program is the last path element of argv[0], as netstat -p names a process.
	// Empty when the source does not read it: Comm is always there.
	Program string
}

// Known reports whether o names a process.
func (o *Owner) Known() bool { return o.PID != 0 }

// Comm is a process name as the kernel has it (TASK_COMM_LEN, 16 bytes with the
// closing NUL). An array, so that events carry it without allocation. Its bytes are
// the process's own choice and may be anything but NUL.
type Comm [16]byte

// MakeComm returns s as a Comm, cut to the kernel's 15 bytes.
func MakeComm(s string) (c Comm) {
	copy(c[:len(c)-1], s)
	return c
}

// Bytes returns the name without the padding. It aliases c.
func (c *Comm) Bytes() []byte {
	for i, b := range c {
		if b == 0 {
			return c[:i]
		}
	}
	return c[:]
}

func (c Comm) String() string { return string(c.Bytes()) }

// How says by which evidence an owner is known. Values grow with precision:
// a better one replaces a worse one and never the other way round.
type How uint8

const (
	HowUnknown  How = iota
	HowProcfs       // found by inode among the descriptors in /proc/PID/fd
	HowListener     // inherited from the process that listens; the one that accepts may be another
	HowSeeded       // found by the task_file iterator among the open descriptors of all processes
	HowExact        // the kernel ran in the process's own context: connect, listen, first read or write
)

var hows = [...]string{"", "procfs", "listener", "seeded", "exact"}

func (h How) String() string {
	if int(h) < len(hows) {
		return hows[h]
	}
	return ""
}

// Want says what a snapshot must hold; a source may spare itself the rest.
type Want struct {
	Protos ProtoSet
	// Owners asks for the processes that hold each socket.
	Owners bool
}

// News is what has changed, or may have, without an event that says how: a snapshot tells.
type News struct {
	Protos ProtoSet
	// Owners reports that a process that holds sockets has forked, run another program or ended, or that a socket is used by
	// another process than its owner.
	Owners bool
}

// Any reports whether there is news at all.
func (n News) Any() bool { return n.Protos != 0 || n.Owners }

// Snapshot is all sockets of one walk. It is the truth as of its rows' stamps.
type Snapshot struct {
	// Begin is when the walk began: a socket that is absent from Sockets and has
	// not changed since Begin does not exist.
	Begin Stamp
	// Protos are the protocols that were walked; the snapshot says nothing about others.
	Protos ProtoSet
	// Sockets are in the kernel's order, protocol by protocol in the order of the
	// Proto constants, which is the order that netstat prints.
	Sockets []Socket
	// Missing are protocols that were wanted and whose tables could not be opened: mostly this kernel does not have
	// them. Unopened says of each why.
	Missing  ProtoSet
	Unopened []Unopened
	// Owners reports that it was looked for who holds the sockets, as Want.Owners asks.
	Owners bool
	// OwnersDenied reports that some process's descriptors could not be read for want of
	// privilege (EACCES), so that some owners are missing. OwnersFound reports that
	// at least one socket's owner was found among descriptors.
	OwnersDenied, OwnersFound bool
	// Warnings are lines and files that could not be used; the rest is good.
	Warnings []error
}

// Unopened is a table that a source could not open.
type Unopened struct {
	Proto Proto
	File  string // below /proc, as in net/tcp
	Err   error  // what open(2) said
}
