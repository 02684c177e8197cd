/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads a profile: a line `pmvx-synth 1`, then a line for each group of tasks that behave alike, `group key=value ...`; `#` begins a
 * comment. Keys that are left out have their defaults. A profile that cannot run to its end ends the program with one line.
 *
 * Numbers "of a thousand" are per thousand rounds of a task, and may be above a thousand: 2500 is two or three in every round.
 */
#ifndef PMVX_SYNTH_PROFILE_H
#define PMVX_SYNTH_PROFILE_H

#include <stdbool.h>
#include <stddef.h>

#include "../driver.h"

#define GROUPS_MAX 16
#define TASKS_MAX 1024
#define TASKS_OF_GROUP 256
#define LINE_MAX_BYTES 1024
#define SLOTS 64 /* messages that an inbox of link=futex holds at most */
#define FLIGHT_BYTES 65536 /* that may be under way in a circle, so that nobody waits for room for ever */
#define MESSAGE_COST 512

enum as { THREAD, PROCESS };
enum link { NONE, TIMER, FUTEX, EVENT, PIPE, UNIX, TCP };
enum call { READ, RECV, POLL, EPOLL };
enum to { NEXT, ANY, SAME };
enum pace { CLOSED, OPEN };
enum spawn_join { WAIT, LEAVE };
enum class { OTHER, BATCH, IDLE, FIFO };
enum device { ROOT, DISK_IN_MEMORY };

struct group {
	long tasks;
	long as;	  /* threads of one process, or a process each */
	long link;	  /* what begins a round: nothing, a timer, a message by one of these ways */
	long call;	  /* how a task waits for a message that has a file descriptor */
	long pace;	  /* of a timer: from the end of the round before, or from when that one was due */
	long sleep;	  /* of a timer, us; so many of a thousand last sleep_long instead */
	long sleep_long;
	long sleep_long_of;
	long run;	  /* computing of a round, instructions; so many of a thousand compute run_long instead */
	long run_long;
	long run_long_of;
	long touch_kib;   /* memory that a round walks through, its own and warm */
	long pages;       /* fresh pages written, of a thousand */
	long files;       /* pages written to a file in memory, of a thousand */
	long reads;       /* of blocks, of a thousand */
	long writes;      /* of blocks, of a thousand; device=disk only */
	long block_kib;
	long device;
	long forks;       /* children, of a thousand: processes or threads that compute and end */
	long spawn;
	long join;	  /* whether the parent waits for each */
	long child_run;   /* instructions */
	long child_pages; /* fresh pages that a child writes */
	long yields;      /* of a thousand */
	long send;	  /* number of the group that gets messages, from 1; 0 for none */
	long to;	  /* the next task there, any of them, or the one with the same number */
	long fan;	  /* messages a round */
	long bytes;       /* of each message to this group; link=event and futex carry none */
	long depth;       /* of each inbox, in messages; link=futex only */
	long tokens;      /* messages that lie in its inboxes at the start */
	long class;
	long pin;	  /* 1: task i runs on CPU i alone, modulo their number */
	long rounds;      /* of all its tasks together, until the group has done its share */
	long counts;      /* 0: its rounds are no part of the response times */
};

static const char *const as_words[] = { "thread", "process", NULL };
static const char *const link_words[] = { "none", "timer", "futex", "event", "pipe", "unix", "tcp", NULL };
static const char *const call_words[] = { "read", "recv", "poll", "epoll", NULL };
static const char *const pace_words[] = { "closed", "open", NULL };
static const char *const device_words[] = { "root", "disk", NULL };
static const char *const spawn_words[] = { "thread", "process", NULL };
static const char *const join_words[] = { "wait", "leave", NULL };
static const char *const to_words[] = { "next", "any", "same", NULL };
static const char *const class_words[] = { "other", "batch", "idle", "fifo", NULL };

/* `name=N`, a number from min to max, or the place of a word. */
struct key {
	const char *name;
	size_t place;
	long least, most, usual;
	const char *const *words;
};

#define NUMBER(member, least, most, usual) { #member, offsetof(struct group, member), least, most, usual, NULL }
#define WORD(member, usual) { #member, offsetof(struct group, member), 0, 0, usual, member##_words }
#define A_SECOND_OF_WORK 1000000000l

static const struct key keys[] = {
	NUMBER(tasks, 1, TASKS_OF_GROUP, 1),
	WORD(as, THREAD),
	WORD(link, NONE),
	WORD(call, READ),
	WORD(pace, CLOSED),
	NUMBER(sleep, 1, 10000000, 1000),
	NUMBER(sleep_long, 1, 10000000, 1000),
	NUMBER(sleep_long_of, 0, 1000, 0),
	NUMBER(run, 0, A_SECOND_OF_WORK, 10000),
	NUMBER(run_long, 0, A_SECOND_OF_WORK, 0),
	NUMBER(run_long_of, 0, 1000, 0),
	NUMBER(touch_kib, 0, 65536, 0),
	NUMBER(pages, 0, 1000000, 0),
	NUMBER(files, 0, 1000000, 0),
	NUMBER(reads, 0, 100000, 0),
	NUMBER(writes, 0, 100000, 0),
	NUMBER(block_kib, 4, 1024, 4),
	WORD(device, ROOT),
	NUMBER(forks, 0, 10000, 0),
	WORD(spawn, PROCESS),
	WORD(join, WAIT),
	NUMBER(child_run, 0, A_SECOND_OF_WORK, 10000),
	NUMBER(child_pages, 0, 4096, 0),
	NUMBER(yields, 0, 100000, 0),
	NUMBER(send, 0, GROUPS_MAX, 0),
	WORD(to, NEXT),
	NUMBER(fan, 1, 64, 1),
	NUMBER(bytes, 1, 65536, 8),
	NUMBER(depth, 1, SLOTS, SLOTS),
	NUMBER(tokens, 0, 1024, 0),
	WORD(class, OTHER),
	NUMBER(pin, 0, 1, 0),
	NUMBER(rounds, 1, 100000000, 1),
	NUMBER(counts, 0, 1, 1),
};
enum { KEYS = sizeof(keys) / sizeof(keys[0]) };

static struct group groups[GROUPS_MAX];
static int group_count, task_total;

static inline _Noreturn void bad_profile(int line, const char *what, const char *value)
{
	fprintf(stderr, "synth: profile, line %d: %s%s%s\n", line, what, *value ? ": " : "", value);
	exit(1);
}

static inline void set_key(struct group *group, char *word, int line)
{
	char *value = strchr(word, '='), *end;
	const struct key *key = keys;
	long number = 0;

	if (!value)
		bad_profile(line, "expected key=value", word);
	*value++ = '\0';
	while (key < keys + KEYS && strcmp(key->name, word))
		key++;
	if (key == keys + KEYS)
		bad_profile(line, "unknown key", word);
	if (key->words) {
		while (key->words[number] && strcmp(key->words[number], value))
			number++;
		if (!key->words[number])
			bad_profile(line, key->name, value);
	} else {
		errno = 0;
		number = strtol(value, &end, 10);
		if (errno || end == value || *end || number < key->least || number > key->most)
			bad_profile(line, key->name, value);
	}
	*(long *)((char *)group + key->place) = number;
}

static inline bool has_inbox(const struct group *group)
{
	return group->link >= FUTEX;
}

/* Messages that may be under way in a circle with this group in it. */
static inline long flight_of(const struct group *group)
{
	if (group->link == FUTEX)
		return group->depth;
	return group->link == EVENT ? TASKS_MAX : FLIGHT_BYTES / (group->bytes < MESSAGE_COST ? MESSAGE_COST : group->bytes);
}

static inline _Noreturn void bad_group(int at, const char *what)
{
	fprintf(stderr, "synth: profile, group %d of %d: %s\n", at + 1, group_count, what);
	exit(1);
}

/* Whether messages of one group come to another, at once or passed on. A group in a circle reaches itself. */
static inline bool reaches(int from, int to)
{
	for (int steps = 0; steps < group_count && groups[from].send; steps++) {
		from = (int)groups[from].send - 1;
		if (from == to)
			return true;
	}
	return false;
}

/* What goes round in a circle stays: too much of it, and all wait for room. */
static inline void check_circle(int at)
{
	long tokens = groups[at].tokens;

	for (int other = 0; other < group_count; other++) {
		if (other == at || !reaches(other, at))
			continue;
		if (!has_inbox(&groups[other]))
			bad_group(at, "more and more comes into its circle, and nothing leaves it");
		tokens += groups[other].tokens;
	}
	if (!tokens)
		bad_group(at, "it waits for ever: give its circle tokens");
	if (tokens > flight_of(&groups[at]))
		bad_group(at, "its circle has more tokens than room for them");
}

static inline void check_inbox(int at)
{
	bool fed = false;

	if (reaches(at, at)) {
		check_circle(at);
		return;
	}
	for (int other = 0; other < group_count; other++)
		fed |= !has_inbox(&groups[other]) && reaches(other, at);
	if (!fed)
		bad_group(at, "it waits for ever: no timer and no group without waits sends to it");
}

static inline void check_group(int at)
{
	const struct group *group = &groups[at];

	if (group->send > group_count || (group->send && !has_inbox(&groups[group->send - 1])))
		bad_group(at, "it sends to a group that takes no messages");
	if (group->fan > 1 && group->send && groups[group->send - 1].send)
		bad_group(at, "fan must be 1 when who gets the messages sends on");
	if (group->tokens && !has_inbox(group))
		bad_group(at, "it takes no messages and cannot have tokens");
	if (group->link == EVENT ? group->call == RECV : group->link < EVENT ? group->call != READ : group->link == PIPE && group->call == RECV)
		bad_group(at, "it cannot wait by this call");
	if (group->writes && group->device == ROOT)
		bad_group(at, "it cannot write to the root's device");
	if (has_inbox(group))
		check_inbox(at);
}

static inline void read_profile(const char *path)
{
	char text[LINE_MAX_BYTES], *word, *rest;
	FILE *file = fopen(path, "r");
	int line = 0;

	if (!file)
		fail(path, errno);
	while (fgets(text, sizeof(text), file)) {
		line++;
		if (!strchr(text, '\n'))
			bad_profile(line, "too long, or cut off", "");
		text[strcspn(text, "#\n")] = '\0';
		if (line == 1 && strcmp(text, "pmvx-synth 1"))
			bad_profile(line, "expected pmvx-synth 1", text);
		word = strtok_r(text, " ", &rest);
		if (line == 1 || !word)
			continue;
		if (strcmp(word, "group"))
			bad_profile(line, "expected group", word);
		if (group_count == GROUPS_MAX)
			bad_profile(line, "more groups than 16", "");
		for (int i = 0; i < KEYS; i++)
			*(long *)((char *)&groups[group_count] + keys[i].place) = keys[i].usual;
		while ((word = strtok_r(NULL, " ", &rest)))
			set_key(&groups[group_count], word, line);
		task_total += (int)groups[group_count++].tasks;
	}
	fclose(file);
	if (!group_count)
		bad_profile(line, "no group", "");
	if (task_total > TASKS_MAX)
		bad_profile(line, "more tasks than 1024", "");
	for (int at = 0; at < group_count; at++)
		check_group(at);
	for (int at = 0; !groups[at].counts; at++)
		if (at == group_count - 1)
			bad_group(at, "counts=0 in every group: nothing is measured");
}

#endif
