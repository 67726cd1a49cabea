/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Iterators: each read of one walks the kernel's own tables and writes a record a
 * socket. iter/tcp, iter/udp and iter/unix list the network namespace of the thread that
 * opens them; iter/task_file lists all processes of its PID namespace.
 */
#pragma once

/* Types that are on the stack alone; this keeps them in BTF for bpf2go. */
const struct sock_record *sock_record_type __attribute__((unused));
const struct owner_record *owner_record_type __attribute__((unused));
const struct holder_record *holder_record_type __attribute__((unused));

static __always_inline void fill_common(struct sock_record *r, struct sock_common *skc, uid_t uid)
{
	r->netns = skc->skc_net.net->ns.inum;
	r->uid = uid;
	r->family = skc->skc_family;
	r->state = skc->skc_state;
	r->lport = skc->skc_num;
	r->rport = host16(skc->skc_dport);
	read_addresses(skc, r->local, r->remote);
}

/* What ties a row to events and to later rows. A cookie costs a socket a number of its own. */
static __always_inline void fill_identity(struct sock_record *r, struct sock_common *skc)
{
	r->at_ns = bpf_ktime_get_ns();
	r->cookie = bpf_get_socket_cookie(skc);
}

static __always_inline void fill_tcp_queues(struct sock_record *r, const struct tcp_sock *tp)
{
	const struct sock *sk = &tp->inet_conn.icsk_inet.sk;

	/* net/ipv4/tcp_ipv4.c, get_tcp4_sock */
	if (r->state == TCP_LISTEN) {
		r->recv_q = sk->sk_ack_backlog;
		return;
	}
	__s32 unread = tp->rcv_nxt - tp->copied_seq;

	/* A FIN counts as a byte, and copied_seq may be one ahead of it. */
	r->recv_q = unread > 0 ? unread : 0;
	r->send_q = tp->write_seq - tp->snd_una;
}

/*
 * TCP sockets of every kind: the kernel hands over full sockets under lock_sock (since 5.15), so state
 * and stamp belong together, and request and TIME_WAIT minisockets as they are. once: the table is printed once and nothing is watched.
 */
static __always_inline int tell_tcp(struct bpf_iter__tcp *ctx, bool once)
{
	struct sock_common *skc = ctx->sk_common;

	if (!skc)
		return 0;

	struct sock_record r = {};

	if (!once)
		fill_identity(&r, skc);
	fill_common(&r, skc, ctx->uid);
	if (r.state == TCP_TIME_WAIT) {
		struct tcp_timewait_sock *tw = bpf_skc_to_tcp_timewait_sock(skc);

		/* An orphan that still waits for the other side's FIN is kept as a minisocket too. */
		if (tw)
			r.state = tw->tw_sk.tw_substate;
	} else if (r.state != TCP_NEW_SYN_RECV) {
		struct tcp_sock *tp = bpf_skc_to_tcp_sock(skc);

		if (tp) {
			fill_tcp_queues(&r, tp);
			r.inode = read_inode(&tp->inet_conn.icsk_inet.sk);
			if (!once)
				r.cgroup = read_cgroup(&tp->inet_conn.icsk_inet.sk);
		}
	}
	bpf_seq_write(ctx->meta->seq, &r, sizeof(r));
	return 0;
}

SEC("iter/tcp")
int dump_tcp(struct bpf_iter__tcp *ctx)
{
	return tell_tcp(ctx, 0);
}

/* The sockets are joined to their owners by inode, as netstat does it, and nobody asks for their cgroups. */
SEC("iter/tcp")
int dump_tcp_once(struct bpf_iter__tcp *ctx)
{
	return tell_tcp(ctx, 1);
}

SEC("iter/udp")
int dump_udp(struct bpf_iter__udp *ctx)
{
	struct udp_sock *up = ctx->udp_sk;

	if (!up)
		return 0;

	struct sock_record r = {};
	struct sock *sk = &up->inet.sk;

	fill_identity(&r, &sk->__sk_common);
	fill_common(&r, &sk->__sk_common, ctx->uid);
	r.lport = host16(up->inet.inet_sport);
	r.inode = read_inode(sk);
	r.cgroup = read_cgroup(sk);
	/* net/ipv4/udp.c, udp4_format_sock; the socket itself holds one count of sk_wmem_alloc. */
	r.recv_q = sk->sk_backlog.rmem_alloc.counter - up->forward_deficit;
	r.send_q = sk->sk_wmem_alloc.refs.counter - 1;
	bpf_seq_write(ctx->meta->seq, &r, sizeof(r));
	return 0;
}

/* include/uapi/linux/net.h */
enum {
	SS_UNCONNECTED = 1,
	SS_CONNECTING,
	SS_CONNECTED,
	SS_DISCONNECTING,
	SO_ACCEPTCON = 1 << 16,
};

/*
 * The sockets go out by a ring of their own and not by the iterator's file: when its buffer of eight pages is full within one of the hash table's
 * buckets, the kernel goes on with the next bucket (net/unix/af_unix.c, bpf_iter_unix_seq_stop, since 5.18). A file
 * that nothing is written to is never full.
 */
struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 1 << 20); /* 6,000 sockets wait */
	__type(value, struct unix_record);
} unix_records SEC(".maps");

/* Sockets that found no room there. Written here, read by Go. */
__u64 unix_lost;

/* Where there are more than the ring takes they are walked in turns: those whose cookies, as far as the mask goes, are the turn's number. Written by Go. */
__u64 unix_mask;
__u64 unix_turn;

SEC("iter/unix")
int dump_unix(struct bpf_iter__unix *ctx)
{
	struct unix_sock *u = ctx->unix_sk;

	if (!u)
		return 0;

	struct sock *sk = &u->sk;
	__u64 cookie = bpf_get_socket_cookie(sk);

	if ((cookie & unix_mask) != unix_turn)
		return 0;

	struct unix_record *r = bpf_ringbuf_reserve(&unix_records, sizeof(*r), 0);

	if (!r) {
		unix_lost++;
		return 0;
	}
	__builtin_memset(r, 0, sizeof(*r));

	bool connected = sk->__sk_common.skc_state == TCP_ESTABLISHED;
	struct unix_address *addr = u->addr;

	r->at_ns = bpf_ktime_get_ns();
	r->cookie = cookie;
	r->cgroup = read_cgroup(sk);
	r->netns = sk->__sk_common.skc_net.net->ns.inum;
	r->uid = ctx->uid;
	r->inode = read_inode(sk);
	r->refcnt = sk->__sk_common.skc_refcnt.refs.counter;
	if (bpf_core_type_exists(struct bpf_unix_iter_state))
		r->refcnt--; /* the iterator's own */
	r->type = sk->sk_type;
	/* net/unix/af_unix.c, unix_seq_show: a socket without a file is half made or half gone. */
	if (sk->sk_socket) {
		r->state = connected ? SS_CONNECTED : SS_UNCONNECTED;
	} else {
		r->state = connected ? SS_CONNECTING : SS_DISCONNECTING;
	}
	if (sk->sk_socket && sk->__sk_common.skc_state == TCP_LISTEN)
		r->flags = SO_ACCEPTCON;
	if (addr) {
		/* len counts sun_family, and the closing NUL of a file's name. */
		__u64 len = (__u32)addr->len - sizeof(addr->name[0].sun_family);

		if (len > sizeof(r->path))
			len = sizeof(r->path);
		/* For the verifier, which forgets the bound when the compiler copies len to check it. */
		asm volatile("" : "+r"(len));
		if (len <= sizeof(r->path)) {
			bpf_probe_read_kernel(r->path, len, addr->name[0].sun_path);
			r->path_len = len;
			if (len && r->path[0])
				r->path_len--;
		}
	}
	bpf_ringbuf_submit(r, BPF_RB_NO_WAKEUP);
	return 0;
}

/* The socket that a descriptor is; NULL when it is something else. */
static __always_inline struct sock *open_sock(struct bpf_iter__task_file *ctx)
{
	/* Loaded once: what the verifier knows of one load it does not know of another. */
	struct file *file = ctx->file;

	if (!file)
		return 0;

	struct socket *socket = bpf_sock_from_file(file);

	return socket ? socket->sk : 0;
}

/* Which sockets a process has open, for a table that is printed once: no more than netstat knows. */
SEC("iter/task_file")
int dump_holders(struct bpf_iter__task_file *ctx)
{
	struct task_struct *task = ctx->task;
	struct sock *sk = open_sock(ctx);

	if (!task || !sk)
		return 0;

	struct holder_record r = { .pid = read_pid(task), .inode = read_inode(sk) };

	bpf_seq_write(ctx->meta->seq, &r, sizeof(r));
	return 0;
}

/*
 * Owners of the sockets that were there before netlive: one record a descriptor, and the
 * first process found becomes the owner that later events carry.
 */
SEC("iter/task_file")
int dump_task_file(struct bpf_iter__task_file *ctx)
{
	struct task_struct *task = ctx->task;
	struct sock *sk = open_sock(ctx);

	if (follow)
		reader = bpf_get_current_pid_tgid() >> 32;
	if (!task || !sk)
		return 0;

	struct owner_record r = {};

	r.cookie = bpf_get_socket_cookie(sk);
	r.pid = read_pid(task);
	r.start_ns = BPF_CORE_READ(task, group_leader, start_boottime);
	r.fd = ctx->fd;
	/* net/mptcp/subflow.c, mptcp_subflow_create_socket: a subflow is given its owner's inode number. */
	r.mptcp = sk->sk_protocol == IPPROTO_MPTCP;
	r.inode = read_inode(sk);
	read_comm(r.comm, task);
	bpf_seq_write(ctx->meta->seq, &r, sizeof(r));
	if (in_namespace(sk))
		hold(task->tgid);

	if (!is_watched(sk))
		return 0;

	struct life *life = bpf_sk_storage_get(&lives, sk, 0, BPF_SK_STORAGE_GET_F_CREATE);

	if (!life)
		return 0;
	if (life->how < HOW_SEEDED) {
		life->pid = r.pid;
		life->tgid = task->tgid;
		life->start_ns = r.start_ns;
		life->how = HOW_SEEDED;
	}
	if (life->tgid == task->tgid)
		copy16(life->comm, r.comm); /* it may run another program by now */
	if (wanted(EVENT_OVERFLOW) && sk->__sk_common.skc_state == TCP_LISTEN) {
		struct past *past = bpf_sk_storage_get(&pasts, sk, 0, BPF_SK_STORAGE_GET_F_CREATE);

		if (past && !past->looked_at) {
			past->drops = sk->sk_drops.counter;
			past->looked_at = 1;
		}
	}
	return 0;
}
