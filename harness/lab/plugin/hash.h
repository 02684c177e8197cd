/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A running hash over the code of every executed block and the vCPU that ran it, in parts: each FORK mark begins a new one, the END mark ends the
 * last. Two machines with one hash executed the same machine code in the same order; the last part of a machine that was booted is the last part
 * of its fork. Costs a call a block. Written as JSON: {"parts": [{"hash", "blocks", "instructions": [of each vCPU]}]}.
 */
#ifndef PMVX_HASH_H
#define PMVX_HASH_H

#include <stddef.h>

struct qemu_plugin_tb;

void hash_open(const char *file, int vcpus);
void hash_block(struct qemu_plugin_tb *tb, size_t count);
void hash_fork(void);
void hash_end(void);
void hash_write(void);

#endif
