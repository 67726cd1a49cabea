// SPDX-License-Identifier: GPL-2.0-or-later

package main

import (
	"context"
	"slices"

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

// watchOptions: what watch keeps true is sockets, the routes of IP and interfaces. All of netstat's options for those mean
// something there but -c, which watch is.
func watchOptions(o *options.Options) error {
	sel := o.Select()
	routes := o.Mode == options.ModeRoute
	switch {
	case o.Timers:
		return options.Usage("netlive watch: -o: timers are no news that is told; netlive -o shows them")
	case o.Mode == options.ModeMasquerade, o.Mode == options.ModeStatistics, o.Groups:
		return options.Usage("netlive watch: it shows sockets, routes (-r) and interfaces (-i); -g, -s and -M are for netlive without a verb")
	case routes && len(routeFamilies(o)) < len(distinct(o.Families)):
		return options.Usage("netlive watch: -r: only inet and inet6 announce their routes; the rest is for netlive without a verb")
	case o.Mode != options.ModeSockets && o.Source == options.SourceEBPF:
		return options.Usage("netlive watch: --source ebpf: routes and interfaces are announced by rtnetlink (auto) or polled (procfs)")
	case o.Mode == options.ModeSockets && (o.Named(sock.ProtosSCTP) || sel.Explicit && len(sel.Others) > 0), o.Context:
		return options.Usage("netlive watch: it shows sockets of TCP, UDP, UDP-Lite, raw and UNIX; the rest is for netlive without a verb")
	case o.Continuous:
		return options.Usage("netlive watch: -c is what watch does; use --interval and --count")
	case o.Version:
		return options.Usage("netlive watch: -V: see netlive version")
	}
	return nil
}

// distinct are the words, each once.
func distinct(words []string) []string {
	words = slices.Clone(words)
	slices.Sort(words)
	return slices.Compact(words)
}

// traceOptions: events have no table's columns, and TCP alone has them.
func traceOptions(o *options.Options) error {
	var bad string
	switch {
	case o.Named(^sock.ProtosTCP):
		bad = "it tells of TCP alone: -t, -4 and -6 choose"
	case o.Mode != options.ModeSockets, o.Timers, o.All, o.Listening, o.Wide, o.Continuous, o.Extend > 0, o.Programs, o.Verbose, o.Version:
		bad = "of netstat's options -t, -4, -6 and -n mean something there"
	case o.Count > 0, o.Timed, o.Source != options.SourceAuto:
		bad = "--count, --interval and --source are for watch"
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
  --netns NAME           the network namespace NAME of ip netns, that of a PID, host, or all of them: a column says which
  --unit                 a column with the container or systemd unit of each socket
  --interval TIME        watch: time between frames or refreshes (default 1s)
  --count N              watch: end after N frames
  --source SOURCE        watch: ebpf, procfs or auto (default)
  --ring SIZE            watch, trace: room for events that wait to be read (default 16M, a power of two)
`

const watchHelp = `Keeps netstat's socket tables true on the screen, or with -r those of routes, with -i that of interfaces.

As root, or with CAP_BPF and CAP_PERFMON, TCP changes come from the kernel as they happen; what no
event announces is walked by BPF iterators: at once when the kernel says that a process that holds sockets forked, ran another
program or ended, or that a UDP or raw socket came or went; every --interval while data moves and while connections
close; UNIX sockets, which nothing announces, every --interval. On an idle machine nothing else is walked. Without BPF /proc is read
every --interval instead, and the first line says so.

Routes (-r, with -4 -6 -e -n -F -C) and interfaces (-i, with -a -e) need no privilege: rtnetlink announces their
changes, upon which the tables are read again. While nothing changes nothing is read, but for the counters of -i each
--interval. Where rtnetlink cannot be had, or with --source procfs, they are read each --interval.

New rows are marked +, changed rows *, closed ones - for three seconds.
Keys: q quits, arrows, PgUp, PgDn, g and G scroll.

When the output is not a terminal, or with --count, the table is printed every --interval, and -r and -i at each change
too. With --json each frame is one object a line:

  {"time":"2026-11-21T05:06:22.288197Z","source":"ebpf","lost":0,"resyncs":0,"sockets":[…]}
  {"time":"2026-11-21T05:06:22.288197Z","source":"rtnetlink","lost":0,"resyncs":0,"routes":[…]}

What was lost, of events or of announcements, is counted in the first line and in JSON, and the table is read again at once.

Options: those of netlive (netlive help); by default all sockets that are not listening.
Examples:
  netlive watch -atnp              all TCP sockets with their processes
  netlive watch -tul               listeners
  netlive watch -tan --json --count 1
  netlive watch -rn -4 -6          the routes of IPv4 and IPv6
  netlive watch -ia                the interfaces with their counters
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

Options: -4, -6, -t, --json, --netns, --unit, --ring. Needs root, or CAP_BPF and CAP_PERFMON.
Examples:
  netlive trace
  netlive trace --json | jq -r 'select(.new_state == "CLOSE") | .owners[0].comm'
`

const jsonHelp = `JSON

  netlive --json prints one array of sockets, netlive watch --json an object {"time", "source", "lost", "resyncs", "sockets"} a frame,
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
                             not known), start_ns (when the process started, CLOCK_BOOTTIME; null from /proc), how
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

  In watch --json a socket has "resynced": true when news of it was lost and a walk has told its state; lost counts the events that
  were lost, resyncs the walks that were made for it.

  Options add to a socket what they add to netstat's rows:

    timer timer_ms           -o: off on keepalive timewait probe, and until it expires
    retransmits probes       -o: what was not answered
    context                  -Z: the security context of the first owner; null when there is none
    netns_name               --netns: what ip netns calls the namespace; host, that of PID 1; else a process in it
    cgroup unit              --unit: the path of the cgroup v2 that the socket was made in (from /proc: that its owner is in), and the
                             container (12 digits of its ID) or systemd unit that this is

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
  netlive watch -r --json and -i --json print such arrays in an object a frame: {"time", "source", "lost", "resyncs", "routes"} and
  {"time", "source", "lost", "resyncs", "interfaces"}. lost is the announcements that found no room; the frame is read after them.
  netlive -g --json prints one array of groups: family, iface, users, group.
  netlive -M --json prints one array of connections: proto, source_addr, source_port, destination_addr, destination_port, masq_port,
  init_seq, delta, previous_delta, expires_cs (1/100 s).
`
