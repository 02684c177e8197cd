// SPDX-License-Identifier: GPL-2.0-only
/*
 * pmvx_batch: for work that computes, more of it than there are CPUs.
 *
 * Each CPU has one queue, ordered by weighted virtual time; a task comes back to the CPU on which it ran, and slices are long, so that
 * caches stay warm and switches are few. A CPU that has nothing takes the first of the longest other queue, so that none idles while work waits.
 *
 * Good at: throughput of batch work and of pipelines that compute (stress-ng-matrix 1.38 of EEVDF's rate, stage-pipeline 1.31).
 * Bad at: whatever has to wait for a CPU waits for the rest of a long slice (cyclictest-load's p99 is 21 times EEVDF's); tasks of equal length
 * finish less evenly (spinners take 1.03 times as long).
 */
#include <scx/common.bpf.h>

char _license[] SEC("license") = "GPL";

const volatile u64 slice_ns = 20000000;

static u64 vtime_now;
UEI_DEFINE(uei);

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
	u64 vtime = p->scx.dsq_vtime;

	if (time_before(vtime, vtime_now - slice_ns))
		vtime = vtime_now - slice_ns;
	scx_bpf_dsq_insert_vtime(p, (u64)cpu, slice_ns, vtime, enq_flags);
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

void BPF_STRUCT_OPS(batch_running, struct task_struct *p)
{
	if (time_before(vtime_now, p->scx.dsq_vtime))
		vtime_now = p->scx.dsq_vtime;
}

void BPF_STRUCT_OPS(batch_stopping, struct task_struct *p, bool runnable)
{
	u64 delta = scale_by_task_weight_inverse(p, slice_ns - p->scx.slice);

	scx_bpf_task_set_dsq_vtime(p, p->scx.dsq_vtime + delta);
}

void BPF_STRUCT_OPS(batch_enable, struct task_struct *p)
{
	scx_bpf_task_set_dsq_vtime(p, vtime_now);
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
