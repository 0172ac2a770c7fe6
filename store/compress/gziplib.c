// SPDX-License-Identifier: Apache-2.0
/*
 * zlib, loaded when a layer is first packed or unpacked with it. The table is written once under
 * pthread_once and read by all threads without a lock.
 */
#include "store/compress/gziplib.h"

#define DYNLIB_TABLE struct gziplib
static const struct dynlib_call calls[] = {GZIPLIB_CALLS(DYNLIB_CALL)};
static const struct dynlib zlib = {
	"libz.so.1", "zlib1g", "gzip compression", calls, sizeof calls / sizeof *calls};

/* Written by gziplib_load() alone. */
static struct gziplib table;
static bool loaded;

static void gziplib_load(void)
{
	loaded = dynlib_fill(&zlib, &table);
}

const struct gziplib *gziplib_get(struct err **err)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, gziplib_load);
	if (loaded)
		return &table;
	dynlib_missing(&zlib, err);
	return NULL;
}
