// SPDX-License-Identifier: GPL-2.0-or-later

package tracer

import (
	"time"

	"golang.org/x/sys/unix"

	"netlive/internal/sock"
)

// Now is the kernel's monotonic clock, the one that bpf_ktime_get_ns reads.
func Now() sock.Stamp { return sock.Stamp(clock(unix.CLOCK_MONOTONIC)) }

// wallOffset is what to add to a Stamp to have nanoseconds since 1970. It is read again
// for each batch of events, so that a step of the wall clock moves what comes after it
// and nothing else.
func wallOffset() int64 { return clock(unix.CLOCK_REALTIME) - clock(unix.CLOCK_MONOTONIC) }

func wall(at sock.Stamp, offset int64) time.Time { return time.Unix(0, int64(at)+offset) }

func clock(id int32) int64 {
	var ts unix.Timespec
	// Both clocks exist on every Linux; there is no error to have.
	_ = unix.ClockGettime(id, &ts)
	return ts.Nano()
}
