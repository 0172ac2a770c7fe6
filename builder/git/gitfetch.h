/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One commit of a remote repository in a directory of ours: the repository in "g0", the files in
 * "w", with the files of submodules in it. As little as the server lets us is fetched: the commit
 * alone, else the ref alone, else everything. Submodules are not left to git: each is fetched like
 * its parent, at the commit that the parent names, from where the parent's .gitmodules says.
 */
#ifndef BLD_BUILDER_GIT_GITFETCH_H
#define BLD_BUILDER_GIT_GITFETCH_H

#include "builder/git/gitrun.h"
#include "parser/giturl.h"

#define GITFETCH_SUBMODULES 256 /* in all */
#define GITFETCH_DEPTH      8   /* of submodules in submodules */
#define GITFETCH_OID        65  /* bytes of an object's name, with its NUL */

struct gitfetch {
	const struct gitrun *run;
	int dir_fd; /* empty directory */
	struct arena *arena;
	unsigned nrepos; /* made so far */
};

/* What a ref of the remote is. */
struct gitfetch_ref {
	char *name;                /* "refs/heads/main"; owned; NULL: the object was named itself */
	char oid[GITFETCH_OID];    /* a commit, or an annotated tag */
	char commit[GITFETCH_OID]; /* the commit; "" = not known before it is fetched */
};

/* 1 found; 0 it may be the beginning of a commit's name, which only a fetch can tell; -1: ERR_NET,
 * with the names that are near when there is no such ref. */
int gitfetch_resolve(
	const struct gitrun *g, const struct giturl *u, struct gitfetch_ref *out, struct err **err);

/* Fetch it into "g0". With an empty oid everything is fetched, and the ref is looked up there.
 * Fills in the commit. */
int gitfetch_commit(
	struct gitfetch *f, const struct giturl *u, struct gitfetch_ref *ref, struct err **err);

/* The files of the commit in "w"; of submodules only those at, below or above u->subdir. */
int gitfetch_checkout(struct gitfetch *f, const struct giturl *u, const char *commit,
	bool submodules, struct err **err);

/* Seconds since 1970 when the commit was made. */
int gitfetch_time(struct gitfetch *f, const char *commit, int64_t *out, struct err **err);

/* "g0" becomes the .git of "w", with its origin and the ref as they would be after a clone. */
int gitfetch_keep(struct gitfetch *f, const struct giturl *u, const struct gitfetch_ref *ref,
	struct err **err);

#endif
