/* SPDX-License-Identifier: GPL-2.0-only */
/* Counters of the set `calls`, one of these per CPU. */
#ifndef PMVX_CALLS_H
#define PMVX_CALLS_H

#include <linux/types.h>

struct pmvx_calls {
	/* System calls by what they are to communication between tasks. `other` is every call that has no class here. */
	__u64 other;
	__u64 read;
	__u64 write;
	__u64 send;
	__u64 receive;
	__u64 connect;
	__u64 epoll;
	__u64 poll;
	__u64 futex_wait;
	__u64 futex_wake;
	__u64 futex_other;
	__u64 pipe;
	__u64 sleep;
	__u64 yield;
	__u64 wait;
};

#endif
