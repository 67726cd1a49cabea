// SPDX-License-Identifier: GPL-2.0-or-later

package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"

	"netlive/internal/legacy"
	"netlive/internal/options"
	"netlive/internal/procfallback"
	"netlive/internal/render"
	"netlive/internal/resolve"
	"netlive/internal/sock"
)

// sockets prints netstat's tables of sockets. It reads /proc, as netstat does: for a table printed once that is the
// quicker source until there are thousands of sockets. Then the kernel's iterators are (rows.go).
type sockets struct {
	std    streams
	o      *options.Options
	proc   *procfallback.Source
	places *places
	chosen *chosen
	names  *resolve.Resolver
	layout *render.Table
	words  words
	// page is the one that is being made.
	page *page
	// groups is kept from pass to pass: netstat's table of them changes.
	groups *render.Groups
}

// socketTable is the sockets of one file, or of two: that of IPv4 and that of IPv6.
type socketTable struct {
	v4, v6 sock.Proto
	name   string // what netstat calls a kernel without it
	sctp   string // endpoints and associations have files of their own
}

// inetTables are the tables of internet sockets in netstat's order.
var inetTables = []socketTable{
	{v4: sock.TCP, v6: sock.TCP6, name: "AF INET (tcp)"},
	{v4: sock.SCTP, v6: sock.SCTP6, name: "AF INET (sctp)", sctp: "eps"},
	{v4: sock.SCTP, v6: sock.SCTP6, name: "AF INET (sctp)", sctp: "assocs"},
	{v4: sock.UDP, v6: sock.UDP6, name: "AF INET (udp)"},
	{v4: sock.UDPLite, v6: sock.UDPLite6, name: "AF INET (udplite)"},
	{v4: sock.Raw, v6: sock.Raw6, name: "AF INET (raw)"},
}

var unixTable = socketTable{v4: sock.Unix, name: "AF UNIX"}

// file is the table's of a protocol, below /proc.
func (t *socketTable) file(p sock.Proto) string {
	if t.sctp != "" {
		return "net/" + p.String() + "/" + t.sctp
	}
	return "net/" + p.String()
}

// wanted reports whether o asks for the table's file at all: endpoints of SCTP are what listens.
func (t *socketTable) wanted(o *options.Options) bool {
	switch t.sctp {
	case "eps":
		return o.All || o.Listening
	case "assocs":
		return o.All || !o.Listening
	}
	return true
}

// wantsOwners reports whether a table has use for the owners of sockets.
func wantsOwners(o *options.Options) bool { return o.Programs || o.JSON || o.Unit || needsOwners(o) }

func (s *sockets) print(ctx context.Context, p *page) (err error) {
	want := sock.Want{Protos: s.o.Protos(), Owners: wantsOwners(s.o)}
	w := walk{sockets: s, page: p, ctx: ctx, sel: s.o.Select()}
	var held rowSource
	if rowByRow(s.o) {
		if held, err = s.openRows(ctx, &want); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, held.close()) }()
		w.source = &held
	}
	snap, err := s.places.snapshot(ctx, s.proc, want)
	if err != nil {
		return err
	}
	if w.source != nil {
		snap.OwnersFound, snap.OwnersDenied = held.found, held.denied
		for i := range snap.Sockets {
			held.named(&snap.Sockets[i])
		}
	}
	w.snap = &snap
	s.page = p
	if !s.o.JSON {
		s.askAhead(&snap)
	}
	if (s.o.Programs && !s.o.JSON || needsOwners(s.o)) && (w.sel.Inet || w.sel.Unix) {
		p.errs = s.words.appendOwners(p.errs, &snap)
	}
	if s.o.JSON {
		p.out = append(p.out, '[')
		defer func() { p.out = append(p.out, "]\n"...) }()
	}
	p.code, err = w.all()
	return errors.Join(err, w.err)
}

// askAhead has the names of hosts looked up that the rows will want.
func (s *sockets) askAhead(snap *sock.Snapshot) {
	for i := range snap.Sockets {
		if row := &snap.Sockets[i]; row.Unix == nil && row.SCTP == nil && s.chosen.shows(row) {
			s.names.Ahead(row.Local.Addr())
			s.names.Ahead(row.Remote.Addr())
		}
	}
}

// walk is one pass over the tables.
type walk struct {
	*sockets
	*page
	ctx    context.Context
	snap   *sock.Snapshot
	source *rowSource // of what is not in snap; nil: all is there
	sel    options.Selection
	err    error // why the sockets could not be read to their end
}

// all prints the tables in turn. The first that fails is the last, and its code netstat's. The error is the context's.
func (w *walk) all() (code int, err error) {
	if w.sel.Inet && !w.o.JSON {
		w.out = w.layout.InetHeader(w.out)
	}
	for i := range inetTables {
		if code := w.table(&inetTables[i]); code != 0 {
			return code, nil
		}
	}
	if w.o.Groups {
		if code, err := w.multicast(); code != 0 || err != nil {
			return code, err
		}
	}
	if w.sel.Unix {
		if !w.o.JSON {
			w.out = w.layout.UnixHeader(w.out)
		}
		if code := w.table(&unixTable); code != 0 {
			return code, nil
		}
	}
	for f := legacy.IPX; f <= legacy.ROSE; f++ {
		if !slices.Contains(w.sel.Others, f.String()) || !w.o.Filter.All() { // of which filters know nothing
			continue
		}
		if code, err := w.legacy(f); code != 0 || err != nil {
			return code, err
		}
	}
	if w.sel.Explicit && slices.Contains(w.sel.Others, "bluetooth") {
		// Distributions' netstat is made without it, and so is netlive.
		w.errs = w.words.appendNoFeature(w.errs, "AF BLUETOOTH")
		return exitFailure, nil
	}
	return 0, nil
}

// multicast prints the groups.
func (w *walk) multicast() (code int, err error) {
	if w.o.JSON {
		w.out, w.errs, code, err = w.groups.AppendJSON(w.ctx, w.out, w.errs, w.proc)
	} else {
		w.out, w.errs, code, err = w.groups.Append(w.ctx, w.out, w.errs, w.proc)
	}
	return code, err
}

// legacyNames are what netstat calls kernels without the families.
var legacyNames = map[legacy.Family]string{
	legacy.IPX: "AF IPX", legacy.AX25: "AF AX25", legacy.X25: "AF X25", legacy.NetROM: "AF NETROM", legacy.ROSE: "AF ROSE",
}

// legacy prints the sockets of a family of the old days.
func (w *walk) legacy(f legacy.Family) (code int, err error) {
	l := render.Legacy{
		All: w.o.All, Extend: w.o.Extend, Names: w.layout.Names, Texts: w.words.texts,
		Escape: w.layout.Escape, Strict: w.words.strict,
	}
	if w.o.JSON {
		w.out, w.errs, code, err = l.AppendJSON(w.ctx, w.out, w.errs, f, w.proc)
	} else {
		w.out, w.errs, code, err = l.Append(w.ctx, w.out, w.errs, f, w.proc)
	}
	for _, warning := range l.Warnings {
		w.notes = fmt.Appendf(w.notes, "netlive: %v\n", warning)
	}
	if errors.Is(err, fs.ErrNotExist) {
		return w.absent(legacyNames[f]), nil
	}
	return code, err
}

// table prints the sockets of a table that are asked for. The file of IPv4 stands for the protocol: that of IPv6 is not
// missed, and shown before the end that a missing one of IPv4 is.
func (w *walk) table(t *socketTable) (code int) {
	if !t.wanted(w.o) {
		return 0
	}
	w.rows(t, t.v4)
	if code = w.missed(t); code != exitBroken && t.v6 != sock.ProtoNone {
		w.rows(t, t.v6)
	}
	return code
}

// rows prints the sockets of a protocol, and what was wrong with its file.
func (w *walk) rows(t *socketTable, proto sock.Proto) {
	if w.source != nil && t.sctp == "" {
		w.source.print(w, t, proto)
		return
	}
	rows := w.snap.Sockets
	// A snapshot has them protocol by protocol.
	begin, _ := slices.BinarySearchFunc(rows, proto, func(s sock.Socket, p sock.Proto) int { return int(s.Proto) - int(p) })
	for i := begin; i < len(rows) && rows[i].Proto == proto; i++ {
		row := &rows[i]
		switch {
		case !w.chosen.shows(row), row.SCTP != nil && row.SCTP.Endpoint != (t.sctp == "eps"):
		case w.o.JSON:
			w.out = w.layout.SocketJSON(render.AppendComma(w.out), row)
		default:
			w.out = appendRow(w.out, w.layout, row)
		}
	}
	w.errs = w.words.appendBadLines(w.errs, w.snap.Warnings, t.file(proto))
}

// missed applies netstat's rules to a table whose file could not be opened.
func (w *walk) missed(t *socketTable) (code int) {
	for _, u := range w.snap.Unopened {
		if u.File == t.file(t.v4) {
			return w.unopened(t, u.Err)
		}
	}
	return 0
}

// unopened is what netstat says of a table that could not be opened, and the code with which it ends: 0 is none. One
// that is not there, or not for us to read, is nobody's matter when its protocol follows from a family.
func (w *walk) unopened(t *socketTable, err error) (code int) {
	switch {
	case !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, fs.ErrPermission):
		w.errs = w.words.texts.AppendPerror(w.errs, "/proc/"+t.file(t.v4), err)
		return exitBroken
	case w.sel.Implied:
		return 0
	}
	return w.absent(t.name)
}

// absent says that the kernel has no such table if that was asked for by name, which is then the end, or with -v.
func (w *walk) absent(name string) (code int) {
	if w.sel.Explicit || w.o.Verbose {
		w.errs = w.words.texts.AppendUnsupported(w.errs, name)
	}
	if w.sel.Explicit {
		return exitFailure
	}
	return 0
}

// appendRow appends the row of a socket.
func appendRow(b []byte, t *render.Table, s *sock.Socket) []byte {
	switch {
	case s.Unix != nil:
		return t.UnixRow(b, s)
	case s.SCTP != nil:
		return t.SCTPRow(b, s)
	}
	return t.InetRow(b, s)
}

// appendTables appends the tables of internet and UNIX sockets, with those that o selects, in their order.
func appendTables(b []byte, t *render.Table, o *options.Options, all func(do func(*sock.Socket))) []byte {
	sel := o.Select()
	if sel.Inet {
		b = t.InetHeader(b)
	}
	unix := false
	all(func(s *sock.Socket) {
		if s.Unix != nil && !unix {
			unix = true
			b = t.UnixHeader(b)
		}
		if o.Shows(s) {
			b = appendRow(b, t, s)
		}
	})
	if sel.Unix && !unix {
		b = t.UnixHeader(b)
	}
	return b
}

// newTable is the layout that o asks for.
func newTable(o *options.Options, proc *procfallback.Source, names render.Names, std streams, w words) *render.Table {
	t := &render.Table{
		All: o.All, Listening: o.Listening, Extend: o.Extend, Programs: o.Programs, Wide: o.Wide, Timers: o.Timers,
		Names: names, Texts: w.texts, DecimalPoint: w.point, Escape: std.outTTY,
	}
	if o.Context {
		t.Context = proc.Context
	}
	if o.NumericPorts || o.NumericUsers || o.Symbolic {
		t.SCTPNames = render.Numeric{} // to netstat any of these makes the hosts of SCTP numbers
	}
	return t
}

// names resolves what o does not want as numbers, in the way of c.
func names(o *options.Options, c resolve.Config) *resolve.Resolver {
	c.Hosts, c.Ports, c.Users = !o.NumericHosts, !o.NumericPorts, !o.NumericUsers
	return resolve.New(c)
}
