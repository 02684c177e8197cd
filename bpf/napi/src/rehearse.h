/* SPDX-License-Identifier: GPL-2.0-only */
/* Steps on object files that nobody vouches for, tried in a child before they are done here. */
#ifndef EBPF_NAPI_REHEARSE_H
#define EBPF_NAPI_REHEARSE_H

#include "addon.h"

/* 0: the child came through. Else the signal that ended it, or a negative errno when there was no child. */
int rehearse(void (*step)(void *data), void *data);
/* Looks at all that the handles of an object show. */
void walk_object(struct bpf_object *object);
napi_value throw_rehearsal(napi_env env, int result, const char *what);

#endif
