// SPDX-License-Identifier: GPL-2.0-or-later

package view

import (
	"testing"

	"netlive/internal/sock"
	"netlive/internal/table"
)

func TestPeers(t *testing.T) {
	in := func(netns uint32, s sock.Socket) sock.Socket {
		s.NetNS, s.Owner = netns, sock.Owner{PID: 100 + uint32(s.ID), How: sock.HowSeeded}
		return s
	}
	tcp := func(id sock.ID, netns uint32, local, remote string) sock.Socket {
		return in(netns, row(id, sock.TCP, sock.Established, local, remote))
	}
	a, b, lo, high := "192.0.2.1:80", "192.0.2.2:5000", "127.0.0.1:80", "127.0.0.1:5000"
	nobodys := tcp(4, 1, b, a)
	nobodys.Owner = sock.Owner{}
	for _, c := range []struct {
		name  string
		socks []sock.Socket
		shut  sock.ID // closes
		want  sock.ID // the peer of 1
	}{
		{"same namespace", []sock.Socket{tcp(1, 1, lo, high), tcp(2, 1, high, lo)}, 0, 2},
		{"other namespace", []sock.Socket{tcp(1, 1, a, b), tcp(2, 2, b, a)}, 0, 2},
		{"loopback of another namespace", []sock.Socket{tcp(1, 1, lo, high), tcp(2, 2, high, lo)}, 0, 0},
		{"the same namespace first", []sock.Socket{tcp(1, 1, a, b), tcp(2, 2, b, a), tcp(3, 1, b, a)}, 0, 3},
		{"two namespaces could be it", []sock.Socket{tcp(1, 1, a, b), tcp(2, 2, b, a), tcp(3, 3, b, a)}, 0, 0},
		{"nobody", []sock.Socket{tcp(1, 1, a, b), tcp(2, 1, b, "192.0.2.1:81")}, 0, 0},
		{"not the same ends", []sock.Socket{tcp(1, 1, a, b), tcp(2, 1, a, b)}, 0, 0},
		{"other protocol", []sock.Socket{tcp(1, 1, a, b), in(1, row(2, sock.UDP, sock.Established, b, a))}, 0, 0},
		{"UDP", []sock.Socket{in(1, row(1, sock.UDP, sock.Established, a, b)), in(1, row(2, sock.UDP, sock.Established, b, a))}, 0, 2},
		{"mapped address", []sock.Socket{tcp(1, 1, lo, high), in(1, row(2, sock.TCP6, sock.Established, "[::ffff:127.0.0.1]:5000", "[::ffff:127.0.0.1]:80"))}, 0, 2},
		{"IPv6 loopback", []sock.Socket{in(1, row(1, sock.TCP6, sock.Established, "[::1]:5000", "[::1]:80")), in(2, row(2, sock.TCP6, sock.Established, "[::1]:80", "[::1]:5000"))}, 0, 0},
		{"itself", []sock.Socket{tcp(1, 1, lo, lo)}, 0, 1},
		{"listener", []sock.Socket{in(1, row(1, sock.TCP, sock.Listen, "0.0.0.0:80", "0.0.0.0:0")), in(1, row(2, sock.TCP, sock.Listen, "0.0.0.0:0", "0.0.0.0:80"))}, 0, 0},
		{"the one with an owner", []sock.Socket{tcp(1, 1, a, b), tcp(2, 1, b, a), nobodys}, 0, 2},
		{"the younger", []sock.Socket{tcp(1, 1, a, b), tcp(3, 1, b, a), tcp(2, 1, b, a)}, 0, 3},
		{"closed", []sock.Socket{tcp(1, 1, a, b), tcp(2, 1, b, a)}, 2, 2},
		{"of a closed one", []sock.Socket{tcp(1, 1, a, b), tcp(2, 1, b, a)}, 1, 2},
		{"the living first", []sock.Socket{tcp(1, 1, a, b), tcp(2, 1, b, a), tcp(3, 1, b, a)}, 3, 2},
		{"a UNIX socket", []sock.Socket{unix(1, sock.UnixConnected, "/a"), unix(2, sock.UnixConnected, "/a")}, 0, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			tab := filled(c.socks...)
			if c.shut != 0 {
				shut(tab, c.shut, 50)
			}
			var f Frame
			// That the peer is not shown does not matter.
			q := Query{Height: 9, Ghosts: true, Peers: true, Select: func(s *sock.Socket) bool { return s.ID == 1 }}
			Build(tab, q, 100, &f)
			if f.Rows[0].PeerID != c.want {
				t.Fatalf("%d, want %d", f.Rows[0].PeerID, c.want)
			}
			if o := f.Rows[0].Peer; c.want != 0 && o.PID != 100+uint32(c.want) || c.want == 0 && o.Known() {
				t.Errorf("%+v", o)
			}
			q.Peers = false
			if Build(tab, q, 100, &f); f.Rows[0].PeerID != 0 {
				t.Error("peers were not asked for")
			}
		})
	}
}

// The ends of a connection that is closed are used again: the other end of then is not that of now.
func TestPeerOfAnotherTime(t *testing.T) {
	tab := table.New()
	open := func(id sock.ID, at sock.Stamp, local, remote string) {
		e := sock.Event{Kind: sock.EventState, Old: sock.Close, Socket: row(id, sock.TCP, sock.SynSent, local, remote)}
		e.Socket.At = at
		tab.Apply(&e)
	}
	const a, b = "192.0.2.1:80", "192.0.2.2:5000"
	open(1, 10, a, b)
	shut(tab, 1, 20)
	open(2, 30, b, a)
	var f Frame
	q := Query{Height: 9, Ghosts: true, Peers: true}
	Build(tab, q, 100, &f)
	for _, l := range f.Rows {
		if l.PeerID != 0 {
			t.Errorf("%d has met %d", l.ID, l.PeerID)
		}
	}
	open(3, 40, a, b)
	Build(tab, q, 100, &f)
	for _, l := range f.Rows {
		if want := (map[sock.ID]sock.ID{2: 3, 3: 2})[l.ID]; l.PeerID != want {
			t.Errorf("%d has met %d, want %d", l.ID, l.PeerID, want)
		}
	}
}
