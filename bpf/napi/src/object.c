// SPDX-License-Identifier: GPL-2.0-only
/* Objects: opening from a file or from memory, loading, and what is in them. */
#include "rehearse.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <bpf/bpf.h>

#define NAME_SIZE 256

struct source {
	const void *bytes;
	size_t length;
	struct bpf_object_open_opts *options;
};

static struct bpf_object *open_source(const struct source *source)
{
	return bpf_object__open_mem(source->bytes, source->length, source->options);
}

static void try_open(void *data)
{
	struct bpf_object *bpf = open_source(data);

	if (bpf)
		walk_object(bpf);
	bpf_object__close(bpf);
}

static void try_load(void *data)
{
	struct bpf_object *bpf = data;

	if (!bpf_object__load(bpf))
		walk_object(bpf);
	bpf_object__close(bpf);
}

/* open(bytes, name, isTrusted): of bytes that are not trusted a child opens a copy first */
static napi_value open_object_file(napi_env env, napi_callback_info info)
{
	LIBBPF_OPTS(bpf_object_open_opts, options);
	struct source source = { .options = &options };
	napi_value arguments[3];
	struct object *object;
	char name[NAME_SIZE];
	bool is_trusted;
	void *bytes;

	if (!read_arguments(env, info, 3, arguments) || !read_bytes(env, arguments[0], "source", &bytes, &source.length) ||
	    !read_text(env, arguments[1], "name", name, sizeof(name)))
		return NULL;
	if (napi_get_value_bool(env, arguments[2], &is_trusted))
		return throw_misuse(env, "ERR_INVALID_ARG_TYPE", "isTrusted must be true or false");
	if (!source.length)
		return throw_misuse(env, "ERR_INVALID_ARG_VALUE", "source holds no bytes");
	source.bytes = bytes;
	options.object_name = name;
	object = calloc(1, sizeof(*object));
	if (!object)
		return throw_misuse(env, "ERR_OUT_OF_MEMORY", "no memory for an object");
	log_begin();
	if (!is_trusted) {
		int result = rehearse(try_open, &source);

		if (result) {
			free(object);
			return throw_rehearsal(env, result, "cannot open the object");
		}
	}
	object->bpf = open_source(&source);
	if (!object->bpf) {
		int error = errno;

		free(object);
		return throw_libbpf(env, error, "cannot open an object of %zu bytes", source.length);
	}
	object->references = 1;
	object->is_trusted = is_trusted;
	return wrap_object(env, object);
}

/* Puts the kernel's memory of global variables where libbpf keeps what they begin with; from 1.6 on it does so itself. */
static int map_globals(struct bpf_object *bpf)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE), size;
	struct bpf_map *map;

	bpf_object__for_each_map(map, bpf) {
		void *bytes = (void *)bpf_map__initial_value(map, &size);
		int may_write = bpf_map__map_flags(map) & BPF_F_RDONLY_PROG ? 0 : PROT_WRITE;

		if (bytes && size && bpf_map__map_flags(map) & BPF_F_MMAPABLE &&
		    mmap(bytes, (size + page - 1) / page * page, PROT_READ | may_write, MAP_SHARED | MAP_FIXED, bpf_map__fd(map),
			 0) == MAP_FAILED)
			return -errno;
	}
	return 0;
}

/* load(object) */
static napi_value load(napi_env env, napi_callback_info info)
{
	napi_value argument;
	struct object *object;
	int error;

	if (!read_arguments(env, info, 1, &argument) || !(object = open_object(env, argument)))
		return NULL;
	if (object->is_loaded)
		return throw_misuse(env, "ERR_BPF_LOADED", "the object %s is loaded already", bpf_object__name(object->bpf));
	log_begin();
	if (!object->is_trusted) {
		int result = rehearse(try_load, object->bpf);

		if (result) {
			close_object(object);
			return throw_rehearsal(env, result, "cannot load the object");
		}
	}
	error = bpf_object__load(object->bpf);
	if (!error)
		error = map_globals(object->bpf);
	if (error) {
		napi_value thrown = throw_libbpf(env, error, "cannot load %s", bpf_object__name(object->bpf));

		/* libbpf does not load an object twice. */
		close_object(object);
		return thrown;
	}
	object->is_loaded = true;
	return make_undefined(env);
}

static napi_value object_name(napi_env env, napi_callback_info info)
{
	napi_value argument;
	struct object *object;

	if (!read_arguments(env, info, 1, &argument) || !(object = open_object(env, argument)))
		return NULL;
	return make_text(env, bpf_object__name(object->bpf));
}

/* programs(object): a handle for each, in the file's order */
static napi_value programs(napi_env env, napi_callback_info info)
{
	napi_value argument, list;
	struct bpf_program *bpf;
	struct object *object;
	uint32_t count = 0;

	if (!read_arguments(env, info, 1, &argument) || !(object = open_object(env, argument)) || napi_create_array(env, &list))
		return NULL;
	bpf_object__for_each_program(bpf, object->bpf) {
		struct program *program = calloc(1, sizeof(*program));
		napi_value handle;

		if (program)
			*program = (struct program){ .object = object, .bpf = bpf };
		handle = wrap_program(env, program);
		if (!handle || napi_set_element(env, list, count++, handle))
			return NULL;
	}
	return list;
}

/* maps(object): a handle for each, in the file's order */
static napi_value maps(napi_env env, napi_callback_info info)
{
	napi_value argument, list;
	struct object *object;
	struct bpf_map *bpf;
	uint32_t count = 0;

	if (!read_arguments(env, info, 1, &argument) || !(object = open_object(env, argument)) || napi_create_array(env, &list))
		return NULL;
	bpf_object__for_each_map(bpf, object->bpf) {
		struct map *map = calloc(1, sizeof(*map));
		napi_value handle;

		if (map)
			*map = (struct map){ .object = object, .bpf = bpf, .fd = -1 };
		handle = wrap_map(env, map);
		if (!handle || napi_set_element(env, list, count++, handle))
			return NULL;
	}
	return list;
}

/* openPinnedMap(path) */
static napi_value open_pinned_map(napi_env env, napi_callback_info info)
{
	struct bpf_map_info kernel = { 0 };
	unsigned int size = sizeof(kernel);
	napi_value argument;
	char path[PATH_MAX];
	struct map *map;
	int fd;

	if (!read_arguments(env, info, 1, &argument) || !read_text(env, argument, "path", path, sizeof(path)))
		return NULL;
	log_begin();
	fd = bpf_obj_get(path);
	if (fd < 0)
		return throw_libbpf(env, errno, "cannot open the pinned map %s", path);
	/* A program or a link that is pinned there answers with other information, or none. */
	if (bpf_obj_get_info_by_fd(fd, &kernel, &size) || !kernel.max_entries) {
		close(fd);
		return throw_misuse(env, "ERR_INVALID_ARG_VALUE", "%s is no map", path);
	}
	map = calloc(1, sizeof(*map));
	if (!map)
		close(fd);
	else
		map->fd = fd;
	return wrap_map(env, map);
}

void define_object(napi_env env, napi_value exports)
{
	define_function(env, exports, "open", open_object_file);
	define_function(env, exports, "load", load);
	define_function(env, exports, "objectName", object_name);
	define_function(env, exports, "programs", programs);
	define_function(env, exports, "maps", maps);
	define_function(env, exports, "openPinnedMap", open_pinned_map);
	define_function(env, exports, "close", close_handle);
}
