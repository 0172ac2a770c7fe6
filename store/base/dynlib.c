// SPDX-License-Identifier: Apache-2.0
/*
 * Fills a table of function pointers from a shared library. All or nothing: a library in which one
 * symbol is missing counts as absent, and the table must not be used then.
 */
#include "store/base/dynlib.h"

#include <dlfcn.h>
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

int dynlib_missing(const struct dynlib *lib, struct err **err)
{
	err_set(err, ERR_UNSUPPORTED, "%s cannot be loaded; it is needed for %s", lib->soname,
		lib->purpose);
	return err_hint(err, "install the Debian package %s", lib->package);
}
