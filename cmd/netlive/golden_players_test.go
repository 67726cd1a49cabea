// SPDX-License-Identifier: GPL-2.0-or-later

package main

import (
	"bufio"
	"encoding/json"
	"net/netip"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"netlive/internal/kerneltest"
)

// player is a process of the referee's: what it is told to do it does to real sockets.
type player struct {
	g     *game
	name  string
	pid   int
	comm  string   // the process's name now
	names []string // all that it had
	root  *process // whose stdin takes its orders
}

// endpoint is a socket, as the referee knows it.
type endpoint struct {
	g             *game
	name          string
	by            *player
	fd            int
	cookie        uint64
	local, remote netip.AddrPort
	holders       map[*player]bool
	moves         bool      // it has other ends later
	nobodys       time.Time // frames may show it without an owner until then
}

// answers are the reports that are waited for.
type answers struct {
	mu   sync.Mutex
	last int
	wait map[int]chan report
}

// next makes a number for an order, and the channel by which its answer comes; negative numbers are answers of children.
func (a *answers) next() (n int, answer, child chan report) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.last++
	answer, child = make(chan report, 1), make(chan report, 1)
	a.wait[a.last], a.wait[-a.last] = answer, child
	return a.last, answer, child
}

// programs makes a program by a name of its own, which a process that runs it has too.
func programNamed(t *testing.T, name string) string {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), name)
	if err := os.Symlink(exe, path); err != nil {
		t.Fatal(err)
	}
	return path
}

// player starts a player in the case's namespace, or returns the one of that name.
func (g *game) player(name string) *player {
	g.t.Helper()
	if p := g.players[name]; p != nil {
		return p
	}
	return g.playerIn(g.ns, name)
}

func (g *game) playerIn(ns *kerneltest.NS, name string) *player {
	g.t.Helper()
	n, answer, _ := g.answers.next()
	p := &player{g: g, name: name, comm: name, names: []string{name}}
	// bash gives the program the name by which TestMain knows the referee.
	p.root = start(g.t, ns, "bash", "-c", `exec -a referee "$@"`, "bash", programNamed(g.t, name), name, itoa(n))
	go g.read(p.root.out)
	r := p.answered(answer)
	p.pid = r.PID
	if r.Comm != name || r.PID != p.root.Process.Pid || r.NetNS != ns.Inode() {
		g.t.Fatalf("a player: %+v", r)
	}
	g.players[name] = p
	return p
}

// read hands the reports of a process, and of its children, to those who wait for them.
func (g *game) read(out *bufio.Reader) {
	lines := json.NewDecoder(out)
	for {
		var r report
		err := lines.Decode(&r)
		g.answers.mu.Lock()
		if err != nil {
			g.answers.mu.Unlock()
			return
		}
		g.reports = append(g.reports, r)
		if c := g.answers.wait[r.N]; c != nil {
			c <- r
		}
		g.answers.mu.Unlock()
	}
}

func (p *player) answered(c chan report) report {
	p.g.t.Helper()
	select {
	case r := <-c:
		return r
	case <-time.After(limit):
		p.g.t.Fatalf("%s did not answer; the referee:\n%s", p.name, p.g.log())
		panic("unreachable")
	}
}

// begin gives an order and returns how to wait for its answer.
func (p *player) begin(o order) (wait func() report) {
	p.g.t.Helper()
	n, answer, _ := p.g.answers.next()
	p.send(o, n)
	return func() report {
		p.g.t.Helper()
		return p.answered(answer)
	}
}

func (p *player) send(o order, n int) {
	p.g.t.Helper()
	o.N, o.Who = n, p.name
	text, err := json.Marshal(o)
	if err != nil {
		p.g.t.Fatal(err)
	}
	if _, err := p.root.stdin.Write(append(text, '\n')); err != nil {
		p.g.t.Fatal(err)
	}
}

// do gives an order that must succeed.
func (p *player) do(o order) report {
	p.g.t.Helper()
	r := p.begin(o)()
	if r.Err != "" {
		p.g.t.Fatalf("%+v: %s\n%s", o, r.Err, p.g.log())
	}
	return r
}

// add makes a socket known by its name.
func (g *game) add(e *endpoint) *endpoint {
	g.t.Helper()
	if g.sockets[e.name] != nil {
		g.t.Fatalf("two sockets %q", e.name)
	}
	e.g = g
	if e.holders == nil {
		e.holders = map[*player]bool{}
	}
	if e.by != nil {
		e.holders[e.by] = true
	}
	g.sockets[e.name] = e
	return e
}

// socket makes a TCP socket, or one of another protocol.
func (p *player) socket(name string, v6 bool, proto int) *endpoint {
	p.g.t.Helper()
	r := p.do(order{Do: "socket", V6: v6, Value: proto, FD: -1})
	return p.g.add(&endpoint{name: name, by: p, fd: r.FD, cookie: r.Cookie})
}

// is takes in what the referee reports of the socket.
func (e *endpoint) is(r report) {
	e.g.t.Helper()
	if r.Err == "" && r.Cookie != e.cookie {
		e.g.t.Fatalf("%s: cookie %d became %+v", e.name, e.cookie, r)
	}
	e.local, e.remote = plain(r.Local, e.local), plain(r.Remote, e.remote)
}

func plain(is, was netip.AddrPort) netip.AddrPort {
	if !is.IsValid() {
		return was
	}
	return netip.AddrPortFrom(is.Addr().Unmap().WithZone(""), is.Port())
}

// do has the holder do something to the socket.
func (e *endpoint) do(o order) report {
	e.g.t.Helper()
	o.FD = e.fd
	r := e.by.do(o)
	e.is(r)
	return r
}

func (e *endpoint) bind(addr string) *endpoint {
	e.g.t.Helper()
	e.do(order{Do: "bind", Addr: addr})
	return e
}

func (e *endpoint) listen(backlog int) *endpoint {
	e.g.t.Helper()
	e.do(order{Do: "listen", Value: backlog})
	if !e.remote.IsValid() { // a listener's is all zeroes
		e.remote = netip.AddrPortFrom(netip.IPv4Unspecified(), 0)
		if e.local.Addr().Is6() {
			e.remote = netip.AddrPortFrom(netip.IPv6Unspecified(), 0)
		}
	}
	return e
}

func (e *endpoint) connect(addr string) *endpoint {
	e.g.t.Helper()
	e.do(order{Do: "connect", Addr: addr})
	return e
}

// tryConnect connects, or fails to: then the socket has the ends that the kernel chose nevertheless.
func (e *endpoint) tryConnect(addr string) report {
	e.g.t.Helper()
	return e.by.begin(order{Do: "connect", Addr: addr, FD: e.fd})()
}

// accepts has a player take a connection from a listener, which it holds as fd.
func (l *endpoint) accepts(name string) *endpoint {
	l.g.t.Helper()
	return l.accepted(name, l.by, l.fd, "accept")
}

func (l *endpoint) accepted(name string, by *player, fd int, how string) *endpoint {
	l.g.t.Helper()
	r := by.do(order{Do: how, FD: fd})
	e := l.g.add(&endpoint{name: name, by: by, fd: r.FD, cookie: r.Cookie})
	e.is(r)
	return e
}

func (e *endpoint) writes(n int) { e.g.t.Helper(); e.do(order{Do: "write", Value: n}) }

func (e *endpoint) reads(n int) { e.g.t.Helper(); e.do(order{Do: "read", Value: n}) }

// readsEnd reads the end of the stream.
func (e *endpoint) readsEnd() { e.g.t.Helper(); e.do(order{Do: "read"}) }

// fails reads the error that the socket met.
func (e *endpoint) fails(want unix.Errno) {
	e.g.t.Helper()
	if r := e.by.begin(order{Do: "read", FD: e.fd})(); r.Errno != want {
		e.g.t.Fatalf("%s: %v, want %v", e.name, r.Err, want)
	}
}

func (e *endpoint) shutWrite() { e.g.t.Helper(); e.do(order{Do: "shutdown", Value: unix.SHUT_WR}) }

func (e *endpoint) close() {
	e.g.t.Helper()
	e.by.do(order{Do: "close", FD: e.fd})
	delete(e.holders, e.by)
}

// resets closes without lingering.
func (e *endpoint) resets() {
	e.g.t.Helper()
	e.do(order{Do: "linger"})
	e.close()
}

func (e *endpoint) set(level, opt, value int) *endpoint {
	e.g.t.Helper()
	e.do(order{Do: "set", Level: level, Opt: opt, Value: value})
	return e
}

func (e *endpoint) deaf() { e.g.t.Helper(); e.do(order{Do: "deaf"}) }

func (e *endpoint) hears() { e.g.t.Helper(); e.do(order{Do: "hears"}) }

// spawn starts a child that inherits sockets and returns it; they are its 3, 4, ….
func (p *player) spawn(name string, inherits ...*endpoint) *player {
	p.g.t.Helper()
	n, answer, started := p.g.answers.next()
	o := order{Do: "spawn", Name: name, Path: programNamed(p.g.t, name), FD: -1}
	for _, e := range inherits {
		o.FDs = append(o.FDs, e.fd)
	}
	p.send(o, n)
	r := p.answered(answer)
	if r.Err != "" {
		p.g.t.Fatalf("spawn: %s", r.Err)
	}
	child := &player{g: p.g, name: name, root: p.root, pid: r.Child, comm: name}
	child.names = append(append(child.names, p.names...), name) // a fork has its parent's name until it runs a program
	if r := p.answered(started); r.PID != child.pid || r.Comm != name {
		p.g.t.Fatalf("a child: %+v", r)
	}
	for _, e := range inherits {
		e.holders[child] = true
	}
	p.g.players[name] = child
	return child
}

// become has the player run another program, with all its sockets.
func (p *player) become(name string) {
	p.g.t.Helper()
	o := order{Do: "exec", Path: programNamed(p.g.t, name), FD: -1}
	for _, e := range p.g.sockets {
		if e.by == p {
			o.FDs = append(o.FDs, e.fd)
		}
	}
	if r := p.do(o); r.PID != p.pid || r.Comm != name {
		p.g.t.Fatalf("become %s: %+v", name, r)
	}
	p.comm, p.names = name, append(p.names, name)
}

// pass passes the socket to another player, which holds it from then on; the first one does too.
func (e *endpoint) pass(to *player) (fd int) {
	e.g.t.Helper()
	box := to.do(order{Do: "mailbox", Name: e.name, FD: -1})
	e.do(order{Do: "send", Name: e.name})
	fd = to.do(order{Do: "receive", FD: box.FD}).FD
	e.holders[to] = true
	return fd
}

// moved makes another holder the one that acts on the socket, by its descriptor.
func (e *endpoint) moved(to *player, fd int) *endpoint {
	e.by, e.fd = to, fd
	return e
}

// kill kills the player's process and waits for its end.
func (p *player) kill() {
	p.g.t.Helper()
	if err := p.root.Process.Kill(); err != nil {
		p.g.t.Fatal(err)
	}
	p.gone()
}

// exits has the player end in its own time, with all its sockets.
func (p *player) exits() {
	p.g.t.Helper()
	if err := p.root.stdin.Close(); err != nil {
		p.g.t.Fatal(err)
	}
	p.gone()
}

func (p *player) gone() {
	p.g.t.Helper()
	_ = p.root.Wait() // killed, or not
	p.root.waited = true
	for _, e := range p.g.sockets {
		delete(e.holders, p)
	}
}
