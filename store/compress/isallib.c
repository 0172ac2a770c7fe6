// SPDX-License-Identifier: Apache-2.0
/* isa-l, loaded if it is there. It is only faster than zlib, so its absence makes no error. */
#include "store/compress/isallib.h"

#define DYNLIB_TABLE struct isallib
static const struct dynlib_call calls[] = {ISALLIB_CALLS(DYNLIB_CALL)};
static const struct dynlib isal = {
	"libisal.so.2", "libisal2", "compression", calls, sizeof calls / sizeof *calls};

/* Written by isallib_load() alone. */
static struct isallib table;
static bool loaded;

static void isallib_load(void)
{
	loaded = dynlib_fill(&isal, &table);
}

const struct isallib *isallib_get(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, isallib_load);
	return loaded ? &table : NULL;
}
