// SPDX-License-Identifier: GPL-2.0-or-later

package view

import (
	"net/netip"

	"netlive/internal/sock"
	"netlive/internal/table"
)

// peers looks for the other ends of the connections in a window: one pass over the table, and most rows are
// passed over by their ports.
type peers struct {
	wanted []want // one for each row of the window
	// chains finds those of wanted that want a socket of these ends.
	chains map[ends]int32
	ports  []uint64 // a bit for each hash of two ports that somebody wants
}

// ends are those of a connection, as IPv4 where they are mapped: one side may be an AF_INET6 socket and the other not.
type ends struct {
	local, remote netip.AddrPort
	family        sock.Proto // of both families: its AF_INET
}

// want is a row that wants its peer.
type want struct {
	row       *table.Row
	peer      *table.Row
	score     int8
	loopback  bool
	ambiguous bool  // sockets of several namespaces could be it
	next      int32 // in its chain; -1 is none
}

func (p *peers) end() {
	clear(p.wanted)
	p.wanted = p.wanted[:0]
	clear(p.chains)
}

// look finds the peers of the window's rows.
func (p *peers) look(t *table.Table, window []segment) {
	if p.chains == nil {
		p.chains, p.ports = make(map[ends]int32), make([]uint64, 1<<16/64)
	}
	clear(p.ports)
	for _, w := range window {
		for _, e := range w.entries {
			n := int32(len(p.wanted))
			p.wanted = append(p.wanted, want{row: e.row, next: -1})
			if !connected(e.row) {
				continue
			}
			x := endsOf(e.row)
			p.wanted[n].loopback = x.remote.Addr().IsLoopback() || x.local.Addr().IsLoopback()
			x.local, x.remote = x.remote, x.local
			if next, ok := p.chains[x]; ok {
				p.wanted[n].next = next
			}
			p.chains[x] = n
			word, bit := portsBit(x.local.Port(), x.remote.Port())
			p.ports[word] |= bit
		}
	}
	if len(p.chains) == 0 {
		return
	}
	for r := range t.Rows() {
		p.meet(r)
	}
	for r := range t.Ghosts() {
		p.meet(r)
	}
}

// meet looks at a row that may be somebody's peer.
func (p *peers) meet(r *table.Row) {
	word, bit := portsBit(r.Local.Port(), r.Remote.Port())
	if p.ports[word]&bit == 0 || !connected(r) {
		return
	}
	n, ok := p.chains[endsOf(r)]
	for ok && n >= 0 {
		p.wanted[n].meet(r)
		n = p.wanted[n].next
	}
}

// connected reports whether the row may be one of a pair. A raw socket's port is its protocol's number.
func connected(r *table.Row) bool {
	return r.Remote.Port() != 0 && r.Local.Port() != 0 && (sock.ProtosTCP | sock.ProtosUDP | sock.ProtosUDPLite | sock.ProtosSCTP).Has(r.Proto)
}

func endsOf(r *table.Row) ends {
	x := ends{local: unmapped(r.Local), remote: unmapped(r.Remote), family: r.Proto}
	if r.Proto.IPv6() {
		x.family-- // the protocols come in pairs
	}
	return x
}

func unmapped(a netip.AddrPort) netip.AddrPort { return netip.AddrPortFrom(a.Addr().Unmap(), a.Port()) }

func portsBit(a, b uint16) (word int, bit uint64) {
	h := (uint32(a)<<16 | uint32(b)) * 0x9e3779b1 >> 16
	return int(h / 64), 1 << (h % 64)
}

// meet takes r for the peer if it is a better one. The other end is in the same namespace or, unless the addresses are
// loopback's, which are each namespace's own, in another. A socket that had closed before the other was opened had other peers.
func (w *want) meet(r *table.Row) {
	const here, alive = 2, 1
	score := int8(0)
	if r.NetNS == w.row.NetNS {
		score |= here
	} else if w.loopback {
		return
	}
	if r.Closed == 0 {
		score |= alive
	}
	if before(r, w.row) || before(w.row, r) {
		return
	}
	switch {
	case w.peer == nil || score > w.score:
		w.peer, w.score, w.ambiguous = r, score, false
	case score < w.score:
	case r.NetNS != w.peer.NetNS:
		w.ambiguous = true
	case r.Owner.Known() != w.peer.Owner.Known():
		if r.Owner.Known() {
			w.peer = r
		}
	case r.At > w.peer.At || r.At == w.peer.At && r.ID > w.peer.ID:
		w.peer = r
	}
}

// before reports whether a had closed when b was opened.
func before(a, b *table.Row) bool { return a.Closed != 0 && b.Born != 0 && a.Closed < b.Born }

// found is the peer, or nil.
func (w *want) found() *table.Row {
	if w.ambiguous {
		return nil
	}
	return w.peer
}
