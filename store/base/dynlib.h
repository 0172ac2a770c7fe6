/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Libraries that few commands need are loaded when they are first called, not when the program
 * starts: libcurl alone brings forty others, and binding them costs more than a cached build.
 * Each has one home with a table of its functions, filled once for the life of the process:
 *
 *   #define THING_CALLS(X) X(open, thing_open) X(close, thing_close)
 *   struct thinglib { THING_CALLS(DYNLIB_SLOT) };
 *   static const struct dynlib_call calls[] = {THING_CALLS(DYNLIB_CALL)};
 *
 * with `#define DYNLIB_TABLE struct thinglib` in front of the array.
 */
#ifndef BLD_STORE_BASE_DYNLIB_H
#define BLD_STORE_BASE_DYNLIB_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

#include "store/base/err.h"

struct dynlib_call {
	const char *symbol;
	size_t offset; /* of the function pointer in the table */
};

#define DYNLIB_SLOT(field, symbol) __typeof__(&symbol) field;
#define DYNLIB_CALL(field, symbol) {#symbol, offsetof(DYNLIB_TABLE, field)},

struct dynlib {
	const char *soname;  /* "libcurl.so.4" */
	const char *package; /* the Debian package that brings it */
	const char *purpose; /* "talking to registries": for the message */
	const struct dynlib_call *calls;
	size_t n;
};

/* Fill `table`. False when the library or one of its functions is missing: the table is of no use
 * then, and dynlib_missing() says why. Called under the home's pthread_once. */
bool dynlib_fill(const struct dynlib *lib, void *table);

/* ERR_UNSUPPORTED naming library, purpose and the loader's reason; the package where it is not
 * there; -1. */
int dynlib_missing(const struct dynlib *lib, struct err **err);

#endif
