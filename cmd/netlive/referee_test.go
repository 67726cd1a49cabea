// SPDX-License-Identifier: GPL-2.0-or-later

package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"

	"netlive/internal/sock"
)

// The referee knows the truth about sockets since it makes each itself. It takes orders as JSON lines from stdin and
// reports on stdout, a line for each thing done. It spawns children that inherit its descriptors, hands their orders
// down to them, and becomes another program when told to; all of them write to one stdout.

// order tells one player to do one thing. The answer has the same N.
type order struct {
	N     int
	Who   string // the player; orders for another one are passed on to the children
	Do    string
	FD    int
	Addr  string // of bind, connect, connecting, fastopen, fastopening
	Name  string // of spawn, send, mailbox
	Path  string // of exec, spawn: the program
	FDs   []int  // of spawn: what the child inherits, as 3, 4, …; of exec: what stays open
	Level int    // of set
	Opt   int
	Value int // of set; bytes of read and write; backlog of listen; how of shutdown; protocol of socket
	V6    bool
}

// report is what the referee says of a thing it did, and of the socket it did it to.
type report struct {
	N             int
	Who           string
	Do            string
	PID           int
	Comm          string
	NetNS         uint32
	Begin, End    int64 // CLOCK_MONOTONIC, nanoseconds: when it was begun, when it was done
	FD            int
	Cookie        uint64
	Local, Remote netip.AddrPort
	State         string
	Child         int // PID of the child, of spawn
	Err           string
	Errno         syscall.Errno
}

func (r report) String() string {
	return fmt.Sprintf("%d.%06d %s(%d) %s fd %d cookie %d %v %v %s %s", r.End/1e9, r.End%1e9/1e3, r.Who, r.PID, r.Do,
		r.FD, r.Cookie, r.Local, r.Remote, r.State, r.Err)
}

// referee is one player's process.
type referee struct {
	who      string
	netns    uint32
	mu       sync.Mutex // held while children or stdout are used
	out      *json.Encoder
	children map[string]io.WriteCloser
	awaited  sync.WaitGroup
}

// mainReferee is the player that its first argument names, until stdin ends. The second is the order that it answers by being
// there: exec's number, or spawn's, negative, since spawn has an answer of its own.
func mainReferee() {
	r := &referee{who: os.Args[1], out: json.NewEncoder(os.Stdout), children: map[string]io.WriteCloser{}}
	var st unix.Stat_t
	err := unix.Stat("/proc/self/ns/net", &st)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	r.netns = uint32(st.Ino)
	// To see whether processes can be held by descriptors Go forks one, the first time that it needs to know: not while there are sockets, of which
	// it would be a holder, for an instant and rightly shown.
	if _, err := os.FindProcess(os.Getpid()); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	first := order{Who: r.who, Do: "start", FD: -1}
	if first.N, err = strconv.Atoi(os.Args[2]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	r.do(first)
	lines := bufio.NewReader(os.Stdin)
	for {
		line, err := lines.ReadBytes('\n')
		if err != nil {
			break
		}
		var o order
		if err := json.Unmarshal(line, &o); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		if o.Who == r.who {
			go r.do(o)
			continue
		}
		r.mu.Lock()
		for _, child := range r.children {
			_, _ = child.Write(line) // a child that has ended has nobody to wait for its answer
		}
		r.mu.Unlock()
	}
	r.mu.Lock()
	for _, child := range r.children {
		child.Close()
	}
	r.mu.Unlock()
	r.awaited.Wait()
}

// now is the clock of the kernel's own stamps.
func now() int64 {
	var ts unix.Timespec
	_ = unix.ClockGettime(unix.CLOCK_MONOTONIC, &ts) // with a clock that exists it cannot fail
	return ts.Nano()
}

// do does what it is told and reports.
func (r *referee) do(o order) {
	a := report{N: o.N, Who: r.who, Do: o.Do, PID: os.Getpid(), NetNS: r.netns, Begin: now(), FD: o.FD}
	comm, err := os.ReadFile("/proc/self/comm")
	a.Comm = strings.TrimSuffix(string(comm), "\n")
	if err == nil {
		if o.Do == "close" {
			_ = a.describe() // it has no name afterwards
		}
		err = r.act(o, &a)
	}
	a.End = now()
	if err != nil {
		a.Err = err.Error()
		errors.As(err, &a.Errno)
	} else if a.FD >= 0 && o.Do != "close" {
		if err := a.describe(); err != nil {
			a.Err = err.Error()
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := r.out.Encode(&a); err != nil {
		os.Exit(1) // nobody listens any more
	}
}

// describe says which socket the descriptor is, by the kernel's own words.
func (a *report) describe() (err error) {
	if a.Cookie, err = unix.GetsockoptUint64(a.FD, unix.SOL_SOCKET, unix.SO_COOKIE); err != nil {
		return fmt.Errorf("SO_COOKIE of %d: %w", a.FD, err)
	}
	// Neither end is there at all times, and TCP_INFO is TCP's.
	if local, err := unix.Getsockname(a.FD); err == nil {
		a.Local = end(local)
	}
	if remote, err := unix.Getpeername(a.FD); err == nil {
		a.Remote = end(remote)
	}
	a.State = tcpState(a.FD)
	return nil
}

func tcpState(fd int) string {
	info, err := unix.GetsockoptTCPInfo(fd, unix.IPPROTO_TCP, unix.TCP_INFO)
	if err != nil {
		return ""
	}
	return sock.State(info.State).String()
}

func end(sa unix.Sockaddr) netip.AddrPort {
	switch a := sa.(type) {
	case *unix.SockaddrInet4:
		return netip.AddrPortFrom(netip.AddrFrom4(a.Addr), uint16(a.Port))
	case *unix.SockaddrInet6:
		return netip.AddrPortFrom(netip.AddrFrom16(a.Addr), uint16(a.Port))
	}
	return netip.AddrPort{}
}

// sockaddr parses [addr%zone]:port; a zone is the number of its interface.
func sockaddr(text string) (unix.Sockaddr, error) {
	a, err := netip.ParseAddrPort(text)
	if err != nil {
		return nil, err
	}
	if a.Addr().Is4() {
		return &unix.SockaddrInet4{Addr: a.Addr().As4(), Port: int(a.Port())}, nil
	}
	zone := 0
	if a.Addr().Zone() != "" {
		if zone, err = strconv.Atoi(a.Addr().Zone()); err != nil {
			return nil, err
		}
	}
	return &unix.SockaddrInet6{Addr: a.Addr().As16(), Port: int(a.Port()), ZoneId: uint32(zone)}, nil
}

func (r *referee) act(o order, a *report) (err error) {
	switch o.Do {
	case "start":
		return nil
	case "socket":
		family := unix.AF_INET
		if o.V6 {
			family = unix.AF_INET6
		}
		a.FD, err = unix.Socket(family, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, o.Value)
	case "bind":
		err = withAddr(o, unix.Bind)
	case "listen":
		err = unix.Listen(o.FD, o.Value)
	case "connect":
		err = withAddr(o, unix.Connect)
	case "connecting": // begins to
		if err = unix.SetNonblock(o.FD, true); err == nil {
			if err = withAddr(o, unix.Connect); errors.Is(err, unix.EINPROGRESS) {
				err = unix.SetNonblock(o.FD, false)
			}
		}
	case "fastopen":
		err = withAddr(o, func(fd int, to unix.Sockaddr) error {
			return unix.Sendto(fd, make([]byte, o.Value), unix.MSG_FASTOPEN, to)
		})
	case "fastopening": // begins to
		if err = unix.SetNonblock(o.FD, true); err == nil {
			if err = withAddr(o, func(fd int, to unix.Sockaddr) error {
				return unix.Sendto(fd, make([]byte, o.Value), unix.MSG_FASTOPEN, to)
			}); err == nil || errors.Is(err, unix.EINPROGRESS) {
				err = unix.SetNonblock(o.FD, false)
			}
		}
	case "connected": // waits until it is, or cannot be
		if _, err = unix.Poll([]unix.PollFd{{Fd: int32(o.FD), Events: unix.POLLOUT}}, -1); err == nil {
			var n int
			if n, err = unix.GetsockoptInt(o.FD, unix.SOL_SOCKET, unix.SO_ERROR); err == nil && n != 0 {
				err = syscall.Errno(n)
			}
		}
	case "disconnect":
		// unix.Sockaddr knows no AF_UNSPEC.
		var unspec [16]byte
		if errno := connectRaw(o.FD, unspec[:]); errno != 0 {
			err = errno
		}
	case "accept":
		a.FD, _, err = unix.Accept4(o.FD, unix.SOCK_CLOEXEC)
	case "ring-accept":
		a.FD, err = ringAccept(o.FD)
	case "write":
		err = writeAll(o.FD, o.Value)
	case "read":
		err = readAll(o.FD, o.Value)
	case "shutdown":
		err = unix.Shutdown(o.FD, o.Value)
	case "close":
		err = unix.Close(o.FD)
	case "set":
		err = unix.SetsockoptInt(o.FD, o.Level, o.Opt, o.Value)
	case "linger": // not at all: close will send a reset
		err = unix.SetsockoptLinger(o.FD, unix.SOL_SOCKET, unix.SO_LINGER, &unix.Linger{Onoff: 1})
	case "deaf": // what comes for this socket is dropped, and the sender not told
		err = attachFilter(o.FD, unix.SO_ATTACH_FILTER, 0)
	case "hears":
		err = unix.SetsockoptInt(o.FD, unix.SOL_SOCKET, unix.SO_DETACH_FILTER, 0)
	case "steer": // connections to a group of listeners go to the member of this number
		err = attachFilter(o.FD, unix.SO_ATTACH_REUSEPORT_CBPF, uint32(o.Value))
	case "spawn":
		err = r.spawn(o, a)
	case "exec":
		for _, fd := range o.FDs {
			if _, err := unix.FcntlInt(uintptr(fd), unix.F_SETFD, 0); err != nil {
				return err
			}
		}
		err = unix.Exec(o.Path, []string{"referee", r.who, strconv.Itoa(o.N)}, os.Environ())
	case "mailbox": // where a descriptor will come
		if a.FD, err = unix.Socket(unix.AF_UNIX, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0); err == nil {
			err = unix.Bind(a.FD, &unix.SockaddrUnix{Name: "@" + o.Name})
		}
	case "receive":
		a.FD, err = receive(o.FD)
	case "send":
		err = send(o.FD, o.Name)
	default:
		err = fmt.Errorf("nobody knows how to %q", o.Do)
	}
	if err != nil {
		err = fmt.Errorf("%s: %w", o.Do, err)
	}
	return err
}

func withAddr(o order, call func(int, unix.Sockaddr) error) error {
	to, err := sockaddr(o.Addr)
	if err != nil {
		return err
	}
	for {
		if err = call(o.FD, to); !errors.Is(err, unix.EINTR) {
			return err
		}
	}
}

func writeAll(fd, n int) error {
	for n > 0 {
		m, err := unix.Write(fd, make([]byte, n))
		if err != nil {
			return err
		}
		n -= m
	}
	return nil
}

// readAll reads n bytes, or with 0 the end of the stream.
func readAll(fd, n int) error {
	if n == 0 {
		m, err := unix.Read(fd, make([]byte, 1))
		if err == nil && m > 0 {
			err = errors.New("data, not the end")
		}
		return err
	}
	for n > 0 {
		m, err := unix.Read(fd, make([]byte, n))
		if err != nil {
			return err
		}
		if m == 0 {
			return io.ErrUnexpectedEOF
		}
		n -= m
	}
	return nil
}

// attachFilter attaches a classic BPF program that returns value.
func attachFilter(fd, opt int, value uint32) error {
	program := []unix.SockFilter{{Code: unix.BPF_RET | unix.BPF_K, K: value}}
	return unix.SetsockoptSockFprog(fd, unix.SOL_SOCKET, opt, &unix.SockFprog{Len: 1, Filter: &program[0]})
}

// spawn starts a child that inherits descriptors and takes orders through this process.
func (r *referee) spawn(o order, a *report) error {
	cmd := exec.Command(o.Path)
	cmd.Args = []string{"referee", o.Name, strconv.Itoa(-o.N)}
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	var files []*os.File
	for _, fd := range o.FDs {
		// A descriptor of its own for the file, which closes it.
		dup, err := unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, 0)
		if err != nil {
			return err
		}
		files = append(files, os.NewFile(uintptr(dup), ""))
	}
	cmd.ExtraFiles = files
	orders, err := cmd.StdinPipe()
	if err != nil {
		return err
	}
	err = cmd.Start()
	for _, f := range files {
		f.Close()
	}
	if err != nil {
		return err
	}
	a.FD, a.Child = -1, cmd.Process.Pid
	r.awaited.Go(func() { _ = cmd.Wait() })
	r.mu.Lock()
	r.children[o.Name] = orders
	r.mu.Unlock()
	return nil
}

func send(fd int, to string) error {
	box, err := unix.Socket(unix.AF_UNIX, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(box)
	return unix.Sendmsg(box, []byte{0}, unix.UnixRights(fd), &unix.SockaddrUnix{Name: "@" + to}, 0)
}

func receive(box int) (fd int, err error) {
	defer unix.Close(box)
	oob := make([]byte, unix.CmsgSpace(4))
	_, n, _, _, err := unix.Recvmsg(box, make([]byte, 1), oob, unix.MSG_CMSG_CLOEXEC)
	if err != nil {
		return -1, err
	}
	messages, err := unix.ParseSocketControlMessage(oob[:n])
	if err != nil {
		return -1, err
	}
	fds, err := unix.ParseUnixRights(&messages[0])
	if err != nil {
		return -1, err
	}
	return fds[0], nil
}
