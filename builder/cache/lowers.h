/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The lowers of a stack of layers, in the form that can be mounted here: EROFS images, so that
 * nothing is unpacked, where the kernel takes them for this store; else directories. Whether it
 * does is asked once a runner.
 */
#ifndef BLD_BUILDER_CACHE_LOWERS_H
#define BLD_BUILDER_CACHE_LOWERS_H

#include "builder/options.h"
#include "builder/sandbox/sandbox.h"
#include "store/lower.h"
#include "store/snapshot.h"

struct lowers_request {
	struct store *s;
	struct sandbox_runner *runner;
	enum build_layer_form form;
	struct layer_stack k;
	size_t base;                  /* the first so many are the base image's */
	struct snapshot_grown *below; /* as in struct snapshot_forms, or NULL */
};

/* *out is owned by the caller. With BUILD_FORM_EROFS, ERR_UNSUPPORTED says why there is none. */
int lowers_open(const struct lowers_request *q, struct lowers *out, struct err **err);

/*
 * The lowers of the layers that came after the first `have`, on top of *on, while layers below them
 * are still being written and have no diff ID. The tree has at most `have` layers and grows. 1; 0
 * it takes lowers_open, once all diff IDs are known; -1.
 */
int lowers_add(const struct lowers_request *q, size_t have, struct lowers *on, struct err **err);

/* After a sandbox that could not be made: where that was the place of the store, add what to do. */
void lowers_hint(struct store *s, struct err **err);

/* For `bld info`: whether RUN can write here, and one line, which form layers have under RUN here;
 * an index is really mounted. */
void lowers_describe(struct store *s, struct strlist *out);

#endif
