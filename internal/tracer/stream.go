// SPDX-License-Identifier: GPL-2.0-or-later

package tracer

import (
	"errors"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"time"
	"unsafe"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/ringbuf"

	"netlive/internal/sock"
)

const (
	// napMost is how long the reader leaves a ring of DefaultRing bytes alone after it emptied it: long enough
	// that a storm is read in batches of thousands, for each awakening costs as much as dozens of events, short enough that no eye sees it
	// and that the ring cannot fill (it takes 70 ms at the fastest). A smaller ring is left alone for less.
	napMost  = 8 * time.Millisecond
	napLeast = time.Millisecond
	// maxSleep bounds a sleep. The kernel side reads reader_sleeps after it reserved its record and
	// the reader looks for records after it set it, but with no barrier between the two the
	// kernel may in theory see the flag too late; then the record waits for the next one, or this long.
	maxSleep = time.Second
)

// recordHead is what the kernel puts before each record in the ring, which begins at a multiple of eight (kernel/bpf/ringbuf.c).
const recordHead = 8

// past is the deadline at all times but in sleep: the ring's reader then looks at its descriptor without
// waiting. It may not wait, be there records or not: epoll knows a record by its wakeup alone, and most come without.
var past = time.Unix(1, 0)

// Stream reads the events of a Tracer. One goroutine may read; another may Close.
type Stream struct {
	t      *Tracer
	sleeps *ebpf.Variable
	nap    time.Duration
	lives  classicLives // HookClassic alone

	mu     sync.Mutex // held while ring is used
	ring   *ringbuf.Reader
	closed atomic.Bool

	rec ringbuf.Record
	// details are those of the last events that Next gave, used of them.
	details []sock.Detail
	used    int
	lost    uint64 // already told
	idle    bool   // the last look at the ring found nothing

	finish atomic.Bool
	ending bool // finish was seen
	rest   int  // bytes in the ring that were there then
}

// Stream opens the ring for reading. The events since Open are in it.
func (t *Tracer) Stream() (*Stream, error) {
	ring, err := ringbuf.NewReader(t.coll.Maps[bpfMapEvents])
	if err != nil {
		return nil, fmt.Errorf("tracer: open the ring buffer: %w", err)
	}
	ring.SetDeadline(past)
	s := &Stream{t: t, ring: ring, sleeps: t.coll.Variables[bpfVarReaderSleeps]}
	s.nap = min(max(napMost*time.Duration(ring.BufferSize())/DefaultRing, napLeast), napMost)
	if t.hook == HookClassic {
		s.lives = classicLives{}
	}
	return s, nil
}

// Close ends a Next that waits, and all later ones, with os.ErrClosed.
func (s *Stream) Close() error {
	s.closed.Store(true)
	if err := s.ring.Flush(); err != nil {
		return fmt.Errorf("tracer: wake the reader: %w", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.ring.Close()
}

// Finish ends Next, a waiting one too, with os.ErrClosed once the events are told that are there now.
func (s *Stream) Finish() error {
	s.finish.Store(true)
	if err := s.ring.Flush(); err != nil {
		return fmt.Errorf("tracer: wake the reader: %w", err)
	}
	return nil
}

// Next waits for events, fills buf with what is there and returns how many, at least one. When
// events were lost the first is an EventLost with their number: they are missing
// somewhere among the events of this batch and the one before. Details hold until the next call. It allocates nothing but stacks.
func (s *Stream) Next(buf []sock.Event) (int, error) {
	for {
		n, err := s.next(buf)
		if n > 0 || err != nil {
			return n, err
		}
	}
}

func (s *Stream) next(buf []sock.Event) (n int, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed.Load() {
		return 0, os.ErrClosed
	}
	if s.finish.Load() && !s.ending {
		s.ending, s.rest = true, s.ring.AvailableBytes()
	}
	s.used = 0
	offset := wallOffset()
	if lost := s.t.Lost(); lost != s.lost && len(buf) > 0 {
		at := Now()
		buf[0] = sock.Event{Kind: sock.EventLost, Time: wall(at, offset), Lost: lost - s.lost}
		buf[0].Socket.At = at
		s.lost = lost
		n++
	}
	if s.ending {
		return s.takeRest(buf, n, offset)
	}
	if n == 0 && s.ring.AvailableBytes() == 0 {
		// Nothing there. The first time in a row nap; when nothing came meanwhile ask to be woken.
		if !s.idle {
			s.idle = true
			time.Sleep(s.nap)
			return 0, nil
		}
		if woken, err := s.sleep(); err != nil || !woken {
			return 0, err
		}
		n, err = s.take(buf, n, offset)
	}
	s.idle = false
	// ReadInto on an empty ring would block, so look first.
	for err == nil && n < len(buf) && s.ring.AvailableBytes() > 0 {
		if err = readRing(s.ring, &s.rec); err == nil {
			n, err = s.take(buf, n, offset)
		}
	}
	return n, err
}

// takeRest takes what was in the ring when Finish was seen, and no more.
func (s *Stream) takeRest(buf []sock.Event, n int, offset int64) (int, error) {
	for n < len(buf) && s.rest > 0 {
		if err := readRing(s.ring, &s.rec); err != nil {
			return n, err
		}
		var err error
		if n, err = s.take(buf, n, offset); err != nil {
			return n, err
		}
		s.rest -= (len(s.rec.RawSample)+7)&^7 + recordHead
	}
	if n == 0 {
		return 0, os.ErrClosed
	}
	return n, nil
}

// take decodes the record that was read into buf[n].
func (s *Stream) take(buf []sock.Event, n int, offset int64) (int, error) {
	if err := decodeEvent(s.rec.RawSample, offset, &buf[n]); err != nil {
		return n, fmt.Errorf("tracer: %w", err)
	}
	if len(s.rec.RawSample) > int(unsafe.Sizeof(bpfEventRecord{})) {
		if len(s.details) < len(buf) {
			s.details = make([]sock.Detail, len(buf)) // before the first of this batch: the length of buf is the caller's habit
		}
		if err := s.decodeDetail(s.rec.RawSample, &buf[n], &s.details[s.used]); err != nil {
			return n, fmt.Errorf("tracer: %w", err)
		}
		s.used++
	}
	if s.lives != nil {
		s.lives.apply(&buf[n])
	}
	return n + 1, nil
}

// sleep blocks until the kernel side wakes it with a record, which it takes.
func (s *Stream) sleep() (woken bool, err error) {
	if err := s.sleeps.Set(uint32(1)); err != nil {
		return false, fmt.Errorf("tracer: ask to be woken: %w", err)
	}
	s.ring.SetDeadline(time.Now().Add(maxSleep))
	defer s.ring.SetDeadline(past)
	if err := s.ring.ReadInto(&s.rec); err != nil {
		if isPause(err) {
			err = nil
		}
		return false, err
	}
	// A record that came just before the flag was set woke nobody and left it standing.
	if err := s.sleeps.Set(uint32(0)); err != nil {
		return false, fmt.Errorf("tracer: stay awake: %w", err)
	}
	return true, nil
}

func isPause(err error) bool {
	return errors.Is(err, os.ErrDeadlineExceeded) || errors.Is(err, ringbuf.ErrFlushed)
}
