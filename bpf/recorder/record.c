// SPDX-License-Identifier: GPL-2.0-only
/*
 * Runs a program and records what the scheduler does with it and all that it starts:
 *
 *   record --out FILE [--events N] [--most BYTES] [--allow-lost] -- PROGRAM [ARGUMENT]...
 *
 * Needs root and a kernel with BTF; nothing else, no tracefs and no kprobes. Ends with the program's own status, 128 + signal when
 * killed by one, 125 when the recording failed. Nothing is written, and nobody wakes up, while the program runs. The file is made
 * beside its place and renamed. It begins with a line of text, then come the events of record.h, CPU after CPU:
 *
 *   PMVX-EVENTS 1 kernel RELEASE cpus N root PID start NS end NS lost N counts N,N,...
 *
 * Events that found no room in a CPU's buffer (--events, for each CPU) are lost; a recording with lost events is no recording
 * unless --allow-lost.
 */
#define _GNU_SOURCE
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "record.h"

typedef __u32 u32;
typedef __u64 u64;
#include "record.skel.h"

#include "program.h"

#define LAST_SWITCH_NS 1000000000ull

enum { EXIT_USAGE = 2 };

static const char *out;
static unsigned long events_per_cpu = 1 << 19;
static unsigned long most_bytes = ~0ul;
static bool allow_lost;
static char libbpf_words[512];

static _Noreturn void usage(void)
{
	fprintf(stderr, "usage: record --out FILE [--events N] [--most BYTES] [--allow-lost] -- PROGRAM [ARGUMENT]...\n");
	exit(EXIT_USAGE);
}

/* Its first complaint says why; what follows only repeats that something failed. */
static int keep_words(enum libbpf_print_level level, const char *format, va_list args)
{
	if (level == LIBBPF_WARN && !libbpf_words[0]) {
		vsnprintf(libbpf_words, sizeof(libbpf_words), format, args);
		libbpf_words[strcspn(libbpf_words, "\n")] = '\0';
	}
	return 0;
}

static unsigned long number(const char *text)
{
	char *end;
	unsigned long value = text ? strtoul(text, &end, 10) : 0;

	if (!value || *end)
		usage();
	return value;
}

static char **parse(char **arg)
{
	for (arg++; *arg && strcmp(*arg, "--"); arg++) {
		if (!strcmp(*arg, "--out") && arg[1])
			out = *++arg;
		else if (!strcmp(*arg, "--events"))
			events_per_cpu = number(*++arg);
		else if (!strcmp(*arg, "--most"))
			most_bytes = number(*++arg);
		else if (!strcmp(*arg, "--allow-lost"))
			allow_lost = true;
		else
			usage();
	}
	if (!out || !*arg || !arg[1])
		usage();
	return arg + 1;
}

static unsigned long long now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (unsigned long long)now.tv_sec * 1000000000u + (unsigned long long)now.tv_nsec;
}

/* Without what a kernel may refuse, which is to attach to a function of it, when `most` is false. */
static struct record_bpf *try_to_load(int cpus, bool most)
{
	struct record_bpf *bpf = record_bpf__open();

	if (!bpf)
		fail("%s", libbpf_words);
	if ((unsigned long long)cpus * events_per_cpu > 1u << 31)
		fail("%lu events for each of %d CPUs are too many", events_per_cpu, cpus);
	bpf->rodata->events_per_cpu = (unsigned int)events_per_cpu;
	bpf_program__set_autoload(bpf->progs.on_try_to_wake, most);
	bpf->rodata->online_cpus = (unsigned int)sysconf(_SC_NPROCESSORS_ONLN);
	if (!bpf_map__set_max_entries(bpf->maps.buffer, (unsigned int)cpus * (unsigned int)events_per_cpu) && !record_bpf__load(bpf))
		return bpf;
	record_bpf__destroy(bpf);
	return NULL;
}

static struct record_bpf *load(int cpus)
{
	struct record_bpf *bpf = try_to_load(cpus, true);

	if (!bpf) {
		libbpf_words[0] = '\0';
		bpf = try_to_load(cpus, false);
	}
	if (!bpf)
		fail("the kernel does not take the recorder: %s", libbpf_words[0] ? libbpf_words : strerror(errno));
	return bpf;
}

static void follow(struct record_bpf *bpf, pid_t child)
{
	char nothing[64] = "";
	int pidfd = (int)syscall(SYS_pidfd_open, child, 0);

	if (pidfd < 0 || bpf_map__update_elem(bpf->maps.tasks, &pidfd, sizeof(pidfd), nothing, bpf_map__value_size(bpf->maps.tasks), 0))
		fail("cannot follow the program: %s", strerror(errno));
	close(pidfd);
}

/*
 * When the program had ended. Its last thread can be waited for a moment before it leaves its CPU; the kernel's half sees it leave,
 * and ends the recording. A thread that could not be followed is not seen: then it is now.
 */
static unsigned long long end_of(const struct record_bpf *bpf)
{
	unsigned long long now = now_ns(), until = now + LAST_SWITCH_NS;

	while (!__atomic_load_n(&bpf->bss->ended_ns, __ATOMIC_SEQ_CST) && now_ns() < until)
		usleep(100);
	return bpf->bss->ended_ns ? bpf->bss->ended_ns : now;
}

/*
 * Ends the recording, and waits until no program of ours is at work: whoever puts a map into a map gets the answer when all programs that
 * might see the one before have ended (maybe_wait_bpf_programs() in kernel/bpf/syscall.c). A membarrier would not wait on one CPU.
 */
static void stop(struct record_bpf *bpf)
{
	LIBBPF_OPTS(bpf_map_create_opts, options);
	int inner = bpf_map_create(BPF_MAP_TYPE_ARRAY, NULL, sizeof(int), sizeof(int), 1, NULL);
	int outer, first = 0;

	__atomic_store_n(&bpf->bss->stopped, true, __ATOMIC_SEQ_CST);
	options.inner_map_fd = (u32)inner;
	outer = inner < 0 ? -1 : bpf_map_create(BPF_MAP_TYPE_ARRAY_OF_MAPS, NULL, sizeof(int), sizeof(int), 1, &options);
	if (outer < 0 || bpf_map_update_elem(outer, &first, &inner, BPF_ANY))
		fail("cannot wait for the kernel's half: %s", strerror(errno));
	close(outer);
	close(inner);
}

/* All events, CPU after CPU. */
static const struct record_event *map_events(const struct record_bpf *bpf, int cpus)
{
	size_t size = (size_t)cpus * events_per_cpu * sizeof(struct record_event);
	const struct record_event *events = mmap(NULL, size, PROT_READ, MAP_SHARED, bpf_map__fd(bpf->maps.buffer), 0);

	_Static_assert(sizeof(struct record_event) == 24, "as harness/trace/events.ts reads it");
	if (events == MAP_FAILED)
		fail("cannot read the events: %s", strerror(errno));
	return events;
}

/* How many there are of a CPU. Two that belong together leave the last place empty when there is room for one. */
static unsigned long count_of(const struct record_bpf *bpf, const struct record_event *events, int cpu)
{
	unsigned long long used = bpf->bss->record_cpus[cpu].used;

	if (used <= events_per_cpu)
		return (unsigned long)used;
	return events_per_cpu - !events[((unsigned long)cpu + 1) * events_per_cpu - 1].kind;
}

static unsigned long long lost_events(const struct record_bpf *bpf, const struct record_event *events, int cpus)
{
	unsigned long long lost = bpf->bss->unfollowed;

	for (int cpu = 0; cpu < cpus; cpu++)
		lost += bpf->bss->record_cpus[cpu].used - count_of(bpf, events, cpu);
	return lost;
}

static void write_file(const struct record_bpf *bpf, int cpus, pid_t root, unsigned long long start, unsigned long long end)
{
	const struct record_event *events = map_events(bpf, cpus);
	unsigned long long lost = lost_events(bpf, events, cpus);
	unsigned long bytes = 0;
	struct utsname name;
	char beside[4096];
	FILE *file;

	for (int cpu = 0; cpu < cpus; cpu++)
		bytes += count_of(bpf, events, cpu) * sizeof(struct record_event);
	if (lost && !allow_lost)
		fail("%llu events found no room in buffers of %lu a CPU; give --events a larger number", lost, events_per_cpu);
	if (bytes > most_bytes)
		fail("%lu bytes of events; at most %lu may be kept: record a shorter run", bytes, most_bytes);
	snprintf(beside, sizeof(beside), "%s.part-%d", out, getpid());
	file = fopen(beside, "w");
	if (!file)
		fail("%s: %s", beside, strerror(errno));
	uname(&name);
	fprintf(file, "PMVX-EVENTS 1 kernel %s cpus %d root %d start %llu end %llu lost %llu counts ", name.release, cpus, root, start,
		end, lost);
	for (int cpu = 0; cpu < cpus; cpu++)
		fprintf(file, "%s%lu", cpu ? "," : "", count_of(bpf, events, cpu));
	fputc('\n', file);
	for (int cpu = 0; cpu < cpus; cpu++)
		fwrite(events + (unsigned long)cpu * events_per_cpu, sizeof(*events), count_of(bpf, events, cpu), file);
	if (ferror(file) || fflush(file) || fsync(fileno(file)) || fclose(file) || rename(beside, out)) {
		int error = errno;

		unlink(beside);
		fail("%s: %s", out, strerror(error));
	}
}

int main(int argc, char **argv)
{
	char **program = parse(argv);
	int cpus = libbpf_num_possible_cpus();
	unsigned long long start, end;
	struct record_bpf *bpf;
	int go, status;
	pid_t child;

	(void)argc;
	if (cpus < 1 || cpus > RECORD_CPUS_MAX)
		fail("%d CPUs; at most %d can be recorded", cpus, RECORD_CPUS_MAX);
	libbpf_set_print(keep_words);
	look_after_all();
	bpf = load(cpus);
	child = start_held(program, &go);
	follow(bpf, child);
	bpf->bss->root = (u32)child;
	if (record_bpf__attach(bpf))
		fail("cannot attach the recorder: %s", libbpf_words[0] ? libbpf_words : strerror(errno));
	start = now_ns();
	if (write(go, "", 1) != 1)
		fail("the program did not start");
	status = wait_for(child);
	end = end_of(bpf);
	stop(bpf);
	record_bpf__detach(bpf);
	write_file(bpf, cpus, child, start, end);
	record_bpf__destroy(bpf);
	return status;
}
