// SPDX-License-Identifier: GPL-2.0-only
/*
 * pmvx_chain: for chains of producers and consumers.
 *
 * Each CPU has one queue, ordered by weighted virtual time. A task that wakes up runs on an idle CPU, its own first. When there is none, and
 * its waker says that it will sleep at once (a synchronous wake-up, as pipes and sockets do), it waits on the waker's CPU while fewer than
 * `chain_depth` wait there: what was produced is consumed where it lies. A CPU that has nothing takes from the others.
 *
 * Good at: floods of messages (hackbench) and pipelines that compute (stage-pipeline).
 * Bad at: timers beside tasks that compute (cyclictest-load): nothing is interrupted for a wake-up. Figures are in policy.yaml.
 */
#include <scx/common.bpf.h>
#include <scx/compat.bpf.h>

char _license[] SEC("license") = "GPL";

const volatile u64 slice_ns = 3000000;
const volatile u64 chain_depth = 2;

#define CPUS_MAX 1024

/*
 * Each queue's clock. One for all queues would not do: where four tasks share a CPU it goes at a fourth of the speed, and who came there
 * by a faster clock would wait until the four have caught up.
 */
static u64 clock_ns[CPUS_MAX];

/*
 * What each CPU's task had used when it began to run. What is left of its slice does not tell how long it ran: the kernel gives 20 ms to
 * who goes on alone, and takes the slice from who is interrupted.
 */
static u64 began_ns[CPUS_MAX];

UEI_DEFINE(uei);

/*
 * The task's virtual time by the clock of a queue: who slept long does not save up more than a slice, and who comes from a faster clock
 * waits no longer than who has just used two.
 */
static u64 vtime_at(const struct task_struct *p, u32 cpu)
{
	u64 vtime = p->scx.dsq_vtime, now = cpu < CPUS_MAX ? clock_ns[cpu] : 0;
	u64 least = now - slice_ns, most = now + scale_by_task_weight_inverse(p, 2 * slice_ns);

	if (time_before(vtime, least))
		return least;
	return time_before(most, vtime) ? most : vtime;
}

/* Bits of the preempt count (as Linux 7.3 lays them out) that say: an interrupt, not the task that it came upon. */
#define HARDIRQ_MASK 0x0f000000
extern const int __preempt_count __ksym;

static bool in_hardirq(void)
{
	const int *count = bpf_this_cpu_ptr(&__preempt_count);

	return *count & HARDIRQ_MASK;
}

/* Whether the task that wakes another will sleep at once, as it says. The waker itself asks, so its CPU is the one that runs this. */
static bool is_handed_over(u64 wake_flags)
{
	const struct task_struct *waker = (void *)bpf_get_current_task_btf();

	return (wake_flags & SCX_WAKE_SYNC) && !(waker->flags & PF_EXITING) && waker->pid && !in_hardirq();
}

/* An idle CPU is better than any queue, its own first; then both work at once. */
s32 BPF_STRUCT_OPS(chain_select_cpu, struct task_struct *p, s32 prev_cpu, u64 wake_flags)
{
	s32 here = bpf_get_smp_processor_id(), cpu;
	bool is_idle = false;

	cpu = scx_bpf_select_cpu_dfl(p, prev_cpu, wake_flags & ~SCX_WAKE_SYNC, &is_idle);
	if (is_idle) {
		scx_bpf_dsq_insert(p, SCX_DSQ_LOCAL, slice_ns, 0);
		return cpu;
	}
	if (is_handed_over(wake_flags) && bpf_cpumask_test_cpu(here, p->cpus_ptr) &&
	    scx_bpf_dsq_nr_queued(here) < (s32)chain_depth)
		return here;
	return cpu;
}

void BPF_STRUCT_OPS(chain_enqueue, struct task_struct *p, u64 enq_flags)
{
	s32 cpu = scx_bpf_task_cpu(p);

	/* A kernel thread of one CPU serves that CPU: it comes first. */
	if ((p->flags & PF_KTHREAD) && p->nr_cpus_allowed == 1) {
		scx_bpf_dsq_insert(p, SCX_DSQ_LOCAL, slice_ns, enq_flags);
		return;
	}
	scx_bpf_dsq_insert_vtime(p, (u64)cpu, slice_ns, vtime_at(p, cpu), enq_flags);
	scx_bpf_kick_cpu(cpu, SCX_KICK_IDLE);
}

void BPF_STRUCT_OPS(chain_dispatch, s32 cpu, struct task_struct *prev)
{
	u32 cpus = scx_bpf_nr_cpu_ids(), i;

	if (scx_bpf_dsq_move_to_local((u64)cpu, 0))
		return;
	bpf_for(i, 1, cpus) {
		if (scx_bpf_dsq_move_to_local((cpu + i) % cpus, 0))
			return;
	}
}

/* The clock follows who runs, but not past who still waits; in steps, for to look who waits takes as long as the rest of a switch. */
void BPF_STRUCT_OPS(chain_running, struct task_struct *p)
{
	u32 cpu = scx_bpf_task_cpu(p);
	const struct task_struct *first;
	u64 vtime;

	if (cpu >= CPUS_MAX)
		return;
	began_ns[cpu] = p->se.sum_exec_runtime;
	vtime = vtime_at(p, cpu);
	if (vtime != p->scx.dsq_vtime)
		scx_bpf_task_set_dsq_vtime(p, vtime);
	if (!time_before(clock_ns[cpu] + slice_ns / 8, vtime))
		return;
	first = __COMPAT_scx_bpf_dsq_peek(cpu);
	if (first && time_before(first->scx.dsq_vtime, vtime))
		vtime = first->scx.dsq_vtime;
	if (time_before(clock_ns[cpu], vtime))
		clock_ns[cpu] = vtime;
}

void BPF_STRUCT_OPS(chain_stopping, struct task_struct *p, bool runnable)
{
	u32 cpu = scx_bpf_task_cpu(p);
	u64 used;

	if (cpu >= CPUS_MAX)
		return;
	used = p->se.sum_exec_runtime - began_ns[cpu];
	scx_bpf_task_set_dsq_vtime(p, p->scx.dsq_vtime + scale_by_task_weight_inverse(p, used));
}

void BPF_STRUCT_OPS(chain_enable, struct task_struct *p)
{
	u32 cpu = scx_bpf_task_cpu(p);

	scx_bpf_task_set_dsq_vtime(p, cpu < CPUS_MAX ? clock_ns[cpu] : 0);
}

s32 BPF_STRUCT_OPS_SLEEPABLE(chain_init)
{
	u32 cpus = scx_bpf_nr_cpu_ids(), i;

	bpf_for(i, 0, cpus) {
		s32 failed = scx_bpf_create_dsq(i, -1);

		if (failed)
			return failed;
	}
	return 0;
}

void BPF_STRUCT_OPS(chain_exit, struct scx_exit_info *ei)
{
	UEI_RECORD(uei, ei);
}

SCX_OPS_DEFINE(chain_ops,
	       .select_cpu = (void *)chain_select_cpu,
	       .enqueue = (void *)chain_enqueue,
	       .dispatch = (void *)chain_dispatch,
	       .running = (void *)chain_running,
	       .stopping = (void *)chain_stopping,
	       .enable = (void *)chain_enable,
	       .init = (void *)chain_init,
	       .exit = (void *)chain_exit,
	       .name = "pmvx_chain");
