// SPDX-License-Identifier: GPL-2.0-only
/*
 * pmvx agent: PID 1 of a trial.
 *
 * boot -> quiescent -> orders -> policy attached and proven -> warm-up -> run -> state after -> logs -> power off.
 * Everything it learns goes out as frames; it decides nothing about the result.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/reboot.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "agent.h"

#define IDLE_MODULE "/opt/pmvx/pmvx_idle.ko"
#define OUTPUT "/run/output"
#define WARMUP_OUTPUT "/run/warmup"
#define OFFSET_SPAN_NS (4 * MS) /* one timer tick at 250 Hz */

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

static _Noreturn void power_off(void)
{
	sync();
	reboot(RB_POWER_OFF);
	for (;;)
		pause();
}

void agent_fail(const char *format, ...)
{
	char reason[512], escaped[2048];
	va_list args;

	va_start(args, format);
	vsnprintf(reason, sizeof(reason), format, args);
	va_end(args);
	/* The console hears it even when the data channel is not there yet. */
	dprintf(2, "pmvx agent: %s\n", reason);
	frame_printf("error", "{\"reason\":\"%s\"}", json_escape(reason, escaped, sizeof(escaped)));
	power_off();
}

static void send_kernel_log(void)
{
	static char log[LOG_LIMIT + 8192];
	size_t length = 0;
	int fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);

	for (;;) {
		char record[8192];
		ssize_t got = fd < 0 ? -1 : read(fd, record, sizeof(record) - 1);

		if (got < 0 && errno == EPIPE)
			continue;
		if (got <= 0)
			break;
		if (length + (size_t)got > LOG_LIMIT) {
			/* Keep the end: it is what explains a failure. */
			memmove(log, log + LOG_LIMIT / 2, length - LOG_LIMIT / 2);
			length -= LOG_LIMIT / 2;
		}
		memcpy(log + length, record, (size_t)got);
		length += (size_t)got;
	}
	if (fd >= 0)
		close(fd);
	frame_send("klog", log, length);
}

/* SplitMix64 (Steele, Lea, Flood 2014): spreads neighbouring seeds. */
static uint64_t mix(uint64_t x)
{
	x += 0x9e3779b97f4a7c15u;
	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
	x = (x ^ x >> 27) * 0x94d049bb133111ebu;
	return x ^ x >> 31;
}

/* The seed moves the start against the timer tick: a busy wait of 0 to 4 ms. */
static void wait_offset(uint64_t seed)
{
	uint64_t until = now_ns() + mix(seed) % OFFSET_SPAN_NS;

	while (now_ns() < until)
		;
}

static void finish(void)
{
	policy_deactivate();
	frame_file("policy-log", "/run/policy.log", LOG_LIMIT);
	send_kernel_log();
	frame_send("done", "{}", 2);
	/* Does nothing; tells the exact engine's plugin that all that counts has happened. */
	asm volatile("nopl 0x706d7678(%%rax)" ::: "memory");
	power_off();
}

static void refuse(const char *reason)
{
	char escaped[2048];

	frame_printf("refused", "{\"reason\":\"%s\"}", json_escape(reason, escaped, sizeof(escaped)));
	finish();
}

int main(void)
{
	struct orders orders = { 0 };
	struct sched_state state;
	struct run_result result;
	struct utsname kernel;
	char report[256], fault[512];

	boot_early();
	if (frame_open())
		agent_fail("no data channel");
	uname(&kernel);
	frame_printf("hello", "{\"protocol\":1,\"kernel\":\"%s\",\"cpus\":%u}", kernel.release, online_cpus());
	boot_root();
	if (boot_quiesce(report, sizeof(report)))
		agent_fail("the machine did not become quiescent: %s", report);
	/* Engines without the slice plugin run on real time and let vCPUs halt. */
	if (getenv("PMVX_IDLE")) {
		int failed = load_module(IDLE_MODULE);

		if (failed)
			agent_fail("%s: %s", IDLE_MODULE, strerror(-failed));
	}
	frame_printf("ready", "%s", report);

	if (orders_read(&orders, fault, sizeof(fault)))
		agent_fail("%s", fault);
	if (policy_activate(&orders, fault, sizeof(fault)))
		refuse(fault);
	sched_read(&state);
	sched_send("attached", &state);
	if (orders.warmup.count) {
		run_program(&orders.warmup, orders.deadline_ms, orders.seed, WARMUP_OUTPUT, &result);
		run_send("warm", &result);
	}
	wait_offset(orders.seed);
	run_program(&orders.run, orders.deadline_ms, orders.seed, OUTPUT, &result);
	sched_read(&state);
	frame_file("output", OUTPUT, OUTPUT_LIMIT);
	run_send("result", &result);
	sched_send("after", &state);
	finish();
}
