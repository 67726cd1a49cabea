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
	if t.coll.Programs[bpfProgDumpTcp] == nil {
		return sock.Snapshot{}, fmt.Errorf("tracer: walk sockets: opened for events alone")
	}
	var held owners
	if want.Owners {
		// Before the walk: it also gives the sockets the owner that their events will carry.
		var err error
		if held, err = t.owners(ctx, want.Protos&^Protos != 0); err != nil {
			return sock.Snapshot{}, err
		}
	}
	snap := sock.Snapshot{Begin: Now(), Protos: want.Protos & Protos, Owners: want.Owners, OwnersFound: len(held.byCookie) > 0}
	// As many as the last time, and some more: a slice that grows leaves as much behind as it has.
	last := t.sizes[want.Protos]
	snap.Sockets = make([]sock.Socket, 0, last+last/16)
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
	if !slices.IsSortedFunc(snap.Sockets, byProto) { // they are of several namespaces
		slices.SortStableFunc(snap.Sockets, byProto)
	}
	for i := range snap.Sockets {
		held.name(&snap.Sockets[i])
	}
	t.sizes[want.Protos] = len(snap.Sockets)
	return snap, nil
}

// walkInet appends the sockets of a protocol, IPv4 first as netstat has them.
func (t *Tracer) walkInet(ctx context.Context, program string, v4 sock.Proto, snap *sock.Snapshot) error {
	var v6 []sock.Socket
	err := walk(ctx, t, program, func(r *bpfSockRecord) {
		switch p := proto(v4, r.Family); {
		case !snap.Protos.Has(p):
		case p == v4:
			snap.Sockets = append(snap.Sockets, r.socket(v4))
		default:
			v6 = append(v6, r.socket(v4))
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
