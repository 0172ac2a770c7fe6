// SPDX-License-Identifier: Apache-2.0
/*
 * Fills a table of function pointers from a shared library. All or nothing: a library in which one
 * symbol is missing counts as absent, and the table must not be used then.
 */
#include "store/base/dynlib.h"

#include <dlfcn.h>
#include <errno.h>
#include <string.h>

bool dynlib_fill(const struct dynlib *lib, void *table)
{
	/* Never closed: OpenSSL and libcurl register what runs at exit. */
	void *handle = dlopen(lib->soname, RTLD_LAZY | RTLD_LOCAL);

	for (size_t i = 0; handle && i < lib->n; i++) {
		void *symbol = dlsym(handle, lib->calls[i].symbol);
		if (!symbol)
			return false;
		memcpy((char *)table + lib->calls[i].offset, &symbol, sizeof symbol);
	}
	return handle != NULL;
}

/* It is there, but a limit of this process or machine was in the way. */
static bool is_limit(const char *why)
{
	return strstr(why, strerror(EMFILE)) || strstr(why, strerror(ENFILE)) ||
	       strstr(why, strerror(ENOMEM)) || strstr(why, "failed to map segment");
}

/* The loader's words go with the next call of it, and a table is filled long before this. */
int dynlib_missing(const struct dynlib *lib, struct err **err)
{
	void *again = dlopen(lib->soname, RTLD_LAZY | RTLD_LOCAL);
	const char *why = again ? "it lacks a function, or could not be loaded before" : dlerror();

	if (!why)
		why = "the loader gives no reason";
	err_set(err, ERR_UNSUPPORTED, "%s cannot be loaded; it is needed for %s: %s", lib->soname,
		lib->purpose, why);
	if (is_limit(why))
		return err_hint(err, "the library is there: look at ulimit -n and ulimit -v");
	return err_hint(err, "install the Debian package %s", lib->package);
}
