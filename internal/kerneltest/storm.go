// SPDX-License-Identifier: GPL-2.0-or-later

package kerneltest

import (
	"bufio"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

// Storm opens and closes TCP connections over loopback as fast as it can, and knows each of them. It
// is the referee of what netlive says: it made every socket itself.
type Storm struct {
	// Connections is how many each worker makes; 0 goes on until told to freeze.
	Connections int
	// Workers is the number of threads; each has its listener.
	Workers int
	// Open is how many connections a worker keeps open before it closes the oldest; 0 closes each at once.
	Open int
	// Pause is how long a worker rests after each connection.
	Pause time.Duration
	// Mixed closes one connection in sixteen in good order, which leaves it in TIME_WAIT, and shuts
	// one in eight down for writing when it is made. All others are closed by reset.
	Mixed bool
	// Port is the listeners'; 0 is 7000. Another one tells a storm from those of other tests, where a hook hears of all namespaces.
	Port int
	// List reports each connection made.
	List bool
}

// StormReport is what a storm says at its end, one JSON object.
type StormReport struct {
	Made    int
	Elapsed time.Duration
	// Brief is how many of the connections lived less than a millisecond.
	Brief int
	// Connections are those made, with Storm.List.
	Connections []StormConnection
	// Sockets are those still open: listeners and both ends of connections.
	Sockets []StormSocket
}

// StormConnection names the two ends of one connection by their kernel's socket cookies.
type StormConnection struct{ Client, Server uint64 }

// StormSocket is one open socket.
type StormSocket struct {
	Cookie        uint64
	Local, Remote netip.AddrPort
	State         uint8 // the kernel's number (TCP_INFO)
}

// Run storms until each worker has made its connections, or a line comes by in. It then reports on
// out and, with connections kept open, leaves them as they are until in ends.
func (c Storm) Run(in io.Reader, out io.Writer) error {
	var freeze atomic.Bool
	lines := bufio.NewReader(in)
	asked := make(chan struct{})
	go func() {
		// The end of in means that nobody is there any more: freeze as well.
		_, _ = lines.ReadString('\n')
		freeze.Store(true)
		close(asked)
	}()

	start := time.Now()
	workers := make([]stormWorker, c.Workers)
	errs := make([]error, c.Workers)
	var wg sync.WaitGroup
	for i := range workers {
		wg.Go(func() { errs[i] = workers[i].run(c, i, &freeze) })
	}
	wg.Wait()
	report := StormReport{Elapsed: time.Since(start)}
	for i := range workers {
		if errs[i] != nil {
			return fmt.Errorf("storm: worker %d: %w", i, errs[i])
		}
		if err := workers[i].report(&report); err != nil {
			return fmt.Errorf("storm: worker %d: %w", i, err)
		}
	}
	if err := json.NewEncoder(out).Encode(&report); err != nil {
		return err
	}
	<-asked
	_, err := io.Copy(io.Discard, lines)
	return err
}

type stormPair struct{ client, server int }

type stormWorker struct {
	listener int
	address  unix.SockaddrInet4
	pairs    []stormPair // open, oldest first
	made     []StormConnection
	count    int
	brief    int
}

func (w *stormWorker) run(c Storm, n int, freeze *atomic.Bool) error {
	rnd := rand.New(rand.NewPCG(uint64(n), 1))
	var err error
	if w.listener, err = unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0); err != nil {
		return err
	}
	w.address = unix.SockaddrInet4{Addr: [4]byte{127, 0, 1, byte(n + 1)}, Port: cmp.Or(c.Port, 7000)}
	if err := unix.Bind(w.listener, &w.address); err != nil {
		return fmt.Errorf("bind: %w", err)
	}
	if err := unix.Listen(w.listener, 128); err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	for i := 0; !freeze.Load() && (c.Connections == 0 || i < c.Connections); i++ {
		born := time.Now()
		p, err := w.connect(i)
		if err != nil {
			return err
		}
		w.count++
		if c.List {
			ends, err := p.cookies()
			if err != nil {
				return err
			}
			w.made = append(w.made, ends)
		}
		if c.Mixed && rnd.IntN(8) == 0 {
			if err := unix.Shutdown(p.client, unix.SHUT_WR); err != nil {
				return fmt.Errorf("shutdown: %w", err)
			}
		}
		w.pairs = append(w.pairs, p)
		if len(w.pairs) > c.Open {
			if err := w.pairs[0].close(c.Mixed && rnd.IntN(16) == 0); err != nil {
				return err
			}
			w.pairs = w.pairs[1:]
			if time.Since(born) < time.Millisecond {
				w.brief++
			}
		}
		if c.Pause > 0 {
			time.Sleep(c.Pause)
		}
	}
	return nil
}

// connect makes a connection. Source addresses go around, so that there are ports enough.
func (w *stormWorker) connect(i int) (p stormPair, err error) {
	if p.client, err = unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0); err != nil {
		return p, err
	}
	if err := unix.SetsockoptInt(p.client, unix.IPPROTO_IP, unix.IP_BIND_ADDRESS_NO_PORT, 1); err != nil {
		return p, fmt.Errorf("IP_BIND_ADDRESS_NO_PORT: %w", err)
	}
	if err := unix.Bind(p.client, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 2, byte(i%200 + 1)}}); err != nil {
		return p, fmt.Errorf("bind: %w", err)
	}
	if err := unix.Connect(p.client, &w.address); err != nil {
		return p, fmt.Errorf("connect: %w", err)
	}
	p.server, _, err = unix.Accept4(w.listener, unix.SOCK_CLOEXEC)
	if err != nil {
		return p, fmt.Errorf("accept: %w", err)
	}
	return p, nil
}

// close closes both ends, by reset unless orderly.
func (p stormPair) close(orderly bool) error {
	if !orderly {
		// No lingering: close sends a reset (net/ipv4/tcp.c, __tcp_close).
		if err := unix.SetsockoptLinger(p.client, unix.SOL_SOCKET, unix.SO_LINGER, &unix.Linger{Onoff: 1}); err != nil {
			return fmt.Errorf("SO_LINGER: %w", err)
		}
	}
	if err := unix.Close(p.client); err != nil {
		return err
	}
	if !orderly {
		// A machine that has much to do leaves the reset to ksoftirqd: who closes before it has come sends a FIN, which is one more change.
		reset := []unix.PollFd{{Fd: int32(p.server)}}
		for reset[0].Revents == 0 {
			if _, err := unix.Poll(reset, -1); err != nil && !errors.Is(err, unix.EINTR) {
				return fmt.Errorf("poll: %w", err)
			}
		}
	}
	return unix.Close(p.server)
}

func (p stormPair) cookies() (c StormConnection, err error) {
	if c.Client, err = cookie(p.client); err == nil {
		c.Server, err = cookie(p.server)
	}
	return c, err
}

func cookie(fd int) (uint64, error) {
	n, err := unix.GetsockoptUint64(fd, unix.SOL_SOCKET, unix.SO_COOKIE)
	if err != nil {
		return 0, fmt.Errorf("SO_COOKIE: %w", err)
	}
	return n, nil
}

func (w *stormWorker) report(r *StormReport) error {
	r.Made += w.count
	r.Brief += w.brief
	r.Connections = append(r.Connections, w.made...)
	fds := []int{w.listener}
	for _, p := range w.pairs {
		fds = append(fds, p.client, p.server)
	}
	for _, fd := range fds {
		s, err := describe(fd)
		if err != nil {
			return err
		}
		r.Sockets = append(r.Sockets, s)
	}
	return nil
}

func describe(fd int) (s StormSocket, err error) {
	if s.Cookie, err = cookie(fd); err != nil {
		return s, err
	}
	info, err := unix.GetsockoptTCPInfo(fd, unix.IPPROTO_TCP, unix.TCP_INFO)
	if err != nil {
		return s, fmt.Errorf("TCP_INFO: %w", err)
	}
	s.State = info.State
	local, err := unix.Getsockname(fd)
	if err != nil {
		return s, fmt.Errorf("getsockname: %w", err)
	}
	s.Local = addrPort(local)
	if remote, err := unix.Getpeername(fd); err == nil { // a listener has none
		s.Remote = addrPort(remote)
	} else {
		s.Remote = netip.AddrPortFrom(netip.IPv4Unspecified(), 0)
	}
	return s, nil
}

func addrPort(sa unix.Sockaddr) netip.AddrPort {
	a := sa.(*unix.SockaddrInet4) // the storm makes no other
	return netip.AddrPortFrom(netip.AddrFrom4(a.Addr), uint16(a.Port))
}
