// SPDX-License-Identifier: GPL-2.0-or-later

package render

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math/bits"
	"strings"

	"netlive/internal/legacy"
)

// Legacy is net-tools 2.10's lists of sockets of the protocols in package legacy, byte for byte where it says anything of
// use: not so in what Strict is for.
type Legacy struct {
	All    bool // of X.25 those without a logical channel too
	Extend int  // more than 0 adds IPX's user
	Names  Names
	Texts  Texts
	// Escape makes what strangers named safe for a terminal, where netstat would let it through.
	Escape bool
	// Strict repeats netstat's faults too: IPX's ports with their bytes swapped, X.25's source without its tenth digit,
	// ROSE's names overwritten by one another, and its sockets not understood whose channel has a letter in hex.
	Strict bool

	// Warnings are about lines that Append or AppendJSON could not use. netstat has none. They add up from family to
	// family.
	Warnings []error
}

// LegacySource is where these sockets come from. A file that cannot be opened is an *fs.PathError with Op "open".
type LegacySource interface {
	IPXSockets(ctx context.Context) (legacy.List[legacy.IPXSocket], error)
	AX25Sockets(ctx context.Context) (legacy.AX25List, error)
	X25Sockets(ctx context.Context) (legacy.List[legacy.X25Socket], error)
	NetROMSockets(ctx context.Context) (legacy.List[legacy.NetROMSocket], error)
	ROSESockets(ctx context.Context) (legacy.List[legacy.ROSESocket], error)
}

const (
	headIPXSockets    = "Active IPX sockets\nProto Recv-Q Send-Q Local Address              Foreign Address            State"
	headIPXUser       = " User"
	titleAX25Sockets  = "Active AX.25 sockets\n"
	headAX25Sockets   = "Dest       Source     Device  State        Vr/Vs    Send-Q  Recv-Q\n"
	titleX25Sockets   = "Active X.25 sockets\n"
	headX25Sockets    = "Dest         Source          Device  LCI  State        Vr/Vs  Send-Q  Recv-Q\n"
	titleNetROM       = "Active NET/ROM sockets\n"
	headNetROMSockets = "User       Dest       Source     Device  State        Vr/Vs    Send-Q  Recv-Q\n"
	titleROSESockets  = "Active ROSE sockets\n"
	headROSESockets   = "dest_addr   dest_call  src_addr    src_call  dev   lci neigh   state\n"

	problemReading    = "Problem reading data from %s\n"
	problemReadingNew = "problem reading data from %s\n" // of AX.25's later format
)

// Append appends to out what netstat prints on stdout of the sockets of a family, and to errs what it prints on stderr. If
// the kernel lacks the family it appends nothing, and the error is an fs.ErrNotExist: what netstat says to that depends on
// what else is asked for. Other than that the error is ctx's.
func (l *Legacy) Append(ctx context.Context, out, errs []byte, f legacy.Family, src LegacySource) (_, _ []byte, exitCode int, err error) {
	p := legacyPrinter{Legacy: l, ctx: ctx, out: out, errs: errs}
	exitCode, err = p.family(f, src)
	return p.out, p.errs, exitCode, err
}

// AppendJSON appends to out the sockets that Append would print, each as one JSON object and parted by commas, from an
// object that out ends with too. To errs it appends what ails them.
func (l *Legacy) AppendJSON(ctx context.Context, out, errs []byte, f legacy.Family, src LegacySource) (_, _ []byte, exitCode int, err error) {
	p := legacyPrinter{Legacy: l, ctx: ctx, out: out, errs: errs, json: true}
	exitCode, err = p.family(f, src)
	return p.out, p.errs, exitCode, err
}

// legacyPrinter is one run of Append or AppendJSON.
type legacyPrinter struct {
	*Legacy
	ctx       context.Context
	out, errs []byte
	json      bool
}

func (p *legacyPrinter) family(f legacy.Family, src LegacySource) (exitCode int, err error) {
	switch f {
	case legacy.IPX:
		l, err := src.IPXSockets(p.ctx)
		return printLegacy(p, err, &legacyTable[legacy.IPXSocket]{
			list: l, file: "/proc/net/ipx/socket", head: p.ipxHead, row: p.ipx, json: appendIPXJSON})
	case legacy.AX25:
		l, err := src.AX25Sockets(p.ctx)
		t := legacyTable[legacy.AX25Socket]{
			list: l.List, file: "/proc/net/ax25", problem: problemReadingNew,
			head: p.heads(titleAX25Sockets, headAX25Sockets), row: p.ax25, json: appendAX25JSON}
		if l.Old {
			t.problem = problemReading
		}
		return printLegacy(p, err, &t)
	case legacy.X25:
		l, err := src.X25Sockets(p.ctx)
		return printLegacy(p, err, &legacyTable[legacy.X25Socket]{
			list: l, file: "/proc/net/x25", hidden: p.x25Hidden,
			head: p.heads(titleX25Sockets, headX25Sockets), row: p.x25, json: appendX25JSON})
	case legacy.NetROM:
		l, err := src.NetROMSockets(p.ctx)
		return printLegacy(p, err, &legacyTable[legacy.NetROMSocket]{
			list: l, file: "/proc/net/nr", problem: problemReading,
			head: p.heads(titleNetROM, headNetROMSockets), row: p.netrom, json: appendNetROMJSON})
	case legacy.ROSE:
		l, err := src.ROSESockets(p.ctx)
		return printLegacy(p, err, &legacyTable[legacy.ROSESocket]{
			list: l, file: "/proc/net/rose", problem: problemReading, refused: p.roseRefused,
			head: p.heads(titleROSESockets, headROSESockets), row: p.rose, json: appendROSEJSON})
	}
	return 0, p.ctx.Err()
}

// legacyTable is a list and how it is printed.
type legacyTable[T any] struct {
	list    legacy.List[T]
	file    string
	problem string // what is said of a bad line; "" if netstat gives up there
	head    func()
	row     func(*T)
	json    func([]byte, *T) []byte
	// hidden tells a socket that is not asked for, and refused one that netstat takes for a bad line. nil is none.
	hidden, refused func(*T) bool
}

func printLegacy[T any](p *legacyPrinter, err error, t *legacyTable[T]) (exitCode int, _ error) {
	switch {
	case p.ctx.Err() != nil:
		return 0, p.ctx.Err()
	case notOpened(err) && errors.Is(err, fs.ErrNotExist):
		return 0, err
	case notOpened(err):
		p.errs = p.Texts.AppendPerror(p.errs, t.file, err)
		return exitBroken, nil
	}
	// What opens and cannot be read, such as a directory, netstat takes for empty.
	p.Warnings = append(p.Warnings, t.list.Warnings...)
	if !p.json {
		t.head()
	}
	for i := range t.list.Rows {
		r := &t.list.Rows[i]
		switch s := &r.Socket; {
		case r.Bad != "" && t.problem == "":
			p.giveUp(r.Bad)
			return exitBroken, nil
		case r.Bad != "" || t.refused != nil && t.refused(s):
			p.complain(t.problem, t.file)
		case t.hidden != nil && t.hidden(s):
		case p.json:
			p.out = t.json(AppendComma(p.out), s)
		default:
			t.row(s)
		}
	}
	return 0, nil
}

// giveUp says why the rest of IPX's sockets is not read.
func (p *legacyPrinter) giveUp(bad string) {
	text := strings.Replace(p.Texts.Text("%s: Internal Error `%s'.\n"), "%s", "netstat.c", 1)
	p.errs = append(p.errs, strings.Replace(text, "%s", "ipx socket format error in "+bad, 1)...)
}

// complain says that a line is bad, in its place.
func (p *legacyPrinter) complain(problem, file string) {
	text := strings.Replace(p.Texts.Text(problem), "%s", file, 1)
	if p.json {
		p.errs = append(p.errs, text...)
	} else {
		p.out = append(p.out, text...)
	}
}

func (p *legacyPrinter) heads(title, head string) func() {
	return func() { p.out = append(append(p.out, p.Texts.Text(title)...), p.Texts.Text(head)...) }
}

func (p *legacyPrinter) ipxHead() {
	p.out = append(p.out, p.Texts.Text(headIPXSockets)...)
	if p.Extend > 0 {
		p.out = append(p.out, p.Texts.Text(headIPXUser)...)
	}
	p.out = append(p.out, '\n')
}

// ipx appends a row. netstat has the queues under each other's head.
func (p *legacyPrinter) ipx(s *legacy.IPXSocket) {
	remote := "-"
	if s.Connected {
		remote = p.ipxEnd(&s.Remote)
	}
	state := p.Texts.Text("UNK.")
	switch s.State {
	case legacy.IPXEstablished:
		state = p.Texts.Text("ESTAB")
	case legacy.IPXClosed:
		state = ""
	}
	p.out = fmt.Appendf(p.out, "IPX   %6d %6d %-26s %-26s ", s.TxQueue, s.RxQueue, p.ipxEnd(&s.Local), remote)
	at := len(p.out)
	p.out = padTo(append(p.out, state...), at, 5)
	if p.Extend > 0 {
		p.out = append(p.out, ' ')
		at = len(p.out)
		p.out = padTo(escapeFrom(p.Names.AppendUser(p.out, s.UID), at, p.Escape), at, 10)
	}
	p.out = append(p.out, '\n')
}

// ipxEnd is NETWORK:NODE:PORT as far as netstat has it: without a network there is no node either.
func (p *legacyPrinter) ipxEnd(a *legacy.IPXAddr) string {
	port := a.Port
	if p.Strict {
		// It takes the number, which the kernel wrote for people, for one in network order.
		port = bits.ReverseBytes16(port)
	}
	end := ipxNetwork(a.Network)
	if node := ipxNode(a.Node); end != "" && node != "" {
		end += ":" + node
	}
	return fmt.Sprintf("%s:%04X", end, port)
}
