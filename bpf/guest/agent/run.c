// SPDX-License-Identifier: GPL-2.0-only
/* Running one program: own control group, output to memory, deadline, resource usage. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent.h"

static uint64_t timeval_ns(struct timeval t)
{
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_usec * 1000u;
}

/* How long after its step's deadline an agent that does not run is missed. */
#define MISSED_MS 5000

/*
 * Without `seed` the environment names none; with `hold` (a socket, else -1) it is held before it attaches a scheduler. It begins in
 * the control group `group` (else -1: the agent's).
 */
pid_t spawn(const struct argv_list *argv, const char *output, const uint64_t *seed, int hold, int group)
{
	struct clone_args how = {
		.flags = group < 0 ? 0 : CLONE_INTO_CGROUP,
		.exit_signal = SIGCHLD,
		.cgroup = group < 0 ? 0 : (uint64_t)group,
	};
	char seed_text[64];
	char *environment[] = { "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
				"HOME=/tmp", "LC_ALL=C", "TERM=dumb", seed ? seed_text : NULL, NULL };
	pid_t child;

	if (seed)
		snprintf(seed_text, sizeof(seed_text), "PMVX_SEED=%llu", (unsigned long long)*seed);
	child = (pid_t)syscall(SYS_clone3, &how, sizeof(how));
	if (child == 0) {
		int in = open("/dev/null", O_RDONLY);
		/* Output stays in memory: no reader wakes up beside the workload. */
		int out = open(output, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND, 0644);

		setsid();
		if (in < 0 || out < 0 || dup2(in, 0) < 0 || dup2(out, 1) < 0 || dup2(out, 2) < 0 || chdir("/tmp"))
			_exit(126);
		if (hold >= 0 && hold_install(hold)) {
			dprintf(2, "seccomp: %s\n", strerror(errno));
			_exit(126);
		}
		execve(argv->arg[0], argv->arg, environment);
		dprintf(2, "%s: %s\n", argv->arg[0], strerror(errno));
		_exit(127);
	}
	return child;
}

void run_start(struct run *run, const char *step, const struct argv_list *argv, const struct orders *orders, const char *output)
{
	int group = group_begin(step);

	memset(run, 0, sizeof(*run));
	run->output = output;
	rank_watchdog(orders->deadline_ms + MISSED_MS);
	rank_above_all();
	run->start_ns = now_ns();
	run->deadline_ns = run->start_ns + orders->deadline_ms * MS;
	run->child = spawn(argv, output, &orders->seed, -1, group);
	if (run->child < 0)
		agent_fail("fork: %s", strerror(errno));
	run->pidfd = (int)syscall(SYS_pidfd_open, run->child, 0);
	if (run->pidfd < 0)
		agent_fail("pidfd_open: %s", strerror(errno));
	close(group);
}

/* Waits for the program's end, until `until_ns` at most. True: it has ended. */
bool run_wait(struct run *run, uint64_t until_ns)
{
	while (!run->ended_ns && now_ns() < until_ns)
		attend(policy_active(), run, probes_until(until_ns));
	return run->ended_ns;
}

/* Waits for the program's end, or ends it at its deadline; probes are read when it `counts`; then ends whatever it left behind. */
void run_finish(struct run *run, struct orders *orders, bool counts, struct run_result *result)
{
	struct rusage usage = { 0 };
	struct stat file;
	int status = 0;

	memset(result, 0, sizeof(*result));
	result->timed_out = !run_wait(run, run->deadline_ns);
	if (result->timed_out)
		group_kill();
	if (wait4(run->child, &status, 0, &usage) != run->child)
		agent_fail("wait4: %s", strerror(errno));
	result->elapsed_ns = (run->ended_ns ? run->ended_ns : now_ns()) - run->start_ns;
	close(run->pidfd);
	if (counts)
		probes_read();
	group_end(&result->left, orders);
	rank_fixed();
	rank_watchdog(0);
	result->exit = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
	result->user_ns = timeval_ns(usage.ru_utime);
	result->system_ns = timeval_ns(usage.ru_stime);
	result->voluntary = usage.ru_nvcsw;
	result->involuntary = usage.ru_nivcsw;
	result->output_bytes = stat(run->output, &file) ? 0 : (long long)file.st_size;
}

/* `,"NAME":COUNT` and the names of `left`, which are one a line. */
static int left_members(char *json, size_t size, const struct leftover *left)
{
	char names[sizeof(left->names)];
	int at = snprintf(json, size, ",\"leftover\":%d,\"stuck\":%d,\"names\":[", left->count, left->stuck);

	memcpy(names, left->names, sizeof(names));
	for (char *save = NULL, *name = strtok_r(names, "\n", &save), *comma = ""; name; name = strtok_r(NULL, "\n", &save)) {
		char escaped[128];

		at += snprintf(json + at, size - (size_t)at, "%s\"%s\"", comma, json_escape(name, escaped, sizeof(escaped)));
		comma = ",";
	}
	return at + snprintf(json + at, size - (size_t)at, "]");
}

void run_send(const char *kind, const struct run_result *result)
{
	char fork[96] = "", left[2048] = "";

	if (result->fork_ns)
		snprintf(fork, sizeof(fork), ",\"forkNs\":%llu,\"activeNs\":%llu", (unsigned long long)result->fork_ns,
			 (unsigned long long)result->active_ns);
	if (!result->timed_out || result->left.stuck)
		left_members(left, sizeof(left), &result->left);
	frame_printf(kind,
		     "{\"exit\":%d,\"timedOut\":%s,\"elapsedNs\":%llu,\"userNs\":%llu,\"systemNs\":%llu,"
		     "\"allUserNs\":%llu,\"allSystemNs\":%llu,"
		     "\"voluntarySwitches\":%ld,\"involuntarySwitches\":%ld,\"outputBytes\":%lld%s%s}",
		     result->exit, result->timed_out ? "true" : "false", (unsigned long long)result->elapsed_ns,
		     (unsigned long long)result->user_ns, (unsigned long long)result->system_ns,
		     (unsigned long long)result->left.user_ns, (unsigned long long)result->left.system_ns, result->voluntary,
		     result->involuntary, result->output_bytes, fork, left);
}
