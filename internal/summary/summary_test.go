// SPDX-License-Identifier: GPL-2.0-or-later

package summary

import (
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"netlive/internal/sock"
)

var moment = time.Date(2026, 3, 4, 5, 6, 7, 8_900, time.FixedZone("there", 3600))

func add(s *Summary, kind sock.EventKind, in time.Duration) {
	s.Add(&sock.Event{Kind: kind, InOld: in, Lost: 7})
}

func end(s *Summary, kind sock.EventKind, end sock.End, errno uint16, life sock.Life) {
	s.Add(&sock.Event{Kind: kind, InOld: -1, Detail: &sock.Detail{End: end, Errno: errno, Life: life}})
}

// busy has seen everything.
func busy() *Summary {
	s := new(Summary)
	for i := range 1000 {
		add(s, sock.EventOpen, time.Duration(i+1)*100*time.Microsecond)
		add(s, sock.EventAccept, time.Duration(i%10)*time.Microsecond)
		end(s, sock.EventClose, sock.EndFin, 0, sock.Life{
			Duration: time.Duration(i) * time.Second, Connect: time.Hour, AcceptWait: -1, BytesSent: 1_234, BytesReceived: 1_000_000, BytesRetrans: 14, Retrans: 1,
		})
	}
	add(s, sock.EventOpen, -1)
	for _, k := range []sock.EventKind{sock.EventState, sock.EventListen, sock.EventBind, sock.EventRetransmit, sock.EventReset, sock.EventDrop,
		sock.EventOverflow, sock.EventError, sock.EventLost, sock.EventLost, sock.EventResync, sock.EventOwner, sock.EventStale, sock.EventNone} {
		add(s, k, 0)
	}
	unknown := sock.Life{Duration: -1, Connect: -1, AcceptWait: -1}
	for e := sock.EndUnknown; e <= sock.EndCanceled; e++ {
		end(s, sock.EventClose, e, 104, unknown)
	}
	end(s, sock.EventClose, 200, 0, unknown)
	end(s, sock.EventFail, sock.EndRefused, 111, unknown)
	end(s, sock.EventFail, sock.EndRefused, 111, unknown)
	end(s, sock.EventFail, sock.EndTimeout, 110, unknown)
	end(s, sock.EventFail, sock.EndError, 524, unknown)
	end(s, sock.EventFail, sock.EndError, math.MaxUint16, unknown)
	end(s, sock.EventFail, sock.EndCanceled, 0, unknown)
	s.Add(&sock.Event{Kind: sock.EventClose}) // without a detail
	s.Add(&sock.Event{Kind: 255})
	return s
}

func TestJSON(t *testing.T) {
	for _, c := range []struct {
		name string
		s    *Summary
		want string
	}{
		{"nothing", new(Summary), `{"event":"summary","time":"2026-03-04T04:06:07.000008900Z","events":{},"lost":0,"closes":{},"fails":{},` +
			`"bytes_sent":0,"bytes_received":0,"bytes_retrans":0,"retrans":0,"connect_us":null,"accept_wait_us":null,"duration_us":null}`},
		{"everything", busy(), `{"event":"summary","time":"2026-03-04T04:06:07.000008900Z",` +
			`"events":{"state":1,"listen":1,"open":1001,"accept":1000,"fail":6,"close":1010,"retransmit":1,"reset":1,"drop":1,"overflow":1,"error":1,"bind":1},"lost":14,` +
			`"closes":{"unknown":2,"fin":1001,"reset_received":1,"reset_sent":1,"timeout":1,"refused":1,"error":1,"canceled":1},` +
			`"fails":{"ETIMEDOUT":1,"ECONNREFUSED":2,"524":1,"65535":1,"canceled":1},` +
			`"bytes_sent":1234000,"bytes_received":1000000000,"bytes_retrans":14000,"retrans":1000,` +
			`"connect_us":{"count":1000,"p50":50015,"p90":90047,"p99":99007,"max":100000},` +
			`"accept_wait_us":{"count":1000,"p50":4,"p90":8,"p99":9,"max":9},` +
			`"duration_us":{"count":1000,"p50":499122175,"p90":899153919,"p99":989331455,"max":999000000}}`},
	} {
		got := string(c.s.AppendJSON([]byte(">"), moment))
		if got != ">"+c.want {
			t.Errorf("%s\ngot:  %s\nwant: %s", c.name, got[1:], c.want)
		}
		if !json.Valid([]byte(got[1:])) {
			t.Errorf("%s is not JSON", c.name)
		}
	}
}

func TestText(t *testing.T) {
	var open Summary
	add(&open, sock.EventOpen, 66*time.Microsecond)
	for _, c := range []struct {
		name string
		s    *Summary
		want string
	}{
		{"nothing", new(Summary), "summary of 0 events\n"},
		{"one", &open, `summary of 1 event
  events    1 open
                    count      p50      p90      p99      max
  connect               1     66us     66us     66us     66us
`},
		{"everything", busy(), `summary of 3025 events
  events    1 state, 1 listen, 1001 open, 1000 accept, 6 fail, 1010 close,
            1 retransmit, 1 reset, 1 drop, 1 overflow, 1 error, 1 bind
  lost      14 events for want of room; the rest is too low
  closes    2 unknown, 1001 fin, 1 reset_received, 1 reset_sent, 1 timeout,
            1 refused, 1 error, 1 canceled
  fails     1 ETIMEDOUT, 2 ECONNREFUSED, 1 524, 1 65535, 1 canceled
  data      1.23M sent, 1.00G received
  resent    14.0K in 1000 segments
                    count      p50      p90      p99      max
  connect            1000   50.0ms   90.0ms   99.0ms    100ms
  accept wait        1000      4us      8us      9us      9us
  duration           1000    8m19s   14m59s   16m29s   16m39s
`},
	} {
		if got := string(c.s.AppendText(nil)); got != c.want {
			t.Errorf("%s\ngot:\n%s\nwant:\n%s", c.name, got, c.want)
		}
	}
}

// The text fits a terminal however great its numbers.
func TestTextFits(t *testing.T) {
	s := busy()
	for i := range s.kinds {
		s.kinds[i] = math.MaxUint64 / uint64(len(s.kinds)+1)
	}
	for i := range s.closes {
		s.closes[i], s.failEnds[i] = math.MaxUint64, math.MaxUint64
	}
	for errno := range uint16(150) {
		s.failErrnos[errno+1] = math.MaxUint64
	}
	s.lost, s.bytesSent, s.bytesReceived, s.bytesRetrans = math.MaxUint64, math.MaxUint64, math.MaxUint64, math.MaxUint64
	s.retrans = math.MaxUint64
	s.duration.add(math.MaxInt64)
	for line := range strings.Lines(string(s.AppendText(nil))) {
		if n := utf8.RuneCountInString(strings.TrimSuffix(line, "\n")); n > width {
			t.Errorf("%d columns: %s", n, line)
		}
	}
}

// Handshakes and waits are those of their own events, and only without those the ones that the ends of connections tell.
func TestLatencyOfEnds(t *testing.T) {
	var s Summary
	end(&s, sock.EventClose, sock.EndFin, 0, sock.Life{Duration: 3 * time.Second, Connect: time.Second, AcceptWait: 2 * time.Second})
	end(&s, sock.EventFail, sock.EndTimeout, 110, sock.Life{Duration: time.Minute, Connect: -1, AcceptWait: -1})
	text := func() string { return string(s.AppendJSON(nil, moment)) }
	for _, want := range []string{`"connect_us":{"count":1,"p50":1000000,`, `"accept_wait_us":{"count":1,"p50":2000000,`, `"duration_us":{"count":1,"p50":3000000,`} {
		if got := text(); !strings.Contains(got, want) {
			t.Errorf("no %s in %s", want, got)
		}
	}
	add(&s, sock.EventOpen, time.Millisecond)
	add(&s, sock.EventAccept, time.Microsecond)
	for _, want := range []string{`"connect_us":{"count":1,"p50":1000,`, `"accept_wait_us":{"count":1,"p50":1,`} {
		if got := text(); !strings.Contains(got, want) {
			t.Errorf("no %s in %s", want, got)
		}
	}
}

// The percentiles are those of the values, to three digits; the greatest is exact, and what is out of range is not lost.
func TestPercentiles(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	var l latency
	values := make([]int64, 100_000)
	for i := range values {
		values[i] = int64(math.Exp(r.Float64() * math.Log(float64(longest)))) // evenly in all orders of magnitude
		l.add(time.Duration(values[i]) * time.Microsecond)
	}
	slices.Sort(values)
	for _, p := range percentiles {
		want := float64(values[int(math.Ceil(p.quantile/100*float64(len(values))))-1])
		if got := float64(l.at(p.quantile)); math.Abs(got-want) > want/1000+1 {
			t.Errorf("%s: %v, want %v", p.name, got, want)
		}
	}
	if l.max != values[len(values)-1] {
		t.Errorf("max %d, want %d", l.max, values[len(values)-1])
	}

	var extremes latency
	for _, d := range []time.Duration{-1, math.MinInt64} {
		extremes.add(d)
	}
	if extremes.count() != 0 || extremes.h != nil {
		t.Error("what is not known is counted")
	}
	for _, d := range []time.Duration{0, 1, 24 * time.Hour, 24*time.Hour + 1, math.MaxInt64} {
		extremes.add(d)
	}
	if extremes.count() != 5 || extremes.max != math.MaxInt64/1000 {
		t.Errorf("%d values, the greatest %d", extremes.count(), extremes.max)
	}
	if day := extremes.at(99); day < longest || day > longest+longest/1000 {
		t.Errorf("a day is %d", day)
	}
	if extremes.at(1) != 0 {
		t.Errorf("the least is %d", extremes.at(1))
	}
}

// Memory does not grow with what is seen.
func TestMemory(t *testing.T) {
	s := busy()
	e := &sock.Event{Kind: sock.EventClose, Detail: &sock.Detail{End: sock.EndFin}}
	d := time.Duration(1)
	if n := testing.AllocsPerRun(10_000, func() {
		d = d*3 + 7
		e.Detail.Duration, e.Detail.Connect, e.Detail.AcceptWait = d, d, d
		s.Add(e)
	}); n != 0 {
		t.Errorf("Add allocates %v times", n)
	}
	size := 0
	for _, l := range []*latency{&s.connectOpen, &s.connectEnd, &s.acceptOpen, &s.acceptEnd, &s.duration} {
		size += l.h.ByteSize()
	}
	if size > 5*256<<10 {
		t.Errorf("histograms of %d bytes", size)
	}
}

func TestAppendScaled(t *testing.T) {
	for n, want := range map[uint64]string{
		0: "0", 999: "999", 1000: "1.00K", 1009: "1.00K", 1010: "1.01K", 9_999: "9.99K", 10_000: "10.0K", 99_999: "99.9K", 100_000: "100K", 999_999: "999K",
		1_000_000: "1.00M", math.MaxUint64: "18.4E",
	} {
		if got := string(appendScaled(nil, n, sizes)); got != want {
			t.Errorf("%d: %s, want %s", n, got, want)
		}
	}
	for us, want := range map[int64]string{
		0: "0us", 999: "999us", 1_234: "1.23ms", 39_110: "39.1ms", 999_999: "999ms", 1_000_000: "1.00s", 59_999_999: "59.9s", 60_000_000: "1m00s",
		3_599_999_999: "59m59s", 3_600_000_000: "1h00m", 86_399_999_999: "23h59m", 86_400_000_000: "1d00h", math.MaxInt64 / 1000: "106751d23h",
	} {
		if got := string(appendTime(nil, us)); got != want {
			t.Errorf("%d: %s, want %s", us, got, want)
		}
	}
}

func BenchmarkAdd(b *testing.B) {
	var s Summary
	e := &sock.Event{Kind: sock.EventClose, Detail: &sock.Detail{End: sock.EndFin, Life: sock.Life{Duration: time.Second, Connect: time.Millisecond, AcceptWait: -1}}}
	b.ReportAllocs()
	for b.Loop() {
		s.Add(e)
	}
}

func ExampleSummary() {
	var s Summary
	s.Add(&sock.Event{Kind: sock.EventOpen, InOld: 66 * time.Microsecond})
	s.Add(&sock.Event{Kind: sock.EventFail, Detail: &sock.Detail{End: sock.EndRefused, Errno: 111}})
	fmt.Print(string(s.AppendText(nil)))
	// Output:
	// summary of 2 events
	//   events    1 open, 1 fail
	//   fails     1 ECONNREFUSED
	//                     count      p50      p90      p99      max
	//   connect               1     66us     66us     66us     66us
}
