// SPDX-License-Identifier: GPL-2.0-or-later

package history

import (
	"errors"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"netlive/internal/kerneltest"
	"netlive/internal/sock"
	"netlive/internal/table"
	"netlive/internal/tracer"
)

// watcher hears of a namespace of its own as a screen does.
type watcher struct {
	t      *testing.T
	ns     *kerneltest.NS
	tr     *tracer.Tracer
	stream *tracer.Stream
	table  *table.Table
	log    *Log
	counts *Listeners
}

func newWatcher(t *testing.T) *watcher {
	t.Helper()
	w := &watcher{t: t, ns: kerneltest.NetNS(t), table: table.New(), log: NewLog(1024), counts: NewListeners()}
	kinds := sock.Events(sock.EventListen, sock.EventOpen, sock.EventAccept, sock.EventFail, sock.EventClose, sock.EventReset, sock.EventOverflow)
	var err error
	w.tr, err = tracer.Open(tracer.Options{NetNS: w.ns.Inode(), Table: true, Events: kinds})
	kerneltest.RequireBPF(t, err)
	t.Cleanup(func() {
		if err := w.tr.Close(); err != nil {
			t.Error(err)
		}
	})
	w.stream, err = w.tr.Stream()
	w.must(err)
	t.Cleanup(func() { _ = w.stream.Close() })
	return w
}

func (w *watcher) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

// hear takes in events until done.
func (w *watcher) hear(done func() bool) {
	w.t.Helper()
	hung := time.AfterFunc(30*time.Second, func() { _ = w.stream.Close() })
	defer hung.Stop()
	buf := make([]sock.Event, 64)
	for !done() {
		n, err := w.stream.Next(buf)
		if errors.Is(err, os.ErrClosed) {
			w.t.Fatalf("no more events after %d", w.log.Total())
		}
		w.must(err)
		for i := range buf[:n] {
			w.log.Add(&buf[i])
			w.counts.Add(&buf[i])
			w.table.Apply(&buf[i])
		}
	}
}

// row is the row or the ghost of a socket; an empty one if there is none.
func (w *watcher) row(id sock.ID) *table.Row {
	for g := range w.table.Ghosts() {
		if g.ID == id {
			return g
		}
	}
	if r := w.table.Get(id); r != nil {
		return r
	}
	return &table.Row{}
}

func (w *watcher) socket() (fd int, id sock.ID) {
	w.t.Helper()
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	w.must(err)
	return fd, w.id(fd)
}

func (w *watcher) id(fd int) sock.ID {
	w.t.Helper()
	cookie, err := unix.GetsockoptUint64(fd, unix.SOL_SOCKET, unix.SO_COOKIE)
	w.must(err)
	return sock.ID(cookie)
}

// states are those of a timeline, which has no gap.
func (w *watcher) states(id sock.ID) string {
	w.t.Helper()
	var words []string
	spans := Timeline(w.log, w.row(id), tracer.Now())
	for i, s := range spans {
		if !s.FromKnown || s.To < s.From || i > 0 && spans[i-1].To != s.From || s.Open && i < len(spans)-1 {
			w.t.Errorf("span %d of %+v", i, spans)
		}
		words = append(words, s.State.String())
	}
	return strings.Join(words, " ")
}

// What is remembered of real connections is what was done with them.
func TestRealConnections(t *testing.T) {
	w := newWatcher(t)
	const connections = 5
	var listener, refused, first, second sock.ID
	var left []int
	w.ns.Do(func() {
		var l int
		l, listener = w.socket()
		w.must(unix.Bind(l, &unix.SockaddrInet4{}))
		w.must(unix.Listen(l, connections))
		at, err := unix.Getsockname(l)
		w.must(err)
		to := &unix.SockaddrInet4{Port: at.(*unix.SockaddrInet4).Port, Addr: [4]byte{127, 0, 0, 1}}
		var clients, servers []int
		for i := range connections {
			to.Addr[3] = byte(1 + i%2)
			c, id := w.socket()
			w.must(unix.Connect(c, to))
			s, _, err := unix.Accept4(l, unix.SOCK_CLOEXEC)
			w.must(err)
			clients, servers = append(clients, c), append(servers, s)
			if i == 0 {
				first, second = id, w.id(s)
			}
		}
		w.must(unix.Close(clients[0]))
		if n, err := unix.Read(servers[0], make([]byte, 1)); n != 0 || err != nil { // when its FIN has come
			t.Fatalf("read %d: %v", n, err)
		}
		w.must(unix.Close(servers[0]))
		var c int
		c, refused = w.socket()
		if err := unix.Connect(c, &unix.SockaddrInet4{Port: 9, Addr: [4]byte{127, 0, 0, 1}}); err != unix.ECONNREFUSED {
			t.Fatalf("connect: %v", err)
		}
		left = slices.Concat(clients[1:], servers[1:], []int{l, c})
	})
	w.hear(func() bool {
		return w.row(first).Ending != nil && w.row(second).Ending != nil && w.row(refused).Ending != nil
	})
	if n := w.counts.Of(w.row(listener), tracer.Now()); n.Accepted != connections || n.Overflows != 0 {
		t.Errorf("the listener: %+v", n)
	}
	mini := "TIME_WAIT"
	if w.row(first).State == sock.FinWait2 {
		mini = "" // it is one already, and nothing tells what becomes of it
	}
	for _, c := range []struct {
		id   sock.ID
		want string
	}{
		{listener, "LISTEN"},
		{refused, "SYN_SENT"},
		{first, strings.TrimSpace("SYN_SENT ESTABLISHED FIN_WAIT1 FIN_WAIT2 " + mini)},
		{second, "SYN_RECV ESTABLISHED CLOSE_WAIT LAST_ACK"},
	} {
		if got := w.states(c.id); got != c.want {
			t.Errorf("%s, want %s", got, c.want)
		}
	}
	// Without the log the ending says the same.
	w.log = NewLog(1)
	if got := w.states(second); got != "SYN_RECV ESTABLISHED CLOSE_WAIT LAST_ACK" {
		t.Errorf("by its ending: %s", got)
	}
	for _, fd := range left {
		w.must(unix.Close(fd))
	}
}
