/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Debian's git as a child process, told as little as possible: no configuration but ours (neither
 * the machine's nor the user's), no hooks, no templates, no filters, no prompts, no terminal, no
 * transport but http(s), ssh and git, none of the caller's GIT_ variables. For a repository that
 * the caller named, ssh and ~/.netrc are the caller's; for any other one (foreign) they are not
 * there, though known_hosts is: it opens nothing. Credentials never stand on its command line. A
 * file of it has at most GITRUN_FILE_MAX bytes.
 */
#ifndef BLD_BUILDER_GIT_GITRUN_H
#define BLD_BUILDER_GIT_GITRUN_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "store/base/buf.h"
#include "store/base/err.h"
#include "store/base/strlist.h"

#define GITRUN_FILE_MAX ((uint64_t)2 << 30)
#define GITRUN_OUT_MAX  ((size_t)64 << 20)
#define GITRUN_ARGS_MAX 32

/* What all commands of one remote have in common; borrowed. */
struct gitrun {
	const struct strlist *proxies; /* "https_proxy=..."; or NULL */
	const char *origin;            /* "https://host": where `authorization` is sent; or NULL */
	const char *authorization;     /* value of the header; a secret; or NULL */
	bool foreign;                  /* none of the caller's ssh keys, agent and ~/.netrc */
	const char *agent;             /* with foreign: the socket of an agent for ssh; or NULL */
	const atomic_int *cancelled;   /* or NULL */
};

/*
 * git ARGS..., ended by NULL, in this directory (-1: in none of a repository). Standard output goes
 * to out (or NULL). Returns the exit status, 0 to 255, with git's own words in *said (owned, one
 * printable line; may be NULL). -1: it could not be run (ERR_UNSUPPORTED when there is no git), was
 * ended (ERR_CANCELLED), or said too much (ERR_LIMIT).
 */
int gitrun(const struct gitrun *g, int dir_fd, const char *const *args, struct buf *out,
	char **said, struct err **err);

/* The same, and every status but 0 is ERR_NET with git's words; `what` names the work. */
int gitrun_must(const struct gitrun *g, int dir_fd, const char *const *args, struct buf *out,
	const char *what, struct err **err);

#endif
