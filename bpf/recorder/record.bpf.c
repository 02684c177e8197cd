// SPDX-License-Identifier: GPL-2.0-only
/*
 * The recorder's half in the kernel: who ran, slept, woke whom and started whom, for a process and all that descends from it.
 *
 * Attaches to tracepoints and to one function through BTF, so it needs neither tracefs nor kprobes. Each CPU appends to a buffer of its own, reserved
 * before the start: no lock is shared, nobody is woken while the workload runs, and an event costs some 200 instructions. What
 * finds no room is counted.
 *
 * Weakness: a wake-up by a task that is not followed (a kernel thread) looks like one by a device. Loopback traffic is
 * delivered by its sender in a softirq, and counts as its sender's.
 */
#include "vmlinux.h"
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "record.h"

#define TASK_RUNNING 0
#define TASK_DEAD 0x80
#define PF_EXITING 4
#define WF_SYNC 0x10
#define TIMER_SOFTIRQ 1
#define NET_RX_SOFTIRQ 3
#define HRTIMER_SOFTIRQ 8
#define MAX_RT_PRIO 100

/* What has been said about a followed task. */
struct followed {
	char name[16];
	u32 cpus;
	u32 value;
};

struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct followed);
} tasks SEC(".maps");

/* `events` for each CPU, one CPU after the other. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct record_event);
} buffer SEC(".maps");

const volatile u32 events_per_cpu = 1;
const volatile u32 online_cpus = 1;
struct record_cpu record_cpus[RECORD_CPUS_MAX];
/* Tasks that could not be followed for want of memory. */
u64 unfollowed;
/* The program's process, and when the last of its threads ended: the recording ends there, however late its reader gets a CPU. */
u32 root;
u64 ended_ns;
/* Nothing is recorded any more. Room that is taken is filled all the same: the reader waits for programs that run. */
bool stopped;

static struct record_cpu *this_cpu(void)
{
	return &record_cpus[bpf_get_smp_processor_id() & (RECORD_CPUS_MAX - 1)];
}

/* Room for `count` events in a row, by the number of the first; -1: there is none. Interrupts may come in between. */
static s64 reserve(u32 count)
{
	u64 at;

	if (*(volatile bool *)&stopped)
		return -1;
	at = __sync_fetch_and_add(&this_cpu()->used, count);
	if (at + count > events_per_cpu)
		return -1;
	return (s64)((u64)bpf_get_smp_processor_id() * events_per_cpu + at);
}

static void fill(s64 at, u32 kind, u64 time, u32 a, u32 b, u32 value)
{
	u32 index = (u32)at;
	struct record_event *event;

	if (at < 0)
		return;
	event = bpf_map_lookup_elem(&buffer, &index);
	if (!event)
		return;
	event->time_ns = time;
	event->a = a;
	event->b = b;
	event->value = value;
	event->cpu = (u16)bpf_get_smp_processor_id();
	event->kind = (u8)kind;
}

static void emit(u32 kind, u32 a, u32 b, u32 value)
{
	fill(reserve(1), kind, bpf_ktime_get_ns(), a, b, value);
}

static struct followed *follow(struct task_struct *task, u64 flags)
{
	return bpf_task_storage_get(&tasks, task, NULL, flags);
}

static u32 class_of(struct task_struct *task)
{
	u32 policy = task->policy & 7;

	if (policy == RECORD_FIFO || policy == RECORD_RR)
		return policy << 8 | (task->rt_priority & 0xff);
	return policy << 8 | ((u32)(task->static_prio - MAX_RT_PRIO) & 0xff);
}

/* Says who a task is, when that has not been said or has changed. */
static void describe(struct task_struct *task, struct followed *known)
{
	u64 *now = (u64 *)task->comm, *then = (u64 *)known->name;
	/* Of CPUs past the 32nd nothing is said. */
	bool bound = (u32)task->nr_cpus_allowed < online_cpus && !(task->cpus_ptr->bits[0] >> 32);
	u32 cpus = bound ? (u32)task->cpus_ptr->bits[0] : 0;
	u32 value = class_of(task);
	struct record_event *event;
	s64 at;
	u32 index;

	if (now[0] == then[0] && now[1] == then[1] && known->cpus == cpus && known->value == value)
		return;
	then[0] = now[0];
	then[1] = now[1];
	known->cpus = cpus;
	known->value = value;
	at = reserve(2);
	if (at < 0)
		return;
	fill(at, RECORD_TASK, bpf_ktime_get_ns(), (u32)task->pid, cpus, value);
	index = (u32)at + 1;
	event = bpf_map_lookup_elem(&buffer, &index);
	if (!event)
		return;
	__builtin_memcpy(event->name, known->name, sizeof(event->name));
	event->value = (u32)task->pid;
	event->kind = RECORD_NAME;
}

SEC("tp_btf/sched_switch")
int BPF_PROG(on_switch, bool preempt, struct task_struct *prev, struct task_struct *next, unsigned int prev_state)
{
	struct followed *from = follow(prev, 0), *to = follow(next, 0);
	u32 leave = RECORD_PREEMPTED, leaves = 0, comes = 0;

	if (from) {
		leaves = (u32)prev->pid;
		describe(prev, from);
		if (!preempt && prev_state != TASK_RUNNING)
			leave = prev_state & TASK_DEAD ? RECORD_DEAD : RECORD_BLOCKED;
	}
	if (to)
		comes = (u32)next->pid;
	if (leaves | comes)
		emit(RECORD_SWITCH, leaves, comes, leave);
	if (from && leave == RECORD_DEAD && (u32)prev->tgid == root && !prev->signal->live.counter && !stopped) {
		ended_ns = bpf_ktime_get_ns();
		stopped = true;
	}
	return 0;
}

/* Right before sched_waking, which does not tell. A kernel without it is recorded without. */
SEC("fentry/try_to_wake_up")
int BPF_PROG(on_try_to_wake, struct task_struct *task, unsigned int state, int wake_flags)
{
	this_cpu()->sync = wake_flags & WF_SYNC ? (u32)task->pid : 0;
	return 0;
}

SEC("tp_btf/sched_waking")
int BPF_PROG(on_waking, struct task_struct *task)
{
	const struct record_cpu *cpu = this_cpu();
	u32 by = cpu->timers ? RECORD_BY_TIMER : RECORD_BY_OTHER, waker = 0;
	struct task_struct *current_task;

	if (!follow(task, 0))
		return 0;
	if (!cpu->timers && !cpu->devices) {
		current_task = bpf_get_current_task_btf();
		if (follow(current_task, 0)) {
			waker = (u32)current_task->pid;
			by = cpu->sync == (u32)task->pid ? RECORD_BY_SYNC : RECORD_BY_TASK;
			if (current_task->flags & PF_EXITING)
				by = RECORD_BY_END;
		}
	}
	emit(RECORD_WAKE, waker, (u32)task->pid, by);
	return 0;
}

SEC("tp_btf/sched_process_fork")
int BPF_PROG(on_fork, struct task_struct *parent, struct task_struct *child)
{
	struct followed *known;

	if (!follow(parent, 0))
		return 0;
	known = follow(child, BPF_LOCAL_STORAGE_GET_F_CREATE);
	if (!known) {
		__sync_fetch_and_add(&unfollowed, 1);
		return 0;
	}
	emit(RECORD_START, (u32)parent->pid, (u32)child->pid, 0);
	describe(child, known);
	return 0;
}

/*
 * In interrupts and softirqs the interrupted task does nothing: a wake-up is a timer's or a device's.
 *
 * Programs are attached one after the other, in the order of this file, while interrupts come. What ends one stands first: an end
 * without a beginning does no harm, a beginning without an end would last for ever.
 */
static int begin(u32 *depth)
{
	(*depth)++;
	return 0;
}

static int end(u32 *depth)
{
	if (*depth)
		(*depth)--;
	return 0;
}

static u32 *softirq_depth(u32 vector)
{
	struct record_cpu *cpu = this_cpu();

	return vector == TIMER_SOFTIRQ || vector == HRTIMER_SOFTIRQ ? &cpu->timers : &cpu->devices;
}

SEC("tp_btf/hrtimer_expire_exit")
int BPF_PROG(on_timer_exit)
{
	return end(&this_cpu()->timers);
}

SEC("tp_btf/irq_handler_exit")
int BPF_PROG(on_irq_exit)
{
	return end(&this_cpu()->devices);
}

SEC("tp_btf/softirq_exit")
int BPF_PROG(on_softirq_exit, unsigned int vector)
{
	return vector == NET_RX_SOFTIRQ ? 0 : end(softirq_depth(vector));
}

SEC("tp_btf/hrtimer_expire_entry")
int BPF_PROG(on_timer_entry)
{
	return begin(&this_cpu()->timers);
}

SEC("tp_btf/irq_handler_entry")
int BPF_PROG(on_irq_entry)
{
	return begin(&this_cpu()->devices);
}

SEC("tp_btf/softirq_entry")
int BPF_PROG(on_softirq_entry, unsigned int vector)
{
	return vector == NET_RX_SOFTIRQ ? 0 : begin(softirq_depth(vector));
}

char _license[] SEC("license") = "GPL";
