// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * slice: equal instruction shares for the vCPUs of QEMU's single-threaded icount mode.
 *
 * QEMU divides the instructions up to the next timer among the vCPUs and starts anew after each timer, which favours some
 * positions. Here every turn is worth the same: a vCPU runs until it has executed `quantum` instructions, and what a
 * timer cut off or a long block ran over is settled in its next turn (deficit round robin, Shreedhar and Varghese 1995).
 *
 * While one vCPU has run alone for a while (all others halted: early boot, before the idle module), its PAUSE is worth
 * PAUSE_COST instructions of virtual time, as on hardware since Skylake (Intel Optimization Reference Manual, 2.6.4). The
 * kernel calibrates its timer there by spinning for 100 virtual milliseconds, and every PAUSE leaves the emulator's inner
 * loop: without this a third of a boot's host time is spent on it.
 *
 * A block that holds the guest agent's mark (a long NOP with its own displacement) ends the hash: what vCPUs do between the
 * guest's power-off and QEMU's end depends on the host.
 *
 * Options: quantum=N; shift=S (icount shift); hash=FILE (optional): at exit FILE holds a running hash over every executed
 * block and the vCPU that ran it, and the instruction counts. Two runs with one hash executed the same machine code in
 * the same order.
 *
 * The plugin relies on symbols that QEMU exports: current_cpu, cpu_exit, timers_state, icount_get. Where the layout of
 * timers_state is not the expected one, it says so and QEMU does not start.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "qemu-plugin-abi.h"

#define MAX_VCPUS 64
/* Blocks hold at most 512 instructions (TCG_MAX_INSNS); two bits more say what a block holds. */
#define COUNT_BITS 12
#define COUNT_MASK 1023u
#define HAS_PAUSE 1024u
#define HAS_MARK 2048u
#define PAUSE_COST 140
#define ALONE_AFTER 1000000
/* Offset of qemu_icount_bias, nanoseconds added to virtual time, in QEMU's TimersState. */
#define BIAS_OFFSET 40

struct CPUState;
extern __thread struct CPUState *current_cpu;
extern char timers_state[];
void cpu_exit(struct CPUState *cpu);
int64_t icount_get(void);

QEMU_PLUGIN_EXPORT int qemu_plugin_version = QEMU_PLUGIN_VERSION;

static int64_t quantum = 5000;
static int64_t left[MAX_VCPUS];
static unsigned int running = MAX_VCPUS;
static uint64_t executed[MAX_VCPUS];
static uint64_t blocks;
static uint64_t hash = 0xcbf29ce484222325u;
static const char *hash_file;
static int vcpus;
static int shift;
static bool ended;
static unsigned int last_vcpu;
static int64_t alone;
static bool bias_checked;

static inline void advance_ns(int64_t ns)
{
	/* One aligned store by the only thread that runs vCPUs: readers in other threads see the old or the new value. */
	__atomic_fetch_add((int64_t *)(timers_state + BIAS_OFFSET), ns, __ATOMIC_SEQ_CST);
}

/* Before the first instruction: moving the bias must move virtual time by as much. */
static void check_bias(qemu_plugin_id_t id, unsigned int vcpu)
{
	int64_t before;

	(void)id;
	if (vcpu != 0 || bias_checked)
		return;
	bias_checked = true;
	before = icount_get();
	advance_ns(4242);
	if (icount_get() != before + 4242) {
		fprintf(stderr, "slice: this QEMU keeps virtual time elsewhere; build the image with the pinned version\n");
		exit(1);
	}
	advance_ns(-4242);
}

/*
 * The vCPU that runs, numbered by first appearance. The index that QEMU passes to callbacks is no use: in single-thread mode
 * it is the constant of whichever vCPU translated the block first.
 */
static inline unsigned int running_vcpu(void)
{
	static struct CPUState *known[MAX_VCPUS], *cached;
	static unsigned int count, cached_index;

	if (current_cpu == cached)
		return cached_index;
	for (cached_index = 0; cached_index < count; cached_index++)
		if (known[cached_index] == current_cpu)
			break;
	if (cached_index == count)
		known[count++] = current_cpu;
	cached = current_cpu;
	return cached_index;
}

static inline void account(unsigned int vcpu, int64_t count)
{
	if (vcpu != running) {
		running = vcpu;
		/* A vCPU that was halted or often cut short may catch up by one turn, not more. */
		left[vcpu] = left[vcpu] > quantum ? 2 * quantum : left[vcpu] + quantum;
	}
	left[vcpu] -= count;
	if (left[vcpu] <= 0) {
		running = MAX_VCPUS;
		cpu_exit(current_cpu);
	}
}

static inline void pause_alone(unsigned int vcpu, uintptr_t packed)
{
	if (vcpu != last_vcpu) {
		last_vcpu = vcpu;
		alone = 0;
	}
	alone += (int64_t)(packed & COUNT_MASK);
	if (packed & HAS_PAUSE && alone > ALONE_AFTER)
		advance_ns((int64_t)PAUSE_COST << shift);
}

static inline void step(unsigned int vcpu, void *packed)
{
	pause_alone(vcpu, (uintptr_t)packed);
	account(vcpu, (int64_t)((uintptr_t)packed & COUNT_MASK));
}

static void on_block(unsigned int unused, void *packed)
{
	(void)unused;
	step(running_vcpu(), packed);
}

static void on_block_hashed(unsigned int unused, void *packed)
{
	unsigned int vcpu = running_vcpu();
	uint64_t count = (uintptr_t)packed & COUNT_MASK;

	(void)unused;
	if (ended) {
		step(vcpu, packed);
		return;
	}
	ended = (uintptr_t)packed & HAS_MARK;
	hash = (hash ^ ((uintptr_t)packed + vcpu)) * 0x100000001b3u;
	hash ^= hash >> 29;
	executed[vcpu] += count;
	blocks++;
	step(vcpu, packed);
}

/* nopl 0x706d7678(%rax), see bpf/guest/agent/main.c */
static const unsigned char mark[7] = { 0x0f, 0x1f, 0x80, 0x78, 0x76, 0x6d, 0x70 };
static const unsigned char pause_code[2] = { 0xf3, 0x90 };

static bool is_code(const struct qemu_plugin_insn *insn, const unsigned char *code, size_t size)
{
	unsigned char bytes[sizeof(mark)];

	return qemu_plugin_insn_size(insn) == size && qemu_plugin_insn_data(insn, bytes, size) == size &&
	       !memcmp(bytes, code, size);
}

static uintptr_t contents(const struct qemu_plugin_tb *tb, size_t count)
{
	uintptr_t flags = 0;

	for (size_t i = 0; i < count; i++)
		if (is_code(qemu_plugin_tb_get_insn(tb, i), mark, sizeof(mark)))
			flags |= HAS_MARK;
	/* PAUSE always ends a block. */
	if (count > 0 && is_code(qemu_plugin_tb_get_insn(tb, count - 1), pause_code, sizeof(pause_code)))
		flags |= HAS_PAUSE;
	return flags;
}

static void on_translate(qemu_plugin_id_t id, struct qemu_plugin_tb *tb)
{
	uintptr_t count = qemu_plugin_tb_n_insns(tb);
	/* Kernel addresses differ in their low 48 bits; shifting loses only sign extension. */
	uintptr_t packed = (uintptr_t)qemu_plugin_tb_vaddr(tb) << COUNT_BITS | count | contents(tb, count);

	(void)id;
	qemu_plugin_register_vcpu_tb_exec_cb(tb, hash_file ? on_block_hashed : on_block, QEMU_PLUGIN_CB_NO_REGS,
					     (void *)packed);
}

static void write_hash(qemu_plugin_id_t id, void *unused)
{
	FILE *file;

	(void)id;
	(void)unused;
	if (!hash_file)
		return;
	file = fopen(hash_file, "w");
	if (!file)
		return;
	fprintf(file, "{\"hash\":\"%016" PRIx64 "\",\"blocks\":%" PRIu64 ",\"instructions\":[", hash, blocks);
	for (int i = 0; i < vcpus; i++)
		fprintf(file, "%s%" PRIu64, i ? "," : "", executed[i]);
	fprintf(file, "]}\n");
	fclose(file);
}

QEMU_PLUGIN_EXPORT int qemu_plugin_install(qemu_plugin_id_t id, const qemu_info_t *info, int argc, char **argv)
{
	if (!info->system_emulation || info->system.max_vcpus > MAX_VCPUS) {
		fprintf(stderr, "slice: needs system emulation with at most %d vCPUs\n", MAX_VCPUS);
		return -1;
	}
	vcpus = info->system.smp_vcpus;
	for (int i = 0; i < argc; i++) {
		if (!strncmp(argv[i], "quantum=", 8)) {
			quantum = atoll(argv[i] + 8);
		} else if (!strncmp(argv[i], "shift=", 6)) {
			shift = atoi(argv[i] + 6);
		} else if (!strncmp(argv[i], "hash=", 5)) {
			hash_file = strdup(argv[i] + 5);
		} else {
			fprintf(stderr, "slice: unknown option %s\n", argv[i]);
			return -1;
		}
	}
	if (quantum < 512) {
		fprintf(stderr, "slice: quantum must be at least 512 instructions, got %" PRId64 "\n", quantum);
		return -1;
	}
	if (shift < 0 || shift > 10) {
		fprintf(stderr, "slice: shift must be 0 to 10, got %d\n", shift);
		return -1;
	}
	qemu_plugin_register_vcpu_init_cb(id, check_bias);
	qemu_plugin_register_vcpu_tb_trans_cb(id, on_translate);
	qemu_plugin_register_atexit_cb(id, write_hash, NULL);
	return 0;
}
