// SPDX-License-Identifier: GPL-2.0-only
/*
 * Files that the run needs: their bytes stand in the mailbox from 4 MiB on, one after the other, each at a page's beginning. They are
 * written to memory before the policy is chosen, whole and checked, or the trial ends.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent.h"

#define FILES_AT (4ull * 1024 * 1024)
#define PAGE 4096ull
#define MAILBOX_BYTES (128ull * 1024 * 1024)
#define PART (1024 * 1024)

static uint64_t pages(uint64_t bytes)
{
	return (bytes + PAGE - 1) / PAGE * PAGE;
}

static void place(const struct file *file, uint64_t at, char *part)
{
	int fd = open(file->path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0444);
	uint32_t crc = 0;

	if (fd < 0)
		agent_fail("%s: %s", file->path, strerror(errno));
	for (uint64_t done = 0; done < file->size;) {
		uint64_t length = file->size - done < PART ? file->size - done : PART;

		if (mailbox_bytes(at + done, part, pages(length)) != (ssize_t)pages(length))
			agent_fail("mailbox unreadable: %s", strerror(errno));
		if (write(fd, part, length) != (ssize_t)length)
			agent_fail("%s: %s", file->path, strerror(errno));
		crc = crc32_of(crc, part, length);
		done += length;
	}
	close(fd);
	if (crc != file->crc32)
		agent_fail("file %s in the mailbox is damaged", file->path);
}

void files_place(const struct orders *orders)
{
	uint64_t at = FILES_AT;
	char *part;

	if (!orders->files)
		return;
	part = aligned_alloc(PAGE, PART);
	if (!part)
		agent_fail("no memory for files");
	for (int i = 0; i < orders->files; i++) {
		const struct file *file = &orders->file[i];

		if (file->size > MAILBOX_BYTES || at + pages(file->size) > MAILBOX_BYTES)
			agent_fail("file %s of %llu bytes lies beyond the mailbox", file->path, (unsigned long long)file->size);
		place(file, at, part);
		at += pages(file->size);
	}
	free(part);
}
