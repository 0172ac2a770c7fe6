// SPDX-License-Identifier: Apache-2.0
/*
 * libcurl, loaded for the first connection, with its global initialisation. That is why it is under
 * pthread_once and never undone: curl_global_init() was not safe with threads before 7.84.
 */
#include "store/transport/curllib.h"

#define DYNLIB_TABLE struct curllib
static const struct dynlib_call calls[] = {CURLLIB_CALLS(DYNLIB_CALL)};
static const struct dynlib curl = {
	"libcurl.so.4", "libcurl4", "talking to servers", calls, sizeof calls / sizeof *calls};

/* Written by curllib_load() alone. */
static struct curllib table;
static bool loaded;

static void curllib_load(void)
{
	/* The counterpart of global_init is left out: it would end what other threads use. */
	loaded = dynlib_fill(&curl, &table) && table.global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK;
}

const struct curllib *curllib_get(struct err **err)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, curllib_load);
	if (loaded)
		return &table;
	dynlib_missing(&curl, err);
	return NULL;
}
