/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a build reads from its caller: the build context, named contexts, ignore files and the
 * Dockerfile.
 *
 * Decisions: ignore files hold for directories, not for what comes as bytes or from a repository
 * (what is in there was chosen by whoever made it), unless --ignorefile names one for the main
 * context. Each named directory has its own. Bytes that are no archive are taken as the Dockerfile,
 * with an empty context, as docker does. Directories are opened at once; what has to be fetched
 * for a named context is fetched by the first one that uses it.
 */
#ifndef BLD_BUILDER_INPUT_CONTEXT_H
#define BLD_BUILDER_INPUT_CONTEXT_H

#include <pthread.h>

#include "builder/input/contextfiles.h"
#include "parser/dockerfile.h"
#include "store/base/strlist.h"

struct context_named {
	char *name; /* owned */
	struct contextspec spec;
	pthread_mutex_t opening;
	bool opened;
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
	const struct strlist *named; /* "NAME=..." */
	bool any_text; /* a Dockerfile with errors is none: its diagnostics are for the caller */
};

/* Open everything and parse the Dockerfile. ERR_CONTEXT, ERR_SYNTAX (all diagnostics), ERR_USAGE;
 * ERR_NET and others for remote ones. */
int context_open(const struct context_opts *o, const struct fetchenv *e, struct context_set *out,
	struct dockerfile **df, struct err **err);
void context_close(struct context_set *c);
/* docker-image://scratch: nothing, as in FROM scratch. */
bool context_is_scratch(const struct context *c);
/* A named context, fetched if it has to be. Safe for several threads. NULL with *err. */
const struct context *context_use(
	struct context_set *c, const char *name, const struct fetchenv *e, struct err **err);
/* Is there a named context, and what does it stand for (NULL = none)? Nothing is fetched. */
const struct contextspec *context_spec(const struct context_set *c, const char *name);
struct copy_root context_root(const struct context *c);

#define auto_context CLEANUP(context_close)

#endif
