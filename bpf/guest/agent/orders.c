// SPDX-License-Identifier: GPL-2.0-only
/*
 * Orders are data: "PMVX-ORDERS 1 LENGTH CRC32\n" at the start of the mailbox, then lines "key value" with percent-encoded
 * values. Keys that repeat make lists. An unknown key or version is refused: agent and host must agree.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent.h"

#define MAILBOX "/dev/pmem1"
#define BLOCK 4096
#define ORDERS_MAX (1024 * 1024)

static int hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static int decode(char *text)
{
	char *to = text;

	for (char *from = text; *from; from++) {
		if (*from != '%') {
			*to++ = *from;
			continue;
		}
		if (!from[1] || hex(from[1]) < 0 || hex(from[2]) < 0)
			return -1;
		*to++ = (char)(hex(from[1]) << 4 | hex(from[2]));
		from += 2;
	}
	*to = '\0';
	return 0;
}

static int push(struct argv_list *list, char *value)
{
	if (list->count >= ARGS_MAX)
		return -1;
	list->arg[list->count++] = value;
	return 0;
}

static int apply(struct orders *orders, const char *key, char *value)
{
	if (!strcmp(key, "policy.arg"))
		return push(&orders->policy, value);
	if (!strcmp(key, "warmup.arg"))
		return push(&orders->warmup, value);
	if (!strcmp(key, "run.arg"))
		return push(&orders->run, value);
	if (!strcmp(key, "seed"))
		orders->seed = strtoull(value, NULL, 10);
	else if (!strcmp(key, "policy.kind") && (!strcmp(value, "builtin") || !strcmp(value, "process")))
		orders->is_process = *value == 'p';
	else if (!strcmp(key, "policy.ops"))
		orders->ops = value;
	else if (!strcmp(key, "run.deadline_ms"))
		orders->deadline_ms = strtoull(value, NULL, 10);
	else if (!strcmp(key, "policy.deadline_ms"))
		orders->attach_ms = strtoull(value, NULL, 10);
	else
		return -1;
	return 0;
}

static ssize_t read_mailbox(char *data, size_t length)
{
	/* Past the page cache: the host writes the mailbox before the machine runs on, perhaps after it has been looked at. */
	int fd = open(MAILBOX, O_RDONLY | O_DIRECT | O_CLOEXEC);
	ssize_t done;

	if (fd < 0)
		return -1;
	done = pread(fd, data, length, 0);
	close(fd);
	return done;
}

int orders_read(struct orders *orders, char *fault, size_t size)
{
	char *data = aligned_alloc(BLOCK, ORDERS_MAX + BLOCK);
	size_t length;
	uint32_t crc;
	int head;

	if (!data || read_mailbox(data, BLOCK) != BLOCK) {
		snprintf(fault, size, "mailbox unreadable: %s", strerror(errno));
		return -1;
	}
	if (sscanf(data, "PMVX-ORDERS 1 %zu %8x%n", &length, &crc, &head) != 2 || data[head] != '\n' || length > ORDERS_MAX - BLOCK) {
		snprintf(fault, size, "mailbox holds no orders of version 1");
		return -1;
	}
	if (read_mailbox(data, ORDERS_MAX) != ORDERS_MAX || crc32_of(data + head + 1, length) != crc) {
		snprintf(fault, size, "orders are damaged");
		return -1;
	}
	data[head + 1 + (int)length] = '\0';
	for (char *save = NULL, *line = strtok_r(data + head + 1, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		char *value = strchr(line, ' ');

		if (value)
			*value++ = '\0';
		if (!value || decode(value) || apply(orders, line, value)) {
			snprintf(fault, size, "order not understood: %.64s", line);
			return -1;
		}
	}
	if (!orders->run.count || !orders->deadline_ms || !orders->attach_ms ||
	    (orders->is_process && (!orders->ops || !orders->policy.count))) {
		snprintf(fault, size, "orders are incomplete");
		return -1;
	}
	return 0;
}
