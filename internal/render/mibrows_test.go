// SPDX-License-Identifier: GPL-2.0-or-later

package render

import (
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"netlive/internal/mib"
	"netlive/internal/procfallback"
)

// The rows are the lines of netstat -s in their order, each with its words and its number.
func TestStatisticsRows(t *testing.T) {
	dir := t.TempDir()
	if err := os.MkdirAll(filepath.Join(dir, "net/sctp"), 0o755); err != nil {
		t.Fatal(err)
	}
	proc := procfallback.New(os.DirFS(dir))
	total := 0
	for seed := range uint64(300) {
		newMIBGenerator(seed).write(t, dir)
		for _, s := range []Statistics{
			{Raw: true, TCP: true, UDP: true, SCTP: true}, {Families: "inet6", Raw: true, TCP: true, UDP: true, SCTP: true}, {TCP: true}, {Families: "inet", UDP: true},
		} {
			files, err := proc.Counters(t.Context(), s.Wants())
			if err != nil {
				t.Fatal(err)
			}
			out, _, _ := s.Append(nil, nil, &files)
			rows := s.Rows(&files)
			title := ""
			for line := range strings.Lines(string(out)) {
				text := strings.TrimSpace(line)
				if !strings.HasPrefix(line, " ") {
					title = strings.TrimSuffix(text, ":")
					continue
				}
				if text == histogramInTitle || text == histogramOutTitle {
					continue
				}
				if len(rows) == 0 {
					t.Fatalf("seed %d: no row for %q", seed, line)
				}
				r := &rows[0]
				rows = rows[1:]
				total++
				counter := s.Counter(r)
				counter = strings.TrimPrefix(strings.TrimPrefix(counter, histogramInTitle+" "), histogramOutTitle+" ")
				n := strconv.FormatUint(r.Value, 10)
				said := []string{n + " " + counter, counter + ": " + n, strings.Replace(counter, "N", n, 1)}
				if r.Title != title || !slices.Contains(said, text) {
					t.Fatalf("seed %d: row %s %q of %d for %q of %s", seed, r.Title, counter, r.Value, line, title)
				}
			}
			if len(rows) > 0 {
				t.Fatalf("seed %d: %d rows that netstat does not have: %+v", seed, len(rows), rows[0])
			}
		}
	}
	if total < 10_000 {
		t.Errorf("%d rows", total)
	}
}

func TestStatisticsCells(t *testing.T) {
	var s Statistics
	row := func(f mib.File, title, key string, value uint64) *StatisticsRow {
		return &StatisticsRow{title, mib.Counter{Key: key, Value: value}, f}
	}
	for _, c := range []struct {
		row  *StatisticsRow
		m    Movement
		want string
	}{
		{row(mib.SNMP, "Tcp", "RetransSegs", 3), Movement{Rate: 0.5, Change: 2}, "0.5|+2|3|segments retransmitted"},
		{row(mib.SNMP, "Tcp", "InSegs", 3), Movement{Rate: -1}, "-|0|3|segments received"},
		{row(mib.SNMP, "Tcp", "CurrEstab", 3), Movement{Rate: -1, Change: -4}, "|-4|3|connections established"},
		{row(mib.SNMP, "Ip", "Forwarding", 1), Movement{}, "|0|1|Forwarding"},
		{row(mib.SNMP, "Icmp", "InDestUnreachs", 7), Movement{Rate: 0}, "0|0|7|ICMP input histogram: destination unreachable"},
		{row(mib.SNMP6, "Icmp6", "Icmp6OutTimeExcds", 7), Movement{}, "0|0|7|ICMP output histogram: sent ICMPv6 time exceeded"},
		{row(mib.Netstat, "TcpExt", "DelayedACKLost", 7), Movement{Rate: 1e6, Change: 7}, "1.0M|+7|7|Quick ack mode was activated N times"},
		{row(mib.SCTP, "Sctp", "SctpAborteds", 7), Movement{}, "0|0|7|Number of Aborteds"},
		{row(mib.Netstat, "New", "x\x1by", math.MaxUint64), Movement{}, `0|0|18446744073709551615|x\x1by`},
	} {
		cells := s.Cells(c.row, c.m)
		if got := strings.Join(cells, "|"); got != c.want {
			t.Errorf("%q, want %q", got, c.want)
		}
		if columns := StatisticsColumns(c.row.Title); len(columns) != len(cells) || columns[3].Head != c.row.Title+" counter" {
			t.Errorf("columns: %+v", columns)
		}
	}
}

func TestAppendChangesJSON(t *testing.T) {
	table := func(title string, values ...uint64) mib.Table {
		t := mib.Table{Title: title}
		for i, v := range values {
			t.Counters = append(t.Counters, mib.Counter{Key: []string{"CurrEstab", "InSegs", "OutSegs"}[i], Value: v})
		}
		return t
	}
	was := mib.Report{table("Tcp", 5, 10, 20), table("Udp", 1, 2)}
	for _, c := range []struct {
		now  mib.Report
		want string
	}{
		{was, `{}`},
		{nil, `{}`},
		{mib.Report{table("Tcp", 5, 12, 20), table("Udp", 1, 2)}, `{"Tcp":{"InSegs":2}}`},
		{mib.Report{table("Tcp", 3, 12, 19), table("Udp", 1, 3)}, `{"Tcp":{"CurrEstab":-2,"InSegs":2,"OutSegs":null},"Udp":{"InSegs":1}}`},
		{mib.Report{table("Udp", 2, 2, 9), table("New", 7)}, `{"Udp":{"CurrEstab":1}}`}, // moved, and new ones
	} {
		if got := string(AppendChangesJSON(nil, c.now, was)); got != c.want {
			t.Errorf("%s, want %s", got, c.want)
		}
	}
}
