/* SPDX-License-Identifier: GPL-2.0-only */
/* What globals.c and enumerators.c share: a global variable of an object. */
#ifndef EBPF_NAPI_GLOBALS_H
#define EBPF_NAPI_GLOBALS_H

#include "addon.h"

#include <bpf/btf.h>

struct global {
	const char *name;
	enum value_kind kind;
	bool is_constant; /* programs cannot change it, and after loading nobody can */
	bool is_extern;	  /* of the kernel's configuration (__kconfig) */
	size_t size;
	uint8_t *bytes;
};

/* A name in BTF; empty where its offset is wrong. */
const char *type_name(const struct btf *btf, unsigned int offset);
/* A type without typedefs and qualifiers; NULL when there is none. */
const struct btf_type *bare_type(const struct btf *btf, unsigned int id);
/* The variable number `index` of a section of the object's BTF; false when it has no bytes. */
bool read_global(struct object *object, const struct btf_type *section, int index, struct global *global);

#endif
