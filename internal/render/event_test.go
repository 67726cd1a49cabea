// SPDX-License-Identifier: GPL-2.0-or-later

package render

import (
	"net/netip"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"netlive/internal/sock"
)

// moment is the time of all events here: a fraction with zeros at both ends.
var moment = time.Date(2026, 3, 4, 5, 6, 7, 8_900, time.UTC)

// closed is the end of a connection whose last state took 9 ms.
func closed() sock.Event {
	return sock.Event{
		Kind: sock.EventState, Time: moment, Old: sock.LastAck, InOld: 9_123 * time.Microsecond,
		Socket: sock.Socket{
			ID: 0x1001, Proto: sock.TCP, State: sock.Close, NetNS: 4026531840, UID: 1000, Inode: 4711,
			Local: netip.MustParseAddrPort("192.168.100.20:52344"), Remote: netip.MustParseAddrPort("203.0.113.250:443"),
			Owner: sock.Owner{PID: 2297, FD: 7, How: sock.HowExact, Comm: sock.MakeComm("curl")},
		},
	}
}

// step is a change of state of the same connection, as change leaves it.
func step(old, state sock.State, in time.Duration, change func(*sock.Event)) sock.Event {
	e := closed()
	e.Old, e.Socket.State, e.InOld = old, state, in
	if change != nil {
		change(&e)
	}
	return e
}

func named(comm string) func(*sock.Event) {
	return func(e *sock.Event) { e.Socket.Owner.Comm = sock.MakeComm(comm) }
}

func between(local, remote string) func(*sock.Event) {
	return func(e *sock.Event) {
		e.Socket.Local, e.Socket.Remote = netip.MustParseAddrPort(local), netip.MustParseAddrPort(remote)
	}
}

// inColumns are events whose lines must stand under the header's words.
func inColumns() []sock.Event {
	return []sock.Event{
		step(sock.Close, sock.SynSent, -1, between("192.168.100.20:0", "203.0.113.250:443")),
		step(sock.SynSent, sock.Established, 39_110*time.Microsecond, nil),
		step(sock.Close, sock.Listen, -1, between("0.0.0.0:80", "0.0.0.0:0")),
		step(sock.Established, sock.CloseWait, 3210*time.Millisecond, between("255.255.255.255:65535", "255.255.255.255:65535")),
		step(sock.Established, sock.FinWait1, 123*time.Second, func(e *sock.Event) { e.Socket.Owner.PID = 4194304 }),
		step(sock.FinWait1, sock.Close, 7*time.Microsecond, func(e *sock.Event) { e.Socket.Owner = sock.Owner{} }),
		step(sock.Established, sock.CloseWait, 4*time.Hour+5*time.Minute, between("[::ffff:127.0.0.1]:80", "[::1]:50000")),
		step(sock.StateNone, sock.Established, -1, named("fifteen-bytes-l")),
		step(sock.Established, sock.Close, 0, named("")),
		step(sock.Established, sock.Close, 0, named("d\u00e9mon")),
		step(sock.Established, sock.Close, 0, named("a\x1b[m\x07")),
		step(sock.Established, sock.Close, 0, func(e *sock.Event) { e.Socket.Local, e.Socket.Remote = netip.AddrPort{}, netip.AddrPort{} }),
	}
}

func TestEventLines(t *testing.T) {
	l := EventLines{}
	b := l.Header(nil)
	for _, e := range inColumns() {
		b = l.Append(b, &e)
	}
	// These are too long for their columns and push what follows, whole.
	for _, e := range []sock.Event{
		step(sock.SynSent, sock.Established, 39_110*time.Microsecond, between("["+wide6+"]:52344", "["+wide6+"]:443")),
		step(sock.Established, sock.Close, 0, named("\x1b]0;\u202eevil\x07\n")),
	} {
		b = l.Append(b, &e)
	}
	b = l.Append(b, &sock.Event{Kind: sock.EventLost, Time: moment, Lost: 42})
	golden(t, "events", b)
}

// The words of a line begin, or of a PID end, where those of the header do.
func TestEventColumns(t *testing.T) {
	l := EventLines{}
	header := string(l.Header(nil))
	heads := strings.Fields(header)
	for _, e := range inColumns() {
		line := string(l.Append(nil, &e))
		words := strings.Fields(line)
		if len(words) != len(heads) {
			t.Errorf("%d words, want %d: %s", len(words), len(heads), line)
			continue
		}
		at, headAt := 0, 0
		for i := range words {
			at += strings.Index(line[at:], words[i])
			headAt += strings.Index(header[headAt:], heads[i])
			got, want := utf8.RuneCountInString(line[:at]), headAt
			if heads[i] == "PID" {
				got, want = got+len(words[i]), want+len("PID")
			}
			if got != want {
				t.Errorf("%s is at %d, want %d: %s", heads[i], got, want, line)
			}
			at += len(words[i])
			headAt += len(heads[i])
		}
		if strings.Contains(line, "\x1b") {
			t.Errorf("an escape character in %q", line)
		}
	}
}

func TestEventColors(t *testing.T) {
	plain, colored := EventLines{}, EventLines{Color: true}
	for _, c := range []struct {
		event sock.Event
		color string
	}{
		{step(sock.SynSent, sock.Established, 0, nil), "\x1b[32mESTABLISHED\x1b[m"},
		{step(sock.Close, sock.Listen, -1, nil), "\x1b[32mLISTEN\x1b[m"},
		{closed(), "\x1b[33mCLOSE\x1b[m"},
		{step(sock.Established, sock.FinWait1, 0, nil), ""},
		{sock.Event{Kind: sock.EventLost, Time: moment, Lost: 1}, "\x1b[1;31m*** 1 events lost: the buffer was full ***\x1b[m"},
	} {
		got := string(colored.Append(nil, &c.event))
		if !strings.Contains(got, c.color) || (c.color == "") != !strings.Contains(got, "\x1b") {
			t.Errorf("%q, want %q in it", got, c.color)
		}
		// Colours change nothing but colours: not where the columns are.
		for _, sgr := range []string{sgrOpen, sgrClose, sgrWarn, sgrReset} {
			got = strings.ReplaceAll(got, sgr, "")
		}
		if want := string(plain.Append(nil, &c.event)); got != want {
			t.Errorf("without its colours %q, want %q", got, want)
		}
	}
}

func TestEventClock(t *testing.T) {
	for _, c := range []struct {
		at   time.Time
		zone *time.Location
		want string
	}{
		{moment, nil, "05:06:07.000008 "},
		{moment.In(time.FixedZone("there", 3600)), nil, "05:06:07.000008 "},
		{moment, time.FixedZone("there", -6*3600+1800), "23:36:07.000008 "},
		{moment.Add(999_999 * time.Microsecond), nil, "05:06:08.000007 "},
		{time.Date(2026, 3, 4, 23, 59, 59, 999_999_999, time.UTC), nil, "23:59:59.999999 "},
	} {
		l := EventLines{Location: c.zone}
		if got := string(l.Append(nil, &sock.Event{Kind: sock.EventLost, Time: c.at})); !strings.HasPrefix(got, c.want) {
			t.Errorf("%v: %q, want %q first", c.at, got, c.want)
		}
	}
}

func TestAppendDuration(t *testing.T) {
	const day = 24 * time.Hour
	for _, c := range []struct {
		d    time.Duration
		want string
	}{
		{0, "0us"},
		{999 * time.Nanosecond, "0us"},
		{7 * time.Microsecond, "7us"},
		{999 * time.Microsecond, "999us"},
		{time.Millisecond - 1, "999us"},
		{time.Millisecond, "1.000ms"},
		{1234 * time.Microsecond, "1.234ms"},
		{39_110 * time.Microsecond, "39.110ms"},
		{999_999 * time.Microsecond, "999.999ms"},
		{time.Second - 1, "999.999ms"},
		{time.Second, "1.000s"},
		{3210 * time.Millisecond, "3.210s"},
		{59_999 * time.Millisecond, "59.999s"},
		{time.Minute - 1, "59.999s"},
		{time.Minute, "1m00s"},
		{2*time.Minute + 3*time.Second, "2m03s"},
		{time.Hour - 1, "59m59s"},
		{time.Hour, "1h00m"},
		{4*time.Hour + 5*time.Minute, "4h05m"},
		{day - 1, "23h59m"},
		{day, "1d00h"},
		{3*day + 7*time.Hour, "3d07h"},
		{1<<63 - 1, "106751d23h"},
	} {
		if got := AppendDuration([]byte(">"), c.d); string(got) != ">"+c.want {
			t.Errorf("%v: %s, want %s", c.d, got[1:], c.want)
		}
	}
}

// Three decimals are cut as numbers are, whatever floating point would make of them.
func TestAppendDurationIsExact(t *testing.T) {
	for us := range 1_000_000 {
		d := time.Duration(us) * time.Microsecond
		got, err := time.ParseDuration(string(AppendDuration(nil, d)))
		if err != nil || got != d {
			t.Fatalf("%v became %v, %v", d, got, err)
		}
	}
}

func TestEventLinesAllocate(t *testing.T) {
	e := closed()
	l := EventLines{Color: true, Location: time.FixedZone("there", 3600)}
	b := make([]byte, 0, 1024)
	if n := testing.AllocsPerRun(100, func() { b = l.Append(b[:0], &e) }); n != 0 {
		t.Errorf("Append allocates %v times", n)
	}
}

func BenchmarkEventLines(b *testing.B) {
	e := closed()
	l := EventLines{Location: time.FixedZone("there", 3600)}
	var line []byte
	b.ReportAllocs()
	for b.Loop() {
		line = l.Append(line[:0], &e)
	}
}
