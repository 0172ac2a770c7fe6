/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The first part of a cache key in which two runs of a step differ: their facts (keyparts.h) are
 * compared in the order in which they were fed.
 */
#ifndef BLD_BUILDER_EXPLAIN_EXPLAIN_DIFF_H
#define BLD_BUILDER_EXPLAIN_EXPLAIN_DIFF_H

#include <stdbool.h>

#include "parser/slice.h"
#include "store/base/sha256.h"

#define EXPLAIN_DIFF_SHOWN_MAX 120 /* bytes of a value or an instruction that are shown */

/* One run of a step. */
struct explain_side {
	struct slice facts;
	struct slice text; /* the instruction, one line */
};

struct explain_diff {
	struct explain_side before, after;
	const char *parent; /* why the step in front of it is another one */
	/* The bytes of a list; ptr NULL: it is not kept. */
	struct slice (*list)(void *ctx, const char *id);
	/* Why a stage or an image is another one; owned by the caller. */
	char *(*origin)(void *ctx, const char *what);
	void *ctx;
};

/* The reason as one line that is safe to print; owned. NULL: nothing differs. */
char *explain_diff_find(const struct explain_diff *d);
/* "OLD -> NEW" of two instructions, shortened and printable; owned. */
char *explain_diff_texts(struct slice before, struct slice after);

#endif
