// SPDX-License-Identifier: GPL-2.0-only
/* Settings of the kernel as a policy: modules loaded before the fork point, values written at it, read back, and restored. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent.h"

#define MODPROBE "/usr/sbin/modprobe"
#define MODPROBE_MS 20000
#define MODULE_LOG OWN "/module.log"

/* Of a list with one choice in brackets, the choice; else the whole line. */
static int read_setting(const char *path, char *text, size_t size)
{
	char line[512], *from = line, *open_bracket, *close_bracket;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t length = fd < 0 ? -1 : read(fd, line, sizeof(line) - 1);

	*text = '\0';
	if (fd >= 0)
		close(fd);
	if (length < 0)
		return -1;
	line[length] = '\0';
	line[strcspn(line, "\n")] = '\0';
	open_bracket = strchr(line, '[');
	close_bracket = open_bracket ? strchr(open_bracket, ']') : NULL;
	if (close_bracket) {
		*close_bracket = '\0';
		from = open_bracket + 1;
	}
	while (*from == ' ' || *from == '\t')
		from++;
	length = (ssize_t)strlen(from);
	while (length && (from[length - 1] == ' ' || from[length - 1] == '\t'))
		from[--length] = '\0';
	snprintf(text, size, "%s", from);
	return 0;
}

static int write_setting(const char *path, const char *value)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	ssize_t done = fd < 0 ? -1 : write(fd, value, strlen(value));
	int saved = errno;

	if (fd >= 0)
		close(fd);
	errno = saved;
	return done == (ssize_t)strlen(value) ? 0 : -1;
}

static void load(struct module *module)
{
	struct argv_list argv = { .count = 1, .arg = { MODPROBE } };
	char words[REASON_MAX];
	struct pollfd ended = { .events = POLLIN };
	int status = 0, ready;
	pid_t child;

	snprintf(words, sizeof(words), "%s", module->words);
	for (char *save = NULL, *word = strtok_r(words, " ", &save); word && argv.count < ARGS_MAX;
	     word = strtok_r(NULL, " ", &save))
		argv.arg[argv.count++] = word;
	child = spawn(&argv, MODULE_LOG, NULL, -1, -1);
	if (child < 0)
		agent_fail("fork: %s", strerror(errno));
	ended.fd = (int)syscall(SYS_pidfd_open, child, 0);
	ready = poll(&ended, 1, MODPROBE_MS);
	if (ready <= 0)
		kill(-child, SIGKILL);
	waitpid(child, &status, 0);
	close(ended.fd);
	if (ready > 0 && WIFEXITED(status) && !WEXITSTATUS(status))
		return;
	if (ready <= 0)
		snprintf(module->fault, REASON_MAX, "module %s: modprobe did not end", module->words);
	else
		snprintf(module->fault, REASON_MAX, "module %s: modprobe ended with status %d", module->words,
			 WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
}

void knob_load_modules(struct orders *orders)
{
	for (int i = 0; i < orders->modules; i++)
		load(&orders->module[i]);
}

static int set(struct knob *knob, char *fault, size_t size)
{
	const char *wanted = knob->reads ? knob->reads : knob->value;

	if (read_setting(knob->path, knob->before, sizeof(knob->before))) {
		snprintf(fault, size, "%s cannot be read: %s", knob->path, strerror(errno));
		return -1;
	}
	knob->changed = true;
	if (write_setting(knob->path, knob->value)) {
		snprintf(fault, size, "%s refused \"%s\": %s", knob->path, knob->value, strerror(errno));
		return -1;
	}
	read_setting(knob->path, knob->now, sizeof(knob->now));
	if (strcmp(knob->now, wanted)) {
		snprintf(fault, size, "%s reads \"%s\" after \"%s\" was written, wanted \"%s\"", knob->path, knob->now, knob->value,
			 wanted);
		return -1;
	}
	return 0;
}

/* All settings or none: what was changed before one fails is put back. */
int knob_activate(struct orders *orders, char *fault, size_t size)
{
	for (int i = 0; i < orders->needed; i++) {
		const struct module *module = &orders->module[orders->need[i]];

		if (*module->fault) {
			snprintf(fault, size, "%s", module->fault);
			return -1;
		}
	}
	for (int i = 0; i < orders->knobs; i++) {
		if (set(&orders->knob[i], fault, size)) {
			knob_restore(orders);
			return -1;
		}
	}
	return 0;
}

void knob_read(struct orders *orders)
{
	for (int i = 0; i < orders->knobs; i++)
		read_setting(orders->knob[i].path, orders->knob[i].now, sizeof(orders->knob[i].now));
}

void knob_restore(struct orders *orders)
{
	for (int i = orders->knobs - 1; i >= 0; i--) {
		struct knob *knob = &orders->knob[i];

		if (!knob->changed)
			continue;
		write_setting(knob->path, knob->before);
		read_setting(knob->path, knob->restored, sizeof(knob->restored));
		knob->changed = false;
	}
}

/* `,"knobs":[{path, before, value, restored}]`, or nothing without knobs. What was not read is absent. */
int knob_members(const struct orders *orders, char *json, size_t size)
{
	char path[256], before[256], now[256], restored[256];
	int at = 0;

	if (!orders->knobs)
		return 0;
	at += snprintf(json, size, ",\"knobs\":[");
	for (int i = 0; i < orders->knobs && (size_t)at + 2048 < size; i++) {
		const struct knob *knob = &orders->knob[i];

		at += snprintf(json + at, size - (size_t)at, "%s{\"path\":\"%s\",\"before\":\"%s\",\"value\":\"%s\"", i ? "," : "",
			       json_escape(knob->path, path, sizeof(path)), json_escape(knob->before, before, sizeof(before)),
			       json_escape(knob->now, now, sizeof(now)));
		if (*knob->restored)
			at += snprintf(json + at, size - (size_t)at, ",\"restored\":\"%s\"",
				       json_escape(knob->restored, restored, sizeof(restored)));
		at += snprintf(json + at, size - (size_t)at, "}");
	}
	return at + snprintf(json + at, size - (size_t)at, "]");
}
