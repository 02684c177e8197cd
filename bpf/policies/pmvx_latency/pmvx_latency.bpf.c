// SPDX-License-Identifier: GPL-2.0-only
/*
 * pmvx_latency: for tasks that wake up, do little, and sleep, beside others that compute.
 *
 * One queue for all CPUs, ordered by deadline: the task's weighted virtual time plus what it used before it last slept, so that a task
 * that always uses little is always early. Slices are short. A task that wakes up and finds no idle CPU interrupts the one on which it ran
 * last when that one runs a task with a later deadline.
 *
 * Good at: the tail of wake-up latency under load (wakeup-latency's p99 is 0.08 of EEVDF's), and pipelines that compute.
 * Bad at: work that computes is interrupted more often and moves between CPUs (spinners take 1.03 times as long, perf-sched-pipe 1.12);
 * one queue is contended as CPUs grow in number.
 */
#include <scx/common.bpf.h>

char _license[] SEC("license") = "GPL";

const volatile u64 slice_ns = 1000000;

#define QUEUE 0
/* What a task may save up by sleeping. */
#define LAG_NS 20000000ull

static u64 vtime_now;
UEI_DEFINE(uei);

struct task_use {
	u64 since_sleep_ns;
	u64 burst_ns; /* moving average of what it uses between two sleeps */
	u64 deadline;
};

struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct task_use);
} uses SEC(".maps");

/* Deadline of what runs on each CPU; 0 where nothing does. */
#define CPUS_MAX 1024
static u64 running_deadline[CPUS_MAX];

static struct task_use *use_of(struct task_struct *p)
{
	return bpf_task_storage_get(&uses, p, 0, 0);
}

s32 BPF_STRUCT_OPS(latency_select_cpu, struct task_struct *p, s32 prev_cpu, u64 wake_flags)
{
	bool is_idle = false;
	s32 cpu = scx_bpf_select_cpu_dfl(p, prev_cpu, wake_flags, &is_idle);

	if (is_idle)
		scx_bpf_dsq_insert(p, SCX_DSQ_LOCAL, slice_ns, 0);
	return cpu;
}

void BPF_STRUCT_OPS(latency_enqueue, struct task_struct *p, u64 enq_flags)
{
	struct task_use *use = use_of(p);
	u64 vtime = p->scx.dsq_vtime, deadline;
	s32 cpu = scx_bpf_task_cpu(p);

	if (time_before(vtime, vtime_now - LAG_NS)) {
		vtime = vtime_now - LAG_NS;
		scx_bpf_task_set_dsq_vtime(p, vtime);
	}
	deadline = vtime + (use ? scale_by_task_weight_inverse(p, use->burst_ns) : 0);
	if (use)
		use->deadline = deadline;
	scx_bpf_dsq_insert_vtime(p, QUEUE, slice_ns, deadline, enq_flags);
	if (!(enq_flags & SCX_ENQ_WAKEUP) || cpu < 0 || cpu >= CPUS_MAX)
		return;
	if (running_deadline[cpu] && time_before(deadline + slice_ns, running_deadline[cpu]))
		scx_bpf_kick_cpu(cpu, SCX_KICK_PREEMPT);
	else
		scx_bpf_kick_cpu(cpu, SCX_KICK_IDLE);
}

void BPF_STRUCT_OPS(latency_dispatch, s32 cpu, struct task_struct *prev)
{
	scx_bpf_dsq_move_to_local(QUEUE, 0);
}

void BPF_STRUCT_OPS(latency_running, struct task_struct *p)
{
	struct task_use *use = use_of(p);
	s32 cpu = scx_bpf_task_cpu(p);

	if (time_before(vtime_now, p->scx.dsq_vtime))
		vtime_now = p->scx.dsq_vtime;
	if (cpu >= 0 && cpu < CPUS_MAX)
		running_deadline[cpu] = p->scx.dsq_vtime + (use ? use->burst_ns : 0);
}

void BPF_STRUCT_OPS(latency_stopping, struct task_struct *p, bool runnable)
{
	struct task_use *use = use_of(p);
	u64 used = slice_ns - p->scx.slice;
	s32 cpu = scx_bpf_task_cpu(p);

	scx_bpf_task_set_dsq_vtime(p, p->scx.dsq_vtime + scale_by_task_weight_inverse(p, used));
	if (cpu >= 0 && cpu < CPUS_MAX)
		running_deadline[cpu] = 0;
	if (!use)
		return;
	use->since_sleep_ns += used;
	if (!runnable) {
		use->burst_ns = (use->burst_ns * 3 + use->since_sleep_ns) / 4;
		use->since_sleep_ns = 0;
	} else if (use->burst_ns < use->since_sleep_ns) {
		use->burst_ns = use->since_sleep_ns < LAG_NS ? use->since_sleep_ns : LAG_NS;
	}
}

s32 BPF_STRUCT_OPS(latency_init_task, struct task_struct *p, struct scx_init_task_args *args)
{
	return bpf_task_storage_get(&uses, p, 0, BPF_LOCAL_STORAGE_GET_F_CREATE) ? 0 : -12;
}

void BPF_STRUCT_OPS(latency_enable, struct task_struct *p)
{
	scx_bpf_task_set_dsq_vtime(p, vtime_now);
}

s32 BPF_STRUCT_OPS_SLEEPABLE(latency_init)
{
	return scx_bpf_create_dsq(QUEUE, -1);
}

void BPF_STRUCT_OPS(latency_exit, struct scx_exit_info *ei)
{
	UEI_RECORD(uei, ei);
}

SCX_OPS_DEFINE(latency_ops,
	       .select_cpu = (void *)latency_select_cpu,
	       .enqueue = (void *)latency_enqueue,
	       .dispatch = (void *)latency_dispatch,
	       .running = (void *)latency_running,
	       .stopping = (void *)latency_stopping,
	       .init_task = (void *)latency_init_task,
	       .enable = (void *)latency_enable,
	       .init = (void *)latency_init,
	       .exit = (void *)latency_exit,
	       .name = "pmvx_latency");
