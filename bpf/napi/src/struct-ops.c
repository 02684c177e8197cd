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

		if (!btf_is_datasec(section) || strncmp(btf__name_by_offset(btf, section->name_off), ".struct_ops", 11))
			continue;
		for (int i = 0; i < btf_vlen(section); i++, place++) {
			const struct btf_type *variable = btf__type_by_id(btf, place->type);

			if (!strcmp(btf__name_by_offset(btf, variable->name_off), name))
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

		if (strcmp(btf__name_by_offset(btf, member->name_off), name))
			continue;
		*size = kind->size;
		return btf_is_int(kind) && kind->size <= 8 && member->offset % 8 == 0 ? member : NULL;
	}
	return NULL;
}

/* setMember(map, name, value) */
static napi_value set_member_value(napi_env env, napi_callback_info info)
{
	const struct btf_member *member;
	const struct btf_type *type;
	napi_value arguments[3];
	char name[NAME_SIZE];
	const struct btf *btf;
	struct map *map;
	int64_t value;
	uint32_t size;
	size_t length = 0;
	uint8_t *bytes;

	if (!read_arguments(env, info, 3, arguments) || !(map = open_map(env, arguments[0])) ||
	    !read_text(env, arguments[1], "name", name, sizeof(name)) ||
	    !read_integer(env, arguments[2], name, 0, (1ll << 53) - 1, &value))
		return NULL;
	if (!map->bpf || bpf_map__type(map->bpf) != BPF_MAP_TYPE_STRUCT_OPS)
		return throw_misuse(env, "ERR_INVALID_ARG_VALUE", "only a struct_ops has members");
	if (map->object->is_loaded)
		return throw_misuse(env, "ERR_BPF_LOADED", "%s cannot be set once its object is loaded", name);
	btf = bpf_object__btf(map->object->bpf);
	type = btf ? type_of(btf, bpf_map__name(map->bpf)) : NULL;
	/* libbpf gives these bytes since 1.4. */
	bytes = (uint8_t *)bpf_map__initial_value(map->bpf, &length);
	if (!type || !bytes)
		return throw_misuse(env, "ERR_EBPF_UNAVAILABLE", "libbpf %s cannot change the members of a struct_ops",
				    libbpf_version_string() + 1);
	member = btf_is_struct(type) ? find_integer(btf, type, name, &size) : NULL;
	if (!member || member->offset / 8 + size > length)
		return throw_misuse(env, "ERR_BPF_NOT_FOUND", "%s has no whole number %s", bpf_map__name(map->bpf), name);
	if (size < 8 && value >> (8 * size))
		return throw_misuse(env, "ERR_OUT_OF_RANGE", "%s: the value does not fit unsigned %u bits", name, 8 * size);
	memcpy(bytes + member->offset / 8, &value, size);
	return make_undefined(env);
}

void define_struct_ops(napi_env env, napi_value exports)
{
	define_function(env, exports, "setMember", set_member_value);
}
