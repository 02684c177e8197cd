// SPDX-License-Identifier: GPL-2.0-only
/* Running one program: own process group, output to memory, deadline, resource usage. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
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

/* Without `seed` the environment names none; with `hold` (a socket, else -1) it is held before it attaches a scheduler. */
pid_t spawn(const struct argv_list *argv, const char *output, const uint64_t *seed, int hold)
{
	char seed_text[64];
	char *environment[] = { "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
				"HOME=/tmp", "LC_ALL=C", "TERM=dumb", seed ? seed_text : NULL, NULL };
	pid_t child;

	if (seed)
		snprintf(seed_text, sizeof(seed_text), "PMVX_SEED=%llu", (unsigned long long)*seed);
	child = fork();
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

void run_start(struct run *run, const struct argv_list *argv, const struct orders *orders, const char *output)
{
	memset(run, 0, sizeof(*run));
	run->output = output;
	run->start_ns = now_ns();
	run->deadline_ns = run->start_ns + orders->deadline_ms * MS;
	run->child = spawn(argv, output, &orders->seed, -1);
	if (run->child < 0)
		agent_fail("fork: %s", strerror(errno));
	run->pidfd = (int)syscall(SYS_pidfd_open, run->child, 0);
	if (run->pidfd < 0)
		agent_fail("pidfd_open: %s", strerror(errno));
}

/* Waits for the program's end, until `until_ns` at most. True: it has ended. */
bool run_wait(struct run *run, uint64_t until_ns)
{
	while (!run->ended_ns && now_ns() < until_ns)
		attend(policy_active(), run, probes_until(until_ns));
	return run->ended_ns;
}

/* Waits for the program's end, or ends it at its deadline. */
void run_finish(struct run *run, struct run_result *result)
{
	struct rusage usage = { 0 };
	struct stat file;
	int status = 0;

	memset(result, 0, sizeof(*result));
	result->timed_out = !run_wait(run, run->deadline_ns);
	/* Whatever it left behind must not run on into the next phase. */
	kill(-run->child, SIGKILL);
	if (wait4(run->child, &status, 0, &usage) != run->child)
		agent_fail("wait4: %s", strerror(errno));
	result->elapsed_ns = (run->ended_ns ? run->ended_ns : now_ns()) - run->start_ns;
	close(run->pidfd);
	result->exit = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
	result->user_ns = timeval_ns(usage.ru_utime);
	result->system_ns = timeval_ns(usage.ru_stime);
	result->voluntary = usage.ru_nvcsw;
	result->involuntary = usage.ru_nivcsw;
	result->output_bytes = stat(run->output, &file) ? 0 : (long long)file.st_size;
}

void run_send(const char *kind, const struct run_result *result)
{
	char fork[64] = "";

	if (result->fork_ns)
		snprintf(fork, sizeof(fork), ",\"forkNs\":%llu", (unsigned long long)result->fork_ns);
	frame_printf(kind,
		     "{\"exit\":%d,\"timedOut\":%s,\"elapsedNs\":%llu,\"userNs\":%llu,\"systemNs\":%llu,"
		     "\"voluntarySwitches\":%ld,\"involuntarySwitches\":%ld,\"outputBytes\":%lld%s}",
		     result->exit, result->timed_out ? "true" : "false", (unsigned long long)result->elapsed_ns,
		     (unsigned long long)result->user_ns, (unsigned long long)result->system_ns, result->voluntary,
		     result->involuntary, result->output_bytes, fork);
}
