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
	// used is the CPU time of this process so far; tests have their own.
	used func() time.Duration
}

// take is the cost as of now, and when to ask again: what was measured in a burst is not true of the quiet after it.
func (m *costMeter) take(now sock.Stamp, s *live.Status) (c cost, again sock.Stamp) {
	used := m.used
	if used == nil {
		used = cpuTime
	}
	since := time.Duration(now - m.at)
	if m.at != 0 && since < time.Second {
		return m.last, m.settles()
	}
	cpu := used()
	if m.at != 0 {
		m.last = cost{cpu: float64(cpu-m.cpu) / float64(since), event: m.last.event, known: true}
		if n := s.Events - m.events; n > 0 {
			m.last.event = (s.Busy - m.busy) / time.Duration(n)
		}
	}
	m.at, m.cpu, m.events, m.busy = now, cpu, s.Events, s.Busy
	return m.last, m.settles()
}

// settles is when to look again though nothing happens; 0 is never: a cost that is near nothing stays so.
func (m *costMeter) settles() sock.Stamp {
	if m.last.known && m.last.cpu < 0.05 {
		return 0
	}
	return m.at + sock.Stamp(time.Second) + 1
}

func cpuTime() time.Duration {
	var u unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
