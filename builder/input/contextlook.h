/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a context directory holds after its ignore rules: names and sizes only, no file is opened.
 * Links count as files of no size and are not followed.
 */
#ifndef BLD_BUILDER_INPUT_CONTEXTLOOK_H
#define BLD_BUILDER_INPUT_CONTEXTLOOK_H

#include "builder/input/context.h"
#include "parser/dockerfile.h"

#define CONTEXTLOOK_FILES_MAX 10000000
#define CONTEXTLOOK_DEPTH_MAX 1000

struct contextlook_file {
	char *path; /* owned */
	uint64_t size;
	size_t line; /* of the rule that excludes it, 0 = it is in the context */
	bool dir;    /* an excluded directory, for all that is in it */
	bool used;   /* a COPY, ADD or bind mount of the Dockerfile may take it */
};

struct contextlook {
	struct contextlook_file *v; /* in bytewise order of paths; owned */
	size_t n;
	size_t cap;
	size_t nfiles; /* in the context */
	uint64_t bytes;
	size_t nignored;
	size_t *idle; /* lines of rules that decide nothing; owned */
	size_t nidle;
	size_t cap_idle;
};

/* ERR_CONTEXT, ERR_LIMIT. df may be NULL: everything is used then. */
int contextlook_make(const struct context *c, const struct dockerfile *df, struct contextlook *out,
	struct err **err);
void contextlook_clear(struct contextlook *l);

#endif
