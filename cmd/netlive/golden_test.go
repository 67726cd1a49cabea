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
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"netlive/internal/kerneltest"
)

// golden is a sequence that TCP goes through, and what netlive must say of it.
type golden struct {
	name string
	// pending says why netlive does not get it right yet. Then it must be wrong: a reason that has gone must go from here.
	pending string
	// lacks says what this machine lacks for the case; nil needs nothing.
	lacks func(*testing.T) string
	// before is what is there already when netlive is started.
	before func(*game)
	play   func(*game)
	want   []life
}

// life is what netlive must say of one socket.
type life struct {
	end string // the name that the case gave it
	// path is what trace must tell: the state it was in first, then those it went to, each with +STATE where a minisocket
	// stays in that state. @OWNER/how goes before the states that are told with that owner, @- with none. Empty is nothing told. An
	// owner is the name of a player, which is its process's name too, or PLAYER:name where the process has another name by then.
	path string
	// last is what watch must show at the end, STATE OWNER/how,OWNER/how, or gone. The how is held where the process matters
	// and not the evidence: how a process is known better does not change who it is, and nothing announces it.
	last string
}

// Each golden sequence in a namespace of its own, under trace and watch that were there before and a watch that comes last.
// The referee says what happened, and ss and netstat what there is.
func TestGolden(t *testing.T) {
	kerneltest.RequireRoot(t)
	for _, c := range goldens {
		t.Run(strings.ReplaceAll(c.name, " ", "_"), func(t *testing.T) {
			t.Parallel()
			if c.lacks != nil {
				if lack := c.lacks(t); lack != "" {
					t.Skipf("not to be had here: %s", lack)
				}
			}
			g := newGame(t)
			if c.before != nil {
				c.before(g)
			}
			g.begin()
			if c.pending != "" {
				g.patience = limit / 40 // what it waits for does not come
			}
			c.play(g)
			g.settle(c.want)
			wrong := g.judge(c.want)
			switch {
			case c.pending != "" && len(wrong) == 0:
				t.Errorf("netlive is right now, so this is not pending any more: %s", c.pending)
			case c.pending != "":
				t.Logf("pending: %s\n%s", c.pending, strings.Join(wrong, "\n"))
				return
			case len(wrong) > 0:
				t.Errorf("%s\nwhat the referee did:\n%s", strings.Join(wrong, "\n"), g.log())
				return
			}
			g.canFail(c.want)
		})
	}
}

// canFail breaks each expectation once: the judge must see it.
func (g *game) canFail(want []life) {
	g.t.Helper()
	for i := range want {
		broken := []func(*life){
			func(l *life) { l.path = l.path[:max(strings.LastIndexByte(l.path, ' '), 0)] },
			func(l *life) { l.path = strings.Replace(l.path, "/", "/un", 1) },
			func(l *life) { l.last = cmp.Or(map[bool]string{true: "LISTEN"}[l.last == "gone"], "gone") },
		}
		for n, breaks := range broken {
			lives := slices.Clone(want)
			if breaks(&lives[i]); lives[i] != want[i] && len(g.judge(lives)) == 0 {
				g.t.Errorf("break %d of %q goes unseen", n, want[i].end)
			}
		}
	}
}

// game is a case under way.
type game struct {
	t       *testing.T
	ns      *kerneltest.NS
	players map[string]*player
	sockets map[string]*endpoint // by name
	answers answers
	reports []report // guarded by answers.mu
	// patience bounds the wait for netlive, and for ss.
	patience time.Duration

	events   chan eventJSON
	watch    *process
	frames   []frameJSON // all that were looked at
	wrongs   []string    // what was wrong on the way
	told     map[uint64][]eventJSON
	final    frameJSON
	finalErr []string
}

// goldenInterval is the interval of watch: short, so that what only a walk tells is soon told.
const goldenInterval = "50ms"

func newGame(t *testing.T) *game {
	t.Helper()
	g := &game{
		t: t, ns: kerneltest.NetNS(t), players: map[string]*player{}, sockets: map[string]*endpoint{},
		answers: answers{wait: map[int]chan report{}}, told: map[uint64][]eventJSON{}, patience: limit / 6,
	}
	return g
}

// begin starts netlive.
func (g *game) begin() {
	g.t.Helper()
	g.events = tracing(g.t, g.ns)
	g.watch = start(g.t, g.ns, "netlive", "watch", "-tan", "--json", "--interval", goldenInterval)
	g.frame(time.Time{}) // it is under way
}

func (g *game) wrong(format string, args ...any) {
	g.wrongs = append(g.wrongs, fmt.Sprintf(format, args...))
}

func (g *game) log() string {
	g.answers.mu.Lock()
	defer g.answers.mu.Unlock()
	var b strings.Builder
	for _, r := range g.reports {
		fmt.Fprintln(&b, r)
	}
	return b.String()
}

// frame returns the first frame that was drawn after the given time; those before are judged as well.
func (g *game) frame(after time.Time) frameJSON {
	g.t.Helper()
	for {
		line, err := g.watch.out.ReadBytes('\n')
		if err != nil {
			g.t.Fatalf("read a frame: %v", err)
		}
		var f frameJSON
		if err := json.Unmarshal(line, &f); err != nil {
			g.t.Fatalf("%v: %s", err, line)
		}
		if f.Source != "ebpf" || f.Lost == nil || *f.Lost != 0 {
			g.wrong("source %q, lost %v", f.Source, f.Lost)
		}
		g.frames = append(g.frames, f)
		if !f.Time.Before(after) {
			return f
		}
	}
}

// until waits for a frame that is right and returns what was wrong with the last one otherwise.
func (g *game) until(check func(frameJSON) []string) (f frameJSON, wrong []string) {
	g.t.Helper()
	for deadline := time.Now().Add(g.patience); ; {
		f = g.frame(time.Now())
		if wrong = check(f); len(wrong) == 0 || time.Now().After(deadline) {
			return f, wrong
		}
	}
}

// shown waits until watch shows the socket as the text says, in life.last's words.
func (g *game) shown(e *endpoint, want string) {
	g.t.Helper()
	_, wrong := g.until(func(f frameJSON) []string {
		if got := g.row(f, e); !same(got, want) {
			return []string{fmt.Sprintf("%s: watch shows %q on the way, want %q", e.name, got, want)}
		}
		return nil
	})
	g.wrongs = append(g.wrongs, wrong...)
	// What netlive says must be so.
	state, _, _ := strings.Cut(want, " ")
	if truth := g.ss()[e.cookie].state; len(wrong) == 0 && truth != state && (state != "gone" || truth != "") {
		g.wrong("%s: watch shows %s, ss %s", e.name, state, truth)
	}
}

// await waits until ss has the socket in a state; gone is one too.
func (g *game) await(e *endpoint, state string) {
	g.t.Helper()
	for deadline := time.Now().Add(limit / 4); time.Now().Before(deadline); {
		if cmp.Or(g.ss()[e.cookie].state, "gone") == state {
			return
		}
		g.pause()
	}
	g.t.Fatalf("%s never was %s; ss:\n%v\nthe referee:\n%s", e.name, state, g.ss(), g.log())
}

// pause lets netlive draw a frame before ss is asked again.
func (g *game) pause() {
	g.t.Helper()
	if g.watch != nil {
		g.frame(time.Now())
	}
}

// ssRow is a row of ss.
type ssRow struct {
	local, remote netip.AddrPort
	state         string
}

// ss asks ss(8) for all TCP sockets, by cookie.
func (g *game) ss() map[uint64]ssRow {
	g.t.Helper()
	rows := map[uint64]ssRow{}
	for line := range strings.Lines(string(runIn(g.t, g.ns, "ss", "-Htaen"))) {
		f := strings.Fields(line)
		_, sk, found := strings.Cut(line, " sk:")
		cookie, err := strconv.ParseUint(strings.Fields(sk + " ")[0], 16, 64)
		state, known := ssStates[f[0]]
		if !found || err != nil || !known {
			g.t.Fatalf("ss: %q", line)
		}
		rows[cookie] = ssRow{ssEnd(g.t, f[3]), ssEnd(g.t, f[4]), state}
	}
	return rows
}

// ssEnd parses an end as ss writes it, and netstat.
func ssEnd(t *testing.T, text string) netip.AddrPort {
	t.Helper()
	at := strings.LastIndexByte(text, ':')
	host, port := text[:at], strings.Replace(text[at+1:], "*", "0", 1)
	host, _, _ = strings.Cut(host, "%") // its interface
	host = strings.Trim(host, "[]")
	if host == "*" {
		host = "::"
	}
	a, err := netip.ParseAddr(host)
	n, err2 := strconv.ParseUint(port, 10, 16)
	if err != nil || err2 != nil {
		t.Fatalf("an end %q", text)
	}
	return netip.AddrPortFrom(a.Unmap(), uint16(n))
}

// netstat asks netstat(8), as lines of protocol, ends and state.
func (g *game) netstat() []string {
	g.t.Helper()
	var rows []string
	for line := range strings.Lines(string(runIn(g.t, g.ns, "netstat", "-tanW"))) {
		if f := strings.Fields(line); strings.HasPrefix(f[0], "tcp") {
			rows = append(rows, fmt.Sprint(f[0], " ", ssEnd(g.t, f[3]), " ", ssEnd(g.t, f[4]), " ", f[5]))
		}
	}
	slices.Sort(rows)
	return rows
}

func (s socketJSON) local() netip.AddrPort {
	return netip.AddrPortFrom(s.LocalAddr.Unmap(), s.LocalPort)
}

func (s socketJSON) remote() netip.AddrPort {
	return netip.AddrPortFrom(s.RemoteAddr.Unmap(), s.RemotePort)
}

// owners are owners in life's words.
func (g *game) owners(owners []ownerJSON) string {
	if len(owners) == 0 {
		return "-"
	}
	var words []string
	for _, o := range owners {
		name := fmt.Sprintf("%d(%s)", o.PID, o.Comm)
		for _, p := range g.players {
			if p.pid != o.PID {
				continue
			}
			if name = p.name; o.Comm != p.name {
				name += ":" + o.Comm
			}
		}
		words = append(words, name+"/"+o.How)
	}
	slices.Sort(words)
	return strings.Join(words, ",")
}

// row is what a frame has of a socket, in life.last's words.
func (g *game) row(f frameJSON, e *endpoint) string {
	for _, s := range f.Sockets {
		if s.Cookie == e.cookie || s.Cookie == 0 && s.local() == e.local && s.remote() == e.remote {
			return s.State + " " + g.owners(s.Owners)
		}
	}
	return "gone"
}

// same reports whether a row is as wanted; held is any evidence.
func same(got, want string) bool {
	if strings.Contains(want, "/held") {
		held := strings.NewReplacer("/seeded", "/held", "/exact", "/held", "/listener", "/held")
		got, want = held.Replace(got), held.Replace(want)
	}
	return got == want
}

// path is what trace told of a socket, in life.path's words.
func (g *game) path(events []eventJSON) string {
	var b strings.Builder
	state, owner := "", ""
	for _, e := range events {
		if e.OldState != state {
			if state != "" {
				b.WriteString(" >") // a change went missing here
			}
			b.WriteString(e.OldState)
		}
		if is := g.owners(e.Owners); is != owner {
			owner = is
			b.WriteString(" @" + owner)
		}
		state = e.NewState
		b.WriteString(" " + state)
		if e.Minisocket != "" {
			b.WriteString("+" + e.Minisocket)
		}
	}
	return b.String()
}

// settle waits until watch is as wanted at the end, in a moment in which ss and netstat agree with it, and reads what trace told.
func (g *game) settle(want []life) {
	g.t.Helper()
	check := func(f frameJSON, before map[uint64]ssRow) (wrong []string) {
		rows := g.netstat()
		after := g.ss()
		if !maps.Equal(before, after) {
			return []string{fmt.Sprintf("the sockets do not rest: %v %v", before, after)}
		}
		return g.disagree(f, after, rows)
	}
	for deadline := time.Now().Add(g.patience); ; {
		before := g.ss()
		g.final = g.frame(time.Now())
		g.finalErr = append(check(g.final, before), g.lasts(want)...)
		if len(g.finalErr) == 0 || time.Now().After(deadline) {
			break
		}
	}

	// A watch that was not there when it happened knows what there is, and who holds it.
	g.late()

	// All that came before the sentinel's end has been told when that is. It goes to a port where nobody listens.
	sentinel := g.player("sentinel").socket("sentinel", false, 0)
	if errno := sentinel.tryConnect("127.0.0.1:9").Errno; errno != unix.ECONNREFUSED {
		g.t.Fatalf("the sentinel: %v", errno)
	}
	for e := range g.events {
		if e.Event == "lost" {
			g.wrong("trace lost %d events", e.Count)
			continue
		}
		g.told[e.Cookie] = append(g.told[e.Cookie], e)
		if e.NetNS != g.ns.Inode() {
			g.wrong("trace: of namespace %d: %+v", e.NetNS, e)
		}
		if e.Cookie == sentinel.cookie && e.NewState == "CLOSE" {
			return
		}
	}
	g.t.Fatal("trace ended")
}

// disagree is where a frame is not what ss and netstat say.
func (g *game) disagree(f frameJSON, truth map[uint64]ssRow, netstat []string) (wrong []string) {
	var rows []string
	seen := map[uint64]bool{}
	for _, s := range f.Sockets {
		rows = append(rows, fmt.Sprint(s.Proto, " ", s.local(), " ", s.remote(), " ", s.State))
		is := ssRow{s.local(), s.remote(), s.State}
		if s.Cookie == 0 {
			continue // a request: it is in netstat's rows
		}
		seen[s.Cookie] = true
		if was := truth[s.Cookie]; was != is {
			wrong = append(wrong, fmt.Sprintf("cookie %d: watch %v, ss %v", s.Cookie, is, was))
		}
	}
	for cookie, row := range truth {
		if !seen[cookie] && row.state != "SYN_RECV" {
			wrong = append(wrong, fmt.Sprintf("cookie %d: ss %v, watch nothing", cookie, row))
		}
	}
	slices.Sort(rows)
	if !slices.Equal(rows, netstat) {
		wrong = append(wrong, fmt.Sprintf("watch %q, netstat %q", rows, netstat))
	}
	return wrong
}

// lasts is where the final frame is not what is wanted.
func (g *game) lasts(want []life) (wrong []string) {
	for _, l := range want {
		if got := g.row(g.final, g.sockets[l.end]); !same(got, l.last) {
			wrong = append(wrong, fmt.Sprintf("%s: watch shows %q at the end, want %q", l.end, got, l.last))
		}
	}
	return wrong
}

// late compares a watch that is started now with the one that was there all the time.
func (g *game) late() {
	g.t.Helper()
	var f frameJSON
	text := runIn(g.t, g.ns, "netlive", "watch", "-tan", "--json", "--count", "1")
	if err := json.Unmarshal(text, &f); err != nil {
		g.t.Fatalf("%v: %s", err, text)
	}
	for _, e := range g.sockets {
		early, late := g.row(g.final, e), g.row(f, e)
		state, owners, _ := strings.Cut(late, " ")
		was, _, _ := strings.Cut(early, " ")
		if was == "TIME_WAIT" && state == "gone" { // a minute is over where the machine has much to do
			early = g.row(g.frame(time.Now()), e)
			was, _, _ = strings.Cut(early, " ")
		}
		if was != state {
			g.wrong("%s: a late watch shows %q, the early one %q", e.name, late, early)
		}
		if state == "gone" || len(e.holders) == 0 {
			continue // nobody holds it, so nobody is to be found; who held it only an early one knows
		}
		var held []string
		for p := range e.holders {
			name := p.name
			if p.comm != p.name {
				name += ":" + p.comm
			}
			held = append(held, name+"/seeded")
		}
		slices.Sort(held)
		if all := strings.Join(held, ","); owners != all {
			g.wrong("%s: a late watch says it is held by %q, it is held by %q", e.name, owners, all)
		}
	}
}

// judge says what netlive said wrong.
func (g *game) judge(want []life) (wrong []string) {
	wrong = append(slices.Clone(g.wrongs), g.lasts(want)...)
	for _, w := range g.finalErr {
		if !slices.Contains(wrong, w) && !strings.Contains(w, "at the end") {
			wrong = append(wrong, w)
		}
	}
	named := map[uint64]string{}
	for name, e := range g.sockets {
		named[e.cookie] = name
	}
	judged := map[string]bool{"sentinel": true}
	for _, l := range want {
		judged[l.end] = true
		e := g.sockets[l.end]
		// A FIN that is acknowledged while close(2) has the socket still leaves it whole in FIN_WAIT2 (net/ipv4/tcp_input.c, tcp_rcv_state_process). On this machine it is
		// acknowledged at once.
		late := strings.TrimSuffix(l.path, "+FIN_WAIT2")
		still := strings.TrimSuffix(late, " CLOSE") // it is closed a minute later
		if got := g.path(g.told[e.cookie]); got != l.path && !(kerneltest.InVM() && late != l.path && (got == late || got == still)) {
			wrong = append(wrong, fmt.Sprintf("%s: trace told %q,\n\twant %q", l.end, got, l.path))
		}
		wrong = append(wrong, g.ends(e)...)
		wrong = append(wrong, g.never(e, l)...)
	}
	for cookie, events := range g.told {
		if !judged[named[cookie]] {
			wrong = append(wrong, fmt.Sprintf("trace told of socket %d %q: %q", cookie, named[cookie], g.path(events)))
		}
	}
	slices.Sort(wrong)
	return wrong
}

// ends checks the addresses in what trace told.
func (g *game) ends(e *endpoint) (wrong []string) {
	for _, ev := range g.told[e.cookie] {
		local, remote := parseAddr(ev.LocalAddr, ev.LocalPort), parseAddr(ev.RemoteAddr, ev.RemotePort)
		if e.moves || local == e.local && remote == e.remote {
			continue
		}
		// connect(2) chooses the port, and the address, after the first change; a connection keeps the ends in its last.
		if ev.NewState == "SYN_SENT" && remote == e.remote && (local.Port() == 0 || local.Port() == e.local.Port()) {
			continue
		}
		wrong = append(wrong, fmt.Sprintf("%s: trace said %v %v, it is %v %v: %+v", e.name, local, remote, e.local, e.remote, ev))
	}
	return wrong
}

func parseAddr(addr string, port int) netip.AddrPort {
	a, _ := netip.ParseAddr(addr) // a bad one equals none
	return netip.AddrPortFrom(a.Unmap(), uint16(port))
}

// never checks every frame there was: a state that comes in its turn, and an owner that had to do with the socket.
func (g *game) never(e *endpoint, l life) (wrong []string) {
	var turn []string // the states of the row in their turn
	for _, word := range strings.Fields(l.path) {
		if word[0] == '@' {
			continue
		}
		state, mini, _ := strings.Cut(word, "+")
		switch {
		case mini == "FIN_WAIT2":
			turn = append(turn, "FIN_WAIT2", "TIME_WAIT")
		case mini != "":
			turn = append(turn, mini)
		case state != "CLOSE":
			turn = append(turn, state)
		}
	}
	if len(turn) == 0 { // trace has nothing to tell of it
		turn = strings.Fields(l.last)[:1]
	}
	at, owned, first := 0, false, time.Time{}
	for _, f := range g.frames {
		for _, s := range f.Sockets {
			if s.Cookie != e.cookie {
				continue
			}
			next := at
			for next < len(turn) && turn[next] != s.State {
				next++
			}
			if next == len(turn) {
				wrong = append(wrong, fmt.Sprintf("%s: a frame shows %s, number %d or later of %v", e.name, s.State, at, turn))
			} else {
				at = next
			}
			// A walk may find a socket that was closed before its holders were walked, some milliseconds ahead of the news
			// of its owner, and later where the machine has much to do; no frame may lose it again.
			if len(s.Owners) > 0 {
				owned = true
			}
			if first.IsZero() || f.Time.Before(e.nobodys) {
				first = f.Time
			}
			if len(s.Owners) == 0 && (owned || f.Time.Sub(first) > time.Second) {
				wrong = append(wrong, fmt.Sprintf("%s: frames show %s without an owner", e.name, s.State))
			}
			for _, o := range s.Owners {
				if !g.knows(o) {
					wrong = append(wrong, fmt.Sprintf("%s: a frame shows %s of %+v", e.name, s.State, o))
				}
			}
		}
	}
	return slices.Compact(wrong)
}

// knows reports whether an owner is a player by a name that it ever had. A walk may also meet the child that Go's runtime forks and that
// ends at once, to see whether there are pidfds (os.checkPidfd): it does hold what its parent holds.
func (g *game) knows(o ownerJSON) bool {
	stranger := !slices.ContainsFunc(slices.Collect(maps.Values(g.players)), func(p *player) bool { return p.pid == o.PID })
	for _, p := range g.players {
		if (p.pid == o.PID || stranger && o.How == "seeded") && slices.Contains(p.names, o.Comm) {
			return true
		}
	}
	return false
}

func (g *game) sysctl(name, value string) {
	g.t.Helper()
	runIn(g.t, g.ns, "bash", "-c", `echo "$1" >"/proc/sys/$0"`, name, value)
}

// exponential has each SYN wait twice as long as the one before, as all did before 6.5.
func (g *game) exponential() {
	g.t.Helper()
	const linear = "net/ipv4/tcp_syn_linear_timeouts"
	if _, err := os.Stat("/proc/sys/" + linear); err == nil {
		g.sysctl(linear, "0")
	}
}

// find waits until ss has a socket with these ends, for one that no process has got.
func (g *game) find(name string, local, remote netip.AddrPort) *endpoint {
	g.t.Helper()
	for deadline := time.Now().Add(limit / 4); time.Now().Before(deadline); {
		for cookie, row := range g.ss() {
			if row.local == local && row.remote == remote {
				return g.add(&endpoint{name: name, cookie: cookie, local: local, remote: remote, fd: -1})
			}
		}
		g.pause()
	}
	g.t.Fatalf("ss never had %v %v", local, remote)
	return nil
}
