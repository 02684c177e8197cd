// SPDX-License-Identifier: GPL-2.0-or-later
#include "hash.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "emulator.h"
#include "qemu-plugin-abi.h"

/* Blocks hold at most 512 instructions (TCG_MAX_INSNS). */
#define COUNT_BITS 10
#define COUNT_MASK ((1u << COUNT_BITS) - 1)
#define SEED 0xcbf29ce484222325u
#define MAX_PARTS 8

struct part {
	uint64_t hash, blocks, executed[MAX_VCPUS];
};

static char *path;
static int vcpus;
static bool ended;
static int current;
static struct part parts[MAX_PARTS] = { { .hash = SEED } };

void hash_open(const char *file, int count)
{
	path = strdup(file);
	vcpus = count;
}

static void on_block(unsigned int unused, void *packed)
{
	struct part *part = &parts[current];
	unsigned int vcpu = running_vcpu();

	(void)unused;
	if (ended)
		return;
	part->hash = (part->hash ^ ((uintptr_t)packed + vcpu)) * 0x100000001b3u;
	part->hash ^= part->hash >> 29;
	part->executed[vcpu] += (uintptr_t)packed & COUNT_MASK;
	part->blocks++;
}

/*
 * What a block is: its code and its place in the page. Not its address: QEMU uses a block wherever the same page is mapped, and the plugin
 * hears only the address for which it was translated first, which depends on what ran before a restore.
 */
static uint64_t identity(const struct qemu_plugin_tb *tb, size_t count)
{
	uint64_t value = SEED ^ (qemu_plugin_tb_vaddr(tb) & 0xfff);

	for (size_t i = 0; i < count; i++) {
		const struct qemu_plugin_insn *insn = qemu_plugin_tb_get_insn(tb, i);
		unsigned char code[16];
		size_t size = qemu_plugin_insn_data(insn, code, sizeof(code));

		for (size_t byte = 0; byte < size; byte++)
			value = (value ^ code[byte]) * 0x100000001b3u;
	}
	return value;
}

void hash_block(struct qemu_plugin_tb *tb, size_t count)
{
	if (path)
		qemu_plugin_register_vcpu_tb_exec_cb(tb, on_block, QEMU_PLUGIN_CB_NO_REGS,
						     (void *)(uintptr_t)(identity(tb, count) << COUNT_BITS | count));
}

void hash_fork(void)
{
	if (current + 1 < MAX_PARTS)
		parts[++current].hash = SEED;
}

void hash_end(void)
{
	ended = true;
}

static void write_part(FILE *file, const struct part *part)
{
	fprintf(file, "{\"hash\":\"%016" PRIx64 "\",\"blocks\":%" PRIu64 ",\"instructions\":[", part->hash, part->blocks);
	for (int i = 0; i < vcpus; i++)
		fprintf(file, "%s%" PRIu64, i ? "," : "", part->executed[i]);
	fputs("]}", file);
}

void hash_write(void)
{
	FILE *file = path ? fopen(path, "w") : NULL;

	if (!file)
		return;
	fputs("{\"parts\":[", file);
	for (int i = 0; i <= current; i++) {
		fputs(i ? "," : "", file);
		write_part(file, &parts[i]);
	}
	fputs("]}\n", file);
	fclose(file);
}
