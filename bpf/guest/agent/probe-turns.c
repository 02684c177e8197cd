// SPDX-License-Identifier: GPL-2.0-only
/*
 * Programs of probes at events that come often (their names begin with `often_`) can be asked for during a part of the time only: in
 * each window they come once, for `probe.on_ms`, at a time that keeps to no beat of the workload. For how long they were there is
 * part of every reading.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <linux/bpf.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "agent.h"

#define PROGRAMS_MAX (PROBES_MAX * 16)

static struct {
	int program, link; /* link: -1 while it is not there */
} often[PROGRAMS_MAX];
static int programs;
static uint64_t on_ns, window_ns, seed;
static bool is_on;
/* When they come or go next; since when they are there; for how long they were before that. */
static uint64_t turn_ns = UINT64_MAX, on_since, counted_ns;

/* Takes a program over from the loader, which has attached it for good: that ends here. */
void turns_add(int program, const char *link)
{
	if (programs == PROGRAMS_MAX)
		agent_fail("probes: too many programs");
	if (unlink(link))
		agent_fail("%s: %s", link, strerror(errno));
	often[programs].program = program;
	often[programs++].link = -1;
}

static int attach(int program)
{
	union bpf_attr attr = { .raw_tracepoint = { .prog_fd = (uint32_t)program } };
	int link = (int)syscall(SYS_bpf, BPF_RAW_TRACEPOINT_OPEN, &attr, sizeof(attr));

	if (link < 0)
		agent_fail("probes: cannot attach a program: %s", strerror(errno));
	return link;
}

static void come(void)
{
	for (int i = 0; i < programs; i++)
		often[i].link = attach(often[i].program);
	is_on = true;
	on_since = now_ns();
	turn_ns = on_since + on_ns;
}

static void go(void)
{
	counted_ns += now_ns() - on_since;
	is_on = false;
	turn_ns = UINT64_MAX;
	for (int i = 0; i < programs; i++)
		close(often[i].link);
}

void turns_begin(const struct orders *orders)
{
	on_ns = orders->on_ms * MS;
	seed = mix(orders->seed);
}

/* A window of that length begins now. Where they came so late in the last one that they are there still, that is the turn of this one. */
void turns_window(uint64_t length_ns)
{
	window_ns = length_ns;
	if (on_ns && !is_on)
		turn_ns = now_ns() + mix(seed++) % (window_ns - on_ns + 1);
}

/* Has them come or go when it is time; returns when it will be next. */
uint64_t turns_until(void)
{
	if (now_ns() >= turn_ns) {
		if (is_on)
			go();
		else
			come();
	}
	return turn_ns;
}

/* For how long they were there, until `now`. */
uint64_t turns_counted(uint64_t now)
{
	return counted_ns + (is_on ? now - on_since : 0);
}
