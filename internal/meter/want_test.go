// SPDX-License-Identifier: GPL-2.0-or-later

package meter

import (
	"context"
	"errors"
	"net"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"netlive/internal/kerneltest"
	"netlive/internal/sock"
	"netlive/internal/sockdiag"
)

// Only what has something to tell is asked for.
func TestStates(t *testing.T) {
	l := newLab(t)
	p := l.pair("127.0.0.1:0")
	for _, c := range []struct {
		proto sock.Proto
		state sock.State
		asked bool
	}{
		{sock.TCP, sock.Established, true}, {sock.TCP, sock.CloseWait, true}, {sock.TCP6, sock.SynSent, true}, {sock.TCP, sock.Listen, true},
		{sock.TCP, sock.TimeWait, false}, {sock.TCP, sock.SynRecv, false}, {sock.TCP, sock.NewSynRecv, false}, {sock.TCP, sock.Close, false},
		{sock.UDP, sock.Established, false}, {sock.SCTP, sock.Established, false}, {sock.Unix, sock.UnixConnected, false},
	} {
		s := socket(t, p.client)
		s.Proto, s.State = c.proto, c.state
		l.forgetAll()
		l.Want([]sock.Socket{s}, nil)
		if _, fresh := l.wanted(); fresh != c.asked {
			t.Errorf("%v %v: %v", c.proto, c.state, fresh)
		}
	}
}

func (l *lab) forgetAll() {
	l.Want(nil, nil)
	l.forget()
}

// A listener's queue, and that it has no rates.
func TestBacklog(t *testing.T) {
	l := newLab(t)
	p := l.pair("127.0.0.1:0")
	s := socket(t, p.listener)
	l.Want([]sock.Socket{s}, nil)
	l.ns.Do(func() {
		for range 3 {
			c, err := net.Dial("tcp", p.listener.Addr().String())
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { c.Close() })
		}
	})
	await(t, "three wait", func() bool { l.tick(); return l.get(s).RecvQ == 3 })
	l.tick()
	if r := l.get(s); r.TxRate >= 0 || r.Sent >= 0 || r.SendQ <= 0 || r.Tx != nil || r.State != sock.Listen || r.RTT >= 0 {
		t.Errorf("%+v", r)
	}
}

// The very first wish wakes who would sleep until data moves.
func TestFirstWish(t *testing.T) {
	l := newLab(t)
	l.Want([]sock.Socket{socket(t, l.pair("127.0.0.1:0").listener)}, nil)
	if len(l.wake) != 1 {
		t.Error("nobody is woken")
	}
}

// A socket without a cookie is found by its ends, and its reading by the source's ID.
func TestLocalID(t *testing.T) {
	l := newLab(t)
	p := l.pair("127.0.0.1:0")
	s := socket(t, p.client)
	s.ID = sock.LocalID | 77
	l.Want([]sock.Socket{s}, nil)
	l.now()
	p.move(t, 800)
	l.tick()
	if r := l.get(s); r.TxRate != 800 || r.Info.ID != socket(t, p.client).ID {
		t.Errorf("%+v", r)
	}
	other := s
	other.ID, other.Inode = sock.LocalID|78, s.Inode+1
	l.Want([]sock.Socket{other}, nil)
	l.now()
	l.tick()
	if r, ok := l.Get(other.ID); ok {
		t.Errorf("another socket's: %+v", r)
	}
}

// A connection that was closed has no rate any more, and is not asked for again; nor is one that never was.
func TestClosed(t *testing.T) {
	l := newLab(t)
	p := l.pair("127.0.0.1:0")
	client, server := socket(t, p.client), socket(t, p.server)
	none := server
	none.ID += 1000
	wish := []sock.Socket{client, server, none}
	l.Want(wish, nil)
	l.now()
	p.move(t, 1000)
	l.tick()
	// As a source tells it: the server's in its time, the client's not yet.
	if err := p.client.SetLinger(0); err != nil {
		t.Fatal(err)
	}
	p.client.Close()
	if r := l.get(server); r.RxRate != 1000 {
		t.Errorf("before: %+v", r)
	}
	wish[1].State = sock.Close
	l.Want(wish, nil)
	if r := l.get(server); r.RxRate != 0 || r.Info == nil {
		t.Errorf("closed: %+v", r)
	}
	l.tick()
	if r := l.get(client); r.TxRate != 0 || r.Sent != 1000 {
		t.Errorf("gone: %+v", r)
	}
	if _, ok := l.Get(none.ID); ok {
		t.Error("a reading of none")
	}
	l.tick()
	if len(l.asked) != 0 {
		t.Errorf("asked for %d that are gone", len(l.asked))
	}
	wish[0].State = sock.FinWait2
	l.Want(wish, nil)
	l.tick()
	if len(l.asked) != 1 {
		t.Errorf("asked for %d, one has another state", len(l.asked))
	}
}

// A connection that is bound to an interface is found in the round after the one that missed it, and then at once.
func TestBound(t *testing.T) {
	l := newLab(t)
	p := l.pair("127.0.0.1:0")
	var bound *net.TCPConn
	l.ns.Do(func() {
		d := net.Dialer{Control: func(_, _ string, c syscall.RawConn) error {
			var err error
			return errors.Join(c.Control(func(fd uintptr) { err = unix.BindToDevice(int(fd), "lo") }), err)
		}}
		c, err := d.Dial("tcp", p.listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		bound = c.(*net.TCPConn)
		t.Cleanup(func() { c.Close() })
	})
	s := socket(t, bound)
	l.Active = func() bool { return false }
	l.Want([]sock.Socket{s}, nil)
	l.now()
	if _, ok := l.Get(s.ID); ok {
		t.Fatal("the kernel finds it without its interface: this test is of no use")
	}
	l.tick()
	if r := l.get(s); r.Info.Iface != 1 {
		t.Errorf("%+v", r)
	}
	l.Want([]sock.Socket{s}, nil)
	l.tick()
	if l.asked[0].find || l.asked[0].socket.Dev != 1 || l.get(s).TxRate != 0 {
		t.Errorf("%+v, %+v", l.asked[0], l.get(s))
	}
}

// What is not wanted is forgotten, and its namespace is let go.
func TestForget(t *testing.T) {
	kerneltest.NoLeaks(t)
	l := newLab(t)
	p := l.pair("127.0.0.1:0")
	client, server := socket(t, p.client), socket(t, p.server)
	server.NetNS = 5
	l.Want([]sock.Socket{client, server}, nil)
	l.now()
	l.tick()
	if len(l.spaces) != 2 || l.opened != 2 {
		t.Errorf("%d namespaces, opened %d", len(l.spaces), l.opened)
	}
	l.Want([]sock.Socket{client}, nil)
	l.tick()
	if r := l.get(server); r.TxRate >= 0 {
		t.Errorf("nobody looked: %+v", r)
	}
	if len(l.spaces) != 1 {
		t.Errorf("%d namespaces are held", len(l.spaces))
	}
	for range keep {
		l.tick()
	}
	if _, ok := l.Get(server.ID); ok {
		t.Error("it is remembered")
	}
	for n := range sock.ID(keepMost + 10) {
		s := client
		s.ID = 1<<40 + n
		l.Want([]sock.Socket{s}, nil)
		l.now()
	}
	if n := len(l.single); n > keepMost+10 {
		t.Errorf("%d sockets are remembered", n)
	}
}

// A namespace that cannot be opened is tried again in its time, and harms no other.
func TestErr(t *testing.T) {
	l := newLab(t)
	p := l.pair("127.0.0.1:0")
	client, server := socket(t, p.client), socket(t, p.server)
	server.NetNS = 5
	fail, tries := true, 0
	open := l.Open
	l.Open = func(netns uint32) (*sockdiag.Conn, error) {
		if netns == 0 {
			return open(netns)
		}
		if tries++; fail {
			return nil, unix.EPERM
		}
		return open(netns)
	}
	told := 0
	l.Sampled = func() { told++ }
	l.Want([]sock.Socket{client, server}, []uint32{5})
	l.now()
	if _, ok := l.Get(server.ID); ok || tries != 1 {
		t.Errorf("tried %d times", tries)
	}
	if err := l.Err(); !errors.Is(err, unix.EPERM) || !strings.HasPrefix(err.Error(), "meter: network namespace 5: ") {
		t.Errorf("%v", err)
	}
	if told != 1 {
		t.Errorf("told %d times", told)
	}
	l.get(client)
	if _, fresh := l.wanted(); fresh {
		t.Error("it would be tried without end")
	}
	for range 9 {
		l.tick()
	}
	if tries != 1 {
		t.Errorf("tried %d times within ten seconds", tries)
	}
	fail = false
	l.tick()
	if err := l.Err(); err != nil || tries != 2 {
		t.Errorf("%v, tried %d times", err, tries)
	}
	l.get(server)
	// A connection that breaks is made again.
	if err := l.spaces[5].conn.Close(); err != nil {
		t.Fatal(err)
	}
	l.tick()
	if r := l.get(server); l.Err() == nil || r.RxRate >= 0 {
		t.Errorf("%v, %+v", l.Err(), r)
	}
	l.pass(10 * time.Second)
	l.tick()
	if r := l.get(server); l.Err() != nil || r.At != l.Now() {
		t.Errorf("%v, %+v", l.Err(), r)
	}
}

// A frame that wants what the last wanted costs no allocation.
func TestFrame(t *testing.T) {
	l := newLab(t)
	p := l.pair("127.0.0.1:0")
	wish, all := []sock.Socket{socket(t, p.client), socket(t, p.server), socket(t, p.listener)}, []uint32{0}
	l.Want(wish, all)
	l.now()
	if n := testing.AllocsPerRun(100, func() {
		l.Want(wish, all)
		for i := range wish {
			l.Get(wish[i].ID)
		}
	}); n > 0 {
		t.Errorf("%v allocations a frame", n)
	}
}

// Run does all this by itself, at once when something is wanted, and ends when told to.
func TestRun(t *testing.T) {
	kerneltest.NoLeaks(t)
	l := newLab(t)
	l.Interval = 5 * time.Millisecond
	began := time.Now()
	l.Now = func() sock.Stamp { return sock.Stamp(time.Since(began)) + 1 }
	var told atomic.Int64
	l.Sampled = func() { told.Add(1) }
	p := l.pair("127.0.0.1:0")
	client := socket(t, p.client)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error)
	go func() { ended <- l.Run(ctx) }()
	for range 2 {
		l.Want([]sock.Socket{client}, []uint32{0})
		await(t, "a rate", func() bool { r, ok := l.Get(client.ID); return ok && r.TxRate >= 0 && told.Load() > 0 })
		before, _ := l.Get(client.ID)
		p.move(t, 5000)
		await(t, "bytes", func() bool {
			l.Want([]sock.Socket{client}, []uint32{0})
			r, ok := l.Get(client.ID)
			return ok && r.Sent == before.Sent+5000 && r.TxRate == 0 // and at rest again
		})
		l.Want(nil, nil)
		await(t, "all is let go", func() bool { _, ok := l.Get(client.ID); return !ok })
		told.Store(0)
	}
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if len(l.spaces) != 0 {
		t.Errorf("%d namespaces are held", len(l.spaces))
	}
}
