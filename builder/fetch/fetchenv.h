/* SPDX-License-Identifier: Apache-2.0 */
/* What everything that is fetched for a build needs to know of it. */
#ifndef BLD_BUILDER_FETCH_FETCHENV_H
#define BLD_BUILDER_FETCH_FETCHENV_H

#include <stdatomic.h>
#include <stdbool.h>

#include "store/base/strlist.h"
#include "store/store.h"

struct session;
struct secrets;
struct sshagents;

struct fetchenv {
	struct store *s;
	const struct strlist *proxies; /* "https_proxy=..."; or NULL */
	const struct secrets *secrets; /* for git servers (gitauth.h); or NULL */
	/* The address comes from the Dockerfile, not from the caller: git gets none of the caller's
	 * own credentials (ssh keys and agent, ~/.netrc), but what was given for the build. */
	bool foreign;
	const struct sshagents *agents;              /* of --ssh; or NULL */
	const char *cert_dir;                        /* of --cert-dir, or NULL */
	const char *allow_private;                   /* of --allow-private, or NULL */
	const char *context;                         /* the build context as given, or NULL */
	const atomic_int *cancelled;                 /* or NULL */
	void (*status)(void *ctx, const char *text); /* something that takes time; or NULL */
	void *ctx;
};

/* Of a build: status goes to its events. Borrows from the job. */
struct fetchenv fetchenv_of(struct session *se);
void fetchenv_status(const struct fetchenv *e, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

#endif
