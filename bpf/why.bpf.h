/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The hooks of trace besides changes of state: accept(2), resets, segments that are sent again or dropped, queues that are full, errors. Each is
 * loaded only where one of its events is asked for, or where the end of a connection needs it.
 */
#pragma once

/* Request and TIME_WAIT sockets have no more than the head of a socket. */
static __always_inline bool is_full(const struct sock *sk)
{
	__u8 state = sk->__sk_common.skc_state;

	return state != TCP_TIME_WAIT && state != TCP_NEW_SYN_RECV;
}

static __always_inline bool told_of(const struct event_record *r, const struct net *net)
{
	return is_shown(net) && (!filter_family || r->family == filter_family);
}

/* What a head has. */
static __always_inline void fill_head(struct event_record *r, const struct sock_common *skc)
{
	r->netns = skc->skc_net.net->ns.inum;
	r->family = skc->skc_family;
	r->lport = skc->skc_num;
	r->rport = host16(skc->skc_dport);
	r->new_state = skc->skc_state;
	r->dev = skc->skc_bound_dev_if;
	read_addresses(skc, r->local, r->remote);
}

/* The event of a full socket, as it is now. */
static __always_inline struct life *fill_now(struct event_record *r, const struct sock *sk, enum event_kind kind)
{
	struct life *life = bpf_sk_storage_get(&lives, (void *)sk, 0, 0);

	fill(r, sk, life);
	r->kind = kind;
	r->at_ns = bpf_ktime_get_ns();
	r->in_old_ns = ~0ULL;
	r->new_state = sk->__sk_common.skc_state;
	if (keep_pasts && life && life->how == HOW_LISTENER) {
		own_by_accept(life, r);
		set_owner(r, life);
	}
	return life;
}

/* A full socket that the verifier does not know as one: it lets nothing be asked of it but by probe reads. */
static __always_inline void fill_by_probe(struct event_record *r, struct sock *sk)
{
	struct socket *socket = BPF_CORE_READ(sk, sk_socket);

	r->family = BPF_CORE_READ(sk, __sk_common.skc_family);
	r->netns = BPF_CORE_READ(sk, __sk_common.skc_net.net, ns.inum);
	r->cookie = BPF_CORE_READ(sk, __sk_common.skc_cookie.counter);
	r->new_state = BPF_CORE_READ(sk, __sk_common.skc_state);
	r->dev = BPF_CORE_READ(sk, __sk_common.skc_bound_dev_if);
	r->lport = host16(BPF_CORE_READ((struct inet_sock *)sk, inet_sport));
	r->rport = host16(BPF_CORE_READ(sk, __sk_common.skc_dport));
	r->uid = BPF_CORE_READ(sk, sk_uid.val);
	if (bpf_core_field_exists(((struct sock___ino *)sk)->sk_ino))
		r->inode = BPF_CORE_READ((struct sock___ino *)sk, sk_ino);
	else
		r->inode = BPF_CORE_READ((struct socket_alloc *)socket, vfs_inode.i_ino);
	r->cgroup = read_cgroup(sk);
	if (r->family == AF_INET6) {
		BPF_CORE_READ_INTO((struct in6_addr *)r->local, sk, __sk_common.skc_v6_rcv_saddr);
		BPF_CORE_READ_INTO((struct in6_addr *)r->remote, sk, __sk_common.skc_v6_daddr);
	} else {
		*(__be32 *)r->local = BPF_CORE_READ(sk, __sk_common.skc_rcv_saddr);
		*(__be32 *)r->remote = BPF_CORE_READ(sk, __sk_common.skc_daddr);
	}
}

/*
 * accept(2) returns a connection. A program of a classic tracepoint (include/trace/events/syscalls.h) may not look into the storage of
 * sockets, so it leaves a note at the connection's end.
 */
struct syscall_exit {
	__u64 common;
	int nr;
	int pad;
	long ret;
};

static __always_inline int accepted(void *ctx, long fd)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	struct file **files = BPF_CORE_READ(task, files, fdt, fd);
	struct life life = {};
	struct event_record r = {};
	struct file *file;
	struct end_key k;

	if (fd < 0 || bpf_probe_read_kernel(&file, sizeof(file), files + fd))
		return 0;

	struct socket *socket = BPF_CORE_READ(file, private_data);
	struct sock *sk = BPF_CORE_READ(socket, sk);
	__u16 protocol = 0;

	bpf_core_read(&protocol, sizeof(protocol), &sk->sk_protocol);
	if (protocol != IPPROTO_TCP)
		return 0;
	fill_by_probe(&r, sk);
	if (!told_of(&r, BPF_CORE_READ(sk, __sk_common.skc_net.net)))
		return 0;
	r.kind = EVENT_ACCEPT;
	r.at_ns = bpf_ktime_get_ns();
	r.in_old_ns = ~0ULL;
	own_by_current(&life);
	set_owner(&r, &life);

	struct end *e = own_end(&k, &r);

	if (e && !e->accepted_ns) {
		set_end_owner(e, &life);
		e->accepted_ns = r.at_ns;
		e->accept_exact = 1;
		r.in_old_ns = r.at_ns - e->open_ns;
	}
	if (wanted(EVENT_ACCEPT) && let_through(&r, &life))
		send(ctx, &r);
	return 0;
}

SEC("tracepoint/syscalls/sys_exit_accept")
int watch_accept(struct syscall_exit *ctx)
{
	return accepted(ctx, ctx->ret);
}

SEC("tracepoint/syscalls/sys_exit_accept4")
int watch_accept4(struct syscall_exit *ctx)
{
	return accepted(ctx, ctx->ret);
}

/*
 * A reset has come (net/ipv4/tcp_input.c, tcp_reset), before it has its effect. Or data has, for a process that has closed
 * the connection, which the kernel treats alike and then answers by a reset of its own (tcp_rcv_state_process, TCPABORTONDATA): where
 * that may be, nobody can tell yet whose it is.
 */
SEC("tp_btf/tcp_receive_reset")
int BPF_PROG(watch_receive_reset, struct sock *sk)
{
	if (!is_watched(sk))
		return 0;

	__u8 state = sk->__sk_common.skc_state;
	bool received = !(sk->sk_shutdown & RCV_SHUTDOWN) || (state != TCP_FIN_WAIT1 && state != TCP_FIN_WAIT2);
	struct past *past = bpf_sk_storage_get(&pasts, sk, 0, BPF_SK_STORAGE_GET_F_CREATE);

	if (past && received)
		past->flags |= PAST_RESET_RECEIVED;
	if (!wanted(EVENT_RESET))
		return 0;

	struct event_record r = {};
	struct life *life = fill_now(&r, sk, EVENT_RESET);
	struct detail_record *d = let_through(&r, life) ? detail(ctx, &r) : 0;

	if (!d)
		return 0;
	d->by = received ? SIDE_REMOTE : SIDE_UNKNOWN;
	submit(d);
	return 0;
}

/* The ends that a segment which came in has, seen from here, and its sequence number. */
static __always_inline bool fill_packet(struct event_record *r, const struct sk_buff *skb, __u32 *seq)
{
	unsigned char *head = BPF_CORE_READ(skb, head);
	unsigned char *ip = head + BPF_CORE_READ(skb, network_header);
	unsigned char *tcp = head + BPF_CORE_READ(skb, transport_header);
	__u8 version = 0;
	__be16 ports[2] = {};
	__be32 n = 0;

	bpf_probe_read_kernel(&version, sizeof(version), ip);
	bpf_probe_read_kernel(ports, sizeof(ports), tcp);
	bpf_probe_read_kernel(&n, sizeof(n), tcp + 4);
	*seq = net32(n);
	r->rport = host16(ports[0]);
	r->lport = host16(ports[1]);
	r->netns = BPF_CORE_READ(skb, dev, nd_net.net, ns.inum);
	switch (version >> 4) {
	case 4:
		r->family = AF_INET;
		bpf_probe_read_kernel(r->remote, 4, ip + 12);
		bpf_probe_read_kernel(r->local, 4, ip + 16);
		return 1;
	case 6:
		r->family = AF_INET6;
		bpf_probe_read_kernel(r->remote, 16, ip + 8);
		bpf_probe_read_kernel(r->local, 16, ip + 24);
		return 1;
	}
	return 0;
}

/*
 * A reset is sent: by a socket, or in answer to a segment that no socket is for, or that a listener or a minisocket does not
 * want (net/ipv4/tcp_ipv4.c, tcp_v4_send_reset; net/ipv4/tcp_output.c, tcp_send_active_reset).
 */
SEC("tp_btf/tcp_send_reset")
int BPF_PROG(watch_send_reset, const struct sock *sk, const struct sk_buff *skb)
{
	__u32 reason = ~0U, seq = 0;
	struct event_record r = {};
	struct life *life = 0;

	if (bpf_core_enum_value_exists(enum sk_rst_reason, SK_RST_REASON_NOT_SPECIFIED))
		reason = ctx[2];
	if (sk && is_full(sk) && sk->__sk_common.skc_state != TCP_LISTEN) {
		if (!is_watched(sk))
			return 0;

		struct past *past = bpf_sk_storage_get(&pasts, (void *)sk, 0, BPF_SK_STORAGE_GET_F_CREATE);

		if (past) {
			past->flags |= PAST_RESET_SENT;
			past->reason = reason + 1;
			if (past->flags & PAST_WAITS)
				tell_waiting(ctx, (void *)sk, past);
		}
		if (!wanted(EVENT_RESET))
			return 0;
		life = fill_now(&r, sk, EVENT_RESET);
	} else {
		if (!wanted(EVENT_RESET) || !skb || !fill_packet(&r, skb, &seq) || !told_of(&r, BPF_CORE_READ(skb, dev, nd_net.net)))
			return 0;
		r.kind = EVENT_RESET;
		r.at_ns = bpf_ktime_get_ns();
		r.in_old_ns = ~0ULL;
		if (sk)
			r.new_state = sk->__sk_common.skc_state;
	}

	struct detail_record *d = let_through(&r, life) ? detail(ctx, &r) : 0;

	if (!d)
		return 0;
	d->by = SIDE_LOCAL;
	d->reason = reason;
	submit(d);
	return 0;
}

/* The reset that an end waited for could not be sent, for want of memory. */
SEC("tp_btf/tcp_destroy_sock")
int BPF_PROG(watch_destroy, struct sock *sk)
{
	struct past *past = bpf_sk_storage_get(&pasts, sk, 0, 0);

	if (past && past->flags & PAST_WAITS)
		tell_waiting(ctx, sk, past);
	return 0;
}

static __always_inline void fill_segment(struct detail_record *d, const struct sk_buff *skb)
{
	const struct tcp_skb_cb *cb = (void *)&skb->cb;
	__u32 at = bpf_core_field_offset(cb->tcp_flags);

	/* Its width has changed: the low byte has all that is of interest. */
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
	at += bpf_core_field_size(cb->tcp_flags) - 1;
#endif
	d->seq = BPF_CORE_READ(cb, seq);
	d->end_seq = BPF_CORE_READ(cb, end_seq);
	bpf_probe_read_kernel(&d->tcp_flags, 1, (void *)cb + at);
}

/*
 * A segment that was dropped on its way: what TCP keeps in cb is the IP layer's by then, or not yet TCP's, so the header is read. False where
 * there is none, which is so in TCP's own queues.
 */
static __always_inline bool fill_dropped(struct detail_record *d, const struct sk_buff *skb)
{
	unsigned char *head = BPF_CORE_READ(skb, head);
	__u16 network = BPF_CORE_READ(skb, network_header), at = BPF_CORE_READ(skb, transport_header);
	unsigned char *tcp = head + at;
	__u8 version = 0, protocol = 0, words = 0;
	__be32 seq = 0;

	if (at == (__u16)~0U || at < network + 20)
		return 0;
	bpf_probe_read_kernel(&version, 1, head + network);
	bpf_probe_read_kernel(&protocol, 1, head + network + (version >> 4 == 4 ? 9 : 6));
	if (version >> 4 == 4 && protocol != IPPROTO_TCP)
		return 1; /* what it was put into; IPv6 may have headers in between */
	bpf_probe_read_kernel(&seq, sizeof(seq), tcp + 4);
	bpf_probe_read_kernel(&words, 1, tcp + 12);
	bpf_probe_read_kernel(&d->tcp_flags, 1, tcp + 13);

	/* data has moved on with the layers, and what it points to has become as much shorter. */
	__u32 end = BPF_CORE_READ(skb, data) - head + BPF_CORE_READ(skb, len), payload = at + (words >> 4) * 4;

	d->seq = net32(seq);
	d->end_seq = d->seq + (end > payload ? end - payload : 0) + (d->tcp_flags & 1) + (d->tcp_flags >> 1 & 1); /* FIN and SYN */
	return 1;
}

/* tcp_retransmit_skb tells of segments too that were not sent after all, and why not (since 6.18). Set before load. */
const volatile bool retransmit_has_err = 0;

/*
 * Whether TCP had no go at it, so that it is in none of its counters: most often the segment waits still in a queue of this host
 * (net/ipv4/tcp_output.c, __tcp_retransmit_skb). With another error, as of a rule that drops it, it was sent as far as TCP knows.
 */
static __always_inline int was_not_tried(int err)
{
	return err == -EBUSY || err == -EAGAIN || err == -EINVAL || err == -ENOMEM || err == -EHOSTUNREACH;
}

SEC("tp_btf/tcp_retransmit_skb")
int BPF_PROG(watch_retransmit, const struct sock *sk, const struct sk_buff *skb)
{
	if (!is_watched(sk))
		return 0;
	if (retransmit_has_err && was_not_tried(ctx[2]))
		return 0;

	struct event_record r = {};
	struct life *life = fill_now(&r, sk, EVENT_RETRANSMIT);
	struct detail_record *d = let_through(&r, life) ? detail(ctx, &r) : 0;

	if (!d)
		return 0;

	struct tcp_sock *tp = bpf_skc_to_tcp_sock((void *)sk);

	if (tp)
		d->nth = tp->inet_conn.icsk_retransmits;
	fill_segment(d, skb);
	submit(d);
	return 0;
}

/* kfree_skb tells for which socket a segment had come (since 6.11). Set before load. */
const volatile bool drop_has_sock = 0;

/*
 * Has a listener dropped something since it was looked at last, or is its queue full? Without kfree_skb's sockets nobody tells what of its drops was
 * for want of room (forgive), and a SYN that came twice would be an overflow.
 */
static __always_inline int check_listener(void *ctx, const struct sock *sk)
{
	if (!wanted(EVENT_OVERFLOW) || !is_full(sk) || sk->__sk_common.skc_state != TCP_LISTEN || !is_watched(sk))
		return 0;

	struct past *past = bpf_sk_storage_get(&pasts, (void *)sk, 0, BPF_SK_STORAGE_GET_F_CREATE);

	if (!past)
		return 0;

	__u32 drops = sk->sk_drops.counter, dropped = drop_has_sock && past->looked_at ? drops - past->drops : 0;
	__u32 backlog = sk->sk_ack_backlog, max = sk->sk_max_ack_backlog;
	bool full = backlog > max; /* include/net/sock.h, sk_acceptq_is_full */
	bool news = dropped || (full && !past->full);

	past->drops = drops;
	past->looked_at = 1;
	past->full = full;
	if (!news)
		return 0;

	struct event_record r = {};
	struct life *life = fill_now(&r, sk, EVENT_OVERFLOW);
	struct detail_record *d = let_through(&r, life) ? detail(ctx, &r) : 0;

	if (!d)
		return 0;
	d->backlog = backlog;
	d->max_backlog = max;
	d->dropped = drop_has_sock ? dropped : ~0U;
	submit(d);
	return 0;
}

/*
 * A connection has come into the queue of a listener (net/ipv4/tcp_minisocks.c, tcp_child_process), or data to a connection. Where a table is
 * kept too, this does the work of watch_data: one program at each segment is enough.
 */
SEC("tp_btf/sk_data_ready")
int BPF_PROG(watch_queue, const struct sock *sk)
{
	if (keep_table)
		note_data(sk);
	return check_listener(ctx, sk);
}

/* The answer to a SYN is sent again: of a listener that is full it is the last that is heard. */
SEC("tp_btf/tcp_retransmit_synack")
int BPF_PROG(watch_retransmit_synack, const struct sock *sk, const struct request_sock *req)
{
	if (keep_table && in_namespace(sk))
		active[NEWS_TCP] = 1; /* the work of watch_synack */
	check_listener(ctx, sk);
	if (!wanted(EVENT_RETRANSMIT) || !is_watched(sk))
		return 0;

	struct event_record r = {};
	struct life *life = bpf_sk_storage_get(&lives, (void *)sk, 0, 0);

	fill_head(&r, &req->__req_common);
	r.kind = EVENT_RETRANSMIT;
	r.at_ns = bpf_ktime_get_ns();
	r.in_old_ns = ~0ULL;
	r.uid = sk->sk_uid.val;
	set_owner(&r, life);
	if (r.how)
		r.how = HOW_LISTENER;

	struct detail_record *d = let_through(&r, life) ? detail(ctx, &r) : 0;

	if (!d)
		return 0;
	d->tcp_flags = 0x12; /* SYN and ACK */
	d->seq = BPF_CORE_READ((struct tcp_request_sock *)req, snt_isn);
	d->end_seq = d->seq + 1;
	d->nth = req->num_retrans + 1; /* this one is counted when it was sent */
	submit(d);
	return 0;
}

/*
 * Of a segment that it drops for a reason (a SYN that comes again, or that a filter does not let through) a listener's sk_drops takes note too
 * (net/ipv4/tcp_ipv4.c, tcp_v4_rcv): what is left are connections for which there was no room (include/net/tcp.h, tcp_listendrop).
 */
static __always_inline void forgive(const struct sock *sk)
{
	struct past *past = bpf_sk_storage_get(&pasts, (void *)sk, 0, 0);

	if (past && past->looked_at && past->drops != sk->sk_drops.counter)
		past->drops++;
}

/*
 * A segment is dropped (net/core/skbuff.c, sk_skb_reason_drop), with a reason since 5.17. What has none was not dropped, or
 * nobody says why. What comes in belongs to a socket only once that was looked up; what goes out has it with it.
 */
SEC("tp_btf/kfree_skb")
int BPF_PROG(watch_drop, const struct sk_buff *skb)
{
	if (!bpf_core_enum_value_exists(enum skb_drop_reason, SKB_DROP_REASON_NOT_SPECIFIED))
		return 0;

	__u32 reason = ctx[2];
	struct sock *sk = drop_has_sock ? (struct sock *)ctx[3] : 0;
	struct event_record r = {};
	struct life *life = 0;

	if (sk && wanted(EVENT_OVERFLOW) && is_full(sk) && sk->__sk_common.skc_state == TCP_LISTEN) {
		forgive(sk);
		check_listener(ctx, sk);
	}
	if (!wanted(EVENT_DROP) || reason <= bpf_core_enum_value(enum skb_drop_reason, SKB_DROP_REASON_NOT_SPECIFIED))
		return 0;
	if (sk && is_full(sk)) {
		if (!is_watched(sk))
			return 0;
		life = fill_now(&r, sk, EVENT_DROP);
	} else {
		__u16 protocol = IPPROTO_TCP;

		if (!sk)
			sk = skb->sk;
		if (!sk)
			return 0;
		if (is_full(sk)) {
			bpf_core_read(&protocol, sizeof(protocol), &sk->sk_protocol);
			life = bpf_sk_storage_get(&lives, sk, 0, 0);
			fill_by_probe(&r, sk);
			set_owner(&r, life);
		} else {
			fill_head(&r, &sk->__sk_common);
		}
		if (protocol != IPPROTO_TCP || (r.family != AF_INET && r.family != AF_INET6) || !told_of(&r, BPF_CORE_READ(sk, __sk_common.skc_net.net)))
			return 0;
		r.kind = EVENT_DROP;
		r.at_ns = bpf_ktime_get_ns();
		r.in_old_ns = ~0ULL;
	}

	/* What a socket that has ended still had in its queues is nobody's loss. */
	if (bpf_core_enum_value_exists(enum skb_drop_reason, SKB_DROP_REASON_QUEUE_PURGE) && r.new_state == TCP_CLOSE &&
	    reason == bpf_core_enum_value(enum skb_drop_reason, SKB_DROP_REASON_QUEUE_PURGE))
		return 0;

	struct detail_record *d = let_through(&r, life) ? detail(ctx, &r) : 0;

	if (!d)
		return 0;
	d->reason = reason;
	if (!fill_dropped(d, skb))
		fill_segment(d, skb);
	submit(d);
	return 0;
}

/* An error has been set on a socket, of which its process is told by the next call (include/net/sock.h, sk_error_report), since 5.14. */
SEC("tp_btf/inet_sk_error_report")
int BPF_PROG(watch_error, const struct sock *sk)
{
	if (!is_watched(sk) || !sk->sk_err)
		return 0;

	struct event_record r = {};
	struct life *life = fill_now(&r, sk, EVENT_ERROR);
	struct detail_record *d = let_through(&r, life) ? detail(ctx, &r) : 0;

	if (!d)
		return 0;
	d->error = sk->sk_err;
	submit(d);
	return 0;
}
