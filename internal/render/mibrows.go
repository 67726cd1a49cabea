// SPDX-License-Identifier: GPL-2.0-or-later

package render

import (
	"strconv"
	"strings"

	"netlive/internal/mib"
)

// StatisticsRow is a counter that netstat -s says.
type StatisticsRow struct {
	Title string // of its table, the kernel's: Ip, TcpExt
	mib.Counter
	file mib.File
}

// Rows are the counters that Append says, in its order.
func (s *Statistics) Rows(files *mib.Files) (rows []StatisticsRow) {
	for i, f := range s.order() {
		if i == 0 && files[f].OpenErr != nil {
			return nil
		}
		for j := range files[f].Report {
			t := &files[f].Report[j]
			known := lookUpTable(f, t.Title)
			if !s.reads(f, t) || !s.shows(known) {
				continue
			}
			for k := range t.Counters {
				c := &t.Counters[k]
				if sentence := known.lookUp(c.Key); sentence != nil && sentence.text != "" && (sentence.rule == always || c.Value != 0) ||
					sentence == nil && c.Value != 0 {
					rows = append(rows, StatisticsRow{t.Title, *c, f})
				}
			}
		}
	}
	return rows
}

// Counter is what netstat's sentence says of the counter, without the number: "segments retransmitted". Where the number is in the
// middle, N stands for it. A line of a histogram has the title of that before it, and a counter without a sentence has its key. It is
// safe to print.
func (s *Statistics) Counter(r *StatisticsRow) string {
	sentence := lookUpTable(r.file, r.Title).lookUp(r.Key)
	if sentence == nil {
		return cell([]byte(r.Key))
	}
	before, after, _ := strings.Cut(s.Texts.Text(sentence.text), "%d")
	text := strings.TrimSpace(after)
	switch {
	case text == "":
		text = strings.TrimRight(before, ": ")
	case before != "":
		text = before + "N" + strings.TrimRight(after, " ")
	}
	switch sentence.rule {
	case histogramIn:
		return s.Texts.Text(histogramInTitle) + " " + text
	case histogramOut:
		return s.Texts.Text(histogramOutTitle) + " " + text
	}
	return text
}

// Movement is what a counter did since it was looked at first.
type Movement struct {
	// Rate is a second, between the last two looks; negative: not known.
	Rate float64
	// Change is what was counted since the first look. Of a gauge it may be negative.
	Change int64
}

// StatisticsColumns are those of a table of counters on a screen, of which the last has the table's name.
func StatisticsColumns(title string) []Column {
	return []Column{{Head: "/s", Right: true}, {Head: "Change", Right: true}, {Head: "Total", Right: true}, {Head: cell([]byte(title)) + " counter"}}
}

// Cells are the texts of a counter that moved so, safe to print. A gauge has no rate.
func (s *Statistics) Cells(r *StatisticsRow, m Movement) []string {
	rate := ""
	if !mib.IsGauge(r.Title, r.Key) {
		rate = string(AppendRate(nil, m.Rate))
	}
	change := strconv.FormatInt(m.Change, 10)
	if m.Change > 0 {
		change = "+" + change
	}
	return []string{rate, change, strconv.FormatUint(r.Value, 10), s.Counter(r)}
}

// AppendChangesJSON appends what changed in a report since another, as AppendReportJSON has the numbers, but for those that are as they
// were: {"Ip":{"InReceives":12},"Tcp":{"CurrEstab":-1}}. A counter that went back, as it does when it wraps, is null, and one that the
// other lacks is left out.
func AppendChangesJSON(b []byte, r, before mib.Report) []byte {
	b = append(b, '{')
	first := true
	for i := range r {
		t := &r[i]
		at, begun := len(b), false
		for j := range t.Counters {
			c := &t.Counters[j]
			was, ok := valueBefore(before, i, j, t.Title, c.Key)
			if !ok || was == c.Value {
				continue
			}
			if !begun {
				if !first {
					b = append(b, ',')
				}
				b = append(appendString(b, []byte(t.Title)), ":{"...)
			} else {
				b = append(b, ',')
			}
			first, begun = false, true
			b = append(appendString(b, []byte(c.Key)), ':')
			switch {
			case mib.IsGauge(t.Title, c.Key):
				b = strconv.AppendInt(b, int64(c.Value-was), 10)
			case c.Value < was:
				b = append(b, "null"...)
			default:
				b = strconv.AppendUint(b, c.Value-was, 10)
			}
		}
		if begun {
			b = append(b, '}')
		} else {
			b = b[:at]
		}
	}
	return append(b, '}')
}

// valueBefore is the counter in the report before, where it most likely has the same place.
func valueBefore(before mib.Report, i, j int, title, key string) (value uint64, ok bool) {
	if i < len(before) && before[i].Title == title && j < len(before[i].Counters) && before[i].Counters[j].Key == key {
		return before[i].Counters[j].Value, true
	}
	return before.Get(title, key)
}
