// SPDX-License-Identifier: Apache-2.0
/*
 * libarchive, loaded when the first archive is to be unpacked. The table is written once under
 * pthread_once and read by all threads without a lock.
 */
#include "store/tar/archivelib.h"

#define DYNLIB_TABLE struct archivelib
static const struct dynlib_call calls[] = {ARCHIVELIB_CALLS(DYNLIB_CALL)};
static const struct dynlib archive = {"libarchive.so.13", "libarchive13", "unpacking archives",
	calls, sizeof calls / sizeof *calls};

/* Written by archivelib_load() alone. */
static struct archivelib table;
static bool loaded;

static void archivelib_load(void)
{
	loaded = dynlib_fill(&archive, &table);
}

const struct archivelib *archivelib_get(struct err **err)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, archivelib_load);
	if (loaded)
		return &table;
	dynlib_missing(&archive, err);
	return NULL;
}
