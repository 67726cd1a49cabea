// SPDX-License-Identifier: GPL-2.0-or-later

package main

import "time"

// unknownRate is the rate of what is not known.
const unknownRate = -1

// pauseTime is how long nobody has to have looked for the mean since then to say nothing of now.
const pauseTime = 10 * time.Second

// pace says which looks are samples of counters, and over which time: looks come each interval, but also when something else is announced,
// and not at all while a page is not shown.
type pace struct {
	interval time.Duration
	at       time.Time // of the last sample; zero is none
}

// sample reports whether a look at the instant now is a sample, and how many seconds after the one before; 0: there is none, or so long
// ago that there is no rate to tell. Too soon after the last one, a handful of packets would be a flood.
func (p *pace) sample(now time.Time) (seconds float64, ok bool) {
	since := now.Sub(p.at)
	switch {
	case p.at.IsZero():
	case since <= 0, since < p.interval/2:
		return 0, false
	case since <= max(3*p.interval, pauseTime):
		seconds = since.Seconds()
	}
	p.at = now
	return seconds, true
}

// rate is a second what a counter counted from before to after. It is not known if the counter went back, because it has wrapped or
// its owner began anew.
func rate(before, after uint64, seconds float64) float64 {
	if seconds <= 0 || after < before {
		return unknownRate
	}
	return float64(after-before) / seconds
}
