// SPDX-License-Identifier: Apache-2.0
/*
 * Fixed CPU-bound work by more tasks than there are CPUs.
 *
 * Each of --tasks processes computes --units units of about a million
 * instructions, made up to 5 % larger or smaller by the seed, without a system
 * call in between. They start together. What a scheduler can change is how
 * evenly they advance and whether a CPU idles while a task waits.
 *
 * Prints one `name value unit` line a metric. `work_digest` is computed by the
 * work itself: it depends on the options alone.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <linux/futex.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define MAX_TASKS 256
#define MAX_UNITS 1000000
#define STEPS_PER_UNIT 21277 /* a step is 47 instructions on x86-64 */
#define JITTER_PERCENT 5

struct task {
	uint64_t steps;
	uint64_t digest;
	uint64_t finished_ns;
};

struct shared {
	_Atomic int go;
	struct task tasks[MAX_TASKS];
};

struct options {
	long tasks;
	long units;
	long seed;
};

static void usage(const char *complaint, const char *value)
{
	fprintf(stderr, "spinners: %s: %s\n", complaint, value);
	fprintf(stderr, "usage: spinners --tasks 1..%d --units 1..%d --seed 1..%d\n",
		MAX_TASKS, MAX_UNITS, INT_MAX);
	exit(2);
}

static void fail(const char *what)
{
	perror(what);
	exit(1);
}

static long bounded(const char *text, long max, const char *complaint)
{
	char *end;
	long value;

	errno = 0;
	value = strtol(text, &end, 10);
	if (errno || end == text || *end || value < 1 || value > max)
		usage(complaint, text);
	return value;
}

static struct options parse(int argc, char **argv)
{
	static const struct option names[] = {
		{ "tasks", required_argument, NULL, 't' },
		{ "units", required_argument, NULL, 'u' },
		{ "seed", required_argument, NULL, 's' },
		{ NULL, 0, NULL, 0 },
	};
	struct options options = { 0, 0, 0 };
	int option;

	opterr = 0; /* usage() says it */
	while ((option = getopt_long(argc, argv, "", names, NULL)) != -1) {
		if (option == 't')
			options.tasks = bounded(optarg, MAX_TASKS, "bad --tasks");
		else if (option == 'u')
			options.units = bounded(optarg, MAX_UNITS, "bad --units");
		else if (option == 's')
			options.seed = bounded(optarg, INT_MAX, "bad --seed");
		else
			usage("bad option", argv[optind - 1]);
	}
	if (optind < argc)
		usage("unexpected argument", argv[optind]);
	if (!options.tasks || !options.units || !options.seed)
		usage("missing option", "all three are needed");
	return options;
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

/* The jitter is drawn once a task: unit by unit it would average out. */
static uint64_t steps_of(const struct options *options, long task)
{
	uint64_t span = STEPS_PER_UNIT * 2 * JITTER_PERCENT / 100;
	uint64_t least = STEPS_PER_UNIT - span / 2;
	uint64_t draw = mix((uint64_t)options->seed * MAX_TASKS + (uint64_t)task);

	return (uint64_t)options->units * (least + draw % (span + 1));
}

#define ROUND(x) ((x) ^= (x) << 13, (x) ^= (x) >> 7, (x) ^= (x) << 17)

/*
 * xorshift64: every round needs the one before it, so no compiler shortens the
 * loop. Five rounds a step make its blocks long, which emulation rewards.
 */
static uint64_t compute(uint64_t state, uint64_t steps)
{
	state |= 1; /* zero would stay zero */
	while (steps--)
		ROUND(state), ROUND(state), ROUND(state), ROUND(state), ROUND(state);
	return state;
}

static void spin(struct shared *shared, struct task *task, int ready, uint64_t seed)
{
	if (write(ready, "r", 1) != 1)
		_exit(1);
	while (!atomic_load(&shared->go))
		syscall(SYS_futex, &shared->go, FUTEX_WAIT, 0, NULL, NULL, 0);
	task->digest = compute(seed, task->steps);
	task->finished_ns = now_ns();
	_exit(0);
}

/* Returns when every task has said that it is ready, so forking is not measured. */
static void start_tasks(struct shared *shared, const struct options *options)
{
	pid_t parent = getpid();
	long ready_tasks = 0;
	int ready[2];
	char byte;

	if (pipe(ready))
		fail("pipe");
	for (long i = 0; i < options->tasks; i++) {
		struct task *task = &shared->tasks[i];
		pid_t child;

		task->steps = steps_of(options, i);
		child = fork();
		if (child < 0)
			fail("fork");
		if (child == 0) {
			/* A killed parent takes its tasks along. */
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			if (getppid() != parent)
				_exit(1);
			spin(shared, task, ready[1], mix((uint64_t)options->seed) + (uint64_t)i);
		}
	}
	close(ready[1]);
	while (ready_tasks < options->tasks) {
		ssize_t got = read(ready[0], &byte, 1);

		if (got == 0) {
			fprintf(stderr, "spinners: a task died before it began\n");
			exit(1);
		}
		if (got < 0 && errno != EINTR)
			fail("read");
		ready_tasks += got == 1;
	}
	close(ready[0]);
}

static void wait_for_tasks(long tasks)
{
	for (long i = 0; i < tasks; i++) {
		int status;

		if (wait(&status) < 0)
			fail("wait");
		if (!WIFEXITED(status) || WEXITSTATUS(status)) {
			fprintf(stderr, "spinners: a task ended with wait status %d\n", status);
			exit(1);
		}
	}
}

static void report(const struct shared *shared, const struct options *options, uint64_t started_ns)
{
	double first = 1e300, last = 0, slowest = 1e300, fastest = 0;
	uint64_t digest = 0;

	for (long i = 0; i < options->tasks; i++) {
		const struct task *task = &shared->tasks[i];
		double seconds = (double)(task->finished_ns - started_ns) / 1e9;
		/* A clock too coarse to see the work gives no rate. */
		double rate = (double)task->steps / (seconds > 1e-9 ? seconds : 1e-9);

		if (seconds < first)
			first = seconds;
		if (seconds > last)
			last = seconds;
		if (rate < slowest)
			slowest = rate;
		if (rate > fastest)
			fastest = rate;
		digest = mix(digest ^ task->digest);
	}
	printf("makespan %.6f s\n", last);
	printf("first_finish %.6f s\n", first);
	printf("spread %.6f s\n", last - first);
	printf("fairness %.6f ratio\n", slowest / fastest);
	printf("work_digest %016llx hex\n", (unsigned long long)digest);
}

int main(int argc, char **argv)
{
	struct options options = parse(argc, argv);
	struct shared *shared;
	uint64_t started_ns;

	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (shared == MAP_FAILED)
		fail("mmap");
	start_tasks(shared, &options);
	started_ns = now_ns();
	atomic_store(&shared->go, 1);
	syscall(SYS_futex, &shared->go, FUTEX_WAKE, INT_MAX, NULL, NULL, 0);
	wait_for_tasks(options.tasks);
	report(shared, &options, started_ns);
	return 0;
}
