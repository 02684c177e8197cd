// SPDX-License-Identifier: Apache-2.0
/*
 * day PLAN SEED: lives through the phases of PLAN, in the order of the plan or in one that follows SEED. What it prints, times in ns of
 * the monotonic clock:
 *
 *   helper ready NS | helper cost CPU_NS RSS_KIB PEAK_KIB WHEN | helper ended STATUS NS
 *   day BEGAN ENDED, and once more as a length: whole_day SECONDS s
 *   phase NAME BEGAN ENDED, whole_phase NAME SECONDS s
 *   asked PHASE AT ANSWER
 *   acted PHASE AT WORD
 *   round PHASE LANE ROUND BEGAN ENDED EXIT OPS   and its output, each line after "| "
 *   said LINE (of the helper), reported LINE (of its files)
 *
 * All but the first is kept in memory until the day is over. Exit status: 3 when a round failed.
 */
#define _GNU_SOURCE
#include "day.h"
#include <errno.h>
#include <sched.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* splitmix64. */
uint64_t mix(uint64_t x)
{
	x += 0x9e3779b97f4a7c15u;
	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
	x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
	return x ^ (x >> 31);
}

void fail(const char *format, ...)
{
	va_list words;

	fflush(stdout);
	fprintf(stderr, "day: ");
	va_start(words, format);
	vfprintf(stderr, format, words);
	va_end(words);
	fprintf(stderr, "\n");
	exit(1);
}

/* What happens to the machine, and not by a workload: `clock SECONDS` moves the wall clock, `kill-helper` ends the helper. */
static void act(const struct phase *phase, const struct text_list *words, FILE *out)
{
	struct timespec wall;

	if (words->count == 2 && !strcmp(words->text[0], "clock")) {
		clock_gettime(CLOCK_REALTIME, &wall);
		wall.tv_sec += atoll(words->text[1]);
		if (clock_settime(CLOCK_REALTIME, &wall))
			fail("clock: %s", strerror(errno));
	} else if (words->count == 1 && !strcmp(words->text[0], "kill-helper")) {
		helper_kill();
	} else {
		fail("plan: nobody knows the act \"%s\"", words->count ? words->text[0] : "");
	}
	fprintf(out, "acted %s %llu %s\n", phase->name, (unsigned long long)now_ns(), words->text[0]);
}

static void order_phases(const struct plan *plan, uint64_t seed, int *order)
{
	for (int i = 0; i < plan->count; i++)
		order[i] = i;
	for (int last = plan->count - 1; plan->shuffled && last > 0; last--) {
		int pick = (int)(mix(seed ^ (uint64_t)last) % (uint64_t)(last + 1));
		int held = order[last];

		order[last] = order[pick];
		order[pick] = held;
	}
}

int main(int argc, char **argv)
{
	/* What starts and times the rounds is no part of what is scheduled; what it starts is ordinary. */
	struct sched_param priority = { .sched_priority = 10 };
	struct plan plan = { 0 };
	uint64_t seed, began, ended;
	char *text = NULL;
	size_t size = 0;
	bool ok = true;
	FILE *out = open_memstream(&text, &size);

	if (argc != 3 || !out)
		fail("usage: day PLAN SEED");
	plan_read(argv[1], &plan);
	seed = strtoull(argv[2], NULL, 10);
	int order[plan.count];

	order_phases(&plan, mix(seed), order);
	if (sched_setscheduler(0, SCHED_FIFO | SCHED_RESET_ON_FORK, &priority))
		fail("sched_setscheduler: %s", strerror(errno));
	helper_start(&plan);
	helper_cost("begin");
	began = now_ns();
	for (int i = 0; i < plan.count; i++) {
		const struct phase *phase = &plan.phases[order[i]];
		uint64_t start = now_ns(), end;

		for (int a = 0; a < phase->acts_count; a++)
			act(phase, &phase->acts[a], out);
		helper_ask(&plan, phase);
		ok = phase_run(&plan, phase, order[i], seed, out) && ok;
		end = now_ns();
		helper_answer(phase, out);
		fprintf(out, "phase %s %llu %llu\n", phase->name, (unsigned long long)start, (unsigned long long)end);
		fprintf(out, "whole_phase %s %.6f s\n", phase->name, (double)(end - start) / 1e9);
	}
	ended = now_ns();
	helper_cost("end");
	helper_stop(&plan, out);
	printf("day %llu %llu\n", (unsigned long long)began, (unsigned long long)ended);
	printf("whole_day %.6f s\n", (double)(ended - began) / 1e9);
	fclose(out);
	fputs(text, stdout);
	return ok ? 0 : 3;
}
