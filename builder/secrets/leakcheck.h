/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Does a layer hold a secret? Looks at the tar while it is written: contents, names, targets of
 * links and extended attributes, for all that mask.h finds. Only entries are told apart here; the
 * layer's own writer makes the tar, so what is no tar is not searched for mistakes.
 */
#ifndef BLD_BUILDER_SECRETS_LEAKCHECK_H
#define BLD_BUILDER_SECRETS_LEAKCHECK_H

#include "builder/secrets/mask.h"
#include "builder/secrets/secrets.h"
#include "store/base/io.h"

struct leakcheck;

/* For the given secrets (borrowed, like their ids); NULL when none of them is long enough. */
struct leakcheck *leakcheck_new(const struct secret *const *v, size_t n);
void leakcheck_free(struct leakcheck *c);

/* Where the tar goes, in order. Never fails. */
struct io_writer leakcheck_writer(struct leakcheck *c);

/* The first entry that holds one: its path ("/a/b", not yet safe for a terminal), borrowed; NULL =
 * none. *id: the secret; *more: other entries that do. */
const char *leakcheck_found(const struct leakcheck *c, const char **id, size_t *more);

DEFINE_CLEANUP(struct leakcheck *, leakcheck_free);
#define auto_leakcheck CLEANUP(leakcheck_freep)

#endif
