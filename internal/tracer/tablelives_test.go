// SPDX-License-Identifier: GPL-2.0-or-later

package tracer

import (
	"strings"
	"testing"

	"netlive/internal/kerneltest"
	"netlive/internal/sock"
	"netlive/internal/table"
)

// lives is a table that is kept by events, and what it was told of ends.
type lives struct {
	t     *testing.T
	table *table.Table
	// closed are the changes to CLOSE of connections that no EventClose or EventFail has come for; ended are the last ends.
	closed map[sock.ID]sock.Stamp
	ended  map[sock.ID]*sock.Ending
	ends   int
}

func newLives(t *testing.T, tr *Tracer) *lives {
	t.Helper()
	l := &lives{t: t, table: table.New(), closed: map[sock.ID]sock.Stamp{}, ended: map[sock.ID]*sock.Ending{}}
	l.table.Replace(l.walk(tr))
	return l
}

func (l *lives) walk(tr *Tracer) *sock.Snapshot {
	l.t.Helper()
	snap, err := tr.Snapshot(l.t.Context(), sock.Want{Protos: sock.ProtosTCP, Owners: true})
	if err != nil {
		l.t.Fatal(err)
	}
	return &snap
}

func (l *lives) apply(e *sock.Event) {
	s := &e.Socket
	switch e.Kind {
	case sock.EventState:
		if e.Old == sock.Close {
			delete(l.ended, s.ID)
		}
		if s.State == sock.Close && e.Old != sock.Listen {
			l.closed[s.ID] = s.At
		}
	case sock.EventFail, sock.EventClose:
		if l.closed[s.ID] != s.At {
			l.t.Errorf("%v of %#x at %d, closed at %d", e.Kind, s.ID, s.At, l.closed[s.ID])
		}
		delete(l.closed, s.ID)
		l.ended[s.ID] = e.Ending()
		l.ends++
	case sock.EventLost:
		l.t.Errorf("%d events lost", e.Lost)
	}
	l.table.Apply(e)
}

// check compares with the kernel, and looks for the ends that were told among the rows.
func (l *lives) check(tr *Tracer) {
	l.t.Helper()
	for id := range l.closed {
		l.t.Errorf("%#x was closed, and nothing told how", id)
	}
	for id, want := range l.ended {
		r := l.table.Get(id)
		for g := range l.table.Ghosts() {
			if g.ID == id {
				r = g
			}
		}
		switch {
		case r == nil:
			l.t.Errorf("%#x is neither row nor ghost", id)
		case want == nil || r.Ending == nil || *r.Ending != *want:
			l.t.Errorf("%#x %v: ending %+v, want %+v", id, r.State, r.Ending, want)
		}
	}
	there := map[sock.ID]bool{}
	for _, s := range l.walk(tr).Sockets {
		if s.ID.Cookie() == 0 {
			continue // nothing announces a request
		}
		there[s.ID] = true
		r := l.table.Get(s.ID)
		switch {
		case r == nil:
			l.t.Errorf("not in the table: %+v", s)
		case r.State != s.State && (r.State != sock.FinWait2 || s.State != sock.TimeWait): // which nothing announces
			l.t.Errorf("%v, want %v: %+v", r.State, s.State, s)
		case r.Local != s.Local && r.State != sock.SynSent, r.Remote != s.Remote:
			l.t.Errorf("%v %v, want %v %v", r.Local, r.Remote, s.Local, s.Remote)
		case s.Owner.Known() && (r.Owner.PID != s.Owner.PID || r.Owner.Start != s.Owner.Start):
			l.t.Errorf("owner %+v, want %+v", r.Owner, s.Owner)
		}
	}
	for r := range l.table.Rows() {
		if mini := r.State == sock.TimeWait || r.State == sock.FinWait2; !there[r.ID] && !mini {
			l.t.Errorf("not in the kernel: %+v", r.Socket)
		}
	}
}

// A table's reader may hear of events too: they are told as without a table, what they make of the table is what the kernel has, and each
// connection that ends says how.
func TestTableBesideEvents(t *testing.T) {
	kerneltest.RequireRoot(t)
	for _, p := range plays {
		t.Run(strings.ReplaceAll(p.name, " ", "_"), func(t *testing.T) {
			s := newStage(t, Options{Table: true, Events: everything})
			l := newLives(t, s.tr)
			s.ns.Do(func() { p.play(s) })
			var got []string
			s.hear(func(e *sock.Event) {
				if l.apply(e); everything.Has(e.Kind) {
					got = append(got, s.say(e))
				}
			})
			s.compare(got, p.want, lateOf[p.name])
			l.check(s.tr)
		})
	}
}

// The same of many connections, of which each end is told.
func TestStormBesideEvents(t *testing.T) {
	kerneltest.RequireRoot(t)
	// There are kernels that are patched to run no BPF while a thread of process 1 is current: a change that a packet makes which interrupts
	// that one is told to nobody. It is not always the same that is missing.
	const tries = 3
	for try := 1; ; try++ {
		made, l, tr := stormBeside(t)
		if missing := 2*made - l.ends; missing > 0 && missing <= 2 && try < tries {
			t.Logf("%d ends of %d were not told", missing, 2*made)
			continue
		}
		if l.ends != 2*made {
			t.Errorf("%d ends told, want %d", l.ends, 2*made)
		}
		l.check(tr)
		return
	}
}

func stormBeside(t *testing.T) (made int, l *lives, tr *Tracer) {
	ns := kerneltest.NetNS(t)
	tr = open(t, Options{
		NetNS: ns.Inode(), Table: true, Events: sock.Events(sock.EventFail, sock.EventClose),
		Spaces: func() ([]Space, error) { return []Space{space{ns, nil}}, nil },
	})
	l = newLives(t, tr)
	report, _ := storm(t, ns, kerneltest.Storm{Connections: 200, Workers: 2, Mixed: true})
	s := &stage{t: t, tr: tr}
	s.hear(l.apply)
	return report.Made, l, tr
}

// What a table hears besides its own events is what was asked for.
func TestTableHearsWhatItWants(t *testing.T) {
	for _, c := range []struct {
		o    Options
		want sock.EventSet
	}{
		{Options{Table: true}, sock.Events(sock.EventState, sock.EventOwner, sock.EventStale)},
		{Options{}, sock.Events(sock.EventState, sock.EventOwner)},
		{Options{Events: sock.Events(sock.EventClose)}, sock.Events(sock.EventClose)},
		{Options{Table: true, Events: sock.Events(sock.EventClose)}, sock.Events(sock.EventState, sock.EventOwner, sock.EventStale, sock.EventClose)},
	} {
		if got := c.o.events(); got != c.want {
			t.Errorf("%+v: %b, want %b", c.o, got, c.want)
		}
	}
	// No two programs do the same work, and none is loaded for what nobody asked for.
	beside := Options{Table: true, Events: everything}
	for name, want := range map[string]bool{
		bpfProgWatchData: false, bpfProgWatchQueue: true, bpfProgWatchSynack: false, bpfProgWatchRetransmitSynack: true, bpfProgDumpTcp: true,
	} {
		if got := beside.programs()[name]; got != want {
			t.Errorf("%s: %v", name, got)
		}
	}
	alone := Options{Table: true}
	for name, want := range map[string]bool{
		bpfProgWatchData: true, bpfProgWatchQueue: false, bpfProgWatchSynack: true, bpfProgWatchRetransmitSynack: false, bpfProgWatchDrop: false, bpfProgWatchAccept: false, bpfProgWatchSendReset: false,
	} {
		if got := alone.programs()[name]; got != want {
			t.Errorf("%s: %v", name, got)
		}
	}
}
