/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where the text of the Dockerfile comes from. Without -f the context has it, by one of the names
 * `Dockerfile`, `Containerfile`, `dockerfile`, in this order; a context with both of the first is
 * worth a note. With -f it is the caller's file, relative to the current directory, or else one of
 * that name in the context. Names in a context resolve inside it.
 */
#ifndef BLD_BUILDER_INPUT_DFSOURCE_H
#define BLD_BUILDER_INPUT_DFSOURCE_H

#include <stdbool.h>

#include "store/base/buf.h"
#include "store/base/err.h"
#include "store/base/strlist.h"
#include "store/tree/tree.h"

struct dfsource {
	char *path;      /* as it is shown and as ignore files are looked for; owned */
	bool in_context; /* path is below the context */
	struct buf text;
};

struct dfsource_where {
	const char *given;             /* -f, "-" = stdin; NULL: by its usual names */
	int dir_fd;                    /* the context's directory, or -1 */
	const struct layer_tree *tree; /* or its tree; NULL */
	const char *shown;             /* what the context is called in messages */
};

/* ERR_CONTEXT, with the nearest name where one is near. notes: what the user should know. */
int dfsource_read(const struct dfsource_where *w, struct dfsource *out, struct strlist *notes,
	struct err **err);
void dfsource_clear(struct dfsource *d);

#endif
