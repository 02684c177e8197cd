// SPDX-License-Identifier: GPL-2.0-only
/* Globals of every section that libbpf makes a map of, the kernel's configuration among them. */
#include <linux/bpf.h>
#include <linux/types.h>
#include <stdbool.h>

#include <bpf/bpf_helpers.h>

extern int LINUX_KERNEL_VERSION __kconfig;
extern bool CONFIG_BPF __kconfig __weak;
const volatile int constant = 3;
const volatile int constant_apart SEC(".rodata.apart") = 4;
__u64 zeroed = 0;
int given = 5;
int given_apart SEC(".data.apart") = 6;

SEC("raw_tp/sys_enter")
int on_call(void *context)
{
	zeroed += LINUX_KERNEL_VERSION + CONFIG_BPF + constant + constant_apart + given + given_apart;
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
