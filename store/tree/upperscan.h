/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads an overlay upper (or any lower directory in the same form) as the entries of a layer, in
 * writing order. What layer_freeze writes and layer_compare_dir compares.
 */
#ifndef BLD_STORE_TREE_UPPERSCAN_H
#define BLD_STORE_TREE_UPPERSCAN_H

#include "store/tree/freeze.h"

#include "store/tar/entry.h"

typedef int (*layer_emit)(void *ctx, const struct layer_entry *e, struct err **err);

/* Which directories that are also below, with the same mode, owner and attributes, get an entry. */
enum layer_dirs {
	LAYER_DIRS_PARENTS, /* those with an entry in them: what a layer holds. Their time alone
			       does not count: whether it moved by a whole second is a matter of the
			       clock */
	LAYER_DIRS_TIMES,   /* those whose time differs: what a comparison has to look at */
};

/* Each entry is borrowed for the call; a file's descriptor is open during it only. */
int layer_upper_scan(const struct layer_freeze *f, enum layer_dirs dirs, layer_emit fn, void *ctx,
	struct err **err);

#endif
