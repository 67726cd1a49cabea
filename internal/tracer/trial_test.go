// SPDX-License-Identifier: GPL-2.0-or-later

package tracer

import (
	"errors"
	"slices"
	"testing"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/asm"

	"netlive/internal/kerneltest"
	"netlive/internal/sock"
)

// Where the tracer works each program does on trial, and none stays open.
func TestTry(t *testing.T) {
	kerneltest.RequireRoot(t)
	tr, err := Open(Options{Table: true, Events: AllEvents})
	kerneltest.RequireBPF(t, err)
	if err := tr.Close(); err != nil {
		t.Fatal(err)
	}
	kerneltest.NoLeaks(t)
	trial, err := Try()
	if err != nil {
		t.Fatal(err)
	}
	for what, err := range map[string]error{"ring": trial.Ring, "cookie": trial.Cookie, "storage": trial.Storage} {
		if err != nil {
			t.Errorf("%s: %v", what, err)
		}
	}
	for _, p := range trial.Programs {
		if p.Err != nil {
			t.Errorf("%s (%s): %v", p.Name, p.Hook, p.Err)
		}
	}
}

// What the kernel does not take is told by its own words, for that program alone.
func TestTryProgram(t *testing.T) {
	kerneltest.RequireRoot(t)
	spec, err := openSpec(Options{Table: true, Events: AllEvents})
	kerneltest.RequireBPF(t, err)
	spec.Programs[bpfProgWatchError].AttachTo = "no_such_tracepoint"
	if err := tryProgram(spec, bpfProgWatchError, ebpf.CollectionOptions{}); !errors.Is(err, ErrUnsupported) {
		t.Errorf("a program for a tracepoint that is not there: %v", err)
	}
	if err := tryProgram(spec, bpfProgWatchTcpState, ebpf.CollectionOptions{}); err != nil {
		t.Errorf("another: %v", err)
	}
	// A helper that tracing programs do not have.
	if err := tryHelper("bpf_redirect", asm.FnRedirect, nil); !errors.Is(err, ErrUnsupported) {
		t.Errorf("a helper that is not there: %v", err)
	}
}

// Each program is for something, and what it is for is what Open takes it for.
func TestNeed(t *testing.T) {
	spec, err := loadBpf()
	if err != nil {
		t.Fatal(err)
	}
	for name := range spec.Programs {
		if need(name) == (Need{}) {
			t.Errorf("%s is for nothing", name)
		}
	}
	all := AllEvents &^ sock.Events(sock.EventBind)
	for name, want := range map[string]Need{
		bpfProgWatchTcpState:         {Events: all, Table: true},
		bpfProgDumpTcp:               {Table: true},
		bpfProgWatchExit:             {Table: true},
		bpfProgWatchFork:             {Table: true, Follow: true},
		bpfProgWatchDrop:             {Events: sock.Events(sock.EventDrop, sock.EventOverflow)},
		bpfProgWatchError:            {Events: sock.Events(sock.EventError)},
		bpfProgWatchDestroy:          {Events: sock.Events(sock.EventClose)},
		bpfProgInetBind4:             {Events: sock.Events(sock.EventBind), Table: true},
		bpfProgInetCreate:            {Table: true},
		bpfProgDumpTcpOnce:           {Rows: true},
		bpfProgWatchTcpStateClassic:  {Classic: true},
		bpfProgWatchRetransmitSynack: {Events: sock.Events(sock.EventRetransmit, sock.EventOverflow)},
		bpfProgWatchWrite:            {Events: all, Table: true},
	} {
		if got := need(name); got != want {
			t.Errorf("%s: %+v, want %+v", name, got, want)
		}
	}
	for k := sock.EventState; k <= sock.EventBind; k++ {
		if !AllEvents.Has(k) {
			t.Errorf("AllEvents has no %v", k)
		}
		if !slices.ContainsFunc(trialNames(spec), func(name string) bool { return need(name).Events.Has(k) }) {
			t.Errorf("no program is for %v", k)
		}
	}
	if AllEvents.Any(sock.Events(sock.EventNone, sock.EventLost, sock.EventResync, sock.EventOwner, sock.EventStale)) {
		t.Errorf("AllEvents is %x", AllEvents)
	}
}

func trialNames(spec *ebpf.CollectionSpec) (names []string) {
	for name := range spec.Programs {
		names = append(names, name)
	}
	return names
}
