// SPDX-License-Identifier: GPL-2.0-or-later

package main

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"os/user"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"netlive/internal/kerneltest"
)

// startNginx starts nginx in ns, at port 8080.
func startNginx(t *testing.T, ns *kerneltest.NS) {
	t.Helper()
	dir := t.TempDir()
	config := filepath.Join(dir, "nginx.conf")
	text := fmt.Sprintf("worker_processes 1; daemon off; user root; pid %[1]s/pid; error_log %[1]s/error.log;\n"+
		"events {}\nhttp { access_log off; client_body_temp_path %[1]s/b; proxy_temp_path %[1]s/p; fastcgi_temp_path %[1]s/f;\n"+
		"uwsgi_temp_path %[1]s/u; scgi_temp_path %[1]s/s; server { listen 127.0.0.1:8080; return 200 hello; } }\n", dir)
	if err := os.WriteFile(config, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	start(t, ns, tool(t, "nginx"), "-c", config, "-e", dir+"/error.log")
	listening(t, ns, 8080)
}

// commandEvents are what a trace of a command told, which is on stderr with the words of the command.
func commandEvents(t *testing.T, errs []byte) (events []toldJSON) {
	t.Helper()
	var begin map[string]any
	for line := range bytes.Lines(errs) {
		if begin == nil {
			if err := json.Unmarshal(line, &begin); err != nil || begin["event"] != "begin" || begin["schema"] != "netlive.event.v1" {
				t.Fatalf("the first line: %v: %s", err, line)
			}
			continue
		}
		var e toldJSON
		if err := json.Unmarshal(line, &e); err != nil {
			t.Fatalf("%v: %s", err, line)
		}
		events = append(events, e)
	}
	return events
}

// ofCurl says where events are not those that curl is to have had, in the order of their words.
func ofCurl(events []toldJSON, want []string) (wrong []string) {
	var got []string
	for _, e := range events {
		text := fmt.Sprint(e.Event, " ", e.RemotePort)
		if len(e.Owners) != 1 || e.Owners[0].Comm != "curl" || e.Owners[0].How != "exact" {
			wrong = append(wrong, fmt.Sprintf("owners %+v in %+v", e.Owners, e))
		}
		if e.End != "" {
			peer := "nobody"
			if e.Peer != nil {
				peer = e.Peer.Comm
			}
			text += fmt.Sprint(" ", e.End, " by ", peer)
		}
		if e.Event == "close" && (e.Sent == 0 || e.Received == 0 || deref(e.Connect) == 0 || e.ClosedBy != "local") {
			wrong = append(wrong, fmt.Sprintf("%+v", e))
		}
		got = append(got, text)
	}
	slices.Sort(got)
	if !slices.Equal(got, want) {
		wrong = append(wrong, fmt.Sprintf("told %q, want %q", got, want))
	}
	return wrong
}

// A command is traced, with all that it starts and nothing else; its output, its input and its exit code are its own.
func TestTraceCommand(t *testing.T) {
	kerneltest.RequireRoot(t)
	t.Parallel()
	ns := kerneltest.NetNS(t)
	startNginx(t, ns)
	blind := newBlindSpot(t)
	// Others are never silent.
	startStorm(t, ns, kerneltest.Storm{Workers: 1, Pause: time.Millisecond})
	const hello, nobody = "http://127.0.0.1:8080/", "http://127.0.0.1:1/"
	curl := tool(t, "curl")
	opened, closed := "open 8080", "close 8080 fin by nginx"
	for _, c := range []struct {
		name    string
		command []string
		in, out string
		code    int
		want    []string // in the order of words
	}{
		{"curl", []string{"curl", "-s", hello}, "", "hello", 0, []string{closed, opened}},
		{"a curl that fails", []string{curl, "-s", nobody}, "", "", 7, []string{"fail 1 refused by nobody"}},
		{"a shell", []string{"sh", "-c", "curl -s " + hello + "; exit 3"}, "", "hello", 3, []string{closed, opened}},
		{"children", []string{"sh", "-c", "(curl -s " + hello + " & curl -s " + hello + " & wait) & curl -s " + nobody + "; wait; :"}, "", "hellohello", 0,
			[]string{closed, closed, "fail 1 refused by nobody", opened, opened}},
		{"input", []string{"cat"}, "some words\n", "some words\n", 0, nil},
		{"a signal", []string{"sh", "-c", "kill -KILL $$"}, "", "", 128 + 9, nil},
	} {
		t.Run(strings.ReplaceAll(c.name, " ", "_"), func(t *testing.T) {
			blind.plays(t, func() (*trial, []string) {
				g := &trial{game: newGame(t), ports: []int{8080, 1}}
				p := start(t, ns, "netlive", append([]string{"trace", "--json", "--"}, c.command...)...)
				if _, err := p.stdin.Write([]byte(c.in)); err != nil {
					t.Fatal(err)
				}
				if err := p.stdin.Close(); err != nil {
					t.Fatal(err)
				}
				code, out, errs := p.wait()
				if code != c.code || string(out) != c.out {
					t.Errorf("exit code %d, stdout %q, want %d, %q", code, out, c.code, c.out)
				}
				return g, ofCurl(commandEvents(t, errs), c.want)
			})
		})
	}
	for _, c := range []struct {
		path, text string
		code       int
	}{
		{"no-such-command", "^netlive: trace: run .*no-such-command.*not found", 127},
		{"./no-such-command", "^netlive: trace: run .*no-such-command.*no such file", 127},
		{"/etc/passwd", "^netlive: trace: run .*/etc/passwd.*permission denied", 126},
	} {
		code, out, errs := start(t, ns, "netlive", "trace", "--", c.path).wait()
		if code != c.code || len(out) > 0 || !regexp.MustCompile(c.text).Match(errs) {
			t.Errorf("%s: exit code %d, stdout %q, stderr %q", c.path, code, out, errs)
		}
	}
	// What is to end netlive ends the command, which says how it ended.
	for sig, code := range map[unix.Signal]int{unix.SIGTERM: 5, unix.SIGINT: 6} {
		p := start(t, ns, "netlive", "trace", "--", "bash", "-c", `trap 'exit 5' TERM; trap 'exit 6' INT; echo ready; while :; do read -t 10; done`)
		if line, err := p.out.ReadString('\n'); line != "ready\n" {
			t.Fatalf("%q, %v", line, err)
		}
		if got, _, errs := p.end(sig); got != code {
			t.Errorf("after %v: exit code %d, want %d\n%s", sig, got, code, errs)
		}
	}
}

// opens are how many connections were begun and taken in ns, by the kernel's own count.
func tcpOpens(t *testing.T, ns *kerneltest.NS) (active, passive int) {
	t.Helper()
	var heads []string
	for line := range strings.Lines(string(runIn(t, ns, "cat", "/proc/net/snmp"))) {
		f := strings.Fields(line)
		switch {
		case f[0] != "Tcp:":
		case heads == nil:
			heads = f
		default:
			number := func(name string) int {
				n, err := strconv.Atoi(f[slices.Index(heads, name)])
				if err != nil {
					t.Fatal(err)
				}
				return n
			}
			return number("ActiveOpens"), number("PassiveOpens")
		}
	}
	t.Fatal("no Tcp in /proc/net/snmp")
	return 0, 0
}

// between collects what is told while f runs, up to the connection that ends it, and how many connections there were by the kernel's own count.
func (g *trial) between(f func()) (made int) {
	g.t.Helper()
	g.trace = start(g.t, g.ns, "netlive", "trace", "--json")
	g.trace.awaitBegin()
	g.lines = told(g.trace)
	active, passive := tcpOpens(g.t, g.ns)
	f()
	for deadline := time.Now().Add(limit); len(infos(g.t, g.ns)) > 0; { // those that are not ended yet
		if time.Now().After(deadline) {
			g.t.Fatal("the last connections never end")
		}
	}
	a, p := tcpOpens(g.t, g.ns)
	if active, passive = a-active, p-passive; active != passive {
		g.t.Errorf("the kernel counts %d connections that were begun, %d that were taken", active, passive)
	}
	var last uint64
	g.ns.Do(func() { last = refused(g.t) })
	g.patience = limit // there are tens of thousands of lines before it to be read
	g.awaitTold("the end", func(e *toldJSON) bool { return e.Cookie == last && e.Event == "fail" })
	g.events = g.events[:len(g.events)-1]
	return active
}

// lives says where not each of so many connections has two ends, of which one was opened and closed, the other accepted and closed.
func (g *trial) lives(made int) (wrong []string) {
	life := map[uint64][]string{}
	for _, e := range g.events {
		life[e.Cookie] = append(life[e.Cookie], e.Event)
		server := len(life[e.Cookie]) > 0 && life[e.Cookie][0] == "accept"
		if e.Event == "close" && (e.End != "fin" && !strings.HasPrefix(e.End, "reset_") || e.Duration == nil || (e.AcceptWait != nil) != server || (e.Connect != nil) == server) {
			wrong = append(wrong, fmt.Sprintf("%+v", e))
		}
	}
	count := map[string]int{}
	for _, l := range life {
		count[strings.Join(l, " ")]++
	}
	if want := map[string]int{"open close": made, "accept close": made}; !maps.Equal(count, want) {
		wrong = append(wrong, fmt.Sprintf("told %v, want %v", count, want))
	}
	return wrong
}

// Ten thousand connections of a real client to a real server, each of which ends at once: none is missing, and both ends have who
// they are and who the other is.
func TestTraceRedisBenchmark(t *testing.T) {
	kerneltest.RequireRoot(t)
	t.Parallel()
	newBlindSpot(t).plays(t, func() (*trial, []string) {
		g := makeTrial(t)
		g.ports = []int{6379}
		return g, g.attempt(g.redis)
	})
}

func (g *trial) redis() (wrong []string) {
	const requests = 10_000
	server := start(g.t, g.ns, tool(g.t, "redis-server"), "--port", "6379", "--bind", "127.0.0.1", "--save", "", "--dir", g.t.TempDir())
	listening(g.t, g.ns, 6379)
	var client *process
	made := g.between(func() {
		client = start(g.t, g.ns, tool(g.t, "redis-benchmark"), "-k", "0", "-n", itoa(requests), "-c", "20", "-t", "ping_mbulk", "-q")
		if code, out, errs := client.wait(); code != 0 {
			g.t.Fatalf("redis-benchmark: exit code %d, %s\n%s", code, out, errs)
		}
	})
	if made < requests {
		g.t.Errorf("%d connections of %d", made, requests)
	}
	for _, e := range g.events {
		own, other := server.Process.Pid, client.Process.Pid
		if e.RemotePort == 6379 {
			own, other = other, own
		}
		if len(e.Owners) != 1 || e.Owners[0].PID != own || e.Owners[0].How != "exact" {
			wrong = append(wrong, fmt.Sprintf("it is of process %d: %+v", own, e))
		}
		if e.Event == "close" && (e.Peer == nil || e.Peer.PID != other || e.Peer.NetNS != g.ns.Inode()) {
			wrong = append(wrong, fmt.Sprintf("the other end is of process %d, not of %+v: %+v", other, e.Peer, e))
		}
	}
	g.t.Logf("%d connections", made)
	return append(wrong[:min(len(wrong), 3)], g.lives(made)...)
}

// A server whose main process takes connections and gives each to a process of its own.
func TestTracePgbench(t *testing.T) {
	kerneltest.RequireRoot(t)
	t.Parallel()
	newBlindSpot(t).plays(t, func() (*trial, []string) {
		g := makeTrial(t)
		g.ports = []int{5432}
		return g, g.attempt(g.pgbench)
	})
}

func (g *trial) pgbench() (wrong []string) {
	const transactions = 300
	binaries, err := filepath.Glob("/usr/lib/postgresql/*/bin/postgres")
	if err != nil || len(binaries) == 0 {
		g.t.Fatalf("needs postgres: make test-deps installs it (%v)", err)
	}
	bin := filepath.Dir(binaries[len(binaries)-1])
	who, err := user.Lookup("postgres") // it does not run as root
	if err != nil {
		g.t.Fatal(err)
	}
	uid, err := strconv.Atoi(who.Uid)
	if err != nil {
		g.t.Fatal(err)
	}
	dir, err := os.MkdirTemp("", "netlive") // a test's own is closed to others
	if err != nil {
		g.t.Fatal(err)
	}
	g.t.Cleanup(func() { _ = os.RemoveAll(dir) })
	if err := os.Chown(dir, uid, -1); err != nil {
		g.t.Fatal(err)
	}
	as := []string{"--reuid=" + who.Uid, "--regid=" + who.Gid, "--clear-groups"}
	data := filepath.Join(dir, "data")
	runIn(g.t, g.ns, "setpriv", append(as, filepath.Join(bin, "initdb"), "-D", data, "-A", "trust", "--no-sync", "--no-instructions")...)
	server := start(g.t, g.ns, "setpriv", append(as, filepath.Join(bin, "postgres"), "-D", data, "-k", dir, "-F", "-c", "listen_addresses=127.0.0.1")...)
	server.awaitErr("ready to accept connections")
	script := filepath.Join(dir, "script")
	if err := os.WriteFile(script, []byte("SELECT 1;\n"), 0o644); err != nil {
		g.t.Fatal(err)
	}
	var client *process
	made := g.between(func() {
		client = start(g.t, g.ns, filepath.Join(bin, "pgbench"), "-n", "-C", "-c", "2", "-t", itoa(transactions/2), "-f", script, "-h", "127.0.0.1", "-U", "postgres", "postgres")
		if code, out, errs := client.wait(); code != 0 {
			g.t.Fatalf("pgbench: exit code %d, %s\n%s", code, out, errs)
		}
	})
	if made < transactions {
		g.t.Errorf("%d connections of %d", made, transactions)
	}
	backends := map[ownerJSON]bool{} // each has one connection
	// Where the main process was kept from running so long that its copy of a connection is the last to be closed, it is who closes it.
	late := made / 50
	for _, e := range g.events {
		var o ownerJSON
		if len(e.Owners) == 1 {
			o = e.Owners[0]
		}
		right := o.How == "exact"
		switch {
		case e.RemotePort == 5432:
			right = right && o.PID == client.Process.Pid && int(e.UID) == os.Geteuid() &&
				(e.Event != "close" || e.Peer != nil && e.Peer.Comm == "postgres" && e.Peer.PID != server.Process.Pid)
		case e.Event == "accept":
			right = right && o.PID == server.Process.Pid
		default: // the process that was told to use it
			right = right && o.PID != server.Process.Pid && !backends[o] && o.Comm == "postgres" && int(e.UID) == uid &&
				e.Peer != nil && e.Peer.PID == client.Process.Pid
			if !right && late > 0 && e.Event == "close" && o.PID == server.Process.Pid {
				late--
				right = true
			}
			backends[o] = true
		}
		if !right {
			wrong = append(wrong, fmt.Sprintf("the client is process %d, the server %d, this is not a process of its own: %+v, peer %+v", client.Process.Pid, server.Process.Pid, e, e.Peer))
		}
	}
	return append(wrong[:min(len(wrong), 3)], g.lives(made)...)
}

// load makes connections of all kinds in ns: by root and by the user nobody, refused, with data and without, reset and closed in order.
func load(t *testing.T, g *game) {
	t.Helper()
	l := g.player("server").socket("listener", false, 0).bind("127.0.0.1:7000").listen(8)
	other := g.player("server").socket("other listener", false, 0).bind("127.0.0.1:7001").listen(8)
	for i := range 10 {
		at := l
		if i%2 == 0 {
			at = other
		}
		c := at.opens(fmt.Sprint("client ", i))
		s := at.accepts(fmt.Sprint("server ", i))
		c.writes(200 * i)
		if i > 0 {
			s.reads(200 * i)
		}
		if i%3 == 0 {
			c.resets()
		} else {
			c.close()
		}
		s.close()
	}
	for range 3 {
		runIn(t, g.ns, "bash", "-c", "(exec 3<>/dev/tcp/127.0.0.1/9) 2>/dev/null; :")
	}
	runIn(t, g.ns, "setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "bash", "-c", "exec 3<>/dev/tcp/127.0.0.1/7000")
	l.accepts("server of nobody").close()
}

// Each filter tells of what it tells of the whole stream, whoever decides.
func TestTraceFilters(t *testing.T) {
	kerneltest.RequireRoot(t)
	t.Parallel()
	filters := []struct {
		text string
		want func(e *toldJSON) bool
	}{
		{"dport = :7000", func(e *toldJSON) bool { return e.RemotePort == 7000 }},
		{"sport = :7001 or dport = :9", func(e *toldJSON) bool { return e.LocalPort == 7001 || e.RemotePort == 9 }},
		{"proc = client", func(e *toldJSON) bool { return len(e.Owners) > 0 && e.Owners[0].Comm == "client" }},
		{"uid = 65534", func(e *toldJSON) bool { return e.Owners != nil && e.UID == 65534 }},
		{"event = close and age > 0", func(e *toldJSON) bool { return e.Event == "close" && deref(e.Duration) > 0 }},
		{"reason = refused", func(e *toldJSON) bool { return e.Errno == "ECONNREFUSED" }}, // so it is called too
		{"reason = econnreset", func(e *toldJSON) bool { return e.Errno == "ECONNRESET" }},
		{"bytes > 1000", func(e *toldJSON) bool { return e.Sent+e.Received > 1000 }},
		{"rx > 0 and not reason = fin", func(e *toldJSON) bool { return e.Received > 0 && e.End != "fin" }},
	}
	g := newGame(t)
	traces := []*process{start(t, g.ns, "netlive", "trace", "--json", "--event", "all")}
	for _, f := range filters {
		traces = append(traces, start(t, g.ns, "netlive", "trace", "--json", "--event", "all", f.text))
	}
	for _, p := range traces {
		p.awaitBegin()
	}
	load(t, g)
	g.ns.Do(func() { refused(t) })
	outputs := make([][]toldJSON, len(traces))
	for i, p := range traces {
		code, out, errs := p.end(unix.SIGINT)
		if code != exitInterrupted || len(errs) > 0 {
			t.Errorf("exit code %d, stderr %q", code, errs)
		}
		for line := range bytes.Lines(out) {
			var e toldJSON
			if err := json.Unmarshal(line, &e); err != nil {
				t.Fatalf("%v: %s", err, line)
			}
			outputs[i] = append(outputs[i], e)
		}
	}
	// Each has a clock of its own, so times are no part of what is compared.
	say := func(e *toldJSON) string {
		return fmt.Sprint(e.Event, " ", e.Cookie, " ", e.local(), " ", e.remote(), " ", e.OldState, ">", e.NewState, " ", e.End, " ", e.Reason, " ",
			e.Errno, " ", e.Direction, " ", e.Segment, " ", deref(e.Seq), " ", e.Sent, " ", e.Received, " ", e.Owners)
	}
	for i, f := range filters {
		var want, got []string
		for j := range outputs[0] {
			if e := &outputs[0][j]; f.want(e) {
				want = append(want, say(e))
			}
		}
		for j := range outputs[i+1] {
			got = append(got, say(&outputs[i+1][j]))
		}
		slices.Sort(want)
		slices.Sort(got)
		if !slices.Equal(got, want) || len(want) == 0 || len(want) == len(outputs[0]) {
			t.Errorf("%s: told %d of %d, want %d\n%s", f.text, len(got), len(outputs[0]), len(want), difference(strings.Join(got, "\n"), strings.Join(want, "\n")))
		}
	}
}

// knocking makes connections that are refused, until the process ends, whose exit code and output it returns.
func knocking(t *testing.T, ns *kerneltest.NS, p *process) (code int, out, errs []byte) {
	t.Helper()
	p.awaitErr("tracing")
	done := make(chan struct{})
	go func() {
		defer close(done)
		code, out, errs = p.wait()
	}()
	for {
		select {
		case <-done:
			return code, out, errs
		default:
			ns.Do(func() { refused(t) })
		}
	}
}

// What ends a trace, and the forms of what it tells.
func TestTraceOptions(t *testing.T) {
	kerneltest.RequireRoot(t)
	t.Parallel()
	ns := kerneltest.NetNS(t)
	fails := func(args ...string) []string {
		return append(append([]string{"trace"}, args...), "--", "bash", "-c", "(exec 3<>/dev/tcp/127.0.0.1/9) 2>/dev/null; (exec 3<>/dev/tcp/127.0.0.1/9) 2>/dev/null; :")
	}
	lines := func(args ...string) []string {
		code, out, errs := start(t, ns, "netlive", fails(args...)...).wait()
		if code != 0 || len(out) > 0 {
			t.Errorf("%q: exit code %d, stdout %q", args, code, out)
		}
		return strings.Split(strings.TrimSuffix(string(errs), "\n"), "\n")
	}

	if code, out, errs := knocking(t, ns, start(t, ns, "netlive", "trace", "--count", "3", "dport", "=", "9")); code != exitOK || bytes.Count(out, []byte(" fail ")) != 3 || bytes.Count(out, []byte("\n")) != 4 || len(errs) > 0 {
		t.Errorf("--count 3: exit code %d, stdout %q, stderr %q", code, out, errs)
	}

	begin := time.Now()
	code, out, errs := knocking(t, ns, start(t, ns, "netlive", "trace", "--for", "300ms"))
	if took := time.Since(begin); code != exitOK || took < 300*time.Millisecond || bytes.Count(out, []byte(" fail ")) == 0 || len(errs) > 0 {
		t.Errorf("--for 300ms: exit code %d after %v, %d lines, stderr %q", code, took, bytes.Count(out, []byte("\n")), errs)
	}
	if code, out, errs := knocking(t, ns, start(t, ns, "netlive", "trace", "--for", "300ms", "dport", "=", "10")); code != exitNothing || bytes.Count(out, []byte("\n")) != 1 || len(errs) > 0 {
		t.Errorf("--for 300ms with nothing to tell: exit code %d, stdout %q, stderr %q", code, out, errs)
	}

	text := lines("--summary")
	if len(text) != 6 || !strings.HasPrefix(text[3], "summary of 2 events") || !regexp.MustCompile(`^ +fails +2 ECONNREFUSED$`).MatchString(text[5]) {
		t.Errorf("--summary: %q", text)
	}
	var sum struct {
		Event         string
		Events, Fails map[string]int
		Closes        map[string]int
		Lost          *int
	}
	text = lines("--summary", "--json")
	if err := json.Unmarshal([]byte(text[len(text)-1]), &sum); err != nil || len(text) != 4 || sum.Event != "summary" || sum.Lost == nil || *sum.Lost != 0 ||
		!maps.Equal(sum.Events, map[string]int{"fail": 2}) || !maps.Equal(sum.Fails, map[string]int{"ECONNREFUSED": 2}) || sum.Closes == nil || len(sum.Closes) > 0 {
		t.Errorf("--summary --json: %v, %q", err, text)
	}

	records, err := csv.NewReader(strings.NewReader(strings.Join(lines("--csv"), "\n"))).ReadAll()
	if err != nil || len(records) != 3 {
		t.Fatalf("--csv: %v, %q", err, records)
	}
	for _, r := range records[1:] {
		for name, want := range map[string]string{"event": "fail", "process": "bash", "remoteaddr": "127.0.0.1", "remoteport": "9", "end": "refused", "errno": "ECONNREFUSED", "exited": "no", "sent": "0", "rtt": ""} {
			if at := slices.Index(records[0], name); at < 0 || r[at] != want {
				t.Errorf("--csv: %s of %q, want %q; columns %q", name, r, want, records[0])
			}
		}
		if _, err := time.Parse(time.RFC3339Nano, r[slices.Index(records[0], "time")]); err != nil {
			t.Errorf("--csv: %v", err)
		}
	}
	if text := lines("--csv", "--columns", "remote,event,why"); !slices.Equal(text, []string{"remote,event,why", "127.0.0.1:9,fail,refused (ECONNREFUSED) by peer", "127.0.0.1:9,fail,refused (ECONNREFUSED) by peer"}) {
		t.Errorf("--csv --columns: %q", text)
	}
	text = lines("--columns", "event,remote_port,END")
	for i, want := range []string{"EVENT REMOTE-PORT END", "fail 9 refused", "fail 9 refused"} {
		if i >= len(text) || strings.Join(strings.Fields(text[i]), " ") != want {
			t.Errorf("--columns: %q", text)
		}
	}

	clock := `\d\d:\d\d:\d\d\.\d{6}`
	for option, want := range map[string][]string{
		"":           {"^TIME +EVENT", "^" + clock + " +fail ", "^" + clock + " +fail "},
		"--delta":    {"^ *DELTA +EVENT", "^ *- +fail ", `^ *[\d.]+(us|ms|s) +fail `},
		"--absolute": {"^TIME +EVENT", `^20\d\d-\d\d-\d\dT` + clock + `(Z|[+-]\d\d:\d\d) +fail `, `^20\d\d-\d\d-\d\dT` + clock + `(Z|[+-]\d\d:\d\d) +fail `},
	} {
		var args []string
		if option != "" {
			args = []string{option}
		}
		text := lines(args...)
		for i, want := range want {
			if len(text) != 3 || !regexp.MustCompile(want).MatchString(text[i]) {
				t.Errorf("%q: %q, want %s", option, text, want)
				break
			}
		}
	}

	text = lines("--stack")
	frames := 0
	for _, line := range text {
		if regexp.MustCompile(`^    (tcp|inet)_\w+\+0x[0-9a-f]+$`).MatchString(line) {
			frames++
		}
	}
	if frames < 4 || !strings.Contains(text[1], " fail ") || !strings.HasPrefix(text[2], "    ") {
		t.Errorf("--stack: %q", text)
	}
	events := commandEvents(t, []byte(strings.Join(lines("--stack", "--json"), "\n")))
	for _, e := range events {
		if !slices.ContainsFunc(e.Stack, func(frame string) bool { return strings.HasPrefix(frame, "tcp_") }) {
			t.Errorf("--stack --json: %q", e.Stack)
		}
	}
}
