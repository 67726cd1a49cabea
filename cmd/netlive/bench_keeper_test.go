// SPDX-License-Identifier: GPL-2.0-or-later

//go:build bench

package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"

	"netlive/internal/kerneltest"
)

const (
	keeperName = "keeper"
	// keeperRoom is how many sockets a process holds, where it may have so many descriptors.
	keeperRoom = 18_000
	// keeperSpare is how many descriptors a process needs for itself.
	keeperSpare = 100
)

// TestMain knows the roles that all builds of the test binary have; this one is the bench's alone.
func init() {
	if filepath.Base(os.Args[0]) != keeperName {
		return
	}
	var k keeper
	err := json.Unmarshal([]byte(os.Args[1]), &k)
	if err == nil {
		err = k.run()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

// keeper holds a part of a crowd.
type keeper struct {
	Kind    string // tcp, udp or unix
	Sockets int
	Number  byte // tells keepers apart: each has addresses of its own, so that there are ports enough
}

// run makes the sockets, says "ready", and holds them until stdin ends.
func (k keeper) run() error {
	kind, ok := map[string]func() error{"tcp": k.tcp, "udp": k.udp, "unix": k.unix}[k.Kind]
	if !ok {
		return fmt.Errorf("hold %q: no such kind", k.Kind)
	}
	if err := kind(); err != nil {
		return fmt.Errorf("hold %d %s sockets: %w", k.Sockets, k.Kind, err)
	}
	fmt.Println("ready")
	_, err := io.Copy(io.Discard, os.Stdin)
	return err
}

// tcp makes connections with both of their ends. They end by reset, which leaves no TIME_WAIT behind.
func (k keeper) tcp() error {
	server := unix.SockaddrInet4{Addr: [4]byte{127, 1, k.Number, 1}, Port: 8000}
	l, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	if err := unix.Bind(l, &server); err != nil {
		return fmt.Errorf("bind: %w", err)
	}
	if err := unix.Listen(l, 8); err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	for range k.Sockets / 2 {
		client, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
		if err != nil {
			return err
		}
		if err := unix.SetsockoptInt(client, unix.IPPROTO_IP, unix.IP_BIND_ADDRESS_NO_PORT, 1); err != nil {
			return fmt.Errorf("IP_BIND_ADDRESS_NO_PORT: %w", err)
		}
		if err := unix.Bind(client, &unix.SockaddrInet4{Addr: [4]byte{127, 2, k.Number, 1}}); err != nil {
			return fmt.Errorf("bind: %w", err)
		}
		if err := unix.Connect(client, &server); err != nil {
			return fmt.Errorf("connect: %w", err)
		}
		accepted, _, err := unix.Accept4(l, unix.SOCK_CLOEXEC)
		if err != nil {
			return fmt.Errorf("accept: %w", err)
		}
		for _, fd := range []int{client, accepted} {
			if err := unix.SetsockoptLinger(fd, unix.SOL_SOCKET, unix.SO_LINGER, &unix.Linger{Onoff: 1}); err != nil {
				return fmt.Errorf("SO_LINGER: %w", err)
			}
		}
	}
	return nil
}

func (k keeper) udp() error {
	for i := range k.Sockets {
		fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
		if err != nil {
			return err
		}
		if err := unix.Bind(fd, &unix.SockaddrInet4{Addr: [4]byte{127, 1, k.Number, 1}, Port: 2000 + i}); err != nil {
			return fmt.Errorf("bind: %w", err)
		}
	}
	return nil
}

func (k keeper) unix() error {
	for range k.Sockets / 2 {
		if _, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0); err != nil {
			return err
		}
	}
	return nil
}

// crowd has n sockets in ns until leave is called.
func (b *bench) crowd(t *testing.T, ns *kerneltest.NS, kind string, n int) (leave func()) {
	t.Helper()
	var room unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &room); err != nil {
		t.Fatal(err)
	}
	most := min(keeperRoom, int(min(room.Max, 1<<20))-keeperSpare) &^ 1
	var keepers []*process
	for left := n; left > 0; left -= most {
		if len(keepers) == 255 {
			t.Fatalf("%d sockets are too many for processes of %d", n, most)
		}
		text, err := json.Marshal(keeper{Kind: kind, Sockets: min(left, most), Number: byte(len(keepers))})
		if err != nil {
			t.Fatal(err)
		}
		keepers = append(keepers, start(t, ns, b.keeper, string(text)))
	}
	for _, p := range keepers {
		if line, err := p.out.ReadString('\n'); err != nil || line != "ready\n" {
			_, _, errs := p.wait()
			t.Fatalf("a keeper says %q, %v\n%s", line, err, errs)
		}
		p.hung.Stop() // it is to stay for as long as it takes
	}
	return func() {
		for _, p := range keepers {
			_ = p.stdin.Close()
		}
		for _, p := range keepers {
			if code, _, errs := p.wait(); code != 0 {
				t.Errorf("a keeper: exit code %d\n%s", code, errs)
			}
		}
	}
}
