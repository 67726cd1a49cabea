// SPDX-License-Identifier: GPL-2.0-or-later

package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"net/netip"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"netlive/internal/kerneltest"
)

// toldJSON is any event as a reader of netlive trace --json has it.
type toldJSON struct {
	eventJSON
	Connect    *int64            `json:"connect_us"`
	AcceptWait *int64            `json:"accept_wait_us"`
	Duration   *int64            `json:"duration_us"`
	States     map[string]*int64 `json:"states_us"`
	Sent       uint64            `json:"bytes_sent"`
	Received   uint64            `json:"bytes_received"`
	BytesAgain uint64            `json:"bytes_retrans"`
	SegsOut    uint32            `json:"segs_out"`
	SegsIn     uint32            `json:"segs_in"`
	Retrans    uint32
	RTT        *int64 `json:"rtt_us"`
	MinRTT     *int64 `json:"min_rtt_us"`
	ClosedBy   string `json:"closed_by"`
	End        string
	Reason     string
	Errno      string
	Signal     string
	Exited     bool
	Peer       *peerJSON
	Direction  string
	Segment    string
	Seq, Len   *uint32
	Nth        int
	Backlog    int
	MaxBacklog int `json:"max_backlog"`
	Dropped    int
	Stack      []string
}

type peerJSON struct {
	ownerJSON
	NetNS uint32
}

func (e *toldJSON) local() netip.AddrPort  { return parseAddr(e.LocalAddr, e.LocalPort) }
func (e *toldJSON) remote() netip.AddrPort { return parseAddr(e.RemoteAddr, e.RemotePort) }

// plot is something that happens to connections, and what trace must tell of it.
type plot struct {
	name string
	// lacks says what this machine lacks for the case; nil needs nothing.
	lacks func(*testing.T) string
	play  func(*trial)
	want  []account
	// more is what words do not say.
	more func(*trial)
}

// account is all that must be told of one socket, but for its changes of state.
type account struct {
	// end is the name that the case gave the socket. "as NAME" is what is told of its ends without naming the socket (of a request, or of a
	// minisocket), "against NAME" the same of the other end's.
	end string
	// told are the events in their order, in the words of say, parted by semicolons.
	told string
}

// Each outcome in a namespace of its own, under a trace of all events; the referee says what happened, and the kernel by other ways.
func TestTraceOutcomes(t *testing.T) {
	kerneltest.RequireRoot(t)
	for _, c := range plots {
		t.Run(strings.ReplaceAll(c.name, " ", "_"), func(t *testing.T) {
			t.Parallel()
			if c.lacks != nil {
				if lack := c.lacks(t); lack != "" {
					t.Skipf("not to be had here: %s", lack)
				}
			}
			g := newTrial(t)
			c.play(g)
			g.finish()
			wrong := g.judge(c.want)
			if len(wrong) > 0 {
				t.Errorf("%s\nwhat the referee did:\n%s", strings.Join(wrong, "\n"), g.log())
				return
			}
			if c.more != nil {
				c.more(g)
			}
		})
	}
}

// trial is a case under way.
type trial struct {
	*game
	trace *process
	lines chan toldJSON
	// events are all that were told so far, but for the changes of state, which are in states; by cookie.
	events []toldJSON
	states map[uint64][]toldJSON
	// elsewhere are the namespaces of sockets that are in another than ns.
	elsewhere map[string]uint32
}

// newTrial starts a trace of all events in a namespace of its own.
func newTrial(t *testing.T, args ...string) *trial {
	t.Helper()
	g := &trial{game: newGame(t), states: map[uint64][]toldJSON{}, elsewhere: map[string]uint32{}}
	g.trace = start(t, g.ns, "netlive", append([]string{"trace", "--json", "--event", "all"}, args...)...)
	g.trace.awaitBegin()
	g.lines = told(g.trace)
	return g
}

// told hands over what a trace tells until it ends.
func told(trace *process) chan toldJSON {
	lines := make(chan toldJSON, 1<<16)
	go func() {
		defer close(lines)
		decoder := json.NewDecoder(trace.out)
		for {
			var e toldJSON
			if err := decoder.Decode(&e); err != nil {
				if !strings.Contains(err.Error(), "EOF") && !strings.Contains(err.Error(), "closed") {
					trace.t.Errorf("an event: %v", err)
				}
				return
			}
			lines <- e
		}
	}()
	return lines
}

// awaitTold takes in events up to one for which is holds, and returns it.
func (g *trial) awaitTold(what string, is func(e *toldJSON) bool) toldJSON {
	g.t.Helper()
	deadline := time.After(limit / 2)
	for {
		select {
		case e, ok := <-g.lines:
			if !ok {
				g.t.Fatalf("trace ended before %s", what)
			}
			switch e.Event {
			case "lost", "resync":
				g.t.Fatalf("trace lost events: %+v", e)
			case "state":
				g.states[e.Cookie] = append(g.states[e.Cookie], e)
			default:
				g.events = append(g.events, e)
			}
			if is(&e) {
				return e
			}
		case <-deadline:
			g.t.Fatalf("never told: %s\n%s", what, g.log())
		}
	}
}

// awaitEvent waits for an event of a socket, which may have been told already.
func (g *trial) awaitEvent(e *endpoint, kind string) toldJSON {
	g.t.Helper()
	for _, old := range g.events {
		if old.Cookie == e.cookie && old.Event == kind {
			return old
		}
	}
	return g.awaitTold(kind+" of "+e.name, func(n *toldJSON) bool { return n.Cookie == e.cookie && n.Event == kind })
}

// finish ends the trace when all is told that has happened.
func (g *trial) finish() {
	g.t.Helper()
	var cookie uint64
	g.ns.Do(func() { cookie = refused(g.t) })
	var last toldJSON
	g.awaitTold("the end", func(e *toldJSON) bool {
		last = *e
		return e.Cookie == cookie && e.Event == "error"
	})
	g.events = slices.DeleteFunc(g.events, func(e toldJSON) bool {
		return e.Cookie == cookie || e.local() == last.remote() && e.remote() == last.local()
	})
	delete(g.states, cookie)
	go func() {
		for range g.lines { // what comes later is nobody's
		}
	}()
	if code, _, errs := g.trace.end(unix.SIGINT); code != exitInterrupted || len(errs) > 0 {
		g.t.Errorf("trace: exit code %d, stderr %q", code, errs)
	}
}

// refused makes a connection to where nobody listens, in the calling thread's namespace, and says by which socket: all that came before is
// told when that is.
func refused(t *testing.T) (cookie uint64) {
	t.Helper()
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	if cookie, err = unix.GetsockoptUint64(fd, unix.SOL_SOCKET, unix.SO_COOKIE); err != nil {
		t.Fatal(err)
	}
	if err := unix.Connect(fd, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}, Port: 9}); err != unix.ECONNREFUSED {
		t.Fatalf("somebody listens where nobody should: %v", err)
	}
	return cookie
}

// name is the name that an account has what the event is of by.
func (g *trial) name(e *toldJSON) string {
	for name, s := range g.sockets {
		if e.Cookie != 0 && s.cookie == e.Cookie {
			return name
		}
	}
	for name, s := range g.sockets {
		if e.Cookie != 0 || !s.remote.IsValid() || s.remote.Port() == 0 {
			continue
		}
		switch {
		case e.local() == s.local && e.remote() == s.remote:
			return "as " + name
		case e.local() == s.remote && e.remote() == s.local:
			return "against " + name
		}
	}
	return fmt.Sprintf("cookie %d %v %v", e.Cookie, e.local(), e.remote())
}

// say says of an event what does not depend on time.
func (g *trial) say(e *toldJSON) string {
	words := []string{e.Event}
	add := func(ok bool, format string, args ...any) {
		if ok {
			words = append(words, fmt.Sprintf(format, args...))
		}
	}
	switch e.Event {
	case "open":
		add(e.Connect == nil, "for an unknown time")
	case "accept":
		add(e.AcceptWait == nil, "after an unknown time")
	case "fail", "close":
		add(true, "%s", cmp.Or(e.End, "somehow"))
		add(e.ClosedBy != "", "by %s", e.ClosedBy)
	case "reset":
		add(true, "%s", cmp.Or(e.Direction, "somehow"))
	case "retransmit", "drop":
		add(true, "%s", cmp.Or(e.Segment, "something"))
		add(e.Len != nil && *e.Len > 0, "of %d", deref(e.Len))
		add(e.Nth > 0, "nth %d", e.Nth)
	case "overflow":
		add(true, "%d of %d", e.Backlog, e.MaxBacklog)
		add(e.Dropped > 0, "dropped %d", e.Dropped)
	}
	add(e.Errno != "", "%s", e.Errno)
	add(e.Reason != "", "%s", e.Reason)
	if e.Event == "fail" || e.Event == "close" {
		add(e.Signal != "", "%s", e.Signal)
		add(e.Exited, "exited")
		add(e.Sent > 0, "sent %d", e.Sent)
		add(e.Received > 0, "received %d", e.Received)
		add(e.BytesAgain > 0, "again %d", e.BytesAgain)
		add(e.Retrans > 0, "retrans %d", e.Retrans)
		add(e.Connect != nil, "opened")
		add(e.AcceptWait != nil, "waited")
		add(e.Duration == nil, "of unknown age")
		if e.Peer != nil {
			add(true, "peer %s", g.owners([]ownerJSON{e.Peer.ownerJSON}))
			add(e.Peer.NetNS != e.NetNS, "elsewhere")
		}
	}
	return strings.Join(words, " ")
}

func deref[T any](p *T) (v T) {
	if p != nil {
		v = *p
	}
	return v
}

// judge says what trace told wrong.
func (g *trial) judge(want []account) (wrong []string) {
	got := map[string][]string{}
	owners := map[string]string{}
	for i := range g.events {
		e := &g.events[i]
		name := g.name(e)
		if is := g.owners(e.Owners); is != cmp.Or(owners[name], "-") {
			owners[name] = is
			got[name] = append(got[name], "@"+is)
		}
		got[name] = append(got[name], g.say(e))
		wrong = append(wrong, g.consistent(name, e)...)
	}
	for _, a := range want {
		if is := strings.Join(got[a.end], "; "); is != a.told {
			wrong = append(wrong, fmt.Sprintf("%s: told\n\t%q, want\n\t%q", a.end, is, a.told))
		}
		delete(got, a.end)
	}
	for _, name := range slices.Sorted(maps.Keys(got)) {
		wrong = append(wrong, fmt.Sprintf("of %s nothing was to be told: %q", name, strings.Join(got[name], "; ")))
	}
	return append(wrong, g.endings()...)
}

// consistent says where an event contradicts itself, what the referee knows of the socket, or the changes of state that were told of it.
func (g *trial) consistent(name string, e *toldJSON) (wrong []string) {
	bad := func(format string, args ...any) {
		wrong = append(wrong, fmt.Sprintf("%s: %s: ", name, e.Event)+fmt.Sprintf(format, args...))
	}
	s := g.sockets[name]
	switch {
	case s == nil || s.moves || e.Event == "bind":
	case e.local() != s.local || e.remote() != s.remote:
		if e.local().Port() != 0 || e.remote() != s.remote { // connect(2) has not chosen it yet
			bad("of %v %v, it is %v %v", e.local(), e.remote(), s.local, s.remote)
		}
	}
	if where := cmp.Or(g.elsewhere[name], g.ns.Inode()); e.NetNS != where {
		bad("in namespace %d, it is in %d", e.NetNS, where)
	}
	if e.Event != "fail" && e.Event != "close" {
		return wrong
	}
	// The states are those that were told of this life, which begins with the last change that began one.
	spent := map[string]int64{}
	unknown := false
	for _, c := range g.states[e.Cookie] {
		switch {
		case c.Time.After(e.Time):
		case c.NewState == "SYN_SENT" || c.OldState == "LISTEN":
			spent = map[string]int64{}
		case c.StateUS == nil:
			unknown = true
		default:
			spent[c.OldState] += *c.StateUS
		}
	}
	sum := int64(0)
	for state, us := range e.States {
		if us == nil {
			unknown = true
			continue
		}
		sum += *us
		if was, ok := spent[state]; !ok || *us < was || *us > was+int64(len(g.states[e.Cookie])) {
			bad("%d us in %s, the changes of state say %v", *us, state, spent)
		}
	}
	if len(e.States) < len(spent) {
		bad("states %v, the changes of state say %v", slices.Sorted(maps.Keys(e.States)), spent)
	}
	switch {
	case unknown != (e.Duration == nil):
		bad("duration %v of states %v", deref(e.Duration), e.States)
	case !unknown && (*e.Duration < sum || *e.Duration > sum+int64(len(e.States))):
		bad("duration %d, the states are %d together", *e.Duration, sum)
	}
	if e.Connect != nil && *e.Connect != deref(e.States["SYN_SENT"]) && e.States["SYN_RECV"] == nil {
		bad("connect_us %d, in SYN_SENT %d", *e.Connect, deref(e.States["SYN_SENT"]))
	}
	if e.SegsOut == 0 && e.SegsIn == 0 {
		bad("no segments")
	}
	return wrong
}

// endings says of which socket not as many ends were told as it had: one for each way to CLOSE that is not a listener's.
func (g *trial) endings() (wrong []string) {
	ends, told := map[uint64]int{}, map[uint64]int{}
	for cookie, changes := range g.states {
		for _, c := range changes {
			if c.NewState == "CLOSE" && c.OldState != "LISTEN" {
				ends[cookie]++
			}
		}
	}
	for _, e := range g.events {
		if e.Event == "fail" || e.Event == "close" {
			told[e.Cookie]++
		}
	}
	if !maps.Equal(ends, told) {
		wrong = append(wrong, fmt.Sprintf("connections that ended: %v, of which that was told: %v", ends, told))
	}
	return wrong
}

// bound is how a listener begins.
const bound = "@server/exact; bind; listen"

// drops makes a rule of the namespace's filter.
func (g *trial) drops(rule ...string) {
	g.t.Helper()
	runIn(g.t, g.ns, tool(g.t, "iptables"), append([]string{"-w", "-A"}, rule...)...)
}

func noFilter(*testing.T) string {
	if _, err := os.Stat("/proc/sys/net/netfilter"); err != nil {
		return "CONFIG_NETFILTER: " + err.Error()
	}
	return ""
}

// wire makes a device whose other end is in another namespace, which has both addresses of 192.0.2.0/24 that there are.
func (g *trial) wire() (far *kerneltest.NS) {
	g.t.Helper()
	far = kerneltest.NetNS(g.t)
	holder := start(g.t, far, "cat")
	ip := tool(g.t, "ip")
	runIn(g.t, g.ns, ip, "link", "add", "v0", "type", "veth", "peer", "name", "v1", "netns", itoa(holder.Process.Pid))
	runIn(g.t, g.ns, ip, "addr", "add", "192.0.2.1/24", "dev", "v0")
	runIn(g.t, far, ip, "addr", "add", "192.0.2.2/24", "dev", "v1")
	runIn(g.t, g.ns, ip, "link", "set", "v0", "up")
	runIn(g.t, far, ip, "link", "set", "v1", "up")
	return far
}

// impatient makes attempts to connect end after a second and the two seconds of the second SYN.
func (g *trial) impatient() {
	g.sysctl("net/ipv4/tcp_syn_linear_timeouts", "0")
	g.sysctl("net/ipv4/tcp_syn_retries", "1")
}

// tries makes a connection that must fail.
func (g *trial) tries(addr string, want unix.Errno) *endpoint {
	g.t.Helper()
	c := g.player("client").socket("client", false, 0)
	c.remote = netip.MustParseAddrPort(addr)
	r := c.tryConnect(addr)
	if r.Errno != want {
		g.t.Fatalf("%v, want %v", r, want)
	}
	return c
}

var plots = []plot{
	{
		name: "closed by the client",
		play: func(g *trial) {
			c, s := g.talk()
			c.close()
			s.readsEnd()
			s.close()
		},
		want: []account{
			{"listener", bound},
			{"client", "@client/exact; open; close fin by local sent 1 opened peer server/exact"},
			{"server", "@server/exact; accept; close fin by remote received 1 waited peer client/exact"},
		},
	},
	{
		name: "refused",
		play: func(g *trial) { g.tries("127.0.0.1:7000", unix.ECONNREFUSED) },
		want: []account{
			{"client", "@client/exact; reset received; fail refused by remote ECONNREFUSED; error ECONNREFUSED"},
			{"against client", "reset sent NO_SOCKET"},
		},
	},
	{
		name:  "dropped on the way in",
		lacks: noFilter,
		play: func(g *trial) {
			g.drops("INPUT", "-p", "tcp", "--dport", "7000", "-j", "DROP")
			g.impatient()
			g.tries("127.0.0.1:7000", unix.ETIMEDOUT)
		},
		want: []account{{"client", "@client/exact; retransmit syn nth 1; fail timeout retrans 1 ETIMEDOUT; error ETIMEDOUT"}},
	},
	{
		name:  "dropped on the way out",
		lacks: noFilter,
		play: func(g *trial) {
			g.drops("OUTPUT", "-p", "tcp", "--dport", "7000", "-j", "DROP")
			g.impatient()
			g.tries("127.0.0.1:7000", unix.ETIMEDOUT)
		},
		want: []account{{"client", "@client/exact; drop syn NETFILTER_DROP; retransmit syn nth 1; drop syn NETFILTER_DROP; fail timeout retrans 1 ETIMEDOUT; error ETIMEDOUT"}},
	},
	{
		name:  "refused by a rule",
		lacks: noFilter,
		play: func(g *trial) {
			g.drops("INPUT", "-p", "tcp", "--dport", "7000", "-j", "REJECT", "--reject-with", "tcp-reset")
			g.tries("127.0.0.1:7000", unix.ECONNREFUSED)
		},
		want: []account{{"client", "@client/exact; reset received; fail refused by remote ECONNREFUSED; error ECONNREFUSED"}},
	},
	{
		name:  "forbidden by a rule",
		lacks: noFilter,
		play: func(g *trial) {
			g.drops("INPUT", "-p", "tcp", "--dport", "7000", "-j", "REJECT", "--reject-with", "icmp-admin-prohibited")
			g.tries("127.0.0.1:7000", unix.EHOSTUNREACH)
		},
		want: []account{{"client", "@client/exact; fail error EHOSTUNREACH; error EHOSTUNREACH"}},
	},
	{
		name: "sent to nobody",
		play: func(g *trial) {
			g.wire()
			// A neighbour by a false name: what is sent to it is not for the other end.
			runIn(g.t, g.ns, tool(g.t, "ip"), "neigh", "add", "192.0.2.2", "lladdr", "02:00:00:00:00:99", "dev", "v0", "nud", "permanent")
			g.impatient()
			g.tries("192.0.2.2:7000", unix.ETIMEDOUT)
		},
		want: []account{{"client", "@client/exact; retransmit syn nth 1; fail timeout retrans 1 ETIMEDOUT; error ETIMEDOUT"}},
	},
	{
		name: "no neighbour answers",
		play: func(g *trial) {
			g.wire()
			g.sysctl("net/ipv4/neigh/v0/mcast_solicit", "1")
			g.sysctl("net/ipv4/neigh/v0/retrans_time_ms", "100")
			g.tries("192.0.2.3:7000", unix.EHOSTUNREACH)
		},
		want: []account{{"client", "@client/exact; fail error EHOSTUNREACH; error EHOSTUNREACH; drop syn NEIGH_FAILED"}},
	},
	{
		name: "no route",
		play: func(g *trial) { g.tries("192.0.2.3:7000", unix.ENETUNREACH) },
		want: nil, // connect(2) found out before there was anything to begin
	},
	{
		name: "given up",
		play: func(g *trial) {
			l := g.listens(8)
			l.deaf()
			c := g.player("client").socket("client", false, 0)
			c.do(order{Do: "connecting", Addr: l.local.String()})
			c.close()
		},
		want: []account{{"listener", bound + "; drop syn SOCKET_FILTER"}, {"client", "@client/exact; fail canceled by local"}},
	},
}
