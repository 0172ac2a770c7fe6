/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names of git repositories, as ADD sources and as build contexts.
 *
 *	git@HOST:PATH  ssh://HOST/PATH  git://HOST/PATH  http(s)://HOST/PATH.git
 *	github.com/USER/REPO		only as a context
 *
 * each with `#REF[:SUBDIR]`, or with the query ref, tag, branch, subdir, checksum (commit is the
 * same), keep-git-dir, submodules, mtime. What is said twice must agree. Nothing that git could
 * take for an option, no other transport, no control byte and no ".." in a directory gets through.
 */
#ifndef BLD_PARSER_GITURL_H
#define BLD_PARSER_GITURL_H

#include <stdbool.h>

#include "parser/arena.h"
#include "parser/slice.h"

#define GITURL_MAX 8192 /* bytes */

enum giturl_use { GITURL_SOURCE, GITURL_CONTEXT };
enum giturl_ref { GITURL_ANY, GITURL_TAG, GITURL_BRANCH };

/* All text is NUL-terminated and in the arena. */
struct giturl {
	const char *remote;   /* for git: no query, no fragment, of http(s) no user */
	const char *login;    /* "user:password" of an http(s) URL, decoded; or NULL */
	const char *ref;      /* "" = the default branch */
	enum giturl_ref kind; /* what the ref is */
	const char *subdir;   /* without "." and "//"; "" = everything */
	const char *checksum; /* lower-case hex digits that begin the commit's name; or NULL */
	int keep_git_dir;     /* 1, 0; -1 = not said; likewise: */
	int submodules;
	bool checkout_time; /* files get the time of the checkout, not that of the commit */
};

/* Is this text meant as the name of a repository? */
bool giturl_is(struct slice text, enum giturl_use use);

/* false: *why is the mistake, in the arena; bytes of the text in it are not escaped. */
bool giturl_parse(struct arena *a, struct slice text, enum giturl_use use, struct giturl *out,
	const char **why);

/* Hex digits, 4 to 64, as the beginning of a commit's name; lower case, in the arena. NULL: not. */
const char *giturl_checksum(struct arena *a, struct slice text);

/* The URL of a submodule: absolute, or beginning with "./" or "../" and relative to its parent's.
 * NULL with *why. */
const char *giturl_submodule(
	struct arena *a, const char *parent, struct slice url, const char **why);

#endif
