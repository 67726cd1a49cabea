// SPDX-License-Identifier: GPL-2.0-or-later

package tracer

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"testing"

	"golang.org/x/sys/unix"

	"netlive/internal/kerneltest"
	"netlive/internal/sock"
)

// space is a namespace of a test's, or one that has gone or may not be entered.
type space struct {
	*kerneltest.NS
	err error
}

func (s space) Do(f func() error) (err error) {
	if s.err != nil {
		return s.err
	}
	s.NS.Do(func() { err = f() })
	return err
}

// A walk lists the namespaces that it is told, in the order of snapshots: protocol by protocol. One that has gone has no sockets.
func TestSpaces(t *testing.T) {
	kerneltest.RequireRoot(t)
	a, b, out := kerneltest.NetNS(t), kerneltest.NetNS(t), kerneltest.NetNS(t)
	for _, ns := range []*kerneltest.NS{a, b, out} {
		l, _ := listenerIn(t, ns)
		defer unix.Close(l)
		u := socketIn(t, ns, unix.SOCK_DGRAM, 0)
		must(t, unix.Bind(u, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}))
		defer unix.Close(u)
	}
	spaces := []Space{space{NS: b}, space{NS: out, err: fmt.Errorf("gone: %w", os.ErrNotExist)}, space{NS: a}}
	var listing error
	rest := 0
	tr := open(t, Options{
		Spaces: func() ([]Space, error) { return spaces, listing },
		Rest: func(_ context.Context, want sock.Want) (sock.Snapshot, error) {
			rest++
			inode, err := NetNS()
			return sock.Snapshot{Protos: want.Protos, Sockets: []sock.Socket{{Proto: sock.Raw, NetNS: inode, Inode: uint32(rest)}}}, err
		},
	})
	want := sock.Want{Protos: sock.ProtosTCP | sock.ProtosUDP | sock.ProtosRaw, Owners: true}
	snap, err := tr.Snapshot(t.Context(), want)
	must(t, err)
	if snap.Protos != want.Protos {
		t.Errorf("protocols %b, want %b", snap.Protos, want.Protos)
	}
	seen := map[uint32]map[sock.Proto]int{}
	for _, s := range snap.Sockets {
		if seen[s.NetNS] == nil {
			seen[s.NetNS] = map[sock.Proto]int{}
		}
		seen[s.NetNS][s.Proto]++
		if s.Proto != sock.Raw && (s.Owner.PID != uint32(os.Getpid()) || s.Owner.Start == 0) {
			t.Errorf("owner %+v: %+v", s.Owner, s)
		}
	}
	each := map[sock.Proto]int{sock.TCP: 1, sock.UDP: 1, sock.Raw: 1}
	if wanted := map[uint32]map[sock.Proto]int{a.Inode(): each, b.Inode(): each}; fmt.Sprint(seen) != fmt.Sprint(wanted) {
		t.Errorf("sockets %v, want %v", seen, wanted)
	}
	if !slices.IsSortedFunc(snap.Sockets, byProto) {
		t.Error("not in the order of protocols")
	}

	spaces = []Space{space{NS: a}, space{NS: b, err: os.ErrPermission}}
	if _, err := tr.Snapshot(t.Context(), want); !errors.Is(err, os.ErrPermission) {
		t.Errorf("a namespace that may not be entered: %v", err)
	}
	listing = errors.New("no list")
	if _, err := tr.Snapshot(t.Context(), want); !errors.Is(err, listing) {
		t.Errorf("no list: %v", err)
	}
	listing, spaces = nil, nil
	if snap, err := tr.Snapshot(t.Context(), want); err != nil || len(snap.Sockets) != 0 {
		t.Errorf("no namespaces: %d sockets, %v", len(snap.Sockets), err)
	}
}

// Opened for another namespace than that of the calling thread, as with --netns NAME, sockets of ours and of others are no news.
func TestNewsOfOneSpace(t *testing.T) {
	kerneltest.RequireRoot(t)
	there, elsewhere := kerneltest.NetNS(t), kerneltest.NetNS(t)
	tr := open(t, Options{NetNS: there.Inode(), Table: true, Spaces: func() ([]Space, error) { return []Space{space{NS: there}}, nil }})
	n := &newsroom{Tracer: tr, t: t, ns: there}
	n.quiet("sockets elsewhere", func() { elsewhere.Do(func() { useSockets(t) }) })
	n.look()
	there.Do(func() { useSockets(t) })
	n.stale("sockets there", sock.News{Protos: newsProtos[newsUDP] | newsProtos[newsRaw]})
}
