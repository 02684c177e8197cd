// SPDX-License-Identifier: Apache-2.0
/*
 * How long a woken thread waits for a CPU, after the manner of schbench.
 *
 * Each of --messengers threads sends requests to its own --workers threads in
 * turn. Requests are due at times drawn from the seed, whether or not earlier
 * ones are done, so a slow machine cannot thin out its own load. A worker
 * sleeps on a futex, is woken, and computes for a seeded length.
 *
 *   wakeup latency    from the messenger's clock reading just before the
 *                     wake-up to the worker's first one after it; only of
 *                     workers that slept
 *   request latency   from the time a request was due to its completion
 *
 * The number of requests is fixed, so the run ends by itself. Percentiles are
 * exact (nearest rank over all samples). `work_digest` is computed by the
 * requests themselves: it depends on the options alone.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <linux/futex.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define MAX_MESSENGERS 64
#define MAX_WORKERS 256 /* of one messenger */
#define MAX_REQUESTS 1000000
#define MAX_THINK_US 1000000
#define MAX_WORK_KINSTR 1000000
#define INSTRUCTIONS_PER_STEP 47 /* on x86-64 */
#define LEAD_NS 1000000 /* from the start to the first think time */

struct options {
	long messengers;
	long workers;
	long requests;
	long think_us;
	long work_kinstr;
	long seed;
};

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

struct messenger {
	int number;
	struct worker *workers;
};

static struct options options;
static pthread_barrier_t ready, start;
static uint64_t started_ns;

static void usage(const char *complaint, const char *value)
{
	fprintf(stderr, "wakeup-latency: %s: %s\n", complaint, value);
	fprintf(stderr,
		"usage: wakeup-latency --messengers 1..%d --workers 1..%d --requests 1..%d "
		"--think-us 1..%d --work-kinstr 1..%d --seed 1..%d\n",
		MAX_MESSENGERS, MAX_WORKERS, MAX_REQUESTS, MAX_THINK_US, MAX_WORK_KINSTR, INT_MAX);
	exit(2);
}

static void fail(const char *what, int error)
{
	fprintf(stderr, "wakeup-latency: %s: %s\n", what, strerror(error));
	exit(1);
}

static void parse(int argc, char **argv)
{
	static const struct {
		const char *name;
		long *value;
		long max;
	} known[] = {
		{ "messengers", &options.messengers, MAX_MESSENGERS },
		{ "workers", &options.workers, MAX_WORKERS },
		{ "requests", &options.requests, MAX_REQUESTS },
		{ "think-us", &options.think_us, MAX_THINK_US },
		{ "work-kinstr", &options.work_kinstr, MAX_WORK_KINSTR },
		{ "seed", &options.seed, INT_MAX },
	};
	enum { KNOWN = sizeof(known) / sizeof(known[0]) };
	struct option names[KNOWN + 1] = { 0 };
	int option;

	for (int i = 0; i < KNOWN; i++)
		names[i] = (struct option){ known[i].name, required_argument, NULL, i };
	opterr = 0; /* usage() says it */
	while ((option = getopt_long(argc, argv, "", names, NULL)) != -1) {
		char *end;

		if (option == '?')
			usage("bad option", argv[optind - 1]);
		errno = 0;
		*known[option].value = strtol(optarg, &end, 10);
		if (errno || end == optarg || *end || *known[option].value < 1 ||
		    *known[option].value > known[option].max)
			usage(known[option].name, optarg);
	}
	if (optind < argc)
		usage("unexpected argument", argv[optind]);
	for (int i = 0; i < KNOWN; i++)
		if (!*known[i].value)
			usage("missing option", known[i].name);
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

/* Uniform from half of `mean` to one and a half of it. */
static uint64_t around(uint64_t mean, uint64_t draw)
{
	return mean - mean / 2 + draw % (mean + 1);
}

#define ROUND(x) ((x) ^= (x) << 13, (x) ^= (x) >> 7, (x) ^= (x) << 17)

/*
 * xorshift64: every round needs the one before it, so no compiler shortens the
 * loop. Five rounds a step make its blocks long, which emulation rewards.
 */
static uint64_t compute(uint64_t state, uint64_t steps)
{
	state |= 1; /* zero would stay zero */
	while (steps--) {
		ROUND(state);
		ROUND(state);
		ROUND(state);
		ROUND(state);
		ROUND(state);
	}
	return state;
}

/* The requests of one messenger: request i of all goes to messenger i modulo their number. */
static int requests_of(int messenger)
{
	return (int)((options.requests + options.messengers - 1 - messenger) / options.messengers);
}

static int by_value(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

static void sleep_until(uint64_t due_ns)
{
	struct timespec due = { (time_t)(due_ns / 1000000000u), (long)(due_ns % 1000000000u) };

	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &due, NULL) == EINTR)
		;
}

static void *send_requests(void *argument)
{
	struct messenger *self = argument;
	uint64_t key = mix((uint64_t)options.seed) + (uint64_t)self->number;
	int requests = requests_of(self->number);
	uint64_t due_ns;

	/* Timers may fire up to 50 us late otherwise. */
	prctl(PR_SET_TIMERSLACK, 1);
	pthread_barrier_wait(&ready);
	pthread_barrier_wait(&start);
	due_ns = started_ns + LEAD_NS;
	for (int i = 0; i < requests; i++) {
		struct worker *worker = &self->workers[i % options.workers];
		struct request *request = &worker->list[i / options.workers];
		uint64_t draw = mix(mix(key) + (uint64_t)i);

		due_ns += around((uint64_t)options.think_us * 1000, draw);
		request->due_ns = due_ns;
		request->steps = around((uint64_t)options.work_kinstr * 1000, mix(draw)) / INSTRUCTIONS_PER_STEP;
		sleep_until(due_ns);
		request->sent_ns = now_ns();
		atomic_fetch_add(&worker->posted, 1);
		syscall(SYS_futex, &worker->posted, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
	}
	return NULL;
}

static void *serve_requests(void *argument)
{
	struct worker *self = argument;

	pthread_barrier_wait(&ready);
	pthread_barrier_wait(&start);
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

/* Nearest rank, in microseconds. */
static double percentile_us(const uint64_t *sorted, size_t count, int per_mille)
{
	size_t rank = (count * (size_t)per_mille + 999) / 1000;

	return (double)sorted[rank - 1] / 1000;
}

static void report(const struct worker *workers, long count)
{
	uint64_t *wakeups = calloc((size_t)options.requests, sizeof(*wakeups));
	uint64_t *requests = calloc((size_t)options.requests, sizeof(*requests));
	size_t nr_wakeups = 0, nr_requests = 0;
	uint64_t last_ns = started_ns, digest = 0;

	if (!wakeups || !requests)
		fail("samples", ENOMEM);
	for (long w = 0; w < count; w++) {
		for (int i = 0; i < workers[w].requests; i++) {
			const struct request *request = &workers[w].list[i];

			if (request->wakeup_ns)
				wakeups[nr_wakeups++] = request->wakeup_ns;
			requests[nr_requests++] = request->done_ns - request->due_ns;
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
	qsort(requests, nr_requests, sizeof(*requests), by_value);
	printf("wakeup_p50 %.3f us\n", percentile_us(wakeups, nr_wakeups, 500));
	printf("wakeup_p99 %.3f us\n", percentile_us(wakeups, nr_wakeups, 990));
	printf("wakeup_p999 %.3f us\n", percentile_us(wakeups, nr_wakeups, 999));
	printf("request_p50 %.3f us\n", percentile_us(requests, nr_requests, 500));
	printf("request_p99 %.3f us\n", percentile_us(requests, nr_requests, 990));
	printf("throughput %.3f requests/s\n", (double)nr_requests * 1e9 / (double)(last_ns - started_ns));
	printf("wakeups %zu count\n", nr_wakeups);
	printf("work_digest %016llx hex\n", (unsigned long long)mix(digest));
}

static pthread_t launch(void *(*body)(void *), void *argument)
{
	pthread_t thread;
	int error = pthread_create(&thread, NULL, body, argument);

	if (error)
		fail("pthread_create", error);
	return thread;
}

int main(int argc, char **argv)
{
	long count, threads = 0;
	struct worker *workers;
	struct messenger messengers[MAX_MESSENGERS];
	pthread_t *all;

	parse(argc, argv);
	count = options.messengers * options.workers;
	workers = aligned_alloc(64, (size_t)count * sizeof(*workers));
	all = calloc((size_t)(count + options.messengers), sizeof(*all));
	if (!workers || !all)
		fail("workers", ENOMEM);
	memset(workers, 0, (size_t)count * sizeof(*workers));
	pthread_barrier_init(&ready, NULL, (unsigned int)(count + options.messengers + 1));
	pthread_barrier_init(&start, NULL, (unsigned int)(count + options.messengers + 1));

	for (long m = 0; m < options.messengers; m++) {
		messengers[m] = (struct messenger){ (int)m, &workers[m * options.workers] };
		for (long w = 0; w < options.workers; w++) {
			struct worker *worker = &messengers[m].workers[w];

			worker->requests =
				(int)((requests_of((int)m) + options.workers - 1 - w) / options.workers);
			worker->list = calloc((size_t)worker->requests + 1, sizeof(*worker->list));
			if (!worker->list)
				fail("requests", ENOMEM);
			/* Touched now, so that no page fault is taken for scheduling delay. */
			memset(worker->list, 1, ((size_t)worker->requests + 1) * sizeof(*worker->list));
			memset(worker->list, 0, ((size_t)worker->requests + 1) * sizeof(*worker->list));
			all[threads++] = launch(serve_requests, worker);
		}
		all[threads++] = launch(send_requests, &messengers[m]);
	}
	pthread_barrier_wait(&ready);
	started_ns = now_ns();
	pthread_barrier_wait(&start);
	for (long i = 0; i < threads; i++)
		pthread_join(all[i], NULL);
	report(workers, count);
	return 0;
}
