// SPDX-License-Identifier: GPL-2.0-or-later

package history

import (
	"net/netip"
	"slices"
	"strconv"
	"testing"

	"netlive/internal/sock"
)

var (
	here  = netip.MustParseAddrPort("192.0.2.1:80")
	there = netip.MustParseAddrPort("198.51.100.7:40000")
)

// change is a change of state.
func change(id sock.ID, at sock.Stamp, old, state sock.State) *sock.Event {
	return &sock.Event{
		Kind: sock.EventState, Old: old, InOld: -1,
		Socket: sock.Socket{ID: id, At: at, Proto: sock.TCP, State: state, Local: here, Remote: there, NetNS: 1},
	}
}

// why is an event with a detail that names it.
func why(kind sock.EventKind, id sock.ID, at sock.Stamp) *sock.Event {
	e := change(id, at, sock.StateNone, sock.Established)
	e.Kind, e.Detail = kind, &sock.Detail{Reason: strconv.Itoa(int(at)), Nth: uint8(at)}
	return e
}

func stamps(events []sock.Event) (at []sock.Stamp) {
	for i := range events {
		at = append(at, events[i].Socket.At)
	}
	return at
}

// check holds what the log has of stamps, and that each detail is its event's.
func check(t *testing.T, l *Log, first, last sock.Stamp) {
	t.Helper()
	if want := int(last - first + 1); l.Len() != want || l.Total() != uint64(last) {
		t.Fatalf("%d events of %d, want %d of %d", l.Len(), l.Total(), want, last)
	}
	for i := range l.Len() {
		e := l.At(i)
		if e.Socket.At != first+sock.Stamp(i) {
			t.Fatalf("event %d is of %d, want %d", i, e.Socket.At, first+sock.Stamp(i))
		}
		if (e.Detail != nil) != (e.Kind == sock.EventRetransmit) {
			t.Fatalf("%v with detail %+v", e.Kind, e.Detail)
		}
		if e.Detail != nil && e.Detail.Reason != strconv.Itoa(int(e.Socket.At)) {
			t.Fatalf("event of %d has the detail of %s", e.Socket.At, e.Detail.Reason)
		}
	}
}

func TestLogWrapsAround(t *testing.T) {
	for _, size := range []int{1, 2, 7, chunkEvents, chunkEvents + 1, 3 * chunkEvents} {
		l := NewLog(size)
		n := sock.Stamp(0)
		for range 3*size + 5 {
			n++
			e := change(sock.ID(n%5+1), n, sock.SynSent, sock.Established)
			if n%3 == 0 {
				e = why(sock.EventRetransmit, 9, n)
			}
			e.Stack = []string{"tcp_ack+0x1"}
			l.Add(e)
			if e.Detail != nil {
				*e.Detail = sock.Detail{} // the source uses it again
			}
			check(t, l, max(n-sock.Stamp(size)+1, 1), n)
		}
		if l.At(0).Stack != nil {
			t.Error("a stack was kept")
		}
	}
	if l := NewLog(0); l.Len() != 0 || l.size != 1 {
		t.Errorf("a log of %d", l.size)
	}
}

func TestLogLeavesOut(t *testing.T) {
	l := NewLog(8)
	for kind := sock.EventNone + 1; kind.String() != ""; kind++ {
		e := change(1, sock.Stamp(kind), 0, 0)
		e.Kind = kind
		l.Add(e)
		if left := kind == sock.EventOwner || kind == sock.EventStale; left == (l.At(l.Len()-1).Kind == kind) {
			t.Errorf("%v: the last is %v", kind, l.At(l.Len()-1).Kind)
		}
	}
}

func TestLogOf(t *testing.T) {
	l := NewLog(16)
	request := sock.LocalID | 77
	synack := func(at sock.Stamp) *sock.Event { return why(sock.EventRetransmit, request, at) }
	child := func(id sock.ID, at sock.Stamp) *sock.Event {
		e := change(id, at, sock.Listen, sock.SynRecv)
		e.Request = request
		return e
	}
	for _, e := range []*sock.Event{
		synack(1), child(4, 2), why(sock.EventClose, 4, 3), // an earlier connection of the same ends
		synack(4), change(6, 5, 0, 0), synack(6), child(5, 7), why(sock.EventRetransmit, 5, 8), change(6, 9, 0, 0), why(sock.EventClose, 5, 10),
	} {
		l.Add(e)
	}
	for _, c := range []struct {
		id   sock.ID
		most int
		want []sock.Stamp
	}{
		{5, 99, []sock.Stamp{4, 6, 7, 8, 10}},
		{5, 3, []sock.Stamp{7, 8, 10}},
		{4, 99, []sock.Stamp{1, 2, 3}},
		{6, 99, []sock.Stamp{5, 9}},
		{request, 99, []sock.Stamp{1, 4, 6}},
		{8, 99, nil},
		{5, 0, nil},
		{5, -1, nil},
		{0, 9, nil},
	} {
		if got := stamps(l.Of(c.id, c.most)); !slices.Equal(got, c.want) {
			t.Errorf("%#x, %d at most: %v, want %v", c.id, c.most, got, c.want)
		}
	}
	copies := l.Of(5, 1)
	for n := sock.Stamp(11); n < 100; n++ {
		l.Add(why(sock.EventDrop, 9, n))
	}
	if copies[0].Socket.At != 10 || copies[0].Detail.Reason != "10" {
		t.Errorf("a copy has become %+v %+v", copies[0], copies[0].Detail)
	}
}

func TestLogWindow(t *testing.T) {
	l := NewLog(10)
	for n := sock.Stamp(1); n <= 15; n++ { // 6 to 15 are there
		e := change(sock.ID(n%2+1), n, 0, 0)
		if n%3 == 0 {
			e = why(sock.EventClose, sock.ID(n%2+1), n)
		}
		l.Add(e)
	}
	closes := sock.Events(sock.EventClose)
	first := func(e *sock.Event) bool { return e.Socket.ID == 1 }
	for _, c := range []struct {
		name       string
		room, skip int
		kinds      sock.EventSet
		match      func(*sock.Event) bool
		want       []sock.Stamp
		matches    int
	}{
		{"the newest", 3, 0, 0, nil, []sock.Stamp{13, 14, 15}, 10},
		{"further back", 3, 4, 0, nil, []sock.Stamp{9, 10, 11}, 10},
		{"the oldest", 5, 8, 0, nil, []sock.Stamp{6, 7}, 10},
		{"beyond", 3, 10, 0, nil, nil, 10},
		{"far beyond", 3, 1 << 40, 0, nil, nil, 10},
		{"all", 99, 0, 0, nil, []sock.Stamp{6, 7, 8, 9, 10, 11, 12, 13, 14, 15}, 10},
		{"no room", 0, 0, 0, nil, nil, 10},
		{"before the newest", 2, -5, 0, nil, []sock.Stamp{14, 15}, 10},
		{"a kind", 9, 0, closes, nil, []sock.Stamp{6, 9, 12, 15}, 4},
		{"a kind, further back", 2, 1, closes, nil, []sock.Stamp{9, 12}, 4},
		{"a kind that there is not", 2, 0, sock.Events(sock.EventDrop), nil, nil, 0},
		{"that match", 3, 1, 0, first, []sock.Stamp{8, 10, 12}, 5},
		{"of a kind that match", 3, 0, closes, first, []sock.Stamp{6, 12}, 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			dst := make([]sock.Event, c.room)
			n, matches := l.Window(dst, c.skip, c.kinds, c.match)
			if got := stamps(dst[:n]); !slices.Equal(got, c.want) || matches != c.matches {
				t.Errorf("%v of %d, want %v of %d", got, matches, c.want, c.matches)
			}
			for i, e := range dst {
				switch {
				case i >= n && e.Kind != sock.EventNone:
					t.Errorf("%v left behind", e.Kind)
				case i < n && e.Kind == sock.EventClose && e.Detail.Reason != strconv.Itoa(int(e.Socket.At)):
					t.Errorf("event of %d has the detail of %s", e.Socket.At, e.Detail.Reason)
				}
			}
		})
	}
	dst := make([]sock.Event, 1)
	l.Window(dst, 0, 0, nil)
	for n := sock.Stamp(16); n < 99; n++ {
		l.Add(why(sock.EventDrop, 9, n))
	}
	if dst[0].Detail.Reason != "15" {
		t.Errorf("the copy's detail has become %+v", dst[0].Detail)
	}
}

// A storm of events costs no memory.
func TestLogAllocatesNothing(t *testing.T) {
	const size = 4096
	l := NewLog(size)
	state, end, counts := change(1, 1, sock.SynSent, sock.Established), why(sock.EventClose, 1, 2), NewListeners()
	child := change(2, 3, sock.SynRecv, sock.Established)
	add := func() {
		state.Socket.At++
		end.Socket.At++
		child.Socket.At++
		for _, e := range []*sock.Event{state, end, child, child} {
			l.Add(e)
			counts.Add(e)
		}
	}
	for range size {
		add()
	}
	if n := testing.AllocsPerRun(100_000/4, add); n > 0 {
		t.Errorf("%v allocations for four events", n)
	}
}

func BenchmarkLogAdd(b *testing.B) {
	l := NewLog(16384)
	e := why(sock.EventClose, 1, 2)
	b.ReportAllocs()
	for b.Loop() {
		l.Add(e)
	}
}

func BenchmarkLogWindow(b *testing.B) {
	l := NewLog(16384)
	for n := range sock.Stamp(16384) {
		l.Add(why(sock.EventClose, 1, n))
	}
	dst := make([]sock.Event, 50)
	b.ReportAllocs()
	for b.Loop() {
		l.Window(dst, 0, sock.Events(sock.EventClose), nil)
	}
}
