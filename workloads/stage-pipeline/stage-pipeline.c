// SPDX-License-Identifier: Apache-2.0
/*
 * A pipeline of --stages in a row. Stage 0 makes --items items, each stage computes on every item for about --work-kinstr thousand
 * instructions, drawn from the seed for each stage and item, and hands it on. Who finds nothing to take, or no room for what it has,
 * sleeps.
 *
 *   --join queue   threads, joined by queues of --depth items in memory
 *   --join pipe    processes, joined by pipes that carry a page for each item; the kernel makes their room a power of two of pages,
 *                  --depth or the next one above
 *
 * Latency of an item: from when stage 0 takes it up to when the last stage has finished it. `work_digest` is computed by the items
 * themselves: it depends on the options alone, and not on --join.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>
#include "../driver.h"

#define PAGE 4096
#define STAGES_MAX 64
enum join { QUEUE = 1, PIPE };

struct queue {
	pthread_mutex_t lock;
	pthread_cond_t filled, emptied;
	long head, count;
	long *item;
};

static long join, stages, items, depth, work_kinstr, seed;
static struct queue *queues; /* queue i leads to stage i; none to stage 0 */
static int pipes[STAGES_MAX][2]; /* likewise */
/* Of each item; shared by all stages, which never have one item at once. */
static uint64_t *value, *begun_ns, *latency_ns;

static const char *const joins[] = { "queue", "pipe" };
static const struct option known[] = {
	{ "join", &join, PIPE, joins },
	{ "stages", &stages, STAGES_MAX, NULL },
	{ "items", &items, 1000000, NULL },
	{ "depth", &depth, 256, NULL },
	{ "work-kinstr", &work_kinstr, 1000000, NULL },
	{ "seed", &seed, INT_MAX, NULL },
};
enum { KNOWN = sizeof(known) / sizeof(known[0]) };

static void put(struct queue *queue, long item)
{
	pthread_mutex_lock(&queue->lock);
	while (queue->count == depth)
		pthread_cond_wait(&queue->emptied, &queue->lock);
	queue->item[(queue->head + queue->count++) % depth] = item;
	pthread_cond_signal(&queue->filled);
	pthread_mutex_unlock(&queue->lock);
}

static long get(struct queue *queue)
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

/* Pages stay whole: one writer and one reader, who take what comes until a page is full. */
static void write_page(int fd, long item)
{
	char page[PAGE] = { 0 };

	memcpy(page, &item, sizeof(item));
	for (size_t done = 0; done < PAGE;) {
		ssize_t part = write(fd, page + done, PAGE - done);

		if (part < 0 && errno != EINTR)
			fail("write", errno);
		done += part > 0 ? (size_t)part : 0;
	}
}

static long read_page(int fd)
{
	char page[PAGE];
	long item;

	for (size_t done = 0; done < PAGE;) {
		ssize_t part = read(fd, page + done, PAGE - done);

		if (!part)
			fail("the stage before", EPIPE);
		if (part < 0 && errno != EINTR)
			fail("read", errno);
		done += part > 0 ? (size_t)part : 0;
	}
	memcpy(&item, page, sizeof(item));
	return item;
}

static void give(long stage, long item)
{
	if (join == PIPE)
		write_page(pipes[stage][1], item);
	else
		put(&queues[stage], item);
}

static long take(long stage)
{
	return join == PIPE ? read_page(pipes[stage][0]) : get(&queues[stage]);
}

static void run_stage(long stage)
{
	for (long i = 0; i < items; i++) {
		long item = stage ? take(stage) : i;
		uint64_t mean = (uint64_t)work_kinstr * 1000 / INSTRUCTIONS_PER_STEP;
		uint64_t draw = mix(mix((uint64_t)seed) + (uint64_t)(item * stages + stage));

		if (!stage)
			begun_ns[item] = now_ns();
		value[item] += mix(compute(draw, around(mean, draw)));
		if (stage + 1 < stages)
			give(stage + 1, item);
		else
			latency_ns[item] = now_ns() - begun_ns[item];
	}
}

static void *thread_of(void *stage)
{
	run_stage((long)(intptr_t)stage);
	return NULL;
}

static void run_threads(void)
{
	pthread_t threads[STAGES_MAX];

	for (long i = 0; i < stages; i++) {
		int error = pthread_create(&threads[i], NULL, thread_of, (void *)(intptr_t)i);

		if (error)
			fail("pthread_create", error);
	}
	for (long i = 0; i < stages; i++)
		pthread_join(threads[i], NULL);
}

/* A stage keeps the ends that it uses alone, so that one that fails ends its neighbours too. */
static void keep_ends_of(long stage)
{
	for (long i = 1; i < stages; i++) {
		if (i != stage)
			close(pipes[i][0]);
		if (i != stage + 1)
			close(pipes[i][1]);
	}
}

static void run_processes(void)
{
	pid_t parent = getpid();
	int status;

	for (long i = 0; i < stages; i++) {
		pid_t child = fork();

		if (child < 0)
			fail("fork", errno);
		if (!child) {
			/* A killed parent takes its stages along. */
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			if (getppid() != parent)
				_exit(1);
			keep_ends_of(i);
			run_stage(i);
			_exit(0);
		}
	}
	keep_ends_of(stages);
	for (long i = 0; i < stages; i++) {
		if (wait(&status) < 0 || !WIFEXITED(status) || WEXITSTATUS(status))
			fail("a stage", ECHILD);
	}
}

static void make_queues(void)
{
	queues = zeroed((size_t)stages, sizeof(*queues));
	for (long i = 1; i < stages; i++) {
		pthread_mutex_init(&queues[i].lock, NULL);
		pthread_cond_init(&queues[i].filled, NULL);
		pthread_cond_init(&queues[i].emptied, NULL);
		queues[i].item = zeroed((size_t)depth, sizeof(long));
	}
}

static void make_pipes(void)
{
	for (long i = 1; i < stages; i++) {
		if (pipe(pipes[i]))
			fail("pipe", errno);
		if (fcntl(pipes[i][1], F_SETPIPE_SZ, (int)(depth * PAGE)) < 0)
			fail("size of a pipe", errno);
	}
}

/* Like zeroed(), and shared with the stages that are processes. */
static uint64_t *shared(size_t count)
{
	void *memory = mmap(NULL, count * sizeof(uint64_t), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (memory == MAP_FAILED)
		fail("memory", errno);
	return memset(memory, 0, count * sizeof(uint64_t));
}

int main(int argc, char **argv)
{
	uint64_t begin, elapsed, digest = 0;

	parse(argc, argv, known, KNOWN);
	value = shared((size_t)items);
	begun_ns = shared((size_t)items);
	latency_ns = shared((size_t)items);
	if (join == PIPE)
		make_pipes();
	else
		make_queues();
	begin = now_ns();
	if (join == PIPE)
		run_processes();
	else
		run_threads();
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
