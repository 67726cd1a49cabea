// SPDX-License-Identifier: GPL-2.0-or-later

package render

import (
	"strconv"
	"strings"

	"netlive/internal/sock"
)

// Table writes net-tools 2.10's socket tables, byte for byte, trailing blanks included. Widths
// are minimal and in bytes; nothing is cut but addresses and programs, and those by netstat's rules.
type Table struct {
	All, Listening bool // for the titles
	Extend         int  // more than 0 adds user and inode
	Programs       bool
	Wide           bool // do not cut addresses
	Timers         bool
	Names          Names
	SCTPNames      Names // for the hosts of SCTP's rows; nil is Names
	// Context gives the SELinux context of a process for a column of its own, "" when it is not known. nil is no column.
	Context func(pid uint32) string
	// Places are columns that netstat does not have.
	Places *Places
	Texts  Texts
	// DecimalPoint parts the seconds of timers; "" is a point.
	DecimalPoint string
	// Escape makes what strangers named safe for a terminal, where netstat would let it through.
	Escape bool

	host, port []byte // one end at a time
}

func (t *Table) which() string {
	switch {
	case t.All:
		return "(servers and established)"
	case t.Listening:
		return "(only servers)"
	}
	return "(w/o servers)"
}

// appendTitle appends a title with which sockets the table has.
func (t *Table) appendTitle(b []byte, title string) []byte {
	b = append(b, t.Texts.Text(title)...)
	return append(append(b, t.Texts.Text(t.which())...), '\n')
}

// InetHeader appends the title and the column heads of the internet table.
func (t *Table) InetHeader(b []byte) []byte {
	b = t.appendTitle(b, "Active Internet connections ")
	b = append(b, t.Texts.Text("Proto Recv-Q Send-Q Local Address           Foreign Address         State      ")...)
	if t.Extend > 0 {
		b = append(b, t.Texts.Text(" User       Inode     ")...)
	}
	if t.Programs {
		b = append(b, programHead...)
	}
	b = t.Places.appendHeads(t.appendContextHead(b), "Netns", "Unit")
	if t.Timers {
		b = append(b, t.Texts.Text(" Timer")...)
	}
	return append(b, '\n')
}

// programHead is the same in all languages.
const programHead = " PID/Program name    "

// protoColumn is netstat's first column; UDP-Lite has a short name of its own there, and SCTP but one.
func protoColumn(p sock.Proto) string {
	switch p {
	case sock.UDPLite:
		return "udpl"
	case sock.UDPLite6:
		return "udpl6"
	case sock.SCTP6:
		return "sctp"
	}
	return p.String()
}

// InetRow appends the row of a TCP, UDP or raw socket.
func (t *Table) InetRow(b []byte, s *sock.Socket) []byte {
	at := len(b)
	b = padTo(append(b, protoColumn(s.Proto)...), at, 6)
	b = append(appendRight(b, uint64(s.Queue.Recv), 6), ' ')
	b = append(appendRight(b, uint64(s.Queue.Send), 6), ' ')
	at = len(b)
	b = append(padTo(t.appendEnd(b, s, false), at, 23), ' ')
	at = len(b)
	b = append(padTo(t.appendEnd(b, s, true), at, 23), ' ')
	at = len(b)
	return t.appendTail(padTo(t.appendState(b, s), at, 11), s)
}

// appendTail appends the columns that options add, and the end of the row.
func (t *Table) appendTail(b []byte, s *sock.Socket) []byte {
	if t.Extend > 0 {
		b = append(b, ' ')
		at := len(b)
		b = append(padTo(escapeFrom(t.Names.AppendUser(b, s.UID), at, t.Escape), at, 10), ' ')
		at = len(b)
		b = padTo(strconv.AppendUint(b, uint64(s.Inode), 10), at, 10)
	}
	if t.Programs {
		b = t.appendProgram(b, &s.Owner)
	}
	b = t.Places.appendColumns(t.appendContext(b, &s.Owner), s, t.Escape)
	if t.Timers {
		b = append(b, ' ')
		if s.SCTP == nil {
			b = t.appendTimer(b, s)
		}
	}
	return append(b, '\n')
}

// appendState appends the state by netstat's rules: of UDP it knows two, of raw sockets the number alone.
func (t *Table) appendState(b []byte, s *sock.Socket) []byte {
	switch {
	case sock.ProtosRaw.Has(s.Proto):
		return strconv.AppendUint(b, uint64(s.State), 10)
	case sock.ProtosTCP.Has(s.Proto) && s.State == sock.StateNone:
		return append(b, t.Texts.unnamed()...)
	case sock.ProtosTCP.Has(s.Proto), s.State == sock.Established:
		return append(b, t.Texts.Text(s.State.String())...)
	case s.State == sock.Close:
		return b
	}
	return append(b, t.Texts.Text("UNKNOWN")...)
}

// The address column has 23 bytes: 22 and the colon.
const (
	endMax  = 22
	portMax = 18
)

// appendEnd appends one end. Where both do not fit, the port keeps up to 18 bytes of the 22 and the
// address is cut to the rest, silently, as netstat cuts it.
func (t *Table) appendEnd(b []byte, s *sock.Socket, remote bool) []byte {
	end := s.Local
	if remote {
		end = s.Remote
	}
	t.host = t.Names.AppendHost(t.host[:0], end.Addr())
	t.port = appendPort(t.port[:0], t.Names, s.Proto, end.Port())
	host, port := t.host, t.port
	if !t.Wide && len(host)+len(port) > endMax {
		port = port[:min(len(port), portMax)]
		host = host[:min(len(host), endMax-len(port))]
	}
	b = appendName(b, host, t.Escape)
	return appendName(append(b, ':'), port, t.Escape)
}

// programMax is where netstat cuts PID/NAME.
const programMax = 19

func (t *Table) appendProgram(b []byte, o *sock.Owner) []byte {
	b = append(b, ' ')
	at := len(b)
	if !o.Known() {
		return padTo(append(b, '-'), at, 20)
	}
	t.host = append(strconv.AppendUint(t.host[:0], uint64(o.PID), 10), '/')
	if o.Program != "" || o.How == sock.HowProcfs {
		t.host = append(t.host, o.Program...)
	} else {
		t.host = append(t.host, o.Comm.Bytes()...)
	}
	return padTo(appendName(b, t.host[:min(len(t.host), programMax)], t.Escape), at, 20)
}

// The column of contexts has 50 bytes; of a context that has as many or more netstat keeps the last 48.
const (
	contextWidth = 50
	contextKept  = 48
)

func (t *Table) appendContextHead(b []byte) []byte {
	if t.Context == nil {
		return b
	}
	at := len(b)
	return padTo(append(b, " Security Context"...), at, contextWidth)
}

func (t *Table) appendContext(b []byte, o *sock.Owner) []byte {
	if t.Context == nil {
		return b
	}
	context := ""
	if o.Known() {
		context = t.Context(o.PID)
	}
	if context == "" {
		context = "-"
	}
	if len(context) >= contextWidth {
		context = context[len(context)-contextKept:]
	}
	b = append(b, ' ')
	at := len(b)
	t.host = append(t.host[:0], context...)
	return padTo(appendName(b, t.host, t.Escape), at, contextWidth)
}

// UnixHeader appends the title and the column heads of the table of UNIX sockets.
func (t *Table) UnixHeader(b []byte) []byte {
	b = t.appendTitle(b, "Active UNIX domain sockets ")
	b = append(b, t.Texts.Text("Proto RefCnt Flags       Type       State         I-Node  ")...)
	if t.Programs {
		b = append(b, programHead...)
	}
	b = t.Places.appendHeads(t.appendContextHead(b), "Netns", "Unit")
	return append(b, t.Texts.Text(" Path\n")...)
}

// UnixRow appends the row of a UNIX socket.
func (t *Table) UnixRow(b []byte, s *sock.Socket) []byte {
	b = append(b, "unix  "...)
	at := len(b)
	b = append(padTo(strconv.AppendUint(b, uint64(s.Unix.RefCnt), 10), at, 6), ' ')
	at = len(b)
	b = append(b, "[ "...)
	// __SO_ACCEPTCON, __SO_WAITDATA and __SO_NOSPACE of old kernels.
	for i, name := range [...]string{"ACC ", "W ", "N "} {
		if s.Unix.Flags&(sock.SOAcceptCon<<i) != 0 {
			b = append(b, name...)
		}
	}
	b = append(padTo(append(b, ']'), at, 11), ' ')
	at = len(b)
	b = append(padTo(append(b, t.Texts.Text(s.Unix.Type.String())...), at, 10), ' ')
	at = len(b)
	b = append(padTo(append(b, t.Texts.Text(s.State.String())...), at, 13), ' ')
	at = len(b)
	b = padTo(strconv.AppendUint(b, uint64(s.Inode), 10), at, 8)
	if t.Programs {
		b = t.appendProgram(b, &s.Owner)
	}
	b = append(t.Places.appendColumns(t.appendContext(b, &s.Owner), s, t.Escape), ' ')
	t.host = append(t.host[:0], pathColumn(s.Unix.Path)...)
	return append(appendName(b, t.host, t.Escape), '\n')
}

// pathColumn is what netstat's scanf leaves of a path: the first word of its first line.
func pathColumn(path string) string {
	if end := strings.IndexByte(path, '\n'); end >= 0 {
		path = path[:end]
	}
	const blanks = " \t\v\f\r"
	path = strings.TrimLeft(path, blanks)
	if end := strings.IndexAny(path, blanks); end >= 0 {
		path = path[:end]
	}
	return path
}
