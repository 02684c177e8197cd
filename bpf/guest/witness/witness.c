// SPDX-License-Identifier: GPL-2.0-only
/*
 * witness: prints what a guest can see of the machine that emulates it.
 *
 * witness pages CYCLES CALM: grows the emulator's cache of addresses (its soft TLB), works calmly for CALM rounds (twice as
 * many in the second cycle, and so on), and asks the kernel which pages were touched since their accessed bits were cleared. Linux clears the bits without a flush, and the emulator
 * sets them only where it has to look an address up, so the answer tells how large that cache is.
 * witness x87 COUNT: a digest of FSIN, FCOS, FSINCOS and FPTAN, which the emulator computes with the host's mathematical library.
 * The digest also decides how long a loop runs, so that a hash of executed blocks holds it.
 * witness clock COUNT: a digest of readings of each clock and of the time stamp counter, and the last of each.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#define PAGE 4096
/* More than the cache's first size (256), and twice the pages that are asked about. */
#define MANY 4096
#define ASKED 2048
/* A kernel flushes everything from 33 pages on. */
#define FLUSHED 64

static volatile uint64_t sink;

static char *map(size_t pages)
{
	char *memory = mmap(NULL, pages * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (memory == MAP_FAILED || madvise(memory, pages * PAGE, MADV_NOHUGEPAGE)) {
		perror("mmap");
		exit(1);
	}
	memset(memory, 1, pages * PAGE);
	return memory;
}

static void walk(const char *memory, size_t pages)
{
	for (size_t i = 0; i < pages; i++)
		sink += (uint64_t)memory[i * PAGE];
}

static void flush(void)
{
	munmap(map(FLUSHED), FLUSHED * PAGE);
}

/* KiB of the mapping that begins at `memory` and whose accessed bits are set; -1 when the kernel does not say. */
static long referenced(const char *memory)
{
	FILE *file = fopen("/proc/self/smaps", "r");
	unsigned long begin, end;
	char line[512];
	long found = -1, value;
	int within = 0;

	while (file && fgets(line, sizeof(line), file)) {
		if (sscanf(line, "%lx-%lx ", &begin, &end) == 2)
			within = (uintptr_t)memory >= begin && (uintptr_t)memory < end;
		if (within && sscanf(line, "Referenced: %ld kB", &value) == 1) {
			found = value;
			break;
		}
	}
	if (file)
		fclose(file);
	return found;
}

static int pages(long cycles, long calm)
{
	char *memory = map(MANY);
	int clear = open("/proc/self/clear_refs", O_WRONLY | O_CLOEXEC);

	for (long cycle = 0; cycle < cycles; cycle++) {
		for (int i = 0; i < 6; i++) {
			walk(memory, MANY);
			flush();
		}
		for (long round = 0; round < calm * (cycle + 1); round++) {
			for (long i = 0; i < 20000; i++)
				sink += (uint64_t)i;
			flush();
		}
		walk(memory, ASKED);
		if (write(clear, "1", 1) != 1) {
			perror("/proc/self/clear_refs");
			return 1;
		}
		walk(memory, ASKED);
		printf("%ld: %ld kB referenced\n", cycle, referenced(memory));
	}
	return 0;
}

static uint64_t digest = 0xcbf29ce484222325u;

static void add(long double value)
{
	unsigned char bytes[16] = { 0 };

	memcpy(bytes, &value, 10);
	for (int i = 0; i < 10; i++)
		digest = (digest ^ bytes[i]) * 0x100000001b3u;
}

static int x87(long count)
{
	double at = 0.0001;

	for (long i = 0; i < count; i++) {
		long double angle, first, second;

		at = at * 1.0004 + 0.00001;
		if (at > 1e6)
			at = 0.0001 + (double)i * 1e-7;
		angle = at;
		__asm__ volatile("fsin" : "=t"(first) : "0"(angle));
		add(first);
		__asm__ volatile("fcos" : "=t"(first) : "0"(angle));
		add(first);
		__asm__ volatile("fsincos" : "=t"(first), "=u"(second) : "0"(angle));
		add(first);
		add(second);
		__asm__ volatile("fptan" : "=t"(first), "=u"(second) : "0"(angle));
		add(second);
	}
	for (uint64_t i = 0; i < (digest & 0xffff); i++)
		sink += i;
	printf("x87 %016llx\n", (unsigned long long)digest);
	return 0;
}

static int clocks(long count)
{
	static const clockid_t asked[] = { CLOCK_REALTIME, CLOCK_MONOTONIC, CLOCK_BOOTTIME, CLOCK_PROCESS_CPUTIME_ID };
	struct timespec now = { 0 };
	uint64_t stamp = 0;

	for (size_t which = 0; which < sizeof(asked) / sizeof(*asked); which++) {
		for (long i = 0; i < count; i++) {
			clock_gettime(asked[which], &now);
			stamp = __builtin_ia32_rdtsc();
			digest = (digest ^ (uint64_t)now.tv_nsec ^ stamp) * 0x100000001b3u;
		}
		printf("clock %zu %lld.%09ld\n", which, (long long)now.tv_sec, now.tv_nsec);
	}
	printf("stamp %llu digest %016llx\n", (unsigned long long)stamp, (unsigned long long)digest);
	return 0;
}

int main(int argc, char **argv)
{
	if (argc == 4 && !strcmp(argv[1], "pages"))
		return pages(atol(argv[2]), atol(argv[3]));
	if (argc == 3 && !strcmp(argv[1], "x87"))
		return x87(atol(argv[2]));
	if (argc == 3 && !strcmp(argv[1], "clock"))
		return clocks(atol(argv[2]));
	fprintf(stderr, "usage: witness pages CYCLES CALM | x87 COUNT | clock COUNT\n");
	return 2;
}
