// SPDX-License-Identifier: GPL-2.0-or-later

package main

import (
	"errors"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"netlive/internal/kerneltest"
	"netlive/internal/sock"
)

// conformScene compares in a network namespace full of real sockets, interfaces and routes, as root and as nobody.
func conformScene(t *testing.T, p pair, tally *tally) {
	etc := tree(t, filepath.Join("testdata", "conformance", "etc.txtar"))
	ns := kerneltest.NetNS(t)
	buildNetwork(t, ns)
	ns.Do(func() { (&scene{t: t}).build() })

	s := newStage(t, "scene", p, ns, [2]string{"/etc", etc})
	checkScene(t, s.run(s.netstat, parseLine("-tano")).out)
	s.mask = maskTimers
	for _, line := range lines(200) {
		s.judge(tally, line)
	}
	for _, line := range spoken(true) {
		s.judge(tally, line)
	}
	nobody := newStage(t, "scene as nobody", p, ns, [2]string{"/etc", etc})
	nobody.mask, nobody.nobody = maskTimers, true
	for _, line := range lines(0) {
		if strings.Contains(line.String(), "p") {
			nobody.judge(tally, line)
		}
	}
}

// checkScene fails the test if netstat does not show each state and timer of TCP, of either family.
func checkScene(t *testing.T, table string) {
	t.Helper()
	for state := sock.Established; state <= sock.Closing; state++ {
		if state == sock.Close {
			continue // such a socket is in no table
		}
		for _, proto := range []string{"tcp ", "tcp6"} {
			if !regexp.MustCompile(`(?m)^` + proto + ` .* ` + state.String() + ` `).MatchString(table) {
				t.Errorf("no %s in %v", proto, state)
			}
		}
	}
	for _, timer := range []string{"off", "on", "keepalive", "timewait", "probe"} {
		if !strings.Contains(table, " "+timer+" (") {
			t.Errorf("no timer %s", timer)
		}
	}
}

// maskTimers hides how long timers have to run, which differs from one run to the next.
func maskTimers(text string) string { return timers.ReplaceAllString(text, "(S/") }

var timers = regexp.MustCompile(`\(\d+[.,]\d\d/`)

// scene is the sockets of the real rig. All stay open until the test is over.
type scene struct {
	t *testing.T
	// uid is who makes sockets.
	uid int
}

var (
	loopback4 = netip.MustParseAddr("127.0.0.1")
	loopback6 = netip.IPv6Loopback()
	linkLocal = netip.MustParseAddr("fe80::1%eth1")
	mapped4   = netip.MustParseAddr("::ffff:127.0.0.1")
)

func (s *scene) check(what string, err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatalf("%s: %v", what, err)
	}
}

// build makes the sockets in the network namespace of the calling thread.
func (s *scene) build() {
	s.t.Helper()
	for _, lo := range []netip.Addr{loopback4, loopback6, mapped4, linkLocal} {
		s.tcpStates(lo)
		s.datagrams(lo)
	}
	s.listeners()
	s.timers()
	s.raw()
	s.unixSockets()
	s.groups()
	s.owners()
}

// socket makes a socket of the user that the scene is at.
func (s *scene) socket(family, typ, proto int) int {
	s.t.Helper()
	// A socket belongs to the file system's user of the calling thread (net/socket.c, sock_alloc).
	_, err := unix.SetfsuidRetUid(s.uid)
	s.check("setfsuid", err)
	fd, err := unix.Socket(family, typ|unix.SOCK_CLOEXEC, proto)
	_, _ = unix.SetfsuidRetUid(0)
	s.check("open a socket", err)
	s.t.Cleanup(func() { _ = unix.Close(fd) })
	return fd
}

func familyOf(a netip.Addr) int {
	if a.Is4() {
		return unix.AF_INET
	}
	return unix.AF_INET6
}

func (s *scene) sockaddr(a netip.Addr, port int) unix.Sockaddr {
	s.t.Helper()
	if a.Is4() {
		return &unix.SockaddrInet4{Port: port, Addr: a.As4()}
	}
	to := &unix.SockaddrInet6{Port: port, Addr: a.As16()}
	if a.Zone() != "" {
		fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
		s.check("open a socket", err)
		defer unix.Close(fd)
		ifr, err := unix.NewIfreq(a.Zone())
		s.check("name an interface", err)
		s.check("ask for the index of "+a.Zone(), unix.IoctlIfreq(fd, unix.SIOCGIFINDEX, ifr))
		to.ZoneId = ifr.Uint32()
	}
	return to
}

func (s *scene) bind(fd int, a netip.Addr, port int) {
	s.t.Helper()
	s.check("bind", unix.Bind(fd, s.sockaddr(a, port)))
}

func (s *scene) setInt(fd, level, option, value int) {
	s.t.Helper()
	s.check("set a socket's option", unix.SetsockoptInt(fd, level, option, value))
}

// listen makes a listener; port 0 is any.
func (s *scene) listen(a netip.Addr, port, backlog int) (fd int, at unix.Sockaddr) {
	s.t.Helper()
	fd = s.socket(familyOf(a), unix.SOCK_STREAM, 0)
	s.setInt(fd, unix.SOL_SOCKET, unix.SO_REUSEADDR, 1)
	s.bind(fd, a, port)
	// The server's ends inherit it: so little fills it.
	s.setInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUF, 4096)
	s.check("listen", unix.Listen(fd, backlog))
	at, err := unix.Getsockname(fd)
	s.check("getsockname", err)
	return fd, at
}

func (s *scene) dial(a netip.Addr, to unix.Sockaddr) int {
	s.t.Helper()
	fd := s.socket(familyOf(a), unix.SOCK_STREAM, 0)
	s.check("connect", unix.Connect(fd, to))
	return fd
}

func (s *scene) accept(listener int) int {
	s.t.Helper()
	fd, _, err := unix.Accept4(listener, unix.SOCK_CLOEXEC)
	s.check("accept", err)
	s.t.Cleanup(func() { _ = unix.Close(fd) })
	return fd
}

func (s *scene) connection(a netip.Addr) (client, server int) {
	s.t.Helper()
	l, at := s.listen(a, 0, 1)
	client = s.dial(a, at)
	server = s.accept(l)
	s.check("stop listening", unix.Shutdown(l, unix.SHUT_RDWR))
	return client, server
}

// stuck is a connection whose client has more to send than the server takes.
func (s *scene) stuck(a netip.Addr) (client, server int) {
	s.t.Helper()
	client, server = s.connection(a)
	s.check("set non-blocking", unix.SetNonblock(client, true))
	for {
		_, err := unix.Write(client, make([]byte, 4096))
		if errors.Is(err, unix.EAGAIN) {
			return client, server
		}
		s.check("fill a connection", err)
	}
}

func (s *scene) finish(fd int) {
	s.t.Helper()
	s.check("shut down", unix.Shutdown(fd, unix.SHUT_WR))
}

// await waits for a state of TCP.
func (s *scene) await(fd int, state sock.State) {
	s.t.Helper()
	s.wait(state.String(), func() bool {
		info, err := unix.GetsockoptTCPInfo(fd, unix.IPPROTO_TCP, unix.TCP_INFO)
		s.check("TCP_INFO", err)
		return sock.State(info.State) == state
	})
}

func (s *scene) wait(what string, done func() bool) {
	s.t.Helper()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(limit); !done(); <-tick.C {
		if time.Now().After(end) {
			s.t.Fatalf("waited %v for %s", limit, what)
		}
	}
}

// tcpStates makes connections in all states.
func (s *scene) tcpStates(a netip.Addr) {
	s.t.Helper()
	client, server := s.connection(a) // ESTABLISHED, with unread data
	_, err := unix.Write(client, make([]byte, 1234))
	s.check("write", err)
	s.setInt(server, unix.SOL_SOCKET, unix.SO_KEEPALIVE, 1)

	client, server = s.connection(a) // FIN_WAIT2, CLOSE_WAIT
	s.finish(client)
	s.await(client, sock.FinWait2)
	s.await(server, sock.CloseWait)

	client, server = s.connection(a) // TIME_WAIT
	s.finish(client)
	s.await(server, sock.CloseWait)
	s.finish(server)
	s.await(client, sock.Close)

	l, at := s.listen(a, 0, 0) // SYN_SENT: a full backlog answers nobody
	s.dial(a, at)
	_ = l
	late := s.socket(familyOf(a), unix.SOCK_STREAM, 0)
	s.check("set non-blocking", unix.SetNonblock(late, true))
	if err := unix.Connect(late, at); !errors.Is(err, unix.EINPROGRESS) {
		s.t.Fatalf("connect to a full listener: %v", err)
	}
	s.await(late, sock.SynSent)

	l, at = s.listen(a, 0, 7) // SYN_RECV until the client says something
	s.setInt(l, unix.IPPROTO_TCP, unix.TCP_DEFER_ACCEPT, 120)
	s.dial(a, at)

	client, _ = s.stuck(a) // a probe's timer
	s.await(client, sock.Established)
	client, _ = s.stuck(a)
	s.finish(client)
	s.await(client, sock.FinWait1)
	client, server = s.stuck(a)
	s.finish(client)
	s.await(client, sock.FinWait1)
	s.finish(server)
	s.await(client, sock.Closing)
	client, server = s.stuck(a)
	s.finish(server)
	s.await(client, sock.CloseWait)
	s.finish(client)
	s.await(client, sock.LastAck)

	s.socket(familyOf(a), unix.SOCK_STREAM, 0) // in no table
	bound := s.socket(familyOf(a), unix.SOCK_STREAM, 0)
	s.bind(bound, a, 0)
}

// hold starts a program that has the sockets and nothing else of ours: when ours is closed, it is their owner.
func (s *scene) hold(uid uint32, argv0 string, keep bool, fds ...int) {
	s.t.Helper()
	child := &exec.Cmd{Path: "/bin/cat", Args: []string{argv0}, Env: []string{}, Dir: "/"}
	child.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uid, Gid: uid}}
	for _, fd := range fds {
		again, err := unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, 0)
		s.check("duplicate a socket", err)
		file := os.NewFile(uintptr(again), "socket")
		defer file.Close()
		child.ExtraFiles = append(child.ExtraFiles, file)
	}
	input, err := child.StdinPipe()
	s.check("make a pipe", err)
	s.check("start "+child.Path, child.Start())
	s.t.Cleanup(func() {
		_ = input.Close() // ends it
		_ = child.Wait()
	})
	if keep {
		return
	}
	for _, fd := range fds {
		// Another descriptor in its place, so that the clean-up closes no stranger's.
		null, err := unix.Open("/dev/null", unix.O_RDONLY|unix.O_CLOEXEC, 0)
		s.check("open /dev/null", err)
		s.check("replace a socket", unix.Dup3(null, fd, unix.O_CLOEXEC))
		s.check("close /dev/null", unix.Close(null))
	}
}
