/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which file holds the ignore rules of a context, and its rules (S13). The first of these that is
 * there, instead of the others:
 *
 *	--ignorefile FILE
 *	DOCKERFILE.containerignore, DOCKERFILE.dockerignore	beside the Dockerfile
 *	.containerignore, .dockerignore				at the root of the context
 */
#ifndef BLD_BUILDER_INPUT_IGNOREFILE_H
#define BLD_BUILDER_INPUT_IGNOREFILE_H

#include <stdbool.h>

#include "parser/ignore.h"
#include "store/base/err.h"

struct ignorefile {
	struct ignore *rules; /* owned; NULL = none */
	char *name;           /* printable; owned */
};

struct ignorefile_where {
	int dir_fd;        /* of the context; -1: it is no directory, has no rules of its own */
	const char *given; /* --ignorefile, or NULL */
	const char *dockerfile; /* its path, or NULL: there is none */
	bool in_context;        /* that path is below the context, and resolves inside it */
};

/* ERR_CONTEXT: a rule that is none, a file that cannot be read; --ignorefile that is missing. */
int ignorefile_find(const struct ignorefile_where *w, struct ignorefile *out, struct err **err);
void ignorefile_clear(struct ignorefile *f);

#endif
