/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the kernel side sends: the contract with internal/tracer, which reads these
 * structures as they are (bpf2go makes the Go types from this file).
 *
 * Ports are in host order, addresses as they are in packets; an IPv4 address is in
 * the first four bytes. Numbers are in the machine's order. 0 is unknown unless
 * the field says otherwise. Widest fields first, no hidden padding.
 */
#pragma once

#define COMM_LEN 16
#define TCP_STATES 12 /* include/net/tcp_states.h; those of full sockets */

/* What a record tells; the numbers are those of sock.EventKind. */
enum event_kind {
	EVENT_STATE = 1,
	EVENT_LISTEN,
	EVENT_OPEN,
	EVENT_ACCEPT,
	EVENT_FAIL,
	EVENT_CLOSE,
	EVENT_RETRANSMIT,
	EVENT_RESET,
	EVENT_DROP,
	EVENT_OVERFLOW,
	EVENT_ERROR,
	EVENT_BIND,
	EVENT_OWNER = 15,
	EVENT_STALE = 16, /* of no socket: a byte of stale was set */
};

/*
 * What happened to the sockets of a kind that no event tells, or to who holds sockets: a walk
 * tells it. The numbers are those of sock.News.
 */
enum news {
	NEWS_TCP, /* data moved: queues */
	NEWS_UDP, /* UDP and UDP-Lite */
	NEWS_RAW, /* and what else of the internet families */
	NEWS_UNIX,
	NEWS_OWNERS, /* a process that holds sockets forked, ran another program or ended, or another one uses its socket */
	NEWS_COUNT = 8,
};

/* How an owner is known; the numbers are those of sock.How. */
enum owner_how {
	HOW_UNKNOWN = 0,
	HOW_LISTENER = 2,
	HOW_SEEDED = 3,
	HOW_EXACT = 4,
	HOW_PASSED = 255, /* of a UNIX socket to which descriptors are on their way; never sent */
};

/* One event, through the ring buffer. */
struct event_record {
	__u64 cookie; /* of the socket; the classic tracepoint sends its address here */
	__u64 at_ns; /* CLOCK_MONOTONIC */
	__u64 in_old_ns; /* time spent in old_state, or as sock.Event.InOld says; ~0 unknown */
	__u64 start_ns; /* when the owner started, CLOCK_BOOTTIME */
	__u64 cgroup; /* cgroup v2 of the socket: inode number of its directory */
	__u8 local[16];
	__u8 remote[16];
	__u8 comm[COMM_LEN];
	__u32 netns;
	__u32 pid; /* owner's thread group id, in the PID namespace of the reader */
	__u32 uid; /* the socket's */
	__u32 inode;
	__u16 lport;
	__u16 rport;
	__u8 kind; /* enum event_kind */
	__u8 family;
	__u8 old_state;
	__u8 new_state;
	__u8 mini_state; /* state in which a minisocket lives on after CLOSE, or 0 */
	__u8 how; /* enum owner_how */
	__u8 protocol; /* IPPROTO_*; 0 is TCP */
	__u8 pad[1];
	__u32 dev; /* index of the interface that the socket is bound to; 0 none */
};
_Static_assert(sizeof(struct event_record) == 120, "event_record is read by Go as is");

/* The numbers are those of sock.Side. */
enum side {
	SIDE_UNKNOWN,
	SIDE_LOCAL,
	SIDE_REMOTE,
};

/* What happened to a connection before its end. */
enum past_flags {
	PAST_RESET_RECEIVED = 1 << 0,
	PAST_RESET_SENT = 1 << 1,
	PAST_FIN_RECEIVED = 1 << 2, /* never remembered: sent alone */
	PAST_EXITED = 1 << 3, /* the process ended with the socket open */
	PAST_SHUT = 1 << 4, /* the process had closed it: sent alone */
	PAST_PASSIVE = 1 << 5, /* the other side began it: never sent */
	PAST_WAITS = 1 << 6, /* its end is told when the reset has been sent: never sent */
	PAST_COUNTED = 1 << 7, /* in followed_alive: never sent */
};

/* The same with why, and of EVENT_FAIL and EVENT_CLOSE the whole life. */
struct detail_record {
	struct event_record event;
	__u64 duration_ns; /* ~0 unknown */
	__u64 accept_wait_ns; /* ~0 unknown */
	__u64 in_ns[TCP_STATES]; /* time in each state; ~0 unknown, 0 never */
	__u64 bytes_sent; /* those sent again too */
	__u64 bytes_retrans;
	__u64 bytes_received; /* the FIN counts as one */
	__u64 peer_start_ns;
	__u8 peer_comm[COMM_LEN];
	__u32 peer_pid;
	__u32 peer_netns;
	__u32 segs_out;
	__u32 segs_in;
	__u32 retrans;
	__u32 rtt_us;
	__u32 min_rtt_us; /* ~0 unknown */
	__u32 reason; /* of EVENT_DROP enum skb_drop_reason, else enum sk_rst_reason; ~0 unknown */
	__u32 seq;
	__u32 end_seq;
	__u32 backlog;
	__u32 max_backlog;
	__u32 dropped; /* ~0 unknown */
	__u16 error; /* sk_err */
	__u8 by; /* enum side */
	__u8 flags; /* enum past_flags */
	__u8 tcp_flags; /* of the segment; 0 unknown */
	__u8 nth; /* icsk_retransmits */
	__u8 signal;
	__u8 peer_how;
	__u8 pad[4];
};
_Static_assert(sizeof(struct detail_record) == 344, "detail_record is read by Go as is");

#define STACK_DEPTH 32

/* The same with the kernel's stack, the innermost function first; 0 ends it. Sent for all events where stacks are wanted. */
struct stack_record {
	struct detail_record detail;
	__u64 stack[STACK_DEPTH];
};
_Static_assert(sizeof(struct stack_record) == 600, "stack_record is read by Go as is");

/* One TCP or UDP socket, from an iterator. */
struct sock_record {
	__u64 cookie;
	__u64 at_ns; /* read under the socket's lock where the kernel takes it */
	__u64 cgroup; /* as in event_record; minisockets have none */
	__u8 local[16];
	__u8 remote[16];
	__u32 netns;
	__u32 uid;
	__u32 inode;
	__u32 recv_q;
	__u32 send_q;
	__u16 lport;
	__u16 rport;
	__u8 family;
	__u8 state;
	__u8 pad[6];
};
_Static_assert(sizeof(struct sock_record) == 88, "sock_record is read by Go as is");

/* One UNIX domain socket, from an iterator by a ring. */
struct unix_record {
	__u64 cookie;
	__u64 at_ns;
	__u64 cgroup; /* as in event_record */
	__u32 netns;
	__u32 uid;
	__u32 inode;
	__u32 refcnt;
	__u32 flags; /* 0x10000 when listening, as in /proc/net/unix */
	__u16 type; /* SOCK_* */
	__u8 state; /* SS_*, as in /proc/net/unix */
	__u8 pad;
	__u32 path_len; /* of path, without the closing NUL of a file's name */
	__u8 path[108];
};
_Static_assert(sizeof(struct unix_record) == 160, "unix_record is read by Go as is");

/* One open descriptor of one process that is a socket, from an iterator. */
struct owner_record {
	__u64 cookie;
	__u64 start_ns; /* as in event_record */
	__u8 comm[COMM_LEN];
	__u32 pid;
	__s32 fd;
	__u32 inode;
	__u8 mptcp; /* an MPTCP socket: its TCP subflows have its inode and no descriptor */
	__u8 pad[3];
};
_Static_assert(sizeof(struct owner_record) == 48, "owner_record is read by Go as is");

/* One open descriptor of one process that is a socket, for a table that is printed once. */
struct holder_record {
	__u32 pid; /* as in owner_record */
	__u32 inode;
};
_Static_assert(sizeof(struct holder_record) == 8, "holder_record is read by Go as is");
