/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the plugin takes from QEMU besides its plugin interface: exported symbols, the moments at which a vCPU's turn begins
 * and ends, and virtual time that may be moved forward. Holds for QEMU 10.0 and is checked before the first instruction.
 */
#ifndef PMVX_EMULATOR_H
#define PMVX_EMULATOR_H

#include <stdbool.h>
#include <stdint.h>

#define MAX_VCPUS 64
/* Instructions of a block at most, but of one of nops. */
#define LONGEST_BLOCK 64

struct CPUState;
extern __thread struct CPUState *current_cpu;
void cpu_exit(struct CPUState *cpu);
/* Executed instructions, all vCPUs together. */
int64_t icount_get_raw(void);
/* Virtual time, nanoseconds. */
int64_t icount_get(void);

/*
 * Calls `begin` and `end` around each turn of a vCPU. Returns false, with a line on stderr, where this QEMU is built otherwise.
 * `free_block` says whether a block that begins at `address` with `code` (NULL: cannot be looked at) is one of nops.
 * To be called in the thread of the vCPUs before any of them runs.
 */
bool emulator_hook(int vcpus, void (*begin)(unsigned int vcpu), void (*end)(unsigned int vcpu),
		   bool (*free_block)(uint64_t address, const void *code));

/* Index of the vCPU that runs. The one that QEMU passes to callbacks is that of whichever vCPU translated the block. */
unsigned int running_vcpu(void);

/*
 * Puts off, for good, the timer with which QEMU's round robin interrupts a vCPU every 100 virtual milliseconds: turns end by
 * themselves, and its phase is not part of a saved machine. Called at the beginning of a turn.
 */
void put_off_kick(void);

/*
 * Interrupts every vCPU once, as QEMU does when it lets a restored machine go on. An interrupted vCPU has its next turn all the
 * same, but timers are looked at before it, and what is left until the next one is divided anew.
 */
void interrupt_all(void);

/*
 * Every vCPU's cache of addresses (soft TLB) begins anew: empty, of its first size, with windows that begin now. A guest sees
 * that cache through the accessed bits of its page tables. Called at the beginning of a turn.
 */
void forget_addresses(void);

/* Moves virtual time forward. */
void advance_ns(int64_t ns);

/* Nanoseconds to the next virtual timer, -1 when there is none. */
int64_t ns_to_next_timer(void);

/* Stops all vCPUs: none executes a further block once the block that called this has ended. */
void stop_machine(void);

/* Ends QEMU as a guest's power-off does. */
void end_machine(void);

#endif
