// SPDX-License-Identifier: GPL-2.0-or-later

package render

import (
	"math"
	"testing"
	"unicode/utf8"
)

func TestAppendRate(t *testing.T) {
	for _, c := range []struct {
		rate float64
		want string
	}{
		{-1, "-"}, {math.NaN(), "-"}, {math.Inf(-1), "-"},
		{0, "0"}, {1e-9, "<0.1"}, {0.049, "<0.1"}, {0.05, "0.1"}, {0.4, "0.4"}, {1, "1"}, {3, "3"}, {9.94, "9.9"}, {9.96, "10"}, {10.4, "10"},
		{999, "999"}, {999.4, "999"}, {999.6, "1.0K"}, {1000, "1.0K"}, {1249, "1.2K"}, {88_300, "88.3K"}, {99_949, "99.9K"}, {99_951, "100K"},
		{310_000, "310K"}, {999_499, "999K"}, {999_500, "1.0M"}, {12_400_000, "12.4M"}, {125e6, "125M"}, {1.24e9, "1.2G"}, {4e12, "4.0T"},
		{1e15, "1.0P"}, {2e18, "2.0E"}, {math.MaxUint64, "18.4E"}, {1e21, "1000E"}, {math.Inf(1), "-"},
	} {
		if got := string(AppendRate(nil, c.rate)); got != c.want {
			t.Errorf("%v: %q, want %q", c.rate, got, c.want)
		}
	}
}

func TestAppendSparkline(t *testing.T) {
	nan := float32(math.NaN())
	inf := float32(math.Inf(1))
	for _, c := range []struct {
		values []float32
		width  int
		blocks string
		ascii  string
	}{
		{nil, 0, "", ""},
		{nil, 3, "   ", "   "},
		{[]float32{1}, -1, "", ""},
		{[]float32{0, 0}, 2, "▁▁", "__"},
		{[]float32{0, 1, 2, 3, 4, 5, 6, 7}, 8, "▁▂▃▄▅▆▇█", "_.:-=+*#"},
		{[]float32{7, 6.9, 0.001}, 3, "██▂", "##."},
		{[]float32{1, 2, 4}, 5, "  ▃▅█", "  :=#"},
		{[]float32{100, 1, 2, 4}, 3, "▃▅█", ":=#"}, // what is not shown does not count
		{[]float32{-1, 2, nan, 0}, 4, " █ ▁", " # _"},
		{[]float32{-1, -1}, 2, "  ", "  "},
		{[]float32{1, inf}, 2, "▂█", ".#"},
	} {
		for _, ascii := range []bool{false, true} {
			want := c.blocks
			if ascii {
				want = c.ascii
			}
			got := string(AppendSparkline([]byte("x"), c.values, c.width, ascii))
			if got != "x"+want {
				t.Errorf("%v in %d: %q, want %q", c.values, c.width, got, "x"+want)
			}
			if n := utf8.RuneCountInString(got) - 1; n != max(c.width, 0) {
				t.Errorf("%v: %d cells, want %d", c.values, n, c.width)
			}
		}
	}
}

// They are in every row of every frame.
func TestRatesAllocateNothing(t *testing.T) {
	b := make([]byte, 0, 256)
	values := []float32{-1, 0, 3, 7, 2}
	if n := testing.AllocsPerRun(100, func() {
		b = AppendRate(b[:0], 12_400_000)
		b = AppendSparkline(b, values, 30, false)
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
