// SPDX-License-Identifier: GPL-2.0-or-later

package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"netlive/internal/cgroup"
	"netlive/internal/kerneltest"
)

// mainTenant opens a socket of each kind in its namespace, says "ready", and holds them until its stdin ends. With the argument still
// all of them are at rest.
func mainTenant() {
	if err := holdTenant(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// What each tenant has, be its namespace what it may.
const (
	tenantTCP     = 7301
	tenantUDP     = 7302
	tenantUDPLite = 7303
)

func holdTenant() error {
	at := func(port int) *unix.SockaddrInet4 {
		return &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}, Port: port}
	}
	bound := func(kind, protocol, port int) (int, error) {
		fd, err := unix.Socket(unix.AF_INET, kind|unix.SOCK_CLOEXEC, protocol)
		if err == nil && port != 0 {
			err = errors.Join(unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_REUSEADDR, 1), unix.Bind(fd, at(port)))
		}
		return fd, err
	}
	l, err := bound(unix.SOCK_STREAM, 0, tenantTCP)
	if err != nil {
		return err
	}
	if err := unix.Listen(l, 8); err != nil {
		return err
	}
	connections := 2 // one stays, one leaves a TIME_WAIT
	if slices.Contains(os.Args, "still") {
		connections = 1
	}
	for i := range connections {
		c, err := bound(unix.SOCK_STREAM, 0, 0)
		if err != nil {
			return err
		}
		if err := unix.Connect(c, at(tenantTCP)); err != nil {
			return err
		}
		a, _, err := unix.Accept(l)
		if err != nil {
			return err
		}
		if i == 1 {
			if err := errors.Join(unix.Close(c), unix.Close(a)); err != nil {
				return err
			}
		}
	}
	if _, err := bound(unix.SOCK_DGRAM, 0, tenantUDP); err != nil {
		return err
	}
	if _, err := bound(unix.SOCK_DGRAM, unix.IPPROTO_UDPLITE, tenantUDPLite); err != nil && !errors.Is(err, unix.EPROTONOSUPPORT) {
		return err
	}
	if _, err := bound(unix.SOCK_RAW, unix.IPPROTO_ICMP, 0); err != nil {
		return err
	}
	u, err := net.Listen("unix", "@tenant")
	if err != nil {
		return err
	}
	defer u.Close()
	fmt.Println("ready")
	_, err = io.Copy(io.Discard, os.Stdin)
	return err
}

// place is a namespace with a tenant in it.
type place struct {
	inode  uint32
	name   string
	tenant *process
	made   time.Time // when the tenant was there
}

// ready waits for a tenant and returns where it is.
func ready(t *testing.T, p *process, name string) *place {
	t.Helper()
	line, err := p.out.ReadString('\n')
	if err != nil {
		_, _, errs := p.wait()
		t.Fatalf("a tenant: %v\n%s", err, errs)
	}
	if line != "ready\n" {
		t.Fatalf("a tenant says %q", line)
	}
	if name == "" {
		name = fmt.Sprintf("tenant/%d", p.Process.Pid)
	}
	return &place{made: time.Now(), inode: inodeAt(t, fmt.Sprintf("/proc/%d/ns/net", p.Process.Pid)), name: name, tenant: p}
}

func inodeAt(t *testing.T, path string) uint32 {
	t.Helper()
	var st unix.Stat_t
	if err := unix.Stat(path, &st); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	return uint32(st.Ino)
}

// tenantIn starts a tenant in a namespace that has no name.
func tenantIn(t *testing.T, ns *kerneltest.NS) *place {
	t.Helper()
	return ready(t, start(t, ns, "tenant"), "")
}

// named makes a namespace by ip-netns(8), with a tenant in it; from is any namespace.
func named(t *testing.T, from *kerneltest.NS, suffix string) *place {
	t.Helper()
	name := fmt.Sprintf("netlive-%d-%s", os.Getpid(), suffix)
	runIn(t, from, "ip", "netns", "add", name)
	t.Cleanup(func() { _ = exec.Command("ip", "netns", "del", name).Run() })
	runIn(t, from, "ip", "-n", name, "link", "set", "lo", "up")
	return ready(t, start(t, from, "ip", "netns", "exec", name, "tenant"), name)
}

// end ends the tenant and waits until it has.
func (p *place) end() {
	p.tenant.t.Helper()
	if err := p.tenant.stdin.Close(); err != nil {
		p.tenant.t.Fatal(err)
	}
	if code, _, errs := p.tenant.wait(); code != 0 {
		p.tenant.t.Fatalf("a tenant: %d %s", code, errs)
	}
}

// placedJSON is a socket as --json has it with --netns and --unit.
type placedJSON struct {
	socketJSON
	Path      string
	NetNS     uint32
	NetNSName *string `json:"netns_name"`
	Cgroup    *string
	Unit      *string
}

type placedFrame struct {
	Time          time.Time
	Source        string
	Lost, Resyncs uint64
	Sockets       []placedJSON
}

// kinds are those of a tenant's sockets that show, by what is the same in each namespace.
func (p *place) kinds(rows []placedJSON) map[string]int {
	n := map[string]int{}
	for _, s := range rows {
		if s.NetNS != p.inode {
			continue
		}
		kind := fmt.Sprintf("%s %d %s", s.Proto, s.LocalPort, s.State)
		switch {
		case s.Proto == "unix":
			kind = "unix " + s.Path
		case s.Proto == "tcp" && s.LocalPort != tenantTCP:
			kind = "tcp " + s.State
		}
		n[kind]++
	}
	return n
}

// tenants is what kinds makes of all sockets of a tenant.
var tenants = func() map[string]int {
	all := map[string]int{
		fmt.Sprintf("tcp %d LISTEN", tenantTCP): 1, fmt.Sprintf("tcp %d ESTABLISHED", tenantTCP): 1, "tcp ESTABLISHED": 1, "tcp TIME_WAIT": 1,
		fmt.Sprintf("udp %d ", tenantUDP): 1, "raw 1 ": 1, "unix @tenant": 1,
	}
	if fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, unix.IPPROTO_UDPLITE); err == nil { // some kernels since 7.1 have none
		_ = unix.Close(fd)
		all[fmt.Sprintf("udplite %d ", tenantUDPLite)] = 1
	}
	return all
}()

// calledAfterNetlive: a namespace without a name is called after the first process in it by number, which is netlive where numbers have begun anew since the tenant's.
func (p *place) calledAfterNetlive(name string) bool {
	var pid int
	_, err := fmt.Sscanf(name, "netlive/%d", &pid)
	return err == nil && strings.HasPrefix(p.name, "tenant/") && pid < p.tenant.Process.Pid
}

// complaint says what is wrong with the rows of p; "" is nothing.
func (p *place) complaint(rows []placedJSON) string {
	if got := p.kinds(rows); fmt.Sprint(got) != fmt.Sprint(tenants) {
		return fmt.Sprintf("%s has %v, want %v", p.name, got, tenants)
	}
	for _, s := range rows {
		switch {
		case s.NetNS != p.inode:
		case s.NetNSName == nil || *s.NetNSName != p.name && !p.calledAfterNetlive(*s.NetNSName):
			return fmt.Sprintf("%s is called %q: %+v", p.name, deref(s.NetNSName), s)
		case s.State != "TIME_WAIT" && (len(s.Owners) != 1 || s.Owners[0].PID != p.tenant.Process.Pid):
			return fmt.Sprintf("%s: not of its tenant: %+v", p.name, s)
		}
	}
	return ""
}

// placed reads frames until done is content with one, which says what it is not content with.
func (p *process) placed(done func([]placedJSON) string) placedFrame {
	p.t.Helper()
	for deadline := time.Now().Add(limit / 12); ; {
		line, err := p.out.ReadBytes('\n')
		if err != nil {
			_, _, errs := p.wait()
			p.t.Fatalf("read a frame: %v\n%s", err, errs)
		}
		var f placedFrame
		if err := json.Unmarshal(line, &f); err != nil {
			p.t.Fatal(err)
		}
		why := done(f.Sockets)
		if why == "" {
			return f
		}
		if time.Now().After(deadline) {
			p.t.Fatal(why)
		}
	}
}

// complaints is complaint of several places.
func complaints(places ...*place) func([]placedJSON) string {
	return func(rows []placedJSON) string {
		for _, p := range places {
			if why := p.complaint(rows); why != "" {
				return why
			}
		}
		return ""
	}
}

// none complains of any row of p.
func (p *place) none(rows []placedJSON) string {
	if got := p.kinds(rows); len(got) > 0 {
		return fmt.Sprintf("%s still has %v", p.name, got)
	}
	return ""
}

// only complains of rows of others.
func (p *place) only(rows []placedJSON) string {
	for _, s := range rows {
		if s.NetNS != p.inode {
			return fmt.Sprintf("want %d alone: %+v", p.inode, s)
		}
	}
	return p.complaint(rows)
}

// oneShot is netlive's table, printed once.
func oneShot(t *testing.T, ns *kerneltest.NS, args ...string) (rows []placedJSON) {
	t.Helper()
	if err := json.Unmarshal(runIn(t, ns, "netlive", append([]string{"-an", "--json"}, args...)...), &rows); err != nil {
		t.Fatal(err)
	}
	return rows
}

func (p *process) interrupt() {
	p.t.Helper()
	if code, _, errs := p.end(unix.SIGINT); code != exitInterrupted || len(errs) > 0 {
		p.t.Errorf("after SIGINT: exit code %d, stderr %q", code, errs)
	}
}

// The sockets of all namespaces, each with the name of its own: ours, one with a name and one that a process alone holds.
func TestAllNamespaces(t *testing.T) {
	kerneltest.RequireRoot(t)
	ns := kerneltest.NetNS(t)
	ours, other, byName := tenantIn(t, ns), tenantIn(t, kerneltest.NetNS(t)), named(t, ns, "all")

	if why := complaints(ours, other, byName)(oneShot(t, ns, "--netns", "all")); why != "" {
		t.Errorf("once: %s", why)
	}

	watch := start(t, ns, "netlive", "watch", "-an", "--json", "--netns", "all", "--interval", "300ms")
	if f := watch.placed(complaints(ours, other, byName)); f.Source != "ebpf" {
		t.Errorf("source %s", f.Source)
	}
	born, bornNamed := tenantIn(t, kerneltest.NetNS(t)), named(t, ns, "born")
	watch.placed(complaints(ours, other, byName, born, bornNamed))
	// They go with connections in them, and TIME_WAIT, whose ends are told by nothing.
	born.end()
	runIn(t, ns, "ip", "netns", "del", bornNamed.name)
	bornNamed.end()
	watch.placed(func(rows []placedJSON) string {
		if why := bornNamed.none(rows); why != "" {
			return why
		}
		if got := born.kinds(rows); got["tcp TIME_WAIT"] != len(got) { // the test keeps this namespace
			return fmt.Sprint(got)
		}
		return complaints(ours, other, byName)(rows)
	})
	watch.interrupt()

	polled := start(t, ns, "netlive", "watch", "-an", "--json", "--netns", "all", "--interval", "300ms", "--source", "procfs")
	polled.awaitErr("polling")
	if f := polled.placed(complaints(ours, other, byName)); f.Source != "procfs" {
		t.Errorf("source %s", f.Source)
	}
	polled.interrupt()
}

// The sockets of one namespace, by its name and by a process in it.
func TestOneNamespace(t *testing.T) {
	kerneltest.RequireRoot(t)
	ns := kerneltest.NetNS(t)
	ours, byName, other := tenantIn(t, ns), named(t, ns, "one"), tenantIn(t, kerneltest.NetNS(t))
	for _, c := range []struct {
		*place
		word string
	}{{byName, byName.name}, {other, strconv.Itoa(other.tenant.Process.Pid)}, {ours, strconv.Itoa(ours.tenant.Process.Pid)}} {
		if why := c.only(oneShot(t, ns, "--netns", c.word)); why != "" && c.place != byName {
			t.Errorf("once: %s", why)
		}
		watch := start(t, ns, "netlive", "watch", "-an", "--json", "--netns", c.word, "--interval", "300ms")
		watch.placed(c.only)
		watch.interrupt()
	}
	// Without --netns ours is shown, and not named.
	rows := oneShot(t, ns)
	for _, s := range rows {
		if s.NetNSName != nil {
			t.Errorf("named without being asked: %+v", s)
		}
	}
	if got := ours.kinds(oneShot(t, ns, "--netns", "all")); len(got) != len(rows) {
		t.Errorf("%d rows, want %v", len(rows), got)
	}
}

// host is the namespace of PID 1.
func TestHostNamespace(t *testing.T) {
	kerneltest.RequireRoot(t)
	ns := kerneltest.NetNS(t)
	ours := tenantIn(t, ns)
	// Not everywhere may PID 1 be looked at; the kernel's threads are in the same namespace.
	path := "/proc/1/ns/net"
	if _, err := os.Stat(path); errors.Is(err, os.ErrPermission) {
		path = "/proc/2/ns/net"
	}
	there, err := net.Listen("unix", filepath.Join(t.TempDir(), "here"))
	if err != nil {
		t.Fatal(err)
	}
	defer there.Close()
	inode := inodeAt(t, path)
	found := false
	for _, s := range oneShot(t, ns, "--netns", "host") {
		if s.NetNS != inode || s.NetNSName == nil || *s.NetNSName != "host" || s.NetNS == ours.inode {
			t.Fatalf("want %d alone: %+v", inode, s)
		}
		found = found || s.Path == there.Addr().String()
	}
	if here := inodeAt(t, "/proc/self/ns/net"); found != (here == inode) {
		t.Errorf("our socket is seen: %v; we are in %d, the host is %d", found, here, inode)
	}
}

// trace tells of each namespace by its number and name.
func TestTraceNamespaces(t *testing.T) {
	kerneltest.RequireRoot(t)
	ns := kerneltest.NetNS(t)
	trace := start(t, ns, "netlive", "trace", "--json", "--event", "state", "--netns", "all")
	trace.awaitBegin()
	ours, other, byName := tenantIn(t, ns), tenantIn(t, kerneltest.NetNS(t)), named(t, ns, "trace")
	waiting := map[uint32]*place{ours.inode: ours, other.inode: other, byName.inode: byName}
	for len(waiting) > 0 {
		line, err := trace.out.ReadBytes('\n')
		if err != nil {
			t.Fatalf("%v; waiting for %v", err, waiting)
		}
		var e struct {
			eventJSON
			NetNSName *string `json:"netns_name"`
		}
		if err := json.Unmarshal(line, &e); err != nil {
			t.Fatal(err)
		}
		p := waiting[e.NetNS]
		if e.Event != "state" || p == nil {
			continue
		}
		if e.Time.Before(p.made) && len(e.Owners) == 1 && e.Owners[0].PID != p.tenant.Process.Pid {
			continue // of one that had the number before
		}
		if len(e.Owners) != 1 || e.Owners[0].PID != p.tenant.Process.Pid {
			t.Errorf("not of %s's tenant: %s", p.name, line)
		}
		// The name is looked for once a second at most: what happens as a namespace is born may have none yet. In ours trace itself is first.
		if e.NetNSName != nil && *e.NetNSName != p.name && (p != ours || *e.NetNSName != fmt.Sprintf("netlive/%d", trace.Process.Pid)) {
			t.Errorf("%s is called %q", p.name, *e.NetNSName)
		}
		if e.NewState == "TIME_WAIT" || e.Minisocket != "" {
			delete(waiting, e.NetNS)
		}
	}
	// Names are those of processes, mostly, and are found while something happens: in the end each has its own.
	unnamed := map[uint32]*place{other.inode: other, byName.inode: byName}
	for deadline := time.Now().Add(limit / 12); len(unnamed) > 0; {
		for _, p := range unnamed {
			runIn(t, ns, "nsenter", fmt.Sprintf("--net=/proc/%d/ns/net", p.tenant.Process.Pid), "bash", "-c", "(exec 3<>/dev/tcp/127.0.0.1/9) 2>/dev/null; true") // nobody listens there
			for {
				line, err := trace.out.ReadBytes('\n')
				if err != nil {
					t.Fatal(err)
				}
				if !bytes.Contains(line, []byte(fmt.Sprintf(`"netns":%d,`, p.inode))) {
					continue
				}
				if bytes.Contains(line, []byte(`"netns_name":"`+p.name+`"`)) {
					delete(unnamed, p.inode)
				}
				break
			}
		}
		if time.Now().After(deadline) {
			t.Fatalf("never named: %v", unnamed)
		}
	}
	trace.interrupt()

	ours.end()
	byName.end()
	one := start(t, ns, "netlive", "trace", "--json", "--event", "state", "--netns", byName.name)
	one.awaitBegin()
	tenantIn(t, ns)
	again := ready(t, start(t, ns, "ip", "netns", "exec", byName.name, "tenant"), byName.name)
	for ended := false; !ended; {
		line, err := one.out.ReadBytes('\n')
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Contains(line, []byte(fmt.Sprintf(`"netns":%d,`, again.inode))) || !bytes.Contains(line, []byte(`"netns_name":"`+byName.name+`"`)) {
			t.Fatalf("want %s alone: %s", byName.name, line)
		}
		ended = bytes.Contains(line, []byte(`"minisocket":`))
	}
	one.interrupt()
}

// What cannot be had is said, and how it was asked for.
func TestNamespaceErrors(t *testing.T) {
	kerneltest.RequireRoot(t)
	ns := kerneltest.NetNS(t)
	for _, c := range []struct {
		line, text string
		code       int
	}{
		{"-an --netns nosuch", `no network namespace "nosuch"`, exitFailure},
		{"-rn --netns nosuch", `no network namespace "nosuch"`, exitFailure},
		{"watch --netns nosuch", `no network namespace "nosuch"`, exitFailure},
		{"watch -r --netns nosuch", `no network namespace "nosuch"`, exitFailure},
		{"trace --netns nosuch", `no network namespace "nosuch"`, exitFailure},
		{"-an --netns 2147483647", "find 2147483647", exitFailure},
		{"-an --netns ../netns/x", "no network namespace", exitFailure},
		{"-i --netns all", "--netns all: it is for sockets", exitUsage},
		{"-rn --netns all", "--netns all: it is for sockets", exitUsage},
		{"-s --netns all", "--netns all: it is for sockets", exitUsage},
		{"-g --netns all", "--netns all: it is for sockets", exitUsage},
		{"watch -i --netns all", "--netns all: it is for sockets", exitUsage},
		{"watch -r --netns all", "--netns all: it is for sockets", exitUsage},
		{"-an --ring 4K", "--ring", exitUsage},
		{"watch --ring 5000", "power of two", exitUsage},
		{"watch --ring 2K", "power of two", exitUsage},
		{"trace --ring much", "not a size", exitUsage},
	} {
		p := start(t, ns, "netlive", strings.Fields(c.line)...)
		code, out, errs := p.wait()
		if code != c.code || !bytes.Contains(errs, []byte(c.text)) || len(out) > 0 {
			t.Errorf("%s: exit code %d, stdout %q, stderr %q; want %d, %q", c.line, code, out, errs, c.code, c.text)
		}
	}
}

// The tables that are not of sockets are netstat's, run there.
func TestTablesOfANamespace(t *testing.T) {
	kerneltest.RequireRoot(t)
	ns := kerneltest.NetNS(t)
	there := named(t, ns, "tables")
	for _, line := range []string{
		"link add d0 type veth peer name d1", "link set d0 up", "link set d1 up", "addr add 192.0.2.1/24 dev d0", "addr add 2001:db8::1/64 dev d0 nodad",
		"route add 198.51.100.0/24 via 192.0.2.7 metric 3", "route add 2001:db8:1::/48 via 2001:db8::7",
	} {
		runIn(t, ns, "ip", append([]string{"-n", there.name}, strings.Fields(line)...)...)
	}
	pid := strconv.Itoa(there.tenant.Process.Pid)
	netstat := func(options []string) []byte {
		return runIn(t, ns, "ip", append([]string{"netns", "exec", there.name, "netstat"}, options...)...)
	}
	for _, options := range [][]string{{"-rn"}, {"-rn", "-6"}, {"-rnee"}, {"-i"}, {"-ie"}, {"-gn"}, {"-s"}} {
		for _, word := range []string{there.name, pid} {
			// The links' own packets (router solicitations) are counted: the table is held against one that
			// was the same before and after.
			const attempts = 20
			for attempt := 1; ; attempt++ {
				want := netstat(options)
				got := runIn(t, ns, "netlive", append(options, "--netns", word)...)
				if bytes.Equal(got, want) {
					break
				}
				if bytes.Equal(netstat(options), want) {
					t.Errorf("%v --netns %s:\n%s\nnetstat there:\n%s", options, word, got, want)
					break
				}
				if attempt == attempts {
					t.Fatalf("%v: netstat's table there was never the same twice", options)
				}
			}
		}
		if got := runIn(t, ns, "netlive", options...); bytes.Equal(got, netstat(options)) {
			t.Errorf("%v: ours is the same", options)
		}
	}
	if out := runIn(t, ns, "netlive", "watch", "-rn", "--json", "--count", "1", "--netns", there.name); !bytes.Contains(out, []byte("198.51.100.0")) {
		t.Errorf("watch -r: %s", out)
	}
	if out := runIn(t, ns, "netlive", "watch", "-i", "--json", "--count", "1", "--netns", pid); !bytes.Contains(out, []byte(`"d0"`)) {
		t.Errorf("watch -i: %s", out)
	}
}

// A socket has the cgroup that it was made in, and keeps it when its process moves and the cgroup is removed.
func TestUnit(t *testing.T) {
	kerneltest.RequireRoot(t)
	root := cgroupMount(t)
	dir, err := os.MkdirTemp(root, "netlive-test-*.service")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.Remove(dir) })
	unit := filepath.Base(dir)
	ns := kerneltest.NetNS(t)
	p := ready(t, start(t, ns, "bash", "-c", `echo $$ >"$1/cgroup.procs" && exec tenant`, "bash", dir), "")
	complain := func(rows []placedJSON) string {
		seen := 0
		for _, s := range rows {
			switch {
			case s.Proto == "raw" || s.Proto == "udplite": // /proc does not say
			case len(s.Owners) == 0 || s.Owners[0].PID != p.tenant.Process.Pid || s.State == "TIME_WAIT":
			case s.Cgroup == nil || *s.Cgroup != "/"+unit || s.Unit == nil || *s.Unit != unit:
				return fmt.Sprintf("want %s: %+v", unit, s)
			default:
				seen++
			}
		}
		if seen < 4 {
			return fmt.Sprintf("%d sockets", seen)
		}
		return ""
	}
	if why := complain(oneShot(t, ns, "--unit")); why != "" {
		t.Errorf("once: %s", why)
	}
	watch := start(t, ns, "netlive", "watch", "-an", "--json", "--unit", "--interval", "300ms")
	watch.placed(complain)

	// It moves to the root, and nothing is in the cgroup any more.
	if err := os.WriteFile(filepath.Join(root, "cgroup.procs"), []byte(strconv.Itoa(p.tenant.Process.Pid)), 0); err != nil {
		t.Fatal(err)
	}
	// What is accepted belongs where its listener was made.
	trace := start(t, ns, "netlive", "trace", "--json", "--event", "state", "--unit")
	trace.awaitBegin()
	runIn(t, ns, "bash", "-c", fmt.Sprintf("exec 3<>/dev/tcp/127.0.0.1/%d", tenantTCP))
	for accepted := false; !accepted; {
		line, err := trace.out.ReadString('\n')
		if err != nil {
			t.Fatal(err)
		}
		if accepted = strings.Contains(line, `"new_state":"SYN_RECV"`); accepted && !strings.Contains(line, `"cgroup":"/`+unit+`","unit":"`+unit+`"`) {
			t.Errorf("trace: want %s: %s", unit, line)
		}
	}
	trace.interrupt()
	if err := os.Remove(dir); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		watch.placed(complain)
	}
	watch.interrupt()
}

func cgroupMount(t *testing.T) string {
	t.Helper()
	dir, _, err := cgroup.Mount()
	if err != nil || dir == "" {
		t.Fatalf("cgroup v2 is not mounted: %v", err)
	}
	return dir
}
