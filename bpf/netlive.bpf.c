// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The kernel side of netlive: watch_* programs stream what happens to TCP sockets
 * into a ring buffer, dump_* programs (dump.bpf.h) list the sockets that are there.
 *
 * Everything here loads with CAP_BPF and CAP_PERFMON alone: typed raw tracepoints
 * (5.5), iterators (5.9), socket storage in tracing programs (5.11), the socket
 * cookie in tracing programs (5.12). No kprobe, no fentry, no tracefs.
 * watch_tcp_state_classic serves where there is no BTF: it reads no kernel
 * structure and needs tracefs instead.
 */
#include "kernel.h"
#include "records.h"

#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_tracing.h>

/* Inode number of the one network namespace to tell of; 0 tells of all. Set before load. */
const volatile __u32 filter_netns = 0;

/* Records that found no room in the ring. Written here, read by Go. */
__u64 events_lost;

/*
 * Set by the reader just before it blocks, cleared by whoever wakes it. A wakeup costs the traced
 * CPU more than all else here together, and a reader that is awake finds the record anyway.
 */
__u32 reader_sleeps;

/* Events to Go. Written by watch_*, emptied by tracer.Stream. Size set before load. */
struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 1 << 24);
	__type(value, struct event_record); /* keeps the type in BTF for bpf2go */
} events SEC(".maps");

/* What is remembered of a socket. */
struct life {
	__u64 since_ns; /* when it entered its state; 0 unknown */
	__u8 comm[COMM_LEN];
	__u32 pid; /* owner's thread group id; 0 unknown */
	__u8 how; /* enum owner_how */
	__u8 pad[3];
};

/*
 * Written by watch_* and dump_task_file, read by watch_*, freed by the kernel with the socket: no
 * limit, no eviction, no leak. BPF_F_CLONE copies it to the child when a listener's
 * handshake completes (net/core/sock.c, sk_clone), long before any process has
 * seen the child: that is how an accepted connection has an owner from its first event.
 */
struct {
	__uint(type, BPF_MAP_TYPE_SK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC | BPF_F_CLONE);
	__type(key, int);
	__type(value, struct life);
} lives SEC(".maps");

static __always_inline __u16 host16(__be16 n)
{
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
	return __builtin_bswap16(n);
#else
	return n;
#endif
}

/* 16 bytes that lie at a multiple of eight on both sides: two moves instead of sixteen. */
static __always_inline void copy16(void *to, const void *from)
{
	((__u64 *)to)[0] = ((const __u64 *)from)[0];
	((__u64 *)to)[1] = ((const __u64 *)from)[1];
}

static __always_inline void read_in6(void *to, const struct in6_addr *from)
{
	__u32 *words = to;

	words[0] = from->in6_u.u6_addr32[0];
	words[1] = from->in6_u.u6_addr32[1];
	words[2] = from->in6_u.u6_addr32[2];
	words[3] = from->in6_u.u6_addr32[3];
}

/* The addresses of any of the three kinds of sock that begin with sock_common. */
static __always_inline void read_addresses(const struct sock_common *skc, void *local, void *remote)
{
	if (skc->skc_family == AF_INET6) {
		read_in6(local, &skc->skc_v6_rcv_saddr);
		read_in6(remote, &skc->skc_v6_daddr);
	} else {
		*(__be32 *)local = skc->skc_rcv_saddr;
		*(__be32 *)remote = skc->skc_daddr;
	}
}

/* sockfs numbers its inodes by get_next_ino (fs/inode.c), which has 32 bits. */
static __always_inline __u32 read_inode(const struct sock *sk)
{
	const struct sock___ino *with_ino = (const void *)sk;

	if (bpf_core_field_exists(with_ino->sk_ino))
		return BPF_CORE_READ(with_ino, sk_ino);

	struct socket *socket = sk->sk_socket;

	if (!socket)
		return 0;
	/* sockfs allocates the two together (net/socket.c, sock_alloc_inode). */
	return BPF_CORE_READ((struct socket_alloc *)socket, vfs_inode.i_ino);
}

static __always_inline bool is_watched(const struct sock *sk)
{
	/* MPTCP and SCTP sockets come by the same hooks; the TCP subflows of MPTCP are what netstat shows. */
	if (sk->sk_protocol != IPPROTO_TCP)
		return 0;
	return !filter_netns || sk->__sk_common.skc_net.net->ns.inum == filter_netns;
}

/* Only where the kernel runs on behalf of the process that holds the socket. */
static __always_inline void own_by_current(struct life *life)
{
	life->pid = bpf_get_current_pid_tgid() >> 32;
	life->how = HOW_EXACT;
	/* The thread's name, but a process is known by its leader's. */
	struct task_struct *task = (void *)bpf_get_current_task();

	BPF_CORE_READ_STR_INTO(&life->comm, task, group_leader, comm);
}

/*
 * In which state does the kernel go on showing a connection that just went to CLOSE?
 *
 * tcp_time_wait (net/ipv4/tcp_minisocks.c) puts a minisocket in the place of the full one and
 * then calls tcp_done, so the tracepoint says CLOSE while netstat has TIME_WAIT or FIN_WAIT2 for
 * up to a minute more. It is told from the other ways to CLOSE by what the socket has been through:
 *
 * - A reset or a time-out sets sk_err first (tcp_reset, tcp_write_err).
 * - tcp_fin sets SOCK_DONE when the other side's FIN has come, and FIN_WAIT2 ends with that FIN in TIME_WAIT.
 * - Without the FIN only an orphan (SOCK_DEAD) is made a minisocket, which waits for it. A close by reset
 *   (no lingering, or data unread) comes here before the socket is orphaned (__tcp_close).
 */
static __always_inline __u8 mini_state(const struct sock *sk, int old_state)
{
	unsigned long flags = sk->__sk_common.skc_flags;

	if (sk->sk_err)
		return 0;
	switch (old_state) {
	case TCP_CLOSING:
		return TCP_TIME_WAIT;
	case TCP_FIN_WAIT1:
	case TCP_FIN_WAIT2:
		if (flags & (1UL << SOCK_DONE))
			return TCP_TIME_WAIT;
		if (flags & (1UL << SOCK_DEAD))
			return TCP_FIN_WAIT2;
	}
	return 0;
}

static __always_inline struct event_record *reserve(void)
{
	struct event_record *r = bpf_ringbuf_reserve(&events, sizeof(*r), 0);

	if (!r)
		__sync_fetch_and_add(&events_lost, 1);
	else
		__builtin_memset(r, 0, sizeof(*r));
	return r;
}

static __always_inline void submit(struct event_record *r)
{
	__u64 flags = BPF_RB_NO_WAKEUP;

	if (reader_sleeps) {
		reader_sleeps = 0;
		flags = BPF_RB_FORCE_WAKEUP;
	}
	bpf_ringbuf_submit(r, flags);
}

static __always_inline void fill(struct event_record *r, struct sock *sk, const struct life *life)
{
	const struct sock_common *skc = &sk->__sk_common;
	/* The verifier's way of a cast. */
	struct tcp_sock *tp = bpf_skc_to_tcp_sock(sk);

	r->cookie = bpf_get_socket_cookie(sk);
	r->netns = skc->skc_net.net->ns.inum;
	r->family = skc->skc_family;
	r->uid = sk->sk_uid.val;
	r->inode = read_inode(sk);
	/* Not skc_num, which is 0 by the time of CLOSE (net/ipv4/inet_hashtables.c, inet_put_port). */
	if (tp)
		r->lport = host16(tp->inet_conn.icsk_inet.inet_sport);
	r->rport = host16(skc->skc_dport);
	read_addresses(skc, r->local, r->remote);
	if (life && life->pid) {
		r->pid = life->pid;
		r->how = life->how;
		copy16(r->comm, life->comm);
	}
}

/*
 * Every change of state of a TCP socket (net/ipv4/af_inet.c, inet_sk_set_state and
 * inet_sk_state_store). Runs under the socket's lock, so the events of one socket come
 * in order; in whose context depends on the change.
 */
SEC("tp_btf/inet_sock_set_state")
int BPF_PROG(watch_tcp_state, struct sock *sk, int old_state, int new_state)
{
	if (old_state == new_state || !is_watched(sk))
		return 0;

	__u64 now = bpf_ktime_get_ns();
	__u64 since = 0;
	struct life *life = bpf_sk_storage_get(&lives, sk, 0, BPF_SK_STORAGE_GET_F_CREATE);

	if (life) {
		if (new_state == TCP_SYN_SENT || new_state == TCP_LISTEN) {
			/* connect(2) and listen(2): system calls of the owner. */
			own_by_current(life);
		} else if (old_state == TCP_LISTEN && new_state == TCP_SYN_RECV) {
			/* A child just cloned from its listener, and so is its life. */
			life->since_ns = 0;
			if (life->pid)
				life->how = HOW_LISTENER;
		}
		since = life->since_ns;
		life->since_ns = now;
	}

	struct event_record *r = reserve();

	if (!r)
		return 0;
	fill(r, sk, life);
	r->kind = RECORD_STATE;
	r->at_ns = now;
	r->in_old_ns = since ? now - since : ~0ULL;
	r->old_state = old_state;
	r->new_state = new_state;
	if (new_state == TCP_CLOSE)
		r->mini_state = mini_state(sk, old_state);
	submit(r);
	return 0;
}

/*
 * The process that reads from or writes to a connection first is the one that took
 * it: the worker, where the listener's owner was its master.
 */
static __always_inline int owner_uses(struct sock *sk)
{
	/*
	 * How far an owner is known decides first: this runs at each read and write, and all
	 * but the first end here.
	 */
	struct life *life = bpf_sk_storage_get(&lives, sk, 0, 0);

	if (!life || life->how == HOW_EXACT || !is_watched(sk))
		return 0;
	/*
	 * Not owned by a user means softirq (an in-kernel reader such as strparser), where
	 * current is whoever was interrupted. lock_sock sets it, bh_lock_sock does not.
	 */
	if (!sk->sk_lock.owned)
		return 0;

	__u32 before = life->pid;

	own_by_current(life);
	if (life->pid == before)
		return 0;

	struct event_record *r = reserve();

	if (!r)
		return 0;
	fill(r, sk, life);
	r->kind = RECORD_OWNER;
	r->at_ns = bpf_ktime_get_ns();
	r->new_state = sk->__sk_common.skc_state;
	submit(r);
	return 0;
}

/* Each read from a TCP socket (net/ipv4/tcp_input.c, tcp_rcv_space_adjust). */
SEC("tp_btf/tcp_rcv_space_adjust")
int BPF_PROG(watch_tcp_read, struct sock *sk)
{
	return owner_uses(sk);
}

/* Each write to a socket (net/socket.c, call_trace_sock_send_length), since 6.3: for servers that speak first. */
SEC("tp_btf/sock_send_length")
int BPF_PROG(watch_tcp_write, struct sock *sk)
{
	return owner_uses(sk);
}

/*
 * One change of state as the classic tracepoint lays it out (include/trace/events/sock.h). No CO-RE:
 * this is for kernels without BTF. Go checks the layout against tracefs before it attaches.
 */
struct classic_state {
	__u64 common;
	const void *skaddr;
	int oldstate;
	int newstate;
	__u16 sport; /* host order, as dport */
	__u16 dport;
	__u16 family;
	__u16 protocol;
	__u8 saddr[4];
	__u8 daddr[4];
	__u8 saddr_v6[16];
	__u8 daddr_v6[16];
};

/*
 * The same news without what only BTF gives: the cookie (the address stands in and Go tells
 * lives apart by their first states), the namespace, the time in the old state (Go counts it).
 */
SEC("tracepoint/sock/inet_sock_set_state")
int watch_tcp_state_classic(struct classic_state *ctx)
{
	if (ctx->protocol != IPPROTO_TCP || ctx->oldstate == ctx->newstate)
		return 0;

	struct event_record *r = reserve();

	if (!r)
		return 0;
	r->kind = RECORD_STATE;
	r->cookie = (__u64)ctx->skaddr;
	r->at_ns = bpf_ktime_get_ns();
	r->in_old_ns = ~0ULL;
	r->old_state = ctx->oldstate;
	r->new_state = ctx->newstate;
	r->family = ctx->family;
	r->lport = ctx->sport;
	r->rport = ctx->dport;
	if (ctx->family == AF_INET6) {
		__builtin_memcpy(r->local, ctx->saddr_v6, 16);
		__builtin_memcpy(r->remote, ctx->daddr_v6, 16);
	} else {
		__builtin_memcpy(r->local, ctx->saddr, 4);
		__builtin_memcpy(r->remote, ctx->daddr, 4);
	}
	if (ctx->newstate == TCP_SYN_SENT || ctx->newstate == TCP_LISTEN) {
		r->pid = bpf_get_current_pid_tgid() >> 32;
		r->how = HOW_EXACT;
		bpf_get_current_comm(r->comm, sizeof(r->comm));
	}
	submit(r);
	return 0;
}

#include "dump.bpf.h"

char LICENSE[] SEC("license") = "GPL"; /* seq_write and probe reads are for GPL programs */
