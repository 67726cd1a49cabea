// SPDX-License-Identifier: GPL-2.0-or-later

package main

import (
	"context"
	"fmt"
	"iter"
	"os"

	"netlive/internal/options"
	"netlive/internal/procfallback"
	"netlive/internal/render"
	"netlive/internal/resolve"
	"netlive/internal/sock"
)

// sockets prints netstat's tables of sockets. It reads /proc, as netstat does: for a table printed once that is the
// quicker source until there are thousands of sockets.
type sockets struct {
	o     *options.Options
	proc  *procfallback.Source
	table *render.Table
}

func (s *sockets) print(ctx context.Context, p *page) error {
	lines, end := s.o.Lacking(func(file string) bool {
		_, err := os.Stat("/proc/net/" + file)
		return err == nil
	})
	want := sock.Want{Protos: s.o.Protos(), Owners: s.o.Programs || s.o.JSON}
	if end != sock.ProtoNone {
		// netstat prints what comes before the table that is not there, and ends.
		want.Protos &= sock.Protos(end) - 1
		p.code = exitFailure
	}
	snap, err := s.proc.Snapshot(ctx, want)
	if err != nil {
		return err
	}
	for _, w := range snap.Warnings {
		p.errs = fmt.Appendf(p.errs, "netlive: %v\n", w)
	}
	if s.o.Programs && !s.o.JSON {
		p.errs = appendOwnersWarning(p.errs, &snap)
	}
	for _, line := range lines {
		p.errs = append(append(p.errs, line...), '\n')
	}
	if s.o.JSON {
		p.out = appendArray(p.out, s.o, &snap)
		return nil
	}
	showUnix := s.o.ShowsUnix() && (end == sock.ProtoNone || end == sock.Unix)
	p.out = appendTables(p.out, s.table, s.o, s.o.ShowsInet(), showUnix, all(&snap))
	return nil
}

// appendOwnersWarning says in netstat's words that owners are missing.
func appendOwnersWarning(b []byte, snap *sock.Snapshot) []byte {
	switch {
	case !snap.OwnersDenied:
		return b
	case snap.OwnersFound:
		return append(b, "(Not all processes could be identified, non-owned process info\n"+
			" will not be shown, you would have to be root to see it all.)\n"...)
	}
	return fmt.Appendf(b, "(No info could be read for \"-p\": geteuid()=%d but you should be root.)\n", os.Geteuid())
}

func all(snap *sock.Snapshot) iter.Seq[*sock.Socket] {
	return func(yield func(*sock.Socket) bool) {
		for i := range snap.Sockets {
			if !yield(&snap.Sockets[i]) {
				return
			}
		}
	}
}

// appendTables appends the tables of internet and UNIX sockets, with those that o selects, in their order.
func appendTables(b []byte, t *render.Table, o *options.Options, inet, unix bool, all iter.Seq[*sock.Socket]) []byte {
	if inet {
		b = t.InetHeader(b)
		for s := range all {
			if s.Unix == nil && o.Shows(s) {
				b = t.InetRow(b, s)
			}
		}
	}
	if unix {
		b = t.UnixHeader(b)
		for s := range all {
			if s.Unix != nil && o.Shows(s) {
				b = t.UnixRow(b, s)
			}
		}
	}
	return b
}

// appendArray appends one JSON array of the sockets that o selects.
func appendArray(b []byte, o *options.Options, snap *sock.Snapshot) []byte {
	b = append(b, '[')
	first := true
	for s := range all(snap) {
		if !o.Shows(s) {
			continue
		}
		if !first {
			b = append(b, ",\n"...)
		}
		first = false
		b = render.AppendSocketJSON(b, s)
	}
	return append(b, "]\n"...)
}

// newTable is the layout that o asks for.
func newTable(o *options.Options, std streams) *render.Table {
	return &render.Table{
		All: o.All, Listening: o.Listening, Extend: o.Extend, Programs: o.Programs, Wide: o.Wide, Timers: o.Timers,
		Names: names(o, nil), Escape: std.outTTY,
	}
}

// names resolves what o does not want as numbers. With arrived, hosts are looked up in the background.
func names(o *options.Options, arrived func()) *resolve.Resolver {
	return resolve.New(resolve.Config{Arrived: arrived, Hosts: !o.NumericHosts, Ports: !o.NumericPorts, Users: !o.NumericUsers})
}
