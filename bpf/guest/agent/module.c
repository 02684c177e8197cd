// SPDX-License-Identifier: GPL-2.0-only
/* Kernel modules: loading one, the idle module, and what that tells about the kernel. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "agent.h"

#define IDLE_MODULE "/modules/pmvx_idle.ko"
#define IDLE_PARAMETERS "/sys/module/pmvx_idle/parameters/"

int load_module(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	int failed;

	if (fd < 0)
		return -errno;
	failed = syscall(SYS_finit_module, fd, "", 0) ? -errno : 0;
	close(fd);
	return failed == -EEXIST ? 0 : failed;
}

/* Engines without the slice plugin run on real time and let vCPUs halt. */
void idle_load(void)
{
	int failed = getenv("PMVX_IDLE") ? load_module(IDLE_MODULE) : 0;

	if (failed)
		agent_fail("%s: %s", IDLE_MODULE, strerror(-failed));
}

/*
 * Here a machine may be saved, and others go on from it. The module says the mark on the last vCPU, whatever runs there: after a restore
 * the emulator's round robin begins with vCPU 0, and that is whose turn it is anyway then. Engines without the module need no mark.
 */
void fork_mark(void)
{
	int fd = open(IDLE_PARAMETERS "fork", O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return;
	if (write(fd, "1", 1) != 1)
		agent_fail("fork mark: %s", strerror(errno));
	close(fd);
}

static unsigned long parameter(const char *name)
{
	char path[128];
	unsigned long value = 0;
	FILE *file;

	snprintf(path, sizeof(path), IDLE_PARAMETERS "%s", name);
	file = fopen(path, "re");
	if (!file)
		return 0;
	if (fscanf(file, "%lu", &value) != 1)
		value = 0;
	fclose(file);
	return value;
}

/* Members of a JSON object for who traces switches from outside, a comma before each; nothing when the kernel hides the symbol. */
void idle_symbols(char *json, size_t size)
{
	unsigned long at = parameter("switch_to");

	*json = '\0';
	if (at)
		snprintf(json, size, ",\"switchTo\":\"%016lx\",\"pidOffset\":%lu,\"commOffset\":%lu", at, parameter("pid_offset"),
			 parameter("comm_offset"));
}
