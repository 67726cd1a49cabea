// SPDX-License-Identifier: GPL-2.0-or-later

package table

import (
	"slices"

	"netlive/internal/sock"
)

// Diff says what a snapshot changed.
type Diff struct {
	Added   int // were not in the table
	Removed int // were in the table and are gone
	Kept    int // were in the table and still are
	// Corrected of the kept had another state than their protocol's events had told.
	Corrected int
	// Unowned are the protocols with a socket that has a file and no owner, though it may have one: owners were not looked for since a walk
	// found the file.
	Unowned sock.ProtoSet
	// Shared sockets have several owners. That one of these closes its copy is announced by nothing.
	Shared int
	// Present are the protocols with a socket in the snapshot.
	Present sock.ProtoSet
	// Queued are the protocols with a socket whose queues were not empty: they will be others soon.
	Queued sock.ProtoSet
}

// Replace makes the protocols of a snapshot what the snapshot says, but for what
// is newer than its rows or than its begin. The table copies what it keeps of
// the snapshot, apart from strings.
func (t *Table) Replace(s *sock.Snapshot) Diff {
	var d Diff
	changed := false
	t.walk++
	for i := range s.Sockets {
		n := &s.Sockets[i]
		d.Present |= sock.Protos(n.Proto)
		if len(n.Others) > 0 {
			d.Shared++
		}
		if n.Queue != (sock.Queue{}) {
			d.Queued |= sock.Protos(n.Proto)
		}
		if n.ID != 0 && s.Protos.Has(n.Proto) && t.see(n, s, &d) {
			changed = true
		}
	}
	for i := range t.used {
		r := t.at(i)
		if r.kind != slotLive || r.walk == t.walk || !s.Protos.Has(r.Proto) && t.on(ruleOnlyWalked) {
			continue
		}
		if r.At >= s.Begin && t.on(ruleAbsentNewerStays) || !t.on(ruleAbsentGoes) {
			d.Kept++
			continue
		}
		// Nothing announces the end of a minisocket or of a half-open connection;
		// of anything else it was news, and it was lost.
		r.Resynced = t.announced.Has(r.Proto) && !r.mini && r.State != sock.TimeWait && r.State != sock.NewSynRecv
		t.close(r, s.Begin)
		d.Removed++
		changed = true
	}
	for p := range sock.Proto(len(t.floors)) {
		if s.Protos.Has(p) {
			t.floors[p] = max(t.floors[p], s.Begin)
		}
	}
	t.seeded |= s.Protos
	t.walkedSince = true
	if changed {
		t.version++
	}
	return d
}

// see takes in one row of a snapshot and reports whether anything that can be seen changed.
func (t *Table) see(n *sock.Socket, s *sock.Snapshot, d *Diff) bool {
	r := t.get(n.ID)
	if r == nil {
		if t.dead(n, ruleTombRow) {
			return false
		}
		r = t.add(n, s)
		d.Added++
		r.seek(n, s, d)
		return true
	}
	if r.walk == t.walk && n.State == sock.TimeWait {
		// A socket that was disconnected and connected again shares its cookie with the
		// TIME_WAIT it left behind; the living one is the row.
		return false
	}
	if r.walk != t.walk {
		d.Kept++
	}
	r.walk = t.walk
	older := n.At < r.At || n.At == r.At && r.fromEvent && t.on(ruleEventWinsTie)
	changed := false
	if !older || !t.on(ruleOlderRow) {
		changed = t.seeNewer(r, n, s, d)
	} else if t.on(ruleOlderRowHelps) && !t.earlierLife(r, n) {
		changed = t.seeOlder(r, n, s)
	}
	r.seek(n, s, d)
	return changed
}

// search is how far the owner of a socket that has none was looked for.
type search uint8

const (
	searchNone search = iota
	searchDue         // a walk found the socket's file
	searchDone        // owners were looked for since, and none was found
)

// seek notes whether the owner of a row that a walk has is to be looked for. Owners are looked for before sockets are: one that was accepted
// between the two has a file and no owner, and neither has what was lost to tell of its owner.
func (r *slot) seek(n *sock.Socket, s *sock.Snapshot, d *Diff) {
	switch {
	case n.Inode == 0 || r.Owner.Known() || r.search == searchDone:
	case r.search == searchDue && s.Owners:
		r.search = searchDone
	default:
		r.search = searchDue
		d.Unowned |= sock.Protos(n.Proto)
	}
}

// add makes a row of a socket that no event announced.
func (t *Table) add(n *sock.Socket, s *sock.Snapshot) *slot {
	r := t.open(n.ID)
	r.Socket = *n
	t.count(r)
	t.indexMini(r)
	r.Others, r.Unix = slices.Clone(n.Others), nil
	setUnix(r, n.Unix)
	r.ownerAt, r.walk = s.Begin, t.walk
	if t.seeded.Has(n.Proto) {
		r.Changed = n.At
		r.Resynced = t.announced.Has(n.Proto) && n.State != sock.NewSynRecv
	}
	return r
}

// seeOlder takes from a row that events have overtaken what events do not know.
func (t *Table) seeOlder(r *slot, n *sock.Socket, s *sock.Snapshot) bool {
	changed := t.own(r, &n.Owner, n.Others, s.Begin)
	if r.mini {
		return changed
	}
	if r.UID == 0 {
		changed = set(&r.UID, n.UID) || changed
	}
	if r.Inode == 0 {
		changed = set(&r.Inode, n.Inode) || changed
	}
	if r.NetNS == 0 {
		changed = set(&r.NetNS, n.NetNS) || changed
	}
	if r.Cgroup == 0 {
		changed = set(&r.Cgroup, n.Cgroup) || changed
	}
	return set(&r.Queue, n.Queue) || changed
}

// seeNewer brings the row up to what the snapshot says.
func (t *Table) seeNewer(r *slot, n *sock.Socket, s *sock.Snapshot, d *Diff) bool {
	t.unindexMini(r)
	changed := set(&r.Queue, n.Queue)
	changed = set(&r.UID, n.UID) || changed
	changed = set(&r.Inode, n.Inode) || changed
	changed = set(&r.NetNS, n.NetNS) || changed
	if n.Cgroup != 0 { // minisockets have none
		changed = set(&r.Cgroup, n.Cgroup) || changed
	}
	changed = setUnix(r, n.Unix) || changed
	r.SCTP = n.SCTP

	t.uncount(r)
	r.Proto = n.Proto
	from := r.State
	if !t.sameLife(r, n, n.State) { // it was connected anew and nothing told
		r.Since, r.Born, r.Opened, r.Ending = 0, 0, 0, nil
	}
	ends := set(&r.Local, n.Local)
	ends = set(&r.Remote, n.Remote) || ends
	if set(&r.State, n.State) {
		r.Since, r.mini = 0, false
		// A FIN_WAIT2 that is a minisocket already goes to TIME_WAIT unannounced.
		quiet := from == sock.FinWait2 && n.State == sock.TimeWait
		if r.Resynced = t.announced.Has(r.Proto) && !quiet; r.Resynced {
			d.Corrected++
		}
	}
	t.count(r)
	t.indexMini(r)
	if ends || from != r.State {
		r.Changed = n.At
		changed = true
	}
	r.At, r.fromEvent = n.At, false
	return t.own(r, &n.Owner, n.Others, s.Begin) || changed
}

// set stores v and reports whether that changed anything.
func set[T comparable](p *T, v T) bool {
	if *p == v {
		return false
	}
	*p = v
	return true
}

// setUnix copies u rather than keep it: a snapshot may allocate all of them at once,
// and one row would hold the memory of all.
func setUnix(r *slot, u *sock.UnixInfo) bool {
	if u == nil || r.Unix != nil && *r.Unix == *u {
		return false
	}
	c := *u
	r.Unix = &c
	return true
}
