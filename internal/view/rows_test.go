// SPDX-License-Identifier: GPL-2.0-or-later

package view

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"
)

// way is a row: where to is what is one, over is what may be replaced, count is no news.
type way struct {
	to, over string
	count    int
}

const marked = 3 * time.Second

func newRows() *Rows[way, string] {
	return &Rows[way, string]{
		Key: func(w *way) string { return w.to + " " + w.over },
		Kin: func(w *way) string { return w.to },
		Compare: func(a, b *way) Difference {
			switch {
			case a.to != b.to || a.over != b.over:
				return Different
			case a.count != b.count:
				return Counts
			}
			return Same
		},
		Marked: marked,
	}
}

// ways parses "a/x b/y:7".
func ways(text string) (rows []way) {
	for _, word := range strings.Fields(text) {
		var w way
		word, count, _ := strings.Cut(word, ":")
		w.to, w.over, _ = strings.Cut(word, "/")
		_, _ = fmt.Sscan(count, &w.count)
		rows = append(rows, w)
	}
	return rows
}

// shown writes the rows with their marks.
func shown(r *Rows[way, string], now time.Time) string {
	n, _ := r.Begin(now)
	var words []string
	for i := range n {
		w, m, _ := r.Row(i, now)
		word := [...]string{"", "+", "*", "-"}[m] + w.to + "/" + w.over
		if w.count != 0 {
			word += fmt.Sprint(":", w.count)
		}
		words = append(words, word)
	}
	return strings.Join(words, " ")
}

func TestRows(t *testing.T) {
	for _, c := range []struct {
		name, before, after, want string
		difference                Difference
	}{
		{"same", "a/x b/y", "a/x b/y", "a/x b/y", Same},
		{"new", "a/x b/y", "a/x c/z b/y", "a/x +c/z b/y", Different},
		{"first of all", "", "a/x", "+a/x", Different},
		{"gone", "a/x b/y c/z", "a/x c/z", "a/x -b/y c/z", Different},
		{"all gone", "a/x b/y", "", "-a/x -b/y", Different},
		{"first gone", "a/x b/y", "b/y", "-a/x b/y", Different},
		{"other way", "a/x b/y", "a/z b/y", "*a/z b/y", Different},
		{"other way, of two", "a/x a/y", "a/x a/z", "a/x *a/z", Different},
		{"one of two gone", "a/x a/y", "a/y", "-a/x a/y", Different},
		{"count", "a/x b/y:1", "a/x b/y:2", "a/x b/y:2", Counts},
		{"count and gone", "a/x b/y:1", "b/y:2", "-a/x b/y:2", Different},
		{"count and other way", "a/x:1", "a/y:2", "*a/y:2", Different},
		{"alike", "a/x a/x a/x", "a/x a/x", "-a/x a/x a/x", Different},
		{"order", "a/x b/y", "b/y a/x", "b/y a/x", Different},
		{"all other", "a/x b/y", "c/x d/y", "-a/x -b/y +c/x +d/y", Different},
	} {
		t.Run(c.name, func(t *testing.T) {
			r, now := newRows(), time.Now()
			if d := r.Replace(ways(c.before), now); (d == Same) != (c.before == "") {
				t.Errorf("at first: %d", d)
			}
			if got := shown(r, now); got != strings.Join(strings.Fields(c.before), " ") {
				t.Errorf("at first %q, want no marks", got)
			}
			now = now.Add(time.Hour)
			if d := r.Replace(ways(c.after), now); d != c.difference {
				t.Errorf("difference %d, want %d", d, c.difference)
			}
			got := shown(r, now)
			if c.name == "alike" {
				// Which of them is gone nobody can tell.
				got = strings.Join(slices.Sorted(slices.Values(strings.Fields(got))), " ")
			}
			if got != c.want {
				t.Errorf("%q, want %q", got, c.want)
			}
			if got, want := shown(r, now.Add(marked)), shown(r, now); strings.ContainsAny(got, "+*-") || r.Len() != len(ways(c.after)) {
				t.Errorf("afterwards %q, was %q", got, want)
			}
		})
	}
}

// Marks go in their time, and it is told when.
func TestRowsAgain(t *testing.T) {
	r, start := newRows(), time.Now()
	r.Replace(ways("a/x b/y c/z"), start)
	at := func(s int) time.Time { return start.Add(time.Duration(s) * time.Second) }
	r.Replace(ways("a/x c/z"), at(1))
	r.Replace(ways("a/v c/z d/u"), at(2))
	for _, step := range []struct {
		second int
		want   string
		goes   time.Time // the first ghost
		until  int       // of the first row's mark; 0 is none
	}{
		{2, "*a/v -b/y c/z +d/u", at(4), 5},
		{3, "*a/v -b/y c/z +d/u", at(4), 5},
		{4, "*a/v c/z +d/u", time.Time{}, 5},
		{5, "a/v c/z d/u", time.Time{}, 0},
	} {
		now := at(step.second)
		if got := shown(r, now); got != step.want {
			t.Errorf("at %d s: %q, want %q", step.second, got, step.want)
		}
		if _, goes := r.Begin(now); !goes.Equal(step.goes) {
			t.Errorf("at %d s: a ghost goes at %v", step.second, goes)
		}
		_, _, until := r.Row(0, now)
		if step.until == 0 && !until.IsZero() || step.until > 0 && !until.Equal(at(step.until)) {
			t.Errorf("at %d s: marked until %v", step.second, until)
		}
	}
}

// A row that comes back takes the place of its ghost, however often.
func TestRowsFlap(t *testing.T) {
	r, now := newRows(), time.Now()
	r.Replace(ways("a/x b/y"), now)
	for range 5 {
		r.Replace(ways("a/x"), now)
		if got := shown(r, now); got != "a/x -b/y" {
			t.Fatalf("gone: %q", got)
		}
		r.Replace(ways("a/x b/y"), now)
		if got := shown(r, now); got != "a/x +b/y" {
			t.Fatalf("back: %q", got)
		}
	}
	if len(r.ghosts) != 0 {
		t.Errorf("%d ghosts are kept", len(r.ghosts))
	}
}

// Ghosts are bounded: the oldest go first.
func TestRowsGhostsMax(t *testing.T) {
	r, now := newRows(), time.Now()
	const n = 3 * rowGhostsMax
	var many []way
	for i := range n {
		many = append(many, way{to: fmt.Sprint(i)})
	}
	r.Replace(many, now)
	r.Replace(many[:n/2], now)
	r.Replace(nil, now.Add(time.Second))
	if got, _ := r.Begin(now.Add(time.Second)); got != rowGhostsMax {
		t.Errorf("%d are shown", got)
	}
	if w, m, _ := r.Row(rowGhostsMax-1, now.Add(time.Second)); m != MarkGone || w.to != fmt.Sprint(n/2-1) {
		t.Errorf("the last is %v", w)
	}
}

// Whatever happens, the rows without ghosts are the last look's, in its order, and a row that was not there before is marked.
func TestRowsRandom(t *testing.T) {
	for seed := range uint64(300) {
		rng := rand.New(rand.NewPCG(seed, 1))
		r, now := newRows(), time.Now()
		before := map[string]bool{}
		for step := range 30 {
			var rows []way
			for range rng.IntN(12) {
				rows = append(rows, way{to: string(rune('a' + rng.IntN(6))), over: string(rune('x' + rng.IntN(2))), count: rng.IntN(2)})
			}
			now = now.Add(time.Duration(rng.IntN(2000)) * time.Millisecond)
			r.Replace(rows, now)
			n, _ := r.Begin(now)
			var live []way
			ghosts := 0
			for i := range n {
				w, m, _ := r.Row(i, now)
				if m == MarkGone {
					ghosts++
					continue
				}
				live = append(live, *w)
				if step > 0 && m == MarkNone && !before[w.to] {
					t.Fatalf("seed %d, step %d: %v is new and not marked", seed, step, *w)
				}
			}
			if !slices.Equal(live, rows) || r.Len() != len(rows) {
				t.Fatalf("seed %d, step %d: %v, want %v", seed, step, live, rows)
			}
			if n != len(rows)+ghosts {
				t.Fatalf("seed %d, step %d: %d are shown", seed, step, n)
			}
			clear(before)
			for _, w := range rows {
				before[w.to] = true
			}
		}
	}
}
