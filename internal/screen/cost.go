// SPDX-License-Identifier: GPL-2.0-or-later

package screen

import (
	"fmt"
	"time"

	"golang.org/x/sys/unix"

	"netlive/internal/live"
	"netlive/internal/sock"
)

// cost is what netlive itself takes.
type cost struct {
	// cpu is the share of one core, of all that netlive does; event is the time that it took to take one event in, 0 before there was any.
	cpu   float64
	event time.Duration
	known bool
}

func (c cost) String() string {
	if !c.known {
		return "cpu -"
	}
	text := fmt.Sprintf("cpu %.1f%%", c.cpu*100)
	if c.event > 0 {
		text += fmt.Sprintf(" %d ns/event", c.event.Nanoseconds())
	}
	return text
}

// costMeter takes the cost each second in which something is drawn.
type costMeter struct {
	last   cost
	at     sock.Stamp
	cpu    time.Duration
	events uint64
	busy   time.Duration
	again  sock.Stamp
	// used is the CPU time of this process so far; tests have their own.
	used func() time.Duration
}

// take is the cost as of now, and when to ask again: what was measured in a burst of events is not true of the quiet after it. 0 is not again.
func (m *costMeter) take(now sock.Stamp, s *live.Status) (c cost, again sock.Stamp) {
	used := m.used
	if used == nil {
		used = cpuTime
	}
	since := time.Duration(now - m.at)
	if m.at != 0 && since < time.Second {
		return m.last, m.again
	}
	cpu, told := used(), s.Events-m.events
	if m.at != 0 {
		m.last.cpu, m.last.known = float64(cpu-m.cpu)/float64(since), true
		if told > 0 {
			m.last.event = (s.Busy - m.busy) / time.Duration(told)
		}
	}
	m.at, m.cpu, m.events, m.busy, m.again = now, cpu, s.Events, s.Busy, 0
	if told > 0 {
		m.again = now + sock.Stamp(time.Second) + 1
	}
	return m.last, m.again
}

func cpuTime() time.Duration {
	var u unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
