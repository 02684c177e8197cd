// SPDX-License-Identifier: GPL-2.0-only
/*
 * made_up_stall: for a test. One queue, first in, first out; but tasks whose name begins with "sha" go to another one, from which nobody
 * takes. The kernel's watchdog finds them after a second.
 */
#include <scx/common.bpf.h>

char _license[] SEC("license") = "GPL";

#define QUEUE 0
#define LIMBO 1

UEI_DEFINE(uei);

void BPF_STRUCT_OPS(stall_enqueue, struct task_struct *p, u64 enq_flags)
{
	bool kept = p->comm[0] == 's' && p->comm[1] == 'h' && p->comm[2] == 'a';

	scx_bpf_dsq_insert(p, kept ? LIMBO : QUEUE, SCX_SLICE_DFL, enq_flags);
}

void BPF_STRUCT_OPS(stall_dispatch, s32 cpu, struct task_struct *prev)
{
	scx_bpf_dsq_move_to_local(QUEUE, 0);
}

s32 BPF_STRUCT_OPS_SLEEPABLE(stall_init)
{
	s32 failed = scx_bpf_create_dsq(QUEUE, -1);

	return failed ? failed : scx_bpf_create_dsq(LIMBO, -1);
}

void BPF_STRUCT_OPS(stall_exit, struct scx_exit_info *ei)
{
	UEI_RECORD(uei, ei);
}

SCX_OPS_DEFINE(stall_ops,
	       .enqueue = (void *)stall_enqueue,
	       .dispatch = (void *)stall_dispatch,
	       .init = (void *)stall_init,
	       .exit = (void *)stall_exit,
	       .timeout_ms = 1000,
	       .name = "made_up_stall");
