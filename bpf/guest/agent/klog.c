// SPDX-License-Identifier: GPL-2.0-only
/* The kernel log as a frame: its beginning and its end, and between them how much is left out. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "agent.h"

#define HALF (LOG_LIMIT / 2)
#define RECORD_MAX 8192

/* The end of what does not fit the beginning: twice the room, so that it moves seldom. */
static char head[HALF], tail[2 * HALF + RECORD_MAX], whole[LOG_LIMIT + 128];

void send_kernel_log(void)
{
	size_t first = 0, last = 0, length;
	unsigned long long gone = 0;
	int fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);

	for (;;) {
		char record[RECORD_MAX];
		ssize_t got = fd < 0 ? -1 : read(fd, record, sizeof(record) - 1);

		if (got < 0 && errno == EPIPE)
			continue;
		if (got <= 0)
			break;
		if (!last && first + (size_t)got <= HALF) {
			memcpy(head + first, record, (size_t)got);
			first += (size_t)got;
			continue;
		}
		if (last + (size_t)got > sizeof(tail)) {
			gone += last - HALF;
			memmove(tail, tail + last - HALF, HALF);
			last = HALF;
		}
		memcpy(tail + last, record, (size_t)got);
		last += (size_t)got;
	}
	if (fd >= 0)
		close(fd);
	if (last > HALF) {
		gone += last - HALF;
		memmove(tail, tail + last - HALF, HALF);
		last = HALF;
	}
	memcpy(whole, head, first);
	length = first;
	if (gone)
		length += (size_t)sprintf(whole + length, "\n[pmvx: %llu bytes left out]\n", gone);
	memcpy(whole + length, tail, last);
	frame_send("klog", whole, length + last);
}
