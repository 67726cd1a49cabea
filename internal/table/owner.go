// SPDX-License-Identifier: GPL-2.0-or-later

package table

import "netlive/internal/sock"

// own takes in who holds the socket, as of a stamp, and reports whether that changed anything.
//
// Two kinds of evidence meet here. Processes found among descriptors are a set,
// and the whole of it: from then on it is the truth, and who is not in it has let
// go of the socket. All other evidence tells of one process: a better one replaces
// a worse one, a newer one its like, and one that is in the set already is known
// better there, without putting it in front: netstat prints the lowest PID.
// A process that is gone stays: it is the socket's history.
func (t *Table) own(r *slot, o *sock.Owner, others []sock.Owner, at sock.Stamp) bool {
	if !o.Known() {
		if t.on(ruleOwnerKept) {
			return false
		}
		return set(&r.Owner, *o)
	}
	cur := r.Owner
	newer := at >= r.ownerAt
	better := o.How > cur.How
	switch {
	case !cur.Known():
	case found(o):
		if !better && (!newer || !t.on(ruleOwnerSet)) {
			return false
		}
	case r.holds(o.PID):
		return r.refine(o, at)
	case found(&cur) && !newer:
		return false
	case !better && (o.How < cur.How || !newer):
		return false
	}
	if !r.setOwners(o, others) {
		r.ownerAt = max(r.ownerAt, at)
		return false
	}
	r.ownerAt = max(r.ownerAt, at)
	r.Changed = max(r.Changed, at)
	return true
}

// found reports whether the owner was found among descriptors.
func found(o *sock.Owner) bool { return o.How == sock.HowSeeded || o.How == sock.HowProcfs }

func (r *slot) holds(pid uint32) bool { return r.holder(pid) != nil }

func (r *slot) holder(pid uint32) *sock.Owner {
	if r.Owner.PID == pid {
		return &r.Owner
	}
	for i := range r.Others {
		if r.Others[i].PID == pid {
			return &r.Others[i]
		}
	}
	return nil
}

// refine takes in better evidence of a process that is known to hold the socket.
func (r *slot) refine(o *sock.Owner, at sock.Stamp) bool {
	if r.Owner.PID == o.PID {
		if at < r.ownerAt && o.How <= r.Owner.How {
			return false
		}
		n := r.known(o)
		r.ownerAt = max(r.ownerAt, at)
		return set(&r.Owner, n)
	}
	for i := range r.Others {
		if r.Others[i].PID != o.PID {
			continue
		}
		n := r.known(o)
		if n == r.Others[i] {
			return false
		}
		// Copies of the row share the slice.
		r.Others = append([]sock.Owner(nil), r.Others...)
		r.Others[i] = n
		return true
	}
	return false
}

// known returns o with what the row knows better of the same process.
func (r *slot) known(o *sock.Owner) sock.Owner {
	n := *o
	old := r.holder(o.PID)
	if old == nil {
		return n
	}
	n.How = max(n.How, old.How)
	if n.FD < 0 {
		n.FD = old.FD
	}
	if n.Program == "" && n.Comm == old.Comm {
		n.Program = old.Program
	}
	return n
}

// setOwners makes o and others the owners, and allocates only if they are others than before.
func (r *slot) setOwners(o *sock.Owner, others []sock.Owner) bool {
	same := len(others) == len(r.Others)
	for i := 0; same && i < len(others); i++ {
		same = r.known(&others[i]) == r.Others[i]
	}
	owner := r.known(o)
	if same && owner == r.Owner {
		return false
	}
	if !same {
		var n []sock.Owner
		if len(others) > 0 {
			n = make([]sock.Owner, len(others))
		}
		for i := range others {
			n[i] = r.known(&others[i])
		}
		r.Others = n
	}
	r.Owner = owner
	return true
}
