// SPDX-License-Identifier: GPL-2.0-or-later

package tracer

import (
	"encoding/json"
	"errors"
	"io"
	"net"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"netlive/internal/kerneltest"
	"netlive/internal/sock"
	"netlive/internal/sock/socktest"
)

// stormEnv, when it is set, makes the test binary a storm that is described by it as JSON: sockets in
// a namespace need a process there.
const stormEnv = "NETLIVE_TEST_STORM"

// A role is what the test binary is in a process that a test starts.
type role interface {
	Run(in io.Reader, out io.Writer) error
}

func TestMain(m *testing.M) {
	for name, r := range map[string]role{stormEnv: &kerneltest.Storm{}, trafficEnv: &traffic{}} {
		text := os.Getenv(name)
		if text == "" {
			continue
		}
		err := json.Unmarshal([]byte(text), r)
		if err == nil {
			err = r.Run(os.Stdin, os.Stdout)
		}
		if err != nil {
			_, _ = os.Stderr.WriteString(err.Error() + "\n")
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// inRole is a command that runs the test binary in a role.
func inRole(t *testing.T, name string, r role) *exec.Cmd {
	t.Helper()
	text, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(os.Args[0])
	// Under the race detector each process would sleep for a second before it ends.
	cmd.Env = append(os.Environ(), name+"="+string(text), "GORACE=atexit_sleep_ms=0 "+os.Getenv("GORACE"))
	cmd.Stderr = os.Stderr
	return cmd
}

// storm runs a storm to its end in ns and returns what it says it did.
func storm(t *testing.T, ns *kerneltest.NS, s kerneltest.Storm) (kerneltest.StormReport, int) {
	t.Helper()
	cmd := inRole(t, stormEnv, s)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := ns.Start(cmd); err != nil {
		t.Fatal(err)
	}
	var report kerneltest.StormReport
	if err := json.NewDecoder(out).Decode(&report); err != nil {
		t.Fatalf("read the storm's report: %v", err)
	}
	if err := in.Close(); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Fatalf("storm: %v", err)
	}
	return report, cmd.Process.Pid
}

func open(t *testing.T, o Options) *Tracer {
	t.Helper()
	tr, err := Open(o)
	kerneltest.RequireBPF(t, err)
	t.Cleanup(func() {
		if err := tr.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return tr
}

// collect reads events until done says that it has seen enough. It fails the test when nothing comes for long.
func collect(t *testing.T, tr *Tracer, done func([]sock.Event) bool) []sock.Event {
	t.Helper()
	s, err := tr.Stream()
	if err != nil {
		t.Fatal(err)
	}
	// Next is ended by Close alone, so that a test that would hang says what it has.
	timeout := time.AfterFunc(30*time.Second, func() { _ = s.Close() })
	defer func() {
		if timeout.Stop() {
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		}
	}()
	var all []sock.Event
	buf := make([]sock.Event, 256)
	for !done(all) {
		n, err := s.Next(buf)
		all = append(all, buf[:n]...)
		if err != nil {
			t.Fatalf("after %d events: %v; the last: %+v", len(all), err, all[max(len(all)-5, 0):])
		}
	}
	return all
}

func TestSource(t *testing.T) {
	socktest.Run(t, socktest.Config{
		Open:    func(t *testing.T) socktest.Source { return openSource(t) },
		Protos:  Protos,
		Cookies: true,
	})
}

// openSource leaves the closing to the suite.
func openSource(t *testing.T) *Tracer {
	tr, err := Open(Options{})
	kerneltest.RequireBPF(t, err)
	return tr
}

// closed counts the ends in events.
func closed(events []sock.Event) (n int) {
	for i := range events {
		if events[i].Kind == sock.EventState && events[i].Socket.State == sock.Close {
			n++
		}
	}
	return n
}

type change struct{ from, to sock.State }

// changes lists the changes of each socket, in the order in which they were told.
func changes(events []sock.Event) map[sock.ID][]change {
	m := map[sock.ID][]change{}
	for i := range events {
		if e := &events[i]; e.Kind == sock.EventState {
			m[e.Socket.ID] = append(m[e.Socket.ID], change{e.Old, e.Socket.State})
		}
	}
	return m
}

var (
	resetClient = []change{{sock.Close, sock.SynSent}, {sock.SynSent, sock.Established}, {sock.Established, sock.Close}}
	resetServer = []change{{sock.Listen, sock.SynRecv}, {sock.SynRecv, sock.Established}, {sock.Established, sock.Close}}
	listener    = []change{{sock.Close, sock.Listen}, {sock.Listen, sock.Close}}
)

// Each change of each socket is told once and in order, and sockets are told apart although the kernel uses their addresses again at once.
func TestEveryChangeInOrder(t *testing.T) {
	kerneltest.RequireRoot(t)
	checkChanges(t, HookTyped)
}

// So does the classic hook, and it tells a connection's first change with the connection's own ends, which before Linux 6.15 are not yet
// known at that moment.
func TestEveryChangeByClassicHook(t *testing.T) {
	kerneltest.RequireRoot(t)
	kerneltest.MountTracefs(t)
	checkChanges(t, HookClassic)
}

func checkChanges(t *testing.T, hook Hook) {
	const connections = 500
	ns := kerneltest.NetNS(t)
	// The classic hook tells of all namespaces, and the tests of other packages run at full speed beside
	// this one: the ring has room for what they do meanwhile.
	const ring = 64 << 20
	tr := open(t, Options{Hook: hook, NetNS: ns.Inode(), Ring: ring})
	report, pid := storm(t, ns, kerneltest.Storm{Connections: connections, Workers: 1, List: true, Port: stormPort})
	var events []sock.Event
	seen, ends := 0, 0
	collect(t, tr, func(all []sock.Event) bool {
		fresh := slices.DeleteFunc(slices.Clone(all[seen:]), notTheStorms)
		seen, ends = len(all), ends+closed(fresh)
		events = append(events, fresh...)
		return ends >= 2*connections+1
	})
	got := changes(events)
	if hook == HookTyped {
		checkTyped(t, report, pid, events, got)
	}
	var kinds [3]int
	for id, list := range got {
		switch {
		case slices.Equal(list, resetClient):
			kinds[0]++
		case slices.Equal(list, resetServer):
			kinds[1]++
		case slices.Equal(list, listener):
			kinds[2]++
		default:
			t.Errorf("socket %#x: %v", id, list)
		}
	}
	if want := [3]int{connections, connections, 1}; kinds != want {
		t.Errorf("clients, servers, listeners: %v, want %v", kinds, want)
	}
	for i := range events {
		if s := &events[i].Socket; events[i].Old == sock.Listen && s.State == sock.SynRecv && s.Remote.Port() == 0 {
			t.Errorf("a connection from nowhere: %+v", s)
		}
	}
	if tr.Lost() != 0 {
		t.Errorf("%d events lost", tr.Lost())
	}
}

// stormPort is used by no other test, in whichever namespace.
const stormPort = 7999

// notTheStorms reports whether e is of a socket that this test's storm did not make.
func notTheStorms(e sock.Event) bool {
	return e.Socket.Local.Port() != stormPort && e.Socket.Remote.Port() != stormPort
}

// checkTyped holds what the typed hook says against the program that made the sockets.
func checkTyped(t *testing.T, report kerneltest.StormReport, pid int, events []sock.Event, got map[sock.ID][]change) {
	for _, c := range report.Connections {
		if !slices.Equal(got[sock.ID(c.Client)], resetClient) {
			t.Errorf("client %d: %v", c.Client, got[sock.ID(c.Client)])
		}
		if !slices.Equal(got[sock.ID(c.Server)], resetServer) {
			t.Errorf("server %d: %v", c.Server, got[sock.ID(c.Server)])
		}
	}
	for i := range events {
		e := &events[i]
		o := &e.Socket.Owner
		if o.PID != uint32(pid) || o.How == sock.HowUnknown || o.Comm == (sock.Comm{}) {
			t.Fatalf("event %d: owner %+v, want pid %d", i, *o, pid)
		}
		if e.Old == sock.Established && e.InOld <= 0 {
			t.Fatalf("event %d: %v in %v", i, e.InOld, e.Old)
		}
		if e.Socket.Local.Port() == 0 && e.Socket.State != sock.SynSent {
			t.Fatalf("event %d: no local port: %+v", i, e.Socket)
		}
	}
}

// Events of other namespaces than the one asked for are not told.
func TestOneNamespace(t *testing.T) {
	kerneltest.RequireRoot(t)
	ours, other := kerneltest.NetNS(t), kerneltest.NetNS(t)
	tr := open(t, Options{NetNS: ours.Inode()})
	storm(t, other, kerneltest.Storm{Connections: 10, Workers: 1})
	storm(t, ours, kerneltest.Storm{Connections: 1, Workers: 1})
	events := collect(t, tr, func(all []sock.Event) bool { return closed(all) >= 3 })
	if len(events) != 8 {
		t.Errorf("%d events, want 8", len(events))
	}
	for i := range events {
		if events[i].Socket.NetNS != ours.Inode() {
			t.Errorf("event of namespace %d", events[i].Socket.NetNS)
		}
	}
}

// A connection that was closed in good order is kept by the kernel as a minisocket; the last event says in which state.
func TestMinisockets(t *testing.T) {
	kerneltest.RequireRoot(t)
	ns := kerneltest.NetNS(t)
	tr := open(t, Options{NetNS: ns.Inode()})
	var first, second net.Conn // the one that closes first is kept
	ns.Do(func() {
		l, err := net.Listen("tcp4", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		if second, err = net.Dial("tcp4", l.Addr().String()); err != nil {
			t.Fatal(err)
		}
		if first, err = l.Accept(); err != nil {
			t.Fatal(err)
		}
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
	})
	port := first.LocalAddr().(*net.TCPAddr).Port
	if err := errors.Join(first.Close(), second.Close()); err != nil {
		t.Fatal(err)
	}
	events := collect(t, tr, func(all []sock.Event) bool { return closed(all) >= 3 })
	var kept []sock.State
	for i := range events {
		if e := &events[i]; e.Mini != sock.StateNone {
			if int(e.Socket.Local.Port()) != port || e.Socket.State != sock.Close {
				t.Errorf("kept as %v: %+v", e.Mini, e.Socket)
			}
			kept = append(kept, e.Mini)
		}
	}
	// Whether the FIN of the other side was there before the full socket went is a matter of microseconds.
	if !slices.Equal(kept, []sock.State{sock.TimeWait}) && !slices.Equal(kept, []sock.State{sock.FinWait2}) {
		t.Errorf("kept as %v", kept)
	}
}

// The row of a request and the news of the connection that it becomes have one name for it.
func TestRequestAndItsConnection(t *testing.T) {
	kerneltest.RequireRoot(t)
	ns := kerneltest.NetNS(t)
	tr := open(t, Options{NetNS: ns.Inode()})
	for _, network := range []string{"tcp4", "tcp6", "tcp"} { // the last is IPv4 at an IPv6 socket
		var request sock.ID
		ns.Do(func() {
			lc := net.ListenConfig{Control: func(_, _ string, c syscall.RawConn) error {
				var err error
				return errors.Join(c.Control(func(fd uintptr) {
					// The handshake is complete for the listener with the first data only.
					err = unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_DEFER_ACCEPT, 10)
				}), err)
			}}
			lc.SetMultipathTCP(false)
			l, err := lc.Listen(t.Context(), network, ":0")
			if err != nil {
				t.Fatal(err)
			}
			defer l.Close()
			to := map[string]string{"tcp4": "127.0.0.1", "tcp6": "::1", "tcp": "127.0.0.1"}[network]
			c, err := net.Dial("tcp", net.JoinHostPort(to, strconv.Itoa(l.Addr().(*net.TCPAddr).Port)))
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			snap, err := tr.Snapshot(t.Context(), sock.Want{Protos: sock.ProtosTCP})
			if err != nil {
				t.Fatal(err)
			}
			for _, s := range snap.Sockets {
				if s.State == sock.SynRecv {
					request = s.ID
				}
			}
			if request.Cookie() != 0 || request == 0 {
				t.Fatalf("%s: request %#x among %+v", network, request, snap.Sockets)
			}
			if _, err := c.Write([]byte("data")); err != nil {
				t.Fatal(err)
			}
			a, err := l.Accept()
			if err != nil {
				t.Fatal(err)
			}
			if err := a.Close(); err != nil {
				t.Fatal(err)
			}
		})
		collect(t, tr, func(all []sock.Event) bool {
			return slices.ContainsFunc(all, func(e sock.Event) bool {
				return e.Old == sock.SynRecv && e.Socket.State == sock.Established && e.Request == request
			})
		})
	}
}

// Where the privilege is missing the error says so in a way that callers can decide by.
func TestNoPermission(t *testing.T) {
	kerneltest.RequireRoot(t)
	if os.Getenv("NETLIVE_TEST_NOBODY") != "" {
		_, err := Open(Options{})
		if !errors.Is(err, os.ErrPermission) {
			t.Errorf("Open: %v, want %v", err, os.ErrPermission)
		}
		return
	}
	cmd := exec.Command("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--bounding-set=-all",
		"/proc/self/fd/3", "-test.run=^TestNoPermission$")
	binary, err := os.Open(os.Args[0])
	if err != nil {
		t.Fatal(err)
	}
	defer binary.Close()
	cmd.ExtraFiles = []*os.File{binary}
	cmd.Env = append(os.Environ(), "NETLIVE_TEST_NOBODY=1")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Errorf("as nobody: %v\n%s", err, out)
	}
}

// Kernels before 6.3 have fewer tracepoints; what does not need those is told all the same.
func TestFewerTracepoints(t *testing.T) {
	kerneltest.RequireRoot(t)
	for _, c := range []struct {
		events, lacks sock.EventSet
		late          []string
	}{
		{0, 0, []string{bpfProgWatchWrite, bpfProgWatchData, bpfProgWatchReceive}},
		{
			everything, sock.Events(sock.EventOverflow, sock.EventDrop, sock.EventError),
			[]string{bpfProgWatchWrite, bpfProgWatchQueue, bpfProgWatchReceive, bpfProgWatchDrop, bpfProgWatchError},
		},
		// Each lack costs its own.
		{everything, sock.Events(sock.EventError), []string{bpfProgWatchError}},
		{everything, sock.Events(sock.EventDrop), []string{bpfProgWatchDrop}},
	} {
		o := Options{Table: true, Events: c.events}
		spec, err := openSpec(o)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range c.late {
			spec.Programs[name].AttachTo = "no_such_tracepoint"
		}
		tr, err := openTyped(spec, o)
		kerneltest.RequireBPF(t, err)
		for _, name := range c.late {
			if tr.coll.Programs[name] != nil {
				t.Errorf("%s was loaded", name)
			}
		}
		for name := range latePrograms {
			if o.programs()[name] && !slices.Contains(c.late, name) && tr.coll.Programs[name] == nil {
				t.Errorf("%s was not loaded", name)
			}
		}
		if tr.coll.Programs[bpfProgWatchTcpState] == nil || tr.Announced().Owners == (len(c.late) > 1) || (tr.Announced().Protos == 0) != (len(c.late) > 1) {
			t.Errorf("announced: %+v", tr.Announced())
		}
		if tr.Lacks() != c.lacks {
			t.Errorf("lacks %b, want %b", tr.Lacks(), c.lacks)
		}
		if err := tr.Close(); err != nil {
			t.Error(err)
		}
	}
}

// What is not of the family that is asked for never comes to the reader.
func TestFamily(t *testing.T) {
	kerneltest.RequireRoot(t)
	ns := kerneltest.NetNS(t)
	connect := func(family int, a unix.Sockaddr) {
		var fds [2]int
		ns.Do(func() {
			for i := range fds {
				var err error
				fds[i], err = unix.Socket(family, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
				must(t, err)
			}
			must(t, unix.Bind(fds[0], a))
			must(t, unix.Listen(fds[0], 1))
			at, err := unix.Getsockname(fds[0])
			must(t, err)
			must(t, unix.Connect(fds[1], at))
		})
		must(t, unix.Close(fds[1]))
		must(t, unix.Close(fds[0]))
	}
	for _, c := range []struct {
		tcp  sock.ProtoSet
		want sock.ProtoSet
	}{{0, sock.ProtosTCP}, {sock.ProtosTCP, sock.ProtosTCP}, {sock.Protos(sock.TCP), sock.Protos(sock.TCP)}, {sock.Protos(sock.TCP6), sock.Protos(sock.TCP6)}} {
		tr := open(t, Options{NetNS: ns.Inode(), TCP: c.tcp})
		stream, err := tr.Stream()
		must(t, err)
		connect(unix.AF_INET, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}})
		connect(unix.AF_INET6, &unix.SockaddrInet6{Addr: [16]byte{15: 1}})
		must(t, stream.Finish())
		var got sock.ProtoSet
		for buf := make([]sock.Event, 64); ; {
			n, err := stream.Next(buf)
			for _, e := range buf[:n] {
				got |= sock.Protos(e.Socket.Proto)
			}
			if err != nil {
				break
			}
		}
		if got != c.want {
			t.Errorf("asked for %b: events of %b, want %b", c.tcp, got, c.want)
		}
		must(t, stream.Close())
	}
}
