/* SPDX-License-Identifier: GPL-2.0-only */
/* The guest agent: PID 1 of a trial. See README.md in this folder for the protocol. */
#ifndef PMVX_AGENT_H
#define PMVX_AGENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define ARGS_MAX 128
#define OUTPUT_LIMIT (256 * 1024)
#define LOG_LIMIT (64 * 1024)
#define MS 1000000ull

struct argv_list {
	int count;
	char *arg[ARGS_MAX + 1];
};

/* What the host wants done, as read from the mailbox. */
struct orders {
	uint64_t seed;
	bool is_process;
	char *ops;
	struct argv_list policy;
	struct argv_list warmup;
	struct argv_list run;
	uint64_t deadline_ms;
	uint64_t attach_ms;
};

struct sched_state {
	char state[32];
	char ops[128];
	char enable_seq[32];
	char nr_rejected[32];
	char switch_all[32];
};

/* frame.c: guest to host */
int frame_open(void);
void frame_send(const char *kind, const void *payload, size_t length);
void frame_printf(const char *kind, const char *format, ...) __attribute__((format(printf, 2, 3)));
void frame_file(const char *kind, const char *path, size_t limit);
uint32_t crc32_of(const void *data, size_t length);
const char *json_escape(const char *text, char *buffer, size_t size);

/* boot.c: from power-on to a quiescent machine */
void boot_early(void);
void boot_root(void);
int boot_quiesce(char *report, size_t size);
int load_module(const char *path);
unsigned int online_cpus(void);

/* orders.c */
int orders_read(struct orders *orders, char *fault, size_t size);

/* policy.c */
void sched_read(struct sched_state *state);
void sched_send(const char *kind, const struct sched_state *state);
int policy_activate(const struct orders *orders, char *fault, size_t size);
void policy_deactivate(void);

/* run.c */
struct run_result {
	int exit;
	bool timed_out;
	uint64_t elapsed_ns;
	uint64_t user_ns;
	uint64_t system_ns;
	long voluntary;
	long involuntary;
	long long output_bytes;
};

void run_program(const struct argv_list *argv, uint64_t deadline_ms, uint64_t seed, const char *output,
		 struct run_result *result);
void run_send(const char *kind, const struct run_result *result);
pid_t spawn(const struct argv_list *argv, const char *output, uint64_t seed);

/* main.c */
uint64_t now_ns(void);
void sleep_ns(uint64_t ns);
_Noreturn void agent_fail(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
