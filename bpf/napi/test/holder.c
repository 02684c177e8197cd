// SPDX-License-Identifier: GPL-2.0-only
/* What the tests hold: calls bpf(BPF_LINK_CREATE) for a struct_ops of no map, says what came of it, and waits. */
#include <errno.h>
#include <linux/bpf.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define STRUCT_OPS_LINK (BPF_LSM_CGROUP + 1)

static void create(unsigned int type)
{
	union bpf_attr attr;
	long result;

	memset(&attr, 0, sizeof(attr));
	attr.link_create.attach_type = type;
	attr.link_create.prog_fd = 12345;
	result = syscall(SYS_bpf, BPF_LINK_CREATE, &attr, sizeof(attr));
	printf("%u: %ld %s\n", type, result, result < 0 ? strerror(errno) : "");
	fflush(stdout);
}

int main(int argc, char **argv)
{
	(void)argv;
	create(0);
	create(STRUCT_OPS_LINK);
	create(STRUCT_OPS_LINK);
	if (argc > 1)
		return argc;
	for (;;)
		pause();
}
