// SPDX-License-Identifier: GPL-2.0-only
/* The kernel log as a frame. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "agent.h"

void send_kernel_log(void)
{
	static char log[LOG_LIMIT + 8192];
	size_t length = 0;
	int fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);

	for (;;) {
		char record[8192];
		ssize_t got = fd < 0 ? -1 : read(fd, record, sizeof(record) - 1);

		if (got < 0 && errno == EPIPE)
			continue;
		if (got <= 0)
			break;
		if (length + (size_t)got > LOG_LIMIT) {
			/* Keep the end: it is what explains a failure. */
			memmove(log, log + LOG_LIMIT / 2, length - LOG_LIMIT / 2);
			length -= LOG_LIMIT / 2;
		}
		memcpy(log + length, record, (size_t)got);
		length += (size_t)got;
	}
	if (fd >= 0)
		close(fd);
	frame_send("klog", log, length);
}
