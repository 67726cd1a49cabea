// SPDX-License-Identifier: GPL-2.0-or-later

package main

import (
	"context"
	"fmt"
	"os"
	"strings"

	"netlive/internal/iface"
	"netlive/internal/options"
	"netlive/internal/procfallback"
	"netlive/internal/render"
	"netlive/internal/resolve"
	"netlive/internal/sock"
)

// page is what netstat prints in one pass: its two streams and, when it is not 0, the code with which it ends.
type page struct {
	out, errs []byte
	// written is how much of out has been written already, and broken why it could not be.
	written int
	broken  error
	// notes are lines for stderr that netstat does not have: netlive called as netstat leaves them out.
	notes []byte
	code  int
}

// show writes what is in the page so far: what comes takes its time.
func (p *page) show(std streams) {
	if p.broken != nil || p.written == len(p.out) {
		return
	}
	_, p.broken = std.out.Write(p.out[p.written:])
	p.written = len(p.out)
}

// tell writes to stderr. A table is as good without it.
func (p *page) tell(std streams, text []byte) {
	if p.broken == nil && len(text) > 0 {
		_, _ = std.err.Write(text)
	}
}

// flush writes what is in the page and takes it out of it: no row may be half done.
func (p *page) flush(std streams) {
	p.tell(std, p.errs)
	p.errs = p.errs[:0]
	p.show(std)
	p.out, p.written = p.out[:0], 0
}

// printer makes pages for one command line.
type printer interface {
	print(ctx context.Context, p *page) error
}

// newPrinter is the printer of the mode that o asks for.
func newPrinter(o *options.Options, std streams, w words, pl *places) printer {
	proc := procfallback.New(os.DirFS("/proc"))
	switch o.Mode {
	case options.ModeStatistics:
		return &statistics{o: o, proc: proc, texts: w.texts}
	case options.ModeRoute:
		return &routes{o: o, proc: proc, render: render.Routes{
			Families: o.Families, Extend: o.Extend, FIB: o.FIB, Cache: o.Cache, Texts: w.texts, Escape: std.outTTY,
			// -N resolves nothing, in netstat too; all that it does is to make routes numeric.
			Names: resolve.New(resolve.Config{Hosts: !o.NumericHosts && !o.Symbolic}),
		}}
	case options.ModeInterfaces:
		return &interfaces{o: o, proc: proc, render: render.Interfaces{
			All: o.All, Extend: o.Extend, Texts: w.texts, Escape: std.outTTY, Strict: w.strict,
		}}
	case options.ModeMasquerade:
		return &masquerade{o: o, proc: proc, render: render.Masquerade{
			Extend: o.Extend, Names: names(o, resolve.Config{}), Texts: w.texts, Escape: std.outTTY,
		}}
	}
	sel := o.Select()
	s := &sockets{o: o, proc: proc, places: pl, chosen: newChosen(o, pl), words: w, page: &page{}, std: std}
	s.names = names(o, resolve.Config{Waiting: func() { s.page.show(std) }})
	s.layout = newTable(o, proc, s.names, std, w)
	s.layout.Places = pl.columns(o)
	s.groups = &render.Groups{
		IPv4: sel.Groups, IPv6: sel.Groups6, Unnamed: sel.Implied, Names: s.names, Texts: w.texts,
		Escape: std.outTTY, Strict: w.strict,
	}
	return s
}

// statistics prints netstat -s.
type statistics struct {
	o     *options.Options
	proc  *procfallback.Source
	texts render.Texts
}

func (s *statistics) print(ctx context.Context, p *page) error {
	named := s.o.NamedProtos.Any
	all := s.o.NamedProtos == 0
	stats := render.Statistics{
		Families: strings.Join(s.o.Families, ","),
		Texts:    s.texts,
		Raw:      all || named(sock.ProtosRaw),
		TCP:      all || named(sock.ProtosTCP),
		UDP:      all || named(sock.ProtosUDP),
		SCTP:     all || named(sock.ProtosSCTP),
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

func (r *routes) print(ctx context.Context, p *page) (err error) { return r.printFrom(ctx, p, r.proc) }

func (r *routes) printFrom(ctx context.Context, p *page, src render.RouteSource) (err error) {
	r.render.Warnings = nil
	if r.o.JSON {
		p.out, p.errs, p.code, err = r.render.AppendJSON(ctx, p.out, p.errs, src)
	} else {
		p.out, p.errs, p.code, err = r.render.Append(ctx, p.out, p.errs, src)
	}
	for _, w := range r.render.Warnings {
		p.notes = fmt.Appendf(p.notes, "netlive: %v\n", w)
	}
	return err
}

// interfaces prints netstat -i.
type interfaces struct {
	o      *options.Options
	proc   *procfallback.Source
	render render.Interfaces
}

func (i *interfaces) print(ctx context.Context, p *page) error {
	t, err := i.proc.Interfaces(ctx, i.o.Extend > 0 || i.o.JSON)
	if err != nil {
		return err
	}
	i.printFrom(p, &t)
	return nil
}

func (i *interfaces) printFrom(p *page, t *iface.Table) {
	if i.o.JSON {
		p.out, p.errs, p.code = i.render.AppendJSON(p.out, p.errs, t)
	} else {
		p.out, p.errs, p.code = i.render.Append(p.out, p.errs, t)
	}
	for _, w := range t.Warnings {
		p.notes = fmt.Appendf(p.notes, "netlive: %v\n", w)
	}
}

// masquerade prints netstat -M.
type masquerade struct {
	o      *options.Options
	proc   *procfallback.Source
	render render.Masquerade
}

func (m *masquerade) print(ctx context.Context, p *page) (err error) {
	m.render.Warnings = nil
	if m.o.JSON {
		p.out, p.errs, p.code, err = m.render.AppendJSON(ctx, p.out, p.errs, m.proc)
	} else {
		p.out, p.errs, p.code, err = m.render.Append(ctx, p.out, p.errs, m.proc)
	}
	for _, w := range m.render.Warnings {
		p.notes = fmt.Appendf(p.notes, "netlive: %v\n", w)
	}
	return err
}
