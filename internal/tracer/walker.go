// SPDX-License-Identifier: GPL-2.0-or-later

package tracer

import (
	"context"
	"fmt"
	"strings"

	"golang.org/x/sys/unix"

	"netlive/internal/sock"
)

// Walker walks the kernel's tables of sockets once, without watching them, and hands the sockets on one by one: it holds no more of
// them than a buffer takes. It reads the network namespace of the calling thread.
type Walker struct {
	t *Tracer
	// first is who holds a socket, by inode: an index into processes. An MPTCP socket shares its with its TCP subflows.
	first     map[uint32]int32
	processes []sock.Owner
}

// OpenWalker loads the iterators alone. The errors are Open's.
func OpenWalker() (*Walker, error) {
	spec, err := openSpec(Options{})
	if err != nil {
		return nil, err
	}
	for name := range spec.Programs {
		if !strings.HasPrefix(name, "dump_") {
			delete(spec.Programs, name)
		}
	}
	if err := spec.Variables[bpfVarWalkOnly].Set(true); err != nil {
		return nil, fmt.Errorf("tracer: set %s: %w", bpfVarWalkOnly, err)
	}
	// Nothing is sent by it, but the programs refer to it.
	spec.Maps[bpfMapEvents].MaxEntries = uint32(unix.Getpagesize())
	t, err := attach(spec, HookTyped, nil)
	if err != nil {
		return nil, err
	}
	return &Walker{t: t}, nil
}

// Close unloads the programs.
func (w *Walker) Close() error { return w.t.Close() }

// Owners finds who holds which socket: the process with the lowest PID, as netstat prints it. Each then names them. program
// gives what netstat calls a process.
func (w *Walker) Owners(ctx context.Context, program func(pid uint32) string) error {
	w.first = map[uint32]int32{}
	index := map[uint32]int32{}
	return walk(ctx, w.t, bpfProgDumpTaskFile, func(r *bpfOwnerRecord) {
		if r.Pid == 0 || r.Inode == 0 {
			return // of another PID namespace, or half gone
		}
		if _, ok := w.first[r.Inode]; ok {
			return // tasks come in the order of their PIDs
		}
		n, ok := index[r.Pid]
		if !ok {
			n = int32(len(w.processes))
			index[r.Pid] = n
			o := r.owner()
			o.Program = program(r.Pid)
			w.processes = append(w.processes, o)
		}
		w.first[r.Inode] = n
	})
}

// Name gives a socket the owner that Owners found, if it did.
func (w *Walker) Name(s *sock.Socket) {
	if n, ok := w.first[s.Inode]; ok {
		s.Owner = w.processes[n]
	}
}

// Each calls f with each socket of a protocol, TCP, UDP or Unix, and of the same for IPv6, in the kernel's order, which is netstat's but that this has
// IPv6 after IPv4. The socket is f's until it returns.
func (w *Walker) Each(ctx context.Context, proto sock.Proto, f func(*sock.Socket)) error {
	var s sock.Socket
	if proto == sock.Unix {
		return walk(ctx, w.t, bpfProgDumpUnix, func(r *bpfUnixRecord) {
			s = r.socket()
			w.Name(&s)
			f(&s)
		})
	}
	program := bpfProgDumpTcp
	if proto == sock.UDP {
		program = bpfProgDumpUdp
	}
	return walk(ctx, w.t, program, func(r *bpfSockRecord) {
		s = r.socket(proto)
		w.Name(&s)
		f(&s)
	})
}
