// SPDX-License-Identifier: GPL-2.0-only
/*
 * A trial:
 *
 * candidates held -> FORK -> seed -> policy attached and proven -> warm-up -> run -> state after -> logs
 * or, with a fork time:  -> seed -> warm-up -> run begins -> FORK -> policy attached and proven -> run ends -> ...
 *
 * Everything that is learnt goes out as frames; nothing is decided about the result.
 */
#include <stdio.h>
#include <string.h>

#include "agent.h"

#define OUTPUT OWN "/output"
#define WARMUP_OUTPUT OWN "/warmup"
#define OFFSET_SPAN_NS (4 * MS) /* one timer tick at 250 Hz */

static struct orders orders;

static void read_block(int block)
{
	char fault[REASON_MAX];

	if (orders_read(&orders, block, fault, sizeof(fault)))
		agent_fail("%s", fault);
}

/* The seed moves the start against the timer tick: a busy wait of 0 to 4 ms. */
static void wait_offset(uint64_t seed)
{
	uint64_t until = now_ns() + mix(seed) % OFFSET_SPAN_NS;

	while (now_ns() < until)
		;
}

/* The log of the policy that was chosen is that of its candidate; there is none without one. */
static _Noreturn void finish(void)
{
	policy_deactivate();
	frame_file("policy-log", orders.choice < 0 ? "" : orders.candidate[orders.choice].log, LOG_LIMIT);
	send_kernel_log();
	frame_send("done", "{}", 2);
	power_off();
}

static _Noreturn void refuse(const char *reason)
{
	frame_reason("refused", reason);
	finish();
}

/* From here on policies differ. `run`: what runs already, or NULL; it goes with a policy that is refused. */
static void take_over(struct run *run)
{
	struct run_result unfinished;
	struct sched_state state;
	char fault[REASON_MAX];

	read_block(2);
	/* Writing a setting may move another: what is watched is looked at before, and begins anew after. */
	if (orders.knobs)
		watch_look(&orders);
	if (policy_activate(&orders, run, fault, sizeof(fault))) {
		if (run) {
			run->deadline_ns = 0;
			run_finish(run, &orders, false, &unfinished);
		}
		refuse(fault);
	}
	if (orders.knobs)
		watch_begin(&orders);
	sched_read(&state);
	sched_send("attached", &state, &orders);
}

/* Takes over in the middle of the run. Notes the time from the run's start to the choice, and to where the kernel has the policy. */
static void take_over_at(struct run *run, uint64_t at_ns, uint64_t *fork_ns, uint64_t *active_ns)
{
	if (run_wait(run, run->start_ns + at_ns)) {
		char reason[REASON_MAX];
		struct run_result ended;

		run_finish(run, &orders, false, &ended);
		snprintf(reason, sizeof(reason), "the run ended after %.3f s, before the fork point at %.3f s",
			 (double)ended.elapsed_ns / 1e9, (double)at_ns / 1e9);
		refuse(reason);
	}
	probes_read();
	*fork_ns = now_ns() - run->start_ns;
	frame_printf("forked", "{\"runNs\":%llu}", (unsigned long long)*fork_ns);
	fork_mark();
	take_over(run);
	*active_ns = now_ns() - run->start_ns;
}

void trial_live(void)
{
	struct sched_state state;
	struct run_result result;
	struct run run;
	uint64_t fork_ns = 0, active_ns = 0;

	orders.choice = -1;
	read_block(0);
	prepare_all(&orders);
	probes_attach(&orders);
	fork_mark();
	read_block(1);
	random_seed(orders.seed);
	files_place(&orders);
	if (orders.fork_ms >= orders.deadline_ms)
		refuse("the fork point lies beyond the deadline of the run");
	watch_begin(&orders);
	if (!orders.fork_ms)
		take_over(NULL);
	if (orders.warmup.count) {
		run_start(&run, "warmup", &orders.warmup, &orders, WARMUP_OUTPUT);
		run_finish(&run, &orders, false, &result);
		run_send("warm", &result);
		if (result.left.stuck)
			finish();
	}
	wait_offset(orders.seed);
	probes_begin(&orders);
	run_start(&run, "run", &orders.run, &orders, OUTPUT);
	if (orders.fork_ms)
		take_over_at(&run, orders.fork_ms * MS, &fork_ns, &active_ns);
	run_finish(&run, &orders, true, &result);
	result.fork_ns = fork_ns;
	result.active_ns = active_ns;
	sched_read(&state);
	watch_look(&orders);
	knob_read(&orders);
	knob_restore(&orders);
	frame_file("output", OUTPUT, OUTPUT_LIMIT);
	if (orders.trace)
		frame_whole_file("trace", orders.trace, TRACE_LIMIT);
	run_send("result", &result);
	sched_send("after", &state, &orders);
	watch_send(&orders);
	probes_send();
	finish();
}
