// SPDX-License-Identifier: GPL-2.0-or-later

package sock

// Holders says which process holds a socket, for a table that is printed once: of several the one that was told first, without the
// others. Sockets are known by their inodes, as netstat knows them; an MPTCP socket shares its with its TCP subflows. A socket takes
// 8 bytes and its place in a map.
type Holders struct {
	how       How
	program   func(pid uint32) string
	first     map[uint32]int32 // indexes of processes, by inode
	index     map[uint32]int32 // the same by PID
	processes []Owner
}

// NewHolders makes Holders for about so many sockets. how says whence they are told, and program what netstat calls a process,
// which is asked once for each.
func NewHolders(sockets int, how How, program func(pid uint32) string) *Holders {
	return &Holders{how: how, program: program, first: make(map[uint32]int32, sockets), index: map[uint32]int32{}}
}

// Add tells that a process holds the socket with that inode.
func (h *Holders) Add(pid, inode uint32) {
	if _, taken := h.first[inode]; taken {
		return
	}
	n := int32(len(h.processes) - 1)
	if n < 0 || h.processes[n].PID != pid { // a process's descriptors are mostly told one after the other
		var known bool
		if n, known = h.index[pid]; !known {
			n = int32(len(h.processes))
			h.index[pid] = n
			h.processes = append(h.processes, Owner{PID: pid, FD: -1, How: h.how, Program: h.program(pid)})
		}
	}
	h.first[inode] = n
}

// Name gives a socket the owner that was told, if one was.
func (h *Holders) Name(s *Socket) {
	if n, ok := h.first[s.Inode]; ok {
		s.Owner = h.processes[n]
	}
}
