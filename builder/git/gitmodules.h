/* SPDX-License-Identifier: Apache-2.0 */
/* The submodules of a commit: where they are in its tree, at which commit, and what its
 * .gitmodules says about where they come from. */
#ifndef BLD_BUILDER_GIT_GITMODULES_H
#define BLD_BUILDER_GIT_GITMODULES_H

#include "builder/git/gitrun.h"

struct gitmodules_entry {
	char *path;   /* owned, all of them */
	char *commit; /* hex digits */
	char *url;    /* as written; NULL: .gitmodules does not know it */
};
struct gitmodules {
	struct gitmodules_entry *v; /* owned */
	size_t n;
	size_t cap;
};

int gitmodules_read(const struct gitrun *g, int dir_fd, const char *git_dir, const char *commit,
	struct gitmodules *out, struct err **err);
void gitmodules_clear(struct gitmodules *m);

#endif
