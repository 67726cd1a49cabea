// SPDX-License-Identifier: GPL-2.0-or-later

package render

import (
	"bytes"
	"encoding/csv"
	"strings"
	"testing"
	"time"
	"unicode"

	"netlive/internal/sock"
)

// readCSV is what encoding/csv makes of b: a map of each record.
func readCSV(t *testing.T, b []byte) (records []map[string]string) {
	t.Helper()
	r := csv.NewReader(bytes.NewReader(b))
	rows, err := r.ReadAll()
	if err != nil {
		t.Fatalf("%v in\n%s", err, b)
	}
	for _, row := range rows[1:] {
		m := map[string]string{}
		for i, value := range row {
			m[rows[0][i]] = value
		}
		records = append(records, m)
	}
	return records
}

func TestEventCSV(t *testing.T) {
	c := EventCSV{Places: placing(true, true)}
	events := ofEveryKind()
	kinds := sock.EventSet(0)
	for i := range events {
		kinds |= sock.Events(events[i].Kind)
		events[i].Socket.NetNS, events[i].Socket.Cgroup = 7, 8
	}
	if err := c.Select(kinds, nil); err != nil {
		t.Fatal(err)
	}
	b := c.Header(nil)
	for _, e := range events {
		b = c.Append(b, &e)
	}
	golden(t, "events_csv", b)

	records := readCSV(t, b)
	if len(records) != len(events) {
		t.Fatalf("%d records of %d events", len(records), len(events))
	}
	for i, m := range records {
		e := &events[i]
		if at, err := time.Parse(time.RFC3339Nano, m["time"]); err != nil || !at.Equal(e.Time) || m["event"] != e.Kind.String() {
			t.Errorf("%v: %v", e.Kind, m)
		}
		for name, value := range m {
			if strings.TrimSpace(value) == "-" {
				t.Errorf("%v: %s is %q: what is not known is empty", e.Kind, name, value)
			}
		}
	}
}

// The values are raw and whole.
func TestEventCSVValues(t *testing.T) {
	e := lived(sock.EndResetSent, func(d *sock.Detail) {
		peer("a/b,c\"")(d)
		d.Reason, d.Signal, d.Exited, d.AcceptWait = "TCP_ABORT_ON_CLOSE", sigkill, true, 0
	})
	e.Socket.Owner.Comm = sock.MakeComm(" x,\"y\"")
	want := map[string]string{
		"time": "2026-03-04T05:06:07.000008900Z", "delta": "", "event": "close", "lost": "", "proto": "tcp", "process": " x,\"y\"", "pid": "2297",
		"user": "1000", "uid": "1000", "local": "192.168.100.20:52344", "remote": "203.0.113.250:443",
		"localaddr": "192.168.100.20", "localport": "52344", "remoteaddr": "203.0.113.250", "remoteport": "443",
		"state": "CLOSE", "old": "", "new": "", "inold": "", "minisocket": "",
		"duration": "184512", "connect": "39110", "acceptwait": "0", "sent": "1234", "received": "88765", "bytesretrans": "1448", "segsout": "66", "segsin": "71",
		"retrans": "1", "rtt": "41007", "minrtt": "38250", "by": "local", "end": "reset_sent", "errno": "", "reason": "TCP_ABORT_ON_CLOSE", "signal": "SIGKILL",
		"exited": "yes", "peer": "a/b,c\"/28883", "peernetns": "4026531840", "segment": "", "seq": "", "len": "", "nth": "",
		"backlog": "", "maxbacklog": "", "dropped": "", "inode": "4711", "cookie": "4097", "netns": "4026531840", "cgroupid": "",
		"netnsname": "", "cgroup": "", "unit": "", "stack": "a;b",
		"why": "reset sent: TCP_ABORT_ON_CLOSE, killed by SIGKILL, 1 retransmit, peer a/b,c\"/28883",
	}
	e.Stack = []string{"a", "b"}
	var c EventCSV
	if err := c.Select(0, AllEventColumns().Names()); err != nil {
		t.Fatal(err)
	}
	got := readCSV(t, c.Append(c.Header(nil), &e))[0]
	for _, col := range AllEventColumns() {
		if value, ok := want[col.Name]; !ok || got[col.Name] != value {
			t.Errorf("%s: %q, want %q", col.Name, got[col.Name], value)
		}
	}
	if len(got) != len(want) {
		t.Errorf("%d columns, want %d", len(got), len(want))
	}
	// Now there is an event before it.
	e.Time = e.Time.Add(-1500 * time.Microsecond)
	if got := readCSV(t, c.Append(c.Header(nil), &e))[0]["delta"]; got != "-1500" {
		t.Errorf("delta %s", got)
	}
}

// The columns that are not named are those that the kinds can fill, in one order.
func TestCSVColumns(t *testing.T) {
	const head, tail = "time event lost proto process pid uid localaddr localport remoteaddr remoteport state ", " inode cookie netns cgroupid"
	for _, c := range []struct {
		kinds  sock.EventSet
		places *Places
		want   string
	}{
		{sock.Events(sock.EventState), nil, head + "old minisocket duration" + tail},
		{sock.Events(sock.EventListen, sock.EventBind), nil, strings.TrimSuffix(head, " ") + tail},
		{sock.Events(sock.EventOpen), nil, head + "duration connect" + tail},
		{sock.Events(sock.EventAccept, sock.EventOverflow), placing(false, true), head + "duration acceptwait backlog maxbacklog dropped" + tail + " cgroup unit"},
		{sock.Events(sock.EventFail), placing(true, false), head + "duration connect acceptwait sent received bytesretrans segsout segsin retrans rtt minrtt " +
			"by end errno reason signal exited peer peernetns" + tail + " netnsname"},
		{sock.Events(sock.EventRetransmit), nil, head + "segment seq len nth" + tail},
		{sock.Events(sock.EventReset, sock.EventDrop), nil, head + "by reason segment seq len" + tail},
		{sock.Events(sock.EventError), nil, head + "errno" + tail},
	} {
		if got := strings.Join(CSVColumns(c.kinds, c.places).Names(), " "); got != c.want {
			t.Errorf("%b: %s, want %s", c.kinds, got, c.want)
		}
	}
}

// A record is one line, harmless to a terminal, and encoding/csv reads the fields that were written, whatever strangers name.
func TestEventCSVEscapes(t *testing.T) {
	e := hostile()
	for _, col := range AllEventColumns() {
		c := EventCSV{Places: placing(true, true), Names: hostileNames{}}
		if err := c.Select(0, []string{col.Name, "pid"}); err != nil {
			t.Fatal(err)
		}
		b := c.Append(c.Header(nil), &e)
		if n := bytes.Count(b, []byte("\n")); n != 2 {
			t.Errorf("%s: %d lines: %q", col.Name, n, b)
		}
		if i := bytes.IndexFunc(b, func(r rune) bool { return r != '\n' && !unicode.IsPrint(r) }); i >= 0 {
			t.Errorf("%s: %q", col.Name, b)
		}
		if got := readCSV(t, b); len(got) != 1 || got[0]["pid"] != "2297" && col.Name != "pid" {
			t.Errorf("%s: %v from %q", col.Name, got, b)
		}
	}
}

// A record of one field that is not known is a record nevertheless.
func TestEventCSVOneField(t *testing.T) {
	var c EventCSV
	if err := c.Select(0, []string{"errno"}); err != nil {
		t.Fatal(err)
	}
	e := closed()
	if got := string(c.Append(c.Append(c.Header(nil), &e), &e)); got != "errno\n\"\"\n\"\"\n" {
		t.Errorf("%q", got)
	}
}

func FuzzQuote(f *testing.F) {
	for _, s := range []string{"", "a", `"`, `""`, ",", " a", "a b", `a"b,c"`, `\.`, `"""`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if strings.ContainsAny(s, "\r\n") {
			return // they are escaped before
		}
		line := quote([]byte("1,"+s), 2)
		row, err := csv.NewReader(bytes.NewReader(line)).Read()
		if err != nil || len(row) != 2 || row[0] != "1" || row[1] != s {
			t.Errorf("%q became %q, read as %q, %v", s, line, row, err)
		}
	})
}

func BenchmarkEventCSV(b *testing.B) {
	for name, e := range map[string]sock.Event{"state": closed(), "close": lived(sock.EndFin, peer("nginx"))} {
		b.Run(name, func(b *testing.B) {
			var c EventCSV
			if err := c.Select(sock.Events(e.Kind), nil); err != nil {
				b.Fatal(err)
			}
			var line []byte
			b.ReportAllocs()
			for b.Loop() {
				line = c.Append(line[:0], &e)
			}
		})
	}
}
