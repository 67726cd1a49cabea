// SPDX-License-Identifier: GPL-2.0-or-later

package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"netlive/internal/kerneltest"
	"netlive/internal/options"
)

// filterScene is a namespace with sockets of all kinds: those of holdIn, a tenant's with a TIME_WAIT among them, one of the user nobody,
// and one that two processes hold, of which the second has two names.
type filterScene struct {
	ns             *kerneltest.NS
	holder, tenant *process
	shared, nobody *process
}

func newFilterScene(t *testing.T) filterScene {
	t.Helper()
	kerneltest.RequireRoot(t)
	ns := kerneltest.NetNS(t)
	s := filterScene{ns: ns, holder: holdIn(t, ns), tenant: ready(t, start(t, ns, "tenant"), "").tenant}
	connect := fmt.Sprintf("exec 3<>/dev/tcp/127.0.0.1/%d; echo ready; ", tenantTCP)
	s.nobody = start(t, ns, "setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "bash", "-c", connect+"read")
	s.shared = start(t, ns, "bash", "-c", connect+"(exec -a a-second-name cat); :")
	for _, p := range []*process{s.nobody, s.shared} {
		if line, err := p.out.ReadString('\n'); line != "ready\n" {
			t.Fatalf("%q, %v", line, err)
		}
	}
	for deadline := time.Now().Add(limit); ; {
		var rows []filterRow
		if err := json.Unmarshal(runIn(t, ns, "netlive", "-tn", "--json"), &rows); err != nil {
			t.Fatal(err)
		}
		if slices.ContainsFunc(rows, func(r filterRow) bool { return r.held("bash") && r.held("a-second-name") }) {
			return s
		}
		if time.Now().After(deadline) {
			t.Fatal("no socket has two owners")
		}
	}
}

// filterRow is a socket in JSON.
type filterRow struct {
	placedJSON
	UID    *uint32
	Inode  uint32
	Owners []struct {
		PID           int
		Comm, Program string
	}
}

// held reports whether a process of that name is among the owners.
func (r filterRow) held(name string) bool {
	for _, o := range r.Owners {
		if o.Comm == name || o.Program == name {
			return true
		}
	}
	return false
}

// by reports whether one of the processes is among the owners.
func (r filterRow) by(pids ...int) bool {
	for _, o := range r.Owners {
		if slices.Contains(pids, o.PID) {
			return true
		}
	}
	return false
}

// says reports whether a word is to be seen in the row, in any case.
func (r filterRow) says(word string) bool {
	text := r.Path
	for _, o := range r.Owners {
		text += "\n" + o.Comm + "\n" + o.Program
	}
	if r.Proto != "unix" {
		text += fmt.Sprintf("\n%s:%d\n%s:%d", r.LocalAddr, r.LocalPort, r.RemoteAddr, r.RemotePort)
	}
	return strings.Contains(strings.ToLower(text), strings.ToLower(word))
}

// key is what a row is known by in each source.
func (r filterRow) key() string {
	return fmt.Sprint(r.Proto, " ", r.LocalAddr, ":", r.LocalPort, " ", r.RemoteAddr, ":", r.RemotePort, " ", r.State, " ", r.Inode, " ", r.Path)
}

func keysOf(rows []filterRow) (keys []string) {
	for _, r := range rows {
		keys = append(keys, r.key())
	}
	slices.Sort(keys)
	return keys
}

// onceJSON is netlive --json with args.
func (s filterScene) onceJSON(t *testing.T, args ...string) (rows []filterRow) {
	t.Helper()
	if err := json.Unmarshal(runIn(t, s.ns, "netlive", append([]string{"--json"}, args...)...), &rows); err != nil {
		t.Fatal(err)
	}
	return rows
}

// frameJSON is the frame of netlive watch --json --count 1 with args, whose exit code says whether something matched.
func (s filterScene) frameJSON(t *testing.T, args ...string) []filterRow {
	t.Helper()
	p := start(t, s.ns, "netlive", append([]string{"watch", "--json", "--count", "1"}, args...)...)
	code, out, errs := p.wait()
	var frame struct{ Sockets []filterRow }
	if err := json.Unmarshal(out, &frame); err != nil {
		t.Fatalf("%q: %v\n%s", args, err, errs)
	}
	if want := map[bool]int{true: exitNothing, false: exitOK}[len(frame.Sockets) == 0]; code != want {
		t.Errorf("%q: exit code %d with %d sockets", args, code, len(frame.Sockets))
	}
	return frame.Sockets
}

// wordsOf is a row in words that ss, netstat and JSON can all be brought to.
func wordsOf(proto, local, remote string) string {
	end := func(s string) string {
		at := strings.LastIndexByte(s, ':')
		host := strings.Trim(s[:at], "[]")
		if host == "*" {
			host = "::"
		}
		return host + " " + s[at+1:]
	}
	if proto = strings.TrimSuffix(proto, "6"); strings.Contains(end(local), ":") {
		proto += "6"
	}
	return proto + " " + end(local) + " " + end(remote)
}

// ssRows is what ss shows of TCP and UDP.
func (s filterScene) ssRows(t *testing.T, args []string) (rows []string) {
	t.Helper()
	words := strings.Fields("-Hntu " + strings.Join(args, " ")) // of which ss knows states only as words of their own
	for line := range strings.Lines(string(runIn(t, s.ns, "ss", words...))) {
		f := strings.Fields(line) // the state, the second, is left out where there can be but one
		rows = append(rows, wordsOf(f[0], f[len(f)-2], f[len(f)-1]))
	}
	slices.Sort(rows)
	return rows
}

// tableRows is what netlive prints of TCP and UDP.
func (s filterScene) tableRows(t *testing.T, args []string) (rows []string) {
	t.Helper()
	for line := range strings.Lines(string(runIn(t, s.ns, "netlive", append([]string{"-ntuW"}, args...)...))) {
		if f := strings.Fields(line); strings.HasPrefix(line, "tcp") || strings.HasPrefix(line, "udp") {
			rows = append(rows, wordsOf(f[0], f[3], f[4]))
		}
	}
	slices.Sort(rows)
	return rows
}

// rowsOf brings rows of JSON to the same words.
func rowsOf(list []filterRow) (rows []string) {
	port := func(n uint16) string { return strings.Replace(fmt.Sprint(":", n), ":0", ":*", 1) }
	for _, r := range list {
		rows = append(rows, wordsOf(r.Proto, r.LocalAddr.String()+port(r.LocalPort), r.RemoteAddr.String()+port(r.RemotePort)))
	}
	slices.Sort(rows)
	return rows
}

// ss's filters show what ss shows, by -a or of what a state chooses, in the table and in JSON, from /proc and from the kernel.
func TestFiltersAreSS(t *testing.T) {
	t.Parallel()
	s := newFilterScene(t)
	for n, args := range [][]string{
		{"-a", "sport = :443"}, {"-a", "dport", "=", ":7301"}, {"-a", "sport != :443"}, {"-a", "sport", "gt", ":7000"},
		{"-a", "( sport = :443 or dport = :443 )"}, {"-a", "( sport = :https or sport = :80 ) dst 127/8"}, {"-a", "src 127.0.0.1:7301"},
		{"-a", "dst [::1]"}, {"-a", "not dst 127.0.0.0/8"}, {"-a", "src [::1] and not dport = :80"}, {"-a", "sport le :1000 or sport ge :7301"},
		{"-a", "dst 127.0.0.1 and sport != :443"}, {"-a", "src 0.0.0.0 or src [::]"},
		{"state", "established"}, {"state listening"}, {"state", "time-wait"}, {"state close-wait state fin-wait-2"}, {"state connected"},
		{"state all exclude listening"}, {"exclude", "established"}, {"state unconnected"}, {"state", "established", "( sport = :443 or dport = :443 )"},
		{"state listening sport gt :7000"}, {"state", "synchronized", "dst", "127.0.0.1"}, {"-l", "sport gt :5000"}, {"-4", "state", "established"},
		{"-6", "state listening"},
	} {
		name := strings.Join(args, " ")
		var want, text, once, live, after []string
		for range 5 { // a TIME_WAIT may end between two looks
			want = s.ssRows(t, args)
			text = s.tableRows(t, args)
			once = rowsOf(s.onceJSON(t, append([]string{"-tu"}, args...)...))
			live = rowsOf(s.frameJSON(t, append(append([]string{"-tu"}, sourceOf(n)...), args...)...))
			if after = s.ssRows(t, args); slices.Equal(want, after) {
				break
			}
		}
		switch {
		case !slices.Equal(want, after):
			t.Errorf("%s: ss changed its mind five times", name)
			continue
		case len(want) == 0:
			t.Errorf("%s shows nothing", name)
		}
		for source, got := range map[string][]string{"table": text, "JSON": once, "watch": live} {
			if !slices.Equal(got, want) {
				t.Errorf("%s, %s: %d rows, ss has %d\n%s", name, source, len(got), len(want), difference(strings.Join(got, "\n"), strings.Join(want, "\n")))
			}
		}
	}
}

// sourceOf is where watch reads for the nth filter: one of six from the kernel, whose programs take their time to load.
func sourceOf(n int) []string {
	if n%6 == 0 {
		return nil
	}
	return []string{"--source", "procfs"}
}

// What ss does not know is what the unfiltered table says, in all kinds of output; owners are found for the filter, and shown only if
// they are asked for.
func TestFilters(t *testing.T) {
	t.Parallel()
	s := newFilterScene(t)
	all := s.onceJSON(t, "-an")
	holder, tenant, shared := s.holder.Process.Pid, s.tenant.Process.Pid, s.shared.Process.Pid
	known := func(r filterRow) bool { return len(r.Owners) > 0 }
	inet := func(r filterRow) bool { return r.Proto != "unix" }
	port := func(r filterRow, ports ...uint16) bool {
		return inet(r) && (slices.Contains(ports, r.LocalPort) || slices.Contains(ports, r.RemotePort))
	}
	inode := all[slices.IndexFunc(all, func(r filterRow) bool { return r.Proto == "udp6" })].Inode
	second := regexp.MustCompile("^a-second")
	layouts := [][]string{{"-an"}, {"-anp"}, {"-a", "--numeric-hosts"}}
	var wholes [][]byte
	for _, options := range layouts {
		wholes = append(wholes, runIn(t, s.ns, "netlive", options...))
	}
	n := 0
	for text, want := range map[string]func(filterRow) bool{
		"proc = bash":          func(r filterRow) bool { return r.held("bash") },
		"proc cat":             func(r filterRow) bool { return r.held("cat") },
		"proc = a-second-name": func(r filterRow) bool { return r.held("a-second-name") },
		"proc ~ ^a-second": func(r filterRow) bool {
			return slices.ContainsFunc(r.Owners, func(o struct {
				PID           int
				Comm, Program string
			}) bool {
				return second.MatchString(o.Program)
			})
		},
		"proc != sockets":                             func(r filterRow) bool { return known(r) && !r.held("sockets") },
		"not proc in {sockets, tenant}":               func(r filterRow) bool { return known(r) && !r.held("sockets") && !r.held("tenant") },
		fmt.Sprint("pid = ", tenant):                  func(r filterRow) bool { return r.by(tenant) },
		fmt.Sprintf("pid in {%d,%d}", holder, shared): func(r filterRow) bool { return r.by(holder, shared) },
		fmt.Sprint("pid != ", holder):                 func(r filterRow) bool { return known(r) && !r.by(holder) },
		"TENANT":                                      func(r filterRow) bool { return r.says("tenant") },
		"!sockets":                                    func(r filterRow) bool { return !r.says("sockets") },
		"abstract":                                    func(r filterRow) bool { return r.says("abstract") },
		"0.0.1:53":                                    func(r filterRow) bool { return r.says("0.0.1:53") },
		"7301":                                        func(r filterRow) bool { return port(r, 7301) || r.by(7301) },
		fmt.Sprint(shared):                            func(r filterRow) bool { return r.by(shared) || port(r, uint16(min(shared, 1<<16-1))) },
		":443":                                        func(r filterRow) bool { return port(r, 443) },
		"port 5300-5302":                              func(r filterRow) bool { return port(r, 5300, 5301, 5302) },
		"127.0.0.1": func(r filterRow) bool {
			return inet(r) && (r.LocalAddr.String() == "127.0.0.1" || r.RemoteAddr.String() == "127.0.0.1")
		},
		"user = nobody":                       func(r filterRow) bool { return r.UID != nil && *r.UID == 65534 },
		"user != root":                        func(r filterRow) bool { return r.UID != nil && *r.UID != 0 },
		"uid = 0 and proto tcp":               func(r filterRow) bool { return *r.UID == 0 && strings.HasPrefix(r.Proto, "tcp") },
		fmt.Sprint("inode = ", inode):         func(r filterRow) bool { return r.Inode == inode },
		"inode 0":                             func(r filterRow) bool { return r.Inode == 0 },
		"proto = udp6":                        func(r filterRow) bool { return r.Proto == "udp6" },
		"proto in {raw, udplite4}":            func(r filterRow) bool { return r.Proto == "raw" || r.Proto == "udplite" },
		"family unix proc tenant":             func(r filterRow) bool { return r.Proto == "unix" && r.held("tenant") },
		"ipv6 and not proto tcp":              func(r filterRow) bool { return strings.HasSuffix(r.Proto, "6") && r.Proto != "tcp6" },
		fmt.Sprint("netns = ", s.ns.Inode()):  func(r filterRow) bool { return true },
		fmt.Sprint("netns != ", s.ns.Inode()): func(r filterRow) bool { return false },
		"state listen proc sockets":           func(r filterRow) bool { return strings.HasPrefix(r.State, "LISTEN") && r.held("sockets") },
		"state = time-wait or pid 1":          func(r filterRow) bool { return r.State == "TIME_WAIT" || r.by(1) },
		"port:7302 proto:udp":                 func(r filterRow) bool { return port(r, 7302) && r.Proto == "udp" },
	} {
		var chosen []filterRow
		for _, r := range all {
			if want(r) && (r.State != "TIME_WAIT") {
				chosen = append(chosen, r)
			}
		}
		keys := keysOf(chosen)
		if (len(keys) == 0) != strings.Contains(text, "netns !=") && !strings.Contains(text, "time-wait") {
			t.Errorf("%s: %d rows are to be shown", text, len(keys))
		}
		n++
		// Each in the table, and in one of the other ways by turns: all in all would take minutes.
		shown := map[string][]filterRow{"table": s.onceJSON(t, "-an", text)}
		switch n % 3 {
		case 0:
			shown["--filter"] = s.onceJSON(t, "-an", "--filter", text, "--filter", "state all")
		case 1:
			shown["watch"] = s.frameJSON(t, append(append([]string{"-an"}, sourceOf(n/3*2)...), text)...)
		}
		for name, rows := range shown {
			rows = slices.DeleteFunc(rows, func(r filterRow) bool { return r.State == "TIME_WAIT" }) // which ends when it likes
			if got := keysOf(rows); !slices.Equal(got, keys) {
				t.Errorf("%s, %s: %d rows, want %d\n%s", text, name, len(got), len(keys), difference(strings.Join(got, "\n"), strings.Join(keys, "\n")))
			}
		}
		// netstat's rows, of which none is another than without a filter.
		for i, options := range layouts {
			if n%3 != 2 || i != n/3%len(layouts) {
				continue
			}
			whole := wholes[i]
			part := runIn(t, s.ns, "netlive", append(options, text)...)
			rows, heads := 0, 0
			for line := range bytes.Lines(part) {
				at := bytes.Index(whole, line)
				if at < 0 {
					t.Errorf("%s, %q: a row that is not there without: %s", text, options, line)
					break
				}
				whole = whole[at+len(line):]
				switch {
				case bytes.HasPrefix(line, []byte("Active")), bytes.HasPrefix(line, []byte("Proto")):
					heads++
				case !bytes.Contains(line, []byte("TIME_WAIT")):
					rows++
				}
			}
			if rows != len(keys) || heads != 4 {
				t.Errorf("%s, %q: %d rows and %d heads, want %d rows", text, options, rows, heads, len(keys))
			}
		}
	}
}

// cgroup, unit and container are those of --unit: of the socket where the kernel tells, else of its owner.
func TestFiltersByUnit(t *testing.T) {
	kerneltest.RequireRoot(t)
	t.Parallel()
	root := cgroupMount(t)
	dir, err := os.MkdirTemp(root, "netlive-test-*.service")
	if err != nil {
		t.Fatal(err)
	}
	id := strings.Repeat("0123456789abcdef", 4)
	box := filepath.Join(dir, "docker-"+id+".scope")
	if err := os.Mkdir(box, 0o755); err != nil {
		t.Fatal(err)
	}
	ns := kerneltest.NetNS(t)
	in := func(dir string, port int) *process {
		p := start(t, ns, "bash", "-c", `echo $$ >"$1/cgroup.procs" && exec "$2" "$3"`, "bash", dir, "listener", fmt.Sprint(port))
		if line, err := p.out.ReadString('\n'); line != "ready\n" {
			t.Fatalf("%q, %v", line, err)
		}
		return p
	}
	listeners := []*process{in(dir, 8001), in(box, 8002), in(root, 8003)}
	t.Cleanup(func() {
		for _, p := range listeners {
			_ = p.stdin.Close()
			p.wait()
		}
		_, _ = os.Remove(box), os.Remove(dir)
	})
	s := filterScene{ns: ns}
	unit := filepath.Base(dir)
	for text, want := range map[string]string{
		"unit = " + unit: "8001",
		"unit " + strings.TrimSuffix(unit, ".service"): "8001",
		"unit ~ ^netlive-test-":                        "8001",
		"unit = 0123456789ab":                          "8002",
		"container = 0123456789ab":                     "8002",
		"container ~ .":                                "8002",
		"cgroup = /" + unit:                            "8001",
		"cgroup ~ ^/" + unit + "/":                     "8002",
		"cgroup = /":                                   "8003",
		"cgroup ~ " + unit + " port 8000-8002":         "8001 8002",
	} {
		for name, rows := range map[string][]filterRow{
			"table":        s.onceJSON(t, "-tln", text),
			"watch":        s.frameJSON(t, "-tln", text),
			"watch procfs": s.frameJSON(t, "-tln", "--source", "procfs", text),
		} {
			var got []string
			for _, r := range rows {
				got = append(got, fmt.Sprint(r.LocalPort))
			}
			slices.Sort(got)
			if strings.Join(got, " ") != want {
				t.Errorf("%s, %s: %q, want %s", text, name, got, want)
			}
		}
	}
}

// mainListener listens at the port that its argument names, says "ready", and holds on until its stdin ends.
func mainListener() {
	l, err := net.Listen("tcp4", "127.0.0.1:"+os.Args[1])
	if err == nil {
		fmt.Println("ready")
		_, err = io.Copy(io.Discard, os.Stdin)
		err = errors.Join(err, l.Close())
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// Rows come when they begin to match and go when they do not match any more.
func TestWatchFilter(t *testing.T) {
	kerneltest.RequireRoot(t)
	t.Parallel()
	for _, source := range []string{"ebpf", "procfs"} {
		t.Run(source, func(t *testing.T) {
			ns := kerneltest.NetNS(t)
			port, l := listen(t, ns)
			watch := start(t, ns, "netlive", "watch", "-n", "--json", "--interval", "50ms", "--source", source,
				"--filter", fmt.Sprint("port ", port), "(", "state", "established", "or", "state", "listen", ")", "proc", "~", `netlive\.test`)
			await := func(what string, want ...string) {
				t.Helper()
				for deadline := time.Now().Add(limit / 2); ; {
					var got []string
					for _, s := range watch.frame(time.Time{}).Sockets {
						got = append(got, s.State)
					}
					if slices.Sort(got); slices.Equal(got, want) {
						return
					}
					if time.Now().After(deadline) {
						t.Fatalf("%s: %q, want %q", what, got, want)
					}
				}
			}
			await("listening", "LISTEN")
			var c net.Conn
			ns.Do(func() {
				var err error
				if c, err = net.Dial("tcp4", l.Addr().String()); err != nil {
					t.Fatal(err)
				}
			})
			a, err := l.Accept()
			if err != nil {
				t.Fatal(err)
			}
			// A listener that speaks MPTCP and was there before has no owner to pass on: who reads is the owner.
			if _, err := c.Write([]byte("x")); err != nil {
				t.Fatal(err)
			}
			if _, err := a.Read(make([]byte, 1)); err != nil {
				t.Fatal(err)
			}
			await("connected", "ESTABLISHED", "ESTABLISHED", "LISTEN")
			if err := c.(*net.TCPConn).CloseWrite(); err != nil {
				t.Fatal(err)
			}
			await("half closed", "LISTEN") // FIN_WAIT2 and CLOSE_WAIT are other states
			if err := errors.Join(a.Close(), c.Close(), l.Close()); err != nil {
				t.Fatal(err)
			}
			await("closed")
			if code, _, _ := watch.end(unix.SIGINT); code != exitInterrupted {
				t.Errorf("exit code %d", code)
			}
		})
	}
}

// listen listens in ns at a port that is free.
func listen(t *testing.T, ns *kerneltest.NS) (port int, l net.Listener) {
	t.Helper()
	ns.Do(func() {
		var err error
		if l, err = net.Listen("tcp4", "127.0.0.1:0"); err != nil {
			t.Fatal(err)
		}
	})
	t.Cleanup(func() { _ = l.Close() })
	return l.Addr().(*net.TCPAddr).Port, l
}

// The screen says what the filter is and how many of how many match; who matched is shown when it closes.
func TestWatchFilterOnATerminal(t *testing.T) {
	kerneltest.RequireRoot(t)
	t.Parallel()
	for _, source := range []string{"ebpf", "procfs"} {
		t.Run(source, func(t *testing.T) {
			ns := kerneltest.NetNS(t)
			port, l := listen(t, ns)
			other, _ := listen(t, ns)
			filter := fmt.Sprintf("port = %d and state listen", port)
			term := newTerminal(t, ns, 120, 24, fmt.Sprintf("netlive watch -tn --source %s --interval 200ms %s", source, filter))
			screen := term.await("1 of 2: "+filter, fmt.Sprintf("127.0.0.1:%d", port), "LISTEN 1")
			if strings.Contains(screen, fmt.Sprintf("127.0.0.1:%d", other)) {
				t.Errorf("what does not match is shown:\n%s", screen)
			}
			if err := l.Close(); err != nil {
				t.Fatal(err)
			}
			term.await("0 of 1: "+filter, "-tcp", "closed")
			term.press("q")
			term.await("exit code 0")
		})
	}
}

// Colours are what --color says, then what the environment and the terminal do.
func TestColor(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		when   string
		tty    bool
		env    string
		want   bool
		screen string
	}{
		{"", true, "TERM=xterm", true, "TERM=xterm"}, {"auto", true, "TERM=xterm", true, "TERM=xterm"}, {"", false, "TERM=xterm", false, "TERM=xterm"},
		{"", true, "NO_COLOR=1 TERM=xterm", false, "NO_COLOR=1 TERM=xterm"}, {"auto", true, "TERM=dumb", false, "TERM=dumb"},
		{"always", false, "NO_COLOR=1 TERM=dumb", true, "TERM=dumb"}, {"never", true, "TERM=xterm", false, "TERM=xterm NO_COLOR=1"},
	} {
		s := streams{when: c.when, outTTY: c.tty, env: strings.Fields(c.env)}
		if got, screen := s.color(), strings.Join(s.screenEnv(), " "); got != c.want || screen != c.screen {
			t.Errorf("%+v: %v, %q", c, got, screen)
		}
	}
}

// A slip in a verb is told; a word that is none is searched for.
func TestVerbMeant(t *testing.T) {
	t.Parallel()
	for word, verb := range map[string]string{
		"wacht": "watch", "trce": "trace", "traces": "trace", "vers": "version", "state": "", "nginx": "", "established": "", "dport": "", "port": "",
		"main": "", "proc": "", "-wacht": "", "": "", "10.0.0.1": "", "exclude": "", "proto": "", "retrans": "",
	} {
		err := verbMeant([]string{word, "-t"}, streams{})
		var usage *options.Error
		if verb == "" && err != nil || verb != "" && (!errors.As(err, &usage) || usage.ExitCode != exitUsage || !strings.Contains(usage.Message, verb+"?")) {
			t.Errorf("%q: %v", word, err)
		}
	}
}
