// SPDX-License-Identifier: GPL-2.0-or-later

package meter

import (
	"runtime"
	"slices"
	"testing"
	"time"
	"unsafe"

	"netlive/internal/kerneltest"
	"netlive/internal/sock"
	"netlive/internal/sockdiag"
)

// Rates are exact: of one socket and of a dump, there and back.
func TestRates(t *testing.T) {
	kerneltest.NoLeaks(t)
	for _, address := range []string{"127.0.0.1:0", "[::1]:0"} {
		l := newLab(t)
		p := l.pair(address)
		client, server := socket(t, p.client), socket(t, p.server)
		for _, c := range []struct {
			name    string
			sockets []sock.Socket
			all     []uint32
		}{{"one by one", []sock.Socket{client, server}, nil}, {"dump", nil, []uint32{0}}, {"both", []sock.Socket{client, server}, []uint32{0}}} {
			l.Want(nil, nil)
			l.forget()
			l.Want(c.sockets, c.all)
			l.now()
			if r := l.get(client); r.TxRate >= 0 || r.RxRate >= 0 || r.RetransRate >= 0 || r.RTT <= 0 || r.State != sock.Established {
				t.Errorf("%s: after one sample: %+v", c.name, r)
			}
			began := l.get(client).Sent
			p.move(t, 50_000)
			l.tick()
			p.move(t, 300_000)
			l.pass(time.Second) // two seconds in all
			l.tick()
			tx, rx := l.get(client), l.get(server)
			if tx.TxRate != 150_000 || tx.RxRate != 0 || tx.RetransRate < 0 || rx.RxRate != 150_000 || rx.TxRate != 0 {
				t.Errorf("%s: %+v, %+v", c.name, tx, rx)
			}
			if tx.Sent != began+350_000 || rx.Received != tx.Sent || tx.At != l.Now() {
				t.Errorf("%s: %+v, %+v", c.name, tx, rx)
			}
			l.tick()
			if r := l.get(client); r.TxRate != 0 {
				t.Errorf("%s: at rest: %+v", c.name, r)
			}
			if c.sockets == nil {
				if tx.Info != nil || tx.Tx != nil {
					t.Errorf("a dump has too much: %+v", tx)
				}
				continue
			}
			r := l.get(client)
			if r.Info.Cwnd <= 0 || r.Info.Sent() != r.Sent || !slices.Equal(r.Tx, []float32{50_000, 150_000, 0}) || !slices.Equal(r.Rx, []float32{0, 0, 0}) {
				t.Errorf("%s: %+v", c.name, r)
			}
			if len(tx.Tx) != 2 {
				t.Errorf("%s: an old reading has changed: %v", c.name, tx.Tx)
			}
		}
	}
}

// While nothing moves nothing is asked, but for one more round, and what moves then counts from then.
func TestIdle(t *testing.T) {
	l := newLab(t)
	active := false
	l.Active = func() bool { defer func() { active = false }(); return active }
	p := l.pair("127.0.0.1:0")
	client := socket(t, p.client)
	wish := []sock.Socket{client}
	l.Want(wish, []uint32{0})
	l.now()
	rounds := func(want ...bool) {
		t.Helper()
		for n, want := range want {
			l.Want(wish, []uint32{0}) // a frame
			if got := l.tick(); got != want {
				t.Errorf("tick %d: a round %v, want %v", n, got, want)
			}
		}
	}
	rounds(true, true, false, false)
	p.move(t, 1000)
	active = true
	rounds(true, true, false, false, false)
	if r := l.get(client); r.TxRate != 0 {
		t.Errorf("%+v", r)
	}
	p.move(t, 6000)
	active = true
	rounds(true)
	r := l.get(client)
	if want := []float32{0, 0, 0, 0, 1000, 0, 0, 0, 0, 6000}; !slices.Equal(r.Tx, want) {
		t.Errorf("history %v, want %v", r.Tx, want)
	}
	if s := l.brief[client.ID]; s.tx != 6000 {
		t.Errorf("dumped: %+v", s)
	}
	rounds(true, false)
	wish = append(wish, socket(t, p.server))
	rounds(true, true, false) // another wish
	wish = wish[:1]
	rounds(false)
	// What was sent and is not acknowledged has no news when it is.
	for {
		if err := p.client.SetWriteDeadline(time.Now().Add(50 * time.Millisecond)); err != nil {
			t.Fatal(err)
		}
		if _, err := p.client.Write(make([]byte, 1<<20)); err != nil {
			break // both buffers are full
		}
	}
	active = true
	rounds(true, true, true, true)
}

// Too short a time makes no rate, and loses nothing.
func TestShort(t *testing.T) {
	l := newLab(t)
	p := l.pair("127.0.0.1:0")
	client := socket(t, p.client)
	l.Want([]sock.Socket{client}, []uint32{0})
	l.now()
	l.pass(-990 * time.Millisecond)
	p.move(t, 1000)
	l.tick() // 10 ms
	if r, s := l.get(client), l.brief[client.ID]; r.TxRate >= 0 || s.tx >= 0 || r.Sent != 1000 {
		t.Errorf("%+v, %+v", r, s)
	}
	l.pass(-10 * time.Millisecond)
	p.move(t, 1000)
	l.tick()
	if r, s := l.get(client), l.brief[client.ID]; r.TxRate != 2000 || s.tx != 2000 {
		t.Errorf("%+v, %+v", r, s)
	}
}

// A socket that comes to be wanted by itself has a rate at once where a dump had it.
func TestAfterDump(t *testing.T) {
	l := newLab(t)
	p := l.pair("127.0.0.1:0")
	client := socket(t, p.client)
	l.Want(nil, []uint32{0})
	l.now()
	p.move(t, 1000)
	l.tick()
	l.Want([]sock.Socket{client}, []uint32{0})
	l.now()
	if r := l.get(client); r.Info == nil || r.TxRate != 1000 {
		t.Errorf("%+v", r)
	}
	p.move(t, 500)
	l.Want([]sock.Socket{client}, nil)
	l.tick()
	if r := l.get(client); r.TxRate != 500 || len(l.brief) != 0 {
		t.Errorf("%+v, %d dumped", r, len(l.brief))
	}
}

// What a counter says of the time before; what is not known stays so.
func TestTake(t *testing.T) {
	known := sockdiag.Info{State: sock.Established, BytesSent: 1500, BytesRetrans: 500, BytesReceived: 70, TotalRetrans: 3, RTT: 5 * time.Millisecond, RecvQ: 1, SendQ: 2}
	change := func(f func(i *sockdiag.Info)) sockdiag.Info { i := known; f(&i); return i }
	const first = sock.Stamp(100)
	for _, c := range []struct {
		name          string
		before, now   sockdiag.Info
		tx, rx, again float32
		changed       bool
	}{
		{"rest", known, known, 0, 0, 0, true}, // now it is known
		{"all", known, change(func(i *sockdiag.Info) {
			i.BytesSent, i.BytesRetrans, i.BytesReceived, i.TotalRetrans = 2600, 600, 170, 9
		}), 500, 50, 3, true},
		{"fell", known, change(func(i *sockdiag.Info) { i.BytesSent, i.BytesReceived, i.TotalRetrans = 600, 1, 0 }), -1, -1, -1, true},
		{"unknown now", known, change(func(i *sockdiag.Info) { i.BytesSent, i.BytesReceived = -1, -1 }), -1, -1, 0, true},
		{"unknown before", change(func(i *sockdiag.Info) { i.BytesRetrans, i.TotalRetrans = -1, -1 }), known, -1, 0, -1, true},
		{"never known", change(func(i *sockdiag.Info) { i.BytesSent, i.BytesReceived, i.TotalRetrans = -1, -1, -1 }), change(func(i *sockdiag.Info) { i.BytesSent, i.BytesReceived, i.TotalRetrans = -1, -1, -1 }), -1, -1, -1, false},
	} {
		var s sample
		if !s.take(&c.before, first, first, time.Second) {
			t.Errorf("%s: the first changes nothing", c.name)
		}
		at := first + sock.Stamp(2*time.Second)
		if changed := s.take(&c.now, at, s.at, time.Second); s.tx != c.tx || s.rx != c.rx || s.again != c.again || changed != c.changed || s.at != at {
			t.Errorf("%s: %+v, changed %v", c.name, s, changed)
		}
		last := s
		if s.take(&c.now, at+1, s.at, time.Second) || s != last {
			t.Errorf("%s: a nanosecond later: %+v", c.name, s)
		}
	}
	s := sample{}
	s.take(&sockdiag.Info{RTT: -1, RecvQ: -1, SendQ: -1, TotalRetrans: -1, BytesSent: -1, BytesReceived: -1}, first, first, 0)
	if r := s.reading(); r.RTT != -1 || r.Retrans != -1 || r.Sent != -1 {
		t.Errorf("%+v", r)
	}
}

func TestPush(t *testing.T) {
	var h []float32
	for n := range 100 {
		h = push(h, 0, float32(n))
	}
	if len(h) != history || h[0] != 100-history || h[history-1] != 99 {
		t.Errorf("%v", h)
	}
	for _, c := range []struct{ intervals, zeros, kept int }{{1, 1, 58}, {58, 58, 1}, {59, 59, 0}, {1000, 59, 0}} {
		got := push(h, c.intervals, 7)
		if len(got) != history || got[history-1] != 7 || c.kept > 0 && (got[0] != h[history-c.kept] || got[c.kept-1] != 99) || got[c.kept] != 0 || got[history-2] != 0 {
			t.Errorf("%+v: %v", c, got)
		}
	}
	if got := push(nil, 5, 7); !slices.Equal(got, []float32{7}) {
		t.Errorf("%v", got)
	}
	if got := push(h, 0, -1); got != nil {
		t.Errorf("%v", got)
	}
}

// A socket of a dump costs what the comment says; how full a map is varies by a half.
func TestSize(t *testing.T) {
	if n := unsafe.Sizeof(sample{}); n != 56 {
		t.Errorf("a sample has %d bytes", n)
	}
	const n = 100_000
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	m := map[sock.ID]sample{}
	for id := range sock.ID(n) {
		m[id] = sample{}
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	if each := (int64(after.HeapAlloc) - int64(before.HeapAlloc)) / n; each > 150 {
		t.Errorf("%d bytes a socket", each)
	} else {
		t.Logf("%d bytes a socket", each)
	}
	runtime.KeepAlive(m)
}
