// SPDX-License-Identifier: GPL-2.0-only
/* Activation of a policy and its proof: what the kernel says, never the absence of an error. */
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "agent.h"

#define POLL_NS (2 * MS)
#define STOP_NS (10000 * MS)

static struct candidate *active;

/* The scheduler process that was let go; NULL before, and under the kernel's own scheduler. */
struct candidate *policy_active(void)
{
	return active;
}

/* Enabled, and not since before: the kernel counts a scheduler a moment after it calls it enabled. */
static bool enabled_since(const struct sched_state *before, const struct sched_state *now)
{
	return !strcmp(now->state, "enabled") && (!*before->enable_seq || strcmp(now->enable_seq, before->enable_seq));
}

/* A name that ends in * stands for all that begin so: some schedulers add their version. */
static bool names(const char *wanted, const char *found)
{
	size_t length = strlen(wanted);

	if (length && wanted[length - 1] == '*')
		return !strncmp(wanted, found, length - 1);
	return !strcmp(wanted, found);
}

/* Lets the chosen candidate attach and waits for the kernel's word. What runs meanwhile (or NULL) runs on. */
int policy_activate(struct orders *orders, struct run *run, char *fault, size_t size)
{
	uint64_t deadline = now_ns() + orders->attach_ms * MS;
	struct candidate *candidate = orders->choice < 0 ? NULL : &orders->candidate[orders->choice];
	struct sched_state before, state;

	sched_read(&before);
	if (!*before.state) {
		snprintf(fault, size, "this kernel has no sched_ext");
		return candidate ? -1 : 0;
	}
	if (!sched_is_off(&before)) {
		snprintf(fault, size, "a sched_ext scheduler is already there: %s", before.ops);
		return -1;
	}
	if (!candidate)
		return knob_activate(orders, fault, size);
	if (!candidate->held) {
		snprintf(fault, size, "%s", candidate->reason);
		return -1;
	}
	active = candidate;
	hold_release(candidate);
	for (;;) {
		uint64_t now = now_ns();

		if (!candidate->pid) {
			snprintf(fault, size, "%s", candidate->reason);
			return -1;
		}
		sched_read(&state);
		if (enabled_since(&before, &state))
			break;
		if (run && now > run->deadline_ns) {
			snprintf(fault, size, "not enabled at the deadline of the run, after %.3f s of it: state is \"%s\"",
				 (double)(now - run->start_ns) / 1e9, state.state);
			return -1;
		}
		if (now > deadline) {
			snprintf(fault, size, "not enabled after %llu ms: state is \"%s\"", (unsigned long long)orders->attach_ms,
				 state.state);
			return -1;
		}
		attend(candidate, run, probes_until(now + POLL_NS));
	}
	/* Enabled is not enough: it must be this one. */
	if (!names(orders->ops, state.ops)) {
		snprintf(fault, size, "the kernel runs \"%s\", wanted \"%s\"", state.ops, orders->ops);
		return -1;
	}
	return 0;
}

/* Stops the scheduler that was let go. Those that are still held end with the machine. */
void policy_deactivate(void)
{
	uint64_t deadline = now_ns() + STOP_NS;

	if (active && active->pid)
		kill(active->pid, SIGINT);
	while (active && active->pid && now_ns() < deadline)
		attend(active, NULL, deadline);
	if (active && active->pid)
		kill(-active->pid, SIGKILL);
	sched_wait_off(now_ns() + STOP_NS);
}
