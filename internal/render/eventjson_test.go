// SPDX-License-Identifier: GPL-2.0-or-later

package render

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode"

	"netlive/internal/sock"
)

// What each kind has besides its socket, name by name: the order holds too.
func TestEventJSONOfEveryKind(t *testing.T) {
	life := func(change string, with ...string) string {
		text := `"duration_us":184512,"states_us":{"ESTABLISHED":145402,"SYN_SENT":39110,"FIN_WAIT1":null},"connect_us":39110,"accept_wait_us":null,` +
			`"bytes_sent":1234,"bytes_received":88765,"bytes_retrans":1448,"segs_out":66,"segs_in":71,"retrans":1,"rtt_us":41007,"min_rtt_us":38250,` +
			`"closed_by":"local","end":"fin","reason":null,"errno":null,"signal":null,"exited":false,"peer":null`
		for i := 0; i < len(with); i += 2 {
			if !strings.Contains(text, with[i]) {
				t.Fatalf("%s: no %s", change, with[i])
			}
			text = strings.Replace(text, with[i], with[i+1], 1)
		}
		return text
	}
	const state = `"old_state":null,"new_state":"CLOSE","state_us":null`
	for _, c := range []struct {
		name  string
		event sock.Event
		want  string
	}{
		{"owner", of(sock.EventOwner, nil), state},
		{"listen", of(sock.EventListen, nil), ""},
		{"bind", of(sock.EventBind, nil), ""},
		{"open", of(sock.EventOpen, func(e *sock.Event, _ *sock.Detail) { e.InOld = 39_110_999 }), `"connect_us":39110`},
		{"open, not known", of(sock.EventOpen, nil), `"connect_us":null`},
		{"accept", of(sock.EventAccept, func(e *sock.Event, _ *sock.Detail) { e.InOld = 0 }), `"accept_wait_us":0`},
		{"close", lived(sock.EndFin, nil), life("close")},
		{"close, nothing known", lived(sock.EndUnknown, func(d *sock.Detail) {
			*d = sock.Detail{Life: sock.Life{Duration: -1, Connect: -1, AcceptWait: -1}}
		}), `"duration_us":null,"states_us":{},"connect_us":null,"accept_wait_us":null,"bytes_sent":0,"bytes_received":0,"bytes_retrans":0,` +
			`"segs_out":0,"segs_in":0,"retrans":0,"rtt_us":null,"min_rtt_us":null,"closed_by":null,"end":null,"reason":null,"errno":null,"signal":null,` +
			`"exited":false,"peer":null`},
		{"close by a kill", lived(sock.EndResetSent, func(d *sock.Detail) { d.Reason, d.Signal, d.Exited = "TCP_ABORT_ON_CLOSE", sigkill, true }),
			life("kill", `"fin"`, `"reset_sent"`, `"reason":null`, `"reason":"TCP_ABORT_ON_CLOSE"`, `"signal":null,"exited":false`, `"signal":"SIGKILL","exited":true`)},
		{"close by a signal without a name", lived(sock.EndFin, func(d *sock.Detail) { d.Signal = 64 }), life("signal", `"signal":null`, `"signal":"64"`)},
		{"close with a peer", lived(sock.EndFin, peer("nginx")),
			life("peer", `"peer":null`, `"peer":{"pid":28883,"comm":"nginx","fd":null,"start_ns":5,"how":"exact","netns":4026531840}`)},
		{"close with a peer somewhere", lived(sock.EndFin, func(d *sock.Detail) { peer("nginx")(d); d.PeerNetNS = 0 }),
			life("peer", `"peer":null`, `"peer":{"pid":28883,"comm":"nginx","fd":null,"start_ns":5,"how":"exact","netns":null}`)},
		{"fail", failed(sock.EndRefused, econnrefused), `"duration_us":1042,"states_us":{"SYN_SENT":1042},"connect_us":null,"accept_wait_us":null,` +
			`"bytes_sent":0,"bytes_received":0,"bytes_retrans":0,"segs_out":0,"segs_in":0,"retrans":0,"rtt_us":null,"min_rtt_us":null,"closed_by":null,` +
			`"end":"refused","reason":null,"errno":"ECONNREFUSED","signal":null,"exited":false,"peer":null`},
		{"retransmit", of(sock.EventRetransmit, func(_ *sock.Event, d *sock.Detail) {
			d.Segment, d.Seq, d.Len, d.Nth = sock.SegmentData, 4294967295, 1448, 2
		}),
			`"segment":"data","seq":4294967295,"len":1448,"nth":2`},
		{"retransmit of who knows what", of(sock.EventRetransmit, nil), `"segment":null,"seq":null,"len":null,"nth":0`},
		{"drop", of(sock.EventDrop, func(_ *sock.Event, d *sock.Detail) { d.Segment, d.Reason = sock.SegmentSYN, "LISTEN_OVERFLOW" }),
			`"segment":"syn","seq":0,"len":0,"reason":"LISTEN_OVERFLOW"`},
		{"drop, not known", of(sock.EventDrop, nil), `"segment":null,"seq":null,"len":null,"reason":null`},
		{"reset sent", of(sock.EventReset, func(_ *sock.Event, d *sock.Detail) { d.By, d.Reason = sock.SideLocal, "NO_SOCKET" }),
			`"direction":"sent","reason":"NO_SOCKET"`},
		{"reset received", of(sock.EventReset, func(_ *sock.Event, d *sock.Detail) { d.By = sock.SideRemote }), `"direction":"received","reason":null`},
		{"reset of whom", of(sock.EventReset, nil), `"direction":null,"reason":null`},
		{"overflow unknown", of(sock.EventOverflow, func(_ *sock.Event, d *sock.Detail) { d.Backlog, d.MaxBacklog, d.Dropped = 129, 128, -1 }),
			`"backlog":129,"max_backlog":128,"dropped":null`},
		{"overflow", of(sock.EventOverflow, func(_ *sock.Event, d *sock.Detail) { d.Backlog, d.MaxBacklog, d.Dropped = 129, 128, 37 }),
			`"backlog":129,"max_backlog":128,"dropped":37`},
		{"error", of(sock.EventError, func(_ *sock.Event, d *sock.Detail) { d.Errno = econnreset }), `"errno":"ECONNRESET"`},
		{"error without a name", of(sock.EventError, func(_ *sock.Event, d *sock.Detail) { d.Errno = 524 }), `"errno":"524"`},
		{"stack", of(sock.EventListen, func(e *sock.Event, _ *sock.Detail) { e.Stack = []string{"inet_listen+0x1", "a\"\x1b\u202e"} }),
			`"stack":["inet_listen+0x1","a\"\u001b\u202e"]`},
		{"no stack", of(sock.EventListen, func(e *sock.Event, _ *sock.Detail) { e.Stack = []string{} }), `"stack":[]`},
	} {
		socket := string(appendSocketFields(nil, &c.event.Socket, false))
		want := `{"time":"2026-03-04T05:06:07.000008900Z","event":"` + c.event.Kind.String() + `",` + socket
		if c.want != "" {
			want += "," + c.want
		}
		same(t, c.name, string(new(EventJSON).Append(nil, &c.event)), want+"}")
	}
}

// Of a segment that came for no socket nobody knows whose it would be: user 0 would be root.
func TestEventJSONWithoutSocket(t *testing.T) {
	e := of(sock.EventReset, nil)
	e.Socket.ID, e.Socket.UID, e.Socket.Inode, e.Socket.Owner = 0, 0, 0, sock.Owner{}
	got := string(new(EventJSON).Append(nil, &e))
	if !strings.Contains(got, `"uid":null,"inode":null,"cookie":null,`) || !strings.Contains(got, `"owners":[],`) {
		t.Errorf("%s", got)
	}
	l := EventLines{}
	if err := l.Select(0, []string{"uid", "inode", "user"}); err != nil {
		t.Fatal(err)
	}
	if got := string(l.Append(nil, &e)); strings.Join(strings.Fields(got), " ") != "- - -" {
		t.Errorf("%s", got)
	}
}

func TestEventJSONNotices(t *testing.T) {
	var j EventJSON
	same(t, "resync", string(j.Append(nil, &sock.Event{Kind: sock.EventResync, Time: moment})),
		`{"time":"2026-03-04T05:06:07.000008900Z","event":"resync"}`)
	kinds := sock.Events(sock.EventState, sock.EventClose, sock.EventLost)
	same(t, "begin", string(AppendEventBegin(nil, moment, "1.2.3", "tp_btf \"x\"", kinds, "dport = 443")),
		`{"event":"begin","schema":"netlive.event.v1","time":"2026-03-04T05:06:07.000008900Z","version":"1.2.3","hook":"tp_btf \"x\"",`+
			`"events":["state","close","lost"],"filter":"dport = 443"}`)
	same(t, "begin of nothing", string(AppendEventBegin(nil, moment, "", "", 0, "")),
		`{"event":"begin","schema":"netlive.event.v1","time":"2026-03-04T05:06:07.000008900Z","version":null,"hook":null,"events":[],"filter":null}`)
}

// The names of places are added to sockets, and to nothing else.
func TestEventJSONPlaces(t *testing.T) {
	j := EventJSON{Places: placing(true, true)}
	e := lived(sock.EndFin, nil)
	e.Socket.NetNS, e.Socket.Cgroup, e.Stack = 7, 8, []string{"f"}
	if got := string(j.Append(nil, &e)); !strings.HasSuffix(got, `"stack":["f"],"netns_name":"web","cgroup":"/system.slice/nginx.service","unit":"nginx.service"}`) {
		t.Errorf("%s", got)
	}
	if got := string(j.Append(nil, &sock.Event{Kind: sock.EventLost, Time: moment})); strings.Contains(got, "netns_name") {
		t.Errorf("%s", got)
	}
}

func TestEventJSONEscapes(t *testing.T) {
	e := hostile()
	j := EventJSON{Places: placing(true, true)}
	text := string(j.Append(nil, &e))
	if i := strings.IndexFunc(text, func(r rune) bool { return !unicode.IsPrint(r) }); i >= 0 {
		t.Errorf("%q would reach a terminal", text[i:])
	}
	var got struct {
		Reason string
		Owners []struct{ Comm string }
		Peer   struct{ Comm string }
		Stack  []string
	}
	if err := json.Unmarshal([]byte(text), &got); err != nil {
		t.Fatal(err)
	}
	if got.Reason != e.Detail.Reason || got.Owners[0].Comm != e.Socket.Owner.Comm.String() || got.Peer.Comm != e.Detail.Peer.Comm.String() ||
		strings.Join(got.Stack, "|") != strings.Join(e.Stack, "|") {
		t.Errorf("%+v from %s", got, text)
	}
}

func BenchmarkEventJSONClose(b *testing.B) {
	e := lived(sock.EndFin, peer("nginx"))
	var j EventJSON
	var line []byte
	b.ReportAllocs()
	for b.Loop() {
		line = j.Append(line[:0], &e)
	}
}
