/* SPDX-License-Identifier: GPL-2.0-only */
/* Counters of the set `cpu`, one of these per CPU. Times are the run queue's clock, in ns. */
#ifndef PMVX_CPU_H
#define PMVX_CPU_H

#include <linux/types.h>

#include "calls.h"
#include "probe.h"

#define PMVX_DEPTHS 16
#define PMVX_PAIRS 256
#define PMVX_SOFTIRQS 10
#define PMVX_CALL_CLASSES (sizeof(struct pmvx_calls) / sizeof(__u64))

struct pmvx_cpu {
	/* Switches away from a task that sleeps, from one that could run on, and from the idle task; and those to the idle task. */
	__u64 switch_sleep;
	__u64 switch_preempt;
	__u64 switch_from_idle;
	__u64 switch_to_idle;
	/* Tasks that go to sleep, by the system call they sleep in (the members of struct pmvx_calls); kernel threads, which are in none. */
	__u64 sleep_in[PMVX_CALL_CLASSES];
	__u64 sleep_kernel;
	/* Tasks leaving a CPU: how long they ran, in total and by length. */
	__u64 run_ns;
	__u64 run[PMVX_TIMES];
	/* Tasks coming to a CPU: how long they were runnable without running, wherever that was. */
	__u64 wait_ns;
	__u64 wait[PMVX_TIMES];
	/* Those whose wait is not known: they left a CPU when the probe was not there, or another task had their place in its table. */
	__u64 wait_unknown;
	/* Tasks coming to a CPU after the kernel moved them there from another; moves, as the kernel counts them. */
	__u64 migrations;
	/* Runnable tasks of the CPU, the one that runs included, at each switch; the last bucket has no upper end. */
	__u64 depth[PMVX_DEPTHS];
	/* Wake-ups: all; by the idle task, mostly from interrupts; by a thread of the same process; of a task that ran here last. */
	__u64 wake;
	__u64 wake_by_idle;
	__u64 wake_same_process;
	__u64 wake_same_cpu;
	/* Wake-ups whose waker said that it is about to sleep (WF_SYNC). */
	__u64 wake_sync;
	/* Who wakes whom: wake-ups by a hash of both tasks. Few large buckets: a few fixed pairs. */
	__u64 wake_pair[PMVX_PAIRS];
	__u64 fork;
	/* Interrupts: of devices, of the local timer, to reschedule, to call a function, and soft interrupts by kind. */
	__u64 irq_device;
	__u64 irq_timer;
	__u64 irq_reschedule;
	__u64 irq_call;
	__u64 softirq[PMVX_SOFTIRQS];
	/* Performance counters of the processor, scaled by the share of time in which they counted. */
	__u64 cycles;
	__u64 instructions;
	__u64 llc_references;
	__u64 llc_misses;
};

#endif
