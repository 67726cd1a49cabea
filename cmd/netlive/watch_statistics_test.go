// SPDX-License-Identifier: GPL-2.0-or-later

package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"netlive/internal/kerneltest"
	"netlive/internal/live"
	"netlive/internal/mib"
	"netlive/internal/procfallback"
	"netlive/internal/render"
)

// counters reads made-up files of counters.
func counters(t *testing.T, snmp, netstat string) mib.Files {
	t.Helper()
	files, err := procfallback.New(fstest.MapFS{"net/snmp": {Data: []byte(snmp)}, "net/netstat": {Data: []byte(netstat)}}).
		Counters(t.Context(), mib.FileSetOf(mib.SNMP, mib.Netstat, mib.SCTP))
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func TestStatisticsList(t *testing.T) {
	l := newStatisticsList(optionsFor(t, "-s"))
	now := clock
	look := func(after time.Duration, segs, estab, retrans, timeouts string, want live.Change) {
		t.Helper()
		now = now.Add(after)
		files := counters(t, "Tcp: RtoMin CurrEstab InSegs RetransSegs\nTcp: 200 "+estab+" "+segs+" "+retrans+"\nUdpLite: NoPorts\nUdpLite: 0\n",
			"TcpExt: TCPTimeouts DelayedACKLost\nTcpExt: "+timeouts+" 7\n")
		if got := l.Replace(files, now); got != want {
			t.Errorf("after %v: change %v, want %v", now.Sub(clock), got, want)
		}
	}
	tcp := func(rows int) string { return fmt.Sprintf("Tcp %d: /s|Change|Total|Tcp counter", rows) }
	ext := func(rows int) string { return fmt.Sprintf("TcpExt %d: /s|Change|Total|TcpExt counter", rows) }
	const lost = " -|0|7|Quick ack mode was activated N times"
	const still = " 0|0|7|Quick ack mode was activated N times"

	look(0, "100", "5", "1", "0", live.Changed)
	shows(t, l, now, tcp(3), " |0|5|connections established", " -|0|100|segments received", " -|0|1|segments retransmitted", ext(1), lost)
	// A gauge goes down, and a counter begins to count.
	look(2*time.Second, "107", "3", "1", "2", live.Changed)
	shows(t, l, now, tcp(3), "*|-2|3|connections established", "*3.5|+7|107|segments received", " 0|0|1|segments retransmitted", ext(2),
		"+1|+2|2|TCPTimeouts", still)
	look(5*time.Second, "107", "4", "1", "2", live.Changed)
	shows(t, l, now, tcp(3), "*|-1|4|connections established", " 0|+7|107|segments received", " 0|0|1|segments retransmitted", ext(2),
		" 0|+2|2|TCPTimeouts", still)
	// Those that moved last are on top, if that is asked for.
	look(time.Second, "107", "4", "2", "2", live.Changed)
	l.movedFirst.Store(true)
	shows(t, l, now, tcp(3), "*1|+1|2|segments retransmitted", "*|-1|4|connections established", " 0|+7|107|segments received", ext(2),
		" 0|+2|2|TCPTimeouts", still)
	l.movedFirst.Store(false)
	// A counter wraps: that says nothing of how far it went.
	look(time.Second, "3", "4", "2", "2", live.Changed)
	shows(t, l, now, tcp(3), "*|-1|4|connections established", "*-|+7|3|segments received", "*0|+1|2|segments retransmitted", ext(2), " 0|+2|2|TCPTimeouts", still)
	look(time.Second, "4", "4", "2", "2", live.Changed)
	shows(t, l, now, tcp(3), " |-1|4|connections established", "*1|+8|4|segments received", "*0|+1|2|segments retransmitted", ext(2), " 0|+2|2|TCPTimeouts", still)
	// When nothing moves any more, that is shown, and then nothing is to be drawn.
	look(time.Second, "4", "4", "2", "2", live.Counted)
	l.Sections(now)
	look(time.Second, "4", "4", "2", "2", live.Unchanged)
	// A counter that netstat does not show goes, and so does its table.
	look(10*time.Second, "4", "4", "2", "0", live.Changed)
	shows(t, l, now, tcp(3), " |-1|4|connections established", " 0|+8|4|segments received", " 0|+1|2|segments retransmitted", ext(1), "--|+2|2|TCPTimeouts", still)
}

// The options choose as those of netlive -s do.
func TestStatisticsListChoice(t *testing.T) {
	for _, c := range []struct {
		words []string
		want  string
	}{
		{nil, "Ip Tcp Udp New"}, {[]string{"-t"}, "Tcp New"}, {[]string{"-u", "-w"}, "Ip Udp New"}, {[]string{"-S"}, "New"}, {[]string{"-4"}, "Ip Tcp Udp New"},
	} {
		l := newStatisticsList(optionsFor(t, append([]string{"-s"}, c.words...)...))
		l.Replace(counters(t, "Ip: InReceives\nIp: 1\nTcp: InSegs\nTcp: 1\nUdp: InDatagrams\nUdp: 1\nNew: A\nNew: 1\n", ""), clock)
		var titles []string
		sections, _ := l.Sections(clock)
		for _, s := range sections {
			titles = append(titles, s.Word)
		}
		if got := strings.Join(titles, " "); got != c.want {
			t.Errorf("%v: %s, want %s", c.words, got, c.want)
		}
	}
}

// The frames of a namespace that is not ours count what goes on in it, to the packet.
func TestWatchStatistics(t *testing.T) {
	kerneltest.NoLeaks(t)
	ns := kerneltest.NetNS(t)
	pid := namedByPID(t, ns)
	const sent = 9
	const frames = 8 // a look may have begun before a frame was written
	text := framesOf(t, watchStatistics, frames, func(frame int) {
		if frame < 2 {
			sendLoop(t, ns, sent)
		}
	}, "-s", "--json", "--netns", pid)
	type frame struct {
		Source     string
		Statistics map[string]map[string]int64
		Changes    map[string]map[string]*int64
	}
	var total, changes int64
	var first int64
	d := json.NewDecoder(strings.NewReader(text))
	for i := range frames {
		var f frame
		if err := d.Decode(&f); err != nil {
			t.Fatal(err)
		}
		total = f.Statistics["Udp"]["OutDatagrams"]
		if n := f.Changes["Udp"]["OutDatagrams"]; n != nil {
			changes += *n
		}
		switch {
		case f.Source != "procfs" || len(f.Statistics["TcpExt"]) == 0:
			t.Errorf("frame %d: %+v", i, f)
		case i == 0:
			first = total
			if len(f.Changes) > 0 {
				t.Errorf("changes before the first look: %v", f.Changes)
			}
		}
	}
	if err := d.Decode(&frame{}); !errors.Is(err, io.EOF) {
		t.Errorf("one frame more: %v", err)
	}
	if first != 0 || total != 2*sent || changes != 2*sent {
		t.Errorf("%d datagrams at first, %d in the end, %d in changes; sent %d", first, total, changes, 2*sent)
	}

	text = framesOf(t, watchStatistics, 2, nil, "-s", "-u", "--netns", pid)
	if strings.Count(text, "  procfs  lost 0\n") != 2 || strings.Count(text, fmt.Sprintf("\nUdp:\n    %d packets received\n", 2*sent)) != 2 || strings.Contains(text, "Ip:\n") {
		t.Errorf("%s", text)
	}
}

// An empty table would be a lie.
func TestStatisticsUnreadable(t *testing.T) {
	proc := procfallback.New(fstest.MapFS{"net/netstat": {}})
	for _, s := range []render.Statistics{{}, {Families: "inet6"}} {
		files, err := proc.Counters(t.Context(), s.Wants())
		if err != nil {
			t.Fatal(err)
		}
		if err := unreadable(&files, s.Wants()); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%q: %v", s.Families, err)
		}
	}
	if err := unreadable(&mib.Files{}, mib.AllFiles); err != nil {
		t.Error(err)
	}
}

func TestHasReport(t *testing.T) {
	for words, want := range map[string]bool{"-s": true, "-s -4": true, "-s -6 -t": true, "-s -4 -6": false, "-s -x": false} {
		if got := hasReport(optionsFor(t, strings.Fields(words)...)); got != want {
			t.Errorf("%s: %v", words, got)
		}
	}
}
