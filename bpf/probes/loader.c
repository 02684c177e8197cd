// SPDX-License-Identifier: GPL-2.0-only
/*
 * Loads probes and leaves them running: probes SET...
 *
 * For each set it loads /opt/pmvx/probes/SET.bpf.o, attaches it, and pins what is needed to read it in /sys/fs/bpf/pmvx/SET:
 * `counters`, each program under `program-NAME`, and links, which keep the programs attached after this process has ended. Exit
 * status 0: all run. Otherwise the last lines on stderr say why.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <glob.h>
#include <linux/perf_event.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "globals.h"

#define OBJECTS "/opt/pmvx/probes"
#define PINS "/sys/fs/bpf/pmvx"
#define PATH_SIZE 256

/* What the kernel may lack (probe.h). */
struct lacks {
	bool sync, kept;
};

static char words[8192];

/* Keeps the end of what libbpf and the verifier say; it matters only when the last attempt fails. */
static int keep_words(enum libbpf_print_level level, const char *format, va_list args)
{
	size_t used = strlen(words);

	if (level == LIBBPF_DEBUG)
		return 0;
	if (used > sizeof(words) / 2) {
		memmove(words, words + used - sizeof(words) / 4, sizeof(words) / 4 + 1);
		used = sizeof(words) / 4;
	}
	vsnprintf(words + used, sizeof(words) - used, format, args);
	return 0;
}

/* A file in a set's folder of pins; good until the next call. */
static const char *pin_path(const char *set, const char *kind, const char *name)
{
	static char path[PATH_SIZE];

	if (snprintf(path, sizeof(path), PINS "/%s/%s%s", set, kind, name) >= (int)sizeof(path))
		fail("%s: name too long", name);
	return path;
}

/* Chooses the programs for a kernel that lacks this; false when the object has none that it could do without. */
static bool choose_programs(struct bpf_object *object, struct lacks lacks)
{
	bool has_sync = false, has_kept = false;
	struct bpf_program *program;

	bpf_object__for_each_program(program, object) {
		const char *name = bpf_program__name(program);

		if (!strncmp(bpf_program__section_name(program), "fentry/", 7)) {
			has_sync = true;
			bpf_program__set_autoload(program, !lacks.sync);
		} else if (!strcmp(name, "kept")) {
			has_kept = true;
			bpf_program__set_autoload(program, !lacks.kept);
		} else if (!strncmp(name, "instead_", 8)) {
			bpf_program__set_autoload(program, lacks.kept);
		}
	}
	set_constant(object, lacks.sync ? "no_sync=1" : "no_sync=0");
	set_constant(object, lacks.kept ? "no_kept=1" : "no_kept=0");
	return (has_sync || !lacks.sync) && (has_kept || !lacks.kept);
}

/* One hardware event of the whole CPU, of all tasks; -1 when the machine has no such counter. */
static int open_event(__u64 event, int cpu)
{
	struct perf_event_attr attr = { .type = PERF_TYPE_HARDWARE, .size = sizeof(attr), .config = event };

	attr.read_format = PERF_FORMAT_TOTAL_TIME_ENABLED | PERF_FORMAT_TOTAL_TIME_RUNNING;
	return (int)syscall(SYS_perf_event_open, &attr, -1, cpu, -1, PERF_FLAG_FD_CLOEXEC);
}

/* Machines without performance counters leave these maps empty, and the probe says that they are absent. */
static void open_events(struct bpf_object *object)
{
	static const struct {
		const char *map;
		__u64 event;
	} kinds[] = {
		{ "perf_cycles", PERF_COUNT_HW_CPU_CYCLES },
		{ "perf_instructions", PERF_COUNT_HW_INSTRUCTIONS },
		{ "perf_llc_references", PERF_COUNT_HW_CACHE_REFERENCES },
		{ "perf_llc_misses", PERF_COUNT_HW_CACHE_MISSES },
	};

	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
		int map = bpf_object__find_map_fd_by_name(object, kinds[i].map);

		for (int cpu = 0; map >= 0 && cpu < libbpf_num_possible_cpus(); cpu++) {
			int event = open_event(kinds[i].event, cpu);

			if (event >= 0)
				bpf_map_update_elem(map, &cpu, &event, BPF_ANY);
		}
	}
}

/* Attaches and pins all that was loaded; false, with an error number, at the first that cannot. */
static bool keep_running(struct bpf_object *object, const char *set)
{
	struct bpf_program *program;

	if (bpf_map__pin(bpf_object__find_map_by_name(object, "counters"), pin_path(set, "counters", "")))
		return false;
	bpf_object__for_each_program(program, object) {
		const char *name = bpf_program__name(program);
		struct bpf_link *link;

		if (!bpf_program__autoload(program))
			continue;
		if (bpf_program__pin(program, pin_path(set, "program-", name)))
			return false;
		if (!strcmp(bpf_program__section_name(program), "raw_tp"))
			continue;
		link = bpf_program__attach(program);
		if (!link || bpf_link__pin(link, pin_path(set, "link-", name)))
			return false;
	}
	return true;
}

static void remove_pins(const char *set)
{
	glob_t found;

	if (glob(pin_path(set, "*", ""), 0, NULL, &found))
		return;
	for (size_t i = 0; i < found.gl_pathc; i++)
		unlink(found.gl_pathv[i]);
	globfree(&found);
}

/* Loads and attaches a set on a kernel that lacks this; false with `words` when it cannot. */
static bool try_set(const char *set, struct lacks lacks)
{
	struct bpf_object *object;
	char path[PATH_SIZE];
	bool runs;

	snprintf(path, sizeof(path), OBJECTS "/%s.bpf.o", set);
	object = bpf_object__open_file(path, NULL);
	if (!object)
		fail("cannot open %s: %s", path, strerror(errno));
	runs = choose_programs(object, lacks);
	if (runs) {
		*words = '\0';
		runs = !bpf_object__load(object) && keep_running(object, set);
		if (runs)
			open_events(object);
		else
			remove_pins(set);
	}
	/* What is pinned stays, programs and counters with it. */
	bpf_object__close(object);
	return runs;
}

int main(int argc, char **argv)
{
	static const struct lacks attempts[] = { { false, false }, { true, false }, { false, true }, { true, true } };

	if (argc < 2) {
		fprintf(stderr, "usage: probes SET...\n");
		return 2;
	}
	libbpf_set_print(keep_words);
	mkdir(PINS, 0700);
	for (int i = 1; i < argc; i++) {
		bool runs = false;

		if (mkdir(pin_path(argv[i], "", ""), 0700))
			fail("cannot make %s: %s", pin_path(argv[i], "", ""), strerror(errno));
		for (size_t attempt = 0; attempt < sizeof(attempts) / sizeof(*attempts) && !runs; attempt++)
			runs = try_set(argv[i], attempts[attempt]);
		if (!runs) {
			fputs(words, stderr);
			fail("cannot load set %s: %s", argv[i], strerror(errno));
		}
	}
	return 0;
}
