/* SPDX-License-Identifier: GPL-2.0-only */
/* What a process and its guardian say to one another: one struct guardian_message a packet, over a SOCK_SEQPACKET socket. */
#ifndef EBPF_NAPI_GUARDIAN_H
#define EBPF_NAPI_GUARDIAN_H

#include <stdint.h>

#define GUARDIAN_TEXT 1024
/* Where the guardian finds its socket. */
#define GUARDIAN_SOCKET 3

enum guardian_request {
	GUARDIAN_BEAT = 1,	   /* value: ms until the next one at the latest */
	GUARDIAN_HOLD_DESCRIPTOR,  /* with a descriptor: closing it ends what it holds */
	GUARDIAN_HOLD_PROCESS,	   /* with a pidfd: SIGINT, then SIGKILL */
	GUARDIAN_HOLD_SETTING,	   /* text: path, value before, value since; each ends with NUL */
	GUARDIAN_DROP,		   /* id; 0: all */
	GUARDIAN_LATCH,		   /* drops all, and takes nothing until GUARDIAN_OPEN */
	GUARDIAN_OPEN,
	GUARDIAN_NOTIFY,	   /* text: for the service manager, as of sd_notify(3) */
};

enum guardian_answer {
	GUARDIAN_READY = 1, /* text: how it runs */
	GUARDIAN_ALIVE,	    /* to each beat */
	GUARDIAN_HELD,	    /* id; value: 0, or the errno with which it was refused */
	GUARDIAN_DROPPED,   /* id; value: 0, or the errno with which it is tried again */
	GUARDIAN_HOME,	    /* value: a guardian_cause; text: what for */
};

/* Why all was dropped although the other side did not ask. */
enum guardian_cause { GUARDIAN_NO_BEAT = 1, GUARDIAN_SIGNAL, GUARDIAN_KILL_FILE, GUARDIAN_ENDS };

struct guardian_message {
	uint32_t kind;
	uint32_t id;
	int32_t value;
	uint32_t length; /* of the text */
	char text[GUARDIAN_TEXT];
};

#define GUARDIAN_HEAD (sizeof(struct guardian_message) - GUARDIAN_TEXT)

#endif
