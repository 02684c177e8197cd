// SPDX-License-Identifier: GPL-2.0-or-later
#define _GNU_SOURCE
#include "emulator.h"

#include <stdio.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include "host.h"

/* QEMU: include/hw/core/cpu.h (CPUState.cc; CPUClass.sysemu_ops and tcg_ops), include/hw/core/sysemu-cpu-ops.h, tcg-cpu-ops.h */
#define CLASS_OFFSET 0x98
#define SYSTEM_OPS_OFFSET 0x140
#define TCG_OPS_OFFSET 0x148
#define OPS_WORDS 32
#define HAS_WORK 0
#define INITIALIZE 0
#define TRANSLATE 1
#define EXEC_ENTER 4
#define EXEC_EXIT 5
/* include/system/accel-ops.h (AccelOpsClass.get_virtual_clock), system/timers-state.h */
#define VIRTUAL_CLOCK_OFFSET 0xc0
/* qemu_icount_bias: nanoseconds added to the instruction count. */
#define BIAS_OFFSET 40

/* util/qemu-timer.c: QEMUTimerList.active_timers; the distance of two functions of tcg-accel-ops-rr.c is less than NEAR. */
#define ACTIVE_TIMERS_OFFSET 56
#define NEAR 4096
#define FAR_NS (1ll << 62)

#define CLOCK_VIRTUAL 1
#define CLOCK_HOST 2
#define ANY_TIMER (-1)
#define RUN_STATE_PAUSED 4
#define SHUTDOWN_CAUSE_GUEST_SHUTDOWN 6

/* include/qemu/timer.h: QEMUTimer */
struct timer {
	int64_t expire_ns;
	void *list;
	char *callback;
	void *opaque;
	struct timer *next;
};

extern char timers_state[];
extern char *main_loop_tlg[];
void rr_kick_vcpu_thread(struct CPUState *cpu);
void timer_mod_ns(struct timer *timer, int64_t expire_ns);
struct CPUState *qemu_get_cpu(int index);
int64_t qemu_clock_deadline_ns_all(int clock, int attributes);
int64_t qemu_clock_get_ns(int clock);
void tlb_flush(struct CPUState *cpu);
void tlb_destroy(struct CPUState *cpu);
void tlb_init(struct CPUState *cpu);
void tcg_x86_init(void);
int vm_stop(int state);
bool runstate_is_running(void);
void bql_lock_impl(const char *file, int line);
void bql_unlock(void);
bool bql_locked(void);
void *object_class_by_name(const char *name);
void qemu_system_shutdown_request(int reason);

typedef void (*turn_fn)(struct CPUState *cpu);
typedef void (*translate_fn)(struct CPUState *cpu, void *block, int *most, uint64_t address, void *host_address);

static struct CPUState *cpus[MAX_VCPUS];
static int cpu_count;
static turn_fn enter, leave;
static translate_fn translate;
static void (*on_begin)(unsigned int vcpu), (*on_end)(unsigned int vcpu);
static bool (*is_free)(uint64_t address, const void *code);
static bool (*has_work)(struct CPUState *cpu);
/* Copies of QEMU's constant tables of x86 operations, with ours in some places. */
static void *tcg_operations[OPS_WORDS], *system_operations[OPS_WORDS];

/*
 * QEMU's main thread looks at virtual time, too: it runs timers that have expired, and where all vCPUs halt it moves time on to the
 * next timer. What it sees while a turn is under way, or has ended and is not yet accounted for, depends on the host. So until the
 * vCPUs' own thread has settled the turn under the big lock, other threads see the time at which it began, and that there is work.
 */
#define SETTLED (-1)
static int64_t seen_ns = SETTLED;
static __thread bool runs_vcpus;

static int64_t virtual_clock(void)
{
	int64_t seen = runs_vcpus ? SETTLED : __atomic_load_n(&seen_ns, __ATOMIC_SEQ_CST);

	return seen == SETTLED ? icount_get() : seen;
}

static bool has_work_or_runs(struct CPUState *cpu)
{
	if (runs_vcpus && bql_locked())
		__atomic_store_n(&seen_ns, SETTLED, __ATOMIC_SEQ_CST);
	if (!runs_vcpus && __atomic_load_n(&seen_ns, __ATOMIC_SEQ_CST) != SETTLED)
		return true;
	return has_work(cpu);
}

static unsigned int index_of(const struct CPUState *cpu)
{
	static const struct CPUState *cached;
	static unsigned int cached_index;

	if (cpu == cached)
		return cached_index;
	for (int i = 0; i < cpu_count; i++)
		if (cpus[i] == cpu)
			cached_index = (unsigned int)i;
	cached = cpu;
	return cached_index;
}

unsigned int running_vcpu(void)
{
	return index_of(current_cpu);
}

static void begin_turn(struct CPUState *cpu)
{
	int64_t now = icount_get();

	if (enter)
		enter(cpu);
	host_clock_set(now);
	__atomic_store_n(&seen_ns, now, __ATOMIC_SEQ_CST);
	on_begin(index_of(cpu));
}

static void end_turn(struct CPUState *cpu)
{
	on_end(index_of(cpu));
	if (leave)
		leave(cpu);
}

/*
 * QEMU halves a block whose translation outgrows 64 KiB or 512 temporaries. How much a block takes depends on the host's
 * processor and on where its memory lies, so no block comes near. Blocks that translate to nothing may be long.
 */
static void translate_short(struct CPUState *cpu, void *block, int *most, uint64_t address, void *host_address)
{
	if (*most > LONGEST_BLOCK && !is_free(address, host_address))
		*most = LONGEST_BLOCK;
	translate(cpu, block, most, address, host_address);
}

void forget_addresses(void)
{
	for (int i = 0; i < cpu_count; i++) {
		tlb_flush(cpus[i]);
		tlb_destroy(cpus[i]);
		tlb_init(cpus[i]);
	}
}

/* Reads memory that may not be there. */
static bool peek(const void *from, void *to, size_t size)
{
	struct iovec local = { to, size }, remote = { (void *)(uintptr_t)from, size };

	return process_vm_readv(getpid(), &local, 1, &remote, 1, 0) == (ssize_t)size;
}

static bool moves_time(void)
{
	int64_t before = icount_get();
	bool moved;

	advance_ns(4242);
	moved = icount_get() == before + 4242;
	advance_ns(-4242);
	return moved;
}

/* Replaces the table that `class` points to at `offset` by a copy. */
static bool copy_table(char *class, size_t offset, void **copy)
{
	void *table;

	if (!peek(class + offset, &table, sizeof(table)) || !peek(table, copy, OPS_WORDS * sizeof(*copy)))
		return false;
	memcpy(class + offset, &copy, sizeof(copy));
	return true;
}

static bool hook_clock(void)
{
	char *class = object_class_by_name("tcg-accel-ops");
	int64_t (*found)(void), (*ours)(void) = virtual_clock;

	if (!class || !peek(class + VIRTUAL_CLOCK_OFFSET, &found, sizeof(found)) || found != icount_get)
		return false;
	memcpy(class + VIRTUAL_CLOCK_OFFSET, &ours, sizeof(ours));
	return true;
}

static bool hook_tables(void)
{
	char *class = NULL;

	if (!peek((char *)cpus[0] + CLASS_OFFSET, &class, sizeof(class)) ||
	    !copy_table(class, TCG_OPS_OFFSET, tcg_operations) || !copy_table(class, SYSTEM_OPS_OFFSET, system_operations) ||
	    tcg_operations[INITIALIZE] != (void *)tcg_x86_init)
		return false;
	translate = (translate_fn)tcg_operations[TRANSLATE];
	enter = (turn_fn)tcg_operations[EXEC_ENTER];
	leave = (turn_fn)tcg_operations[EXEC_EXIT];
	has_work = (bool (*)(struct CPUState *))system_operations[HAS_WORK];
	tcg_operations[TRANSLATE] = (void *)translate_short;
	tcg_operations[EXEC_ENTER] = (void *)begin_turn;
	tcg_operations[EXEC_EXIT] = (void *)end_turn;
	system_operations[HAS_WORK] = (void *)has_work_or_runs;
	return true;
}

/* Whether QEMU's own clock of the host's time is ours. */
static bool hook_host_clock(void)
{
	const int64_t probe_ns = 4242424242000;
	bool ours;

	host_clock_set(probe_ns);
	ours = qemu_clock_get_ns(CLOCK_HOST) == probe_ns;
	host_clock_set(0);
	if (!ours)
		fprintf(stderr, "slice: QEMU still reads the host's clock; the plugin must be preloaded, too\n");
	return ours;
}

bool emulator_hook(int vcpus, void (*begin)(unsigned int vcpu), void (*end)(unsigned int vcpu),
		   bool (*free_block)(uint64_t address, const void *code))
{
	on_begin = begin;
	on_end = end;
	is_free = free_block;
	runs_vcpus = true;
	for (cpu_count = 0; cpu_count < vcpus; cpu_count++) {
		cpus[cpu_count] = qemu_get_cpu(cpu_count);
		if (!cpus[cpu_count])
			break;
	}
	if (!hook_host_clock())
		return false;
	if (cpu_count == vcpus && moves_time() && hook_tables() && hook_clock())
		return true;
	fprintf(stderr, "slice: this QEMU is laid out otherwise; build the image with the pinned version\n");
	return false;
}

static bool is_kick(const struct timer *timer)
{
	int64_t distance = timer->callback - (char *)rr_kick_vcpu_thread;

	return !timer->opaque && distance > -NEAR && distance < NEAR;
}

void put_off_kick(void)
{
	char *list = main_loop_tlg[CLOCK_VIRTUAL];
	struct timer *timer;

	bql_lock_impl(__FILE__, __LINE__);
	peek(list + ACTIVE_TIMERS_OFFSET, &timer, sizeof(timer));
	while (timer && timer->list == list && !is_kick(timer))
		timer = timer->next;
	if (!timer || timer->list != list) {
		fprintf(stderr, "slice: the round robin's timer is not where it was expected\n");
		_exit(1);
	}
	timer_mod_ns(timer, FAR_NS);
	bql_unlock();
}

void interrupt_all(void)
{
	for (int i = 0; i < cpu_count; i++)
		cpu_exit(cpus[i]);
}

void advance_ns(int64_t ns)
{
	/* One aligned store by the only thread that runs vCPUs: readers in other threads see the old or the new value. */
	__atomic_fetch_add((int64_t *)(timers_state + BIAS_OFFSET), ns, __ATOMIC_SEQ_CST);
}

int64_t ns_to_next_timer(void)
{
	return qemu_clock_deadline_ns_all(CLOCK_VIRTUAL, ANY_TIMER);
}

void stop_machine(void)
{
	vm_stop(RUN_STATE_PAUSED);
	/* The main thread hears of it some time later. Until then no other vCPU may have a turn, so this one waits. */
	while (runstate_is_running())
		usleep(200);
	/* Once the lock is free the main thread has told every vCPU to stop and waits for them. */
	bql_lock_impl(__FILE__, __LINE__);
	bql_unlock();
}

void end_machine(void)
{
	bql_lock_impl(__FILE__, __LINE__);
	qemu_system_shutdown_request(SHUTDOWN_CAUSE_GUEST_SHUTDOWN);
	bql_unlock();
}
