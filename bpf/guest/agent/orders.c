// SPDX-License-Identifier: GPL-2.0-only
/*
 * Orders are data: lines "key value" with percent-encoded values. Keys that repeat make lists. A key that is unknown, or stands in
 * another block than its own, is refused: agent and host must agree.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent.h"

#define TEXT_(x) #x
#define TEXT(x) TEXT_(x)

static const char UNKNOWN[] = "order not understood";
static const char TOO_MANY_ARGUMENTS[] = "more than " TEXT(ARGS_MAX) " arguments in a list";
static const char TOO_MANY_FILES[] = "more than " TEXT(FILES_MAX) " files";
static const char TOO_MANY_WATCHED[] = "more than " TEXT(WATCHED_MAX) " settings to watch";
static const char TOO_MANY_KNOBS[] = "more than " TEXT(KNOBS_MAX) " settings or modules";
static const char TOO_MANY_CANDIDATES[] = "more than " TEXT(CANDIDATES_MAX) " candidates";

static int hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static int decode(char *text)
{
	char *to = text;

	for (char *from = text; *from; from++) {
		if (*from != '%') {
			*to++ = *from;
			continue;
		}
		if (!from[1] || hex(from[1]) < 0 || hex(from[2]) < 0)
			return -1;
		*to++ = (char)(hex(from[1]) << 4 | hex(from[2]));
		from += 2;
	}
	*to = '\0';
	return 0;
}

static const char *push(struct argv_list *list, char *value)
{
	if (list->count >= ARGS_MAX)
		return TOO_MANY_ARGUMENTS;
	list->arg[list->count++] = value;
	return NULL;
}

static const char *number(uint64_t *to, const char *text)
{
	char *end;

	*to = strtoull(text, &end, 10);
	return *text && !*end ? NULL : UNKNOWN;
}

/* Each of the three: NULL, or what is wrong with the line. */
static const char *apply_candidates(struct orders *orders, const char *key, char *value)
{
	if (!strcmp(key, "policy.deadline_ms"))
		return number(&orders->attach_ms, value);
	if (!strcmp(key, "knob.module")) {
		if (orders->modules >= KNOBS_MAX)
			return TOO_MANY_KNOBS;
		orders->module[orders->modules++].words = value;
		return NULL;
	}
	if (!strcmp(key, "probe.set"))
		return probes_add(orders, value);
	if (!strcmp(key, "probe.window_ms"))
		return number(&orders->window_ms, value);
	if (!strcmp(key, "probe.on_ms"))
		return number(&orders->on_ms, value);
	if (!strcmp(key, "candidate.ops")) {
		if (orders->candidates >= CANDIDATES_MAX)
			return TOO_MANY_CANDIDATES;
		orders->candidate[orders->candidates++].ops = value;
		return NULL;
	}
	if (strcmp(key, "candidate.arg") || !orders->candidates)
		return UNKNOWN;
	return push(&orders->candidate[orders->candidates - 1].argv, value);
}

static const char *apply_file(struct orders *orders, const char *key, char *value)
{
	struct file *last = orders->files ? &orders->file[orders->files - 1] : NULL;

	if (!strcmp(key, "file.path")) {
		if (orders->files >= FILES_MAX)
			return TOO_MANY_FILES;
		orders->file[orders->files++].path = value;
		return NULL;
	}
	if (!strcmp(key, "file.size") && last)
		return number(&last->size, value);
	if (!strcmp(key, "file.crc32") && last)
		return number(&last->crc32, value);
	return UNKNOWN;
}

static const char *apply_run(struct orders *orders, const char *key, char *value)
{
	if (!strncmp(key, "file.", 5))
		return apply_file(orders, key, value);
	if (!strcmp(key, "trace.path")) {
		orders->trace = value;
		return NULL;
	}
	if (!strcmp(key, "watch.path")) {
		if (orders->watches >= WATCHED_MAX)
			return TOO_MANY_WATCHED;
		orders->watched[orders->watches++].path = value;
		return NULL;
	}
	if (!strcmp(key, "warmup.arg"))
		return push(&orders->warmup, value);
	if (!strcmp(key, "run.arg"))
		return push(&orders->run, value);
	if (!strcmp(key, "seed"))
		return number(&orders->seed, value);
	if (!strcmp(key, "run.deadline_ms"))
		return number(&orders->deadline_ms, value);
	if (!strcmp(key, "fork.at_ms"))
		return number(&orders->fork_ms, value);
	return UNKNOWN;
}

static const char *apply_knob(struct orders *orders, const char *key, char *value)
{
	struct knob *last = orders->knobs ? &orders->knob[orders->knobs - 1] : NULL;
	uint64_t index;

	if (!strcmp(key, "knob.path")) {
		if (orders->knobs >= KNOBS_MAX)
			return TOO_MANY_KNOBS;
		orders->knob[orders->knobs++].path = value;
	} else if (!strcmp(key, "knob.value") && last && !last->value) {
		last->value = value;
	} else if (!strcmp(key, "knob.reads") && last && !last->reads) {
		last->reads = value;
	} else if (!strcmp(key, "knob.needs") && !number(&index, value) && index < (uint64_t)orders->modules &&
		   orders->needed < KNOBS_MAX) {
		orders->need[orders->needed++] = (int)index;
	} else {
		return UNKNOWN;
	}
	return NULL;
}

static const char *apply_choice(struct orders *orders, const char *key, char *value)
{
	uint64_t choice;

	if (!strncmp(key, "knob.", 5))
		return apply_knob(orders, key, value);
	if (!strcmp(key, "policy.kind") && (!strcmp(value, "builtin") || !strcmp(value, "process") || !strcmp(value, "knob"))) {
		orders->kind = value;
	} else if (!strcmp(key, "policy.ops")) {
		orders->ops = value;
	} else if (!strcmp(key, "policy.candidate") && !number(&choice, value) && choice < (uint64_t)orders->candidates) {
		orders->choice = (int)choice;
	} else {
		return UNKNOWN;
	}
	return NULL;
}

static bool knobs_complete(const struct orders *orders)
{
	for (int i = 0; i < orders->knobs; i++) {
		if (!orders->knob[i].value)
			return false;
	}
	return true;
}

static bool complete(const struct orders *orders, int block)
{
	if (block == 1)
		return orders->run.count && orders->deadline_ms;
	if (block == 2) {
		bool is_knob = orders->kind && !strcmp(orders->kind, "knob");

		if (!orders->kind || is_knob != (orders->knobs > 0) || !knobs_complete(orders))
			return false;
		if (strcmp(orders->kind, "process"))
			return !orders->ops && orders->choice < 0;
		/* Two candidates may go by one name, so the choice is a number; the name must be that one's. */
		return orders->ops && orders->choice >= 0 && !strcmp(orders->ops, orders->candidate[orders->choice].ops);
	}
	for (int i = 0; i < orders->candidates; i++) {
		if (!orders->candidate[i].argv.count)
			return false;
	}
	return orders->attach_ms && (!orders->on_ms || orders->on_ms < orders->window_ms);
}

int orders_read(struct orders *orders, int block, char *fault, size_t size)
{
	static const char *(*const apply[])(struct orders *, const char *, char *) = { apply_candidates, apply_run, apply_choice };
	char *text = mailbox_read(block, fault, size);

	if (!text)
		return -1;
	if (block == 2)
		orders->choice = -1;
	for (char *save = NULL, *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		char *value = strchr(line, ' ');
		const char *wrong = UNKNOWN;

		if (value)
			*value++ = '\0';
		if (value && !decode(value))
			wrong = apply[block](orders, line, value);
		if (wrong) {
			snprintf(fault, size, "%s: %.64s", wrong, line);
			return -1;
		}
	}
	if (!complete(orders, block)) {
		snprintf(fault, size, "orders in mailbox block %d are incomplete", block);
		return -1;
	}
	return 0;
}
