/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Marks tell the exact engine's plugin (harness/lab/plugin/slice.c) where the guest is: long nops, each with a displacement of its
 * own. On a processor, and on the other engines, they do nothing. The plugin looks at the first instruction of a block; a jump
 * before and after makes the mark a block of its own.
 */
#ifndef PMVX_MARK_H
#define PMVX_MARK_H

#define PMVX_MARK_END 0x706d7678  /* all that counts has happened; the machine may end */
#define PMVX_MARK_FORK 0x706d7679 /* the policy is about to be chosen */
#define PMVX_MARK_IDLE 0x706d767a /* a block of idle nops, see bpf/guest/idle */

#define PMVX_TEXT_(x) #x
#define PMVX_TEXT(x) PMVX_TEXT_(x)
#define PMVX_MARK(which) asm volatile("jmp 1f\n1:\tnopl " PMVX_TEXT(which) "(%%rax)\n\tjmp 2f\n2:" ::: "memory")

#endif
