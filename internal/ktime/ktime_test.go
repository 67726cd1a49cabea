// SPDX-License-Identifier: GPL-2.0-or-later

package ktime

import (
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

func TestOffset(t *testing.T) {
	for _, c := range []struct {
		text string
		want int64
	}{
		{"monotonic           0         0\nboottime            0         0\n", 0},
		{"monotonic      864000         7\nboottime            5         0\n", 864000*int64(time.Second) + 7},
		{"monotonic          -3 500000000\nboottime            5         0\n", -2500000000},
		{"boottime 5 0\n", 0}, {"", 0}, {"monotonic 5\n", 0}, {"monotonic 99999999999 0\n", 0}, {"monotonic 1 x\n", 0},
	} {
		if got := offset([]byte(c.text), "monotonic"); got != c.want {
			t.Errorf("%q: %d, want %d", c.text, got, c.want)
		}
	}
}

// In no namespace of its own the clock is the system's.
func TestNow(t *testing.T) {
	if added() != 0 {
		t.Skip("the tests run in a time namespace")
	}
	before, now, after := Read(unix.CLOCK_MONOTONIC), Monotonic(), Read(unix.CLOCK_MONOTONIC)
	if now < before || now > after || int64(Now()) < after {
		t.Errorf("%d is not between %d and %d", now, before, after)
	}
}
