// SPDX-License-Identifier: GPL-2.0-or-later

package main

import (
	"os"

	"netlive/internal/procfallback"
	"netlive/internal/sock"
)

// programs remembers what netstat calls a process, argv[0], for processes that the kernel told of
// by their comm. It asks /proc once for each and only about rows that are on the screen.
type programs struct {
	proc  *procfallback.Source
	known map[programKey]string
}

// programKey is a PID with the comm it had: when either changes it is asked about anew.
type programKey struct {
	pid  uint32
	comm sock.Comm
}

// programsMax bounds what is remembered; then all of it is forgotten. A filter asks for each process that holds a socket, and again for
// each frame.
const programsMax = 1 << 16

func newPrograms() *programs {
	return &programs{proc: procfallback.New(os.DirFS("/proc")), known: map[programKey]string{}}
}

// name is argv[0] as netstat prints it, or comm for a process that has gone.
func (p *programs) name(o *sock.Owner) string {
	if name := p.argv(o); name != "" {
		return name
	}
	return o.Comm.String()
}

// argv is argv[0] as netstat prints it, "" for a process that has gone, or has none.
func (p *programs) argv(o *sock.Owner) string {
	key := programKey{o.PID, o.Comm}
	name, ok := p.known[key]
	if ok {
		return name
	}
	name, _ = p.proc.Program(o.PID)
	if len(p.known) >= programsMax {
		clear(p.known)
	}
	p.known[key] = name
	return name
}
