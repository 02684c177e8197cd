// SPDX-License-Identifier: GPL-2.0-only
/*
 * Probes: another program loads them before the fork point and pins them (bpf/probes/loader.c); here they are read. A reading is a
 * row of all counters of all sets, each added up over the CPUs. Rows stay in memory until the run has ended.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <glob.h>
#include <linux/bpf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent.h"

#define LOADER "/opt/pmvx/bin/probes"
#define LOG OWN "/probes.log"
#define PINS "/sys/fs/bpf/pmvx"
#define PROGRAMS_MAX 16
#define ROWS_MAX 256
#define ABSENT UINT64_MAX /* bpf/probes/probe.h */

struct probe {
	const char *set;
	int counters;
	unsigned int fields, first; /* how many counters; which of the row's is the first */
	int program[PROGRAMS_MAX];
	bool samples[PROGRAMS_MAX]; /* to be run on each CPU before a reading */
	int programs;
	uint64_t missed; /* at the first reading */
};

static struct probe probe[PROBES_MAX];
static int probes;
static unsigned int possible, width; /* CPUs; counters of a row */
static uint64_t *per_cpu, *rows, row_ns[ROWS_MAX];
static uint64_t row_counted_ns[ROWS_MAX]; /* see probe-turns.c */
static int row_count;
static uint64_t window_ns, next_ns = UINT64_MAX;
static bool has_turns;
static uint64_t late_ns; /* how long after it was due the latest reading came */

static int bpf(int command, union bpf_attr *attr)
{
	return (int)syscall(SYS_bpf, command, attr, sizeof(*attr));
}

const char *probes_add(struct orders *orders, char *set)
{
	static char loader[] = LOADER;

	if (!orders->probes.count)
		orders->probes.arg[orders->probes.count++] = loader;
	if (orders->probes.count > PROBES_MAX)
		return "too many sets of probes";
	orders->probes.arg[orders->probes.count++] = set;
	return NULL;
}

static int open_pin(const char *path)
{
	union bpf_attr attr = { .pathname = (uint64_t)(uintptr_t)path };
	int fd = bpf(BPF_OBJ_GET, &attr);

	if (fd < 0)
		agent_fail("%s: %s", path, strerror(errno));
	return fd;
}

static void get_info(int fd, void *info, uint32_t size)
{
	union bpf_attr attr = { .info = { .bpf_fd = (uint32_t)fd, .info_len = size, .info = (uint64_t)(uintptr_t)info } };

	memset(info, 0, size);
	if (bpf(BPF_OBJ_GET_INFO_BY_FD, &attr))
		agent_fail("probes: cannot ask for information: %s", strerror(errno));
}

static void open_probe(struct probe *probe, const char *set)
{
	struct bpf_map_info map;
	char path[128];
	glob_t found;

	probe->set = set;
	snprintf(path, sizeof(path), PINS "/%s/counters", set);
	probe->counters = open_pin(path);
	get_info(probe->counters, &map, sizeof(map));
	probe->fields = map.value_size / sizeof(uint64_t);
	probe->first = width;
	width += probe->fields;
	snprintf(path, sizeof(path), PINS "/%s/program-*", set);
	if (glob(path, 0, NULL, &found) || found.gl_pathc > PROGRAMS_MAX)
		agent_fail("probes: no programs, or too many, of set %s", set);
	for (size_t i = 0; i < found.gl_pathc; i++) {
		struct bpf_prog_info info;
		int fd = open_pin(found.gl_pathv[i]);
		const char *name = strstr(found.gl_pathv[i], "/program-") + strlen("/program-");

		get_info(fd, &info, sizeof(info));
		probe->program[probe->programs] = fd;
		probe->samples[probe->programs++] = info.type == BPF_PROG_TYPE_RAW_TRACEPOINT;
		if (has_turns && !strncmp(name, "often_", strlen("often_"))) {
			snprintf(path, sizeof(path), PINS "/%s/link-%s", set, name);
			turns_add(fd, path);
		}
	}
	globfree(&found);
}

static unsigned int possible_cpus(void)
{
	FILE *file = fopen("/sys/devices/system/cpu/possible", "re");
	unsigned int first = 0, last = 0;
	int read = file ? fscanf(file, "%u-%u", &first, &last) : 0;

	if (!read)
		agent_fail("probes: cannot tell how many CPUs are possible");
	fclose(file);
	return read == 2 ? last + 1 : 1;
}

/* The end of what the loader said. */
static void loader_failed(int status)
{
	char text[REASON_MAX - 64] = "";
	FILE *log = fopen(LOG, "re");

	if (log) {
		if (fseek(log, -(long)(sizeof(text) - 1), SEEK_END))
			rewind(log);
		text[fread(text, 1, sizeof(text) - 1, log)] = '\0';
		fclose(log);
	}
	agent_fail("probes: status %d: %s", status, text);
}

void probes_attach(struct orders *orders)
{
	pid_t loader;
	int status = 0;

	if (!orders->probes.count)
		return;
	loader = spawn(&orders->probes, LOG, NULL, -1, -1);
	if (loader < 0 || waitpid(loader, &status, 0) != loader)
		agent_fail("probes: %s", strerror(errno));
	if (status)
		loader_failed(status);
	possible = possible_cpus();
	has_turns = orders->on_ms;
	for (int i = 1; i < orders->probes.count; i++)
		open_probe(&probe[probes++], orders->probes.arg[i]);
	per_cpu = calloc((size_t)width * possible, sizeof(*per_cpu));
	rows = malloc((size_t)width * ROWS_MAX * sizeof(*rows));
	if (!per_cpu || !rows)
		agent_fail("probes: no memory");
	/* Touched now, so that no reading has to fault pages in. */
	memset(rows, 1, (size_t)width * ROWS_MAX * sizeof(*rows));
}

/* Kernels that are in the middle of a program do not run it once more: events that it missed. */
static uint64_t missed(const struct probe *probe)
{
	uint64_t sum = 0;

	for (int i = 0; i < probe->programs; i++) {
		struct bpf_prog_info info;

		get_info(probe->program[i], &info, sizeof(info));
		sum += info.recursion_misses;
	}
	return sum;
}

static void run_samplers(const struct probe *probe)
{
	for (int i = 0; i < probe->programs; i++) {
		for (unsigned int cpu = 0; probe->samples[i] && cpu < possible; cpu++) {
			union bpf_attr attr = {
				.test = { .prog_fd = (uint32_t)probe->program[i], .flags = BPF_F_TEST_RUN_ON_CPU, .cpu = cpu },
			};

			/* A CPU that is offline has nothing to sample. */
			if (bpf(BPF_PROG_TEST_RUN, &attr) && errno != ENXIO)
				agent_fail("probes: sampling on CPU %u: %s", cpu, strerror(errno));
		}
	}
}

static void read_probe(const struct probe *probe, uint64_t *sum)
{
	uint32_t zero = 0;
	union bpf_attr attr = {
		.map_fd = (uint32_t)probe->counters,
		.key = (uint64_t)(uintptr_t)&zero,
		.value = (uint64_t)(uintptr_t)per_cpu,
	};

	run_samplers(probe);
	if (bpf(BPF_MAP_LOOKUP_ELEM, &attr))
		agent_fail("probes: reading %s: %s", probe->set, strerror(errno));
	memcpy(sum, per_cpu, probe->fields * sizeof(*sum));
	for (unsigned int cpu = 1; cpu < possible; cpu++) {
		const uint64_t *one = per_cpu + (size_t)cpu * probe->fields;

		for (unsigned int i = 0; i < probe->fields; i++)
			sum[i] = sum[i] == ABSENT || one[i] == ABSENT ? ABSENT : sum[i] + one[i];
	}
}

/* Every second row goes, so that the rest of the run has room; windows are twice as long from here on. */
static void thin_out(void)
{
	for (int i = 1; 2 * i < row_count; i++) {
		memcpy(rows + (size_t)i * width, rows + (size_t)(2 * i) * width, width * sizeof(*rows));
		row_ns[i] = row_ns[2 * i];
		row_counted_ns[i] = row_counted_ns[2 * i];
	}
	row_count = (row_count + 1) / 2;
	window_ns *= 2;
}

void probes_read(void)
{
	if (!probes)
		return;
	if (row_count == ROWS_MAX)
		thin_out();
	row_ns[row_count] = now_ns();
	row_counted_ns[row_count] = turns_counted(row_ns[row_count]);
	for (int i = 0; i < probes; i++)
		read_probe(&probe[i], rows + (size_t)row_count * width + probe[i].first);
	row_count++;
}

void probes_begin(const struct orders *orders)
{
	window_ns = orders->window_ms * MS;
	turns_begin(orders);
	for (int i = 0; i < probes; i++)
		probe[i].missed = missed(&probe[i]);
	probes_read();
	if (probes && window_ns) {
		next_ns = now_ns() + window_ns;
		turns_window(window_ns);
	}
}

/* Reads when it is time; returns when to look again, `until_ns` at the latest. */
uint64_t probes_until(uint64_t until_ns)
{
	uint64_t next, now = now_ns();

	if (now >= next_ns) {
		if (now - next_ns > late_ns)
			late_ns = now - next_ns;
		probes_read();
		next_ns += window_ns;
		turns_window(window_ns);
	}
	next = turns_until();
	if (next > next_ns)
		next = next_ns;
	return until_ns < next ? until_ns : next;
}

static size_t print_row(char *to, const struct probe *probe, int row)
{
	const uint64_t *now = rows + (size_t)row * width + probe->first, *before = now - width;
	char *at = to;

	for (unsigned int i = 0; i < probe->fields; i++) {
		at += sprintf(at, "%c", i ? ',' : '[');
		/* A counter that fell is not known; what is left of 2^64 is none of its events. */
		if (now[i] == ABSENT || before[i] == ABSENT || now[i] < before[i])
			at += sprintf(at, "null");
		else
			at += sprintf(at, "%llu", (unsigned long long)(now[i] - before[i]));
	}
	return (size_t)(at + sprintf(at, "]") - to);
}

/* One frame for each set. */
void probes_send(void)
{
	size_t size = 4096 + (size_t)row_count * ((size_t)width * 22 + 64);
	char *text = probes ? malloc(size) : NULL;

	for (int i = 0; text && i < probes; i++) {
		size_t at = (size_t)sprintf(text, "{\"set\":\"%s\",\"fields\":%u,\"missed\":%llu,\"lateNs\":%llu,\"atNs\":[",
					    probe[i].set, probe[i].fields,
					    (unsigned long long)(missed(&probe[i]) - probe[i].missed), (unsigned long long)late_ns);

		for (int row = 0; row < row_count; row++)
			at += (size_t)sprintf(text + at, "%s%llu", row ? "," : "",
					      (unsigned long long)(row_ns[row] - row_ns[0]));
		for (int row = 0; has_turns && row < row_count; row++)
			at += (size_t)sprintf(text + at, "%s%llu", row ? "," : "],\"countedNs\":[",
					      (unsigned long long)row_counted_ns[row]);
		at += (size_t)sprintf(text + at, "],\"counts\":[");
		for (int row = 1; row < row_count; row++) {
			if (row > 1)
				text[at++] = ',';
			at += print_row(text + at, &probe[i], row);
		}
		at += (size_t)sprintf(text + at, "]}");
		frame_send("probes", text, at);
	}
	free(text);
}
