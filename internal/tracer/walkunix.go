// SPDX-License-Identifier: GPL-2.0-or-later

package tracer

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/cilium/ebpf/ringbuf"
	"golang.org/x/sys/unix"

	"netlive/internal/sock"
)

const (
	// unixAttempts is how often UNIX sockets are walked at most when there are so many at once that their ring overflows.
	unixAttempts = 3
	// unixLook is how often the ring is looked at while it is filled: it has room for 24,000 sockets, which the kernel
	// takes longer to fill in.
	unixLook = time.Millisecond
)

// walkUnix appends the UNIX sockets of the calling thread's network namespace to list. Their iterator writes to a ring.
func (t *Tracer) walkUnix(ctx context.Context, list []sock.Socket) (_ []sock.Socket, err error) {
	ring, err := ringbuf.NewReader(t.coll.Maps[bpfMapUnixRecords])
	if err != nil {
		return list, fmt.Errorf("tracer: open the ring of UNIX sockets: %w", err)
	}
	defer func() { err = errors.Join(err, ring.Close()) }()
	ring.SetDeadline(past)
	var rec ringbuf.Record
	drain := func(each func(*bpfUnixRecord)) error {
		for ring.AvailableBytes() > 0 {
			if err := readRing(ring, &rec); err != nil {
				return fmt.Errorf("tracer: read %s: %w", bpfMapUnixRecords, err)
			}
			var r bpfUnixRecord
			if !copyRecord(rec.RawSample, &r) {
				return fmt.Errorf("tracer: %s: a record of %d bytes", bpfMapUnixRecords, len(rec.RawSample))
			}
			each(&r)
		}
		return nil
	}
	begin := len(list)
	for range unixAttempts {
		// A walk that was given up has left some.
		if err := drain(func(*bpfUnixRecord) {}); err != nil {
			return list, err
		}
		list = list[:begin]
		before := t.unixLost()
		err := t.runUnix(ctx, func() error {
			return drain(func(r *bpfUnixRecord) { list = append(list, r.socket()) })
		})
		if err != nil || t.unixLost() == before {
			return list, err
		}
	}
	return list, fmt.Errorf("tracer: walk UNIX sockets: %d of them found no room in a ring of %d bytes", t.unixLost(), ring.BufferSize())
}

// runUnix runs the iterator to its end, and drain while it runs and after it.
func (t *Tracer) runUnix(ctx context.Context, drain func() error) (err error) {
	f, err := t.openIter(bpfProgDumpUnix)
	if err != nil {
		return err
	}
	ended := make(chan error, 1)
	go func() {
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
