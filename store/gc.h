/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Garbage collection: mark from index.json (and, unless `all`, from cache records not older than
 * `keep_seconds`), sweep blobs, directory forms, indexes, derived forms, cache mounts, trash and
 * tmp of dead processes; logs of builds that ended (not those younger than `keep_seconds`; where no
 * time is given and not `all`, the logs of builds that failed stay). Needs the store alone. What
 * cannot be read, for another reason than that it is missing or wrong, ends it before anything is
 * removed. Cache values name the layers they need as lines "layer sha256:HEX" (see cache.h
 * users).
 */
#ifndef BLD_STORE_GC_H
#define BLD_STORE_GC_H

#include "store/store.h"

struct gc_opts {
	bool all;             /* also cache records and cache mounts */
	int64_t keep_seconds; /* cache records used within this time stay; < 0 = all stay */
	bool dry_run;
};
struct gc_report {
	uint64_t bytes;
	uint64_t objects;
	bool at_least; /* more bytes than that: directories were not readable */
};
int gc_run(struct store *s, const struct gc_opts *o, struct gc_report *out, struct err **err);

#endif
