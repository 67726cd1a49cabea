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

enum record_kind {
	RECORD_STATE = 1,
	RECORD_OWNER = 2,
	RECORD_STALE = 3, /* of no socket: a byte of stale was set */
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
	__u64 in_old_ns; /* time spent in old_state; ~0 unknown */
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
	__u8 kind; /* enum record_kind */
	__u8 family;
	__u8 old_state;
	__u8 new_state;
	__u8 mini_state; /* state in which a minisocket lives on after CLOSE, or 0 */
	__u8 how; /* enum owner_how */
	__u8 pad[6];
};
_Static_assert(sizeof(struct event_record) == 120, "event_record is read by Go as is");

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
