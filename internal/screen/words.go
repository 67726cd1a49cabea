// SPDX-License-Identifier: GPL-2.0-or-later

package screen

import (
	"strings"

	"github.com/charmbracelet/x/ansi"

	"netlive/internal/render"
	"netlive/internal/sock"
)

// Words turn what a socket has into texts. A set of them belongs to one goroutine.
type Words struct {
	// Names turns numbers into names.
	Names render.Names
	// Program gives the name netstat has for a process that the kernel calls comm; nil shows comm.
	Program func(o *sock.Owner) string
	// Space names a network namespace by its inode number, and Unit a socket's container or systemd unit; "" is not known. Nil is no such column.
	Space func(inode uint32) string
	Unit  func(s *sock.Socket) string
}

// programWidth is where netstat cuts PID/NAME.
const programWidth = 19

// name is what the program of an owner is called, safe to print; "-" when it is not known.
func (w *Words) name(o *sock.Owner) string {
	if !o.Known() {
		return "-"
	}
	name := o.Program
	if name == "" && w.Program != nil {
		name = w.Program(o)
	}
	if name == "" {
		name = o.Comm.String()
	}
	return safe(name)
}

// program is an owner as netstat prints it: PID/NAME, no more of it than netstat prints.
func (w *Words) program(o *sock.Owner) string {
	if !o.Known() {
		return "-"
	}
	return strings.TrimRight(ansi.Truncate(string(appendUint(nil, uint64(o.PID)))+"/"+w.name(o), programWidth, ""), " ")
}

// safe is a text that strangers may have chosen, such that it does nothing to a terminal.
func safe(text string) string { return string(render.AppendEscaped(nil, text)) }

// known is a name that strangers give, or "-".
func known(name string) string {
	if name == "" {
		return "-"
	}
	return safe(name)
}

// ends are the texts of both ends.
func (w *Words) ends(s *sock.Socket) (local, remote string) {
	if s.Unix != nil {
		return safe(s.Unix.Path), s.Unix.Type.String()
	}
	return string(render.AppendEndpoint(nil, w.Names, s.Proto, s.Local)), string(render.AppendEndpoint(nil, w.Names, s.Proto, s.Remote))
}
