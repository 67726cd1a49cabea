// SPDX-License-Identifier: GPL-2.0-or-later

package tracer

import (
	"context"
	"fmt"
	"maps"

	"github.com/cilium/ebpf"

	"netlive/internal/sock"
)

// Walker walks the kernel's tables of sockets once, without watching them, and hands the sockets on one by one: it holds no more of
// them than a few buffers take. It reads the network namespace of the calling thread.
type Walker struct {
	t *Tracer
	// first is who holds a socket, by inode: an index into processes. An MPTCP socket shares its with its TCP subflows.
	first     map[uint32]int32
	processes []sock.Owner
}

// OpenWalker loads the iterators for the protocols of want, and for owners if it wants them. The errors are Open's.
func OpenWalker(want sock.Want) (*Walker, error) {
	spec, err := openSpec(Options{})
	if err != nil {
		return nil, err
	}
	wanted := map[string]bool{
		bpfProgDumpTcp:     want.Protos.Any(sock.ProtosTCP),
		bpfProgDumpUdp:     want.Protos.Any(sock.ProtosUDP),
		bpfProgDumpHolders: want.Owners,
	}
	maps.DeleteFunc(spec.Programs, func(name string, _ *ebpf.ProgramSpec) bool { return !wanted[name] })
	// These have no use for them.
	delete(spec.Maps, bpfMapEvents)
	delete(spec.Maps, bpfMapLives)
	delete(spec.Maps, bpfMapUnixRecords)
	if err := spec.Variables[bpfVarWalkOnly].Set(true); err != nil {
		return nil, fmt.Errorf("tracer: set %s: %w", bpfVarWalkOnly, err)
	}
	t, err := attach(spec, HookTyped, nil)
	if err != nil {
		return nil, err
	}
	return &Walker{t: t}, nil
}

// Close unloads the programs.
func (w *Walker) Close() error { return w.t.Close() }

// Owners finds who holds which socket: the process with the lowest PID, as netstat prints it. Each then names them. program
// gives what netstat calls a process. sockets is how many there may be.
func (w *Walker) Owners(ctx context.Context, program func(pid uint32) string, sockets int) error {
	w.first = make(map[uint32]int32, sockets)
	index := map[uint32]int32{}
	last, n := uint32(0), int32(0)
	return walk(ctx, w.t, bpfProgDumpHolders, func(r *bpfHolderRecord) {
		if r.Pid == 0 || r.Inode == 0 {
			return // of another PID namespace, or half gone
		}
		if r.Pid != last { // a process's descriptors come one after the other
			last = r.Pid
			var known bool
			if n, known = index[r.Pid]; !known {
				n = int32(len(w.processes))
				index[r.Pid] = n
				w.processes = append(w.processes, sock.Owner{PID: r.Pid, FD: -1, How: sock.HowSeeded, Program: program(r.Pid)})
			}
		}
		// Tasks come in the order of their PIDs.
		if _, taken := w.first[r.Inode]; !taken {
			w.first[r.Inode] = n
		}
	})
}

// Name gives a socket the owner that Owners found, if it did.
func (w *Walker) Name(s *sock.Socket) {
	if n, ok := w.first[s.Inode]; ok {
		s.Owner = w.processes[n]
	}
}

// Each calls f with each socket of TCP or UDP, and of the same for IPv6, in the kernel's order, which is netstat's but that this has
// IPv6 after IPv4. The socket is f's until it returns.
func (w *Walker) Each(ctx context.Context, proto sock.Proto, f func(*sock.Socket)) error {
	program := bpfProgDumpTcp
	if proto == sock.UDP {
		program = bpfProgDumpUdp
	}
	var s sock.Socket
	return walk(ctx, w.t, program, func(r *bpfSockRecord) {
		s = r.socket(proto)
		w.Name(&s)
		f(&s)
	})
}
