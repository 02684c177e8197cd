/* SPDX-License-Identifier: GPL-2.0-only */
/* Counters of the set `mem`, one of these per CPU. Pages are the processor's smallest. */
#ifndef PMVX_MEM_H
#define PMVX_MEM_H

#include <linux/types.h>

#include "probe.h"

struct pmvx_mem {
	/* Page faults taken in user mode, of these for writing; and in kernel mode. */
	__u64 fault_user;
	__u64 fault_user_write;
	__u64 fault_kernel;
	/* As the kernel counts: faults that it handled (also without an exception), those that waited for input. */
	__u64 fault_handled;
	__u64 fault_major;
	/* Pages handed out and taken back by the page allocator; pages from and to swap. */
	__u64 pages_allocated;
	__u64 pages_freed;
	__u64 pages_swapped_in;
	__u64 pages_swapped_out;
	/* Reclaim: tasks that had to do it themselves, pages they got; kswapd woken; pages looked at and reclaimed by anybody. */
	__u64 reclaim_direct;
	__u64 reclaim_direct_pages;
	__u64 reclaim_kswapd_wake;
	__u64 reclaim_scanned;
	__u64 reclaim_reclaimed;
};

#endif
