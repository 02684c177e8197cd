// SPDX-License-Identifier: GPL-2.0-only
/* Handles: externals with a tag for each kind, so that one kind is never taken for another. Their finalizers leave nothing open. */
#include "addon.h"

#include <stdlib.h>
#include <unistd.h>

static const napi_type_tag object_tag = { 0x7c1f4e09a2b84d13, 0x8f3a51d07e6c2b91 };
static const napi_type_tag program_tag = { 0x7c1f4e09a2b84d13, 0x8f3a51d07e6c2b92 };
static const napi_type_tag map_tag = { 0x7c1f4e09a2b84d13, 0x8f3a51d07e6c2b93 };
static const napi_type_tag link_tag = { 0x7c1f4e09a2b84d13, 0x8f3a51d07e6c2b94 };

static void release_object(struct object *object)
{
	if (!object || --object->references)
		return;
	close_object(object);
	free(object);
}

void close_link(struct link *link)
{
	if (!link->bpf)
		return;
	for (struct link **at = &link->object->links; *at; at = &(*at)->next) {
		if (*at == link) {
			*at = link->next;
			break;
		}
	}
	bpf_link__destroy(link->bpf);
	link->bpf = NULL;
	if (!link->has_handle)
		free(link);
}

/* Links first: those of a struct_ops are undone through the object's map. */
void close_object(struct object *object)
{
	while (object->links)
		close_link(object->links);
	bpf_object__close(object->bpf);
	object->bpf = NULL;
}

static void close_map(struct map *map)
{
	if (map->fd >= 0)
		close(map->fd);
	map->fd = -1;
	map->is_closed = true;
}

static void finalize_object(napi_env env, void *data, void *hint)
{
	(void)env, (void)hint;
	release_object(data);
}

static void finalize_program(napi_env env, void *data, void *hint)
{
	struct program *program = data;

	(void)env, (void)hint;
	release_object(program->object);
	free(program);
}

static void finalize_map(napi_env env, void *data, void *hint)
{
	struct map *map = data;

	(void)env, (void)hint;
	close_map(map);
	release_object(map->object);
	free(map);
}

static void finalize_link(napi_env env, void *data, void *hint)
{
	struct link *link = data;
	struct object *object = link->object;

	(void)env, (void)hint;
	link->has_handle = false;
	if (!link->bpf)
		free(link);
	release_object(object);
}

/* Takes over `data`, also when it fails. */
static napi_value wrap(napi_env env, void *data, napi_finalize finalize, const napi_type_tag *tag)
{
	napi_value handle;

	if (!data)
		return throw_misuse(env, "ERR_OUT_OF_MEMORY", "no memory for a handle");
	if (napi_create_external(env, data, finalize, NULL, &handle)) {
		finalize(env, data, NULL);
		return throw_misuse(env, "ERR_OUT_OF_MEMORY", "cannot make a handle");
	}
	return napi_type_tag_object(env, handle, tag) ? NULL : handle;
}

napi_value wrap_object(napi_env env, struct object *object)
{
	return wrap(env, object, finalize_object, &object_tag);
}

napi_value wrap_program(napi_env env, struct program *program)
{
	if (program)
		program->object->references++;
	return wrap(env, program, finalize_program, &program_tag);
}

napi_value wrap_map(napi_env env, struct map *map)
{
	if (map && map->object)
		map->object->references++;
	return wrap(env, map, finalize_map, &map_tag);
}

napi_value wrap_link(napi_env env, struct object *object, struct bpf_link *bpf)
{
	struct link *link = calloc(1, sizeof(*link));

	if (!link) {
		bpf_link__destroy(bpf);
		return throw_misuse(env, "ERR_OUT_OF_MEMORY", "no memory for a link");
	}
	*link = (struct link){ .object = object, .bpf = bpf, .next = object->links, .has_handle = true };
	object->links = link;
	object->references++;
	return wrap(env, link, finalize_link, &link_tag);
}

static void *unwrap(napi_env env, napi_value value, const napi_type_tag *tag, const char *what)
{
	napi_valuetype type;
	bool is_right = false;
	void *data;

	if (napi_typeof(env, value, &type) || type != napi_external || napi_check_object_type_tag(env, value, tag, &is_right) ||
	    !is_right || napi_get_value_external(env, value, &data)) {
		throw_misuse(env, "ERR_INVALID_ARG_TYPE", "this is no %s of ebpf-napi", what);
		return NULL;
	}
	return data;
}

struct object *open_object(napi_env env, napi_value value)
{
	struct object *object = unwrap(env, value, &object_tag, "object");

	if (object && !object->bpf)
		return (void *)throw_misuse(env, "ERR_BPF_CLOSED", "the object is closed");
	return object;
}

struct program *open_program(napi_env env, napi_value value)
{
	struct program *program = unwrap(env, value, &program_tag, "program");

	if (program && !program->object->bpf)
		return (void *)throw_misuse(env, "ERR_BPF_CLOSED", "the program's object is closed");
	return program;
}

struct map *open_map(napi_env env, napi_value value)
{
	struct map *map = unwrap(env, value, &map_tag, "map");

	if (map && (map->is_closed || (map->object && !map->object->bpf)))
		return (void *)throw_misuse(env, "ERR_BPF_CLOSED", map->object ? "the map's object is closed" : "the map is closed");
	return map;
}

struct link *open_link(napi_env env, napi_value value)
{
	struct link *link = unwrap(env, value, &link_tag, "link");

	if (link && !link->bpf)
		return (void *)throw_misuse(env, "ERR_BPF_CLOSED", "the link is destroyed");
	return link;
}

bool is_loaded(napi_env env, const struct object *object)
{
	if (object->is_loaded)
		return true;
	throw_misuse(env, "ERR_BPF_NOT_LOADED", "the object %s is not loaded yet: call load() first", bpf_object__name(object->bpf));
	return false;
}

int map_fd_of(napi_env env, const struct map *map)
{
	if (!map->bpf)
		return map->fd;
	return is_loaded(env, map->object) ? bpf_map__fd(map->bpf) : -1;
}

/* Of an object, a link or a pinned map; what is closed already stays so, and a map of an object is the object's to close. */
napi_value close_handle(napi_env env, napi_callback_info info)
{
	napi_value value;
	bool is_object = false, is_link = false, is_map = false;
	napi_valuetype type;
	void *data;

	if (!read_arguments(env, info, 1, &value))
		return NULL;
	if (napi_typeof(env, value, &type) || type != napi_external || napi_get_value_external(env, value, &data))
		return throw_misuse(env, "ERR_INVALID_ARG_TYPE", "only objects, links and pinned maps can be closed");
	napi_check_object_type_tag(env, value, &object_tag, &is_object);
	napi_check_object_type_tag(env, value, &link_tag, &is_link);
	napi_check_object_type_tag(env, value, &map_tag, &is_map);
	if (is_object)
		close_object(data);
	else if (is_link)
		close_link(data);
	else if (is_map)
		close_map(data);
	else
		return throw_misuse(env, "ERR_INVALID_ARG_TYPE", "only objects, links and pinned maps can be closed");
	return make_undefined(env);
}
