// SPDX-License-Identifier: GPL-2.0-or-later

package filter

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"strings"
	"testing"
	"time"

	"netlive/internal/sock"
)

var seed = flag.Uint64("filter.seed", 0, "seed of the random filters; 0: by the clock")

// newRand is a source of chance whose seed a failure tells.
func newRand(t *testing.T) *rand.Rand {
	s := *seed
	if s == 0 {
		s = uint64(time.Now().UnixNano())
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("again with -filter.seed=%d", s)
		}
	})
	return rand.New(rand.NewPCG(s, 0))
}

func pick[T any](r *rand.Rand, list ...T) T { return list[r.IntN(len(list))] }

// expression is a random filter with its meaning beside it: Kleene's operators over tests, as it was written. What the parser makes
// of it (nots moved down, tests merged, brackets gone) must mean the same.
type expression struct {
	text string
	eval func(*Values) truth
}

func randomExpression(r *rand.Rand, depth int) expression {
	if depth == 0 || r.IntN(4) == 0 {
		for {
			text := randomTest(r)
			// A range after < is drawn again.
			if f, err := (Parser{}).Parse(text); err == nil {
				return expression{text, f.root.eval}
			}
		}
	}
	a := randomExpression(r, depth-1)
	if r.IntN(4) == 0 {
		return expression{pick(r, "not (", "!(", "not(") + a.text + ")", func(v *Values) truth { return a.eval(v).not() }}
	}
	b := randomExpression(r, depth-1)
	if r.IntN(2) == 0 {
		and := func(v *Values) truth { return min(a.eval(v), b.eval(v)) }
		return expression{"(" + a.text + pick(r, ") and (", ")(", ") && (", ")&(") + b.text + ")", and}
	}
	or := func(v *Values) truth { return max(a.eval(v), b.eval(v)) }
	return expression{"(" + a.text + pick(r, ") or (", ")|(", ") || (") + b.text + ")", or}
}

// The values are few, so that filters and events meet.
var (
	somePorts = []string{"1", "22", "80", "443", "1024", "5432", "40000", "65535", "0"}
	someHosts = []string{
		"10/8", "10.1/16", "10.1.2.3", "10.1.2.4", "0/0", "::/0", "2001:db8::/32", "[2001:db8::1]", "::ffff:0:0/90", "[::ffff:10.1.2.3]", "0.0.0.0", "[::]", "*",
	}
	someAddrs  = []string{"10.1.2.3", "10.1.2.4", "10.2.0.1", "192.0.2.1", "0.0.0.0", "2001:db8::1", "::", "::ffff:10.1.2.3", "fe80::1"}
	someStates = []string{"established", "syn-sent", "SYN_RECV", "fin-wait-1", "FIN_WAIT2", "time-wait", "closed", "listen", "connected", "bucket", "all"}
	someProcs  = []string{"nginx", "curl", "sshd", "systemd-resolved"}
)

func randomTest(r *rand.Rand) string {
	order := func() string { return pick(r, " = ", " != ", " < ", " > ", " <= ", " >= ", " eq ", " gt ", "=", " ") }
	equal := func() string { return pick(r, "=", " != ", " ", " ne ") }
	port := func() string { return pick(r, "", ":") + pick(r, somePorts...) }
	set := func(value func() string) string {
		values := []string{value()}
		for r.IntN(3) > 0 {
			values = append(values, value())
		}
		return pick(r, " in {", " not in {", " != {", " = {") + strings.Join(values, ", ") + "}"
	}
	from := func(list ...string) func() string { return func() string { return pick(r, list...) } }
	host := func() string {
		h := pick(r, someHosts...)
		if r.IntN(3) == 0 {
			h += ":" + pick(r, somePorts...)
		}
		return pick(r, h, h, ":"+pick(r, somePorts...))
	}
	numbers := func(field string, values ...string) string {
		if r.IntN(2) == 0 {
			return field + order() + pick(r, values...)
		}
		return field + set(from(values...))
	}
	words := func(field string, values ...string) string {
		return field + pick(r, equal()+pick(r, values...), set(from(values...)))
	}
	switch r.IntN(18) {
	case 0, 1, 2, 3:
		field := pick(r, "sport", "dport", "port")
		return field + pick(r, order()+port(), set(port), " = 80-1024", " != 1-443", set(from("1-80", "443", "500-600", "22-8000")))
	case 4, 5, 6:
		return pick(r, "src", "dst", "addr") + pick(r, equal()+host(), set(host))
	case 7:
		return words("state", someStates...)
	case 8:
		return words("old", someStates...)
	case 9:
		return numbers("uid", "0", "33", "1000", "0-4294967295")
	case 10:
		return numbers("pid", "1", "812", "813", "4294967295")
	case 11:
		return words("netns", "7", "4026531840", "blue", "all", "0")
	case 12:
		return words(pick(r, "proto", "family"), pick(r, "unix", "all"))
	case 13:
		return pick(r, "ipv4", "ipv6", words("proto", "tcp", "tcp6", "tcp4", "udp"), words("family", "inet", "inet6"))
	case 14:
		return pick(r, words("proc", someProcs...), "proc "+pick(r, "~", "!~")+" ^[cn]", words("user", "root", "1000", "33"))
	case 15:
		return pick(r, numbers("rtt", "1ms", "50ms", "0", "1ms-50ms"), numbers("bytes", "1k", "1500", "0"), numbers("age", "1s", "1d"), numbers("retrans", "0", "3"))
	case 16:
		return pick(r, words("event", "open", "close", "retrans"), words("reason", "refused", "ECONNRESET"), "container ~ edge")
	}
	return pick(r, pick(r, someProcs...), "443", "80", "10.1", "10.1.2.3", ":443", "'ng'", "813")
}

func randomValues(r *rand.Rand) *Values {
	end := func() netip.AddrPort {
		port := uint16(0)
		fmt.Sscan(pick(r, somePorts...), &port)
		return netip.AddrPortFrom(netip.MustParseAddr(pick(r, someAddrs...)), port)
	}
	s := &sock.Socket{
		Proto: pick(r, sock.TCP, sock.TCP6), State: sock.State(r.IntN(13)), NetNS: pick[uint32](r, 0, 7, 8, 4026531840),
		UID: pick[uint32](r, 0, 33, 34, 1000), Inode: r.Uint32N(3), Cgroup: r.Uint64N(7), Local: end(), Remote: end(),
	}
	if s.Local.Addr().Is4() != (s.Proto == sock.TCP) || s.Remote.Addr().Is4() != (s.Proto == sock.TCP) {
		return randomValues(r) // TCP's sockets have addresses of their family
	}
	if r.IntN(3) > 0 {
		s.Owner = sock.Owner{PID: pick[uint32](r, 1, 812, 813, 4294967295), Comm: sock.MakeComm(pick(r, someProcs...))}
	}
	v := &Values{
		Socket: s, Event: sock.EventKind(r.IntN(int(sock.EventResync) + 1)), Old: sock.State(r.IntN(13)), Known: FieldSet(r.Uint64()),
		Age: pick(r, 0, time.Second, time.Hour), RTT: pick(r, 0, time.Millisecond, 20*time.Millisecond),
		Rx: pick[uint64](r, 0, 1000, 1500), Tx: pick[uint64](r, 0, 1, 1<<63), Retrans: r.Uint32N(5), Reasons: [3]string{pick(r, "", "refused", "ECONNRESET")},
	}
	if r.IntN(2) == 0 {
		v.Names = &testNames
	}
	return v
}

// What is parsed means what was written, says itself, and is split between kernel and Go without a loss.
func TestRandomFilters(t *testing.T) {
	r := newRand(t)
	const filters, events = 2000, 50
	var passed, dropped, matched, decided int
	for range filters {
		e := randomExpression(r, r.IntN(5))
		f := mustParse(t, e.text)
		again := mustParse(t, f.String())
		if again.String() != f.String() {
			t.Fatalf("%s\nsays    %s\nwhich says %s", e.text, f, again)
		}
		k, rest := f.Kernel()
		if rest.String() != mustParse(t, rest.String()).String() {
			t.Fatalf("%s: rest %s", e.text, rest)
		}
		if rest.All() && !f.All() {
			decided++
		}
		for range events {
			v := randomValues(r)
			want := e.eval(v)
			if got := f.root.eval(v); got != want {
				t.Fatalf("%s\nis parsed as %s\nwhich is %d of %+v, %+v\nbut should be %d", e.text, f, got, v, v.Socket, want)
			}
			if got := again.root.eval(v); got != want {
				t.Fatalf("%s\nis parsed again from %s\nwhich is %d, but should be %d", e.text, f, got, want)
			}
			passes := k.Passes(v.Socket, v.Old)
			if f.Match(v) != (passes && rest.Match(v)) {
				t.Fatalf("%s\nmatches: %v of %+v, %+v\nkernel %s: %v\nrest %s: %v", f, f.Match(v), v, v.Socket, set(k), passes, rest, rest.Match(v))
			}
			if f.Match(v) {
				matched++
				// The same event, of which the kernel knew less than Go does by now.
				early := *v.Socket
				early.Local = netip.AddrPortFrom(early.Local.Addr(), 0)
				early.Owner = sock.Owner{}
				if !k.Passes(&early, v.Old) {
					t.Fatalf("%s\nmatches %+v, %+v\nwhich kernel %s loses when it does not know the port and the owner", f, v, v.Socket, set(k))
				}
			}
			if passes {
				passed++
			} else {
				dropped++
			}
		}
	}
	t.Logf("%d events: %d passed the kernel, %d matched; %d of %d filters were decided by the kernel alone", filters*events, passed, matched, decided, filters)
	// A test in which nothing is dropped, or nothing matches, shows nothing.
	if dropped < filters*events/20 || matched < filters*events/20 || decided < filters/50 {
		t.Errorf("too few: %d dropped, %d matched, %d decided", dropped, matched, decided)
	}
}
