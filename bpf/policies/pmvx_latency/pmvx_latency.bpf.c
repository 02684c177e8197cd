// SPDX-License-Identifier: GPL-2.0-only
/*
 * pmvx_latency: for tasks that wake up, do little, and sleep, beside others that compute.
 *
 * One queue for all CPUs, ordered by deadline: the task's weighted virtual time plus what it uses between two sleeps, so that a task that
 * always uses little is always early. A task that wakes up and finds no idle CPU interrupts, of its own CPU and the next few, the one with
 * the latest deadline, if what runs there computes longer between sleeps than it does.
 *
 * Good at: the tail of latency under load (wakeup-latency, cyclictest-load), and pipelines that compute.
 * Bad at: floods of messages (hackbench) and one hand-over at a time (perf-sched-pipe); one queue is contended as CPUs grow in number.
 * Figures are in policy.yaml.
 */
#include <scx/common.bpf.h>

char _license[] SEC("license") = "GPL";

const volatile u64 slice_ns = 3000000;

#define QUEUE 0
#define CPUS_MAX 1024
/* What a task may save up by sleeping, and how far off a deadline may be. */
#define LAG_NS 20000000ull
/* Among how many CPUs one is looked for that may be interrupted. */
#define LOOK 8

static u64 clock_ns;
UEI_DEFINE(uei);

struct task_use {
	u64 vtime; /* what it has had, weighted */
	u64 since_sleep_ns;
	u64 burst_ns; /* moving average of what it uses between two sleeps */
};

struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct task_use);
} uses SEC(".maps");

/* What runs on each CPU. */
struct cpu_run {
	u64 deadline; /* 0 where nothing does */
	u64 burst_ns;
	/* What the task had used when it began. What is left of its slice does not tell how long it ran: the kernel gives 20 ms to who goes
	 * on alone, and takes the slice from who is interrupted. */
	u64 began_ns;
};

static struct cpu_run runs[CPUS_MAX];

static struct task_use *use_of(struct task_struct *p)
{
	return bpf_task_storage_get(&uses, p, 0, 0);
}

/* Within bounds around the clock, so that nobody waits long for others to catch up, whichever CPUs he may use. */
static void rebase(struct task_struct *p, struct task_use *use)
{
	u64 now = clock_ns, most = now + scale_by_task_weight_inverse(p, 2 * slice_ns);

	if (time_before(use->vtime, now - LAG_NS))
		use->vtime = now - LAG_NS;
	else if (time_before(most, use->vtime))
		use->vtime = most;
}

static u64 deadline_of(struct task_struct *p, struct task_use *use)
{
	return use->vtime + scale_by_task_weight_inverse(p, use->burst_ns);
}

/* The CPU, of its own and the next few, with the latest deadline among those where a longer burst runs; CPUS_MAX when there is none. */
static u32 whom_to_interrupt(struct task_struct *p, s32 own, u64 deadline, u64 burst_ns)
{
	u32 cpus = scx_bpf_nr_cpu_ids(), i;
	u64 latest = deadline + slice_ns;
	u32 found = CPUS_MAX;

	bpf_for(i, 0, LOOK) {
		u32 cpu = (own + i) % cpus;
		const struct cpu_run *run = MEMBER_VPTR(runs, [cpu]);

		if (i >= cpus || !run)
			break;
		if (!run->deadline || run->burst_ns < burst_ns + slice_ns / 2 || !time_before(latest, run->deadline) ||
		    !bpf_cpumask_test_cpu(cpu, p->cpus_ptr))
			continue;
		latest = run->deadline;
		found = cpu;
	}
	return found;
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
	s32 cpu = scx_bpf_task_cpu(p);
	u32 victim = CPUS_MAX;
	u64 deadline;

	/* A kernel thread of one CPU serves that CPU: it comes first. */
	if (!use || ((p->flags & PF_KTHREAD) && p->nr_cpus_allowed == 1)) {
		scx_bpf_dsq_insert(p, SCX_DSQ_LOCAL, slice_ns, enq_flags);
		return;
	}
	rebase(p, use);
	deadline = deadline_of(p, use);
	scx_bpf_dsq_insert_vtime(p, QUEUE, slice_ns, deadline, enq_flags);
	if (enq_flags & SCX_ENQ_WAKEUP)
		victim = whom_to_interrupt(p, cpu, deadline, use->burst_ns);
	if (victim < CPUS_MAX) {
		struct cpu_run *run = MEMBER_VPTR(runs, [victim]);

		if (run)
			run->deadline = 0; /* once is enough */
		scx_bpf_kick_cpu(victim, SCX_KICK_PREEMPT);
	} else {
		scx_bpf_kick_cpu(cpu, SCX_KICK_IDLE);
	}
}

void BPF_STRUCT_OPS(latency_dispatch, s32 cpu, struct task_struct *prev)
{
	scx_bpf_dsq_move_to_local(QUEUE, 0);
}

/* The clock follows who runs, but not past who still waits. */
void BPF_STRUCT_OPS(latency_running, struct task_struct *p)
{
	struct task_use *use = use_of(p);
	u32 cpu = scx_bpf_task_cpu(p);
	struct cpu_run *run = MEMBER_VPTR(runs, [cpu]);
	const struct task_struct *first;
	u64 now;

	if (!use || !run)
		return;
	rebase(p, use);
	now = use->vtime;
	first = __COMPAT_scx_bpf_dsq_peek(QUEUE);
	if (first && time_before(first->scx.dsq_vtime, now))
		now = first->scx.dsq_vtime;
	if (time_before(clock_ns, now))
		clock_ns = now;
	run->began_ns = p->se.sum_exec_runtime;
	run->burst_ns = use->burst_ns;
	run->deadline = deadline_of(p, use);
}

void BPF_STRUCT_OPS(latency_stopping, struct task_struct *p, bool runnable)
{
	struct task_use *use = use_of(p);
	u32 cpu = scx_bpf_task_cpu(p);
	struct cpu_run *run = MEMBER_VPTR(runs, [cpu]);
	u64 used;

	if (!use || !run)
		return;
	used = p->se.sum_exec_runtime - run->began_ns;
	run->deadline = 0;
	use->vtime += scale_by_task_weight_inverse(p, used);
	use->since_sleep_ns += used;
	if (use->since_sleep_ns > LAG_NS)
		use->since_sleep_ns = LAG_NS;
	if (!runnable) {
		use->burst_ns = (use->burst_ns * 3 + use->since_sleep_ns) / 4;
		use->since_sleep_ns = 0;
	} else if (use->burst_ns < use->since_sleep_ns) {
		use->burst_ns = use->since_sleep_ns;
	}
}

s32 BPF_STRUCT_OPS(latency_init_task, struct task_struct *p, struct scx_init_task_args *args)
{
	return bpf_task_storage_get(&uses, p, 0, BPF_LOCAL_STORAGE_GET_F_CREATE) ? 0 : -12;
}

void BPF_STRUCT_OPS(latency_enable, struct task_struct *p)
{
	struct task_use *use = use_of(p);

	if (use)
		use->vtime = clock_ns;
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
