// SPDX-License-Identifier: GPL-2.0-or-later

package history

import (
	"math"
	"net/netip"
	"testing"
	"time"

	"netlive/internal/sock"
	"netlive/internal/table"
)

const second = sock.Stamp(time.Second)

// completed is a connection to a local end whose handshake is complete.
func completed(local string, at sock.Stamp) *sock.Event {
	e := change(1000+sock.ID(at), at, sock.SynRecv, sock.Established)
	e.Socket.Local = netip.MustParseAddrPort(local)
	return e
}

func listen(id sock.ID, local string, at sock.Stamp) *sock.Event {
	e := change(id, at, sock.Close, sock.Listen)
	e.Socket.Local = netip.MustParseAddrPort(local)
	return e
}

func unlisten(id sock.ID, local string, at sock.Stamp) *sock.Event {
	e := listen(id, local, at)
	e.Old, e.Socket.State = sock.Listen, sock.Close
	return e
}

func overflow(id sock.ID, local string, at sock.Stamp, dropped int64) *sock.Event {
	e := listen(id, local, at)
	e.Kind, e.Old, e.Detail = sock.EventOverflow, sock.StateNone, &sock.Detail{Dropped: dropped}
	return e
}

// listener is the row of one that listens.
func listener(id sock.ID, local string) *table.Row {
	return &table.Row{Socket: listen(id, local, 1).Socket}
}

func TestListeners(t *testing.T) {
	elsewhere := completed("192.0.2.1:80", 9)
	elsewhere.Socket.NetNS = 2
	outgoing := completed("192.0.2.1:80", 9)
	outgoing.Old = sock.SynSent
	accept := completed("192.0.2.1:80", 9)
	accept.Kind = sock.EventAccept
	half := completed("192.0.2.1:80", 9)
	half.Old, half.Socket.State = sock.Listen, sock.SynRecv
	for _, c := range []struct {
		name string
		news []*sock.Event
		ask  []*table.Row // before
		of   *table.Row
		want ListenerCounts
	}{
		{"its own", []*sock.Event{completed("192.0.2.1:80", 1), completed("192.0.2.1:80", 2)}, nil, listener(1, "192.0.2.1:80"), ListenerCounts{Accepted: 2}},
		{"others'", []*sock.Event{
			completed("192.0.2.1:81", 1), completed("192.0.2.2:80", 2), elsewhere, outgoing, accept, half,
		}, nil, listener(1, "192.0.2.1:80"), ListenerCounts{}},
		{"a wildcard", []*sock.Event{
			completed("192.0.2.1:80", 1), completed("192.0.2.2:80", 2), completed("192.0.2.2:81", 3), completed("[2001:db8::1]:80", 4), elsewhere,
		}, nil, listener(1, "0.0.0.0:80"), ListenerCounts{Accepted: 2}},
		{"a wildcard of both families", []*sock.Event{
			completed("[::ffff:192.0.2.1]:80", 1), completed("[2001:db8::1]:80", 2), completed("192.0.2.1:80", 3),
		}, nil, listener(1, "[::]:80"), ListenerCounts{Accepted: 2}},
		{"a wildcard beside one that was told of", []*sock.Event{
			listen(2, "192.0.2.1:80", 1), completed("192.0.2.1:80", 2), completed("192.0.2.2:80", 3),
		}, nil, listener(1, "0.0.0.0:80"), ListenerCounts{Accepted: 1}},
		{"a wildcard beside one that was asked for", []*sock.Event{
			completed("192.0.2.1:80", 2), completed("192.0.2.2:80", 3),
		}, []*table.Row{listener(2, "192.0.2.1:80")}, listener(1, "0.0.0.0:80"), ListenerCounts{Accepted: 1}},
		{"a wildcard beside one that has closed", []*sock.Event{
			listen(2, "192.0.2.1:80", 1), completed("192.0.2.1:80", 2), unlisten(2, "192.0.2.1:80", 3), completed("192.0.2.1:80", 4),
		}, nil, listener(1, "0.0.0.0:80"), ListenerCounts{Accepted: 1}},
		{"beside a wildcard", []*sock.Event{
			listen(2, "0.0.0.0:80", 1), completed("192.0.2.1:80", 2), completed("192.0.2.2:80", 3),
		}, nil, listener(1, "192.0.2.1:80"), ListenerCounts{Accepted: 1}},
		{"one of two that share the end", []*sock.Event{
			listen(1, "192.0.2.1:80", 1), listen(2, "192.0.2.1:80", 2), completed("192.0.2.1:80", 3), unlisten(2, "192.0.2.1:80", 4),
		}, nil, listener(1, "192.0.2.1:80"), ListenerCounts{Accepted: 1}},
		{"begun anew", []*sock.Event{
			listen(1, "192.0.2.1:80", 1), completed("192.0.2.1:80", 2), unlisten(1, "192.0.2.1:80", 3), listen(2, "192.0.2.1:80", 4), completed("192.0.2.1:80", 5),
		}, nil, listener(2, "192.0.2.1:80"), ListenerCounts{Accepted: 1}},
		{"a wildcard begun anew", []*sock.Event{
			completed("192.0.2.1:80", 1), completed("192.0.2.2:80", 2), unlisten(1, "0.0.0.0:80", 3), listen(2, "0.0.0.0:80", 4), completed("192.0.2.1:80", 5),
		}, nil, listener(2, "0.0.0.0:80"), ListenerCounts{Accepted: 1}},
		{"overflows", []*sock.Event{
			overflow(1, "0.0.0.0:80", 7, 0), overflow(1, "0.0.0.0:80", 8, 3), overflow(1, "0.0.0.0:80", 9, 2), overflow(2, "0.0.0.0:81", 10, 1),
		}, nil, listener(1, "0.0.0.0:80"), ListenerCounts{Overflows: 5, LastOverflow: 9}},
		{"full, and nobody knows what it dropped", []*sock.Event{
			overflow(1, "0.0.0.0:80", 7, 3), overflow(1, "0.0.0.0:80", 8, -1), overflow(1, "0.0.0.0:80", 9, 2),
		}, nil, listener(1, "0.0.0.0:80"), ListenerCounts{Overflows: -1, LastOverflow: 9}},
		{"a ghost", []*sock.Event{completed("192.0.2.1:80", 2), completed("192.0.2.2:80", 3)}, []*table.Row{
			{Socket: unlisten(2, "192.0.2.1:80", 1).Socket, Last: sock.Listen, Closed: 1},
		}, listener(1, "0.0.0.0:80"), ListenerCounts{Accepted: 2}},
		{"without a cookie", []*sock.Event{completed("192.0.2.1:80", 2), completed("192.0.2.2:80", 3)}, []*table.Row{
			listener(sock.LocalID|5, "192.0.2.1:80"),
		}, listener(1, "0.0.0.0:80"), ListenerCounts{Accepted: 2}},
	} {
		t.Run(c.name, func(t *testing.T) {
			l := NewListeners()
			for _, e := range c.news {
				l.Add(e)
			}
			for _, r := range c.ask {
				l.Of(r, second)
			}
			got := l.Of(c.of, 100*second)
			if got != c.want {
				t.Errorf("%+v, want %+v", got, c.want)
			}
		})
	}
}

func TestAcceptsPerSecond(t *testing.T) {
	const end = "192.0.2.1:80"
	r := listener(1, end)
	// every makes a connection each so often, from one instant to another.
	every := func(l *Listeners, step time.Duration, from, to sock.Stamp) {
		for at := from; at < to; at += sock.Stamp(step) {
			l.Add(completed(end, at))
		}
	}
	for _, c := range []struct {
		name string
		play func(l *Listeners)
		now  sock.Stamp
		want float64
	}{
		{"none", func(l *Listeners) { l.Add(listen(1, end, second)) }, 9 * second, 0},
		{"a hundred a second", func(l *Listeners) { every(l, 10*time.Millisecond, second, 20*second) }, 20 * second, 100},
		{"from the beginning", func(l *Listeners) { every(l, 10*time.Millisecond, 10*second, 11*second) }, 11 * second, 100},
		{"at the very beginning", func(l *Listeners) { l.Add(completed(end, second)) }, second, 4},
		{"half of the time", func(l *Listeners) {
			l.Add(listen(1, end, second))
			every(l, 10*time.Millisecond, 18*second, 20*second)
		}, 20 * second, 50},
		{"two seconds ago", func(l *Listeners) { every(l, 10*time.Millisecond, second, 18*second) }, 20 * second, 50},
		{"long ago", func(l *Listeners) { every(l, 10*time.Millisecond, second, 9*second) }, 20 * second, 0},
		{"after a pause", func(l *Listeners) {
			every(l, 10*time.Millisecond, second, 9*second)
			every(l, 10*time.Millisecond, 60*second, 61*second)
		}, 61 * second, 25},
		{"late news", func(l *Listeners) {
			l.Add(listen(1, end, second))
			l.Add(completed(end, 20*second))
			l.Add(completed(end, 10*second))
		}, 20 * second, 0.25},
		{"ahead of the clock", func(l *Listeners) {
			l.Add(listen(1, end, second))
			l.Add(completed(end, 20*second))
		}, 20*second - 1, 0.25},
	} {
		l := NewListeners()
		c.play(l)
		if got := l.Of(r, c.now).AcceptsPerSecond; math.Abs(got-c.want) > 0.1*c.want {
			t.Errorf("%s: %.2f, want about %.2f", c.name, got, c.want)
		}
	}
}

// Whoever connects to ever more addresses of ours, or whatever listens at ever more, takes a bounded memory; no connection goes uncounted where a wildcard
// listener is known.
func TestListenersAreBounded(t *testing.T) {
	l := NewListeners()
	all := listener(1, "0.0.0.0:80")
	l.Of(all, 1)
	const n = 3 * endsMax
	for i := range n {
		local := netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)}), 80)
		l.Add(completed(local.String(), sock.Stamp(i+1)))
		l.Add(listen(sock.ID(i), "192.0.2.9:81", sock.Stamp(i+1)))
	}
	if len(l.ends) > endsMax {
		t.Errorf("%d ends", len(l.ends))
	}
	if got := l.Of(all, second).Accepted; got != n {
		t.Errorf("%d accepted, want %d", got, n)
	}
	if got := l.Of(listener(7, "198.51.100.1:443"), second); got != (ListenerCounts{}) {
		t.Errorf("without room: %+v", got)
	}
	for _, c := range l.ends {
		if len(c.listeners) > idsMax {
			t.Errorf("%d sockets at an end", len(c.listeners))
		}
	}
	l.Add(unlisten(1, "0.0.0.0:80", second))
	if len(l.ends) > 1 || len(l.ports) > 1 {
		t.Errorf("%d ends and %d ports when it has closed", len(l.ends), len(l.ports))
	}
}
