/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Secrets of --secret: id=NAME,src=FILE or id=NAME,env=VARIABLE (type=file|env optional). Values
 * are held in memory that is kept out of core dumps and wiped on free; they reach RUN through
 * --mount=type=secret and nothing else.
 */
#ifndef BLD_BUILDER_SECRETS_SECRETS_H
#define BLD_BUILDER_SECRETS_SECRETS_H

#include <stddef.h>

#include "builder/secrets/mask.h"
#include "store/base/err.h"
#include "store/base/strlist.h"

#define SECRETS_SIZE_MAX ((size_t)500 << 10) /* as BuildKit */
#define SECRETS_MAX      128

struct secret {
	char *id;   /* owned */
	char *data; /* owned; mapped */
	size_t len;
};
struct secrets {
	struct secret *v; /* owned */
	size_t n;
	struct mask *mask; /* finds them, or NULL; owned */
};

/* ERR_USAGE: malformed; ERR_CONTEXT: file that cannot be read. Variables that were named are no
 * longer in the environment afterwards (but for those of proxies): call it once, before there are
 * threads that read the environment. */
int secrets_load(const struct strlist *specs, struct secrets *out, struct err **err);
const struct secret *secrets_find(const struct secrets *s, const char *id);
void secrets_clear(struct secrets *s);

#endif
