// SPDX-License-Identifier: GPL-2.0-or-later

package render

import (
	"math"
	"strconv"
)

// AppendRate appends a number a second for people, of bytes or of what else is counted: 0, 0.4, 999, 1.2K, 12.4M, 310M. Units are
// decimal, as those of AppendSize, but it is rounded: a rate is a mean. What is more than nothing is not shown as nothing: <0.1. What
// is not known, a negative number, NaN or more than all, is a dash.
func AppendRate(b []byte, perSecond float64) []byte {
	const units = "KMGTPE"
	n := math.Round(perSecond)
	switch {
	case !(perSecond >= 0), math.IsInf(perSecond, 1):
		return append(b, '-')
	case perSecond > 0 && perSecond < 0.05:
		return append(b, "<0.1"...)
	case perSecond < 9.95:
		return appendTenths(b, perSecond, perSecond == n)
	case n < 1000:
		return strconv.AppendUint(b, uint64(n), 10)
	}
	v := perSecond / 1000
	i := 0
	for ; math.Round(v) >= 1000 && i < len(units)-1; i++ {
		v /= 1000
	}
	if v < 99.95 {
		b = appendTenths(b, v, false)
	} else {
		b = strconv.AppendFloat(b, math.Round(v), 'f', 0, 64)
	}
	return append(b, units[i])
}

// appendTenths appends v, which is not negative, rounded to a tenth, or if it is whole without one.
func appendTenths(b []byte, v float64, whole bool) []byte {
	tenths := uint64(math.Round(v * 10))
	b = strconv.AppendUint(b, tenths/10, 10)
	if whole {
		return b
	}
	return append(b, '.', '0'+byte(tenths%10))
}
