// SPDX-License-Identifier: GPL-2.0-or-later

package rtnl

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"netlive/internal/kerneltest"
)

// subscribe joins groups in ns.
func subscribe(t *testing.T, ns *kerneltest.NS, groups Groups, buffer int) *Socket {
	t.Helper()
	var s *Socket
	ns.Do(func() {
		var err error
		if s, err = Subscribe(groups, buffer); err != nil {
			t.Fatal(err)
		}
	})
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// ip runs ip(8)'s commands, a line each, in ns.
func ip(t *testing.T, ns *kerneltest.NS, commands string) {
	t.Helper()
	cmd := exec.Command("ip", "-batch", "-")
	cmd.Stdin = strings.NewReader(commands + "\n")
	var said strings.Builder
	cmd.Stdout, cmd.Stderr = &said, &said
	err := ns.Start(cmd)
	if err == nil {
		err = cmd.Wait()
	}
	if err != nil {
		t.Fatalf("ip: %v\n%s", err, &said)
	}
}

// Each kind of change is announced to its group. One that hears nothing would wait for ever.
func TestGroups(t *testing.T) {
	kerneltest.NoLeaks(t)
	ns := kerneltest.NetNS(t)
	for _, c := range []struct {
		name           string
		groups         Groups
		begin, changes string
	}{
		{"link", Links, "", "link add d0 type veth peer name p0\nlink set d0 up\nlink set d0 mtu 1400\nlink set d0 down\nlink set d0 name d1\nlink del d1"},
		{"addr4", Addrs4, "link add d0 type veth peer name p0", "addr add 192.0.2.1/24 dev d0\naddr del 192.0.2.1/24 dev d0"},
		{"addr6", Addrs6, "link set d0 up", "addr add 2001:db8::1/64 dev d0 nodad\naddr del 2001:db8::1/64 dev d0"},
		{"route4", Routes4, "addr add 192.0.2.1/24 dev d0", "route add 198.51.100.0/24 via 192.0.2.2\nroute del 198.51.100.0/24"},
		{"route6", Routes6, "", "route add 2001:db8:1::/48 dev d0\nroute del 2001:db8:1::/48"},
		{"nexthop", Routes4, "nexthop add id 7 dev lo\nroute add 198.51.100.0/24 nhid 7", "nexthop del id 7"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.begin != "" {
				ip(t, ns, c.begin)
			}
			for change := range strings.SplitSeq(c.changes, "\n") {
				s := subscribe(t, ns, c.groups, 0)
				ip(t, ns, change)
				if err := s.Next(); err != nil {
					t.Errorf("%s: %v", change, err)
				}
				if n := s.Lost(); n != 0 {
					t.Errorf("%s: %d lost", change, n)
				}
				if err := s.Close(); err != nil {
					t.Error(err)
				}
			}
		})
	}
}

// What finds no room is counted to the last one, and the loss is announced.
func TestOverrun(t *testing.T) {
	ns := kerneltest.NetNS(t)
	const routes = 5000
	var add strings.Builder
	for i := range routes {
		fmt.Fprintf(&add, "route add 10.%d.%d.0/24 dev lo\n", i/256, i%256)
	}
	small, large := subscribe(t, ns, Routes4, 1), subscribe(t, ns, Routes4, 0)
	ip(t, ns, add.String())
	if err := small.Next(); err != nil {
		t.Fatalf("the loss itself: %v", err)
	}
	if n := small.overruns.Load(); n != 1 {
		t.Errorf("%d overruns, want 1", n)
	}
	lost := small.Lost()
	if lost == 0 || lost >= routes {
		t.Fatalf("%d lost of %d", lost, routes)
	}
	// The rest is there.
	for range routes - lost {
		if err := small.Next(); err != nil {
			t.Fatal(err)
		}
	}
	if n := small.Lost(); n != lost {
		t.Errorf("%d lost, then %d", lost, n)
	}
	if n := large.Lost(); n != 0 {
		t.Errorf("%d lost of %d in %d bytes", n, routes, DefaultBuffer)
	}
	for range routes {
		if err := large.Next(); err != nil {
			t.Fatal(err)
		}
	}
}

// DefaultBuffer holds what its comment says.
func TestDefaultBuffer(t *testing.T) {
	ns := kerneltest.NetNS(t)
	s := subscribe(t, ns, Routes4, 0)
	const routes = 16_000
	var add strings.Builder
	for i := range routes {
		fmt.Fprintf(&add, "route add 10.%d.%d.%d/32 dev lo\n", i>>16, i>>8&255, i&255)
	}
	ip(t, ns, add.String())
	if n := s.Lost(); n != 0 {
		t.Errorf("%d lost of %d", n, routes)
	}
}

// A kernel that does not tell what it dropped leaves the number of overruns.
func TestLostWithoutCount(t *testing.T) {
	ns := kerneltest.NetNS(t)
	s := subscribe(t, ns, Links, 0)
	s.overruns.Store(3)
	if n := s.Lost(); n != 0 {
		t.Errorf("%d lost where nothing was", n)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if n := s.Lost(); n != 3 {
		t.Errorf("%d lost, want 3", n)
	}
}

// Close ends a Next that waits, and every later one.
func TestClose(t *testing.T) {
	ns := kerneltest.NetNS(t)
	s := subscribe(t, ns, Links, 0)
	ended := make(chan error)
	go func() {
		ended <- s.Next()
	}()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := <-ended; !errors.Is(err, os.ErrClosed) {
			t.Errorf("Next after Close: %v", err)
		}
		go func() { ended <- s.Next() }()
	}
	<-ended
}

// The reason for having no news says what was tried, and is an error that callers can ask.
func TestRefused(t *testing.T) {
	var before unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &before); err != nil {
		t.Fatal(err)
	}
	none := unix.Rlimit{Cur: 0, Max: before.Max}
	if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &none); err != nil {
		t.Fatal(err)
	}
	_, err := Subscribe(Links, 0)
	if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &before); err != nil {
		t.Fatal(err)
	}
	if !errors.Is(err, unix.EMFILE) || !strings.HasPrefix(err.Error(), "rtnl: subscribe: ") {
		t.Errorf("%v", err)
	}
}
