/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Cache keys: what a file-system step depends on, as one sha256. key = key of the step before +
 * kind + normalised step + inputs (S20). ENV, ARG, USER, WORKDIR and SHELL count where the step
 * uses them; LABEL, EXPOSE, CMD and the other pure metadata never do; times, proxy settings and the
 * contents of secrets never do.
 *
 * What a step feeds behind that is its list of parts (keyparts.h).
 *
 * A key is fed field by field (sha256_field*), each with its length, so no two different steps feed
 * the same bytes. CACHEKEY_FORMAT is part of every key: raise it when a step's meaning changes.
 */
#ifndef BLD_BUILDER_CACHE_CACHEKEY_H
#define BLD_BUILDER_CACHE_CACHEKEY_H

#include "builder/state.h"

#define CACHEKEY_FORMAT "bld 1"

/* Start a key: format, parent, kind ("RUN", "COPY content" ...). */
void cachekey_begin(struct sha256 *h, const struct digest *parent, const char *kind);
void cachekey_list(struct sha256 *h, const struct strlist *l);
void cachekey_digest(struct sha256 *h, const struct digest *d);
/* The stage's first key: chain ID, platform, inherited env, user, workdir and shell. */
void cachekey_base(const struct state *st, struct digest *out);

#endif
