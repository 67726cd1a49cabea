// SPDX-License-Identifier: GPL-2.0-or-later

package main

import (
	"cmp"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"maps"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
	"unsafe"

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

	turn int // its place in what was told
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
	// loose is where the clock decides how often something is sent again: once or more often is the same.
	loose bool
	// held is where packets are held back for a while, which on an emulated machine takes longer than their senders wait.
	held bool
	// more says what else is wrong, of what words do not say.
	more func(*trial) []string
}

// account is all that must be told of one socket, but for its changes of state.
type account struct {
	// end is the name that the case gave the socket. "as NAME" is what is told of its ends without naming the socket (of a request, or of a
	// minisocket), "against NAME" the same of the other end's.
	end string
	// told are the events in their order, in the words of say, parted by semicolons. A star is anything.
	told string
}

// Each outcome in a namespace of its own, under a trace of all events; the referee says what happened, and the kernel by other ways.
func TestTraceOutcomes(t *testing.T) {
	kerneltest.RequireRoot(t)
	blind := newBlindSpot(t)
	for _, c := range plots {
		t.Run(strings.ReplaceAll(c.name, " ", "_"), func(t *testing.T) {
			t.Parallel()
			if c.lacks != nil {
				if lack := c.lacks(t); lack != "" {
					t.Skipf("not to be had here: %s", lack)
				}
			}
			blind.plays(t, func() (*trial, []string) {
				g := newTrial(t)
				return g, g.attempt(func() (wrong []string) {
					c.play(g)
					g.finish()
					if wrong = g.judge(&c); len(wrong) == 0 && c.more != nil {
						wrong = c.more(g)
					}
					return wrong
				})
			})
		})
	}
}

// blindSpot is a witness for kernels that are patched to run no BPF programs while a thread of process 1 is current, be it for a timer's sake that
// interrupts it: what TCP does by timers then is told to nobody. It is ftrace, which sees that too.
type blindSpot string

func newBlindSpot(t *testing.T) blindSpot {
	t.Helper()
	kerneltest.MountTracefs(t)
	const instances = "/sys/kernel/tracing/instances"
	if _, err := os.Stat(instances); err != nil {
		return "" // then it can be no excuse either
	}
	dir, err := os.MkdirTemp(instances, "netlive-test-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.Remove(dir); err != nil {
			t.Error(err)
		}
	})
	b := blindSpot(dir)
	b.watch(t)
	for _, event := range []string{"sock/inet_sock_set_state", "sock/inet_sk_error_report", "tcp/tcp_retransmit_skb", "tcp/tcp_send_reset", "tcp/tcp_receive_reset"} {
		if err := os.WriteFile(filepath.Join(dir, "events", event, "enable"), []byte("1"), 0); err != nil {
			t.Logf("no witness: %v", err)
		}
	}
	return b
}

// watch has the witness watch the threads that process 1 has now.
func (b blindSpot) watch(t *testing.T) {
	t.Helper()
	if b == "" {
		return
	}
	threads, err := os.ReadDir("/proc/1/task")
	if err != nil {
		t.Fatal(err)
	}
	f, err := os.OpenFile(filepath.Join(string(b), "set_event_pid"), os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for _, thread := range threads {
		if _, err := f.WriteString(thread.Name() + "\n"); err != nil {
			t.Fatal(err)
		}
	}
}

// plays plays until nothing is wrong, or what is wrong cannot be that the witness alone has seen something of the trial's sockets. play
// says what is wrong.
func (b blindSpot) plays(t *testing.T, play func() (g *trial, wrong []string)) {
	t.Helper()
	for n := 1; ; n++ {
		g, wrong := play()
		if len(wrong) == 0 {
			return
		}
		text := strings.Join(wrong, "\n")
		if n == 5 || !b.to(t, g) {
			t.Errorf("%s\nwhat the referee did:\n%s", text, g.log())
			return
		}
		b.watch(t)
		t.Logf("played again: this kernel tells nothing of what happens while process 1 is interrupted\n%s", text)
	}
}

// to reports whether the witness has seen something of a trial's sockets.
func (b blindSpot) to(t *testing.T, g *trial) bool {
	t.Helper()
	if b == "" {
		return false
	}
	seen, err := os.ReadFile(filepath.Join(string(b), "trace"))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(seen)) {
		for _, s := range g.sockets {
			if strings.Contains(line, fmt.Sprintf("sport=%d dport=%d ", s.local.Port(), s.remote.Port())) {
				return true
			}
		}
		for _, port := range g.ports {
			if strings.Contains(line, fmt.Sprintf("port=%d ", port)) {
				return true
			}
		}
	}
	return false
}

// over is why a play ended before its time.
type over string

// attempt plays; what ended it early is wrong too.
func (g *trial) attempt(play func() (wrong []string)) (wrong []string) {
	defer func() {
		switch r := recover().(type) {
		case nil:
		case over:
			wrong = append(wrong, string(r))
		default:
			panic(r)
		}
	}()
	return play()
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
	// capture is a packet socket that hears all that is sent over lo; 0 none.
	capture int
	// ports are those of the servers that are no players.
	ports []int
}

// newTrial starts a trace of all events in a namespace of its own.
func newTrial(t *testing.T, args ...string) *trial {
	t.Helper()
	g := makeTrial(t)
	g.begin(args...)
	return g
}

func makeTrial(t *testing.T) *trial {
	t.Helper()
	return &trial{game: newGame(t), states: map[uint64][]toldJSON{}, elsewhere: map[string]uint32{}}
}

// begin starts the trace.
func (g *trial) begin(args ...string) {
	g.t.Helper()
	g.trace = start(g.t, g.ns, "netlive", append([]string{"trace", "--json", "--event", "all"}, args...)...)
	g.trace.awaitBegin()
	g.lines = told(g.trace)
}

// told hands over what a trace tells until it ends.
func told(trace *process) chan toldJSON {
	lines := make(chan toldJSON, 1<<16)
	go func() {
		defer close(lines)
		decoder := json.NewDecoder(trace.out)
		for turn := 0; ; turn++ {
			e := toldJSON{turn: turn}
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
	deadline := time.After(g.patience)
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
			panic(over("never told: " + what))
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
	if err := g.trace.Process.Signal(unix.SIGINT); err != nil {
		g.t.Fatal(err)
	}
	for range g.lines { // what comes later is nobody's
	}
	if code, _, errs := g.trace.wait(); code != exitInterrupted || len(errs) > 0 {
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
	against := ""
	for name, s := range g.sockets {
		if e.Cookie != 0 || s.remote.Port() == 0 {
			continue
		}
		switch {
		case e.local() == s.local && e.remote() == s.remote:
			return "as " + name
		case e.local() == s.remote && e.remote() == s.local:
			against = "against " + name
		}
	}
	if against != "" {
		return against
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

// resent are the words for what was sent again.
var resent = regexp.MustCompile(` (again|retrans) \d+`)

var loosely = regexp.MustCompile(` (nth|again|retrans|of|dropped) \d+`)

// judge says what trace told wrong.
func (g *trial) judge(c *plot) (wrong []string) {
	want, loose := c.want, c.loose
	got := map[string][]string{}
	owners := map[string]string{}
	for i := range g.events {
		e := &g.events[i]
		name := g.name(e)
		if is := g.owners(e.Owners); is != cmp.Or(owners[name], "-") {
			owners[name] = is
			got[name] = append(got[name], "@"+is)
		}
		said := g.say(e)
		if c.held && kerneltest.InVM() {
			if said = resent.ReplaceAllString(said, ""); e.Event == "retransmit" || e.Event == "drop" {
				continue
			}
		}
		if loose {
			said = loosely.ReplaceAllString(said, "")
		}
		if told := got[name]; loose && len(told) > 0 && told[len(told)-1] == said {
			continue
		}
		got[name] = append(got[name], said)
		wrong = append(wrong, g.consistent(name, e)...)
	}
	for name := range got {
		left, bad := judgeDrops(name, got[name], want)
		if wrong = append(wrong, bad...); len(left) == 0 {
			delete(got, name)
		} else {
			got[name] = left
		}
	}
	for _, a := range here(want) {
		if is := strings.Join(got[a.end], "; "); is != a.told && a.told != "*" {
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
	case e.Event == "error" && e.RemotePort == 0: // after a reset of its own it is unconnected
	case e.local() != s.local || e.remote() != s.remote:
		bad("of %v %v, it is %v %v", e.local(), e.remote(), s.local, s.remote)
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
		case c.turn > e.turn: // of a later life
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
	again, bytes := uint32(0), uint64(0)
	for _, r := range g.events {
		if r.Event == "retransmit" && r.Cookie == e.Cookie {
			again++
			bytes += uint64(deref(r.Len))
		}
	}
	if e.Retrans < again || e.BytesAgain != bytes { // a SYN-ACK that is sent again is its listener's, or nobody's
		bad("%d segments of %d bytes were sent again, %d of %d were told", e.Retrans, e.BytesAgain, again, bytes)
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
	if kerneltest.InVM() {
		return "iptables and its modules"
	}
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
	// A device that was set up just now drops what it is to send, until its queue is made.
	for side, ns := range map[string]*kerneltest.NS{"v0": g.ns, "v1": far} {
		for deadline := time.Now().Add(limit); !strings.Contains(string(runIn(g.t, ns, ip, "-o", "link", "show", side)), "noqueue state UP"); {
			if time.Now().After(deadline) {
				g.t.Fatalf("%s is never up", side)
			}
		}
	}
	return far
}

// impatient makes attempts to connect end after a second and the two seconds of the second SYN.
func (g *trial) impatient() {
	g.exponential()
	g.sysctl("net/ipv4/tcp_syn_retries", "1")
}

// tries makes a connection that must fail.
func (g *trial) tries(from, to string, want unix.Errno) {
	g.t.Helper()
	c := g.player("client").socket("client", false, 0).bind(from)
	c.remote = netip.MustParseAddrPort(to)
	if r := c.tryConnect(to); r.Errno != want {
		g.t.Fatalf("%v, want %v", r, want)
	}
}

// begins begins a connection to a listener.
func (l *endpoint) begins(name string) *endpoint {
	l.g.t.Helper()
	c := l.g.player("client").socket(name, false, 0)
	c.do(order{Do: "connecting", Addr: l.local.String()})
	c.remote = l.local
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
		play: func(g *trial) { g.tries("127.0.0.1:7001", "127.0.0.1:7000", unix.ECONNREFUSED) },
		want: []account{
			{"client", "@client/exact; bind; reset received; fail refused by remote ECONNREFUSED; error ECONNREFUSED"},
			{"against client", "reset sent NO_SOCKET"},
		},
	},
	{
		name:  "dropped on the way in",
		lacks: noFilter,
		play: func(g *trial) {
			g.drops("INPUT", "-p", "tcp", "--dport", "7000", "-j", "DROP")
			g.impatient()
			g.tries("127.0.0.1:7001", "127.0.0.1:7000", unix.ETIMEDOUT)
		},
		want: []account{{"client", "@client/exact; bind; retransmit syn nth 1; fail timeout ETIMEDOUT retrans 1; error ETIMEDOUT"}},
	},
	{
		name:  "dropped on the way out",
		lacks: noFilter,
		play: func(g *trial) {
			g.drops("OUTPUT", "-p", "tcp", "--dport", "7000", "-j", "DROP")
			g.impatient()
			g.tries("127.0.0.1:7001", "127.0.0.1:7000", unix.ETIMEDOUT)
		},
		want: []account{{"client", "@client/exact; bind; drop syn NETFILTER_DROP; drop syn NETFILTER_DROP; retransmit syn nth 1; fail timeout ETIMEDOUT retrans 1; error ETIMEDOUT"}},
	},
	{
		name:  "refused by a rule",
		lacks: noFilter,
		play: func(g *trial) {
			g.drops("INPUT", "-p", "tcp", "--dport", "7000", "-j", "REJECT", "--reject-with", "tcp-reset")
			g.tries("127.0.0.1:7001", "127.0.0.1:7000", unix.ECONNREFUSED)
		},
		want: []account{{"client", "@client/exact; bind; reset received; fail refused by remote ECONNREFUSED; error ECONNREFUSED"}},
	},
	{
		name:  "forbidden by a rule",
		lacks: noFilter,
		play: func(g *trial) {
			g.drops("INPUT", "-p", "tcp", "--dport", "7000", "-j", "REJECT", "--reject-with", "icmp-admin-prohibited")
			g.tries("127.0.0.1:7001", "127.0.0.1:7000", unix.EHOSTUNREACH)
		},
		want: []account{{"client", "@client/exact; bind; retransmit syn nth 1; fail error EHOSTUNREACH retrans 1; error EHOSTUNREACH"}},
	},
	{
		name: "sent to nobody",
		play: func(g *trial) {
			g.wire()
			// A neighbour by a false name: what is sent to it is not for the other end.
			runIn(g.t, g.ns, tool(g.t, "ip"), "neigh", "add", "192.0.2.2", "lladdr", "02:00:00:00:00:99", "dev", "v0", "nud", "permanent")
			g.impatient()
			g.tries("192.0.2.1:7001", "192.0.2.2:7000", unix.ETIMEDOUT)
		},
		want: []account{
			{"client", "@client/exact; bind; drop syn OTHERHOST; retransmit syn nth 1; drop syn OTHERHOST; fail timeout ETIMEDOUT retrans 1; error ETIMEDOUT"},
		},
	},
	{
		name: "no neighbour answers",
		play: func(g *trial) {
			g.wire()
			g.sysctl("net/ipv4/neigh/v0/mcast_solicit", "1")
			g.sysctl("net/ipv4/neigh/v0/retrans_time_ms", "100")
			g.tries("192.0.2.1:7001", "192.0.2.3:7000", unix.EHOSTUNREACH)
		},
		want: []account{{"client", "@client/exact; bind; drop syn NEIGH_FAILED; fail error EHOSTUNREACH; error EHOSTUNREACH"}},
	},
	{
		name: "no route",
		play: func(g *trial) { g.tries("127.0.0.1:7001", "192.0.2.3:7000", unix.ENETUNREACH) },
		want: []account{{"client", "@client/exact; bind"}}, // connect(2) found out before there was anything to begin
	},
	{
		name: "given up",
		play: func(g *trial) {
			l := g.listens(8)
			l.deaf()
			c := l.begins("client")
			c.close()
		},
		want: []account{{"listener", bound + "; drop syn SOCKET_FILTER"}, {"client", "@client/exact; fail canceled by local"}},
	},
	{
		name: "killed while it connects",
		play: func(g *trial) {
			l := g.listens(8)
			l.deaf()
			c := l.begins("client")
			c.by.kill()
		},
		want: []account{{"listener", bound + "; drop syn SOCKET_FILTER"}, {"client", "@client/exact; fail canceled by local SIGKILL exited"}},
	},
	{
		name: "the listener goes while a client waits for it",
		play: func(g *trial) {
			l := g.listens(8)
			l.deaf()
			c := l.begins("client")
			l.close()
			c.fails(unix.ECONNREFUSED) // by the answer to its second SYN
		},
		want: []account{
			{"listener", bound + "; drop syn SOCKET_FILTER"},
			{"client", "@client/exact; retransmit syn nth 1; reset received; fail refused by remote ECONNREFUSED retrans 1; error ECONNREFUSED"},
			{"against client", "reset sent NO_SOCKET"},
		},
	},
	{
		name: "reset while the handshake waits, by the server",
		play: func(g *trial) {
			c, s := g.fastOpens()
			s.resets()
			c.close() // which has not heard of it
		},
		want: []account{
			{"listener", bound},
			{"client", "@client/exact; bind; drop syn-ack SOCKET_FILTER; drop rst SOCKET_FILTER; fail canceled by local sent 10"},
			{"server", "@server/exact; accept after an unknown time; fail reset_sent by local TCP_STATE received 10; reset sent TCP_STATE; error ECONNRESET"},
		},
	},
	{
		name: "reset while the handshake waits, by the client",
		play: func(g *trial) {
			c, s := g.fastOpens()
			c.resets()
			s.fails(unix.ECONNRESET)
			s.close()
		},
		want: []account{
			{"listener", bound},
			{"client", "@client/exact; bind; drop syn-ack SOCKET_FILTER; fail canceled by local sent 10; error ECONNRESET"},
			{"as client", "reset sent NO_SOCKET"},
			{"server", "@server/exact; accept after an unknown time; reset received; fail reset_received by remote ECONNRESET received 10 retrans 1; error ECONNRESET; drop rst TCP_FASTOPEN"},
			{"as server", "@server/listener; retransmit syn-ack nth 1"},
		},
	},
	{
		name: "reset by the client",
		play: func(g *trial) {
			c, s := g.talk()
			c.resets()
			s.fails(unix.ECONNRESET)
		},
		want: []account{
			{"listener", bound},
			{"client", "@client/exact; open; close reset_sent by local TCP_STATE sent 1 opened peer server/exact; reset sent TCP_STATE; error ECONNRESET"},
			{"server", "@server/exact; accept; reset received; close reset_received by remote ECONNRESET received 1 waited peer client/exact; error ECONNRESET"},
		},
	},
	{
		name: "reset by the server",
		play: func(g *trial) {
			c, s := g.talk()
			s.resets()
			c.fails(unix.ECONNRESET)
		},
		want: []account{
			{"listener", bound},
			{"client", "@client/exact; open; reset received; close reset_received by remote ECONNRESET sent 1 opened peer server/exact; error ECONNRESET"},
			{"server", "@server/exact; accept; close reset_sent by local TCP_STATE received 1 waited peer client/exact; reset sent TCP_STATE; error ECONNRESET"},
		},
	},
	{
		name: "closed by the client, which had not read",
		play: func(g *trial) {
			c, s := g.pair()
			s.writes(10)
			c.close()
			s.fails(unix.ECONNRESET)
		},
		want: []account{
			{"listener", bound},
			{"client", "@client/exact; open; close reset_sent by local TCP_ABORT_ON_CLOSE received 10 opened peer server/exact; reset sent TCP_ABORT_ON_CLOSE"},
			{"server", "@server/exact; accept; reset received; close reset_received by remote ECONNRESET sent 10 waited peer client/exact; error ECONNRESET"},
		},
	},
	{
		name: "closed by the server, which had not read",
		play: func(g *trial) {
			c, s := g.pair()
			c.writes(10)
			s.close()
			c.fails(unix.ECONNRESET)
		},
		want: []account{
			{"listener", bound},
			{"client", "@client/exact; open; reset received; close reset_received by remote ECONNRESET sent 10 opened peer server/exact; error ECONNRESET"},
			{"server", "@server/exact; accept; close reset_sent by local TCP_ABORT_ON_CLOSE received 10 waited peer client/exact; reset sent TCP_ABORT_ON_CLOSE"},
		},
	},
	{
		name: "reset after its own FIN",
		play: func(g *trial) {
			c, s := g.talk()
			c.shutWrite()
			s.readsEnd()
			g.await(c, "FIN_WAIT2")
			c.resets()
			g.await(s, "gone")
			s.close()
		},
		want: []account{
			{"listener", bound},
			{"client", "@client/exact; open; close reset_sent by local TCP_STATE sent 1 opened peer server/exact; reset sent TCP_STATE; error ECONNRESET"},
			{"server", "@server/exact; accept; reset received; close reset_received by remote EPIPE received 1 waited peer client/exact; error EPIPE"},
		},
	},
	{
		name: "reset after the other's FIN",
		play: func(g *trial) {
			c, s := g.talk()
			c.shutWrite()
			s.readsEnd()
			s.resets()
			c.fails(unix.ECONNRESET)
		},
		want: []account{
			{"listener", bound},
			{"client", "@client/exact; open; reset received; close reset_received by local ECONNRESET sent 1 opened peer server/exact; error ECONNRESET"},
			{"server", "@server/exact; accept; close reset_sent by remote TCP_STATE received 1 waited peer client/exact; reset sent TCP_STATE; error ECONNRESET"},
		},
	},
	{
		name: "closed after the other's FIN, with data unread",
		play: func(g *trial) {
			c, s := g.pair()
			c.writes(10)
			c.shutWrite()
			g.await(s, "CLOSE_WAIT")
			s.close()
			c.fails(unix.ECONNRESET)
		},
		want: []account{
			{"listener", bound},
			{"client", "@client/exact; open; reset received; close reset_received by local ECONNRESET sent 10 opened peer server/exact; error ECONNRESET"},
			{"server", "@server/exact; accept; close reset_sent by remote TCP_ABORT_ON_CLOSE received 10 waited peer client/exact; reset sent TCP_ABORT_ON_CLOSE"},
		},
	},
	{
		name: "data after a close",
		play: func(g *trial) {
			c, s := g.talk()
			c.close()
			s.readsEnd()
			g.await(c, "FIN_WAIT2")
			s.writes(10)
			g.await(s, "gone")
			s.close()
		},
		want: []account{
			{"listener", bound},
			{"client", "@client/exact; open; close fin by local sent 1 opened peer server/exact"},
			{"as client", "reset sent TCP_TIMEWAIT_SOCKET"},
			{"server", "@server/exact; accept; reset received; close reset_received by remote EPIPE sent 10 received 1 waited peer client/exact; error EPIPE"},
		},
	},
	{
		name: "killed",
		play: func(g *trial) {
			c, s := g.talk()
			c.by.kill()
			s.readsEnd()
			s.close()
		},
		want: []account{
			{"listener", bound},
			{"client", "@client/exact; open; close fin by local SIGKILL exited sent 1 opened peer server/exact"},
			{"server", "@server/exact; accept; close fin by remote received 1 waited peer client/exact"},
		},
	},
	{
		name: "killed with data unread",
		play: func(g *trial) {
			c, s := g.talk()
			s.writes(10)
			c.by.kill()
			s.fails(unix.ECONNRESET)
		},
		want: []account{
			{"listener", bound},
			{"client", "@client/exact; open; close reset_sent by local TCP_ABORT_ON_CLOSE SIGKILL exited sent 1 received 10 opened peer server/exact; reset sent TCP_ABORT_ON_CLOSE"},
			{"server", "@server/exact; accept; reset received; close reset_received by remote ECONNRESET sent 10 received 1 waited peer client/exact; error ECONNRESET"},
		},
	},
	{
		name: "killed after the other's FIN",
		play: func(g *trial) {
			c, s := g.talk()
			s.close()
			c.readsEnd()
			c.by.kill()
			g.await(s, "TIME_WAIT")
		},
		want: []account{
			{"listener", bound},
			{"client", "@client/exact; open; close fin by remote SIGKILL exited sent 1 opened peer server/exact"},
			{"server", "@server/exact; accept; close fin by local received 1 waited peer client/exact"},
		},
	},
	{
		name: "ended with its sockets open",
		play: func(g *trial) {
			c, s := g.talk()
			c.by.exits()
			s.readsEnd()
			s.close()
		},
		want: []account{
			{"listener", bound},
			{"client", "@client/exact; open; close fin by local exited sent 1 opened peer server/exact"},
			{"server", "@server/exact; accept; close fin by remote received 1 waited peer client/exact"},
		},
	},
	{
		name: "a server that is killed with connections in its queue",
		play: func(g *trial) {
			l := g.listens(8)
			c := l.opens("client")
			g.find("queued", l.local, c.local)
			l.by.kill()
			c.fails(unix.ECONNRESET)
		},
		want: []account{
			{"listener", bound},
			{"client", "@client/exact; open; reset received; close reset_received by remote ECONNRESET opened peer server/listener; error ECONNRESET"},
			{"queued", "@server/listener; close reset_sent by local TCP_STATE peer client/exact; reset sent TCP_STATE; error ECONNRESET"},
		},
	},
	{
		name: "never accepted",
		play: func(g *trial) {
			l := g.listens(8)
			c := l.opens("client")
			g.find("queued", l.local, c.local)
			l.close()
			c.fails(unix.ECONNRESET)
		},
		want: []account{
			{"listener", bound},
			{"client", "@client/exact; open; reset received; close reset_received by remote ECONNRESET opened peer server/listener; error ECONNRESET"},
			{"queued", "@server/listener; close reset_sent by local TCP_STATE peer client/exact; reset sent TCP_STATE; error ECONNRESET"},
		},
	},
	{
		name: "gave up in the queue",
		play: func(g *trial) {
			l := g.listens(8)
			c := l.opens("client")
			c.close()
			g.awaitEvent(c, "close")
			s := l.accepts("server")
			s.readsEnd()
			s.close()
		},
		want: []account{
			{"listener", bound},
			{"client", "@client/exact; open; close fin by local opened peer server/listener"},
			{"server", "@server/exact; accept; close fin by remote waited peer client/exact"},
		},
	},
	{
		name: "a full queue",
		play: func(g *trial) {
			l := g.listens(0) // room for one
			l.opens("first")
			second := l.begins("second")
			l.accepts("server of first")
			second.do(order{Do: "connected"})
		},
		want: []account{
			{"listener", bound + "; overflow 1 of 0; overflow 1 of 0 dropped 1"},
			{"first", "@client/exact; open"},
			{"second", "@client/exact; retransmit syn nth 1; open"},
			{"server of first", "@server/exact; accept"},
		},
	},
	{
		name:  "timed out with data under way",
		loose: true,
		play: func(g *trial) {
			c, s := g.talk()
			c.set(unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT, 500)
			s.deaf()
			c.writes(100)
			c.fails(unix.ETIMEDOUT)
		},
		want: []account{
			{"listener", bound},
			{"client", "@client/exact; open; retransmit data; close timeout ETIMEDOUT sent 101 opened peer server/exact; error ETIMEDOUT"},
			{"server", "@server/exact; accept; drop data SOCKET_FILTER"},
		},
	},
	{
		name: "kept alive in vain",
		play: func(g *trial) {
			c, s := g.talk()
			s.deaf()
			for _, o := range [][2]int{{unix.TCP_KEEPIDLE, 1}, {unix.TCP_KEEPINTVL, 1}, {unix.TCP_KEEPCNT, 1}} {
				c.set(unix.IPPROTO_TCP, o[0], o[1])
			}
			c.set(unix.SOL_SOCKET, unix.SO_KEEPALIVE, 1)
			c.fails(unix.ETIMEDOUT)
		},
		want: []account{
			{"listener", bound},
			{"client", "@client/exact; open; reset sent TCP_KEEPALIVE_TIMEOUT; close timeout ETIMEDOUT TCP_KEEPALIVE_TIMEOUT sent 1 opened peer server/exact; error ETIMEDOUT"},
			{"server", "@server/exact; accept; drop ack SOCKET_FILTER; drop rst SOCKET_FILTER"},
		},
	},
	{
		name:  "killed by ss",
		lacks: noDestroy,
		play: func(g *trial) {
			c, s := g.talk()
			runIn(g.t, g.ns, "ss", "-K", "sport", "=", fmt.Sprint(":", c.local.Port()))
			c.fails(unix.ECONNABORTED)
			s.fails(unix.ECONNRESET)
		},
		want: []account{
			{"listener", bound},
			{"client", "@client/exact; open; reset sent TCP_STATE; close reset_sent by local ECONNABORTED TCP_STATE sent 1 opened peer server/exact; error ECONNABORTED"},
			{"server", "@server/exact; accept; reset received; close reset_received by remote ECONNRESET received 1 waited peer client/exact; error ECONNRESET"},
		},
	},
	{
		name: "disconnected and connected again",
		play: func(g *trial) {
			c, s := g.talk()
			c.moves = true
			c.do(order{Do: "disconnect"})
			s.fails(unix.ECONNRESET)
			c.connect(g.sockets["listener"].local.String())
			s2 := g.sockets["listener"].accepts("second server")
			c.writes(10)
			s2.reads(10)
			c.close()
			s2.readsEnd()
			s2.close()
		},
		want: []account{
			{"listener", bound},
			{"client", "@client/exact; open; close reset_sent by local TCP_STATE sent 1 opened peer server/exact; reset sent TCP_STATE; error ECONNRESET; open; close fin by local sent 10 opened peer server/exact"},
			{"server", "@server/exact; accept; reset received; close reset_received by remote ECONNRESET received 1 waited peer client/exact; error ECONNRESET"},
			{"second server", "@server/exact; accept; close fin by remote received 10 waited peer client/exact"},
		},
	},
	{
		name: "taken by a worker",
		play: func(g *trial) {
			l := g.listens(8)
			w := l.by.spawn("worker", l)
			c := l.opens("client")
			s := l.accepted("server", w, 3, "accept")
			s.close()
			c.readsEnd()
			c.close()
		},
		want: []account{
			{"listener", bound},
			{"client", "@client/exact; open; close fin by remote opened peer worker/exact"},
			{"server", "@worker/exact; accept; close fin by local waited peer client/exact"},
		},
	},
	{
		name:  "taken by io_uring",
		lacks: noRing,
		play: func(g *trial) {
			l := g.listens(8)
			taking := l.by.begin(order{Do: "ring-accept", FD: l.fd})
			c := l.opens("client")
			r := taking()
			if r.Err != "" {
				g.t.Fatal(r)
			}
			s := g.add(&endpoint{name: "server", by: l.by, fd: r.FD, cookie: r.Cookie})
			s.is(r)
			c.writes(10)
			s.reads(10)
			c.close()
			s.readsEnd()
			s.close()
		},
		want: []account{
			{"listener", bound},
			{"client", "@client/exact; open; close fin by local sent 10 opened peer server/exact"},
			{"server", "@server/exact; accept after an unknown time; close fin by remote received 10 peer client/exact"},
		},
	},
	{
		name: "IPv6",
		play: func(g *trial) {
			l := g.player("server").socket("listener", true, 0).bind("[::1]:0").listen(8)
			c := g.player("client").socket("client", true, 0).connect(l.local.String())
			s := l.accepts("server")
			c.writes(1)
			s.reads(1)
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
		// The time to send it again comes while it waits in a queue of this host still: it is not sent again (since 6.18 the tracepoint tells of it all the same).
		name: "held back",
		play: func(g *trial) {
			c, s := g.talk()
			g.hold()
			c.writes(10)
			for deadline := time.Now().Add(limit); g.notSent() < 3; time.Sleep(10 * time.Millisecond) { // of which a probe for loss takes one
				if time.Now().After(deadline) {
					g.t.Fatal("nothing was to be sent again")
				}
			}
			g.release()
			s.reads(10)
			c.close()
			s.readsEnd()
			s.close()
		},
		want: []account{
			{"listener", bound},
			{"client", "@client/exact; open; close fin by local sent 11 opened peer server/exact"},
			{"server", "@server/exact; accept; close fin by remote received 11 waited peer client/exact"},
		},
	},
	{
		name: "simultaneous close",
		held: true,
		play: func(g *trial) {
			c, s := g.talk()
			g.hold()
			c.shutWrite()
			s.shutWrite()
			g.release()
			g.await(c, "TIME_WAIT")
			g.await(s, "TIME_WAIT")
		},
		want: []account{
			{"listener", bound},
			{"client", "@client/exact; open; close fin by local sent 1 opened peer server/exact"},
			{"server", "@server/exact; accept; close fin by local received 1 waited peer client/exact"},
		},
	},
	{
		name: "simultaneous open",
		play: func(g *trial) {
			c := g.player("client").socket("client", false, 0).bind("127.0.0.1:7001")
			s := g.player("server").socket("server", false, 0).bind("127.0.0.1:7002")
			g.hold()
			c.do(order{Do: "connecting", Addr: "127.0.0.1:7002"})
			s.do(order{Do: "connecting", Addr: "127.0.0.1:7001"})
			c.remote, s.remote = s.local, c.local
			g.release()
			g.await(c, "ESTABLISHED")
			g.await(s, "ESTABLISHED")
			c.resets()
			s.fails(unix.ECONNRESET)
		},
		want: []account{
			{"client", "@client/exact; bind; open; drop syn-ack TCP_OLD_DATA; close reset_sent by local TCP_STATE opened peer server/exact; reset sent TCP_STATE; error ECONNRESET"},
			{"server", "@server/exact; bind; open; drop syn-ack TCP_OLD_DATA; reset received; close reset_received by remote ECONNRESET opened peer client/exact; error ECONNRESET"},
		},
	},
	{
		name:  "sent again",
		loose: true,
		play: func(g *trial) {
			g.listen()
			c, s := g.talk()
			s.deaf()
			c.writes(1000)
			g.awaitTold("a second retransmit", again(c, "data", 2))
			s.hears()
			s.reads(1000)
			s.deaf()
			written := c.by.begin(order{Do: "write", FD: c.fd, Value: 300_000})
			g.awaitTold("a retransmit of more", again(c, "data", 1))
			s.hears()
			s.reads(300_000)
			if r := written(); r.Err != "" {
				g.t.Fatal(r)
			}
			s.deaf()
			c.close()
			g.awaitTold("a retransmit of a FIN", again(c, "fin", 1))
			s.hears()
			s.readsEnd()
			s.close()
		},
		want: []account{
			{"listener", bound},
			{"client", "@client/exact; open; retransmit data; retransmit fin; close fin by local sent 301001 opened peer server/exact"},
			{"server", "*"}, // it drops what comes twice, or does not
		},
		more: func(g *trial) []string { return g.heard() },
	},
	{
		name:  "a handshake that is sent again",
		loose: true,
		play: func(g *trial) {
			g.listen()
			l := g.listens(8)
			c := g.player("client").socket("client", false, 0).bind("127.0.0.1:7001")
			c.deaf()
			connecting := c.do(order{Do: "connecting", Addr: l.local.String()})
			c.remote = l.local
			g.awaitTold("a SYN-ACK that is sent again", func(e *toldJSON) bool { return e.Segment == "syn-ack" && e.Event == "retransmit" })
			g.awaitEvent(c, "retransmit")
			hears := c.do(order{Do: "hears"})
			connected := c.do(order{Do: "connected"})
			s := l.accepts("server")
			c.resets()
			s.fails(unix.ECONNRESET)
			least, most := hears.Begin-connecting.End, connected.End-connecting.Begin
			if us := *g.awaitEvent(c, "open").Connect; us < least/1000 || us > most/1000 {
				g.t.Errorf("connected in %d us, by the referee's clock %d to %d", us, least/1000, most/1000)
			}
		},
		want: []account{
			{"listener", bound},
			{"client", "*"}, // it drops SYN-ACKs
			{"server", "@server/exact; accept; reset received; close reset_received by remote ECONNRESET waited peer client/exact; error ECONNRESET"},
			{"as server", "@server/listener; retransmit syn-ack"},
		},
		more: func(g *trial) []string { return g.heard() },
	},
	{
		name: "accepted after a while",
		play: func(g *trial) {
			l := g.listens(8)
			c := l.opens("client")
			connect := g.reports[len(g.reports)-1]
			g.find("queued", l.local, c.local)
			delete(g.sockets, "queued") // the server's, soon
			since := now()
			for now() < since+100e6 {
				g.ss()
			}
			s := l.accepts("server")
			accept := g.reports[len(g.reports)-1]
			least, most := accept.Begin-since, accept.End-connect.Begin
			if us := *g.awaitEvent(s, "accept").AcceptWait; us < least/1000 || us > most/1000 {
				g.t.Errorf("accepted after %d us, by the referee's clock %d to %d", us, least/1000, most/1000)
			}
			c.resets()
			closed := g.reports[len(g.reports)-1]
			least, most = closed.Begin-connect.End, closed.End-connect.Begin
			if us := *g.awaitEvent(c, "close").Duration; us < least/1000 || us > most/1000 {
				g.t.Errorf("lasted for %d us, by the referee's clock %d to %d", us, least/1000, most/1000)
			}
			if us := *g.awaitEvent(c, "open").Connect; us < 0 || us > (connect.End-connect.Begin)/1000 {
				g.t.Errorf("connected in %d us, by the referee's clock %d at most", us, (connect.End-connect.Begin)/1000)
			}
		},
		want: []account{
			{"listener", bound},
			{"client", "@client/exact; open; close reset_sent by local TCP_STATE opened peer server/exact; reset sent TCP_STATE; error ECONNRESET"},
			{"server", "@server/exact; accept; reset received; close reset_received by remote ECONNRESET waited peer client/exact; error ECONNRESET"},
		},
	},
	{
		name:  "a flood of SYNs",
		lacks: noCountOfDrops,
		loose: true,
		play: func(g *trial) {
			g.listen()
			g.sysctl("net/ipv4/tcp_syncookies", "0")
			// What answers come hit a socket that does not hear them, and so are not answered by a reset.
			g.player("sink").socket("sink", false, 0).bind("0.0.0.0:666").listen(8).deaf()
			l := g.listens(floodBacklog)
			g.ns.Do(func() { flood(g.t, l.local) })
			// Whether the queue takes as many as listen(2) says or one more is the kernel's to say.
			requests := strings.Count(string(runIn(g.t, g.ns, "ss", "-Htan", "state", "syn-recv")), "\n")
			for i := range requests {
				g.add(&endpoint{name: fmt.Sprint("source ", i), cookie: ^uint64(i), local: floodSource(i), remote: l.local})
			}
			over := g.awaitEvent(l, "overflow")
			if over.Dropped != floodLength-requests || requests < floodBacklog {
				g.t.Errorf("%d dropped, of %d SYNs %d were taken", over.Dropped, floodLength, requests)
			}
			for range requests {
				g.awaitTold("a SYN-ACK that is sent again", func(e *toldJSON) bool { return e.Event == "retransmit" && e.Segment == "syn-ack" })
			}
		},
		want: []account{
			{"sink", "*"},
			{"listener", bound + "; overflow 0"},
			{"against source 0", "@server/listener; retransmit syn-ack"},
			{"against source 1", "@server/listener; retransmit syn-ack"},
			{"against source 2", "@server/listener; retransmit syn-ack"},
			{"against source 3", "@server/listener; retransmit syn-ack"},
			{"against source 4", "*"},
		},
		more: func(g *trial) []string { return g.heard() },
	},
}

// notSent is how often something was to be sent again in the namespace that waited in a queue of this host still.
func (g *trial) notSent() int {
	g.t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/net/netstat", g.trace.Process.Pid))
	if err != nil {
		g.t.Fatal(err)
	}
	names, rest, _ := strings.Cut(string(text), "\n")
	values, _, _ := strings.Cut(rest, "\n")
	i := slices.Index(strings.Fields(names), "TCPSpuriousRtxHostQueues")
	if i < 0 {
		g.t.Fatalf("/proc/net/netstat: %q", names)
	}
	n, err := strconv.Atoi(strings.Fields(values)[i])
	if err != nil {
		g.t.Fatal(err)
	}
	return n
}

// again tells the nth retransmit of a kind of segment from now on.
func again(of *endpoint, segment string, n int) func(e *toldJSON) bool {
	return func(e *toldJSON) bool {
		if e.Event == "retransmit" && e.Cookie == of.cookie && e.Segment == segment {
			n--
		}
		return n == 0
	}
}

// A flood is of so many SYNs, of which the listener takes so many.
const (
	floodLength  = 100
	floodBacklog = 4
)

func floodSource(i int) netip.AddrPort {
	return netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 1, byte(i + 1)}), 666)
}

// flood sends SYNs from many addresses, in the calling thread's namespace.
func flood(t *testing.T, to netip.AddrPort) {
	t.Helper()
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.IPPROTO_RAW)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	for i := range floodLength {
		from, dst := floodSource(i), to.Addr().As4()
		src := from.Addr().As4()
		tcp := make([]byte, 20)
		binary.BigEndian.PutUint16(tcp, from.Port())
		binary.BigEndian.PutUint16(tcp[2:], to.Port())
		tcp[12], tcp[13] = 5<<4, 2 // five words, SYN
		pseudo := slices.Concat(src[:], dst[:], []byte{0, unix.IPPROTO_TCP, 0, 20}, tcp)
		sum := uint32(0)
		for b := pseudo; len(b) > 0; b = b[2:] {
			sum += uint32(binary.BigEndian.Uint16(b))
		}
		sum = sum&0xffff + sum>>16
		binary.BigEndian.PutUint16(tcp[16:], ^uint16(sum&0xffff+sum>>16))
		ip := slices.Concat([]byte{4<<4 | 5, 0, 0, 40, 0, 0, 0, 0, 64, unix.IPPROTO_TCP, 0, 0}, src[:], dst[:]) // the kernel sums this up
		if err := unix.Sendto(fd, append(ip, tcp...), 0, &unix.SockaddrInet4{Addr: dst}); err != nil {
			t.Fatal(err)
		}
	}
}

// packet is a TCP segment as it was sent.
type packet struct {
	from, to netip.AddrPort
	segment  string
	seq, len uint32
}

// listen begins to hear what is sent over lo.
func (g *trial) listen() {
	g.t.Helper()
	g.ns.Do(func() {
		proto := binary.NativeEndian.Uint16([]byte{unix.ETH_P_ALL >> 8, unix.ETH_P_ALL & 0xff}) // for one protocol it hears only what comes in
		fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, int(proto))
		if err != nil {
			g.t.Fatal(err)
		}
		g.t.Cleanup(func() { unix.Close(fd) })
		if err := unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, 64<<20); err != nil {
			g.t.Fatal(err)
		}
		g.capture = fd
	})
}

// sent are the segments with data, SYN or FIN that were sent, each as it left.
func (g *trial) sent() (packets []packet) {
	g.t.Helper()
	b := make([]byte, 128) // enough of each
	for {
		n, from, err := unix.Recvfrom(g.capture, b, 0)
		if err == unix.EAGAIN {
			return packets
		}
		if err != nil {
			g.t.Fatal(err)
		}
		head := int(b[0]&0xf) * 4
		if from.(*unix.SockaddrLinklayer).Pkttype != unix.PACKET_OUTGOING || b[0]>>4 != 4 || n < head+20 || b[9] != unix.IPPROTO_TCP {
			continue
		}
		end := func(addr []byte, port []byte) netip.AddrPort {
			return netip.AddrPortFrom(netip.AddrFrom4([4]byte(addr)), binary.BigEndian.Uint16(port))
		}
		tcp := b[head:]
		p := packet{from: end(b[12:16], tcp), to: end(b[16:20], tcp[2:]), seq: binary.BigEndian.Uint32(tcp[4:])}
		p.len = uint32(int(binary.BigEndian.Uint16(b[2:])) - head - int(tcp[12]>>4)*4)
		switch flags := tcp[13]; {
		case flags&0x12 == 0x12:
			p.segment = "syn-ack"
		case flags&2 != 0:
			p.segment = "syn"
		case p.len > 0:
			p.segment = "data"
		case flags&1 != 0:
			p.segment = "fin"
		default:
			continue
		}
		packets = append(packets, p)
	}
}

// heard says where the retransmits that were told are not the segments that were sent twice, in their order.
func (g *trial) heard() (wrong []string) {
	g.t.Helper()
	type way struct{ from, to netip.AddrPort }
	type start struct {
		way
		seq     uint32
		segment string
	}
	seen, sent, told := map[start]bool{}, map[way][]packet{}, map[way][]packet{}
	for _, p := range g.sent() {
		w := way{p.from, p.to}
		s := start{w, p.seq, p.segment}
		if seen[s] {
			sent[w] = append(sent[w], p)
		}
		seen[s] = true
	}
	for _, e := range g.events {
		if e.Event == "retransmit" {
			w := way{e.local(), e.remote()}
			told[w] = append(told[w], packet{w.from, w.to, e.Segment, deref(e.Seq), deref(e.Len)})
		}
	}
	for w, packets := range sent {
		if !slices.Equal(packets, told[w]) {
			wrong = append(wrong, fmt.Sprintf("sent again:\n%+v\ntold:\n%+v", packets, told[w]))
		}
	}
	if len(told) > len(sent) || len(sent) == 0 {
		wrong = append(wrong, fmt.Sprintf("sent again:\n%+v\ntold:\n%+v", sent, told))
	}
	return wrong
}

// fastOpens makes a connection whose server has it while the client, which is deaf, waits for the answer.
func (g *trial) fastOpens() (client, server *endpoint) {
	g.t.Helper()
	g.sysctl("net/ipv4/tcp_fastopen", itoa(0x1|0x2|0x4|0x200)) // client, server, and neither asks for a cookie
	l := g.player("server").socket("listener", false, 0).bind("127.0.0.1:7000").set(unix.IPPROTO_TCP, unix.TCP_FASTOPEN, 5).listen(8)
	c := g.player("client").socket("client", false, 0).bind("127.0.0.1:7001")
	c.deaf()
	c.do(order{Do: "fastopening", Addr: "127.0.0.1:7000", Value: 10})
	s := l.accepts("server")
	s.reads(10)
	c.remote = l.local
	return c, s
}

// noDestroy says whether the kernel closes sockets for others (CONFIG_INET_DIAG_DESTROY): it is asked to, of one that there is not.
func noDestroy(t *testing.T) string {
	t.Helper()
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.NETLINK_SOCK_DIAG)
	if err != nil {
		return "sock_diag: " + err.Error()
	}
	defer unix.Close(fd)
	const sockDestroy = 21 // include/uapi/linux/sock_diag.h
	request := struct {
		head     unix.NlMsghdr
		family   uint8
		protocol uint8
		_        [2]byte
		states   uint32
		ports    [2]uint16
		addrs    [8]uint32
		device   uint32
		cookie   [2]uint32
	}{head: unix.NlMsghdr{Type: sockDestroy, Flags: unix.NLM_F_REQUEST | unix.NLM_F_ACK}, family: unix.AF_INET, protocol: unix.IPPROTO_TCP}
	request.head.Len = uint32(unsafe.Sizeof(request))
	if _, err := unix.Write(fd, unsafe.Slice((*byte)(unsafe.Pointer(&request)), unsafe.Sizeof(request))); err != nil {
		t.Fatal(err)
	}
	answer := make([]byte, 4096)
	if n, err := unix.Read(fd, answer); err != nil || n < unix.SizeofNlMsghdr+4 {
		t.Fatalf("%d bytes, %v", n, err)
	}
	errno := unix.Errno(-int32(binary.NativeEndian.Uint32(answer[unix.SizeofNlMsghdr:])))
	if errno == unix.EOPNOTSUPP {
		return "SOCK_DESTROY: " + errno.Error()
	}
	return ""
}

// A connection to another namespace of this machine: both ends know each other where both are traced, and neither guesses.
func TestTraceOtherNamespace(t *testing.T) {
	kerneltest.RequireRoot(t)
	blind := newBlindSpot(t)
	for name, want := range map[string]struct {
		both     bool
		accounts []account
	}{
		"one is traced": {false, []account{
			{"client", "@client/exact; open; close fin by local sent 100 received 5 opened"},
		}},
		"both are traced": {true, []account{
			{"listener", "@server/exact; listen"}, // in which namespace a socket is bound is not known where all are traced, and so does not match
			{"client", "@client/exact; open; close fin by local sent 100 received 5 opened peer server/exact elsewhere"},
			{"server", "@server/exact; accept; close fin by remote sent 5 received 100 waited peer client/exact elsewhere"},
		}},
	} {
		t.Run(strings.ReplaceAll(name, " ", "_"), func(t *testing.T) {
			t.Parallel()
			blind.plays(t, func() (*trial, []string) {
				g := makeTrial(t)
				return g, g.attempt(func() []string {
					far := g.wire()
					if want.both {
						g.begin("--netns", "all", "netns", "in", fmt.Sprintf("{%d,%d}", g.ns.Inode(), far.Inode()))
					} else {
						g.begin()
					}
					g.elsewhere["listener"], g.elsewhere["server"] = far.Inode(), far.Inode()
					l := g.playerIn(far, "server").socket("listener", false, 0).bind("192.0.2.2:7000").listen(8)
					c := l.opens("client")
					s := l.accepts("server")
					c.writes(100)
					s.reads(100)
					s.writes(5)
					c.reads(5)
					c.close()
					s.readsEnd()
					g.await(c, "FIN_WAIT2")
					s.close()
					g.finish()
					return g.judge(&plot{want: want.accounts})
				})
			})
		})
	}
}

// Connections that are shorter than any poll, most by far shorter than a millisecond: none of them failed, and each is told once by each end.
func TestTraceShortConnections(t *testing.T) {
	kerneltest.RequireRoot(t)
	t.Parallel()
	const connections = 5000
	ns := kerneltest.NetNS(t)
	trace := start(t, ns, "netlive", "trace", "--json")
	trace.awaitBegin()
	lines := told(trace)
	storm := startStorm(t, ns, kerneltest.Storm{Connections: connections, Workers: 1, List: true})
	report := storm.report()
	if err := storm.stdin.Close(); err != nil {
		t.Fatal(err)
	}
	if code, _, errs := storm.wait(); code != 0 {
		t.Fatalf("storm: %d %s", code, errs)
	}
	var last uint64
	ns.Do(func() { last = refused(t) })
	got := map[uint64][]string{}
	for e := range lines {
		if e.Cookie == last && e.Event == "fail" {
			break
		}
		if e.Event == "lost" {
			t.Fatalf("lost %d", e.Count)
		}
		if len(e.Owners) != 1 || e.Owners[0].PID != storm.Process.Pid {
			t.Fatalf("owners %+v, want process %d: %+v", e.Owners, storm.Process.Pid, e)
		}
		text := e.Event
		if e.Event == "close" {
			text += fmt.Sprint(" ", e.End, " ", e.ClosedBy)
			if e.Peer == nil || e.Peer.PID != storm.Process.Pid || e.Peer.NetNS != ns.Inode() {
				t.Errorf("peer %+v of %+v", e.Peer, e)
			}
		}
		got[e.Cookie] = append(got[e.Cookie], text)
	}
	wrong := 0
	for _, c := range report.Connections {
		client, server := []string{"open", "close reset_sent local"}, []string{"accept", "close reset_received remote"}
		if !slices.Equal(got[c.Client], client) || !slices.Equal(got[c.Server], server) {
			if wrong++; wrong < 5 {
				t.Errorf("%+v: client %q, server %q", c, got[c.Client], got[c.Server])
			}
		}
	}
	if wrong > 0 || len(report.Connections) != connections || len(got) != 2*connections+1 { // and the listener
		t.Errorf("%d connections wrong of %d, %d sockets told of", wrong, len(report.Connections), len(got))
	}
}

// ssInfo is what ss tells of a connection's numbers.
type ssInfo struct {
	Sent, Received, BytesAgain uint64
	SegsOut, SegsIn            uint64
	Retrans                    uint64
	RTT, MinRTT                int64 // microseconds
	unacked                    uint64
}

// infos asks ss for the numbers of all connections, by cookie. ss leaves out what is 0.
func infos(t *testing.T, ns *kerneltest.NS) map[uint64]ssInfo {
	t.Helper()
	all := map[uint64]ssInfo{}
	for line := range strings.Lines(string(runIn(t, ns, "ss", "-HtieOn"))) {
		_, sk, _ := strings.Cut(line, " sk:")
		cookie, err := strconv.ParseUint(strings.Fields(sk + " ")[0], 16, 64)
		if err != nil {
			t.Fatalf("ss: %q", line)
		}
		var i ssInfo
		for _, f := range strings.Fields(line) {
			name, text, _ := strings.Cut(f, ":")
			number := func(text string) (n uint64) {
				n, err := strconv.ParseUint(text, 10, 64)
				if err != nil {
					t.Fatalf("ss: %q: %v", f, err)
				}
				return n
			}
			micros := func() int64 {
				text, _, _ := strings.Cut(text, "/")
				whole, part, _ := strings.Cut(text, ".")
				return int64(number(whole)*1000 + number((part + "000")[:3]))
			}
			switch name {
			case "bytes_sent":
				i.Sent = number(text)
			case "bytes_retrans":
				i.BytesAgain = number(text)
			case "bytes_received":
				i.Received = number(text)
			case "segs_out":
				i.SegsOut = number(text)
			case "segs_in":
				i.SegsIn = number(text)
			case "retrans":
				_, total, _ := strings.Cut(text, "/") // those under way come first
				i.Retrans = number(total)
			case "unacked":
				i.unacked = number(text)
			case "rtt":
				i.RTT = micros()
			case "minrtt":
				i.MinRTT = micros()
			}
		}
		i.Sent -= i.BytesAgain // the kernel counts what is sent again again
		all[cookie] = i
	}
	return all
}

// What a connection's end tells of its numbers is what ss told just before, and what the referee sent.
func TestTraceNumbers(t *testing.T) {
	kerneltest.RequireRoot(t)
	t.Parallel()
	newBlindSpot(t).plays(t, func() (*trial, []string) {
		g := newTrial(t)
		return g, g.attempt(func() []string { return g.numbers() })
	})
}

// numbers makes connections and says whose end told of wrong numbers.
func (g *trial) numbers() (wrong []string) {
	g.t.Helper()
	l := g.listens(8)
	sizes := []int{0, 1, 1e3, 1e6, 5e6}
	type side struct {
		end            *endpoint
		sent, received uint64
		info           ssInfo
		reset          bool
	}
	var sides []*side
	for _, there := range sizes {
		for _, back := range sizes {
			for _, reset := range []bool{false, true} {
				c := l.opens(fmt.Sprint("client ", len(sides)))
				s := l.accepts(fmt.Sprint("server ", len(sides)))
				for _, way := range []struct {
					from, to *endpoint
					n        int
				}{{c, s, there}, {s, c, back}} {
					written := way.from.by.begin(order{Do: "write", FD: way.from.fd, Value: way.n})
					if way.n > 0 {
						way.to.reads(way.n)
					}
					if r := written(); r.Err != "" {
						g.t.Fatal(r)
					}
				}
				client := &side{c, uint64(there), uint64(back), ssInfo{}, reset}
				server := &side{s, uint64(back), uint64(there), ssInfo{}, reset}
				for rest := false; !rest; { // when all is acknowledged, which may be put off
					now := infos(g.t, g.ns)
					client.info, server.info = now[c.cookie], now[s.cookie]
					rest = client.info.unacked+server.info.unacked == 0
				}
				sides = append(sides, client, server)
				if reset {
					c.resets()
				} else {
					c.close()
					s.readsEnd()
				}
				s.close()
			}
		}
	}
	for _, s := range sides {
		e := g.awaitEvent(s.end, "close")
		got := ssInfo{e.Sent, e.Received, e.BytesAgain, uint64(e.SegsOut), uint64(e.SegsIn), uint64(e.Retrans), deref(e.RTT), deref(e.MinRTT), 0}
		want := s.info
		if want.Sent != s.sent || want.Received != s.received {
			g.t.Fatalf("%s: ss has %+v, the referee sent %d and received %d", s.end.name, want, s.sent, s.received)
		}
		if !s.reset {
			// Each side's FIN and its acknowledgement come after ss was asked, and are a round trip more.
			if got.SegsOut <= want.SegsOut || got.SegsOut > want.SegsOut+3 || got.SegsIn <= want.SegsIn || got.SegsIn > want.SegsIn+3 || got.RTT == 0 || got.MinRTT > want.MinRTT {
				wrong = append(wrong, fmt.Sprintf("%s: %+v, ss had %+v before its end", s.end.name, got, want))
			}
			want.SegsOut, want.SegsIn, want.RTT, want.MinRTT = got.SegsOut, got.SegsIn, got.RTT, got.MinRTT
		} else if e.End == "reset_received" {
			want.SegsIn++
		} else {
			want.SegsOut++
		}
		if got != want {
			wrong = append(wrong, fmt.Sprintf("%s: %+v, ss had %+v before its end", s.end.name, got, want))
		}
	}
	g.finish()
	return wrong
}
