/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is left of a path while it is resolved: a piece for each symlink on the way, the innermost
 * last. Pieces are the texts of links as they stand; nothing is joined or copied, so that a chain
 * of long links costs what it holds.
 */
#ifndef BLD_STORE_TREE_RESTPATH_H
#define BLD_STORE_TREE_RESTPATH_H

#include <stdbool.h>
#include <stddef.h>

#include "store/tar/entry.h"

struct layer_rest {
	struct {
		const char *at; /* borrowed */
		const char *end;
	} piece[LAYER_SYMLINKS_MAX + 1];
	int n;
	int links; /* followed so far */
};

/* The text must live as long as *r, those of links too. */
void layer_rest_begin(struct layer_rest *r, const char *path, size_t len);
/* The next component that is not "."; its length, 0 at the end. */
size_t layer_rest_next(struct layer_rest *r, const char **name);
/* Does nothing come but slashes? */
bool layer_rest_empty(const struct layer_rest *r);
/* The text of a link is what comes next. False: that is one more than LAYER_SYMLINKS_MAX. */
bool layer_rest_link(struct layer_rest *r, const char *target);

#endif
