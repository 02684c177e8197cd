// SPDX-License-Identifier: GPL-2.0-only
/*
 * Constants that stand for enumerators of the running kernel. Their values differ between kernels, and sched_ext's headers have
 * programs read them from `const volatile` globals that user space fills before it loads them.
 */
#include "globals.h"

#include <errno.h>
#include <string.h>

#define NAME_SIZE 256

struct naming {
	char types[NAME_SIZE];	   /* enums whose name begins so */
	char constants[NAME_SIZE]; /* a constant's name is this and the enumerator's */
};

/* Gives the object's constant for one enumerator its value; false when it has none, or it is too narrow. */
static bool fill(struct object *object, const struct naming *naming, const char *enumerator, uint64_t value)
{
	const struct btf *btf = bpf_object__btf(object->bpf);
	size_t prefix = strlen(naming->constants);

	for (unsigned int id = 1; id < btf__type_cnt(btf); id++) {
		const struct btf_type *section = btf__type_by_id(btf, id);
		struct global global;

		for (int i = 0; btf_is_datasec(section) && i < btf_vlen(section); i++) {
			if (!read_global(object, section, i, &global) || !global.is_constant || global.is_extern || global.kind == VALUE_BYTES)
				continue;
			if (strncmp(global.name, naming->constants, prefix) || strcmp(global.name + prefix, enumerator))
				continue;
			if (global.size < sizeof(value) && value >> (8 * global.size))
				return false;
			memcpy(global.bytes, &value, global.size);
			return true;
		}
	}
	return false;
}

static uint32_t fill_enum(struct object *object, const struct naming *naming, const struct btf *kernel, const struct btf_type *type)
{
	uint32_t filled = 0;

	for (int i = 0; i < btf_vlen(type); i++) {
		/* The two kinds of enum have entries of different sizes. */
		if (btf_is_enum(type)) {
			const struct btf_enum *narrow = btf_enum(type) + i;

			filled += fill(object, naming, type_name(kernel, narrow->name_off), (uint32_t)narrow->val);
		} else {
			const struct btf_enum64 *wide = btf_enum64(type) + i;

			filled += fill(object, naming, type_name(kernel, wide->name_off), btf_enum64_value(wide));
		}
	}
	return filled;
}

/* setEnumerators(object, types, constants): how many constants were filled */
static napi_value set_enumerators(napi_env env, napi_callback_info info)
{
	struct naming naming;
	napi_value arguments[3];
	struct object *object;
	uint32_t filled = 0;
	struct btf *kernel;

	if (!read_arguments(env, info, 3, arguments) || !(object = open_object(env, arguments[0])) ||
	    !read_text(env, arguments[1], "types", naming.types, sizeof(naming.types)) ||
	    !read_text(env, arguments[2], "constants", naming.constants, sizeof(naming.constants)))
		return NULL;
	if (object->is_loaded)
		return throw_misuse(env, "ERR_BPF_LOADED", "constants cannot be set once their object is loaded");
	if (!bpf_object__btf(object->bpf))
		return make_number(env, 0);
	log_begin();
	kernel = btf__load_vmlinux_btf();
	if (!kernel)
		return throw_libbpf(env, errno, "cannot read the kernel's BTF (/sys/kernel/btf/vmlinux)");
	for (unsigned int id = 1; id < btf__type_cnt(kernel); id++) {
		const struct btf_type *type = btf__type_by_id(kernel, id);

		if (btf_is_any_enum(type) &&
		    !strncmp(type_name(kernel, type->name_off), naming.types, strlen(naming.types)))
			filled += fill_enum(object, &naming, kernel, type);
	}
	btf__free(kernel);
	return make_number(env, filled);
}

void define_enumerators(napi_env env, napi_value exports)
{
	define_function(env, exports, "setEnumerators", set_enumerators);
}
