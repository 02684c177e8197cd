// SPDX-License-Identifier: GPL-2.0-only
/*
 * Settings of the kernel that make a trial what it is and that nobody is to change meanwhile: read before the workload begins and after
 * it has ended. What differs goes to the host, with both texts.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent.h"

#define TEXT_MAX 1024

/* The file's text; NULL when it cannot be read. */
static char *text_of(const char *path)
{
	char text[TEXT_MAX];
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t length = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);

	if (fd >= 0)
		close(fd);
	if (length < 0)
		return NULL;
	while (length && (text[length - 1] == '\n' || text[length - 1] == ' '))
		length--;
	text[length] = '\0';
	return strdup(text);
}

/* From here on a change is the workload's. What has changed before stays noted. */
void watch_begin(struct orders *orders)
{
	for (int i = 0; i < orders->watches; i++) {
		struct watched *setting = &orders->watched[i];

		if (setting->now)
			continue;
		free(setting->before);
		setting->before = text_of(setting->path);
	}
}

void watch_look(struct orders *orders)
{
	for (int i = 0; i < orders->watches; i++) {
		struct watched *setting = &orders->watched[i];
		char *now = setting->before && !setting->now ? text_of(setting->path) : NULL;

		if (now && strcmp(now, setting->before))
			setting->now = now;
		else
			free(now);
	}
}

/* One frame for each setting that changed. */
void watch_send(const struct orders *orders)
{
	for (int i = 0; i < orders->watches; i++) {
		const struct watched *setting = &orders->watched[i];
		char path[512], before[TEXT_MAX + 512], now[TEXT_MAX + 512];

		if (setting->now)
			frame_printf("changed", "{\"path\":\"%s\",\"before\":\"%s\",\"value\":\"%s\"}",
				     json_escape(setting->path, path, sizeof(path)),
				     json_escape(setting->before, before, sizeof(before)),
				     json_escape(setting->now, now, sizeof(now)));
	}
}
