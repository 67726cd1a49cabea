// SPDX-License-Identifier: GPL-2.0-or-later

package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/netip"
	"os"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"netlive/internal/kerneltest"
)

// crowd makes connections that are closed in good order, so that each is in TIME_WAIT for a minute.
type crowd struct {
	Connections int
	Ports       []int // the listeners', in turn: each has the ephemeral ports of its own
}

// mainCrowd makes the crowd that its argument describes as JSON, says "ready", and goes on living until its stdin ends.
func mainCrowd() {
	var c crowd
	err := json.Unmarshal([]byte(os.Args[1]), &c)
	if err == nil {
		err = c.run()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func (c crowd) run() error {
	for name, value := range map[string]string{"tcp_max_tw_buckets": "1000000", "ip_local_port_range": "10000 65000", "tcp_tw_reuse": "0"} {
		if err := os.WriteFile("/proc/sys/net/ipv4/"+name, []byte(value), 0); err != nil {
			return err
		}
	}
	var listeners []int
	for _, port := range c.Ports {
		l, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
		if err != nil {
			return err
		}
		if err := unix.Bind(l, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}, Port: port}); err != nil {
			return err
		}
		if err := unix.Listen(l, 8); err != nil {
			return err
		}
		listeners = append(listeners, l)
	}
	for i := range c.Connections {
		l := listeners[i%len(listeners)]
		client, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
		if err != nil {
			return err
		}
		if err := unix.Connect(client, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}, Port: c.Ports[i%len(c.Ports)]}); err != nil {
			return fmt.Errorf("connect: %w", err)
		}
		server, _, err := unix.Accept4(l, unix.SOCK_CLOEXEC)
		if err != nil {
			return err
		}
		if err := unix.Close(client); err != nil { // the first to close is the one that waits
			return err
		}
		if err := unix.Close(server); err != nil {
			return err
		}
	}
	fmt.Println("ready")
	_, err := io.Copy(io.Discard, os.Stdin)
	return err
}

// crowdLooks is how often a crowd is compared with ss.
const crowdLooks = 3

// TIME_WAIT is told by no event of its own, and its end by none at all: watch has each, from the first second on, with the process that
// it was of.
func TestTimeWaitCrowd(t *testing.T) {
	kerneltest.RequireRoot(t)
	ns := kerneltest.NetNS(t)
	frames, process := startCrowd(t, ns, "1s")
	for i := range crowdLooks {
		n := frames.crowdAgrees(ns, process.Process.Pid)
		// ss has as many. Under load one connection in a great many ends otherwise: the kernel had no memory for its minisocket, or reset it.
		if t.Logf("%d: %d in TIME_WAIT", i, n); n < crowdSize-crowdSize/1000 || n > crowdSize {
			t.Errorf("%d: %d in TIME_WAIT, want %d", i, n, crowdSize)
		}
	}
	frames.interrupt()
}

const crowdSize = 20_000

// startCrowd starts watch and then a crowd in ns.
func startCrowd(t *testing.T, ns *kerneltest.NS, interval string) (frames *fresh, process *process) {
	t.Helper()
	// Room for all the events there are: with the race detector a frame takes its time, and who is lost then has no owner.
	watch := start(t, ns, "netlive", "watch", "-tan", "--json", "--interval", interval, "--ring", "64M")
	frames = readFresh(watch)
	frames.next()
	text, err := json.Marshal(crowd{Connections: crowdSize, Ports: []int{9001, 9002, 9003, 9004}})
	if err != nil {
		t.Fatal(err)
	}
	process = start(t, ns, "crowd", string(text))
	if line, err := process.out.ReadString('\n'); err != nil || line != "ready\n" {
		_, _, errs := process.wait()
		t.Fatalf("a crowd says %q, %v\n%s", line, err, errs)
	}
	return frames, process
}

// waiting are the sockets in TIME_WAIT.
func (states stateOf) waiting() stateOf {
	w := stateOf{}
	for e, state := range states {
		if state == "TIME_WAIT" {
			w[e] = state
		}
	}
	return w
}

// fresh reads frames as they come, so that watch never waits for its reader: it could not read its events then. Those that nobody
// asks for are dropped.
type fresh struct {
	t     *testing.T
	watch *process
	lines chan []byte
}

func readFresh(watch *process) *fresh {
	f := &fresh{t: watch.t, watch: watch, lines: make(chan []byte)}
	go f.read()
	return f
}

func (f *fresh) read() {
	defer close(f.lines)
	for {
		line, err := f.watch.out.ReadBytes('\n')
		if err != nil {
			return
		}
		select {
		case f.lines <- line:
		default:
		}
	}
}

// next is the first frame that is drawn from now on.
func (f *fresh) next() (frame placedFrame) {
	f.t.Helper()
	for after := time.Now(); ; {
		select {
		case line, ok := <-f.lines:
			if !ok {
				_, _, errs := f.watch.wait()
				f.t.Fatalf("watch has ended\n%s", errs)
			}
			frame = placedFrame{}
			if err := json.Unmarshal(line, &frame); err != nil {
				f.t.Fatal(err)
			}
			if frame.Time.After(after) {
				return frame
			}
		case <-time.After(limit):
			f.t.Fatal("no frame comes")
		}
	}
}

// interrupt ends watch, once what it has to say has been read.
func (f *fresh) interrupt() {
	f.t.Helper()
	if err := f.watch.Process.Signal(unix.SIGINT); err != nil {
		f.t.Fatal(err)
	}
	for range f.lines {
	}
	if code, _, errs := f.watch.wait(); code != exitInterrupted || len(errs) > 0 {
		f.t.Errorf("after SIGINT: exit code %d, stderr %q", code, errs)
	}
}

// crowdAgrees holds a frame that is drawn from now on against ss before and after it, and returns how many are in TIME_WAIT.
func (f *fresh) crowdAgrees(ns *kerneltest.NS, pid int) int {
	f.t.Helper()
	before := ss(f.t, ns).waiting()
	// What ended between the last walk and that look is in the first frame after it, and may not be in the second.
	f.next()
	frame := f.next()
	after := ss(f.t, ns).waiting()
	ours, nobodys, others := stateOf{}, 0, 0
	for _, s := range frame.Sockets {
		if s.State != "TIME_WAIT" {
			continue
		}
		ours[ends{netip.AddrPortFrom(s.LocalAddr, s.LocalPort), netip.AddrPortFrom(s.RemoteAddr, s.RemotePort)}] = s.State
		switch {
		case len(s.Owners) == 0:
			nobodys++
		case s.Owners[0].PID != pid:
			others++
		}
	}
	ours.check(f.t, before, after, "ss")
	if frame.Lost > 0 {
		f.t.Errorf("%d events lost", frame.Lost)
	}
	if nobodys+others > 0 {
		f.t.Errorf("%d have no process, %d another than %d", nobodys, others, pid)
	}
	return len(ours)
}
