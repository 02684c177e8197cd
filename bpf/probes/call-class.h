/* SPDX-License-Identifier: GPL-2.0-only */
/* System calls by what they are to communication between tasks: the members of struct pmvx_calls, in their order. */
#ifndef PMVX_CALL_CLASS_H
#define PMVX_CALL_CLASS_H

#include <asm/unistd.h>

#include "calls.h"
#include "kernel.h"

#define FUTEX_CMD_MASK 0x7f /* include/uapi/linux/futex.h: without the flags */
#define CALLS 512

#ifdef __TARGET_ARCH_x86
#define CALL_NUMBER(regs) ((long)(regs)->orig_ax)
#define SECOND_ARGUMENT(regs) ((regs)->si)
#else
#define CALL_NUMBER(regs) ((long)(regs)->syscallno)
#define SECOND_ARGUMENT(regs) ((regs)->regs[1])
#endif

#define CLASS(member) (__builtin_offsetof(struct pmvx_calls, member) / sizeof(__u64))
#define CLASSES (sizeof(struct pmvx_calls) / sizeof(__u64))

static const __u8 class_of[CALLS] = {
	[__NR_read] = CLASS(read), [__NR_readv] = CLASS(read), [__NR_pread64] = CLASS(read), [__NR_preadv] = CLASS(read),
	[__NR_write] = CLASS(write), [__NR_writev] = CLASS(write), [__NR_pwrite64] = CLASS(write), [__NR_pwritev] = CLASS(write),
	[__NR_splice] = CLASS(write), [__NR_tee] = CLASS(write), [__NR_vmsplice] = CLASS(write), [__NR_sendfile] = CLASS(write),
	[__NR_sendto] = CLASS(send), [__NR_sendmsg] = CLASS(send), [__NR_sendmmsg] = CLASS(send),
	[__NR_recvfrom] = CLASS(receive), [__NR_recvmsg] = CLASS(receive), [__NR_recvmmsg] = CLASS(receive),
	[__NR_connect] = CLASS(connect), [__NR_accept] = CLASS(connect), [__NR_accept4] = CLASS(connect),
	[__NR_epoll_pwait] = CLASS(epoll), [__NR_epoll_pwait2] = CLASS(epoll), [__NR_epoll_ctl] = CLASS(epoll),
	[__NR_ppoll] = CLASS(poll), [__NR_pselect6] = CLASS(poll),
	[__NR_pipe2] = CLASS(pipe),
	[__NR_nanosleep] = CLASS(sleep), [__NR_clock_nanosleep] = CLASS(sleep),
	[__NR_sched_yield] = CLASS(yield),
	[__NR_wait4] = CLASS(wait), [__NR_waitid] = CLASS(wait),
	/* futex_waitv, futex_wake, futex_wait, futex_requeue: the same numbers everywhere, newer than some headers. */
	[449] = CLASS(futex_wait), [454] = CLASS(futex_wake), [455] = CLASS(futex_wait), [456] = CLASS(futex_wake),
	/* What newer architectures left out. */
#ifdef __NR_epoll_wait
	[__NR_epoll_wait] = CLASS(epoll),
#endif
#ifdef __NR_poll
	[__NR_poll] = CLASS(poll), [__NR_select] = CLASS(poll),
#endif
#ifdef __NR_pipe
	[__NR_pipe] = CLASS(pipe),
#endif
};

/* By operation (include/uapi/linux/futex.h): waits, and among the wake-ups those that also move waiters to another futex. */
static __always_inline __u32 futex_class(__u64 operation)
{
	switch (operation & FUTEX_CMD_MASK) {
	case 0:
	case 6:
	case 9:
	case 11:
	case 13:
		return CLASS(futex_wait);
	case 1:
	case 3:
	case 4:
	case 5:
	case 7:
	case 10:
	case 12:
		return CLASS(futex_wake);
	default:
		return CLASS(futex_other);
	}
}

/* A number below CLASSES. */
static __always_inline __u32 call_class(struct pt_regs *regs, long number)
{
	__u32 class;

	if (number == __NR_futex)
		return futex_class(SECOND_ARGUMENT(regs));
	class = (__u64)number < CALLS ? class_of[number] : 0;
	/* One register from here to the index: a check of a copy tells the verifier nothing. */
	barrier_var(class);
	return class < CLASSES ? class : 0;
}

#endif
