/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the kernel's half of the recorder writes and its user's half passes on: events of 24 bytes, one buffer a CPU. Read by
 * harness/trace/events.ts.
 */
#ifndef PMVX_RECORD_H
#define PMVX_RECORD_H

/* A task that is not followed is 0. */
enum record_kind {
	RECORD_SWITCH = 1, /* a: who leaves, b: who comes, value: enum record_leave of a */
	RECORD_WAKE = 2,   /* a: who wakes, or 0; b: who is woken, value: enum record_by */
	RECORD_START = 3,  /* a: who starts, b: the new task */
	RECORD_TASK = 4,   /* a: task, b: CPUs that it may use (0: all), value: enum record_class and nice + 20 or priority */
	RECORD_NAME = 5,   /* follows RECORD_TASK: its name instead of the first 16 bytes, then the task */
};

enum record_leave {
	RECORD_PREEMPTED = 0, /* it could go on */
	RECORD_BLOCKED = 1,
	RECORD_DEAD = 2,
};

enum record_by {
	RECORD_BY_TASK = 0,
	RECORD_BY_TIMER = 1,
	RECORD_BY_OTHER = 2, /* a device, or a task that is not followed */
	RECORD_BY_END = 3,   /* a task, because it ends: its parent, who joins it, who reads from its pipes */
	RECORD_BY_SYNC = 4,  /* a task that says that it is about to wait itself (WF_SYNC): through a pipe or a socket */
};

/* In bits 8 to 15 of a task's value. */
enum record_class {
	RECORD_FAIR = 0,
	RECORD_FIFO = 1,
	RECORD_RR = 2,
	RECORD_BATCH = 3,
	RECORD_IDLE = 5,
};

struct record_event {
	union {
		struct {
			unsigned long long time_ns; /* CLOCK_MONOTONIC */
			unsigned int a;
			unsigned int b;
		};
		char name[16];
	};
	unsigned int value;
	unsigned char kind;
	unsigned char reserved;
	unsigned short cpu;
};

#define RECORD_CPUS_MAX 512

/* One CPU's place in its buffer; a cache line of its own. */
struct record_cpu {
	unsigned long long used; /* events, also those that found no room */
	unsigned int timers;	 /* depth of timers that expire */
	unsigned int devices;	 /* depth of other interrupts and softirqs in which no task's work is done */
	unsigned int sync;	 /* whom a task tries to wake that is about to wait itself */
	unsigned int pad[11];
};

#endif
