// SPDX-License-Identifier: GPL-2.0-or-later

package main

import (
	"context"

	"github.com/spf13/cobra"

	"netlive/internal/options"
	"netlive/internal/sock"
)

// newVerb makes a verb that takes netstat's options: allowed says which of them mean something there.
func newVerb(name, usage, short, long string, check func(*options.Options) error,
	run func(context.Context, *options.Options, streams) error, std streams,
) *cobra.Command {
	return &cobra.Command{
		Use:                name + " " + usage,
		Short:              short,
		Long:               long,
		DisableFlagParsing: true, // netstat's options have getopt's rules
		RunE: func(cmd *cobra.Command, args []string) error {
			o, err := options.Parse(options.Verb, "netlive "+name, args, nil)
			if err != nil {
				return err
			}
			if o.Help {
				return cmd.Help()
			}
			if len(o.Operands) > 0 {
				return options.Usage("netlive %s: %q is not an option; see netlive help %s", name, o.Operands[0], name)
			}
			if err := check(&o); err != nil {
				return err
			}
			return run(cmd.Context(), &o, std)
		},
	}
}

// watchOptions: all of netstat's options for sockets mean something there but -c, which watch is.
func watchOptions(o *options.Options) error {
	if o.Timers {
		return options.Usage("netlive watch: -o: timers are no news that is told; netlive -o shows them")
	}
	if sel := o.Select(); o.Mode != options.ModeSockets || o.Groups || o.Context || o.Named(sock.ProtosSCTP) || sel.Explicit && len(sel.Others) > 0 {
		return options.Usage("netlive watch: it shows sockets of TCP, UDP, UDP-Lite, raw and UNIX; the rest is for netlive without a verb")
	}
	if o.Continuous {
		return options.Usage("netlive watch: -c is what watch does; use --interval and --count")
	}
	if o.Version {
		return options.Usage("netlive watch: -V: see netlive version")
	}
	return nil
}

// traceOptions: events have no table's columns, and TCP alone has them.
func traceOptions(o *options.Options) error {
	var bad string
	switch {
	case o.Named(^sock.ProtosTCP):
		bad = "it tells of TCP alone: -t, -4 and -6 choose"
	case o.Mode != options.ModeSockets, o.Timers, o.All, o.Listening, o.Wide, o.Continuous, o.Extend > 0, o.Programs, o.Verbose, o.Version:
		bad = "of netstat's options -t, -4, -6 and -n mean something there"
	case o.Count > 0, o.Source != options.SourceAuto:
		bad = "--count and --source are for watch"
	}
	if bad != "" {
		return options.Usage("netlive trace: %s; see netlive help trace", bad)
	}
	return nil
}

const longHelp = `netlive is netstat that the kernel keeps up to date.

  netlive [OPTIONS]          netstat's tables, byte for byte
  netlive watch [OPTIONS]    the same table, kept true on the screen
  netlive trace [OPTIONS]    a line for each TCP state change, as it happens

OPTIONS are netstat's own letters with netstat's meaning, in every verb:

  -a, --all              listening and other sockets (default: those that are not listening)
  -l, --listening        listening sockets only
  -t, --tcp              TCP
  -u, --udp              UDP
  -U, --udplite          UDP-Lite
  -w, --raw              raw
  -x, --unix             UNIX domain sockets
  -S, --sctp             SCTP
  -4, -6, -A FAMILY      of IPv4, of IPv6, of a family (inet, inet6, unix, ax25, x25, ipx, netrom, rose)
  -n, --numeric          numbers instead of names; --numeric-hosts, --numeric-ports, --numeric-users
  -e, --extend           user and inode too
  -p, --programs         the process that holds each socket
  -o, --timers           the timer of each socket
  -Z, --context          the security context of that process
  -W, --wide             do not cut addresses
  -r, --route            the routing tables of -A FAMILY (default inet); -e -ee for more columns, -F, -C which
  -i, --interfaces       the interfaces and their counters; -a those that are down too, -e as ifconfig prints them
  -g, --groups           the multicast groups of the interfaces
  -s, --statistics       the counters of each protocol; -t, -u, -w, -S choose, -6 for IPv6
  -M, --masquerade       masqueraded connections, of kernels that had them
  -v, --verbose          say which tables the kernel does not have
  -c, --continuous       print again each second

What netstat does not have has a long name only:

  --json                 JSON, the same names everywhere (netlive help json)
  --interval TIME        watch: time between frames or refreshes (default 1s)
  --count N              watch: end after N frames
  --source SOURCE        watch: ebpf, procfs or auto (default)
`

const watchHelp = `Keeps netstat's socket tables true on the screen.

As root, or with CAP_BPF and CAP_PERFMON, TCP changes come from the kernel as they happen; what no
event announces (queues, UDP and UNIX sockets, the end of TIME_WAIT) is walked by BPF
iterators every --interval. Without BPF /proc is read every --interval instead, and the first line says so.

New rows are marked +, changed rows *, closed ones - for three seconds.
Keys: q quits, arrows, PgUp, PgDn, g and G scroll.

When the output is not a terminal, or with --count, the table is printed every --interval. With --json each
frame is one object a line:

  {"time":"2026-11-21T05:06:22.288197Z","source":"ebpf","lost":0,"sockets":[…]}

Options: those of netlive (netlive help); by default all sockets that are not listening.
Examples:
  netlive watch -atnp              all TCP sockets with their processes
  netlive watch -tul               listeners
  netlive watch -tan --json --count 1
`

const traceHelp = `Prints a line for each change of state of a TCP socket in this network namespace, from the moment at
which it says "tracing" on stderr until ^C. Nothing is polled: a connection that lives a few
microseconds has its lines like any other.

  TIME       when, to the microsecond
  PROCESS    the process that owns the socket, and its PID; - when nobody can be named
             with certainty. An accepted connection belongs to its listener until the process that
             took it reads or writes.
  LOCAL      the two ends; the local port is * until the kernel has chosen it
  REMOTE
  OLD NEW    the states, as netstat spells them
  IN-OLD     how long it was in the old state

Events that found no room in the buffer are counted and told in a line of their own.
With --json each event is one object a line (netlive help json), and a loss is {"event":"lost","count":N}.

Options: -4, -6, -t, --json. Needs root, or CAP_BPF and CAP_PERFMON.
Examples:
  netlive trace
  netlive trace --json | jq -r 'select(.new_state == "CLOSE") | .owners[0].comm'
`

const jsonHelp = `JSON

  netlive --json prints one array of sockets, netlive watch --json an object {"time", "source", "lost", "sockets"} a frame,
  netlive trace --json an object an event. A socket has the same names in all three:

    proto                    tcp tcp6 udp udp6 udplite udplite6 raw raw6 unix
    local_addr local_port    the two ends; port 0 is none, or not chosen yet
    remote_addr remote_port
    state                    as netstat spells it: ESTABLISHED SYN_SENT … LISTEN; empty where netstat has no
                             word, null when it is not known
    recv_q send_q            bytes; for a listener recv_q is the connections that wait to be accepted
    uid inode                of the socket; inode 0 when no file refers to it
    cookie                   the kernel's name for the socket, never used twice; null from /proc
    netns                    inode number of its network namespace
    owners                   array of pid, comm, program (from /proc: argv[0] as netstat -p has it), fd (null:
                             not known), how
    path type refcnt flags   of UNIX sockets, in place of the ends

  how is the evidence for an owner: exact (seen in its own context), seeded (found among open
  descriptors), listener (inherited from the listener), procfs (found in /proc).

  An event has, besides the names of its socket (without recv_q and send_q, which it does not know):

    time                     RFC 3339 with nanoseconds
    event                    state, or lost with count alone
    old_state new_state
    state_us                 microseconds spent in old_state; null when that is not known
    minisocket               with new_state CLOSE: TIME_WAIT or FIN_WAIT2, when the kernel keeps
                             the connection in that state a while longer

  Options add to a socket what they add to netstat's rows:

    timer timer_ms           -o: off on keepalive timewait probe, and until it expires
    retransmits probes       -o: what was not answered
    context                  -Z: the security context of the first owner; null when there is none

  -S: kind is endpoint or association; local_addrs, remote_addrs, primary_local_addr, primary_remote_addr, assoc_id, assoc_state.
  The protocols of the old days (ax25 ipx netrom rose x25) have local and remote as they write them, state, state_raw, device and
  what else their tables have.

  netlive -s --json prints one object of objects: {"Ip": {"InReceives": 5028, …}, …}, tables and counters in the kernel's words.
  netlive -r --json prints one array of routes: family, table (fib, cache), destination, prefix_len, gateway, flags (netstat's
  letters), flags_raw, metric, ref, use, iface, mtu, window, irtt; null where there is none.
  netlive -i --json prints one array of interfaces: name, flags, flags_raw, mtu, type, type_raw, hwaddr, txqueuelen, inet (address,
  netmask, broadcast, destination), inet6 (address, prefix_len, scope, scope_raw), irq, base_addr, mem_start, mem_end, dma, port, and
  the counters rx_bytes _packets _errors _dropped _fifo _frame _compressed _multicast, tx_bytes _packets _errors _dropped _fifo
  _collisions _carrier _compressed.
  netlive -g --json prints one array of groups: family, iface, users, group.
  netlive -M --json prints one array of connections: proto, source_addr, source_port, destination_addr, destination_port, masq_port,
  init_seq, delta, previous_delta, expires_cs (1/100 s).
`
