// SPDX-License-Identifier: GPL-2.0-or-later

package filter

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"netlive/internal/sock"
)

// testServices is what tests know of /etc/services.
func testServices(name string) (uint16, bool) {
	port, ok := map[string]uint16{"http": 80, "https": 443, "ssh": 22, "http-alt": 8080}[name]
	return port, ok
}

func mustParse(t testing.TB, text string) *Filter {
	t.Helper()
	f, err := Parser{Service: testServices}.Parse(text)
	if err != nil {
		t.Fatalf("%s: %v\n%s", text, err, err.(*SyntaxError).Caret())
	}
	return f
}

// What is written, and what it means, in the one way of writing it.
func TestParse(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"", ""},
		{" \t\n", ""},

		// ss(8)'s own examples, as its manual page has them.
		{"( sport = :http or sport = :https ) dst 193.233.7/24", "sport in {80, 443} and dst = 193.233.7.0/24"},
		{"state fin-wait-1 ( sport = :http or sport = :https ) dst 193.233.7/24", "state = fin-wait-1 and sport in {80, 443} and dst = 193.233.7.0/24"},
		{"state established ( dport = :ssh or sport = :ssh )", "state = established and (dport = 22 or sport = 22)"},
		{"state established and dport = :443", "state = established and dport = 443"},
		{"exclude time-wait  dev eth0  cgroup = /system.slice/x", "state != time-wait and dev = eth0 and cgroup = /system.slice/x"},

		// The operators of ss.
		{"sport gt :1024", "sport > 1024"},
		{"sport >= 1 and sport <= 2", "sport >= 1 and sport <= 2"},
		{"sport ge 1 sport geq 1", "sport >= 1 and sport >= 1"},
		{"dport lt 5 & dport le 5 && dport leq 5", "dport < 5 and dport <= 5 and dport <= 5"},
		{"dport eq 5 | sport == 5 || pid=5", "dport = 5 or sport = 5 or pid = 5"},
		{"dport ne 5 sport neq 6 pid != 7", "dport != 5 and sport != 6 and pid != 7"},
		{"rtt>50ms age<5s", "rtt > 50ms and age < 5s"},
		{"! dport = 5", "dport != 5"},
		{"not not pid 5", "pid = 5"},
		{"!!!pid 5", "pid != 5"},
		{"not rtt < 5ms", "not rtt < 5ms"},
		{"NOT Dport EQ 5 AND State Listening", "dport != 5 and state = listening"},

		// Precedence: or, and, not; side by side is and.
		{"pid 1 or uid 2 inode 3", "pid = 1 or (uid = 2 and inode = 3)"},
		{"pid 1 uid 2 or inode 3", "(pid = 1 and uid = 2) or inode = 3"},
		{"( pid 1 or uid 2 ) inode 3", "(pid = 1 or uid = 2) and inode = 3"},
		{"pid 1 and (uid 2 and (inode 3))", "pid = 1 and uid = 2 and inode = 3"},
		{"not (pid 1 or uid 2)", "pid != 1 and uid != 2"},
		{"not (pid 1 and not uid 2)", "pid != 1 or uid = 2"},
		{"(((pid 1)))", "pid = 1"},

		// States: ss's set where the filter begins, and tests elsewhere.
		{"state established state syn-sent", "state in {established, syn-sent}"},
		{"state connected exclude established exclude syn-sent", "state not in {established, syn-sent, closed, listening}"},
		{"exclude listening exclude closed state closed", "state != listening"},
		{"state established and state syn-sent", "state != all"},
		{"state established or state syn-sent", "state in {established, syn-sent}"},
		{"pid 1 state established state syn-sent", "pid = 1 and state != all"},
		{"pid 1 exclude big", "pid = 1 and state in {syn-recv, time-wait}"},
		{"state connected", "state not in {closed, listening}"},
		{"state synchronized", "state not in {syn-sent, closed, listening}"},
		{"state bucket", "state in {syn-recv, time-wait}"},
		{"state big", "state not in {syn-recv, time-wait}"},
		{"state all", "state = all"},
		{"state all exclude all", "state != all"},
		{"state != TIME_WAIT", "state != time-wait"},
		{"state=listen", "state = listening"},
		{"state:LISTENING", "state = listening"},
		{"state in (ESTABLISHED, FIN_WAIT2, estab)", "state in {established, fin-wait-2}"},
		{"state = {established} and not state close", "state = established"},
		{"old_state syn-sent old-state=SYN_SENT old:syn_sent", "old = syn-sent"},
		{"state CONNECTING", "state = syn-sent"},

		// Events, protocols, families.
		{"event in {open, close, retrans}", "event in {open, close, retransmit}"},
		{"event != drop", "event != drop"},
		{"proto tcp", "proto in {tcp4, tcp6}"},
		{"proto = UDP6 or proto = unix", "proto in {udp6, unix}"},
		{"ipv4", "family = inet"},
		{"not ipv6 family unix", "family = unix"},
		{"!ipv6", "family != inet6"},

		// Sets and ranges.
		{"dport in (80, 443, 8000-8999)", "dport in {80, 443, 8000-8999}"},
		{"dport = {80,443}", "dport in {80, 443}"},
		{"dport {80,:https}", "dport in {80, 443}"},
		{"dport:{80,443}", "dport in {80, 443}"},
		{"dport: 80", "dport = 80"},
		{"dport not in {80}", "dport != 80"},
		{"dport != (80, 81)", "dport not in {80, 81}"},
		{"dport != 80 and dport != 81", "dport not in {80, 81}"},
		{"dport = :8000-8999", "dport = 8000-8999"},
		{"dport = :*", "dport = 0-65535"},
		{"dport http-alt", "dport = 8080"},
		{"dport http-https", "dport = 80-443"},
		{"pid in {812,813} or container ~ ^edge-", `pid in {812, 813} or container ~ "^edge-"`},
		{"src in {10/8, [::1]:80, :443, *}", "src in {10.0.0.0/8, [::1]:80, :443, *}"},

		// Hosts.
		{"dst [2001:db8::]/32:443", "dst = [2001:db8::]/32:443"},
		{"dst 2001:db8::/32", "dst = [2001:db8::]/32"},
		{"dst 2001:db8::/32:443", "dst = [2001:db8::]/32:443"},
		{"dst ::1", "dst = [::1]"},
		{"src [::1]:https", "src = [::1]:443"},
		{"src 10.1.2.3/8", "src = 10.0.0.0/8"},
		{"src 10.0.0.1:8000-8999", "src = 10.0.0.1:8000-8999"},
		{"src 10.0.0.0/8:443", "src = 10.0.0.0/8:443"},
		{"src *:443 dst *:*", "src = :443 and dst = *"},
		{"src 10.0.0.1:*", "src = 10.0.0.1"},
		{"addr ::ffff:10.0.0.0/104", "addr = 10.0.0.0/8"},
		{"host 10.0.0.1", "addr = 10.0.0.1"},

		// Durations and sizes.
		{"rtt > 1.5ms age >= 1h30m age < 2d age < 1w", "rtt > 1.5ms and age >= 1h30m0s and age < 48h0m0s and age < 168h0m0s"},
		{"age > 5min rtt = 0", "age > 5m0s and rtt = 0s"},
		{"rtt = 10ms-20ms", "rtt = 10ms-20ms"},
		{"rtt in {5µs, 7us-1ms}", "rtt in {5µs, 7µs-1ms}"},
		{"rx > 1MB tx < 4KiB bytes >= 1.5k bytes > 1500", "rx > 1M and tx < 4096 and bytes >= 1500 and bytes > 1500"},
		{"bytes 1k-2k", "bytes = 1k-2k"},
		{"retrans > 0", "retrans > 0"},

		// Texts.
		{"proc = nginx and rtt > 50ms and not dst 10/8", "proc = nginx and rtt > 50ms and dst != 10.0.0.0/8"},
		{`proc "my prog"`, `proc = "my prog"`},
		{`proc:'a"b\'`, `proc = "a\"b\\"`},
		{`proc = "\x1b[0m\n"`, `proc = "\x1b[0m\\n"`},
		{`proc in {a, "and"}`, `proc in {a, "and"}`},
		{"proc ~ ^(a|b)$ pid 1", `proc ~ "^(a|b)$" and pid = 1`},
		{"( proc ~ ^(a|[)])$ )", `proc ~ "^(a|[)])$"`},
		{`proc:~\.d$`, `proc ~ "\\.d$"`},
		{`proc !~ "a b"`, `proc !~ "a b"`},
		{"not proc ~ x", `proc !~ "x"`},
		{"user root user 1000 user != '1000'", `user = root and user = 1000 and user != "1000"`},
		{"netns = all netns=blue netns 4026531840", "netns = all and netns = blue and netns = 4026531840"},
		{"reason = refused unit = sshd.service", "reason = refused and unit = sshd.service"},

		// Words and numbers alone.
		{"port:443 proc:firefox state=listen nginx !ssh", `port = 443 and proc = firefox and state = listening and "nginx" and not "ssh"`},
		{"443", "443"},
		{"!443", "not 443"},
		{"4294967295", "4294967295"},
		{`"443" "state" 'Ä B'`, `"443" and "state" and "Ä b"`},
		{":443", "port = 443"},
		{":https", "port = 443"},
		{"10.0.0.1", "addr = 10.0.0.1"},
		{"10/8", "addr = 10.0.0.0/8"},
		{"10.0.0.1:443", "addr = 10.0.0.1:443"},
		{"fe80::1 [::1]:22", "addr = [fe80::1] and addr = [::1]:22"},
		{"10.0.0 fe80: dead:beef /run/x", `"10.0.0" and "fe80:" and "dead:beef" and "/run/x"`},
	} {
		f := mustParse(t, c.text)
		if got := f.String(); got != c.want {
			t.Errorf("%s\n got %s\nwant %s", c.text, got, c.want)
			continue
		}
		if again := mustParse(t, f.String()); again.String() != c.want {
			t.Errorf("%s: %s parses to %s", c.text, c.want, again)
		}
	}
}

// Parse alone knows the machine's services.
func TestServices(t *testing.T) {
	f, err := Parse("dport = :https")
	if err != nil {
		t.Fatal(err)
	}
	if f.String() != "dport = 443" {
		t.Error(f)
	}
	if _, err := (Parser{}).Parse("dport = https"); err == nil {
		t.Error("a parser without services knows one")
	}
	for _, bad := range []string{"+80", "-80", "80 ", ""} {
		if _, err := Parse("dport = '" + bad + "'"); err == nil {
			t.Errorf("%q is a port", bad)
		}
	}
}

func TestRequire(t *testing.T) {
	f := mustParse(t, "nginx 443 (rtt > 5ms or ä) and dport = 443 and not event = open")
	known := AllFields &^ Fields(FieldEvent, FieldRTT)
	e, ok := f.Require(known).(*SyntaxError)
	if !ok || e.Column != 12 || e.Problem != "rtt is not known here" || !slices.Equal(e.Expected, known.Names()) || e.Text != f.Text() {
		t.Errorf("%#v", e)
	}
	if e, ok := f.Require(known | Fields(FieldRTT)).(*SyntaxError); !ok || e.Column != 52 {
		t.Errorf("%#v", e)
	}
	if err := f.Require(Fields(FieldRTT, FieldEvent, FieldDport)); err != nil {
		t.Error(err)
	}
	if got, want := f.Fields(), Fields(FieldProc, FieldAddr, FieldPort, FieldPID, FieldRTT, FieldDport, FieldEvent); got != want {
		t.Errorf("%v, want %v", got.Names(), want.Names())
	}
	if err := mustParse(t, "bytes > 5").Require(Fields(FieldRx, FieldTx)); err != nil {
		t.Error(err)
	}
	var none *Filter
	if none.Require(0) != nil || none.Fields() != 0 || !none.All() || none.String() != "" || none.Text() != "" || !none.Match(&Values{}) {
		t.Error("no filter is not everything")
	}
}

// Each field is described and can be found by all its names.
func TestFieldTable(t *testing.T) {
	for f := FieldNone + 1; f < fieldCount; f++ {
		if f.Doc() == "" || len(f.values()) == 0 || (f.kind() == kindWord) != (f.vocabulary() != nil) {
			t.Errorf("field %d (%s) is incomplete", f, f)
		}
		for _, name := range fields[f].names {
			if got, ok := ParseField(strings.ToUpper(name)); !ok || got != f {
				t.Errorf("%s is %v", name, got)
			}
		}
		if v := f.vocabulary(); v != nil {
			var seen uint32
			for _, w := range v.atoms {
				if seen&w.mask != 0 || w.mask == 0 {
					t.Errorf("%s: atom %s overlaps or is empty", f, w.text)
				}
				seen |= w.mask
			}
			for _, w := range v.groups {
				if w.mask&^seen != 0 {
					t.Errorf("%s: %s is more than all", f, w.text)
				}
			}
		}
	}
	if maskAnyState != stateWords.all() {
		t.Errorf("any state %b, all %b", maskAnyState, stateWords.all())
	}
}

// A joined filter matches what all of its parts match, and an error points at the part.
func TestAnd(t *testing.T) {
	r := newRand(t)
	for range 300 {
		var parts []*Filter
		for range r.IntN(4) {
			parts = append(parts, mustParse(t, randomExpression(r, r.IntN(3)).text))
		}
		all := And(parts...)
		again := mustParse(t, all.String())
		for range 20 {
			v := randomValues(r)
			want := true
			for _, f := range parts {
				want = want && f.Match(v)
			}
			if all.Match(v) != want || again.Match(v) != want {
				t.Fatalf("%s: %v of %+v, want %v", all.Text(), !want, v.Socket, want)
			}
		}
	}
	if f := And(nil, mustParse(t, " "), And()); f != nil || !f.All() {
		t.Errorf("of nothing: %v", f)
	}
	one := mustParse(t, "port 22")
	if And(nil, one) != one {
		t.Error("one alone is another")
	}
	f := And(mustParse(t, "state established exclude time-wait"), one, mustParse(t, "port 80 or age > 1s"))
	if want := "(state established exclude time-wait) and (port 22) and (port 80 or age > 1s)"; f.Text() != want {
		t.Errorf("%s, want %s", f.Text(), want)
	}
	var e *SyntaxError
	if err := f.Require(Fields(FieldState, FieldPort)); !errors.As(err, &e) || !strings.HasPrefix(f.Text()[e.Column-1:], "age > 1s") {
		t.Errorf("%v", err)
	}
}

// The words of --event are those of the field event.
func TestParseEvents(t *testing.T) {
	for word, want := range map[string]sock.EventSet{
		"close": sock.Events(sock.EventClose), "RETRANS": sock.Events(sock.EventRetransmit), "resync": sock.Events(sock.EventResync),
		"all": 1<<(sock.EventResync+1) - 1<<sock.EventState,
	} {
		if got, _, ok := ParseEvents(word); got != want || !ok {
			t.Errorf("%s: %b, %v, want %b", word, got, ok, want)
		}
	}
	for word, want := range map[string]string{"clos": "close", "owner": "", "stale": "state", "": "", "lisen": "listen"} {
		_, expected, ok := ParseEvents(word)
		if ok || want == "" && len(expected) != int(sock.EventResync)+1 || want != "" && expected[0] != want {
			t.Errorf("%q: %v %q", word, ok, expected)
		}
	}
}
