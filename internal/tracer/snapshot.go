// SPDX-License-Identifier: GPL-2.0-or-later

package tracer

import (
	"context"
	"fmt"
	"slices"

	"netlive/internal/sock"
)

// Protos are the protocols that have an iterator. The kernel has none for raw and UDP-Lite.
var Protos = sock.ProtosTCP | sock.ProtosUDP | sock.ProtosUnix

// Snapshot walks the kernel's tables. It lists the network namespaces of Options.Spaces, or that of the calling thread. Protocols
// outside Protos come from Options.Rest, or are left out of the result's Protos.
func (t *Tracer) Snapshot(ctx context.Context, want sock.Want) (sock.Snapshot, error) {
	if t.hook == HookClassic {
		return sock.Snapshot{}, fmt.Errorf("tracer: walk sockets: %w: iterators need BTF", ErrUnsupported)
	}
	var held owners
	if want.Owners {
		// Before the walk: it also gives the sockets the owner that their events will carry.
		var err error
		if held, err = t.owners(ctx); err != nil {
			return sock.Snapshot{}, err
		}
	}
	snap := sock.Snapshot{Begin: Now(), Protos: want.Protos & Protos, OwnersFound: len(held.byCookie) > 0}
	err := t.inSpaces(func() error {
		var err error
		if want.Protos.Any(sock.ProtosTCP) {
			err = t.walkInet(ctx, bpfProgDumpTcp, sock.TCP, &snap)
		}
		if err == nil && want.Protos.Any(sock.ProtosUDP) {
			err = t.walkInet(ctx, bpfProgDumpUdp, sock.UDP, &snap)
		}
		if err == nil && want.Protos.Any(sock.ProtosUnix) {
			snap.Sockets, err = t.walkUnix(ctx, snap.Sockets)
		}
		if rest := want.Protos &^ Protos; err == nil && rest != 0 && t.rest != nil {
			err = t.walkRest(ctx, rest, &snap)
		}
		return err
	})
	if err != nil {
		return sock.Snapshot{}, err
	}
	slices.SortStableFunc(snap.Sockets, byProto)
	for i := range snap.Sockets {
		s := &snap.Sockets[i]
		if list := held.of(s); len(list) > 0 {
			s.Owner, s.Others = list[0], list[1:]
		}
	}
	return snap, nil
}

// walkInet appends the sockets of a protocol, IPv4 first as netstat has them.
func (t *Tracer) walkInet(ctx context.Context, program string, v4 sock.Proto, snap *sock.Snapshot) error {
	var v6 []sock.Socket
	err := walk(ctx, t, program, func(r *bpfSockRecord) {
		s := r.socket(v4)
		switch {
		case !snap.Protos.Has(s.Proto):
		case s.Proto == v4:
			snap.Sockets = append(snap.Sockets, s)
		default:
			v6 = append(v6, s)
		}
	})
	snap.Sockets = append(snap.Sockets, v6...)
	return err
}

// walkRest adds what has no iterator.
func (t *Tracer) walkRest(ctx context.Context, protos sock.ProtoSet, snap *sock.Snapshot) error {
	more, err := t.rest(ctx, sock.Want{Protos: protos})
	if err != nil {
		return err
	}
	snap.Protos |= more.Protos
	snap.Missing |= more.Missing
	snap.Unopened = append(snap.Unopened, more.Unopened...)
	snap.Sockets = append(snap.Sockets, more.Sockets...)
	snap.Warnings = append(snap.Warnings, more.Warnings...)
	return nil
}

// SeedOwners lets the events of sockets that were there before Open have an owner: the first process that
// holds the socket among all open descriptors. A Snapshot with owners does the same.
func (t *Tracer) SeedOwners(ctx context.Context) error {
	if t.hook == HookClassic {
		return nil // which has no storage to seed
	}
	if err := t.nextWalk(); err != nil {
		return err
	}
	return walk(ctx, t, bpfProgDumpTaskFile, func(*bpfOwnerRecord) {})
}

// owners says which processes hold a socket, in the order of their PIDs.
type owners struct {
	byCookie map[sock.ID][]sock.Owner
	// byMPTCP has the owners of MPTCP sockets by inode. What netstat shows of such a socket are its TCP
	// subflows, which have cookies of their own, no descriptor, and its inode.
	byMPTCP map[uint32][]sock.Owner
	// byInode has all: for rows that /proc gave.
	byInode map[uint32][]sock.Owner
}

func (o *owners) of(s *sock.Socket) []sock.Owner {
	if s.ID.Cookie() == 0 && !sock.ProtosTCP.Has(s.Proto) {
		return o.byInode[s.Inode]
	}
	if list := o.byCookie[s.ID]; list != nil || s.Inode == 0 || !sock.ProtosTCP.Has(s.Proto) {
		return list
	}
	return o.byMPTCP[s.Inode]
}

// owners lists who holds which socket. Processes outside our PID namespace are not listed, and neither are their sockets.
func (t *Tracer) owners(ctx context.Context) (owners, error) {
	o := owners{byCookie: map[sock.ID][]sock.Owner{}, byMPTCP: map[uint32][]sock.Owner{}, byInode: map[uint32][]sock.Owner{}}
	if err := t.nextWalk(); err != nil {
		return o, err
	}
	err := walk(ctx, t, bpfProgDumpTaskFile, func(r *bpfOwnerRecord) {
		if r.Pid == 0 {
			return // of another PID namespace
		}
		// An MPTCP socket that was accepted has its listener's cookie.
		if id := sock.ID(r.Cookie); r.Mptcp == 0 {
			o.byCookie[id] = addOwner(o.byCookie[id], r.owner())
		}
		if r.Inode != 0 {
			o.byInode[r.Inode] = addOwner(o.byInode[r.Inode], r.owner())
		}
		if r.Mptcp != 0 {
			o.byMPTCP[r.Inode] = o.byInode[r.Inode]
		}
	})
	return o, err
}

// addOwner adds o to list unless its process is there: one entry a process, with its lowest descriptor. A process
// is listed again for its other descriptors and for threads that have a table of descriptors of their own.
func addOwner(list []sock.Owner, o sock.Owner) []sock.Owner {
	if slices.ContainsFunc(list, func(p sock.Owner) bool { return p.PID == o.PID }) {
		return list
	}
	return append(list, o)
}
