// SPDX-License-Identifier: GPL-2.0-or-later

package procfallback

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"

	"netlive/internal/sock"
)

const (
	// eachBuffer is filled before its rows are looked at. The kernel gives a page at each read, and to wake another goroutine for each
	// would take as long as to read it.
	eachBuffer = 64 << 10
	pageSize   = 4 << 10
	// eachBuffers is how many there are. A table may move between two reads, so these do not wait for what is made of the rows.
	eachBuffers = 8
)

// Each calls f with each socket of a table in turn, of any protocol but SCTP, and holds no more of it than a few buffers
// take: f's socket is f's until it returns, and has neither ID nor owner. The error is a *fs.PathError of Op open when there is no such
// table. Warnings are as in a Snapshot.
func (s *Source) Each(ctx context.Context, p sock.Proto, f func(*sock.Socket)) (warned []error, err error) {
	file := "net/" + p.String()
	table, err := s.root.Open(s.self() + file)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, table.Close()) }()
	var warn warnings
	warn.begin(file)
	parse := parseInetLine
	if p == sock.Unix {
		parse = parseUnixLine
	}
	header, number := true, 1
	full, free := make(chan part, eachBuffers), make(chan []byte, eachBuffers)
	for range eachBuffers {
		free <- nil // made when it is needed: most tables fit into one
	}
	go func() {
		defer close(full)
		if err := readLines(ctx, table, free, full); err != nil {
			full <- part{err: err}
		}
	}()
	var row sock.Socket
	for part := range full {
		if part.err != nil {
			err = fmt.Errorf("procfallback: read %s: %w", file, part.err)
			continue
		}
		for piece := range pieces(part.lines, tablePiece) {
			line, whole := bytes.CutSuffix(piece, newline)
			at := number
			if whole {
				number++
			}
			if header {
				header = false
				continue
			}
			row = sock.Socket{Proto: p}
			if field, text := parse(line, &row); field != "" {
				warn.bad(at, field, text)
				continue
			}
			f(&row)
		}
		free <- part.lines
	}
	if err == nil {
		err = ctx.Err()
	}
	return warn.list(), err
}

// part is what one read brought.
type part struct {
	lines []byte // whole but for the last of the file, or pieces of one that is longer than a buffer
	err   error
}

// readLines reads f to its end into what comes by free, and hands it on by full.
func readLines(ctx context.Context, f io.Reader, free <-chan []byte, full chan<- part) error {
	var tail []byte
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		b := append(slices.Grow((<-free)[:0], eachBuffer+len(tail)), tail...)
		var err error
		for err == nil && cap(b)-len(b) >= pageSize {
			var n int
			n, err = f.Read(b[len(b):cap(b)])
			b = b[:len(b)+n]
		}
		end := len(b)
		if err == nil {
			end = bytes.LastIndexByte(b, '\n') + 1
			if end == 0 {
				end = len(b) - len(b)%tablePiece
			}
		}
		tail = append(tail[:0], b[end:]...)
		full <- part{lines: b[:end]}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
	}
}
