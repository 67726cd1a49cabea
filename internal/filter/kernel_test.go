// SPDX-License-Identifier: GPL-2.0-or-later

package filter

import (
	"fmt"
	"net/netip"
	"reflect"
	"slices"
	"strings"
	"testing"

	"netlive/internal/sock"
)

func ranges(pairs ...uint32) (r Ranges) {
	for i := 0; i < len(pairs); i += 2 {
		r.R[r.N] = Range{pairs[i], pairs[i+1]}
		r.N++
	}
	return r
}

func prefixes(list ...string) (ps Prefixes) {
	for _, s := range list {
		p := netip.MustParsePrefix(s)
		ps.add([]netip.Prefix{p})
	}
	return ps
}

// set is what is set in k: the rest is much, and says nothing.
func set(k Kernel) string {
	var b strings.Builder
	for v, i := reflect.ValueOf(k), 0; i < v.NumField(); i++ {
		if !v.Field(i).IsZero() {
			fmt.Fprintf(&b, "%s %+v ", v.Type().Field(i).Name, v.Field(i))
		}
	}
	return b.String()
}

// What the kernel is given of a filter, and what is left of it.
func TestKernel(t *testing.T) {
	const maxID = 1<<32 - 1
	for _, c := range []struct {
		text string
		want Kernel
		rest string
	}{
		{"", Kernel{}, ""},
		{"nginx", Kernel{}, `"nginx"`},
		{"dport = 443", Kernel{RemotePorts: ranges(443, 443)}, ""},
		{"( dport = 443 or dport in {80, 81-90} )", Kernel{RemotePorts: ranges(80, 90, 443, 443)}, ""},
		{"dport != 443", Kernel{RemotePorts: ranges(0, 442, 444, 65535)}, ""},
		{"not dport > 1023", Kernel{RemotePorts: ranges(0, 1023)}, ""},
		{"dport > 1000 dport <= 2000 dport != 1500", Kernel{RemotePorts: ranges(1001, 1499, 1501, 2000)}, ""},
		{"dport < 1024", Kernel{RemotePorts: ranges(1, 1023)}, ""},
		{"dport = 0", Kernel{Never: true}, ""},
		{"dport = 80 dport = 443", Kernel{Never: true}, ""},
		{"sport = 443", Kernel{LocalPorts: ranges(443, 443)}, "sport = 443"},
		{"port = 443", Kernel{EitherPorts: ranges(443, 443)}, "port = 443"},
		{"port = 443 port = 80", Kernel{EitherPorts: ranges(443, 443)}, "port = 443 and port = 80"},
		{"port != 443", Kernel{LocalPorts: ranges(1, 442, 444, 65535), RemotePorts: ranges(0, 442, 444, 65535)}, "port != 443"},
		{"dport in {1,3,5,7,9,11,13,15}", Kernel{RemotePorts: ranges(1, 1, 3, 3, 5, 5, 7, 7, 9, 9, 11, 11, 13, 13, 15, 15)}, ""},
		{"dport in {1,3,5,7,9,11,13,15,17}", Kernel{}, "dport in {1, 3, 5, 7, 9, 11, 13, 15, 17}"},
		{"dport < 100 dport not in {2,4,6,8,10,12,14,16}", Kernel{RemotePorts: ranges(1, 99)}, "dport not in {2, 4, 6, 8, 10, 12, 14, 16}"},

		{"port not in {1,3,5,7,9,11,13,15,17}", Kernel{}, "port not in {1, 3, 5, 7, 9, 11, 13, 15, 17}"},

		{"src not in {1/8, 2/8, 3/8, 4/8} src not in {5/8, 6/8, 7/8, 8/8, ::1}", Kernel{},
			"src not in {1.0.0.0/8, 2.0.0.0/8, 3.0.0.0/8, 4.0.0.0/8, 5.0.0.0/8, 6.0.0.0/8, 7.0.0.0/8, 8.0.0.0/8, [::1]}"},
		{"src 10/8", Kernel{Local: prefixes("10.0.0.0/8")}, ""},
		{"dst in {10/8, ::1}", Kernel{Remote: prefixes("10.0.0.0/8", "::1/128")}, ""},
		{"addr 10/8", Kernel{Either: prefixes("10.0.0.0/8")}, ""},
		{"dst 10/8 dst != 10.1/16 dst != 10.2/16", Kernel{Remote: prefixes("10.0.0.0/8"), NotRemote: prefixes("10.1.0.0/16", "10.2.0.0/16")}, ""},
		{"dst 10/8 dst 10.1/16", Kernel{Remote: prefixes("10.0.0.0/8")}, "dst = 10.1.0.0/16"},
		{"addr != 10/8", Kernel{NotLocal: prefixes("10.0.0.0/8"), NotRemote: prefixes("10.0.0.0/8")}, ""},
		{"dst 10/8:443", Kernel{Remote: prefixes("10.0.0.0/8"), RemotePorts: ranges(443, 443)}, ""},
		{"src 10/8:443", Kernel{Local: prefixes("10.0.0.0/8"), LocalPorts: ranges(443, 443)}, "src = 10.0.0.0/8:443"},
		{"addr 10/8:443", Kernel{}, "addr = 10.0.0.0/8:443"},
		{"dst != 10/8:443", Kernel{}, "dst != 10.0.0.0/8:443"},
		{"dst in {10/8:443, 11/8}", Kernel{}, "dst in {10.0.0.0/8:443, 11.0.0.0/8}"},
		{"dst in {:443, :80}", Kernel{RemotePorts: ranges(80, 80, 443, 443)}, ""},
		{"dst 10/8 dst 11/8:443", Kernel{Remote: prefixes("10.0.0.0/8")}, "dst = 11.0.0.0/8:443"},
		{"dst *", Kernel{}, "dst = *"},

		{"state established", Kernel{States: maskEstablished}, ""},
		{"state established state = close", Kernel{Never: true}, ""},
		{"old != syn-sent", Kernel{OldStates: maskAnyState &^ maskSynSent}, ""},
		{"ipv4", Kernel{Families: FamilyInet}, ""},
		{"proto = tcp", Kernel{Families: FamilyInet | FamilyInet6}, "proto in {tcp4, tcp6}"},
		{"proto = tcp6 ipv4", Kernel{Never: true}, "proto = tcp6"},
		{"proto = udp4", Kernel{Families: FamilyInet}, "proto = udp4"},
		{"proto != unix", Kernel{Families: FamilyInet | FamilyInet6}, ""},
		{"proto in {tcp4, udp4, udplite4, raw4, sctp}", Kernel{Families: FamilyInet}, ""},
		{"proto = unix", Kernel{Never: true}, ""},
		{"uid != 0", Kernel{UIDs: ranges(1, maxID)}, ""},
		{"user 33", Kernel{UIDs: ranges(33, 33)}, ""},
		{"user root", Kernel{}, "user = root"},
		{"pid in {812, 813}", Kernel{PIDs: ranges(812, 813)}, "pid in {812, 813}"},
		{"pid != 5", Kernel{PIDs: ranges(1, 4, 6, maxID)}, "pid != 5"},
		{"netns 7", Kernel{NetNS: ranges(7, 7)}, ""},
		{"netns != 7", Kernel{NetNS: ranges(1, 6, 8, maxID)}, ""},
		{"netns in {7, blue}", Kernel{}, "netns in {7, blue}"},
		{"netns all", Kernel{}, "netns = all"},

		{"proc nginx dport 443 rtt > 5ms not (sport 22 or state listen)",
			Kernel{RemotePorts: ranges(443, 443), LocalPorts: ranges(1, 21, 23, 65535), States: maskAnyState &^ maskListening},
			"proc = nginx and rtt > 5ms and sport != 22"},
		{"dport 443 or proc nginx", Kernel{}, "dport = 443 or proc = nginx"},
	} {
		f := mustParse(t, c.text)
		k, rest := f.Kernel()
		if c.want.Never { // what else is set then is of no account
			k = Kernel{Never: k.Never}
		}
		if k != c.want || rest.String() != c.rest || rest.Text() != c.text {
			t.Errorf("%s\n got %s\nwant %s\n got rest %s\nwant rest %s", c.text, set(k), set(c.want), rest, c.rest)
		}
	}
	var none *Filter
	if k, rest := none.Kernel(); k != (Kernel{}) || !rest.All() {
		t.Error("no filter has a kernel's part")
	}
}

// A connection in SYN_SENT has no port yet and may have no owner yet: it must not be lost to a filter that may
// come to be true of it, nor be shown by one that is not known to be.
func TestKernelUnknown(t *testing.T) {
	s := &sock.Socket{
		Proto: sock.TCP, State: sock.SynSent, Local: netip.MustParseAddrPort("10.0.0.1:0"), Remote: netip.MustParseAddrPort("10.0.0.2:443"),
	}
	for _, text := range []string{"sport = 40000", "sport != 40000", "pid = 812", "pid != 812", "port = 22", "port != 22", "src 10.0.0.1:40000"} {
		f := mustParse(t, text)
		k, rest := f.Kernel()
		if !k.Passes(s, sock.Close) || rest.Match(&Values{Socket: s}) || f.Match(&Values{Socket: s}) {
			t.Errorf("%s: %v, %s: %v", text, k.Passes(s, sock.Close), rest, rest.Match(&Values{Socket: s}))
		}
	}
	known := *s
	known.Local = netip.MustParseAddrPort("10.0.0.1:40000")
	known.Owner.PID = 812
	for text, want := range map[string]bool{"sport = 40000": true, "sport != 40000": false, "pid = 812": true, "pid != 812": false, "port = 22": false, "port = 443": true} {
		if k, _ := mustParse(t, text).Kernel(); k.Passes(&known, sock.Close) != want {
			t.Errorf("%s: %v", text, !want)
		}
	}
}

func TestExplain(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"", "everything matches"},
		{"nginx or dport = 443", `netlive:            "nginx" or dport = 443`},
		{"proc = nginx sport 443 dst 10/8 (user root or rtt > 1s)", `kernel:             dst = 10.0.0.0/8
kernel if it knows: sport = 443
netlive:            proc = nginx
netlive:            (user = root or rtt > 1s)`},
		{"proto unix", "kernel:             proto = unix\nno event can match: the kernel sends none"},
	} {
		if got := strings.Join(mustParse(t, c.text).Explain(), "\n"); got != c.want {
			t.Errorf("%s\n got\n%s\nwant\n%s", c.text, got, c.want)
		}
	}
}

// The sets of numbers, against the same done one number at a time.
func TestSpans(t *testing.T) {
	r := newRand(t)
	const top = 20
	random := func() (list []span) {
		for range r.IntN(5) {
			lo := r.Int64N(top)
			list = append(list, span{lo, lo + r.Int64N(6) - 1})
		}
		return list
	}
	has := func(list []span, n int64) bool {
		return slices.ContainsFunc(list, func(s span) bool { return s.has(n) })
	}
	for range 5000 {
		a, b := random(), random()
		ua, ub := union(a), union(b)
		both, rest := intersect(ua, ub), complement(intersect(ua, []span{{0, top}}), 0, top)
		for n := int64(0); n <= top; n++ {
			if has(ua, n) != has(a, n) || has(both, n) != (has(a, n) && has(b, n)) || has(rest, n) == has(a, n) {
				t.Fatalf("%d of %v, %v: union %v, both %v, rest %v", n, a, b, ua, both, rest)
			}
		}
		for _, list := range [][]span{ua, both, rest} {
			for i, s := range list {
				if s.lo > s.hi || i > 0 && s.lo <= list[i-1].hi {
					t.Fatalf("%v is not in order", list)
				}
			}
		}
	}
}
