// SPDX-License-Identifier: GPL-2.0-only
/*
 * Loads a scheduler of ours and holds it: struct-ops OBJECT.bpf.o [NAME=VALUE]...
 *
 * The object has one struct_ops map. Values go to the object's `const volatile` globals before it is loaded. Attaching is one
 * BPF_LINK_CREATE. The process then waits: SIGINT and SIGTERM detach and end it with 0. When the kernel has ended the scheduler
 * it prints why and ends with 3.
 */
#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "globals.h"

typedef int32_t s32;
typedef int64_t s64;
#include <scx/user_exit_info_common.h>

enum { EXIT_USAGE = 2, EXIT_ENDED = 3 };

static int quiet(enum libbpf_print_level level, const char *format, va_list args)
{
	return level == LIBBPF_DEBUG ? 0 : vfprintf(stderr, format, args);
}

/* The map to attach. */
static struct bpf_map *scheduler_map(struct bpf_object *object)
{
	struct bpf_map *map, *found = NULL;

	bpf_object__for_each_map(map, object) {
		if (bpf_map__type(map) != BPF_MAP_TYPE_STRUCT_OPS)
			continue;
		if (found)
			fail("two struct_ops maps: %s and %s", bpf_map__name(found), bpf_map__name(map));
		found = map;
	}
	if (!found)
		fail("no struct_ops map");
	return found;
}

/* Programs beside the scheduler's own that the kernel runs by itself; the headers of sched_ext bring one. */
static void attach_others(struct bpf_object *object)
{
	struct bpf_program *program;

	bpf_object__for_each_program(program, object) {
		enum bpf_prog_type type = bpf_program__type(program);

		if (type == BPF_PROG_TYPE_STRUCT_OPS || type == BPF_PROG_TYPE_SYSCALL || !bpf_program__autoload(program))
			continue;
		if (!bpf_program__attach(program))
			fail("cannot attach program %s: %s", bpf_program__name(program), strerror(errno));
	}
}

static void report(const struct user_exit_info *info)
{
	fprintf(stderr, "EXIT: %s", info->reason);
	if (info->msg[0])
		fprintf(stderr, " (%s)", info->msg);
	fputc('\n', stderr);
}

/* Sleeps until a signal asks for the end, or the scheduler has recorded its own. */
static int wait_for_end(const sigset_t *signals, const struct user_exit_info *info)
{
	const struct timespec second = { .tv_sec = 1 };

	for (;;) {
		if (sigtimedwait(signals, NULL, &second) > 0)
			return EXIT_SUCCESS;
		if (info && __atomic_load_n(&info->kind, __ATOMIC_ACQUIRE)) {
			report(info);
			return EXIT_ENDED;
		}
	}
}

int main(int argc, char **argv)
{
	const struct user_exit_info *info;
	struct bpf_object *object;
	struct bpf_map *scheduler;
	struct bpf_link *link;
	sigset_t signals;
	int i, end;

	if (argc < 2) {
		fprintf(stderr, "usage: struct-ops OBJECT.bpf.o [NAME=VALUE]...\n");
		return EXIT_USAGE;
	}
	sigemptyset(&signals);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGTERM);
	sigprocmask(SIG_BLOCK, &signals, NULL);
	libbpf_set_print(quiet);

	object = bpf_object__open_file(argv[1], NULL);
	if (!object)
		fail("cannot open %s: %s", argv[1], strerror(errno));
	scheduler = scheduler_map(object);
	set_kernel_enums(object);
	for (i = 2; i < argc; i++)
		set_constant(object, argv[i]);
	if (bpf_object__load(object))
		fail("cannot load %s: %s", argv[1], strerror(errno));
	attach_others(object);
	link = bpf_map__attach_struct_ops(scheduler);
	if (!link)
		fail("cannot attach %s: %s", bpf_map__name(scheduler), strerror(errno));
	printf("attached %s\n", bpf_map__name(scheduler));
	fflush(stdout);

	info = find_global(object, "user_exit_info", sizeof(*info));
	end = wait_for_end(&signals, info);
	bpf_link__destroy(link);
	bpf_object__close(object);
	return end;
}
