/* SPDX-License-Identifier: GPL-2.0-only */
/* What map.c and batch.c share: a map's shape as user space sees it. */
#ifndef EBPF_NAPI_MAP_H
#define EBPF_NAPI_MAP_H

#include "addon.h"

struct shape {
	int fd;
	uint32_t type, key_size, value_size, max_entries, flags;
	char name[64];
	bool is_per_cpu;
	uint32_t cpus;	  /* values in one entry: possible CPUs, or 1 */
	uint32_t stride;  /* bytes from one CPU's value to the next */
	size_t user_size; /* bytes that a lookup writes */
};

/* The map behind a handle; false with an exception. */
bool read_shape(napi_env env, napi_value handle, struct shape *shape);
/* A Uint8Array, or for a per-CPU map a list of one for each CPU. */
napi_value make_value(napi_env env, const struct shape *shape, const uint8_t *bytes);

#endif
