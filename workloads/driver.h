/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the drivers of workloads share: options, one line for what is wrong, a clock, draws from a seed, work, distributions.
 * A driver defines _GNU_SOURCE, then includes it as "../driver.h".
 */
#ifndef PMVX_DRIVER_H
#define PMVX_DRIVER_H

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* `--name N`, a whole number from 1 to max, or the Nth of the words that are given for it. None may be left out. */
struct option {
	const char *name;
	long *value;
	long max;
	const char *const *words;
};

static inline _Noreturn void usage(const struct option *known, int count, const char *complaint, const char *value)
{
	fprintf(stderr, "%s: %s: %s\nusage: %s", program_invocation_short_name, complaint, value, program_invocation_short_name);
	for (int i = 0; i < count; i++) {
		fprintf(stderr, known[i].words ? " --%s" : " --%s 1..%ld", known[i].name, known[i].max);
		for (long word = 0; known[i].words && word < known[i].max; word++)
			fprintf(stderr, "%s%s", word ? "|" : " ", known[i].words[word]);
	}
	fprintf(stderr, "\n");
	exit(2);
}

/* The value that is written there; 0 when it is none. */
static inline long value_of(const struct option *option, const char *text)
{
	long value = 0;
	char *end;

	if (option->words) {
		while (value < option->max && strcmp(option->words[value], text))
			value++;
		return value < option->max ? value + 1 : 0;
	}
	errno = 0;
	value = strtol(text, &end, 10);
	return errno || end == text || *end || value < 1 || value > option->max ? 0 : value;
}

static inline void parse(int argc, char **argv, const struct option *known, int count)
{
	for (int i = 1; i < argc; i += 2) {
		int k = 0;

		while (k < count && (strncmp(argv[i], "--", 2) || strcmp(argv[i] + 2, known[k].name)))
			k++;
		if (k == count || i + 1 == argc)
			usage(known, count, "unknown option or no value", argv[i]);
		*known[k].value = value_of(&known[k], argv[i + 1]);
		if (!*known[k].value)
			usage(known, count, known[k].name, argv[i + 1]);
	}
	for (int k = 0; k < count; k++)
		if (!*known[k].value)
			usage(known, count, "missing option", known[k].name);
}

static inline _Noreturn void fail(const char *what, int error)
{
	fprintf(stderr, "%s: %s: %s\n", program_invocation_short_name, what, strerror(error));
	exit(1);
}

/* Touched now, so that no page fault is taken for work or for delay. */
static inline void *zeroed(size_t count, size_t size)
{
	void *memory = aligned_alloc(64, (count * size + 64) / 64 * 64);

	if (!memory)
		fail("memory", ENOMEM);
	return memset(memory, 0, count * size);
}

static inline uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* splitmix64: one well mixed value for each input. */
static inline uint64_t mix(uint64_t x)
{
	x += 0x9e3779b97f4a7c15u;
	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
	x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
	return x ^ (x >> 31);
}

/* Uniform from half of `mean` to one and a half of it. */
static inline uint64_t around(uint64_t mean, uint64_t draw)
{
	return mean - mean / 2 + draw % (mean + 1);
}

#define INSTRUCTIONS_PER_STEP 47 /* of compute, on x86-64 */
#define ROUND(x) ((x) ^= (x) << 13, (x) ^= (x) >> 7, (x) ^= (x) << 17)

/*
 * xorshift64: every round needs the one before it, so no compiler shortens the
 * loop. Five rounds a step make its blocks long, which emulation rewards.
 */
static inline uint64_t compute(uint64_t state, uint64_t steps)
{
	state |= 1; /* zero would stay zero */
	while (steps--)
		ROUND(state), ROUND(state), ROUND(state), ROUND(state), ROUND(state);
	return state;
}

static inline int by_value(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

/* Of sorted values: nearest rank, in microseconds. */
static inline double percentile_us(const uint64_t *sorted_ns, size_t count, int per_mille)
{
	size_t rank = (count * (size_t)per_mille + 999) / 1000;

	return (double)sorted_ns[rank - 1] / 1000;
}

/*
 * The distribution of sorted values, a line for each bucket that is not empty: its least value in microseconds, and its count. A
 * bucket is at most 1/32 wide; they are those of harness/core/histogram.ts.
 */
static inline void print_histogram(const char *name, const uint64_t *sorted_ns, size_t count)
{
	for (size_t i = 0, first = 0; i < count; first = i) {
		uint64_t width = 1, least;

		while (sorted_ns[i] / width >= 64)
			width *= 2;
		least = sorted_ns[i] / width * width;
		while (i < count && sorted_ns[i] < least + width)
			i++;
		printf("%s_hist %.3f %zu\n", name, (double)least / 1000, i - first);
	}
}

#endif
