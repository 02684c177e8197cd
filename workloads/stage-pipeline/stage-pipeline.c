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
#include <limits.h>
#include <pthread.h>
#include "../driver.h"

struct queue {
	pthread_mutex_t lock;
	pthread_cond_t filled, emptied;
	long head, count;
	long *item;
};

static long stages, items, depth, work_kinstr, seed;
static struct queue *queues; /* queue i leads to stage i; none to stage 0 */
static uint64_t *value, *begun_ns, *latency_ns;

static const struct option known[] = {
	{ "stages", &stages, 64, NULL },
	{ "items", &items, 1000000, NULL },
	{ "depth", &depth, 4096, NULL },
	{ "work-kinstr", &work_kinstr, 1000000, NULL },
	{ "seed", &seed, INT_MAX, NULL },
};
enum { KNOWN = sizeof(known) / sizeof(known[0]) };

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
		value[item] += mix(compute(draw, around(mean, draw)));
		if (stage + 1 < stages)
			give(&queues[stage + 1], item);
		else
			latency_ns[item] = now_ns() - begun_ns[item];
	}
	return NULL;
}

int main(int argc, char **argv)
{
	pthread_t threads[64];
	uint64_t begin, elapsed, digest = 0;

	parse(argc, argv, known, KNOWN);
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
	printf("latency_p99 %.3f us\n", percentile_us(latency_ns, (size_t)items, 990));
	print_histogram("latency", latency_ns, (size_t)items);
	printf("work_digest %016llx hex\n", (unsigned long long)mix(digest));
	return 0;
}
