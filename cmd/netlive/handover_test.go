// SPDX-License-Identifier: GPL-2.0-or-later

package main

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/netip"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"netlive/internal/kerneltest"
	"netlive/internal/live"
	"netlive/internal/sock"
	"netlive/internal/table"
	"netlive/internal/tracer"
)

// ends identifies a TCP socket to people.
type ends struct{ local, remote netip.AddrPort }

// stateOf is a table of sockets: which are there, in which state.
type stateOf map[ends]string

// compare reports the rows that ours has too many, too few, and in another state than theirs.
func (ours stateOf) compare(theirs stateOf) (ghosts, missed, wrong []string) {
	for e, state := range ours {
		if other, ok := theirs[e]; !ok {
			ghosts = append(ghosts, fmt.Sprint(e, " ", state))
		} else if other != state {
			wrong = append(wrong, fmt.Sprint(e, " ", state, ", should be ", other))
		}
	}
	for e, state := range theirs {
		if _, ok := ours[e]; !ok {
			missed = append(missed, fmt.Sprint(e, " ", state))
		}
	}
	return ghosts, missed, wrong
}

func (ours stateOf) check(t *testing.T, theirs stateOf, whose string) {
	t.Helper()
	ghosts, missed, wrong := ours.compare(theirs)
	if len(ghosts)+len(missed)+len(wrong) > 0 {
		some := func(list []string) []string { return list[:min(len(list), 3)] }
		t.Errorf("against %s: ghosts %d %q, missed %d %q, wrong state %d %q",
			whose, len(ghosts), some(ghosts), len(missed), some(missed), len(wrong), some(wrong))
	}
}

// ssStates are ss's words for netstat's.
var ssStates = map[string]string{
	"ESTAB": "ESTABLISHED", "SYN-SENT": "SYN_SENT", "SYN-RECV": "SYN_RECV", "FIN-WAIT-1": "FIN_WAIT1",
	"FIN-WAIT-2": "FIN_WAIT2", "TIME-WAIT": "TIME_WAIT", "CLOSE-WAIT": "CLOSE_WAIT", "LAST-ACK": "LAST_ACK",
	"LISTEN": "LISTEN", "CLOSING": "CLOSING",
}

// ss asks ss(8) for the table.
func ss(t *testing.T, ns *kerneltest.NS) stateOf {
	t.Helper()
	states := stateOf{}
	for line := range strings.Lines(string(runIn(t, ns, "ss", "-H4tan"))) {
		f := strings.Fields(line)
		state, ok := ssStates[f[0]]
		if !ok {
			t.Fatalf("ss: %q", line)
		}
		states[ends{parseEnd(t, f[3]), parseEnd(t, f[4])}] = state
	}
	return states
}

func parseEnd(t *testing.T, s string) netip.AddrPort {
	t.Helper()
	s = strings.Replace(s, ":*", ":0", 1)
	end, err := netip.ParseAddrPort(s)
	if err != nil {
		t.Fatal(err)
	}
	return end
}

// truth is what the storm says of the sockets that it holds.
func truth(r kerneltest.StormReport) stateOf {
	states := stateOf{}
	for _, s := range r.Sockets {
		states[ends{s.Local, s.Remote}] = sock.State(s.State).String()
	}
	return states
}

// stormRate is the rate below which a storm is none: then the test would show nothing.
const stormRate = 10_000

// handovers is how often netlive is started in the middle of a storm.
const handovers = 5

// Attach, walk, merge: started in the middle of a storm the table has neither a ghost nor a gap, and no other
// walk than the first is there to mend it.
func TestHandoverByOneWalk(t *testing.T) {
	kerneltest.RequireRoot(t)
	for i := range handovers {
		ns := kerneltest.NetNS(t)
		storm := startStorm(t, ns, kerneltest.Storm{Workers: 2, Open: 600})
		underWay(t, ns, 2*1200)

		var got stateOf
		var status live.Status
		ns.Do(func() { got, status = oneWalk(t, storm, ns) })
		report := storm.reported
		if rate := float64(report.Made) / report.Elapsed.Seconds(); rate < stormRate {
			t.Errorf("%d: the storm made only %.0f connections a second", i, rate)
		} else {
			t.Logf("%d: %.0f connections a second, %d events, %d sockets at the end", i, rate, status.Events, len(got))
		}
		if status.Lost > 0 {
			t.Errorf("%d: %d events lost", i, status.Lost)
		}
		got.check(t, truth(report), "the storm")
		got.check(t, ss(t, ns), "ss")
	}
}

// underWay returns when the storm has as many sockets open as it will have.
func underWay(t *testing.T, ns *kerneltest.NS, sockets int) {
	t.Helper()
	for deadline := time.Now().Add(limit); time.Now().Before(deadline); {
		n := strings.Count(string(runIn(t, ns, "cat", "/proc/net/tcp")), "\n")
		if n >= sockets {
			return
		}
	}
	t.Fatal("the storm never grew")
}

// oneWalk runs the loop with a tracer in the calling thread's namespace through the handover, then freezes the storm and
// returns the table when the last of its events is in.
func oneWalk(t *testing.T, storm *process, ns *kerneltest.NS) (stateOf, live.Status) {
	tr, err := tracer.Open(tracer.Options{NetNS: ns.Inode()})
	kerneltest.RequireBPF(t, err)
	defer tr.Close()
	events, err := tr.Stream()
	if err != nil {
		t.Fatal(err)
	}
	// The walk is the calling thread's, and the loop has others do it: so it is done here, once the hooks are
	// attached, and handed over.
	snap, err := tr.Snapshot(t.Context(), sock.Want{Protos: sock.ProtosTCP})
	if err != nil {
		t.Fatal(err)
	}
	d := &quiet{t: t, storm: storm}
	err = live.Run(t.Context(), live.Config{
		Source: handed{snap}, Events: events, Want: sock.Want{Protos: sock.ProtosTCP},
		Interval: time.Hour, Frame: 50 * time.Millisecond, Always: true, Linger: time.Second, Now: tracer.Now,
	}, d)
	if err != nil {
		t.Fatal(err)
	}
	return d.states, d.status
}

// handed is a source with the one snapshot that was taken before.
type handed struct{ snap sock.Snapshot }

func (h handed) Snapshot(context.Context, sock.Want) (sock.Snapshot, error) { return h.snap, nil }

// quiet lets the storm go on for some frames, freezes it, and is done when no event has come for as many.
type quiet struct {
	t      *testing.T
	storm  *process
	frames int
	still  int
	states stateOf
	status live.Status
}

const quietFrames = 10

func (q *quiet) Draw(t *table.Table, s live.Status, _ sock.Stamp) (sock.Stamp, error) {
	if q.frames++; q.frames == quietFrames {
		q.storm.reported = q.storm.freeze()
	}
	if q.still++; s.Events != q.status.Events || q.frames <= quietFrames {
		q.still = 0
	}
	q.status = s
	if q.still < quietFrames {
		return 0, nil
	}
	q.states = stateOf{}
	for r := range t.Rows() {
		q.states[ends{r.Local, r.Remote}] = r.State.String()
	}
	return 0, live.ErrDone
}

// frameJSON is a frame as a reader of netlive watch --json has it.
type frameJSON struct {
	Time    time.Time
	Source  string
	Lost    *uint64
	Sockets []socketJSON
}

type socketJSON struct {
	Proto      string
	LocalAddr  netip.Addr `json:"local_addr"`
	LocalPort  uint16     `json:"local_port"`
	RemoteAddr netip.Addr `json:"remote_addr"`
	RemotePort uint16     `json:"remote_port"`
	State      string
	Cookie     uint64
	Owners     []ownerJSON
}

func (f frameJSON) states(t *testing.T) stateOf {
	states := stateOf{}
	for _, s := range f.Sockets {
		e := ends{netip.AddrPortFrom(s.LocalAddr, s.LocalPort), netip.AddrPortFrom(s.RemoteAddr, s.RemotePort)}
		if _, twice := states[e]; twice {
			t.Errorf("%v is there twice", e)
		}
		states[e] = s.State
	}
	return states
}

// The same as people use it, with connections that are closed in good order, half closed and left in TIME_WAIT.
func TestWatchAgreesWithSS(t *testing.T) {
	kerneltest.RequireRoot(t)
	for i := range handovers {
		ns := kerneltest.NetNS(t)
		storm := startStorm(t, ns, kerneltest.Storm{Workers: 2, Open: 600, Mixed: true})
		underWay(t, ns, 2*1200)
		watch := start(t, ns, "netlive", "watch", "-4tan", "--json", "--interval", "500ms")
		frames := json.NewDecoder(watch.out)
		var f frameJSON
		next := func() {
			f = frameJSON{}
			if err := frames.Decode(&f); err != nil {
				t.Fatal(err)
			}
			if f.Source != "ebpf" || f.Lost == nil || *f.Lost != 0 {
				t.Fatalf("source %q, lost %v", f.Source, f.Lost)
			}
		}
		next()
		next()
		report := storm.freeze()
		// A frame that was walked after the freeze, by the clock of the frames.
		for frozen := time.Now().Add(time.Second); f.Time.Before(frozen); next() {
		}
		var before, after stateOf
		for {
			// TIME_WAIT ends when it ends: two looks of ss that agree surround ours.
			before = ss(t, ns)
			for looked := time.Now(); !f.Time.After(looked.Add(time.Second)); {
				next()
			}
			after = ss(t, ns)
			if maps.Equal(before, after) {
				break
			}
		}
		f.states(t).check(t, after, "ss")
		held := truth(report)
		for e := range f.states(t) {
			if _, ok := held[e]; !ok && f.states(t)[e] != "TIME_WAIT" && f.states(t)[e] != "FIN_WAIT2" {
				t.Errorf("%d: nobody holds %v", i, e)
			}
		}
		t.Logf("%d: %.0f connections a second, %d rows, %d of them held", i,
			float64(report.Made)/report.Elapsed.Seconds(), len(f.Sockets), len(report.Sockets))
		if code, _, errs := watch.end(unix.SIGINT); code != exitInterrupted || len(errs) > 0 {
			t.Errorf("%d: exit code %d, stderr %q", i, code, errs)
		}
		for _, s := range f.Sockets {
			if s.State == "LISTEN" && (len(s.Owners) == 0 || s.Owners[0].PID != storm.Process.Pid) {
				t.Errorf("%d: owners of the listener: %+v", i, s.Owners)
			}
		}
	}
}
