// SPDX-License-Identifier: GPL-2.0-or-later

package tracer

import (
	"bufio"
	"fmt"
	"io"
	"math/rand/v2"
	"net/netip"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"netlive/internal/kerneltest"
)

// trafficEnv, when it is set, makes the test binary a traffic that is described by it as JSON.
const trafficEnv = "NETLIVE_TEST_TRAFFIC"

// traffic is a process that makes connections of all kinds, which end in all kinds of ways. It has both ends of each and does one thing after
// the other, on one processor, which the packets do not leave either: while a hook tells one tracer after the other of what happens at one
// end, nothing happens at the other end that the later ones would know of and the first would not.
type traffic struct {
	Seed  uint64
	Plays int
	// Port is the first of the ten ports that are this process's.
	Port int
	// UIDs are the users of its sockets.
	UIDs []int
	// Inherited says that descriptor 3 is a listener at the port Port+ownPlaces: one that another process owns.
	Inherited bool
}

const (
	trafficPort  = 7800  // Port of the first traffic of a namespace
	trafficPorts = 10    // from one traffic's Port to the next one's
	ownPlaces    = 5     // at so many ports a traffic listens itself, from Port on
	refusingPort = 9     // from Port on: nobody listens there
	clientPort   = 12000 // the first traffic binds clients to clientPorts ports from there on, and so on
	clientPorts  = 5000
	keepOpen     = 5 // connections that are open when the process ends
	endsEarly    = 3 // connections that end by a FIN before they are accepted, which takes 40 ms each
)

// The addresses of a namespace with traffic; addAddresses gives it those that lo does not have by itself.
var (
	trafficV4 = []netip.Addr{netip.MustParseAddr("127.0.0.1"), netip.MustParseAddr("127.0.0.9"), netip.MustParseAddr("127.1.2.3"), netip.MustParseAddr("127.200.0.1")}
	trafficV6 = []netip.Addr{netip.MustParseAddr("::1"), netip.MustParseAddr("2001:db8::1"), netip.MustParseAddr("2001:db8:0:1::8"), netip.MustParseAddr("fd00::7")}
)

// addAddresses gives lo of the calling thread's namespace the addresses of trafficV6.
func addAddresses(t *testing.T) {
	t.Helper()
	fd, err := unix.Socket(unix.AF_INET6, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	must(t, err)
	defer unix.Close(fd)
	for _, a := range trafficV6[1:] {
		request := struct { // struct in6_ifreq of linux/ipv6.h
			addr   [16]byte
			length uint32
			index  int32
		}{a.As16(), 128, 1} // lo is the first interface of any namespace
		if _, _, e := unix.Syscall(unix.SYS_IOCTL, uintptr(fd), unix.SIOCSIFADDR, uintptr(unsafe.Pointer(&request))); e != 0 {
			t.Fatalf("add %v to lo: %v", a, e)
		}
	}
}

// Run makes traffic of a kind for each line that comes by in, and ends with connections open when in ends. It says so in a line when it is
// ready, and when it has done what was asked.
func (c *traffic) Run(in io.Reader, out io.Writer) error {
	runtime.LockOSThread() // whose user for files is changed too
	if err := stayOn((c.Port - trafficPort) / trafficPorts); err != nil {
		return err
	}
	p := &player{traffic: *c, rnd: rand.New(rand.NewPCG(c.Seed, uint64(c.Port)))}
	lines := bufio.NewScanner(in)
	for word := "ready"; ; word = "done" {
		if _, err := fmt.Fprintln(out, word); err != nil {
			return err
		}
		if !lines.Scan() {
			return lines.Err()
		}
		switch lines.Text() {
		case "timers":
			p.timers()
		case "plays":
			for range c.Plays {
				p.play()
			}
		}
	}
}

// stayOn binds the calling thread to one of the processors that it may run on.
func stayOn(n int) error {
	var may, one unix.CPUSet
	if err := unix.SchedGetaffinity(0, &may); err != nil {
		return err
	}
	n %= may.Count()
	for cpu := 0; ; cpu++ {
		if !may.IsSet(cpu) {
			continue
		}
		if n--; n < 0 {
			one.Set(cpu)
			return unix.SchedSetaffinity(0, &one)
		}
	}
}

// trafficProcess is a traffic that runs.
type trafficProcess struct {
	*exec.Cmd
	t   *testing.T
	in  io.WriteCloser
	out *bufio.Reader
}

// startTraffic starts a traffic in ns. listener is the descriptor that it inherits, or -1.
func startTraffic(t *testing.T, ns *kerneltest.NS, c traffic, listener int) *trafficProcess {
	t.Helper()
	c.Inherited = listener >= 0
	p := &trafficProcess{Cmd: inRole(t, trafficEnv, &c), t: t}
	if c.Inherited {
		fd, err := unix.FcntlInt(uintptr(listener), unix.F_DUPFD_CLOEXEC, 0)
		must(t, err)
		file := os.NewFile(uintptr(fd), "listener")
		defer file.Close()
		p.ExtraFiles = []*os.File{file}
	}
	var err error
	p.in, err = p.StdinPipe()
	must(t, err)
	out, err := p.StdoutPipe()
	must(t, err)
	p.out = bufio.NewReader(out)
	must(t, ns.Start(p.Cmd))
	t.Cleanup(func() {
		if p.ProcessState == nil {
			_ = p.Process.Kill()
			_ = p.Wait()
		}
	})
	p.wait()
	return p
}

// ask asks for a kind of traffic.
func (p *trafficProcess) ask(kind string) {
	p.t.Helper()
	_, err := fmt.Fprintln(p.in, kind)
	must(p.t, err)
}

// wait waits until the process is ready, or has done what was asked.
func (p *trafficProcess) wait() {
	p.t.Helper()
	// A process that hangs must not take the rest of the tests with it.
	timeout := time.AfterFunc(30*time.Second, func() { _ = p.Process.Kill() })
	defer timeout.Stop()
	if line, err := p.out.ReadString('\n'); err != nil {
		p.t.Fatalf("traffic: %q, %v", line, err)
	}
}

// end waits for the end of the process, after in was closed.
func (p *trafficProcess) end() {
	p.t.Helper()
	if err := p.Wait(); err != nil {
		p.t.Fatalf("traffic: %v", err)
	}
}

// player plays within a process of its own: what fails ends it by a panic, which says where.
type player struct {
	traffic
	rnd    *rand.Rand
	places []place
	bound  int // clients that were bound to a port
	kept   int
	early  int
	self   int // a datagram socket that is connected to itself
	user   int // of the client that is being made; -1 is the process's
}

// place is a listener, and the addresses that it has for clients of either family.
type place struct {
	fd    int
	inet  []unix.Sockaddr
	inet6 []unix.Sockaddr
}

func (p *player) must(err error) {
	if err != nil {
		panic(err)
	}
}

func one[T any](r *rand.Rand, list []T) T { return list[r.IntN(len(list))] }

func mapped(a netip.Addr) netip.Addr { return netip.AddrFrom16(a.As16()) }

// sockaddr is of AF_INET6 for a mapped address.
func sockaddr(a netip.Addr, port int) unix.Sockaddr {
	if a.Is4() {
		return &unix.SockaddrInet4{Addr: a.As4(), Port: port}
	}
	return &unix.SockaddrInet6{Addr: a.As16(), Port: port}
}

func familyOf(a unix.Sockaddr) int {
	if _, ok := a.(*unix.SockaddrInet4); ok {
		return unix.AF_INET
	}
	return unix.AF_INET6
}

func sockaddrs(port int, list ...netip.Addr) (at []unix.Sockaddr) {
	for _, a := range list {
		at = append(at, sockaddr(a, port))
	}
	return at
}

func mappedAll(list []netip.Addr) (m []netip.Addr) {
	for _, a := range list {
		m = append(m, mapped(a))
	}
	return m
}

// listener is bound to an address; only6 keeps one of AF_INET6 from IPv4.
func (p *player) listener(at unix.Sockaddr, only6 bool, backlog int) int {
	fd, err := unix.Socket(familyOf(at), unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	p.must(err)
	p.own(fd)
	if only6 {
		p.must(unix.SetsockoptInt(fd, unix.IPPROTO_IPV6, unix.IPV6_V6ONLY, 1))
	}
	p.must(unix.Bind(fd, at))
	p.must(unix.Listen(fd, backlog))
	return fd
}

// open makes the listeners.
func (p *player) open() {
	p.connectSelf()
	const backlog = 16
	any4, any6 := netip.IPv4Unspecified(), netip.IPv6Unspecified()
	port := p.Port
	p.places = []place{
		{p.listener(sockaddr(any4, port), false, backlog), sockaddrs(port, trafficV4...), nil},
		{p.listener(sockaddr(any6, port+1), true, backlog), nil, sockaddrs(port+1, trafficV6...)},
		{p.listener(sockaddr(any6, port+2), false, backlog), sockaddrs(port+2, trafficV4...), sockaddrs(port+2, append(mappedAll(trafficV4), trafficV6...)...)},
		{p.listener(sockaddr(trafficV4[1], port+3), false, backlog), sockaddrs(port+3, trafficV4[1]), sockaddrs(port+3, mapped(trafficV4[1]))},
		{p.listener(sockaddr(trafficV6[1], port+4), false, backlog), nil, sockaddrs(port+4, trafficV6[1])},
	}
	if p.Inherited {
		p.places = append(p.places, place{3, sockaddrs(port+ownPlaces, trafficV4...), sockaddrs(port+ownPlaces, mappedAll(trafficV4)...)})
	}
}

// connectSelf makes p.self.
func (p *player) connectSelf() {
	var err error
	p.self, err = unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	p.must(err)
	p.must(unix.Bind(p.self, sockaddr(trafficV4[0], 0)))
	at, err := unix.Getsockname(p.self)
	p.must(err)
	p.must(unix.Connect(p.self, at))
}

// own gives a socket that was made just now its user.
func (p *player) own(fd int) {
	if p.user >= 0 {
		p.must(unix.Fchown(fd, p.user, -1))
	}
}

// withUser does something as one of the users: by the process's user for files, which what accept(2) returns has too, or by fchown(2).
func (p *player) withUser(do func()) {
	p.user = -1
	switch uid := one(p.rnd, p.UIDs); p.rnd.IntN(3) {
	case 0:
		p.must(unix.Setfsuid(uid))
		defer func() { p.must(unix.Setfsuid(0)) }()
	case 1:
		p.user = uid
	}
	do()
}

// client is a socket for a connection to a place: with no end of its own, an address, a port that the kernel chose, or one of ours.
func (p *player) client(to unix.Sockaddr) int {
	fd, err := unix.Socket(familyOf(to), unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	p.must(err)
	p.own(fd)
	from := one(p.rnd, trafficV4)
	if to6, ok := to.(*unix.SockaddrInet6); ok {
		from = mapped(from)
		if !netip.AddrFrom16(to6.Addr).Is4In6() {
			from = one(p.rnd, trafficV6)
		}
	}
	switch p.rnd.IntN(6) {
	case 0, 1:
		p.must(unix.SetsockoptInt(fd, unix.IPPROTO_IP, unix.IP_BIND_ADDRESS_NO_PORT, 1))
		p.must(unix.Bind(fd, sockaddr(from, 0)))
	case 2:
		p.must(unix.Bind(fd, sockaddr(from, 0)))
	case 3:
		if p.bound < clientPorts { // each once: the connections before may be in TIME_WAIT
			p.must(unix.Bind(fd, sockaddr(from, clientPort+(p.Port-trafficPort)/trafficPorts*clientPorts+p.bound)))
			p.bound++
		}
	}
	return fd
}

// random is a place, and how a client gets there.
func (p *player) random() (at place, to unix.Sockaddr) {
	at = one(p.rnd, p.places)
	return at, one(p.rnd, append(at.inet[:len(at.inet):len(at.inet)], at.inet6...))
}

func (p *player) accept(listener int) int {
	fd, _, err := unix.Accept4(listener, unix.SOCK_CLOEXEC)
	p.must(err)
	return fd
}

func (p *player) write(fd, n int) {
	_, err := unix.Write(fd, make([]byte, n))
	p.must(err)
}

func (p *player) read(fd, n int) {
	for b := make([]byte, n); n > 0; {
		m, err := unix.Read(fd, b[:n])
		p.must(err)
		if m == 0 {
			panic("the end came early")
		}
		n -= m
	}
}

func (p *player) close(fds ...int) {
	for _, fd := range fds {
		p.must(unix.Close(fd))
	}
}

// endEarly closes a connection that is not accepted yet, and waits until that has come to the other end. If it came while the tracers are told
// of accept(2), by an interrupt, it would come before that for some and after it for others.
func (p *player) endEarly(client int) {
	if p.early++; p.early <= endsEarly {
		// A FIN is answered by a timer, when there is nothing to be sent with the answer. This close waits for it.
		p.must(unix.SetsockoptLinger(client, unix.SOL_SOCKET, unix.SO_LINGER, &unix.Linger{Onoff: 1, Linger: 10}))
		p.close(client)
		return
	}
	p.reset(client)
	// The kernel may have put off the receipt. A datagram comes behind what is there already.
	p.write(p.self, 1)
	p.read(p.self, 1)
}

// reset closes by a reset.
func (p *player) reset(fd int) {
	p.must(unix.SetsockoptLinger(fd, unix.SOL_SOCKET, unix.SO_LINGER, &unix.Linger{Onoff: 1}))
	p.close(fd)
}

// play makes a connection, or tries, or does something else with sockets.
func (p *player) play() {
	if p.places == nil {
		p.open()
	}
	p.withUser(func() {
		switch p.rnd.IntN(24) {
		case 0, 1:
			p.refused()
		case 2:
			p.overflow()
		case 3:
			p.neverAccepted()
		case 4:
			p.bind()
		case 5:
			p.itself()
		default:
			p.connection()
		}
	})
}

func (p *player) connection() {
	at, to := p.random()
	client := p.client(to)
	p.must(unix.Connect(client, to))
	if p.rnd.IntN(20) == 0 { // it ends before it is accepted
		p.endEarly(client)
		p.close(p.accept(at.fd))
		return
	}
	server := p.accept(at.fd)
	for range p.rnd.IntN(3) {
		n := 1 + p.rnd.IntN(3000)
		p.write(client, n)
		p.read(server, n)
		p.write(server, n)
		p.read(client, n)
	}
	p.end(client, server)
}

// end ends a connection.
func (p *player) end(client, server int) {
	first, second := client, server
	if p.rnd.IntN(2) == 0 {
		first, second = server, client
	}
	switch p.rnd.IntN(8) {
	case 0, 1:
		p.close(first, second)
	case 2, 3:
		p.reset(first)
		p.close(second)
	case 4: // data that is not read makes a reset of the close
		p.write(first, 10)
		p.close(second, first)
	case 5:
		p.must(unix.Shutdown(first, unix.SHUT_WR))
		p.write(second, 100)
		p.close(second, first)
	case 6: // data for one that has closed
		p.close(first)
		p.write(second, 10)
		p.close(second)
	case 7:
		if p.kept < keepOpen {
			p.kept++
			return
		}
		disconnect := unix.RawSockaddr{Family: unix.AF_UNSPEC}
		if _, _, e := unix.Syscall(unix.SYS_CONNECT, uintptr(first), uintptr(unsafe.Pointer(&disconnect)), unsafe.Sizeof(disconnect)); e != 0 {
			panic(e)
		}
		p.close(second, first)
	}
}

func (p *player) refused() {
	var list []unix.Sockaddr
	for _, a := range [][]netip.Addr{trafficV4, mappedAll(trafficV4), trafficV6} {
		list = append(list, sockaddrs(p.Port+refusingPort, a...)...)
	}
	to := one(p.rnd, list)
	client := p.client(to)
	if err := unix.Connect(client, to); err != unix.ECONNREFUSED {
		panic(fmt.Sprintf("connected where nobody listens: %v", err))
	}
	p.close(client)
}

// overflow has a listener whose queue is full drop a connection, which is then given up.
func (p *player) overflow() {
	listener := p.listener(sockaddr(one(p.rnd, append(trafficV6, trafficV4...)), 0), false, 0)
	to, err := unix.Getsockname(listener)
	p.must(err)
	first, second := p.client(to), p.client(to)
	p.must(unix.Connect(first, to))
	p.must(unix.SetNonblock(second, true))
	if err := unix.Connect(second, to); err != unix.EINPROGRESS {
		panic(fmt.Sprintf("connected to a listener that is full: %v", err))
	}
	p.close(second)
	server := p.accept(listener)
	p.close(listener)
	p.end(first, server)
}

func (p *player) neverAccepted() {
	listener := p.listener(sockaddr(one(p.rnd, append(mappedAll(trafficV4), trafficV4...)), 0), false, 4)
	to, err := unix.Getsockname(listener)
	p.must(err)
	client := p.client(to)
	p.must(unix.Connect(client, to))
	p.close(listener, client)
}

// bind binds sockets of other protocols than TCP.
func (p *player) bind() {
	a := one(p.rnd, append(mappedAll(trafficV4), append(trafficV6, trafficV4...)...))
	kind, protocol := unix.SOCK_DGRAM, one(p.rnd, []int{unix.IPPROTO_UDP, unix.IPPROTO_UDPLITE})
	if p.rnd.IntN(4) == 0 && !a.Is4In6() {
		kind, protocol = unix.SOCK_RAW, unix.IPPROTO_EGP
	}
	fd, err := unix.Socket(familyOf(sockaddr(a, 0)), kind|unix.SOCK_CLOEXEC, protocol)
	if err == unix.EPROTONOSUPPORT {
		return // a kernel without UDP-Lite
	}
	p.must(err)
	p.must(unix.Bind(fd, sockaddr(a, one(p.rnd, []int{0, p.Port, p.Port + 1}))))
	p.close(fd)
}

// itself connects a socket to itself.
func (p *player) itself() {
	a := one(p.rnd, append(mappedAll(trafficV4), append(trafficV6, trafficV4...)...))
	fd, err := unix.Socket(familyOf(sockaddr(a, 0)), unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	p.must(err)
	p.own(fd)
	p.must(unix.Bind(fd, sockaddr(a, 0)))
	at, err := unix.Getsockname(fd)
	p.must(err)
	p.must(unix.Connect(fd, at))
	p.write(fd, 5)
	p.read(fd, 5)
	p.close(fd)
}

// timers makes segments that are lost, and waits until they have been sent again, or for a time-out. A timer interrupts whatever runs, and the
// kernel runs no program within itself: this is to be done while nothing else is.
func (p *player) timers() {
	p.open()
	drop := [1]unix.SockFilter{{Code: unix.BPF_RET | unix.BPF_K}} // nothing of the packet
	type pair struct{ client, server int }
	var pairs []pair
	only6, both := p.places[1], p.places[2]
	connect := func(at place, to unix.Sockaddr) {
		p.withUser(func() {
			client := p.client(to)
			p.must(unix.SetsockoptInt(client, unix.IPPROTO_TCP, unix.TCP_NODELAY, 1))
			p.must(unix.Connect(client, to))
			pairs = append(pairs, pair{client, p.accept(at.fd)})
		})
	}
	connect(both, both.inet[0])
	connect(both, both.inet6[0])
	connect(only6, only6.inet6[0])
	connect(only6, only6.inet6[1])
	lost, impatient := pairs[:3], pairs[3:]
	for _, c := range impatient {
		p.must(unix.SetsockoptInt(c.client, unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT, 10))
	}
	for _, c := range pairs {
		p.must(unix.SetsockoptSockFprog(c.server, unix.SOL_SOCKET, unix.SO_ATTACH_FILTER, &unix.SockFprog{Len: 1, Filter: &drop[0]}))
		for range 3 {
			p.write(c.client, 10)
		}
	}
	// A listener that waits for data takes the acknowledgment of its SYN-ACK for nothing for a second, and sends it again then.
	p.must(unix.SetsockoptInt(both.fd, unix.IPPROTO_TCP, unix.TCP_DEFER_ACCEPT, 1))
	var deferred []int
	for _, to := range []unix.Sockaddr{both.inet[0], both.inet6[0], both.inet6[len(trafficV4)]} {
		client := p.client(to)
		p.must(unix.Connect(client, to))
		deferred = append(deferred, client)
	}
	p.must(unix.SetsockoptInt(both.fd, unix.IPPROTO_TCP, unix.TCP_DEFER_ACCEPT, 0))

	for _, c := range lost {
		p.await(c.client, func(info *unix.TCPInfo) bool { return info.Total_retrans > 0 })
	}
	for _, c := range impatient {
		p.await(c.client, func(info *unix.TCPInfo) bool { return info.State == unix.BPF_TCP_CLOSE })
	}
	for _, c := range pairs {
		p.must(unix.SetsockoptInt(c.server, unix.SOL_SOCKET, unix.SO_DETACH_FILTER, 0))
		p.reset(c.client)
		p.close(c.server)
	}
	for _, client := range deferred {
		p.await(client, func(info *unix.TCPInfo) bool { return info.Segs_in > 1 })
	}
	for _, client := range deferred {
		p.close(client, p.accept(both.fd)) // which is not the other end of this one, perhaps
	}
}

// await looks at a connection until it is as it should be.
func (p *player) await(fd int, as func(*unix.TCPInfo) bool) {
	for begin := time.Now(); ; time.Sleep(2 * time.Millisecond) {
		info, err := unix.GetsockoptTCPInfo(fd, unix.IPPROTO_TCP, unix.TCP_INFO)
		p.must(err)
		if as(info) {
			return
		}
		if time.Since(begin) > 10*time.Second {
			panic(fmt.Sprintf("waited in vain: %+v", *info))
		}
	}
}

// settle waits until the kernel is done with the connections of ns: whatever is there then is a minisocket, of which nothing is told.
func settle(t *testing.T, ns *kerneltest.NS) {
	t.Helper()
	for begin := time.Now(); ; time.Sleep(5 * time.Millisecond) {
		var left []string
		ns.Do(func() {
			for _, name := range []string{"tcp", "tcp6"} {
				text, err := os.ReadFile("/proc/thread-self/net/" + name)
				must(t, err)
				for _, line := range strings.Split(strings.TrimSpace(string(text)), "\n")[1:] {
					if state := strings.Fields(line)[3]; state != "06" && state != "05" { // TIME_WAIT, and FIN_WAIT2
						left = append(left, line)
					}
				}
			}
		})
		if len(left) == 0 {
			return
		}
		if time.Since(begin) > 10*time.Second {
			t.Fatalf("the traffic is over, but not for\n%s", strings.Join(left, "\n"))
		}
	}
}
