// SPDX-License-Identifier: GPL-2.0-or-later

package table

import "netlive/internal/sock"

// applyEnding takes in how a connection ended. Its change of state was told just before, as a rule, so that it is a ghost by now or a minisocket's
// row; a row that does not know yet that it has ended has its ending all the same.
func (t *Table) applyEnding(e *sock.Event) bool {
	i, ok := t.index[e.Socket.ID]
	if !ok {
		return false
	}
	r := t.at(i)
	if old := r.Ending; old != nil && old.At >= e.Socket.At || !t.endedAt(r, &e.Socket) {
		return false
	}
	ending := e.Ending()
	if ending == nil {
		return false
	}
	r.Ending = ending
	return true
}

// endedAt reports whether it is the life that r shows, or showed last, that ended with s. Of a socket that lives again
// there is no ghost, so what came later than the ghost is not of another row.
func (t *Table) endedAt(r *slot, s *sock.Socket) bool {
	if !t.on(ruleEndingLife) {
		return true
	}
	state := r.State
	if r.kind == slotGhost {
		state = r.Last
	} else if t.earlierLife(r, s) {
		return false
	}
	switch {
	case state == sock.Listen, s.At < r.Born, !t.sameLife(r, s, sock.StateNone):
		return false
	case s.At >= r.At:
		return true
	}
	// The row has been seen since, which a connection that ended can be only as a minisocket. One that was walked in
	// FIN_WAIT2 may be either.
	return r.mini || state == sock.TimeWait || state == sock.FinWait2
}
