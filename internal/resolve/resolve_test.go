// SPDX-License-Identifier: GPL-2.0-or-later

package resolve

import (
	"context"
	"errors"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"testing/synctest"
	"time"

	"netlive/internal/sock"
)

var root = fstest.MapFS{
	"etc/services": {Data: []byte(`
# comment
ssh		22/tcp				# SSH
http		80/tcp		www
domain		53/tcp
domain		53/udp
first 1000/tcp
second 1000/tcp
ntp 123/UDP
sctponly 9/sctp
bad
bad 1000000/tcp
bad x/tcp
bad 7
indented 	2000/udp
` + strings.Repeat("n", 70) + ` 3000/tcp
icmpsvc 1/raw
rawonly 300/raw
last 65535/tcp`)},
	"etc/protocols": {Data: []byte("ip 0 IP\nicmp 1 ICMP # x\nospf 89 OSPFIGP\nodd 89\nbad\nipv6-icmp\t58\tIPv6-ICMP\n")},
	"etc/networks":  {Data: []byte("default 0.0.0.0\nloopback 127.0.0.0\nzero 0.1.2.3\nagain 0.1.2.3\nshort 0.7\nbad 0.x\nbad 1.2.3.4.5\n")},
	"etc/passwd":    {Data: []byte("root:x:0:0:root:/root:/bin/sh\ntoor:x:0:0::/:\nwww-data:x:33:33:w:/:/bin/false\n+:::::\n#c:x:5:5::\nbad:x:y:1::\nshort:x\n")},
}

// lookups is a resolver with a few names that counts what it is asked.
type lookups struct {
	mu    sync.Mutex
	asked map[string]int
	names map[string][]string
}

func (l *lookups) addr(_ context.Context, addr string) ([]string, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.asked == nil {
		l.asked = map[string]int{}
	}
	l.asked[addr]++
	names, ok := l.names[addr]
	if !ok {
		return nil, errors.New("no such host")
	}
	return names, nil
}

func names() *lookups {
	return &lookups{names: map[string][]string{
		"127.0.0.1":      {"localhost", "other"},
		"192.0.2.1":      {"www.example.com."},
		"2001:db8::1":    {"six.example.com."},
		"::ffff:1.2.3.4": {"mapped.example.com."},
		"198.51.100.1":   {},
	}}
}

func TestAppendHost(t *testing.T) {
	for _, c := range []struct{ addr, numeric, resolved string }{
		{"0.0.0.0", "0.0.0.0", "0.0.0.0"},
		{"::", "::", "[::]"},
		{"::ffff:0.0.0.0", "0.0.0.0", "0.0.0.0"},
		{"127.0.0.1", "127.0.0.1", "localhost"},
		{"192.0.2.1", "192.0.2.1", "www.example.com"},
		{"192.0.2.2", "192.0.2.2", "192.0.2.2"},
		{"198.51.100.1", "198.51.100.1", "198.51.100.1"},
		{"0.1.2.3", "0.1.2.3", "zero"},
		{"0.7.0.0", "0.7.0.0", "short"},
		{"0.9.9.9", "0.9.9.9", "0.9.9.9"},
		{"2001:db8::1", "2001:db8::1", "six.example.com"},
		{"2001:db8::2", "2001:db8::2", "2001:db8::2"},
		{"::1", "::1", "::1"},
		{"::ffff:1.2.3.4", "1.2.3.4", "mapped.example.com"},
		{"::ffff:127.0.0.1", "127.0.0.1", "127.0.0.1"},
		{"::1.2.3.4", "::1.2.3.4", "::1.2.3.4"},
		{"::1.0.0.0", "::1.0.0.0", "::1.0.0.0"},
		{"::0.0.1.2", "::102", "::102"},
		{"64:ff9b::1.2.3.4", "64:ff9b::102:304", "64:ff9b::102:304"},
		{"fe80::1%eth0", "fe80::1", "fe80::1"},
	} {
		a := netip.MustParseAddr(c.addr)
		l := names()
		n := New(Config{Root: root, LookupAddr: l.addr})
		if got := string(n.AppendHost([]byte("x"), a)); got != "x"+c.numeric || len(l.asked) != 0 {
			t.Errorf("%v numeric: %q, want %q, asked %v", a, got, c.numeric, l.asked)
		}
		r := New(Config{Hosts: true, Root: root, LookupAddr: l.addr})
		for range 2 {
			if got := string(r.AppendHost([]byte("x"), a)); got != "x"+c.resolved {
				t.Errorf("%v resolved: %q, want %q", a, got, c.resolved)
			}
		}
		for addr, n := range l.asked {
			if n != 1 {
				t.Errorf("%v: %s was asked for %d times", a, addr, n)
			}
		}
	}
	r := New(Config{Hosts: true, Root: root, LookupAddr: names().addr})
	if got := r.AppendHost(nil, netip.Addr{}); len(got) != 0 {
		t.Errorf("no address: %q", got)
	}
}

func TestNamesAreBounded(t *testing.T) {
	r := New(Config{Hosts: true, Root: root, LookupAddr: func(context.Context, string) ([]string, error) { return []string{"x."}, nil }})
	for i := range namesMax + 10 {
		if got := string(r.AppendHost(nil, netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)}))); got != "x" {
			t.Fatalf("%q", got)
		}
	}
	if n := len(r.hosts.names); n > namesMax {
		t.Errorf("%d names", n)
	}
}

func TestLookupIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := New(Config{Hosts: true, Root: root, LookupAddr: func(ctx context.Context, _ string) ([]string, error) {
			<-ctx.Done()
			return nil, ctx.Err()
		}})
		begin := time.Now()
		if got := string(r.AppendHost(nil, netip.MustParseAddr("192.0.2.1"))); got != "192.0.2.1" {
			t.Errorf("%q", got)
		}
		if d := time.Since(begin); d != 24*time.Second {
			t.Errorf("waited %v", d)
		}
	})
}

// What is asked for ahead is looked up at once, and each address one time.
func TestAhead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := names()
		waited := 0
		r := New(Config{
			Hosts: true, Root: root,
			LookupAddr: func(ctx context.Context, addr string) ([]string, error) {
				time.Sleep(time.Second)
				return l.addr(ctx, addr)
			},
			Waiting: func() { waited++ },
		})
		var addrs []netip.Addr
		for i := range 3 * lookupsMax {
			addrs = append(addrs, netip.AddrFrom4([4]byte{10, 0, 0, byte(i)}))
		}
		addrs = append(addrs, netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("0.0.0.0"), netip.MustParseAddr("0.1.2.3"), netip.Addr{})
		begin := time.Now()
		for _, a := range append(addrs, addrs...) {
			r.Ahead(a)
		}
		if d := time.Since(begin); d != 0 {
			t.Errorf("asking ahead took %v", d)
		}
		for range 2 {
			for _, a := range addrs {
				r.AppendHost(nil, a)
			}
		}
		if d := time.Since(begin); d != 4*time.Second {
			t.Errorf("took %v", d)
		}
		if waited != 4 {
			t.Errorf("told %d times that it waits", waited)
		}
		if got := string(r.AppendHost(nil, netip.MustParseAddr("192.0.2.1"))); got != "www.example.com" {
			t.Errorf("%q", got)
		}
		if len(l.asked) != 3*lookupsMax+1 {
			t.Errorf("asked for %d addresses", len(l.asked))
		}
		for addr, n := range l.asked {
			if n != 1 {
				t.Errorf("%s was asked for %d times", addr, n)
			}
		}
	})
}

func TestBackground(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := names()
		arrived := 0
		var mu sync.Mutex
		r := New(Config{
			Hosts: true, Root: root,
			LookupAddr: func(ctx context.Context, addr string) ([]string, error) {
				time.Sleep(time.Second) // of the test's own clock
				return l.addr(ctx, addr)
			},
			Arrived: func() { mu.Lock(); arrived++; mu.Unlock() },
		})
		known, unknown := netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("192.0.2.9")
		begin := time.Now()
		for range 3 {
			if got := string(r.AppendHost(nil, known)) + " " + string(r.AppendHost(nil, unknown)); got != "192.0.2.1 192.0.2.9" {
				t.Errorf("at once: %q", got)
			}
		}
		if time.Since(begin) != 0 {
			t.Error("the view was held up")
		}
		time.Sleep(2 * time.Second)
		synctest.Wait()
		if got := string(r.AppendHost(nil, known)) + " " + string(r.AppendHost(nil, unknown)); got != "www.example.com 192.0.2.9" {
			t.Errorf("later: %q", got)
		}
		if arrived != 1 || l.asked["192.0.2.1"] != 1 || l.asked["192.0.2.9"] != 1 {
			t.Errorf("%d arrived, asked %v", arrived, l.asked)
		}
		// A flood waits its turn, and all of it comes.
		flood := func(do func(a netip.Addr)) {
			for i := range 3 * waitingMax {
				do(netip.AddrFrom4([4]byte{10, 0, byte(i >> 8), byte(i)}))
			}
		}
		for range 4 {
			flood(func(a netip.Addr) { r.AppendHost(nil, a) })
			time.Sleep(waitingMax * time.Second)
			synctest.Wait()
		}
		flood(func(a netip.Addr) {
			if l.asked[a.String()] != 1 {
				t.Fatalf("%v was asked for %d times", a, l.asked[a.String()])
			}
		})
	})
}

func TestAppendPort(t *testing.T) {
	r, n := New(Config{Ports: true, Root: root}), New(Config{Root: root})
	for _, c := range []struct {
		proto sock.Proto
		port  uint16
		want  string
	}{
		{sock.TCP, 0, "*"},
		{sock.TCP, 22, "ssh"},
		{sock.TCP6, 80, "http"},
		{sock.UDP, 80, "80"},
		{sock.UDP6, 53, "domain"},
		{sock.UDPLite, 53, "domain"},
		{sock.UDPLite6, 2000, "indented"},
		{sock.TCP, 1000, "second"},
		{sock.UDP, 123, "123"},
		{sock.TCP, 9, "9"},
		{sock.TCP, 7, "7"},
		{sock.TCP, 3000, strings.Repeat("n", 63)},
		{sock.TCP, 65535, "last"},
		{sock.Raw, 1, "icmp"},
		{sock.Raw6, 58, "ipv6-icmp"},
		{sock.Raw, 89, "odd"},
		{sock.Raw, 300, "rawonly"},
		{sock.Raw, 255, "255"},
		{sock.Raw, 22, "22"},
		{sock.Unix, 22, "22"},
	} {
		if got := string(r.AppendPort([]byte(":"), c.proto, c.port)); got != ":"+c.want {
			t.Errorf("%v %d: %q, want %q", c.proto, c.port, got, c.want)
		}
	}
	if got := string(n.AppendPort(nil, sock.TCP, 22)) + string(n.AppendPort(nil, sock.TCP, 0)); got != "22*" {
		t.Errorf("numeric: %q", got)
	}
}

func TestAppendUser(t *testing.T) {
	r, n := New(Config{Users: true, Root: root}), New(Config{Root: root})
	for uid, want := range map[uint32][2]string{
		0: {"root", "0"}, 33: {"www-data", "33"}, 5: {"5", "5"}, 4294967295: {"-1", "-1"}, 1000: {"1000", "1000"},
	} {
		if got := [2]string{string(r.AppendUser(nil, uid)), string(n.AppendUser(nil, uid))}; got != want {
			t.Errorf("%d: %q, want %q", uid, got, want)
		}
	}
}

func TestNoFiles(t *testing.T) {
	r := New(Config{Hosts: true, Ports: true, Users: true, Root: fstest.MapFS{}, LookupAddr: names().addr})
	b := r.AppendHost(nil, netip.MustParseAddr("0.1.2.3"))
	b = r.AppendPort(append(b, ' '), sock.TCP, 22)
	b = r.AppendUser(append(b, ' '), 0)
	if string(b) != "0.1.2.3 22 0" {
		t.Errorf("%q", b)
	}
}

// What is printed row after row must not cost an allocation each.
func TestAllocations(t *testing.T) {
	r := New(Config{Hosts: true, Ports: true, Users: true, Root: root, LookupAddr: names().addr})
	a, b := netip.MustParseAddr("192.0.2.1"), make([]byte, 0, 256)
	if n := testing.AllocsPerRun(100, func() {
		b = r.AppendHost(b[:0], a)
		b = r.AppendPort(b, sock.TCP, 22)
		b = r.AppendUser(b, 0)
	}); n != 0 {
		t.Errorf("%v allocations a row", n)
	}
}
