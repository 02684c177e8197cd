// SPDX-License-Identifier: GPL-2.0-only
/*
 * pmvx_chain: for chains of producers and consumers.
 *
 * Each CPU has one queue, ordered by weighted virtual time. A task that is woken by another goes to the waker's CPU while fewer than
 * `chain_depth` wait there: what was produced is consumed where it lies, and the waker, which will soon wait itself, hands the CPU
 * over without an interrupt to another. With more waiting, an idle CPU is looked for. A CPU that has nothing takes from the others.
 *
 * Good at: floods of messages (hackbench in 0.69 of EEVDF's time).
 * Bad at: a task that wakes others and goes on computing keeps them waiting for up to a slice (wakeup-latency's tail is 2.7 times EEVDF's),
 * and a single hand-over costs more (perf-sched-pipe takes 1.34 times as long). Pipelines that compute gain nothing.
 */
#include <scx/common.bpf.h>

char _license[] SEC("license") = "GPL";

const volatile u64 slice_ns = 3000000;
const volatile u64 chain_depth = 2;

static u64 vtime_now;
UEI_DEFINE(uei);

/* The waker itself asks, so its CPU is the one that runs this. A task that nobody wakes (a fork, exec, a timer) looks for an idle CPU. */
s32 BPF_STRUCT_OPS(chain_select_cpu, struct task_struct *p, s32 prev_cpu, u64 wake_flags)
{
	const struct task_struct *waker = (void *)bpf_get_current_task_btf();
	s32 here = bpf_get_smp_processor_id(), cpu;
	bool is_idle = false;

	if ((wake_flags & SCX_WAKE_TTWU) && !(waker->flags & PF_EXITING) && waker->pid &&
	    bpf_cpumask_test_cpu(here, p->cpus_ptr) && scx_bpf_dsq_nr_queued(here) < (s32)chain_depth)
		return here;
	cpu = scx_bpf_select_cpu_dfl(p, prev_cpu, wake_flags, &is_idle);
	if (is_idle)
		scx_bpf_dsq_insert(p, SCX_DSQ_LOCAL, slice_ns, 0);
	return cpu;
}

void BPF_STRUCT_OPS(chain_enqueue, struct task_struct *p, u64 enq_flags)
{
	s32 cpu = scx_bpf_task_cpu(p);
	u64 vtime = p->scx.dsq_vtime;

	/* Who slept long does not save up more than a slice. */
	if (time_before(vtime, vtime_now - slice_ns))
		vtime = vtime_now - slice_ns;
	scx_bpf_dsq_insert_vtime(p, (u64)cpu, slice_ns, vtime, enq_flags);
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

void BPF_STRUCT_OPS(chain_running, struct task_struct *p)
{
	if (time_before(vtime_now, p->scx.dsq_vtime))
		vtime_now = p->scx.dsq_vtime;
}

void BPF_STRUCT_OPS(chain_stopping, struct task_struct *p, bool runnable)
{
	u64 delta = scale_by_task_weight_inverse(p, slice_ns - p->scx.slice);

	scx_bpf_task_set_dsq_vtime(p, p->scx.dsq_vtime + delta);
}

void BPF_STRUCT_OPS(chain_enable, struct task_struct *p)
{
	scx_bpf_task_set_dsq_vtime(p, vtime_now);
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
