/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is told of a connection besides its states: what it went through, until it ends, and who has the other end.
 */
#pragma once

/* Kept where lives are told, in a map of its own: a table alone has no use for it. Times are 0 where they are not known. */
struct past {
	__u64 begin_ns; /* when it entered its first state */
	__u64 in_ns[TCP_STATES]; /* as in detail_record */
	__u64 at_ns; /* with PAST_WAITS: when it went to CLOSE */
	__u64 in_old_ns; /* the same: how long it had been in old_state */
	__u32 reason; /* of the reset that was sent, plus one; 0 none, or the kernel does not say */
	__u32 drops; /* sk_drops of a listener when it was looked at last */
	__u8 flags; /* enum past_flags */
	__u8 by; /* enum side: who closed first */
	__u8 signal;
	__u8 old_state; /* with PAST_WAITS */
	__u8 full; /* a listener whose full queue has been told */
	__u8 looked_at; /* drops is known */
	__u8 pad[2];
};

struct {
	__uint(type, BPF_MAP_TYPE_SK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct past);
} pasts SEC(".maps");

/*
 * One end of a connection, to be found by its addresses: the other end looks for it, and accept(2), which may not look into the storage
 * of a socket. Addresses mean something within a namespace; those of the loopback and from an address to itself are its
 * own, others may lead to another one on this machine.
 */
struct end_key {
	__u64 local[2], remote[2];
	__u32 netns; /* 0 when the other end may be in another */
	__u16 lport, rport;
};

struct end {
	__u64 begin_ns, open_ns;
	__u64 accepted_ns; /* 0 not yet */
	__u64 closed_ns; /* 0 not yet */
	__u64 start_ns;
	__u8 comm[COMM_LEN];
	__u32 pid, tgid;
	__u32 netns;
	__u8 how;
	__u8 accept_exact; /* accepted_ns is when accept(2) returned it */
	__u8 ambiguous; /* there are two with these addresses, in different namespaces */
	__u8 pad;
};

/*
 * An entry is made when the connection is established and goes when both ends have closed, or the one that is here. Those that find no
 * room are told without their other end and their wait to be accepted.
 */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1 << 18);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct end_key);
	__type(value, struct end);
} ends SEC(".maps");

/* Anything of a connection's life is asked for. Set before load. */
const volatile bool keep_pasts = 0;

static __always_inline void key_of(struct end_key *k, const struct event_record *r)
{
	bool inet6 = r->family == AF_INET6;

	map_address(k->local, r->local, inet6);
	map_address(k->remote, r->remote, inet6);
	k->lport = r->lport;
	k->rport = r->rport;
	k->netns = 0;

	__u32 *words = (__u32 *)k->local;
	bool mapped = !k->local[0] && words[2] == net32(0xffff);

	if ((mapped && (words[3] & net32(0xff000000)) == net32(0x7f000000)) || /* 127/8 */
	    (!k->local[0] && !words[2] && words[3] == net32(1)) || /* ::1 */
	    (k->local[0] == k->remote[0] && k->local[1] == k->remote[1]))
		k->netns = r->netns;
}

static __always_inline void turn(struct end_key *k)
{
	for (int i = 0; i < 2; i++) {
		__u64 a = k->local[i];

		k->local[i] = k->remote[i];
		k->remote[i] = a;
	}

	__u16 port = k->lport;

	k->lport = k->rport;
	k->rport = port;
}

static __always_inline void set_end_owner(struct end *e, const struct life *life)
{
	e->pid = life->pid;
	e->tgid = life->tgid;
	e->start_ns = life->start_ns;
	e->how = life->how;
	copy16(e->comm, life->comm);
}

/* The end that a record is of, if it is known. k is its key afterwards. */
static __always_inline struct end *own_end(struct end_key *k, const struct event_record *r)
{
	key_of(k, r);

	struct end *e = bpf_map_lookup_elem(&ends, k);

	return e && e->netns == r->netns ? e : 0;
}

static __always_inline void open_end(const struct event_record *r, const struct life *life, const struct past *past)
{
	struct end_key k;
	struct end e = { .begin_ns = past->begin_ns, .open_ns = r->at_ns, .netns = r->netns };

	key_of(&k, r);
	set_end_owner(&e, life);

	struct end *other = bpf_map_lookup_elem(&ends, &k);

	if (other && other->netns != e.netns && !other->closed_ns)
		e.ambiguous = 1;
	bpf_map_update_elem(&ends, &k, &e, BPF_ANY);
}

/* Has the process that ends now, and by which signal? Only in its own context. */
static __always_inline void note_exit(struct past *past)
{
	struct task_struct *task = (void *)bpf_get_current_task();

	if (!(BPF_CORE_READ(task, flags) & PF_EXITING))
		return;
	past->flags |= PAST_EXITED;

	int code = BPF_CORE_READ(task, signal, group_exit_code); /* kernel/exit.c, do_group_exit */

	if (!code)
		code = BPF_CORE_READ(task, exit_code);
	past->signal = code & 0x7f;
}

static __always_inline void fill_life(struct detail_record *d, struct sock *sk, const struct past *past)
{
	struct tcp_sock *tp = bpf_skc_to_tcp_sock(sk);

	d->duration_ns = past->begin_ns ? d->event.at_ns - past->begin_ns : ~0ULL;
	__builtin_memcpy(d->in_ns, past->in_ns, sizeof(d->in_ns));
	d->error = sk->sk_err;
	d->by = past->by;
	d->signal = past->signal;
	d->reason = past->reason - 1;
	d->flags = past->flags & (PAST_RESET_RECEIVED | PAST_RESET_SENT | PAST_EXITED);
	if (sk->__sk_common.skc_flags & (1UL << SOCK_DONE))
		d->flags |= PAST_FIN_RECEIVED;
	if ((sk->sk_shutdown & SHUTDOWN_MASK) == SHUTDOWN_MASK)
		d->flags |= PAST_SHUT;
	if (!tp)
		return;
	d->bytes_sent = tp->bytes_sent;
	d->bytes_retrans = tp->bytes_retrans;
	d->bytes_received = tp->bytes_received;
	d->segs_out = tp->segs_out;
	d->segs_in = tp->segs_in;
	d->retrans = tp->total_retrans;
	d->rtt_us = tp->srtt_us >> 3;
	d->min_rtt_us = tp->rtt_min.s[0].v; /* ~0 before there is one (net/ipv4/tcp.c, tcp_init_sock) */
}

/* Tells d, where there is one, who has the other end, and forgets this one. */
static __always_inline void close_end(const struct event_record *r, struct detail_record *d, const struct past *past)
{
	struct end_key k;
	struct end *own = own_end(&k, r);
	struct end_key mine = k;

	if (own) {
		if (own->accept_exact && d)
			d->accept_wait_ns = own->accepted_ns - own->open_ns;
		own->closed_ns = r->at_ns;
	}
	turn(&k);

	struct end *peer = bpf_map_lookup_elem(&ends, &k);

	/* Addresses are used again: this one was there while we were. */
	if (d && peer && past->begin_ns && peer->begin_ns && !peer->ambiguous && !(own && own->ambiguous) &&
	    (!peer->closed_ns || peer->closed_ns >= past->begin_ns)) {
		d->peer_pid = peer->pid;
		d->peer_how = peer->how;
		d->peer_netns = peer->netns;
		d->peer_start_ns = peer->start_ns;
		copy16(d->peer_comm, peer->comm);
	}
	if (peer && peer->closed_ns)
		bpf_map_delete_elem(&ends, &k);
	if (own && (!peer || peer->closed_ns))
		bpf_map_delete_elem(&ends, &mine);
}
