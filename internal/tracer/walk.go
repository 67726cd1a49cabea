// SPDX-License-Identifier: GPL-2.0-or-later

package tracer

import (
	"context"
	"errors"
	"fmt"
	"io"
	"unsafe"

	"github.com/cilium/ebpf/link"
	"golang.org/x/sys/unix"

	"netlive/internal/crash"
)

const (
	// walkBuffer is asked for at each read of an iterator; the kernel fills as much as its seq_file
	// buffer has (eight pages).
	walkBuffer = 64 << 10
	// walkBuffers is how many there are: the kernel fills one while records are taken from another.
	walkBuffers = 3
)

// part is what one read brought: whole records.
type part struct {
	b   []byte
	err error
}

// openIter starts the iterator named program, in the network namespace of the calling thread.
func (t *Tracer) openIter(program string) (io.ReadCloser, error) {
	it, err := link.AttachIter(link.IterOptions{Program: t.coll.Programs[program]})
	if err != nil {
		return nil, explain("attach "+program, err)
	}
	// What is open keeps the link.
	f, err := it.Open()
	if err != nil {
		return nil, errors.Join(explain("open "+program, err), it.Close())
	}
	if err := it.Close(); err != nil {
		return nil, errors.Join(fmt.Errorf("tracer: close %s: %w", program, err), f.Close())
	}
	return f, nil
}

// walk runs the iterator named program and calls each with its records.
func walk[T record](ctx context.Context, t *Tracer, program string, each func(*T)) (err error) {
	f, err := t.openIter(program)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()

	var r T
	size := int(unsafe.Sizeof(r))
	full, free := make(chan part, walkBuffers), make(chan []byte, walkBuffers)
	for range walkBuffers {
		free <- nil // made when it is needed: most tables fit into one
	}
	go func() {
		defer crash.Guard()
		defer close(full)
		if err := readParts(ctx, f, size, free, full); err != nil {
			full <- part{err: fmt.Errorf("tracer: read %s: %w", program, err)}
		}
	}()
	for p := range full {
		if p.err != nil {
			err = p.err
			continue
		}
		for b := p.b; copyRecord(b, &r); b = b[size:] {
			each(&r)
		}
		free <- p.b[:cap(p.b)]
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return err
}

// readParts reads f to its end, or to that of ctx, into what comes by free, and hands it on by full. A record may be split between two reads.
func readParts(ctx context.Context, f io.Reader, size int, free <-chan []byte, full chan<- part) error {
	var tail []byte
	for ctx.Err() == nil {
		b := <-free
		if b == nil {
			b = make([]byte, walkBuffer)
		}
		have := copy(b, tail)
		n, err := f.Read(b[have:])
		have += max(n, 0)
		whole := have - have%size
		tail = append(tail[:0], b[whole:have]...)
		full <- part{b: b[:whole]}
		switch {
		case errors.Is(err, io.EOF):
			if len(tail) > 0 {
				return fmt.Errorf("%d bytes of a record of %d", len(tail), size)
			}
			return nil
		case errors.Is(err, unix.EAGAIN):
			// After a million objects without output the kernel lets others have the CPU and asks to
			// be called again (kernel/bpf/bpf_iter.c, MAX_ITER_OBJECTS).
		case err != nil:
			return err
		}
	}
	return nil
}
