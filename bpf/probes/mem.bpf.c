// SPDX-License-Identifier: GPL-2.0-only
/*
 * Probe `mem`: page faults, allocation and reclaim. See mem.h for the counters. What the kernel counts anyway is copied at each
 * reading, so that a page allocation costs nothing.
 */
#include "counters.h"
#include "mem.h"

#define PF_WRITE 0x2 /* x86: X86_PF_WRITE */

COUNTERS(struct pmvx_mem);

SEC("tp_btf/page_fault_user")
int BPF_PROG(often_user_fault, unsigned long address, struct pt_regs *regs, unsigned long error)
{
	struct pmvx_mem *mem = this_cpu_counters(&counters);

	if (!mem || is_other())
		return 0;
	mem->fault_user++;
	if (error & PF_WRITE)
		mem->fault_user_write++;
	return 0;
}

SEC("tp_btf/page_fault_kernel")
int BPF_PROG(often_kernel_fault, unsigned long address, struct pt_regs *regs, unsigned long error)
{
	struct pmvx_mem *mem = this_cpu_counters(&counters);

	if (mem && !is_other())
		mem->fault_kernel++;
	return 0;
}

SEC("tp_btf/mm_vmscan_direct_reclaim_begin")
int BPF_PROG(on_direct_reclaim)
{
	struct pmvx_mem *mem = this_cpu_counters(&counters);

	if (mem && !is_other())
		mem->reclaim_direct++;
	return 0;
}

SEC("tp_btf/mm_vmscan_direct_reclaim_end")
int BPF_PROG(on_direct_reclaimed, unsigned long reclaimed)
{
	struct pmvx_mem *mem = this_cpu_counters(&counters);

	if (mem && !is_other())
		mem->reclaim_direct_pages += reclaimed;
	return 0;
}

SEC("tp_btf/mm_vmscan_kswapd_wake")
int BPF_PROG(on_kswapd_wake)
{
	struct pmvx_mem *mem = this_cpu_counters(&counters);

	if (mem && !only_tgid)
		mem->reclaim_kswapd_wake++;
	return 0;
}

SEC("tp_btf/mm_vmscan_lru_shrink_inactive")
int BPF_PROG(on_shrink_inactive, int node, unsigned long scanned, unsigned long reclaimed)
{
	struct pmvx_mem *mem = this_cpu_counters(&counters);

	if (!mem || is_other())
		return 0;
	mem->reclaim_scanned += scanned;
	mem->reclaim_reclaimed += reclaimed;
	return 0;
}

/* Of the kernel's event counters of this CPU; what this kernel does not count is absent. */
#define VM_EVENT(events, item)                                                                   \
	(bpf_core_enum_value_exists(enum vm_event_item, item) ?                                  \
		 (events)[bpf_core_enum_value(enum vm_event_item, item)] : PMVX_ABSENT)
/* A zone that the kernel was built without has no pages. */
#define ZONE_EVENT(events, item)                                                                 \
	(bpf_core_enum_value_exists(enum vm_event_item, item) ?                                  \
		 (events)[bpf_core_enum_value(enum vm_event_item, item)] : 0)

SEC("raw_tp")
int kept(void *context)
{
	struct pmvx_mem *mem = this_cpu_counters(&counters);
	const struct vm_event_state *state = bpf_this_cpu_ptr(&vm_event_states);
	const unsigned long *events = (const unsigned long *)state;

	if (!mem)
		return 0;
	mem->fault_handled = VM_EVENT(events, PGFAULT);
	mem->fault_major = VM_EVENT(events, PGMAJFAULT);
	mem->pages_allocated = ZONE_EVENT(events, PGALLOC_DMA) + ZONE_EVENT(events, PGALLOC_DMA32) +
			       ZONE_EVENT(events, PGALLOC_NORMAL) + ZONE_EVENT(events, PGALLOC_MOVABLE);
	mem->pages_freed = VM_EVENT(events, PGFREE);
	mem->pages_swapped_in = VM_EVENT(events, PSWPIN);
	mem->pages_swapped_out = VM_EVENT(events, PSWPOUT);
	return 0;
}

SEC("tp_btf/mm_page_alloc")
int BPF_PROG(instead_alloc, struct page *page, unsigned int order)
{
	struct pmvx_mem *mem = this_cpu_counters(&counters);

	if (mem && page && !is_other())
		mem->pages_allocated += 1ull << (order & 63);
	return 0;
}

SEC("tp_btf/mm_page_free")
int BPF_PROG(instead_free, struct page *page, unsigned int order)
{
	struct pmvx_mem *mem = this_cpu_counters(&counters);

	if (mem && !is_other())
		mem->pages_freed += 1ull << (order & 63);
	return 0;
}

SEC("raw_tp")
int sample(void *context)
{
	struct pmvx_mem *mem = this_cpu_counters(&counters);

	if (!mem || !no_kept)
		return 0;
	mem->fault_handled = PMVX_ABSENT;
	mem->fault_major = PMVX_ABSENT;
	mem->pages_swapped_in = PMVX_ABSENT;
	mem->pages_swapped_out = PMVX_ABSENT;
	return 0;
}
