// SPDX-License-Identifier: GPL-2.0-only
/* What the kernel says about sched_ext in /sys/kernel/sched_ext. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "agent.h"

#define POLL_NS (10 * MS)

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

bool sched_is_off(const struct sched_state *state)
{
	return !strcmp(state->state, "disabled");
}

/* Waits until no scheduler is there, or the kernel has no sched_ext. */
void sched_wait_off(uint64_t until_ns)
{
	struct sched_state state;

	for (sched_read(&state); *state.state && !sched_is_off(&state) && now_ns() < until_ns; sched_read(&state))
		sleep_ns(POLL_NS);
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

void sched_send(const char *kind, const struct sched_state *state, const struct orders *orders)
{
	char json[16384] = "{";
	int at = 1;

	at = member(json, at, sizeof(json), "state", state->state);
	at = member(json, at, sizeof(json), "ops", state->ops);
	at = member(json, at, sizeof(json), "enableSeq", state->enable_seq);
	at = member(json, at, sizeof(json), "nrRejected", state->nr_rejected);
	at = member(json, at, sizeof(json), "switchAll", state->switch_all);
	at += knob_members(orders, json + at, sizeof(json) - 8 - (size_t)at);
	json[at++] = '}';
	frame_send(kind, json, (size_t)at);
}
