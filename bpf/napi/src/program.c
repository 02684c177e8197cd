// SPDX-License-Identifier: GPL-2.0-only
/* Programs: choosing, attaching and running them, and what the kernel says of them; links. */
#include "addon.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

#include <bpf/bpf.h>

/* describeProgram(program): { name, section, type, autoload } */
static napi_value describe(napi_env env, napi_callback_info info)
{
	napi_value argument, result;
	struct program *program;

	if (!read_arguments(env, info, 1, &argument) || !(program = open_program(env, argument)))
		return NULL;
	result = make_object(env);
	set_member(env, result, "name", make_text(env, bpf_program__name(program->bpf)));
	set_member(env, result, "section", make_text(env, bpf_program__section_name(program->bpf)));
	set_member(env, result, "type", make_number(env, bpf_program__type(program->bpf)));
	set_member(env, result, "autoload", make_bool(env, bpf_program__autoload(program->bpf)));
	return result;
}

/* setAutoload(program, boolean): before load() */
static napi_value set_autoload(napi_env env, napi_callback_info info)
{
	napi_value arguments[2];
	struct program *program;
	bool autoload;

	if (!read_arguments(env, info, 2, arguments) || !(program = open_program(env, arguments[0])))
		return NULL;
	if (napi_get_value_bool(env, arguments[1], &autoload))
		return throw_misuse(env, "ERR_INVALID_ARG_TYPE", "autoload must be true or false");
	if (program->object->is_loaded)
		return throw_misuse(env, "ERR_BPF_LOADED", "program %s: too late, the object is loaded",
				    bpf_program__name(program->bpf));
	bpf_program__set_autoload(program->bpf, autoload);
	return make_undefined(env);
}

/* The program's descriptor; -1 with an exception when it is not in the kernel. */
static int program_fd(napi_env env, const struct program *program)
{
	int fd;

	if (!is_loaded(env, program->object))
		return -1;
	fd = bpf_program__fd(program->bpf);
	if (fd < 0)
		throw_misuse(env, "ERR_BPF_NOT_LOADED", "program %s was left out of the load", bpf_program__name(program->bpf));
	return fd;
}

/* attach(program): where its section says */
static napi_value attach(napi_env env, napi_callback_info info)
{
	struct program *program;
	struct bpf_link *link;
	napi_value argument;

	if (!read_arguments(env, info, 1, &argument) || !(program = open_program(env, argument)) || program_fd(env, program) < 0)
		return NULL;
	log_begin();
	link = bpf_program__attach(program->bpf);
	if (!link)
		return throw_libbpf(env, errno, "cannot attach program %s (section %s)", bpf_program__name(program->bpf),
				    bpf_program__section_name(program->bpf));
	return wrap_link(env, program->object, link);
}

/* attachStructOps(map): makes a table of functions one of the kernel's */
static napi_value attach_struct_ops(napi_env env, napi_callback_info info)
{
	struct bpf_link *link;
	napi_value argument;
	struct map *map;

	if (!read_arguments(env, info, 1, &argument) || !(map = open_map(env, argument)) || map_fd_of(env, map) < 0)
		return NULL;
	if (!map->bpf || bpf_map__type(map->bpf) != BPF_MAP_TYPE_STRUCT_OPS)
		return throw_misuse(env, "ERR_INVALID_ARG_VALUE", "%s is no struct_ops map of an object",
				    map->bpf ? bpf_map__name(map->bpf) : "a pinned map");
	log_begin();
	link = bpf_map__attach_struct_ops(map->bpf);
	if (!link)
		return throw_libbpf(env, errno, "cannot attach struct_ops %s", bpf_map__name(map->bpf));
	return wrap_link(env, map->object, link);
}

/* runProgram(program, context bytes | undefined, cpu | undefined): what it returned */
static napi_value run(napi_env env, napi_callback_info info)
{
	LIBBPF_OPTS(bpf_test_run_opts, options);
	struct program *program;
	napi_value arguments[3];
	void *context = NULL;
	size_t length = 0;
	int64_t cpu;
	int fd, error;

	if (!read_arguments(env, info, 3, arguments) || !(program = open_program(env, arguments[0])) ||
	    (fd = program_fd(env, program)) < 0)
		return NULL;
	if (!is_undefined(env, arguments[1]) && !read_bytes(env, arguments[1], "context", &context, &length))
		return NULL;
	if (!is_undefined(env, arguments[2])) {
		if (!read_integer(env, arguments[2], "cpu", 0, INT_MAX, &cpu))
			return NULL;
		options.flags = BPF_F_TEST_RUN_ON_CPU;
		options.cpu = (int)cpu;
	}
	options.ctx_in = context;
	options.ctx_size_in = (unsigned int)length;
	log_begin();
	error = bpf_prog_test_run_opts(fd, &options);
	if (error)
		return throw_libbpf(env, error, "cannot run program %s", bpf_program__name(program->bpf));
	return make_number(env, options.retval);
}

/* programInfo(program): { id, recursionMisses, runCount, runNs, verifiedInstructions } */
static napi_value program_info(napi_env env, napi_callback_info info)
{
	struct bpf_prog_info kernel = { 0 };
	unsigned int size = sizeof(kernel);
	napi_value argument, result;
	struct program *program;
	int fd;

	if (!read_arguments(env, info, 1, &argument) || !(program = open_program(env, argument)) ||
	    (fd = program_fd(env, program)) < 0)
		return NULL;
	log_begin();
	if (bpf_obj_get_info_by_fd(fd, &kernel, &size))
		return throw_libbpf(env, errno, "cannot ask about program %s", bpf_program__name(program->bpf));
	result = make_object(env);
	set_member(env, result, "id", make_number(env, kernel.id));
	set_member(env, result, "recursionMisses", make_number(env, (double)kernel.recursion_misses));
	set_member(env, result, "runCount", make_number(env, (double)kernel.run_cnt));
	set_member(env, result, "runNs", make_number(env, (double)kernel.run_time_ns));
	set_member(env, result, "verifiedInstructions", make_number(env, kernel.verified_insns));
	return result;
}

/* pinLink(link, path): it stays when the process ends */
static napi_value pin_link(napi_env env, napi_callback_info info)
{
	napi_value arguments[2];
	char path[PATH_MAX];
	struct link *link;
	int error;

	if (!read_arguments(env, info, 2, arguments) || !(link = open_link(env, arguments[0])) ||
	    !read_text(env, arguments[1], "path", path, sizeof(path)))
		return NULL;
	log_begin();
	error = bpf_link__pin(link->bpf, path);
	return error ? throw_libbpf(env, error, "cannot pin a link at %s", path) : make_undefined(env);
}

void define_program(napi_env env, napi_value exports)
{
	define_function(env, exports, "describeProgram", describe);
	define_function(env, exports, "setAutoload", set_autoload);
	define_function(env, exports, "attach", attach);
	define_function(env, exports, "attachStructOps", attach_struct_ops);
	define_function(env, exports, "runProgram", run);
	define_function(env, exports, "programInfo", program_info);
	define_function(env, exports, "pinLink", pin_link);
}
