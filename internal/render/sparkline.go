// SPDX-License-Identifier: GPL-2.0-or-later

package render

import "math"

// The levels of a sparkline, from none to the most.
var (
	sparks      = [...]string{"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"}
	sparksASCII = [...]string{"_", ".", ":", "-", "=", "+", "*", "#"}
)

// AppendSparkline appends the last width of values, the newest on the right, in width cells of a terminal: as blocks, or in ASCII
// (_.:-=+*#). The highest of those that are shown is the highest block, and 0 alone the lowest. What is not known, a negative value or
// NaN, is a blank, as what there is no value for.
func AppendSparkline(b []byte, values []float32, width int, ascii bool) []byte {
	width = max(width, 0)
	values = values[max(len(values)-width, 0):]
	b = appendBlanks(b, width-len(values))
	top := float32(0)
	for _, v := range values {
		if v > top {
			top = v
		}
	}
	levels := &sparks
	if ascii {
		levels = &sparksASCII
	}
	for _, v := range values {
		if v >= 0 { // NaN is not
			b = append(b, levels[sparkLevel(v, top)]...)
		} else {
			b = append(b, ' ')
		}
	}
	return b
}

// sparkLevel is the level of v, which is 0 to top.
func sparkLevel(v, top float32) int {
	const highest = len(sparks) - 1
	switch {
	case v <= 0:
		return 0
	case v >= top: // and where both are infinite
		return highest
	}
	// Of what is more than nothing something is to be seen.
	const accuracy = 1e-6
	return max(int(math.Ceil(float64(v)/float64(top)*float64(highest)-accuracy)), 1)
}
