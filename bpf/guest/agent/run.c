// SPDX-License-Identifier: GPL-2.0-only
/* Running one program: own process group, output to memory, deadline, resource usage. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
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

pid_t spawn(const struct argv_list *argv, const char *output, uint64_t seed)
{
	char seed_text[64];
	char *environment[] = { "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
				"HOME=/tmp", "LC_ALL=C", "TERM=dumb", seed_text, NULL };
	pid_t child;

	snprintf(seed_text, sizeof(seed_text), "PMVX_SEED=%llu", (unsigned long long)seed);
	child = fork();
	if (child == 0) {
		int in = open("/dev/null", O_RDONLY);
		/* Output stays in memory: no reader wakes up beside the workload. */
		int out = open(output, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND, 0644);

		setsid();
		if (in < 0 || out < 0 || dup2(in, 0) < 0 || dup2(out, 1) < 0 || dup2(out, 2) < 0 || chdir("/tmp"))
			_exit(126);
		execve(argv->arg[0], argv->arg, environment);
		dprintf(2, "%s: %s\n", argv->arg[0], strerror(errno));
		_exit(127);
	}
	return child;
}

void run_program(const struct argv_list *argv, uint64_t deadline_ms, uint64_t seed, const char *output,
		 struct run_result *result)
{
	struct pollfd waiting = { .events = POLLIN };
	struct rusage usage = { 0 };
	struct stat file;
	uint64_t start = now_ns();
	int status = 0;
	pid_t child;

	memset(result, 0, sizeof(*result));
	child = spawn(argv, output, seed);
	if (child < 0)
		agent_fail("fork: %s", strerror(errno));
	waiting.fd = (int)syscall(SYS_pidfd_open, child, 0);
	if (waiting.fd < 0)
		agent_fail("pidfd_open: %s", strerror(errno));
	if (poll(&waiting, 1, (int)deadline_ms) == 0)
		result->timed_out = true;
	if (result->timed_out)
		kill(-child, SIGKILL);
	if (wait4(child, &status, 0, &usage) != child)
		agent_fail("wait4: %s", strerror(errno));
	result->elapsed_ns = now_ns() - start;
	close(waiting.fd);
	/* Whatever it left behind must not run on into the next phase. */
	kill(-child, SIGKILL);
	result->exit = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
	result->user_ns = timeval_ns(usage.ru_utime);
	result->system_ns = timeval_ns(usage.ru_stime);
	result->voluntary = usage.ru_nvcsw;
	result->involuntary = usage.ru_nivcsw;
	result->output_bytes = stat(output, &file) ? 0 : (long long)file.st_size;
}

void run_send(const char *kind, const struct run_result *result)
{
	frame_printf(kind,
		     "{\"exit\":%d,\"timedOut\":%s,\"elapsedNs\":%llu,\"userNs\":%llu,\"systemNs\":%llu,"
		     "\"voluntarySwitches\":%ld,\"involuntarySwitches\":%ld,\"outputBytes\":%lld}",
		     result->exit, result->timed_out ? "true" : "false", (unsigned long long)result->elapsed_ns,
		     (unsigned long long)result->user_ns, (unsigned long long)result->system_ns, result->voluntary,
		     result->involuntary, result->output_bytes);
}
