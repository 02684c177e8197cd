// SPDX-License-Identifier: GPL-2.0-only
/* All entries of a map at once, by the kernel's batch operations; undefined where it has none for this kind of map. */
#include "map.h"

#include <errno.h>
#include <stdlib.h>

#include <bpf/bpf.h>

#define BATCH 1024
#define ENOTSUPP 524

struct batch {
	uint8_t *keys, *values;
	uint32_t room;
	/* Where to go on: at least 4 bytes, for hash maps count buckets. */
	uint8_t *from, *to;
};

static void free_batch(struct batch *batch)
{
	free(batch->keys);
	free(batch->values);
	free(batch->from);
	free(batch->to);
}

static bool make_batch(const struct shape *shape, uint32_t room, struct batch *batch)
{
	size_t cursor = shape->key_size > 8 ? shape->key_size : 8;

	*batch = (struct batch){
		.keys = malloc((size_t)room * shape->key_size + 1),
		.values = malloc((size_t)room * shape->user_size + 1),
		.room = room,
		.from = calloc(1, cursor),
		.to = calloc(1, cursor),
	};
	if (batch->keys && batch->values && batch->from && batch->to)
		return true;
	free_batch(batch);
	return false;
}

static bool push_entries(napi_env env, napi_value list, const struct shape *shape, const struct batch *batch, uint32_t count)
{
	uint32_t length;

	if (napi_get_array_length(env, list, &length))
		return false;
	for (uint32_t i = 0; i < count; i++) {
		napi_handle_scope scope;
		napi_value pair, key, value;
		bool failed;

		if (napi_open_handle_scope(env, &scope))
			return false;
		key = make_bytes(env, batch->keys + (size_t)i * shape->key_size, shape->key_size);
		value = make_value(env, shape, batch->values + (size_t)i * shape->user_size);
		failed = !key || !value || napi_create_array_with_length(env, 2, &pair) || napi_set_element(env, pair, 0, key) ||
			 napi_set_element(env, pair, 1, value) || napi_set_element(env, list, length + i, pair);
		napi_close_handle_scope(env, scope);
		if (failed)
			return false;
	}
	return true;
}

/* lookupBatch(map): a list of [key, value] */
static napi_value lookup_batch(napi_env env, napi_callback_info info)
{
	LIBBPF_OPTS(bpf_map_batch_opts, options);
	napi_value argument, list;
	struct batch batch;
	struct shape shape;
	bool is_first = true, is_last = false;
	uint32_t room;

	if (!read_arguments(env, info, 1, &argument) || !read_shape(env, argument, &shape) || napi_create_array(env, &list))
		return NULL;
	/* The kernel gives whole hash buckets or ENOSPC; then there must be more room. */
	room = shape.max_entries < BATCH ? shape.max_entries : BATCH;
	if (!make_batch(&shape, room, &batch))
		return throw_misuse(env, "ERR_OUT_OF_MEMORY", "no memory for a batch of map %s", shape.name);
	while (!is_last) {
		uint32_t count = batch.room;
		uint8_t *swap = batch.from;
		int error = bpf_map_lookup_batch(shape.fd, is_first ? NULL : batch.from, batch.to, batch.keys, batch.values, &count,
						 &options);

		if (error == -ENOSPC && batch.room < shape.max_entries) {
			struct batch larger;

			if (!make_batch(&shape, batch.room > shape.max_entries / 2 ? shape.max_entries : 2 * batch.room, &larger)) {
				free_batch(&batch);
				return throw_misuse(env, "ERR_OUT_OF_MEMORY", "no memory for a batch of map %s", shape.name);
			}
			free(larger.from);
			larger.from = batch.from;
			batch.from = NULL;
			free_batch(&batch);
			batch = larger;
			continue;
		}
		is_last = error == -ENOENT;
		if (error && !is_last) {
			free_batch(&batch);
			if (is_first && (error == -ENOTSUPP || error == -EINVAL || error == -EOPNOTSUPP))
				return make_undefined(env);
			return throw_libbpf(env, error, "map %s: cannot read a batch", shape.name);
		}
		if (!push_entries(env, list, &shape, &batch, count)) {
			free_batch(&batch);
			return throw_misuse(env, "ERR_OUT_OF_MEMORY", "no memory for the entries of map %s", shape.name);
		}
		batch.from = batch.to;
		batch.to = swap;
		is_first = false;
	}
	free_batch(&batch);
	return list;
}

void define_batch(napi_env env, napi_value exports)
{
	define_function(env, exports, "lookupBatch", lookup_batch);
}
