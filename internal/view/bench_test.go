// SPDX-License-Identifier: GPL-2.0-or-later

package view

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"testing"

	"netlive/internal/sock"
	"netlive/internal/table"
)

// busy is a table of connections of some hundred processes, in no order, half of them having the other end of another.
func busy(n int) *table.Table {
	socks := make([]sock.Socket, n)
	rng := rand.New(rand.NewPCG(7, 8))
	for i := range socks {
		pair := uint32(i / 2)
		client := netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, byte(pair >> 16), byte(pair >> 8), byte(pair)}), 40000)
		server := netip.MustParseAddrPort("192.0.2.1:443")
		socks[i] = sock.Socket{ID: sock.ID(i + 1), At: 11, Proto: sock.TCP, State: sock.Established,
			Local: server, Remote: client, Queue: sock.Queue{Recv: rng.Uint32N(1000)},
			Owner: sock.Owner{PID: 1 + rng.Uint32N(300), Start: 5}}
		if i%4 == 1 {
			socks[i].Local, socks[i].Remote = client, server
		}
	}
	rng.Shuffle(n, func(i, j int) { socks[i], socks[j] = socks[j], socks[i] })
	return filled(socks...)
}

func byQueue(a, b *table.Row) int { return cmp.Compare(b.Queue.Recv, a.Queue.Recv) }

func byProcess(r *table.Row) Key { return Key{N: uint64(r.Owner.PID), M: r.Owner.Start} }

func byRemote(r *table.Row) Key { return Key{Addr: netip.AddrPortFrom(r.Remote.Addr(), 0)} }

func queues(g *Group, r *table.Row) { g.Sum[0] += float64(r.Queue.Recv) }

func BenchmarkViews(b *testing.B) {
	const height = 50
	closed := func(Key) bool { return false }
	for _, n := range []int{50_000, 200_000} {
		tab := busy(n)
		var whole Frame
		Build(tab, Query{Height: n, Compare: byQueue}, 100, &whole)
		middle := Place{ID: whole.Rows[n/2].ID}
		process := Grouping{Key: byProcess, Add: queues}
		processes, one, remotes, sorted := process, process, process, process
		processes.Open = closed
		one.Key, one.Open = func(*table.Row) Key { return Key{} }, nil
		remotes.Key, remotes.Open = byRemote, closed
		sorted.Key, sorted.Open, sorted.Compare = byRemote, closed, func(a, b *Group) int { return cmp.Compare(a.Sum[0], b.Sum[0]) }
		for _, c := range []struct {
			name string
			q    Query
		}{
			{"flat", Query{}},
			{"sorted", Query{Compare: byQueue}},
			{"followed in the middle", Query{Follow: middle, FollowLine: 20}},
			{"sorted, followed in the middle", Query{Compare: byQueue, Follow: middle, FollowLine: 20}},
			{"peers", Query{Peers: true}},
			{"processes", Query{Group: &process}},
			{"processes, closed", Query{Group: &processes}},
			{"processes, sorted, followed", Query{Group: &process, Compare: byQueue, Follow: middle, FollowLine: 20}},
			{"one group, followed", Query{Group: &one, Compare: byQueue, Follow: middle, FollowLine: 20}},
			{"remotes", Query{Group: &remotes}},
			{"remotes, sorted", Query{Group: &sorted, Compare: byQueue}},
			{"held", Query{Held: Hold(tab, Query{}, 100)}},
			{"held processes", Query{Group: &process, Held: Hold(tab, Query{Group: &process}, 100), Follow: middle}},
		} {
			c.q.Height, c.q.Ghosts = height, true
			b.Run(fmt.Sprintf("%d/%s", n, c.name), func(b *testing.B) {
				var f Frame
				Build(tab, c.q, 100, &f) // the memory that it keeps
				b.ReportAllocs()
				for b.Loop() {
					Build(tab, c.q, 100, &f)
				}
			})
		}
		b.Run(fmt.Sprintf("%d/hold", n), func(b *testing.B) {
			for b.Loop() {
				Hold(tab, Query{Compare: byQueue}, 100)
			}
		})
		b.Run(fmt.Sprintf("%d/find", n), func(b *testing.B) {
			for b.Loop() {
				Find(tab, Query{Compare: byQueue, Group: &process}, 100, middle, false, func(r *table.Row) bool { return r.ID%512 == 7 })
			}
		})
	}
}
