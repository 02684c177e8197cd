/* SPDX-License-Identifier: Apache-2.0 */
/* A distribution of times in few bytes, so that keeping it touches no new memory: the buckets of harness/core/histogram.ts. */
#ifndef PMVX_SYNTH_BUCKETS_H
#define PMVX_SYNTH_BUCKETS_H

#include <stdatomic.h>

#include "../driver.h"

#define FINEST 64 /* values below it have a bucket each; above, 32 share each doubling */
#define PARTS 32
#define DOUBLINGS 36
#define BUCKETS (FINEST + PARTS * DOUBLINGS)

static inline int bucket_of(uint64_t ns)
{
	int doubling = 0, bucket;

	if (ns < FINEST)
		return (int)ns;
	while (ns >> doubling >= FINEST)
		doubling++;
	bucket = FINEST + (doubling - 1) * PARTS + (int)(ns >> doubling) - PARTS;
	return bucket < BUCKETS ? bucket : BUCKETS - 1;
}

static inline uint64_t width_of(int bucket)
{
	return bucket < FINEST ? 1 : (uint64_t)1 << ((bucket - FINEST) / PARTS + 1);
}

static inline uint64_t least_of(int bucket)
{
	return bucket < FINEST ? (uint64_t)bucket : (uint64_t)((bucket - FINEST) % PARTS + PARTS) * width_of(bucket);
}

/* The middle of the bucket in which the nearest rank lies, in microseconds. */
static inline double bucket_percentile_us(const _Atomic uint32_t *counts, int per_mille)
{
	uint64_t total = 0, rank, seen = 0;
	int bucket = 0;

	for (int i = 0; i < BUCKETS; i++)
		total += atomic_load(&counts[i]);
	rank = (total * (uint64_t)per_mille + 999) / 1000;
	while (bucket < BUCKETS - 1 && (seen += atomic_load(&counts[bucket])) < rank)
		bucket++;
	return (double)(least_of(bucket) + width_of(bucket) / 2) / 1000;
}

static inline void print_buckets(const char *name, const _Atomic uint32_t *counts)
{
	for (int i = 0; i < BUCKETS; i++)
		if (atomic_load(&counts[i]))
			printf("%s_hist %.3f %u\n", name, (double)least_of(i) / 1000, atomic_load(&counts[i]));
}

#endif
