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
	case r.holds(o):
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

func (r *slot) holds(o *sock.Owner) bool { return r.holder(o) != nil }

// holder is what the row has of the process that o is.
func (r *slot) holder(o *sock.Owner) *sock.Owner {
	if same(&r.Owner, o) {
		return &r.Owner
	}
	for i := range r.Others {
		if same(&r.Others[i], o) {
			return &r.Others[i]
		}
	}
	return nil
}

// same reports whether two owners are one process. A PID is used again; without its start it has to do.
func same(a, b *sock.Owner) bool {
	return a.PID == b.PID && (a.Start == b.Start || a.Start == 0 || b.Start == 0)
}

// refine takes in better evidence of a process that is known to hold the socket.
func (r *slot) refine(o *sock.Owner, at sock.Stamp) bool {
	if same(&r.Owner, o) {
		if at < r.ownerAt && o.How <= r.Owner.How {
			return false
		}
		n := r.known(o)
		r.ownerAt = max(r.ownerAt, at)
		return set(&r.Owner, n)
	}
	for i := range r.Others {
		if !same(&r.Others[i], o) {
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
	old := r.holder(o)
	if old == nil {
		return n
	}
	n.How = max(n.How, old.How)
	n.Start = max(n.Start, old.Start) // the one is the other, or unknown
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
	equal := len(others) == len(r.Others)
	for i := 0; equal && i < len(others); i++ {
		equal = r.known(&others[i]) == r.Others[i]
	}
	owner := r.known(o)
	if equal && owner == r.Owner {
		return false
	}
	if !equal {
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
