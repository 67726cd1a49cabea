// SPDX-License-Identifier: GPL-2.0-or-later

// Package tracer turns what the kernel knows of sockets into values of package
// sock, by BPF: events as they happen (Stream) and walks over all sockets
// (Snapshot). It is the only package that knows github.com/cilium/ebpf. It
// keeps no table and decides nothing: what is lost is counted, what is unknown stays
// zero.
package tracer

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"strconv"
	"strings"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/btf"
	"github.com/cilium/ebpf/link"
	"golang.org/x/sys/unix"

	"netlive/internal/filter"
	"netlive/internal/sock"
)

//go:generate go tool bpf2go -tags linux -target bpfel,bpfeb -type event_record -type detail_record -type stack_record -type filter_ranges -type filter_prefixes -type sock_record -type unix_record -type owner_record -type holder_record bpf ../../bpf/netlive.bpf.c -- -nostdinc -I/usr/include -O2 -Wall -Werror

// Hook is the way by which state changes are heard of.
type Hook uint8

const (
	// HookAuto takes HookTyped where the kernel has it and HookClassic otherwise.
	HookAuto Hook = iota
	// HookTyped is the typed raw tracepoint (tp_btf, Linux 5.5 with BTF; with the
	// cookie and socket storage that go with it, 5.12).
	HookTyped
	// HookClassic is the classic tracepoint by way of tracefs. It knows no
	// cookie, no namespace and no owner of accepted connections, and there are no
	// iterators beside it: enough to trace, not to keep a table.
	HookClassic
)

func (h Hook) String() string {
	switch h {
	case HookTyped:
		return "tp_btf"
	case HookClassic:
		return "tracepoint"
	}
	return "auto"
}

// DefaultRing is the size of the ring buffer in bytes: at 128 bytes an event room for
// 131,000 of them, which is about a tenth of a second at the fastest rate that two cores
// were seen to make connections.
const DefaultRing = 16 << 20

// Options say what to load.
type Options struct {
	// NetNS is the inode number of the network namespace to hear of; 0 hears of all.
	NetNS uint32
	// TCP is which of TCP and TCP6 to hear of: the kernel's programs leave the other alone. 0 is both.
	TCP sock.ProtoSet
	// Table is for a reader that keeps a table: it attaches what tells that queues have moved and that sockets of other
	// protocols have come and gone (Tracer.Stale, Tracer.Active), and has snapshots. Events of states and owners are always told then.
	Table bool
	// Events are the kinds to be told of, with Table besides those of a table; 0 is EventState and EventOwner. EventLost is always told.
	// Tracer.Lacks says which this kernel does not tell. Where kinds are named and there is no Table there are no snapshots.
	Events sock.EventSet
	// Filter is what of a filter the kernel decides; nil lets everything through, and so does HookClassic.
	Filter *filter.Kernel
	// Follow tells of no other sockets than those of the processes that this one begins after SeedOwners, and of those that they begin.
	Follow bool
	// Stack sends the kernel's stack with each event.
	Stack bool
	// Spaces lists the network namespaces that snapshots walk; nil is that of the calling thread. See Space.
	Spaces func() ([]Space, error)
	// Rest takes snapshots of the protocols that have no iterator, in the namespace of the calling thread; owners are not asked of
	// it. It may be nil.
	Rest func(context.Context, sock.Want) (sock.Snapshot, error)
	// Ring is the size of the ring buffer in bytes, a power of two and at least a page. 0 is DefaultRing.
	Ring int
	Hook Hook
}

// Tracer holds the loaded programs. Close unloads them.
type Tracer struct {
	hook  Hook
	coll  *ebpf.Collection // programs that this kernel or hook does without are absent
	links []io.Closer
	// inet tells of other sockets than TCP's; nil where it cannot be had.
	inet    *ebpf.Collection
	spaces  func() ([]Space, error)
	rest    func(context.Context, sock.Want) (sock.Snapshot, error)
	lacks   sock.EventSet
	why     error
	names   names
	symbols symbols
	// unixTurns is in how many turns UNIX sockets are walked, a power of two: as many as were needed once.
	unixTurns uint64
	unix      *unixRing // nil until they are walked
	// sizes is how many sockets the last snapshot of such protocols had.
	sizes map[sock.ProtoSet]int
}

// Open loads the programs and attaches the hooks: from its return on, every state
// change is in the ring or counted as lost. Snapshots taken afterwards therefore leave no
// gap. The error wraps ErrUnsupported when this kernel cannot do it and
// os.ErrPermission when this process may not.
func Open(o Options) (*Tracer, error) {
	spec, err := openSpec(o)
	if err != nil {
		return nil, err
	}
	switch o.Hook {
	case HookTyped:
		return openTyped(spec, o)
	case HookClassic:
		return openClassic(spec, o)
	}
	t, typed := openTyped(spec.Copy(), o)
	if typed == nil {
		return t, nil
	}
	if errors.Is(typed, os.ErrPermission) || exhausted(typed) {
		return nil, typed
	}
	t, classic := openClassic(spec, o)
	if classic == nil {
		return t, nil
	}
	return nil, errors.Join(typed, classic)
}

// openSpec reads the BPF object and sets what o says.
func openSpec(o Options) (*ebpf.CollectionSpec, error) {
	if strconv.IntSize < 64 {
		return nil, fmt.Errorf("tracer: %w", ErrNarrow)
	}
	raiseMemlock()

	// May we at all? The errors of the load below are no good guide: without privilege its probes of
	// what the kernel can do fail too, and it then tells of a kernel that cannot.
	ring, err := ebpf.NewMap(&ebpf.MapSpec{Type: ebpf.RingBuf, MaxEntries: uint32(os.Getpagesize())})
	if err != nil {
		return nil, explain("make a ring buffer", err)
	}
	if err := ring.Close(); err != nil {
		return nil, fmt.Errorf("tracer: close a ring buffer: %w", err)
	}

	spec, err := loadBpf()
	if err != nil {
		return nil, fmt.Errorf("tracer: read the BPF object: %w", err)
	}
	if o.Ring == 0 {
		o.Ring = DefaultRing
	}
	spec.Maps[bpfMapEvents].MaxEntries = uint32(o.Ring)
	if err := spec.Variables[bpfVarFilterNetns].Set(o.NetNS); err != nil {
		return nil, fmt.Errorf("tracer: set %s: %w", bpfVarFilterNetns, err)
	}

	if o.NetNS != 0 {
		cookie, err := netnsCookie(o)
		if err == nil {
			err = spec.Variables[bpfVarFilterNetnsCookie].Set(cookie)
		}
		if err != nil {
			return nil, fmt.Errorf("tracer: set %s: %w", bpfVarFilterNetnsCookie, err)
		}
	}
	family := map[sock.ProtoSet]uint16{sock.Protos(sock.TCP): unix.AF_INET, sock.Protos(sock.TCP6): unix.AF_INET6}[o.TCP]
	if err := spec.Variables[bpfVarFilterFamily].Set(family); err != nil {
		return nil, fmt.Errorf("tracer: set %s: %w", bpfVarFilterFamily, err)
	}
	for name, value := range map[string]any{
		bpfVarKeepTable: o.Table, bpfVarEventsWanted: uint32(o.events()), bpfVarKeepPasts: o.events().Any(lifeEvents) || o.Follow,
		bpfVarWantStack: o.Stack, bpfVarFollow: o.Follow, bpfVarFilter: filterPart(o.Filter),
	} {
		if err := spec.Variables[name].Set(value); err != nil {
			return nil, fmt.Errorf("tracer: set %s: %w", name, err)
		}
	}
	own, err := pidNamespace()
	if err != nil {
		return nil, err
	}
	if err := spec.Variables[bpfVarPidNamespace].Set(own); err != nil {
		return nil, fmt.Errorf("tracer: set %s: %w", bpfVarPidNamespace, err)
	}
	return spec, nil
}

func openTyped(spec *ebpf.CollectionSpec, o Options) (*Tracer, error) {
	// Programs name these where they do not use them. To make room takes its time.
	if !o.events().Any(lifeEvents) {
		spec.Maps[bpfMapEnds].MaxEntries = 1
	}
	if !o.Follow {
		spec.Maps[bpfMapFollowed].MaxEntries = 1
	}
	delete(spec.Maps, bpfMapBirths)
	inet := spec.Copy()
	wanted := o.programs()
	maps.DeleteFunc(spec.Programs, func(name string, _ *ebpf.ProgramSpec) bool { return !wanted[name] })
	if !o.snapshots() {
		delete(spec.Maps, bpfMapUnixRecords)
	}
	if wanted[bpfProgWatchDrop] || wanted[bpfProgWatchRetransmit] {
		if err := setArguments(spec); err != nil {
			return nil, err
		}
	}
	t, err := attach(spec.Copy(), HookTyped, hangTyped)
	if errors.Is(err, ErrUnsupported) {
		// To look for the late ones in the kernel's types first would cost all kernels since what it costs to read those: a sixth of the
		// start.
		t, err = openLess(spec, wanted, o)
	}
	if err != nil {
		return nil, err
	}
	t.spaces, t.rest = o.Spaces, o.Rest
	switch binds := o.events() & sock.Events(sock.EventBind); {
	case o.Table:
		if err := t.attachInet(inet, inetPrograms); err != nil && binds != 0 { // else Announced says what lacks
			t.lackBinds(err)
		}
	case binds != 0:
		if err := t.attachInet(inet, bindPrograms); err != nil {
			t.lackBinds(err)
		}
	}
	return t, nil
}

// lackBinds notes that EventBind is not told.
func (t *Tracer) lackBinds(err error) {
	t.lacks |= sock.Events(sock.EventBind)
	t.why = errors.Join(t.why, fmt.Errorf("needs the root of cgroup v2 and CAP_NET_ADMIN: %w", err))
}

// openLess loads what is left without the late programs that this kernel has no tracepoint for, or if that is not it without any of them.
func openLess(spec *ebpf.CollectionSpec, wanted map[string]bool, o Options) (t *Tracer, err error) {
	late := func(name string) bool { _, is := latePrograms[name]; return is && wanted[name] }
	kernel, err := btf.LoadKernelSpec()
	if err != nil {
		return nil, explain("read the kernel's types", err)
	}
	absent := func(name string) bool {
		var typedef *btf.Typedef
		return late(name) && errors.Is(kernel.TypeByName("btf_trace_"+spec.Programs[name].AttachTo, &typedef), btf.ErrNotFound)
	}
	for _, gone := range []func(string) bool{absent, late} {
		less := spec.Copy()
		var lacks sock.EventSet
		for name := range spec.Programs {
			if gone(name) {
				delete(less.Programs, name)
				lacks |= latePrograms[name] & o.events()
			}
		}
		if less.Programs[bpfProgWatchDrop] == nil {
			if err := less.Variables[bpfVarDropHasSock].Set(false); err != nil {
				return nil, fmt.Errorf("tracer: set %s: %w", bpfVarDropHasSock, err)
			}
		}
		// Others tell of some of them too: part of the overflows would pass for all.
		if err := less.Variables[bpfVarEventsWanted].Set(uint32(o.events() &^ lacks)); err != nil {
			return nil, fmt.Errorf("tracer: set %s: %w", bpfVarEventsWanted, err)
		}
		if t, err = attach(less, HookTyped, hangTyped); err == nil {
			t.lacks, t.why = lacks, ErrUnsupported
		}
		if !errors.Is(err, ErrUnsupported) {
			break
		}
	}
	return t, err
}

func hangTyped(name string, p *ebpf.Program) (io.Closer, error) {
	if syscall, ok := syscallPrograms[name]; ok {
		return hangTracepoint(syscall, p)
	}
	return link.AttachTracing(link.TracingOptions{Program: p})
}

func openClassic(spec *ebpf.CollectionSpec, o Options) (*Tracer, error) {
	for name := range spec.Programs {
		if name != bpfProgWatchTcpStateClassic {
			delete(spec.Programs, name)
		}
	}
	delete(spec.Maps, bpfMapLives)
	delete(spec.Maps, bpfMapUnixRecords)
	delete(spec.Maps, bpfMapPasts)
	delete(spec.Maps, bpfMapEnds)
	// What it does not know it sends as 0, which a filter may not take for a value.
	if err := spec.Variables[bpfVarFilter].Set(bpfFilterPart{}); err != nil {
		return nil, fmt.Errorf("tracer: set %s: %w", bpfVarFilter, err)
	}
	if err := checkClassicLayout(); err != nil {
		return nil, err
	}
	if o.Follow {
		return nil, fmt.Errorf("tracer: follow a command: %w: the classic tracepoint names no owner", ErrUnsupported)
	}
	t, err := attach(spec, HookClassic, func(_ string, p *ebpf.Program) (io.Closer, error) {
		return hangTracepoint(classicState, p)
	})
	if err == nil {
		t.lacks, t.why = o.events()&^sock.Events(sock.EventState, sock.EventOwner), ErrUnsupported
	}
	return t, err
}

// attach loads what is left in spec and hangs up its watch_* programs.
func attach(spec *ebpf.CollectionSpec, hook Hook, hang func(string, *ebpf.Program) (io.Closer, error)) (*Tracer, error) {
	coll, err := ebpf.NewCollection(spec)
	if err != nil {
		return nil, explain("load", err)
	}
	t := &Tracer{hook: hook, coll: coll, unixTurns: 1, sizes: map[sock.ProtoSet]int{}}
	for name, p := range coll.Programs {
		if !strings.HasPrefix(name, "watch_") {
			continue
		}
		l, err := hang(name, p)
		if _, ok := syscallPrograms[name]; ok && err != nil {
			continue // no tracefs for us: the first use of a connection tells who took it, and not when
		}
		if err != nil {
			return nil, errors.Join(explain("attach "+name, err), t.Close())
		}
		t.links = append(t.links, l)
	}
	return t, nil
}

// Hook is the hook in use.
func (t *Tracer) Hook() Hook { return t.hook }

// Lacks are the kinds of events that were asked for and that this kernel does not tell of.
func (t *Tracer) Lacks() sock.EventSet { return t.lacks }

// Why is the reason for what is lacking: it wraps os.ErrPermission or ErrUnsupported.
func (t *Tracer) Why() error { return t.why }

// Alive reports whether a connection that is followed has not ended, with Options.Follow.
func (t *Tracer) Alive() bool {
	var n int64
	_ = t.coll.Variables[bpfVarFollowedAlive].Get(&n) // mapped memory of the right size
	return n > 0
}

// Lost is the number of events since Open that found no room in the ring.
func (t *Tracer) Lost() uint64 {
	var n uint64
	// The variable is mapped memory of the right size: Get cannot fail.
	_ = t.coll.Variables[bpfVarEventsLost].Get(&n)
	return n
}

// Close detaches and unloads everything.
func (t *Tracer) Close() error {
	var errs []error
	for _, l := range t.links {
		errs = append(errs, l.Close())
	}
	t.links = nil
	if t.inet != nil {
		t.inet.Close()
	}
	if t.unix != nil {
		errs = append(errs, t.unix.Close())
		t.unix = nil
	}
	t.coll.Close()
	return errors.Join(errs...)
}

// netnsCookie is the number that BPF programs for sockets know o.NetNS by, 0 when that is neither the calling thread's network namespace nor
// one of o.Spaces, or the kernel does not tell (before 5.14).
func netnsCookie(o Options) (cookie uint64, err error) {
	own, err := NetNS()
	if err != nil || own == o.NetNS {
		return NetNSCookie(), err
	}
	if o.Spaces == nil {
		return 0, nil
	}
	spaces, err := o.Spaces()
	if err != nil {
		return 0, err
	}
	for _, s := range spaces {
		if s.Inode() == o.NetNS {
			err = s.Do(func() error {
				cookie = NetNSCookie()
				return nil
			})
		}
	}
	return cookie, err
}

// NetNSCookie is the number of the calling thread's network namespace that no other has ever, where its inode's number is used again; 0 when it cannot be
// had (before Linux 5.14).
func NetNSCookie() uint64 {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return 0 // no IPv4
	}
	defer unix.Close(fd)
	cookie, err := unix.GetsockoptUint64(fd, unix.SOL_SOCKET, unix.SO_NETNS_COOKIE)
	if err != nil {
		return 0
	}
	return cookie
}

// NetNS is the inode number of the calling thread's network namespace.
func NetNS() (uint32, error) {
	var st unix.Stat_t
	if err := unix.Stat("/proc/thread-self/ns/net", &st); err != nil {
		return 0, fmt.Errorf("tracer: find the network namespace: %w", err)
	}
	return uint32(st.Ino), nil
}
