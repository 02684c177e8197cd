// SPDX-License-Identifier: GPL-2.0-only
/*
 * serve [--port N | --socket PATH] COUNT ARG... [next server] -- RUN...
 *
 * Starts each server (COUNT arguments), waits until it is seen to be ready, then runs RUN, and stops the servers when that has ended.
 * Ready is what the kernel shows: a TCP socket in state LISTEN on the port, or a UNIX socket that listens under the path (a file that an earlier
 * server left is not enough); nobody connects. Exit status: that of RUN
 * (128 + signal); 1 with one line on stderr when a server does not start, is not ready in time, or ends before RUN has; 2 for
 * arguments that make no sense.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define SERVERS_MAX 8
#define READY_MS 60000
#define STOP_MS 5000
#define LOOK_MS 5
#define LISTEN_STATE 0x0A
#define ACCEPTS 0x10000

struct server {
	char **argv;
	int port;
	const char *socket;
	pid_t pid;
};

static struct server servers[SERVERS_MAX];
static int count;

static void sleep_ms(long ms)
{
	struct timespec t = { ms / 1000, ms % 1000 * 1000000 };

	nanosleep(&t, NULL);
}

/* "Num RefCount Protocol Flags Type St Inode Path": a socket that listens has __SO_ACCEPTCON among its flags. */
static bool listens_at(const char *path)
{
	FILE *file = fopen("/proc/net/unix", "re");
	char line[512];
	bool found = false;

	if (!file)
		return false;
	while (!found && fgets(line, sizeof(line), file)) {
		unsigned int flags;
		int name = 0;

		line[strcspn(line, "\n")] = '\0';
		found = sscanf(line, "%*s %*s %*s %x %*s %*s %*s %n", &flags, &name) == 1 && name && (flags & ACCEPTS) &&
			!strcmp(line + name, path);
	}
	fclose(file);
	return found;
}

static bool listens_in(const char *path, int port)
{
	FILE *file = fopen(path, "re");
	char line[512];
	bool found = false;

	if (!file)
		return false;
	while (!found && fgets(line, sizeof(line), file)) {
		unsigned int local, state;

		found = sscanf(line, " %*d: %*[0-9A-Fa-f]:%x %*[0-9A-Fa-f]:%*x %x", &local, &state) == 2 && (int)local == port &&
			state == LISTEN_STATE;
	}
	fclose(file);
	return found;
}

static bool is_ready(const struct server *server)
{
	if (server->socket)
		return listens_at(server->socket);
	return listens_in("/proc/net/tcp", server->port) || listens_in("/proc/net/tcp6", server->port);
}

static pid_t start(char **argv, bool own_group)
{
	pid_t parent = getpid(), child = fork();

	if (child)
		return child;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(127);
	if (own_group) {
		setpgid(0, 0);
		/* What a server prints is no result. */
		dup2(2, 1);
	}
	execvp(argv[0], argv);
	dprintf(2, "serve: %s: %s\n", argv[0], strerror(errno));
	_exit(127);
}

static int status_of(int status)
{
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

static void stop_all(void)
{
	for (int i = 0; i < count; i++) {
		if (servers[i].pid > 0)
			kill(-servers[i].pid, SIGTERM);
	}
	for (int waited = 0; waited < STOP_MS; waited += LOOK_MS) {
		bool running = false;

		for (int i = 0; i < count; i++) {
			if (servers[i].pid > 0 && waitpid(servers[i].pid, NULL, WNOHANG) == servers[i].pid) {
				kill(-servers[i].pid, SIGKILL);
				servers[i].pid = 0;
			}
			running |= servers[i].pid > 0;
		}
		if (!running)
			return;
		sleep_ms(LOOK_MS);
	}
	for (int i = 0; i < count; i++) {
		if (servers[i].pid > 0)
			kill(-servers[i].pid, SIGKILL);
	}
}

static int fail(const char *what, const char *name, int status)
{
	if (status < 0)
		fprintf(stderr, "serve: %s %s\n", name, what);
	else
		fprintf(stderr, "serve: %s %s (status %d)\n", name, what, status);
	stop_all();
	return 1;
}

static int usage(void)
{
	fprintf(stderr, "usage: serve [--port N | --socket PATH] COUNT ARG... [next server] -- RUN...\n");
	return 2;
}

/* Returns the index of RUN, or -1. */
static int read_arguments(int argc, char **argv)
{
	int at = 1;

	while (at < argc && strcmp(argv[at], "--")) {
		struct server *server = &servers[count];
		int arguments;
		char *end;

		if (at + 3 >= argc || count == SERVERS_MAX)
			return -1;
		if (!strcmp(argv[at], "--port"))
			server->port = atoi(argv[at + 1]);
		else if (!strcmp(argv[at], "--socket"))
			server->socket = argv[at + 1];
		if (!server->port && !server->socket)
			return -1;
		arguments = (int)strtol(argv[at + 2], &end, 10);
		if (*end || arguments < 1 || arguments > argc - at - 3)
			return -1;
		/* execvp wants a NULL after the last argument. */
		server->argv = calloc((size_t)arguments + 1, sizeof(*server->argv));
		if (!server->argv)
			return -1;
		memcpy(server->argv, argv + at + 3, (size_t)arguments * sizeof(*server->argv));
		at += 3 + arguments;
		count++;
	}
	return count && at + 1 < argc ? at + 1 : -1;
}

static int await(struct server *server)
{
	for (int waited = 0; !is_ready(server); waited += LOOK_MS) {
		int status;

		if (waitpid(server->pid, &status, WNOHANG) == server->pid) {
			server->pid = 0;
			return fail("ended before it was ready", server->argv[0], status_of(status));
		}
		if (waited >= READY_MS)
			return fail("was not ready in time", server->argv[0], -1);
		sleep_ms(LOOK_MS);
	}
	return 0;
}

int main(int argc, char **argv)
{
	int run = read_arguments(argc, argv), status;
	pid_t child, ended;

	if (run < 0)
		return usage();
	for (int i = 0; i < count; i++) {
		servers[i].pid = start(servers[i].argv, true);
		if (servers[i].pid < 0)
			return fail("could not be started", servers[i].argv[0], -1);
		if (await(&servers[i]))
			return 1;
	}
	child = start(argv + run, false);
	if (child < 0)
		return fail("could not be started", argv[run], -1);
	while ((ended = waitpid(-1, &status, 0)) != child) {
		for (int i = 0; i < count; i++) {
			if (ended != servers[i].pid)
				continue;
			servers[i].pid = 0;
			kill(child, SIGKILL);
			return fail("ended during the run", servers[i].argv[0], status_of(status));
		}
	}
	stop_all();
	return status_of(status);
}
