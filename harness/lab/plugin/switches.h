/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Every context switch of the guest, seen from outside: the guest executes not one instruction for it. A line each:
 * virtual nanoseconds, vCPU, thread id that leaves, thread id that comes, its name. The kernel's __switch_to_asm(prev, next) is watched.
 */
#ifndef PMVX_SWITCHES_H
#define PMVX_SWITCHES_H

#include <stdbool.h>
#include <stdint.h>

struct qemu_plugin_tb;

/* `switches=FILE`, `switch=ADDRESS` (hexadecimal), `pid=` and `comm=OFFSET` in the kernel's task_struct. */
bool switches_option(const char *text);
/* Finds the registers; to be called for a vCPU before it runs. */
void switches_vcpu(void);
void switches_block(struct qemu_plugin_tb *tb, int64_t (*now_ns)(void));
void switches_close(void);

#endif
