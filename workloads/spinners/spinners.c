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
#include <limits.h>
#include <linux/futex.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include "../driver.h"

#define MAX_TASKS 256
#define MAX_UNITS 1000000
#define STEPS_PER_UNIT 21277 /* a million instructions; see INSTRUCTIONS_PER_STEP */
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

static long tasks, units, seed;

static const struct option known[] = {
	{ "tasks", &tasks, MAX_TASKS, NULL },
	{ "units", &units, MAX_UNITS, NULL },
	{ "seed", &seed, INT_MAX, NULL },
};
enum { KNOWN = sizeof(known) / sizeof(known[0]) };

/* The jitter is drawn once a task: unit by unit it would average out. */
static uint64_t steps_of(long task)
{
	uint64_t span = STEPS_PER_UNIT * 2 * JITTER_PERCENT / 100;
	uint64_t least = STEPS_PER_UNIT - span / 2;
	uint64_t draw = mix((uint64_t)seed * MAX_TASKS + (uint64_t)task);

	return (uint64_t)units * (least + draw % (span + 1));
}

static void spin(struct shared *shared, struct task *task, int ready, uint64_t state)
{
	if (write(ready, "r", 1) != 1)
		_exit(1);
	while (!atomic_load(&shared->go))
		syscall(SYS_futex, &shared->go, FUTEX_WAIT, 0, NULL, NULL, 0);
	task->digest = compute(state, task->steps);
	task->finished_ns = now_ns();
	_exit(0);
}

/* Returns when every task has said that it is ready, so forking is not measured. */
static void start_tasks(struct shared *shared)
{
	pid_t parent = getpid();
	long ready_tasks = 0;
	int ready[2];
	char byte;

	if (pipe(ready))
		fail("pipe", errno);
	for (long i = 0; i < tasks; i++) {
		struct task *task = &shared->tasks[i];
		pid_t child;

		task->steps = steps_of(i);
		child = fork();
		if (child < 0)
			fail("fork", errno);
		if (child == 0) {
			/* A killed parent takes its tasks along. */
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			if (getppid() != parent)
				_exit(1);
			spin(shared, task, ready[1], mix((uint64_t)seed) + (uint64_t)i);
		}
	}
	close(ready[1]);
	while (ready_tasks < tasks) {
		ssize_t got = read(ready[0], &byte, 1);

		if (got == 0) {
			fprintf(stderr, "spinners: a task died before it began\n");
			exit(1);
		}
		if (got < 0 && errno != EINTR)
			fail("read", errno);
		ready_tasks += got == 1;
	}
	close(ready[0]);
}

static void wait_for_tasks(void)
{
	for (long i = 0; i < tasks; i++) {
		int status;

		if (wait(&status) < 0)
			fail("wait", errno);
		if (!WIFEXITED(status) || WEXITSTATUS(status)) {
			fprintf(stderr, "spinners: a task ended with wait status %d\n", status);
			exit(1);
		}
	}
}

static void report(const struct shared *shared, uint64_t started_ns)
{
	double first = 1e300, last = 0, slowest = 1e300, fastest = 0;
	uint64_t digest = 0;

	for (long i = 0; i < tasks; i++) {
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
	struct shared *shared;
	uint64_t started_ns;

	parse(argc, argv, known, KNOWN);
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (shared == MAP_FAILED)
		fail("mmap", errno);
	start_tasks(shared);
	started_ns = now_ns();
	atomic_store(&shared->go, 1);
	syscall(SYS_futex, &shared->go, FUTEX_WAKE, INT_MAX, NULL, NULL, 0);
	wait_for_tasks();
	report(shared, started_ns);
	return 0;
}
