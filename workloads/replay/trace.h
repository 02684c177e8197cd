/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads a trace as harness/trace/trace-file.ts writes it: a line with format, length and CRC, a line of JSON about its origin, then
 * a line a task: its name and what it did. Everything is checked; a trace that is not whole, or that no run can have left, ends the
 * program with one line.
 */
#ifndef PMVX_TRACE_H
#define PMVX_TRACE_H

#include <ctype.h>
#include <stdbool.h>

#include "../driver.h"

#define TASKS_MAX 20000
#define BYTES_MAX (96l << 20)

/*
 * r: run so many ns of CPU; w, b, y: wake a task, be woken by it, be so by one that is about to wait; x: start a task; e, j: wait until a task has ended, which was or was
 * not to come; o: what runs next is a part of work that is shared, by its number; s: sleep so many ns; p: sleep until so many ns
 * after the last timer; n, f, R, B, I: nice value or priority in a scheduling class; c: CPUs as a hexadecimal mask, 0 for all.
 */
struct op {
	char kind;
	uint64_t value;	   /* of w, b, y, x, e, j: the task */
	struct edge *edge; /* of w */
	struct ends *ends; /* of e, j: those of all that follow each other are waited for at once, by the first */
};

/* Ends that a task waits for at once. */
struct ends {
	int left;
	uint64_t last_ns;
};

/* One of those whom a task's end concerns. */
struct concern {
	struct ends *ends;
	struct concern *next;
};

/* The wake-ups of one task by another, as the waker counts them. */
struct edge {
	struct task *woken;
	size_t recorded;
	size_t given;
	bool late; /* it was found awake */
};

struct task {
	const char *name;
	struct op *ops;
	size_t count;
	bool has_parent;
	uint64_t begun_ns;      /* when it was started in this run */
	struct concern *concerns;
	bool is_woken_sync;     /* ever */
	int pipe[2];	        /* of those */
	struct edge *edges;	 /* to those whom it ever wakes */
	size_t edge_count;
	_Alignas(64) int asleep; /* how it waits: enum means */
	int owed;	        /* wake-ups that found it awake */
	int wakers;	        /* tasks that ever wake it and do not wait themselves */
	uint64_t woken_ns;
	/* Written by the task alone; from these the end of the run sees who should run and does not yet. */
	bool running;           /* it has run since it was started */
	bool waiting;           /* for a wake-up, or on its way to run after one */
	uint64_t due_ns;        /* of its timer, while it sleeps */
	const struct ends *awaited;
};

struct trace {
	struct task *tasks;
	size_t count;
	size_t waits; /* ops that wait for something */
};

static inline _Noreturn void bad_trace(size_t line, const char *what)
{
	if (line)
		fprintf(stderr, "replay: trace, line %zu: %s\n", line, what);
	else
		fprintf(stderr, "replay: trace: %s\n", what);
	exit(1);
}

static inline uint32_t crc32_of(const unsigned char *data, size_t length)
{
	uint32_t table[256], crc = ~0u;

	for (uint32_t i = 0; i < 256; i++) {
		table[i] = i;
		for (int bit = 0; bit < 8; bit++)
			table[i] = table[i] >> 1 ^ (table[i] & 1 ? 0xedb88320u : 0);
	}
	while (length--)
		crc = crc >> 8 ^ table[(crc ^ *data++) & 255];
	return ~crc;
}

/* The lines after the first, ended by a NUL. */
static inline char *read_checked(const char *path)
{
	FILE *file = fopen(path, "r");
	unsigned int crc, version;
	long length;
	char *body;

	if (!file)
		fail(path, errno);
	if (fscanf(file, "pmvx-trace %u %ld %8x", &version, &length, &crc) != 3 || fgetc(file) != '\n')
		bad_trace(0, "no trace");
	if (version != 1)
		bad_trace(0, "another version than 1");
	if (length < 1 || length > BYTES_MAX)
		bad_trace(0, "too long");
	body = malloc((size_t)length + 1);
	if (!body || fread(body, 1, (size_t)length, file) != (size_t)length || fgetc(file) != EOF)
		bad_trace(0, "cut off, or longer than it says");
	if (crc32_of((unsigned char *)body, (size_t)length) != crc)
		bad_trace(0, "damaged");
	body[length] = '\0';
	fclose(file);
	return body;
}

static inline size_t count_char(const char *text, char what)
{
	size_t count = 0;

	for (; *text; text++)
		count += *text == what;
	return count;
}

/* One word of a line, and the beginning of the next. */
static inline char *parse_op(char *word, struct op *op, size_t tasks, size_t line)
{
	bool is_signed = *word == 'n' || *word == 'B';
	char *end;

	op->kind = *word;
	if (!*word || !strchr("rwbyxejospnfRBIc", *word))
		bad_trace(line, "unknown operation");
	errno = 0;
	op->value = is_signed ? (uint64_t)strtoll(word + 1, &end, 10) : strtoull(word + 1, &end, *word == 'c' ? 16 : 10);
	if (errno || end == word + 1 || (*end != ' ' && *end != '\n') || (!is_signed && !isxdigit((unsigned char)word[1])))
		bad_trace(line, "no number");
	if (strchr("wbyxej", op->kind) && op->value >= tasks)
		bad_trace(line, "no such task");
	if (op->kind == 'o' && op->value >= TASKS_MAX)
		bad_trace(line, "no such work");
	if (strchr("rsp", op->kind) && op->value > UINT64_C(86400000000000))
		bad_trace(line, "longer than a day");
	return *end == ' ' ? end + 1 : end;
}

/* `name op op ...`, cut out of the text. */
static inline char *parse_task(char *text, struct task *task, size_t tasks, size_t line)
{
	size_t length = strcspn(text, "\n");
	char *end = text + length, *word = text + strcspn(text, " \n");

	if (*end != '\n' || word == text)
		bad_trace(line, "no task");
	*end = '\0';
	task->count = count_char(text, ' ');
	*end = '\n';
	task->ops = zeroed(task->count + 1, sizeof(*task->ops));
	task->name = text;
	for (size_t i = 0; i < task->count; i++) {
		if (i == 0)
			*word++ = '\0';
		word = parse_op(word, &task->ops[i], tasks, line);
	}
	if (*word != '\n')
		bad_trace(line, "something follows the last operation");
	*end = '\0';
	return end + 1;
}

static inline struct edge *edge_to(struct task *waker, struct task *woken)
{
	struct edge *edge = waker->edges;

	while (edge->woken && edge->woken != woken)
		edge++;
	waker->edge_count += !edge->woken;
	edge->woken = woken;
	edge->recorded++;
	return edge;
}

static inline void link_ends(struct trace *trace, struct task *task)
{
	struct ends *ends = NULL;

	for (size_t i = 0; i < task->count; i++) {
		struct op *op = &task->ops[i];
		struct concern *concern;

		if (op->kind != 'e' && op->kind != 'j') {
			ends = NULL;
			continue;
		}
		if (!ends)
			ends = op->ends = zeroed(1, sizeof(*ends));
		ends->left++;
		concern = zeroed(1, sizeof(*concern));
		*concern = (struct concern){ ends, trace->tasks[op->value].concerns };
		trace->tasks[op->value].concerns = concern;
		trace->waits += op->ends != NULL;
	}
}

/* Every task but the first is started once. */
static inline void link_task(struct trace *trace, size_t at)
{
	struct task *task = &trace->tasks[at];

	size_t wakes = 0;

	for (size_t i = 0; i < task->count; i++) {
		struct op *op = &task->ops[i];

		wakes += op->kind == 'w';
		if (op->kind == 'x' && (op->value == 0 || trace->tasks[op->value].has_parent))
			bad_trace(at + 3, "starts a task for the second time");
		else if (op->kind == 'x')
			trace->tasks[op->value].has_parent = true;
		task->is_woken_sync |= op->kind == 'y';
		trace->waits += strchr("byspx", op->kind) != NULL;
	}
	task->edges = zeroed(wakes + 1, sizeof(*task->edges));
	for (size_t i = 0; i < task->count; i++)
		if (task->ops[i].kind == 'w')
			task->ops[i].edge = edge_to(task, &trace->tasks[task->ops[i].value]);
}

static inline struct trace read_trace(const char *path)
{
	struct trace trace = { 0 };
	char *body = read_checked(path);
	char *text = body + strcspn(body, "\n");

	trace.count = count_char(text, '\n') - (*text == '\n');
	if (!trace.count || trace.count > TASKS_MAX)
		bad_trace(0, trace.count ? "too many tasks" : "no tasks");
	text++;
	trace.tasks = zeroed(trace.count, sizeof(*trace.tasks));
	for (size_t i = 0; i < trace.count; i++)
		text = parse_task(text, &trace.tasks[i], trace.count, i + 3);
	if (*text)
		bad_trace(0, "something follows the last task");
	for (size_t i = 0; i < trace.count; i++)
		link_task(&trace, i);
	for (size_t i = 0; i < trace.count; i++)
		link_ends(&trace, &trace.tasks[i]);
	for (size_t i = 1; i < trace.count; i++)
		if (!trace.tasks[i].has_parent)
			bad_trace(i + 3, "nobody starts this task");
	return trace;
}

#endif
