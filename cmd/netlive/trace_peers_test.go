// SPDX-License-Identifier: GPL-2.0-or-later

package main

import (
	"fmt"
	"math"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"netlive/internal/kerneltest"
)

// peerPort is that of the server that the peers are told to listen to: they hear of all namespaces, so it is no other test's of any package.
const peerPort = 7963

// lifePeer is another tracer of the lives of connections, two processes of it: one hears of sockets with the local port and one of those with
// the remote port.
type lifePeer struct {
	name  string
	procs [2]*process
	mu    sync.Mutex
	lines [2][]string // guarded by mu
}

// startPeer starts a peer. It does not say when it hears: it is knocked at until it does.
func startPeer(t *testing.T, ns *kerneltest.NS, name string) *lifePeer {
	t.Helper()
	p := &lifePeer{name: name}
	for i, option := range []string{"-L", "-D"} {
		proc := start(t, ns, "stdbuf", "-oL", tool(t, name), "-w", option, itoa(peerPort))
		p.procs[i] = proc
		go func() {
			for {
				line, err := proc.out.ReadString('\n')
				if err != nil {
					return
				}
				p.mu.Lock()
				p.lines[i] = append(p.lines[i], line)
				p.mu.Unlock()
			}
		}()
	}
	return p
}

// read are the lines so far, in words.
func (p *lifePeer) read() (lines [][]string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, from := range p.lines {
		for _, line := range from {
			if f := strings.Fields(line); f[0] != "PID" && f[0] != "SKADDR" { // its heads
				lines = append(lines, f)
			}
		}
	}
	return lines
}

// hears reports whether both have told something.
func (p *lifePeer) hears() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.lines[0]) > 1 && len(p.lines[1]) > 1
}

// peerLife is the life of one end of a connection, as a peer tells it.
type peerLife struct {
	pid      int
	duration time.Duration
	states   map[string]time.Duration // tcpstates alone
	tx, rx   float64                  // kilobytes, tcplife alone
}

// peerEnds are those of a line: LADDR LPORT RADDR RPORT.
func peerEnds(t *testing.T, f []string) ends {
	t.Helper()
	end := func(addr, port string) netip.AddrPort {
		n, err := strconv.ParseUint(port, 10, 16)
		if err != nil {
			t.Fatalf("%q: %v", f, err)
		}
		return parseAddr(addr, int(n))
	}
	return ends{end(f[0], f[1]), end(f[2], f[3])}
}

func milliseconds(t *testing.T, text string) time.Duration {
	t.Helper()
	n, err := strconv.ParseFloat(text, 64)
	if err != nil {
		t.Fatal(err)
	}
	return time.Duration(n * float64(time.Millisecond))
}

// tcplifeLives reads what has a line a connection: PID COMM LADDR LPORT RADDR RPORT TX_KB RX_KB MS.
func tcplifeLives(t *testing.T, lines [][]string) map[ends][]peerLife {
	t.Helper()
	lives := map[ends][]peerLife{}
	for _, f := range lines {
		pid, err := strconv.Atoi(f[0])
		if err != nil || len(f) != 9 {
			t.Fatalf("tcplife: %q", f)
		}
		l := peerLife{pid: pid, duration: milliseconds(t, f[8])}
		l.tx, l.rx = milliseconds(t, f[6]).Seconds()*1000, milliseconds(t, f[7]).Seconds()*1000
		e := peerEnds(t, f[2:])
		lives[e] = append(lives[e], l)
	}
	return lives
}

// tcpstatesLives reads what has a line a change: SKADDR PID COMM IP LADDR LPORT RADDR RPORT OLDSTATE -> NEWSTATE MS.
func tcpstatesLives(t *testing.T, lines [][]string) map[ends][]peerLife {
	t.Helper()
	lives, under := map[ends][]peerLife{}, map[string]*peerLife{}
	for _, f := range lines {
		pid, err := strconv.Atoi(f[1])
		if err != nil || len(f) != 12 {
			t.Fatalf("tcpstates: %q", f)
		}
		old, state := f[8], f[10]
		if old == "CLOSE" || old == "LISTEN" {
			under[f[0]] = &peerLife{states: map[string]time.Duration{}}
			continue
		}
		l := under[f[0]]
		if l == nil {
			continue // it was there before
		}
		in := milliseconds(t, f[11])
		l.pid, l.duration = pid, l.duration+in
		l.states[old] += in
		if state == "CLOSE" {
			e := peerEnds(t, f[4:])
			lives[e] = append(lives[e], *l)
			delete(under, f[0])
		}
	}
	return lives
}

// The tools of libbpf that trace connections tell of the same ones, and of lives of the same length. Who has the other end of an accepted
// connection they take from who happens to be on the processor: ours names who has it.
func TestTracePeers(t *testing.T) {
	kerneltest.RequireRoot(t)
	t.Parallel()
	// Theirs are programs of the classic tracepoint; a kernel without kprobes runs them too.
	kerneltest.MountTracefs(t)
	newBlindSpot(t).plays(t, func() (*trial, []string) {
		g := makeTrial(t)
		g.ports = []int{peerPort}
		return g, g.attempt(g.peers)
	})
}

func (g *trial) peers() (wrong []string) {
	t := g.t
	bad := func(format string, args ...any) { wrong = append(wrong, fmt.Sprintf(format, args...)) }
	g.trace = start(t, g.ns, "netlive", "trace", "--event", "close", "--json")
	g.trace.awaitBegin()
	g.lines = told(g.trace)
	peers := []*lifePeer{startPeer(t, g.ns, "tcplife"), startPeer(t, g.ns, "tcpstates")}
	knocks := map[ends]bool{}
	for deadline := time.Now().Add(limit / 2); ; {
		hear := true
		for _, p := range peers {
			hear = hear && p.hears()
		}
		if hear {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("the peers never told of anything")
		}
		g.ns.Do(func() { knockPeers(t, knocks) })
	}

	const connections = 50
	server, client := g.player("server"), g.player("client")
	l := server.socket("listener", false, 0).set(unix.SOL_SOCKET, unix.SO_REUSEADDR, 1).bind(fmt.Sprint("127.0.0.1:", peerPort)).listen(8)
	type truth struct {
		pid            int
		sent, received int
		accepted       bool
	}
	truths := map[ends]truth{}
	for i := range connections {
		c := l.opens(fmt.Sprint("client ", i))
		s := l.accepts(fmt.Sprint("server ", i))
		there, back := 1+i*1000, 1+i*100
		c.writes(there)
		s.reads(there)
		s.writes(back)
		c.reads(back)
		truths[ends{c.local, c.remote}] = truth{client.pid, there, back, false}
		truths[ends{s.local, s.remote}] = truth{server.pid, back, there, true}
		switch i % 3 {
		case 0:
			c.close()
			s.readsEnd()
			s.close()
		case 1:
			s.close()
			c.readsEnd()
			c.close()
		case 2:
			c.resets()
			s.close()
		}
	}

	got := map[ends]toldJSON{}
	for len(got) < len(truths) {
		e := g.awaitTold("all ends", func(*toldJSON) bool { return true })
		is := ends{e.local(), e.remote()}
		want, ok := truths[is]
		if _, again := got[is]; again || !ok || e.Event != "close" || e.Duration == nil {
			t.Fatalf("told: %+v", e)
		}
		got[is] = e
		if len(e.Owners) != 1 || e.Owners[0].PID != want.pid || e.Peer == nil || e.Peer.PID != server.pid+client.pid-want.pid {
			bad("%v is of process %d, told: %+v, peer %+v", is, want.pid, e.Owners, e.Peer)
		}
		if int(e.Sent) != want.sent || int(e.Received) != want.received {
			bad("%v: sent %d, received %d, it was %+v", is, e.Sent, e.Received, want)
		}
	}
	lives := map[string]func(*testing.T, [][]string) map[ends][]peerLife{"tcplife": tcplifeLives, "tcpstates": tcpstatesLives}
	for _, p := range peers {
		var theirs map[ends][]peerLife
		for deadline := time.Now().Add(limit / 4); ; {
			theirs = lives[p.name](t, p.read())
			all := 0
			for is := range truths {
				all += len(theirs[is])
			}
			if all == len(truths) || time.Now().After(deadline) {
				break
			}
		}
		others := 0
		compared, far := 0, []string(nil)
		for is, want := range truths {
			e, his := got[is], theirs[is]
			if len(his) != 1 {
				bad("%s told %d times of %v: %+v", p.name, len(his), is, his)
				continue
			}
			near := func(what string, us int64, theirs time.Duration) {
				compared++
				if (time.Duration(us)*time.Microsecond - theirs).Abs() > time.Millisecond {
					far = append(far, fmt.Sprintf("%s: %v: %s %v, ours %d us", p.name, is, what, theirs, us))
				}
			}
			near("duration", *e.Duration, his[0].duration)
			for state, in := range his[0].states {
				near(state, deref(e.States[state]), in)
			}
			if kilobyte := 1024.0; his[0].states == nil && math.Abs(his[0].rx-float64(want.received)/kilobyte) > 0.02 {
				bad("%s: %v received %.2f kB, it was %+v", p.name, is, his[0].rx, want)
			}
			if his[0].pid != want.pid && want.accepted {
				others++
			}
		}
		// The programs of a hook run one after the other, each with a clock of its own, and between two of them a busy machine may take the
		// processor away.
		if len(far) > compared/20 {
			bad("%d of %d times are not theirs:\n%s", len(far), compared, strings.Join(far, "\n"))
		}
		for is := range theirs {
			if _, ok := truths[is]; !ok && !knocks[is] {
				bad("%s tells of %v, which ours does not", p.name, is)
			}
		}
		t.Logf("%s: %d ends of connections; of %d of the %d accepted ones it names another process; %d of %d times differ by more than 1 ms",
			p.name, len(truths), others, connections, len(far), compared)
	}
	return wrong
}

// knockPeers makes two connections that are refused, from the peers' port and to it, in the calling thread's namespace.
func knockPeers(t *testing.T, knocks map[ends]bool) {
	t.Helper()
	for _, c := range []struct{ from, to int }{{peerPort, 9}, {0, peerPort}} {
		fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
		if err != nil {
			t.Fatal(err)
		}
		// The one before may not be gone yet: what the test forks has it until it runs its program.
		if err := unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_REUSEADDR, 1); err != nil {
			t.Fatal(err)
		}
		to := unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}, Port: c.to}
		from := unix.SockaddrInet4{Addr: to.Addr, Port: c.from}
		if err := unix.Bind(fd, &from); err != nil {
			t.Fatal(err)
		}
		is, err := unix.Getsockname(fd)
		if err != nil {
			t.Fatal(err)
		}
		if err := unix.Connect(fd, &to); err != unix.ECONNREFUSED {
			t.Fatal(err)
		}
		unix.Close(fd)
		knocks[ends{end(is), end(&to)}] = true
	}
}
