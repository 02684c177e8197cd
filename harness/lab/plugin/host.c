// SPDX-License-Identifier: GPL-2.0-or-later
#define _GNU_SOURCE
#include "host.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/platform/x86.h>
#include <sys/time.h>
#include <unistd.h>

#define SHOWN __attribute__((visibility("default")))
/* host/include/i386/host/cpuinfo.h: CPUINFO_ALWAYS, CPUINFO_SSE2 */
#define PLAIN (1u << 0 | 1u << 7)

extern unsigned int cpuinfo;

static int64_t now_ns;
static bool ended;

SHOWN int gettimeofday(struct timeval *restrict time, void *restrict zone);
SHOWN void *g_try_malloc_n(size_t count, size_t size);
SHOWN int fsync(int fd);

void host_clock_set(int64_t ns)
{
	__atomic_store_n(&now_ns, ns, __ATOMIC_RELAXED);
}

/* QEMU grows and shrinks its cache of addresses after windows of this time (accel/tcg/cputlb.c), and the guest sees the size. */
int gettimeofday(struct timeval *restrict time, void *restrict zone)
{
	int64_t ns = __atomic_load_n(&now_ns, __ATOMIC_RELAXED);

	(void)zone;
	time->tv_sec = ns / 1000000000;
	time->tv_usec = ns / 1000 % 1000000;
	return 0;
}

static void end(const char *why)
{
	fprintf(stderr, "slice: %s\n", why);
	_exit(1);
}

/* Where memory is short QEMU makes that cache smaller, without a word. */
void *g_try_malloc_n(size_t count, size_t size)
{
	void *memory = count && size ? reallocarray(NULL, count, size) : NULL;

	if (!memory && count && size)
		end("the host has no memory left for the emulator (ulimit -v, memory.max)");
	return memory;
}

/* QEMU flushes persistent memory in a thread of its own: the guest would hear of the end when the host's disk is ready. */
int fsync(int fd)
{
	if (!ended)
		end("the guest flushed its persistent memory: how long that takes is the host's");
	return fdatasync(fd);
}

void host_is_plain(void)
{
	cpuinfo &= PLAIN;
}

void host_end(void)
{
	__atomic_store_n(&ended, true, __ATOMIC_RELAXED);
}

bool host_arithmetic(void)
{
	if (!CPU_FEATURE_ACTIVE(FMA) && !CPU_FEATURE_ACTIVE(FMA4))
		return true;
	fprintf(stderr, "slice: x87 instructions would follow the host's processor: GLIBC_TUNABLES must take FMA and FMA4 away\n");
	return false;
}
