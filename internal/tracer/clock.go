// SPDX-License-Identifier: GPL-2.0-or-later

package tracer

import (
	"math"
	"time"

	"golang.org/x/sys/unix"

	"netlive/internal/ktime"
	"netlive/internal/sock"
)

// Now is the kernel's monotonic clock, the one that bpf_ktime_get_ns reads, whatever our time namespace.
func Now() sock.Stamp { return ktime.Now() }

// wallOffset is what to add to a Stamp to have nanoseconds since 1970. It is read again
// for each batch of events, so that a step of the wall clock moves what comes after it
// and nothing else. We may lose the processor between two looks at the clocks: the closest looks count.
func wallOffset() (offset int64) {
	const close, most = 1000, 8 // nanoseconds, and tries
	before := ktime.Monotonic()
	for try, least := 0, int64(math.MaxInt64); try < most && least > close; try++ {
		wall, after := ktime.Read(unix.CLOCK_REALTIME), ktime.Monotonic()
		if gap := after - before; gap < least {
			least, offset = gap, wall-before-gap/2
		}
		before = after
	}
	return offset
}

func wall(at sock.Stamp, offset int64) time.Time { return time.Unix(0, int64(at)+offset) }
