// SPDX-License-Identifier: GPL-2.0-only
/*
 * pmvx_batch: for work that computes, more of it than there are CPUs.
 *
 * One queue for all CPUs, ordered by weighted virtual time, so that none idles while work waits and none gets ahead: where tasks are no
 * multiple of CPUs, they take turns. Nothing is interrupted for a wake-up. A task whose slice is over goes on while it leads the first that
 * waits by less than `lead_ns`: its caches stay warm, and switches and migrations are few.
 *
 * Good at: more tasks than CPUs whose last one counts (a build, a number of jobs of like length), pipelines that compute, floods of messages.
 * Bad at: whoever has to wait for a CPU beside tasks that compute waits for several milliseconds (cyclictest-load). As many tasks as fill the
 * CPUs evenly gain nothing, and one queue is contended as CPUs grow in number. Figures are in policy.yaml.
 */
#include <scx/common.bpf.h>
#include <scx/compat.bpf.h>

char _license[] SEC("license") = "GPL";

/* A little less than a tick of 4 ms: slices are looked at on ticks. */
const volatile u64 slice_ns = 3900000;
const volatile u64 lead_ns = 8000000;

#define QUEUE 0
#define CPUS_MAX 1024

static u64 clock_ns;

/*
 * What each CPU's task had used when it began to run. What is left of its slice does not tell how long it ran: the kernel gives 20 ms to
 * who goes on alone, and takes the slice from who is interrupted.
 */
static u64 began_ns[CPUS_MAX];

UEI_DEFINE(uei);

/* The task's virtual time: who slept long does not save up more than a lead, and who is ahead waits no longer than who has just used two. */
static u64 vtime_of(const struct task_struct *p)
{
	u64 vtime = p->scx.dsq_vtime, now = clock_ns;
	u64 least = now - lead_ns, most = now + scale_by_task_weight_inverse(p, 2 * lead_ns);

	if (time_before(vtime, least))
		return least;
	return time_before(most, vtime) ? most : vtime;
}

/* The virtual time with what the task has used since it began to run. */
static u64 vtime_with(const struct task_struct *p, u64 began)
{
	return p->scx.dsq_vtime + scale_by_task_weight_inverse(p, p->se.sum_exec_runtime - began);
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
	/* A kernel thread of one CPU serves that CPU: it comes first. */
	if ((p->flags & PF_KTHREAD) && p->nr_cpus_allowed == 1) {
		scx_bpf_dsq_insert(p, SCX_DSQ_LOCAL, slice_ns, enq_flags);
		return;
	}
	scx_bpf_dsq_insert_vtime(p, QUEUE, slice_ns, vtime_of(p), enq_flags);
	scx_bpf_kick_cpu(scx_bpf_task_cpu(p), SCX_KICK_IDLE);
}

/* `prev` wants to go on where its slice is over. */
void BPF_STRUCT_OPS(batch_dispatch, s32 cpu, struct task_struct *prev)
{
	u32 here = cpu;
	const u64 *began = MEMBER_VPTR(began_ns, [here]);

	if (prev && began && (prev->scx.flags & SCX_TASK_QUEUED)) {
		const struct task_struct *first = __COMPAT_scx_bpf_dsq_peek(QUEUE);

		if (!first || time_before(vtime_with(prev, *began), first->scx.dsq_vtime + lead_ns)) {
			prev->scx.slice = slice_ns;
			return;
		}
	}
	scx_bpf_dsq_move_to_local(QUEUE, 0);
}

/* The clock follows who runs, but not past who still waits; in steps, for to look who waits takes as long as the rest of a switch. */
void BPF_STRUCT_OPS(batch_running, struct task_struct *p)
{
	u32 cpu = scx_bpf_task_cpu(p);
	u64 *began = MEMBER_VPTR(began_ns, [cpu]);
	u64 vtime = vtime_of(p);
	const struct task_struct *first;

	if (!began)
		return;
	*began = p->se.sum_exec_runtime;
	if (vtime != p->scx.dsq_vtime)
		scx_bpf_task_set_dsq_vtime(p, vtime);
	if (!time_before(clock_ns + lead_ns / 16, vtime))
		return;
	first = __COMPAT_scx_bpf_dsq_peek(QUEUE);
	if (first && time_before(first->scx.dsq_vtime, vtime))
		vtime = first->scx.dsq_vtime;
	if (time_before(clock_ns, vtime))
		clock_ns = vtime;
}

void BPF_STRUCT_OPS(batch_stopping, struct task_struct *p, bool runnable)
{
	u32 cpu = scx_bpf_task_cpu(p);
	const u64 *began = MEMBER_VPTR(began_ns, [cpu]);

	if (began)
		scx_bpf_task_set_dsq_vtime(p, vtime_with(p, *began));
}

void BPF_STRUCT_OPS(batch_enable, struct task_struct *p)
{
	scx_bpf_task_set_dsq_vtime(p, clock_ns);
}

s32 BPF_STRUCT_OPS_SLEEPABLE(batch_init)
{
	return scx_bpf_create_dsq(QUEUE, -1);
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
