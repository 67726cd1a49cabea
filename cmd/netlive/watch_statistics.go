// SPDX-License-Identifier: GPL-2.0-or-later

package main

import (
	"cmp"
	"context"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"netlive/internal/live"
	"netlive/internal/mib"
	"netlive/internal/options"
	"netlive/internal/procfallback"
	"netlive/internal/render"
	"netlive/internal/screen"
	"netlive/internal/sock"
	"netlive/internal/view"
)

// statisticsList is the counters that watch shows.
type statisticsList struct {
	o      *options.Options
	render render.Statistics
	files  mib.Files
	rows   view.Rows[render.StatisticsRow, counterKey]

	pace
	meters map[counterKey]*counterMeter // of all counters, those that are not shown yet too
	fresh  bool                         // there are rates that nobody has seen yet
	// movedFirst puts those that moved last on top of their table. It may be set at any time.
	movedFirst atomic.Bool
	printed    mib.Report // what the last frame had
}

// counterKey names a counter of the kernel's.
type counterKey struct{ title, key string }

// counterMeter is a counter from look to look.
type counterMeter struct {
	render.Movement
	last  uint64
	moved time.Time // when it did last; zero is never
}

// watchStatistics keeps the counters of netlive -s true.
func watchStatistics(ctx context.Context, o *options.Options, std streams) error {
	p, err := newStatisticsPage(o, std)
	if err != nil {
		return err
	}
	return watchTables(ctx, p)
}

// newStatisticsPage is the page of the counters of protocols, which nobody announces.
func newStatisticsPage(asked *options.Options, std streams) (*tablePage[mib.Files], error) {
	o := optionsOf(asked, options.ModeStatistics)
	if len(o.Families) > 1 && asked.Mode != options.ModeStatistics {
		o.Families = nil // netstat has no report of two
	}
	proc := procfallback.New(os.DirFS("/proc"))
	shown := newStatistics(o)
	return newTablePage(o, std, watched[mib.Files]{
		word: "statistics",
		look: func(ctx context.Context) (mib.Files, error) {
			files, err := proc.Counters(ctx, shown.Wants())
			if err != nil {
				return mib.Files{}, err
			}
			return files, unreadable(&files, shown.Wants())
		},
		open: func(func()) liveTable[mib.Files] { return newStatisticsList(o) }, // there are no names in it
	})
}

// unreadable is why there is nothing to show, where an empty table would be a lie: the file that the report begins with does not open.
func unreadable(files *mib.Files, wanted mib.FileSet) error {
	first := mib.SNMP
	if wanted.Has(mib.SNMP6) {
		first = mib.SNMP6
	}
	return files[first].OpenErr
}

// newStatistics is the report that o asks for.
func newStatistics(o *options.Options) render.Statistics {
	named := o.NamedProtos.Any
	all := o.NamedProtos == 0
	return render.Statistics{
		Families: strings.Join(o.Families, ","),
		Raw:      all || named(sock.ProtosRaw),
		TCP:      all || named(sock.ProtosTCP),
		UDP:      all || named(sock.ProtosUDP),
		SCTP:     all || named(sock.ProtosSCTP),
	}
}

// hasReport reports whether netstat has a report of the families that o asks for.
func hasReport(o *options.Options) bool {
	s := newStatistics(o)
	return s.Wants() != 0
}

func newStatisticsList(o *options.Options) *statisticsList {
	return &statisticsList{
		o: o, render: newStatistics(o), pace: pace{interval: o.Interval}, meters: map[counterKey]*counterMeter{},
		rows: view.Rows[render.StatisticsRow, counterKey]{
			Key: func(r *render.StatisticsRow) counterKey { return counterKey{r.Title, r.Key} },
			Compare: func(a, b *render.StatisticsRow) view.Difference {
				if *a == *b {
					return view.Same
				}
				return view.Different // counters are all there is, so that they are news
			},
			Marked: linger,
		},
	}
}

// Replace implements liveTable.
func (l *statisticsList) Replace(files mib.Files, now time.Time) live.Change {
	l.files = files
	if seconds, ok := l.sample(now); ok {
		for i := range files {
			l.meter(files[i].Report, seconds, now)
		}
	}
	d := change(l.rows.Replace(l.render.Rows(&files), now))
	if l.fresh {
		d = max(d, live.Counted)
	}
	return d
}

// meter takes in the counters of a file as they were found at the instant now.
func (l *statisticsList) meter(r mib.Report, seconds float64, now time.Time) {
	for i := range r {
		t := &r[i]
		for j := range t.Counters {
			c := &t.Counters[j]
			key := counterKey{t.Title, c.Key}
			m := l.meters[key]
			if m == nil {
				l.meters[key] = &counterMeter{Movement: render.Movement{Rate: unknownRate}, last: c.Value}
				continue
			}
			was := m.Rate
			m.Rate = rate(m.last, c.Value, seconds)
			if c.Value >= m.last || mib.IsGauge(t.Title, c.Key) {
				m.Change += int64(c.Value - m.last)
			}
			if c.Value != m.last {
				m.moved = now
			}
			m.last = c.Value
			l.fresh = l.fresh || m.Rate != was
		}
	}
}

// movement is what a counter did.
func (l *statisticsList) movement(r *render.StatisticsRow) render.Movement {
	if m := l.meters[counterKey{r.Title, r.Key}]; m != nil {
		return m.Movement
	}
	return render.Movement{Rate: unknownRate}
}

// print implements liveTable.
func (l *statisticsList) print(p *page) error {
	if !l.o.JSON {
		p.out, p.errs, p.code = l.render.Append(p.out, p.errs, &l.files)
		return nil
	}
	report := l.render.Report(&l.files)
	// A second member of the frame.
	p.out = append(render.AppendReportJSON(p.out, report), `,"changes":`...)
	p.out = render.AppendChangesJSON(p.out, report, l.printed)
	l.printed = report
	return nil
}

// Sections implements screen.List. There is one for each table of the kernel's that has a row.
func (l *statisticsList) Sections(now time.Time) (sections []screen.Section, again time.Time) {
	l.fresh = false
	n, again := l.rows.Begin(now)
	lines := map[string][]int{}
	var titles []string
	rows := map[string]int{}
	for i := range n {
		r, mark, _ := l.rows.Row(i, now)
		if lines[r.Title] == nil {
			titles = append(titles, r.Title)
		}
		lines[r.Title] = append(lines[r.Title], i)
		if mark != view.MarkGone {
			rows[r.Title]++
		}
	}
	for _, title := range titles {
		of := lines[title]
		if l.movedFirst.Load() {
			slices.SortStableFunc(of, func(a, b int) int { return cmp.Compare(l.moved(b, now), l.moved(a, now)) })
		}
		sections = append(sections, screen.Section{
			Word: title, Rows: rows[title], Columns: render.StatisticsColumns(title), Lines: len(of),
			Line: func(i int) ([]string, view.Mark, time.Time) {
				r, mark, until := l.rows.Row(of[i], now)
				return l.render.Cells(r, l.movement(r)), mark, until
			},
		})
	}
	return sections, again
}

// moved is when the ith row did last, as a number; 0 is never.
func (l *statisticsList) moved(i int, now time.Time) int64 {
	r, _, _ := l.rows.Row(i, now)
	if m := l.meters[counterKey{r.Title, r.Key}]; m != nil && !m.moved.IsZero() {
		return m.moved.UnixNano()
	}
	return 0
}
