/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The few kernel types that the programs read, with just the fields they read.
 * Every record is relocated by CO-RE against the running kernel's BTF, so the order
 * of fields and the gaps between them mean nothing here; names and types do.
 * A name with three underscores is a flavour: libbpf and cilium/ebpf match it
 * to the kernel's type without the suffix.
 */
#pragma once

struct seq_file;

typedef unsigned char __u8;
typedef signed char __s8;
typedef unsigned short __u16;
typedef short __s16;
typedef unsigned int __u32;
typedef int __s32;
typedef unsigned long long __u64;
typedef long long __s64;
typedef __u16 __be16;
typedef __u32 __be32;
typedef __u32 __wsum;
typedef __u32 uid_t;
typedef unsigned short umode_t;
typedef _Bool bool;

/* include/uapi/linux/bpf.h */
enum {
	BPF_MAP_TYPE_HASH = 1,
	BPF_MAP_TYPE_LRU_HASH = 9,
	BPF_MAP_TYPE_SK_STORAGE = 24,
	BPF_MAP_TYPE_RINGBUF = 27,

	BPF_ANY = 0,

	BPF_F_NO_PREALLOC = 1U << 0,
	BPF_F_CLONE = 1U << 9,

	BPF_SK_STORAGE_GET_F_CREATE = 1U << 0,

	BPF_RB_NO_WAKEUP = 1U << 0,
	BPF_RB_FORCE_WAKEUP = 1U << 1,
};

/* include/linux/socket.h, include/uapi/linux/in.h */
enum {
	AF_UNIX = 1,
	AF_INET = 2,
	AF_INET6 = 10,
	IPPROTO_TCP = 6,
	IPPROTO_UDP = 17,
	IPPROTO_UDPLITE = 136,
	IPPROTO_MPTCP = 262,
};

/* include/net/sock.h, enum sock_flags */
enum {
	SOCK_DEAD = 0,
	SOCK_DONE = 1,
};

/* include/net/sock.h */
enum {
	RCV_SHUTDOWN = 1,
	SEND_SHUTDOWN = 2,
	SHUTDOWN_MASK = 3,
};

/* include/linux/sched.h */
enum {
	PF_EXITING = 0x4,
};

/* include/net/tcp_states.h */
enum {
	TCP_ESTABLISHED = 1,
	TCP_SYN_SENT,
	TCP_SYN_RECV,
	TCP_FIN_WAIT1,
	TCP_FIN_WAIT2,
	TCP_TIME_WAIT,
	TCP_CLOSE,
	TCP_CLOSE_WAIT,
	TCP_LAST_ACK,
	TCP_LISTEN,
	TCP_CLOSING,
	TCP_NEW_SYN_RECV,
};

/* include/uapi/linux/bpf.h: the context of cgroup programs for sockets, as far as it is read. Not the kernel's own layout. */
struct bpf_sock {
	__u32 bound_dev_if;
	__u32 family;
	__u32 type;
	__u32 protocol;
	__u32 mark;
	__u32 priority;
	__be32 src_ip4;
	__be32 src_ip6[4];
	__u32 src_port; /* host order */
};

/* Only to see whether the kernel has them (include/net/rstreason.h, since 6.10; include/net/dropreason-core.h, since 5.17). */
enum sk_rst_reason {
	SK_RST_REASON_NOT_SPECIFIED,
};

enum skb_drop_reason {
	SKB_DROP_REASON_NOT_SPECIFIED = 2,
	SKB_DROP_REASON_QUEUE_PURGE = 1000, /* since 6.12 or so; its number is the kernel's */
};

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct in6_addr {
	union {
		__be32 u6_addr32[4];
	} in6_u;
};

struct ns_common {
	unsigned int inum;
};

struct net {
	struct ns_common ns;
	__u64 net_cookie; /* since 5.12 */
};

typedef struct {
	struct net *net;
} possible_net_t;

typedef struct {
	int counter;
} atomic_t;

typedef struct {
	__s64 counter;
} atomic64_t;

typedef struct {
	atomic_t refs;
} refcount_t;

/* The head of full sockets, request sockets and TIME_WAIT minisockets alike. */
struct sock_common {
	__be32 skc_daddr;
	__be32 skc_rcv_saddr;
	__be16 skc_dport;
	__u16 skc_num; /* host order */
	unsigned short skc_family;
	volatile unsigned char skc_state;
	int skc_bound_dev_if;
	possible_net_t skc_net;
	struct in6_addr skc_v6_daddr;
	struct in6_addr skc_v6_rcv_saddr;
	unsigned long skc_flags;
	atomic64_t skc_cookie; /* 0 until somebody asks for it */
	refcount_t skc_refcnt;
};

typedef struct {
	uid_t val;
} kuid_t;

typedef struct {
	int owned;
} socket_lock_t;

/* include/uapi/asm-generic/errno.h: the same on the architectures that there are objects for. */
enum {
	EAGAIN = 11,
	ENOMEM = 12,
	EBUSY = 16,
	EINVAL = 22,
	EHOSTUNREACH = 113,
};

enum {
	S_IFMT = 0170000,
	S_IFSOCK = 0140000,
};

struct inode {
	umode_t i_mode; /* S_IFMT and so on (include/uapi/linux/stat.h) */
	unsigned long i_ino;
};

struct socket {
	struct sock *sk;
};

struct socket_alloc {
	struct socket socket;
	struct inode vfs_inode;
};

struct kernfs_node {
	__u64 id; /* since 5.5; on 64 bit machines the inode number */
};

struct cgroup {
	struct kernfs_node *kn;
};

struct sock_cgroup_data {
	struct cgroup *cgroup; /* since 5.15; before, a word of its own kind */
};

struct net_device {
	possible_net_t nd_net;
};

struct sk_buff {
	struct sock *sk;
	struct net_device *dev;
	char cb[48];
	__u16 transport_header; /* both count from head */
	__u16 network_header;
	unsigned char *head;
	unsigned char *data;
	unsigned int len;
};

/* What TCP keeps in an sk_buff's cb (include/net/tcp.h, TCP_SKB_CB). */
struct tcp_skb_cb {
	__u32 seq;
	__u32 end_seq;
	__u8 tcp_flags; /* two bytes since 6.15 or so */
};

struct sk_buff_head {
	struct sk_buff *prev; /* the last */
};

struct file {
	struct inode *f_inode;
	void *private_data;
};

/* Descriptors that are passed (include/net/scm.h); SCM_MAX_FD is 253 since 2.6.38. */
struct scm_fp_list {
	short count;
	struct file *fp[253];
};

/* What AF_UNIX keeps in an sk_buff's cb (include/net/af_unix.h, UNIXCB). */
struct unix_skb_parms {
	struct scm_fp_list *fp;
};

struct sock {
	struct sock_common __sk_common;
	struct sk_buff_head sk_receive_queue;
	socket_lock_t sk_lock;
	struct {
		atomic_t rmem_alloc;
	} sk_backlog;
	refcount_t sk_wmem_alloc;
	__u16 sk_type;
	__u16 sk_protocol;
	int sk_err;
	__u8 sk_shutdown;
	atomic_t sk_drops;
	__u32 sk_max_ack_backlog;
	kuid_t sk_uid;
	__u32 sk_ack_backlog;
	struct socket *sk_socket;
	struct sock_cgroup_data sk_cgrp_data; /* CONFIG_SOCK_CGROUP_DATA */
};

/* sk_ino came with 6.17 (net/core/sock.c, sock_i_ino); before it the number is in the file's inode. */
struct sock___ino {
	unsigned long sk_ino;
};

struct inet_sock {
	struct sock sk;
	__be32 inet_saddr;
	__be16 inet_sport; /* stays when skc_num is cleared at CLOSE */
};

struct inet_connection_sock {
	struct inet_sock icsk_inet;
	__u8 icsk_retransmits;
};

struct minmax_sample {
	__u32 t;
	__u32 v;
};

struct minmax {
	struct minmax_sample s[3];
};

struct tcp_sock {
	struct inet_connection_sock inet_conn;
	__u64 bytes_sent; /* this and bytes_retrans since 4.19 */
	__u64 bytes_retrans;
	__u64 bytes_received;
	__u32 segs_out;
	__u32 segs_in;
	__u32 total_retrans;
	__u32 srtt_us; /* eight times it */
	struct minmax rtt_min;
	__u32 rcv_nxt;
	__u32 copied_seq;
	__u32 write_seq;
	__u32 snd_una;
};

struct udp_sock {
	struct inet_sock inet;
	int forward_deficit;
};

struct request_sock {
	struct sock_common __req_common;
	__u8 num_retrans;
};

struct tcp_request_sock {
	__u32 snt_isn;
};

struct inet_timewait_sock {
	struct sock_common __tw_common;
	unsigned char tw_substate;
	__be16 tw_sport;
};

struct tcp_timewait_sock {
	struct inet_timewait_sock tw_sk;
};

struct unix_address {
	int len;
	struct {
		unsigned short sun_family;
		char sun_path[108];
	} name[0];
};

struct unix_sock {
	struct sock sk;
	struct unix_address *addr;
};

/*
 * Since 5.18 (net/unix/af_unix.c) the iterator hands sockets over in batches and holds each of a batch;
 * this is the type that came with it.
 */
struct bpf_unix_iter_state {
	unsigned int cur_sk;
};

struct pid_namespace {
	struct ns_common ns;
};

struct upid {
	int nr;
	struct pid_namespace *ns;
};

struct pid {
	unsigned int level;
	struct upid numbers[1];
};

/* include/linux/pid_types.h */
enum pid_type {
	PIDTYPE_PID,
	PIDTYPE_TGID,
};

struct signal_struct {
	struct pid *pids[4];
	int group_exit_code;
};

struct fdtable {
	struct file **fd;
};

struct files_struct {
	struct fdtable *fdt;
};

struct task_struct {
	int tgid;
	struct task_struct *group_leader;
	struct signal_struct *signal;
	struct files_struct *files;
	unsigned int flags;
	int exit_code;
	__u64 start_boottime; /* start_time before 5.5 had the same clock; not read there */
	char comm[16];
};

struct bpf_iter_meta {
	struct seq_file *seq;
};

struct bpf_iter__tcp {
	struct bpf_iter_meta *meta;
	struct sock_common *sk_common;
	uid_t uid;
};

struct bpf_iter__udp {
	struct bpf_iter_meta *meta;
	struct udp_sock *udp_sk;
	uid_t uid;
};

struct bpf_iter__unix {
	struct bpf_iter_meta *meta;
	struct unix_sock *unix_sk;
	uid_t uid;
};

struct bpf_iter__task_file {
	struct bpf_iter_meta *meta;
	struct task_struct *task;
	__u32 fd;
	struct file *file;
};

#pragma clang attribute pop
