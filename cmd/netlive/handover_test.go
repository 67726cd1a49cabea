// SPDX-License-Identifier: GPL-2.0-or-later

package main

import (
	"context"
	"encoding/json"
	"fmt"
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

func (e ends) String() string { return fmt.Sprint(e.local, " ", e.remote) }

// stateOf is a table of sockets: which are there, in which state.
type stateOf map[ends]string

// compare reports the rows that ours has too many, too few, and in a wrong state, where before and
// after are true looks at what ours was a look at in between: a row of ours must be in one of the two, and a
// row that is in both must be in ours.
func (ours stateOf) compare(before, after stateOf) (ghosts, missed, wrong []string) {
	for e, state := range ours {
		b, inBefore := before[e]
		a, inAfter := after[e]
		switch {
		case !inBefore && !inAfter:
			ghosts = append(ghosts, fmt.Sprint(e, " ", state))
		case inBefore && inAfter && state != b && state != a:
			wrong = append(wrong, fmt.Sprint(e, " ", state, ", should be ", b, " or ", a))
		}
	}
	for e, state := range before {
		if _, stays := after[e]; !stays {
			continue
		}
		if _, ok := ours[e]; !ok {
			missed = append(missed, fmt.Sprint(e, " ", state))
		}
	}
	return ghosts, missed, wrong
}

func (ours stateOf) check(t *testing.T, before, after stateOf, whose string) {
	t.Helper()
	ghosts, missed, wrong := ours.compare(before, after)
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

// ss asks ss(8) for the table, and where there is none /proc.
func ss(t *testing.T, ns *kerneltest.NS) stateOf {
	t.Helper()
	if kerneltest.InVM() {
		var f frameJSON
		if err := json.Unmarshal(runIn(t, ns, "netlive", "-4tan", "--json"), &f.Sockets); err != nil {
			t.Fatal(err)
		}
		return f.states(t)
	}
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

// turns is how often a test plays the same again: once in an emulated machine, where it takes twenty seconds.
func turns(most int) int {
	if kerneltest.InVM() {
		return 1
	}
	return most
}

// handovers is how often netlive is started in the middle of a storm.
const handovers = 5

// Attach, walk, merge: started in the middle of a storm the table has neither a ghost nor a gap, and no other
// walk than the first is there to mend it.
func TestHandoverByOneWalk(t *testing.T) {
	kerneltest.RequireRoot(t)
	for i := range turns(handovers) {
		ns := kerneltest.NetNS(t)
		storm := startStorm(t, ns, kerneltest.Storm{Workers: 2, Open: 600})
		underWay(t, ns, 2*1200)

		var got stateOf
		var status live.Status
		ns.Do(func() { got, status = oneWalk(t, storm, ns) })
		report := storm.reported
		t.Logf("%d: %.0f connections a second, %d events, %d sockets at the end", i,
			float64(report.Made)/report.Elapsed.Seconds(), status.Events, len(got))
		if status.Lost > 0 {
			t.Errorf("%d: %d events lost", i, status.Lost)
		}
		held, seen := truth(report), ss(t, ns)
		got.check(t, held, held, "the storm")
		got.check(t, seen, seen, "ss")
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
	// Nothing is read before the walk is done, which takes long where the machine has much to do.
	const ring = 64 << 20
	tr, err := tracer.Open(tracer.Options{NetNS: ns.Inode(), Ring: ring})
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

// agree returns a frame that agrees with ss. What no event tells (that a FIN_WAIT2 minisocket is in TIME_WAIT now, and when
// it ends) is told by the next walk, so a frame may be late by one; it may never stay so.
func agree(t *testing.T, watch *process, ns *kerneltest.NS) frameJSON {
	t.Helper()
	for deadline := time.Now().Add(limit / 4); ; {
		// TIME_WAIT goes on ending: two looks of ss surround ours.
		before := ss(t, ns)
		f := watch.frame(time.Now())
		after := ss(t, ns)
		if f.Source != "ebpf" || f.Lost == nil || *f.Lost != 0 {
			t.Fatalf("source %q, lost %v", f.Source, f.Lost)
		}
		if ghosts, missed, wrong := f.states(t).compare(before, after); len(ghosts)+len(missed)+len(wrong) == 0 || time.Now().After(deadline) {
			f.states(t).check(t, before, after, "ss")
			return f
		}
	}
}

// frame returns the first frame that was drawn after the given time. Those before are not looked at:
// a reader that takes longer than the interval would fall ever more behind.
func (p *process) frame(after time.Time) (f frameJSON) {
	p.t.Helper()
	for {
		line, err := p.out.ReadBytes('\n')
		if err != nil {
			p.t.Fatalf("read a frame: %v", err)
		}
		drawn, _, _ := strings.Cut(strings.TrimPrefix(string(line[:min(len(line), 64)]), `{"time":"`), `"`)
		at, err := time.Parse(time.RFC3339Nano, drawn)
		if err != nil {
			p.t.Fatalf("a frame without a time: %v", err)
		}
		if at.Before(after) {
			continue
		}
		if err := json.Unmarshal(line, &f); err != nil {
			p.t.Fatal(err)
		}
		return f
	}
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
		watch.frame(time.Time{})
		watch.frame(time.Time{})
		report := storm.freeze()
		f := agree(t, watch, ns)
		held := truth(report)
		for e, state := range f.states(t) {
			if _, ok := held[e]; !ok && state != "TIME_WAIT" && state != "FIN_WAIT2" {
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
