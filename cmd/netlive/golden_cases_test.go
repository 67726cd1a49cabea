// SPDX-License-Identifier: GPL-2.0-or-later

package main

import (
	"net"
	"net/netip"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"netlive/internal/kerneltest"
)

func itoa(n int) string { return strconv.Itoa(n) }

// listens makes a listener of the server's.
func (g *game) listens(backlog int) *endpoint {
	g.t.Helper()
	return g.player("server").socket("listener", false, 0).bind("127.0.0.1:0").listen(backlog)
}

// opens makes the client's connection to a listener.
func (l *endpoint) opens(name string) *endpoint {
	l.g.t.Helper()
	return l.g.player("client").socket(name, false, 0).connect(l.local.String())
}

// pair makes a connection that the server has accepted and nobody has used.
func (g *game) pair() (client, server *endpoint) {
	g.t.Helper()
	l := g.listens(8)
	client = l.opens("client")
	return client, l.accepts("server")
}

// talk makes a connection that both ends have used.
func (g *game) talk() (client, server *endpoint) {
	g.t.Helper()
	client, server = g.pair()
	client.writes(1)
	server.reads(1)
	return client, server
}

// talkMPTCP makes one by MPTCP, of which watch shows the subflows.
func (g *game) talkMPTCP() (client, server *endpoint) {
	g.t.Helper()
	l := g.player("server").socket("mptcp listener", false, unix.IPPROTO_MPTCP).bind("127.0.0.1:7000").listen(8)
	client = g.player("client").socket("mptcp client", false, unix.IPPROTO_MPTCP).connect("127.0.0.1:7000")
	server = l.accepts("mptcp server")
	_, tc, ts := l.subflow("listener"), client.subflow("client"), server.subflow("server")
	client.writes(1)
	server.reads(1)
	g.shown(tc, "ESTABLISHED client/held")
	g.shown(ts, "ESTABLISHED server/held")
	return client, server
}

// listens is the life of a listener that stays.
var listens = life{"listener", "CLOSE @server/exact LISTEN", "LISTEN server/exact"}

const (
	// opened is how a client begins, taken how the other end does when the server has read from it.
	opened = "CLOSE @client/exact SYN_SENT ESTABLISHED"
	queued = "LISTEN @server/listener SYN_RECV ESTABLISHED"
	taken  = queued + " @server/exact"
)

var goldens = []golden{
	{
		name: "active close",
		play: func(g *game) {
			c, s := g.talk()
			c.close()
			g.shown(c, "FIN_WAIT2 client/exact")
			s.readsEnd()
			g.shown(s, "CLOSE_WAIT server/exact")
			s.close()
			g.await(c, "TIME_WAIT")
		},
		want: []life{
			listens,
			{"client", opened + " FIN_WAIT1 FIN_WAIT2 CLOSE+FIN_WAIT2", "TIME_WAIT client/exact"},
			{"server", taken + " CLOSE_WAIT LAST_ACK CLOSE", "gone"},
		},
	},
	{
		name: "passive close",
		play: func(g *game) {
			c, s := g.talk()
			s.close()
			g.shown(s, "FIN_WAIT2 server/exact")
			g.shown(c, "CLOSE_WAIT client/exact")
			c.close()
			g.await(s, "TIME_WAIT")
		},
		want: []life{
			listens,
			{"client", opened + " CLOSE_WAIT LAST_ACK CLOSE", "gone"},
			{"server", taken + " FIN_WAIT1 FIN_WAIT2 CLOSE+FIN_WAIT2", "TIME_WAIT server/exact"},
		},
	},
	{
		name: "half close",
		play: func(g *game) {
			c, s := g.talk()
			c.shutWrite()
			s.readsEnd()
			g.shown(c, "FIN_WAIT2 client/exact")
			for range 20 {
				s.writes(1000)
				c.reads(1000)
			}
			g.shown(c, "FIN_WAIT2 client/exact")
			g.shown(s, "CLOSE_WAIT server/exact")
			s.close()
			c.readsEnd()
			g.shown(c, "TIME_WAIT client/exact")
			c.close() // of a descriptor: the connection has been in TIME_WAIT for long
		},
		want: []life{
			listens,
			{"client", opened + " FIN_WAIT1 FIN_WAIT2 CLOSE+TIME_WAIT", "TIME_WAIT client/exact"},
			{"server", taken + " CLOSE_WAIT LAST_ACK CLOSE", "gone"},
		},
	},
	{
		name: "simultaneous close",
		play: func(g *game) {
			c, s := g.talk()
			g.hold()
			c.shutWrite()
			s.shutWrite()
			g.shown(c, "FIN_WAIT1 client/exact")
			g.shown(s, "FIN_WAIT1 server/exact")
			g.release()
			g.await(c, "TIME_WAIT")
			g.await(s, "TIME_WAIT")
			c.close()
			s.close()
		},
		want: []life{
			listens,
			{"client", opened + " FIN_WAIT1 CLOSING CLOSE+TIME_WAIT", "TIME_WAIT client/exact"},
			{"server", taken + " FIN_WAIT1 CLOSING CLOSE+TIME_WAIT", "TIME_WAIT server/exact"},
		},
	},
	{
		name: "simultaneous open",
		play: func(g *game) {
			c := g.player("client").socket("client", false, 0).bind("127.0.0.1:7001")
			s := g.player("server").socket("server", false, 0).bind("127.0.0.1:7002")
			g.hold()
			c.do(order{Do: "connecting", Addr: "127.0.0.1:7002"})
			s.do(order{Do: "connecting", Addr: "127.0.0.1:7001"})
			c.remote, s.remote = s.local, c.local
			g.shown(c, "SYN_SENT client/exact")
			g.shown(s, "SYN_SENT server/exact")
			g.release()
			g.await(c, "ESTABLISHED")
			g.await(s, "ESTABLISHED")
		},
		want: []life{
			{"client", "CLOSE @client/exact SYN_SENT SYN_RECV ESTABLISHED", "ESTABLISHED client/held"},
			{"server", "CLOSE @server/exact SYN_SENT SYN_RECV ESTABLISHED", "ESTABLISHED server/held"},
		},
	},
	{
		name: "connected to itself",
		play: func(g *game) {
			c := g.player("client").socket("client", false, 0).bind("127.0.0.1:7003")
			c.connect("127.0.0.1:7003")
			c.writes(1)
			c.reads(1)
			g.shown(c, "ESTABLISHED client/held")
			c.shutWrite()
			g.await(c, "TIME_WAIT")
		},
		want: []life{
			{"client", "CLOSE @client/exact SYN_SENT SYN_RECV ESTABLISHED FIN_WAIT1 CLOSING CLOSE+TIME_WAIT", "TIME_WAIT client/exact"},
		},
	},
	{
		name: "reset by client",
		play: func(g *game) {
			c, s := g.talk()
			c.resets()
			s.fails(unix.ECONNRESET)
		},
		want: []life{listens, {"client", opened + " CLOSE", "gone"}, {"server", taken + " CLOSE", "gone"}},
	},
	{
		name: "reset by server",
		play: func(g *game) {
			c, s := g.talk()
			s.resets()
			c.fails(unix.ECONNRESET)
		},
		want: []life{listens, {"client", opened + " CLOSE", "gone"}, {"server", taken + " CLOSE", "gone"}},
	},
	{
		name: "reset after a half close",
		play: func(g *game) {
			c, s := g.talk()
			c.shutWrite()
			s.readsEnd()
			g.shown(c, "FIN_WAIT2 client/exact")
			c.resets()
			g.await(s, "gone")
		},
		want: []life{
			listens,
			{"client", opened + " FIN_WAIT1 FIN_WAIT2 CLOSE", "gone"},
			{"server", taken + " CLOSE_WAIT CLOSE", "gone"},
		},
	},
	{
		name: "closed with data unread",
		play: func(g *game) {
			c, s := g.pair()
			c.writes(100)
			g.shown(s, "ESTABLISHED server/held")
			s.close()
			c.fails(unix.ECONNRESET)
		},
		want: []life{listens, {"client", opened + " CLOSE", "gone"}, {"server", queued + " CLOSE", "gone"}},
	},
	{
		name: "refused",
		play: func(g *game) {
			c := g.player("client").socket("client", false, 0).bind("127.0.0.1:7000")
			c.remote = netip.MustParseAddrPort("127.0.0.1:9")
			if r := c.tryConnect("127.0.0.1:9"); r.Errno != unix.ECONNREFUSED {
				g.t.Fatal(r)
			}
		},
		want: []life{{"client", "CLOSE @client/exact SYN_SENT CLOSE", "gone"}},
	},
	{
		name: "timed out connecting",
		play: func(g *game) {
			g.exponential()
			l := g.listens(8)
			l.deaf()
			c := g.player("client").socket("client", false, 0).bind("127.0.0.1:7000")
			c.set(unix.IPPROTO_TCP, unix.TCP_SYNCNT, 1)
			c.remote = l.local
			failed := c.by.begin(order{Do: "connect", Addr: l.local.String(), FD: c.fd})
			g.shown(c, "SYN_SENT client/exact")
			if r := failed(); r.Errno != unix.ETIMEDOUT {
				g.t.Fatal(r)
			}
		},
		want: []life{listens, {"client", "CLOSE @client/exact SYN_SENT CLOSE", "gone"}},
	},
	{
		name: "timed out connected",
		play: func(g *game) {
			c, s := g.talk()
			c.set(unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT, 300)
			s.deaf()
			c.writes(1)
			c.fails(unix.ETIMEDOUT)
		},
		want: []life{listens, {"client", opened + " CLOSE", "gone"}, {"server", queued, "ESTABLISHED server/held"}},
	},
	{
		name: "given up connecting",
		play: func(g *game) {
			l := g.listens(8)
			l.deaf()
			c := g.player("client").socket("client", false, 0).bind("127.0.0.1:7000")
			c.do(order{Do: "connecting", Addr: l.local.String()})
			c.remote = l.local
			g.shown(c, "SYN_SENT client/exact")
			c.close()
		},
		want: []life{listens, {"client", "CLOSE @client/exact SYN_SENT CLOSE", "gone"}},
	},
	{
		name: "request that waits",
		play: func(g *game) {
			l := g.listens(8)
			c := g.player("client").socket("client", false, 0).bind("127.0.0.1:7000")
			c.deaf() // to the answer
			c.do(order{Do: "connecting", Addr: l.local.String()})
			c.remote = l.local
			g.shown(c, "SYN_SENT client/exact")
			request := &endpoint{g: g, name: "request", local: l.local, remote: c.local}
			if _, wrong := g.until(func(f frameJSON) []string {
				// It is the kernel's alone, made for the listener.
				if got := g.row(f, request); got != "SYN_RECV -" && got != "SYN_RECV server/listener" {
					return []string{"the request is shown as " + got}
				}
				return nil
			}); len(wrong) > 0 {
				g.wrongs = append(g.wrongs, wrong...)
			}
			c.hears()
			s := l.accepts("server")
			c.writes(1)
			s.reads(1)
		},
		want: []life{
			listens,
			{"client", opened, "ESTABLISHED client/held"},
			{"server", queued, "ESTABLISHED server/held"},
		},
	},
	{
		name: "never accepted",
		play: func(g *game) {
			l := g.listens(8)
			a, b := l.opens("a"), l.opens("b")
			qa, qb := g.find("queued a", l.local, a.local), g.find("queued b", l.local, b.local)
			g.shown(qa, "ESTABLISHED server/listener")
			g.shown(qb, "ESTABLISHED server/listener")
			l.close()
			a.fails(unix.ECONNRESET)
			b.fails(unix.ECONNRESET)
		},
		want: []life{
			{"listener", "CLOSE @server/exact LISTEN CLOSE", "gone"},
			{"a", opened + " CLOSE", "gone"},
			{"b", opened + " CLOSE", "gone"},
			{"queued a", queued + " CLOSE", "gone"},
			{"queued b", queued + " CLOSE", "gone"},
		},
	},
	{
		name: "closed in the queue",
		play: func(g *game) {
			l := g.listens(8)
			c := l.opens("client")
			q := g.find("queued", l.local, c.local)
			c.close()
			g.shown(q, "CLOSE_WAIT server/listener")
			g.shown(c, "FIN_WAIT2 client/exact")
			l.close()
			g.await(c, "gone")
		},
		want: []life{
			{"listener", "CLOSE @server/exact LISTEN CLOSE", "gone"},
			{"client", opened + " FIN_WAIT1 FIN_WAIT2 CLOSE+FIN_WAIT2", "gone"},
			{"queued", queued + " CLOSE_WAIT CLOSE", "gone"},
		},
	},
	{
		name: "listener with a full queue closed",
		play: func(g *game) {
			l := g.listens(0) // room for one
			a := l.opens("a")
			qa := g.find("queued a", l.local, a.local)
			b := g.player("client").socket("b", false, 0).bind("127.0.0.1:7000")
			b.do(order{Do: "connecting", Addr: l.local.String()})
			b.remote = l.local
			g.shown(qa, "ESTABLISHED server/listener")
			g.shown(b, "SYN_SENT client/exact")
			l.close()
			a.fails(unix.ECONNRESET)
			b.fails(unix.ECONNREFUSED) // by the answer to its second SYN
		},
		want: []life{
			{"listener", "CLOSE @server/exact LISTEN CLOSE", "gone"},
			{"a", opened + " CLOSE", "gone"},
			{"queued a", queued + " CLOSE", "gone"},
			{"b", "CLOSE @client/exact SYN_SENT CLOSE", "gone"},
		},
	},
	{
		name: "listening again",
		play: func(g *game) {
			// A port of its own choice, which it keeps.
			l := g.player("server").socket("listener", false, 0).bind("127.0.0.1:7000").listen(8)
			g.shown(l, "LISTEN server/exact")
			l.do(order{Do: "shutdown", Value: unix.SHUT_RD})
			g.shown(l, "gone")
			l.listen(8)
		},
		want: []life{{"listener", "CLOSE @server/exact LISTEN CLOSE LISTEN", "LISTEN server/exact"}},
	},
	{
		name: "accepted then exec",
		play: func(g *game) {
			_, s := g.talk()
			g.shown(s, "ESTABLISHED server/held")
			s.by.become("changeling")
			g.shown(s, "ESTABLISHED server:changeling/held")
			s.close()
		},
		want: []life{
			{"listener", "CLOSE @server/exact LISTEN", "LISTEN server:changeling/held"},
			{"client", opened + " CLOSE_WAIT", "CLOSE_WAIT client/exact"},
			{"server", queued + " @server:changeling/exact FIN_WAIT1 FIN_WAIT2 CLOSE+FIN_WAIT2", "FIN_WAIT2 server:changeling/exact"},
		},
	},
	{
		name: "accepted then exec, and used after",
		play: func(g *game) {
			c, s := g.pair()
			s.by.become("changeling")
			c.writes(1)
			s.reads(1)
			g.shown(s, "ESTABLISHED server:changeling/held")
			s.close()
		},
		want: []life{
			{"listener", "CLOSE @server/exact LISTEN", "LISTEN server:changeling/held"},
			{"client", opened + " CLOSE_WAIT", "CLOSE_WAIT client/exact"},
			{"server", queued + " @server:changeling/exact FIN_WAIT1 FIN_WAIT2 CLOSE+FIN_WAIT2", "FIN_WAIT2 server:changeling/exact"},
		},
	},
	{
		name: "workers accept",
		play: func(g *game) {
			l := g.listens(8)
			w1, w2 := l.by.spawn("worker1", l), l.by.spawn("worker2", l)
			a := l.opens("a")
			sa := l.accepted("sa", w1, 3, "accept")
			b := l.opens("b")
			sb := l.accepted("sb", w2, 3, "accept")
			a.writes(1)
			sa.reads(1)
			b.writes(1)
			sb.reads(1)
			g.shown(sa, "ESTABLISHED worker1/held")
			g.shown(sb, "ESTABLISHED worker2/held")
			sa.close()
			g.await(a, "CLOSE_WAIT")
		},
		want: []life{
			{"listener", "CLOSE @server/exact LISTEN", "LISTEN server/exact,worker1/seeded,worker2/seeded"},
			{"a", opened + " CLOSE_WAIT", "CLOSE_WAIT client/exact"},
			{"b", opened, "ESTABLISHED client/held"},
			{"sa", queued + " @worker1/exact FIN_WAIT1 FIN_WAIT2 CLOSE+FIN_WAIT2", "FIN_WAIT2 worker1/exact"},
			{"sb", queued, "ESTABLISHED worker2/held"},
		},
	},
	{
		name: "workers speak first",
		play: func(g *game) {
			l := g.listens(8)
			w := l.by.spawn("worker", l)
			c := l.opens("client")
			s := l.accepted("server", w, 3, "accept")
			s.writes(1)
			c.reads(1)
			g.shown(s, "ESTABLISHED worker/held")
			s.close()
			g.await(c, "CLOSE_WAIT")
		},
		want: []life{
			{"listener", "CLOSE @server/exact LISTEN", "LISTEN server/exact,worker/seeded"},
			{"client", opened + " CLOSE_WAIT", "CLOSE_WAIT client/exact"},
			{"server", queued + " @worker/exact FIN_WAIT1 FIN_WAIT2 CLOSE+FIN_WAIT2", "FIN_WAIT2 worker/exact"},
		},
	},
	{
		name: "workers only close",
		play: func(g *game) {
			l := g.listens(8)
			w := l.by.spawn("worker", l)
			c := l.opens("client")
			s := l.accepted("server", w, 3, "accept")
			g.shown(s, "ESTABLISHED worker/held")
			s.close()
			g.await(c, "CLOSE_WAIT")
		},
		want: []life{
			{"listener", "CLOSE @server/exact LISTEN", "LISTEN server/exact,worker/seeded"},
			{"client", opened + " CLOSE_WAIT", "CLOSE_WAIT client/exact"},
			{"server", queued + " @worker/exact FIN_WAIT1 FIN_WAIT2 CLOSE+FIN_WAIT2", "FIN_WAIT2 worker/held"},
		},
	},
	{
		name: "inherited by a child",
		play: func(g *game) {
			c, s := g.pair()
			heir := s.by.spawn("heir", s)
			g.shown(s, "ESTABLISHED heir/held,server/held")
			s.close()
			s.moved(heir, 3)
			c.writes(1)
			s.reads(1)
			g.shown(s, "ESTABLISHED heir/held")
			s.close()
			g.await(c, "CLOSE_WAIT")
		},
		want: []life{
			listens,
			{"client", opened + " CLOSE_WAIT", "CLOSE_WAIT client/exact"},
			{"server", queued + " @heir/exact FIN_WAIT1 FIN_WAIT2 CLOSE+FIN_WAIT2", "FIN_WAIT2 heir/exact"},
		},
	},
	{
		name: "inherited by a child after use",
		play: func(g *game) {
			c, s := g.talk()
			heir := s.by.spawn("heir", s)
			g.shown(s, "ESTABLISHED heir/held,server/held")
			s.close()
			s.moved(heir, 3)
			c.writes(1)
			s.reads(1)
			g.shown(s, "ESTABLISHED heir/held")
			s.close()
			g.await(c, "CLOSE_WAIT")
		},
		want: []life{
			listens,
			{"client", opened + " CLOSE_WAIT", "CLOSE_WAIT client/exact"},
			{"server", queued + " @heir/exact FIN_WAIT1 FIN_WAIT2 CLOSE+FIN_WAIT2", "FIN_WAIT2 heir/exact"},
		},
	},
	{
		name: "passed to another process",
		play: func(g *game) {
			c, s := g.pair()
			to := g.player("taker")
			fd := s.pass(to)
			g.shown(s, "ESTABLISHED server/held,taker/held")
			s.close()
			s.moved(to, fd)
			c.writes(1)
			s.reads(1)
			g.shown(s, "ESTABLISHED taker/held")
			s.close()
			g.await(c, "CLOSE_WAIT")
		},
		want: []life{
			listens,
			{"client", opened + " CLOSE_WAIT", "CLOSE_WAIT client/exact"},
			{"server", queued + " @taker/exact FIN_WAIT1 FIN_WAIT2 CLOSE+FIN_WAIT2", "FIN_WAIT2 taker/exact"},
		},
	},
	{
		name: "passed to another process after use",
		play: func(g *game) {
			c, s := g.talk()
			to := g.player("taker")
			fd := s.pass(to)
			s.close()
			s.moved(to, fd)
			c.writes(1)
			s.reads(1)
			g.shown(s, "ESTABLISHED taker/held")
			s.close()
			g.await(c, "CLOSE_WAIT")
		},
		want: []life{
			listens,
			{"client", opened + " CLOSE_WAIT", "CLOSE_WAIT client/exact"},
			{"server", queued + " @taker/exact FIN_WAIT1 FIN_WAIT2 CLOSE+FIN_WAIT2", "FIN_WAIT2 taker/exact"},
		},
	},
	{
		name: "group of listeners",
		play: func(g *game) {
			l1 := g.player("server").socket("listener", false, 0).set(unix.SOL_SOCKET, unix.SO_REUSEPORT, 1).bind("127.0.0.1:0").listen(8)
			l2 := g.player("second").socket("listener2", false, 0).set(unix.SOL_SOCKET, unix.SO_REUSEPORT, 1).bind(l1.local.String()).listen(8)
			l1.do(order{Do: "steer", Value: 1})
			b := l1.opens("b")
			l1.do(order{Do: "steer", Value: 0})
			a := l1.opens("a")
			sa, sb := l1.accepts("sa"), l2.accepts("sb")
			if sa.remote != a.local || sb.remote != b.local {
				g.t.Fatal("the group is not steered")
			}
			sa.resets()
			a.fails(unix.ECONNRESET)
			sb.resets()
			b.fails(unix.ECONNRESET)
		},
		want: []life{
			listens,
			{"listener2", "CLOSE @second/exact LISTEN", "LISTEN second/exact"},
			{"a", opened + " CLOSE", "gone"},
			{"b", opened + " CLOSE", "gone"},
			{"sa", queued + " CLOSE", "gone"},
			{"sb", "LISTEN @second/listener SYN_RECV ESTABLISHED CLOSE", "gone"},
		},
	},
	{
		name: "IPv6",
		play: func(g *game) {
			l := g.player("server").socket("listener", true, 0).bind("[::1]:0").listen(8)
			c := g.player("client").socket("client", true, 0).connect(l.local.String())
			s := l.accepts("server")
			c.writes(1)
			s.reads(1)
			c.close()
			s.readsEnd()
			g.shown(c, "FIN_WAIT2 client/exact")
			s.close()
			g.await(c, "TIME_WAIT")
		},
		want: []life{
			listens,
			{"client", opened + " FIN_WAIT1 FIN_WAIT2 CLOSE+FIN_WAIT2", "TIME_WAIT client/exact"},
			{"server", taken + " CLOSE_WAIT LAST_ACK CLOSE", "gone"},
		},
	},
	{
		name: "IPv4 to a listener of both",
		play: func(g *game) {
			l := g.player("server").socket("listener", true, 0).set(unix.IPPROTO_IPV6, unix.IPV6_V6ONLY, 0).bind("[::]:7000").listen(8)
			c := g.player("client").socket("client", false, 0).connect("127.0.0.1:7000")
			s := l.accepts("server")
			c.writes(1)
			s.reads(1)
			s.close()
			g.shown(s, "FIN_WAIT2 server/exact")
			c.close()
			g.await(s, "TIME_WAIT")
		},
		want: []life{
			listens,
			{"client", opened + " CLOSE_WAIT LAST_ACK CLOSE", "gone"},
			{"server", taken + " FIN_WAIT1 FIN_WAIT2 CLOSE+FIN_WAIT2", "TIME_WAIT server/exact"},
		},
	},
	{
		name: "link-local client",
		play: func(g *game) {
			far, zone, farZone := g.link()
			// In the other namespace: netlive must not tell of these.
			l := g.playerIn(far, "server").socket("far listener", true, 0).bind("[fe80::2%" + farZone + "]:7000").listen(8)
			c := g.player("client").socket("client", true, 0).connect("[fe80::2%" + zone + "]:7000")
			s := l.accepts("far server")
			s.writes(1)
			c.reads(1)
			g.shown(c, "ESTABLISHED client/held")
			c.close()
			s.readsEnd()
			g.await(c, "FIN_WAIT2")
		},
		want: []life{{"client", opened + " FIN_WAIT1 FIN_WAIT2 CLOSE+FIN_WAIT2", "FIN_WAIT2 client/exact"}},
	},
	{
		name: "link-local server",
		play: func(g *game) {
			far, zone, farZone := g.link()
			l := g.player("server").socket("listener", true, 0).bind("[fe80::1%" + zone + "]:7000").listen(8)
			c := g.playerIn(far, "client").socket("far client", true, 0).connect("[fe80::1%" + farZone + "]:7000")
			s := l.accepts("server")
			c.writes(1)
			s.reads(1)
			g.shown(s, "ESTABLISHED server/held")
			c.close()
			s.readsEnd()
		},
		want: []life{listens, {"server", taken + " CLOSE_WAIT", "CLOSE_WAIT server/exact"}},
	},
	{
		name:  "MPTCP",
		lacks: noMPTCP,
		play:  func(g *game) { g.talkMPTCP() },
		// No read of the subflow is told: its listener's process is all that is known.
		want: []life{listens, {"client", opened, "ESTABLISHED client/held"}, {"server", queued, "ESTABLISHED server/held"}},
	},
	{
		name:  "MPTCP that is reset",
		lacks: noMPTCPReset,
		play: func(g *game) {
			c, s := g.talkMPTCP()
			c.resets()
			s.fails(unix.ECONNRESET)
		},
		want: []life{listens, {"client", opened + " CLOSE", "gone"}, {"server", queued + " CLOSE", "gone"}},
	},
	{
		name:    "MPTCP taken by a worker",
		pending: "an accepted MPTCP socket is cloned with its listener's cookie, so the listener's owners are taken for its own; no read of it is told",
		lacks:   noMPTCP,
		play: func(g *game) {
			l := g.player("server").socket("mptcp listener", false, unix.IPPROTO_MPTCP).bind("127.0.0.1:7000").listen(8)
			w := l.by.spawn("worker", l)
			c := g.player("client").socket("mptcp client", false, unix.IPPROTO_MPTCP).connect("127.0.0.1:7000")
			s := l.accepted("mptcp server", w, 3, "accept")
			_, tc, ts := l.subflow("listener"), c.subflow("client"), s.subflow("server")
			c.writes(1)
			s.reads(1)
			g.shown(tc, "ESTABLISHED client/held")
			g.shown(ts, "ESTABLISHED worker/held")
		},
		want: []life{
			{"listener", "CLOSE @server/exact LISTEN", "LISTEN server/exact,worker/seeded"},
			{"client", opened, "ESTABLISHED client/held"},
			{"server", queued + " @worker/exact", "ESTABLISHED worker/held"},
		},
	},
	{
		name: "fast open",
		play: func(g *game) {
			g.sysctl("net/ipv4/tcp_fastopen", itoa(0x1|0x2|0x4|0x200)) // client, server, and neither asks for a cookie
			l := g.player("server").socket("listener", false, 0).bind("127.0.0.1:7000").set(unix.IPPROTO_TCP, unix.TCP_FASTOPEN, 5).listen(8)
			c := g.player("client").socket("client", false, 0).bind("127.0.0.1:7001")
			c.deaf() // so that the handshake waits: data are there before its end
			opening := c.by.begin(order{Do: "fastopen", Addr: "127.0.0.1:7000", Value: 10, FD: c.fd})
			s := l.accepts("server")
			s.reads(10)
			g.shown(s, "SYN_RECV server/held")
			c.remote = l.local
			g.shown(c, "SYN_SENT client/exact")
			c.hears()
			if r := opening(); r.Err != "" {
				g.t.Fatal(r)
			}
			s.writes(10)
			c.reads(10)
			c.close()
			s.readsEnd()
			g.await(c, "FIN_WAIT2")
		},
		want: []life{
			listens,
			{"client", opened + " FIN_WAIT1 FIN_WAIT2 CLOSE+FIN_WAIT2", "FIN_WAIT2 client/exact"},
			{"server", "LISTEN @server/listener SYN_RECV @server/exact ESTABLISHED CLOSE_WAIT", "CLOSE_WAIT server/exact"},
		},
	},
	{
		name:  "accepted by io_uring",
		lacks: noRing,
		play: func(g *game) {
			l := g.listens(8)
			w := l.by.spawn("worker", l)
			taking := w.begin(order{Do: "ring-accept", FD: 3})
			c := l.opens("client")
			r := taking()
			if r.Err != "" {
				g.t.Fatal(r)
			}
			s := g.add(&endpoint{name: "server", by: w, fd: r.FD, cookie: r.Cookie})
			s.is(r)
			c.writes(1)
			s.reads(1)
			c.close()
			s.readsEnd()
			g.await(c, "FIN_WAIT2")
		},
		want: []life{
			{"listener", "CLOSE @server/exact LISTEN", "LISTEN server/exact,worker/seeded"},
			{"client", opened + " FIN_WAIT1 FIN_WAIT2 CLOSE+FIN_WAIT2", "FIN_WAIT2 client/exact"},
			{"server", queued + " @worker/exact CLOSE_WAIT", "CLOSE_WAIT worker/exact"},
		},
	},
	{
		name: "orphan whose peer never ends",
		play: func(g *game) {
			g.sysctl("net/ipv4/tcp_fin_timeout", "3")
			c, s := g.talk()
			c.close()
			s.readsEnd()
			g.shown(c, "FIN_WAIT2 client/exact")
			g.await(c, "gone")
		},
		want: []life{
			listens,
			{"client", opened + " FIN_WAIT1 FIN_WAIT2 CLOSE+FIN_WAIT2", "gone"},
			{"server", taken + " CLOSE_WAIT", "CLOSE_WAIT server/exact"},
		},
	},
	{
		name: "orphan that waits for long",
		play: func(g *game) {
			// More than TIME_WAIT's minute: the full socket waits, by a timer, and no minisocket is made.
			g.sysctl("net/ipv4/tcp_fin_timeout", "100")
			c, s := g.talk()
			c.close()
			s.readsEnd()
			g.shown(c, "FIN_WAIT2 client/exact")
			s.close()
			g.await(c, "TIME_WAIT")
		},
		want: []life{
			listens,
			{"client", opened + " FIN_WAIT1 FIN_WAIT2 CLOSE+TIME_WAIT", "TIME_WAIT client/exact"},
			{"server", taken + " CLOSE_WAIT LAST_ACK CLOSE", "gone"},
		},
	},
	{
		name: "orphan that nobody answers",
		play: func(g *game) {
			c, s := g.talk()
			s.deaf()
			c.close()
			g.shown(c, "FIN_WAIT1 client/exact")
		},
		want: []life{
			listens,
			{"client", opened + " FIN_WAIT1", "FIN_WAIT1 client/exact"},
			{"server", queued, "ESTABLISHED server/held"},
		},
	},
	{
		name: "killed",
		play: func(g *game) {
			c, s := g.talk()
			g.shown(c, "ESTABLISHED client/held")
			c.by.kill()
			s.readsEnd()
			g.await(c, "FIN_WAIT2")
		},
		want: []life{
			listens,
			{"client", opened + " FIN_WAIT1 FIN_WAIT2 CLOSE+FIN_WAIT2", "FIN_WAIT2 client/exact"},
			{"server", taken + " CLOSE_WAIT", "CLOSE_WAIT server/exact"},
		},
	},
	{
		name: "there before netlive",
		before: func(g *game) {
			l := g.listens(8)
			l.opens("client")
			l.accepts("server")
		},
		play: func(g *game) {
			c, s := g.sockets["client"], g.sockets["server"]
			g.shown(c, "ESTABLISHED client/seeded")
			g.shown(s, "ESTABLISHED server/seeded")
			c.close()
			s.readsEnd()
			g.shown(c, "FIN_WAIT2 client/exact")
			s.close()
			g.await(c, "TIME_WAIT")
			// The listener's next connection has its owner too.
			s2 := g.find("queued", g.sockets["listener"].local, g.sockets["listener"].opens("client2").local)
			g.shown(s2, "ESTABLISHED server/listener")
		},
		want: []life{
			{"listener", "", "LISTEN server/seeded"},
			{"client", "ESTABLISHED @client/exact FIN_WAIT1 FIN_WAIT2 CLOSE+FIN_WAIT2", "TIME_WAIT client/exact"},
			{"client2", opened, "ESTABLISHED client/held"},
			{"server", "ESTABLISHED @server/seeded CLOSE_WAIT @server/exact LAST_ACK CLOSE", "gone"},
			{"queued", queued, "ESTABLISHED server/listener"},
		},
	},
	{
		// Its events were before netlive, and none tells that it is accepted.
		name:   "queued before netlive",
		before: func(g *game) { g.listens(8).opens("client") },
		play: func(g *game) {
			s := g.sockets["listener"].accepts("server")
			g.shown(s, "ESTABLISHED server/seeded")
			s.nobodys = time.Now()
		},
		want: []life{
			{"listener", "", "LISTEN server/seeded"},
			{"client", "", "ESTABLISHED client/seeded"},
			{"server", "", "ESTABLISHED server/seeded"},
		},
	},
	{
		name: "half closed before netlive",
		before: func(g *game) {
			c, s := g.talk()
			c.shutWrite()
			s.readsEnd()
			g.await(c, "FIN_WAIT2")
		},
		play: func(g *game) {
			c, s := g.sockets["client"], g.sockets["server"]
			g.shown(c, "FIN_WAIT2 client/seeded")
			g.shown(s, "CLOSE_WAIT server/seeded")
			s.close()
			g.await(c, "TIME_WAIT")
		},
		want: []life{
			{"listener", "", "LISTEN server/seeded"},
			{"client", "FIN_WAIT2 @client/seeded CLOSE+TIME_WAIT", "TIME_WAIT client/seeded"},
			{"server", "CLOSE_WAIT @server/exact LAST_ACK CLOSE", "gone"},
		},
	},
	{
		name: "disconnected and connected again",
		play: func(g *game) {
			l := g.listens(8)
			c := g.player("client").socket("client", false, 0)
			c.moves = true
			c.connect(l.local.String())
			s := l.accepts("server")
			c.writes(1)
			s.reads(1)
			g.shown(c, "ESTABLISHED client/held")
			c.do(order{Do: "disconnect"})
			s.fails(unix.ECONNRESET)
			g.shown(c, "gone")
			c.connect(l.local.String())
			s2 := l.accepts("server2")
			c.writes(1)
			s2.reads(1)
			g.shown(c, "ESTABLISHED client/held")
			c.shutWrite()
			s2.readsEnd()
			g.await(c, "FIN_WAIT2")
		},
		want: []life{
			listens,
			{"client", opened + " CLOSE SYN_SENT ESTABLISHED FIN_WAIT1 FIN_WAIT2", "FIN_WAIT2 client/exact"},
			{"server", taken + " CLOSE", "gone"},
			{"server2", taken + " CLOSE_WAIT", "CLOSE_WAIT server/exact"},
		},
	},
}

// subflow is what netstat shows of an MPTCP socket: a TCP socket without a descriptor, which those hold who hold the other.
func (e *endpoint) subflow(name string) *endpoint {
	e.g.t.Helper()
	tcp := e.g.find(name, e.local, e.remote)
	if tcp.cookie == e.cookie {
		e.g.t.Fatalf("%s is no subflow", name)
	}
	tcp.holders = e.holders
	delete(e.g.sockets, e.name) // which is in no table
	return tcp
}

// hold keeps all that is sent in the namespace's loopback device until release: the ends speak past each other. (This needs
// sch_tbf; netem, which delays, is in fewer kernels.)
func (g *game) hold() {
	g.t.Helper()
	// A byte a second: what is behind the first packet that finds the bucket empty stays there for longer than the test.
	runIn(g.t, g.ns, tool(g.t, "tc"), "qdisc", "add", "dev", "lo", "root", "tbf", "rate", "8bit", "burst", "2000", "limit", "100000")
	// The bucket begins full.
	g.ns.Do(func() {
		c, err := net.Dial("udp4", "127.0.0.1:9")
		if err != nil {
			g.t.Fatal(err)
		}
		defer c.Close()
		for held := ""; !strings.Contains(held, "backlog") || strings.Contains(held, "backlog 0b"); {
			_, _ = c.Write(make([]byte, 1200)) // refused, or not
			held = string(runIn(g.t, g.ns, tool(g.t, "tc"), "-s", "qdisc", "show", "dev", "lo"))
		}
	})
}

// release lets go of what hold kept, in its order.
func (g *game) release() {
	g.t.Helper()
	runIn(g.t, g.ns, tool(g.t, "tc"), "qdisc", "change", "dev", "lo", "root", "tbf", "rate", "1gbit", "burst", "100000", "limit", "100000")
	// The queue is looked at when something is sent, or by the old rate's timer.
	g.ns.Do(func() {
		c, err := net.Dial("udp4", "127.0.0.1:9")
		if err != nil {
			g.t.Fatal(err)
		}
		defer c.Close()
		_, _ = c.Write([]byte{0}) // refused, or not
	})
}

// link joins the namespace to another by a pair of devices, with fe80::1 on this side and fe80::2 on the other; zones are the
// devices' numbers.
func (g *game) link() (far *kerneltest.NS, zone, farZone string) {
	g.t.Helper()
	far = kerneltest.NetNS(g.t)
	holder := start(g.t, far, "cat")
	ip := tool(g.t, "ip")
	runIn(g.t, g.ns, ip, "link", "add", "v0", "type", "veth", "peer", "name", "v1", "netns", itoa(holder.Process.Pid))
	zones := map[string]string{}
	for dev, side := range map[string]struct {
		ns   *kerneltest.NS
		addr string
	}{"v0": {g.ns, "fe80::1/64"}, "v1": {far, "fe80::2/64"}} {
		runIn(g.t, side.ns, ip, "link", "set", "dev", dev, "addrgenmode", "none")
		runIn(g.t, side.ns, ip, "addr", "add", side.addr, "dev", dev, "nodad")
		runIn(g.t, side.ns, ip, "link", "set", dev, "up")
		side.ns.Do(func() {
			i, err := net.InterfaceByName(dev)
			if err != nil {
				g.t.Fatal(err)
			}
			zones[dev] = itoa(i.Index)
		})
	}
	return far, zones["v0"], zones["v1"]
}

// noMPTCP and noRing say what the kernel lacks.
func noMPTCP(*testing.T) string {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, unix.IPPROTO_MPTCP)
	if err != nil {
		return "a socket of MPTCP: " + err.Error()
	}
	unix.Close(fd)
	return ""
}

// noMPTCPReset: on some kernels, as on Debian's 6.16 and 6.18, an MPTCP socket that is closed without lingering ends its stream and resets nothing.
func noMPTCPReset(t *testing.T) string {
	if kerneltest.InVM() {
		return "MPTCP that resets, on each of the kernels"
	}
	return noMPTCP(t)
}

func noRing(*testing.T) string {
	fd, err := openRing(&ringParams{})
	if err != nil {
		return err.Error()
	}
	unix.Close(fd)
	return ""
}
