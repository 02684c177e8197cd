// SPDX-License-Identifier: GPL-2.0-only
#include "addon.h"

void define_function(napi_env env, napi_value exports, const char *name, napi_callback function)
{
	napi_value value;

	if (!napi_create_function(env, name, NAPI_AUTO_LENGTH, function, NULL, &value))
		napi_set_named_property(env, exports, name, value);
}

NAPI_MODULE_INIT()
{
	log_install();
	define_object(env, exports);
	define_globals(env, exports);
	define_enumerators(env, exports);
	define_program(env, exports);
	define_map(env, exports);
	define_struct_ops(env, exports);
	define_batch(env, exports);
	define_ring(env, exports);
	define_held(env, exports);
	define_guardian(env, exports);
	define_btf(env, exports);
	return exports;
}
