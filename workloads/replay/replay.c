// SPDX-License-Identifier: Apache-2.0
/*
 * Re-enacts a recorded trace: a thread for each task that was recorded, started when its parent starts it, which computes as long as
 * the task ran, and waits where the task was woken until the same task has woken it once more.
 *
 * Time is CPU time. A thread computes until its own CPU clock shows what the recorded task had used by then, so what waking, waiting
 * and starting cost here is part of it and not on top. Involuntary switches are not in a trace: they are the scheduler's
 * under test. Computing: pace.h; wake-ups: wake.h.
 *
 * The run is over when the first task ends, as the recording was: what others would still have done then is left. Whatever had
 * ended in the recording has ended before, for the trace says so. Who should run at that moment is awaited until it runs: its delay is
 * one of the run's.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include "pace.h"

#define STACK_BYTES (32 * 1024)
#define STACK_TOUCHED (12 * 1024)
#define PER_MILLE 1000

static long seed, jitter_per_mille;
static struct trace trace;
static int64_t shared_ns[TASKS_MAX]; /* what is left of each work that is shared */
static char *stacks;
static int over; /* the first task has ended */
static uint64_t started_ns;
static _Atomic uint64_t excess_ns;
static uint64_t digest; /* of all lengths of computing */

/* Draws every length of computing anew, within the jitter. */
static void draw_lengths(void)
{
	for (size_t id = 0; id < trace.count; id++) {
		uint64_t draw = mix((uint64_t)seed ^ mix(id + 1));

		for (size_t i = 0; i < trace.tasks[id].count; i++) {
			struct op *op = &trace.tasks[id].ops[i];
			uint64_t span = op->value / PER_MILLE * 2 * (uint64_t)jitter_per_mille;

			if (op->kind != 'r')
				continue;
			draw = mix(draw);
			op->value = op->value - span / 2 + draw % (span + 1);
			digest = mix(digest ^ op->value);
			if (i && op[-1].kind == 'o')
				shared_ns[op[-1].value] += (int64_t)op->value;
		}
	}
}

static void sleep_until(struct player *player, uint64_t due)
{
	struct timespec at = { .tv_sec = (time_t)(due / 1000000000u), .tv_nsec = (long)(due % 1000000000u) };

	player->timer_ns = due;
	if (now_ns() >= due)
		return;
	__atomic_store_n(&player->task->due_ns, due, __ATOMIC_SEQ_CST);
	count_waker(player->task, -1);
	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, NULL) == EINTR)
		;
	count_waker(player->task, 1);
	note_delay(due);
	__atomic_store_n(&player->task->due_ns, 0, __ATOMIC_SEQ_CST);
}

/* Class, nice value and CPUs are a thread's own on Linux. */
static void schedule_as(char kind, uint64_t value)
{
	static const char kinds[] = "nfRBI";
	static const int policies[] = { SCHED_OTHER, SCHED_FIFO, SCHED_RR, SCHED_BATCH, SCHED_IDLE };
	struct sched_param param = { .sched_priority = kind == 'f' || kind == 'R' ? (int)value : 0 };

	if (syscall(SYS_sched_setscheduler, 0, policies[strchr(kinds, kind) - kinds], &param))
		fail("sched_setscheduler", errno);
	if ((kind == 'n' || kind == 'B') && setpriority(PRIO_PROCESS, 0, (int)(int64_t)value))
		fail("setpriority", errno);
}

static void run_on(uint64_t mask)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	for (int cpu = 0; cpu < (mask ? 64 : CPU_SETSIZE); cpu++)
		if (!mask || mask >> cpu & 1)
			CPU_SET(cpu, &set);
	/* A machine with fewer CPUs than the recorded one: all that it has. */
	if (sched_setaffinity(0, sizeof(set), &set) && mask)
		run_on(0);
}

static void *play(void *argument);

static void start(size_t at)
{
	pthread_attr_t attributes;
	pthread_t thread;
	int error;

	pthread_attr_init(&attributes);
	pthread_attr_setstack(&attributes, stacks + at * STACK_BYTES, STACK_BYTES);
	pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
	__atomic_store_n(&trace.tasks[at].begun_ns, now_ns(), __ATOMIC_SEQ_CST);
	error = pthread_create(&thread, &attributes, play, &trace.tasks[at]);
	if (error)
		fail("cannot start a thread", error);
}

static void step(struct player *player, const struct op *op)
{
	switch (op->kind) {
	case 'r':
		if (player->shared_ns) {
			compute_shared(player);
			break;
		}
		player->target_ns += op->value;
		catch_up(player);
		break;
	case 'o':
		player->shared_ns = &shared_ns[op->value];
		break;
	case 'e':
	case 'j':
		if (!op->ends)
			break;
		be_patient(player->task);
		count_waker(player->task, -1);
		wait_for_ends(player->task, op->ends);
		count_waker(player->task, 1);
		break;
	case 'w':
		wake(op->edge);
		break;
	case 'b':
	case 'y':
		be_patient(player->task);
		count_waker(player->task, -1);
		wait_for_wake(player->task, op->kind == 'y' ? BY_PIPE : BY_FUTEX);
		count_waker(player->task, 1);
		break;
	case 'x':
		start(op->value);
		break;
	case 's':
		sleep_until(player, now_ns() + op->value);
		break;
	case 'p':
		sleep_until(player, player->timer_ns + op->value);
		break;
	case 'c':
		run_on(op->value);
		break;
	default:
		schedule_as(op->kind, op->value);
	}
}

static void *play(void *argument)
{
	struct player player = { .task = argument };
	struct task *task = argument;
	size_t id = (size_t)(task - trace.tasks);
	uint64_t used;
	char name[16];

	note_delay(task->begun_ns);
	__atomic_store_n(&task->running, true, __ATOMIC_SEQ_CST);
	snprintf(name, sizeof(name), "%zu %s", id, task->name);
	prctl(PR_SET_NAME, name);
	player.state = id;
	count_waker(player.task, 1);
	for (size_t i = 0; i < task->count; i++) {
		step(&player, &task->ops[i]);
		settle(player.task);
	}
	count_waker(player.task, -1);
	end(task);
	sink = player.state;
	used = cpu_ns();
	if (used > player.target_ns)
		atomic_fetch_add(&excess_ns, used - player.target_ns);
	if (id == 0) {
		__atomic_store_n(&end_ns, now_ns(), __ATOMIC_SEQ_CST);
		store(&over, 1);
		futex(&over, FUTEX_WAKE, 1);
	}
	return NULL;
}

/* Two descriptors for each task that is ever woken through a pipe. */
static void open_pipes(void)
{
	struct rlimit most = { 2 * trace.count + 64, 2 * trace.count + 64 };
	struct rlimit limit;

	if (!getrlimit(RLIMIT_NOFILE, &limit) && limit.rlim_cur < most.rlim_cur) {
		most.rlim_max = limit.rlim_max > most.rlim_max ? limit.rlim_max : most.rlim_max;
		if (setrlimit(RLIMIT_NOFILE, &most))
			fail("cannot have two descriptors for each task", errno);
	}
	for (size_t i = 0; i < trace.count; i++)
		if (trace.tasks[i].is_woken_sync && pipe2(trace.tasks[i].pipe, O_CLOEXEC))
			fail("pipe", errno);
}

static void prepare(void)
{
	delays = zeroed(trace.waits + 1, sizeof(*delays));
	stacks = aligned_alloc(4096, trace.count * STACK_BYTES);
	if (!stacks)
		fail("memory", ENOMEM);
	for (size_t i = 0; i < trace.count; i++)
		memset(stacks + (i + 1) * STACK_BYTES - STACK_TOUCHED, 0, STACK_TOUCHED);
	open_pipes();
	/* Recorded sleeps have their slack in them. */
	prctl(PR_SET_TIMERSLACK, 1);
	calibrate((uint64_t)seed);
}

/* Until whoever should run at the end has run; a fixed step, for nothing tells of it. */
static void await_delays(void)
{
	const struct timespec step = { .tv_nsec = 1000000 };

	for (size_t i = 0; i < trace.count; i++)
		while (unsettled(&trace.tasks[i]))
			nanosleep(&step, NULL);
}

static void report(void)
{
	uint64_t excess = atomic_load(&excess_ns);
	struct rusage usage;
	size_t count;
	double cpu;

	getrusage(RUSAGE_SELF, &usage);
	await_delays();
	count = atomic_load(&delay_count);
	cpu = (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) + (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
	qsort(delays, count, sizeof(*delays), by_value);
	printf("makespan %.6f s\n", (double)(end_ns - started_ns) / 1e9);
	printf("delay_p50 %.3f us\n", percentile_us(delays, count, 500));
	printf("delay_p99 %.3f us\n", percentile_us(delays, count, 990));
	printf("delays %zu count\n", count);
	printf("waits %zu count\n", trace.waits + 1);
	printf("work_digest %016llx hex\n", (unsigned long long)digest);
	printf("excess %.4f ratio\n", (double)excess / 1e9 / (cpu > 0 ? cpu : 1e-9));
	print_histogram("delay", delays, count);
}

int main(int argc, char **argv)
{
	static const struct option known[] = {
		{ "seed", &seed, 2147483647, NULL },
		{ "jitter-per-mille", &jitter_per_mille, 500, NULL },
	};

	if (argc < 2 || !strncmp(argv[1], "--", 2))
		usage(known, 2, "the first argument must be a trace", argc < 2 ? "none" : argv[1]);
	parse(argc - 1, argv + 1, known, 2);
	trace = read_trace(argv[1]);
	draw_lengths();
	prepare();
	started_ns = now_ns();
	start(0);
	while (!load(&over))
		futex(&over, FUTEX_WAIT, 0);
	report();
	return 0;
}
