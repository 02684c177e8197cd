// SPDX-License-Identifier: GPL-2.0-only
/*
 * The agent's own scheduling. It outranks what it runs, so that deadlines, fork points and windows come when they are due, and no policy
 * under test schedules it. What it starts is ordinary again.
 *
 * While a step runs the agent is SCHED_DEADLINE: nothing that a program can ask for stands above that class. A deadline task of the
 * workload can come first for the length of its own budget only; admission control keeps the agent's share free. The budget is small,
 * and unused bandwidth may be used, too (GRUB: Abeni, Lipari, Parri, Sun 2016), so a reading that takes longer is not cut in pieces.
 * At other times nothing competes, and SCHED_FIFO does without a budget.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "agent.h"

#define HIGHEST_PRIORITY 99
#define BUDGET_NS 200000ull
#define PERIOD_NS (2 * MS)
#define POLICY_FIFO 1
#define POLICY_DEADLINE 6
#define RESET_ON_FORK 1ull
#define RECLAIM 2ull
#define WATCHDOG "/sys/module/pmvx_idle/parameters/watchdog_ms"

/* As in linux/sched/types.h, which newer C libraries define themselves. */
struct attributes {
	uint32_t size, policy;
	uint64_t flags;
	int32_t nice;
	uint32_t priority;
	uint64_t runtime, deadline, period;
};

static void set(const struct attributes *attributes)
{
	if (syscall(SYS_sched_setattr, 0, attributes, 0))
		agent_fail("sched_setattr: %s", strerror(errno));
}

/* From power-on, and between steps. */
void rank_fixed(void)
{
	set(&(struct attributes){
		.size = sizeof(struct attributes), .policy = POLICY_FIFO, .flags = RESET_ON_FORK, .priority = HIGHEST_PRIORITY });
}

void rank_above_all(void)
{
	set(&(struct attributes){ .size = sizeof(struct attributes),
				  .policy = POLICY_DEADLINE,
				  .flags = RESET_ON_FORK | RECLAIM,
				  .runtime = BUDGET_NS,
				  .deadline = PERIOD_NS,
				  .period = PERIOD_NS });
}

/* Memory of the agent stays where it is, so that it can act when there is no more to be had. */
void rank_memory(void)
{
	if (mlockall(MCL_CURRENT | MCL_FUTURE))
		agent_fail("mlockall: %s", strerror(errno));
}

/* On `exact` the kernel itself ends a machine whose agent does not run: so long from now, 0: not any more. */
void rank_watchdog(uint64_t ms)
{
	int fd = open(WATCHDOG, O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return;
	dprintf(fd, "%llu\n", (unsigned long long)ms);
	close(fd);
}
