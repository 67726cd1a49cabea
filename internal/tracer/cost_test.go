// SPDX-License-Identifier: GPL-2.0-or-later

package tracer

import (
	"context"
	"errors"
	"maps"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/cilium/ebpf"
	"golang.org/x/sys/unix"

	"netlive/internal/kerneltest"
	"netlive/internal/sock"
)

// costs are what is measured: who loads the programs, with which of them there is something to compare.
var costs = []struct {
	name    string
	options Options
}{
	{"trace", Options{Events: lifeEvents}},
	{"trace-state", Options{}},
	{"watch", Options{Table: true}},
	{"screens", Options{Table: true, Events: everything}},
}

// What the programs cost, in nanoseconds of this machine a run: on a machine that takes one for each instruction (go run ./internal/kernels -cost)
// these are instructions, and always the same. Here it is held only that each program that there is work for has run.
func TestCost(t *testing.T) {
	kerneltest.RequireRoot(t)
	stats, err := ebpf.EnableStats(uint32(unix.BPF_STATS_RUN_TIME))
	if err != nil {
		t.Fatalf("enable the statistics of programs: %v", err)
	}
	defer stats.Close()
	for _, c := range costs {
		t.Run(c.name, func(t *testing.T) {
			ns := kerneltest.NetNS(t)
			o := c.options
			o.NetNS = ns.Inode()
			tr := open(t, o)
			ns.Do(func() { work(t, tr) })
			// What is left of the connections ends in softirq.
			for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(10 * time.Millisecond) {
				if ran, _ := runs(t, tr.coll.Programs[bpfProgWatchTcpState]); ran >= costConnections || time.Now().After(deadline) {
					break
				}
			}
			for _, name := range slices.Sorted(maps.Keys(tr.coll.Programs)) {
				if name == bpfProgWatchTcpStateToo {
					continue
				}
				ran, each := runs(t, tr.coll.Programs[name])
				if name == bpfProgWatchTcpState { // the two share the work; which of them is first is chance
					_, other := runs(t, tr.coll.Programs[bpfProgWatchTcpStateToo])
					each += other
				}
				if ran == 0 {
					if !unworked[name] {
						t.Errorf("%s has not run", name)
					}
					continue
				}
				t.Logf("COST %s %s %d %.1f", c.name, name, ran, each)
			}
		})
	}
}

// unworked are programs for which work has nothing to do: segments that are lost or dropped, and processes that come and go.
var unworked = map[string]bool{
	bpfProgWatchRetransmit: true, bpfProgWatchRetransmitSynack: true, bpfProgWatchSynack: true, bpfProgWatchDrop: true, bpfProgWatchError: true,
	bpfProgWatchFork: true, bpfProgWatchExec: true, bpfProgWatchExit: true, bpfProgWatchAccept: true,
	// A descriptor that is passed and a second program for a hook that has been told by the first.
	bpfProgWatchReceive: true, bpfProgWatchDestroy: true,
}

// runs is how often a program has run, and how many nanoseconds a run took.
func runs(t *testing.T, p *ebpf.Program) (n uint64, each float64) {
	t.Helper()
	s, err := p.Stats()
	if err != nil {
		t.Fatalf("statistics of a program: %v", err)
	}
	return s.RunCount, float64(s.Runtime) / float64(max(s.RunCount, 1))
}

const costConnections = 300

// work makes connections, one after the other, sends a little in both directions and closes them, every second by a reset; then it walks.
func work(t *testing.T, tr *Tracer) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	listener, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	must(t, err)
	defer unix.Close(listener)
	at := &unix.SockaddrInet4{Port: 7999, Addr: [4]byte{127, 0, 0, 1}}
	must(t, unix.Bind(listener, at))
	must(t, unix.Listen(listener, 8))
	b := make([]byte, 64)
	for i := range costConnections {
		client, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
		must(t, err)
		must(t, unix.Connect(client, at))
		server, _, err := unix.Accept4(listener, unix.SOCK_CLOEXEC)
		must(t, err)
		for _, pair := range [][2]int{{client, server}, {server, client}} {
			_, err = unix.Write(pair[0], b)
			must(t, err)
			_, err = unix.Read(pair[1], b)
			must(t, err)
		}
		if i%2 == 0 {
			must(t, unix.SetsockoptLinger(client, unix.SOL_SOCKET, unix.SO_LINGER, &unix.Linger{Onoff: 1}))
		}
		must(t, unix.Close(client))
		// Who closes before it has heard of that makes other packets, and other work.
		heard := []unix.PollFd{{Fd: int32(server), Events: unix.POLLRDHUP}}
		for heard[0].Revents == 0 {
			if _, err := unix.Poll(heard, -1); !errors.Is(err, unix.EINTR) {
				must(t, err)
			}
		}
		must(t, unix.Close(server))
	}
	if tr.coll.Programs[bpfProgDumpTcp] == nil {
		must(t, tr.SeedOwners(context.Background()))
		return
	}
	_, err = tr.Snapshot(context.Background(), sock.Want{Protos: Protos, Owners: true})
	must(t, err)
}
