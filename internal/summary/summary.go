// SPDX-License-Identifier: GPL-2.0-or-later

// Package summary counts events: what happened, how connections ended, how long they took. It holds no event and its
// memory is bounded, whatever it sees. It does no I/O and reads no clock.
package summary

import (
	"maps"
	"slices"
	"strconv"
	"syscall"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
	"golang.org/x/sys/unix"

	"netlive/internal/sock"
)

// Summary is what events come to. The zero value has seen none.
type Summary struct {
	kinds [kindCount]uint64
	lost  uint64

	closes [endCount]uint64
	// fails are by error, or where there was none by end.
	failErrnos map[uint16]uint64 // of 65,536 numbers the kernel uses some 130
	failEnds   [endCount]uint64

	bytesSent, bytesReceived, bytesRetrans, retrans uint64

	// A connection's handshake and wait are told when they are over and again when the connection ends; which of them is asked for is not known
	// here, so each is counted apart and the first is preferred.
	connectOpen, connectEnd latency
	acceptOpen, acceptEnd   latency
	duration                latency
}

const (
	kindCount = int(sock.EventStale) + 1
	endCount  = int(sock.EndCanceled) + 1
)

// Add counts e, which it does not keep.
func (s *Summary) Add(e *sock.Event) {
	if int(e.Kind) >= kindCount {
		return
	}
	s.kinds[e.Kind]++
	switch e.Kind {
	case sock.EventLost:
		s.lost += e.Lost
	case sock.EventOpen:
		s.connectOpen.add(e.InOld)
	case sock.EventAccept:
		s.acceptOpen.add(e.InOld)
	case sock.EventFail, sock.EventClose:
		if e.Detail != nil {
			s.addEnd(e.Kind, e.Detail)
		}
	}
}

func (s *Summary) addEnd(kind sock.EventKind, d *sock.Detail) {
	end := d.End
	if int(end) >= endCount {
		end = sock.EndUnknown
	}
	switch {
	case kind == sock.EventClose:
		s.closes[end]++
		s.duration.add(d.Duration)
		s.connectEnd.add(d.Connect)
		s.acceptEnd.add(d.AcceptWait)
	case d.Errno != 0:
		if s.failErrnos == nil {
			s.failErrnos = map[uint16]uint64{}
		}
		s.failErrnos[d.Errno]++
	default:
		s.failEnds[end]++
	}
	s.bytesSent += d.BytesSent
	s.bytesReceived += d.BytesReceived
	s.bytesRetrans += d.BytesRetrans
	s.retrans += uint64(d.Retrans)
}

// notCounted are kinds that are no news of a connection.
const notCounted sock.EventSet = 1<<sock.EventNone | 1<<sock.EventLost | 1<<sock.EventResync | 1<<sock.EventOwner | 1<<sock.EventStale

// events calls each for the kinds that there were.
func (s *Summary) events(each func(name string, n uint64)) (sum uint64) {
	for k, n := range s.kinds {
		if kind := sock.EventKind(k); n > 0 && !notCounted.Has(kind) {
			each(kind.String(), n)
			sum += n
		}
	}
	return sum
}

// eachClose calls each for the ends that there were of connections.
func (s *Summary) eachClose(each func(name string, n uint64)) { eachEnd(&s.closes, each) }

// eachFail calls each for the errors, and then the ends, that there were of connections that were never established.
func (s *Summary) eachFail(each func(name string, n uint64)) {
	for _, errno := range slices.Sorted(maps.Keys(s.failErrnos)) {
		each(errnoName(errno), s.failErrnos[errno])
	}
	eachEnd(&s.failEnds, each)
}

func eachEnd(ends *[endCount]uint64, each func(name string, n uint64)) {
	for end, n := range ends {
		name := sock.End(end).String()
		if name == "" {
			name = "unknown"
		}
		if n > 0 {
			each(name, n)
		}
	}
}

func errnoName(errno uint16) string {
	if name := unix.ErrnoName(syscall.Errno(errno)); name != "" {
		return name
	}
	return strconv.FormatUint(uint64(errno), 10)
}

// eachLatency calls each for the times that there were.
func (s *Summary) eachLatency(each func(name string, l *latency)) {
	either := func(a, b *latency) *latency {
		if a.count() > 0 {
			return a
		}
		return b
	}
	each("connect", either(&s.connectOpen, &s.connectEnd))
	each("accept_wait", either(&s.acceptOpen, &s.acceptEnd))
	each("duration", &s.duration)
}

// latency is the distribution of a time in microseconds.
type latency struct {
	h   *hdrhistogram.Histogram // nil as long as there is none
	max int64
}

// The range of a histogram, to three digits: 224 KiB. What is longer than a day counts as a day, but for the greatest value.
const (
	shortest = 1
	longest  = int64(24 * time.Hour / time.Microsecond)
	digits   = 3
)

// add counts d; a negative one is not known.
func (l *latency) add(d time.Duration) {
	if d < 0 {
		return
	}
	if l.h == nil {
		l.h = hdrhistogram.New(shortest, longest, digits)
	}
	us := int64(d / time.Microsecond)
	l.max = max(l.max, us)
	_ = l.h.RecordValue(min(us, longest)) // within its range
}

func (l *latency) count() int64 {
	if l.h == nil {
		return 0
	}
	return l.h.TotalCount()
}

// percentiles are those that are shown.
var percentiles = [...]struct {
	name     string
	quantile float64
}{{"p50", 50}, {"p90", 90}, {"p99", 99}}

// at is a percentile, never more than the greatest value.
func (l *latency) at(quantile float64) int64 {
	return min(l.h.ValueAtQuantile(quantile), l.max)
}
