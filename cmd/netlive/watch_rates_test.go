// SPDX-License-Identifier: GPL-2.0-or-later

package main

import (
	"math"
	"reflect"
	"testing"
	"time"

	"netlive/internal/iface"
)

// clock is a time that tests move.
var clock = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

func TestPace(t *testing.T) {
	type look struct {
		after   time.Duration // since the look before
		seconds float64
		ok      bool
	}
	for name, c := range map[string]struct {
		interval time.Duration
		looks    []look
	}{
		"each interval": {time.Second, []look{{0, 0, true}, {time.Second, 1, true}, {1100 * time.Millisecond, 1.1, true}}},
		// One that is too soon is no sample, and the next is of all the time.
		"news":         {time.Second, []look{{0, 0, true}, {100 * time.Millisecond, 0, false}, {300 * time.Millisecond, 0, false}, {600 * time.Millisecond, 1, true}}},
		"a storm":      {time.Second, []look{{0, 0, true}, {250 * time.Millisecond, 0, false}, {250 * time.Millisecond, 0.5, true}}},
		"a pause":      {time.Second, []look{{0, 0, true}, {10 * time.Second, 10, true}, {10*time.Second + 1, 0, true}, {time.Second, 1, true}}},
		"a busy host":  {time.Minute, []look{{0, 0, true}, {3 * time.Minute, 180, true}, {4 * time.Minute, 0, true}}},
		"no time":      {0, []look{{0, 0, true}, {0, 0, false}, {time.Millisecond, 0.001, true}}},
		"back in time": {time.Second, []look{{0, 0, true}, {-time.Second, 0, false}, {2 * time.Second, 1, true}}},
	} {
		t.Run(name, func(t *testing.T) {
			p := pace{interval: c.interval}
			now := clock
			for i, l := range c.looks {
				now = now.Add(l.after)
				if seconds, ok := p.sample(now); seconds != l.seconds || ok != l.ok {
					t.Errorf("look %d: %v, %v, want %v, %v", i, seconds, ok, l.seconds, l.ok)
				}
			}
		})
	}
}

func TestRate(t *testing.T) {
	for _, c := range []struct {
		before, after uint64
		seconds, want float64
	}{
		{5, 12, 1, 7}, {5, 12, 2, 3.5}, {5, 5, 1, 0}, {5, 12, 0, -1}, {12, 5, 1, -1}, {math.MaxUint64, 0, 1, -1}, {math.MaxUint64 - 1, math.MaxUint64, 1, 1},
	} {
		if got := rate(c.before, c.after, c.seconds); got != c.want {
			t.Errorf("%d to %d in %v s: %v, want %v", c.before, c.after, c.seconds, got, c.want)
		}
	}
}

// A counter that goes back makes all rates of its interface unknown for one interval, and no fault is counted that was not there.
func TestInterfaceMeter(t *testing.T) {
	m := interfaceMeter{pace: pace{interval: time.Second}}
	now := clock
	for i, c := range []struct {
		stats                iface.Stats
		rx, tx, rxPkt, txPkt float64
		faults               [3]uint64 // errors, drops, overruns
		seen                 bool
	}{
		{iface.Stats{RxBytes: 1000, RxErrors: 5, TxDropped: 7}, -1, -1, -1, -1, [3]uint64{}, true},
		{iface.Stats{RxBytes: 1500, TxBytes: 10, RxPackets: 3, TxPackets: 1, RxErrors: 6, TxErrors: 1, TxDropped: 7, RxFIFO: 2}, 500, 10, 3, 1, [3]uint64{2, 0, 2}, true},
		// The driver began anew; what its counters say now says nothing of the interval.
		{iface.Stats{RxBytes: 2000, TxBytes: 20, RxPackets: 9, TxPackets: 9, RxErrors: 1}, -1, -1, -1, -1, [3]uint64{2, 0, 2}, true},
		{iface.Stats{RxBytes: 2000, TxBytes: 30, RxPackets: 9, TxPackets: 9, RxErrors: 2}, 0, 10, 0, 0, [3]uint64{3, 0, 2}, true},
		// 32 bits, as on a kernel of such.
		{iface.Stats{RxBytes: math.MaxUint32, TxBytes: 30, RxPackets: 9, TxPackets: 9, RxErrors: 2}, math.MaxUint32 - 2000, 0, 0, 0, [3]uint64{3, 0, 2}, true},
		{iface.Stats{RxBytes: 4, TxBytes: 30, RxPackets: 9, TxPackets: 9, RxErrors: 2}, -1, -1, -1, -1, [3]uint64{3, 0, 2}, true},
		{iface.Stats{RxBytes: 6, TxBytes: 30, RxPackets: 9, TxPackets: 9, RxErrors: 2}, 2, 0, 0, 0, [3]uint64{3, 0, 2}, true},
	} {
		seen := m.take(&c.stats, now)
		if m.Rx != c.rx || m.Tx != c.tx || m.RxPackets != c.rxPkt || m.TxPackets != c.txPkt || seen != c.seen {
			t.Errorf("look %d: %v, %v bytes, %v, %v packets a second, seen %v", i, m.Rx, m.Tx, m.RxPackets, m.TxPackets, seen)
		}
		if got := [3]uint64{m.Errors, m.Drops, m.Overruns}; got != c.faults {
			t.Errorf("look %d: faults %v, want %v", i, got, c.faults)
		}
		now = now.Add(time.Second)
	}
	if want := []float32{510, -1, 10, math.MaxUint32 - 2000, -1, 2}; !reflect.DeepEqual(m.History, want) {
		t.Errorf("history %v, want %v", m.History, want)
	}
	// Whoever is idle for long enough is not drawn again.
	idle := iface.Stats{RxBytes: 6, TxBytes: 30, RxPackets: 9, TxPackets: 9, RxErrors: 2}
	for i := range 40 {
		if seen := m.take(&idle, now); seen != (i < 30) {
			t.Errorf("idle look %d: seen %v", i, seen)
		}
		now = now.Add(time.Second)
	}
}
