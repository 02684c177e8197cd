// SPDX-License-Identifier: Apache-2.0
/* The rounds of a phase: each lane starts its next one when the last has ended; the phase ends with its last lane. */
#define _GNU_SOURCE
#include "day.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define LANES_MAX 16
#define OPS "/sys/kernel/sched_ext/root/ops"

struct running {
	pid_t pid;
	int round;
	uint64_t began;
	int output; /* a file without a name, in memory */
};

static char *filled(const char *text, unsigned long seed)
{
	char *out = malloc(strlen(text) * 10 + 1), *to = out;

	if (!out)
		fail("no memory for an argument");
	for (; *text; text++) {
		if (*text == SEED_MARK)
			to += sprintf(to, "%lu", seed);
		else
			*to++ = *text;
	}
	*to = '\0';
	return out;
}

static void round_start(struct running *running, const struct lane *lane, unsigned long seed)
{
	const struct text_list *argv = &lane->rounds[running->round].argv;

	running->output = open("/run", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	if (running->output < 0)
		fail("/run: %s", strerror(errno));
	running->began = now_ns();
	running->pid = fork();
	if (running->pid < 0)
		fail("fork: %s", strerror(errno));
	if (running->pid)
		return;
	dup2(running->output, 1);
	dup2(running->output, 2);
	for (int i = 0; i < argv->count; i++)
		argv->text[i] = filled(argv->text[i], seed);
	execv(argv->text[0], argv->text);
	dprintf(2, "%s: %s\n", argv->text[0], strerror(errno));
	_exit(127);
}

static bool is_dropped(const struct plan *plan, const char *line)
{
	for (int i = 0; i < plan->drops.count; i++)
		if (strstr(line, plan->drops.text[i]))
			return true;
	return false;
}

/* `round PHASE LANE ROUND BEGAN ENDED EXIT OPS`, then what it printed, each line after `| `. */
static void round_tell(const struct plan *plan, const struct phase *phase, int lane, const struct running *running, int status, FILE *out)
{
	int exit = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
	char ops[128] = "", *line = NULL;
	size_t size = 0;
	FILE *file = fopen(OPS, "re"), *output;

	if (file && !fgets(ops, sizeof(ops), file))
		ops[0] = '\0';
	if (file)
		fclose(file);
	ops[strcspn(ops, "\n")] = '\0';
	fprintf(out, "round %s %d %d %llu %llu %d %s\n", phase->name, lane, running->round, (unsigned long long)running->began,
		(unsigned long long)now_ns(), exit, ops[0] ? ops : "-");
	output = fdopen(running->output, "r");
	rewind(output);
	while (getline(&line, &size, output) > 0) {
		line[strcspn(line, "\n")] = '\0';
		if (!is_dropped(plan, line))
			fprintf(out, "| %s\n", line);
	}
	free(line);
	fclose(output);
}

/* Seeds are those that every program takes: 1 to 2^31 - 1. The same for every arm, whatever order phases come in. */
static unsigned long seed_of(uint64_t seed, int phase, int lane, int round)
{
	return 1 + mix(mix(mix(seed + (uint64_t)phase) + (uint64_t)lane) + (uint64_t)round) % 2147483647u;
}

bool phase_run(const struct plan *plan, const struct phase *phase, int number, uint64_t seed, FILE *out)
{
	struct running running[LANES_MAX] = { 0 };
	int left = phase->count, status;
	bool ok = true;

	if (phase->count > LANES_MAX)
		fail("phase %s has %d lanes, more than %d", phase->name, phase->count, LANES_MAX);
	for (int i = 0; i < phase->count; i++)
		round_start(&running[i], &phase->lanes[i], seed_of(seed, number, i, 0));
	while (left > 0) {
		pid_t pid = waitpid(-1, &status, 0);
		int i = 0;

		if (pid < 0 && errno == EINTR)
			continue;
		if (pid < 0)
			fail("wait: %s", strerror(errno));
		while (i < phase->count && running[i].pid != pid)
			i++;
		if (i == phase->count) {
			helper_reaped(pid, status);
			continue;
		}
		round_tell(plan, phase, i, &running[i], status, out);
		ok = ok && WIFEXITED(status) && !WEXITSTATUS(status);
		running[i].pid = 0;
		if (++running[i].round < phase->lanes[i].count)
			round_start(&running[i], &phase->lanes[i], seed_of(seed, number, i, running[i].round));
		else
			left--;
	}
	return ok;
}
