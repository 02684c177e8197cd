// SPDX-License-Identifier: GPL-2.0-only
/*
 * pmvx_idle: an idle state that executes instructions instead of halting.
 *
 * On the exact engine all vCPUs share one instruction stream, and virtual time is its length. A halted vCPU would give its
 * share away, so that two tasks on two vCPUs would run half as fast as one. Nops keep the share in use and cost the host
 * next to nothing. PAUSE must not appear here: it ends the emulator's slice.
 *
 * The state polls need_resched, as mwait-based idle does on hardware: a remote wake-up needs no interrupt.
 */
#include <linux/cpu.h>
#include <linux/cpuidle.h>
#include <linux/init.h>
#include <linux/jiffies.h>
#include <linux/kprobes.h>
#include <linux/module.h>
#include <linux/sched.h>
#include <linux/sched/idle.h>
#include <linux/panic.h>
#include <linux/smp.h>
#include <linux/timer.h>

/*
 * Nops until need_resched. One pass is one translation block of the emulator, about 1 us on a 250 MIPS vCPU; that is why the loop is
 * written out, and aligned: a block ends at a branch and at a page's end. It begins with a mark (PMVX_MARK_IDLE in
 * bpf/guest/agent/mark.h), so that the engine can tell a vCPU that idles and skip what all of them would only idle away.
 */
static __always_inline void pmvx_idle_loop(void)
{
	asm volatile(".balign 512\n"
		     "1:\tnopl 0x706d767a(%%rax)\n\t"
		     ".rept 240\n\tnop\n\t.endr\n\t"
		     "testl %[need_resched], %[flags]\n\t"
		     "jz 1b"
		     :
		     : [flags] "m"(current_thread_info()->flags), [need_resched] "i"(_TIF_NEED_RESCHED)
		     : "memory", "cc");
}

static __cpuidle int pmvx_idle_enter(struct cpuidle_device *dev, struct cpuidle_driver *drv, int index)
{
	raw_local_irq_enable();
	if (!current_set_polling_and_test())
		pmvx_idle_loop();
	raw_local_irq_disable();
	current_clr_polling();
	return index;
}

static struct cpuidle_driver pmvx_idle_driver = {
	.name = "pmvx_idle",
	.owner = THIS_MODULE,
	.states = {
		{
			.name = "NOPS",
			.desc = "execute nops until need_resched",
			.enter = pmvx_idle_enter,
		},
	},
	.safe_state_index = 0,
	.state_count = 1,
};

/* For who traces task switches from outside the machine; the agent reads them from /sys/module/pmvx_idle/parameters. */
static ulong switch_to; /* address of __switch_to_asm (from prev in rdi, to next in rsi); 0: not to be had */
static ulong pid_offset = offsetof(struct task_struct, pid);
static ulong comm_offset = offsetof(struct task_struct, comm);
module_param(switch_to, ulong, 0444);
module_param(pid_offset, ulong, 0444);
module_param(comm_offset, ulong, 0444);

/*
 * A mark for the engine (PMVX_MARK_FORK in bpf/guest/agent/mark.h). In an interrupt, because nothing that a workload runs stands above
 * one; a mark is the first instruction of a block.
 */
static void say_fork(void *unused)
{
	asm volatile("jmp 1f\n1:\tnopl 0x706d7679(%%rax)\n\tjmp 2f\n2:" ::: "memory");
}

static int set_fork(const char *text, const struct kernel_param *parameter)
{
	int failed;

	cpus_read_lock();
	failed = smp_call_function_single(cpumask_last(cpu_online_mask), say_fork, NULL, true);
	cpus_read_unlock();
	return failed;
}

static const struct kernel_param_ops fork_ops = { .set = set_fork };
module_param_cb(fork, &fork_ops, NULL, 0200);

/* The agent ends a step at its deadline. When it has not, it did not run, and nobody else would end this machine. */
static void on_missed(struct timer_list *unused)
{
	panic("pmvx: the agent was not scheduled when the deadline of its step had passed");
}

static DEFINE_TIMER(watchdog, on_missed);

static int set_watchdog(const char *text, const struct kernel_param *parameter)
{
	unsigned int ms;
	int failed = kstrtouint(text, 10, &ms);

	if (!failed && ms)
		mod_timer(&watchdog, jiffies + msecs_to_jiffies(ms));
	else if (!failed)
		timer_delete_sync(&watchdog);
	return failed;
}

static const struct kernel_param_ops watchdog_ops = { .set = set_watchdog };
module_param_cb(watchdog_ms, &watchdog_ops, NULL, 0200);

/* A probe that is never armed: registering it is how a module learns a symbol's address. */
static void __init find_switch_to(void)
{
	struct kprobe probe = { .symbol_name = "__switch_to_asm", .flags = KPROBE_FLAG_DISABLED };

	if (register_kprobe(&probe))
		return;
	switch_to = (ulong)probe.addr;
	unregister_kprobe(&probe);
}

static int __init pmvx_idle_init(void)
{
	int failed = cpuidle_register(&pmvx_idle_driver, NULL);

	if (!failed)
		find_switch_to();

	/* A CPU that already halts would go on halting, perhaps for seconds: its share would be lost. */
	if (!failed)
		wake_up_all_idle_cpus();
	return failed;
}

static void __exit pmvx_idle_exit(void)
{
	timer_delete_sync(&watchdog);
	cpuidle_unregister(&pmvx_idle_driver);
}

module_init(pmvx_idle_init);
module_exit(pmvx_idle_exit);
MODULE_DESCRIPTION("Idle by executing nops, for machines whose time is the instruction count");
MODULE_LICENSE("GPL");
