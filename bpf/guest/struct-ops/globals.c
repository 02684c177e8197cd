// SPDX-License-Identifier: GPL-2.0-only
/* Globals of a BPF object, found by name or type in its BTF. */
#define _GNU_SOURCE
#include "globals.h"

#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A global: its name, its type without typedefs and qualifiers, and its bytes. */
struct global {
	const char *name;
	const struct btf_type *type;
	size_t size;
	void *bytes;
};

void fail(const char *format, ...)
{
	va_list args;

	fprintf(stderr, "%s: ", program_invocation_short_name);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	exit(EXIT_FAILURE);
}

static const struct btf_type *bare_type(const struct btf *btf, unsigned int id)
{
	const struct btf_type *type = btf__type_by_id(btf, id);

	while (btf_is_mod(type) || btf_is_typedef(type))
		type = btf__type_by_id(btf, type->type);
	return type;
}

/* Bytes of a section's map: what it begins with, and after loading what the kernel maps. */
static void *section_bytes(struct bpf_object *object, const char *section, size_t *size)
{
	struct bpf_map *map;

	bpf_object__for_each_map(map, object) {
		/* The kernel's name of the map begins with the object's; the section's name is its end. */
		const char *name = bpf_map__name(map);
		const char *dot = strchr(name, '.');

		if (dot && strcmp(dot, section) == 0)
			return bpf_map__initial_value(map, size);
	}
	return NULL;
}

/* The global number `index` of a section; false when there are no more. */
static bool nth_global(struct bpf_object *object, const char *section, unsigned int index, struct global *global)
{
	const struct btf *btf = bpf_object__btf(object);
	int id = btf ? btf__find_by_name_kind(btf, section, BTF_KIND_DATASEC) : -1;
	const struct btf_type *datasec, *variable;
	const struct btf_var_secinfo *place;
	size_t size;
	char *bytes;

	if (id < 0)
		return false;
	datasec = btf__type_by_id(btf, id);
	if (index >= btf_vlen(datasec))
		return false;
	bytes = section_bytes(object, section, &size);
	place = btf_var_secinfos(datasec) + index;
	if (!bytes || (size_t)place->offset + place->size > size)
		return false;
	variable = btf__type_by_id(btf, place->type);
	*global = (struct global){
		.name = btf__name_by_offset(btf, variable->name_off),
		.type = bare_type(btf, variable->type),
		.size = place->size,
		.bytes = bytes + place->offset,
	};
	return true;
}

/* Writes a value in the global's width (this machine and BPF are little-endian); false when it does not fit. */
static bool write_value(const struct global *global, uint64_t value)
{
	if (global->size > sizeof(value) || (global->size < sizeof(value) && value >> (8 * global->size)))
		return false;
	memcpy(global->bytes, &value, global->size);
	return true;
}

void set_constant(struct bpf_object *object, const char *setting)
{
	const char *equals = strchr(setting, '=');
	struct global global;
	unsigned int i;
	uint64_t value;
	char *end;

	if (!equals || equals[1] < '0' || equals[1] > '9')
		fail("%s is not NAME=VALUE", setting);
	errno = 0;
	value = strtoull(equals + 1, &end, 10);
	if (errno || *end)
		fail("%s: the value is no whole number of 64 bits", setting);
	for (i = 0; nth_global(object, ".rodata", i, &global); i++) {
		if (strlen(global.name) != (size_t)(equals - setting) ||
		    strncmp(global.name, setting, equals - setting))
			continue;
		if (!btf_is_int(global.type) || !write_value(&global, value))
			fail("%s: does not fit a constant of %zu bytes", setting, global.size);
		return;
	}
	fail("%s: the object has no such constant", setting);
}

/* Gives the constant that stands for a kernel's enumerator its value, if the object has one. */
static void set_enumerator(struct bpf_object *object, const char *name, uint64_t value)
{
	struct global global;
	unsigned int i;

	for (i = 0; nth_global(object, ".rodata", i, &global); i++) {
		if (strncmp(global.name, "__SCX_", 6) || strcmp(global.name + 2, name))
			continue;
		if (!write_value(&global, value))
			fail("%s does not fit its constant", global.name);
	}
}

void set_kernel_enums(struct bpf_object *object)
{
	struct btf *kernel = btf__load_vmlinux_btf();
	unsigned int count, id, i;

	if (!kernel)
		fail("cannot read the kernel's BTF: %s", strerror(errno));
	count = btf__type_cnt(kernel);
	for (id = 1; id < count; id++) {
		const struct btf_type *type = btf__type_by_id(kernel, id);

		if (!btf_is_any_enum(type) || strncmp(btf__name_by_offset(kernel, type->name_off), "scx_", 4))
			continue;
		for (i = 0; i < btf_vlen(type); i++) {
			const struct btf_enum64 *wide = btf_enum64(type) + i;
			const struct btf_enum *narrow = btf_enum(type) + i;
			bool is_wide = btf_is_enum64(type);

			set_enumerator(object, btf__name_by_offset(kernel, is_wide ? wide->name_off : narrow->name_off),
				       is_wide ? btf_enum64_value(wide) : (uint64_t)(uint32_t)narrow->val);
		}
	}
	btf__free(kernel);
}

const void *find_global(struct bpf_object *object, const char *type, size_t size)
{
	const struct btf *btf = bpf_object__btf(object);
	struct global global;
	unsigned int i;

	for (i = 0; nth_global(object, ".data", i, &global); i++) {
		if (btf_is_struct(global.type) && global.size == size &&
		    strcmp(btf__name_by_offset(btf, global.type->name_off), type) == 0)
			return global.bytes;
	}
	return NULL;
}
