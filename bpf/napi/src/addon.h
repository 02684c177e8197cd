/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * ebpf-napi: libbpf for Node. The functions here take handles (externals with a type tag) and plain values; index.js makes classes of
 * them. A function that fails has thrown, and returns NULL.
 */
#ifndef EBPF_NAPI_ADDON_H
#define EBPF_NAPI_ADDON_H

#define NAPI_VERSION 8
#include <node_api.h>

#include <bpf/libbpf.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * An opened object file. Handles of its parts hold a reference each, so that the memory lives as long as any of them; the object
 * itself may be closed before, and its parts then refuse.
 */
struct object {
	struct bpf_object *bpf; /* NULL: closed */
	struct link *links;	/* of its programs and maps; closed with it */
	int references;
	bool is_loaded;
	bool is_trusted; /* somebody vouches for the file */
};

struct program {
	struct object *object;
	struct bpf_program *bpf;
};

struct map {
	struct object *object; /* NULL: opened from a pin */
	struct bpf_map *bpf;   /* NULL: opened from a pin */
	int fd;		       /* -1: of the object, or closed */
	bool is_closed;
};

/* It lasts until it is destroyed or its object closed; that nobody holds its handle any more does not end it. */
struct link {
	struct object *object;
	struct bpf_link *bpf; /* NULL: destroyed */
	struct link *next;    /* of the object's */
	bool has_handle;
};

/* What BTF calls a plain value: an integer, a float, an enumerator, or anything else as bytes. */
enum value_kind { VALUE_BYTES, VALUE_UNSIGNED, VALUE_SIGNED, VALUE_BOOL, VALUE_FLOAT };

/* errors.c: every exception has `code` (ERR_... or an errno's name) and, from libbpf, `log` */
void log_begin(void);
void log_install(void);
napi_value throw_misuse(napi_env env, const char *code, const char *format, ...) __attribute__((format(printf, 3, 4)));
napi_value throw_libbpf(napi_env env, int error, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* values.c: arguments and results */
bool read_arguments(napi_env env, napi_callback_info info, size_t count, napi_value *arguments);
bool read_text(napi_env env, napi_value value, const char *what, char *text, size_t size);
bool read_integer(napi_env env, napi_value value, const char *what, int64_t low, int64_t high, int64_t *number);
bool read_bytes(napi_env env, napi_value value, const char *what, void **bytes, size_t *length);
bool is_undefined(napi_env env, napi_value value);
napi_value make_bytes(napi_env env, const void *bytes, size_t length);
napi_value make_number(napi_env env, double number);
napi_value make_text(napi_env env, const char *text);
napi_value make_bool(napi_env env, bool value);
napi_value make_undefined(napi_env env);
napi_value make_object(napi_env env);
void set_member(napi_env env, napi_value object, const char *name, napi_value value);

/* handles.c */
napi_value wrap_object(napi_env env, struct object *object);
napi_value wrap_program(napi_env env, struct program *program);
napi_value wrap_map(napi_env env, struct map *map);
napi_value wrap_link(napi_env env, struct object *object, struct bpf_link *bpf);
struct object *open_object(napi_env env, napi_value value);
struct program *open_program(napi_env env, napi_value value);
struct map *open_map(napi_env env, napi_value value);
struct link *open_link(napi_env env, napi_value value);
bool is_loaded(napi_env env, const struct object *object);
/* The map's descriptor; -1 with an exception when its object has not been loaded. */
int map_fd_of(napi_env env, const struct map *map);
void close_object(struct object *object);
void close_link(struct link *link);
napi_value close_handle(napi_env env, napi_callback_info info);

/* Each adds its functions to the addon's exports. */
void define_object(napi_env env, napi_value exports);
void define_globals(napi_env env, napi_value exports);
void define_enumerators(napi_env env, napi_value exports);
void define_program(napi_env env, napi_value exports);
void define_map(napi_env env, napi_value exports);
void define_struct_ops(napi_env env, napi_value exports);
void define_batch(napi_env env, napi_value exports);
void define_ring(napi_env env, napi_value exports);
void define_held(napi_env env, napi_value exports);
void define_guardian(napi_env env, napi_value exports);
void define_btf(napi_env env, napi_value exports);
void define_function(napi_env env, napi_value exports, const char *name, napi_callback function);

#endif
