// SPDX-License-Identifier: GPL-2.0-or-later

package table

import (
	"encoding/binary"
	"math/rand/v2"
	"net/netip"
	"runtime"
	"testing"
	"unsafe"

	"netlive/internal/sock"
)

// bytesMax is what a live socket may cost, all in.
const bytesMax = 400

func many(n int, stamp sock.Stamp) *sock.Snapshot {
	s := &sock.Snapshot{Begin: stamp, Protos: sock.ProtosTCP, Sockets: make([]sock.Socket, n)}
	for i := range s.Sockets {
		n := &s.Sockets[i]
		*n = at(sock.ID(i+1), stamp+1, sock.Established)
		var a [4]byte
		binary.BigEndian.PutUint32(a[:], uint32(i)|10<<24)
		n.Remote = netip.AddrPortFrom(netip.AddrFrom4(a), 443)
		n.Owner = sock.Owner{PID: 100 + uint32(i%11), FD: int32(i), How: sock.HowSeeded}
	}
	// The kernel's hash gives them in no order.
	r := rand.New(rand.NewPCG(1, 2))
	r.Shuffle(n, func(i, j int) { s.Sockets[i], s.Sockets[j] = s.Sockets[j], s.Sockets[i] })
	return s
}

func heapBytes() uint64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

func bytesPerRow(n int) float64 {
	s := many(n, 10)
	before := heapBytes()
	t := New()
	t.Replace(s)
	after := heapBytes()
	runtime.KeepAlive(s)
	runtime.KeepAlive(t)
	return float64(after-before) / float64(n)
}

func TestMemoryPerRow(t *testing.T) {
	if testing.Short() {
		t.Skip("allocates 100,000 rows")
	}
	// The index doubles just above 7/8 of a power of two, so look at several sizes.
	for _, n := range []int{30_000, 60_000, 100_000, 115_000} {
		got := bytesPerRow(n)
		t.Logf("%d sockets: %.0f bytes each, %d of them the slot", n, got, unsafe.Sizeof(slot{}))
		if got > bytesMax {
			t.Errorf("%.0f bytes a socket at %d, at most %d", got, n, bytesMax)
		}
	}
}

func TestApplyAllocatesNothing(t *testing.T) {
	tab := New()
	tab.Replace(many(1000, 10))
	stamp := sock.Stamp(100)
	open, up, shut := event(7, 0, sock.Close, sock.SynSent), event(7, 0, sock.SynSent, sock.Established), event(7, 0, sock.Established, sock.Close)
	gone := &sock.Snapshot{Protos: sock.Protos(sock.TCP)}
	life := func() {
		for _, e := range []*sock.Event{open, up, shut} {
			stamp++
			e.Socket.At = stamp
			tab.Apply(e)
		}
		gone.Begin = stamp
		tab.Replace(gone)
		tab.Prune(stamp)
	}
	if n := testing.AllocsPerRun(1000, life); n > 0 {
		t.Errorf("%v allocations a life", n)
	}
}

// BenchmarkApply is the life of a connection at 100,000 others, an event at a time.
func BenchmarkApply(b *testing.B) {
	tab := New()
	tab.Replace(many(100_000, 10))
	path := []sock.State{sock.Close, sock.SynSent, sock.Established, sock.FinWait1, sock.FinWait2, sock.Close}
	const batch = 4096
	id, stamp := sock.ID(1<<20), sock.Stamp(100)
	e := event(0, 0, 0, 0)
	e.Socket.Owner = by(5, sock.HowExact)
	b.ReportAllocs()
	step := 0
	for b.Loop() {
		if step == len(path)-1 {
			step = 0
			if id++; id%batch == 0 {
				tab.floors[sock.TCP], tab.walkedSince = stamp, true // as a walk would have it
				tab.Prune(stamp)
			}
		}
		stamp++
		e.Socket.ID, e.Socket.At, e.Old, e.Socket.State = id, stamp, path[step], path[step+1]
		tab.Apply(e)
		step++
	}
}

func BenchmarkReplace100k(b *testing.B) {
	tab := New()
	s := many(100_000, 10)
	tab.Replace(s)
	b.ReportAllocs()
	for b.Loop() {
		s.Begin += 10
		for i := range s.Sockets {
			s.Sockets[i].At = s.Begin + 1
		}
		tab.Replace(s)
	}
}

func BenchmarkFill100k(b *testing.B) {
	s := many(100_000, 10)
	b.ReportAllocs()
	for b.Loop() {
		New().Replace(s)
	}
}

func BenchmarkMemory(b *testing.B) {
	var n float64
	for b.Loop() {
		n = bytesPerRow(100_000)
	}
	b.ReportMetric(n, "bytes/row")
}
