// SPDX-License-Identifier: GPL-2.0-only
/*
 * made_up_error: for a test. One queue, first in, first out; a task whose name begins with "sha" is an error, at which the kernel throws
 * the scheduler out.
 */
#include <scx/common.bpf.h>

char _license[] SEC("license") = "GPL";

#define QUEUE 0

UEI_DEFINE(uei);

void BPF_STRUCT_OPS(error_enqueue, struct task_struct *p, u64 enq_flags)
{
	if (p->comm[0] == 's' && p->comm[1] == 'h' && p->comm[2] == 'a')
		scx_bpf_error("a task came that is made up to be an error");
	scx_bpf_dsq_insert(p, QUEUE, SCX_SLICE_DFL, enq_flags);
}

void BPF_STRUCT_OPS(error_dispatch, s32 cpu, struct task_struct *prev)
{
	scx_bpf_dsq_move_to_local(QUEUE, 0);
}

s32 BPF_STRUCT_OPS_SLEEPABLE(error_init)
{
	return scx_bpf_create_dsq(QUEUE, -1);
}

void BPF_STRUCT_OPS(error_exit, struct scx_exit_info *ei)
{
	UEI_RECORD(uei, ei);
}

SCX_OPS_DEFINE(error_ops,
	       .enqueue = (void *)error_enqueue,
	       .dispatch = (void *)error_dispatch,
	       .init = (void *)error_init,
	       .exit = (void *)error_exit,
	       .name = "made_up_error");
