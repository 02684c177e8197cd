/* SPDX-License-Identifier: GPL-2.0-only */
/* What held.c and held-handle.c share: a program whose attaching of a struct_ops waits to be let go. */
#ifndef EBPF_NAPI_HELD_H
#define EBPF_NAPI_HELD_H

#include "addon.h"

#include <pthread.h>
#include <sys/types.h>

/* Of what a program says, the end is kept. */
#define HELD_WORDS 4096

enum held_stage { HELD_STARTING, HELD_WAITING, HELD_RELEASED, HELD_ENDED };

struct held {
	int references; /* its handle, and the thread that answers its calls */
	pid_t pid;
	int listener;
	int end;    /* pidfd: readable once the program has ended */
	int output; /* the end of a pipe that the program's stdout and stderr go to */
	pthread_mutex_t lock;
	enum held_stage stage;
	uint64_t notification; /* of the call that waits */
	int status;	       /* as of waitpid(2), once it has ended */
	char words[HELD_WORDS]; /* the end of what it said */
	size_t length;
};

/* Starts the program; NULL with errno. */
struct held *held_start(char **argv);
/* Lets it attach, now or when it comes to that. */
void held_release(struct held *held);
/* Whether it was still there. */
bool held_kill(struct held *held, int signal);
void held_unref(struct held *held);

#endif
