// SPDX-License-Identifier: GPL-2.0-only
/* Exceptions: what failed, why, and the end of what libbpf and the verifier said about it. */
#define _GNU_SOURCE
#include "addon.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LOG_SIZE (64 * 1024)
#define MESSAGE_SIZE 1024
#define LAST_LINES 12

/* Of this thread's last call; Node may run an addon in several. */
static __thread char *log_text;
static __thread size_t log_length;

/* libbpf's own errors have numbers from 4000 on, in this order (enum libbpf_errno). */
static const char *const libbpf_names[] = { "LIBELF", "FORMAT", "KVERSION", "ENDIAN", "INTERNAL", "RELOC", "LOAD", "VERIFY",
					    "PROG2BIG", "KVER", "PROGTYPE", "WRNGPID", "INVSEQ", "NLPARSE" };

static int keep(enum libbpf_print_level level, const char *format, va_list arguments)
{
	va_list again;
	int length;

	if (level == LIBBPF_DEBUG)
		return 0;
	if (!log_text)
		log_text = malloc(LOG_SIZE);
	if (!log_text)
		return 0;
	/* The end matters: a verifier's log is long, and says at its end what is wrong. */
	if (log_length > LOG_SIZE / 2) {
		memmove(log_text, log_text + log_length - LOG_SIZE / 4, LOG_SIZE / 4);
		log_length = LOG_SIZE / 4;
	}
	va_copy(again, arguments);
	length = vsnprintf(log_text + log_length, LOG_SIZE - log_length, format, arguments);
	if (length >= (int)(LOG_SIZE - log_length)) {
		/* One message of its own larger than the room: libbpf prints the verifier's log as one. */
		char *whole = NULL;

		length = vasprintf(&whole, format, again);
		if (length >= 0) {
			size_t kept = (size_t)length < LOG_SIZE / 2 ? (size_t)length : LOG_SIZE / 2;

			memcpy(log_text, whole + length - kept, kept);
			log_length = kept;
			free(whole);
		}
	} else if (length > 0) {
		log_length += (size_t)length;
	}
	va_end(again);
	return 0;
}

void log_install(void)
{
	libbpf_set_print(keep);
}

void log_begin(void)
{
	log_length = 0;
}

/* Where the last lines of the log begin. */
static const char *last_lines(void)
{
	const char *at = log_text + log_length;
	int lines = 0;

	while (at > log_text && lines <= LAST_LINES) {
		at--;
		if (*at == '\n' && at + 1 < log_text + log_length)
			lines++;
	}
	return lines > LAST_LINES ? at + 1 : at;
}

static napi_value make_error(napi_env env, const char *code, const char *message, size_t length)
{
	napi_value error, text, name;

	if (napi_create_string_utf8(env, message, length, &text) || napi_create_string_utf8(env, code, NAPI_AUTO_LENGTH, &name) ||
	    napi_create_error(env, name, text, &error))
		return NULL;
	return error;
}

napi_value throw_misuse(napi_env env, const char *code, const char *format, ...)
{
	char message[MESSAGE_SIZE];
	napi_value error;
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(message, sizeof(message), format, arguments);
	va_end(arguments);
	error = make_error(env, code, message, NAPI_AUTO_LENGTH);
	if (error)
		napi_throw(env, error);
	return NULL;
}

napi_value throw_libbpf(napi_env env, int error_number, const char *format, ...)
{
	int number = error_number < 0 ? -error_number : error_number;
	char what[MESSAGE_SIZE], number_name[32], words[256];
	const char *name = strerrorname_np(number);
	const char *lines = log_length ? last_lines() : "";
	size_t length = log_length ? (size_t)(log_text + log_length - lines) : 0;
	napi_value error;
	va_list arguments;
	char *message;
	int size;

	va_start(arguments, format);
	vsnprintf(what, sizeof(what), format, arguments);
	va_end(arguments);
	libbpf_strerror(number, words, sizeof(words));
	if (number >= __LIBBPF_ERRNO__START && number - __LIBBPF_ERRNO__START < (int)(sizeof(libbpf_names) / sizeof(*libbpf_names))) {
		snprintf(number_name, sizeof(number_name), "ERR_LIBBPF_%s", libbpf_names[number - __LIBBPF_ERRNO__START]);
		name = number_name;
	}
	/* The kernel's internal numbers have no name in C. */
	if (!name) {
		snprintf(number_name, sizeof(number_name), number == 524 ? "ENOTSUPP" : "E%d", number);
		name = number_name;
	}
	size = asprintf(&message, "%s: %s (%s)%s%.*s", what, words, name, length ? "\n" : "", (int)length, lines);
	if (size < 0)
		return throw_misuse(env, name, "%s", what);
	while (size > 0 && message[size - 1] == '\n')
		size--;
	error = make_error(env, name, message, (size_t)size);
	free(message);
	if (!error)
		return NULL;
	if (log_length) {
		napi_value log;

		if (!napi_create_string_utf8(env, log_text, log_length, &log))
			napi_set_named_property(env, error, "log", log);
	}
	napi_throw(env, error);
	return NULL;
}
