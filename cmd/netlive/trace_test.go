// SPDX-License-Identifier: GPL-2.0-or-later

package main

import (
	"bytes"
	"encoding/json"
	"slices"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"netlive/internal/kerneltest"
)

// eventJSON is an event as a reader of netlive trace --json has it.
type eventJSON struct {
	Time       time.Time
	Event      string
	Count      int
	Proto      string
	LocalAddr  string `json:"local_addr"`
	LocalPort  int    `json:"local_port"`
	RemoteAddr string `json:"remote_addr"`
	RemotePort int    `json:"remote_port"`
	State      string
	OldState   string `json:"old_state"`
	NewState   string `json:"new_state"`
	StateUS    *int64 `json:"state_us"`
	Minisocket string
	Cookie     uint64
	NetNS      uint32
	UID        uint32
	Owners     []ownerJSON
}

type ownerJSON struct {
	PID   int
	Comm  string
	FD    *int
	Start uint64 `json:"start_ns"`
	How   string
}

// decodeEvents decodes what comes after the first line.
func decodeEvents(t *testing.T, text []byte) []eventJSON {
	t.Helper()
	var events []eventJSON
	for line := range bytes.Lines(text) {
		var e eventJSON
		if err := json.Unmarshal(line, &e); err != nil {
			t.Fatalf("%v: %s", err, line)
		}
		events = append(events, e)
	}
	return events
}

// awaitBegin reads the first line of trace --json, which comes when everything is traced.
func (p *process) awaitBegin() {
	p.t.Helper()
	p.awaitErr("tracing")
	line, err := p.out.ReadBytes('\n')
	if err != nil || !bytes.HasPrefix(line, []byte(`{"event":"begin","schema":"netlive.event.v1",`)) {
		p.t.Fatalf("the first line: %v: %s", err, line)
	}
}

// Ten thousand connections, each gone in less than a millisecond: trace has every change of every one, in
// order, with the right process; netstat in a loop beside it has next to none.
func TestTraceTellsEveryConnection(t *testing.T) {
	kerneltest.RequireRoot(t)
	const connections = 10_000
	ns := kerneltest.NetNS(t)
	trace := start(t, ns, "netlive", "trace", "--json", "--event", "state")
	trace.awaitBegin()
	lines := make(chan []byte)
	go func() {
		// To the listener's end, the last that happens.
		var text []byte
		for {
			line, err := trace.out.ReadBytes('\n')
			text = append(text, line...)
			if err != nil || bytes.Contains(line, []byte(`"old_state":"LISTEN","new_state":"CLOSE"`)) {
				lines <- text
				return
			}
		}
	}()

	storm := startStorm(t, ns, kerneltest.Storm{Connections: connections, Workers: 1, List: true})
	stop, seen := make(chan struct{}), make(chan map[string]bool)
	go pollNetstat(t, ns, stop, seen)
	report := storm.report()
	close(stop)
	polled := <-seen
	if err := storm.stdin.Close(); err != nil {
		t.Fatal(err)
	}
	text := <-lines
	if code, _, errs := trace.end(unix.SIGINT); code != exitInterrupted || len(errs) > 0 {
		t.Errorf("after SIGINT: exit code %d, stderr %q", code, errs)
	}

	got := map[uint64][]string{}
	lost := 0
	for _, e := range decodeEvents(t, text) {
		switch {
		case e.Event == "lost":
			lost += e.Count
			continue
		case len(e.Owners) != 1 || e.Owners[0].PID != storm.Process.Pid:
			t.Fatalf("owners %+v, want process %d: %+v", e.Owners, storm.Process.Pid, e)
		}
		got[e.Cookie] = append(got[e.Cookie], e.OldState+">"+e.NewState)
	}
	client := []string{"CLOSE>SYN_SENT", "SYN_SENT>ESTABLISHED", "ESTABLISHED>CLOSE"}
	server := []string{"LISTEN>SYN_RECV", "SYN_RECV>ESTABLISHED", "ESTABLISHED>CLOSE"}
	wrong := 0
	for _, c := range report.Connections {
		if !slices.Equal(got[c.Client], client) || !slices.Equal(got[c.Server], server) {
			if wrong++; wrong < 5 {
				t.Errorf("connection %+v: client %v, server %v", c, got[c.Client], got[c.Server])
			}
		}
	}
	if lost > 0 || wrong > 0 || len(report.Connections) != connections || len(got) != 2*connections+1 {
		t.Errorf("%d lost, %d connections wrong of %d, %d sockets told of, want %d",
			lost, wrong, len(report.Connections), len(got), 2*connections+1)
	}
	t.Logf("%d connections in %v, %d of them shorter than a millisecond; netstat in a loop saw %d",
		report.Made, report.Elapsed, report.Brief, len(polled))
}

// pollNetstat runs netstat over and over until stop, and says which connections it saw.
func pollNetstat(t *testing.T, ns *kerneltest.NS, stop chan struct{}, seen chan map[string]bool) {
	ends := map[string]bool{}
	for {
		select {
		case <-stop:
			seen <- ends
			return
		default:
		}
		for line := range bytes.Lines(runIn(t, ns, "netstat", "-tan")) {
			if f := bytes.Fields(line); len(f) == 6 && string(f[5]) == "ESTABLISHED" {
				ends[string(f[3])+string(f[4])] = true
			}
		}
	}
}

// SIGTERM is a way to stop like any other.
func TestTraceTerminated(t *testing.T) {
	kerneltest.RequireRoot(t)
	trace := start(t, kerneltest.NetNS(t), "netlive", "trace")
	trace.awaitErr("tracing")
	if code, out, errs := trace.end(unix.SIGTERM); code != exitOK || bytes.Count(out, []byte("\n")) != 1 || len(errs) > 0 {
		t.Errorf("exit code %d, stdout %q, stderr %q", code, out, errs)
	}
}

// A reader that has seen enough ends trace without a word.
func TestTraceClosedPipe(t *testing.T) {
	kerneltest.RequireRoot(t)
	ns := kerneltest.NetNS(t)
	p := start(t, ns, "bash", "-c", "set -o pipefail; netlive trace | head -n 3")
	p.awaitErr("tracing")
	storm := startStorm(t, ns, kerneltest.Storm{Connections: 2000, Workers: 1})
	storm.report()
	if err := storm.stdin.Close(); err != nil {
		t.Fatal(err)
	}
	code, out, errs := p.wait()
	if code != 0 || bytes.Count(out, []byte("\n")) != 3 || len(errs) > 0 {
		t.Errorf("exit code %d, stdout %q, stderr %q", code, out, errs)
	}
}
