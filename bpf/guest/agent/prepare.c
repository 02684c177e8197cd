// SPDX-License-Identifier: GPL-2.0-only
/* Candidates: every scheduler of the experiment is started, loaded, verified, and held where it would attach. */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "agent.h"

#define LOOK_NS (10 * MS)
#define OFF_NS (10000 * MS)

static void start(struct candidate *candidate, int index, int group)
{
	int pair[2];

	candidate->pidfd = -1;
	candidate->listener = -1;
	snprintf(candidate->log, sizeof(candidate->log), OWN "/policy-%d.log", index);
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair))
		agent_fail("socketpair: %s", strerror(errno));
	candidate->pid = spawn(&candidate->argv, candidate->log, NULL, pair[1], group);
	close(pair[1]);
	if (candidate->pid < 0)
		agent_fail("fork: %s", strerror(errno));
	candidate->pidfd = (int)syscall(SYS_pidfd_open, candidate->pid, 0);
	if (candidate->pidfd < 0)
		agent_fail("pidfd_open: %s", strerror(errno));
	candidate->listener = hold_receive(pair[0]);
	close(pair[0]);
}

static void stop(struct candidate *candidate)
{
	uint64_t until = now_ns() + OFF_NS;

	kill(-candidate->pid, SIGKILL);
	while (candidate->pid && now_ns() < until)
		attend(candidate, NULL, until);
	sched_wait_off(until);
}

static void prepare(struct candidate *candidate, uint64_t deadline_ms)
{
	uint64_t deadline = now_ns() + deadline_ms * MS;
	struct sched_state state;

	while (candidate->pid && !candidate->held) {
		uint64_t now = now_ns();

		sched_read(&state);
		/* Registered without a link (an old libbpf, or another way): it cannot be held. */
		if (*state.state && !sched_is_off(&state))
			snprintf(candidate->reason, REASON_MAX, "the scheduler attached without a link, so it cannot wait for its turn");
		else if (now >= deadline)
			snprintf(candidate->reason, REASON_MAX, "not ready to attach after %llu ms", (unsigned long long)deadline_ms);
		if (*candidate->reason)
			stop(candidate);
		else
			attend(candidate, NULL, now + LOOK_NS < deadline ? now + LOOK_NS : deadline);
	}
}

void prepare_all(struct orders *orders)
{
	int group = group_of_policies();

	knob_load_modules(orders);
	for (int i = 0; i < orders->candidates; i++) {
		struct candidate *candidate = &orders->candidate[i];
		char ops[512], reason[2048];

		start(candidate, i, group);
		prepare(candidate, orders->attach_ms);
		json_escape(candidate->ops, ops, sizeof(ops));
		if (candidate->held)
			frame_printf("prepared", "{\"ops\":\"%s\",\"held\":true}", ops);
		else
			frame_printf("prepared", "{\"ops\":\"%s\",\"held\":false,\"reason\":\"%s\"}", ops,
				     json_escape(candidate->reason, reason, sizeof(reason)));
	}
	close(group);
}
