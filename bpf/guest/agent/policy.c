// SPDX-License-Identifier: GPL-2.0-only
/* Activation of a policy and its proof: what the kernel says in /sys/kernel/sched_ext, never the absence of an error. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent.h"

#define POLICY_LOG "/run/policy.log"
#define POLL_NS (10 * MS)
#define STOP_NS (10000 * MS)

static pid_t scheduler;

static void read_line(const char *path, char *text, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t length = fd < 0 ? 0 : read(fd, text, size - 1);

	if (fd >= 0)
		close(fd);
	text[length > 0 ? length : 0] = '\0';
	text[strcspn(text, "\n")] = '\0';
}

void sched_read(struct sched_state *state)
{
	read_line("/sys/kernel/sched_ext/state", state->state, sizeof(state->state));
	read_line("/sys/kernel/sched_ext/root/ops", state->ops, sizeof(state->ops));
	read_line("/sys/kernel/sched_ext/enable_seq", state->enable_seq, sizeof(state->enable_seq));
	read_line("/sys/kernel/sched_ext/nr_rejected", state->nr_rejected, sizeof(state->nr_rejected));
	read_line("/sys/kernel/sched_ext/switch_all", state->switch_all, sizeof(state->switch_all));
}

/* A file that is absent or empty is an absent key, never an empty string. */
static int member(char *json, int at, size_t size, const char *key, const char *value)
{
	char escaped[512];

	if (!*value)
		return at;
	return at + snprintf(json + at, size - (size_t)at, "%s\"%s\":\"%s\"", at > 1 ? "," : "", key,
			     json_escape(value, escaped, sizeof(escaped)));
}

void sched_send(const char *kind, const struct sched_state *state)
{
	char json[2048] = "{";
	int at = 1;

	at = member(json, at, sizeof(json), "state", state->state);
	at = member(json, at, sizeof(json), "ops", state->ops);
	at = member(json, at, sizeof(json), "enableSeq", state->enable_seq);
	at = member(json, at, sizeof(json), "nrRejected", state->nr_rejected);
	at = member(json, at, sizeof(json), "switchAll", state->switch_all);
	json[at++] = '}';
	frame_send(kind, json, (size_t)at);
}

static int scheduler_exited(char *fault, size_t size)
{
	int status;

	if (waitpid(scheduler, &status, WNOHANG) != scheduler)
		return 0;
	if (WIFSIGNALED(status))
		snprintf(fault, size, "scheduler process killed by signal %d before it attached", WTERMSIG(status));
	else
		snprintf(fault, size, "scheduler process exited with status %d before it attached", WEXITSTATUS(status));
	scheduler = 0;
	return 1;
}

int policy_activate(const struct orders *orders, char *fault, size_t size)
{
	struct sched_state state;
	uint64_t deadline = now_ns() + orders->attach_ms * MS;

	sched_read(&state);
	if (!*state.state) {
		snprintf(fault, size, "this kernel has no sched_ext");
		return orders->is_process ? -1 : 0;
	}
	if (strcmp(state.state, "disabled")) {
		snprintf(fault, size, "a sched_ext scheduler is already there: %s", state.ops);
		return -1;
	}
	if (!orders->is_process)
		return 0;
	scheduler = spawn(&orders->policy, POLICY_LOG, orders->seed);
	if (scheduler < 0) {
		scheduler = 0;
		snprintf(fault, size, "cannot start the scheduler process: %s", strerror(errno));
		return -1;
	}
	for (;;) {
		if (scheduler_exited(fault, size))
			return -1;
		sched_read(&state);
		if (!strcmp(state.state, "enabled"))
			break;
		if (now_ns() > deadline) {
			snprintf(fault, size, "not enabled after %llu ms: state is \"%s\"",
				 (unsigned long long)orders->attach_ms, state.state);
			return -1;
		}
		sleep_ns(POLL_NS);
	}
	/* Enabled is not enough: it must be this one. */
	if (strcmp(state.ops, orders->ops)) {
		snprintf(fault, size, "the kernel runs \"%s\", wanted \"%s\"", state.ops, orders->ops);
		return -1;
	}
	return 0;
}

void policy_deactivate(void)
{
	uint64_t deadline = now_ns() + STOP_NS;
	struct sched_state state;
	int status;

	if (scheduler > 0)
		kill(scheduler, SIGINT);
	while (scheduler > 0) {
		if (waitpid(scheduler, &status, WNOHANG) == scheduler) {
			scheduler = 0;
		} else if (now_ns() > deadline) {
			kill(scheduler, SIGKILL);
			waitpid(scheduler, &status, 0);
			scheduler = 0;
		} else {
			sleep_ns(POLL_NS);
		}
	}
	for (sched_read(&state); *state.state && strcmp(state.state, "disabled") && now_ns() < deadline; sched_read(&state))
		sleep_ns(POLL_NS);
}
