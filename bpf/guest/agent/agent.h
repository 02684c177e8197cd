/* SPDX-License-Identifier: GPL-2.0-only */
/* The guest agent: PID 1 of a trial. See README.md in the folder above for the protocol. */
#ifndef PMVX_AGENT_H
#define PMVX_AGENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define ARGS_MAX 128
#define CANDIDATES_MAX 64
#define REASON_MAX 512
#define KNOBS_MAX 16
#define SETTING_MAX 128
#define WATCHED_MAX 64
#define FILES_MAX 8
#define PROBES_MAX 8
#define OUTPUT_LIMIT (256 * 1024)
#define LOG_LIMIT (64 * 1024)
#define OWN "/run/pmvx" /* memory of the agent alone: the workload may fill /tmp and /run */
#define TRACE_LIMIT (32 * 1024 * 1024)
#define MS 1000000ull

struct argv_list {
	int count;
	char *arg[ARGS_MAX + 1];
};

/* A scheduler process that may be the policy: started before the fork point and held where it would attach. */
struct candidate {
	char *ops;
	struct argv_list argv;
	char log[32];
	pid_t pid;	       /* 0: it has ended, or was never started */
	int pidfd;	       /* -1: none */
	int listener;	       /* receives its notifications; -1: none */
	uint64_t notification; /* what it waits for while held */
	bool held;
	char reason[REASON_MAX]; /* why it is not held */
};

/* A kernel module that a setting needs: name and options. */
struct module {
	char *words;
	char fault[REASON_MAX]; /* empty: it is there */
};

/* A file that the run needs: its bytes are in the mailbox, past the blocks. */
struct file {
	char *path;
	uint64_t size;
	uint64_t crc32;
};

/* A setting of the kernel. */
struct knob {
	char *path;
	char *value;
	char *reads; /* what reading it must give; NULL: the value */
	bool changed;
	char before[SETTING_MAX], now[SETTING_MAX], restored[SETTING_MAX];
};

/* A setting that nobody is to change while the workload runs; its whole text. */
struct watched {
	char *path;
	char *before; /* NULL: it was not there */
	char *now;    /* NULL: it has not changed */
};

/* What the host wants done, as read from the mailbox, block by block. */
struct orders {
	/* block 0 */
	struct candidate candidate[CANDIDATES_MAX];
	int candidates;
	uint64_t attach_ms;
	struct module module[KNOBS_MAX];
	int modules;
	struct argv_list probes; /* the loader and the sets that it loads; empty: no probes */
	uint64_t window_ms;	 /* how often they are read during the run; 0: before and after it */
	uint64_t on_ms;		 /* for how long in each window frequent events are counted; 0: always */
	/* block 1 */
	uint64_t seed;
	struct argv_list warmup;
	struct argv_list run;
	uint64_t deadline_ms;
	uint64_t fork_ms; /* 0: the policy takes over before warm-up and run */
	struct file file[FILES_MAX];
	int files;
	struct watched watched[WATCHED_MAX];
	int watches;
	char *trace; /* what the run leaves there goes to the host; NULL: nothing */
	/* block 2 */
	char *kind;
	char *ops;
	int choice; /* index of the candidate; -1: none */
	struct knob knob[KNOBS_MAX];
	int knobs;
	int need[KNOBS_MAX]; /* indices of the modules that the knobs need */
	int needed;
};

struct sched_state {
	char state[32];
	char ops[128];
	char enable_seq[32];
	char nr_rejected[32];
	char switch_all[32];
};

/* A program that runs, or has ended. */
struct run {
	pid_t child;
	int pidfd;
	const char *output;
	uint64_t start_ns;
	uint64_t deadline_ns;
	uint64_t ended_ns; /* 0: it runs */
};

/* What a step left behind when its program had ended, and the CPU time of all that it had started. */
struct leftover {
	int count;
	int stuck; /* of these could not be ended */
	char names[256];
	uint64_t user_ns;
	uint64_t system_ns;
};

struct run_result {
	int exit;
	bool timed_out;
	uint64_t elapsed_ns;
	uint64_t fork_ns;   /* when the policy was chosen; 0: it was there from the start */
	uint64_t active_ns; /* when the kernel had it */
	struct leftover left;
	uint64_t user_ns;
	uint64_t system_ns;
	long voluntary;
	long involuntary;
	long long output_bytes;
};

/* frame.c: guest to host */
int frame_open(void);
void frame_send(const char *kind, const void *payload, size_t length);
void frame_printf(const char *kind, const char *format, ...) __attribute__((format(printf, 2, 3)));
void frame_file(const char *kind, const char *path, size_t limit);
void frame_whole_file(const char *kind, const char *path, size_t limit);
void frame_reason(const char *kind, const char *reason);
uint32_t crc32_of(uint32_t before, const void *data, size_t length);
const char *json_escape(const char *text, char *buffer, size_t size);

/* boot.c: from power-on to a quiescent machine */
void boot_early(void);
void boot_root(void);
int boot_quiesce(char *report, size_t size);
unsigned int online_cpus(void);

/* module.c */
int load_module(const char *path);
void idle_load(void);
void fork_mark(void);
void idle_symbols(char *json, size_t size);

/* random.c */
uint64_t mix(uint64_t x);
void random_boot(void);
void random_seed(uint64_t seed);

/* klog.c */
void send_kernel_log(void);

/* mailbox.c, orders.c, file.c */
char *mailbox_read(int block, char *fault, size_t size);
ssize_t mailbox_bytes(uint64_t offset, void *data, size_t length);
int orders_read(struct orders *orders, int block, char *fault, size_t size);
void files_place(const struct orders *orders);

/* hold.c: stopping a process right before it attaches a scheduler */
int hold_install(int socket);
int hold_receive(int socket);
void hold_answer(struct candidate *candidate, bool keep);
void hold_release(struct candidate *candidate);

/* prepare.c */
void prepare_all(struct orders *orders);

/* attend.c: the agent's only place to wait while something runs */
void attend(struct candidate *candidate, struct run *run, uint64_t until_ns);
void reap_orphans(struct orders *orders);

/* rank.c: the agent's own scheduling */
void rank_fixed(void);
void rank_above_all(void);
void rank_memory(void);
void rank_watchdog(uint64_t ms);

/* group.c: control groups */
int group_of_policies(void);
int group_begin(const char *step);
void group_kill(void);
void group_end(struct leftover *left, struct orders *orders);

/* watch.c: settings that nobody is to change */
void watch_begin(struct orders *orders);
void watch_look(struct orders *orders);
void watch_send(const struct orders *orders);

/* sched-state.c: what the kernel says */
void sched_read(struct sched_state *state);
void sched_send(const char *kind, const struct sched_state *state, const struct orders *orders);
bool sched_is_off(const struct sched_state *state);
void sched_wait_off(uint64_t until_ns);

/* knob.c */
void knob_load_modules(struct orders *orders);
int knob_activate(struct orders *orders, char *fault, size_t size);
void knob_read(struct orders *orders);
void knob_restore(struct orders *orders);
int knob_members(const struct orders *orders, char *json, size_t size);

/* probes.c: counters of what the machine does during the run */
const char *probes_add(struct orders *orders, char *set);
void probes_attach(struct orders *orders);
void probes_begin(const struct orders *orders);
uint64_t probes_until(uint64_t until_ns);
void probes_read(void);
void probes_send(void);

/* probe-turns.c: frequent programs that come and go */
void turns_add(int program, const char *link);
void turns_begin(const struct orders *orders);
void turns_window(uint64_t length_ns);
uint64_t turns_until(void);
uint64_t turns_counted(uint64_t now);

/* policy.c */
int policy_activate(struct orders *orders, struct run *run, char *fault, size_t size);
struct candidate *policy_active(void);
void policy_deactivate(void);

/* run.c */
pid_t spawn(const struct argv_list *argv, const char *output, const uint64_t *seed, int hold, int group);
void run_start(struct run *run, const char *step, const struct argv_list *argv, const struct orders *orders, const char *output);
bool run_wait(struct run *run, uint64_t until_ns);
void run_finish(struct run *run, struct orders *orders, bool counts, struct run_result *result);
void run_send(const char *kind, const struct run_result *result);

/* trial.c */
_Noreturn void trial_live(void);

/* main.c */
_Noreturn void power_off(void);
uint64_t now_ns(void);
void sleep_ns(uint64_t ns);
_Noreturn void agent_fail(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
