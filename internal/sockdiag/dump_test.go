// SPDX-License-Identifier: GPL-2.0-or-later

package sockdiag

import (
	"bytes"
	"context"
	"errors"
	"net/netip"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"netlive/internal/kerneltest"
	"netlive/internal/sock"
)

// many makes n connections over each family, and a listener for each.
func many(t testing.TB, ns *kerneltest.NS, n int) (ends []end) {
	t.Helper()
	ns.Do(func() {
		for _, address := range []string{"127.0.0.1:0", "[::1]:0"} {
			l := listener(t, address, 8)
			ends = append(ends, l)
			for range n {
				c := connect(l)
				ends = append(ends, c, l.accept())
			}
		}
	})
	return ends
}

func ss(t *testing.T, ns *kerneltest.NS, options ...string) string {
	t.Helper()
	cmd := exec.Command("ss", options...)
	var out, said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &said
	err := ns.Start(cmd)
	if err == nil {
		err = cmd.Wait()
	}
	if err != nil {
		t.Fatalf("ss: %v\n%s", err, &said)
	}
	return out.String()
}

// A dump has each socket once, as ss has, with its ends.
func TestDump(t *testing.T) {
	kerneltest.NoLeaks(t)
	ns := kerneltest.NetNS(t)
	c := open(t, ns)
	want := map[sock.ID]*sock.Socket{}
	for _, e := range many(t, ns, 500) {
		s := e.socket()
		want[s.ID] = s
	}
	if n := strings.Count(ss(t, ns, "-Htan"), "\n"); n != len(want) {
		t.Errorf("ss has %d, we made %d", n, len(want))
	}
	for _, protos := range []sock.ProtoSet{sock.ProtosTCP, sock.Protos(sock.TCP), sock.Protos(sock.TCP6), sock.ProtosUDP} {
		seen := map[sock.ID]bool{}
		err := c.Dump(context.Background(), protos, func(id sock.ID, local, remote netip.AddrPort, i *Info) {
			s := want[id]
			if s == nil || seen[id] || !protos.Has(s.Proto) || s.Local != local || s.Remote != remote || s.State != i.State || s.Inode != i.Inode || i.ID != id {
				t.Errorf("%d: %v %v, want %+v (twice: %v)", id, local, remote, s, seen[id])
			}
			if (i.Sent() < 0) != (i.State == sock.Listen) || (i.RTT < 0) != (i.State == sock.Listen) {
				t.Errorf("%d: %+v", id, i)
			}
			seen[id] = true
		})
		if err != nil {
			t.Error(err)
		}
		n := 0
		for _, s := range want {
			if protos.Has(s.Proto) {
				n++
			}
		}
		if len(seen) != n {
			t.Errorf("%b: %d sockets, want %d", protos, len(seen), n)
		}
	}
}

// A dump that is given up leaves a Conn that answers.
func TestDumpEnds(t *testing.T) {
	ns := kerneltest.NetNS(t)
	c := open(t, ns)
	ends := many(t, ns, 100)
	for range 3 {
		ctx, cancel := context.WithCancel(context.Background())
		n := 0
		err := c.Dump(ctx, sock.ProtosTCP, func(sock.ID, netip.AddrPort, netip.AddrPort, *Info) { n++; cancel() })
		if !errors.Is(err, context.Canceled) || n == 0 || n >= len(ends) {
			t.Errorf("%d sockets: %v", n, err)
		}
		if i := c.mustGet(t, ends[1]); i.ID != ends[1].socket().ID {
			t.Errorf("the answer to another question: %+v", i)
		}
	}
}

// Sockets cost no allocation.
func TestAllocations(t *testing.T) {
	ns := kerneltest.NetNS(t)
	c := open(t, ns)
	ends := many(t, ns, 100)
	n := testing.AllocsPerRun(5, func() {
		if err := c.Dump(context.Background(), sock.ProtosTCP, func(sock.ID, netip.AddrPort, netip.AddrPort, *Info) {}); err != nil {
			t.Error(err)
		}
	})
	if n > 10 {
		t.Errorf("%v a dump of %d sockets", n, len(ends))
	}
	s, i := ends[1].socket(), new(Info)
	if n := testing.AllocsPerRun(100, func() {
		if err := c.Get(s, i); err != nil {
			t.Error(err)
		}
	}); n > 0 {
		t.Errorf("%v a socket", n)
	}
}

func BenchmarkDump(b *testing.B) {
	ns := kerneltest.NetNS(b)
	c := open(b, ns)
	n := len(many(b, ns, 200))
	for b.Loop() {
		if err := c.Dump(context.Background(), sock.ProtosTCP, func(sock.ID, netip.AddrPort, netip.AddrPort, *Info) {}); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(n), "ns/socket")
}

func BenchmarkGet(b *testing.B) {
	ns := kerneltest.NetNS(b)
	c := open(b, ns)
	s, i := many(b, ns, 1)[1].socket(), new(Info)
	for b.Loop() {
		if err := c.Get(s, i); err != nil {
			b.Fatal(err)
		}
	}
}

// What ss prints of a connection that rests is what we say.
func TestSS(t *testing.T) {
	ns := kerneltest.NetNS(t)
	c := open(t, ns)
	var client, server end
	ns.Do(func() {
		l := listener(t, "127.0.0.1:0", 8)
		client, server = connect(l), l.accept()
	})
	client.set(unix.SOL_SOCKET, unix.SO_KEEPALIVE, 1)
	client.set(unix.IPPROTO_IP, unix.IP_TOS, 0x20)
	client.move(server, 200_000)
	server.move(client, 30_000)
	var i Info
	var text string
	await(t, "rest", func() bool {
		i = c.mustGet(t, client)
		text = ss(t, ns, "-Htinmeo", "--tos", "sport", "=", ":"+strconv.Itoa(int(client.local().Port())))
		after := c.mustGet(t, client)
		return i.SendQ == 0 && i.Timer == TimerKeepalive && i.SegsIn == after.SegsIn && i.SegsOut == after.SegsOut && c.mustGet(t, server).SendQ == 0
	})
	micros := func(s string) int64 { // ss prints milliseconds
		f, err := strconv.ParseFloat(s, 64)
		if err != nil {
			t.Fatalf("%q: %v", s, err)
		}
		return int64(f*1000 + 0.5)
	}
	number := func(s string) int64 {
		n, err := strconv.ParseInt(s, 0, 64)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	hex := func(s string) int64 { return number("0x" + s) }
	rate := func(s string) int64 { return number(s) / 8 }
	for _, f := range []struct {
		pattern string
		read    func(string) int64
		want    int64
	}{
		{` rtt:([\d.]+)/`, micros, i.RTT.Microseconds()},
		{` rtt:[\d.]+/([\d.]+)`, micros, i.RTTVar.Microseconds()},
		{` minrtt:([\d.]+)`, micros, i.MinRTT.Microseconds()},
		{` rto:([\d.]+)`, micros, i.RTO.Microseconds()},
		{` ato:([\d.]+)`, micros, i.ATO.Microseconds()},
		{` mss:(\d+)`, number, i.SndMSS},
		{` rcvmss:(\d+)`, number, i.RcvMSS},
		{` advmss:(\d+)`, number, i.AdvMSS},
		{` pmtu:(\d+)`, number, i.PMTU},
		{` cwnd:(\d+)`, number, i.Cwnd},
		{` bytes_sent:(\d+)`, number, i.BytesSent},
		{` bytes_acked:(\d+)`, number, i.BytesAcked},
		{` bytes_received:(\d+)`, number, i.BytesReceived},
		{` segs_out:(\d+)`, number, i.SegsOut},
		{` segs_in:(\d+)`, number, i.SegsIn},
		{` data_segs_out:(\d+)`, number, i.DataSegsOut},
		{` data_segs_in:(\d+)`, number, i.DataSegsIn},
		{` delivered:(\d+)`, number, i.Delivered},
		{` rcv_space:(\d+)`, number, i.RcvSpace},
		{` rcv_ssthresh:(\d+)`, number, i.RcvSsthresh},
		{` snd_wnd:(\d+)`, number, i.SndWnd},
		{` delivery_rate (\d+)bps`, rate, i.DeliveryRate},
		{` pacing_rate (\d+)bps`, rate, i.PacingRate},
		{` wscale:(\d+),`, number, int64(i.SndWscale)},
		{` wscale:\d+,(\d+)`, number, int64(i.RcvWscale)},
		{` ino:(\d+)`, number, int64(i.Inode)},
		{` sk:([0-9a-f]+)`, hex, int64(i.ID)},
		{` tos:(0x[0-9a-f]+)`, number, int64(i.TOS)},
		{`\(r\d+,rb(\d+)`, number, i.SkMem.RcvBuf},
		{`,tb(\d+),`, number, i.SkMem.SndBuf},
		{`,f(\d+),`, number, i.SkMem.FwdAlloc},
		{`,d(\d+)\)`, number, i.SkMem.Drops},
	} {
		m := regexp.MustCompile(f.pattern).FindStringSubmatch(text)
		if m == nil {
			if f.want > 0 && !strings.Contains(f.pattern, "_rate") { // ss leaves out what is 0
				t.Errorf("%s is not there, we have %d", f.pattern, f.want)
			}
			continue
		}
		if got := f.read(m[1]); got != f.want {
			t.Errorf("%s: ss %d, we have %d", f.pattern, got, f.want)
		}
	}
	if t.Failed() {
		t.Logf("%s%+v", text, i)
	}
	if !i.Options.Has(OptTimestamps | OptSACK | OptWscale) {
		t.Errorf("options %b", i.Options)
	}
}
