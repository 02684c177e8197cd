// SPDX-License-Identifier: GPL-2.0-only
/* Maps, one entry at a time. Keys and values are bytes; an entry of a per-CPU map has one value for each possible CPU. */
#include "map.h"

#include <errno.h>
#include <limits.h>
#include <linux/perf_event.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <bpf/bpf.h>

static bool is_per_cpu(uint32_t type)
{
	return type == BPF_MAP_TYPE_PERCPU_HASH || type == BPF_MAP_TYPE_PERCPU_ARRAY || type == BPF_MAP_TYPE_LRU_PERCPU_HASH ||
	       type == BPF_MAP_TYPE_PERCPU_CGROUP_STORAGE;
}

bool read_shape(napi_env env, napi_value handle, struct shape *shape)
{
	struct bpf_map_info info = { 0 };
	unsigned int size = sizeof(info);
	struct map *map = open_map(env, handle);
	int fd, cpus;

	if (!map || (fd = map_fd_of(env, map)) < 0)
		return false;
	log_begin();
	if (bpf_obj_get_info_by_fd(fd, &info, &size)) {
		throw_libbpf(env, errno, "cannot ask about a map");
		return false;
	}
	cpus = libbpf_num_possible_cpus();
	if (cpus < 1) {
		throw_libbpf(env, cpus, "cannot tell how many CPUs are possible");
		return false;
	}
	*shape = (struct shape){
		.fd = fd,
		.type = info.type,
		.key_size = info.key_size,
		.value_size = info.value_size,
		.max_entries = info.max_entries,
		.flags = info.map_flags,
		.is_per_cpu = is_per_cpu(info.type),
		.cpus = 1,
		.stride = info.value_size,
		.user_size = info.value_size,
	};
	strncpy(shape->name, map->bpf ? bpf_map__name(map->bpf) : info.name, sizeof(shape->name) - 1);
	if (shape->is_per_cpu) {
		shape->cpus = (uint32_t)cpus;
		shape->stride = (info.value_size + 7) / 8 * 8;
		shape->user_size = (size_t)shape->stride * shape->cpus;
	}
	return true;
}

napi_value make_value(napi_env env, const struct shape *shape, const uint8_t *bytes)
{
	napi_value list;

	if (!shape->is_per_cpu)
		return make_bytes(env, bytes, shape->value_size);
	if (napi_create_array_with_length(env, shape->cpus, &list))
		return NULL;
	for (uint32_t cpu = 0; cpu < shape->cpus; cpu++) {
		napi_value value = make_bytes(env, bytes + (size_t)cpu * shape->stride, shape->value_size);

		if (!value || napi_set_element(env, list, cpu, value))
			return NULL;
	}
	return list;
}

/* A key of the right size; maps without keys (queues) take undefined. */
static bool read_key(napi_env env, napi_value value, const struct shape *shape, void **key)
{
	size_t length;

	*key = NULL;
	if (!shape->key_size && is_undefined(env, value))
		return true;
	if (!read_bytes(env, value, "key", key, &length))
		return false;
	if (length == shape->key_size)
		return true;
	throw_misuse(env, "ERR_OUT_OF_RANGE", "map %s: a key has %u bytes, got %zu", shape->name, shape->key_size, length);
	return false;
}

static bool copy_value(napi_env env, napi_value value, const struct shape *shape, uint8_t *to)
{
	size_t length;
	void *bytes;

	if (!read_bytes(env, value, "value", &bytes, &length))
		return false;
	if (length != shape->value_size) {
		throw_misuse(env, "ERR_OUT_OF_RANGE", "map %s: a value has %u bytes, got %zu", shape->name, shape->value_size, length);
		return false;
	}
	memcpy(to, bytes, length);
	return true;
}

/* The value as the kernel takes it: one, or a list of one for each possible CPU. */
static bool read_value(napi_env env, napi_value value, const struct shape *shape, uint8_t *to)
{
	bool is_list = false;
	uint32_t count;

	if (!shape->is_per_cpu)
		return copy_value(env, value, shape, to);
	if (napi_is_array(env, value, &is_list) || !is_list || napi_get_array_length(env, value, &count) || count != shape->cpus) {
		throw_misuse(env, "ERR_INVALID_ARG_TYPE", "map %s: a value is a list of %u, one for each possible CPU", shape->name,
			     shape->cpus);
		return false;
	}
	for (uint32_t cpu = 0; cpu < count; cpu++) {
		napi_value one;

		if (napi_get_element(env, value, cpu, &one) || !copy_value(env, one, shape, to + (size_t)cpu * shape->stride))
			return false;
	}
	return true;
}

/* describeMap(map): name, type, keySize, valueSize, maxEntries, perCpu, cpus */
static napi_value describe(napi_env env, napi_callback_info info)
{
	napi_value argument, result;
	struct shape shape;

	if (!read_arguments(env, info, 1, &argument))
		return NULL;
	{
		struct map *map = open_map(env, argument);

		if (!map)
			return NULL;
		/* Before loading the kernel knows nothing; the object does. */
		if (map->bpf && !map->object->is_loaded) {
			uint32_t type = bpf_map__type(map->bpf);

			shape = (struct shape){ .type = type, .key_size = bpf_map__key_size(map->bpf),
						.value_size = bpf_map__value_size(map->bpf),
						.max_entries = bpf_map__max_entries(map->bpf), .is_per_cpu = is_per_cpu(type) };
			strncpy(shape.name, bpf_map__name(map->bpf), sizeof(shape.name) - 1);
		} else if (!read_shape(env, argument, &shape)) {
			return NULL;
		}
	}
	result = make_object(env);
	set_member(env, result, "name", make_text(env, shape.name));
	set_member(env, result, "type", make_number(env, shape.type));
	set_member(env, result, "keySize", make_number(env, shape.key_size));
	set_member(env, result, "valueSize", make_number(env, shape.value_size));
	set_member(env, result, "maxEntries", make_number(env, shape.max_entries));
	set_member(env, result, "perCpu", make_bool(env, shape.is_per_cpu));
	return result;
}

/* lookup(map, key): the value, or undefined */
static napi_value lookup(napi_env env, napi_callback_info info)
{
	napi_value arguments[2], result;
	struct shape shape;
	uint8_t *bytes;
	void *key;

	if (!read_arguments(env, info, 2, arguments) || !read_shape(env, arguments[0], &shape) ||
	    !read_key(env, arguments[1], &shape, &key))
		return NULL;
	bytes = malloc(shape.user_size + 1);
	if (!bytes)
		return throw_misuse(env, "ERR_OUT_OF_MEMORY", "no memory for a value of map %s", shape.name);
	if (!bpf_map_lookup_elem(shape.fd, key, bytes))
		result = make_value(env, &shape, bytes);
	else if (errno == ENOENT)
		result = make_undefined(env);
	else
		result = throw_libbpf(env, errno, "map %s: cannot look up", shape.name);
	free(bytes);
	return result;
}

/* update(map, key, value, flags) */
static napi_value update(napi_env env, napi_callback_info info)
{
	napi_value arguments[4], result = NULL;
	struct shape shape;
	int64_t flags = BPF_ANY;
	uint8_t *bytes;
	void *key;

	if (!read_arguments(env, info, 4, arguments) || !read_shape(env, arguments[0], &shape) ||
	    !read_key(env, arguments[1], &shape, &key))
		return NULL;
	if (!is_undefined(env, arguments[3]) && !read_integer(env, arguments[3], "flags", 0, UINT_MAX, &flags))
		return NULL;
	bytes = calloc(1, shape.user_size + 1);
	if (!bytes)
		return throw_misuse(env, "ERR_OUT_OF_MEMORY", "no memory for a value of map %s", shape.name);
	if (read_value(env, arguments[2], &shape, bytes))
		result = bpf_map_update_elem(shape.fd, key, bytes, (uint64_t)flags) ?
				 throw_libbpf(env, errno, "map %s: cannot update", shape.name) :
				 make_undefined(env);
	free(bytes);
	return result;
}

/* remove(map, key): whether it was there */
static napi_value remove_entry(napi_env env, napi_callback_info info)
{
	napi_value arguments[2];
	struct shape shape;
	void *key;

	if (!read_arguments(env, info, 2, arguments) || !read_shape(env, arguments[0], &shape) ||
	    !read_key(env, arguments[1], &shape, &key))
		return NULL;
	if (!bpf_map_delete_elem(shape.fd, key))
		return make_bool(env, true);
	return errno == ENOENT ? make_bool(env, false) : throw_libbpf(env, errno, "map %s: cannot delete", shape.name);
}

/* nextKey(map, key | undefined): the key after that one, the first one, or undefined at the end */
static napi_value next_key(napi_env env, napi_callback_info info)
{
	napi_value arguments[2], result;
	struct shape shape;
	void *key = NULL;
	uint8_t *next;

	if (!read_arguments(env, info, 2, arguments) || !read_shape(env, arguments[0], &shape))
		return NULL;
	if (!is_undefined(env, arguments[1]) && !read_key(env, arguments[1], &shape, &key))
		return NULL;
	next = malloc(shape.key_size + 1);
	if (!next)
		return throw_misuse(env, "ERR_OUT_OF_MEMORY", "no memory for a key of map %s", shape.name);
	if (!bpf_map_get_next_key(shape.fd, key, next))
		result = make_bytes(env, next, shape.key_size);
	else if (errno == ENOENT)
		result = make_undefined(env);
	else
		result = throw_libbpf(env, errno, "map %s: cannot go through its keys", shape.name);
	free(next);
	return result;
}

/* pinMap(map, path) */
static napi_value pin(napi_env env, napi_callback_info info)
{
	napi_value arguments[2];
	struct shape shape;
	char path[PATH_MAX];

	if (!read_arguments(env, info, 2, arguments) || !read_shape(env, arguments[0], &shape) ||
	    !read_text(env, arguments[1], "path", path, sizeof(path)))
		return NULL;
	if (bpf_obj_pin(shape.fd, path))
		return throw_libbpf(env, errno, "cannot pin map %s at %s", shape.name, path);
	return make_undefined(env);
}

/*
 * fillPerfEvents(map, type, config): opens a performance event of all tasks for each possible CPU and puts it into a perf_event_array, which
 * keeps it; for how many CPUs there was one.
 */
static napi_value fill_perf_events(napi_env env, napi_callback_info info)
{
	struct perf_event_attr attr = { .size = sizeof(attr) };
	napi_value arguments[3];
	int64_t type, config;
	struct shape shape;
	int filled = 0;

	if (!read_arguments(env, info, 3, arguments) || !read_shape(env, arguments[0], &shape) ||
	    !read_integer(env, arguments[1], "type", 0, UINT_MAX, &type) ||
	    !read_integer(env, arguments[2], "config", 0, (1ll << 53) - 1, &config))
		return NULL;
	if (shape.type != BPF_MAP_TYPE_PERF_EVENT_ARRAY)
		return throw_misuse(env, "ERR_INVALID_ARG_VALUE", "map %s is no perf_event_array", shape.name);
	attr.type = (uint32_t)type;
	attr.config = (uint64_t)config;
	for (int cpu = 0; cpu < libbpf_num_possible_cpus(); cpu++) {
		int event = (int)syscall(SYS_perf_event_open, &attr, -1, cpu, -1, PERF_FLAG_FD_CLOEXEC);

		if (event < 0)
			continue;
		if (!bpf_map_update_elem(shape.fd, &cpu, &event, BPF_ANY))
			filled++;
		close(event);
	}
	return make_number(env, filled);
}

void define_map(napi_env env, napi_value exports)
{
	define_function(env, exports, "describeMap", describe);
	define_function(env, exports, "lookup", lookup);
	define_function(env, exports, "update", update);
	define_function(env, exports, "remove", remove_entry);
	define_function(env, exports, "nextKey", next_key);
	define_function(env, exports, "pinMap", pin);
	define_function(env, exports, "fillPerfEvents", fill_perf_events);
}
