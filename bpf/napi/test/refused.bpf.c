// SPDX-License-Identifier: GPL-2.0-only
/* A program that the verifier refuses: it reads through a pointer that may be NULL. */
#include <linux/bpf.h>
#include <linux/types.h>

#include <bpf/bpf_helpers.h>

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
} table SEC(".maps");

SEC("raw_tp/sys_enter")
int unchecked(void *context)
{
	__u32 zero = 0;
	__u64 *value = bpf_map_lookup_elem(&table, &zero);

	return (int)*value;
}

char LICENSE[] SEC("license") = "GPL";
