// SPDX-License-Identifier: GPL-2.0-only
/*
 * pmvx_batch: for work that computes, more of it than there are CPUs.
 *
 * Each CPU has one queue, ordered by weighted virtual time; a task comes back to the CPU on which it ran, and slices are long, so that
 * caches stay warm and switches are few. A CPU that has nothing takes the first of the longest other queue, so that none idles while work
 * waits.
 *
 * Good at: pipelines that compute (stage-pipeline 1.31 of EEVDF's rate) and floods of messages (hackbench takes 0.65 of its time).
 * Bad at: whoever has to wait for a CPU waits for the rest of a long slice (cyclictest-load's p99 is 9.3 times EEVDF's). Spinners of equal
 * length gain nothing.
 */
#include <scx/common.bpf.h>
#include <scx/compat.bpf.h>

char _license[] SEC("license") = "GPL";

const volatile u64 slice_ns = 8000000;

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

s32 BPF_STRUCT_OPS(batch_select_cpu, struct task_struct *p, s32 prev_cpu, u64 wake_flags)
{
	bool is_idle = false;
	s32 cpu = scx_bpf_select_cpu_dfl(p, prev_cpu, wake_flags, &is_idle);

	if (is_idle)
		scx_bpf_dsq_insert(p, SCX_DSQ_LOCAL, slice_ns, 0);
	return cpu;
}

void BPF_STRUCT_OPS(batch_enqueue, struct task_struct *p, u64 enq_flags)
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

void BPF_STRUCT_OPS(batch_dispatch, s32 cpu, struct task_struct *prev)
{
	u32 cpus = scx_bpf_nr_cpu_ids(), i;
	s32 longest = 0;
	u64 from = 0;

	if (scx_bpf_dsq_move_to_local((u64)cpu, 0))
		return;
	bpf_for(i, 1, cpus) {
		u64 other = (cpu + i) % cpus;
		s32 queued = scx_bpf_dsq_nr_queued(other);

		if (queued > longest) {
			longest = queued;
			from = other;
		}
	}
	if (longest && scx_bpf_dsq_move_to_local(from, 0))
		return;
	/* Its first task may not run here: whatever else there is. */
	bpf_for(i, 1, cpus) {
		if (scx_bpf_dsq_move_to_local((cpu + i) % cpus, 0))
			return;
	}
}

/* The clock follows who runs, but not past who still waits. */
void BPF_STRUCT_OPS(batch_running, struct task_struct *p)
{
	u32 cpu = scx_bpf_task_cpu(p);
	const struct task_struct *first;
	u64 vtime;

	if (cpu >= CPUS_MAX)
		return;
	began_ns[cpu] = p->se.sum_exec_runtime;
	vtime = vtime_at(p, cpu);
	scx_bpf_task_set_dsq_vtime(p, vtime);
	first = __COMPAT_scx_bpf_dsq_peek(cpu);
	if (first && time_before(first->scx.dsq_vtime, vtime))
		vtime = first->scx.dsq_vtime;
	if (time_before(clock_ns[cpu], vtime))
		clock_ns[cpu] = vtime;
}

void BPF_STRUCT_OPS(batch_stopping, struct task_struct *p, bool runnable)
{
	u32 cpu = scx_bpf_task_cpu(p);
	u64 used;

	if (cpu >= CPUS_MAX)
		return;
	used = p->se.sum_exec_runtime - began_ns[cpu];
	scx_bpf_task_set_dsq_vtime(p, p->scx.dsq_vtime + scale_by_task_weight_inverse(p, used));
}

void BPF_STRUCT_OPS(batch_enable, struct task_struct *p)
{
	u32 cpu = scx_bpf_task_cpu(p);

	scx_bpf_task_set_dsq_vtime(p, cpu < CPUS_MAX ? clock_ns[cpu] : 0);
}

s32 BPF_STRUCT_OPS_SLEEPABLE(batch_init)
{
	u32 cpus = scx_bpf_nr_cpu_ids(), i;

	bpf_for(i, 0, cpus) {
		s32 failed = scx_bpf_create_dsq(i, -1);

		if (failed)
			return failed;
	}
	return 0;
}

void BPF_STRUCT_OPS(batch_exit, struct scx_exit_info *ei)
{
	UEI_RECORD(uei, ei);
}

SCX_OPS_DEFINE(batch_ops,
	       .select_cpu = (void *)batch_select_cpu,
	       .enqueue = (void *)batch_enqueue,
	       .dispatch = (void *)batch_dispatch,
	       .running = (void *)batch_running,
	       .stopping = (void *)batch_stopping,
	       .enable = (void *)batch_enable,
	       .init = (void *)batch_init,
	       .exit = (void *)batch_exit,
	       .name = "pmvx_batch");
