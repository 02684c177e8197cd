// SPDX-License-Identifier: Apache-2.0
/*
 * A load after a profile (profile.h): groups of tasks, each of which waits for a timer or a message, computes, touches memory, reads
 * blocks, starts children, and sends messages on. `pmvx tune` fits profiles to what probes counted elsewhere.
 *
 * A round of a task begins when its message was sent, its timer was due, or the round before was over, and ends when its work is done,
 * before it sends. All go on until each group has done its share of rounds, and every round that had begun by then has ended, so the load is
 * the same to the end and no round is left out because it took long.
 *
 *   response    of a group: the mean time of its rounds; of the run: the geometric mean over groups, each as heavy as the others
 *
 * `work_digest` is of the draws that each task begins with: it depends on the options and the profile alone.
 */
#define _GNU_SOURCE
#include <limits.h>
#include <linux/fs.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>

#include "labour.h"

static long seed, share_percent;
static pid_t parent;

static void run_as(const struct task *task)
{
	static const int policies[] = { SCHED_OTHER, SCHED_BATCH, SCHED_IDLE, SCHED_FIFO };
	const struct group *group = task->group;
	struct sched_param param = { .sched_priority = group->class == FIFO };
	cpu_set_t set;

	if (group->class != OTHER && syscall(SYS_sched_setscheduler, 0, policies[group->class], &param))
		give_up("sched_setscheduler", errno);
	if (!group->pin)
		return;
	CPU_ZERO(&set);
	CPU_SET((int)(task->number % sysconf(_SC_NPROCESSORS_ONLN)), &set);
	if (sched_setaffinity(0, sizeof(set), &set))
		give_up("sched_setaffinity", errno);
}

/* Sleeps; returns when it should have ended. `before_ns` is when the last one should have. */
static uint64_t sleep_after(struct player *player, uint64_t before_ns)
{
	const struct group *group = player->task->group;
	uint64_t from = group->pace == OPEN ? before_ns : now_ns();
	uint64_t due = from + 1000 * length(player, group->sleep, group->sleep_long, group->sleep_long_of);
	struct timespec at = { .tv_sec = (time_t)(due / 1000000000u), .tv_nsec = (long)(due % 1000000000u) };

	atomic_store(&player->task->began_ns, due);
	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, NULL) == EINTR)
		;
	return due;
}

/* When the round that comes began. */
static uint64_t begin_round(struct player *player, uint64_t before_ns)
{
	uint64_t began;

	if (player->task->group->link == TIMER)
		return sleep_after(player, before_ns);
	began = player->task->group->link == NONE ? before_ns : take(player->task, player->buffer);
	atomic_store(&player->task->began_ns, began);
	return began;
}

/* Whether every round of a task that began before all groups had done their share is noted. */
static bool settled(const struct task *task)
{
	uint64_t began = atomic_load(&task->began_ns);

	if (began && began > shared->finished_ns)
		return true;
	return task->group->link >= FUTEX && atomic_load(&task->rounds) == atomic_load(&task->posted);
}

static void note_round(struct task *task, uint64_t began_ns, uint64_t now)
{
	int at = (int)(task->group - groups);
	uint64_t response = now > began_ns ? now - began_ns : 0;
	uint64_t target = ((uint64_t)task->group->rounds * (uint64_t)share_percent + 99) / 100;
	bool late = atomic_load(&shared->over) && began_ns > shared->finished_ns;

	if (!late) {
		task->noted++;
		task->response_ns += response;
		if (task->group->counts)
			atomic_fetch_add(&shared->counts[bucket_of(response)], 1);
	}
	atomic_fetch_add(&task->rounds, 1);
	if (atomic_fetch_add(&shared->done[at], 1) + 1 != target || atomic_fetch_sub(&shared->unfinished, 1) != 1)
		return;
	shared->finished_ns = now;
	atomic_store(&shared->over, 1);
	futex(&shared->over, FUTEX_WAKE, 1);
}

static void send_on(struct player *player, uint64_t now)
{
	const struct group *group = player->task->group, *to;

	if (!group->send)
		return;
	to = &groups[group->send - 1];
	for (long i = 0; i < group->fan; i++) {
		long number = player->task->number;

		if (group->to == ANY)
			number = (long)(drawn(player) % (uint64_t)to->tasks);
		else if (group->to == NEXT)
			number = to == group ? number + 1 : (long)(atomic_load(&player->task->rounds) * (uint64_t)group->fan) + i + number;
		give(&first_of[to - groups][number % to->tasks], now);
	}
}

static _Noreturn void play(struct task *task)
{
	struct player player = { .task = task, .key = mix(mix((uint64_t)seed) + (uint64_t)(task - tasks)) };
	uint64_t now;

	prepare(&player);
	prctl(PR_SET_TIMERSLACK, 1);
	run_as(task);
	for (now = now_ns();;) {
		uint64_t began = begin_round(&player, now);

		labour(&player);
		now = now_ns();
		note_round(task, began, now);
		send_on(&player, now);
		if (task->group->link == TIMER)
			now = began;
	}
}

static void *play_in_thread(void *task)
{
	play(task);
}

static void start(struct task *task)
{
	pthread_t thread;
	pid_t child;
	int error;

	if (task->group->as == THREAD) {
		error = pthread_create(&thread, NULL, play_in_thread, task);
		if (error)
			fail("cannot start a thread", error);
		return;
	}
	child = fork();
	if (child < 0)
		fail("fork", errno);
	if (child)
		return;
	/* A killed parent takes its tasks along. */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(1);
	play(task);
}

/*
 * Processes first: a fork copies the memory of the threads that are there. Nobody waits for the others: that would be waits and wake-ups
 * that no profile asks for.
 */
static void start_all(void)
{
	for (int as = PROCESS; as >= THREAD; as--)
		for (int i = 0; i < task_total; i++)
			if (tasks[i].group->as == as)
				start(&tasks[i]);
}

static void make_tasks(void)
{
	struct task *task;

	tasks = shared_memory(sizeof(*tasks) * (size_t)task_total);
	shared = shared_memory(sizeof(*shared));
	task = tasks;
	for (int i = 0; i < group_count; i++) {
		first_of[i] = task;
		for (long number = 0; number < groups[i].tasks; number++, task++) {
			task->group = &groups[i];
			task->number = number;
			make_inbox(task);
		}
	}
	atomic_store(&shared->unfinished, (uint32_t)group_count);
}

/* The tokens of a group lie with its tasks in turn. */
static void lay_tokens(void)
{
	for (int i = 0; i < group_count; i++)
		for (long token = 0; token < groups[i].tokens; token++)
			give(&first_of[i][token % groups[i].tasks], now_ns());
}

/* Of as many positive numbers as their product has factors: the root, by halving. */
static double root_of(double product, int factors)
{
	double low = 0, high = product > 1 ? product : 1;

	for (int step = 0; step < 2000 && high - low > 1e-9 * high; step++) {
		double middle = (low + high) / 2, power = 1;

		for (int i = 0; i < factors; i++)
			power *= middle;
		if (power < product)
			low = middle;
		else
			high = middle;
	}
	return high;
}

/* Rounds under way at the end are awaited, so that none is left out because it took long; a fixed step, for nothing tells of it. */
static void await_rounds(void)
{
	const struct timespec step = { .tv_nsec = 1000000 };

	for (int i = 0; i < task_total; i++)
		while (atomic_load(&shared->over) == 1 && tasks[i].group->counts && !settled(&tasks[i]))
			nanosleep(&step, NULL);
}

static void report(void)
{
	uint64_t rounds = 0, digest = mix((uint64_t)seed);
	double product = 1;
	int counted = 0;

	for (int i = 0; i < group_count; i++) {
		uint64_t own = 0, response_ns = 0;

		for (long number = 0; number < groups[i].tasks; number++) {
			own += first_of[i][number].noted;
			response_ns += first_of[i][number].response_ns;
			digest = mix(digest + (uint64_t)groups[i].rounds + around((uint64_t)groups[i].run, digest));
		}
		rounds += own;
		if (!groups[i].counts || !own)
			continue;
		/* Less than a nanosecond is as good as one. */
		product *= response_ns > own ? (double)response_ns / (double)own / 1000 : 0.001;
		counted++;
	}
	printf("response %.3f us\n", root_of(product, counted));
	printf("response_p50 %.3f us\n", bucket_percentile_us(shared->counts, 500));
	printf("response_p99 %.3f us\n", bucket_percentile_us(shared->counts, 990));
	printf("makespan %.6f s\n", (double)(shared->finished_ns - shared->started_ns) / 1e9);
	printf("rounds %llu count\n", (unsigned long long)rounds);
	print_buckets("response", shared->counts);
	printf("work_digest %016llx hex\n", (unsigned long long)digest);
}

int main(int argc, char **argv)
{
	static const struct option known[] = {
		{ "share-percent", &share_percent, 1000, NULL },
		{ "seed", &seed, INT_MAX, NULL },
	};

	if (argc < 2 || !strncmp(argv[1], "--", 2))
		usage(known, 2, "the first argument must be a profile", argc < 2 ? "none" : argv[1]);
	parse(argc - 1, argv + 1, known, 2);
	read_profile(argv[1]);
	parent = getpid();
	for (int i = 0; i < group_count; i++)
		if (groups[i].device == DISK_IN_MEMORY && (groups[i].reads || groups[i].writes))
			load_disk();
	make_tasks();
	lay_tokens();
	shared->started_ns = now_ns();
	start_all();
	while (!atomic_load(&shared->over))
		futex(&shared->over, FUTEX_WAIT, 0);
	await_rounds();
	if (atomic_load(&shared->over) != 1)
		_exit(1);
	report();
	fflush(stdout);
	/* Threads and, by their parent's death, processes go with it. */
	_exit(0);
}
