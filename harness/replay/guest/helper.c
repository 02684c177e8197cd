// SPDX-License-Identifier: Apache-2.0
/* The process that lives beside the phases: started and awaited before the first one, asked between phases, stopped after the last. */
#define _GNU_SOURCE
#include "day.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define READY_MS 60000
#define STOP_MS 20000
#define LOOK_MS 10
#define LOG "/run/day-helper.log"

static pid_t helper = -1;
static uint64_t began_ns, asked_ns;
static int asking = -1;
static int end_status = -1; /* as waitpid(2) has it; -1: it lives */

static void sleep_ms(long ms)
{
	struct timespec t = { ms / 1000, ms % 1000 * 1000000 };

	nanosleep(&t, NULL);
}

static int connected(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || strlen(path) >= sizeof(address.sun_path))
		fail("socket %s: %s", path, strerror(errno));
	strcpy(address.sun_path, path);
	if (!connect(fd, (struct sockaddr *)&address, sizeof(address)))
		return fd;
	close(fd);
	return -1;
}

static void print_log(void)
{
	char line[4096];
	FILE *log = fopen(LOG, "re");

	while (log && fgets(line, sizeof(line), log))
		fputs(line, stderr);
}

void helper_start(const struct plan *plan)
{
	int status, fd = -1;

	if (!plan->helper.count)
		return;
	began_ns = now_ns();
	helper = fork();
	if (helper < 0)
		fail("fork: %s", strerror(errno));
	if (!helper) {
		int log = open(LOG, O_WRONLY | O_CREAT | O_TRUNC, 0600);

		prctl(PR_SET_PDEATHSIG, SIGKILL);
		dup2(log, 1);
		dup2(log, 2);
		execv(plan->helper.text[0], plan->helper.text);
		dprintf(2, "%s: %s\n", plan->helper.text[0], strerror(errno));
		_exit(127);
	}
	while ((fd = connected(plan->socket)) < 0) {
		if (waitpid(helper, &status, WNOHANG) == helper || now_ns() - began_ns > READY_MS * 1000000ull) {
			print_log();
			fail("the helper does not answer at %s", plan->socket);
		}
		sleep_ms(LOOK_MS);
	}
	close(fd);
	printf("helper ready %llu\n", (unsigned long long)(now_ns() - began_ns));
}

/* `helper CPU_NS RSS_KIB PEAK_KIB WHEN`; nothing when it has gone. */
void helper_cost(const char *when)
{
	clockid_t clock;
	struct timespec used;
	char path[64], line[256];
	long rss = 0, peak = 0;
	FILE *status;

	if (helper < 0 || end_status >= 0 || clock_getcpuclockid(helper, &clock) || clock_gettime(clock, &used))
		return;
	snprintf(path, sizeof(path), "/proc/%d/status", helper);
	status = fopen(path, "re");
	while (status && fgets(line, sizeof(line), status)) {
		sscanf(line, "VmRSS: %ld", &rss);
		sscanf(line, "VmHWM: %ld", &peak);
	}
	if (status)
		fclose(status);
	printf("helper cost %lld %ld %ld %s\n", (long long)used.tv_sec * 1000000000ll + used.tv_nsec, rss, peak, when);
}

/* Sends the phase's line; its rounds begin meanwhile, so that what the helper does is paid for by the phase. */
void helper_ask(const struct plan *plan, const struct phase *phase)
{
	if (!phase->ask || helper < 0 || end_status >= 0)
		return;
	if (asking < 0)
		asking = connected(plan->socket);
	if (asking < 0)
		fail("nobody answers at %s", plan->socket);
	asked_ns = now_ns();
	dprintf(asking, "%s\n", phase->ask);
}

/* One line of answer, at the phase's end: `asked PHASE AT ANSWER`. */
void helper_answer(const struct phase *phase, FILE *out)
{
	char answer[4096] = "";
	size_t length = 0;

	if (!phase->ask || asking < 0)
		return;
	while (length < sizeof(answer) - 1 && !memchr(answer, '\n', length)) {
		ssize_t got = read(asking, answer + length, sizeof(answer) - 1 - length);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			break;
		length += (size_t)got;
	}
	answer[strcspn(answer, "\n")] = '\0';
	fprintf(out, "asked %s %llu %s\n", phase->name, (unsigned long long)asked_ns, answer);
}

void helper_kill(void)
{
	if (helper > 0 && end_status < 0)
		kill(helper, SIGKILL);
}

/* A child of ours has ended that is no round. */
void helper_reaped(pid_t pid, int status)
{
	if (pid == helper)
		end_status = status;
}

void helper_stop(const struct plan *plan, FILE *out)
{
	uint64_t began = now_ns();
	int status;
	char *line = NULL;
	size_t size = 0;

	if (helper < 0)
		return;
	if (end_status < 0)
		kill(helper, SIGTERM);
	while (end_status < 0) {
		if (waitpid(helper, &status, WNOHANG) == helper) {
			end_status = status;
		} else if (now_ns() - began > STOP_MS * 1000000ull) {
			kill(helper, SIGKILL);
			waitpid(helper, &end_status, 0);
		} else {
			sleep_ms(LOOK_MS);
		}
	}
	fprintf(out, "helper ended %d %llu\n", WIFSIGNALED(end_status) ? 128 + WTERMSIG(end_status) : WEXITSTATUS(end_status),
		(unsigned long long)(now_ns() - began));
	for (int i = -1; i < plan->reports.count; i++) {
		FILE *report = fopen(i < 0 ? LOG : plan->reports.text[i], "re");

		while (report && getline(&line, &size, report) > 0) {
			line[strcspn(line, "\n")] = '\0';
			fprintf(out, "%s %s\n", i < 0 ? "said" : "reported", line);
		}
		if (report)
			fclose(report);
	}
}
