// SPDX-License-Identifier: GPL-2.0-or-later

package main

import (
	"bufio"
	"context"
	"fmt"
	"iter"
	"os"
	"time"

	"netlive/internal/options"
	"netlive/internal/procfallback"
	"netlive/internal/render"
	"netlive/internal/resolve"
	"netlive/internal/sock"
)

// runTables prints netstat's tables: once, or each second with -c.
func runTables(o *options.Options, std streams) error {
	// /proc, as netstat reads: for a table printed once it is the quicker source until there are thousands of sockets.
	src := procfallback.New(os.DirFS("/proc"))
	defer src.Close()
	out := bufio.NewWriterSize(std.out, 64<<10)
	t := newTable(o, std)
	for {
		snap, err := src.Snapshot(context.Background(), sock.Want{Protos: o.Protos(), Owners: o.Programs || o.JSON})
		if err != nil {
			return err
		}
		for _, w := range snap.Warnings {
			fmt.Fprintf(std.err, "netlive: %v\n", w)
		}
		if o.Programs && !o.JSON {
			warnOwners(&snap, std)
		}
		var b []byte
		if o.JSON {
			b = appendArray(b, o, &snap)
		} else {
			b = appendTables(b, t, o, sockets(&snap))
		}
		if _, err := out.Write(b); err != nil {
			return err
		}
		if err := out.Flush(); err != nil {
			return err
		}
		if !o.Continuous {
			return nil
		}
		time.Sleep(time.Second)
	}
}

// warnOwners says in netstat's words that owners are missing.
func warnOwners(snap *sock.Snapshot, std streams) {
	switch {
	case !snap.OwnersDenied:
	case snap.OwnersFound:
		fmt.Fprint(std.err, "(Not all processes could be identified, non-owned process info\n"+
			" will not be shown, you would have to be root to see it all.)\n")
	default:
		fmt.Fprintf(std.err, "(No info could be read for \"-p\": geteuid()=%d but you should be root.)\n", os.Geteuid())
	}
}

func sockets(snap *sock.Snapshot) iter.Seq[*sock.Socket] {
	return func(yield func(*sock.Socket) bool) {
		for i := range snap.Sockets {
			if !yield(&snap.Sockets[i]) {
				return
			}
		}
	}
}

// appendTables appends the tables that o asks for, with the sockets that it selects, in their order.
func appendTables(b []byte, t *render.Table, o *options.Options, all iter.Seq[*sock.Socket]) []byte {
	if o.ShowsInet() {
		b = t.InetHeader(b)
		for s := range all {
			if s.Unix == nil && o.Shows(s) {
				b = t.InetRow(b, s)
			}
		}
	}
	if o.ShowsUnix() {
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
	for s := range sockets(snap) {
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
		All: o.All, Listening: o.Listening, Extend: o.Extend, Programs: o.Programs, Wide: o.Wide,
		Names: names(o, nil), Escape: std.outTTY,
	}
}

// names resolves what o does not want as numbers. With arrived, hosts are looked up in the background.
func names(o *options.Options, arrived func()) render.Names {
	return resolve.New(resolve.Config{Arrived: arrived, Hosts: !o.NumericHosts, Ports: !o.NumericPorts, Users: !o.NumericUsers})
}
