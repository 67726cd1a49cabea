// SPDX-License-Identifier: GPL-2.0-or-later

package render

import (
	"net/netip"
	"strings"
	"testing"
	"time"
	"unicode"

	"netlive/internal/sock"
)

func TestEventLinesOfEveryKind(t *testing.T) {
	var l EventLines
	if err := l.Select(^sock.EventSet(0), nil); err != nil {
		t.Fatal(err)
	}
	b := l.Header(nil)
	for _, e := range ofEveryKind() {
		b = l.Append(b, &e)
	}
	golden(t, "events_kinds", b)
}

// Each value stands below its head, whatever the column and the kind of event.
func TestEveryEventColumn(t *testing.T) {
	events := append(ofEveryKind(), hostile())
	for i := range events {
		events[i].Socket.Owner.Comm = sock.MakeComm("x\u00e9") // more bytes than characters
	}
	places := placing(true, true)
	for _, c := range AllEventColumns() {
		l := EventLines{Places: places}
		if err := l.Select(0, []string{c.Name, "pid"}); err != nil {
			t.Fatal(err)
		}
		head := string(l.Header(nil))
		if want := strings.ToUpper(c.head); c.head != want || !strings.HasPrefix(strings.TrimLeft(head, " "), want+" ") {
			t.Errorf("%s: head %q", c.Name, head)
		}
		known := false
		for _, e := range events {
			if e.Kind == sock.EventLost || e.Kind == sock.EventResync {
				continue
			}
			e.Stack = nil
			line := string(l.Append(nil, &e))
			rest := []rune(strings.TrimSuffix(line, "\n"))
			if c.width > 0 && len(rest) < c.width+1+widthEndOfPID {
				t.Errorf("%s: %d columns, want %d: %q", c.Name, len(rest), c.width+1+widthEndOfPID, line)
				continue
			}
			value := strings.TrimSpace(string(rest[:len(rest)-1-widthEndOfPID]))
			switch {
			case value == "":
				t.Errorf("%s: nothing, not even -, for %v: %q", c.Name, e.Kind, line)
			case !c.kinds.Has(e.Kind) && value != "-":
				t.Errorf("%s: %q for %v, which has none", c.Name, value, e.Kind)
			case value != "-":
				known = true
			}
			if first := string(rest[:1]); c.right == (first != " ") && len([]rune(value)) < c.width {
				t.Errorf("%s: to the wrong side: %q", c.Name, line)
			}
		}
		if !known && c.Name != "lost" && c.Name != "minisocket" && c.Name != "delta" && c.Name != "stack" && c.Name != "cgroupid" && c.needs == needNothing {
			t.Errorf("%s is never known", c.Name)
		}
		if c.Doc == "" || c.cell == nil || c.kinds == 0 {
			t.Errorf("%s is not whole", c.Name)
		}
	}
}

// widthEndOfPID is the width of the column behind the one that is looked at.
const widthEndOfPID = 7

func TestEventColumnNames(t *testing.T) {
	for names, want := range map[string]string{
		"time":                      "time",
		"MIN_RTT,accept-wait, Why ": "minrtt acceptwait why",
		"pid,pid":                   "pid pid",
	} {
		got, err := ParseEventColumns(strings.Split(names, ","))
		if err != nil || strings.Join(got.Names(), " ") != want {
			t.Errorf("%s: %v, %v", names, got.Names(), err)
		}
	}
	for _, names := range [][]string{{"colour"}, {"time", ""}, {}, {"\x1b[m"}} {
		_, err := ParseEventColumns(names)
		if err == nil {
			t.Errorf("%q: no error", names)
			continue
		}
		for _, c := range AllEventColumns() {
			if !strings.Contains(err.Error(), c.Name) {
				t.Errorf("%q: %s is not in %q", names, c.Name, err)
			}
		}
		if strings.Contains(err.Error(), "\x1b") {
			t.Errorf("%q", err)
		}
	}
	var l EventLines
	if err := l.Select(0, []string{"colour"}); err == nil || !strings.Contains(err.Error(), `"colour"`) {
		t.Errorf("Select: %v", err)
	}
}

// What is shown when nothing is asked for depends on the kinds.
func TestDefaultColumns(t *testing.T) {
	const state = "time process pid local remote old new inold"
	for _, c := range []struct {
		kinds  sock.EventSet
		places *Places
		width  int
		want   string
	}{
		{0, nil, 0, state},
		{sock.Events(sock.EventState), nil, 0, state},
		{sock.Events(sock.EventState, sock.EventLost, sock.EventResync, sock.EventOwner), nil, 0, state},
		{sock.Events(sock.EventState), placing(true, true), 0, state + " netnsname unit"},
		{sock.Events(sock.EventState, sock.EventOpen), nil, 0, "time event process pid local remote duration sent received why"},
		{sock.Events(sock.EventClose), placing(true, false), 0, "time event process pid local remote duration sent received netnsname why"},
		{sock.Events(sock.EventClose), nil, wideLines, "time event process pid local remote duration sent received why"},
		{sock.Events(sock.EventClose), nil, 80, "time event process remote duration why"},
		{sock.Events(sock.EventState), nil, 80, "time process remote old new"},
	} {
		if got := strings.Join(LineColumns(c.kinds, c.places, c.width).Names(), " "); got != c.want {
			t.Errorf("%b: %s, want %s", c.kinds, got, c.want)
		}
	}
}

func TestEventTimes(t *testing.T) {
	zone := time.FixedZone("there", 2*3600+1800)
	for _, c := range []struct {
		times EventTimes
		zone  *time.Location
		want  string
	}{
		{TimesClock, zone, "TIME                PID\n07:36:07.000008    2297\n07:36:09.010508    2297\n07:36:09.010498    2297\n"},
		{TimesAbsolute, zone, "TIME                                 PID\n2026-03-04T07:36:07.000008+02:30    2297\n" +
			"2026-03-04T07:36:09.010508+02:30    2297\n2026-03-04T07:36:09.010498+02:30    2297\n"},
		{TimesAbsolute, nil, "TIME                                 PID\n2026-03-04T05:06:07.000008Z         2297\n" +
			"2026-03-04T05:06:09.010508Z         2297\n2026-03-04T05:06:09.010498Z         2297\n"},
		{TimesDelta, zone, "    DELTA     PID\n        -    2297\n   2.010s    2297\n    -10us    2297\n"},
	} {
		l := EventLines{Times: c.times, Location: c.zone}
		if err := l.Select(0, []string{"time", "pid"}); err != nil {
			t.Fatal(err)
		}
		b := l.Header(nil)
		for _, after := range []time.Duration{0, 2*time.Second + 10_500*time.Microsecond, 2*time.Second + 10_490*time.Microsecond} {
			e := closed()
			e.Time = e.Time.Add(after)
			b = l.Append(b, &e)
		}
		if got := string(b); got != c.want {
			t.Errorf("%v:\n%s\nwant\n%s", c.times, got, c.want)
		}
	}
	// The time between two lines is that between two events, lost ones too.
	l := EventLines{Times: TimesDelta}
	lost := sock.Event{Kind: sock.EventLost, Time: moment, Lost: 1}
	b := l.Append(nil, &lost)
	lost.Time = lost.Time.Add(time.Millisecond)
	if got := string(l.Append(b, &lost)); got != "        - *** 1 events lost: the buffer was full ***\n  1.000ms *** 1 events lost: the buffer was full ***\n" {
		t.Errorf("%s", got)
	}
}

func TestEventKindColors(t *testing.T) {
	want := map[sock.EventKind]string{
		sock.EventListen: sgrOpen, sock.EventOpen: sgrOpen, sock.EventAccept: sgrOpen, sock.EventClose: sgrClose, sock.EventRetransmit: sgrRetrans,
		sock.EventFail: sgrBad, sock.EventReset: sgrBad, sock.EventDrop: sgrBad, sock.EventOverflow: sgrBad, sock.EventError: sgrBad,
	}
	var plain, colored EventLines
	colored.Color = true
	for _, l := range []*EventLines{&plain, &colored} {
		if err := l.Select(sock.Events(sock.EventOpen), nil); err != nil {
			t.Fatal(err)
		}
	}
	for _, e := range ofEveryKind() {
		line, without := string(colored.Append(nil, &e)), string(plain.Append(nil, &e))
		switch color := want[e.Kind]; {
		case e.Kind == sock.EventLost:
			if !strings.Contains(line, " "+sgrWarn+"*** ") || !strings.HasSuffix(line, " ***"+sgrReset+"\n") {
				t.Errorf("%q", line)
			}
		case color == "":
			if line != without {
				t.Errorf("%v has a colour: %q", e.Kind, line)
			}
			continue
		case !strings.Contains(line, color+e.Kind.String()+sgrReset):
			t.Errorf("%v: %q", e.Kind, line)
		}
		for _, sgr := range []string{sgrOpen, sgrClose, sgrRetrans, sgrBad, sgrWarn, sgrReset} {
			line = strings.ReplaceAll(line, sgr, "")
		}
		if line != without {
			t.Errorf("without its colours %q, want %q", line, without)
		}
	}
}

// A stack is told below its event, or in its column.
func TestEventStack(t *testing.T) {
	e := of(sock.EventRetransmit, nil)
	e.Stack = []string{"__tcp_retransmit_skb+0x5", "tcp_retransmit_skb+0x1a", "0xffffffff81000000"}
	for columns, want := range map[string]string{
		"event":       "retransmit\n    __tcp_retransmit_skb+0x5\n    tcp_retransmit_skb+0x1a\n    0xffffffff81000000\n",
		"event,stack": "retransmit __tcp_retransmit_skb+0x5;tcp_retransmit_skb+0x1a;0xffffffff81000000\n",
	} {
		var l EventLines
		if err := l.Select(0, strings.Split(columns, ",")); err != nil {
			t.Fatal(err)
		}
		if got := string(l.Append(nil, &e)); got != want {
			t.Errorf("%s: %q, want %q", columns, got, want)
		}
	}
}

// Nothing that a stranger named reaches a terminal as it is, in whatever column.
func TestEventLinesEscape(t *testing.T) {
	e := hostile()
	for _, c := range AllEventColumns() {
		l := EventLines{Places: placing(true, true), Names: hostileNames{}}
		if err := l.Select(0, []string{c.Name}); err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(l.Append(nil, &e))) {
			if i := strings.IndexFunc(strings.TrimSuffix(line, "\n"), func(r rune) bool { return !unicode.IsPrint(r) }); i >= 0 {
				t.Errorf("%s: %q", c.Name, line)
			}
		}
	}
}

type hostileNames struct{ Numeric }

func (hostileNames) AppendUser(b []byte, _ uint32) []byte { return append(b, "root\x1b[2J\n,\""...) }

func TestAppendSize(t *testing.T) {
	for n, want := range map[uint64]string{
		0: "0", 1: "1", 999: "999", 1000: "1.0K", 1099: "1.0K", 1100: "1.1K", 9999: "9.9K", 10_000: "10K", 88_765: "88K", 999_999: "999K",
		1_000_000: "1.0M", 3_499_999: "3.4M", 9_999_999: "9.9M", 10_000_000: "10M", 1_234_567_890: "1.2G", 5_000_000_000_000: "5.0T",
		7_700_000_000_000_000: "7.7P", 1<<64 - 1: "18E", 9_999_999_999_999_999_999: "9.9E",
	} {
		if got := string(AppendSize([]byte(">"), n)); got != ">"+want {
			t.Errorf("%d: %s, want %s", n, got[1:], want)
		}
	}
}

func TestAppendOrdinal(t *testing.T) {
	for n, want := range map[uint8]string{1: "1st", 2: "2nd", 3: "3rd", 4: "4th", 10: "10th", 11: "11th", 12: "12th", 13: "13th", 21: "21st", 111: "111th", 122: "122nd"} {
		if got := string(appendOrdinal(nil, n)); got != want {
			t.Errorf("%d: %s", n, got)
		}
	}
}

// What strconv and netip would write.
func TestQuickNumbers(t *testing.T) {
	for n := range 1 << 16 {
		s := sock.Socket{Local: netip.AddrPortFrom(netip.AddrFrom4([4]byte{byte(n >> 8), byte(n), 0, 255}), uint16(n))}
		want := s.Local.String()
		if n == 0 {
			want = "0.0.0.255:*"
		}
		if got := string(appendTraceEnd(nil, s.Local)); got != want {
			t.Fatalf("%s, want %s", got, want)
		}
	}
	for us := 0; us < 1_000_000; us += 37 {
		if got, want := string(appendMicro(nil, us)), string(appendMarked(nil, '.', us, 1e6)); got != want {
			t.Fatalf("%s, want %s", got, want)
		}
	}
}

func TestEventsAllocate(t *testing.T) {
	lines := EventLines{Color: true, Location: time.FixedZone("there", 3600), Places: placing(true, true)}
	all := EventLines{Times: TimesAbsolute, Places: placing(true, true)}
	csv, wide := EventCSV{Places: placing(true, true)}, EventCSV{Places: placing(true, true)}
	for _, err := range []error{
		lines.Select(sock.Events(sock.EventOpen), nil), all.Select(0, AllEventColumns().Names()),
		csv.Select(sock.Events(sock.EventOpen), nil), wide.Select(0, AllEventColumns().Names()),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	var objects EventJSON
	b := make([]byte, 0, 4096)
	for name, f := range map[string]func(b []byte, e *sock.Event) []byte{
		"lines": lines.Append, "lines of all columns": all.Append, "CSV": csv.Append, "CSV of all columns": wide.Append, "JSON": objects.Append,
	} {
		for _, e := range ofEveryKind() {
			e.Stack = []string{"tcp_retransmit_skb+0x1a", "a_function_whose_name_is_longer_than_what_fits_a_buffer_on_the_stack+0x1a/0x20"}
			if n := testing.AllocsPerRun(20, func() { b = f(b[:0], &e) }); n != 0 {
				t.Errorf("%s allocate %v times for %v", name, n, e.Kind)
			}
		}
	}
}

func BenchmarkEventLinesClose(b *testing.B) {
	e := lived(sock.EndFin, peer("nginx"))
	l := EventLines{Location: time.FixedZone("there", 3600)}
	if err := l.Select(sock.Events(sock.EventClose), nil); err != nil {
		b.Fatal(err)
	}
	var line []byte
	b.ReportAllocs()
	for b.Loop() {
		line = l.Append(line[:0], &e)
	}
}
