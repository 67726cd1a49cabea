// SPDX-License-Identifier: GPL-2.0-or-later

package tracer

import (
	"cmp"
	"errors"
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/netip"
	"os"
	"reflect"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"netlive/internal/filter"
	"netlive/internal/kerneltest"
	"netlive/internal/sock"
)

var filterSeed = flag.Uint64("filter.seed", 0, "seed of the random filters and of the traffic; 0: by the clock")

// fact is what an event says without its times, which each tracer takes itself.
type fact struct {
	Kind             sock.EventKind
	ID, Request      sock.ID
	Proto            sock.Proto
	Old, State, Mini sock.State
	Local, Remote    netip.AddrPort
	NetNS, UID       uint32
	Inode            uint32
	Cgroup           uint64
	Owner            sock.Owner
	Detail           detailFact
}

type detailFact struct {
	By                  sock.Side
	End                 sock.End
	Errno               uint16
	Reason              string
	Segment             sock.Segment
	Seq, Len            uint32
	Backlog, MaxBacklog uint32
	Dropped             int64
	Sent, Received      uint64
	Peer                sock.Owner
	Accepted            bool
	Signal              uint8
	Exited              bool
}

func factOf(e *sock.Event) fact {
	s := &e.Socket
	f := fact{
		e.Kind, s.ID, e.Request, s.Proto, e.Old, s.State, e.Mini, s.Local, s.Remote, s.NetNS, s.UID, s.Inode, s.Cgroup, s.Owner, detailFact{},
	}
	if d := e.Detail; d != nil {
		f.Detail = detailFact{
			d.By, d.End, d.Errno, d.Reason, d.Segment, d.Seq, d.Len, d.Backlog, d.MaxBacklog, d.Dropped, d.BytesSent, d.BytesReceived,
			d.Peer, d.AcceptWait >= 0, d.Signal, d.Exited,
		}
	}
	return f
}

func (f fact) String() string {
	return fmt.Sprintf("%s %s %#x %s>%s %v %v netns %d uid %d owner %d %s %s %+v", f.Kind, f.Proto, f.ID, f.Old, f.State, f.Local, f.Remote,
		f.NetNS, f.UID, f.Owner.PID, f.Owner.Comm, f.Owner.How, f.Detail)
}

// parsed is a filter and its two parts.
type parsed struct {
	whole, rest *filter.Filter
	kernel      filter.Kernel
}

func parse(t *testing.T, text string) *parsed {
	t.Helper()
	f, err := filter.Parser{}.Parse(text)
	must(t, err)
	k, rest := f.Kernel()
	return &parsed{f, rest, k}
}

// fieldsOf names what is set in k.
func fieldsOf(k *filter.Kernel) (names []string) {
	for v, i := reflect.ValueOf(*k), 0; i < v.NumField(); i++ {
		if !v.Field(i).IsZero() {
			names = append(names, v.Type().Field(i).Name)
		}
	}
	return names
}

// history is all that happened, as the tracer without a filter told it. Facts are numbered, those that it did not tell too.
type history struct {
	events  []sock.Event
	numbers []int // of the events
	facts   []fact
	index   map[fact]int
}

func newHistory(events []sock.Event) *history {
	h := &history{events: events, index: map[fact]int{}}
	for i := range events {
		h.numbers = append(h.numbers, h.number(&events[i]))
	}
	return h
}

func (h *history) number(e *sock.Event) int {
	f := factOf(e)
	n, ok := h.index[f]
	if !ok {
		n = len(h.facts)
		h.facts = append(h.facts, f)
		h.index[f] = n
	}
	return n
}

// differs says what two lists of events do not share, given how much oftener the first has each fact.
func (h *history) differs(what string, more map[int]int) error {
	var lines []string
	missing, excess := 0, 0
	for number, n := range more {
		switch {
		case n > 0:
			missing += n
		case n < 0:
			excess -= n
		default:
			continue
		}
		if len(lines) < 6 {
			lines = append(lines, fmt.Sprintf("%+d %v", -n, h.facts[number]))
		}
	}
	if lines == nil {
		return nil
	}
	return fmt.Errorf("%s: %d missing, %d in excess, such as\n%s", what, missing, excess, strings.Join(lines, "\n"))
}

// outcome is how many events the kernel sent, and how many matched.
type outcome struct{ sent, matched int }

// compare holds what a tracer told that was given the kernel's part of f against all that happened: whether the kernel sent what Passes lets
// pass, neither more nor less, and whether what the rest of f matches of that is what f matches of all.
func (h *history) compare(f *parsed, told []sock.Event) (n outcome, sent, results error) {
	sends, matches := map[int]int{}, map[int]int{}
	var v filter.Values
	for i := range h.events {
		e := &h.events[i]
		if f.kernel.Passes(&e.Socket, e.Old) {
			sends[h.numbers[i]]++
		}
		if v.SetEvent(e); f.whole.Match(&v) {
			matches[h.numbers[i]]++
			n.matched++
		}
	}
	for i := range told {
		e := &told[i]
		number := h.number(e)
		sends[number]--
		if v.SetEvent(e); f.rest.Match(&v) {
			matches[number]--
		}
	}
	n.sent = len(told)
	return n, h.differs("sent by the kernel", sends), h.differs("results", matches)
}

// tracers are several of one namespace.
type tracers struct {
	t    *testing.T
	ns   *kerneltest.NS
	list []*Tracer
}

// openAll opens tracers, which must be there before anything happens that they shall tell of alike.
func openAll(t *testing.T, ns *kerneltest.NS, options []Options) *tracers {
	t.Helper()
	// Each reads all of the kernel's types, and throws them away.
	defer debug.SetGCPercent(debug.SetGCPercent(400))
	ts := &tracers{t, ns, make([]*Tracer, len(options))}
	errs := make([]error, len(options))
	ts.each(func(i int) { // the kernel takes its time to check the programs of each
		o := options[i]
		o.NetNS, o.Ring = ns.Inode(), filterRing
		o.Spaces = func() ([]Space, error) { return []Space{space{ns, nil}}, nil }
		ts.list[i], errs[i] = Open(o)
	})
	t.Cleanup(func() {
		ts.each(func(i int) {
			if ts.list[i] != nil {
				if err := ts.list[i].Close(); err != nil {
					t.Errorf("close: %v", err)
				}
			}
		})
	})
	kerneltest.RequireBPF(t, errors.Join(errs...))
	for _, tr := range ts.list {
		if lacks := tr.Lacks(); lacks != 0 {
			t.Fatalf("this kernel should tell of all, and lacks %b", lacks)
		}
		must(t, tr.SeedOwners(t.Context()))
	}
	return ts
}

func (ts *tracers) each(do func(i int)) {
	var wg sync.WaitGroup
	for i := range ts.list {
		wg.Go(func() { do(i) })
	}
	wg.Wait()
}

// told is what each has told when all that happened in the namespace is over. Nobody may have lost anything.
func (ts *tracers) told() [][]sock.Event {
	ts.t.Helper()
	settle(ts.t, ts.ns)
	all := make([][]sock.Event, len(ts.list))
	errs := make([]error, len(ts.list))
	// The kernel's words are the same for all, and take long to read.
	var words names
	words.reason(sock.EventReset, 0)
	ts.each(func(i int) {
		tr := ts.list[i]
		tr.names.once.Do(func() { tr.names.drops, tr.names.resets = maps.Clone(words.drops), maps.Clone(words.resets) })
		all[i], errs[i] = drain(tr)
	})
	must(ts.t, errors.Join(errs...))
	return all
}

// drain takes what there is.
func drain(tr *Tracer) (all []sock.Event, err error) {
	s, err := tr.Stream()
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	if err := s.Finish(); err != nil {
		return nil, err
	}
	for buf := make([]sock.Event, 1024); ; {
		n, err := s.Next(buf)
		for i := range buf[:n] {
			e := buf[i]
			if e.Detail != nil { // which is the stream's
				d := *e.Detail
				e.Detail = &d
			}
			all = append(all, e)
		}
		if err == os.ErrClosed {
			break
		}
		if err != nil {
			return nil, err
		}
	}
	if tr.Lost() != 0 {
		return nil, fmt.Errorf("%d events lost", tr.Lost())
	}
	return all, nil
}

// scene is a namespace with processes that are ready to make traffic.
type scene struct {
	t         *testing.T
	ns        *kerneltest.NS
	processes []*trafficProcess
	listeners []int
	storm     kerneltest.Storm
}

var trafficUIDs = []int{0, 33, 1000, 1001, 4294967294}

func newScene(t *testing.T, seed uint64, processes, plays int) *scene {
	t.Helper()
	s := &scene{t: t, ns: kerneltest.NetNS(t), storm: kerneltest.Storm{Connections: plays / 4, Workers: 2, Open: 3, Mixed: true}}
	s.ns.Do(func() { addAddresses(t) })
	for i := range processes {
		c := traffic{Seed: seed, Plays: plays, Port: trafficPort + i*trafficPorts, UIDs: trafficUIDs}
		fd := socketIn(t, s.ns, unix.SOCK_STREAM, 0)
		must(t, unix.Bind(fd, &unix.SockaddrInet4{Port: c.Port + ownPlaces}))
		must(t, unix.Listen(fd, 16))
		s.listeners = append(s.listeners, fd)
		s.processes = append(s.processes, startTraffic(t, s.ns, c, fd))
	}
	return s
}

// run makes the traffic, from its first to its last event.
func (s *scene) run(timers bool) {
	s.t.Helper()
	if timers {
		s.processes[0].ask("timers")
		s.processes[0].wait()
	}
	for _, p := range s.processes {
		p.ask("plays")
	}
	storm(s.t, s.ns, s.storm)
	for _, p := range s.processes {
		p.wait()
	}
	for _, p := range s.processes {
		must(s.t, p.in.Close())
	}
	for _, p := range s.processes {
		p.end()
	}
	for _, fd := range s.listeners {
		must(s.t, unix.Close(fd))
	}
}

// filters makes random filters about what happens in s.
func (s *scene) filters(r *rand.Rand) *filterMaker {
	m := &filterMaker{r: r, pids: []string{"1"}, netns: []string{fmt.Sprint(s.ns.Inode()), "4026531840", "all"}}
	for _, p := range s.processes {
		m.pids = append(m.pids, fmt.Sprint(p.Process.Pid))
	}
	m.pids = append(m.pids, fmt.Sprint(os.Getpid()))
	for i := range s.processes {
		for n := range ownPlaces + 1 {
			m.ports = append(m.ports, trafficPort+i*trafficPorts+n)
		}
		m.ports = append(m.ports, trafficPort+i*trafficPorts+refusingPort, clientPort+i*clientPorts+10)
	}
	m.ports = append(m.ports, 7000, 32768, 40000, 50000, 61000, 0)
	return m
}

// filterMaker makes random filters, from values that the traffic has.
type filterMaker struct {
	r           *rand.Rand
	ports       []int
	pids, netns []string
}

func (m *filterMaker) word(list ...string) string { return one(m.r, list) }

func (m *filterMaker) set(most int, value func() string) string {
	values := []string{value()}
	for range m.r.IntN(most) {
		values = append(values, value())
	}
	return m.word(" in {", " not in {", " = {", " != {") + strings.Join(values, ", ") + "}"
}

func (m *filterMaker) number(field string, value func() string) string {
	switch m.r.IntN(4) {
	case 0:
		return field + m.set(3, value)
	case 1:
		return field + m.word(" < ", " <= ", " > ", " >= ") + value()
	}
	return field + m.word(" = ", " != ", " ", " ne ") + value()
}

func (m *filterMaker) port() string {
	n := one(m.r, m.ports)
	if m.r.IntN(3) == 0 {
		return fmt.Sprintf("%d-%d", n, min(n+one(m.r, []int{1, 4, 9, 20, 300, 20000}), 65535))
	}
	return fmt.Sprint(n)
}

func (m *filterMaker) host() string {
	a := one(m.r, append(trafficV6, append(trafficV4, trafficV4...)...))
	if a.Is4() && m.r.IntN(4) == 0 {
		a = mapped(a)
	}
	var text string
	if m.r.IntN(3) > 0 {
		bits := a.BitLen() - one(m.r, []int{0, 1, 3, 7, 8, 12, 16, 23, 24, 31, 32})
		if m.r.IntN(5) == 0 {
			bits = m.r.IntN(a.BitLen() + 1)
		}
		text = netip.PrefixFrom(a, bits).String()
	} else if text = a.String(); a.Is6() {
		text = "[" + text + "]"
	}
	if m.r.IntN(5) == 0 {
		if a.Is6() && text[0] != '[' {
			text = "[" + strings.Replace(text, "/", "]/", 1)
		}
		text += ":" + m.port()
	}
	if m.r.IntN(12) == 0 {
		return m.word("0/0", "::/0", "*", "[::]", "0.0.0.0", ":"+m.port())
	}
	return text
}

func (m *filterMaker) state() string {
	return m.word("established", "syn-sent", "syn-recv", "closed", "listen", "close-wait", "last-ack", "fin-wait-1", "fin-wait-2", "connected", "synchronized",
		"big", "closing")
}

func (m *filterMaker) words(field string, value func() string) string {
	return field + m.word(" = "+value(), " != "+value(), " "+value(), m.set(3, value))
}

func (m *filterMaker) test() string {
	uid := func() string { return fmt.Sprint(one(m.r, trafficUIDs)) }
	pid := func() string { return m.word(m.pids...) }
	switch m.r.IntN(18) {
	case 0, 1, 2, 3:
		if m.r.IntN(10) == 0 { // more than the kernel takes
			var odd []string
			for n := range filter.MaxRanges + 1 {
				odd = append(odd, fmt.Sprint(trafficPort+2*n))
			}
			return m.word("sport", "dport", "port") + m.word(" in {", " not in {") + strings.Join(odd, ", ") + "}"
		}
		return m.number(m.word("sport", "dport", "port"), m.port)
	case 4, 5, 6, 7:
		field := m.word("src", "dst", "addr")
		if m.r.IntN(3) == 0 {
			return field + m.set(4, m.host)
		}
		return field + m.word(" = ", " != ", " ") + m.host()
	case 8, 9:
		return m.words("state", m.state)
	case 10, 11:
		return m.words("old", m.state)
	case 12:
		return m.word(m.number("uid", uid), m.words("user", uid))
	case 13:
		return m.number("pid", pid)
	case 14:
		return m.words("netns", func() string { return m.word(m.netns...) })
	case 15:
		return m.word("ipv4", "ipv6", m.words("family", func() string { return m.word("inet", "inet6") }))
	case 16:
		return m.words("proto", func() string { return m.word("tcp", "tcp4", "tcp6", "udp", "udp4", "raw", "raw6", "udplite") })
	}
	return m.words("event", func() string { return m.word("state", "open", "accept", "close", "fail", "reset", "listen", "bind") })
}

func (m *filterMaker) text(depth int) string {
	if depth == 0 || m.r.IntN(4) == 0 {
		return m.test()
	}
	// Mostly and: of a disjunction the kernel decides nothing.
	switch a := m.text(depth - 1); m.r.IntN(8) {
	case 0:
		return "not (" + a + ")"
	case 1:
		return "(" + a + ") or (" + m.text(depth-1) + ")"
	case 2:
		return "not (" + a + ") or (" + m.text(depth-1) + ")"
	default:
		return "(" + a + ")" + m.word(" and ", " ") + "(" + m.text(depth-1) + ")"
	}
}

// filter makes one that the kernel has a part in, as a rule.
func (m *filterMaker) filter(t *testing.T) *parsed {
	t.Helper()
	for {
		text := m.text(m.r.IntN(4))
		if _, err := (filter.Parser{}).Parse(text); err != nil {
			continue // a range after <
		}
		f := parse(t, text)
		if (f.kernel.Never || f.kernel == filter.Kernel{}) && m.r.IntN(10) > 0 {
			continue
		}
		return f
	}
}

// filterRounds are the rounds of TestKernelFilter: so many filters, about events of these kinds. To load the programs of all kinds takes four times
// as long as to load those of states.
var filterRounds = []struct {
	filters int
	events  sock.EventSet
}{
	{10, everything | stateEvents},
	{15, lifeEvents | stateEvents | sock.Events(sock.EventReset)},
	{15, stateEvents | sock.Events(sock.EventReset, sock.EventRetransmit, sock.EventError)},
	{15, stateEvents | sock.Events(sock.EventBind)},
	{15, stateEvents | sock.Events(sock.EventListen, sock.EventOpen)},
	{15, stateEvents},
	{15, stateEvents},
}

var stateEvents = sock.Events(sock.EventState)

// What passes the kernel's part of a filter and then matches the rest of it is what matches the filter among all events: random filters, each
// in a tracer of its own beside one without a filter, about traffic that the filters are made for.
func TestKernelFilter(t *testing.T) {
	kerneltest.RequireRoot(t)
	seed := newFilterSeed(t)
	var filters, events, sent, some, fewer, alone int
	var kinds sock.EventSet
	for i, round := range filterRounds {
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			r := rand.New(rand.NewPCG(seed, uint64(i)))
			s := newScene(t, r.Uint64(), 3, 500)
			m := s.filters(r)
			var list []*parsed
			options := []Options{{Events: round.events}}
			for range round.filters {
				f := m.filter(t)
				list, options = append(list, f), append(options, Options{Events: round.events, Filter: &f.kernel})
			}
			ts := openAll(t, s.ns, options)
			s.run(round.events.Has(sock.EventRetransmit))
			told := ts.told()
			h := newHistory(told[0])
			for i := range h.events {
				kinds |= sock.Events(h.events[i].Kind)
			}
			all := len(h.events)
			events += all
			for i, f := range list {
				n, wrongSent, wrongResults := h.compare(f, told[i+1])
				if err := errors.Join(wrongSent, wrongResults); err != nil {
					t.Errorf("%s\nin the kernel: %v\nin Go: %s\n%v", f.whole.Text(), fieldsOf(&f.kernel), f.rest, err)
				}
				t.Logf("of %d events %d are sent and %d match: %s", all, n.sent, n.matched, f.whole.Text())
				filters++
				sent += n.sent
				if 0 < n.matched && n.matched < all {
					some++
				}
				if n.sent < all {
					fewer++
				}
				if f.rest.All() {
					alone++
				}
			}
		})
	}
	t.Logf("%d filters, %d events of the kinds %b: %d filters match some and not all, for %d the kernel left some out, and %d it decided alone; it sent %d",
		filters, events, kinds, some, fewer, alone, sent)
	// Filters that match nothing or all show little, and so do those in which the kernel has no part.
	if filters < 100 || events < 100_000 || some < filters*6/10 || fewer < filters*7/10 || alone < filters/10 {
		t.Error("too few")
	}
	if want := everything | stateEvents; kinds != want {
		t.Errorf("the events were of the kinds %b, not of %b", kinds, want)
	}
}

// filterRing has room for all that a scene makes: nobody reads before it is over.
const filterRing = 8 << 20

// newFilterSeed says in the log how to see the same filters and traffic again.
func newFilterSeed(t *testing.T) uint64 {
	seed := *filterSeed
	if seed == 0 {
		seed = uint64(time.Now().UnixNano())
	}
	t.Logf("-filter.seed=%d", seed)
	return seed
}

// A kernel's part that is wrong is seen: in what is sent, and in the results too, but for what Go decides again.
func TestKernelFilterCanFail(t *testing.T) {
	kerneltest.RequireRoot(t)
	s := newScene(t, newFilterSeed(t), 2, 150)
	pid := s.processes[1].Process.Pid
	breaks := []struct {
		name, text string
		by         func(*filter.Kernel)
		again      bool // Go decides again
	}{
		{"a range of ports shifted by one", "dport = 7800-7803", func(k *filter.Kernel) { k.RemotePorts.R[0].Lo++; k.RemotePorts.R[0].Hi++ }, false},
		{"the end of a range left out", "dport in {7800, 7810-7812}", func(k *filter.Kernel) { k.RemotePorts.R[1].Hi-- }, false},
		{"a listener that has no remote port left out", "dport != 7800", func(k *filter.Kernel) { k.RemotePorts.R[0].Lo = 1 }, false},
		{"more local ports", "sport = 7800-7803", func(k *filter.Kernel) { k.LocalPorts.R[0].Hi = 65535 }, true},
		{"fewer local ports", "sport = 7800-7803", func(k *filter.Kernel) { k.LocalPorts.R[0].Lo++ }, false},
		{"a prefix left out", "dst in {127.0.0.9, 2001:db8::/32}", func(k *filter.Kernel) { k.Remote.N-- }, false},
		{"a longer prefix", "src 127.0.0.0/8", func(k *filter.Kernel) { k.Local.P[0].Bits++ }, false},
		{"a shorter prefix", "src fd00::/16", func(k *filter.Kernel) { k.Local.P[0].Bits = 0 }, false},
		{"IPv4 in a prefix of IPv6", "dst ::/0", func(k *filter.Kernel) { k.Remote.P[0].Only6 = false }, false},
		{"the ends changed for one another", "dst 2001:db8::1", func(k *filter.Kernel) { k.Local, k.Remote = k.Remote, k.Local }, false},
		{"what is denied let through", "addr != 127.0.0.1", func(k *filter.Kernel) { k.NotRemote.N = 0 }, false},
		{"the other family", "ipv6", func(k *filter.Kernel) { k.Families ^= filter.FamilyInet | filter.FamilyInet6 }, false},
		{"the state before for the state after", "state established", func(k *filter.Kernel) { k.States, k.OldStates = k.OldStates, k.States }, false},
		{"a state left out", "old in {syn-sent, close-wait}", func(k *filter.Kernel) { k.OldStates &^= 1 << sock.CloseWait }, false},
		{"another user too", "uid = 1000", func(k *filter.Kernel) { k.UIDs.R[0].Hi++ }, false},
		{"another process", fmt.Sprintf("pid = %d", pid), func(k *filter.Kernel) { k.PIDs.R[0] = filter.Range{Lo: 1, Hi: uint32(pid) - 1} }, false},
		{"another namespace", fmt.Sprintf("netns = %d", s.ns.Inode()), func(k *filter.Kernel) { k.NetNS.R[0].Lo++; k.NetNS.R[0].Hi++ }, false},
		{"nothing", "dport > 0", func(k *filter.Kernel) { k.Never = true }, false},
	}
	var list []*parsed
	options := []Options{{Events: stateEvents}}
	for _, b := range breaks {
		f := parse(t, b.text)
		broken := f.kernel
		if b.by(&broken); broken == f.kernel {
			t.Fatalf("%s is no break", b.name)
		}
		list, options = append(list, f), append(options, Options{Events: stateEvents, Filter: &broken})
	}
	// The last is whole: the comparison might always fail.
	list, options = append(list, list[0]), append(options, Options{Events: stateEvents, Filter: &list[0].kernel})
	ts := openAll(t, s.ns, options)
	s.run(false)
	told := ts.told()
	h := newHistory(told[0])
	for i, b := range breaks {
		n, sent, results := h.compare(list[i], told[i+1])
		if sent == nil || (results == nil) != b.again {
			t.Errorf("%s of %s is not seen, where %d of %d events were sent and %d match: %v; %v", b.name, b.text, n.sent, len(h.events), n.matched, sent, results)
		}
	}
	last := len(list) - 1
	if _, sent, results := h.compare(list[last], told[last+1]); sent != nil || results != nil {
		t.Errorf("nothing is broken: %v; %v", sent, results)
	}
}

// fixedEnds names the ends of fixedScene by their ports, which no other test uses. That of the storm's client is the kernel's choice.
var fixedEnds = map[uint16]string{
	7904: "server4", 8904: "client4", 7906: "server6", 8906: "client6", 7907: "server-mapped", 8907: "client-mapped", 7909: "nobody", 8909: "refused",
	7901: "server-storm", 0: "unknown",
}

// fixedScene makes a connection of each family, one that is refused, and then one in another process. The user of a socket is its port.
func fixedScene(t *testing.T, ns *kerneltest.NS) {
	t.Helper()
	bound := func(a string, port int) int {
		at := sockaddr(netip.MustParseAddr(a), port)
		fd, err := unix.Socket(familyOf(at), unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
		must(t, err)
		must(t, unix.Fchown(fd, port, -1))
		must(t, unix.Bind(fd, at))
		return fd
	}
	ns.Do(func() {
		for _, c := range []struct {
			port             int
			listen, to, from string
		}{
			{7904, "127.0.0.4", "127.0.0.4", "127.0.4.4"},
			{7906, "::1", "::1", "2001:db8::1"},
			{7907, "::", "::ffff:127.0.0.7", "::ffff:127.0.4.7"},
		} {
			listener, client := bound(c.listen, c.port), bound(c.from, c.port+1000)
			must(t, unix.Listen(listener, 1))
			must(t, unix.Connect(client, sockaddr(netip.MustParseAddr(c.to), c.port)))
			server, _, err := unix.Accept4(listener, unix.SOCK_CLOEXEC)
			must(t, err)
			for _, fd := range []int{client, server, listener} {
				must(t, unix.Close(fd))
			}
		}
		refused := bound("127.0.4.9", 8909)
		if err := unix.Connect(refused, sockaddr(netip.MustParseAddr("127.0.0.9"), 7909)); err != unix.ECONNREFUSED {
			t.Fatalf("connected where nobody listens: %v", err)
		}
		must(t, unix.Close(refused))
	})
	storm(t, ns, kerneltest.Storm{Connections: 1, Workers: 1, Port: 7901})
}

// Each field of the kernel's part alone, about events that are known beforehand: what fails says which field it is.
func TestKernelFilterFields(t *testing.T) {
	kerneltest.RequireRoot(t)
	ns := kerneltest.NetNS(t)
	ns.Do(func() { addAddresses(t) })
	const (
		inet  = "listen server4, open client4, listen server-storm, open client-storm"
		inet6 = "listen server6, open client6, listen server-mapped, open client-mapped"
		ours  = "listen server4, open client4, " + inet6
	)
	type row struct {
		field, text, want string
		events            sock.EventSet // EventListen and EventOpen unless it says otherwise
	}
	resets := sock.Events(sock.EventReset)
	table := []row{
		{"", "", inet + ", " + inet6, 0},
		{"Never", "dport = 0", "", 0},
		{"Families", "ipv6", inet6, 0},
		{"Families", "ipv4", inet, 0},
		{"States", "state listen", "listen server4, listen server6, listen server-mapped, listen server-storm", 0},
		{"OldStates", "old syn-sent", "open client4, open client6, open client-mapped, open client-storm", 0},
		{"LocalPorts", "sport in {7904, 8900-8906}", "listen server4, open client4, open client6", 0},
		{"RemotePorts", "dport in {7904-7905, 7907}", "open client4, open client-mapped", 0},
		{"RemotePorts", "dport != 7901-7906", "listen server4, listen server6, listen server-mapped, open client-mapped, listen server-storm", 0},
		{"EitherPorts", "port in {7904, 8906}", "listen server4, open client4, open client6", 0},
		{"UIDs", "uid in {7904, 8906-8907}", "listen server4, open client6, open client-mapped", 0},
		{"PIDs", fmt.Sprintf("pid = %d", os.Getpid()), ours, 0},
		{"PIDs", fmt.Sprintf("pid != %d", os.Getpid()), "listen server-storm, open client-storm", 0},
		{"NetNS", fmt.Sprintf("netns = %d", ns.Inode()), inet + ", " + inet6, 0},
		{"NetNS", fmt.Sprintf("netns != %d", ns.Inode()), "", 0},
		{"Local", "src in {127.0.4.0/24, ::1}", "open client4, listen server6, open client-mapped", 0},
		{"Remote", "dst in {127.0.0.4, ::/127}", "open client4, listen server6, open client6, listen server-mapped", 0},
		{"Either", "addr in {127.0.0.4/30, 2001:db8::/33}", "listen server4, open client4, open client6, open client-mapped", 0},
		{"NotLocal", "src not in {127.0.4.0/24, ::1, 127.0.2.0/23}", "listen server4, open client6, listen server-mapped, listen server-storm", 0},
		{"NotRemote", "dst not in {127.0.0.0/8, ::/128}", "listen server4, open client6, listen server-storm", 0},
		// A prefix of IPv6 has nothing of AF_INET (Only6), one of IPv4 the IPv4-mapped addresses of AF_INET6.
		{"Local", "src ::/0", inet6, 0},
		{"Local", "src in {127.0.0.4, ::/1}", "listen server4, " + inet6, 0},
		{"Remote", "dst 0.0.0.0/0", "open client-mapped, " + inet, 0},
		{"NotLocal", "src != ::/0", inet, 0},
		// What the kernel does not know it lets pass: the port of the storm's client at first, who sent a reset for no socket.
		{"LocalPorts", "sport = 9", "SYN_SENT unknown", stateEvents},
		{"EitherPorts", "port = 9", "SYN_SENT unknown", stateEvents},
		{"PIDs", "pid = 4294967295", "reset nobody", resets},
	}
	var options []Options
	for _, row := range table {
		f := parse(t, row.text)
		if got := strings.Join(fieldsOf(&f.kernel), " "); got != row.field && !f.kernel.Never {
			t.Fatalf("%q sets %s, not %s", row.text, got, row.field)
		}
		options = append(options, Options{Events: cmp.Or(row.events, sock.Events(sock.EventListen, sock.EventOpen)), Filter: &f.kernel})
	}
	ts := openAll(t, ns, options)
	fixedScene(t, ns)
	for i, told := range ts.told() {
		var got, want []string
		for _, e := range told {
			what := e.Kind.String()
			if e.Kind == sock.EventState {
				what = e.Socket.State.String()
			}
			got = append(got, what+" "+cmp.Or(fixedEnds[e.Socket.Local.Port()], "client-storm"))
		}
		row := table[i]
		if row.want != "" {
			want = strings.Split(row.want, ", ")
		}
		slices.Sort(got)
		slices.Sort(want)
		if !slices.Equal(got, want) {
			t.Errorf("%s (%s) sent\n%q, want\n%q", row.field, row.text, got, want)
		}
	}
}

// The classic hook knows no users and no namespaces: it decides nothing, for what is not known is no value.
func TestKernelFilterClassic(t *testing.T) {
	kerneltest.RequireRoot(t)
	kerneltest.MountTracefs(t)
	ns := kerneltest.NetNS(t)
	f := parse(t, fmt.Sprintf("uid = 1000 and netns = %d and dport = 9", ns.Inode()))
	tr := open(t, Options{Hook: HookClassic, NetNS: ns.Inode(), Ring: 64 << 20, Filter: &f.kernel})
	storm(t, ns, kerneltest.Storm{Connections: 1, Workers: 1, Port: stormPort})
	settle(t, ns)
	events, err := drain(tr)
	must(t, err)
	at := netip.AddrPortFrom(netip.MustParseAddr("127.0.1.1"), stormPort) // the storm's listener: this hook hears of all namespaces
	told := 0
	for i := range events {
		if s := &events[i].Socket; s.Local == at || s.Remote == at {
			told++
		}
	}
	if want := len(resetClient) + len(resetServer) + len(listener); told != want {
		t.Errorf("%d changes of state, want %d", told, want)
	}
}
