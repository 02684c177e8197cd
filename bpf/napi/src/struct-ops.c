// SPDX-License-Identifier: GPL-2.0-only
/* Plain members of a struct_ops, such as `timeout_ms` of a scheduler: set before its object is loaded, as its source could have. */
#include "globals.h"
#include "map.h"

#include <errno.h>
#include <string.h>

#define NAME_SIZE 256

/* The type of the variable in a section .struct_ops or .struct_ops.link that the map was made from. */
static const struct btf_type *type_of(const struct btf *btf, const char *name)
{
	for (unsigned int id = 1; id < btf__type_cnt(btf); id++) {
		const struct btf_type *section = btf__type_by_id(btf, id);
		const struct btf_var_secinfo *place = btf_var_secinfos(section);

		if (!btf_is_datasec(section) || strncmp(type_name(btf, section->name_off), ".struct_ops", 11))
			continue;
		for (int i = 0; i < btf_vlen(section); i++, place++) {
			const struct btf_type *variable = btf__type_by_id(btf, place->type);

			if (variable && !strcmp(type_name(btf, variable->name_off), name))
				return bare_type(btf, variable->type);
		}
	}
	return NULL;
}

static const struct btf_member *find_integer(const struct btf *btf, const struct btf_type *type, const char *name, uint32_t *size)
{
	const struct btf_member *member = btf_members(type);

	for (int i = 0; i < btf_vlen(type); i++, member++) {
		const struct btf_type *kind = bare_type(btf, member->type);

		if (!kind || strcmp(type_name(btf, member->name_off), name))
			continue;
		*size = kind->size;
		return btf_is_int(kind) && kind->size <= 8 && member->offset % 8 == 0 ? member : NULL;
	}
	return NULL;
}

/* The bytes of a whole number in a struct_ops that is not loaded yet; NULL with an exception. */
static uint8_t *member_bytes(napi_env env, napi_value handle, const char *name, uint32_t *size)
{
	const struct btf_member *member;
	const struct btf_type *type;
	const struct btf *btf;
	struct map *map = open_map(env, handle);
	size_t length = 0;
	uint8_t *bytes;

	if (!map)
		return NULL;
	if (!map->bpf || bpf_map__type(map->bpf) != BPF_MAP_TYPE_STRUCT_OPS) {
		throw_misuse(env, "ERR_INVALID_ARG_VALUE", "only a struct_ops has members");
		return NULL;
	}
	if (map->object->is_loaded) {
		throw_misuse(env, "ERR_BPF_LOADED", "%s cannot be set once its object is loaded", name);
		return NULL;
	}
	btf = bpf_object__btf(map->object->bpf);
	type = btf ? type_of(btf, bpf_map__name(map->bpf)) : NULL;
	/* libbpf gives these bytes since 1.4. */
	bytes = (uint8_t *)bpf_map__initial_value(map->bpf, &length);
	if (!type || !bytes) {
		throw_misuse(env, "ERR_EBPF_UNAVAILABLE", "libbpf %s cannot change the members of a struct_ops",
			     libbpf_version_string() + 1);
		return NULL;
	}
	member = btf_is_struct(type) ? find_integer(btf, type, name, size) : NULL;
	if (!member || (size_t)member->offset / 8 + *size > length) {
		throw_misuse(env, "ERR_BPF_NOT_FOUND", "%s has no whole number %s", bpf_map__name(map->bpf), name);
		return NULL;
	}
	return bytes + member->offset / 8;
}

/* getMember(map, name): unsigned */
static napi_value get_member_value(napi_env env, napi_callback_info info)
{
	napi_value arguments[2];
	char name[NAME_SIZE];
	uint64_t value = 0;
	uint8_t *bytes;
	uint32_t size;

	if (!read_arguments(env, info, 2, arguments) || !read_text(env, arguments[1], "name", name, sizeof(name)) ||
	    !(bytes = member_bytes(env, arguments[0], name, &size)))
		return NULL;
	memcpy(&value, bytes, size);
	return make_number(env, (double)value);
}

/* setMember(map, name, value) */
static napi_value set_member_value(napi_env env, napi_callback_info info)
{
	napi_value arguments[3];
	char name[NAME_SIZE];
	uint8_t *bytes;
	int64_t value;
	uint32_t size;

	if (!read_arguments(env, info, 3, arguments) || !read_text(env, arguments[1], "name", name, sizeof(name)) ||
	    !read_integer(env, arguments[2], name, 0, (1ll << 53) - 1, &value) ||
	    !(bytes = member_bytes(env, arguments[0], name, &size)))
		return NULL;
	if (size < 8 && value >> (8 * size))
		return throw_misuse(env, "ERR_OUT_OF_RANGE", "%s: the value does not fit unsigned %u bits", name, 8 * size);
	memcpy(bytes, &value, size);
	return make_undefined(env);
}

void define_struct_ops(napi_env env, napi_value exports)
{
	define_function(env, exports, "getMember", get_member_value);
	define_function(env, exports, "setMember", set_member_value);
}
