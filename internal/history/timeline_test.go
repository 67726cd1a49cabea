// SPDX-License-Identifier: GPL-2.0-or-later

package history

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"netlive/internal/sock"
	"netlive/internal/table"
)

// story is what a table and a log are told of one socket, and what becomes of it.
type story struct {
	log   *Log
	table *table.Table
	since map[sock.ID]sock.Stamp
}

func newStory() *story {
	return &story{log: NewLog(64), table: table.New(), since: map[sock.ID]sock.Stamp{}}
}

func (s *story) tell(e *sock.Event) {
	s.log.Add(e)
	s.table.Apply(e)
}

// goes tells of changes of state, each 10 later than the one before, with the time in the old one where that is known.
func (s *story) goes(id sock.ID, at sock.Stamp, states ...sock.State) {
	for i := 1; i < len(states); i++ {
		e := change(id, at, states[i-1], states[i])
		if since, ok := s.since[id]; ok && states[i-1] != sock.Close && states[i-1] != sock.Listen {
			e.InOld = time.Duration(at - since)
		}
		if states[i] == sock.TimeWait {
			e.Socket.State, e.Mini = sock.Close, sock.TimeWait
		}
		s.since[id] = at
		s.tell(e)
		at += 10
	}
}

// ends tells how it ended at an instant.
func (s *story) ends(id sock.ID, at sock.Stamp, duration time.Duration, in map[sock.State]time.Duration) {
	e := change(id, at, sock.LastAck, sock.Close)
	e.Kind, e.Detail = sock.EventClose, &sock.Detail{End: sock.EndFin, Life: sock.Life{Duration: duration}}
	for state, d := range in {
		e.Detail.In[state] = d
	}
	s.tell(e)
}

// walk is a walk that found one socket, or none if it is in no state.
func (s *story) walk(id sock.ID, at sock.Stamp, state sock.State) {
	w := sock.Snapshot{Begin: at, Protos: sock.ProtosTCP}
	if state != sock.StateNone {
		w.Sockets = []sock.Socket{change(id, at, 0, state).Socket}
	}
	s.table.Replace(&w)
}

// forget begins a new log, as when that of before is full of newer events.
func (s *story) forget() { s.log = NewLog(64) }

// row is the row or the ghost of a socket.
func (s *story) row(t *testing.T, id sock.ID) *table.Row {
	t.Helper()
	for g := range s.table.Ghosts() {
		if g.ID == id {
			return g
		}
	}
	r := s.table.Get(id)
	if r == nil {
		t.Fatalf("no row of %d", id)
	}
	return r
}

// say writes a timeline as STATE FROM-TO, with ? after a begin that is not known and … for an end that has not come.
func say(spans []Span) string {
	var words []string
	for _, s := range spans {
		from, to := fmt.Sprint(int64(s.From)), fmt.Sprint(int64(s.To))
		if !s.FromKnown {
			from += "?"
		}
		if s.Open {
			to = "…"
		}
		words = append(words, fmt.Sprintf("%v %s-%s", s.State, from, to))
	}
	return strings.Join(words, ", ")
}

func TestTimeline(t *testing.T) {
	const now = 1000
	for _, c := range []struct {
		name string
		play func(s *story)
		want string
	}{
		{"an outgoing connection", func(s *story) {
			s.goes(1, 100, sock.Close, sock.SynSent, sock.Established)
		}, "SYN_SENT 100-110, ESTABLISHED 110-…"},
		{"that was not answered yet", func(s *story) {
			s.goes(1, 100, sock.Close, sock.SynSent)
		}, "SYN_SENT 100-…"},
		{"an accepted connection", func(s *story) {
			s.goes(1, 100, sock.Listen, sock.SynRecv, sock.Established, sock.CloseWait, sock.LastAck)
		}, "SYN_RECV 100-110, ESTABLISHED 110-120, CLOSE_WAIT 120-130, LAST_ACK 130-…"},
		{"and its end", func(s *story) {
			s.goes(1, 100, sock.Listen, sock.SynRecv, sock.Established, sock.CloseWait, sock.LastAck, sock.Close)
		}, "SYN_RECV 100-110, ESTABLISHED 110-120, CLOSE_WAIT 120-130, LAST_ACK 130-140"},
		{"refused", func(s *story) {
			s.goes(1, 100, sock.Close, sock.SynSent, sock.Close)
			s.ends(1, 110, 10, map[sock.State]time.Duration{sock.SynSent: 10})
		}, "SYN_SENT 100-110"},
		{"reset in the middle", func(s *story) {
			s.goes(1, 100, sock.Close, sock.SynSent, sock.Established, sock.Close)
			s.ends(1, 120, 20, map[sock.State]time.Duration{sock.SynSent: 10, sock.Established: 10})
		}, "SYN_SENT 100-110, ESTABLISHED 110-120"},
		{"reset, by its ending alone", func(s *story) {
			s.goes(1, 100, sock.Close, sock.SynSent, sock.Established, sock.Close)
			s.ends(1, 120, 20, map[sock.State]time.Duration{sock.SynSent: 10, sock.Established: 10})
			s.forget()
		}, "SYN_SENT 100-110, ESTABLISHED 110-120"},
		{"older than netlive", func(s *story) {
			s.walk(1, 50, sock.Established)
		}, "ESTABLISHED 50?-…"},
		{"older than netlive, beside others that are not", func(s *story) {
			s.goes(2, 40, sock.Close, sock.SynSent, sock.Established)
			s.walk(1, 50, sock.Established)
			s.walk(1, 90, sock.Established)
		}, "ESTABLISHED 40?-…"},
		{"older than netlive, and closing", func(s *story) {
			s.goes(2, 40, sock.Close, sock.SynSent, sock.Established)
			s.walk(1, 50, sock.Established)
			s.goes(1, 100, sock.Established, sock.FinWait1, sock.FinWait2)
		}, "ESTABLISHED 40?-100, FIN_WAIT1 100-110, FIN_WAIT2 110-…"},
		{"older than netlive, and reset", func(s *story) {
			s.walk(1, 50, sock.Established)
			s.goes(1, 100, sock.Established, sock.Close)
			s.ends(1, 100, -1, map[sock.State]time.Duration{sock.Established: -1})
		}, "ESTABLISHED 50?-100"},
		{"in TIME_WAIT", func(s *story) {
			s.goes(1, 100, sock.Close, sock.SynSent, sock.Established, sock.FinWait1, sock.FinWait2, sock.TimeWait)
			s.ends(1, 140, 40, map[sock.State]time.Duration{sock.SynSent: 10, sock.Established: 10, sock.FinWait1: 10, sock.FinWait2: 10})
		}, "SYN_SENT 100-110, ESTABLISHED 110-120, FIN_WAIT1 120-130, FIN_WAIT2 130-140, TIME_WAIT 140-…"},
		{"in TIME_WAIT, by its ending alone", func(s *story) {
			s.goes(1, 100, sock.Close, sock.SynSent, sock.Established, sock.FinWait1, sock.FinWait2, sock.TimeWait)
			s.ends(1, 140, 40, map[sock.State]time.Duration{sock.SynSent: 10, sock.Established: 10, sock.FinWait1: 10, sock.FinWait2: 10})
			s.forget()
		}, "SYN_SENT 100-110, ESTABLISHED 110-120, FIN_WAIT1 120-130, FIN_WAIT2 130-140, TIME_WAIT 140-…"},
		{"gone from TIME_WAIT", func(s *story) {
			s.goes(1, 100, sock.Listen, sock.SynRecv, sock.Established, sock.FinWait1, sock.TimeWait)
			s.ends(1, 130, 30, map[sock.State]time.Duration{sock.SynRecv: 10, sock.Established: 10, sock.FinWait1: 10})
			s.walk(1, 500, sock.StateNone)
		}, "SYN_RECV 100-110, ESTABLISHED 110-120, FIN_WAIT1 120-130, TIME_WAIT 130-500"},
		{"a minisocket that a walk found in TIME_WAIT", func(s *story) {
			s.goes(1, 100, sock.Close, sock.SynSent, sock.Established, sock.FinWait1, sock.FinWait2)
			e := change(1, 140, sock.FinWait2, sock.Close)
			e.Mini, e.InOld = sock.FinWait2, 10
			s.tell(e)
			s.ends(1, 140, 40, map[sock.State]time.Duration{sock.SynSent: 10, sock.Established: 10, sock.FinWait1: 10, sock.FinWait2: 10})
			s.walk(1, 300, sock.TimeWait)
			s.walk(1, 400, sock.TimeWait)
		}, "SYN_SENT 100-110, ESTABLISHED 110-120, FIN_WAIT1 120-130, FIN_WAIT2 130-300, TIME_WAIT 300?-…"},
		{"TIME_WAIT that is older than netlive", func(s *story) {
			s.walk(1, 50, sock.TimeWait)
		}, "TIME_WAIT 50?-…"},
		{"found by a walk", func(s *story) {
			s.walk(1, 40, sock.StateNone)
			s.walk(1, 50, sock.Established)
			s.walk(1, 60, sock.Established)
		}, "ESTABLISHED 50?-…"},
		{"the log has forgotten its begin", func(s *story) {
			s.goes(1, 100, sock.Close, sock.SynSent, sock.Established)
			s.forget()
			s.goes(1, 200, sock.Established, sock.CloseWait)
		}, " 100-110, ESTABLISHED 110-200, CLOSE_WAIT 200-…"},
		{"the log has forgotten all", func(s *story) {
			s.goes(1, 100, sock.Close, sock.SynSent, sock.Established)
			s.forget()
		}, " 100-110, ESTABLISHED 110-…"},
		{"both sides began it", func(s *story) {
			s.goes(1, 100, sock.Close, sock.SynSent, sock.SynRecv, sock.Established, sock.FinWait1, sock.Closing, sock.TimeWait)
		}, "SYN_SENT 100-110, SYN_RECV 110-120, ESTABLISHED 120-130, FIN_WAIT1 130-140, CLOSING 140-150, TIME_WAIT 150-…"},
		{"connected again", func(s *story) {
			s.goes(1, 100, sock.Close, sock.SynSent, sock.Established, sock.Close)
			s.goes(1, 200, sock.Close, sock.SynSent, sock.Established)
		}, "SYN_SENT 200-210, ESTABLISHED 210-…"},
		{"a ghost that lives again, of before", func(s *story) {
			s.goes(1, 100, sock.Close, sock.SynSent, sock.Established, sock.Close)
			s.log.Add(change(1, 200, sock.Close, sock.SynSent))
		}, "SYN_SENT 100-110, ESTABLISHED 110-120"},
		{"an end that a walk saw first", func(s *story) {
			s.goes(1, 100, sock.Close, sock.SynSent, sock.Established)
			s.walk(1, 400, sock.StateNone)
			s.goes(1, 405, sock.Established, sock.Close)
		}, "SYN_SENT 100-110, ESTABLISHED 110-405"},
		{"an end that was lost", func(s *story) {
			s.goes(1, 100, sock.Close, sock.SynSent, sock.Established)
			s.walk(1, 400, sock.StateNone)
		}, "SYN_SENT 100-110, ESTABLISHED 110-400"},
		{"a listener", func(s *story) {
			s.goes(1, 100, sock.Close, sock.Listen)
		}, "LISTEN 100-…"},
		{"a listener that has closed", func(s *story) {
			s.goes(1, 100, sock.Close, sock.Listen, sock.Close)
		}, "LISTEN 100-110"},
		{"a request", func(s *story) {
			s.walk(1, 50, sock.NewSynRecv)
		}, "SYN_RECV 50?-…"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newStory()
			c.play(s)
			if got := say(Timeline(s.log, s.row(t, 1), now)); got != c.want {
				t.Errorf("%s\nwant %s", got, c.want)
			}
		})
	}
}

// What has no life of its own has one span.
func TestTimelineOfOthers(t *testing.T) {
	for _, c := range []struct {
		row  table.Row
		want string
	}{
		{table.Row{Socket: sock.Socket{ID: 1, At: 5, Proto: sock.UDP, State: sock.Established}}, "ESTABLISHED 5?-…"},
		{table.Row{Socket: sock.Socket{ID: 1, At: 5, Proto: sock.UDP, State: sock.Close}, Born: 3}, "CLOSE 3-…"},
		{table.Row{Socket: sock.Socket{ID: 1, At: 5, Proto: sock.Unix, State: sock.UnixListening}, Changed: 4}, "LISTENING 4?-…"},
		{table.Row{Socket: sock.Socket{ID: 1, At: 5, Proto: sock.Unix, State: sock.Close}, Last: sock.UnixConnected, Closed: 8}, "CONNECTED 5?-8"},
		{table.Row{}, " 0?-…"},
	} {
		if got := say(Timeline(NewLog(1), &c.row, 10)); got != c.want {
			t.Errorf("%s, want %s", got, c.want)
		}
	}
}
