// SPDX-License-Identifier: GPL-2.0-only
/*
 * The mailbox: blocks of 1 MiB, each "PMVX-ORDERS 2 LENGTH CRC32\n" and LENGTH bytes. A block that the host has yet to write
 * says "PMVX-ORDERS 2 0 00000000 WAIT\n". Files follow, see file.c.
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
#define PAGE 4096
#define BLOCK_BYTES (1024 * 1024)
#define WAITING "PMVX-ORDERS 2 0 00000000 WAIT\n"
#define WAIT_NS (10 * MS)
/* A block that was waited for may be seen half written: so many more looks, then it is damaged. */
#define LOOKS 100

/* `offset`, `data` and `length` are multiples of a page. */
ssize_t mailbox_bytes(uint64_t offset, void *data, size_t length)
{
	/* Past the page cache: the host may write while the machine stands still, after the guest has looked. */
	int fd = open(MAILBOX, O_RDONLY | O_DIRECT | O_CLOEXEC);
	ssize_t done;

	if (fd < 0)
		return -1;
	done = pread(fd, data, length, (off_t)offset);
	close(fd);
	return done;
}

static ssize_t read_pages(int block, char *data, size_t length)
{
	return mailbox_bytes((uint64_t)block * BLOCK_BYTES, data, length);
}

/* The text of a block as it is now; NULL with a fault in words, or with none when the host asks to wait. */
static char *look(int block, char *data, char *fault, size_t size)
{
	size_t length, pages;
	uint32_t crc;
	int head;

	*fault = '\0';
	if (read_pages(block, data, PAGE) != PAGE) {
		snprintf(fault, size, "mailbox unreadable: %s", strerror(errno));
		return NULL;
	}
	data[PAGE] = '\0';
	if (!strncmp(data, WAITING, strlen(WAITING)))
		return NULL;
	if (sscanf(data, "PMVX-ORDERS 2 %zu %8x%n", &length, &crc, &head) != 2 || data[head] != '\n' || length > BLOCK_BYTES - PAGE) {
		snprintf(fault, size, "mailbox block %d holds no orders of version 2", block);
		return NULL;
	}
	/* No more than is there: what is read after the fork point is work of the run. */
	pages = ((size_t)head + 1 + length + PAGE - 1) / PAGE * PAGE;
	if ((pages > PAGE && read_pages(block, data, pages) != (ssize_t)pages) || crc32_of(0, data + head + 1, length) != crc) {
		snprintf(fault, size, "orders in mailbox block %d are damaged", block);
		return NULL;
	}
	data[head + 1 + (int)length] = '\0';
	return data + head + 1;
}

/* The lines of a block, which stay for good; waits while the host asks for it. */
char *mailbox_read(int block, char *fault, size_t size)
{
	char *data = aligned_alloc(PAGE, BLOCK_BYTES + PAGE);
	bool waited = false;
	int looks = 0;

	if (!data) {
		snprintf(fault, size, "no memory for orders");
		return NULL;
	}
	for (;;) {
		char *text = look(block, data, fault, size);

		if (text)
			return text;
		if (!*fault)
			waited = true;
		else if (!waited || ++looks == LOOKS)
			return NULL;
		sleep_ns(WAIT_NS);
	}
}
