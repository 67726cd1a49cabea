// SPDX-License-Identifier: GPL-2.0-or-later

package tracer

import (
	"cmp"
	"fmt"
	"maps"
	"os"
	"slices"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/asm"
	"github.com/cilium/ebpf/btf"

	"netlive/internal/sock"
)

// AllEvents are the kinds that a Tracer can be asked for.
var AllEvents = sock.Events(sock.EventBind)<<1 - sock.Events(sock.EventState)

// Need is what a program of ours is for.
type Need struct {
	// Events are the kinds that have use for it. What is lost without one whose tracepoint came after Linux 5.12 latePrograms says; without one
	// of the others it is all that is beyond HookClassic.
	Events sock.EventSet
	// Table: a table that is kept needs it. Rows: so do large tables that are printed once (Walker). Follow: so does Options.Follow.
	Table, Rows, Follow bool
	// Classic: it serves where the typed tracepoints cannot be had.
	Classic bool
}

// ProgramTrial is what came of one program.
type ProgramTrial struct {
	Name string // as bpftool(8) shows it, which cuts it at 15 bytes
	Hook string // what it hangs on: tp_btf/inet_sock_set_state, iter/tcp
	Need Need
	// Err is nil if the kernel takes it. It wraps os.ErrPermission or ErrUnsupported as far as the cause is known, and has the
	// verifier's last words.
	Err error
}

// Trial is what came of loading our programs. An error is nil where that is to be had, and else as those of Open.
type Trial struct {
	Ring    error // the ring buffer, by which events come (Linux 5.8)
	Cookie  error // the socket's cookie in tracing programs (5.12)
	Storage error // socket storage in tracing programs (5.11)
	// Programs are all that we have, in the order of their names.
	Programs []ProgramTrial
}

// Try loads each of our programs alone, and nothing of it stays. Those of accept(2) are hung up for an instant too, as that is what tracefs is
// needed for; whether the others can be hung up Open tells. Where not even a ring buffer can be had nothing else is tried, and
// every error is that one's.
func Try() (t Trial, err error) {
	o := Options{Table: true, Events: AllEvents, Ring: os.Getpagesize()}
	spec, err := loadBpf()
	if err != nil {
		return t, fmt.Errorf("tracer: read the BPF object: %w", err)
	}
	for name, p := range spec.Programs {
		t.Programs = append(t.Programs, ProgramTrial{Name: name, Hook: p.SectionName, Need: need(name)})
	}
	t.Programs = slices.DeleteFunc(t.Programs, func(p ProgramTrial) bool { return noSuchCall(p.Name) })
	slices.SortFunc(t.Programs, func(a, b ProgramTrial) int { return cmp.Compare(a.Name, b.Name) })

	if spec, err = openSpec(o); err != nil {
		t.refuse(err)
		return t, nil
	}
	t.Cookie, t.Storage = tryHelper("bpf_get_socket_cookie", asm.FnGetSocketCookie, nil), tryHelper("bpf_sk_storage_get", asm.FnSkStorageGet, spec.Maps[bpfMapLives])
	argumentsErr := setArguments(spec) // without the kernel's types no program is taken, and its error says so
	for _, name := range []string{bpfMapEnds, bpfMapFollowed} {
		spec.Maps[name].MaxEntries = 1 // to make room takes its time
	}
	spec.Maps[bpfMapUnixRecords].MaxEntries = uint32(os.Getpagesize())

	// The maps are made once, and so is what is read of the kernel's types.
	base := spec.Copy()
	clear(base.Programs)
	types := btf.NewCache()
	shared, err := ebpf.NewCollectionWithOptions(base, ebpf.CollectionOptions{Cache: types})
	if err != nil {
		t.refusePrograms(explain("make maps", err))
		return t, nil
	}
	defer shared.Close()
	for i := range t.Programs {
		p := &t.Programs[i]
		if (p.Name == bpfProgWatchDrop || p.Name == bpfProgWatchRetransmit) && argumentsErr != nil {
			p.Err = argumentsErr
			continue
		}
		p.Err = tryProgram(spec, p.Name, ebpf.CollectionOptions{MapReplacements: shared.Maps, Cache: types})
	}
	return t, nil
}

// refuse has everything fail for one reason.
func (t *Trial) refuse(err error) {
	t.Ring, t.Cookie, t.Storage = err, err, err
	t.refusePrograms(err)
}

func (t *Trial) refusePrograms(err error) {
	for i := range t.Programs {
		t.Programs[i].Err = err
	}
}

// tryProgram loads one program of spec.
func tryProgram(spec *ebpf.CollectionSpec, program string, o ebpf.CollectionOptions) error {
	alone := spec.Copy()
	maps.DeleteFunc(alone.Programs, func(name string, _ *ebpf.ProgramSpec) bool { return name != program })
	coll, err := ebpf.NewCollectionWithOptions(alone, o)
	if err != nil {
		return explain("load "+program, err)
	}
	defer coll.Close()
	syscall, ok := syscallPrograms[program]
	if !ok {
		return nil
	}
	l, err := hangTracepoint(syscall, coll.Programs[program])
	if err != nil {
		return explain("attach "+program, err)
	}
	if err := l.Close(); err != nil {
		return fmt.Errorf("tracer: detach %s: %w", program, err)
	}
	return nil
}

// tryHelper loads a program on a typed tracepoint that calls a helper with a socket, and with a map unless that is nil. What the verifier
// says of it is about that helper and no other.
func tryHelper(name string, helper asm.BuiltinFunc, storage *ebpf.MapSpec) error {
	load := asm.Instructions{asm.LoadMem(asm.R1, asm.R1, 0, asm.DWord)}
	if storage != nil {
		m, err := ebpf.NewMap(storage)
		if err != nil {
			return explain("make socket storage", err)
		}
		defer m.Close()
		load = asm.Instructions{
			asm.LoadMem(asm.R2, asm.R1, 0, asm.DWord), asm.LoadMapPtr(asm.R1, m.FD()), asm.Mov.Imm(asm.R3, 0), asm.Mov.Imm(asm.R4, 0),
		}
	}
	p, err := ebpf.NewProgram(&ebpf.ProgramSpec{
		Type: ebpf.Tracing, AttachType: ebpf.AttachTraceRawTp, AttachTo: "inet_sock_set_state", License: "GPL",
		Instructions: append(load, helper.Call(), asm.Mov.Imm(asm.R0, 0), asm.Return()),
	})
	if err != nil {
		return explain("load a program with "+name, err)
	}
	return p.Close()
}

// need is what the program of that name is for, as Options.programs has it.
func need(name string) (n Need) {
	switch {
	case name == bpfProgWatchTcpStateClassic:
		n.Classic = true
		return n
	case name == bpfProgDumpTcpOnce, name == bpfProgDumpHolders:
		n.Rows = true
		return n
	case slices.Contains(inetPrograms, name):
		n.Table = true
		if slices.Contains(bindPrograms, name) {
			n.Events = sock.Events(sock.EventBind)
		}
		return n
	}
	wanted := func(o Options) bool { return o.programs()[name] }
	n.Table = wanted(Options{Table: true})
	for k := sock.EventState; k < sock.EventBind; k++ {
		if wanted(Options{Events: sock.Events(k)}) {
			n.Events |= sock.Events(k)
		}
	}
	state := sock.Events(sock.EventState)
	n.Follow = !n.Events.Any(state) && wanted(Options{Events: state, Follow: true})
	return n
}
