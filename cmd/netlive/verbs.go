// SPDX-License-Identifier: GPL-2.0-or-later

package main

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"netlive/internal/options"
	"netlive/internal/screen"
	"netlive/internal/sock"
)

// newVerb makes a verb that takes netstat's options: check says which of them mean something there.
func newVerb(face options.Face, usage, short, long string, check func(*options.Options) error,
	run func(context.Context, *options.Options, streams) error, std streams,
) *cobra.Command {
	name, _, _ := strings.Cut(usage, " ")
	return &cobra.Command{
		Use:                usage,
		Short:              short,
		Long:               long,
		DisableFlagParsing: true, // netstat's options have getopt's rules
		ValidArgsFunction:  completer{face, check}.words,
		RunE: func(cmd *cobra.Command, args []string) error {
			o, err := options.Parse(face, "netlive "+name, args, nil)
			if err != nil {
				return err
			}
			if o.Help {
				return cmd.Help()
			}
			if err := check(&o); err != nil {
				return err
			}
			if o.Explain {
				return explain(std.out, &o, face == options.Runner)
			}
			std := std
			std.when = o.Color
			return run(cmd.Context(), &o, std)
		},
	}
}

// traceOnly is the first of the options given that are trace's alone, "" when there is none.
func traceOnly(o *options.Options) string {
	for _, option := range []struct {
		name  string
		given bool
	}{
		{"--csv", o.CSV}, {"--absolute", o.Absolute}, {"--delta", o.Delta},
		{"--for", o.For > 0}, {"--summary", o.Summary}, {"--stack", o.Stack},
	} {
		if option.given {
			return option.name
		}
	}
	return ""
}

// tableOptions: without a verb there is one look.
func tableOptions(o *options.Options) error {
	switch name := traceOnly(o); {
	case o.Count > 0 || o.Timed || o.Ring > 0 || o.Source != options.SourceAuto:
		return options.Usage("netlive: --count, --interval, --ring and --source are for netlive watch")
	case o.Config != "" || o.Sort != "" || o.Group != "" || o.ReadOnly:
		return options.Usage("netlive: %s is for netlive watch", cmp.Or(screenOnly(o), "--read-only"))
	case o.Events != 0 || o.Columns != nil:
		return options.Usage("netlive: %s is for netlive trace and netlive watch", screenOnly(o))
	case name != "":
		return options.Usage("netlive: %s is for netlive trace", name)
	case o.Continuous && len(o.Operands) == 1 && strings.Trim(o.Operands[0], "0123456789") == "":
		// netstat ignores it, and who types it means no port.
		return o.FilterError(fmt.Errorf("-c %s: it prints each second, and takes no number; --filter %[1]s is a port or PID", o.Operands[0]))
	}
	return tableFilter(o)
}

// watchOptions: what watch keeps true is sockets, the routes of IP, interfaces, groups and statistics. All of netstat's options for those mean
// something there but -c, which watch is.
func watchOptions(o *options.Options) error {
	sel := o.Select()
	routes := o.Mode == options.ModeRoute
	switch {
	case o.CSV || o.Absolute || o.Delta || o.For > 0 || o.Summary || o.Stack:
		return options.Usage("netlive watch: %s is for netlive trace; see netlive help watch", traceOnly(o))
	case o.Timers:
		return options.Usage("netlive watch: -o: timers are no news that is told; netlive -o shows them")
	case o.Mode == options.ModeMasquerade:
		return options.Usage("netlive watch: it shows sockets, routes (-r), interfaces (-i), groups (-g) and statistics (-s); -M is for netlive without a verb")
	case o.Groups && (o.Mode != options.ModeSockets || o.NamedProtos != 0 || sel.Unix || len(sel.Others) > 0):
		return options.Usage("netlive watch: -g: it shows the groups alone; -4 and -6 choose")
	case o.Mode == options.ModeStatistics && !hasReport(o):
		return options.Usage("netlive watch: -s: there are statistics of -4 or of -6")
	case routes && len(routeFamilies(o)) < len(distinct(o.Families)):
		return options.Usage("netlive watch: -r: only inet and inet6 announce their routes; the rest is for netlive without a verb")
	case (o.Mode != options.ModeSockets || o.Groups) && o.Source == options.SourceEBPF:
		return options.Usage("netlive watch: --source ebpf: routes and interfaces are announced by rtnetlink (auto) or polled (procfs), the rest is polled")
	case o.Mode == options.ModeSockets && (o.Named(sock.ProtosSCTP) || sel.Explicit && len(sel.Others) > 0), o.Context:
		return options.Usage("netlive watch: it shows sockets of TCP, UDP, UDP-Lite, raw and UNIX; the rest is for netlive without a verb")
	case o.Continuous:
		return options.Usage("netlive watch: -c is what watch does; use --interval and --count")
	case o.Version:
		return options.Usage("netlive watch: -V: see netlive version")
	}
	if err := screenOptions(o); err != nil {
		return err
	}
	return tableFilter(o)
}

// screenOptions are those that only a screen has.
func screenOptions(o *options.Options) error {
	unknown := func(option, name string, names []string) error {
		return options.Usage("netlive watch: %s: there is no %q; there are %s", option, name, strings.Join(names, ", "))
	}
	for _, name := range o.Columns {
		if !slices.Contains(screen.SocketColumns(), name) {
			return unknown("--columns", name, screen.SocketColumns())
		}
	}
	if name := strings.TrimPrefix(o.Sort, "-"); o.Sort != "" && !slices.Contains(screen.SortColumns(), name) {
		return unknown("--sort", name, screen.SortColumns())
	}
	if o.Group != "" && !slices.Contains(screen.GroupNames(), o.Group) {
		return unknown("--group", o.Group, screen.GroupNames())
	}
	return nil
}

// screenOnly is the first of the options given that a screen alone has, "" when there is none.
func screenOnly(o *options.Options) string {
	for _, option := range []struct {
		name  string
		given bool
	}{
		{"--config", o.Config != ""}, {"--sort", o.Sort != ""}, {"--group", o.Group != ""}, {"--columns", o.Columns != nil}, {"--event", o.Events != 0},
	} {
		if option.given {
			return option.name
		}
	}
	return ""
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
	switch err := o.Filter.Require(traceFields); {
	case err != nil:
		return o.FilterError(err)
	case o.Named(^sock.ProtosTCP):
		bad = "it tells of TCP alone: -t, -4 and -6 choose"
	case o.Mode != options.ModeSockets, o.Timers, o.All, o.Listening, o.Wide, o.Continuous, o.Extend > 0, o.Programs, o.Verbose, o.Version,
		o.Groups, o.FIB, o.Cache, o.Symbolic, o.L2CAP, o.RFCOMM,
		slices.ContainsFunc(o.Families, func(f string) bool { return f != "inet" && f != "inet6" }):
		bad = "of netstat's options -t, -4, -6 and -n mean something there"
	case o.Timed, o.Source != options.SourceAuto:
		bad = "--interval and --source are for watch"
	case o.Config != "" || o.Sort != "" || o.Group != "" || o.ReadOnly:
		bad = cmp.Or(screenOnly(o), "--read-only") + " is for watch"
	case o.JSON && o.CSV:
		bad = "--json and --csv are one or the other"
	case o.Absolute && o.Delta:
		bad = "--absolute and --delta are one or the other"
	case o.Command != nil && len(o.Command) == 0:
		bad = "after -- comes a command"
	}
	if bad != "" {
		return options.Usage("netlive trace: %s; see netlive help trace", bad)
	}
	return nil
}

const longHelp = `netlive is netstat that the kernel keeps up to date.

  netlive [OPTIONS] [FILTER]                       netstat's tables, byte for byte
  netlive watch [OPTIONS] [FILTER]                 live screens of the same, with rates, reasons and events
  netlive trace [OPTIONS] [FILTER] [-- COMMAND]    a line for each event of TCP, as it happens
  netlive doctor                                   what this kernel and these privileges allow, and how to get the rest

FILTER is ss(8)'s language with more to ask about (netlive help filters): netlive -tan dport = :443 and proc = curl

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

  --filter FILTER        show what matches; several must all match, and so must the words that are no options
  --explain-filter       say who decides what of the filter, the kernel or netlive, and end
  --json                 JSON, the same names everywhere (netlive help json)
  --netns NAME           the network namespace NAME of ip netns, that of a PID, host, or all of them: a column says which
  --unit                 a column with the container or systemd unit of each socket
  --color WHEN           always, never or auto: on a terminal, unless NO_COLOR is set (default)
  --interval TIME        watch: time between frames or refreshes (default 1s)
  --count N              watch, trace: end after N frames or events
  --source SOURCE        watch: ebpf, procfs or auto (default)
  --ring SIZE            watch, trace: room for events that wait to be read (default 16M, a power of two)
  --config FILE          watch: settings, instead of those of $XDG_CONFIG_HOME/netlive/config.toml (docs/config.md)
  --sort COLUMN          watch: sort by this column; with - before it the other way round
  --group KIND           watch: under their process, container, remote or listener; none is under nothing
  --read-only            watch: end no process and close no connection
  --event LIST           watch, trace: which events: state, listen, open, accept, fail, close, retransmit, reset, drop, overflow, error,
                         bind, lost, resync, all
  --columns LIST         watch, trace: which columns, in which order
  --csv                  trace: comma-separated values
  --absolute, --delta    trace: time as date and time, or since the line before
  --for TIME             trace: end after so long
  --summary              trace: counts at the end
  --stack                trace: what the kernel was doing
`

const watchHelp = `Keeps netstat's socket tables true on the screen, with what happens to each connection, and those of routes, interfaces, statistics and
multicast groups. The options are netstat's and choose what is shown first: -l listeners, -r, -i, -s, -g, else connections.

As root, or with CAP_BPF and CAP_PERFMON, TCP changes come from the kernel as they happen; what no
event announces is walked by BPF iterators: at once when the kernel says that a process that holds sockets forked, ran another
program or ended, or that a UDP or raw socket came or went; every --interval while data moves and while connections
close; UNIX sockets, which nothing announces, every --interval. On an idle machine nothing else is walked. Without BPF /proc is read
every --interval instead, and the last line says so; there are no events then, and no reasons.

Rates, round-trip times, retransmits and the counters of one connection are asked of the kernel by sock_diag each --interval:
of the connections on the screen, and of all when they are sorted by these or grouped.

Routes (-r, with -4 -6 -e -n -F -C) and interfaces (-i, with -a -e) need no privilege: rtnetlink announces their
changes, upon which the tables are read again. While nothing changes nothing is read, but for the counters of -i each
--interval. Where rtnetlink cannot be had, or with --source procfs, they are read each --interval. Statistics (-s, with -t -u -w
-S -6) and groups (-g, with -4 -6) are read each --interval.

With a filter the rows are shown that match it now, and the second line says how many of how many those are.

New rows are marked +, changed rows *, closed ones - (for three seconds, with the reason), and ~ those that a walk has told because
news of them was lost.

Keys, all of which ? shows and a configuration changes (docs/config.md):

  1 to 7, Tab          connections, listeners, events, routes, interfaces, statistics, groups
  arrows j k PgUp PgDn g G   move
  Enter, Esc           all about this row: states, counters, timers, options, process, events; back
  /, u                 filter (netlive help filters), by user
  f . ,                find a text, the next, the one before
  t, Space, *          group by process, container, remote, listener; open or close the group, all groups
  s S < >              sort by a column, the other way round, by the one beside
  C, w                 choose columns; all of them, whole
  p, F, H              freeze the order; the bar stays on its row; show or hide closed rows
  n, N                 numbers or names; of ports
  c, e                 copy the row (OSC 52); save what is shown as .txt, .json or .csv
  o, r                 in the detail: the sockets of this process, the connections with this host
  K, X                 end the process (SIGTERM), close the connection (needs CAP_NET_ADMIN); a word has to be typed first
  :                    run an action by its name
  q, ^C, ^Z            quit, interrupt (exit code 130), suspend

How:
  --group KIND         none, process, container, remote or listener
  --sort COLUMN        sort by this column; with - before it the other way round
  --columns LIST       these columns, in this order: proto recv_q send_q local remote state user inode program netns unit backlog
                       accepts accepted overflows tx rx rtt retrans age peer why graph sent received; w and the arrows scroll
  --event LIST         which events the screen of events tells of; without it listen, open, accept, fail, close, retransmit, reset,
                       overflow, error. drop has the kernel run a program for each packet that nobody wants
  --config FILE        settings: columns, order, keys, colours; without it $XDG_CONFIG_HOME/netlive/config.toml
  --read-only          K and X do nothing
  --interval TIME, --color WHEN, --source SOURCE, --netns NAME, --unit, --ring SIZE

When the output is not a terminal, on one that cannot be drawn on (TERM=dumb), or with --count, the table is printed every
--interval, and -r and -i at each change too; --group, --sort, --columns, --event, --config and --read-only are an error then.
With --json each frame is one object a line:

  {"time":"2026-11-21T05:06:22.288197Z","source":"ebpf","lost":0,"resyncs":0,"sockets":[…]}
  {"time":"2026-11-21T05:06:22.288197Z","source":"rtnetlink","lost":0,"resyncs":0,"routes":[…]}
  {"time":"2026-11-21T05:06:22.288197Z","source":"procfs","lost":0,"resyncs":0,"statistics":{…},"changes":{…}}

What was lost, of events or of announcements, is counted in the first line and in JSON, and the table is read again at once.

Options: those of netlive (netlive help); by default all sockets that are not listening. A filter that names states
(state listen) chooses among all. docs/watch.md says more.
Examples:
  netlive watch -atnp              all TCP sockets with their processes
  netlive watch -tnp --group process --sort -tx
  netlive watch -tnp proc = nginx and not dst 10/8
  netlive watch -tulpn             listeners: queues, accepts a second, what they dropped
  netlive watch -tan --json --count 1
  netlive watch -rn -4 -6          the routes of IPv4 and IPv6
  netlive watch -ia                the interfaces with their rates
  netlive watch -s                 statistics with their rates
`

const traceHelp = `Prints a line for each event of TCP in this network namespace, from the moment at which it says "tracing" on
stderr until ^C. Nothing is polled: a connection that lives a few microseconds has its lines like any other.

By default these are told:

  listen       a socket listens
  open         a connection that this side began is established; DURATION is what the handshake took
  accept       a process has taken a connection that the other side began; DURATION is how long it waited for that
  fail         a connection was begun and never established: refused, timed out, unreachable, given up
  close        the end of a connection, with its whole life: how long, how many bytes each way, who closed first, how it ended
               and why, and who had the other end when that is on this machine too

--event LIST chooses, words joined by commas, all for all of them:

  state        every change of state, as netstat spells them
  retransmit   a segment was sent again: data, SYN, SYN-ACK
  reset        a reset was sent or received, with the kernel's reason
  drop         a segment of a socket was dropped, with the kernel's reason
  overflow     the queue of a listener is full, and how many it has dropped
  error        an error was set on a socket
  bind         a socket was bound to a port, UDP's too

PROCESS and PID are the process that owns the socket; - when nobody can be named with certainty. An accepted connection
belongs to its listener until a process takes it. Events that found no room in the buffer are counted and told in a line of
their own, and so is that events are complete again.

Which and how long:
  FILTER             what matches alone (netlive help filters); --explain-filter says what of it the kernel decides
  -- COMMAND         runs it and tells of it and of what it starts alone, from before its first instruction until it ends;
                     the exit code is its. Events go to stderr then, and stdout is the command's
  -4, -6, -t, --netns NAME
  --count N, --for TIME

How:
  --columns LIST     time delta event process pid local remote old new state duration sent received rtt minrtt retrans
                     connect acceptwait segsout segsin by end errno reason why peer user uid inode cookie netns cgroup …
  --absolute         date and time; --delta: time since the line before
  --json, --csv      an object or a record a line (netlive help json); numbers are raw, times in microseconds
  --stack            what the kernel was doing, innermost function first
  --summary          at the end: how many of each, how connections ended, percentiles of how long things took
  --color WHEN, --unit, --ring SIZE

Needs root, or CAP_BPF and CAP_PERFMON; bind needs CAP_NET_ADMIN too.
Examples:
  netlive trace
  netlive trace --event close 'dport = :443 and age < 100ms'
  netlive trace --event fail,reset,retransmit,drop
  netlive trace -- curl https://example.org/
  netlive trace --event reset --stack
  netlive trace --for 10s --summary proc = nginx
  netlive trace --json | jq -r 'select(.event == "close") | [.owners[0].comm, .duration_us, .end] | @tsv'
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

  An event has, besides the names of its socket (without recv_q and send_q; owners has no process or one), time (RFC 3339 in UTC
  with nanoseconds), event (a word of --event), with --stack stack (the kernel's functions, the innermost first), and by its kind:

    begin                    the first line: schema (netlive.event.v1), version, hook (by what the kernel tells), events (the
                             kinds that are told), filter; nothing of a socket
    state                    old_state, new_state, state_us (time in the old one) and, with new_state CLOSE, minisocket: TIME_WAIT
                             or FIN_WAIT2, when the kernel keeps the connection in that state a while longer
    open                     connect_us (what the handshake took)
    accept                   accept_wait_us (how long it waited for accept(2))
    fail close               duration_us, states_us (the time in each state that it was in), connect_us, accept_wait_us;
                             bytes_sent and bytes_received (each byte once), bytes_retrans; segs_out, segs_in, retrans; rtt_us,
                             min_rtt_us; closed_by (local or remote: who closed or reset it first); end (fin reset_received
                             reset_sent timeout refused error canceled), reason, errno; signal (what killed the process), exited
                             (whether that ended without having closed it); peer (the process at the other end, as in owners, and
                             its netns)
    retransmit drop          segment (data syn syn-ack fin ack rst), seq, len (bytes of data); retransmit: nth (how often
                             time-outs have sent it again); drop: reason (the kernel's word)
    reset                    direction (sent or received), reason
    overflow                 backlog, max_backlog (connections that wait to be accepted, and how many may), dropped (what the
                             listener dropped since it was looked at last)
    error                    errno
    lost resync              lost: count, how many events found no room; resync: they are complete again. Nothing of a socket
    summary                  the last line, with --summary: events, lost, closes, fails, bytes_sent, bytes_received,
                             bytes_retrans, retrans; connect_us, accept_wait_us, duration_us (count, p50, p90, p99, max)

  Names in _us are microseconds; what is not known is null, and so are state, uid and inode where a segment came for no socket.
  docs/netlive.event.v1.schema.json is the JSON Schema of these lines. Within v1 names may be added, and none changes its meaning.

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
  netlive watch -s --json prints {"time", "source", "lost", "resyncs", "statistics", "changes"}: statistics is the object of objects
  that -s --json prints, and changes has, under the same names, what was added since the frame before ({"Tcp": {"ActiveOpens": 3}}):
  a counter that did not move is left out, one that went back is null, gauges may be negative; {} in the first frame.
  netlive watch -g --json prints {"time", "source", "lost", "resyncs", "groups"}, an array as that of -g --json.
  netlive -g --json prints one array of groups: family, iface, users, group.
  netlive -M --json prints one array of connections: proto, source_addr, source_port, destination_addr, destination_port, masq_port,
  init_seq, delta, previous_delta, expires_cs (1/100 s).
`

const filtersHelpHead = `Filters

  netlive, netlive watch and netlive trace show what a filter matches. The words that are no options are one; so is each --filter, and
  all must match. Brackets and signs are quoted from the shell.

    netlive -tan state established and dport = :443
    netlive -tan '( sport = :http or sport = :https ) dst 193.233.7/24'
    netlive watch -tn 'proc = nginx and not dst 10/8'
    netlive -xa dbus                                                 a word alone is searched for
    netlive trace 'pid in {812, 813} or unit ~ ^edge-'

  It is ss(8)'s language, and ss's filters mean what they mean there, with more fields. A field is compared with a value by = != < <= > >=,
  with a regular expression by ~ !~, with several by in {A, B} and not in {A, B}; without a sign it is =. FIELD:VALUE is a short way to
  write it, and numbers may be ranges (8000-8999). Tests are joined by and (which can be left out), or, not (!) and brackets.

Fields

`

const filtersHelpTail = `
  A number alone is a port or a PID; a word alone is searched for, in any case, in the names of processes, in addresses and in the
  paths of UNIX sockets. Names in quotes are names, whatever they look like.

  What is not known matches nothing: neither proc = nginx nor proc != nginx shows a socket whose process is not known. What a
  socket has not is known: dport != 443 shows listeners.

  A filter that names states chooses among all sockets, listening ones too, as by -a; with -l among those that listen.
  Owners are looked for when the filter asks about them, be they shown (-p) or not.

  --explain-filter says what the kernel decides, before an event costs anything, and what netlive does.
  docs/filters.md has the whole grammar.
`
