// SPDX-License-Identifier: GPL-2.0-or-later

package tracer

import (
	"context"

	"netlive/internal/sock"
)

// owners says which processes hold a socket, in the order of their PIDs. There may be 200,000 sockets that are held by a dozen
// processes: a socket takes 12 bytes and its place in a map.
type owners struct {
	processes []sock.Owner
	index     map[uint32]int32 // of processes, by PID
	holds     []hold           // chains of them; the first is nobody's
	// byCookie, byMPTCP and byInode have the first of a chain. What netstat shows of an MPTCP socket are its TCP
	// subflows, which have cookies of their own, no descriptor, and its inode. byInode is for rows that /proc gave.
	byCookie map[sock.ID]int32
	byMPTCP  map[uint32]int32
	byInode  map[uint32]int32
}

// hold is that a process holds a socket.
type hold struct {
	process int32
	fd      int32 // the lowest
	next    int32 // of the same socket; 0 is none
}

// owners lists who holds which socket, and with byInode also those that have no cookie here. Processes outside our PID namespace are not
// listed, and neither are their sockets.
func (t *Tracer) owners(ctx context.Context, byInode bool) (owners, error) {
	sockets := 0
	for _, n := range t.sizes {
		sockets = max(sockets, n)
	}
	o := owners{
		index: map[uint32]int32{}, holds: make([]hold, 1, sockets+sockets/16+1),
		byCookie: make(map[sock.ID]int32, sockets), byMPTCP: map[uint32]int32{}, byInode: map[uint32]int32{},
	}
	if err := t.nextWalk(); err != nil {
		return o, err
	}
	err := walk(ctx, t, bpfProgDumpTaskFile, func(r *bpfOwnerRecord) {
		if r.Pid == 0 {
			return // of another PID namespace
		}
		h := hold{process: o.process(r), fd: r.Fd}
		// An MPTCP socket that was accepted has its listener's cookie.
		if r.Mptcp == 0 {
			addHold(&o, o.byCookie, sock.ID(r.Cookie), h)
		} else if r.Inode != 0 {
			addHold(&o, o.byMPTCP, r.Inode, h)
		}
		if byInode && r.Inode != 0 {
			addHold(&o, o.byInode, r.Inode, h)
		}
	})
	return o, err
}

// process is the index of the process that a record is of.
func (o *owners) process(r *bpfOwnerRecord) int32 {
	if n := len(o.processes); n > 0 && o.processes[n-1].PID == r.Pid {
		return int32(n - 1) // a process's descriptors come one after the other
	}
	i, ok := o.index[r.Pid]
	if !ok {
		i = int32(len(o.processes))
		o.index[r.Pid] = i
		o.processes = append(o.processes, r.owner())
	}
	return i
}

// addHold adds h to the chain of a socket unless its process is there: one entry a process, with its lowest descriptor. A process
// is listed again for its other descriptors and for threads that have a table of descriptors of their own.
func addHold[K comparable](o *owners, chains map[K]int32, key K, h hold) {
	n := int32(len(o.holds))
	i, ok := chains[key]
	if !ok {
		chains[key] = n
		o.holds = append(o.holds, h)
		return
	}
	for {
		at := &o.holds[i]
		if at.process == h.process {
			return
		}
		if at.next == 0 {
			at.next = n
			o.holds = append(o.holds, h)
			return
		}
		i = at.next
	}
}

// chain is the first of a socket's.
func (o *owners) chain(s *sock.Socket) int32 {
	if s.ID.Cookie() == 0 && !sock.ProtosTCP.Has(s.Proto) {
		return o.byInode[s.Inode]
	}
	if i := o.byCookie[s.ID]; i != 0 || s.Inode == 0 || !sock.ProtosTCP.Has(s.Proto) {
		return i
	}
	return o.byMPTCP[s.Inode]
}

// name gives a socket its owners.
func (o *owners) name(s *sock.Socket) {
	i := o.chain(s)
	if i == 0 {
		return
	}
	s.Owner = o.owner(i)
	for i = o.holds[i].next; i != 0; i = o.holds[i].next {
		s.Others = append(s.Others, o.owner(i))
	}
}

func (o *owners) owner(i int32) sock.Owner {
	owner := o.processes[o.holds[i].process]
	owner.FD = o.holds[i].fd
	return owner
}
