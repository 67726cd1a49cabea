// SPDX-License-Identifier: GPL-2.0-or-later

// Package socktest checks that a source of sockets tells the truth, as
// testing/fstest checks a file system. It makes sockets of every kind and state
// in a network namespace of its own, asks the kernel about each through its
// descriptor, and compares that with what the source shows.
package socktest

import (
	"context"
	"testing"

	"golang.org/x/sys/unix"

	"netlive/internal/kerneltest"
	"netlive/internal/sock"
)

// Source is what is tested.
type Source interface {
	Snapshot(context.Context, sock.Want) (sock.Snapshot, error)
	Close() error
}

// Config says what is to be tested.
type Config struct {
	// Open opens the source. It is called, as all of the source's methods are,
	// with the calling goroutine bound to a thread in the namespace whose sockets
	// are asked for.
	Open func(t *testing.T) Source
	// Protos are those that the source can walk.
	Protos sock.ProtoSet
	// Cookies says that the source's IDs are the kernel's socket cookies.
	Cookies bool
}

// Run tests a source, with a subtest for each property. It needs root.
func Run(t *testing.T, cfg Config) {
	kerneltest.RequireRoot(t)
	kerneltest.NoLeaks(t)
	ns := kerneltest.NetNS(t)

	run := &run{cfg: cfg, netns: ns.Inode()}
	ns.Do(func() {
		run.scene = newScene(t)
		run.before = now(t)
		run.snapshots(t)
		run.after = now(t)
	})
	run.scene.readCookies()
	run.match()

	t.Run("every socket is seen", run.testSeen)
	t.Run("nothing else is seen", run.testNothingElse)
	t.Run("proto", run.testProto)
	t.Run("state", run.testState)
	t.Run("local and remote", run.testAddresses)
	t.Run("queues", run.testQueues)
	t.Run("uid", run.testUID)
	t.Run("inode", run.testInode)
	t.Run("netns", run.testNetNS)
	t.Run("unix", run.testUnix)
	t.Run("owner", run.testOwner)
	t.Run("several owners", run.testSeveralOwners)
	t.Run("owners are told of", run.testOwnersToldOf)
	t.Run("ids", run.testIDs)
	t.Run("stamps", run.testStamps)
	t.Run("order", run.testOrder)
	t.Run("missing", run.testMissing)
	t.Run("no warnings", run.testNoWarnings)
	t.Run("only what is wanted", run.testOnlyWanted)
}

// run is the scene, what the source made of it, and which row is which socket.
type run struct {
	cfg           Config
	netns         uint32
	scene         *scene
	before, after sock.Stamp

	all     sock.Snapshot // of everything, with owners
	again   sock.Snapshot // the same once more
	tcpOnly sock.Snapshot // of TCP over IPv4 alone, without owners

	found  []pair        // what was made, beside the row that shows it
	lost   []*socket     // what was made and is not shown
	excess []sock.Socket // what is shown and was not made
}

type pair struct {
	made *socket
	seen *sock.Socket
}

// snapshots takes all the snapshots that the tests look at. A stuck connection
// may still move a byte when its timer fires, so the first is taken until the queues were the
// same before and after.
func (r *run) snapshots(t *testing.T) {
	src := r.cfg.Open(t)
	take := func(want sock.Want) sock.Snapshot {
		snap, err := src.Snapshot(t.Context(), want)
		if err != nil {
			t.Fatalf("snapshot: %v", err)
		}
		return snap
	}
	r.scene.wait("queues to be still", func() bool {
		r.scene.readQueues()
		r.all = take(sock.Want{Protos: r.cfg.Protos, Owners: true})
		return r.scene.readQueues()
	})
	r.again = take(sock.Want{Protos: r.cfg.Protos, Owners: true})
	r.tcpOnly = take(sock.Want{Protos: sock.Protos(sock.TCP)})
	if err := src.Close(); err != nil {
		t.Errorf("close: %v", err)
	}
}

// match pairs each socket with its row: by inode, so that a wrong address is
// reported as such; by its ends or path when it has none.
func (r *run) match() {
	taken := make([]bool, len(r.all.Sockets))
	for _, made := range r.scene.sockets {
		if !r.cfg.Protos.Has(made.want.Proto) {
			continue
		}
		found := false
		for i := range r.all.Sockets {
			if seen := &r.all.Sockets[i]; !taken[i] && made.is(seen) {
				r.found = append(r.found, pair{made, seen})
				taken[i], found = true, true
				break
			}
		}
		if !found {
			r.lost = append(r.lost, made)
		}
	}
	for i, s := range r.all.Sockets {
		if !taken[i] {
			r.excess = append(r.excess, s)
		}
	}
}

func now(t *testing.T) sock.Stamp {
	t.Helper()
	var ts unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &ts); err != nil {
		t.Fatalf("read the clock: %v", err)
	}
	return sock.Stamp(ts.Nano())
}
