/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What lives through a day of phases in the guest. A phase has lanes that run at the same time, a lane has rounds that run one after the
 * other, a round is a command. A helper (the daemon, or who switches by the clock of the phases) may live beside them.
 */
#ifndef PMVX_DAY_H
#define PMVX_DAY_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

#define SEED_MARK '\001' /* in an argument of a round: its seed goes here */

struct text_list {
	char **text; /* ends with NULL */
	int count;
};

struct round {
	struct text_list argv;
};

struct lane {
	struct round *rounds;
	int count;
};

struct phase {
	char *name;
	char *ask;		/* sent to the helper's socket when the phase begins; NULL: nothing */
	struct text_list *acts; /* done before the phase begins */
	int acts_count;
	struct lane *lanes;
	int count;
};

struct plan {
	bool shuffled;		  /* phases come in an order that follows the seed */
	struct text_list helper;  /* argv; empty: no helper */
	char *socket;		  /* where the helper answers */
	struct text_list reports; /* files that are printed at the end */
	struct text_list drops;	  /* lines of rounds that begin with or contain one of these are left out */
	struct phase *phases;
	int count;
};

/* plan.c */
void plan_read(const char *path, struct plan *plan);

/* helper.c */
void helper_start(const struct plan *plan);
void helper_cost(const char *when);
void helper_ask(const struct plan *plan, const struct phase *phase);
void helper_answer(const struct phase *phase, FILE *out);
void helper_kill(void);
void helper_reaped(pid_t pid, int status);
void helper_stop(const struct plan *plan, FILE *out);

/* lanes.c */
bool phase_run(const struct plan *plan, const struct phase *phase, int number, uint64_t seed, FILE *out);

/* main.c */
uint64_t now_ns(void);
uint64_t mix(uint64_t x);
_Noreturn void fail(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
