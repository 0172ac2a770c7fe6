/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a build reads from its caller: the build context (a directory, or a tar on stdin that
 * becomes a merged tree and is never unpacked), named contexts, the ignore file and the Dockerfile.
 *
 * Decisions: ignore files hold for directories, not for a tar on stdin (what is in the tar was
 * chosen by whoever made it), unless --ignorefile names one. Each named directory has its own.
 * Stdin that is no archive is taken as the Dockerfile, with an empty context, as docker does.
 */
#ifndef BLD_BUILDER_CONTEXT_H
#define BLD_BUILDER_CONTEXT_H

#include "builder/copy/copy.h"
#include "builder/ignorefile.h"
#include "parser/dockerfile.h"
#include "store/base/strlist.h"
#include "store/store.h"

struct context {
	int dir_fd;               /* -1 when it is a tree, or when there is no context */
	struct layer_tree *tree;  /* owned */
	struct ignorefile ignore; /* owned */
	char *shown;              /* for messages; owned */
	struct copy_share *share; /* of dir_fd; owned, NULL without one */
};

struct context_named {
	char *name; /* owned */
	struct context context;
};

struct context_set {
	struct context main;
	struct context_named *named; /* owned */
	size_t nnamed;
	struct strlist names; /* of the named ones */
	struct strlist notes; /* what the user should know; one line each */
};

struct context_opts {
	const char *dockerfile; /* see build_opts */
	const char *context;
	const char *ignorefile;
	const struct strlist *named; /* "NAME=DIR" */
	bool any_text; /* a Dockerfile with errors is none: its diagnostics are for the caller */
};

/* Open everything and parse the Dockerfile. ERR_CONTEXT, ERR_SYNTAX (all diagnostics), ERR_USAGE.
 */
int context_open(const struct context_opts *o, struct store *s, struct context_set *out,
	struct dockerfile **df, struct err **err);
void context_close(struct context_set *c);
struct copy_root context_root(const struct context *c);
const struct context *context_find(const struct context_set *c, const char *name); /* NULL = none */

#define auto_context CLEANUP(context_close)

#endif
