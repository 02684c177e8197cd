// SPDX-License-Identifier: GPL-2.0-only
/* A held program as JavaScript sees it. */
#include "held.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#define ARGS_MAX 256
#define ARG_SIZE 4096

static const napi_type_tag held_tag = { 0x7c1f4e09a2b84d13, 0x8f3a51d07e6c2b96 };

static void free_argv(char **argv)
{
	for (size_t i = 0; argv && argv[i]; i++)
		free(argv[i]);
	free(argv);
}

/* A list of texts; NULL with an exception. */
static char **read_argv(napi_env env, napi_value list)
{
	bool is_list = false;
	uint32_t count = 0;
	char **argv;

	if (napi_is_array(env, list, &is_list) || !is_list || napi_get_array_length(env, list, &count) || !count || count > ARGS_MAX) {
		throw_misuse(env, "ERR_INVALID_ARG_VALUE", "argv must be a list of 1 to %d texts", ARGS_MAX);
		return NULL;
	}
	argv = calloc(count + 1, sizeof(*argv));
	for (uint32_t i = 0; argv && i < count; i++) {
		napi_value element;

		argv[i] = malloc(ARG_SIZE);
		if (!argv[i] || napi_get_element(env, list, i, &element) || !read_text(env, element, "argv", argv[i], ARG_SIZE)) {
			free_argv(argv);
			return NULL;
		}
	}
	return argv;
}

static void finalize_held(napi_env env, void *data, void *hint)
{
	struct held *held = data;

	(void)env, (void)hint;
	/* Nobody could stop it any more. */
	held_kill(held, SIGKILL);
	held_unref(held);
}

static struct held *open_held(napi_env env, napi_value value)
{
	napi_valuetype type;
	bool is_held = false;
	void *data = NULL;

	napi_typeof(env, value, &type);
	if (type != napi_external || napi_check_object_type_tag(env, value, &held_tag, &is_held) || !is_held ||
	    napi_get_value_external(env, value, &data)) {
		throw_misuse(env, "ERR_INVALID_ARG_TYPE", "not a held program");
		return NULL;
	}
	return data;
}

/* startHeld(argv): a handle */
static napi_value start_held(napi_env env, napi_callback_info info)
{
	napi_value argument, handle;
	struct held *held;
	char **argv;

	if (!read_arguments(env, info, 1, &argument))
		return NULL;
	argv = read_argv(env, argument);
	if (!argv)
		return NULL;
	log_begin();
	held = held_start(argv);
	if (!held) {
		int error = errno;
		napi_value thrown = throw_libbpf(env, error, "cannot start %s", argv[0]);

		free_argv(argv);
		return thrown;
	}
	free_argv(argv);
	if (napi_create_external(env, held, finalize_held, NULL, &handle) || napi_type_tag_object(env, handle, &held_tag)) {
		finalize_held(env, held, NULL);
		return NULL;
	}
	return handle;
}

/* heldState(handle): { pid, stage, words, code or signal once it has ended } */
static napi_value held_state(napi_env env, napi_callback_info info)
{
	static const char *const stages[] = { "starting", "waiting", "released", "ended" };
	napi_value argument, state, words;
	char said[HELD_WORDS];
	enum held_stage stage;
	struct held *held;
	size_t length;
	int status;

	if (!read_arguments(env, info, 1, &argument) || !(held = open_held(env, argument)))
		return NULL;
	pthread_mutex_lock(&held->lock);
	stage = held->stage;
	status = held->status;
	length = held->length;
	memcpy(said, held->words, length);
	pthread_mutex_unlock(&held->lock);
	state = make_object(env);
	set_member(env, state, "pid", make_number(env, held->pid));
	set_member(env, state, "stage", make_text(env, stages[stage]));
	if (napi_create_string_utf8(env, said, length, &words))
		return NULL;
	set_member(env, state, "words", words);
	if (stage == HELD_ENDED && WIFSIGNALED(status))
		set_member(env, state, "signal", make_number(env, WTERMSIG(status)));
	else if (stage == HELD_ENDED)
		set_member(env, state, "code", make_number(env, WEXITSTATUS(status)));
	return state;
}

/* releaseHeld(handle) */
static napi_value release_held(napi_env env, napi_callback_info info)
{
	napi_value argument;
	struct held *held;

	if (!read_arguments(env, info, 1, &argument) || !(held = open_held(env, argument)))
		return NULL;
	held_release(held);
	return make_undefined(env);
}

/* killHeld(handle, signal): whether it was still there */
static napi_value kill_held(napi_env env, napi_callback_info info)
{
	napi_value arguments[2];
	struct held *held;
	int64_t signal;

	if (!read_arguments(env, info, 2, arguments) || !(held = open_held(env, arguments[0])) ||
	    !read_integer(env, arguments[1], "signal", 1, 64, &signal))
		return NULL;
	return make_bool(env, held_kill(held, (int)signal));
}

void define_held(napi_env env, napi_value exports)
{
	define_function(env, exports, "startHeld", start_held);
	define_function(env, exports, "heldState", held_state);
	define_function(env, exports, "releaseHeld", release_held);
	define_function(env, exports, "killHeld", kill_held);
}
