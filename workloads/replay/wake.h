/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who wakes whom, when times are not those that were recorded.
 *
 * A recorded wake-up ended a wait. A task that is woken while it still computes is owed the wake-up: it will wait all the same, until one
 * of those who wake it comes by once more and gives it, for in the recorded program any of what they did in between would have.
 * Each gives about as many wake-ups as it was recorded to. Only when nobody is left to come, for all of them wait themselves or
 * have ended, is the wake-up taken without waiting: so nothing can get stuck that did not get stuck when it was recorded.
 */
#ifndef PMVX_WAKE_H
#define PMVX_WAKE_H

#include <linux/futex.h>
#include <sched.h>
#include <stdatomic.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "trace.h"

#define LOOKED_AFTER 32
#define PATIENCE_NS 40000

/* A write into a pipe tells the scheduler that the writer is about to wait, a wake-up through a futex does not. */
enum means { AWAKE = 0, BY_FUTEX = 1, BY_PIPE = 2 };

static int owed_to_all; /* wake-ups */
static uint64_t *delays;
static uint64_t end_ns; /* when the first task ended; 0 before */
static atomic_size_t delay_count;

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

/*
 * Time from when a task was woken, started or due to when it runs; what began after the end of the run is no part of it. Who should run at
 * the end and does not is awaited (unsettled), so no delay is left out because it was long.
 */
static void note_delay(uint64_t since_ns)
{
	uint64_t now = now_ns(), end = __atomic_load_n(&end_ns, __ATOMIC_SEQ_CST);

	if (end && since_ns > end)
		return;
	delays[atomic_fetch_add(&delay_count, 1)] = now > since_ns ? now - since_ns : 0;
}

/* Wakes a task if it waits. The time is there before it can go on, for it may do so without having slept. */
static bool wake_waiting(struct task *task)
{
	int waiting = load(&task->asleep);

	do {
		if (waiting == AWAKE)
			return false;
		__atomic_store_n(&task->woken_ns, now_ns(), __ATOMIC_SEQ_CST);
	} while (!__atomic_compare_exchange_n(&task->asleep, &waiting, AWAKE, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST));
	if (waiting == BY_FUTEX)
		futex(&task->asleep, FUTEX_WAKE, 1);
	else if (write(task->pipe[1], "", 1) != 1)
		fail("pipe", errno);
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

/* Until all of these have ended: nobody else can tell. */
static void wait_for_ends(struct task *task, struct ends *ends)
{
	bool slept = false;
	int left;

	__atomic_store_n(&task->awaited, ends, __ATOMIC_SEQ_CST);
	while ((left = load(&ends->left)))
		slept |= futex(&ends->left, FUTEX_WAIT, left) == 0;
	if (slept)
		note_delay(ends->last_ns);
	__atomic_store_n(&task->awaited, NULL, __ATOMIC_SEQ_CST);
}

static void end(const struct task *task)
{
	for (const struct concern *concern = task->concerns; concern; concern = concern->next) {
		struct ends *ends = concern->ends;

		/* Whoever comes to 0 has written last. */
		__atomic_store_n(&ends->last_ns, now_ns(), __ATOMIC_RELAXED);
		if (__atomic_sub_fetch(&ends->left, 1, __ATOMIC_SEQ_CST) == 0)
			futex(&ends->left, FUTEX_WAKE, 1);
	}
}

/*
 * Until someone wakes this task. A wake-up that is owed is taken without sleeping only when there is nobody left to come.
 */
static void wait_for_wake(struct task *task, enum means means)
{
	bool slept;
	char byte;

	if (load(&task->wakers) == 0 && take_owed(task))
		return;
	store(&task->asleep, (int)means);
	__atomic_store_n(&task->waiting, true, __ATOMIC_SEQ_CST);
	if (load(&task->wakers) == 0)
		settle_one(task);
	slept = load(&task->asleep);
	/* Whoever wakes it writes one byte, before or after it has come to sleep. */
	if (means == BY_PIPE && read(task->pipe[0], &byte, 1) != 1)
		fail("pipe", errno);
	while (load(&task->asleep))
		futex(&task->asleep, FUTEX_WAIT, (int)means);
	if (slept)
		note_delay(task->woken_ns);
	__atomic_store_n(&task->waiting, false, __ATOMIC_SEQ_CST);
}

/* Whether a task was woken, started or due by the end of the run and has not run since. */
static bool unsettled(const struct task *task)
{
	uint64_t begun = __atomic_load_n(&task->begun_ns, __ATOMIC_SEQ_CST), due = __atomic_load_n(&task->due_ns, __ATOMIC_SEQ_CST);
	const struct ends *awaited = __atomic_load_n(&task->awaited, __ATOMIC_SEQ_CST);

	if (begun && begun <= end_ns && !__atomic_load_n(&task->running, __ATOMIC_SEQ_CST))
		return true;
	if (due && due <= end_ns)
		return true;
	if (awaited && !load(&awaited->left) && awaited->last_ns <= end_ns)
		return true;
	return __atomic_load_n(&task->waiting, __ATOMIC_SEQ_CST) && !load(&task->asleep) &&
	       __atomic_load_n(&task->woken_ns, __ATOMIC_SEQ_CST) <= end_ns;
}

#endif
