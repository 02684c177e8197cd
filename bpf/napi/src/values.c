// SPDX-License-Identifier: GPL-2.0-only
/* Arguments of JavaScript as C values, each checked, and results the other way. */
#include "addon.h"

#include <math.h>
#include <string.h>

/* Missing arguments are undefined. */
bool read_arguments(napi_env env, napi_callback_info info, size_t count, napi_value *arguments)
{
	return napi_get_cb_info(env, info, &count, arguments, NULL, NULL) == napi_ok;
}

bool read_text(napi_env env, napi_value value, const char *what, char *text, size_t size)
{
	napi_valuetype type;
	size_t length;

	if (napi_typeof(env, value, &type) || type != napi_string) {
		throw_misuse(env, "ERR_INVALID_ARG_TYPE", "%s must be a string", what);
		return false;
	}
	if (napi_get_value_string_utf8(env, value, NULL, 0, &length) || length >= size) {
		throw_misuse(env, "ERR_INVALID_ARG_VALUE", "%s is longer than %zu bytes", what, size - 1);
		return false;
	}
	napi_get_value_string_utf8(env, value, text, size, &length);
	if (strlen(text) != length || !length) {
		throw_misuse(env, "ERR_INVALID_ARG_VALUE", length ? "%s holds a NUL byte" : "%s is empty", what);
		return false;
	}
	return true;
}

bool read_integer(napi_env env, napi_value value, const char *what, int64_t low, int64_t high, int64_t *number)
{
	napi_valuetype type;
	double given;

	if (napi_typeof(env, value, &type) || type != napi_number || napi_get_value_double(env, value, &given)) {
		throw_misuse(env, "ERR_INVALID_ARG_TYPE", "%s must be a number", what);
		return false;
	}
	if (given != floor(given) || given < (double)low || given > (double)high) {
		throw_misuse(env, "ERR_OUT_OF_RANGE", "%s must be a whole number from %lld to %lld, got %g", what, (long long)low,
			     (long long)high, given);
		return false;
	}
	*number = (int64_t)given;
	return true;
}

/* The bytes stay JavaScript's: good until the call returns. Of any typed array, DataView or Buffer. */
bool read_bytes(napi_env env, napi_value value, const char *what, void **bytes, size_t *length)
{
	static const size_t widths[] = {
		[napi_int8_array] = 1,	[napi_uint8_array] = 1,	  [napi_uint8_clamped_array] = 1, [napi_int16_array] = 2,
		[napi_uint16_array] = 2, [napi_int32_array] = 4,   [napi_uint32_array] = 4,	   [napi_float32_array] = 4,
		[napi_float64_array] = 8, [napi_bigint64_array] = 8, [napi_biguint64_array] = 8,
	};
	napi_typedarray_type type;
	bool is_array = false, is_view = false;
	size_t count;

	napi_is_typedarray(env, value, &is_array);
	napi_is_dataview(env, value, &is_view);
	if (is_array && !napi_get_typedarray_info(env, value, &type, &count, bytes, NULL, NULL) &&
	    (size_t)type < sizeof(widths) / sizeof(*widths)) {
		*length = count * widths[type];
		return true;
	}
	if (is_view && !napi_get_dataview_info(env, value, length, bytes, NULL, NULL))
		return true;
	throw_misuse(env, "ERR_INVALID_ARG_TYPE", "%s must be a typed array, a DataView or a Buffer", what);
	return false;
}

bool is_undefined(napi_env env, napi_value value)
{
	napi_valuetype type;

	return napi_typeof(env, value, &type) || type == napi_undefined;
}

/* A Uint8Array of its own memory. */
napi_value make_bytes(napi_env env, const void *bytes, size_t length)
{
	napi_value buffer, array;
	void *data;

	if (napi_create_arraybuffer(env, length, &data, &buffer) ||
	    napi_create_typedarray(env, napi_uint8_array, length, buffer, 0, &array))
		return NULL;
	if (length)
		memcpy(data, bytes, length);
	return array;
}

napi_value make_number(napi_env env, double number)
{
	napi_value value = NULL;

	napi_create_double(env, number, &value);
	return value;
}

napi_value make_text(napi_env env, const char *text)
{
	napi_value value = NULL;

	napi_create_string_utf8(env, text ? text : "", NAPI_AUTO_LENGTH, &value);
	return value;
}

napi_value make_bool(napi_env env, bool boolean)
{
	napi_value value = NULL;

	napi_get_boolean(env, boolean, &value);
	return value;
}

napi_value make_undefined(napi_env env)
{
	napi_value value = NULL;

	napi_get_undefined(env, &value);
	return value;
}

napi_value make_object(napi_env env)
{
	napi_value value = NULL;

	napi_create_object(env, &value);
	return value;
}

void set_member(napi_env env, napi_value object, const char *name, napi_value value)
{
	if (value)
		napi_set_named_property(env, object, name, value);
}
