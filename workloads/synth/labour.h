/* SPDX-License-Identifier: Apache-2.0 */
/* What a task does in a round besides waiting and sending: compute, touch memory, write fresh pages and files, read and write blocks, start children. */
#ifndef PMVX_SYNTH_LABOUR_H
#define PMVX_SYNTH_LABOUR_H

#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "inbox.h"

#define PAGE 4096
#define FRESH_PAGES 256 /* written before they are given back */
#define FILE_PAGES 512 /* likewise of a file */
#define CACHE_LINE 64
#define LEFT_MOST 16 /* children of a task that nobody has waited for */
#define DISK "/dev/nullb0"

/* What belongs to the thread that plays a task. */
struct player {
	struct task *task;
	uint64_t key, draw, state;
	char *fresh, *warm, *buffer, *block;
	long fresh_at, file_at, left;
	int file, device;
	uint64_t device_blocks;
};

static volatile uint64_t sink; /* no compiler may leave the computing out */

static uint64_t drawn(struct player *player)
{
	return player->draw = mix(player->draw);
}

/* How often in this round, when it is so many of a thousand. */
static long times(struct player *player, long of_thousand)
{
	if (!of_thousand)
		return 0;
	return of_thousand / 1000 + ((long)(drawn(player) % 1000) < of_thousand % 1000);
}

/* One of two lengths, and that from half to one and a half. */
static uint64_t length(struct player *player, long usual, long other, long other_of)
{
	long mean = other_of && (long)(drawn(player) % 1000) < other_of ? other : usual;

	return around((uint64_t)mean, drawn(player));
}

static void work(struct player *player, uint64_t instructions)
{
	player->state = compute(player->state, instructions / INSTRUCTIONS_PER_STEP);
}

static char *own_memory(size_t bytes)
{
	void *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (memory == MAP_FAILED)
		give_up("memory", errno);
	madvise(memory, bytes, MADV_NOHUGEPAGE);
	return memory;
}

static void write_fresh(struct player *player, long count)
{
	while (count--) {
		if (player->fresh_at == FRESH_PAGES) {
			madvise(player->fresh, FRESH_PAGES * PAGE, MADV_DONTNEED);
			player->fresh_at = 0;
		}
		player->fresh[player->fresh_at++ * PAGE] = 1;
	}
}

static void write_file(struct player *player, long count)
{
	while (count--) {
		if (player->file_at == FILE_PAGES) {
			if (ftruncate(player->file, 0))
				give_up("a file in memory", errno);
			player->file_at = 0;
		}
		if (pwrite(player->file, payload, PAGE, player->file_at++ * PAGE) != PAGE)
			give_up("a file in memory", errno);
	}
}

static void touch(struct player *player, size_t bytes)
{
	for (size_t at = 0; at < bytes; at += CACHE_LINE)
		player->warm[at]++;
}

static void use_blocks(struct player *player, long count, bool writes)
{
	size_t bytes = (size_t)player->task->group->block_kib * 1024;

	while (count--) {
		off_t at = (off_t)(drawn(player) % player->device_blocks * bytes);
		ssize_t done = writes ? pwrite(player->device, player->block, bytes, at) : pread(player->device, player->block, bytes, at);

		if (done != (ssize_t)bytes)
			give_up("block", done < 0 ? errno : EIO);
	}
}

/* What a child does is drawn by its parent. */
struct child {
	uint64_t steps;
	long pages;
};

static void be_child(struct child child)
{
	char *pages = child.pages ? own_memory((size_t)child.pages * PAGE) : NULL;

	for (long i = 0; i < child.pages; i++)
		pages[i * PAGE] = 1;
	sink = compute(child.steps, child.steps);
	if (pages)
		munmap(pages, (size_t)child.pages * PAGE);
}

static void *child_thread(void *argument)
{
	struct child child = *(struct child *)argument;

	free(argument);
	be_child(child);
	return NULL;
}

static void start_thread(const struct group *group, struct child child)
{
	struct child *argument = malloc(sizeof(*argument));
	pthread_t thread;
	int error;

	if (!argument)
		give_up("memory", ENOMEM);
	*argument = child;
	error = pthread_create(&thread, NULL, child_thread, argument);
	if (error)
		give_up("cannot start a thread", error);
	if (group->join == WAIT)
		pthread_join(thread, NULL);
	else
		pthread_detach(thread);
}

static void start_process(struct player *player, struct child child)
{
	const struct group *group = player->task->group;
	pid_t pid = fork();

	if (pid < 0)
		give_up("fork", errno);
	if (!pid) {
		be_child(child);
		_exit(0);
	}
	player->left++;
	/* Only children of this thread: others wait for theirs. */
	while (player->left) {
		bool must = group->join == WAIT || player->left > LEFT_MOST;
		pid_t ended = waitpid(-1, NULL, __WNOTHREAD | (must ? 0 : WNOHANG));

		if (!ended)
			return;
		if (ended < 0 && errno != EINTR)
			give_up("wait", errno);
		player->left -= ended > 0;
	}
}

static void start_children(struct player *player, long count)
{
	const struct group *group = player->task->group;

	while (count--) {
		struct child child = { around((uint64_t)group->child_run, drawn(player)) / INSTRUCTIONS_PER_STEP, group->child_pages };

		if (group->spawn == THREAD)
			start_thread(group, child);
		else
			start_process(player, child);
	}
}

/* The block device below the root, read only; null_blk's disk in memory, where it is or can be loaded. */
static const char *find_device(long device)
{
	static const char *const roots[] = { "/dev/pmem0", "/dev/vda", "/dev/sda", "/dev/nvme0n1" };

	for (size_t i = 0; device == ROOT && i < sizeof(roots) / sizeof(roots[0]); i++)
		if (!access(roots[i], R_OK))
			return roots[i];
	return device == DISK_IN_MEMORY && !access(DISK, R_OK | W_OK) ? DISK : NULL;
}

/* As workloads/fio does. Whether it is there is seen when it is opened. */
static void load_disk(void)
{
	pid_t child;

	if (!access(DISK, R_OK | W_OK))
		return;
	child = fork();
	if (!child) {
		execl("/sbin/modprobe", "modprobe", "null_blk", "nr_devices=1", "memory_backed=1", "gb=1", "bs=4096", "irqmode=2",
		      "completion_nsec=100000", "submit_queues=1", "hw_queue_depth=64", (char *)NULL);
		_exit(127);
	}
	if (child > 0)
		waitpid(child, NULL, 0);
}

static void open_device(struct player *player)
{
	const struct group *group = player->task->group;
	const char *path = find_device(group->device);
	uint64_t bytes = 0;

	if (!path) {
		fprintf(stderr, "synth: there is no block device of the kind device=%s\n", device_words[group->device]);
		give_up("block device", ENODEV);
	}
	player->device = open(path, (group->writes ? O_RDWR : O_RDONLY) | O_DIRECT | O_CLOEXEC);
	if (player->device < 0 || ioctl(player->device, BLKGETSIZE64, &bytes))
		give_up(path, errno);
	if (bytes > 64u << 20)
		bytes = 64u << 20;
	player->device_blocks = bytes / ((uint64_t)group->block_kib * 1024);
	player->block = aligned_alloc(PAGE, (size_t)group->block_kib * 1024);
	if (!player->device_blocks || !player->block)
		give_up(path, ENOSPC);
}

static void prepare(struct player *player)
{
	const struct group *group = player->task->group;

	player->state = player->key;
	player->draw = player->key;
	player->device = player->file = -1;
	player->buffer = own_memory((size_t)group->bytes + sizeof(uint64_t));
	if (group->pages)
		player->fresh = own_memory(FRESH_PAGES * PAGE);
	if (group->touch_kib)
		player->warm = own_memory((size_t)group->touch_kib * 1024);
	if (group->files) {
		player->file = memfd_create("synth", MFD_CLOEXEC);
		if (player->file < 0)
			give_up("a file in memory", errno);
	}
	if (group->reads || group->writes)
		open_device(player);
}

static void labour(struct player *player)
{
	const struct group *group = player->task->group;

	work(player, length(player, group->run, group->run_long, group->run_long_of));
	if (group->touch_kib)
		touch(player, (size_t)group->touch_kib * 1024);
	write_fresh(player, times(player, group->pages));
	write_file(player, times(player, group->files));
	use_blocks(player, times(player, group->reads), false);
	use_blocks(player, times(player, group->writes), true);
	start_children(player, times(player, group->forks));
	for (long count = times(player, group->yields); count > 0; count--)
		sched_yield();
}

#endif
