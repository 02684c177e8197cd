/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Counters of the processor that share its few places: each counts for a part of the time, and what it counted is scaled up by that part. Between
 * two readings, never over all time: a counter that got more of its time later would fall.
 */
#ifndef PMVX_SCALED_H
#define PMVX_SCALED_H

/* A counter as it was read last: what it counted, for how long it was wanted and for how long it counted, in ns; and its scaled sum. */
struct pmvx_scaled {
	__u64 counter, enabled, running, sum;
};

/* The scaled sum after another reading; false when it did not count since the last one: then that one stands, and the next catches up. */
static inline __attribute__((always_inline)) int pmvx_scale(struct pmvx_scaled *last, __u64 counter, __u64 enabled, __u64 running)
{
	__u64 counted = counter - last->counter, wanted = enabled - last->enabled, did = running - last->running;

	if (!did)
		return 0;
	/* In 1/1024, so that no product overflows. */
	last->sum += wanted == did ? counted : counted * ((wanted << 10) / did) >> 10;
	last->counter = counter;
	last->enabled = enabled;
	last->running = running;
	return 1;
}

#endif
