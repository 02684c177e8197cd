// SPDX-License-Identifier: GPL-2.0-only
/*
 * Probe `calls`: which system calls tasks communicate by. See calls.h for the counters. It runs at every system call, so it is a set
 * of its own: what it costs, only those pay who ask for it.
 */
#include "call-class.h"
#include "counters.h"

COUNTERS(struct pmvx_calls);

SEC("tp_btf/sys_enter")
int BPF_PROG(often_call, struct pt_regs *regs, long number)
{
	__u64 *calls = this_cpu_counters(&counters);

	if (calls && !is_other())
		calls[call_class(regs, number)]++;
	return 0;
}
