// SPDX-License-Identifier: GPL-2.0-only
/* Waiting while a scheduler process or a program runs: whatever they need from the agent meanwhile, they get at once. */
#define _GNU_SOURCE
#include <poll.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent.h"

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

static void reap(struct candidate *candidate)
{
	int status;

	if (waitpid(candidate->pid, &status, WNOHANG) != candidate->pid)
		return;
	candidate->pid = 0;
	close_fd(&candidate->pidfd);
	if (*candidate->reason)
		return;
	if (WIFSIGNALED(status))
		snprintf(candidate->reason, REASON_MAX, "scheduler process killed by signal %d before it attached", WTERMSIG(status));
	else
		snprintf(candidate->reason, REASON_MAX, "scheduler process exited with status %d before it attached",
			 WEXITSTATUS(status));
}

/*
 * Returns when something has happened, at `until_ns` (monotonic) at the latest. Of a candidate the first call that would attach it
 * is kept. Either may be NULL.
 */
void attend(struct candidate *candidate, struct run *run, uint64_t until_ns)
{
	uint64_t now = now_ns(), left = until_ns > now ? until_ns - now : 0;
	struct timespec timeout = { (time_t)(left / 1000000000u), (long)(left % 1000000000u) };
	struct pollfd poll[] = {
		{ candidate ? candidate->listener : -1, POLLIN, 0 },
		{ candidate ? candidate->pidfd : -1, POLLIN, 0 },
		{ run && !run->ended_ns ? run->pidfd : -1, POLLIN, 0 },
	};

	if (ppoll(poll, 3, &timeout, NULL) <= 0)
		return;
	if (poll[2].revents)
		run->ended_ns = now_ns();
	if (poll[0].revents & POLLIN)
		hold_answer(candidate, !candidate->notification);
	else if (poll[0].revents)
		close_fd(&candidate->listener);
	if (poll[1].revents)
		reap(candidate);
}

/*
 * The children of those that died before them are the agent's. A candidate's end is noted as ever. Called between steps: a program that
 * is still to be waited for is none of these.
 */
void reap_orphans(struct orders *orders)
{
	for (;;) {
		siginfo_t ended = { 0 };
		struct candidate *candidate = NULL;

		if (waitid(P_ALL, 0, &ended, WEXITED | WNOHANG | WNOWAIT) || !ended.si_pid)
			return;
		for (int i = 0; i < orders->candidates && !candidate; i++) {
			if (orders->candidate[i].pid == ended.si_pid)
				candidate = &orders->candidate[i];
		}
		if (candidate)
			reap(candidate);
		else
			waitpid(ended.si_pid, NULL, 0);
	}
}
