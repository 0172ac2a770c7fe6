/* SPDX-License-Identifier: Apache-2.0 */
/*
 * --creds: a user name and a password that the caller gives for one build. They are for one
 * registry, however many a Dockerfile names: the one that --push or an output sends to; when
 * nothing is sent, that of the first FROM that is an image of a registry. Others get what the
 * credential files say of them.
 */
#ifndef BLD_BUILDER_FETCH_CREDS_H
#define BLD_BUILDER_FETCH_CREDS_H

#include <stdbool.h>

struct plan;
struct transfer_opts;

struct creds {
	const char *user; /* NULL = none were given */
	const char *password;
	char *host; /* of the registry that is pushed to; NULL = the plan decides; owned by the
		       caller */
};

/* The registry of an image's name ("docker.io"); owned, NULL when it is no such name. */
char *creds_registry(const char *name);
/* Put them into *t when they are for the image's registry. plan: NULL when nothing is pulled. */
void creds_apply(
	const struct creds *c, const struct plan *plan, const char *name, struct transfer_opts *t);

#endif
