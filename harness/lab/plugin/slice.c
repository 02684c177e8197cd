// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * slice: equal instruction shares for the vCPUs of QEMU's single-threaded icount mode, and what the exact engine asks of it.
 *
 * Turns. QEMU divides the instructions up to the next timer among the vCPUs and starts anew after each timer, which favours
 * some positions. Here all vCPUs climb the same levels, `quantum` instructions apart: a turn lasts until the vCPU has reached the level, and
 * nobody begins the next one before all have had their turns at this one. What a timer cut off is made up for and what a long block ran
 * over is deducted (a form of deficit round robin, Shreedhar and Varghese 1995).
 * Blocks count themselves inline, in one cell for all vCPUs: only one of them runs at a time.
 *
 * Idle. The guest's idle module executes marked blocks of nops. When every vCPU has had a whole turn of nothing else and no
 * timer has fired meanwhile, nothing can happen before the next timer: virtual time goes forward by whole rounds of turns, as
 * many as fit, and shares stay what they would have been.
 *
 * Early boot. While one vCPU has run alone for a while (all others halted, no idle module yet), its PAUSE is worth PAUSE_COST
 * instructions of virtual time, as on hardware since Skylake (Intel Optimization Reference Manual, 2.6.4): the kernel
 * calibrates its timer by spinning for 100 virtual milliseconds.
 *
 * Marks. The guest's agent tells the plugin where it is by long nops with a displacement of their own:
 * FORK: the policy is about to be chosen. Everything that turns depend on starts anew, so that a machine that is stopped here,
 * saved and restored goes on exactly as one that never stopped. END: what vCPUs do afterwards depends on the host; the machine ends.
 *
 * Options: quantum=N; shift=S (icount shift); stop=on: the machine stops at its first FORK; skip=off: idle time is executed;
 * host=plain: blocks are translated as on a host without AVX and the like, to try that nothing depends on it;
 * hash=FILE: see hash.h; switches=FILE and more: see switches.h.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "emulator.h"
#include "hash.h"
#include "host.h"
#include "qemu-plugin-abi.h"
#include "switches.h"

#define PAUSE_COST 140
#define ALONE_AFTER 1000000
/* The cell reaches this when a turn is over. */
#define TURN_OVER (1ull << 40)

QEMU_PLUGIN_EXPORT int qemu_plugin_version = QEMU_PLUGIN_VERSION;

static int64_t quantum = 5000;
static int shift;
static bool stop_at_fork, skip_idle = true;
static int vcpus;

static struct qemu_plugin_scoreboard *score;
static uint64_t cell;

/* Instructions since the machine was forked, and how many all are to have. */
static int64_t served[MAX_VCPUS], level;
static int64_t turn_began, turn_began_ns;
static uint64_t cell_began;
static bool fresh;

static unsigned int last_vcpu;
static int64_t alone;

static int64_t idle_count;
static uint64_t idle_vcpus;
static int64_t idle_until;

static void forget(void)
{
	memset(served, 0, sizeof(served));
	level = 0;
	last_vcpu = 0;
	alone = 0;
	idle_vcpus = 0;
	fresh = true;
}

/* All vCPUs have nothing to do before `idle_until`: leave the last whole round, and what a round does not divide, to be executed. */
static void skip(void)
{
	int64_t left = ns_to_next_timer(), round = (int64_t)vcpus * quantum << shift;

	idle_vcpus = 0;
	if (left > 2 * round && icount_get() + left == idle_until)
		advance_ns((left / round - 1) * round);
}

static void begin_turn(unsigned int vcpu)
{
	if (fresh)
		forget_addresses();
	if (fresh && vcpus > 1)
		put_off_kick();
	if (skip_idle && idle_vcpus == (vcpus == MAX_VCPUS ? ~0ull : (1ull << vcpus) - 1))
		skip();
	if (served[vcpu] >= level)
		level += quantum;
	/* A vCPU that was halted catches up by one turn, not more. */
	if (served[vcpu] < level - 2 * quantum)
		served[vcpu] = level - 2 * quantum;
	cell = TURN_OVER - (uint64_t)(level - served[vcpu]);
	cell_began = cell;
	turn_began = icount_get_raw();
	turn_began_ns = icount_get();
	idle_count = 0;
	fresh = false;
}

/* Virtual time in the middle of a turn, where QEMU's own cannot be asked. */
static int64_t now_ns(void)
{
	return turn_began_ns + ((int64_t)(cell - cell_began) << shift);
}

static void note_idle(unsigned int vcpu, int64_t ran)
{
	int64_t until;

	if (!ran || ran != idle_count) {
		idle_vcpus = 0;
		return;
	}
	until = icount_get() + ns_to_next_timer();
	if (until != idle_until)
		idle_vcpus = 0;
	idle_until = until;
	idle_vcpus |= 1ull << vcpu;
}

static void end_turn(unsigned int vcpu)
{
	int64_t ran = icount_get_raw() - turn_began;

	if (fresh) {
		interrupt_all();
		return;
	}
	served[vcpu] += ran;
	alone = vcpu == last_vcpu ? alone + ran : 0;
	last_vcpu = vcpu;
	note_idle(vcpu, ran);
}

static void on_turn_over(unsigned int unused, void *nothing)
{
	(void)unused;
	(void)nothing;
	cpu_exit(current_cpu);
}

static void on_idle(unsigned int unused, void *count)
{
	(void)unused;
	idle_count += (int64_t)(uintptr_t)count;
}

static void on_pause(unsigned int unused, void *nothing)
{
	(void)unused;
	(void)nothing;
	if (alone > ALONE_AFTER && running_vcpu() == last_vcpu)
		advance_ns((int64_t)PAUSE_COST << shift);
}

static void on_fork(unsigned int unused, void *nothing)
{
	(void)unused;
	(void)nothing;
	hash_fork();
	forget();
	cpu_exit(current_cpu);
	if (stop_at_fork)
		stop_machine();
}

static void on_end(unsigned int unused, void *nothing)
{
	(void)unused;
	(void)nothing;
	hash_end();
	host_end();
	end_machine();
}

/* nopl DISPLACEMENT(%rax), see bpf/guest/agent/mark.h */
struct mark {
	unsigned char code[7];
	qemu_plugin_vcpu_udata_cb_t reached;
};
enum { END, FORK, IDLE, PAUSE };
static const struct mark marks[] = {
	[END] = { { 0x0f, 0x1f, 0x80, 0x78, 0x76, 0x6d, 0x70 }, on_end },
	[FORK] = { { 0x0f, 0x1f, 0x80, 0x79, 0x76, 0x6d, 0x70 }, on_fork },
	[IDLE] = { { 0x0f, 0x1f, 0x80, 0x7a, 0x76, 0x6d, 0x70 }, on_idle },
	[PAUSE] = { { 0xf3, 0x90 }, on_pause },
};

/* Whether a block begins with the idle module's mark: the rest of it are nops, and skipping counts all of them. */
static bool is_idle(uint64_t address, const void *code)
{
	const size_t size = sizeof(marks[IDLE].code);

	return code && (address & 0xfff) <= 0x1000 - size && !memcmp(code, marks[IDLE].code, size);
}

static size_t code_size(const struct mark *mark)
{
	return mark->code[2] ? sizeof(mark->code) : 2;
}

/* PAUSE ends a block, marks begin one: only these two places are looked at. */
static qemu_plugin_vcpu_udata_cb_t reached_by(const struct qemu_plugin_insn *insn)
{
	for (size_t i = 0; i < sizeof(marks) / sizeof(*marks); i++) {
		unsigned char bytes[sizeof(marks->code)];
		size_t size = code_size(&marks[i]);

		if (qemu_plugin_insn_size(insn) == size && qemu_plugin_insn_data(insn, bytes, size) == size &&
		    !memcmp(bytes, marks[i].code, size))
			return marks[i].reached;
	}
	return NULL;
}

/*
 * The cell as a member of a scoreboard. In this mode QEMU makes the index of the vCPU that translates a block a constant of the
 * block, and multiplies it anew at each use: with elements of one byte that does no harm, and the offset leads all to one cell.
 */
static qemu_plugin_u64 shared_cell(void)
{
	uintptr_t base = (uintptr_t)qemu_plugin_scoreboard_find(score, 0);

	return (qemu_plugin_u64){ score, (uintptr_t)&cell - base - running_vcpu() };
}

static void on_translate(qemu_plugin_id_t id, struct qemu_plugin_tb *tb)
{
	size_t count = qemu_plugin_tb_n_insns(tb);
	qemu_plugin_vcpu_udata_cb_t first, last;

	(void)id;
	if (!count)
		return;
	first = reached_by(qemu_plugin_tb_get_insn(tb, 0));
	last = reached_by(qemu_plugin_tb_get_insn(tb, count - 1));
	hash_block(tb, count);
	switches_block(tb, now_ns);
	if (first && first != on_pause)
		qemu_plugin_register_vcpu_tb_exec_cb(tb, first, QEMU_PLUGIN_CB_NO_REGS, (void *)count);
	if (last == on_pause)
		qemu_plugin_register_vcpu_tb_exec_cb(tb, last, QEMU_PLUGIN_CB_NO_REGS, NULL);
	qemu_plugin_register_vcpu_tb_exec_inline_per_vcpu(tb, QEMU_PLUGIN_INLINE_ADD_U64, shared_cell(), count);
	qemu_plugin_register_vcpu_tb_exec_cond_cb(tb, on_turn_over, QEMU_PLUGIN_CB_NO_REGS, QEMU_PLUGIN_COND_GE,
						  shared_cell(), TURN_OVER, NULL);
}

static void on_vcpu(qemu_plugin_id_t id, unsigned int vcpu)
{
	(void)id;
	switches_vcpu();
	/* By the time that the last vCPU is there all are known, and none has run. */
	if ((int)vcpu == vcpus - 1 && !emulator_hook(vcpus, begin_turn, end_turn, is_idle))
		exit(1);
}

/*
 * Room for translated code is up. QEMU now cuts off a turn, at a moment that depends on where the host's memory lies: what
 * follows could not be repeated.
 */
static void on_flush(qemu_plugin_id_t id)
{
	(void)id;
	if (!level) /* More than 16 vCPUs: QEMU flushes as it makes them. Nothing has run. */
		return;
	fprintf(stderr, "slice: the machine has translated more code than its buffer holds (tb-size)\n");
	_exit(1);
}

static void at_exit(qemu_plugin_id_t id, void *nothing)
{
	(void)id;
	(void)nothing;
	hash_write();
	switches_close();
}

static bool option(const char *text)
{
	if (!strncmp(text, "quantum=", 8))
		quantum = atoll(text + 8);
	else if (!strncmp(text, "shift=", 6))
		shift = atoi(text + 6);
	else if (!strncmp(text, "hash=", 5))
		hash_open(text + 5, vcpus);
	else if (!strcmp(text, "stop=on"))
		stop_at_fork = true;
	else if (!strcmp(text, "skip=off"))
		skip_idle = false;
	else if (!strcmp(text, "host=plain"))
		host_is_plain();
	else
		return switches_option(text);
	return true;
}

QEMU_PLUGIN_EXPORT int qemu_plugin_install(qemu_plugin_id_t id, const qemu_info_t *info, int argc, char **argv)
{
	if (!info->system_emulation || info->system.max_vcpus > MAX_VCPUS) {
		fprintf(stderr, "slice: needs system emulation with at most %d vCPUs\n", MAX_VCPUS);
		return -1;
	}
	vcpus = info->system.smp_vcpus;
	for (int i = 0; i < argc; i++) {
		if (!option(argv[i])) {
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
	if (!host_arithmetic())
		return -1;
	score = qemu_plugin_scoreboard_new(1);
	forget();
	qemu_plugin_register_vcpu_init_cb(id, on_vcpu);
	qemu_plugin_register_vcpu_tb_trans_cb(id, on_translate);
	qemu_plugin_register_flush_cb(id, on_flush);
	qemu_plugin_register_atexit_cb(id, at_exit, NULL);
	return 0;
}
