// SPDX-License-Identifier: Apache-2.0
/*
 * libseccomp, loaded for the first RUN. Without it there is no RUN, so its absence is an error with
 * the package's name.
 */
#include "builder/sandbox/seccomplib.h"

#define DYNLIB_TABLE struct seccomplib
static const struct dynlib_call calls[] = {SECCOMPLIB_CALLS(DYNLIB_CALL)};
static const struct dynlib seccomp = {
	"libseccomp.so.2", "libseccomp2", "RUN", calls, sizeof calls / sizeof *calls};

/* Written by seccomplib_load() alone. */
static struct seccomplib table;
static bool loaded;

static void seccomplib_load(void)
{
	loaded = dynlib_fill(&seccomp, &table);
}

const struct seccomplib *seccomplib_get(struct err **err)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, seccomplib_load);
	if (loaded)
		return &table;
	dynlib_missing(&seccomp, err);
	return NULL;
}
