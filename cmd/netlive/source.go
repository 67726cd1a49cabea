// SPDX-License-Identifier: GPL-2.0-or-later

package main

import (
	"context"
	"errors"
	"os"
	"runtime/debug"

	"netlive/internal/doctor"
	"netlive/internal/netns"
	"netlive/internal/options"
	"netlive/internal/procfallback"
	"netlive/internal/sock"
	"netlive/internal/tracer"
)

// source is where sockets come from: the kernel by BPF where that can be had, and /proc for what BPF has
// no iterator for or when it cannot be had at all.
type source struct {
	tracer *tracer.Tracer // nil: /proc alone
	proc   *procfallback.Source
	places *places
	// why is the reason for having no tracer.
	why error
	// gcPercent is what was set last, 0 nothing.
	gcPercent int
}

// openSource attaches the tracer if it can and is not told otherwise, and falls back to /proc. events are what is to be heard besides what a
// table needs, which costs what it costs: 0 for who shows tables alone. The tracer's Lacks says which are not told.
func openSource(o *options.Options, p *places, events sock.EventSet) (*source, error) {
	s := &source{proc: procfallback.New(os.DirFS("/proc")), places: p}
	if o.Source == options.SourceProcfs {
		s.why = errors.New("--source procfs")
		return s, nil
	}
	t, err := openTracer(tracer.Options{Table: true, Events: events, TCP: o.Protos() & sock.ProtosTCP, Rest: s.proc.Snapshot, Ring: o.Ring}, p)
	switch {
	case err == nil && t.Hook() == tracer.HookTyped:
		s.tracer = t
	case err == nil:
		s.why = errors.Join(tracer.ErrNoTable, t.Close())
	default:
		s.why = err
	}
	if o.Source == options.SourceEBPF && s.tracer == nil {
		return nil, s.why
	}
	return s, nil
}

// openTracer attaches the hooks for the network namespaces that are shown: ours if nothing else is asked for, as netstat shows no other.
func openTracer(o tracer.Options, p *places) (*tracer.Tracer, error) {
	if err := p.filter(&o); err != nil {
		return nil, err
	}
	return tracer.Open(o)
}

// name is the word for the source in status lines and JSON.
func (s *source) name() string {
	if s.tracer != nil {
		return "ebpf"
	}
	return "procfs"
}

// Snapshot implements live.Source.
func (s *source) Snapshot(ctx context.Context, want sock.Want) (sock.Snapshot, error) {
	var snap sock.Snapshot
	var err error
	if s.tracer == nil {
		snap, err = s.places.snapshot(ctx, s.proc, want)
	} else {
		snap, err = s.tracer.Snapshot(ctx, want)
	}
	s.thrift(len(snap.Sockets))
	return snap, err
}

// manySockets is how many sockets are many: their rows are most of the heap.
const manySockets = 50_000

// thrift lets the heap of a large table grow by a third of what lives before it is swept, and not to twice that: there memory is what
// counts, and what is swept between two walks is one snapshot.
func (s *source) thrift(sockets int) {
	percent := 100
	if sockets >= manySockets {
		percent = 30
	}
	if percent != s.gcPercent {
		s.gcPercent = percent
		debug.SetGCPercent(percent)
	}
}

// Close unloads the programs.
func (s *source) Close() error {
	var err error
	if s.tracer != nil {
		err = s.tracer.Close()
	}
	return errors.Join(err, s.proc.Close())
}

// remedy says what would mend an error, of opening the tracer or of another namespace, in the doctor's words. Privileges that were given up are
// none that lack: what may need others is tried before.
func remedy(err error) string {
	if denied := (*netns.DeniedError)(nil); errors.As(err, &denied) {
		return doctor.Grant(self(), doctor.SysPtrace, doctor.SysAdmin)
	}
	return doctor.Remedy(err, self())
}

// self is the path to give to setcap.
func self() string {
	path, err := os.Executable()
	if err != nil {
		return "netlive"
	}
	return path
}
