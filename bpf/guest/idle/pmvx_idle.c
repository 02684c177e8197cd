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
#include <linux/cpuidle.h>
#include <linux/init.h>
#include <linux/module.h>
#include <linux/sched.h>
#include <linux/sched/idle.h>
#include <linux/smp.h>

/* One translation block of the emulator: about 1 us on a 250 MIPS vCPU between two looks at need_resched. */
#define PMVX_NOPS ".rept 240\n\tnop\n\t.endr"

static __cpuidle int pmvx_idle_enter(struct cpuidle_device *dev, struct cpuidle_driver *drv, int index)
{
	raw_local_irq_enable();
	if (!current_set_polling_and_test()) {
		while (!need_resched())
			asm volatile(PMVX_NOPS ::: "memory");
	}
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
			.flags = CPUIDLE_FLAG_POLLING,
		},
	},
	.safe_state_index = 0,
	.state_count = 1,
};

static int __init pmvx_idle_init(void)
{
	int failed = cpuidle_register(&pmvx_idle_driver, NULL);

	/* A CPU that already halts would go on halting, perhaps for seconds: its share would be lost. */
	if (!failed)
		wake_up_all_idle_cpus();
	return failed;
}

static void __exit pmvx_idle_exit(void)
{
	cpuidle_unregister(&pmvx_idle_driver);
}

module_init(pmvx_idle_init);
module_exit(pmvx_idle_exit);
MODULE_DESCRIPTION("Idle by executing nops, for machines whose time is the instruction count");
MODULE_LICENSE("GPL");
