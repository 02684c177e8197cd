// SPDX-License-Identifier: GPL-2.0-only
/* From power-on to a quiescent machine: modules, root on DAX, mounts, loopback, and waiting until the kernel is done. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysinfo.h>
#include <unistd.h>

#include "agent.h"

/* Order matters: each needs those before it. */
static const char *const pmem_modules[] = { "libnvdimm", "nd_virtio", "virtio_pmem", "nd_btt", "nd_pmem" };

static void must_mount(const char *what, const char *where, const char *type, unsigned long flags, const char *data)
{
	if (mount(what, where, type, flags, data))
		agent_fail("mount %s on %s: %s", type, where, strerror(errno));
}

/* The idle module comes before everything: while vCPUs halt, another thread of the emulator moves time. */
void boot_early(void)
{
	idle_load();
	mkdir("/proc", 0755);
	mkdir("/sys", 0755);
	mkdir("/dev", 0755);
	mkdir("/root", 0755);
	must_mount("proc", "/proc", "proc", 0, NULL);
	must_mount("sysfs", "/sys", "sysfs", 0, NULL);
	if (mount("devtmpfs", "/dev", "devtmpfs", 0, NULL) && errno != EBUSY)
		agent_fail("mount devtmpfs: %s", strerror(errno));
	random_boot();
	for (size_t i = 0; i < sizeof(pmem_modules) / sizeof(*pmem_modules); i++) {
		char path[128];
		int failed;

		snprintf(path, sizeof(path), "/modules/%s.ko", pmem_modules[i]);
		failed = load_module(path);
		if (failed)
			agent_fail("module %s: %s", pmem_modules[i], strerror(-failed));
	}
}

/* Files in memory, up to `percent` of it. All such places together leave room for programs: who fills them is told ENOSPC. */
static void mount_memory(const char *where, const char *mode, unsigned int percent)
{
	struct sysinfo memory;
	char data[64];

	if (sysinfo(&memory))
		agent_fail("sysinfo: %s", strerror(errno));
	snprintf(data, sizeof(data), "mode=%s,size=%lluk", mode,
		 (unsigned long long)memory.totalram * memory.mem_unit / 1024 * percent / 100);
	must_mount("tmpfs", where, "tmpfs", 0, data);
}

static void loopback_up(void)
{
	struct ifreq request = { .ifr_name = "lo" };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	request.ifr_flags = IFF_UP | IFF_RUNNING;
	if (fd < 0 || ioctl(fd, SIOCSIFFLAGS, &request))
		agent_fail("loopback: %s", strerror(errno));
	close(fd);
}

void boot_root(void)
{
	static const struct rlimit files = { 65536, 65536 };
	bool mounted = false;

	for (int i = 0; i < 1000 && !mounted; i++) {
		mounted = !mount("/dev/pmem0", "/root", "ext4", MS_RDONLY | MS_NOATIME, "dax=always");
		if (!mounted && errno != ENOENT && errno != ENXIO)
			agent_fail("root file system: %s", strerror(errno));
		if (!mounted)
			sleep_ns(10 * MS);
	}
	if (!mounted)
		agent_fail("no /dev/pmem0 after 10 s");
	if (mount("/proc", "/root/proc", NULL, MS_MOVE, NULL) || mount("/sys", "/root/sys", NULL, MS_MOVE, NULL) ||
	    mount("/dev", "/root/dev", NULL, MS_MOVE, NULL))
		agent_fail("moving mounts: %s", strerror(errno));
	if (chdir("/root") || mount(".", "/", NULL, MS_MOVE, NULL) || chroot(".") || chdir("/"))
		agent_fail("switching root: %s", strerror(errno));
	mount_memory("/tmp", "1777", 40);
	mount_memory("/run", "755", 15);
	mkdir(OWN, 0700);
	mount_memory(OWN, "700", 8);
	mkdir("/dev/shm", 01777);
	mkdir("/dev/pts", 0755);
	mount_memory("/dev/shm", "1777", 12);
	must_mount("devpts", "/dev/pts", "devpts", 0, NULL);
	must_mount("cgroup2", "/sys/fs/cgroup", "cgroup2", 0, NULL);
	must_mount("debugfs", "/sys/kernel/debug", "debugfs", 0, NULL);
	must_mount("bpf", "/sys/fs/bpf", "bpf", 0, NULL);
	loopback_up();
	setrlimit(RLIMIT_NOFILE, &files);
}

unsigned int online_cpus(void)
{
	return (unsigned int)sysconf(_SC_NPROCESSORS_ONLN);
}

static unsigned long long context_switches(void)
{
	static char stat[65536];
	int fd = open("/proc/stat", O_RDONLY | O_CLOEXEC);
	ssize_t length = fd < 0 ? -1 : read(fd, stat, sizeof(stat) - 1);
	char *line;

	if (fd >= 0)
		close(fd);
	if (length <= 0)
		return 0;
	stat[length] = '\0';
	line = strstr(stat, "\nctxt ");
	return line ? strtoull(line + 6, NULL, 10) : 0;
}

/*
 * Quiescent: in CALM_WINDOWS windows of WINDOW_MS in a row no more than CALM_SWITCHES context switches, of which the agent
 * itself causes two (to it and away). After a boot the kernel works in the background for some seconds.
 */
#define WINDOW_MS 100
#define CALM_WINDOWS 10
#define CALM_SWITCHES 12
#define QUIESCE_WINDOWS 300

/* Writes members of a JSON object to `report`. */
int boot_quiesce(char *report, size_t size)
{
	unsigned long long last = context_switches();
	unsigned long long busiest = 0;
	int calm = 0;
	int window;

	for (window = 0; window < QUIESCE_WINDOWS && calm < CALM_WINDOWS; window++) {
		unsigned long long count, delta;

		sleep_ns(WINDOW_MS * MS);
		count = context_switches();
		delta = count - last;
		last = count;
		if (delta > CALM_SWITCHES) {
			calm = 0;
			busiest = 0;
		} else {
			calm++;
			busiest = delta > busiest ? delta : busiest;
		}
	}
	snprintf(report, size, "\"windows\":%d,\"windowMs\":%d,\"busiestCalmWindow\":%llu", window, WINDOW_MS, busiest);
	return calm < CALM_WINDOWS ? -1 : 0;
}
