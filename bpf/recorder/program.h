/* SPDX-License-Identifier: GPL-2.0-only */
/* The program that is recorded: started when everything is attached, waited for, and ended with all that it started. */
#ifndef PMVX_PROGRAM_H
#define PMVX_PROGRAM_H

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum { EXIT_RECORDER = 125 };

static volatile sig_atomic_t asked_to_end;

static _Noreturn void fail(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	fputs("record: ", stderr);
	vfprintf(stderr, format, args);
	fputc('\n', stderr);
	va_end(args);
	exit(EXIT_RECORDER);
}

/* The program, right before it begins: it does so when a byte comes through the pipe, and never when its end is closed. */
static pid_t start_held(char **argv, int *go)
{
	int gate[2];
	pid_t child;
	char byte;

	if (pipe2(gate, O_CLOEXEC))
		fail("pipe: %s", strerror(errno));
	child = fork();
	if (child < 0)
		fail("fork: %s", strerror(errno));
	if (child > 0) {
		close(gate[0]);
		*go = gate[1];
		return child;
	}
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	signal(SIGINT, SIG_DFL);
	signal(SIGTERM, SIG_DFL);
	close(gate[1]);
	if (read(gate[0], &byte, 1) != 1)
		_exit(EXIT_RECORDER);
	execvp(argv[0], argv);
	fprintf(stderr, "%s: %s\n", argv[0], strerror(errno));
	_exit(127);
}

static void on_signal(int number)
{
	asked_to_end = number;
}

/* Everything that descends from us, however it hid: orphans are ours, too. */
static void kill_all(pid_t child)
{
	char path[64];

	kill(child, SIGKILL);
	snprintf(path, sizeof(path), "/proc/self/task/%d/children", getpid());
	while (waitpid(-1, NULL, WNOHANG) >= 0 || errno != ECHILD) {
		FILE *children = fopen(path, "r");
		int pid;

		while (children && fscanf(children, "%d", &pid) == 1)
			kill(pid, SIGKILL);
		if (children)
			fclose(children);
		usleep(1000);
	}
}

static int wait_for(pid_t child)
{
	siginfo_t info;
	int status;

	while (waitid(P_PID, (id_t)child, &info, WEXITED | WNOWAIT)) {
		if (asked_to_end) {
			kill_all(child);
			fail("stopped by signal %d; nothing was written", asked_to_end);
		}
		if (errno != EINTR)
			fail("waitid: %s", strerror(errno));
	}
	waitpid(child, &status, 0);
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

/* Orphans become ours, and signals end the recording. */
static void look_after_all(void)
{
	struct sigaction action = { .sa_handler = on_signal };

	prctl(PR_SET_CHILD_SUBREAPER, 1);
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGHUP, &action, NULL);
}

#endif
