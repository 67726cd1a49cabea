// SPDX-License-Identifier: GPL-2.0-or-later

package tracer

import (
	"fmt"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/btf"

	"netlive/internal/sock"
)

// lifeEvents are those for which a connection's past is kept.
var lifeEvents = sock.Events(sock.EventListen, sock.EventOpen, sock.EventAccept, sock.EventFail, sock.EventClose)

// latePrograms are those whose tracepoints came after Linux 5.12, and what is not told without them: sk_data_ready, sock_send_length and
// sock_recv_length with 6.3, inet_sk_error_report with 5.14, kfree_skb's reason with 5.17. Without sock_send_length the
// first read tells the owner.
var latePrograms = map[string]sock.EventSet{
	bpfProgWatchWrite:   0,
	bpfProgWatchData:    0,
	bpfProgWatchReceive: 0,
	bpfProgWatchQueue:   sock.Events(sock.EventOverflow),
	bpfProgWatchDrop:    sock.Events(sock.EventDrop),
	bpfProgWatchError:   sock.Events(sock.EventError),
}

// syscallPrograms hang on the ends of system calls, by way of tracefs.
var syscallPrograms = map[string]string{
	bpfProgWatchAccept:  "syscalls/sys_exit_accept",
	bpfProgWatchAccept4: "syscalls/sys_exit_accept4",
}

// events are the kinds that the kernel's programs tell of.
func (o *Options) events() sock.EventSet {
	switch {
	case o.Table:
		return sock.Events(sock.EventState, sock.EventOwner, sock.EventStale) | o.Events
	case o.Events == 0:
		return sock.Events(sock.EventState, sock.EventOwner)
	}
	return o.Events
}

// snapshots reports whether Snapshot is wanted.
func (o *Options) snapshots() bool { return o.Table || o.Events == 0 }

// programs are the names of those that o needs. Fewer are sooner loaded.
func (o *Options) programs() map[string]bool {
	events := o.events()
	any := func(kinds ...sock.EventKind) bool { return events.Any(sock.Events(kinds...)) }
	ends := any(sock.EventFail, sock.EventClose)
	// Of a table and of events there are programs for the same tracepoint: those of events do the work of both.
	return map[string]bool{
		bpfProgWatchTcpState: true, bpfProgWatchTcpStateToo: true,
		bpfProgWatchTcpRead: true, bpfProgWatchWrite: true, bpfProgWatchExec: true, bpfProgDumpTaskFile: true, // owners

		bpfProgDumpTcp: o.snapshots(), bpfProgDumpUdp: o.snapshots(), bpfProgDumpUnix: o.snapshots(),
		bpfProgWatchData: o.Table && !any(sock.EventOverflow), bpfProgWatchSynack: o.Table && !any(sock.EventRetransmit, sock.EventOverflow),
		bpfProgWatchReceive: o.Table, bpfProgWatchExit: o.Table, bpfProgWatchFork: o.Table || o.Follow,

		bpfProgWatchAccept: any(sock.EventAccept, sock.EventClose), bpfProgWatchAccept4: any(sock.EventAccept, sock.EventClose),
		bpfProgWatchReceiveReset: ends || any(sock.EventReset), bpfProgWatchSendReset: ends || any(sock.EventReset),
		bpfProgWatchDestroy:    any(sock.EventClose),
		bpfProgWatchRetransmit: any(sock.EventRetransmit), bpfProgWatchRetransmitSynack: any(sock.EventRetransmit, sock.EventOverflow),
		bpfProgWatchDrop:  any(sock.EventDrop, sock.EventOverflow),
		bpfProgWatchQueue: any(sock.EventOverflow),
		bpfProgWatchError: any(sock.EventError),
	}
}

// newArguments are what tracepoints tell since some version besides what they told before: how many arguments they have then, with the void * that
// all have first, and the variable that says so.
var newArguments = []struct {
	tracepoint string
	arguments  int
	variable   string
}{
	{"kfree_skb", 5, bpfVarDropHasSock},               // skb, location, reason, and for which socket it came: since 6.11
	{"tcp_retransmit_skb", 4, bpfVarRetransmitHasErr}, // sk, skb, and why it was not sent: since 6.18
}

// setArguments says what the tracepoints of this kernel tell.
func setArguments(spec *ebpf.CollectionSpec) error {
	kernel, err := btf.LoadKernelSpec()
	if err != nil {
		return explain("read the kernel's types", err)
	}
	for _, a := range newArguments {
		var typedef *btf.Typedef
		if err := kernel.TypeByName("btf_trace_"+a.tracepoint, &typedef); err != nil {
			continue // the load will tell
		}
		pointer, _ := typedef.Type.(*btf.Pointer)
		if pointer == nil {
			continue
		}
		proto, ok := pointer.Target.(*btf.FuncProto)
		if err := spec.Variables[a.variable].Set(ok && len(proto.Params) >= a.arguments); err != nil {
			return fmt.Errorf("tracer: set %s: %w", a.variable, err)
		}
	}
	return nil
}
