// SPDX-License-Identifier: GPL-2.0-or-later

package main

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"os"
	"strconv"

	"netlive/internal/options"
	"netlive/internal/procfallback"
	"netlive/internal/sock"
	"netlive/internal/tracer"
)

const (
	// walkedMin is from how many sockets on the iterator is quicker: loading it takes as long as reading so many rows of /proc.
	walkedMin = 5000
	// rowsWrite is how many bytes of rows are written at once.
	rowsWrite = 64 << 10
)

// rowSource gives the rows of tables one by one, so that nothing holds them all: those of TCP from the kernel's iterator where
// there are so many that this is quicker, and the rest from /proc, with the same bytes. (UDP's iterator turns the order of each bucket
// round, and that of UNIX leaves sockets out when there are many: bpf/dump.bpf.h.)
type rowSource struct {
	proc   *procfallback.Source
	walker *tracer.Walker // of TCP; nil: all come from /proc
	// holders are the owners; nil: nobody asks.
	holders *sock.Holders
	// found and denied are Snapshot's OwnersFound and OwnersDenied.
	found, denied bool
	ipv6          []byte // rows of walker that are to be printed after IPv4's
}

// rowByRow reports whether rows can be printed as they are read. Hosts that are looked up are all asked for before the first row is
// printed; JSON tells all owners of each socket; --netns, --unit and some filters need more than a row of /proc.
func rowByRow(o *options.Options) bool {
	return o.NumericHosts && !o.JSON && o.NetNS == "" && !o.Unit && o.Filter.Fields()&^rowFields == 0
}

// mayWalk reports whether rows of TCP should come from the iterator, of so many sockets. It has no timers, and whom netstat may not name must not
// be named.
func mayWalk(o *options.Options, count int) bool {
	return rowByRow(o) && count >= walkedMin && !o.Timers && os.Geteuid() == 0 && o.Source != options.SourceProcfs && o.Protos().Any(sock.ProtosTCP)
}

// openRows opens the source, finds the owners if they are wanted, and takes out of want what will come row by row.
func (s *sockets) openRows(ctx context.Context, want *sock.Want) (r rowSource, err error) {
	r.proc = s.proc
	count := howMany()
	if mayWalk(s.o, count) {
		r.openWalker(ctx, *want, count) // where it cannot be had /proc will do
	}
	if want.Owners && r.holders == nil {
		r.holders = sock.NewHolders(count, sock.HowProcfs, r.program)
		if r.found, r.denied, err = s.proc.Holders(ctx, r.holders); err != nil {
			return r, errors.Join(err, r.close())
		}
	}
	want.Protos &= sock.ProtosSCTP // whose rows are of two files
	want.Owners = false
	return r, nil
}

// named gives a socket its owner, if owners were asked for.
func (r *rowSource) named(s *sock.Socket) {
	if r.holders != nil {
		r.holders.Name(s)
	}
}

// openWalker loads the iterator and finds the owners if they are wanted.
func (r *rowSource) openWalker(ctx context.Context, want sock.Want, sockets int) {
	// What the kernel does not have is told by the absence of its file.
	for _, p := range []sock.Proto{sock.TCP, sock.TCP6} {
		if !want.Protos.Has(p) {
			continue
		}
		if _, err := os.Stat("/proc/thread-self/net/" + p.String()); err != nil {
			return
		}
	}
	w, err := tracer.OpenWalker(want.Owners)
	if err != nil {
		return
	}
	if want.Owners {
		holders := sock.NewHolders(sockets, sock.HowSeeded, r.program)
		if err := w.Owners(ctx, holders); err != nil {
			_ = w.Close() // a table of /proc comes in its place
			return
		}
		r.holders = holders
	}
	r.walker = w
}

func (r *rowSource) close() error {
	if r.walker == nil {
		return nil
	}
	return r.walker.Close()
}

// program is what netstat calls a process.
func (r *rowSource) program(pid uint32) string {
	name, _ := r.proc.Program(pid)
	return name
}

// howMany is how many sockets there are in the network namespace, minisockets included; 0 when that is not known.
func howMany() (n int) {
	text, err := os.ReadFile("/proc/thread-self/net/sockstat")
	if err != nil {
		return 0
	}
	// sockets: used 83
	// TCP: inuse 5 orphan 0 tw 2000 alloc 9 mem 1
	words := bytes.Fields(text)
	for i := 1; i+1 < len(words); i++ {
		if name := string(words[i]); name == "used" || name == "tw" {
			if m, err := strconv.Atoi(string(words[i+1])); err == nil {
				n += m
			}
		}
	}
	return n
}

// print prints the sockets of a protocol as they come.
func (r *rowSource) print(w *walk, t *socketTable, proto sock.Proto) {
	switch {
	case w.err != nil:
	case r.walker != nil && sock.ProtosTCP.Has(proto):
		r.printWalked(w, proto)
	case w.o.Protos().Has(proto):
		r.printFile(w, t, proto)
	}
}

// printWalked prints those of TCP as the iterator gives them. Those of IPv6 come with those of IPv4 and are kept until it is their turn.
func (r *rowSource) printWalked(w *walk, proto sock.Proto) {
	if proto == sock.TCP6 {
		w.out = append(w.out, r.ipv6...)
		r.ipv6 = r.ipv6[:0]
		return
	}
	w.err = r.walker.Each(w.ctx, func(row *sock.Socket) {
		r.named(row)
		switch {
		case !w.chosen.shows(row):
		case row.Proto != proto:
			r.ipv6 = appendRow(r.ipv6, w.layout, row)
		default:
			w.row(row)
		}
	})
}

// printFile prints those of a file of /proc, and says what was wrong with it.
func (r *rowSource) printFile(w *walk, t *socketTable, proto sock.Proto) {
	warned, err := r.proc.Each(w.ctx, proto, func(row *sock.Socket) {
		if w.chosen.shows(row) {
			r.named(row)
			w.row(row)
		}
	})
	if unopened := (*fs.PathError)(nil); errors.As(err, &unopened) && unopened.Op == "open" {
		w.snap.Unopened = append(w.snap.Unopened, sock.Unopened{Proto: proto, File: t.file(proto), Err: unopened.Err})
		return
	}
	w.err = err
	w.errs = w.words.appendBadLines(w.errs, warned, t.file(proto))
}

// row prints a row; what was printed before is written when it is much.
func (w *walk) row(s *sock.Socket) {
	w.out = appendRow(w.out, w.layout, s)
	if len(w.out)-w.written > rowsWrite {
		w.flush(w.std)
	}
}
