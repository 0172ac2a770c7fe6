/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The files of a git repository as a layer: fetched once for each commit, and from then on found
 * in the cache by the commit's name, the directory and what else was asked for. Files have mode
 * 0644 or 0755, owner 0:0 and the time of the commit. Contents are those of a checkout without
 * filters (LFS pointers stay pointers). `.git` is not among them unless it is to be kept, and then
 * only with the whole tree.
 */
#ifndef BLD_BUILDER_GIT_GIT_H
#define BLD_BUILDER_GIT_GIT_H

#include "builder/cache/record.h"
#include "builder/fetch/fetchenv.h"
#include "parser/giturl.h"

/* ERR_NET, ERR_CONTEXT (no such directory, a bad submodule), ERR_CORRUPT (checksum), ERR_LIMIT,
 * ERR_UNSUPPORTED (there is no git). */
int git_layer(
	const struct fetchenv *e, const struct giturl *u, struct record *out, struct err **err);

/* giturl_parse with an error: ERR_CONTEXT. */
int git_url(struct arena *a, const char *text, enum giturl_use use, struct giturl *out,
	struct err **err);

#endif
