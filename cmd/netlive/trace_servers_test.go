// SPDX-License-Identifier: GPL-2.0-or-later

package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"netlive/internal/kerneltest"
)

// lived is an open, accept or close as a reader of trace --json has it.
type lived struct {
	Event      string
	LocalPort  int `json:"local_port"`
	RemotePort int `json:"remote_port"`
	Cookie     uint64
	Owners     []ownerJSON
	End        string
	DurationUS *int64 `json:"duration_us"`
	AcceptWait *int64 `json:"accept_wait_us"`
	Peer       *ownerJSON
}

// Ten thousand short connections of a real client to a real server: each has its open, its accept and its two ends, with the right process at
// both ends of each.
func TestTraceRedisBenchmark(t *testing.T) {
	kerneltest.RequireRoot(t)
	const connections = 10_000
	ns := kerneltest.NetNS(t)
	server := start(t, ns, tool(t, "redis-server"), "--port", "6379", "--bind", "127.0.0.1", "--save", "", "--dir", t.TempDir())
	listening(t, ns, 6379)
	trace := start(t, ns, "netlive", "trace", "--json", "port = 6379")
	trace.awaitBegin()
	client := start(t, ns, tool(t, "redis-benchmark"), "-k", "0", "-n", fmt.Sprint(connections), "-c", "20", "-t", "ping_mbulk", "-q")
	if code, _, errs := client.wait(); code != 0 {
		t.Fatalf("redis-benchmark: %d %s", code, errs)
	}
	pid, service := client.Process.Pid, server.Process.Pid
	code, text, _ := trace.end(unix.SIGINT)
	if code != exitInterrupted {
		t.Errorf("exit code %d", code)
	}
	counts := map[string]int{}
	lines := bufio.NewScanner(bytes.NewReader(text))
	for lines.Scan() {
		var e lived
		if err := json.Unmarshal(lines.Bytes(), &e); err != nil {
			t.Fatalf("%v: %s", err, lines.Bytes())
		}
		side, owner, other := "client", pid, service
		if e.LocalPort == 6379 {
			side, owner, other = "server", service, pid
		}
		counts[side+" "+e.Event]++
		switch {
		case e.Event == "lost":
			t.Fatalf("%s", lines.Bytes())
		case len(e.Owners) != 1 || e.Owners[0].PID != owner || e.Owners[0].How != "exact":
			t.Fatalf("the %s is process %d: %s", side, owner, lines.Bytes())
		case e.Event != "close":
		case e.End != "fin" && !strings.HasPrefix(e.End, "reset_") || e.DurationUS == nil || e.Peer == nil || e.Peer.PID != other:
			t.Fatalf("an end whose other end is process %d: %s", other, lines.Bytes())
		case (e.AcceptWait != nil) != (side == "server"):
			t.Fatalf("the server's connections have waited: %s", lines.Bytes())
		}
	}
	// The client asks the server for its configuration first, by connections of its own.
	n := counts["client open"]
	if n < connections || counts["server accept"] != n || counts["client close"] != n || counts["server close"] != n || len(counts) != 4 {
		t.Errorf("%v, want at least %d of each", counts, connections)
	}
}

// What a command does is told and nothing else, and the command's end is netlive's.
func TestTraceCurl(t *testing.T) {
	kerneltest.RequireRoot(t)
	ns := kerneltest.NetNS(t)
	server := start(t, ns, tool(t, "redis-server"), "--port", "6379", "--bind", "127.0.0.1", "--save", "", "--dir", t.TempDir())
	listening(t, ns, 6379)
	// Connections of others, all the time.
	others := start(t, ns, tool(t, "redis-benchmark"), "-k", "0", "-n", "100000000", "-c", "2", "-t", "ping_mbulk", "-q")
	trace := start(t, ns, "netlive", "trace", "--json", "--", tool(t, "curl"), "-s", "telnet://127.0.0.1:6379")
	if _, err := trace.stdin.Write([]byte("PING\r\nQUIT\r\n")); err != nil {
		t.Fatal(err)
	}
	if err := trace.stdin.Close(); err != nil {
		t.Fatal(err)
	}
	code, out, errs := trace.wait()
	if code != 0 || !bytes.HasPrefix(out, []byte("+PONG\r\n")) {
		t.Fatalf("exit code %d, %q\n%s", code, out, errs)
	}
	var kinds []string
	for line := range bytes.Lines(errs) {
		var e lived
		if err := json.Unmarshal(line, &e); err != nil {
			t.Fatalf("%v: %s", err, line)
		}
		kinds = append(kinds, e.Event)
		switch e.Event {
		case "open", "close":
			if len(e.Owners) != 1 || e.Owners[0].Comm != "curl" {
				t.Errorf("not curl's: %s", line)
			}
			if e.Event == "close" && (e.Peer == nil || e.Peer.PID != server.Process.Pid) {
				t.Errorf("the other end is process %d: %s", server.Process.Pid, line)
			}
		}
	}
	if got := strings.Join(kinds, " "); got != "begin open close" {
		t.Errorf("told: %s\n%s", got, errs)
	}
	if err := others.Process.Kill(); err != nil {
		t.Fatal(err)
	}
}
