// SPDX-License-Identifier: Apache-2.0
/*
 * Re-enacts a recorded trace: a thread for each task that was recorded, started when its parent starts it, which computes as long as
 * the task ran, and waits where the task was woken until the same task has woken it once more.
 *
 * Time is CPU time. A thread computes until its own CPU clock shows what the recorded task had used by then, so what waking, waiting
 * and starting cost here is part of it and not on top. Involuntary switches are not in a trace: they are the scheduler's
 * under test.
 *
 * A recorded wake-up ended a wait, and times differ here. A task that is woken while it still computes is owed the wake-up: it will
 * wait all the same, until one of those who wake it comes by once more and gives it, for in the recorded program any of what they
 * did in between would have. Each gives about as many wake-ups as it was recorded to. Only when nobody is left to come, for all of them
 * wait themselves or have ended, is the wake-up taken without waiting: so nothing can get stuck that did not get stuck when
 * it was recorded.
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
#define LOOKED_AFTER 32
#define PATIENCE_NS 40000
#define CALIBRATE_NS 20000000
#define PER_MILLE 1000
#define CHUNK_WAKER_NS 50000

static long seed, jitter_per_mille;
static struct trace trace;
static char *stacks;
static double steps_per_ns;
static uint64_t clock_cost_ns;
static atomic_int alive;
static int owed_to_all; /* wake-ups */
static uint64_t *delays, started_ns;
static atomic_size_t delay_count;
static _Atomic uint64_t excess_ns;
static _Atomic uint64_t digest; /* of all lengths of computing */
static volatile uint64_t sink;	/* no compiler may leave the computing out */

/* A thread's state while it plays a task. */
struct player {
	struct task *task;
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

/* Wakes a task if it waits. */
static bool wake_waiting(struct task *task)
{
	int waiting = 1;

	if (!__atomic_compare_exchange_n(&task->asleep, &waiting, 0, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
		return false;
	task->woken_ns = now_ns();
	futex(&task->asleep, FUTEX_WAKE, 1);
	return true;
}

/* Takes one wake-up that is owed to a task. */
static bool take_owed(struct task *task)
{
	int owed = load(&task->owed);

	while (owed > 0) {
		if (!__atomic_compare_exchange_n(&task->owed, &owed, owed - 1, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
			continue;
		__atomic_fetch_sub(&owed_to_all, 1, __ATOMIC_SEQ_CST);
		return true;
	}
	return false;
}

static void owe(struct task *task)
{
	__atomic_fetch_add(&owed_to_all, 1, __ATOMIC_SEQ_CST);
	__atomic_fetch_add(&task->owed, 1, __ATOMIC_SEQ_CST);
}

/* Gives a task that sleeps a wake-up that is owed to it. */
static bool settle_one(struct task *task)
{
	if (!load(&task->asleep) || !take_owed(task))
		return false;
	if (wake_waiting(task))
		return true;
	owe(task);
	return false;
}

/* Who wakes very many has no time for that. */
static bool looks_after(const struct task *task)
{
	return task->edge_count <= LOOKED_AFTER;
}

/* Whoever is to wake a task again may give it what others owe. */
static void settle(struct task *task)
{
	for (size_t i = 0; i < task->edge_count && looks_after(task) && load(&owed_to_all); i++)
		if (task->edges[i].given < task->edges[i].recorded)
			task->edges[i].given += settle_one(task->edges[i].woken);
}

/*
 * Before a task waits: whom it has just found awake may be about to wait, a moment late. What this costs is part of what is computed
 * next.
 */
static void be_patient(struct task *task)
{
	uint64_t until = 0;

	for (size_t i = 0; i < task->edge_count && load(&owed_to_all); i++) {
		struct edge *edge = &task->edges[i];

		if (!edge->late)
			continue;
		edge->late = false;
		if (!until)
			until = now_ns() + PATIENCE_NS;
		while (load(&edge->woken->owed) && now_ns() < until) {
			if (settle_one(edge->woken)) {
				edge->given++;
				break;
			}
			/* It may need this CPU for it. */
			sched_yield();
		}
	}
}

/* A task that waits wakes nobody: when it was the last that could, what is owed is due. */
static void count_waker(struct task *task, int by)
{
	for (size_t i = 0; i < task->edge_count && looks_after(task); i++) {
		struct edge *edge = &task->edges[i];

		if (__atomic_add_fetch(&edge->woken->wakers, by, __ATOMIC_SEQ_CST) == 0)
			edge->given += settle_one(edge->woken);
	}
}

static void wake(struct edge *edge)
{
	if (edge->given <= edge->recorded + edge->recorded / 8 && wake_waiting(edge->woken)) {
		edge->given++;
	} else {
		edge->late = true;
		owe(edge->woken);
	}
}

/*
 * Until someone wakes this task. A wake-up that is owed is taken without sleeping only when there is nobody left to come.
 */
static void wait_for_wake(struct task *task)
{
	bool slept = false;

	if (load(&task->wakers) == 0 && take_owed(task))
		return;
	store(&task->asleep, 1);
	if (load(&task->wakers) == 0)
		settle_one(task);
	while (load(&task->asleep))
		slept |= futex(&task->asleep, FUTEX_WAIT, 1) == 0;
	if (slept)
		note_delay(task->woken_ns);
}

/*
 * Computes until the CPU clock has come to the target. Looking at it costs about as much as a short run: what is shorter is put off.
 * The clock is not asked again after a short piece, for a machine that counts instructions lets it jump. Who wakes others looks
 * after them meanwhile.
 */
static void catch_up(struct player *player)
{
	uint64_t most = player->task->edge_count ? CHUNK_WAKER_NS : CHUNK_NS, since;

	if (player->target_ns < player->known_ns + 2 * clock_cost_ns)
		return;
	since = player->known_ns = cpu_ns();
	while (player->target_ns > player->known_ns + clock_cost_ns) {
		uint64_t left = player->target_ns - player->known_ns;
		uint64_t part = left < most ? left : most;

		player->state = compute(player->state, (uint64_t)((double)part * steps_per_ns));
		player->known_ns += part;
		if (part == left)
			return;
		settle(player->task);
		if (player->known_ns > since + CHUNK_NS)
			since = player->known_ns = cpu_ns();
	}
}

static void sleep_until(struct player *player, uint64_t due)
{
	struct timespec at = { .tv_sec = (time_t)(due / 1000000000u), .tv_nsec = (long)(due % 1000000000u) };

	player->timer_ns = due;
	if (now_ns() >= due)
		return;
	count_waker(player->task, -1);
	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, NULL) == EINTR)
		;
	count_waker(player->task, 1);
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
		wake(op->edge);
		break;
	case 'b':
		be_patient(player->task);
		count_waker(player->task, -1);
		wait_for_wake(player->task);
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
	const struct task *task = player.task;
	size_t id = (size_t)(task - trace.tasks);
	uint64_t used;
	char name[16];

	note_delay(task->begun_ns);
	snprintf(name, sizeof(name), "%zu %s", id, task->name);
	prctl(PR_SET_NAME, name);
	player.draw = mix((uint64_t)seed ^ mix(id + 1));
	player.state = player.draw;
	count_waker(player.task, 1);
	for (size_t i = 0; i < task->count; i++) {
		step(&player, &task->ops[i]);
		settle(player.task);
	}
	count_waker(player.task, -1);
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
