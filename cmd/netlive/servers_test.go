// SPDX-License-Identifier: GPL-2.0-or-later

package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"netlive/internal/kerneltest"
)

// listening returns when something listens at port in ns.
func listening(t *testing.T, ns *kerneltest.NS, port int) {
	t.Helper()
	for deadline := time.Now().Add(limit); time.Now().Before(deadline); {
		var err error
		ns.Do(func() {
			var c net.Conn
			if c, err = net.Dial("tcp4", fmt.Sprintf("127.0.0.1:%d", port)); err == nil {
				err = c.Close()
			}
		})
		if err == nil {
			return
		}
	}
	t.Fatalf("nothing listens at port %d", port)
}

// tracing starts trace --json in ns and hands over each change of state until the test ends.
func tracing(t *testing.T, ns *kerneltest.NS) (events chan eventJSON) {
	t.Helper()
	trace := start(t, ns, "netlive", "trace", "--json", "--event", "state")
	trace.awaitBegin()
	events = make(chan eventJSON, 1<<16)
	go func() {
		defer close(events)
		lines := json.NewDecoder(trace.out)
		for {
			var e eventJSON
			if lines.Decode(&e) != nil {
				return
			}
			events <- e
		}
	}()
	return events
}

// A real server with workers under a real client: both ends have the right process in every event that comes after the
// process took the connection, and the accepted end has its listener's before.
func TestWorkersOfNginx(t *testing.T) {
	kerneltest.RequireRoot(t)
	ns := kerneltest.NetNS(t)
	dir := t.TempDir()
	config := filepath.Join(dir, "nginx.conf")
	text := fmt.Sprintf("worker_processes 2; daemon off; user root; pid %[1]s/pid; error_log %[1]s/error.log;\n"+
		"events {}\nhttp { access_log off; client_body_temp_path %[1]s/b; proxy_temp_path %[1]s/p; fastcgi_temp_path %[1]s/f;\n"+
		"uwsgi_temp_path %[1]s/u; scgi_temp_path %[1]s/s; server { listen 127.0.0.1:8080; return 200 hello; } }\n", dir)
	if err := os.WriteFile(config, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	// The listener is there before netlive in the first half and after it in the second.
	server := start(t, ns, tool(t, "nginx"), "-c", config, "-e", dir+"/error.log")
	listening(t, ns, 8080)
	events := tracing(t, ns)
	const requests = 50
	clients := map[int]bool{}
	for range requests {
		client := start(t, ns, tool(t, "curl"), "-s", "http://127.0.0.1:8080/")
		if code, out, errs := client.wait(); code != 0 || string(out) != "hello" {
			t.Fatalf("curl: exit code %d, %q\n%s", code, out, errs)
		}
		clients[client.Process.Pid] = true
	}
	workers := children(t, server.Process.Pid)
	master := server.Process.Pid
	connects, accepts, ends := 0, 0, 0
	for ends < requests {
		e := <-events
		if len(e.Owners) != 1 {
			t.Fatalf("owners %+v in %+v", e.Owners, e)
		}
		o := e.Owners[0]
		switch client := e.RemotePort == 8080; {
		case client:
			if !clients[o.PID] || o.Comm != "curl" || o.How != "exact" {
				t.Fatalf("client's owner %+v in %+v", o, e)
			}
			connects++
		case e.NewState == "SYN_RECV" || e.OldState == "SYN_RECV":
			// Nobody has taken it yet. A worker inherits the listener's descriptor; the master made it.
			if o.PID != master && !workers[o.PID] || o.Comm != "nginx" || o.How != "listener" {
				t.Fatalf("owner of what is not accepted: %+v in %+v", o, e)
			}
			accepts++
		default:
			if !workers[o.PID] || o.Comm != "nginx" || o.How != "exact" {
				t.Fatalf("server's owner %+v, want one of the workers %v, in %+v", o, workers, e)
			}
			if e.NewState == "CLOSE" {
				ends++
			}
		}
	}
	if connects == 0 || accepts != 2*requests {
		t.Errorf("%d events of clients, %d of connections that wait", connects, accepts)
	}
	if err := server.Process.Signal(unix.SIGTERM); err != nil {
		t.Fatal(err)
	}
}

// children are the processes that pid started.
func children(t *testing.T, pid int) map[int]bool {
	t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", pid, pid))
	if err != nil {
		t.Fatal(err)
	}
	pids := map[int]bool{}
	for _, f := range bytes.Fields(text) {
		n, err := strconv.Atoi(string(f))
		if err != nil {
			t.Fatal(err)
		}
		pids[n] = true
	}
	return pids
}

// A server that is there before netlive and connections that stay: watch names both ends.
func TestWatchNamesRedis(t *testing.T) {
	kerneltest.RequireRoot(t)
	ns := kerneltest.NetNS(t)
	server := start(t, ns, tool(t, "redis-server"), "--port", "6379", "--bind", "127.0.0.1", "--save", "", "--dir", t.TempDir())
	listening(t, ns, 6379)
	old := start(t, ns, tool(t, "redis-cli"))
	ping(t, old)
	watch := start(t, ns, "netlive", "watch", "-tan", "--json", "--interval", "50ms")
	frames := json.NewDecoder(watch.out)
	var first frameJSON
	if err := frames.Decode(&first); err != nil {
		t.Fatal(err)
	}
	young := start(t, ns, tool(t, "redis-cli"))
	ping(t, young)

	want := map[int]string{server.Process.Pid: "redis-server", old.Process.Pid: "redis-cli", young.Process.Pid: "redis-cli"}
	var f frameJSON
	for deadline := time.Now().Add(limit); time.Now().Before(deadline); {
		f = frameJSON{}
		if err := frames.Decode(&f); err != nil {
			t.Fatal(err)
		}
		seen := map[int]int{}
		for _, s := range f.Sockets {
			if s.State != "ESTABLISHED" && s.State != "LISTEN" {
				continue
			}
			if len(s.Owners) == 1 && strings.HasPrefix(s.Owners[0].Comm, want[s.Owners[0].PID]) {
				seen[s.Owners[0].PID]++
			}
		}
		if seen[server.Process.Pid] == 3 && seen[old.Process.Pid] == 1 && seen[young.Process.Pid] == 1 {
			return
		}
	}
	t.Errorf("want %v, the last frame: %+v", want, f.Sockets)
}

// ping has a client talk to its server and go on living.
func ping(t *testing.T, client *process) {
	t.Helper()
	if _, err := client.stdin.Write([]byte("PING\n")); err != nil {
		t.Fatal(err)
	}
	if line, err := client.out.ReadString('\n'); line != "PONG\n" {
		t.Fatalf("redis-cli: %q, %v", line, err)
	}
}

// tool is the path of a program that the tests need; make test-deps installs it.
func tool(t *testing.T, name string) string {
	t.Helper()
	for _, dir := range append(filepath.SplitList(os.Getenv("PATH")), "/usr/sbin", "/sbin") {
		if path, err := exec.LookPath(filepath.Join(dir, name)); err == nil {
			return path
		}
	}
	t.Fatalf("needs %s: make test-deps installs it", name)
	return ""
}
