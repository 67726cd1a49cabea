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

/* Types that are only pointed to; this keeps them in BTF for bpf2go. */
const struct detail_record *detail_record_type __attribute__((unused));
const struct stack_record *stack_record_type __attribute__((unused));

/* Inode number of the one network namespace to tell of; 0 tells of all. Set before load. */
const volatile __u32 filter_netns = 0;
/* The same as SO_NETNS_COOKIE has it, for programs that are not told the number; 0 is all, or unknown. */
const volatile __u64 filter_netns_cookie = 0;

/* AF_INET or AF_INET6, the one of which TCP is told; 0 is both. Set before load. */
const volatile __u16 filter_family = 0;

/* Inode number of the reader's PID namespace, by whose numbers processes are told; 0 is the initial one. Set before load. */
const volatile __u32 pid_namespace = 0;

/* What is told: 1 << enum event_kind. Set before load. */
const volatile __u32 events_wanted = 0;

/* With each event the kernel's stack. Set before load. */
const volatile bool want_stack = 0;

/* The reader keeps a table, and is told when it is stale. Set before load. */
const volatile bool keep_table = 0;

/* Records that found no room in the ring. Written here, read by Go. */
__u64 events_lost;

/*
 * Set by the reader just before it blocks, cleared by whoever wakes it. A wakeup costs the traced
 * CPU more than all else here together, and a reader that is awake finds the record anyway.
 */
__u32 reader_sleeps;

/*
 * By enum news: what no event tells of has happened since Go cleared the byte. Of stale the reader is told
 * at once, by one record until it clears it; active it looks at when it sees fit. Bytes, so that processors which set
 * different ones need no atomic operation.
 */
__u8 stale[NEWS_COUNT];
__u8 active[NEWS_COUNT];

/*
 * Which processes hold sockets: the number of the walk that found them last, or that was the last when
 * they became owners, by the low bits of their PID. Two processes may share an entry: then one is taken for a holder that is none, and
 * a walk is made for nothing.
 */
#define HOLDERS (1 << 16)
__u8 holders[HOLDERS];
/* The number of the walk, 1 to 255. Written by Go before each walk over descriptors. */
__u8 walk = 1;
/* A process that holds sockets has run another program, so the names in lives may be old. */
__u8 renamed;

/* Events to Go. Written by watch_*, emptied by tracer.Stream. Size set before load. */
struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 1 << 24);
	__type(value, struct event_record); /* keeps the type in BTF for bpf2go */
} events SEC(".maps");

/*
 * What is remembered of a socket. Pointers within the kernel's structures are followed by probe reads and once in a life where that will do:
 * a typed load would be quicker, but each costs a millisecond of the verifier's time, which searches all of the kernel's types by
 * name (kernel/bpf/verifier.c, btf_nested_type_is_trusted).
 */
struct life {
	__u64 since_ns; /* when it entered its state; 0 unknown */
	__u64 start_ns; /* when the owner started */
	__u64 cgroup; /* a child has its listener's (kernel/cgroup/cgroup.c, cgroup_sk_clone); 0 not asked for yet */
	__u8 comm[COMM_LEN];
	__u32 pid; /* owner's thread group id as the reader knows it; 0 unknown */
	__u32 tgid; /* the same as the kernel knows it */
	__u32 user; /* the last of others that were seen to use the socket, as tgid */
	__u8 how; /* enum owner_how */
	__u8 state; /* that was told last; 0 none */
	__u8 unborn; /* its change to SYN_RECV, at since_ns, is still to be told */
	__u8 pad[1];
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

static __always_inline __be32 net32(__u32 n)
{
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
	return __builtin_bswap32(n);
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
		return with_ino->sk_ino;

	struct socket *socket = sk->sk_socket;

	if (!socket)
		return 0;
	/* sockfs allocates the two together (net/socket.c, sock_alloc_inode). */
	return BPF_CORE_READ((struct socket_alloc *)socket, vfs_inode.i_ino);
}

/* The number of a namespace that has gone is soon another's; its cookie is not. */
static __always_inline bool in_namespace(const struct sock *sk)
{
	if (!filter_netns)
		return 1;

	const struct net *net = sk->__sk_common.skc_net.net;

	return net->ns.inum == filter_netns && (!filter_netns_cookie || net->net_cookie == filter_netns_cookie);
}

/* The same by a pointer that the verifier knows nothing of. */
static __always_inline bool is_shown(const struct net *net)
{
	if (!filter_netns)
		return 1;
	return BPF_CORE_READ(net, ns.inum) == filter_netns && (!filter_netns_cookie || BPF_CORE_READ(net, net_cookie) == filter_netns_cookie);
}

static __always_inline bool is_watched(const struct sock *sk)
{
	/* MPTCP and SCTP sockets come by the same hooks; the TCP subflows of MPTCP are what netstat shows. */
	return sk->sk_protocol == IPPROTO_TCP && (!filter_family || sk->__sk_common.skc_family == filter_family) && in_namespace(sk);
}

/* The cgroup that the socket was made in, as cgroup v2 numbers it. */
static __always_inline __u64 read_cgroup(const struct sock *sk)
{
	if (!bpf_core_field_exists(sk->sk_cgrp_data.cgroup))
		return 0;
	return BPF_CORE_READ(sk, sk_cgrp_data.cgroup, kn, id);
}

/* The process of a task as the reader numbers it; 0 when it is not in the reader's PID namespace. */
static __always_inline __u32 read_pid(struct task_struct *task)
{
	if (!pid_namespace)
		return BPF_CORE_READ(task, tgid);

	struct pid *pid = BPF_CORE_READ(task, signal, pids[PIDTYPE_TGID]);
	__u32 level = BPF_CORE_READ(pid, level);

	for (__u32 i = 0; i < 32; i++) { /* include/linux/pid_namespace.h, MAX_PID_NS_LEVEL */
		struct upid upid = {};

		if (i > level)
			break;
		bpf_core_read(&upid, sizeof(upid), &pid->numbers[i]);
		if (BPF_CORE_READ(upid.ns, ns.inum) == pid_namespace)
			return upid.nr;
	}
	return 0;
}

/* The thread's name may be its own: a process is known by its leader's. */
static __always_inline void read_comm(__u8 *comm, struct task_struct *task)
{
	BPF_CORE_READ_STR_INTO((__u8(*)[COMM_LEN])comm, task, group_leader, comm);
}

static __always_inline void hold(__u32 tgid)
{
	holders[tgid % HOLDERS] = walk;
}

/* Found by the last walk or by the one before: the last may be under way. */
static __always_inline bool holds(__u32 tgid)
{
	__u8 found = holders[tgid % HOLDERS];

	return found && (found == walk || found == (walk == 1 ? 255 : walk - 1));
}

#include "filter.bpf.h"
#include "past.bpf.h"

/* Only where the kernel runs on behalf of the process that holds the socket. */
static __always_inline void own_by_current(struct life *life)
{
	struct task_struct *task = (void *)bpf_get_current_task();

	life->tgid = bpf_get_current_pid_tgid() >> 32;
	life->user = 0;
	life->pid = read_pid(task);
	life->how = life->pid ? HOW_EXACT : HOW_UNKNOWN;
	life->start_ns = BPF_CORE_READ(task, group_leader, start_boottime);
	read_comm(life->comm, task);
	hold(life->tgid);
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

static __always_inline void *reserve(__u64 size)
{
	void *r = bpf_ringbuf_reserve(&events, size, 0);

	if (!r)
		__sync_fetch_and_add(&events_lost, 1);
	return r;
}

static __always_inline void submit(void *r)
{
	__u64 flags = BPF_RB_NO_WAKEUP;

	if (reader_sleeps) {
		reader_sleeps = 0;
		flags = BPF_RB_FORCE_WAKEUP;
	}
	bpf_ringbuf_submit(r, flags);
}

/* Tells the reader, once until it clears the byte, that a walk has something to find. */
static __always_inline void announce(enum news news)
{
	if (!keep_table || stale[news])
		return;
	stale[news] = 1;

	struct event_record *r = bpf_ringbuf_reserve(&events, sizeof(*r), 0);

	if (!r)
		return; /* the reader is behind, awake, and looks at stale by itself */
	__builtin_memset(r, 0, sizeof(*r));
	r->kind = EVENT_STALE;
	r->at_ns = bpf_ktime_get_ns();
	submit(r);
}

static __always_inline void set_owner(struct event_record *r, const struct life *life)
{
	if (!life || !life->pid)
		return;
	r->pid = life->pid;
	r->how = life->how;
	r->start_ns = life->start_ns;
	copy16(r->comm, life->comm);
}

static __always_inline void fill(struct event_record *r, const struct sock *sk, struct life *life)
{
	const struct sock_common *skc = &sk->__sk_common;
	/* The verifier's way of a cast. */
	struct tcp_sock *tp = bpf_skc_to_tcp_sock((void *)sk);

	r->cookie = bpf_get_socket_cookie((void *)sk);
	r->netns = skc->skc_net.net->ns.inum;
	r->family = skc->skc_family;
	r->dev = skc->skc_bound_dev_if;
	r->uid = sk->sk_uid.val;
	r->inode = read_inode(sk);
	r->cgroup = life && life->cgroup ? life->cgroup : read_cgroup(sk);
	if (life)
		life->cgroup = r->cgroup;
	/* Not skc_num, which is 0 by the time of CLOSE (net/ipv4/inet_hashtables.c, inet_put_port). */
	if (tp)
		r->lport = host16(tp->inet_conn.icsk_inet.inet_sport);
	r->rport = host16(skc->skc_dport);
	read_addresses(skc, r->local, r->remote);
	set_owner(r, life);
}

static __always_inline bool wanted(enum event_kind kind)
{
	return events_wanted & (1U << kind);
}

/* Is an event of this socket to be told? Asked once for all that a hook has to tell. */
static __always_inline bool let_through(const struct event_record *r, const struct life *life)
{
	return passes(r) && is_followed(life ? life->tgid : 0, r->start_ns);
}

/* Sends an event without detail; with a stack where stacks are wanted. */
static __always_inline void send(void *ctx, const struct event_record *r)
{
	if (want_stack) {
		struct stack_record *s = reserve(sizeof(*s));

		if (!s)
			return;
		__builtin_memset(s, 0, sizeof(*s));
		s->detail.event = *r;
		bpf_get_stack(ctx, s->stack, sizeof(s->stack), 0);
		submit(s);
		return;
	}

	struct event_record *to = reserve(sizeof(*to));

	if (!to)
		return;
	*to = *r;
	submit(to);
}

/* Makes room for an event with its detail; NULL when there is none. */
static __always_inline struct detail_record *detail(void *ctx, const struct event_record *r)
{
	struct detail_record *d;

	if (want_stack) {
		struct stack_record *s = reserve(sizeof(*s));

		if (!s)
			return 0;
		__builtin_memset(s, 0, sizeof(*s));
		bpf_get_stack(ctx, s->stack, sizeof(s->stack), 0);
		d = &s->detail;
	} else {
		d = reserve(sizeof(*d));
		if (!d)
			return 0;
		__builtin_memset(d, 0, sizeof(*d));
	}
	d->event = *r;
	d->accept_wait_ns = ~0ULL;
	d->reason = ~0U;
	return d;
}

/* The end of a connection, or of the attempt to make one. */
static __always_inline void tell_end(void *ctx, struct event_record *r, struct sock *sk, struct past *past, bool told)
{
	if (past->flags & PAST_COUNTED) {
		past->flags &= ~PAST_COUNTED;
		__sync_fetch_and_add(&followed_alive, -1);
	}

	bool failed = r->old_state == TCP_SYN_SENT || r->old_state == TCP_SYN_RECV;

	r->kind = failed ? EVENT_FAIL : EVENT_CLOSE;

	struct detail_record *d = told && wanted(r->kind) ? detail(ctx, r) : 0;

	if (d)
		fill_life(d, sk, past);
	if (!failed)
		close_end(r, d, past); /* which is to be forgotten in any case */
	if (d)
		submit(d);
}

/* A process has used a connection that the other side began for the first time, and accept(2) was not seen to return it. */
static __always_inline void tell_late_accept(void *ctx, struct event_record *r, const struct life *life)
{
	struct end_key k;
	struct end *e = own_end(&k, r);

	if (!e)
		return;
	set_end_owner(e, life);
	if (e->accepted_ns)
		return;
	e->accepted_ns = r->at_ns;
	if (!wanted(EVENT_ACCEPT))
		return;
	r->kind = EVENT_ACCEPT;
	r->old_state = 0;
	r->in_old_ns = ~0ULL;
	if (let_through(r, life))
		send(ctx, r);
}

/* The process that accept(2) gave a connection to is its owner, before it has used it. */
static __always_inline void own_by_accept(struct life *life, const struct event_record *r)
{
	struct end_key k;
	struct end *e = own_end(&k, r);

	if (!e || !e->accept_exact)
		return;
	life->pid = e->pid;
	life->tgid = e->tgid;
	life->start_ns = e->start_ns;
	life->how = e->how;
	copy16(life->comm, e->comm);
}

/*
 * The reset that the kernel sends upon this change of state comes after it (net/ipv4/tcp.c, __tcp_close and tcp_disconnect, which is also how
 * a listener gets rid of connections that nobody accepted).
 */
static __always_inline bool resets_next(const struct sock *sk, const struct event_record *r, const struct past *past)
{
	if (sk->sk_err || r->mini_state || past->flags & (PAST_RESET_SENT | PAST_RESET_RECEIVED))
		return 0;
	switch (r->old_state) { /* tcp_need_reset; those that the other side's FIN ends go to a minisocket */
	case TCP_ESTABLISHED:
	case TCP_CLOSE_WAIT:
	case TCP_FIN_WAIT1:
	case TCP_FIN_WAIT2:
	case TCP_SYN_RECV:
		return 1;
	}
	return 0;
}

/*
 * What a change of state means for the connection. r is the change, told whether it is to be told if it is wanted.
 */
static __always_inline void tell_life(void *ctx, struct event_record *r, struct sock *sk, struct life *life, struct past *past, bool told)
{
	__u8 old_state = r->old_state, new_state = r->new_state;

	if (r->in_old_ns == ~0ULL) {
		if (old_state < TCP_STATES && old_state != TCP_CLOSE && old_state != TCP_LISTEN)
			past->in_ns[old_state] = ~0ULL; /* it was there before us */
	} else if (old_state < TCP_STATES && past->in_ns[old_state] != ~0ULL) {
		past->in_ns[old_state] += r->in_old_ns;
	}
	switch (new_state) {
	case TCP_LISTEN:
		past->drops = sk->sk_drops.counter;
		past->looked_at = 1;
		past->full = 0;
		r->kind = EVENT_LISTEN;
		if (told && wanted(EVENT_LISTEN))
			send(ctx, r);
		break;
	case TCP_SYN_SENT:
		/* A socket may be connected again when it was disconnected. */
		__builtin_memset(past, 0, sizeof(*past));
		past->begin_ns = r->at_ns;
		break;
	case TCP_ESTABLISHED:
		open_end(r, life, past);
		if (follow && is_followed(life->tgid, life->start_ns)) {
			past->flags |= PAST_COUNTED;
			__sync_fetch_and_add(&followed_alive, 1);
		}
		if (past->flags & PAST_PASSIVE)
			break;
		r->kind = EVENT_OPEN;
		if (old_state == TCP_SYN_RECV)
			r->in_old_ns = past->begin_ns ? r->at_ns - past->begin_ns : ~0ULL; /* both sides sent a SYN */
		if (told && wanted(EVENT_OPEN))
			send(ctx, r);
		break;
	case TCP_FIN_WAIT1:
		past->by = SIDE_LOCAL;
		if (sk->sk_lock.owned)
			note_exit(past);
		break;
	case TCP_CLOSE_WAIT:
		past->by = SIDE_REMOTE;
		break;
	case TCP_LAST_ACK:
		if (sk->sk_lock.owned)
			note_exit(past);
		break;
	case TCP_CLOSE:
		if (old_state == TCP_LISTEN)
			break;
		if (sk->sk_lock.owned && !(past->flags & PAST_EXITED))
			note_exit(past);
		if (resets_next(sk, r, past)) {
			past->flags |= PAST_WAITS;
			past->at_ns = r->at_ns;
			past->in_old_ns = r->in_old_ns;
			past->old_state = old_state;
			if (!past->by)
				past->by = SIDE_LOCAL;
			break;
		}
		if (!past->by && past->flags & PAST_RESET_RECEIVED)
			past->by = SIDE_REMOTE;
		if (!past->by && past->flags & PAST_RESET_SENT && !sk->sk_err)
			past->by = SIDE_LOCAL;
		tell_end(ctx, r, sk, past, told);
		break;
	}
}

/* The end that waited for its reset to be sent. */
static __always_inline void tell_waiting(void *ctx, struct sock *sk, struct past *past)
{
	struct life *life = bpf_sk_storage_get(&lives, sk, 0, 0);
	struct event_record r = {};

	past->flags &= ~PAST_WAITS;
	fill(&r, sk, life);
	r.at_ns = past->at_ns;
	r.in_old_ns = past->in_old_ns;
	r.old_state = past->old_state;
	r.new_state = TCP_CLOSE;
	tell_end(ctx, &r, sk, past, let_through(&r, life));
}

/*
 * A child has just been cloned from its listener, and so has its life. Until 6.15 it still has the listener's cookie and addresses
 * at that moment (net/ipv4/inet_connection_sock.c, inet_csk_clone_lock), so that it is told with its next change, which comes in the same
 * softirq, or when it is used, which may come first where the handshake's first segment brought data (TCP Fast Open).
 */
static __always_inline int bear(struct sock *sk, struct life *life, __u64 now)
{
	if (!life) {
		__sync_fetch_and_add(&events_lost, 1);
		return 0;
	}
	/* Whoever accepts it before it is told finds its cookie only when it has been asked for one (watch_accept). */
	bpf_get_socket_cookie((void *)sk);
	life->since_ns = now;
	life->state = TCP_SYN_RECV;
	life->unborn = 1;
	if (life->pid)
		life->how = HOW_LISTENER;

	struct past *past = keep_pasts ? bpf_sk_storage_get(&pasts, sk, 0, BPF_SK_STORAGE_GET_F_CREATE) : 0;

	if (past) {
		past->begin_ns = now;
		past->flags = PAST_PASSIVE;
	}
	return 0;
}

/* r is the socket as it is now. The stack of that moment is gone. */
static __always_inline void tell_birth(struct event_record *r, const struct life *life, __u64 born)
{
	r->kind = EVENT_STATE;
	r->at_ns = born;
	r->in_old_ns = ~0ULL;
	r->old_state = TCP_LISTEN;
	r->new_state = TCP_SYN_RECV;
	if (!wanted(EVENT_STATE) || !let_through(r, life))
		return;

	struct event_record *to = reserve(sizeof(*to));

	if (!to)
		return;
	*to = *r;
	submit(to);
}

/*
 * Every change of state of a TCP socket (net/ipv4/af_inet.c, inet_sk_set_state and
 * inet_sk_state_store). Runs under the socket's lock, so the events of one socket come
 * in order; in whose context depends on the change.
 */
static __always_inline int tell_state(void *ctx, struct sock *sk, struct life *life, int old_state, int new_state)
{
	__u64 now = bpf_ktime_get_ns();
	__u64 since = 0, born = 0;

	if (old_state == TCP_LISTEN && new_state == TCP_SYN_RECV)
		return bear(sk, life, now);
	if (life) {
		if (life->unborn) {
			life->unborn = 0;
			born = life->since_ns;
		}
		if (new_state == TCP_SYN_SENT || new_state == TCP_LISTEN) {
			/* connect(2) and listen(2): system calls of the owner. */
			own_by_current(life);
		} else if ((new_state == TCP_FIN_WAIT1 || new_state == TCP_LAST_ACK) && sk->sk_lock.owned) {
			/*
			 * So are close(2) and shutdown(2), the only ways to these (net/ipv4/tcp.c, tcp_close_state). A last
			 * descriptor that a kernel thread lets go of is closed by a worker (fs/file_table.c, delayed_fput),
			 * which holds no sockets.
			 */
			__u32 current = bpf_get_current_pid_tgid() >> 32;

			if (life->how != HOW_EXACT || (current != life->tgid && holds(current)))
				own_by_current(life);
		}
		/* Who is interrupted is who it is, too: its name may be read in any context. */
		if (renamed && life->pid && life->tgid == bpf_get_current_pid_tgid() >> 32)
			read_comm(life->comm, (void *)bpf_get_current_task());
		since = life->since_ns;
		life->since_ns = now;
		life->state = new_state;
	}

	struct event_record r = {};
	struct past *past = life && keep_pasts ? bpf_sk_storage_get(&pasts, sk, 0, BPF_SK_STORAGE_GET_F_CREATE) : 0;

	fill(&r, sk, life);
	if (born)
		tell_birth(&r, life, born);
	r.at_ns = now;
	r.in_old_ns = since ? now - since : ~0ULL;
	r.old_state = old_state;
	r.new_state = new_state;
	if (new_state == TCP_CLOSE)
		r.mini_state = mini_state(sk, old_state);
	if (past && life->how == HOW_LISTENER && old_state == TCP_ESTABLISHED) {
		own_by_accept(life, &r);
		set_owner(&r, life);
	}

	bool told = let_through(&r, life);

	if (told && wanted(EVENT_STATE)) {
		r.kind = EVENT_STATE;
		send(ctx, &r);
	}
	if (past)
		tell_life(ctx, &r, sk, life, past, told);
	return 0;
}

/*
 * The kernel does not run a program on a processor where it is running already (kernel/trace/bpf_trace.c, __bpf_trace_run, since 6.1): when a timer
 * or a packet interrupts it in a system call, the change that they make would not be told, and nobody would be told of that
 * either. So there are two of them, of which the one that comes second finds that all has been told, as a rule. A socket for which there is no
 * storage is told of by the first alone.
 */
static __always_inline int once(void *ctx, struct sock *sk, int old_state, int new_state, bool too)
{
	if (old_state == new_state || !is_watched(sk))
		return 0;

	struct life *life = bpf_sk_storage_get(&lives, sk, 0, BPF_SK_STORAGE_GET_F_CREATE);

	if (life ? life->state == new_state : too)
		return 0;
	return tell_state(ctx, sk, life, old_state, new_state);
}

SEC("tp_btf/inet_sock_set_state")
int BPF_PROG(watch_tcp_state, struct sock *sk, int old_state, int new_state)
{
	return once(ctx, sk, old_state, new_state, 0);
}

SEC("tp_btf/inet_sock_set_state")
int BPF_PROG(watch_tcp_state_too, struct sock *sk, int old_state, int new_state)
{
	return once(ctx, sk, old_state, new_state, 1);
}

/*
 * The process that reads from or writes to a connection first is the one that took
 * it: the worker, where the listener's owner was its master. When another one uses it later, it was inherited or passed over a
 * UNIX socket: the newcomer is the owner from then on, and a walk tells who else holds it. The two that were seen last
 * are remembered, so that processes which take turns make no news.
 */
static __always_inline int owner_uses(void *ctx, struct sock *sk, bool in_process)
{
	/*
	 * How far an owner is known decides first: this runs at each read and write, and all
	 * but the first end here.
	 */
	struct life *life = bpf_sk_storage_get(&lives, sk, 0, 0);

	if (!life)
		return 0;

	__u32 current = bpf_get_current_pid_tgid() >> 32;
	__u32 before = life->tgid;
	bool known = life->how == HOW_EXACT;

	if (!current || (known && (current == before || current == life->user)))
		return 0;
	if (!in_process || !is_watched(sk))
		return 0;

	__u8 how = life->how;

	if (life->unborn) {
		struct event_record r = {};

		life->unborn = 0;
		fill(&r, sk, life);
		tell_birth(&r, life, life->since_ns);
	}
	own_by_current(life);
	if (keep_pasts) {
		struct event_record r = {};

		fill(&r, sk, life);
		r.at_ns = bpf_ktime_get_ns();
		r.new_state = sk->__sk_common.skc_state;
		if (how == HOW_LISTENER)
			tell_late_accept(ctx, &r, life);
		if (!keep_table)
			return 0;
	}
	if (life->tgid == before)
		return 0;
	if (known) {
		life->user = before;
		announce(NEWS_OWNERS);
	}
	if (!wanted(EVENT_OWNER))
		return 0;

	struct event_record r = {};

	fill(&r, sk, life);
	r.kind = EVENT_OWNER;
	r.at_ns = bpf_ktime_get_ns();
	r.new_state = sk->__sk_common.skc_state;
	if (let_through(&r, life))
		send(ctx, &r);
	return 0;
}

/* Each read from a TCP socket (net/ipv4/tcp_input.c, tcp_rcv_space_adjust). */
SEC("tp_btf/tcp_rcv_space_adjust")
int BPF_PROG(watch_tcp_read, struct sock *sk)
{
	if (in_namespace(sk))
		active[NEWS_TCP] = 1;
	/*
	 * Not owned by a user means softirq (an in-kernel reader such as strparser), where
	 * current is whoever was interrupted. lock_sock sets it, bh_lock_sock does not.
	 */
	return owner_uses(ctx, sk, sk->sk_lock.owned);
}

static __always_inline enum news news_of(const struct sock *sk)
{
	if (sk->__sk_common.skc_family == AF_UNIX)
		return NEWS_UNIX;
	switch (sk->sk_protocol) {
	case IPPROTO_TCP:
		return NEWS_TCP;
	case IPPROTO_UDP:
	case IPPROTO_UDPLITE:
		return NEWS_UDP;
	}
	return NEWS_RAW;
}

/*
 * Each write to a socket (net/socket.c, call_trace_sock_send_length), since 6.3: for servers that speak first. The lock is free
 * again by then; nobody comes this way from softirq.
 */
SEC("tp_btf/sock_send_length")
int BPF_PROG(watch_write, struct sock *sk)
{
	enum news news = news_of(sk);

	if (in_namespace(sk))
		active[news] = 1;
	return news == NEWS_TCP ? owner_uses(ctx, sk, 1) : 0;
}

/* Whether a file is a socket that the table has. The inode of one that was opened with O_PATH is a socket's too, and nothing is behind it. */
static __always_inline bool is_our_socket(struct file *file)
{
	umode_t mode = BPF_CORE_READ(file, f_inode, i_mode);

	if ((mode & S_IFMT) != S_IFSOCK)
		return 0;

	struct socket *socket = BPF_CORE_READ(file, private_data);
	struct sock *sk = BPF_CORE_READ(socket, sk);

	return sk && is_shown(BPF_CORE_READ(sk, __sk_common.skc_net.net));
}

static __noinline bool has_our_socket(struct scm_fp_list *list)
{
	short count = BPF_CORE_READ(list, count);

	for (int i = 0; i < 253 && i < count; i++) {
		struct file *file;

		if (!bpf_core_read(&file, sizeof(file), &list->fp[i]) && is_our_socket(file))
			return 1;
	}
	return 0;
}

/*
 * Descriptors that come over a UNIX socket may be sockets, which then have one owner more (unix(7), SCM_RIGHTS). The
 * message was queued just now; it is received, and the descriptors are there, when watch_receive is called.
 */
static __always_inline void note_descriptors(const struct sock *sk)
{
	struct sk_buff *skb = BPF_CORE_READ(sk, sk_receive_queue.prev);

	/* An empty queue points to itself, and what is there is no sk_buff. */
	if (!skb || skb == (void *)&sk->sk_receive_queue)
		return;

	struct unix_skb_parms *parms = (void *)&skb->cb;

	struct scm_fp_list *list = BPF_CORE_READ(parms, fp);

	if (!list || !has_our_socket(list))
		return;

	struct life *life = bpf_sk_storage_get(&lives, (void *)sk, 0, BPF_SK_STORAGE_GET_F_CREATE);

	if (life)
		life->how = HOW_PASSED;
}

static __always_inline void note_data(const struct sock *sk)
{
	enum news news = news_of(sk);

	if (in_namespace(sk))
		active[news] = 1;
	if (news == NEWS_UNIX)
		note_descriptors(sk);
}

/* Data has come for a socket of any kind (include/trace/events/sock.h, sk_data_ready), since 6.3. */
SEC("tp_btf/sk_data_ready")
int BPF_PROG(watch_data, const struct sock *sk)
{
	note_data(sk);
	return 0;
}

/* Each read from a socket (net/socket.c, call_trace_sock_recv_length), since 6.3. */
SEC("tp_btf/sock_recv_length")
int BPF_PROG(watch_receive, struct sock *sk)
{
	if (sk->__sk_common.skc_family != AF_UNIX)
		return 0;

	struct life *life = bpf_sk_storage_get(&lives, sk, 0, 0);

	if (life && life->how == HOW_PASSED) {
		life->how = HOW_UNKNOWN;
		announce(NEWS_OWNERS);
	}
	return 0;
}

/*
 * Nothing tells of a request that waits for the end of its handshake but that its SYN-ACK is sent again, a second after
 * the first (net/ipv4/tcp_output.c, tcp_rtx_synack).
 */
SEC("tp_btf/tcp_retransmit_synack")
int BPF_PROG(watch_synack, const struct sock *sk)
{
	if (in_namespace(sk))
		active[NEWS_TCP] = 1;
	return 0;
}

/*
 * Sockets of the internet families that come, go and are bound, in the process's own context (net/ipv4/af_inet.c). TCP has its
 * events. These are for the root of cgroup v2 and need CAP_NET_ADMIN; without them UDP and raw sockets are walked at each interval.
 */
static __always_inline int inet_changes(struct bpf_sock *sk)
{
	if (sk->protocol != IPPROTO_TCP && (!filter_netns_cookie || bpf_get_netns_cookie(sk) == filter_netns_cookie))
		announce(sk->protocol == IPPROTO_UDP || sk->protocol == IPPROTO_UDPLITE ? NEWS_UDP : NEWS_RAW);
	return 1; /* let it */
}

SEC("cgroup/sock_create")
int inet_create(struct bpf_sock *sk)
{
	return inet_changes(sk);
}

SEC("cgroup/sock_release")
int inet_release(struct bpf_sock *sk)
{
	return inet_changes(sk);
}

/* bind(2). The program may not ask for the number of the namespace, only for its cookie. */
static __always_inline int tell_bind(struct bpf_sock *sk, bool inet6)
{
	struct life life = {};
	struct event_record r = {};

	if (!wanted(EVENT_BIND) || (filter_netns && (!filter_netns_cookie || bpf_get_netns_cookie(sk) != filter_netns_cookie)))
		return 1;
	r.family = sk->family;
	if (filter_family && r.family != filter_family)
		return 1;
	r.kind = EVENT_BIND;
	r.protocol = sk->protocol;
	r.cookie = bpf_get_socket_cookie(sk);
	r.at_ns = bpf_ktime_get_ns();
	r.in_old_ns = ~0ULL;
	r.new_state = TCP_CLOSE;
	r.netns = filter_netns;
	r.lport = sk->src_port;
	if (inet6) { /* a program of one family may not look at the other's address */
		__u32 *to = (__u32 *)r.local;

		to[0] = sk->src_ip6[0];
		to[1] = sk->src_ip6[1];
		to[2] = sk->src_ip6[2];
		to[3] = sk->src_ip6[3];
	} else {
		*(__be32 *)r.local = sk->src_ip4;
	}
	r.uid = bpf_get_current_uid_gid();
	own_by_current(&life);
	set_owner(&r, &life);
	if (!let_through(&r, &life))
		return 1;

	struct event_record *to = reserve(sizeof(*to)); /* these programs may not ask for the stack */

	if (!to)
		return 1;
	*to = r;
	submit(to);
	return 1;
}

SEC("cgroup/post_bind4")
int inet_bind4(struct bpf_sock *sk)
{
	tell_bind(sk, 0);
	return inet_changes(sk);
}

SEC("cgroup/post_bind6")
int inet_bind6(struct bpf_sock *sk)
{
	tell_bind(sk, 1);
	return inet_changes(sk);
}

static __always_inline void follow_child(struct task_struct *parent, struct task_struct *child)
{
	struct process of = { .start_ns = BPF_CORE_READ(parent, group_leader, start_boottime), .tgid = parent->tgid };
	struct process p = { .start_ns = BPF_CORE_READ(child, group_leader, start_boottime), .tgid = child->tgid };
	__u8 yes = 1;

	if (parent->tgid == reader || bpf_map_lookup_elem(&followed, &of))
		bpf_map_update_elem(&followed, &p, &yes, BPF_ANY);
}

/* A process that holds sockets has a child, which holds them too (kernel/fork.c). */
SEC("tp_btf/sched_process_fork")
int BPF_PROG(watch_fork, struct task_struct *parent, struct task_struct *child)
{
	if (follow && parent->tgid != child->tgid)
		follow_child(parent, child);
	if (parent->tgid != child->tgid && holds(parent->tgid)) {
		hold(child->tgid);
		announce(NEWS_OWNERS);
	}
	return 0;
}

/* It runs another program: descriptors may close, and its name changes (fs/exec.c). */
SEC("tp_btf/sched_process_exec")
int BPF_PROG(watch_exec, struct task_struct *task)
{
	if (holds(task->tgid)) {
		renamed = 1;
		announce(NEWS_OWNERS);
	}
	return 0;
}

/* One of its threads ends (kernel/exit.c); with the last, its descriptors close. */
SEC("tp_btf/sched_process_exit")
int BPF_PROG(watch_exit, struct task_struct *task)
{
	if (task->group_leader == task && holds(task->tgid))
		announce(NEWS_OWNERS);
	return 0;
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

/* Children whose change to SYN_RECV is still to be told, as in bear: when it was, by address. There are few at a time: the next change comes in the same softirq. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 1 << 12);
	__type(key, __u64);
	__type(value, __u64);
} births SEC(".maps");

/*
 * The same news without what only BTF gives: the cookie (the address stands in and Go tells
 * lives apart by their first states), the namespace, the time in the old state (Go counts it).
 */
SEC("tracepoint/sock/inet_sock_set_state")
int watch_tcp_state_classic(struct classic_state *ctx)
{
	if (ctx->protocol != IPPROTO_TCP || ctx->oldstate == ctx->newstate)
		return 0;

	struct event_record r = { .kind = EVENT_STATE };

	r.cookie = (__u64)ctx->skaddr;
	r.at_ns = bpf_ktime_get_ns();
	r.in_old_ns = ~0ULL;
	r.old_state = ctx->oldstate;
	r.new_state = ctx->newstate;
	r.family = ctx->family;
	r.lport = ctx->sport;
	r.rport = ctx->dport;
	if (ctx->family == AF_INET6) {
		__builtin_memcpy(r.local, ctx->saddr_v6, 16);
		__builtin_memcpy(r.remote, ctx->daddr_v6, 16);
	} else {
		__builtin_memcpy(r.local, ctx->saddr, 4);
		__builtin_memcpy(r.remote, ctx->daddr, 4);
	}
	if (ctx->newstate == TCP_SYN_SENT || ctx->newstate == TCP_LISTEN) {
		r.pid = bpf_get_current_pid_tgid() >> 32;
		r.how = HOW_EXACT;
		bpf_get_current_comm(r.comm, sizeof(r.comm));
	}
	if (!passes(&r))
		return 0;
	if (ctx->oldstate == TCP_LISTEN && ctx->newstate == TCP_SYN_RECV) {
		if (bpf_map_update_elem(&births, &r.cookie, &r.at_ns, BPF_ANY))
			__sync_fetch_and_add(&events_lost, 1);
		return 0;
	}

	__u64 *born = bpf_map_lookup_elem(&births, &r.cookie);

	if (born) {
		struct event_record birth = r;

		birth.at_ns = *born;
		birth.old_state = TCP_LISTEN;
		birth.new_state = TCP_SYN_RECV;
		bpf_map_delete_elem(&births, &r.cookie);
		send(ctx, &birth);
	}
	send(ctx, &r);
	return 0;
}

#include "why.bpf.h"
#include "dump.bpf.h"

char LICENSE[] SEC("license") = "GPL"; /* seq_write and probe reads are for GPL programs */
