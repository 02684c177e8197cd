/* SPDX-License-Identifier: Apache-2.0 */
/* Tasks and their inboxes: who sends puts a message in, who takes none finds sleeps. All of it is in memory that processes share. */
#ifndef PMVX_SYNTH_INBOX_H
#define PMVX_SYNTH_INBOX_H

#include <arpa/inet.h>
#include <linux/futex.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdatomic.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "buckets.h"
#include "profile.h"

#define TIMES 1024 /* messages of an inbox whose times are kept */

struct task {
	_Alignas(64) _Atomic uint32_t posted; /* messages that were ever put in */
	_Atomic uint32_t taken;
	_Atomic uint32_t asleep;  /* the owner waits for posted to change */
	_Atomic uint32_t waiting; /* senders that wait for taken to change */
	const struct group *group;
	long number; /* in its group, from 0 */
	int in, out; /* who owns it reads in, who sends writes out */
	int set;     /* epoll */
	_Atomic uint64_t sent_ns[TIMES];
	_Atomic uint64_t rounds;
	_Atomic uint64_t began_ns; /* its round under way, or the next one's timer; a message when it is taken */
	uint64_t noted;        /* rounds that began before all groups had done their share */
	uint64_t response_ns;  /* sum over these */
};

/* What all share. */
struct shared {
	_Atomic uint32_t over; /* 1: all groups have done their share; 2: someone gave up */
	_Atomic uint32_t unfinished; /* groups */
	_Atomic uint64_t done[GROUPS_MAX];
	uint64_t started_ns, finished_ns;
	_Atomic uint32_t counts[BUCKETS];
};

static struct task *tasks; /* those of group 0, then of group 1, ... */
static struct task *first_of[GROUPS_MAX];
static struct shared *shared;

static void *shared_memory(size_t bytes)
{
	void *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (memory == MAP_FAILED)
		fail("memory", errno);
	return memory;
}

static long futex(_Atomic uint32_t *word, int operation, uint32_t value)
{
	return syscall(SYS_futex, word, operation, value, NULL, NULL, 0);
}

/* Ends the whole run: who is not the main program must not just go. */
static _Noreturn void give_up(const char *what, int error)
{
	fprintf(stderr, "synth: %s: %s\n", what, strerror(error));
	atomic_store(&shared->over, 2);
	futex(&shared->over, FUTEX_WAKE, 1);
	for (;;)
		pause();
}

static void connect_over_tcp(int ends[2])
{
	struct sockaddr_in here = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
	socklen_t length = sizeof(here);
	int listener = socket(AF_INET, SOCK_STREAM, 0), on = 1;

	if (listener < 0 || bind(listener, (struct sockaddr *)&here, length) || listen(listener, 1) ||
	    getsockname(listener, (struct sockaddr *)&here, &length))
		fail("listen on loopback", errno);
	ends[1] = socket(AF_INET, SOCK_STREAM, 0);
	if (ends[1] < 0 || connect(ends[1], (struct sockaddr *)&here, length))
		fail("connect over loopback", errno);
	ends[0] = accept(listener, NULL, NULL);
	if (ends[0] < 0 || setsockopt(ends[1], IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)))
		fail("accept on loopback", errno);
	close(listener);
}

static void make_inbox(struct task *task)
{
	const struct group *group = task->group;
	struct epoll_event event = { .events = EPOLLIN };
	int ends[2] = { -1, -1 };

	task->set = -1;
	if (group->link == PIPE && pipe(ends))
		fail("pipe", errno);
	if (group->link == UNIX && socketpair(AF_UNIX, SOCK_STREAM, 0, ends))
		fail("socketpair", errno);
	if (group->link == TCP)
		connect_over_tcp(ends);
	if (group->link == EVENT) {
		ends[0] = ends[1] = eventfd(0, EFD_SEMAPHORE);
		if (ends[0] < 0)
			fail("eventfd", errno);
	}
	task->in = ends[0];
	task->out = ends[1];
	if (group->call != EPOLL)
		return;
	task->set = epoll_create1(0);
	if (task->set < 0 || epoll_ctl(task->set, EPOLL_CTL_ADD, task->in, &event))
		fail("epoll", errno);
}

/* Waits while the inbox is full, then claims a place. */
static uint32_t claim_slot(struct task *to)
{
	for (;;) {
		uint32_t posted = atomic_load(&to->posted), taken = atomic_load(&to->taken);

		if (to->group->link != FUTEX || posted - taken < (uint32_t)to->group->depth) {
			if (atomic_compare_exchange_weak(&to->posted, &posted, posted + 1))
				return posted;
			continue;
		}
		atomic_fetch_add(&to->waiting, 1);
		futex(&to->taken, FUTEX_WAIT, taken);
		atomic_fetch_sub(&to->waiting, 1);
	}
}

static char payload[65536];

static void give(struct task *to, uint64_t now)
{
	uint64_t one = 1;
	size_t left = (size_t)to->group->bytes;

	atomic_store(&to->sent_ns[claim_slot(to) % TIMES], now);
	if (to->group->link == FUTEX) {
		if (atomic_load(&to->asleep))
			futex(&to->posted, FUTEX_WAKE, 1);
		return;
	}
	if (to->group->link == EVENT) {
		if (write(to->out, &one, sizeof(one)) != sizeof(one))
			give_up("write", errno);
		return;
	}
	while (left) {
		ssize_t part = to->group->call == RECV ? send(to->out, payload, left, MSG_NOSIGNAL) : write(to->out, payload, left);

		if (part < 0 && errno != EINTR)
			give_up("write", errno);
		left -= part > 0 ? (size_t)part : 0;
	}
}

static void await_message(struct task *task)
{
	struct epoll_event event;
	struct pollfd wanted = { .fd = task->in, .events = POLLIN };

	if (task->group->call == EPOLL)
		while (epoll_wait(task->set, &event, 1, -1) < 1 && errno == EINTR)
			;
	if (task->group->call == POLL)
		while (poll(&wanted, 1, -1) < 1 && errno == EINTR)
			;
}

static void take_bytes(struct task *task, char *buffer)
{
	size_t left = task->group->link == EVENT ? sizeof(uint64_t) : (size_t)task->group->bytes;

	await_message(task);
	while (left) {
		ssize_t part = task->group->call == RECV ? recv(task->in, buffer, left, 0) : read(task->in, buffer, left);

		if (!part || (part < 0 && errno != EINTR))
			give_up("read", part ? errno : EPIPE);
		left -= part > 0 ? (size_t)part : 0;
	}
}

/* Until there is a message, which is taken: when it was sent. `buffer` has room for it. */
static uint64_t take(struct task *task, char *buffer)
{
	uint32_t taken = atomic_load(&task->taken);
	uint64_t sent;

	if (task->group->link != FUTEX) {
		take_bytes(task, buffer);
	} else {
		while (atomic_load(&task->posted) == taken) {
			atomic_store(&task->asleep, 1);
			futex(&task->posted, FUTEX_WAIT, taken);
			atomic_store(&task->asleep, 0);
		}
	}
	/* Later messages have their times in the places of earlier ones. */
	if (atomic_load(&task->posted) - taken > TIMES)
		give_up("more messages wait for a task than times are kept of", EOVERFLOW);
	sent = atomic_load(&task->sent_ns[taken % TIMES]);
	atomic_store(&task->taken, taken + 1);
	if (atomic_load(&task->waiting))
		futex(&task->taken, FUTEX_WAKE, 1);
	return sent;
}

#endif
