// SPDX-License-Identifier: GPL-2.0-or-later

package render

import (
	"encoding/json"
	"net/netip"
	"strings"
	"testing"
	"time"
	"unicode"

	"netlive/internal/sock"
)

// same fails the test unless got is want and one JSON value.
func same(t *testing.T, name, got, want string) {
	t.Helper()
	if got != want {
		t.Errorf("%s\ngot:  %s\nwant: %s", name, got, want)
	}
	if !json.Valid([]byte(got)) {
		t.Errorf("%s is not JSON", name)
	}
}

// The lines are whole, so that the order of the names holds too: a new one is added, none moves.
func TestAppendSocketJSON(t *testing.T) {
	tcp := closed().Socket
	tcp.State, tcp.Queue = sock.CloseWait, sock.Queue{Recv: 1, Send: 4294967295}
	for _, c := range []struct {
		name   string
		socket sock.Socket
		want   string
	}{
		{"tcp", tcp, `{"proto":"tcp","local_addr":"192.168.100.20","local_port":52344,"remote_addr":"203.0.113.250","remote_port":443,` +
			`"state":"CLOSE_WAIT","recv_q":1,"send_q":4294967295,"uid":1000,"inode":4711,"cookie":4097,"netns":4026531840,` +
			`"owners":[{"pid":2297,"comm":"curl","fd":7,"start_ns":null,"how":"exact"}]}`},
		{"tcp6, v4-mapped, unknown cookie and netns and owner", sock.Socket{ID: sock.LocalID | 7, Proto: sock.TCP6, State: sock.TimeWait,
			Local: netip.MustParseAddrPort("[::ffff:192.0.2.1]:80"), Remote: netip.MustParseAddrPort("[2001:db8::1]:50000")},
			`{"proto":"tcp6","local_addr":"::ffff:192.0.2.1","local_port":80,"remote_addr":"2001:db8::1","remote_port":50000,` +
				`"state":"TIME_WAIT","recv_q":0,"send_q":0,"uid":0,"inode":0,"cookie":null,"netns":null,"owners":[]}`},
		{"udp without state, unknown descriptor", with(inet(sock.UDP, sock.Close, "0.0.0.0:53", "0.0.0.0:0"), func(s *sock.Socket) {
			s.Owner = sock.Owner{PID: 1, FD: -1, How: sock.HowListener, Comm: sock.MakeComm("\x1b\"\\")}
		}), `{"proto":"udp","local_addr":"0.0.0.0","local_port":53,"remote_addr":"0.0.0.0","remote_port":0,` +
			`"state":"","recv_q":0,"send_q":0,"uid":0,"inode":4711,"cookie":null,"netns":null,` +
			`"owners":[{"pid":1,"comm":"\u001b\"\\","fd":null,"start_ns":null,"how":"listener"}]}`},
		{"nothing is known", sock.Socket{Proto: sock.TCP},
			`{"proto":"tcp","local_addr":null,"local_port":0,"remote_addr":null,"remote_port":0,` +
				`"state":null,"recv_q":0,"send_q":0,"uid":0,"inode":0,"cookie":null,"netns":null,"owners":[]}`},
		{"several owners", with(inet(sock.TCP, sock.Listen, "127.0.0.1:80", "0.0.0.0:0"), func(s *sock.Socket) {
			s.Owner = sock.Owner{PID: 10, FD: 0, How: sock.HowProcfs, Comm: sock.MakeComm("nginx"), Program: "nginx: master \xff"}
			s.Others = []sock.Owner{{PID: 11, FD: 6, How: sock.HowSeeded, Comm: sock.MakeComm("nginx")}, {PID: 12, FD: 6, How: sock.HowExact}}
		}), `{"proto":"tcp","local_addr":"127.0.0.1","local_port":80,"remote_addr":"0.0.0.0","remote_port":0,` +
			`"state":"LISTEN","recv_q":0,"send_q":0,"uid":0,"inode":4711,"cookie":null,"netns":null,"owners":[` +
			`{"pid":10,"comm":"nginx","program":"nginx: master ` + "\ufffd" + `","fd":0,"start_ns":null,"how":"procfs"},` +
			`{"pid":11,"comm":"nginx","fd":6,"start_ns":null,"how":"seeded"},{"pid":12,"comm":"","fd":6,"start_ns":null,"how":"exact"}]}`},
		{"unix", with(unixSocket(sock.UnixListening, sock.UnixSeqPacket, 0x10000, "/run/a b\n\u202e"), func(s *sock.Socket) { s.ID, s.NetNS = 5, 6 }),
			`{"proto":"unix","state":"LISTENING","recv_q":0,"send_q":0,"uid":0,"inode":4711,"cookie":5,"netns":6,"owners":[],` +
				`"path":"/run/a b\u000a\u202e","type":"SEQPACKET","refcnt":2,"flags":65536}`},
		{"unix without path", unixSocket(sock.UnixUnconnected, sock.UnixDgram, 0, ""),
			`{"proto":"unix","state":"","recv_q":0,"send_q":0,"uid":0,"inode":4711,"cookie":null,"netns":null,"owners":[],` +
				`"path":"","type":"DGRAM","refcnt":2,"flags":0}`},
	} {
		same(t, c.name, string(AppendSocketJSON(nil, &c.socket)), c.want)
	}
}

func TestEventJSON(t *testing.T) {
	const socket = `"proto":"tcp","local_addr":"192.168.100.20","local_port":52344,"remote_addr":"203.0.113.250","remote_port":443,` +
		`"state":"CLOSE","uid":1000,"inode":4711,"cookie":4097,"netns":4026531840,"owners":[{"pid":2297,"comm":"curl","fd":7,"start_ns":null,"how":"exact"}],`
	const head = `{"time":"2026-03-04T05:06:07.000008900Z","event":`
	of := func(change func(e *sock.Event)) sock.Event {
		e := closed()
		change(&e)
		return e
	}
	for _, c := range []struct {
		name  string
		event sock.Event
		want  string
	}{
		{"state", closed(), head + `"state",` + socket + `"old_state":"LAST_ACK","new_state":"CLOSE","state_us":9123}`},
		{"in no time", of(func(e *sock.Event) { e.InOld = 999 }),
			head + `"state",` + socket + `"old_state":"LAST_ACK","new_state":"CLOSE","state_us":0}`},
		{"not watched before", of(func(e *sock.Event) { e.InOld, e.Old = -1, sock.StateNone }),
			head + `"state",` + socket + `"old_state":null,"new_state":"CLOSE","state_us":null}`},
		{"minisocket", of(func(e *sock.Event) { e.Old, e.Mini = sock.FinWait2, sock.TimeWait }),
			head + `"state",` + socket + `"old_state":"FIN_WAIT2","new_state":"CLOSE","state_us":9123,"minisocket":"TIME_WAIT"}`},
		{"owner", of(func(e *sock.Event) { e.Kind, e.Old, e.InOld = sock.EventOwner, sock.Close, -1 }),
			head + `"owner",` + socket + `"old_state":"CLOSE","new_state":"CLOSE","state_us":null}`},
		{"lost", sock.Event{Kind: sock.EventLost, Time: moment, Lost: 18446744073709551615},
			head + `"lost","count":18446744073709551615}`},
	} {
		same(t, c.name, string(new(EventJSON).Append(nil, &c.event)), c.want)
	}
}

// Times are in UTC whatever the zone, and sort as text.
func TestAppendTime(t *testing.T) {
	for _, c := range []struct {
		t    time.Time
		want string
	}{
		{moment, "2026-03-04T05:06:07.000008900Z"},
		{moment.In(time.FixedZone("there", 3*3600+1800)), "2026-03-04T05:06:07.000008900Z"},
		{time.Unix(0, 0), "1970-01-01T00:00:00.000000000Z"},
		{time.Unix(1, 999_999_999), "1970-01-01T00:00:01.999999999Z"},
		{time.Time{}, "0001-01-01T00:00:00.000000000Z"},
	} {
		got := string(appendTime(nil, c.t))
		if got != c.want {
			t.Errorf("%v: %s, want %s", c.t, got, c.want)
		}
		if back, err := time.Parse(time.RFC3339Nano, got); err != nil || !back.Equal(c.t) {
			t.Errorf("%s reads as %v, %v", got, back, err)
		}
	}
}

func TestAppendFrame(t *testing.T) {
	b := AppendFrameBegin(nil, moment, "ebpf", 3, 2)
	same(t, "empty", string(AppendFrameEnd(b)), `{"time":"2026-03-04T05:06:07.000008900Z","source":"ebpf","lost":3,"resyncs":2,"sockets":[]}`+"\n")

	s := closed().Socket
	b = AppendFrameBegin(nil, moment, `"`, 0, 0)
	b = append(AppendSocketJSON(b, &s), ',')
	got := string(AppendFrameEnd(AppendSocketJSON(b, &s)))
	one := string(AppendSocketJSON(nil, &s))
	same(t, "two", got, `{"time":"2026-03-04T05:06:07.000008900Z","source":"\"","lost":0,"resyncs":0,"sockets":[`+one+","+one+"]}\n")
}

// FuzzAppendString compares with encoding/json: one reads what the other wrote.
func FuzzAppendString(f *testing.F) {
	for _, s := range []string{"", `"\/`, "\x00\x1f\x7f", "\u0080\u009b", "r\u00e9", "\u2028\u202e", "\U0001f600\U000e0041\U0010ffff", "\xff\xc3", "\xed\xa0\x80", "\ufffd", "<>&"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, s []byte) {
		text := appendString(nil, s)
		if !json.Valid(text) {
			t.Fatalf("%q: %q is not JSON", s, text)
		}
		theirs, err := json.Marshal(string(s))
		if err != nil {
			t.Fatal(err)
		}
		var got, want string
		if err := json.Unmarshal(text, &got); err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(theirs, &want); err != nil {
			t.Fatal(err)
		}
		if got != want {
			t.Errorf("%q: %q reads as %q, want %q", s, text, got, want)
		}
		if i := strings.IndexFunc(string(text), func(r rune) bool { return !unicode.IsPrint(r) }); i >= 0 {
			t.Errorf("%q: %q would reach a terminal", s, text[i:])
		}
	})
}

func TestJSONAllocates(t *testing.T) {
	e := closed()
	e.Socket.Owner.Program = "./\u202e\xff program"
	b := make([]byte, 0, 1024)
	if n := testing.AllocsPerRun(100, func() { b = AppendSocketJSON(b[:0], &e.Socket) }); n != 0 {
		t.Errorf("AppendSocketJSON allocates %v times", n)
	}
	var j EventJSON
	if n := testing.AllocsPerRun(100, func() { b = j.Append(b[:0], &e) }); n != 0 {
		t.Errorf("EventJSON allocates %v times", n)
	}
}

func BenchmarkAppendSocketJSON(b *testing.B) {
	s := closed().Socket
	var line []byte
	b.ReportAllocs()
	for b.Loop() {
		line = AppendSocketJSON(line[:0], &s)
	}
}

// The time of an event is its own, in whatever order they come.
func TestEventJSONTimes(t *testing.T) {
	var j EventJSON
	e := closed()
	for _, at := range []string{
		"2026-11-21T05:06:22.288197000Z", "2026-11-21T05:06:22.999999999Z", "2026-11-21T05:06:23.000000000Z", "2026-11-21T05:06:22.000000001Z",
		"1970-01-01T00:00:00.000000005Z", "1969-12-31T23:59:59.500000000Z",
	} {
		when, err := time.Parse(time.RFC3339Nano, at)
		if err != nil {
			t.Fatal(err)
		}
		e.Time = when.In(time.FixedZone("there", 3600))
		if got, want := string(j.Append(nil, &e)), `{"time":"`+at+`","event":"state",`; !strings.HasPrefix(got, want) {
			t.Errorf("%s, want %s", got, want)
		}
	}
}

func BenchmarkEventJSON(b *testing.B) {
	e := closed()
	var j EventJSON
	var line []byte
	b.ReportAllocs()
	for b.Loop() {
		line = j.Append(line[:0], &e)
	}
}
