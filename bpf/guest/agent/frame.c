// SPDX-License-Identifier: GPL-2.0-only
/*
 * Frames from guest to host: "PMVX 2 KIND GUEST_NS LENGTH CRC32\n", the payload, "\n". The CRC covers the header up to LENGTH and
 * the payload. Write-only, so nothing arrives at random.
 */
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent.h"

static int channel = -1;

/* CRC of what came before (0: nothing) and `data`. */
uint32_t crc32_of(uint32_t before, const void *data, size_t length)
{
	static uint32_t table[256];
	const unsigned char *byte = data;
	uint32_t crc = ~before;

	for (uint32_t i = 0; i < 256 && !table[255]; i++) {
		uint32_t entry = i;

		for (int bit = 0; bit < 8; bit++)
			entry = entry >> 1 ^ (entry & 1 ? 0xedb88320u : 0);
		table[i] = entry;
	}
	while (length--)
		crc = crc >> 8 ^ table[(crc ^ *byte++) & 255];
	return ~crc;
}

static void write_all(const char *data, size_t length)
{
	while (length) {
		ssize_t done = write(channel, data, length);

		if (done < 0 && errno == EINTR)
			continue;
		if (done <= 0)
			return;
		data += done;
		length -= (size_t)done;
	}
}

/* The only virtio-serial port of the machine. It appears once control messages have been exchanged: poll, 10 s at most. */
int frame_open(void)
{
	for (int i = 0; i < 1000 && channel < 0; i++) {
		glob_t ports;

		if (!glob("/dev/vport*p1", 0, NULL, &ports)) {
			channel = open(ports.gl_pathv[0], O_WRONLY | O_CLOEXEC);
			globfree(&ports);
		}
		if (channel < 0)
			sleep_ns(10 * MS);
	}
	return channel < 0 ? -1 : 0;
}

void frame_send(const char *kind, const void *payload, size_t length)
{
	char head[128];
	int size;

	if (channel < 0)
		return;
	size = snprintf(head, sizeof(head), "PMVX 2 %s %llu %zu", kind, (unsigned long long)now_ns(), length);
	size += snprintf(head + size, sizeof(head) - (size_t)size, " %08x\n",
			 crc32_of(crc32_of(0, head, (size_t)size), payload, length));
	write_all(head, (size_t)size);
	write_all(payload, length);
	write_all("\n", 1);
}

void frame_printf(const char *kind, const char *format, ...)
{
	char text[4096];
	va_list args;
	int length;

	va_start(args, format);
	length = vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	if (length < 0)
		return;
	frame_send(kind, text, (size_t)length < sizeof(text) ? (size_t)length : sizeof(text) - 1);
}

void frame_reason(const char *kind, const char *reason)
{
	char escaped[4 * REASON_MAX];

	frame_printf(kind, "{\"reason\":\"%s\"}", json_escape(reason, escaped, sizeof(escaped)));
}

/* Sends a file; of one longer than `limit` its first and last half with a line between that says what is left out. */
void frame_file(const char *kind, const char *path, size_t limit)
{
	char *data = malloc(limit + 128);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	off_t size = fd < 0 ? 0 : lseek(fd, 0, SEEK_END);
	ssize_t length = 0;

	if (!data || fd < 0) {
		frame_send(kind, "", 0);
	} else if ((size_t)size <= limit) {
		length = pread(fd, data, limit, 0);
		frame_send(kind, data, length > 0 ? (size_t)length : 0);
	} else {
		ssize_t half = (ssize_t)limit / 2;
		ssize_t first = pread(fd, data, (size_t)half, 0);

		length = first > 0 ? first : 0;
		length += sprintf(data + length, "\n[pmvx: %lld bytes left out]\n", (long long)size - 2 * half);
		first = pread(fd, data + length, (size_t)half, size - half);
		length += first > 0 ? first : 0;
		frame_send(kind, data, (size_t)length);
	}
	if (fd >= 0)
		close(fd);
	free(data);
}

/* Sends all of a file; one that is not there sends nothing, and one that is longer than `limit` is the agent's error. */
void frame_whole_file(const char *kind, const char *path, size_t limit)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	off_t size = fd < 0 ? 0 : lseek(fd, 0, SEEK_END);
	char *data;

	if (fd < 0)
		return;
	if ((size_t)size > limit)
		agent_fail("%s has %lld bytes; at most %zu can be sent", path, (long long)size, limit);
	data = malloc((size_t)size + 1);
	if (!data || pread(fd, data, (size_t)size, 0) != size)
		agent_fail("%s: %s", path, strerror(errno));
	close(fd);
	frame_send(kind, data, (size_t)size);
	free(data);
}
