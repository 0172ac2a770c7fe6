/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is kept of the builds of one Dockerfile, as one value of the cache: the steps that the last
 * build of each stage had, and the facts and file lists of steps by key, also of some that are no
 * longer among them. Everything in it is a cache: what is damaged reads as missing.
 */
#ifndef BLD_BUILDER_EXPLAIN_EXPLAIN_PAST_H
#define BLD_BUILDER_EXPLAIN_EXPLAIN_PAST_H

#include <stdbool.h>
#include <stdint.h>

#include "parser/slice.h"
#include "store/base/buf.h"
#include "store/base/sha256.h"

#define EXPLAIN_PAST_AGES 6 /* builds for which a step is kept that is no longer there */

struct explain_mark {
	struct digest key;
	struct slice text;
};

struct explain_stage {
	struct slice title;
	struct slice platform;
	struct slice base;          /* facts */
	struct explain_mark *steps; /* owned */
	size_t nsteps;
	size_t cap;
};

struct explain_entry {
	struct digest key;
	uint32_t age; /* builds since it was part of one */
	bool done;    /* it did not fail */
	struct slice facts;
};

struct explain_files {
	struct digest id;
	struct slice bytes;
};

struct explain_past {
	char *data; /* what the slices point into, when it was read; owned */
	struct explain_stage *stages;
	size_t nstages, cap_stages;
	struct explain_entry *entries;
	size_t nentries, cap_entries;
	struct explain_files *files;
	size_t nfiles, cap_files;
};

/* data is taken. What cannot be understood is left out, with all behind it. */
void explain_past_read(struct explain_past *out, char *take_data, size_t len);
/* In the order in which it is: what would make it longer than out may be is left out. */
void explain_past_write(const struct explain_past *p, struct buf *out);
void explain_past_clear(struct explain_past *p);

const struct explain_entry *explain_past_entry(
	const struct explain_past *p, const struct digest *key);
struct slice explain_past_files(const struct explain_past *p, const struct digest *id);

#endif
