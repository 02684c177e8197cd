// SPDX-License-Identifier: GPL-2.0-only
/*
 * Global variables of an object, found by name in its BTF. Before load() all can be set, `const volatile` ones among them; after it
 * those in .data and .bss can be read and set while programs run.
 */
#include "globals.h"

#include <string.h>

#include <bpf/bpf.h>

#define NAME_SIZE 256

/* Longer chains are circles: libbpf's MAX_RESOLVE_DEPTH. */
#define MOST_QUALIFIERS 32

const struct btf_type *bare_type(const struct btf *btf, unsigned int id)
{
	const struct btf_type *type = btf__type_by_id(btf, id);

	for (int i = 0; type && (btf_is_mod(type) || btf_is_typedef(type)); i++)
		type = i < MOST_QUALIFIERS ? btf__type_by_id(btf, type->type) : NULL;
	return type;
}

const char *type_name(const struct btf *btf, unsigned int offset)
{
	const char *name = btf__name_by_offset(btf, offset);

	return name ? name : "";
}

static enum value_kind kind_of(const struct btf_type *type, size_t size)
{
	if (!type || (size != 1 && size != 2 && size != 4 && size != 8))
		return VALUE_BYTES;
	if (btf_is_int(type)) {
		unsigned int encoding = btf_int_encoding(type);

		return encoding & BTF_INT_BOOL ? VALUE_BOOL : encoding & BTF_INT_SIGNED ? VALUE_SIGNED : VALUE_UNSIGNED;
	}
	if (btf_is_any_enum(type))
		return btf_kflag(type) ? VALUE_SIGNED : VALUE_UNSIGNED;
	if (btf_is_float(type) && size >= 4)
		return VALUE_FLOAT;
	return VALUE_BYTES;
}

/*
 * Whether libbpf made the map of that section. A section with one dot (.data) gives its map a name that begins with the object's, which may
 * have dots too; one with two (.data.mine) is the name.
 */
static bool is_of_section(const struct bpf_map *map, const char *section)
{
	const char *name = bpf_map__name(map);
	size_t length = strlen(name), end = strlen(section);

	if (!bpf_map__is_internal(map) || length < end)
		return false;
	return strchr(section + 1, '.') ? !strcmp(name, section) : *name != '.' && !strcmp(name + length - end, section);
}

static struct bpf_map *section_map(struct bpf_object *object, const char *section)
{
	struct bpf_map *map;

	bpf_object__for_each_map(map, object) {
		if (*section == '.' && is_of_section(map, section))
			return map;
	}
	return NULL;
}

bool read_global(struct object *object, const struct btf_type *section, int index, struct global *global)
{
	const struct btf *btf = bpf_object__btf(object->bpf);
	const char *section_name = type_name(btf, section->name_off);
	const struct btf_var_secinfo *place = btf_var_secinfos(section) + index;
	const struct btf_type *variable = btf__type_by_id(btf, place->type);
	struct bpf_map *map = section_map(object->bpf, section_name);
	uint8_t *bytes;
	size_t size;

	if (!map || !variable || !btf_is_var(variable))
		return false;
	/* What the section begins with; after loading, the kernel's memory. */
	bytes = (uint8_t *)bpf_map__initial_value(map, &size);
	if (!bytes || (size_t)place->offset + place->size > size)
		return false;
	*global = (struct global){
		.name = type_name(btf, variable->name_off),
		.kind = kind_of(bare_type(btf, variable->type), place->size),
		.is_constant = bpf_map__map_flags(map) & BPF_F_RDONLY_PROG,
		.is_extern = !strcmp(section_name, ".kconfig"),
		.size = place->size,
		.bytes = bytes + place->offset,
	};
	return true;
}

static bool find_in_section(struct object *object, const struct btf_type *section, const char *name, struct global *global)
{
	for (int i = 0; i < btf_vlen(section); i++) {
		if (read_global(object, section, i, global) && !strcmp(global->name, name))
			return true;
	}
	return false;
}

static bool find_global(napi_env env, struct object *object, const char *name, struct global *global)
{
	const struct btf *btf = bpf_object__btf(object->bpf);

	for (unsigned int id = 1; btf && id < btf__type_cnt(btf); id++) {
		const struct btf_type *type = btf__type_by_id(btf, id);

		if (btf_is_datasec(type) && find_in_section(object, type, name, global))
			return true;
	}
	throw_misuse(env, "ERR_BPF_NO_GLOBAL", "%s has no global variable %s", bpf_object__name(object->bpf), name);
	return false;
}

/* getGlobal(object, name): number, bigint (of 8 bytes), boolean, or bytes */
static napi_value get_global(napi_env env, napi_callback_info info)
{
	napi_value arguments[2], value = NULL;
	struct global global;
	struct object *object;
	char name[NAME_SIZE];
	uint64_t bits = 0;

	if (!read_arguments(env, info, 2, arguments) || !(object = open_object(env, arguments[0])) ||
	    !read_text(env, arguments[1], "name", name, sizeof(name)) || !find_global(env, object, name, &global))
		return NULL;
	if (global.kind == VALUE_BYTES)
		return make_bytes(env, global.bytes, global.size);
	memcpy(&bits, global.bytes, global.size);
	if (global.kind == VALUE_BOOL)
		return make_bool(env, bits);
	if (global.kind == VALUE_FLOAT) {
		float narrow;
		double wide;

		memcpy(&narrow, global.bytes, sizeof(narrow));
		memcpy(&wide, global.bytes, global.size);
		return make_number(env, global.size == 4 ? narrow : wide);
	}
	if (global.kind == VALUE_SIGNED && global.size < 8 && bits >> (8 * global.size - 1))
		bits |= ~0ull << (8 * global.size);
	if (global.size < 8)
		return make_number(env, global.kind == VALUE_SIGNED ? (double)(int64_t)bits : (double)bits);
	if (global.kind == VALUE_SIGNED)
		napi_create_bigint_int64(env, (int64_t)bits, &value);
	else
		napi_create_bigint_uint64(env, bits, &value);
	return value;
}

/* A whole number of the global's width from a number or a bigint. */
static bool read_bits(napi_env env, napi_value value, const char *name, const struct global *global, uint64_t *bits)
{
	unsigned int width = 8 * (unsigned int)global->size;
	bool is_signed = global->kind == VALUE_SIGNED, is_lossless = false, fits;
	napi_valuetype type;
	int64_t number;

	napi_typeof(env, value, &type);
	if (type == napi_bigint) {
		if (is_signed)
			napi_get_value_bigint_int64(env, value, (int64_t *)bits, &is_lossless);
		else
			napi_get_value_bigint_uint64(env, value, bits, &is_lossless);
	} else {
		/* Of numbers only those that JavaScript holds exactly. */
		if (!read_integer(env, value, name, is_signed ? -((1ll << 53) - 1) : 0, (1ll << 53) - 1, &number))
			return false;
		*bits = (uint64_t)number;
		is_lossless = true;
	}
	fits = is_lossless;
	if (fits && width < 64) {
		int64_t given = (int64_t)*bits;

		fits = is_signed ? given >= -(1ll << (width - 1)) && given < 1ll << (width - 1) : !(*bits >> width);
	}
	if (!fits)
		throw_misuse(env, "ERR_OUT_OF_RANGE", "%s: the value does not fit %s %u bits", name, is_signed ? "signed" : "unsigned",
			     width);
	return fits;
}

static bool write_global(napi_env env, napi_value value, const char *name, const struct global *global)
{
	uint64_t bits = 0;
	size_t length;
	double number;
	float narrow;
	bool boolean;
	void *bytes;

	switch (global->kind) {
	case VALUE_BYTES:
		if (!read_bytes(env, value, name, &bytes, &length))
			return false;
		if (length != global->size) {
			throw_misuse(env, "ERR_OUT_OF_RANGE", "%s takes %zu bytes, got %zu", name, global->size, length);
			return false;
		}
		memcpy(global->bytes, bytes, length);
		return true;
	case VALUE_BOOL:
		if (napi_get_value_bool(env, value, &boolean)) {
			throw_misuse(env, "ERR_INVALID_ARG_TYPE", "%s must be true or false", name);
			return false;
		}
		bits = boolean;
		break;
	case VALUE_FLOAT:
		if (napi_get_value_double(env, value, &number)) {
			throw_misuse(env, "ERR_INVALID_ARG_TYPE", "%s must be a number", name);
			return false;
		}
		narrow = (float)number;
		memcpy(&bits, global->size == 4 ? (void *)&narrow : (void *)&number, global->size);
		break;
	default:
		if (!read_bits(env, value, name, global, &bits))
			return false;
	}
	/* libbpf works for the machine that it runs on, so the order of bytes is the same. */
	memcpy(global->bytes, &bits, global->size);
	return true;
}

/* setGlobal(object, name, value) */
static napi_value set_global(napi_env env, napi_callback_info info)
{
	struct global global;
	struct object *object;
	napi_value arguments[3];
	char name[NAME_SIZE];

	if (!read_arguments(env, info, 3, arguments) || !(object = open_object(env, arguments[0])) ||
	    !read_text(env, arguments[1], "name", name, sizeof(name)) || !find_global(env, object, name, &global))
		return NULL;
	if (global.is_extern)
		return throw_misuse(env, "ERR_INVALID_ARG_VALUE", "%s is the kernel's: load() gives it its value", name);
	if (global.is_constant && object->is_loaded)
		return throw_misuse(env, "ERR_BPF_LOADED", "%s is constant once its object is loaded", name);
	return write_global(env, arguments[2], name, &global) ? make_undefined(env) : NULL;
}

void define_globals(napi_env env, napi_value exports)
{
	define_function(env, exports, "getGlobal", get_global);
	define_function(env, exports, "setGlobal", set_global);
}
