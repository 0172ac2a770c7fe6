/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The Authorization header for a git server: what the URL says, else a secret of the build
 * (--secret) with one of BuildKit's IDs, tried in this order:
 *
 *	GIT_AUTH_HEADER.HOST  the value of the header, for HOST (and its port, if the URL has one)
 *	GIT_AUTH_HEADER       the same for the host that the caller named
 *	GIT_AUTH_TOKEN.HOST   a token, sent as the password of x-access-token
 *	GIT_AUTH_TOKEN        the same for the host that the caller named
 *
 * A secret goes to one host: the one in its ID, else that of a URL which the caller named (the
 * build context, a named one), and never where a Dockerfile alone wants it. Over http it goes to
 * this machine, or to a URL that the caller gave as http. A line end behind the value does not
 * count.
 */
#ifndef BLD_BUILDER_GIT_GITAUTH_H
#define BLD_BUILDER_GIT_GITAUTH_H

#include "builder/fetch/fetchenv.h"
#include "builder/secrets/secrets.h"
#include "parser/giturl.h"

struct gitauth {
	char *origin; /* "https://host": where it is sent; owned; NULL: there is nothing to send */
	char *header; /* a secret; owned */
	char *withheld; /* a hint: why a secret that is there does not go to this URL; owned; or
			   NULL */
};

/* ERR_USAGE for a secret that cannot be a header. */
int gitauth_find(
	const struct giturl *u, const struct fetchenv *e, struct gitauth *out, struct err **err);
void gitauth_clear(struct gitauth *a);

#define auto_gitauth CLEANUP(gitauth_clear)

#endif
