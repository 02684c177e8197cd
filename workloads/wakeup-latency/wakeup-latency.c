// SPDX-License-Identifier: Apache-2.0
/*
 * How long a woken thread waits for a CPU, after the manner of schbench.
 *
 * Each of --messengers threads sends requests to its own --workers threads in
 * turn, at times drawn from the seed, whether or not earlier requests are done:
 * a slow machine cannot thin out its own load. A worker sleeps on a futex, is
 * woken, and computes for a seeded length. The number of requests is fixed.
 *
 *   wakeup latency    from the clock reading just before the wake-up to the
 *                     worker's first after it; only of workers that slept
 *   request latency   from the time a request was due to its completion
 *
 * Percentiles are exact (nearest rank). `work_digest` is computed by the
 * requests themselves: it depends on the options alone.
 */
#define _GNU_SOURCE
#include <limits.h>
#include <linux/futex.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "../driver.h"

#define LEAD_NS 1000000 /* from the start to the first think time */

/* One entry for each request of a worker; due and sent are written before `posted` counts it. */
struct request {
	uint64_t due_ns;
	uint64_t sent_ns;
	uint64_t steps;
	uint64_t wakeup_ns; /* 0: the worker did not sleep */
	uint64_t done_ns;
};

struct worker {
	_Alignas(64) _Atomic int posted;
	int requests;
	uint64_t digest;
	struct request *list;
};

static long messengers, workers_each, requests, think_us, work_kinstr, seed;

static const struct option known[] = {
	{ "messengers", &messengers, 64, NULL },
	{ "workers", &workers_each, 256, NULL },
	{ "requests", &requests, 1000000, NULL },
	{ "think-us", &think_us, 1000000, NULL },
	{ "work-kinstr", &work_kinstr, 1000000, NULL },
	{ "seed", &seed, INT_MAX, NULL },
};
enum { KNOWN = sizeof(known) / sizeof(known[0]) };

static struct worker *workers; /* those of messenger 0, then of 1, ... */
static pthread_barrier_t gate; /* passed once when all are ready, again at the start */
static uint64_t started_ns;

/* The requests of one messenger: request i of all goes to messenger i modulo their number. */
static long requests_of(long messenger)
{
	return (requests + messengers - 1 - messenger) / messengers;
}

static void *send_requests(void *argument)
{
	struct worker *own = argument;
	long messenger = (own - workers) / workers_each;
	uint64_t key = mix((uint64_t)seed) + (uint64_t)messenger;
	struct timespec due;
	uint64_t due_ns;

	/* Timers may fire up to 50 us late otherwise. */
	prctl(PR_SET_TIMERSLACK, 1);
	pthread_barrier_wait(&gate);
	pthread_barrier_wait(&gate);
	due_ns = started_ns + LEAD_NS;
	for (long i = 0; i < requests_of(messenger); i++) {
		struct worker *worker = &own[i % workers_each];
		struct request *request = &worker->list[i / workers_each];
		uint64_t draw = mix(mix(key) + (uint64_t)i);

		due_ns += around((uint64_t)think_us * 1000, draw);
		request->due_ns = due_ns;
		request->steps = around((uint64_t)work_kinstr * 1000, mix(draw)) / INSTRUCTIONS_PER_STEP;
		due = (struct timespec){ (time_t)(due_ns / 1000000000u), (long)(due_ns % 1000000000u) };
		while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &due, NULL) == EINTR)
			;
		request->sent_ns = now_ns();
		atomic_fetch_add(&worker->posted, 1);
		syscall(SYS_futex, &worker->posted, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
	}
	return NULL;
}

static void *serve_requests(void *argument)
{
	struct worker *self = argument;

	pthread_barrier_wait(&gate);
	pthread_barrier_wait(&gate);
	for (int i = 0; i < self->requests; i++) {
		struct request *request = &self->list[i];
		int slept = 0;

		/* Zero is returned to a sleeper alone; EAGAIN says that the request was there already. */
		while (atomic_load(&self->posted) <= i)
			slept |= syscall(SYS_futex, &self->posted, FUTEX_WAIT_PRIVATE, i, NULL, NULL, 0) == 0;
		if (slept)
			request->wakeup_ns = now_ns() - request->sent_ns;
		self->digest += mix(compute(request->due_ns - started_ns, request->steps));
		request->done_ns = now_ns();
	}
	return NULL;
}

static void report(void)
{
	uint64_t *wakeups = zeroed((size_t)requests, sizeof(*wakeups));
	uint64_t *whole = zeroed((size_t)requests, sizeof(*whole));
	size_t nr_wakeups = 0, nr_whole = 0;
	uint64_t last_ns = started_ns, digest = 0;

	for (long w = 0; w < messengers * workers_each; w++) {
		for (int i = 0; i < workers[w].requests; i++) {
			const struct request *request = &workers[w].list[i];

			if (request->wakeup_ns)
				wakeups[nr_wakeups++] = request->wakeup_ns;
			whole[nr_whole++] = request->done_ns - request->due_ns;
			if (request->done_ns > last_ns)
				last_ns = request->done_ns;
		}
		digest += workers[w].digest;
	}
	if (!nr_wakeups) {
		fprintf(stderr, "wakeup-latency: no worker ever slept; lengthen --think-us or shorten --work-kinstr\n");
		exit(1);
	}
	qsort(wakeups, nr_wakeups, sizeof(*wakeups), by_value);
	qsort(whole, nr_whole, sizeof(*whole), by_value);
	printf("wakeup_p50 %.3f us\n", percentile_us(wakeups, nr_wakeups, 500));
	printf("wakeup_p99 %.3f us\n", percentile_us(wakeups, nr_wakeups, 990));
	printf("wakeup_p999 %.3f us\n", percentile_us(wakeups, nr_wakeups, 999));
	printf("request_p50 %.3f us\n", percentile_us(whole, nr_whole, 500));
	printf("request_p99 %.3f us\n", percentile_us(whole, nr_whole, 990));
	printf("throughput %.3f requests/s\n", (double)nr_whole * 1e9 / (double)(last_ns - started_ns));
	printf("wakeups %zu count\n", nr_wakeups);
	print_histogram("wakeup", wakeups, nr_wakeups);
	print_histogram("request", whole, nr_whole);
	printf("work_digest %016llx hex\n", (unsigned long long)mix(digest));
}

static void start_messenger(long number, pthread_t *threads)
{
	struct worker *own = &workers[number * workers_each];
	int error = pthread_create(&threads[0], NULL, send_requests, own);

	for (long w = 0; w < workers_each && !error; w++) {
		/* Request i of a messenger goes to its worker i modulo their number. */
		own[w].requests = (int)((requests_of(number) + workers_each - 1 - w) / workers_each);
		own[w].list = zeroed((size_t)own[w].requests, sizeof(*own[w].list));
		error = pthread_create(&threads[1 + w], NULL, serve_requests, &own[w]);
	}
	if (error)
		fail("pthread_create", error);
}

int main(int argc, char **argv)
{
	pthread_t *threads;
	size_t count;

	parse(argc, argv, known, KNOWN);
	count = (size_t)(messengers * (workers_each + 1));
	workers = zeroed(count, sizeof(*workers));
	threads = zeroed(count, sizeof(*threads));
	pthread_barrier_init(&gate, NULL, (unsigned int)count + 1);
	for (long m = 0; m < messengers; m++)
		start_messenger(m, &threads[m * (workers_each + 1)]);
	pthread_barrier_wait(&gate);
	started_ns = now_ns();
	pthread_barrier_wait(&gate);
	for (size_t i = 0; i < count; i++)
		pthread_join(threads[i], NULL);
	report();
	return 0;
}
