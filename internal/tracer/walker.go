// SPDX-License-Identifier: GPL-2.0-or-later

package tracer

import (
	"context"
	"maps"

	"github.com/cilium/ebpf"

	"netlive/internal/sock"
)

// Walker walks the kernel's table of TCP sockets once, without watching it, and hands the sockets on one by one: it holds no more of
// them than a few buffers take. It reads the network namespace of the calling thread.
type Walker struct{ t *Tracer }

// OpenWalker loads the iterators, that for owners only if they are wanted. The errors are Open's.
func OpenWalker(owners bool) (*Walker, error) {
	spec, err := openSpec(Options{})
	if err != nil {
		return nil, err
	}
	maps.DeleteFunc(spec.Programs, func(name string, _ *ebpf.ProgramSpec) bool {
		return name != bpfProgDumpTcpOnce && (name != bpfProgDumpHolders || !owners)
	})
	// These have no use for them.
	delete(spec.Maps, bpfMapEvents)
	delete(spec.Maps, bpfMapBirths)
	delete(spec.Maps, bpfMapLives)
	delete(spec.Maps, bpfMapUnixRecords)
	t, err := attach(spec, HookTyped, nil)
	if err != nil {
		return nil, err
	}
	return &Walker{t: t}, nil
}

// Close unloads the programs.
func (w *Walker) Close() error { return w.t.Close() }

// Owners tells h who holds which socket, of our PID namespace, in the order of their PIDs.
func (w *Walker) Owners(ctx context.Context, h *sock.Holders) error {
	return walk(ctx, w.t, bpfProgDumpHolders, func(r *bpfHolderRecord) {
		if r.Pid != 0 && r.Inode != 0 { // neither of another PID namespace nor half gone
			h.Add(r.Pid, r.Inode)
		}
	})
}

// Each calls f with each socket of TCP over IPv4 and IPv6, in the kernel's order, which is netstat's but that this has IPv6 after
// IPv4. The socket is f's until it returns; it has no ID.
func (w *Walker) Each(ctx context.Context, f func(*sock.Socket)) error {
	var s sock.Socket
	return walk(ctx, w.t, bpfProgDumpTcpOnce, func(r *bpfSockRecord) {
		s = r.socket(sock.TCP)
		f(&s)
	})
}
