/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `bld verify`: hash every blob again, parse every manifest and config that a name reaches and
 * check that what it names is there, compare every directory form with its tar, make every index
 * again and compare, check every record. Derived objects whose layer was dropped are stale, not
 * wrong: they count as missing when read. Findings go to a callback; with repair, wrong derived
 * objects and blobs are dropped (they are made or pulled again on demand).
 */
#ifndef BLD_STORE_VERIFY_H
#define BLD_STORE_VERIFY_H

#include "store/store.h"

struct verify_opts {
	bool repair;
	void (*finding)(void *ctx, const char *text); /* one line a problem, printable */
	void *ctx;
};
struct verify_report {
	uint64_t blobs;
	uint64_t dirs;
	uint64_t indexes;
	uint64_t records;
	uint64_t problems;
};
int verify_run(
	struct store *s, const struct verify_opts *o, struct verify_report *out, struct err **err);

#endif
