// SPDX-License-Identifier: Apache-2.0
/*
 * libzstd, loaded when a layer is first packed or unpacked with it. The table is written once under
 * pthread_once and read by all threads without a lock.
 */
#include "store/compress/zstdlib.h"

#define DYNLIB_TABLE struct zstdlib
static const struct dynlib_call calls[] = {ZSTDLIB_CALLS(DYNLIB_CALL)};
static const struct dynlib zstd = {
	"libzstd.so.1", "libzstd1", "zstd compression", calls, sizeof calls / sizeof *calls};

/* Written by zstdlib_load() alone. */
static struct zstdlib table;
static bool loaded;

static void zstdlib_load(void)
{
	loaded = dynlib_fill(&zstd, &table);
}

const struct zstdlib *zstdlib_get(struct err **err)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, zstdlib_load);
	if (loaded)
		return &table;
	dynlib_missing(&zstd, err);
	return NULL;
}
