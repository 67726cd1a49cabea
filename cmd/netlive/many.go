// SPDX-License-Identifier: GPL-2.0-or-later

package main

import (
	"bytes"
	"context"
	"errors"
	"os"
	"strconv"

	"netlive/internal/options"
	"netlive/internal/sock"
	"netlive/internal/tracer"
)

// manyProtos are the protocols of which there are so many, and whose iterators give them in the order of /proc: UDP's turns each bucket
// round.
var manyProtos = sock.ProtosTCP | sock.ProtosUnix

const (
	// manyMin is from how many sockets on the iterators are quicker: loading them takes as long as reading so many rows of /proc.
	manyMin = 5000
	// manyWrite is how many bytes of rows are written at once.
	manyWrite = 64 << 10
)

// tooMany reports whether the table is printed quicker by the kernel's iterators, with the same bytes. These have no timers and the
// namespace of the calling thread alone; hosts that are looked up take longer than any source; and whom netstat may not name must not be
// named.
func (s *sockets) tooMany() bool {
	switch o := s.o; {
	case o.JSON, o.Timers, o.NetNS != "", o.Unit, !o.NumericHosts, o.Source == options.SourceProcfs,
		!o.Protos().Any(manyProtos), os.Geteuid() != 0:
		return false
	}
	return howMany() >= manyMin
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

// openWalker loads the iterators, finds the owners if they are wanted, and takes what the iterators give out of want.
func (s *sockets) openWalker(ctx context.Context, want *sock.Want) (*tracer.Walker, error) {
	// What the kernel does not have is told by the absence of its file.
	for p := sock.TCP; p <= sock.Unix; p++ {
		if !want.Protos.Has(p) || !manyProtos.Has(p) {
			continue
		}
		f, err := os.Open("/proc/thread-self/net/" + p.String())
		if err != nil {
			return nil, err
		}
		if err := f.Close(); err != nil {
			return nil, err
		}
	}
	c, err := tracer.OpenWalker(sock.Want{Protos: want.Protos & manyProtos, Owners: want.Owners})
	if err != nil {
		return nil, err
	}
	if want.Owners {
		if err := c.Owners(ctx, s.program, howMany()); err != nil {
			return nil, errors.Join(err, c.Close())
		}
	}
	want.Protos &^= manyProtos
	want.Owners = false
	return c, nil
}

// program is what netstat calls a process.
func (s *sockets) program(pid uint32) string {
	name, _ := s.proc.Program(pid)
	return name
}

// walkerRows prints the sockets of a protocol as they come. Those of IPv6 come with those of IPv4 and are kept until it is their turn.
func (w *walk) walkerRows(proto sock.Proto) {
	if proto == sock.TCP6 {
		w.out = append(w.out, w.ipv6...)
		w.ipv6 = w.ipv6[:0]
		return
	}
	if both := sock.Protos(proto, proto+1) & manyProtos; w.err != nil || !w.o.Protos().Any(both) {
		return
	}
	w.err = w.walker.Each(w.ctx, proto, func(row *sock.Socket) {
		switch {
		case !w.o.Shows(row):
		case row.Proto != proto:
			w.ipv6 = appendRow(w.ipv6, w.layout, row)
		default:
			w.out = appendRow(w.out, w.layout, row)
			if len(w.out)-w.written > manyWrite {
				w.flush(w.std)
			}
		}
	})
}
