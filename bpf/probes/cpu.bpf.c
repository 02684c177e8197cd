// SPDX-License-Identifier: GPL-2.0-only
/*
 * Probe `cpu`: how tasks come to a CPU, leave it and wake each other. See cpu.h for the counters.
 *
 * It takes no time itself: the scheduler notes when a task was queued and when it came to the CPU (sched_info), and the run queue's
 * clock has just been brought up to date at a switch. What a task had waited when it last left is kept in a table by pid.
 */
#include "call-class.h"
#include "counters.h"
#include "cpu.h"
#include "scaled.h"

#define WF_SYNC 0x10 /* kernel/sched/sched.h, from 5.16 on */
#define PF_KTHREAD 0x00200000 /* include/linux/sched.h */
#define TASKS 65536

COUNTERS(struct pmvx_cpu);

/* What the kernel had added up for a task when it left a CPU. `visit` names that occasion: see visit_of. */
static struct {
	__u32 visit;
	__u32 migrations;
	__u64 run_delay;
} left[TASKS];

/* The task that was to be woken by the last synchronous wake-up on this CPU, until there is another wake-up of it. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
} woken_sync SEC(".maps");

/*
 * Of all tasks with one place in the table, this one when it was on a CPU for the last time: a task that came and went while no
 * program stood here has another. Process ids have at most 22 bits.
 */
static __always_inline __u32 visit_of(struct task_struct *task)
{
	return (__u32)task->pid / TASKS + (__u32)task->sched_info.pcount * ((1 << 22) / TASKS);
}

static __always_inline void sleeps(struct pmvx_cpu *cpu, struct task_struct *task)
{
	struct pt_regs *regs;

	cpu->switch_sleep++;
	if (task->flags & PF_KTHREAD) {
		cpu->sleep_kernel++;
		return;
	}
	regs = (struct pt_regs *)bpf_task_pt_regs(task);
	cpu->sleep_in[call_class(regs, CALL_NUMBER(regs))]++;
}

static __always_inline void leaves(struct pmvx_cpu *cpu, struct task_struct *task, __u64 now, bool is_asleep)
{
	__u64 ran = now - task->sched_info.last_arrival;
	__u32 slot = (__u32)task->pid % TASKS;

	if (is_asleep)
		sleeps(cpu, task);
	else
		cpu->switch_preempt++;
	cpu->run_ns += ran;
	cpu->run[time_bucket(ran)]++;
	left[slot].visit = visit_of(task);
	left[slot].migrations = task->se.nr_migrations;
	left[slot].run_delay = task->sched_info.run_delay;
}

static __always_inline void arrives(struct pmvx_cpu *cpu, struct task_struct *task, __u64 now)
{
	__u32 slot = (__u32)task->pid % TASKS;
	__u64 waited = task->sched_info.run_delay + now - task->sched_info.last_queued;
	__u64 migrations = task->se.nr_migrations;

	if (!task->sched_info.last_queued) {
		cpu->wait_unknown++;
		return;
	}
	/* A task that runs for the first time has nothing to subtract. */
	if (task->sched_info.pcount) {
		if (left[slot].visit != visit_of(task)) {
			cpu->wait_unknown++;
			return;
		}
		waited -= left[slot].run_delay;
		migrations -= left[slot].migrations;
	}
	cpu->migrations += (__u32)migrations;
	cpu->wait_ns += waited;
	cpu->wait[time_bucket(waited)]++;
}

SEC("tp_btf/sched_switch")
int BPF_PROG(often_switch, bool preempt, struct task_struct *prev, struct task_struct *next, unsigned int prev_state)
{
	struct pmvx_cpu *cpu = this_cpu_counters(&counters);
	/* Each task, the idle one too, has a place among the fair class' queues of its CPU, whatever its class. */
	struct rq *rq = next->se.cfs_rq->rq;
	__u64 now = rq->clock;
	__u32 depth = rq->nr_running;

	if (!cpu)
		return 0;
	if (!only_tgid)
		cpu->depth[depth < PMVX_DEPTHS ? depth : PMVX_DEPTHS - 1]++;
	if (!prev->pid)
		cpu->switch_from_idle++;
	else if (!only_tgid || prev->tgid == only_tgid)
		leaves(cpu, prev, now, prev_state && !preempt);
	if (!next->pid)
		cpu->switch_to_idle++;
	else if (!only_tgid || next->tgid == only_tgid)
		arrives(cpu, next, now);
	return 0;
}

/*
 * Whether the wake-up that begins is synchronous; whether it wakes anybody, often_waking will tell. Always attached: coming and going
 * at a function, unlike at a tracepoint, costs more than all its calls.
 */
SEC("fentry/try_to_wake_up")
int BPF_PROG(on_wake_up, struct task_struct *task, unsigned int state, int flags)
{
	__u64 *sync = this_cpu_counters(&woken_sync);

	if (!sync)
		return 0;
	if (flags & WF_SYNC)
		*sync = (__u64)task;
	else if (*sync == (__u64)task)
		*sync = 0;
	return 0;
}

SEC("tp_btf/sched_waking")
int BPF_PROG(often_waking, struct task_struct *task)
{
	struct task_struct *waker = bpf_get_current_task_btf();
	struct pmvx_cpu *cpu = this_cpu_counters(&counters);
	__u64 *sync = this_cpu_counters(&woken_sync);
	__u32 pair;

	if (!cpu || !sync || (only_tgid && waker->tgid != only_tgid))
		return 0;
	cpu->wake++;
	if (!waker->pid)
		cpu->wake_by_idle++;
	if (waker->tgid == task->tgid)
		cpu->wake_same_process++;
	if (waker->wake_cpu == task->wake_cpu)
		cpu->wake_same_cpu++;
	if (*sync == (__u64)task)
		cpu->wake_sync++;
	/* Multiplicative hashing (Knuth, The Art of Computer Programming 3, 6.4): the upper bits are the good ones. */
	pair = (__u32)waker->pid * 2654435761u ^ (__u32)task->pid * 2246822519u;
	cpu->wake_pair[(pair >> 24) % PMVX_PAIRS]++;
	return 0;
}

SEC("tp_btf/sched_process_fork")
int BPF_PROG(on_fork, struct task_struct *parent, struct task_struct *child)
{
	struct pmvx_cpu *cpu = this_cpu_counters(&counters);

	if (cpu && !is_other())
		cpu->fork++;
	return 0;
}

/* The processor's counters: user space puts one perf event for each CPU into each of these that it can. */
#define PERF_EVENTS(name)                                    \
	struct {                                             \
		__uint(type, BPF_MAP_TYPE_PERF_EVENT_ARRAY); \
		__uint(map_flags, BPF_F_PRESERVE_ELEMS);     \
		__type(key, __u32);                          \
		__type(value, __u32);                        \
	} name SEC(".maps")

PERF_EVENTS(perf_cycles);
PERF_EVENTS(perf_instructions);
PERF_EVENTS(perf_llc_references);
PERF_EVENTS(perf_llc_misses);

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 4);
	__type(key, __u32);
	__type(value, struct pmvx_scaled);
} scaled SEC(".maps");

static __always_inline __u64 read_perf(void *events, __u32 number)
{
	struct pmvx_scaled *last = bpf_map_lookup_elem(&scaled, &number);
	struct bpf_perf_event_value value = {};

	if (!last || bpf_perf_event_read_value(events, BPF_F_CURRENT_CPU, &value, sizeof(value)) || !value.running)
		return PMVX_ABSENT;
	return pmvx_scale(last, value.counter, value.enabled, value.running) ? last->sum : PMVX_ABSENT;
}

/* Of one kind of interrupt: its member, or its place in the array, whichever this kernel has. */
#define IRQ_COUNT(irqs, member, kind)                                                         \
	(bpf_core_field_exists((irqs)->member)             ? (irqs)->member :                   \
	 bpf_core_enum_value_exists(enum irq_stat_counts, kind) ?                             \
		 (irqs)->counts[bpf_core_enum_value(enum irq_stat_counts, kind)] :            \
		 PMVX_ABSENT)

SEC("raw_tp")
int kept(void *context)
{
	struct pmvx_cpu *cpu = this_cpu_counters(&counters);
	const struct kernel_stat *stat = bpf_this_cpu_ptr(&kstat);
	const irq_cpustat_t *irqs = bpf_this_cpu_ptr(&irq_stat);

	if (!cpu)
		return 0;
	cpu->irq_device = stat->irqs_sum;
	for (int i = 0; i < PMVX_SOFTIRQS; i++)
		cpu->softirq[i] = stat->softirqs[i];
	cpu->irq_timer = IRQ_COUNT(irqs, apic_timer_irqs, IRQ_COUNT_APIC_TIMER);
	cpu->irq_reschedule = IRQ_COUNT(irqs, irq_resched_count, IRQ_COUNT_RESCHEDULE);
	cpu->irq_call = IRQ_COUNT(irqs, irq_call_count, IRQ_COUNT_CALL_FUNCTION);
	return 0;
}

SEC("tp_btf/irq_handler_entry")
int BPF_PROG(instead_irq)
{
	struct pmvx_cpu *cpu = this_cpu_counters(&counters);

	if (cpu && !only_tgid)
		cpu->irq_device++;
	return 0;
}

SEC("tp_btf/softirq_entry")
int BPF_PROG(instead_softirq, unsigned int kind)
{
	struct pmvx_cpu *cpu = this_cpu_counters(&counters);

	if (cpu && !only_tgid && kind < PMVX_SOFTIRQS)
		cpu->softirq[kind]++;
	return 0;
}

SEC("raw_tp")
int sample(void *context)
{
	struct pmvx_cpu *cpu = this_cpu_counters(&counters);

	if (!cpu)
		return 0;
	if (no_sync)
		cpu->wake_sync = PMVX_ABSENT;
	if (no_kept) {
		cpu->irq_timer = PMVX_ABSENT;
		cpu->irq_reschedule = PMVX_ABSENT;
		cpu->irq_call = PMVX_ABSENT;
	}
	cpu->cycles = read_perf(&perf_cycles, 0);
	cpu->instructions = read_perf(&perf_instructions, 1);
	cpu->llc_references = read_perf(&perf_llc_references, 2);
	cpu->llc_misses = read_perf(&perf_llc_misses, 3);
	return 0;
}
