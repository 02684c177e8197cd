// SPDX-License-Identifier: Apache-2.0
/*
 * A pipeline of --stages threads joined by queues of --depth items. Stage 0 makes --items items, each stage computes on every item for
 * about --work-kinstr thousand instructions, drawn from the seed for each stage and item, and hands it on. A thread that finds its
 * queue empty, or the next one full, sleeps.
 *
 * Latency of an item: from when stage 0 takes it up to when the last stage has finished it. `work_digest` is computed by the items
 * themselves: it depends on the options alone.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define INSTRUCTIONS_PER_STEP 47 /* on x86-64 */

struct queue {
	pthread_mutex_t lock;
	pthread_cond_t filled, emptied;
	long head, count;
	long *item;
};

static long stages, items, depth, work_kinstr, seed;
static struct queue *queues; /* queue i leads to stage i; none to stage 0 */
static uint64_t *value, *begun_ns, *latency_ns;

static const struct {
	const char *name;
	long *value;
	long max;
} known[] = {
	{ "stages", &stages, 64 },
	{ "items", &items, 1000000 },
	{ "depth", &depth, 4096 },
	{ "work-kinstr", &work_kinstr, 1000000 },
	{ "seed", &seed, INT_MAX },
};
enum { KNOWN = sizeof(known) / sizeof(known[0]) };

static void usage(const char *complaint, const char *value)
{
	fprintf(stderr, "stage-pipeline: %s: %s\nusage: stage-pipeline", complaint, value);
	for (int i = 0; i < KNOWN; i++)
		fprintf(stderr, " --%s 1..%ld", known[i].name, known[i].max);
	fprintf(stderr, "\n");
	exit(2);
}

static void parse(int argc, char **argv)
{
	for (int i = 1; i < argc; i += 2) {
		char *end;
		int k = 0;

		while (k < KNOWN && (strncmp(argv[i], "--", 2) || strcmp(argv[i] + 2, known[k].name)))
			k++;
		if (k == KNOWN || i + 1 == argc)
			usage("unknown option or no value", argv[i]);
		errno = 0;
		*known[k].value = strtol(argv[i + 1], &end, 10);
		if (errno || *end || *known[k].value < 1 || *known[k].value > known[k].max)
			usage(known[k].name, argv[i + 1]);
	}
	for (int k = 0; k < KNOWN; k++)
		if (!*known[k].value)
			usage("missing option", known[k].name);
}

static void fail(const char *what, int error)
{
	fprintf(stderr, "stage-pipeline: %s: %s\n", what, strerror(error));
	exit(1);
}

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* splitmix64: one well mixed value for each input. */
static uint64_t mix(uint64_t x)
{
	x += 0x9e3779b97f4a7c15u;
	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
	x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
	return x ^ (x >> 31);
}

static int by_value(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

/*
 * The distribution of sorted values, a line for each bucket that is not empty: its least value in microseconds, and its count. A
 * bucket is at most 1/32 wide; they are those of harness/core/histogram.ts.
 */
static void print_histogram(const char *name, const uint64_t *sorted_ns, size_t count)
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

#define ROUND(x) ((x) ^= (x) << 13, (x) ^= (x) >> 7, (x) ^= (x) << 17)

/* xorshift64: every round needs the one before it, so no compiler shortens the loop. */
static uint64_t compute(uint64_t state, uint64_t steps)
{
	state |= 1; /* zero would stay zero */
	while (steps--)
		ROUND(state), ROUND(state), ROUND(state), ROUND(state), ROUND(state);
	return state;
}

static void give(struct queue *queue, long item)
{
	pthread_mutex_lock(&queue->lock);
	while (queue->count == depth)
		pthread_cond_wait(&queue->emptied, &queue->lock);
	queue->item[(queue->head + queue->count++) % depth] = item;
	pthread_cond_signal(&queue->filled);
	pthread_mutex_unlock(&queue->lock);
}

static long take(struct queue *queue)
{
	long item;

	pthread_mutex_lock(&queue->lock);
	while (!queue->count)
		pthread_cond_wait(&queue->filled, &queue->lock);
	item = queue->item[queue->head];
	queue->head = (queue->head + 1) % depth;
	queue->count--;
	pthread_cond_signal(&queue->emptied);
	pthread_mutex_unlock(&queue->lock);
	return item;
}

static void *run_stage(void *argument)
{
	long stage = (long)(intptr_t)argument;

	for (long i = 0; i < items; i++) {
		long item = stage ? take(&queues[stage]) : i;
		uint64_t mean = (uint64_t)work_kinstr * 1000 / INSTRUCTIONS_PER_STEP;
		uint64_t draw = mix(mix((uint64_t)seed) + (uint64_t)(item * stages + stage));

		if (!stage)
			begun_ns[item] = now_ns();
		/* Half to one and a half of the mean. */
		value[item] += mix(compute(draw, mean - mean / 2 + draw % (mean + 1)));
		if (stage + 1 < stages)
			give(&queues[stage + 1], item);
		else
			latency_ns[item] = now_ns() - begun_ns[item];
	}
	return NULL;
}

static void *zeroed(size_t count, size_t size)
{
	void *memory = malloc(count * size);

	if (!memory)
		fail("memory", ENOMEM);
	/* Touched now, so that no page fault is taken for work. */
	return memset(memory, 0, count * size);
}

int main(int argc, char **argv)
{
	pthread_t threads[64];
	uint64_t begin, elapsed, digest = 0;

	parse(argc, argv);
	queues = zeroed((size_t)stages, sizeof(*queues));
	value = zeroed((size_t)items, sizeof(*value));
	begun_ns = zeroed((size_t)items, sizeof(*begun_ns));
	latency_ns = zeroed((size_t)items, sizeof(*latency_ns));
	for (long i = 0; i < stages; i++) {
		pthread_mutex_init(&queues[i].lock, NULL);
		pthread_cond_init(&queues[i].filled, NULL);
		pthread_cond_init(&queues[i].emptied, NULL);
		queues[i].item = zeroed((size_t)depth, sizeof(long));
	}
	begin = now_ns();
	for (long i = 0; i < stages; i++) {
		int error = pthread_create(&threads[i], NULL, run_stage, (void *)(intptr_t)i);

		if (error)
			fail("pthread_create", error);
	}
	for (long i = 0; i < stages; i++)
		pthread_join(threads[i], NULL);
	elapsed = now_ns() - begin;
	for (long i = 0; i < items; i++)
		digest += mix(value[i] + (uint64_t)i);
	qsort(latency_ns, (size_t)items, sizeof(*latency_ns), by_value);
	printf("rate %.3f items/s\n", (double)items * 1e9 / (double)elapsed);
	printf("latency_p99 %.3f us\n", (double)latency_ns[((size_t)items * 99 + 99) / 100 - 1] / 1000);
	print_histogram("latency", latency_ns, (size_t)items);
	printf("work_digest %016llx hex\n", (unsigned long long)mix(digest));
	return 0;
}
