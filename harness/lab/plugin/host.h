/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What QEMU and its libraries would ask the host for while vCPUs run, and what a guest could see of the answer. The plugin is
 * preloaded, so that these functions come before those of the C library: gettimeofday, fsync, g_try_malloc_n.
 */
#ifndef PMVX_HOST_H
#define PMVX_HOST_H

#include <stdbool.h>
#include <stdint.h>

/* The time that gettimeofday tells from now on, to every thread: nanoseconds of virtual time, shown as time since 1970. */
void host_clock_set(int64_t ns);

/*
 * Whether the mathematical library computes without fused multiply-add. Where it may use it, the results of FSIN, FCOS, FSINCOS
 * and FPTAN follow the host's processor. Says on stderr what is wrong.
 */
bool host_arithmetic(void);

/* Hides from QEMU what the host's processor has above SSE2: it translates as on the least of hosts. Before the first block. */
void host_is_plain(void);

/* The guest has said its last word. */
void host_end(void);

#endif
