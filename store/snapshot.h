/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A layer's forms. The plain tar (blob, digest = diff ID) is the truth; the others are derived from
 * it on demand, and nobody else knows which exists: a lower directory for an overlay; compressed
 * blobs and tars with other times are packed.h's.
 */
#ifndef BLD_STORE_SNAPSHOT_H
#define BLD_STORE_SNAPSHOT_H

#include "store/layerstack.h"
#include "store/lower.h"
#include "store/store.h"
#include "store/tree/tree.h"

/* Is the layer here: plain tar, or a compressed blob it can be made from? 1, 0, -1. */
int snapshot_exists(struct store *s, const struct digest *diff_id, struct err **err);

/* The plain tar, opened for reading; made from a compressed blob when only that is here. */
int snapshot_tar(struct store *s, const struct digest *diff_id, uint64_t *size, struct err **err);

/* The merged tree of a stack, bottom first. Owned by the caller. */
struct layer_tree *snapshot_tree(struct store *s, const struct layer_stack *k, struct err **err);
/* Put layer i of a stack on a tree of those below it. */
int snapshot_put(struct store *s, struct layer_tree *t, const struct layer_stack *k, size_t i,
	struct err **err);

/* The merged tree of the first n layers of a stack. Zero it to start. */
struct snapshot_grown {
	struct layer_tree *tree; /* owned; may be NULL while n is 0 */
	size_t n;
};
/* Put layers on it until it holds the first n of a stack, whose beginning it holds already. */
int snapshot_grow(struct store *s, struct snapshot_grown *g, const struct layer_stack *k, size_t n,
	struct err **err);
void snapshot_grown_clear(struct snapshot_grown *g);

/* In which form lowers may come. */
struct snapshot_forms {
	bool index;   /* EROFS images can be mounted here; else directories only */
	bool strict;  /* with index: never a directory. ERR_UNSUPPORTED for a layer that has to be
			 one */
	size_t merge; /* the first so many layers may come as one lower: they are the base that
			 other stages and builds share */
	size_t max;   /* most lowers that can be mounted, 0 = any number; with indexes, more of the
			 first layers become one lower then */
	/* Or NULL: a tree of this stack that the caller has, so that no layer is read twice. It
	 * serves where it is not too large, and may have grown afterwards. */
	struct snapshot_grown *below;
};
/* The lowers of a stack, bottom first, put on *out; owned by the caller. Makes what is not there in
 * a usable form yet; two processes that need the same one make it once. */
int snapshot_lowers(struct store *s, const struct layer_stack *k,
	const struct snapshot_forms *forms, struct lowers *out, struct err **err);
/* The lower of one layer over `below`, as an EROFS image that only the caller will use: for a stack
 * of which not all diff IDs are known yet. 1; 0 it cannot be one; -1. */
int snapshot_lower_above(struct store *s, const struct layer_stack *one,
	const struct layer_tree *below, struct lower *out, struct err **err);
/* Take a frozen upper (tmp directory `temp_name`, sub-directory "upper") as the directory
 * form of the last layer of this stack. 1: there is one already, and the temporary
 * directory stays the caller's; 0; -1. */
int snapshot_adopt(
	struct store *s, const struct layer_stack *k, const char *temp_name, struct err **err);

#endif
