/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One build context, opened: a directory of the caller's, or the merged tree of what came as bytes
 * (a tar, a git repository). Nothing that comes as bytes is ever unpacked.
 */
#ifndef BLD_BUILDER_INPUT_CONTEXTFILES_H
#define BLD_BUILDER_INPUT_CONTEXTFILES_H

#include "builder/copy/copy.h"
#include "builder/fetch/fetchenv.h"
#include "builder/input/contextspec.h"
#include "builder/input/dfsource.h"
#include "builder/input/ignorefile.h"

struct context {
	int dir_fd;               /* -1 when it is a tree, or when there is no context */
	struct layer_tree *tree;  /* owned */
	int64_t modified;         /* Last-Modified of a URL, seconds; 0: not known */
	char *image;              /* it is an image of this name (contextspec.h); owned */
	struct ignorefile ignore; /* owned */
	char *shown;              /* for messages; owned */
	struct copy_share *share; /* of dir_fd; owned, NULL without one */
};

/*
 * Open what spec says into an empty context (dir_fd -1). file: where to put a Dockerfile that
 * comes instead of a context (an empty tree then), or NULL: that is an error. Ignore rules are not
 * read. ERR_CONTEXT, ERR_NET, ERR_LIMIT ...
 */
int contextfiles_open(const struct contextspec *spec, const struct fetchenv *e, struct context *c,
	struct dfsource *file, struct err **err);
void contextfiles_clear(struct context *c);

#endif
