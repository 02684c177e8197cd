/* SPDX-License-Identifier: Apache-2.0 */
/* How a thread comes to have used as much CPU time as the task that it plays. */
#ifndef PMVX_PACE_H
#define PMVX_PACE_H

#include "wake.h"

#define CHUNK_NS 50000000
#define CHUNK_WAKER_NS 50000
#define CHUNK_SHARED_NS 500000
#define CALIBRATE_NS 20000000
#define CLOCK_ROUNDS 1000

static double steps_per_ns;
static uint64_t clock_cost_ns;
static volatile uint64_t sink; /* no compiler may leave the computing out */

/* A thread's state while it plays a task. */
struct player {
	struct task *task;
	uint64_t target_ns; /* CPU time that the recorded task had used by now */
	uint64_t known_ns;  /* CPU time of this thread when it was last read, or computed up to */
	uint64_t timer_ns;  /* when the last timer was due */
	int64_t *shared_ns; /* where the next run is taken from */
	uint64_t state;
};

static uint64_t cpu_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* How fast this machine computes by its CPU clock, and what looking at that costs: the best of five, for others may interfere. */
static void calibrate(uint64_t start)
{
	uint64_t steps = 1000;

	for (int round = 0; round < 5;) {
		uint64_t before = cpu_ns(), took;

		sink = compute(start, steps);
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
	for (int i = 0; i < CLOCK_ROUNDS; i++)
		cpu_ns();
	clock_cost_ns = (cpu_ns() - clock_cost_ns) / CLOCK_ROUNDS;
}

static void spend(struct player *player, uint64_t ns)
{
	player->state = compute(player->state, (uint64_t)((double)ns * steps_per_ns));
	player->known_ns += ns;
}

/*
 * Computes until the CPU clock has come to the target. Looking at it costs about as much as a short run: what is shorter is put off.
 * It is not asked often: it makes the scheduler look at the task, which may end its slice before the scheduler would have; and a
 * machine that counts instructions lets it jump. Who wakes others looks after them meanwhile.
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

		spend(player, part);
		if (part == left)
			return;
		settle(player->task);
		if (player->known_ns > since + CHUNK_NS)
			since = player->known_ns = cpu_ns();
	}
}

/* Computes pieces of work that others compute, too, until none is left. */
static void compute_shared(struct player *player)
{
	int64_t left;

	while ((left = __atomic_fetch_sub(player->shared_ns, CHUNK_SHARED_NS, __ATOMIC_RELAXED)) > 0) {
		uint64_t part = left < CHUNK_SHARED_NS ? (uint64_t)left : CHUNK_SHARED_NS;

		player->target_ns += part;
		spend(player, part);
		settle(player->task);
	}
	player->shared_ns = NULL;
}

#endif
