// SPDX-License-Identifier: Apache-2.0
/*
 * libcrypto, loaded when the first hash needs it and kept. Its absence is no error here: the caller
 * then computes by itself, so no message is made.
 */
#include "store/base/cryptolib.h"

#define DYNLIB_TABLE struct cryptolib
static const struct dynlib_call calls[] = {CRYPTOLIB_CALLS(DYNLIB_CALL)};
static const struct dynlib crypto = {
	"libcrypto.so.3", "libssl3", "hashing", calls, sizeof calls / sizeof *calls};

/* Written by cryptolib_load() alone. */
static struct cryptolib table;
static bool loaded;

static void cryptolib_load(void)
{
	loaded = dynlib_fill(&crypto, &table);
}

const struct cryptolib *cryptolib_get(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, cryptolib_load);
	return loaded ? &table : NULL;
}
