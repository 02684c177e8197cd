/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the probes read of the kernel, by name: each member is found in the running kernel's BTF when a program is loaded, so one
 * object serves many kernels and needs no header that was generated from one.
 */
#ifndef PMVX_KERNEL_H
#define PMVX_KERNEL_H

#include <linux/bpf.h>
#include <linux/types.h>
#include <stdbool.h>

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#define RELOCATED __attribute__((preserve_access_index))

struct sched_info {
	unsigned long pcount;
	unsigned long long run_delay;
	unsigned long long last_arrival;
	unsigned long long last_queued;
} RELOCATED;

struct rq {
	unsigned int nr_running;
	__u64 clock;
} RELOCATED;

struct cfs_rq {
	struct rq *rq;
} RELOCATED;

struct sched_entity {
	__u64 nr_migrations;
	struct cfs_rq *cfs_rq;
} RELOCATED;

struct task_struct {
	int pid;
	int tgid;
	unsigned int flags;
	int wake_cpu;
	struct sched_entity se;
	struct sched_info sched_info;
} RELOCATED;

struct kernel_stat {
	unsigned long irqs_sum;
	unsigned int softirqs[10];
} RELOCATED;

struct vm_event_state {
	unsigned long event[1];
} RELOCATED;

struct pt_regs {
#ifdef __TARGET_ARCH_x86
	unsigned long si;
	unsigned long orig_ax;
#else
	unsigned long long regs[31];
	int syscallno;
#endif
} RELOCATED;

struct page;

struct request {
	unsigned int cmd_flags;
	unsigned int __data_len;
	__u64 start_time_ns;
} RELOCATED;

struct bvec_iter {
	unsigned int bi_size;
} RELOCATED;

struct bio {
	unsigned int bi_opf;
	struct bvec_iter bi_iter;
} RELOCATED;

struct sk_buff {
	unsigned int len;
} RELOCATED;

struct sock_common {
	unsigned short skc_family;
} RELOCATED;

struct sock {
	struct sock_common __sk_common;
	unsigned short sk_protocol;
} RELOCATED;

/* x86: interrupts of a CPU by kind. Members until 7.1, and from 7.2 on an array that `enum irq_stat_counts` indexes. */
typedef struct {
	unsigned int apic_timer_irqs;
	unsigned int irq_resched_count;
	unsigned int irq_call_count;
	unsigned int counts[1];
} RELOCATED irq_cpustat_t;

enum irq_stat_counts {
	IRQ_COUNT_APIC_TIMER,
	IRQ_COUNT_RESCHEDULE,
	IRQ_COUNT_CALL_FUNCTION,
};

enum vm_event_item {
	PGALLOC_DMA,
	PGALLOC_DMA32,
	PGALLOC_NORMAL,
	PGALLOC_MOVABLE,
	PGFREE,
	PGFAULT,
	PGMAJFAULT,
	PSWPIN,
	PSWPOUT,
};

extern const irq_cpustat_t irq_stat __ksym;
extern const struct kernel_stat kstat __ksym;
extern const struct vm_event_state vm_event_states __ksym;

#endif
