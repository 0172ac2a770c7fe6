/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Facts: what a step's cache key was made of, by name, in the order in which they are compared; and
 * the first one in which two runs of a step differ. Bytes: per fact its kind, its name, NUL, its
 * value, NUL.
 */
#ifndef BLD_BUILDER_EXPLAIN_EXPLAIN_DIFF_H
#define BLD_BUILDER_EXPLAIN_EXPLAIN_DIFF_H

#include <stdbool.h>

#include "parser/slice.h"
#include "store/base/buf.h"
#include "store/base/sha256.h"

#define EXPLAIN_DIFF_VALUE_MAX                                                                     \
	400                        /* bytes of a value that are kept; of a longer one a digest is  \
				    */
#define EXPLAIN_DIFF_SHOWN_MAX 120 /* bytes of a value or an instruction that are shown */

enum explain_diff_kind {
	EXPLAIN_PARENT = '^',      /* key of the step before */
	EXPLAIN_VALUE = 'v',       /* "NAME: old -> new" */
	EXPLAIN_DIGEST = 'd',      /* the same, of digests, which are shown shortened */
	EXPLAIN_INSTRUCTION = '!', /* what the instruction itself says */
	EXPLAIN_LIST = '@',   /* the value names a list of files; NAME is put before the file */
	EXPLAIN_ORIGIN = '%', /* key of a stage or image, where the list of NAME is not known */
	EXPLAIN_LAST = '~',   /* "NAME" */
};

/* value NULL is "". */
void explain_diff_add(
	struct buf *facts, enum explain_diff_kind kind, const char *name, const char *value);
void explain_diff_add_digest(struct buf *facts, enum explain_diff_kind kind, const char *name,
	const struct digest *value);
/* A value that must not be shown: its digest is kept. */
void explain_diff_add_hidden(
	struct buf *facts, enum explain_diff_kind kind, const char *name, const char *value);

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
