// SPDX-License-Identifier: GPL-2.0-only
/*
 * unitwork: the guest's half of the lab's self-test.
 *
 * Times one fixed piece of work pinned to each CPU alone, then on all CPUs at once (one pinned process each), then unpinned.
 * Prints one line a measurement: "alone CPU PS", "together CPU PS", "unpinned 0 PS"
 * (picoseconds). On a fair machine all are equal.
 */
#define _GNU_SOURCE
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define MAX_CPUS 64
#define CHUNKS 1000

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/* A dependent chain: the same instructions wherever it runs. */
static uint64_t work(long rounds)
{
	uint64_t x = 88172645463325252u;

	for (long i = 0; i < rounds; i++) {
		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
	}
	return x;
}

static volatile uint64_t sink;

static int ascending(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

/*
 * Mean time of CHUNKS pieces of work without the slowest fifth: a timer tick falls into less than a fifth of the pieces, and
 * how many ticks a CPU serves is the kernel's doing, not the machine's. In picoseconds a piece.
 */
static uint64_t timed(long rounds)
{
	static uint64_t t[CHUNKS];
	uint64_t sum = 0;

	for (int i = 0; i < CHUNKS; i++) {
		uint64_t start = now_ns();

		sink = work(rounds);
		t[i] = now_ns() - start;
	}
	qsort(t, CHUNKS, sizeof(*t), ascending);
	for (int i = 0; i < CHUNKS / 5 * 4; i++)
		sum += t[i];
	return sum * 1000 / (CHUNKS / 5 * 4);
}

static int pin(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	return sched_setaffinity(0, sizeof(set), &set);
}

int main(int argc, char **argv)
{
	int cpus = argc > 1 ? atoi(argv[1]) : 0;
	long rounds = argc > 2 ? atol(argv[2]) : 0;
	uint64_t *shared;

	if (cpus < 1 || cpus > MAX_CPUS || rounds < 100) {
		fprintf(stderr, "usage: unitwork CPUS(1..%d) ROUNDS(>=100)\n", MAX_CPUS);
		return 2;
	}
	shared = mmap(NULL, sizeof(*shared) * (MAX_CPUS + 1), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (shared == MAP_FAILED)
		return 1;
	work(rounds); /* touch every page and translate every block before the first measurement */
	for (int cpu = 0; cpu < cpus; cpu++) {
		if (pin(cpu))
			return 1;
		shared[cpu] = timed(rounds);
	}
	for (int cpu = 0; cpu < cpus; cpu++)
		printf("alone %d %llu\n", cpu, (unsigned long long)shared[cpu]);
	fflush(stdout);

	volatile uint64_t *arrived = &shared[MAX_CPUS];

	for (int cpu = 0; cpu < cpus; cpu++) {
		pid_t child = fork();

		if (child < 0)
			return 1;
		if (child == 0) {
			if (pin(cpu))
				_exit(1);
			__atomic_add_fetch(arrived, 1, __ATOMIC_SEQ_CST);
			while (*arrived < (uint64_t)cpus)
				;
			shared[cpu] = timed(rounds);
			_exit(0);
		}
	}
	for (int cpu = 0; cpu < cpus; cpu++) {
		int status;

		if (wait(&status) < 0 || status != 0)
			return 1;
	}
	for (int cpu = 0; cpu < cpus; cpu++)
		printf("together %d %llu\n", cpu, (unsigned long long)shared[cpu]);

	cpu_set_t all;

	CPU_ZERO(&all);
	for (int cpu = 0; cpu < cpus; cpu++)
		CPU_SET(cpu, &all);
	if (sched_setaffinity(0, sizeof(all), &all))
		return 1;
	printf("unpinned 0 %llu\n", (unsigned long long)timed(rounds));
	return 0;
}
