// SPDX-License-Identifier: GPL-2.0-only
/*
 * Control groups: all that a step of the trial started is in one, whatever session or parent it gave itself, and ends with it. No
 * controller is switched on for that: the scheduler sees one flat group, as without. What moved itself to another group, also to the
 * root, is found there: groups that the step made are the step's, and so is every process in the root that was not there before.
 * Schedulers have a group of their own, which no step touches.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent.h"

#define ROOT "/sys/fs/cgroup"
#define POLICY "policy"
#define PATH_SIZE 512
#define PIDS_MAX 32768
#define KTHREAD 0x00200000u
#define EXITING 0x4u
#define POLL_NS MS
#define KILL_NS (10000 * MS)

typedef void (*visit_fn)(const char *path, void *data);

/* Processes of the root group when the step began, one bit each. */
static unsigned char was_there[(1 << 22) / 8];

static bool read_text(const char *path, char *text, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	size_t length = 0;
	ssize_t got = 0;

	while (fd >= 0 && length < size - 1 && (got = read(fd, text + length, size - 1 - length)) > 0)
		length += (size_t)got;
	text[length] = '\0';
	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

static void write_text(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return;
	/* A group that has gone meanwhile needs nothing any more. */
	if (write(fd, text, strlen(text)) < 0)
		errno = 0;
	close(fd);
}

/* Every group below `path`, the innermost first, and `path` itself last. */
static void walk(const char *path, visit_fn visit, void *data)
{
	DIR *folder = opendir(path);
	struct dirent *entry;

	while (folder && (entry = readdir(folder))) {
		char inner[PATH_SIZE];

		if (entry->d_type != DT_DIR || entry->d_name[0] == '.')
			continue;
		if ((size_t)snprintf(inner, sizeof(inner), "%s/%s", path, entry->d_name) < sizeof(inner))
			walk(inner, visit, data);
	}
	if (folder)
		closedir(folder);
	visit(path, data);
}

/* The groups right below the root, but for that of the schedulers. */
static void each_of_step(visit_fn visit, void *data)
{
	DIR *folder = opendir(ROOT);
	struct dirent *entry;

	while (folder && (entry = readdir(folder))) {
		char path[PATH_SIZE];

		if (entry->d_type != DT_DIR || entry->d_name[0] == '.' || !strcmp(entry->d_name, POLICY))
			continue;
		snprintf(path, sizeof(path), ROOT "/%s", entry->d_name);
		visit(path, data);
	}
	if (folder)
		closedir(folder);
}

static void each_process(const char *group, void (*visit)(pid_t pid, void *data), void *data)
{
	static char pids[PIDS_MAX * 8];
	char path[PATH_SIZE + 16];

	snprintf(path, sizeof(path), "%s/cgroup.procs", group);
	if (!read_text(path, pids, sizeof(pids)))
		return;
	for (char *save = NULL, *pid = strtok_r(pids, "\n", &save); pid; pid = strtok_r(NULL, "\n", &save))
		visit((pid_t)strtol(pid, NULL, 10), data);
}

/* False for what is no program that runs: a thread of the kernel, or one that has ended. */
static bool is_alive(pid_t pid)
{
	char path[64], stat[1024], *at, state;
	unsigned int flags;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	if (!read_text(path, stat, sizeof(stat)) || !(at = strrchr(stat, ')')))
		return false;
	if (sscanf(at + 1, " %c %*d %*d %*d %*d %*d %u", &state, &flags) != 2)
		return false;
	return state != 'Z' && state != 'X' && !(flags & (KTHREAD | EXITING));
}

static void mark(pid_t pid, void *unused)
{
	(void)unused;
	if (pid >= 0 && (size_t)pid < sizeof(was_there) * 8)
		was_there[pid / 8] |= (unsigned char)(1 << pid % 8);
}

static bool is_stray(pid_t pid)
{
	return pid > 1 && (size_t)pid < sizeof(was_there) * 8 && !(was_there[pid / 8] & 1 << pid % 8) && is_alive(pid);
}

/* Opens the group of that name, made now; everything that is spawned into it stays below it. */
static int make(const char *name)
{
	char path[PATH_SIZE];
	int fd;

	snprintf(path, sizeof(path), ROOT "/%s", name);
	if (mkdir(path, 0755) && errno != EEXIST)
		agent_fail("%s: %s", path, strerror(errno));
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		agent_fail("%s: %s", path, strerror(errno));
	return fd;
}

int group_of_policies(void)
{
	return make(POLICY);
}

int group_begin(const char *step)
{
	memset(was_there, 0, sizeof(was_there));
	each_process(ROOT, mark, NULL);
	return make(step);
}

/* Names each once, and counts all. */
static void note(pid_t pid, void *data)
{
	struct leftover *left = data;
	char path[64], name[64], all[sizeof(left->names) + 2], one[sizeof(name) + 2];

	if (!is_alive(pid))
		return;
	left->count++;
	snprintf(path, sizeof(path), "/proc/%d/comm", pid);
	read_text(path, name, sizeof(name));
	name[strcspn(name, "\n")] = '\0';
	snprintf(all, sizeof(all), "\n%s\n", left->names);
	snprintf(one, sizeof(one), "\n%s\n", name);
	if (!*name || strstr(all, one) || strlen(left->names) + strlen(name) + 2 > sizeof(left->names))
		return;
	if (*left->names)
		strcat(left->names, "\n");
	strcat(left->names, name);
}

static void note_stray(pid_t pid, void *left)
{
	if (is_stray(pid))
		note(pid, left);
}

static void note_group(const char *path, void *left)
{
	each_process(path, note, left);
}

static void note_tree(const char *path, void *left)
{
	walk(path, note_group, left);
}

static void kill_stray(pid_t pid, void *unused)
{
	(void)unused;
	if (is_stray(pid))
		kill(pid, SIGKILL);
}

static void kill_group(const char *path, void *unused)
{
	char file[PATH_SIZE + 16];

	(void)unused;
	snprintf(file, sizeof(file), "%s/cgroup.kill", path);
	write_text(file, "1");
}

static void count_populated(const char *path, void *count)
{
	char file[PATH_SIZE + 16], text[256];

	snprintf(file, sizeof(file), "%s/cgroup.events", path);
	if (read_text(file, text, sizeof(text)) && strstr(text, "populated 1"))
		++*(int *)count;
}

static void count_stray(pid_t pid, void *count)
{
	*(int *)count += is_stray(pid);
}

static uint64_t number_after(const char *text, const char *key)
{
	const char *at = strstr(text, key);

	return at ? strtoull(at + strlen(key), NULL, 10) : 0;
}

static void add_usage(const char *path, void *data)
{
	struct leftover *left = data;
	char file[PATH_SIZE + 16], text[1024];

	snprintf(file, sizeof(file), "%s/cpu.stat", path);
	if (!read_text(file, text, sizeof(text)))
		return;
	left->user_ns += 1000 * number_after(text, "user_usec ");
	left->system_ns += 1000 * number_after(text, "system_usec ");
}

static void remove_group(const char *path, void *unused)
{
	(void)unused;
	rmdir(path);
}

static void remove_tree(const char *path, void *unused)
{
	walk(path, remove_group, unused);
}

void group_kill(void)
{
	each_of_step(kill_group, NULL);
	each_process(ROOT, kill_stray, NULL);
}

/*
 * Ends all that the step started and waits for the proof. Says what was still there, what could not be ended, and what CPU time all of
 * it took, also processes that nobody waited for.
 */
void group_end(struct leftover *left, struct orders *orders)
{
	uint64_t until = now_ns() + KILL_NS;
	int there;

	memset(left, 0, sizeof(*left));
	each_of_step(note_tree, left);
	each_process(ROOT, note_stray, left);
	for (;;) {
		group_kill();
		reap_orphans(orders);
		there = 0;
		each_of_step(count_populated, &there);
		each_process(ROOT, count_stray, &there);
		if (!there || now_ns() > until)
			break;
		sleep_ns(POLL_NS);
	}
	if (there) {
		struct leftover stuck = { 0 };

		each_of_step(note_tree, &stuck);
		each_process(ROOT, note_stray, &stuck);
		left->stuck = stuck.count ? stuck.count : there;
		memcpy(left->names, stuck.names, sizeof(left->names));
	}
	each_of_step(add_usage, left);
	each_of_step(remove_tree, NULL);
}
