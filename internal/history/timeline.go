// SPDX-License-Identifier: GPL-2.0-or-later

package history

import (
	"netlive/internal/sock"
	"netlive/internal/table"
)

// Span is the time that a connection was in a state.
type Span struct {
	// State is StateNone for a handshake of which nobody knows any more who began it.
	State    sock.State
	From, To sock.Stamp
	// Open reports that it is in State still: To is the instant that was asked for.
	Open bool
	// FromKnown reports that From is when it entered State; else From is the first instant at which it is known to have been in it.
	FromKnown bool
}

// order is the states of a connection in the only order in which a life can have them, each once (RFC 9293, 3.3.2): of FIN_WAIT1 and CLOSE_WAIT, and of
// FIN_WAIT2, CLOSING and LAST_ACK, it has one.
var order = [...]sock.State{
	sock.Listen, sock.SynSent, sock.SynRecv, sock.Established, sock.FinWait1, sock.CloseWait, sock.FinWait2, sock.Closing, sock.LastAck, sock.TimeWait,
}

// entered is when a connection entered each state that it was in; 0 unknown.
type entered struct {
	was [sock.StateCount]bool
	at  [sock.StateCount]sock.Stamp
	end sock.Stamp // when the full socket went and left no minisocket; 0 unknown, or it is there
	// older reports that the kernel had no record of when it entered its first state: that was before anything was watched.
	older bool
}

// note takes in that it was in a state, since an instant if that is known. The earliest is the true one: FIN_WAIT2 is entered once more, as it were,
// by the minisocket.
func (n *entered) note(state sock.State, at sock.Stamp) {
	switch {
	case !state.Valid(), state == sock.StateNone, state == sock.Close:
		return
	case state == sock.NewSynRecv:
		state = sock.SynRecv
	}
	n.was[state] = true
	if at > 0 && (n.at[state] == 0 || at < n.at[state]) {
		n.at[state] = at
	}
}

// Timeline is the states of a socket one after the other, without a gap, as of now: by the log's events of it, by what its row remembers,
// and by the life that its end told. There is at least one.
func Timeline(l *Log, r *table.Row, now sock.Stamp) []Span {
	state, ghost := r.State, r.Closed != 0
	if ghost {
		state = r.Last
	}
	var n entered
	if sock.ProtosTCP.Has(r.Proto) {
		n.byEvents(l, r)
		if r.Ending != nil {
			n.byEnding(r.Ending)
		}
		if r.Opened != 0 {
			n.note(sock.Established, r.Opened)
		}
		n.note(state, r.Since)
	}
	spans := make([]Span, 0, 8)
	for _, s := range order {
		if n.was[s] {
			spans = append(spans, Span{State: s, From: n.at[s], FromKnown: n.at[s] != 0})
		}
	}
	if len(spans) == 0 { // another protocol's
		spans = append(spans, Span{State: state, From: r.Since, FromKnown: r.Since != 0})
	}
	end := now
	if ghost {
		end = ended(&n, r, spans[len(spans)-1].State)
	}
	if begin := begun(r); begin != 0 {
		spans = begins(spans, begin)
	}
	// A row of the first snapshot that has not changed is older too.
	if !spans[0].FromKnown && (n.older || len(spans) == 1 && r.Changed == 0) {
		spans[0].From = earliest(l.began, r.At)
	}
	return join(spans, earliest(r.Changed, r.At), end, !ghost)
}

// byEvents takes in the log's changes of state of the life that r shows.
func (n *entered) byEvents(l *Log, r *table.Row) {
	for i := range l.Len() {
		e := l.At(i)
		s := &e.Socket
		if e.Kind != sock.EventState || s.ID != r.ID || s.At < r.Born {
			continue
		}
		if e.Old == sock.Close || e.Old == sock.StateNone || e.Old == sock.Listen && s.State == sock.SynRecv {
			if r.Closed != 0 && s.At > r.Closed {
				return // it lives again
			}
			*n = entered{}
		} else if e.Old != sock.Listen {
			since := sock.Stamp(0)
			if e.InOld >= 0 {
				since = s.At - sock.Stamp(e.InOld)
			} else {
				n.older = true
			}
			n.note(e.Old, since)
		}
		switch {
		case s.State != sock.Close:
			n.note(s.State, s.At)
		case e.Mini != sock.StateNone:
			n.note(e.Mini, s.At)
		default:
			n.end = s.At
		}
	}
}

// byEnding goes back from the end by the time in each state.
func (n *entered) byEnding(e *sock.Ending) {
	at := e.At
	for i := len(order) - 1; i >= 0; i-- {
		state := order[i]
		if state == sock.Listen || int(state) >= len(e.In) || e.In[state] == 0 {
			continue
		}
		if e.In[state] < 0 {
			at, n.older = 0, true
		}
		if at != 0 {
			at -= sock.Stamp(e.In[state])
		}
		n.note(state, at)
	}
}

// begun is when the life of a row began; 0 unknown.
func begun(r *table.Row) sock.Stamp {
	if e := r.Ending; r.Born == 0 && e != nil && e.Duration >= 0 {
		return e.At - sock.Stamp(e.Duration)
	}
	return r.Born
}

// ended is when a ghost left its last state. A walk that did not find it is later than the end that was told; a minisocket stays on after that.
func ended(n *entered, r *table.Row, last sock.State) sock.Stamp {
	switch {
	case last == sock.TimeWait || last == sock.FinWait2:
	case n.end != 0:
		return n.end
	case r.Ending != nil:
		return r.Ending.At
	}
	return r.Closed
}

// begins has the first span begin with the life.
func begins(spans []Span, begin sock.Stamp) []Span {
	first := &spans[0]
	switch {
	case !first.FromKnown:
		first.From, first.FromKnown = begin, true
	case begin < first.From:
		spans = append([]Span{{From: begin, FromKnown: true}}, spans...)
	}
	return spans
}

// join gives each span the end that is the next one's begin. One of which nothing tells when that was, as a minisocket that a walk found in
// TIME_WAIT, began when it was seen, unless From says better.
func join(spans []Span, seen, end sock.Stamp, open bool) []Span {
	for i := range spans {
		s := &spans[i]
		if s.FromKnown {
			continue
		}
		if s.From == 0 {
			s.From = seen
		}
		if i > 0 {
			s.From = max(s.From, spans[i-1].From)
		}
		until := end
		for _, next := range spans[i+1:] {
			if next.FromKnown {
				until = next.From
				break
			}
		}
		s.From = min(s.From, until)
	}
	for i := range spans {
		s := &spans[i]
		if s.To = end; i+1 < len(spans) {
			s.To = spans[i+1].From
		}
		s.To = max(s.To, s.From)
	}
	spans[len(spans)-1].Open = open
	return spans
}

// earliest is the earlier of two instants that are known; 0 is unknown.
func earliest(a, b sock.Stamp) sock.Stamp {
	if a == 0 || b != 0 && b < a {
		return b
	}
	return a
}
