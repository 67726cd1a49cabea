// SPDX-License-Identifier: GPL-2.0-or-later

package tracer

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"netlive/internal/sock"
)

// record is any of the structures in bpf/records.h.
type record interface {
	bpfEventRecord | bpfDetailRecord | bpfStackRecord | bpfSockRecord | bpfUnixRecord | bpfOwnerRecord | bpfHolderRecord
}

// copyRecord reads the record at the head of b; false when b is too short for one. Copying
// costs 7 ns more than pointing into b would and is right at any alignment.
func copyRecord[T record](b []byte, r *T) bool {
	// The types are plain data that clang and bpf2go lay out alike; records.h asserts the sizes.
	to := unsafe.Slice((*byte)(unsafe.Pointer(r)), unsafe.Sizeof(*r))
	return copy(to, b) == len(to)
}

// addr is the address in a record: its first four bytes for AF_INET.
func addr(a *[16]uint8, family uint8) netip.Addr {
	if family == unix.AF_INET6 {
		return netip.AddrFrom16(*a)
	}
	return netip.AddrFrom4([4]byte(a[:4]))
}

// protocol is the protocol of a record of an event; only those of EventBind are of others than TCP.
func protocol(n uint8) sock.Proto {
	switch n {
	case 0, unix.IPPROTO_TCP:
		return sock.TCP
	case unix.IPPROTO_UDP:
		return sock.UDP
	case unix.IPPROTO_UDPLITE:
		return sock.UDPLite
	}
	return sock.Raw
}

func proto(v4 sock.Proto, family uint8) sock.Proto {
	if family == unix.AF_INET6 {
		return v4 + 1 // each protocol's constant for IPv6 follows the one for IPv4
	}
	return v4
}

// state is a TCP state number as sock has it. A request socket is SYN_RECV to everyone but the kernel's hash tables.
func state(n uint8) sock.State {
	switch s := sock.State(n); {
	case s == sock.NewSynRecv:
		return sock.SynRecv
	case s > sock.NewSynRecv:
		return stateUnknown // TCP_BOUND_INACTIVE (6.8) is of sock_diag alone
	default:
		return s
	}
}

// stateUnknown has no name: UNKNOWN, as of a state in /proc that there is not.
const stateUnknown = sock.State(255)

// requestID names a request socket by its ends. The connection that it becomes inherits its cookie only if it had one when the
// child was cloned (net/ipv4/inet_connection_sock.c, inet_csk_clone_lock), and a walker that gives it one may
// come between the clone and the end of the request: then nothing would ever end the row of that cookie. Ends are the
// request's alone for as long as it lives.
func requestID(netns uint32, local, remote *[16]uint8, lport, rport uint16) sock.ID {
	// FNV-1a, by words.
	const offset, prime = 14695981039346656037, 1099511628211
	h := uint64(offset)
	for _, w := range [...]uint64{
		binary.NativeEndian.Uint64(local[:]), binary.NativeEndian.Uint64(local[8:]),
		binary.NativeEndian.Uint64(remote[:]), binary.NativeEndian.Uint64(remote[8:]),
		uint64(lport)<<48 | uint64(rport)<<32 | uint64(netns),
	} {
		h = (h ^ w) * prime
		h ^= h >> 32 // a word's high bits must reach the low ones
	}
	return sock.ID(h) | sock.LocalID
}

// decodeEvent reads one record of the ring into e, without allocation. The error says
// that Go and the kernel side disagree on records.h, which no kernel can cause.
func decodeEvent(b []byte, offset int64, e *sock.Event) error {
	var r bpfEventRecord
	if !copyRecord(b, &r) {
		return fmt.Errorf("event record of %d bytes", len(b))
	}
	*e = sock.Event{
		Time: wall(sock.Stamp(r.AtNs), offset),
		Socket: sock.Socket{
			ID:     sock.ID(r.Cookie),
			At:     sock.Stamp(r.AtNs),
			Proto:  proto(protocol(r.Protocol), r.Family),
			State:  state(r.NewState),
			Local:  netip.AddrPortFrom(addr(&r.Local, r.Family), r.Lport),
			Remote: netip.AddrPortFrom(addr(&r.Remote, r.Family), r.Rport),
			NetNS:  r.Netns,
			UID:    r.Uid,
			Inode:  r.Inode,
			Dev:    r.Dev,
			Cgroup: r.Cgroup,
		},
		Old:   state(r.OldState),
		InOld: time.Duration(r.InOldNs), // ~0 becomes -1
		Mini:  state(r.MiniState),
	}
	if r.Pid != 0 {
		e.Socket.Owner = sock.Owner{PID: r.Pid, FD: -1, How: sock.How(r.How), Comm: r.Comm, Start: r.StartNs}
	}
	switch e.Kind = sock.EventKind(r.Kind); {
	case e.Kind == sock.EventState:
		if e.Old == sock.Listen || e.Old == sock.SynRecv {
			e.Request = requestID(r.Netns, &r.Local, &r.Remote, r.Lport, r.Rport)
		}
	case e.Kind == sock.EventOwner:
		e.Old = e.Socket.State
		e.InOld = -1
	case e.Kind == sock.EventStale:
		*e = sock.Event{Kind: sock.EventStale, Time: e.Time, Socket: sock.Socket{At: e.Socket.At}}
	case e.Kind == sock.EventNone, e.Kind > sock.EventBind:
		return fmt.Errorf("event record of kind %d", r.Kind)
	case r.Cookie == 0 && sock.State(r.NewState) == sock.NewSynRecv:
		e.Socket.ID = requestID(r.Netns, &r.Local, &r.Remote, r.Lport, r.Rport)
	}
	return nil
}

func (r *bpfSockRecord) socket(v4 sock.Proto) sock.Socket {
	s := sock.Socket{
		ID:     sock.ID(r.Cookie),
		At:     sock.Stamp(r.AtNs),
		Proto:  proto(v4, r.Family),
		State:  state(r.State),
		Local:  netip.AddrPortFrom(addr(&r.Local, r.Family), r.Lport),
		Remote: netip.AddrPortFrom(addr(&r.Remote, r.Family), r.Rport),
		Queue:  sock.Queue{Recv: r.RecvQ, Send: r.SendQ},
		NetNS:  r.Netns,
		UID:    r.Uid,
		Inode:  r.Inode,
		Cgroup: r.Cgroup,
	}
	if sock.State(r.State) == sock.NewSynRecv {
		s.ID = requestID(r.Netns, &r.Local, &r.Remote, r.Lport, r.Rport)
	}
	return s
}

// ssDisconnecting is the last of enum socket_state (linux/net.h).
const ssDisconnecting = 4

func (r *bpfUnixRecord) socket() sock.Socket {
	s := sock.Socket{
		ID:     sock.ID(r.Cookie),
		At:     sock.Stamp(r.AtNs),
		Proto:  sock.Unix,
		State:  sock.UnixFree + sock.State(r.State),
		NetNS:  r.Netns,
		UID:    r.Uid,
		Inode:  r.Inode,
		Cgroup: r.Cgroup,
		Unix: &sock.UnixInfo{
			Path:   unixPath(r.Path[:min(int(r.PathLen), len(r.Path))]),
			RefCnt: r.Refcnt,
			Flags:  r.Flags,
			Type:   sock.UnixType(r.Type),
		},
	}
	if r.State > ssDisconnecting {
		s.State = stateUnknown
	}
	if s.State == sock.UnixUnconnected && r.Flags&sock.SOAcceptCon != 0 {
		s.State = sock.UnixListening
	}
	return s
}

// unixPath spells sun_path as /proc/net/unix does (net/unix/af_unix.c, unix_seq_show): '@' for
// the NUL that begins an abstract name and for each one in it.
func unixPath(raw []byte) string {
	path := make([]byte, len(raw))
	for i, c := range raw {
		if c == 0 {
			c = '@'
		}
		path[i] = c
	}
	return string(path)
}

func (r *bpfOwnerRecord) owner() sock.Owner {
	return sock.Owner{PID: r.Pid, FD: r.Fd, How: sock.HowSeeded, Comm: r.Comm, Start: r.StartNs}
}
