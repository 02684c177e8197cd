/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef PMVX_GLOBALS_H
#define PMVX_GLOBALS_H

#include <stddef.h>

struct bpf_object;

/* Says what is wrong, on stderr, and ends the process with 1. */
__attribute__((noreturn, format(printf, 1, 2))) void fail(const char *format, ...);

/* Gives a `const volatile` integer of an object that is not loaded yet a value; `setting` is NAME=VALUE. */
void set_constant(struct bpf_object *object, const char *setting);

/*
 * The headers of sched_ext name the kernel's enumerators by constants `__SCX_...`, so that an object fits more than one kernel:
 * gives them this kernel's values. One that the kernel does not have stays 0.
 */
void set_kernel_enums(struct bpf_object *object);

/* The global of `struct <type>` in a loaded object's .data; NULL when there is none, or it has another size. */
const void *find_global(struct bpf_object *object, const char *type, size_t size);

#endif
