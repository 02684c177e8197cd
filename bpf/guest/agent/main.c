// SPDX-License-Identifier: GPL-2.0-only
/* pmvx agent: PID 1 of a trial. It brings the machine up, then lives through the trial (trial.c). */
#define _GNU_SOURCE
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/reboot.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "agent.h"
#include "mark.h"

uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

void sleep_ns(uint64_t ns)
{
	struct timespec t = { (time_t)(ns / 1000000000u), (long)(ns % 1000000000u) };

	while (nanosleep(&t, &t) && errno == EINTR)
		;
}

void power_off(void)
{
	/* The exact engine ends the machine here; on the others it powers off. */
	PMVX_MARK(PMVX_MARK_END);
	sync();
	reboot(RB_POWER_OFF);
	for (;;)
		pause();
}

void agent_fail(const char *format, ...)
{
	char reason[REASON_MAX];
	va_list args;

	va_start(args, format);
	vsnprintf(reason, sizeof(reason), format, args);
	va_end(args);
	/* The console hears it even when the data channel is not there yet. */
	dprintf(2, "pmvx agent: %s\n", reason);
	frame_reason("error", reason);
	power_off();
}

int main(void)
{
	struct utsname kernel;
	char report[256], symbols[128];

	rank_fixed();
	rank_memory();
	boot_early();
	if (frame_open())
		agent_fail("no data channel");
	uname(&kernel);
	frame_printf("hello", "{\"protocol\":2,\"kernel\":\"%s\",\"cpus\":%u}", kernel.release, online_cpus());
	boot_root();
	if (boot_quiesce(report, sizeof(report)))
		agent_fail("the machine did not become quiescent: {%s}", report);
	idle_symbols(symbols, sizeof(symbols));
	frame_printf("ready", "{%s%s}", report, symbols);
	trial_live();
}
