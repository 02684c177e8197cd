// SPDX-License-Identifier: Apache-2.0
/*
 * Re-enacts a recorded trace: a thread for each task that was recorded, started when its parent starts it, which computes as long as
 * the task ran, and waits where the task was woken until the same task has woken it once more.
 *
 * Time is CPU time. A thread computes until its own CPU clock shows what the recorded task had used by then, so what waking, waiting
 * and starting cost here is part of it and not on top. Involuntary switches are not in a trace: they are the scheduler's
 * under test.
 *
 * A recorded wake-up ended a wait, so the waiter had come first. A waker that is early here waits for it, for a moment in a loop and
 * then asleep: it would have had to in the recorded program, for want of what the waiter was to give. Only who was last woken by
 * a timer does not (`v`): whatever comes at times of its own keeps to them, and its wake-up is kept for the waiter.
 */
#define _GNU_SOURCE
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "trace.h"

#define STACK_BYTES (32 * 1024)
#define STACK_TOUCHED (12 * 1024)
#define CHUNK_NS 5000000
#define CALIBRATE_NS 20000000
#define PER_MILLE 1000
#define SPIN_NS 40000
#define WAKE_TRIES 20

static long seed, jitter_per_mille;
static struct trace trace;
static char *stacks;
static double steps_per_ns;
static uint64_t clock_cost_ns;
static atomic_int alive;
static uint64_t *delays, started_ns;
static atomic_size_t delay_count;
static _Atomic uint64_t excess_ns;
static _Atomic uint64_t digest; /* of all lengths of computing */
static volatile uint64_t sink;	/* no compiler may leave the computing out */

/* A thread's state while it plays a task. */
struct player {
	const struct task *task;
	uint64_t target_ns; /* CPU time that the recorded task had used by now */
	uint64_t known_ns;  /* CPU time of this thread when it was last read, or computed up to */
	uint64_t timer_ns;  /* when the last timer was due */
	uint64_t draw;
	uint64_t state;
};

static uint64_t cpu_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static long futex(int *word, int operation, int value)
{
	return syscall(SYS_futex, word, operation | FUTEX_PRIVATE_FLAG, value, NULL, NULL, 0);
}

static int load(const int *word)
{
	return __atomic_load_n(word, __ATOMIC_SEQ_CST);
}

static void store(int *word, int value)
{
	__atomic_store_n(word, value, __ATOMIC_SEQ_CST);
}

/* Time from when a task was woken, started or due to when it runs. */
static void note_delay(uint64_t since_ns)
{
	uint64_t now = now_ns();

	delays[atomic_fetch_add(&delay_count, 1)] = now > since_ns ? now - since_ns : 0;
}

/* A length of computing, within the jitter of what was recorded. */
static uint64_t jittered(struct player *player, uint64_t ns)
{
	uint64_t span = ns / PER_MILLE * 2 * (uint64_t)jitter_per_mille;

	player->draw = mix(player->draw ^ ns);
	return ns - span / 2 + (span ? player->draw % (span + 1) : 0);
}

/*
 * Computes until the CPU clock has come to the target. Looking at it costs about as much as a short run: what is shorter is put off.
 * The clock is not asked again after a short piece, for a machine that counts instructions lets it jump.
 */
static void catch_up(struct player *player)
{
	if (player->target_ns < player->known_ns + 2 * clock_cost_ns)
		return;
	player->known_ns = cpu_ns();
	while (player->target_ns > player->known_ns + clock_cost_ns) {
		uint64_t left = player->target_ns - player->known_ns;
		uint64_t part = left < CHUNK_NS ? left : CHUNK_NS;

		player->state = compute(player->state, (uint64_t)((double)part * steps_per_ns));
		if (left <= CHUNK_NS) {
			player->known_ns = player->target_ns;
			return;
		}
		player->known_ns = cpu_ns();
	}
}

/* Until the woken one has begun its nth wait: the recorded waker came later than that. */
static void await_waiter(struct edge *edge, int nth)
{
	uint64_t until = now_ns() + SPIN_NS;
	int waits;

	while ((waits = load(&edge->waits)) < nth) {
		if (now_ns() < until) {
			/* It may be about to wait, and need this CPU for it. */
			sched_yield();
			continue;
		}
		store(&edge->waker_asleep, 1);
		futex(&edge->waits, FUTEX_WAIT, waits);
		store(&edge->waker_asleep, 0);
	}
}

/*
 * Wakes a task that is asleep without leaving anything behind. It may be on its way to sleep: then it is tried a few times, and
 * the wake-up is kept for it in the end.
 */
static void wake(struct edge *edge, bool wait)
{
	int nth = edge->posted + 1;

	if (wait)
		await_waiter(edge, nth);
	edge->posted_ns = now_ns();
	store(&edge->posted, nth);
	for (int tries = load(&edge->waits) >= nth ? WAKE_TRIES : 0; tries > 0; tries--) {
		if (futex(&edge->kept, FUTEX_WAKE, 1) == 1)
			return;
		sched_yield();
	}
	store(&edge->kept, nth);
	futex(&edge->kept, FUTEX_WAKE, 1);
}

static void wait_for(struct edge *edge)
{
	int nth = edge->waits + 1, kept;

	store(&edge->waits, nth);
	if (load(&edge->waker_asleep))
		futex(&edge->waits, FUTEX_WAKE, 1);
	while ((kept = load(&edge->kept)) < nth) {
		if (futex(&edge->kept, FUTEX_WAIT, kept) == 0 && load(&edge->posted) >= nth) {
			note_delay(edge->posted_ns);
			return;
		}
	}
}

static void sleep_until(struct player *player, uint64_t due)
{
	struct timespec at = { .tv_sec = (time_t)(due / 1000000000u), .tv_nsec = (long)(due % 1000000000u) };

	player->timer_ns = due;
	if (now_ns() >= due)
		return;
	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, NULL) == EINTR)
		;
	note_delay(due);
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
	trace.tasks[at].begun_ns = now_ns();
	error = pthread_create(&thread, &attributes, play, &trace.tasks[at]);
	if (error)
		fail("cannot start a thread", error);
}

static void step(struct player *player, const struct op *op)
{
	switch (op->kind) {
	case 'r':
		player->target_ns += jittered(player, op->value);
		catch_up(player);
		break;
	case 'w':
	case 'v':
		wake(op->edge, op->kind == 'w');
		break;
	case 'b':
		wait_for(op->edge);
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
	const struct task *task = player.task;
	size_t id = (size_t)(task - trace.tasks);
	uint64_t used;
	char name[16];

	note_delay(task->begun_ns);
	snprintf(name, sizeof(name), "%zu %s", id, task->name);
	prctl(PR_SET_NAME, name);
	player.draw = mix((uint64_t)seed ^ mix(id + 1));
	player.state = player.draw;
	for (size_t i = 0; i < task->count; i++)
		step(&player, &task->ops[i]);
	atomic_fetch_xor(&digest, mix(player.target_ns ^ player.draw));
	sink = player.state;
	used = cpu_ns();
	if (used > player.target_ns)
		atomic_fetch_add(&excess_ns, used - player.target_ns);
	if (atomic_fetch_sub(&alive, 1) == 1)
		futex((int *)&alive, FUTEX_WAKE, 1);
	return NULL;
}

/* How fast this machine computes by its CPU clock, and what looking at that costs: the best of five, for others may interfere. */
static void calibrate(void)
{
	uint64_t steps = 1000;

	for (int round = 0; round < 5;) {
		uint64_t before = cpu_ns(), took;

		sink = compute((uint64_t)seed, steps);
		took = cpu_ns() - before;
		if (took < CALIBRATE_NS) {
			steps = took < CALIBRATE_NS / 16 ? steps * 8 : steps * 2;
			continue;
		}
		if ((double)steps / (double)took > steps_per_ns)
			steps_per_ns = (double)steps / (double)took;
		round++;
	}
	clock_cost_ns = cpu_ns();
	for (int i = 0; i < PER_MILLE; i++)
		cpu_ns();
	clock_cost_ns = (cpu_ns() - clock_cost_ns) / PER_MILLE;
}

static void prepare(void)
{
	delays = zeroed(trace.waits + 1, sizeof(*delays));
	stacks = aligned_alloc(4096, trace.count * STACK_BYTES);
	if (!stacks)
		fail("memory", ENOMEM);
	for (size_t i = 0; i < trace.count; i++)
		memset(stacks + (i + 1) * STACK_BYTES - STACK_TOUCHED, 0, STACK_TOUCHED);
	/* Recorded sleeps have their slack in them. */
	prctl(PR_SET_TIMERSLACK, 1);
	calibrate();
}

static void report(uint64_t end_ns)
{
	size_t count = atomic_load(&delay_count);
	struct rusage usage;
	double cpu;

	getrusage(RUSAGE_SELF, &usage);
	cpu = (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) + (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
	qsort(delays, count, sizeof(*delays), by_value);
	printf("makespan %.6f s\n", (double)(end_ns - started_ns) / 1e9);
	printf("delay_p50 %.3f us\n", percentile_us(delays, count, 500));
	printf("delay_p99 %.3f us\n", percentile_us(delays, count, 990));
	printf("delays %zu count\n", count);
	printf("waits %zu count\n", trace.waits + 1);
	printf("work_digest %016llx hex\n", (unsigned long long)atomic_load(&digest));
	printf("excess %.4f ratio\n", (double)atomic_load(&excess_ns) / 1e9 / (cpu > 0 ? cpu : 1e-9));
	print_histogram("delay", delays, count);
}

int main(int argc, char **argv)
{
	static const struct option known[] = {
		{ "seed", &seed, 2147483647, NULL },
		{ "jitter-per-mille", &jitter_per_mille, 500, NULL },
	};
	int left;

	if (argc < 2 || !strncmp(argv[1], "--", 2))
		usage(known, 2, "the first argument must be a trace", argc < 2 ? "none" : argv[1]);
	parse(argc - 1, argv + 1, known, 2);
	trace = read_trace(argv[1]);
	prepare();
	atomic_store(&alive, (int)trace.count);
	started_ns = now_ns();
	start(0);
	while ((left = atomic_load(&alive)) > 0)
		futex((int *)&alive, FUTEX_WAIT, left);
	report(now_ns());
	return 0;
}
