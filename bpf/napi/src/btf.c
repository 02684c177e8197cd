// SPDX-License-Identifier: GPL-2.0-only
/* BTF: what the running kernel has, and the layout of a map's values. */
#include "globals.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/btf.h>

#define NAME_SIZE 256
/* More are a circle. */
#define MOST_DIMENSIONS 32

/* hasKernelBtf() */
static napi_value has_kernel_btf(napi_env env, napi_callback_info info)
{
	(void)info;
	return make_bool(env, !access("/sys/kernel/btf/vmlinux", R_OK));
}

static int kind_number(const char *kind)
{
	static const struct {
		const char *name;
		int number;
	} kinds[] = {
		{ "struct", BTF_KIND_STRUCT }, { "union", BTF_KIND_UNION },	{ "enum", BTF_KIND_ENUM }, { "typedef", BTF_KIND_TYPEDEF },
		{ "function", BTF_KIND_FUNC }, { "variable", BTF_KIND_VAR },
	};

	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
		if (!strcmp(kinds[i].name, kind))
			return kinds[i].number;
	}
	return -1;
}

/* kernelHas(kind, names): for each name whether the kernel's BTF has a type of that kind and name */
static napi_value kernel_has(napi_env env, napi_callback_info info)
{
	napi_value arguments[2], result;
	char kind[NAME_SIZE], name[NAME_SIZE];
	bool is_list = false;
	struct btf *btf;
	uint32_t count;
	int number;

	if (!read_arguments(env, info, 2, arguments) || !read_text(env, arguments[0], "kind", kind, sizeof(kind)))
		return NULL;
	number = kind_number(kind);
	if (number < 0)
		return throw_misuse(env, "ERR_INVALID_ARG_VALUE",
				    "kind must be struct, union, enum, typedef, function or variable, got %s", kind);
	if (napi_is_array(env, arguments[1], &is_list) || !is_list || napi_get_array_length(env, arguments[1], &count) ||
	    napi_create_array_with_length(env, count, &result))
		return throw_misuse(env, "ERR_INVALID_ARG_TYPE", "names must be a list");
	log_begin();
	btf = btf__load_vmlinux_btf();
	if (!btf)
		return throw_libbpf(env, errno, "cannot read the kernel's BTF (/sys/kernel/btf/vmlinux)");
	for (uint32_t i = 0; i < count; i++) {
		napi_value element;
		bool has;

		if (napi_get_element(env, arguments[1], i, &element) || !read_text(env, element, "name", name, sizeof(name))) {
			btf__free(btf);
			return NULL;
		}
		has = btf__find_by_name_kind(btf, name, (uint32_t)number) > 0;
		if (napi_set_element(env, result, i, make_bool(env, has)))
			break;
	}
	btf__free(btf);
	return result;
}

/* A member: name, offset, size of one element, count of elements, kind; of arrays of arrays all elements. */
static napi_value make_field(napi_env env, const struct btf *btf, const struct btf_type *parent, const struct btf_member *member,
			     unsigned int index)
{
	const struct btf_type *type = bare_type(btf, member->type);
	napi_value field = make_object(env);
	double count = 1;
	const char *kind = "bytes";

	for (int depth = 0; type && btf_is_array(type); depth++) {
		if (depth > MOST_DIMENSIONS)
			return NULL;
		count *= btf_array(type)->nelems;
		type = bare_type(btf, btf_array(type)->type);
	}
	if (type && btf_is_int(type))
		kind = btf_int_encoding(type) & BTF_INT_SIGNED ? "signed" : "unsigned";
	set_member(env, field, "name", make_text(env, type_name(btf, member->name_off)));
	set_member(env, field, "offset", make_number(env, btf_member_bit_offset(parent, index) / 8));
	set_member(env, field, "size", make_number(env, type && (btf_is_int(type) || btf_is_composite(type)) ? type->size : 0));
	set_member(env, field, "count", make_number(env, count));
	set_member(env, field, "kind", make_text(env, kind));
	return field;
}

/* valueLayout(map): name and fields of the struct that its values are; undefined when they are none, or it has no BTF */
static napi_value value_layout(napi_env env, napi_callback_info info)
{
	const struct btf_type *type;
	napi_value argument, result, fields;
	const struct btf *btf;
	struct map *map;

	if (!read_arguments(env, info, 1, &argument) || !(map = open_map(env, argument)))
		return NULL;
	btf = map->bpf ? bpf_object__btf(map->object->bpf) : NULL;
	type = btf ? bare_type(btf, bpf_map__btf_value_type_id(map->bpf)) : NULL;
	if (!type || !btf_is_struct(type))
		return make_undefined(env);
	result = make_object(env);
	if (napi_create_array_with_length(env, btf_vlen(type), &fields))
		return NULL;
	for (unsigned int i = 0; i < btf_vlen(type); i++) {
		napi_value field = make_field(env, btf, type, btf_members(type) + i, i);

		if (!field)
			return throw_misuse(env, "ERR_INVALID_ARG_VALUE", "the type of %s contains itself", bpf_map__name(map->bpf));
		if (napi_set_element(env, fields, i, field))
			return NULL;
	}
	set_member(env, result, "name", make_text(env, type_name(btf, type->name_off)));
	set_member(env, result, "fields", fields);
	return result;
}

static napi_value possible_cpus(napi_env env, napi_callback_info info)
{
	int cpus = libbpf_num_possible_cpus();

	(void)info;
	return cpus < 1 ? throw_libbpf(env, cpus, "cannot tell how many CPUs are possible") : make_number(env, cpus);
}

static napi_value libbpf_version(napi_env env, napi_callback_info info)
{
	(void)info;
	return make_text(env, libbpf_version_string() + 1);
}

void define_btf(napi_env env, napi_value exports)
{
	define_function(env, exports, "hasKernelBtf", has_kernel_btf);
	define_function(env, exports, "kernelHas", kernel_has);
	define_function(env, exports, "valueLayout", value_layout);
	define_function(env, exports, "possibleCpus", possible_cpus);
	define_function(env, exports, "libbpfVersion", libbpf_version);
}
