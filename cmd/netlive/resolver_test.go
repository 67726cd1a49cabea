// SPDX-License-Identifier: GPL-2.0-or-later

package main

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"netlive/internal/kerneltest"
)

// Hosts are looked up as netstat looks them up: with a resolver that answers the names are the same, none is asked for that
// netstat does not ask for, and none more often. With one that is dead the table comes, with numbers, for no more questions.
func TestNamesOfHosts(t *testing.T) {
	kerneltest.RequireRoot(t)
	t.Parallel()
	const hosts = 4
	ns := kerneltest.NetNS(t)
	for i := range hosts {
		ip(t, ns, fmt.Sprintf("addr add 10.0.0.%d/32 dev lo\n", i+1))
	}
	server := &resolver{asked: map[string]int{}}
	ns.Do(func() {
		conn, err := net.ListenPacket("udp4", "127.0.0.1:53")
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = conn.Close() })
		go server.serve(conn)
		l, err := net.Listen("tcp4", "0.0.0.0:8080")
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = l.Close() })
		for i := range hosts {
			d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(10, 0, 0, byte(i+1))}}
			c, err := d.Dial("tcp4", fmt.Sprintf("10.0.0.%d:8080", (i+1)%hosts+1))
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = c.Close() })
		}
	})
	etc := tree(t, filepath.Join("testdata", "conformance", "etc.txtar"))
	if err := os.WriteFile(filepath.Join(etc, "resolv.conf"), []byte("nameserver 127.0.0.1\noptions timeout:1 attempts:1\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	s := newStage(t, "resolver", findPrograms(t), ns, [2]string{"/etc", etc})
	line := parseLine("-taW --numeric-ports")
	for _, answers := range []bool{true, false} {
		run := func(program string) (outcome, map[string]int) {
			server.begin(answers)
			begin := time.Now()
			o := s.run(program, line)
			asked := server.begin(false)
			t.Logf("answers %t: %s asked for %d names, in %v", answers, program, len(asked), time.Since(begin))
			return o, asked
		}
		want, wanted := run(s.netstat)
		got, asked := run(s.netlive)
		if got != want {
			t.Errorf("answers %t:\n%s", answers, got.against(want))
		}
		if name := "host1.example.net:"; strings.Contains(got.out, name) != answers {
			t.Errorf("answers %t, %s in\n%s", answers, name, got.out)
		}
		if len(wanted) != hosts {
			t.Errorf("answers %t: netstat asked for %v", answers, wanted)
		}
		for name, n := range asked {
			if n > wanted[name] {
				t.Errorf("answers %t: netlive asked for %s %d times, netstat %d times", answers, name, n, wanted[name])
			}
		}
	}
}

// resolver is a name server that counts what it is asked.
type resolver struct {
	mu      sync.Mutex
	answers bool
	asked   map[string]int
}

// begin says whether it answers from now on and returns what it was asked before.
func (r *resolver) begin(answers bool) map[string]int {
	r.mu.Lock()
	defer r.mu.Unlock()
	asked := r.asked
	r.asked, r.answers = map[string]int{}, answers
	return asked
}

func (r *resolver) serve(conn net.PacketConn) {
	buf := make([]byte, 512)
	for {
		n, from, err := conn.ReadFrom(buf)
		if err != nil {
			return // the test is over
		}
		if answer := r.answer(buf[:n]); answer != nil {
			_, _ = conn.WriteTo(answer, from)
		}
	}
}

// answer is what a query of RFC 1035 is answered with, nil for nothing. 1.0.0.10.in-addr.arpa is host1.example.net.
func (r *resolver) answer(query []byte) []byte {
	const header, typeAndClass = 12, 4
	labels, _, _ := bytes.Cut(query[header:], []byte{0})
	name := ""
	for rest := labels; len(rest) > 0; {
		n := int(rest[0])
		name += string(rest[1:n+1]) + "."
		rest = rest[n+1:]
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.asked[name]++
	if !r.answers {
		return nil
	}
	answer := append([]byte(nil), query[:header+len(labels)+1+typeAndClass]...)
	binary.BigEndian.PutUint16(answer[2:], 0x8180) // a response, recursion desired and available
	binary.BigEndian.PutUint16(answer[6:], 1)      // one answer
	binary.BigEndian.PutUint16(answer[10:], 0)     // nothing additional
	host := "\x05host" + name[:1] + "\x07example\x03net\x00"
	answer = append(answer, 0xc0, header, 0, 12, 0, 1, 0, 0, 0, 60, 0, byte(len(host))) // PTR, IN, a minute
	return append(answer, host...)
}
