// SPDX-License-Identifier: Apache-2.0
/*
 * The plan of a day, a line each: `shuffled`, `helper`, `socket PATH`, `report PATH`, `drop TEXT`, `phase NAME`, `ask TEXT`, `act`, `lane`,
 * `round`, `arg TEXT` (of the last helper, act or round). In texts %XX is a byte, and %S in an argument of a round the round's seed.
 */
#define _GNU_SOURCE
#include "day.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

static void *grown(void *list, int count, size_t size)
{
	void *more = realloc(list, (size_t)(count + 1) * size);

	if (!more)
		fail("no memory for the plan");
	memset((char *)more + (size_t)count * size, 0, size);
	return more;
}

static void add(struct text_list *list, char *text)
{
	list->text = grown(list->text, list->count + 1, sizeof(char *));
	list->text[list->count++] = text;
	list->text[list->count] = NULL;
}

/* %XX becomes a byte, and %S a mark that the round replaces. */
static char *decoded(const char *text)
{
	char *out = strdup(text), *to = out;
	unsigned int byte;

	for (const char *from = text; *from; from++) {
		if (from[0] == '%' && from[1] == 'S') {
			*to++ = SEED_MARK;
			from++;
		} else if (*from == '%' && sscanf(from + 1, "%2x", &byte) == 1) {
			*to++ = (char)byte;
			from += 2;
		} else {
			*to++ = *from;
		}
	}
	*to = '\0';
	return out;
}

static struct phase *last_phase(struct plan *plan, const char *word)
{
	if (!plan->count)
		fail("plan: %s before the first phase", word);
	return &plan->phases[plan->count - 1];
}

static struct lane *last_lane(struct plan *plan, const char *word)
{
	struct phase *phase = last_phase(plan, word);

	if (!phase->count)
		fail("plan: %s before the first lane of phase %s", word, phase->name);
	return &phase->lanes[phase->count - 1];
}

static void line_read(struct plan *plan, const char *word, char *text, struct text_list **arguments)
{
	if (!strcmp(word, "shuffled")) {
		plan->shuffled = true;
	} else if (!strcmp(word, "helper")) {
		*arguments = &plan->helper;
	} else if (!strcmp(word, "socket")) {
		plan->socket = text;
	} else if (!strcmp(word, "report")) {
		add(&plan->reports, text);
	} else if (!strcmp(word, "drop")) {
		add(&plan->drops, text);
	} else if (!strcmp(word, "phase")) {
		plan->phases = grown(plan->phases, plan->count, sizeof(*plan->phases));
		plan->phases[plan->count++].name = text;
	} else if (!strcmp(word, "ask")) {
		last_phase(plan, word)->ask = text;
	} else if (!strcmp(word, "act")) {
		struct phase *phase = last_phase(plan, word);

		phase->acts = grown(phase->acts, phase->acts_count, sizeof(*phase->acts));
		*arguments = &phase->acts[phase->acts_count++];
	} else if (!strcmp(word, "lane")) {
		struct phase *phase = last_phase(plan, word);

		phase->lanes = grown(phase->lanes, phase->count++, sizeof(*phase->lanes));
	} else if (!strcmp(word, "round")) {
		struct lane *lane = last_lane(plan, word);

		lane->rounds = grown(lane->rounds, lane->count, sizeof(*lane->rounds));
		*arguments = &lane->rounds[lane->count++].argv;
	} else if (!strcmp(word, "arg") && *arguments) {
		add(*arguments, text);
	} else {
		fail("plan: \"%s\" is no word of a plan, or stands in no place for it", word);
	}
}

void plan_read(const char *path, struct plan *plan)
{
	struct text_list *arguments = NULL;
	size_t size = 0;
	char *line = NULL;
	FILE *file = fopen(path, "re");

	if (!file)
		fail("%s: %s", path, strerror(errno));
	while (getline(&line, &size, file) > 0) {
		line[strcspn(line, "\n")] = '\0';
		char *space = strchr(line, ' ');
		char *text = decoded(space ? space + 1 : "");

		if (space)
			*space = '\0';
		line_read(plan, line, text, &arguments);
	}
	fclose(file);
	if (!plan->count)
		fail("%s: a plan without phases", path);
	if (plan->helper.count && !plan->socket)
		fail("%s: a helper without its socket", path);
}
