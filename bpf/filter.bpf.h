/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What of a filter is decided here, before a record is made room for: the program that filter.Kernel (internal/filter/kernel.go)
 * is written for. Filter.Kernel.Passes there is the judge of passes here.
 */
#pragma once

#define FILTER_RANGES 8
#define FILTER_PREFIXES 8

struct filter_ranges {
	__u32 n;
	struct {
		__u32 lo, hi;
	} r[FILTER_RANGES];
};

struct filter_prefixes {
	__u32 n;
	__u32 only6; /* bits of those that are of AF_INET6 sockets alone */
	struct {
		__u64 addr[2], mask[2]; /* in the order of packets; IPv4 addresses as IPv4-mapped ones */
	} p[FILTER_PREFIXES];
};

struct filter_part {
	__u32 active; /* 0: everything passes */
	__u32 never;
	__u32 families; /* 1 AF_INET, 2 AF_INET6; 0 is both */
	__u32 states, old_states; /* 1 << state; 0 is all */
	struct filter_ranges local_ports, remote_ports, either_ports, uids, pids, netns;
	struct filter_prefixes local, remote, either, not_local, not_remote;
};

/*
 * Set before load. The verifier knows what a constant is, so a condition that is not asked for is not in the program and a loop has
 * as many rounds as there are ranges.
 */
const volatile struct filter_part filter = {};

static __always_inline bool in_ranges(const volatile struct filter_ranges *f, __u32 n)
{
	if (!f->n)
		return 1;
#pragma clang loop unroll(disable)
	for (__u32 i = 0; i < FILTER_RANGES; i++) {
		if (i >= f->n)
			break;
		if (f->r[i].lo <= n && n <= f->r[i].hi)
			return 1;
	}
	return 0;
}

/* No prefixes have nothing in them. */
static __always_inline bool in_prefixes(const volatile struct filter_prefixes *f, const __u64 *addr, bool inet6)
{
#pragma clang loop unroll(disable)
	for (__u32 i = 0; i < FILTER_PREFIXES; i++) {
		if (i >= f->n)
			break;
		if (!inet6 && f->only6 & (1U << i))
			continue;
		if (!((addr[0] ^ f->p[i].addr[0]) & f->p[i].mask[0]) && !((addr[1] ^ f->p[i].addr[1]) & f->p[i].mask[1]))
			return 1;
	}
	return 0;
}

/* An address as IPv6 has it: that of an AF_INET socket is IPv4-mapped. */
static __always_inline void map_address(__u64 *to, const __u8 *from, bool inet6)
{
	if (inet6) {
		copy16(to, from);
		return;
	}
	__u32 *words = (__u32 *)to;

	words[0] = words[1] = 0;
	words[2] = net32(0xffff);
	words[3] = *(const __u32 *)from;
}

static __noinline bool passes(const struct event_record *r)
{
	bool inet6 = r->family == AF_INET6;
	__u64 local[2], remote[2];

	if (!filter.active)
		return 1;
	if (filter.never)
		return 0;
	if (filter.families && !(filter.families & (inet6 ? 2 : 1)))
		return 0;
	if (filter.states && !(filter.states & (1U << (r->new_state & 31))))
		return 0;
	if (filter.old_states && !(filter.old_states & (1U << (r->old_state & 31))))
		return 0;
	/* A local port of 0 is not known yet, and neither is an owner of 0: Go decides. */
	if (r->lport && !in_ranges(&filter.local_ports, r->lport))
		return 0;
	if (!in_ranges(&filter.remote_ports, r->rport))
		return 0;
	if (r->lport && !in_ranges(&filter.either_ports, r->lport) && !in_ranges(&filter.either_ports, r->rport))
		return 0;
	if (!in_ranges(&filter.uids, r->uid) || !in_ranges(&filter.netns, r->netns))
		return 0;
	if (r->pid && !in_ranges(&filter.pids, r->pid))
		return 0;
	map_address(local, r->local, inet6);
	map_address(remote, r->remote, inet6);
	if (filter.local.n && !in_prefixes(&filter.local, local, inet6))
		return 0;
	if (filter.remote.n && !in_prefixes(&filter.remote, remote, inet6))
		return 0;
	if (filter.either.n && !in_prefixes(&filter.either, local, inet6) && !in_prefixes(&filter.either, remote, inet6))
		return 0;
	return !in_prefixes(&filter.not_local, local, inet6) && !in_prefixes(&filter.not_remote, remote, inet6);
}

/* A process for as long as it runs: a number is used again, the two together are not. */
struct process {
	__u64 start_ns;
	__u32 tgid;
	__u32 pad;
};

/* The processes that are traced, where it is some only (follow): those that netlive began, and those that they began. Written by watch_fork. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 1 << 16);
	__type(key, struct process);
	__type(value, __u8);
} followed SEC(".maps");

const volatile bool follow = 0;

/* Their connections that have not ended. Read by Go. */
__s64 followed_alive;

/* netlive itself. Written by dump_task_file, which runs on its behalf. */
__u32 reader;

static __always_inline bool is_followed(__u32 tgid, __u64 start_ns)
{
	struct process p = { .start_ns = start_ns, .tgid = tgid };

	return !follow || (tgid && bpf_map_lookup_elem(&followed, &p));
}
