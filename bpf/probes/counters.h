/* SPDX-License-Identifier: GPL-2.0-only */
/* BPF side of probe.h: the map, its value of this CPU, and buckets. */
#ifndef PMVX_COUNTERS_H
#define PMVX_COUNTERS_H

#include "kernel.h"
#include "probe.h"

/* Counts only what the tasks of one process do, on a machine that others use, too; 0: everything. */
const volatile __u32 only_tgid = 0;

/* See probe.h. */
const volatile bool no_sync = false;
const volatile bool no_kept = false;

#define COUNTERS(set)                                    \
	struct {                                         \
		__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY); \
		__uint(max_entries, 1);                  \
		__type(key, __u32);                      \
		__type(value, set);                      \
	} counters SEC(".maps")

static __always_inline void *this_cpu_counters(void *map)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(map, &zero);
}

static __always_inline bool is_other(void)
{
	return only_tgid && bpf_get_current_pid_tgid() >> 32 != only_tgid;
}

/* floor(log2(value)), 0 for 0: binary search, for BPF has no instruction that counts leading zeros. */
static __always_inline __u32 log2_of(__u64 value)
{
	__u32 log = 0;

	if (value >> 32) {
		value >>= 32;
		log = 32;
	}
	if (value >> 16) {
		value >>= 16;
		log += 16;
	}
	if (value >> 8) {
		value >>= 8;
		log += 8;
	}
	if (value >> 4) {
		value >>= 4;
		log += 4;
	}
	if (value >> 2) {
		value >>= 2;
		log += 2;
	}
	return log + (value >> 1 ? 1 : 0);
}

static __always_inline __u32 time_bucket(__u64 ns)
{
	__u32 log = log2_of(ns >> 9);

	return log < PMVX_TIMES ? log : PMVX_TIMES - 1;
}

static __always_inline __u32 size_bucket(__u64 bytes)
{
	__u32 log = bytes ? log2_of(bytes) + 1 : 0;

	return log < PMVX_SIZES ? log : PMVX_SIZES - 1;
}

char LICENSE[] SEC("license") = "GPL";

#endif
