// SPDX-License-Identifier: GPL-2.0-only
/* What the tests load: counts and reports the getuid(2) calls of one process. */
#include <linux/bpf.h>
#include <linux/types.h>
#include <stdbool.h>

#include <bpf/bpf_helpers.h>

#define NR_GETUID 102 /* x86-64 */
#define NR_GETUID_ARM64 174

const volatile __u32 only_tgid = 0;
const volatile __s32 number = -3;
const volatile __u64 wide = 1ull << 63;
const volatile bool flag = true;
const volatile double real = 0.5;
const volatile char text[8] = "abc";
/* Of the kernel's enum bpf_prog_type, and one that no enum has. */
const volatile __u64 __BPF_PROG_TYPE_TRACING = 0;
const volatile __u8 __BPF_PROG_TYPE_SYSCALL = 0;
const volatile __u64 __BPF_PROG_TYPE_NOTHING = 77;
__u64 calls_seen = 0;

struct counts {
	__u64 calls;
	__s32 last;
	__u8 history[4];
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct counts);
} counts SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 5000);
	__type(key, __u32);
	__type(value, __u64);
} table SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_HASH);
	__uint(max_entries, 16);
	__type(key, __u32);
	__type(value, __u32);
} per_cpu_table SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_QUEUE);
	__uint(max_entries, 4);
	__type(value, __u32);
} queue SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4096);
} events SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERF_EVENT_ARRAY);
	__type(key, __u32);
	__type(value, __u32);
} clocks SEC(".maps");

SEC("raw_tp/sys_enter")
int on_call(struct bpf_raw_tracepoint_args *context)
{
	__u32 zero = 0;
	struct counts *mine;
	__u64 *record;

	if (bpf_get_current_pid_tgid() >> 32 != only_tgid ||
	    (context->args[1] != NR_GETUID && context->args[1] != NR_GETUID_ARM64))
		return 0;
	__sync_fetch_and_add(&calls_seen, 1);
	mine = bpf_map_lookup_elem(&counts, &zero);
	if (mine) {
		mine->calls++;
		mine->last = number;
	}
	record = bpf_ringbuf_reserve(&events, sizeof(*record), 0);
	if (record) {
		*record = calls_seen;
		bpf_ringbuf_submit(record, 0);
	}
	return 0;
}

SEC("raw_tp")
int on_demand(void *context)
{
	return number;
}

char LICENSE[] SEC("license") = "GPL";
