// SPDX-License-Identifier: GPL-2.0-or-later

package main

import (
	"context"
	"fmt"
	"os"
	"strings"

	"netlive/internal/options"
	"netlive/internal/procfallback"
	"netlive/internal/render"
	"netlive/internal/resolve"
	"netlive/internal/sock"
)

// page is what netstat prints in one pass: its two streams and, when it is not 0, the code with which it ends.
type page struct {
	out, errs []byte
	// notes are lines for stderr that netstat does not have: netlive called as netstat leaves them out.
	notes []byte
	code  int
}

// printer makes pages for one command line.
type printer interface {
	print(ctx context.Context, p *page) error
}

// newPrinter is the printer of the mode that o asks for.
func newPrinter(o *options.Options, std streams) printer {
	proc := procfallback.New(os.DirFS("/proc"))
	switch o.Mode {
	case options.ModeStatistics:
		return &statistics{o: o, proc: proc}
	case options.ModeRoute:
		return &routes{o: o, proc: proc, render: render.Routes{
			Families: o.Families, Extend: o.Extend, FIB: o.FIB, Cache: o.Cache, Escape: std.outTTY,
			// -N resolves nothing, in netstat too; all that it does is to make routes numeric.
			Names: resolve.New(resolve.Config{Hosts: !o.NumericHosts && !o.Symbolic}),
		}}
	}
	return &sockets{o: o, proc: proc, table: newTable(o, std)}
}

// statistics prints netstat -s.
type statistics struct {
	o    *options.Options
	proc *procfallback.Source
}

func (s *statistics) print(ctx context.Context, p *page) error {
	named := func(set sock.ProtoSet) bool { return s.o.NamedProtos.Any(set) }
	all := s.o.NamedProtos == 0 && !s.o.SCTP
	stats := render.Statistics{
		Families: strings.Join(s.o.Families, ","),
		Raw:      all || named(sock.ProtosRaw),
		TCP:      all || named(sock.ProtosTCP),
		UDP:      all || named(sock.ProtosUDP),
		SCTP:     all || s.o.SCTP,
	}
	files, err := s.proc.Counters(ctx, stats.Wants())
	if err != nil {
		return err
	}
	if s.o.JSON {
		p.out = append(render.AppendReportJSON(p.out, stats.Report(&files)), '\n')
		return nil
	}
	p.out, p.errs, p.code = stats.Append(p.out, p.errs, &files)
	return nil
}

// routes prints netstat -r.
type routes struct {
	o      *options.Options
	proc   *procfallback.Source
	render render.Routes
}

func (r *routes) print(ctx context.Context, p *page) (err error) {
	r.render.Warnings = nil
	if r.o.JSON {
		p.out, p.errs, p.code, err = r.render.AppendJSON(ctx, p.out, p.errs, r.proc)
	} else {
		p.out, p.errs, p.code, err = r.render.Append(ctx, p.out, p.errs, r.proc)
	}
	for _, w := range r.render.Warnings {
		p.notes = fmt.Appendf(p.notes, "netlive: %v\n", w)
	}
	return err
}
