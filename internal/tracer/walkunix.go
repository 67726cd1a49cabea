// SPDX-License-Identifier: GPL-2.0-or-later

package tracer

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"
	"unsafe"

	"github.com/cilium/ebpf/ringbuf"
	"golang.org/x/sys/unix"

	"netlive/internal/crash"
	"netlive/internal/sock"
)

const (
	// unixTurnsMax is in how many turns UNIX sockets are walked at most: their ring has room for 6,000.
	unixTurnsMax = 1 << 10
	// unixLook is how often the ring is looked at while it is filled.
	unixLook = time.Millisecond
)

// unixRing reads what the iterator over UNIX sockets writes.
type unixRing struct {
	*ringbuf.Reader
	rec ringbuf.Record
}

// drain calls each with what is in the ring.
func (r *unixRing) drain(each func(*bpfUnixRecord)) error {
	for r.AvailableBytes() > 0 {
		if err := readRing(r.Reader, &r.rec); err != nil {
			return fmt.Errorf("tracer: read %s: %w", bpfMapUnixRecords, err)
		}
		var record bpfUnixRecord
		if !copyRecord(r.rec.RawSample, &record) {
			return fmt.Errorf("tracer: %s: a record of %d bytes", bpfMapUnixRecords, len(r.rec.RawSample))
		}
		each(&record)
	}
	return nil
}

// walkUnix appends the UNIX sockets of the calling thread's network namespace to list.
func (t *Tracer) walkUnix(ctx context.Context, list []sock.Socket) ([]sock.Socket, error) {
	if t.unix == nil { // kept: to open it costs more than to walk a few hundred sockets, each second
		reader, err := ringbuf.NewReader(t.coll.Maps[bpfMapUnixRecords])
		if err != nil {
			return list, fmt.Errorf("tracer: open the ring of UNIX sockets: %w", err)
		}
		reader.SetDeadline(past)
		t.unix = &unixRing{Reader: reader}
	}
	ring, begin := t.unix, len(list)
	for ; t.unixTurns <= unixTurnsMax; t.unixTurns *= 2 {
		// A walk that was given up has left some.
		if err := ring.drain(func(*bpfUnixRecord) {}); err != nil {
			return list, err
		}
		list = list[:begin]
		before := t.unixLost()
		for turn := uint64(0); turn < t.unixTurns && t.unixLost() == before; turn++ {
			if err := t.takeTurn(turn); err != nil {
				return list, err
			}
			err := t.runUnix(ctx, func() error {
				return ring.drain(func(r *bpfUnixRecord) { list = append(list, r.socket()) })
			})
			if err != nil {
				return list, err
			}
		}
		if t.unixLost() == before {
			return list, nil
		}
	}
	t.unixTurns = unixTurnsMax
	return list, fmt.Errorf("tracer: walk UNIX sockets: more than %d", unixTurnsMax*ring.BufferSize()/int(unsafe.Sizeof(bpfUnixRecord{})))
}

// takeTurn has the next walk tell of the sockets of a turn.
func (t *Tracer) takeTurn(turn uint64) error {
	if err := t.coll.Variables[bpfVarUnixMask].Set(t.unixTurns - 1); err != nil {
		return fmt.Errorf("tracer: set %s: %w", bpfVarUnixMask, err)
	}
	if err := t.coll.Variables[bpfVarUnixTurn].Set(turn); err != nil {
		return fmt.Errorf("tracer: set %s: %w", bpfVarUnixTurn, err)
	}
	return nil
}

// runUnix runs the iterator to its end, and drain while it runs and after it.
func (t *Tracer) runUnix(ctx context.Context, drain func() error) (err error) {
	f, err := t.openIter(bpfProgDumpUnix)
	if err != nil {
		return err
	}
	ended := make(chan error, 1)
	go func() {
		defer crash.Guard()
		var b [1]byte // nothing is written there
		_, err := f.Read(b[:])
		// After a million sockets the kernel lets others have the CPU (kernel/bpf/bpf_iter.c, MAX_ITER_OBJECTS).
		for errors.Is(err, unix.EAGAIN) && ctx.Err() == nil {
			_, err = f.Read(b[:])
		}
		if errors.Is(err, io.EOF) {
			err = nil
		}
		ended <- errors.Join(err, f.Close())
	}()
	look := time.NewTicker(unixLook)
	defer look.Stop()
	var bad error
	for {
		select {
		case err := <-ended:
			return errors.Join(err, ctx.Err(), bad, drain())
		case <-look.C:
			if bad == nil {
				bad = drain()
			}
		}
	}
}

// unixLost is how many UNIX sockets have found no room.
func (t *Tracer) unixLost() (n uint64) {
	// The variable is mapped memory of the right size: Get cannot fail.
	_ = t.coll.Variables[bpfVarUnixLost].Get(&n)
	return n
}

// readRing reads the next record, which is there: a deadline that passed or a flush makes the ring's
// reader look once more, and the next call has the record.
func readRing(ring *ringbuf.Reader, rec *ringbuf.Record) error {
	for {
		err := ring.ReadInto(rec)
		if !isPause(err) {
			return err
		}
	}
}
